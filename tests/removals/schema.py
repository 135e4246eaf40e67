"""A constraint or a trigger taken away from a database that holds no rows yet."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from store.records import metadata
from tests.store.constraints import Constraint

TRIGGERS = {
    "sqlite": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT t.tgname, t.tgrelid::regclass::text, pg_get_functiondef(t.tgfoid) FROM pg_trigger t "
    "WHERE NOT t.tgisinternal ORDER BY t.tgname",
}


def triggers(connection: Connection) -> dict[str, tuple[str, str]]:
    """Name -> table and text of every trigger that the migrations made."""
    rows = connection.execute(text(TRIGGERS[connection.dialect.name]))
    return {name: (table.strip('"'), said) for name, table, said in rows}


def drop_trigger(connection: Connection, name: str) -> None:
    """Raises KeyError where there is no such trigger."""
    table = triggers(connection)[name][0]
    on = "" if connection.dialect.name == "sqlite" else f' ON "{table}"'
    connection.execute(text(f"DROP TRIGGER {name}{on}"))


def drop_constraint(connection: Connection, constraint: Constraint) -> None:
    """Take one constraint away, and nothing else."""
    indexes = {str(index.name) for index in metadata.tables[constraint.table].indexes}
    if constraint.name in indexes:
        connection.execute(text(f"DROP INDEX {constraint.name}"))
    elif connection.dialect.name == "sqlite":
        _make_anew(connection, constraint)
    elif constraint.kind == "not null":
        [column] = constraint.columns
        connection.execute(text(f'ALTER TABLE "{constraint.table}" ALTER COLUMN "{column}" DROP NOT NULL'))
    else:
        connection.execute(text(f'ALTER TABLE "{constraint.table}" DROP CONSTRAINT "{constraint.name}" CASCADE'))


@contextmanager
def looking_at_foreign_keys(connection: Connection, looks: bool) -> Iterator[None]:
    """Whether SQLite holds foreign keys in the transaction that begins and ends here; it cannot be changed within."""
    driver = connection.connection.driver_connection
    if looks or connection.dialect.name != "sqlite" or driver is None:
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys=ON")


def _make_anew(connection: Connection, constraint: Constraint) -> None:
    """SQLite takes no constraint from a table: the empty table is made again without it, with all that is on it."""
    table = constraint.table
    made = connection.execute(
        text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"), {"table": table}
    ).all()
    [said] = (sql for kind, sql in made if kind == "table")
    if connection.execute(text(f'SELECT 1 FROM "{table}"')).first():
        raise ValueError(f"{table} holds rows: a constraint is taken from an empty table only")
    connection.exec_driver_sql("PRAGMA legacy_alter_table=ON")
    connection.exec_driver_sql(f'CREATE TABLE "anew" ({", ".join(without(said, constraint))})')
    connection.exec_driver_sql(f'DROP TABLE "{table}"')
    connection.exec_driver_sql(f'ALTER TABLE "anew" RENAME TO "{table}"')
    connection.exec_driver_sql("PRAGMA legacy_alter_table=OFF")
    for kind, sql in made:
        if kind != "table":
            connection.exec_driver_sql(sql)


def without(said: str, constraint: Constraint) -> Iterator[str]:
    """The parts of a CREATE TABLE without this constraint. Raises LookupError when it is not among them."""
    parts, found = list(_parts(said)), 0
    named = re.compile(rf'\s*CONSTRAINT "?{re.escape(constraint.name)}"?\s.*', re.DOTALL)
    for part in parts:
        kept = part
        if constraint.kind == "not null":
            if re.match(rf'"?{re.escape(constraint.columns[0])}"?\s', part):
                kept = part.replace(" NOT NULL", "")
        else:
            kept = named.sub("", part)
        found += kept != part
        if kept:
            yield kept
    if found != 1:
        raise LookupError(f"{constraint} stands {found} times in: {said}")


def _parts(said: str) -> Iterator[str]:
    """What stands between the commas of the outermost parentheses."""
    depth, part, quoted = 0, "", False
    for character in said[said.index("(") + 1 : said.rindex(")")]:
        quoted ^= character == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth and not quoted:
            yield part.strip()
            part = ""
        else:
            part += character
    yield part.strip()
