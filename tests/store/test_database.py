"""The two kinds of transaction, and what happens to connections that died."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from store import database as databases
from store.database import Busy, Database
from store.records.reference import SettingRecord
from store.reference import put_setting
from tests.services.postgres import Postgres
from tests.store.factories import CaseHand, count

Factory = Callable[..., CaseHand]


def test_a_block_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing() as connection:
        put_setting(connection, "half", {"done": 1})
        raise RuntimeError
    assert count(database, SettingRecord, SettingRecord.name == "half") == 0


def test_reading_sees_one_snapshot_and_writes_nothing(database: Database) -> None:
    with database.reading() as connection:
        query = text("SELECT count(*) FROM setting")
        before = connection.scalar(query)
        with database.writing() as other:
            put_setting(other, "meanwhile", {"done": 1})
        assert connection.scalar(query) == before
    if not database.is_sqlite:
        with pytest.raises(DBAPIError, match="read-only"), database.reading() as connection:
            connection.execute(text("DELETE FROM setting"))
    assert count(database, SettingRecord, SettingRecord.name == "meanwhile") == 1


def test_a_lock_that_is_not_given_in_time_is_busy_and_not_an_error_of_ours(
    cma_case: Factory, database: Database
) -> None:
    hand = cma_case("submitted")
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with database.writing() as connection:
            connection.execute(text('UPDATE "case" SET subject = subject'))
            held.set()
            free.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    try:
        with pytest.raises(Busy), database._connect(writes=True) as connection:
            if database.is_sqlite:
                connection.connection.driver_connection.execute("PRAGMA busy_timeout=50")  # type: ignore[union-attr]
            with connection.begin():
                connection.execute(text("SET LOCAL lock_timeout = '50ms'")) if not database.is_sqlite else None
                connection.execute(text('UPDATE "case" SET subject = subject'))
    finally:
        free.set()
        holder.join()
    hand.take("accept")  # and asking again is safe


def test_a_connection_that_died_while_idle_is_replaced(
    postgres: Postgres, postgresql_seeded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_ALIVE_FOR", 0.0)
    database = Database(postgresql_seeded_url)
    databases.ping(database)
    name = postgresql_seeded_url.split("?")[0].rsplit("/", 1)[1]
    postgres._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    databases.ping(database)
    database.close()


def test_without_asking_the_dead_connection_is_met(
    postgres: Postgres, postgresql_seeded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted fault: the replacement above comes from the question."""
    monkeypatch.setattr(databases, "_ALIVE_FOR", 1e9)
    database = Database(postgresql_seeded_url)
    databases.ping(database)
    name = postgresql_seeded_url.split("?")[0].rsplit("/", 1)[1]
    postgres._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    with pytest.raises(DBAPIError):
        databases.ping(database)
    database.close()
