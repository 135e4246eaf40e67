"""Serving by gunicorn, started from our own command so that one configuration rules everything."""
import os
from collections.abc import Callable
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from configuration import Settings
from web.context import House

REQUEST_SECONDS = 60  # after which a process that answers nothing at all is replaced


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with options given in code. The application is made in the serving process, after the fork, so
    that no database connection is shared between processes."""

    def __init__(self, make: Callable[[], Flask], options: dict[str, Any]) -> None:
        self._make = make
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._make()


def run(settings: Settings, create_app: Callable[[Settings], Flask],
        start_worker: Callable[[House], Callable[[], None]], processes: int = 1,
        demonstration: str = "") -> None:
    """Serve until SIGTERM or Ctrl-C; with `embedded_worker` the jobs run in a thread of the same process."""
    stops: list[Callable[[], None]] = []

    def make() -> Flask:
        app = create_app(settings)
        if settings.embedded_worker:
            stops.append(start_worker(app.extensions["wujian"]))
        return app

    def leave(_server: Any, _process: Any) -> None:
        while stops:
            stops.pop()()

    _Server(make, {
        "bind": f"{settings.host}:{settings.port}", "workers": processes, "worker_class": "gthread",
        "threads": settings.threads, "timeout": REQUEST_SECONDS, "graceful_timeout": 30, "keepalive": 5,
        "max_requests": 0, "control_socket_disable": True, "worker_tmp_dir": _memory_directory(),
        "proc_name": "wujian", "errorlog": "-", "loglevel": "warning", "forwarded_allow_ips": "",
        "when_ready": lambda _server: _announce(settings, demonstration), "worker_exit": leave,
    }).run()


def _memory_directory() -> str | None:
    """gunicorn's sign of life is a file touched every second: in memory where there is such a place."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108, made by gunicorn with mkstemp


def _announce(settings: Settings, demonstration: str) -> None:
    click.echo(f"\n  Wujian 五减 is at {settings.origin}/\n")
    for line in demonstration.splitlines():
        click.echo(f"  {line}")
    click.echo("\n  Ctrl-C stops it.\n")
