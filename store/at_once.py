"""A step at once: what it reads, as it stands; and all it writes in one statement that is a transaction by itself.

On PostgreSQL to begin, to lock and to commit cost more than the step. Here nothing is locked while a step is thought
over: the guard of its one write is the version that was read, and a step that finds it changed has written nothing.
It is then taken again under the lock, where every refusal is spoken as well. So is a step that must write more than
that one statement: the connection handed to the pen keeps the statement back until the pen is done, and gives up at
the first word of another.
"""

from collections import namedtuple
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Engine, Select, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.engine import Dialect, RowMapping

from store import pen
from store.database import Database
from store.locked import READ_PUBLIC, SIGN_OFFS, Locked, lift, moment_of, no_such_case, pinned_to, seen_by
from store.pen import write_steps
from store.records.cases import CaseRecord, SignOffRecord
from store.together import Keeping, names_in, numbered
from store.values import Performed
from store.wire import NoWords, Wire, readers, rows
from workflow import engine
from workflow.clocks import Law
from workflow.commands import Command
from workflow.deadlines import NoAllowance
from workflow.procedure import Procedure
from workflow.vocabulary import Actor, Refusal

_ANSWER = tuple(SIGN_OFFS.selected_columns.keys())
_Answer: Any = namedtuple("_Answer", _ANSWER)  # type: ignore[misc]  # the names are those of the statement
_ANSWERS = select(
    func.json_agg(aggregate_order_by(func.json_build_array(*SIGN_OFFS.selected_columns), SignOffRecord.id))
).where(SignOffRecord.case_id == CaseRecord.id)  # fmt: skip
READ = READ_PUBLIC.add_columns(_ANSWERS.scalar_subquery().label("answers"))
_NOTHING: Mapping[str, Any] = {}


class NeedsTheLock(Exception):
    """This step cannot be taken at once; nothing was written."""


def perform(
    database: Database,
    law: Law,
    public_id: str,
    name: str,
    actor: Actor,
    command: Command,
    command_id: str,
    expected_version: int | None,
    reauthenticated: bool,
) -> Performed | None:
    """Take one action at once; None when it must be asked for under the lock, whatever the reason."""
    if database.is_sqlite or actor.acting_for is not None:  # a delegation is looked up beside the case
        return None
    errors: Any = database.engine.dialect.loaded_dbapi
    with database.directly() as wire:
        direct = Direct(database.engine, wire)
        connection = cast(Connection, direct)  # as much of one as reading a case and writing a step need
        try:
            locked = look(direct, public_id)
            moment = moment_of(database.clock, law, locked)
            if locked.row["lapses_on"] < moment.on or not _as_expected(locked, actor, expected_version):
                return None
            if (action := locked.procedure.by_name.get(name)) and action.spec.registers:
                return None
            steps = engine.fire(locked.procedure, locked.case, name, actor, command, moment.on, law)
            if steps[0].action.spec.reauthenticate and not reauthenticated:
                return None
            if any(step.action.spec.registers or step.action.spec.opens for step in steps):
                return None
            final = write_steps(connection, locked, steps, moment, command_id)
            if not direct.write():
                return None
        except (NeedsTheLock, NoWords, Refusal, NoAllowance):
            return None
        except errors.OperationalError:
            raise  # `directly` makes Busy of it
        except errors.DatabaseError:
            return None  # refused by a constraint, or not a value: said under the lock, in the words of every caller
    return Performed(locked.public_id, final.version, final.state, tuple(steps))


def open_case(
    database: Database, law: Law, procedure: Procedure, actor: Actor, **heading: Any
) -> str | None:
    """Open a case at once and return its public id; None when it must be done in a transaction. See `store.pen`."""
    if database.is_sqlite:
        return None
    errors: Any = database.engine.dialect.loaded_dbapi
    with database.directly() as wire:
        direct = Direct(database.engine, wire)
        moment = moment_of(database.clock, law)
        try:
            public_id = pen.open_case(cast(Connection, direct), procedure, actor, **heading, moment=moment)
            return public_id if direct.write() else None
        except (NeedsTheLock, NoWords):
            return None
        except errors.OperationalError:
            raise
        except errors.DatabaseError:
            return None


def _as_expected(locked: Locked, actor: Actor, expected_version: int | None) -> bool:
    return expected_version in (None, locked.case.version) and seen_by(actor, locked)


def look(direct: "Direct", public_id: str) -> Locked:
    """A case as it stands with its answers, in one statement and thus of one moment. Raises Refusal."""
    row = direct.execute(READ, {"key": public_id}).first()
    if row is None:
        raise no_such_case()
    answers = [_answer(*said) for said in row.pop("answers") or ()]
    found = cast(RowMapping, row)
    procedure = pinned_to(found)
    return Locked(found, procedure, lift(cast(Connection, direct), found, procedure, answers))


def _answer(*said: Any) -> Any:
    """An answer as `SIGN_OFFS` gives it, out of JSON, which has no moments."""
    *values, at = said
    return _Answer._make((*values, datetime.fromisoformat(at)))


class Direct(Keeping):
    """A connection without a transaction, as far as a step needs one: it reads, and keeps one write back.

    What is to be written it is told by `keep`, and does it in `write`. Whoever listens to the engine's statements
    hears these as well.
    """

    def __init__(self, engine: Engine, wire: Wire) -> None:
        self.dialect = engine.dialect
        self._listeners = engine.dispatch.before_cursor_execute
        self._wire = wire
        self._kept: tuple[str, list[Any]] | None = None

    def execute(self, statement: Any, values: Mapping[str, Any] = _NOTHING) -> "Rows":
        """Read. Raises NeedsTheLock for anything else, and once there is something to write."""
        if self._kept is not None or not isinstance(statement, Select):
            raise NeedsTheLock
        asked = _asked.get(statement) or _ask(statement, self.dialect)
        answer = self._send(asked.words, [values[name] for name in asked.bound])
        if not asked.how:
            asked.how = readers(asked.types, answer)
        return Rows(asked, rows(answer, asked.how))

    def scalars(self, statement: Any, values: Mapping[str, Any] = _NOTHING) -> list[Any]:
        return [row[0] for row in self.execute(statement, values)]

    def exec_driver_sql(self, *_: Any) -> Any:
        raise NeedsTheLock

    def keep(self, words: str, values: list[Any]) -> None:
        if self._kept is not None:
            raise NeedsTheLock
        self._kept = words, values

    def write(self) -> bool:
        """Send what was kept; whether its guard found the row as it was read."""
        assert self._kept is not None
        return bool(self._send(*self._kept).ntuples)

    def _send(self, words: str, values: list[Any]) -> Any:
        for listener in self._listeners:
            listener(self, self._wire.driver, words, values, None, False)
        return self._wire.ask(words, values)


class _Asked:
    """A statement of ours in the words of the database, the names and types of its columns, how these are read."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        said = str(statement.compile(dialect=dialect))
        self.bound = names_in(said)
        self.words = numbered(said, self.bound)
        columns = statement.selected_columns
        self.names, self.types = tuple(columns.keys()), [column.type for column in columns]
        self.row: Any = namedtuple("Row", self.names)  # type: ignore[misc]  # the names are those of the statement
        self.how: list[Any] = []


class Rows:
    """What was read, in the shapes that readers of a case ask for."""

    def __init__(self, asked: _Asked, found: list[list[Any]]) -> None:
        self._asked, self._found = asked, found

    def __iter__(self) -> Iterator[Any]:
        return map(self._asked.row._make, self._found)

    def first(self) -> dict[str, Any] | None:
        return dict(zip(self._asked.names, self._found[0], strict=True)) if self._found else None


_asked: dict[Any, _Asked] = {}  # the statements are those of the modules, so there are few


def _ask(statement: Select[Any], dialect: Dialect) -> _Asked:
    if statement._for_update_arg is not None:
        raise NeedsTheLock
    return _asked.setdefault(statement, _Asked(statement, dialect))
