"""What was said stays said: the database itself refuses to change or remove an entry."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from store.database import Database
from store.records.audit import APPEND_ONLY
from tests.store.factories import CaseHand, everything

Factory = Callable[..., CaseHand]
CHANGES = {
    "audit_entry": "UPDATE audit_entry SET actor_name = 'somebody else'",
    "certificate_event": "UPDATE certificate_event SET grounds = 'other grounds'",
    "sign_off": "UPDATE sign_off SET verdict = 'object'",
    "separation": "UPDATE separation SET earlier = earlier || '!'",
}


@pytest.fixture
def told(cma_case: Factory, database: Database) -> dict[str, list[tuple[object, ...]]]:
    """A database in which every append-only table holds something."""
    cma_case("closed")
    found = everything(database)
    assert all(found[table] for table in APPEND_ONLY)
    return found


def attempt(database: Database, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), database.writing() as connection:
        connection.execute(text(statement))


def test_every_append_only_table_is_tried() -> None:
    assert set(CHANGES) == set(APPEND_ONLY)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["update", "delete", "update nothing else", "truncate", "replace"])
def test_an_entry_is_neither_changed_nor_removed(
    told: dict[str, list[tuple[object, ...]]], database: Database, table: str, verb: str
) -> None:
    statements = {
        "update": CHANGES[table],
        "delete": f"DELETE FROM {table}",
        "update nothing else": f"UPDATE {table} SET {'digest = digest' if table == 'separation' else 'id = id'}",
        "truncate": f"TRUNCATE {table} CASCADE",
        "replace": f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
    }
    if (verb == "truncate") is database.is_sqlite and verb in ("truncate", "replace"):
        pytest.skip("the other database's words")
    if verb == "replace" and not database.is_sqlite:
        pytest.skip("the other database's words")
    attempt(database, statements[verb])
    assert everything(database) == told


def test_replacing_slips_past_the_triggers_without_our_pragma(
    told: dict[str, list[tuple[object, ...]]], database: Database
) -> None:
    """Planted fault: this is why every connection of ours sets recursive_triggers."""
    if not database.is_sqlite:
        pytest.skip("a habit of SQLite")
    with database.writing() as connection:
        connection.exec_driver_sql("PRAGMA recursive_triggers=OFF")
        connection.execute(text("INSERT OR REPLACE INTO sign_off SELECT * FROM sign_off LIMIT 1"))
        connection.exec_driver_sql("PRAGMA recursive_triggers=ON")


def test_without_its_trigger_a_table_can_be_changed(
    told: dict[str, list[tuple[object, ...]]], database: Database
) -> None:
    """Planted fault: the refusals above come from the triggers and from nothing else."""
    with database.writing() as connection:
        for table in APPEND_ONLY:
            for name in ("no_update", "no_delete") if database.is_sqlite else ("append_only",):
                on = "" if database.is_sqlite else f" ON {table}"
                connection.execute(text(f"DROP TRIGGER {table}_{name}{on}"))
            connection.execute(text(CHANGES[table]))
    assert everything(database) != told
