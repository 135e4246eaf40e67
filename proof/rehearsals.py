"""Every sample package goes from its first file to a certificate that holds exactly its accepted rows.

Each is rehearsed as a process of its own, by the command that administrators have. A package that the commitment
track is not open to must be refused there before anything is signed, with the criterion and its article.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "corpus"
PACKAGES = tuple(f"P{number:02d}" for number in range(1, 15))
PATIENCE = 1800  # seconds for one package


def rehearse(package: str, track: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report of one rehearsal; an empty report when it printed none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WUJIAN_")}
    with tempfile.TemporaryDirectory(prefix="wujian-proof-") as place:
        done = subprocess.run(
            [sys.executable, "-m", "app", "rehearse", str(CORPUS / package), "--track", track, "--json",
             "--out", f"{place}/out"], cwd=place, env=kept | {"PYTHONPATH": str(ROOT), "WUJIAN_VAR": f"{place}/var"},
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        try:
            report: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            return done.returncode, {"stopped": done.stderr[-400:], "checks": {}, "eligibility": []}
        written = Path(place) / "out" / report["certificate"].get("pdf", "none")
        report["checks"]["the_file_is_there"] = written.is_file() or not report["certificate"]
        return done.returncode, report


def faults(code: int, report: dict[str, Any]) -> list[str]:
    """What speaks against a rehearsal that should have succeeded."""
    broken = [name for name, held in report["checks"].items() if held is not True]
    if code or not report.get("succeeded"):
        broken.append(f"exit {code}: {report['stopped']}")
    if not report.get("certificate") or report["certificate"]["annex_rows"] != report["rows"]["accepted"]:
        broken.append("the annex does not hold as many rows as were accepted")
    return broken


def refused_rightly(code: int, report: dict[str, Any]) -> bool:
    """Whether the commitment track was refused before anything was done, each unmet criterion with its article."""
    unmet = [each for each in report["eligibility"] if not each["met"]]
    return code == 1 and bool(unmet) and not report["steps"] and all(
        each["article"] and (each["why"] or each["criterion"]) and (each["why"] or each["criterion"])
        in report["stopped"] for each in unmet)


def prove() -> Iterator[dict[str, Any]]:
    for track in ("general", "commitment"):
        wrong, refused, rows, started = [], [], 0, time.monotonic()
        for package in PACKAGES:
            code, report = rehearse(package, track)
            if track == "commitment" and any(not each["met"] for each in report["eligibility"]):
                refused.append(package)
                if not refused_rightly(code, report):
                    wrong.append(f"{package} was not refused rightly: {report['stopped'][:200]}")
                continue
            rows += report.get("rows", {}).get("accepted", 0)
            wrong += [f"{package}: {fault}" for fault in faults(code, report)]
        note = f"{rows} rows in {len(PACKAGES) - len(refused)} certificates, {time.monotonic() - started:.0f} s"
        if refused:
            note += f"; not open to {', '.join(refused)}, each refused with its reason"
        yield {"claim": f"Every package is rehearsed to its certificate on the {track} track", "tries": len(PACKAGES),
               "unexpected": len(wrong), "note": "; ".join([note, *wrong])}
