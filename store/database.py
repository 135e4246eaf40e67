"""Opening the database: one engine, a reading and a writing transaction, the same on SQLite and PostgreSQL."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, PoolProxiedConnection, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError

from store.wire import Prepared, Wire

_KEPT = 2  # connections that stay borrowed for steps, of the sixteen and these of the pool; a technical bound
_ALIVE_FOR = 1.0  # seconds after its last use for which a connection is not asked; a technical bound
BUREAU_ZONE = ZoneInfo("Asia/Shanghai")
MIGRATIONS = Path(__file__).parent.parent / "migrations"


class Busy(RuntimeError):
    """The database did not let us in within its time limit, or is not there; asking again is safe."""


class Clock:
    """The one source of the present moment. Tests and rehearsals put another in its place."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> Any:
        """The local date in the bureau's time zone."""
        return self.now().astimezone(BUREAU_ZONE).date()


class Database:
    """An engine with our rules set on every connection.

    `writing()` takes the write lock at once (BEGIN IMMEDIATE on SQLite), so two commands never read the same
    state and both write. `reading()` is a snapshot. Both give a Core connection and end their transaction.
    """

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self.url = url
        self.clock = clock or Clock()
        self.engine = _engine(url)
        self._ready: list[_Lent] = []
        reads: dict[str, Any] = {"wujian_writes": False}
        if not self.is_sqlite:  # one snapshot for the whole block, as SQLite gives by itself
            reads |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._options: dict[bool, dict[str, Any]] = {True: {"wujian_writes": True}, False: reads}

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction: committed when the block ends well, rolled back otherwise. Raises `Busy`."""
        with self._connect(writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction, always rolled back at the end."""
        with self._connect(writes=False) as connection:
            yield connection

    def directly(self) -> "_Directly":
        """A connection to PostgreSQL on which every statement is a transaction by itself. Raises `Busy`.

        A few stay borrowed from the pool between steps: to give one back and take it again costs as much as to use it.
        """
        return _Directly(self)

    def _borrow(self) -> "_Lent":
        with suppress(IndexError):
            lent = self._ready.pop()
            if time.monotonic() - lent.since < _ALIVE_FOR or _is_alive(self.engine, lent.wire.driver):
                return lent
            lent.borrowed.invalidate()
            lent.borrowed.close()
        borrowed = self.engine.raw_connection()
        prepared = borrowed.info.setdefault("wujian_prepared", Prepared())
        return _Lent(borrowed, Wire(borrowed.driver_connection, prepared), time.monotonic())

    @contextmanager
    def _connect(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection.execution_options(**self._options[writes])
        except OperationalError as error:
            if self.is_sqlite and not _is_lock_failure(error):
                raise
            # On PostgreSQL an operational error is a lock or statement time-out, a server that went away or is
            # not there, or a full disk: nothing was committed, and asking again with the same command id is safe.
            raise Busy(str(error.orig)) from error

    def close(self) -> None:
        while self._ready:
            _give_back(self._ready.pop())
        self.engine.dispose()


@dataclass(slots=True)
class _Lent:
    """A connection borrowed from the pool, and since when nobody has used it."""

    borrowed: PoolProxiedConnection
    wire: Wire
    since: float


class _Directly:
    """`Database.directly`, as a class: every step comes by here, and a generator costs it more."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._broken = database.engine.dialect.loaded_dbapi.OperationalError

    def __enter__(self) -> Wire:
        try:
            self._lent = self._database._borrow()
        except self._broken as error:  # as in `_connect`
            raise Busy(str(error)) from error
        return self._lent.wire

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        lent, ready = self._lent, self._database._ready
        if lent.wire.driver.closed or len(ready) >= _KEPT:
            _give_back(lent)
        else:
            lent.since = time.monotonic()
            ready.append(lent)
        if isinstance(error, self._broken):
            raise Busy(str(error)) from error


def _give_back(lent: _Lent) -> None:
    if lent.wire.driver.closed:
        lent.borrowed.invalidate()
    lent.borrowed.close()


def _is_lock_failure(error: DBAPIError) -> bool:
    message = str(error.orig).lower()
    return "locked" in message or "lock timeout" in message or "deadlock" in message


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        options = "-c lock_timeout=5s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
        engine = create_engine(
            url, pool_size=8, max_overflow=8 + _KEPT,
            connect_args={"options": options, "connect_timeout": 5, "client_encoding": "utf8"},
        )
        event.listen(engine, "checkin", _note_the_time)
        event.listen(engine, "checkout", partial(_ping_after_a_pause, engine))
        return engine
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=8, max_overflow=24
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _note_the_time(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = time.monotonic()


def _ping_after_a_pause(engine: Engine, connection: Any, record: Any, _proxy: Any) -> None:
    """A connection that was in use a moment ago is taken as alive; one that lay idle is asked first.

    SQLAlchemy's own pre-ping asks every time, a tenth of the cost of a step.
    """
    if time.monotonic() - record.info.get("idle_since", time.monotonic()) < _ALIVE_FOR:
        return
    if not _is_alive(engine, connection):
        raise DisconnectionError  # the pool makes a new one and throws the others away


def _is_alive(engine: Engine, connection: Any) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        return False


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "recursive_triggers=ON",
        "busy_timeout=30000",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("wujian_writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Bring the schema at `url` to a revision (default: the newest)."""
    command.upgrade(alembic_config(url), revision)


def schema_problem(database: Database) -> str | None:
    """Why the schema is not the one this version needs; None when it is."""
    head = ScriptDirectory.from_config(alembic_config(database.url)).get_current_head()
    with database.reading() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return None if found == head else f"the database is at schema {found or 'none'}, this version needs {head}"


def ping(database: Database) -> None:
    """Raise if the database does not answer."""
    with database.reading() as connection:
        connection.execute(text("SELECT 1"))
