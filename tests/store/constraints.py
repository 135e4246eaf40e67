"""Every constraint the models declare, found by machine; rows that keep them all, and rows that break exactly one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
    null,
)

from store.records import metadata
from store.records.columns import HexDigest, UtcDateTime

NOBODY = 10**9  # an id that no row has
NOBODY_NAMED = "no such row"

# What a sound row holds where a value of the column's type alone would not do. A column for which a CHECK lists the
# words (`status IN ('draft', ...)`) takes the first of them by itself.
SOUND: Mapping[str, Any] = {
    "account_role.role": "leader", "delegation.until_on": date(2099, 1, 1), "delegation.revoked_at": None,
    "delegation.revoked_by": None, "sign_off.carried_from": None, "audit_entry.account_id": 0,
    "audit_entry.stream": None,
}  # fmt: skip

# CHECK -> rows of values each of which breaks it, one for every part of its sentence; not for a list of words.
BREAKING: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "ck_number_counter_next": ({"next": 0},),
    "ck_throttle_hits": ({"hits": -1},),
    "ck_procedure_version_counters": ({"version": 0}, {"edition": 0}),
    "ck_case_counters": ({"version": -1}, {"round": 0}),
    "ck_certificate_number": ({"number": ""},),
    "ck_account_role_role": ({"role": "system"},),
    "ck_delegation_days": ({"from_on": date(2026, 3, 3), "until_on": date(2026, 3, 2)},),
    "ck_delegation_revocation": ({"revoked_at": datetime(2026, 3, 2, tzinfo=UTC)},),
    "ck_delegation_two": ({"delegate_id": "principal_id"},),  # the value of that other column
    "ck_sign_off_carried_from": ({"round": 2, "carried_from": 2}, {"round": 2, "carried_from": 3}),
}

# What else a row must hold for a constraint to have its say: the condition of a partial index, or what a CHECK joins.
HAVING: Mapping[str, dict[str, Any]] = {
    "uq_procedure_version_active": {"status": "active"},
    "uq_audit_entry_stream_seq": {"stream": "agency:1"},
    "fk_delegation_revoked_by_account": {"revoked_at": datetime(2026, 3, 2, tzinfo=UTC)},
}
LIST_OF_WORDS = re.compile(r"^(\w+) IN \(((?:'[^']*'(?:,\s*)?)+)\)$")


@dataclass(frozen=True)
class Constraint:
    """One promise of the schema. `kind` is unique, primary key, check, foreign key or not null; a NOT NULL has no name
    of its own and gets `nn_<table>_<column>`."""

    kind: str
    table: str
    name: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


def _of(table: Table) -> list[Constraint]:
    found = []
    for constraint in table.constraints:
        name, columns = str(constraint.name), tuple(c.name for c in getattr(constraint, "columns", ()))
        if isinstance(constraint, UniqueConstraint):
            found.append(Constraint("unique", table.name, name, columns))
        elif isinstance(constraint, CheckConstraint):
            found.append(Constraint("check", table.name, name, ()))
        elif isinstance(constraint, ForeignKeyConstraint):
            found.append(Constraint("foreign key", table.name, name, columns))
        elif not _is_a_serial(table):  # the number a database gives a row by itself is nobody's promise
            found.append(Constraint("primary key", table.name, name, columns))
    found += [
        Constraint("unique", table.name, str(index.name), tuple(c.name for c in index.columns))
        for index in table.indexes
        if index.unique
    ]
    found += [
        Constraint("not null", table.name, f"nn_{table.name}_{column.name}", (column.name,))
        for column in table.columns
        if not column.nullable and not column.primary_key  # a primary key keeps its columns filled by itself
    ]
    return sorted(found, key=lambda c: (c.kind, c.name))


def _is_a_serial(table: Table) -> bool:
    return [c.name for c in table.primary_key.columns] == ["id"] and isinstance(table.c.id.type, Integer)


@cache
def every() -> tuple[Constraint, ...]:
    """Every constraint of every table, in the order of the tables."""
    return tuple(constraint for table in metadata.sorted_tables for constraint in _of(table))


def ways(constraint: Constraint) -> int:
    """In how many ways a row can break it: as many as there are parts of a CHECK, else one."""
    return len(broken_by(constraint)) if constraint.kind == "check" else 1


def words(table: Table) -> dict[str, tuple[str, ...]]:
    """Column -> the words that a CHECK of this table allows there."""
    checks = (c for c in table.constraints if isinstance(c, CheckConstraint))
    found = (LIST_OF_WORDS.match(str(check.sqltext)) for check in checks)
    return {match[1]: tuple(re.findall(r"'([^']*)'", match[2])) for match in found if match}


def broken_by(constraint: Constraint) -> tuple[Mapping[str, Any], ...]:
    """Values that break a CHECK; of a list of words, a word that is not on it and none at all."""
    table = metadata.tables[constraint.table]
    [check] = (c for c in table.constraints if c.name == constraint.name)
    if match := LIST_OF_WORDS.match(str(check.sqltext)):  # type: ignore[attr-defined]
        return ({match[1]: "?"}, {match[1]: ""})
    return BREAKING.get(constraint.name, ())


# -- rows ----------------------------------------------------------------------------------------------------------


def sound(connection: Connection, table: Table, number: int) -> dict[str, Any]:
    """Values of a row that keeps every constraint, all different from those under another number; the rows it leans
    on are laid into the database."""
    return {column.name: _value(connection, column, number) for column in table.columns if not _by_itself(column)}


def lay(connection: Connection, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write a row; returns it as the database keeps it, with what the database adds."""
    written = {name: null() if value is None else value for name, value in values.items()}
    [row] = connection.execute(insert(table).values(**written).returning(table)).mappings()
    return dict(row)


def breaking(connection: Connection, constraint: Constraint, way: int = 0) -> dict[str, Any]:
    """Values of a row that breaks this constraint and no other; what it collides with is laid first."""
    table = metadata.tables[constraint.table]
    values = sound(connection, table, 1)
    match constraint.kind:
        case "unique" | "primary key":
            values |= HAVING.get(constraint.name, {})
            first = lay(connection, table, values)
            other = sound(connection, table, 2) | HAVING.get(constraint.name, {})
            return other | {name: first[name] for name in constraint.columns}
        case "check":
            broken = broken_by(constraint)[way]
            return values | {n: values[v] if isinstance(v, str) and v in values else v for n, v in broken.items()}
        case "foreign key":
            texts = (c for c in constraint.columns if isinstance(table.c[c].type, String))
            values |= HAVING.get(constraint.name, {})
            return values | dict.fromkeys(constraint.columns, NOBODY) | dict.fromkeys(texts, NOBODY_NAMED)
        case _:
            return values | {constraint.columns[0]: None}


def _by_itself(column: Column[Any]) -> bool:
    return column.name == "id" and _is_a_serial(column.table)


def _value(connection: Connection, column: Column[Any], number: int) -> Any:
    name = f"{column.table.name}.{column.name}"
    if name in SOUND:
        return SOUND[name]
    if allowed := words(column.table).get(column.name):
        return allowed[0]
    if column.foreign_keys:
        [key] = column.foreign_keys
        if key.column.table is column.table:
            return None  # the first of its kind leans on nobody
        return _leaned_on(connection, key.column.table)[key.column.name]
    return _plain(column, number)


def _leaned_on(connection: Connection, table: Table) -> dict[str, Any]:
    """A row of another table, one for each that leans on it, so that no two rows share one by chance."""
    serial = connection.info.setdefault("rows laid", 100) + 1
    connection.info["rows laid"] = serial
    return lay(connection, table, sound(connection, table, serial))


def _plain(column: Column[Any], number: int) -> Any:
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=number)
    if isinstance(kind, HexDigest):
        return f"{number:064x}"
    if isinstance(kind, LargeBinary):
        return number.to_bytes(8, "big")
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Date):
        return date(2026, 3, 2) + timedelta(days=number)
    if isinstance(kind, Integer):
        return number
    if isinstance(kind, Text | String):
        return f"{column.name[:2]}{number}"[-(kind.length or 20) :]
    if isinstance(kind, JSON):
        return {}
    raise NotImplementedError(f"{column}: say in SOUND what a sound row holds there")
