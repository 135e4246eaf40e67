"""An installation of several processes, each started by the product's own command and configured by environment."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.web.command_line import environment

PATIENCE = 90.0  # seconds until a process that says nothing is taken for broken


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE, pause: float = 0.05) -> Any:
    """What `condition` answers once that is true. Raises TimeoutError that says what was waited for."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(pause)
    return found


def free_port() -> int:
    """A port of the loopback address that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still live (Linux)."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue  # the thread ended meanwhile
    return found


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@dataclass
class Running:
    """One process with its log; `kill` is -9 to it and to all that it started in its session."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path
    port: int = 0

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    def stop(self) -> int:
        """SIGTERM, as an operator stops it; the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.kill()
        return int(self.process.returncode)

    def told(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass
class Installation:
    """`settings` are those of configuration.py; each process gets them as WUJIAN_* and nothing else."""

    directory: Path
    settings: dict[str, Any]
    running: dict[str, Running] = field(default_factory=dict)

    def run(self, *arguments: str, **settings: Any) -> "subprocess.CompletedProcess[str]":
        """A command to its end."""
        return subprocess.run([sys.executable, "-m", "app", *arguments], cwd=self.directory, text=True,
                              env=environment(**self.settings | settings), capture_output=True, timeout=240,
                              check=False)

    def start(self, name: str, *arguments: str, port: int = 0, **settings: Any) -> Running:
        log = self.directory / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen([sys.executable, "-m", "app", *arguments], cwd=self.directory, stdout=out,
                                       stderr=out, stdin=subprocess.DEVNULL, start_new_session=True,
                                       env=environment(**self.settings | settings))
        self.running[name] = Running(name, process, log, port)
        return self.running[name]

    def web(self, name: str) -> Running:
        """A web process, once it answers."""
        port = free_port()
        made = self.start(name, "serve", "--port", str(port), "--processes", "1", port=port)
        until(lambda: self.answers(made), f"{name} to answer")
        return made

    def answers(self, process: Running, path: str = "/healthz") -> bool:
        assert process.process.poll() is None, f"{process.name} ended:\n{process.told()[-3000:]}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{process.port}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def worker(self, name: str) -> Running:
        return self.start(name, "worker", "--name", name)

    def close(self) -> None:
        for process in self.running.values():
            if process.process.poll() is None:
                process.kill()
