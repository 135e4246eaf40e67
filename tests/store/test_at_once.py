"""A step at once: one statement writes it or nothing does, and whatever does not fit goes under the lock."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from sqlalchemy import JSON, BigInteger, Boolean, Connection, Date, Integer, Text, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from store import at_once
from store.cases import CaseStore
from store.database import Busy, Database
from store.law import LawBook
from store.locked import LOCK_PUBLIC, READ_PUBLIC, lock
from store.records.cases import CaseRecord, TaskRecord
from store.records.columns import UtcDateTime, table_of
from store.wire import NoWords, readers, rows
from tests.store.factories import CaseHand, MovableClock, everything, flaws
from tests.store.statements import counted

Factory = Callable[..., CaseHand]
_CASE = table_of(CaseRecord)


@pytest.fixture
def database(postgresql_seeded_url: str, clock: MovableClock) -> Any:
    """PostgreSQL only: SQLite has one writer and no round trips to save."""
    opened = Database(postgresql_seeded_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each step was taken at once."""
    found: list[bool] = []
    real = at_once.perform

    def perform(*arguments: Any) -> Any:
        done = real(*arguments)
        found.append(done is not None)
        return done

    monkeypatch.setattr(at_once, "perform", perform)
    return found


def test_a_step_reads_and_writes_once_without_a_transaction_around_them(
    cma_case: Factory, cases: CaseStore, database: Database, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = cma_case("awaiting_sign_off", departments=["ecology", "health"])
    actor, command = hand.usual_actor("sign_off"), hand.usual("sign_off")
    taken.clear()
    begun: list[object] = []
    monkeypatch.setattr(psycopg.Connection, "commit", lambda *_: begun.append("commit"))
    with counted(database) as statements:
        cases.perform(hand.public_id, "sign_off", actor, command, command_id="one", expected_version=None)
    # the case with the answers so far, and all that is written
    assert (taken, len(statements), begun) == ([True], 2, [])
    assert (hand.state, flaws(hand)) == ("awaiting_sign_off", [])


def test_a_version_that_moved_on_is_written_by_nobody_at_once(
    cma_case: Factory, database: Database, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody is quicker between reading and writing: the slower one is told so under the lock."""
    hand = cma_case("awaiting_sign_off", departments=["ecology", "health"])
    real = at_once.write_steps

    def interrupted(*arguments: Any) -> Any:
        with database.writing() as other:
            other.execute(update(_CASE).where(_CASE.c.id == hand.id).values(version=_CASE.c.version + 1))
        monkeypatch.setattr(at_once, "write_steps", real)
        return real(*arguments)

    monkeypatch.setattr(at_once, "write_steps", interrupted)
    version, before = hand.version, len(everything(database)["audit_entry"])
    with pytest.raises(Exception, match="Meanwhile"):
        hand.take("sign_off", version=version)
    assert taken[-1] is False
    assert len(everything(database)["audit_entry"]) == before


def test_a_step_that_has_more_to_say_than_one_statement_is_taken_under_the_lock(
    cma_case: Factory, database: Database, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand, real = cma_case("awaiting_sign_off", departments=["ecology", "health"]), at_once.write_steps

    def talkative(connection: Connection, *arguments: Any) -> Any:
        final = real(connection, *arguments)
        connection.execute(update(table_of(TaskRecord)).values(holder="other"), {})
        return final

    monkeypatch.setattr(at_once, "write_steps", talkative)
    hand.take("sign_off")
    assert taken[-1] is False
    assert (hand.state, flaws(hand)) == ("awaiting_sign_off", [])


def test_what_registers_or_opens_cases_is_taken_under_the_lock(cma_case: Factory, taken: list[bool]) -> None:
    hand = cma_case("awaiting_decision", track="commitment")
    taken.clear()
    hand.take("grant_on_commitment")
    assert taken == [False]
    assert flaws(hand) == []


def test_a_repeated_command_is_answered_as_the_first_time(
    cases: CaseStore, cma_case: Factory, taken: list[bool], database: Database
) -> None:
    hand = cma_case("awaiting_sign_off", departments=["ecology", "health"])
    actor, command = hand.usual_actor("sign_off"), hand.usual("sign_off")
    first = cases.perform(hand.public_id, "sign_off", actor, command, command_id="twice", expected_version=None)
    before = everything(database)
    again = cases.perform(hand.public_id, "sign_off", actor, command, command_id="twice", expected_version=None)
    assert (again.version, again.state, again.replayed) == (first.version, first.state, True)
    assert taken[-2:] == [True, False]
    assert everything(database) == before


@pytest.mark.parametrize("statement", [LOCK_PUBLIC, update(_CASE)])
def test_the_connection_of_a_step_at_once_only_reads(database: Database, statement: Any) -> None:
    with database.directly() as wire, pytest.raises(at_once.NeedsTheLock):
        at_once.Direct(database.engine, wire).execute(statement, {"key": "x"})


def test_it_keeps_one_write_back_and_reads_no_more_after_it(database: Database) -> None:
    with database.directly() as wire:
        direct = at_once.Direct(database.engine, wire)
        direct.keep("UPDATE agency SET name = 'other'", [])
        with pytest.raises(at_once.NeedsTheLock):
            direct.keep("UPDATE agency SET name = 'other'", [])
        with pytest.raises(at_once.NeedsTheLock):
            direct.exec_driver_sql("UPDATE agency SET name = 'other'")
        with pytest.raises(at_once.NeedsTheLock):
            direct.execute(READ_PUBLIC, {"key": "x"})


def test_it_reads_a_case_and_its_answers_as_the_lock_does(cma_case: Factory, database: Database) -> None:
    hand = cma_case("awaiting_sign_off", departments=["ecology", "health", "transport"])
    hand.take("sign_off")
    hand.take("sign_off")
    with database.writing() as connection:
        under_lock = lock(connection, hand.public_id)
    with database.directly() as wire:
        free = at_once.look(at_once.Direct(database.engine, wire), hand.public_id)
    assert dict(free.row) == dict(under_lock.row)
    assert len(free.case.sign_offs) == 2
    assert free.case == under_lock.case


def test_a_connection_lent_directly_comes_back_as_it_was(database: Database) -> None:
    with database.directly() as wire:
        assert rows(wire.ask("SELECT $1::int + 1", [1]), [int.from_bytes]) == [[2]]
        idle = wire.driver.info.transaction_status
    assert idle is psycopg.pq.TransactionStatus.IDLE
    assert not wire.driver.autocommit
    with database.reading() as connection:
        assert connection.scalar(select(_CASE.c.id).limit(1)) is None


def test_a_connection_that_lay_idle_is_asked_before_it_is_used(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.directly() as wire:
        first = wire.driver.info.backend_pid
    with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s)", [first])
    monkeypatch.setattr("store.database._ALIVE_FOR", -1.0)
    with database.directly() as wire:
        assert rows(wire.ask("SELECT 'here'", []), [bytes.decode]) == [["here"]]
        assert wire.driver.info.backend_pid != first


def test_only_a_few_connections_stay_borrowed_for_steps(database: Database) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(database.directly())
    assert database.engine.pool.checkedout() == 2
    database.close()
    assert database.engine.pool.checkedout() == 0


def test_a_server_that_goes_away_is_busy_and_the_connection_is_not_used_again(
    cma_case: Factory, cases: CaseStore, database: Database
) -> None:
    hand = cma_case("awaiting_sign_off", departments=["ecology", "health"])
    actor, command = hand.usual_actor("sign_off"), hand.usual("sign_off")
    LawBook(database).current()
    database.engine.dispose()
    with database.directly() as wire:
        lost = wire.driver.info.backend_pid
    with database.writing() as connection:
        other = connection.connection.driver_connection
        assert other is not None
    with psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s)", [lost])
    with pytest.raises(Busy):
        cases.perform(hand.public_id, "sign_off", actor, command, command_id="lost", expected_version=None)
    done = cases.perform(hand.public_id, "sign_off", actor, command, command_id="lost", expected_version=None)
    assert done.state == "awaiting_sign_off"
    assert flaws(hand) == []


def test_what_the_database_refuses_is_said_as_it_is_under_the_lock(
    cases: CaseStore, cma_case: Factory, taken: list[bool]
) -> None:
    hand = cma_case("awaiting_sign_off", departments=["ecology", "health"])
    actor, command = hand.usual_actor("sign_off"), hand.usual("sign_off")
    with pytest.raises(DBAPIError):
        cases.perform(hand.public_id, "sign_off", actor, command, command_id="\x00", expected_version=None)
    assert taken[-1] is False
    assert flaws(hand) == []


def test_what_is_said_comes_back_as_it_was(database: Database) -> None:
    """Every kind of value that a step sends or reads, through the server's own form and back."""
    moment = datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=timezone(timedelta(hours=8)))
    kinds = {
        "a text": (Text(), "text", "检验 \\ ' \" %(x)s $1"), "a number": (BigInteger(), "bigint", -(2**62)),
        "a small one": (Integer(), "integer", 7), "a day": (Date(), "date", date(9999, 12, 31)),
        "an early day": (Date(), "date", date(1999, 1, 1)), "a moment": (UtcDateTime(), "timestamptz", moment),
        "an early moment": (UtcDateTime(), "timestamptz", datetime(1970, 1, 1, tzinfo=UTC)),
        "yes": (Boolean(), "boolean", True), "nothing": (Text(), "text", None),
        "json": (JSON(), "json", {"a": [1, None, "检"]}), "jsonb": (JSONB(), "jsonb", [{"b": {"c": True}}]),
    }  # fmt: skip
    words = ", ".join(f"${place}::{name}" for place, (_, name, _) in enumerate(kinds.values(), 1))
    with database.directly() as wire:
        for _ in range(2):
            answer = wire.ask(f"SELECT {words}", [value for *_, value in kinds.values()])
            (found,) = rows(answer, readers([kind for kind, *_ in kinds.values()], answer))
            assert found == [value for *_, value in kinds.values()]
    assert found[5].tzinfo is UTC


def test_a_text_that_would_be_cut_short_is_not_sent(database: Database) -> None:
    with database.directly() as wire, pytest.raises(NoWords):
        wire.ask("SELECT $1::text", ["before\0after"])


def test_statements_that_the_connection_has_forgotten_are_said_again(database: Database) -> None:
    with database.directly() as wire:
        for _ in range(2):
            assert rows(wire.ask("SELECT $1::text", ["one"]), [bytes.decode]) == [["one"]]
            wire.driver.execute("DEALLOCATE ALL")
            wire.driver.commit()


def test_a_connection_keeps_only_so_many_statements(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.wire.MOST", 3)
    with database.directly() as wire:
        for number in (1, 2, 3, 4, 5, 1):
            assert rows(wire.ask(f"SELECT {number}::text", []), [bytes.decode]) == [[str(number)]]
        kept = wire.driver.execute("SELECT statement FROM pg_prepared_statements ORDER BY statement").fetchall()
        wire.driver.rollback()
    assert [statement for (statement,) in kept] == [f"SELECT {number}::text" for number in (1, 4, 5)]


def test_a_case_is_opened_in_one_statement_after_its_number(
    cma_case: Factory, cases: CaseStore, database: Database
) -> None:
    first = cma_case()
    file, applicant = first.file, first.applicant
    heading = {"agency_id": file.case.agency_id, "agency_name": "示例", "subject": "首次申请"}
    with counted(database) as statements:
        public_id = cases.open(file.procedure, applicant, **heading, facts=dict(file.case.facts))
    assert [words.split()[0] for words in statements] == ["SELECT", "WITH"]
    second = replace(first, public_id=public_id, id=cases.get(public_id, applicant).case.id)
    assert second.id == first.id + 1
    assert flaws(second) == []
