"""Run benches one after another, each in a process of its own, and put the results into docs/performance.md.

    ./run bench              all
    ./run bench engine pdf   these
    ./run bench --list       what there is
"""
import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

from bench.machine import ROOT, description

HERE = Path(__file__).resolve().parent
REPORT = ROOT / "docs" / "performance.md"
OPENING = """# Performance

Written by `./run bench`. Absolute figures swing with the machine; compare within a table.
"""


def benches() -> dict[str, str]:
    """Each bench's name and heading: the modules here that define `measure`."""
    found = {}
    for path in sorted(HERE.glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "measure" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or path.stem).splitlines()[0].rstrip(".")
    return found


def with_section(report: str, name: str, section: str) -> str:
    """The report with the section of that name put in place of its last one, or at the end."""
    first, last = f"<!-- bench:{name} -->\n", f"<!-- /bench:{name} -->\n"
    block = f"{first}{section.strip()}\n{last}"
    pattern = re.compile(f"{re.escape(first)}.*?{re.escape(last)}", re.DOTALL)
    if pattern.search(report):
        return pattern.sub(lambda _: block, report)
    return f"{report.rstrip()}\n\n{block}"


def measure(name: str, heading: str) -> bool:
    """Run one bench in a fresh process, print its result and write it down; False if it failed."""
    machine = description()
    out = HERE / "out" / f"{name}.md"
    out.parent.mkdir(exist_ok=True)
    out.unlink(missing_ok=True)
    print(f"--- {name}: {heading}", flush=True)
    done = subprocess.run([sys.executable, "-m", "bench", "--one", name, str(out)], cwd=ROOT, check=False)
    if done.returncode != 0 or not out.is_file():
        print(f"--- {name}: FAILED (exit {done.returncode})", flush=True)
        return False
    result = out.read_text(encoding="utf-8")
    print(result, flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    report = REPORT.read_text(encoding="utf-8") if REPORT.is_file() else OPENING
    section = f"## {heading}\n\n{result.strip()}\n\nMeasured {machine}."
    REPORT.write_text(with_section(report, name, section), encoding="utf-8")
    return True


def main(arguments: list[str]) -> int:
    known = benches()
    match arguments:
        case ["--list"]:
            listed = [f"{name}  {heading}" for name, heading in known.items()]
            print("\n".join(listed) or "There is no bench yet.")
            return 0
        case ["--one", name, out]:
            Path(out).write_text(importlib.import_module(f"bench.{name}").measure(), encoding="utf-8")
            return 0
    strange = [name for name in arguments if name not in known]
    if strange:
        print(f"No bench is called {', '.join(strange)}; there is: {', '.join(known) or 'none yet'}",
              file=sys.stderr)
        return 2
    failed = [name for name in arguments or known if not measure(name, known[name])]
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
