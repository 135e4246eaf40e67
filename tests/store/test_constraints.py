"""Every constraint of the schema stands in the way of a row that breaks it and of nothing else, on both databases.

The constraints are read from the models; a new one is tried here by itself, and a new CHECK fails until a row that
breaks it is written down. `./run proof removals` takes each away and sees its test fail.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from store.database import Database
from store.records import metadata
from tests.removals.schema import drop_constraint
from tests.services import databases
from tests.services.fixtures import BOTH
from tests.services.postgres import Postgres
from tests.store.constraints import (
    BREAKING,
    HAVING,
    SOUND,
    Constraint,
    breaking,
    broken_by,
    every,
    lay,
    sound,
    ways,
)

CASES = [pytest.param(c, way, id=f"{c}-{way}" if way else str(c)) for c in every() for way in range(ways(c))]


@pytest.fixture(scope="module", params=BOTH)
def schema(
    request: pytest.FixtureRequest, prepare: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A migrated, empty database of each kind, shared by the tests: every one rolls back what it wrote."""
    if request.param == "sqlite":
        url = databases.sqlite_url(tmp_path_factory.mktemp("schema") / "schema.sqlite3")
        prepare(url)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create_prepared(prepare)
    database = Database(url)
    yield database
    database.close()
    Path(url.removeprefix("sqlite:///")).unlink(missing_ok=True)


@pytest.fixture
def connection(schema: Database) -> Iterator[Connection]:
    with schema.engine.connect() as opened:
        opened.info.clear()
        yield opened
        opened.rollback()


def refusal(connection: Connection, constraint: Constraint, way: int) -> IntegrityError:
    values = breaking(connection, constraint, way)
    with pytest.raises(IntegrityError) as caught:
        lay(connection, metadata.tables[constraint.table], values)
    return caught.value


@pytest.mark.parametrize(("constraint", "way"), CASES)
def test_the_database_refuses_a_row_that_breaks(connection: Connection, constraint: Constraint, way: int) -> None:
    said = refusal(connection, constraint, way)
    assert names(said, constraint), said.orig


def names(said: IntegrityError, constraint: Constraint) -> bool:
    """Whether the database blames this constraint. SQLite names the columns of a key, and of a foreign key nothing."""
    diagnosis = getattr(said.orig, "diag", None)
    if diagnosis is not None:
        if constraint.kind == "not null":
            return (diagnosis.table_name, diagnosis.column_name) == (constraint.table, constraint.columns[0])
        return bool(diagnosis.constraint_name == constraint.name)
    columns = ", ".join(f"{constraint.table}.{column}" for column in constraint.columns)
    expected = {
        "unique": f"UNIQUE constraint failed: {columns}",
        "primary key": f"UNIQUE constraint failed: {columns}",
        "check": f"CHECK constraint failed: {constraint.name}",
        "not null": f"NOT NULL constraint failed: {columns}",
        "foreign key": "FOREIGN KEY constraint failed",
    }
    return str(said.orig) == expected[constraint.kind]


@pytest.mark.parametrize("table", metadata.tables)
def test_sound_rows_are_taken(connection: Connection, table: str) -> None:
    """Two of them, with nothing in common: so a refusal above comes from what was broken, and from nothing else."""
    first, second = (lay(connection, metadata.tables[table], sound(connection, metadata.tables[table], n))
                     for n in (1, 2))  # fmt: skip
    assert first != second


def test_every_check_has_rows_that_break_it() -> None:
    """Written down, unless it lists the words it allows."""
    assert [str(c) for c in every() if c.kind == "check" and not broken_by(c)] == []


def test_nothing_is_written_down_for_a_column_or_constraint_that_is_gone() -> None:
    assert set(SOUND) <= {f"{t.name}.{c.name}" for t in metadata.tables.values() for c in t.columns}
    assert set(HAVING) | set(BREAKING) <= {c.name for c in every()}


ONE_OF_EACH = {c.kind: c for c in every() if c.kind != "primary key"}


@pytest.mark.parametrize("constraint", ONE_OF_EACH.values(), ids=list(ONE_OF_EACH))
def test_without_the_constraint_the_row_is_taken(schema: Database, constraint: Constraint) -> None:
    """Planted fault: the refusals above come from the constraints; `./run proof removals` tries every one."""
    with schema.engine.connect() as opened:
        drop_constraint(opened, constraint)
        values = breaking(opened, constraint)
        lay(opened, metadata.tables[constraint.table], values)
        opened.rollback()
