"""Limits are told once and counted by the calendar in force, whoever sweeps, however often and however late."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from store.cases import CaseStore
from store.certificates import CertificateStore
from store.database import Database
from store.law import LawBook, revise
from store.limits import Limits
from store.queues import QueueStore
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord
from store.records.certificates import CertificateEventRecord, CertificateRecord
from store.records.columns import table_of
from store.records.jobs import JobRecord
from store.records.reference import CalendarYearRecord
from tests.store.dossiers import DECLARATION, Applicant
from tests.store.factories import LEADER, WINDOW_OFFICER, CaseHand, MovableClock, agency, flaws
from workflow.commands import Decide
from workflow.deadlines import Clock, Outcome
from workflow.vocabulary import Refusal, Role

Factory = Callable[..., CaseHand]
MONDAY, DUE = date(2026, 3, 2), date(2026, 3, 9)


@pytest.fixture
def limits(database: Database, laws: LawBook) -> Limits:
    return Limits(database, laws)


def clock_of(hand: CaseHand, name: str) -> Clock:
    return next(c for c in hand.file.case.clocks if c.name == name)


def acts(hand: CaseHand) -> list[str]:
    with hand.cases.database.reading() as connection:
        found = select(AuditRecord.action).where(AuditRecord.case_id == hand.id).order_by(AuditRecord.id)
        return list(connection.scalars(found))


def told(hand: CaseHand) -> list[dict[str, Any]]:
    """The notices that wait to be sent about a case, as their payloads."""
    with hand.cases.database.reading() as connection:
        rows = connection.scalars(
            select(JobRecord.payload)
            .where(JobRecord.case_id == hand.id, JobRecord.kind == "notify")
            .order_by(JobRecord.created_at, JobRecord.id)
        )
        return [dict(row) for row in rows]


def notice(hand: CaseHand, name: str) -> dict[str, Any]:
    """The one notice of that name."""
    [found] = [t for t in told(hand) if t["notice"] == name]
    return found


def notes(hand: CaseHand, name: str) -> int:
    assert acts(hand).count(name) == [t["notice"] for t in told(hand)].count(name)
    return acts(hand).count(name)


# -- near and over -----------------------------------------------------------------------------------------


def test_whoever_has_the_case_is_reminded_once_when_two_days_are_left(
    cma_case: Factory, limits: Limits, clock: MovableClock
) -> None:
    hand = cma_case("submitted")
    clock.move_to(date(2026, 3, 4))
    assert limits.sound_alarms() == 0
    clock.move_to(date(2026, 3, 5))
    assert [limits.sound_alarms() for _ in range(3)] == [1, 0, 0]
    clock.move_to(date(2026, 3, 6))
    assert limits.sound_alarms() == 0
    assert notes(hand, "near_due") == 1
    assert notice(hand, "near_due")["limits"] == [{"clock": "acceptance", "due_on": "2026-03-09"}]
    assert flaws(hand) == []


def test_a_limit_that_nothing_acts_on_is_escalated_once_and_lies_with_the_leader_until_it_is_done(
    cma_case: Factory, limits: Limits, clock: MovableClock, database: Database
) -> None:
    hand = cma_case("granted")
    due = clock_of(hand, "delivery").due_on
    assert due is not None
    queues = QueueStore(database)
    assert queues.counts(LEADER)[Role.LEADER].waiting == 0
    clock.move_to(due)
    limits.sound_alarms()
    assert notes(hand, "overdue") == 0
    clock.move_to(due.replace(day=due.day + 1))
    assert [limits.sound_alarms() for _ in range(3)] == [1, 0, 0]
    assert notes(hand, "overdue") == 1
    assert notice(hand, "overdue")["roles"] == ["leader"]
    assert queues.counts(LEADER)[Role.LEADER].overdue == 1
    assert flaws(hand) == []
    hand.walk(("record_rendering", "print_certificate"))
    assert queues.counts(LEADER)[Role.LEADER].overdue == 1
    hand.walk(("deliver",))
    assert queues.counts(LEADER)[Role.LEADER].waiting == 0
    assert flaws(hand) == []


def test_after_days_without_a_sweep_the_escalation_takes_the_place_of_the_reminder(
    cma_case: Factory, limits: Limits, clock: MovableClock
) -> None:
    hand = cma_case("granted")
    clock.move_to(date(2026, 6, 1))
    assert [limits.sound_alarms() for _ in range(3)] == [1, 0, 0]
    assert (notes(hand, "near_due"), notes(hand, "overdue")) == (0, 1)


def test_a_lapse_missed_for_days_is_taken_once_and_not_escalated_as_well(
    cma_case: Factory, limits: Limits, cases: CaseStore, clock: MovableClock
) -> None:
    hand = cma_case("submitted")
    clock.move_to(date(2026, 3, 20))
    assert [cases.lapse(), cases.lapse()] == [1, 0]
    limits.sound_alarms()
    assert acts(hand).count("deem_accepted") == 1
    assert notes(hand, "overdue") == 0
    assert notice(hand, "deemed_accepted")["roles"] == ["leader"]


def test_two_workers_at_once_tell_it_once(
    cma_case: Factory, database: Database, clock: MovableClock
) -> None:
    hands = [cma_case("granted") for _ in range(3)]
    clock.move_to(date(2026, 6, 1))
    with ThreadPoolExecutor(4) as workers:
        done = list(workers.map(lambda _: Limits(database, LawBook(database)).sound_alarms(), range(4)))
    assert sum(done) == 3
    assert [notes(hand, "overdue") for hand in hands] == [1, 1, 1]


def test_a_case_that_cannot_be_told_about_holds_up_no_other(
    cma_case: Factory, limits: Limits, database: Database, clock: MovableClock
) -> None:
    broken, sound = cma_case("granted"), cma_case("granted")
    clock.move_to(date(2026, 6, 1))
    ahead = datetime(2027, 1, 1, tzinfo=UTC)  # a server clock that ran ahead on the last step
    with database.writing() as connection:
        connection.execute(update(table_of(CaseRecord)).where(CaseRecord.id == broken.id).values(changed_at=ahead))
    with pytest.raises(ExceptionGroup):
        limits.sound_alarms()
    assert notes(sound, "overdue") == 1


def test_a_note_of_the_system_makes_no_act_stale(
    cma_case: Factory, limits: Limits, clock: MovableClock
) -> None:
    hand = cma_case("submitted")
    seen = hand.version
    clock.move_to(date(2026, 3, 5))
    limits.sound_alarms()
    assert hand.version == seen + 1
    hand.take("accept", version=seen)
    assert hand.state == "accepted"
    with pytest.raises(Refusal) as stale:
        hand.take("retract", version=seen)
    assert stale.value.code == "stale"


# -- extension ---------------------------------------------------------------------------------------------


def test_the_leader_extends_the_decision_once_and_the_applicant_is_told_why(
    cma_case: Factory, clock: MovableClock
) -> None:
    hand = cma_case("awaiting_decision")
    before = clock_of(hand, "decision")
    hand.take("extend_decision", Decide(grounds="须向外地调查取证"))
    after = clock_of(hand, "decision")
    assert before.due_on is not None and after.due_on is not None
    assert hand.cases.laws.current().calendar.count(before.due_on, after.due_on) == 10
    [extension] = after.extensions
    assert (extension.reason, extension.allowance.name) == ("须向外地调查取证", "decision_extension")
    assert hand.state == "awaiting_decision"
    assert notice(hand, "decision_extended")
    assert flaws(hand) == []
    with pytest.raises(Refusal) as again:
        hand.take("extend_decision", Decide(grounds="再次延长"))
    assert again.value.code == "unmet"


def test_nobody_but_the_leader_extends_and_never_after_the_limit(
    cma_case: Factory, clock: MovableClock, cases: CaseStore
) -> None:
    hand = cma_case("awaiting_decision")
    with pytest.raises(Refusal) as forbidden:
        hand.take("extend_decision", Decide(grounds="x"), by=WINDOW_OFFICER)
    assert forbidden.value.code == "forbidden"
    due = clock_of(hand, "decision").due_on
    assert due is not None
    clock.move_to(due)
    clock.move(days=1)
    with pytest.raises(Refusal) as late:
        hand.take("extend_decision", Decide(grounds="x"))
    assert late.value.code == "unmet"


def test_an_extended_limit_reminds_again_before_its_new_day(
    cma_case: Factory, limits: Limits, clock: MovableClock
) -> None:
    hand = cma_case("awaiting_decision")
    due = clock_of(hand, "decision").due_on
    assert due is not None
    clock.move_to(due)
    limits.sound_alarms()
    hand.take("extend_decision", Decide(grounds="须协调"))
    assert limits.sound_alarms() == 0
    new = clock_of(hand, "decision").due_on
    assert new is not None
    clock.move_to(new)
    assert limits.sound_alarms() == 1
    reminded = [t["limits"] for t in told(hand) if t["notice"] == "near_due"]
    assert sum("decision" in [one["clock"] for one in each] for each in reminded) == 2


# -- deemed renewal ----------------------------------------------------------------------------------------

HELD = "210013061568"


def certificate(database: Database, agency_id: int, valid_to: date, number: str = HELD) -> str:
    with database.writing() as connection:
        connection.execute(
            insert(table_of(CertificateRecord)),
            {
                "public_id": "p" * 22, "number": number, "agency_id": agency_id, "agency_name": "示例检测有限公司",
                "agency_address": "示例路1号", "authority_code": "21", "authority_name": "示例局", "status": "valid",
                "issued_on": date(2020, 9, 1), "valid_from": date(2020, 9, 1), "valid_to": valid_to,
                "annex_version": 1, "verify_code": "v" * 22, "imported": True,
            },
        )  # fmt: skip
    return number


def standing(database: Database) -> str:
    one = CertificateStore(database).find(number=HELD)
    assert one is not None
    return one.standing(database.clock.today())


def events(database: Database) -> list[tuple[str, str]]:
    with database.reading() as connection:
        event = CertificateEventRecord
        return [(r.act, r.basis) for r in connection.execute(select(event.act, event.basis).order_by(event.id))]


def renewal(cma_case: Factory, database: Database, state: str, valid_to: date) -> CaseHand:
    agency_id = agency(database)
    certificate(database, agency_id, valid_to)
    return cma_case(
        state, agency_id=agency_id, types=("renewal",), certificate_held=HELD,
        certificate_expires_on=valid_to.isoformat(),
    )  # fmt: skip


def test_a_renewal_filed_in_time_and_not_decided_at_expiry_is_deemed_granted_until_it_is_decided(
    cma_case: Factory, database: Database, cases: CaseStore, clock: MovableClock
) -> None:
    hand = renewal(cma_case, database, "awaiting_decision", date(2026, 8, 31))
    clock.move_to(date(2026, 8, 31))
    cases.lapse()
    assert standing(database) == "valid"
    clock.move_to(date(2026, 9, 5))
    assert [cases.lapse(), cases.lapse()] == [1, 0]
    assert (hand.state, standing(database)) == ("awaiting_decision", "deemed_renewed")
    assert events(database) == [("deemed_renewed", "《行政许可法》第五十条第二款")]
    assert clock_of(hand, "renewal").outcome is Outcome.MISSED
    assert notice(hand, "deemed_renewed")["roles"] == ["leader"]
    assert flaws(hand) == []
    hand.walk(("grant",))
    assert standing(database) != "deemed_renewed"
    assert clock_of(hand, "renewal").outcome is Outcome.MISSED
    assert acts(hand).count("deem_renewed") == 1


@pytest.mark.parametrize("end", ["refuse", "retract"])
def test_a_deemed_renewal_ends_with_the_case(
    cma_case: Factory, database: Database, cases: CaseStore, clock: MovableClock, end: str
) -> None:
    hand = renewal(cma_case, database, "awaiting_decision", date(2026, 8, 31))
    clock.move_to(date(2026, 9, 1))
    cases.lapse()
    assert standing(database) == "deemed_renewed"
    hand.walk((end,))
    assert standing(database) == "expired"
    assert [act for act, _ in events(database)] == ["deemed_renewed", "deemed_ended"]


def test_a_renewal_filed_too_late_is_not_deemed_granted(
    cma_case: Factory, database: Database, cases: CaseStore, clock: MovableClock
) -> None:
    hand = renewal(cma_case, database, "awaiting_decision", date(2026, 5, 31))  # filed on 2 March: a day late
    assert not any(c.name == "renewal" for c in hand.file.case.clocks)
    clock.move_to(date(2026, 6, 10))
    cases.lapse()
    assert standing(database) == "expired"
    assert "deem_renewed" not in acts(hand)


def test_a_renewal_handed_back_for_correction_is_not_deemed_granted_but_counts_again_when_it_comes_back(
    cma_case: Factory, database: Database, cases: CaseStore, clock: MovableClock
) -> None:
    hand = renewal(cma_case, database, "correction_requested", date(2026, 6, 2))
    assert clock_of(hand, "renewal").outcome is Outcome.DROPPED
    clock.move_to(date(2026, 5, 20))
    hand.learn(corrections_open=0)
    hand.walk(("resubmit",))
    assert clock_of(hand, "renewal").due_on == date(2026, 6, 2)


def test_an_annulled_certificate_is_not_renewed_by_law(
    cma_case: Factory, database: Database, cases: CaseStore, clock: MovableClock
) -> None:
    renewal(cma_case, database, "awaiting_decision", date(2026, 8, 31))
    with database.writing() as connection:
        connection.execute(update(table_of(CertificateRecord)).values(status="annulled"))
    clock.move_to(date(2026, 9, 1))
    assert [cases.lapse(), cases.lapse()] == [1, 0]
    assert (standing(database), events(database)) == ("annulled", [])


def test_the_dossier_of_a_renewal_knows_the_last_day_of_the_agencys_own_certificate(
    applicant: Callable[..., Applicant], database: Database
) -> None:
    mine = applicant("P05")
    mine.upload()
    assert mine.facts["certificate_expires_on"] == ""  # the register does not know what it names
    certificate(database, agency(database, "别家检测有限公司"), date(2026, 9, 30), mine.facts["certificate_held"])
    mine.save("declaration", **DECLARATION)
    assert mine.facts["certificate_expires_on"] == ""
    with database.writing() as connection:
        connection.execute(update(table_of(CertificateRecord)).values(agency_id=mine.actor.agency_id))
    mine.save("resources", site_right="owned", equipment_right="owned")
    assert mine.facts["certificate_expires_on"] == "2026-09-30"
    first = applicant("P01", "another")
    first.upload()
    assert "certificate_expires_on" not in first.facts


# -- another calendar --------------------------------------------------------------------------------------


def publish(database: Database, days_off: Sequence[str], year: int = 2026) -> None:
    """Put another year in force, as an administrator's publication does."""
    with database.writing() as connection:
        record = table_of(CalendarYearRecord)
        content = connection.scalar(select(record.c.content).where(record.c.year == year))
        off = [*content["off"], *({"date": day, "name": "测试假日"} for day in days_off)]
        connection.execute(
            update(record).where(record.c.year == year).values(content={**content, "off": off, "confirmed": True})
        )
        revise(connection)


def test_a_new_calendar_moves_open_cases_with_a_note_in_each_and_a_second_sweep_finds_nothing(
    cma_case: Factory, limits: Limits, database: Database, laws: LawBook, clock: MovableClock
) -> None:
    moved, untouched, closed = cma_case("submitted"), cma_case("granted"), cma_case("closed")
    publish(database, ["2026-03-05"])
    assert limits.preview(LawBook(database).current().calendar).cases == 2
    assert limits.recount() == 2
    assert limits.recount() == 0
    assert clock_of(moved, "acceptance").due_on == date(2026, 3, 10)
    assert notes(moved, "limits_recounted") == 1
    moves = [{"clock": "acceptance", "due_on": "2026-03-10", "was": "2026-03-09"}]
    assert notice(moved, "limits_recounted")["limits"] == moves
    assert acts(closed).count("limits_recounted") == 0
    assert flaws(moved) == flaws(untouched) == flaws(closed) == []


def test_a_calendar_that_only_confirms_what_was_counted_writes_no_note(
    cma_case: Factory, limits: Limits, database: Database, clock: MovableClock
) -> None:
    clock.move_to(date(2026, 12, 29))
    hand = cma_case("submitted")
    assert clock_of(hand, "acceptance").provisional
    version = hand.version
    publish(database, [], year=2027)
    moves = limits.preview(LawBook(database).current().calendar)
    assert (moves.cases, moves.settled) == (0, 1)
    assert limits.recount() == 1
    assert not clock_of(hand, "acceptance").provisional
    assert (hand.version, notes(hand, "limits_recounted")) == (version, 0)
    assert limits.recount() == 0


def test_a_recount_broken_off_goes_on_where_it_stopped(
    cma_case: Factory, limits: Limits, database: Database
) -> None:
    hands = [cma_case("submitted") for _ in range(5)]
    publish(database, ["2026-03-05"])
    assert [limits.recount(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert {clock_of(hand, "acceptance").due_on for hand in hands} == {date(2026, 3, 10)}
    assert [notes(hand, "limits_recounted") for hand in hands] == [1] * 5


def test_a_limit_that_a_calendar_moves_out_of_the_past_is_no_longer_escalated(
    cma_case: Factory, limits: Limits, database: Database, clock: MovableClock
) -> None:
    hand = cma_case("granted")
    due = clock_of(hand, "delivery").due_on
    assert due is not None
    clock.move_to(due)
    clock.move(days=1)
    limits.sound_alarms()
    assert clock_of(hand, "delivery").escalated_on
    publish(database, ["2026-03-04", "2026-03-05", "2026-03-06"])
    limits.recount()
    assert clock_of(hand, "delivery").escalated_on is None
    assert flaws(hand) == []


def test_every_sweep_is_bounded(cma_case: Factory, limits: Limits, clock: MovableClock) -> None:
    for _ in range(3):
        cma_case("granted")
    clock.move_to(date(2026, 6, 1))
    assert [limits.sound_alarms(limit=2) for _ in range(3)] == [2, 1, 0]


def test_a_case_that_had_its_limits_before_there_were_alarms_is_looked_at_once(
    cma_case: Factory, limits: Limits, database: Database, clock: MovableClock
) -> None:
    hand = cma_case("granted")
    with database.writing() as connection:  # as the migration leaves it
        connection.execute(update(table_of(CaseRecord)).values(alarms_on=date(1970, 1, 1), counted_by="?"))
    assert (limits.sound_alarms(), limits.recount(), limits.recount()) == (0, 0, 0)
    assert (notes(hand, "near_due"), notes(hand, "limits_recounted")) == (0, 0)
    with database.reading() as connection:
        [again] = connection.scalars(select(CaseRecord.alarms_on).where(CaseRecord.id == hand.id))
    assert again > clock.today()
