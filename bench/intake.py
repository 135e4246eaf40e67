"""Import of P14 (20,075 rows, five tables) beside openpyxl and calamine merely reading the same files.

Run: `python bench/intake.py [--rounds 3] [--json]`. Every figure comes from a fresh process; the three take turns, so
that a busy machine slows all of them alike. CPU is user + system of the child, peak its largest resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tests" / "corpus" / "P14"
CPU_LIMIT, PEAK_LIMIT = 10.0, 400.0  # the targets: seconds, MB

CANDIDATES = {
    "intake (all tables, all rules)": """
from intake.reader import read_package
from intake.standards import Catalogue
reading = read_package([(p.name, p) for p in paths], Catalogue.from_csv("reference/standards.csv"))
rows = sum(table.data_rows for table in reading.tables)
""",
    "calamine merely reading": """
from python_calamine import CalamineWorkbook
rows = 0
for path in paths:
    with CalamineWorkbook.from_path(path) as book:
        for name in book.sheet_names:
            rows += len(book.get_sheet_by_name(name).to_python())
""",
    "openpyxl merely reading (read-only)": """
import openpyxl
rows = 0
for path in paths:
    book = openpyxl.load_workbook(path, read_only=True)
    for sheet in book.worksheets:
        rows += sum(1 for _ in sheet.iter_rows(values_only=True))
    book.close()
""",
    "openpyxl merely reading (with merges)": """
import openpyxl
rows = 0
for path in paths:
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        rows += sum(1 for _ in sheet.iter_rows(values_only=True))
""",
}
_FRAME = """
import sys
from pathlib import Path
from typing import Any
paths = sorted(Path(sys.argv[1]).glob("*.xlsx"))
{work}
print(rows)
"""


def timed(work: str) -> tuple[float, float, int]:
    """CPU seconds, peak MB and rows of one run in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", _FRAME.format(work=work), str(PACKAGE)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("a candidate failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, int(printed)


def measure() -> str:
    """The figures as Markdown, for docs/performance.md."""
    lines, versions, kept = compared(3)
    rows = [f"| {x['what']} | {x['cpu_s']} | {x['peak_mb']} | {x['rows']} | {x['times_ours']} |" for x in lines]
    return "\n".join([
        "Versions: " + ", ".join(f"{name} {number}" for name, number in versions.items()), "",
        "| | CPU s | peak MB | rows | ratio |", "|---|---:|---:|---:|---:|", *rows, "",
        f"Target: at most {CPU_LIMIT:.0f} s CPU and {PEAK_LIMIT:.0f} MB: {'kept' if kept else 'MISSED'}."])


def compared(rounds: int) -> tuple[list[dict[str, Any]], dict[str, str], bool]:
    """Every candidate in turn, `rounds` times: the rows, the versions, and whether our target is kept."""
    runs: dict[str, list[tuple[float, float, int]]] = {name: [] for name in CANDIDATES}
    for _ in range(rounds):
        for name, work in CANDIDATES.items():
            runs[name].append(timed(work))
    ours = statistics.median(run[0] for run in runs[next(iter(CANDIDATES))])
    lines = [
        {
            "what": name,
            "cpu_s": round(statistics.median(run[0] for run in results), 2),
            "peak_mb": round(max(run[1] for run in results)),
            "rows": results[0][2],
            "times_ours": round(statistics.median(run[0] for run in results) / ours, 2),
        }
        for name, results in runs.items()
    ]
    versions = {
        "python": platform.python_version(),
        **{name: version(name) for name in ("python-calamine", "openpyxl")},
    }
    kept = bool(lines[0]["cpu_s"] <= CPU_LIMIT and lines[0]["peak_mb"] <= PEAK_LIMIT)  # type: ignore[operator]
    return lines, versions, kept


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--json", action="store_true")
    options = asked.parse_args()
    lines, versions, kept = compared(options.rounds)
    if options.json:
        print(json.dumps({"bench": "intake", "versions": versions, "runs": lines, "target_kept": kept}))
        return 0 if kept else 1
    print("Import of P14,", ", ".join(f"{name} {number}" for name, number in versions.items()))
    print(f"{'':<40}{'CPU s':>8}{'peak MB':>9}{'rows':>8}{'ratio':>8}")
    for line in lines:
        print(
            f"{line['what']:<40}{line['cpu_s']:>8}{line['peak_mb']:>9}{line['rows']:>8}{line['times_ours']:>8}"
        )
    print(f"Target: at most {CPU_LIMIT:.0f} s CPU and {PEAK_LIMIT:.0f} MB:", "kept" if kept else "MISSED")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
