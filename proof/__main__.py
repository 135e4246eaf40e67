"""Run the long proofs and write docs/proof.md.

    ./run proof                  every proof module and every test marked `proof`
    ./run proof races verb-pairs those modules, or the proof tests whose name holds the word
    ./run proof --list           what there is
"""
import ast
import importlib
import sys
from pathlib import Path

import pytest

from proof.ledger import Result, keep, write_page
from proof.recording import Recording

HERE = Path(__file__).resolve().parent


def modules() -> dict[str, str]:
    """Each proof module's name and promise: the modules here that define `prove`."""
    found = {}
    for path in sorted(HERE.glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "prove" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or path.stem).splitlines()[0]
    return found


def prove(name: str) -> bool:
    """Run one module's proof, keep and print its results; True if nothing unexpected was seen."""
    results = []
    for seen in importlib.import_module(f"proof.{name}").prove():
        result = Result(proof=name, **seen)
        keep([result])
        results.append(result)
        word = "BROKEN" if result.unexpected else "holds"
        counts = f"{result.unexpected} unexpected in {result.tries}"
        print(f"{word}  {result.claim}: {counts}  {result.note}", flush=True)
    return bool(results) and all(result.unexpected == 0 for result in results)


def run_tests(words: list[str]) -> bool:
    """Run the tests marked `proof`, only those whose name holds one of the words if there are any."""
    chosen = ["-k", " or ".join(words)] if words else []
    code = pytest.main(["-m", "proof", "--timeout", "7200", *chosen], plugins=[Recording()])
    nothing_to_do = code == pytest.ExitCode.NO_TESTS_COLLECTED and not words
    return code == pytest.ExitCode.OK or nothing_to_do


def main(arguments: list[str]) -> int:
    known = modules()
    arguments = [spelt if (spelt := a.replace("-", "_")) in known else a for a in arguments]
    if arguments == ["--list"]:
        listed = [f"{name}  {promise}" for name, promise in known.items()]
        print("\n".join(listed) or "There is no proof module yet.")
        pytest.main(["-m", "proof", "--collect-only", "-q"])
        return 0
    outcomes = [prove(name) for name in known if name in arguments or not arguments]
    words = [name for name in arguments if name not in known]
    if words or not arguments:
        outcomes.append(run_tests(words))
    write_page()
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
