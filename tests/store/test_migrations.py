"""The schema that migrations make is the schema that the code means, on both databases, there and back."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DatabaseError

from store import audit
from store.database import Database, alembic_config, migrate
from store.records import metadata
from store.records.audit import APPEND_ONLY, append_only_ddl
from store.records.cases import CaseRecord
from tests.store.factories import CaseHand
from workflow.deadlines import Clock
from workflow.vocabulary import SYSTEM

POSTGRES = {
    "columns": "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default "
               "FROM information_schema.columns WHERE table_schema = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
                   "WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}  # fmt: skip
SQLITE = {"everything": "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"}


def schema(database: Database) -> dict[str, list[tuple[str, ...]]]:
    """All that the database knows about its own shape, without the table that Alembic keeps."""
    queries = SQLITE if database.is_sqlite else POSTGRES
    with database.reading() as connection:
        return {
            name: sorted(
                tuple(_plain(str(v)) for v in row)
                for row in connection.execute(text(query))
                if "alembic_version" not in str(row)
            )
            for name, query in queries.items()
        }


def _plain(said: str) -> str:
    """A statement as the sorted list of its parts: the order of columns and constraints within a table means nothing,
    nor does it that SQLite quotes the name of a table that was made anew, or puts an added column on another's line."""
    said = re.sub(r'^CREATE TABLE "([a-z_]{5,})"', r"CREATE TABLE \1", said)
    parts = re.split(r"\n|,(?![^()]*\))", said)
    return "; ".join(sorted(part for part in (" ".join(part.split()) for part in parts) if part))


def differences(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, metadata)


@pytest.fixture
def empty(empty_database_url: str) -> Any:
    database = Database(empty_database_url)
    yield database
    database.close()


def test_the_head_of_the_migrations_is_what_the_models_mean(empty: Database) -> None:
    migrate(empty.url)
    assert differences(empty) == []


def test_checks_indexes_and_triggers_are_those_of_the_models_too(empty: Database, tmp_path: Path) -> None:
    migrate(empty.url)
    migrated = schema(empty)
    command.downgrade(alembic_config(empty.url), "base")
    metadata.create_all(empty.engine)
    assert schema(empty) == migrated


def test_up_and_down_and_up_again_is_the_same_schema(empty: Database) -> None:
    migrate(empty.url)
    first = schema(empty)
    command.downgrade(alembic_config(empty.url), "base")
    assert set(inspect(empty.engine).get_table_names()) <= {"alembic_version"}
    assert not any(schema(empty).values())
    migrate(empty.url)
    assert schema(empty) == first


def test_the_append_only_triggers_are_there_after_an_upgrade(empty: Database) -> None:
    migrate(empty.url)
    found = str(schema(empty))
    for table in APPEND_ONLY:
        assert f"{table}_no_update" in found if empty.is_sqlite else f"{table}_append_only" in found


def test_a_column_that_no_migration_made_is_noticed(empty: Database) -> None:
    """Planted fault: the comparison is known to be able to fail."""
    migrate(empty.url)
    with empty.writing() as connection:
        connection.execute(text("ALTER TABLE mail ADD COLUMN stray INTEGER"))
    assert differences(empty)


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(alembic_config("sqlite://")).get_heads()) == 1


def test_no_released_migration_leans_on_the_models() -> None:
    """A migration that imported the models would change its meaning whenever they do."""
    for path in (Path(__file__).parents[2] / "migrations" / "versions").glob("*.py"):
        assert "store.records" not in path.read_text("utf-8"), path.name


def test_migrating_twice_is_migrating_once(empty: Database) -> None:
    migrate(empty.url)
    first = schema(empty)
    migrate(empty.url)
    assert schema(empty) == first


def test_the_audit_is_as_whole_or_as_broken_after_a_migration_of_its_bytes_as_before(
    cma_case: Callable[..., CaseHand], database: Database
) -> None:
    """0003 rewrites how entries are kept: every hash must survive, and nothing that was tampered with may heal."""
    cma_case("closed")
    touched = cma_case("accepted")
    with database.writing() as connection:
        for n in range(3):
            audit.append(connection, "accounts", database.clock.now(), SYSTEM, "sign_in", "system", {"n": n})
    command.downgrade(alembic_config(database.url), "0002")
    rows = "SELECT coalesce(stream, 'case:' || case_id), seq, hash, previous_hash FROM audit_entry ORDER BY 1, seq"
    with database.engine.connect() as connection:
        told = connection.execute(text(rows)).all()
    for one, other in zip(told, told[1:], strict=False):
        assert other[3] == (one[2] if one[0] == other[0] else audit.GENESIS)
    migrate(database.url)
    with database.reading() as connection:
        assert audit.broken_links(connection) == []
    command.downgrade(alembic_config(database.url), "0002")
    with database.writing() as connection:
        _let_be_changed(connection)
        connection.execute(text(f"UPDATE audit_entry SET hash = 'no digest' WHERE case_id = {touched.id} AND seq = 2"))
        connection.execute(text("UPDATE audit_entry SET action = 'other' WHERE stream = 'accounts' AND seq = 2"))
        _append_only_again(connection)
    migrate(database.url)
    with database.reading() as connection:
        broken = audit.broken_links(connection)
    assert {("accounts", 2), (f"case:{touched.id}", 2)} <= set(broken)
    with pytest.raises(DatabaseError, match="append-only"), database.writing() as connection:
        connection.execute(text("DELETE FROM audit_entry"))


def test_clocks_mean_the_same_by_name_and_in_order(cma_case: Callable[..., CaseHand], database: Database) -> None:
    """0012 goes down to objects with names, which the newer code still reads; what rested, rests in both."""
    for state in ("closed", "correction_requested", "awaiting_sign_off", "retracted"):
        cma_case(state)
    before = _clocks(database)
    assert all(isinstance(clock, list) for clocks in before.values() for clock in clocks)
    command.downgrade(alembic_config(database.url), "0011")
    named = _clocks(database)
    assert all(isinstance(clock, dict) for clocks in named.values() for clock in clocks)
    assert {key: list(map(Clock.from_plain, clocks)) for key, clocks in named.items()} == {
        key: list(map(Clock.from_plain, clocks)) for key, clocks in before.items()
    }
    assert any(clock.get("rests") for clocks in named.values() for clock in clocks)
    migrate(database.url)
    with database.reading() as connection:
        assert audit.broken_links(connection) == []


def _clocks(database: Database) -> dict[int, list[Any]]:
    with database.reading() as connection:
        return {row.id: row.clocks for row in connection.execute(select(CaseRecord.id, CaseRecord.clocks))}


def _let_be_changed(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("DROP TRIGGER audit_entry_no_update"))
    else:
        connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))


def _append_only_again(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text(append_only_ddl("audit_entry")["sqlite"][0]))
    else:
        connection.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))
