"""The product's command line as its users have it: a process of its own, from another directory."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus"


def environment(**settings: object) -> dict[str, str]:
    """The environment of a process of ours: no setting of whoever runs the tests, then the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WUJIAN_")}
    given = {f"WUJIAN_{name.upper()}": str(value).lower() if isinstance(value, bool) else str(value)
             for name, value in settings.items()}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | given


def wujian(*arguments: str | Path, cwd: Path, **settings: object) -> "subprocess.CompletedProcess[str]":
    """Run `wujian ARGUMENTS` to its end with these settings."""
    return subprocess.run([sys.executable, "-m", "app", *map(str, arguments)], cwd=cwd,
                          env=environment(**settings), capture_output=True, text=True, timeout=280, check=False)
