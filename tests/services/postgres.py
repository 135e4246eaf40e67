"""A PostgreSQL cluster of our own: Debian's programs, our own directory, a unix socket, no port.

`initdb` and `postgres` refuse to run as root, so under root they run as the system user `postgres`. Databases
are cloned from a migrated template, which takes tens of milliseconds where a migration takes seconds.
"""
import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import URL, make_url

PR_SET_PDEATHSIG = 1
_C_LIBRARY = ctypes.CDLL(None)  # opened here, since between fork and exec as little as possible may happen


class NotInstalled(RuntimeError):
    """PostgreSQL is nowhere to be found; the text says what to do."""


def programs() -> Path:
    """The directory that holds `initdb` and `postgres`, the newest version first; raises NotInstalled."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    found = versions[-1] if versions else shutil.which("initdb")
    if found is None:
        raise NotInstalled("PostgreSQL is not installed: `./run test` installs it, or set TEST_DATABASE_URL")
    return Path(found).parent


def _die_with_the_parent() -> None:
    """Run in the child: a test process killed by its timeout must not leave a cluster behind (Linux only)."""
    if sys.platform == "linux":
        _C_LIBRARY.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


class Postgres:
    """A server in which databases are made and dropped; use it as a context manager.

    `durable=True` keeps fsync and synchronous_commit on, for benches; tests leave them off.
    With `admin_url` (TEST_DATABASE_URL) a server that already runs is used and left running.
    """

    def __init__(self, admin_url: str = "", *, durable: bool = False) -> None:
        self._admin = make_url(admin_url) if admin_url else None
        self._durable = durable
        self._directory: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._names = (f"wujian_{os.getpid()}_{n}" for n in itertools.count(1))
        self._made: set[str] = set()
        self._templates: dict[Any, str] = {}

    def __enter__(self) -> "Postgres":
        if self._admin is None:
            self._start()
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._made) if self._server is None else ():
            self.drop(name)
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(timeout=30)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    # --- databases ------------------------------------------------------------------------------------------

    def create(self, template: str = "template0") -> str:
        """Make a database as a copy of `template` and return its SQLAlchemy URL (postgresql+psycopg)."""
        name = next(self._names)
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self._made.add(name)
        return self.url(name)

    def create_prepared(self, prepare: Callable[[str], None]) -> str:
        """A copy of a database on which `prepare(url)` ran; it runs once for this server."""
        if prepare not in self._templates:
            url = self.create()
            prepare(url)
            self._templates[prepare] = str(make_url(url).database)
        return self.create(self._templates[prepare])

    def drop(self, url_or_name: str) -> None:
        """Drop a database that `create` made, with whatever is still connected to it."""
        name = make_url(url_or_name).database if "://" in url_or_name else url_or_name
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.discard(str(name))

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server."""
        assert self._admin is not None
        url = self._admin.set(drivername="postgresql+psycopg", database=database)
        return url.render_as_string(hide_password=False)

    def _connect(self) -> psycopg.Connection[Any]:
        assert self._admin is not None
        dsn = self._admin.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(dsn, autocommit=True)

    def _execute(self, statement: str) -> None:
        with self._connect() as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    # --- the server -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        found = programs()
        directory = self._directory = Path(tempfile.mkdtemp(prefix="wujian-pg-"))
        owner: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
            owner |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        made = subprocess.run(
            [found / "initdb", "-D", directory / "pg", "-U", "wujian", "--auth=trust", "--encoding=UTF8",
             "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
            capture_output=True, text=True, **owner)
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")
        settings = {"listen_addresses": "", "unix_socket_directories": directory, "max_connections": 200,
                    "shared_buffers": "64MB", "timezone": "UTC", "log_min_messages": "fatal"}
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [f"--{key}={value}" for key, value in settings.items()]
        with (directory / "log").open("wb") as log:
            self._server = subprocess.Popen(
                [found / "postgres", "-D", directory / "pg", *options],
                stdout=log, stderr=log, preexec_fn=_die_with_the_parent, **owner)
        self._admin = URL.create("postgresql", "wujian", database="postgres", query={"host": str(directory)})
        self._wait_until_it_answers(directory / "log")

    def _wait_until_it_answers(self, log: Path) -> None:
        assert self._server is not None
        for _ in range(600):
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                if self._server.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
