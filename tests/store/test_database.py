"""A database that is locked or gone says so in a way that pages can answer with 503, and comes back by itself."""

import pytest
from sqlalchemy import text

from store.database import Busy, Database, ping
from tests.services.postgres import Postgres


@pytest.mark.postgres
def test_a_server_that_is_not_there_is_busy_and_not_a_fault() -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(Busy):
        ping(database)


@pytest.mark.postgres
def test_a_connection_that_was_cut_is_busy_once_and_then_works_again(postgresql_database_url: str) -> None:
    database, other = Database(postgresql_database_url), Database(postgresql_database_url)
    with pytest.raises(Busy), database.writing() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        with other.writing() as cutter:
            cutter.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        connection.execute(text("SELECT 1"))
    ping(database)
    database.close()
    other.close()


def test_a_writer_that_waits_too_long_is_busy(sqlite_database_url: str) -> None:
    holder, waiter = Database(sqlite_database_url), Database(sqlite_database_url)
    with waiter.reading() as connection:  # the pool gives the same connection again
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
    with holder.writing(), pytest.raises(Busy), waiter.writing():
        pass
    holder.close()
    waiter.close()


def test_a_missing_table_is_a_fault_and_never_called_busy(sqlite_database_url: str) -> None:
    database = Database(sqlite_database_url)
    with pytest.raises(Exception, match="no such table"), database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    database.close()


def test_the_postgres_fixture_can_drop_what_it_made(postgres: Postgres) -> None:
    url = postgres.create()
    ping(database := Database(url))
    database.close()
    postgres.drop(url)
    with pytest.raises(Busy):
        ping(Database(url))
