"""The writes of one step, sent together: one round trip on PostgreSQL, one statement after another on SQLite.

The first write is the guard: a write of the case row that must find exactly one row. On PostgreSQL the others are
data-modifying CTEs that read from it, so that none of them happens unless the guard found its row. A few rows are
said value by value, many as one JSON text: so a statement is prepared for each small number, and one for any other.
All CTEs see the rows as they were before the statement: no two of the writes may touch the same row.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    FromClause,
    Insert,
    LargeBinary,
    Select,
    Table,
    TableValuedAlias,
    Text,
    Update,
    and_,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy import (
    values as in_lines,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from store.records.columns import HexDigest
from store.wire import in_json

FEW = 4  # rows that are said value by value; a technical bound
_NAMED = re.compile(r"%\((\w+)\)s")
_HEX: ColumnElement[str] = literal_column("'hex'")
Row = Mapping[str, Any]


class Adding:
    """Rows for one table; each row gives `columns`, all others take their defaults in the database.

    `same` are columns that have one value in all rows of a write, `fixed` those that have one value always. The
    `case_id` is that of the guard.
    """

    def __init__(
        self, table: Table, *columns: str, same: Sequence[str] = (), fixed: Mapping[str, str | int] | None = None
    ) -> None:
        self.table, self.fixed = table, fixed or {}
        self.sent, self.same = tuple(c for c in columns if c != "case_id"), tuple(same)
        self.of_row, self.of_all = _taking(self.sent), _taking(self.same)
        # inline(): nobody asks for the new row's id, so the database need not send it back
        self.alone = insert(table).inline()

    def after(self, guard: CTE, place: int, count: int) -> CTE:
        said: dict[str, ColumnElement[Any]] = {"case_id": guard.c.id}
        said |= {n: literal_column(str(v) if isinstance(v, int) else f"'{v}'") for n, v in self.fixed.items()}
        said |= {name: _value(self.table, name, f"same_{place}") for name in self.same}
        source: FromClause = guard
        if count == 1:
            said |= {name: _value(self.table, name, f"row_{place}_0") for name in self.sent}
        else:
            rows = _rows(self.table, self.sent, place, count)
            said |= {n: _given(self.table, n, rows) if count == 0 else rows.c[n] for n in self.sent}
            source = guard.join(rows, guard.c.id.is_not(None))
        found = select(*said.values()).select_from(source)
        return insert(self.table).from_select(list(said), found, include_defaults=False).cte(f"added_{place}")


class Dropping:
    """Rows of the guarded case that go, found by equality on `columns`; without columns all rows of the case."""

    same = ()
    of_all = staticmethod(lambda row: ())

    def __init__(self, table: Table, *columns: str) -> None:
        self.table, self.sent, self.of_row = table, columns, _taking(columns)
        keys = ("case_id", *columns)
        self.alone = delete(table).where(*(table.c[name] == bindparam(name) for name in keys))

    def after(self, guard: CTE, place: int, count: int) -> CTE:
        dropped = delete(self.table).where(self.table.c.case_id == select(guard.c.id).scalar_subquery())
        if self.sent and count == 1:
            is_it = (self.table.c[n] == _value(self.table, n, f"row_{place}_0") for n in self.sent)
            dropped = dropped.where(and_(*is_it))
        elif self.sent:
            rows = _rows(self.table, self.sent, place, count)
            dropped = dropped.where(tuple_(*(self.table.c[name] for name in self.sent)).in_(select(*rows.c)))
        return dropped.cte(f"dropped_{place}")


Write = tuple[Adding | Dropping, Sequence[Row]]
Shape = tuple[Update | Insert, tuple[tuple[Adding | Dropping, int], ...]]


class Words:
    """The one statement of a shape: with names as SQLAlchemy's drivers take it, and with $1, $2 ... as the server does.

    `names` are in the order in which `values_of` gives the values.
    """

    def __init__(self, shape: Shape, dialect: Dialect) -> None:
        guard, kinds = shape
        self.named = str(_one_statement(guard, kinds).compile(dialect=dialect))
        self._of_guard = names_in(str(guard.compile(dialect=dialect)))
        self.names = [*self._of_guard]
        for place, (kind, count) in enumerate(kinds):
            self.names += [f"same_{place}_{name}" for name in kind.same]
            self.names += [f"row_{place}_{number}_{name}" for number in range(count) for name in kind.sent]
            self.names += [] if count else [f"rows_{place}"]
        self.take = _taking(self._of_guard)
        self.numbered = numbered(self.named, self.names)

    def values_of(self, given: Row, writes: Sequence[Write]) -> list[Any]:
        found = [*self.take(given)]
        for kind, rows in writes:
            found += kind.of_all(rows[0])
            if len(rows) > FEW:
                found.append([{name: row[name] for name in kind.sent} for row in rows])
                continue
            for row in rows:
                found += kind.of_row(row)
        return found


_built: dict[Shape, Words] = {}


def write(connection: Connection, guard: Update | Insert, values: Row, writes: Sequence[Write]) -> bool:
    """Send the guard and, if it found its row, the others; whether it did.

    `guard` writes to a table with an `id`, and binds all it needs by name. Nothing is sent for a write without rows.
    """
    wanted = [(kind, rows) for kind, rows in writes if rows]
    if connection.dialect.name == "postgresql":
        shape = (guard, tuple([(kind, len(rows) if len(rows) <= FEW else 0) for kind, rows in wanted]))
        words = _built.get(shape) or _built.setdefault(shape, Words(shape, connection.dialect))
        said = words.values_of(values, wanted)
        if isinstance(connection, Keeping):
            connection.keep(words.numbered, said)
            return True
        sent = {n: in_json(v) if isinstance(v, dict | list) else v for n, v in zip(words.names, said, strict=True)}
        return connection.exec_driver_sql(words.named, sent).first() is not None
    if connection.execute(guard, dict(values)).rowcount != 1:
        return False
    for kind, rows in wanted:
        connection.execute(kind.alone, dict(rows[0]) if len(rows) == 1 else [dict(row) for row in rows])
    return True


class Keeping:
    """A connection that keeps the statement back and sends it when the pen is done; see `store.at_once`."""

    def keep(self, words: str, values: list[Any]) -> None:
        raise NotImplementedError


def _taking(names: Sequence[str]) -> Callable[[Row], Sequence[Any]]:
    """The values of these names out of a row, in one go."""
    if len(names) > 1:
        return itemgetter(*names)
    return (lambda row: (row[names[0]],)) if names else (lambda row: ())


def names_in(words: str) -> tuple[str, ...]:
    """The names of a statement's values, each once, in the order in which they come."""
    return tuple(dict.fromkeys(_NAMED.findall(words)))


def numbered(words: str, names: Sequence[str]) -> str:
    """A statement as the server takes it: $1, $2 ... in place of the names."""
    places = {name: f"${number}" for number, name in enumerate(names, 1)}
    return _NAMED.sub(lambda found: places[found[1]], words).replace("%%", "%")


def _value(table: Table, name: str, prefix: str) -> ColumnElement[Any]:
    """One value, bound by name."""
    kind = table.c[name].type
    if isinstance(kind, HexDigest):
        return func.decode(bindparam(f"{prefix}_{name}", type_=Text()), _HEX)
    return bindparam(f"{prefix}_{name}", type_=kind)


def _given(table: Table, name: str, rows: FromClause) -> ColumnElement[Any]:
    return func.decode(rows.c[name], _HEX) if isinstance(table.c[name].type, HexDigest) else rows.c[name]


def _rows(table: Table, columns: Sequence[str], place: int, count: int) -> FromClause:
    """That many rows as a table of their own; any number of them, out of JSON, when `count` is 0."""
    if count:
        kinds: list[TypeEngine[Any]] = [table.c[n].type for n in columns]
        kinds = [LargeBinary() if isinstance(kind, HexDigest) else kind for kind in kinds]
        said = (column(name, kind) for name, kind in zip(columns, kinds, strict=True))
        lines = [tuple(_value(table, n, f"row_{place}_{number}") for n in columns) for number in range(count)]
        return in_lines(*said, name=f"row_{place}").data(lines)
    return _from_json(table, columns, place)


def _from_json(table: Table, columns: Sequence[str], place: int) -> TableValuedAlias:
    text = cast(bindparam(f"rows_{place}", type_=Text()), JSON())
    types = {n: table.c[n].type for n in columns}
    typed = func.json_to_recordset(text).table_valued(
        *(column(n, Text() if isinstance(t, HexDigest) else t) for n, t in types.items())
    )
    return typed.render_derived(name=f"row_{place}", with_types=True)


def _one_statement(guard: Update | Insert, kinds: Sequence[tuple[Adding | Dropping, int]]) -> Select[Any]:
    written = guard.returning(guard.table.c.id).cte("written")
    others = [kind.after(written, place, count) for place, (kind, count) in enumerate(kinds)]
    return select(written.c.id).add_cte(*others)
