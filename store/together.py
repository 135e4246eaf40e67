"""The writes of one step, sent together: one round trip on PostgreSQL, one statement after another on SQLite.

The first write is the guard: an UPDATE of the case row that must find exactly one row. On PostgreSQL the others are
data-modifying CTEs that read from it, so that none of them happens unless the guard found its row. Each takes its
rows as one JSON text: few parameters, and a statement serves any number of rows, so that it is prepared once.
All CTEs see the rows as they were before the statement: no two of the writes may touch the same row.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    Table,
    TableValuedAlias,
    Text,
    Update,
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
from sqlalchemy.dialects.postgresql import JSON

from store.records.columns import HexDigest

_HEX: ColumnElement[str] = literal_column("'hex'")
Row = Mapping[str, Any]


def _moment(value: Any) -> str:
    if isinstance(value, date):  # a datetime is one as well
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no value of a row")


_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_moment).encode


class Adding:
    """Rows for one table; each row gives `columns`, all others take their defaults in the database."""

    def __init__(self, table: Table, *columns: str) -> None:
        self.table, self.columns = table, columns
        # inline(): nobody asks for the new row's id, so the database need not send it back
        self.alone = insert(table).inline()

    def after(self, guard: CTE, place: int) -> CTE:
        rows = _rows(self.table, self.columns, place)
        given = (func.decode(c, _HEX) if isinstance(self.table.c[c.name].type, HexDigest) else c for c in rows.c)
        found = select(*given).select_from(guard).join(rows, guard.c.id.is_not(None))
        added = insert(self.table).from_select(list(self.columns), found, include_defaults=False)
        return added.cte(f"added_{place}")


class Dropping:
    """Rows of the guarded case that go, found by equality on `columns`; without columns all rows of the case."""

    def __init__(self, table: Table, *columns: str) -> None:
        self.table, self.columns = table, columns
        keys = ("case_id", *columns)
        self.alone = delete(table).where(*(table.c[name] == bindparam(name) for name in keys))

    def after(self, guard: CTE, place: int) -> CTE:
        dropped = delete(self.table).where(self.table.c.case_id == select(guard.c.id).scalar_subquery())
        if self.columns:
            rows = _rows(self.table, self.columns, place)
            dropped = dropped.where(tuple_(*(self.table.c[name] for name in self.columns)).in_(select(*rows.c)))
        return dropped.cte(f"dropped_{place}")


Write = tuple[Adding | Dropping, Sequence[Row]]
Shape = tuple[Update, tuple[Adding | Dropping, ...]]
_built: dict[Shape, str] = {}


def write(connection: Connection, guard: Update, values: Row, writes: Sequence[Write]) -> bool:
    """Send the guard and, if it found its row, the others; whether it did.

    `guard` updates a table with an `id`, and binds all it needs by name. Nothing is sent for a write without rows.
    The words for PostgreSQL are kept ready: the driver takes the values as they are, moments aware and lists as
    JSON text.
    """
    wanted = [(kind, rows) for kind, rows in writes if rows]
    if connection.dialect.name == "postgresql":
        shape = (guard, tuple(kind for kind, _ in wanted))
        statement = _built.get(shape)
        if statement is None:
            statement = _built[shape] = str(_one_statement(*shape).compile(dialect=connection.dialect))
        bound = {n: _text(v) if isinstance(v, dict | list) else v for n, v in values.items()}
        for place, (_, rows) in enumerate(wanted):
            bound[f"rows_{place}"] = _text(rows)
        return bool(connection.exec_driver_sql(statement, bound).scalar())
    if connection.execute(guard, dict(values)).rowcount != 1:
        return False
    for kind, rows in wanted:
        connection.execute(kind.alone, dict(rows[0]) if len(rows) == 1 else [dict(row) for row in rows])
    return True


def _rows(table: Table, columns: Sequence[str], place: int) -> TableValuedAlias:
    said = cast(bindparam(f"rows_{place}", type_=Text()), JSON())
    types = {n: table.c[n].type for n in columns}
    typed = func.json_to_recordset(said).table_valued(
        *(column(n, Text() if isinstance(t, HexDigest) else t) for n, t in types.items())
    )
    return typed.render_derived(name=f"row_{place}", with_types=True)


def _one_statement(guard: Update, kinds: Sequence[Adding | Dropping]) -> Select[Any]:
    written = guard.returning(guard.table.c.id).cte("written")
    others = [kind.after(written, place) for place, kind in enumerate(kinds)]
    return select(func.count()).select_from(written).add_cte(*others)
