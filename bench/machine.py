"""What a figure was measured on: without it, a figure says nothing."""
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def commit() -> str:
    """The commit the working tree stands on, with a + where it was changed since; empty without git."""
    answer = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True,
                            text=True, check=False)
    return answer.stdout.strip()


def versions(names: Iterable[str]) -> str:
    """`name version` of installed libraries, in one line; `absent` where one is not installed."""
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} absent")
    return ", ".join(found)


def description() -> str:
    """One line: when, at which commit, on how many cores, how busy, with which Python."""
    load = os.getloadavg()[0]
    return (f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit() or 'unknown'}, {os.cpu_count()} cores "
            f"({platform.machine()}), load {load:.1f} at the start, Python {platform.python_version()}")
