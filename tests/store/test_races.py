"""The last answers of several departments at the same instant: joined exactly once, none lost."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event, text

from store import at_once, locked, pen
from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord
from store.registers.numbering import take
from tests.store.factories import DEPARTMENTS, CaseHand, MovableClock, count, flaws
from tests.store.racing import race, read_before_either_writes

Factory = Callable[..., CaseHand]


@pytest.mark.slow
@pytest.mark.parametrize("departments, races", [(2, 500), (3, 300), (5, 200)])
def test_answers_at_the_same_instant_are_joined_exactly_once(
    cases: CaseStore, departments: int, races: int, record_property: Callable[[str, object], None]
) -> None:
    outcome = race(cases, DEPARTMENTS[:departments], races)
    record_property("races", races)
    assert (outcome.wrong, outcome.refused) == ({}, {})


@pytest.mark.parametrize("way", ["at once", "under the lock"])
def test_even_a_forced_meeting_loses_nothing(
    cases: CaseStore, way: str, request: pytest.FixtureRequest
) -> None:
    if way == "under the lock":
        request.getfixturevalue("never_at_once")
    with read_before_either_writes():
        outcome = race(cases, DEPARTMENTS[:2], 3)
    assert outcome.unexpected == 0


# -- planted faults: each belt taken off in turn, and the race must show it --------------------------------------


@pytest.fixture
def never_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step is taken under the lock, as on SQLite."""
    monkeypatch.setattr(at_once, "perform", lambda *_: None)


@pytest.fixture
def without_the_lock(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """PostgreSQL reads without FOR UPDATE; SQLite begins deferred."""
    if database.is_sqlite:
        for kind in (True, False):
            monkeypatch.setitem(database._options, kind, {"wujian_writes": False})
    for name in ("LOCK", "LOCK_PUBLIC"):
        statement = getattr(locked, name)
        monkeypatch.setattr(locked, name, statement._generate())
        getattr(locked, name)._for_update_arg = None
    yield


@pytest.mark.usefixtures("without_the_lock", "never_at_once")
def test_without_the_lock_an_answer_is_refused(cases: CaseStore, database: Database) -> None:
    """The version check and the unique constraints still keep the case whole, but somebody is turned away."""
    database.engine.dispose()
    with read_before_either_writes():
        outcome = race(cases, DEPARTMENTS[:2], 3)
    assert outcome.refused.total() == 3
    assert outcome.wrong["answers lost"] == 3
    assert outcome.wrong["joined otherwise than once"] == 3


def test_a_step_at_once_needs_no_lock_but_the_version(cases: CaseStore, without_the_lock: None) -> None:
    """The one who comes second finds another version and begins again: on PostgreSQL the lock only keeps order."""
    if cases.database.is_sqlite:
        pytest.skip("SQLite takes every step under its lock")
    with read_before_either_writes():
        outcome = race(cases, DEPARTMENTS[:2], 3)
    assert outcome.wrong == {}


@pytest.mark.parametrize("way", ["at once", "under the lock"])
@pytest.mark.usefixtures("without_the_lock")
def test_without_lock_and_version_check_the_join_is_lost_in_silence(
    monkeypatch: pytest.MonkeyPatch, database: Database, way: str, request: pytest.FixtureRequest
) -> None:
    """What the belts are for: nobody is refused, every answer is there, and the case waits for ever."""
    if database.is_sqlite:
        pytest.skip("SQLite refuses the second writer of a deferred transaction by itself")
    if way == "under the lock":
        request.getfixturevalue("never_at_once")
    monkeypatch.setattr(pen, "_WRITE", _without_version(pen._WRITE))
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE audit_entry DROP CONSTRAINT uq_audit_entry_case_id_seq"))
    with read_before_either_writes():
        outcome = race(CaseStore(database, LawBook(database)), DEPARTMENTS[:2], 3)
    assert outcome.refused == {}
    assert outcome.wrong["not joined"] == 3
    assert outcome.wrong["answers lost"] == 0


def _without_version(statement: Any) -> Any:
    changed = statement._generate()
    changed._where_criteria = changed._where_criteria[:1]
    return changed


# -- clocks ---------------------------------------------------------------------------------------------------------


def sweep_together(cases: CaseStore, workers: int) -> list[int]:
    barrier = threading.Barrier(workers)

    def sweep() -> int:
        barrier.wait(60)
        return cases.lapse()

    with ThreadPoolExecutor(workers) as pool:
        return [f.result() for f in [pool.submit(sweep) for _ in range(workers)]]


def acts(database: Database, hand: CaseHand, action: str) -> int:
    return count(database, AuditRecord, AuditRecord.case_id == hand.id, AuditRecord.action == action)


def test_nothing_is_deemed_accepted_before_the_fifth_working_day_is_over(
    cma_case: Factory, cases: CaseStore, clock: MovableClock
) -> None:
    hand = cma_case("submitted")  # on a Monday
    due = hand.file.due_on
    assert due is not None
    assert (due.isoformat(), due.isoweekday()) == ("2026-03-09", 1)
    for day in range(2, 10):
        clock.move_to(due.replace(day=day), hour=23)
        assert cases.lapse() == 0
    assert hand.state == "submitted"
    clock.move(hours=1)
    assert cases.lapse() == 1
    assert (hand.state, hand.file.number) == ("accepted", "2026-000001")
    assert flaws(hand) == []
    assert cases.lapse() == 0


def test_two_workers_that_sweep_together_deem_it_accepted_once(
    cma_case: Factory, cases: CaseStore, clock: MovableClock, database: Database
) -> None:
    hands = [cma_case("submitted") for _ in range(5)]
    clock.move(days=8)
    assert sum(sweep_together(cases, 2)) == 5
    for hand in hands:
        assert (hand.state, acts(database, hand, "deem_accepted")) == ("accepted", 1)
        assert flaws(hand) == []


@pytest.mark.parametrize("factory, track", [("cma_case", "general"), ("verification_case", None)])
def test_a_rectification_not_made_in_time_fails_by_itself(
    request: pytest.FixtureRequest, cases: CaseStore, clock: MovableClock, factory: str, track: str | None
) -> None:
    make: Factory = request.getfixturevalue(factory)
    hand = make("rectification_ordered")
    due = hand.file.due_on
    assert due is not None
    clock.move_to(due, hour=23)
    assert cases.lapse() == 0
    clock.move(hours=1)
    assert cases.lapse() == 1
    assert hand.state == ("rectified" if track else "awaiting_annulment")
    assert flaws(hand) == []
    assert cases.lapse() == 0


def test_a_correction_that_waits_for_the_applicant_never_lapses(
    cma_case: Factory, cases: CaseStore, clock: MovableClock
) -> None:
    hand = cma_case("correction_requested")
    clock.move(days=400)
    assert cases.lapse() == 0
    assert hand.state == "correction_requested"


def test_one_case_that_cannot_lapse_does_not_hold_up_the_others(
    cma_case: Factory, cases: CaseStore, clock: MovableClock, database: Database
) -> None:
    stuck, free = cma_case("submitted"), cma_case("submitted")
    with database.writing() as connection:
        connection.execute(
            CaseRecord.__table__.update().where(CaseRecord.id == stuck.id)  # type: ignore[attr-defined]
            .values(procedure_version=99)
        )  # fmt: skip
    clock.move(days=8)
    with pytest.raises(ExceptionGroup, match="1 cases were moved"):
        cases.lapse()
    assert free.state == "accepted"


# -- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_numbers_have_no_gap_and_no_duplicate_under_rollbacks(
    database: Database, record_property: Callable[[str, object], None]
) -> None:
    """1,000 takers in four threads, every tenth of them rolled back: 1..n exactly."""
    numbers: list[int] = []
    noting = threading.Lock()

    def take_many(worker: int) -> None:
        for n in range(250):
            try:
                with database.writing() as connection:
                    number = take(connection, "certificate:26")
                    if (n + worker) % 10 == 0:
                        raise RuntimeError("rolled back")
            except RuntimeError:
                continue
            with noting:
                numbers.append(number)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(take_many, w) for w in range(4)]:
            done.result()
    record_property("issues", 1000)
    assert sorted(numbers) == list(range(1, 901))


def test_a_number_taken_outside_the_transaction_leaves_a_gap(database: Database) -> None:
    """Planted fault: the check above is known to see a gap."""
    taken = []
    for n in range(20):
        with database.writing() as connection:
            number = take(connection, "certificate:26")
        if n % 10:
            taken.append(number)
    assert sorted(taken) != list(range(1, len(taken) + 1))


def test_the_write_lock_is_taken_at_once_on_sqlite(sqlite_seeded_url: str) -> None:
    database, said = Database(sqlite_seeded_url), []
    event.listen(database.engine, "before_cursor_execute", lambda *a: said.append(a[2]))
    with database.writing():
        pass
    with database.reading():
        pass
    assert said[0] == "BEGIN IMMEDIATE"
    database.close()
