"""The verbs through the real store, on both databases: tasks, clocks, parties, notices and queues follow each step."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from store.cases import CaseStore
from store.colleagues import Colleagues
from store.database import Database
from store.queues import QueueStore
from store.records.audit import AuditRecord
from store.records.cases import CasePartyRecord, TaskRecord
from store.records.columns import table_of
from store.records.jobs import JobRecord
from tests.store import factories
from tests.store.factories import (
    LEADER,
    CaseHand,
    MovableClock,
    department_officer,
    flaws,
    person,
)
from workflow import verb_commands as v
from workflow.vocabulary import Refusal, Role

Factory = Callable[..., CaseHand]
SECOND = person("second-leader", Role.LEADER)
STRAIGHT = v.Return(reason="请补充评审记录", way="straight_back")


@pytest.fixture
def colleagues(database: Database) -> None:
    """People with accounts, whom a verb may name."""
    factories.usual_pool(database)
    with database.writing() as connection:
        for name, role in (("second-leader", Role.LEADER), ("leader", Role.LEADER), ("inspector", Role.INSPECTOR),
                           ("review-organiser", Role.REVIEW_ORGANISER)):  # fmt: skip
            factories.in_the_pool(connection, name, [role])
        for name in ("colleague", "officer-ecology"):
            factories.in_the_pool(connection, name, [Role.DEPARTMENT_OFFICER], department="ecology")
        factories.in_the_pool(connection, "advising", [Role.DEPARTMENT_OFFICER], department="transport")


def tasks(hand: CaseHand) -> set[tuple[str, str]]:
    with hand.cases.database.reading() as connection:
        rows = connection.execute(select(TaskRecord.role, TaskRecord.holder).where(TaskRecord.case_id == hand.id))
        return {(row.role, row.holder) for row in rows}


def notices(hand: CaseHand, notice: str) -> list[Any]:
    job = table_of(JobRecord)
    with hand.cases.database.reading() as connection:
        rows = connection.execute(select(job).where(job.c.case_id == hand.id, job.c.kind == "notify")).mappings().all()
    return [row for row in rows if row["payload"]["notice"] == notice]


def refused(hand: CaseHand, action: str, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        hand.take(action, **more)
    return caught.value


def test_a_return_and_its_way_straight_back_leave_nothing_over(
    cma_case: Factory, clock: MovableClock, database: Database
) -> None:
    hand = cma_case("awaiting_decision")
    clock.move(days=1)
    hand.take("return_to_under_review_by_leader", STRAIGHT)
    assert tasks(hand) == {("team_leader", "person:team-leader"), ("reviewer", "person:reviewer")}
    assert flaws(hand) == []
    clock.move(days=3)
    hand.take("conclude_meets_back_to_awaiting_decision")
    assert tasks(hand) == {("leader", "person:leader")} and flaws(hand) == []
    hand.take("grant")
    assert hand.state == "granted" and flaws(hand) == []
    with database.reading() as connection:
        said = connection.execute(
            select(AuditRecord.action, AuditRecord.payload).where(AuditRecord.case_id == hand.id)
        ).all()
    assert {row.action: row.payload for row in said}["return_to_under_review_by_leader"]["reason"] == "请补充评审记录"


def test_a_returned_case_keeps_its_number_and_what_was_found(cma_case: Factory) -> None:
    hand = cma_case("accepted")
    number = hand.file.number
    hand.take("return_to_correction_requested", v.Return(reason="缺平面图"))
    assert flaws(hand) == [] and [n["payload"].get("inside") for n in notices(hand, "returned")] == [None]
    hand.walk(("resubmit", "accept", "organise_review", "record_findings"))
    assert hand.file.number == number
    hand.take("return_to_accepted")
    hand.walk(("organise_review", "confirm_rows", "conclude_meets"))
    assert hand.state == "awaiting_sign_off" and flaws(hand) == []


def test_answers_that_rest_on_nothing_changed_join_when_the_case_comes_in_order(cma_case: Factory) -> None:
    hand = cma_case("awaiting_decision").walk(("return_to_under_review_by_leader", "conclude_meets"))
    assert hand.state == "awaiting_decision" and hand.file.case.round == 2 and flaws(hand) == []
    hand.take("grant")
    assert hand.state == "granted" and flaws(hand) == []


def test_a_recall_puts_the_case_back_and_its_notice_never_leaves(cma_case: Factory, clock: MovableClock) -> None:
    hand = cma_case("awaiting_sign_off")
    [told] = notices(hand, "review_concluded")
    assert told["available_at"] > told["created_at"]
    clock.move(minutes=5)
    hand.take("recall_conclude_meets")
    assert (hand.state, notices(hand, "review_concluded")) == ("under_review", [])
    assert flaws(hand) == []
    hand.take("conclude_meets")
    assert hand.state == "awaiting_sign_off" and flaws(hand) == []


@pytest.mark.parametrize("left", [{"status": "done"}, {"attempts": 1}, {"leased_by": "worker"}])
def test_nothing_is_recalled_once_its_notice_is_on_its_way(
    cma_case: Factory, database: Database, left: dict[str, Any]
) -> None:
    hand = cma_case("awaiting_sign_off")
    if "leased_by" in left:
        left |= {"leased_until": database.clock.now()}
    with database.writing() as connection:
        connection.execute(update(table_of(JobRecord)).where(JobRecord.case_id == hand.id).values(**left))
    before = factories.everything(database)
    assert refused(hand, "recall_conclude_meets").code == "unmet"
    assert factories.everything(database) == before


@pytest.mark.usefixtures("colleagues")
def test_a_transferred_case_moves_from_the_desk_to_the_persons_queue(
    cma_case: Factory, database: Database, clock: MovableClock
) -> None:
    hand, other = cma_case("awaiting_decision"), cma_case("awaiting_decision")
    queues = QueueStore(database)
    hand.take("transfer_by_leader", v.Transfer(person="second-leader", reason="出差"))
    assert tasks(hand) == {("leader", "person:second-leader")} and flaws(hand) == []
    at_the_desk = {line.public_id for line in queues.queue(LEADER, Role.LEADER).lines}
    assert at_the_desk == {other.public_id}
    assert {line.public_id for line in queues.queue(SECOND, Role.LEADER).lines} == {hand.public_id, other.public_id}
    assert queues.counts(SECOND)[Role.LEADER].waiting == 2
    assert refused(hand, "grant", by=LEADER).code == "unmet"
    hand.take("grant", by=SECOND)
    assert hand.state == "granted" and flaws(hand) == []


@pytest.mark.usefixtures("colleagues")
def test_two_pages_of_a_queue_have_every_line_once_in_order(cma_case: Factory, database: Database) -> None:
    hands = [cma_case("awaiting_decision") for _ in range(5)]
    for hand in hands[::2]:
        hand.take("transfer_by_leader", v.Transfer(person="second-leader", reason="x"))
    queues, seen, after = QueueStore(database), [], None
    while True:
        page = queues.queue(SECOND, Role.LEADER, limit=2, after=after)
        seen += [line.task_id for line in page.lines]
        if (after := page.after) is None:
            break
    assert sorted(seen) == sorted(set(seen)) and len(seen) == 5


@pytest.mark.usefixtures("colleagues")
@pytest.mark.parametrize("whom", ["nobody", "officer-ecology", "team-leader"])
def test_work_is_transferred_only_to_whoever_could_do_it(cma_case: Factory, whom: str) -> None:
    hand = cma_case("awaiting_decision")
    said = refused(hand, "transfer_by_leader", command=v.Transfer(person=whom, reason="x"))
    assert said.code in ("malformed", "unmet") and flaws(hand) == []


@pytest.mark.usefixtures("colleagues")
def test_the_applicants_own_people_get_neither_work_nor_copies(cma_case: Factory, database: Database) -> None:
    hand = cma_case("awaiting_decision")
    with database.writing() as connection:
        factories.in_the_pool(connection, "both", [Role.LEADER, Role.INSPECTOR])
        connection.execute(
            factories.insert(factories.AccountRecord),
            {"login": "own", "password_hash": "-", "person_id": "both", "name": "both", "agency_id": hand.agency_id,
             "created_at": factories.MONDAY},
        )  # fmt: skip
    assert refused(hand, "transfer_by_leader", command=v.Transfer(person="both", reason="x")).code == "malformed"
    assert refused(hand, "copy", command=v.CopyTo(persons=("both",))).code == "malformed"
    offered = Colleagues(database).of(hand.file, LEADER, [Role.LEADER])
    assert [c.person_id for c in offered] == ["second-leader"]


@pytest.mark.usefixtures("colleagues")
def test_who_is_asked_for_advice_sees_the_case_until_it_is_given(cma_case: Factory, cases: CaseStore) -> None:
    hand = cma_case("awaiting_decision", departments=["ecology"])
    adviser = department_officer("transport", "advising")
    with pytest.raises(Refusal):
        cases.get(hand.public_id, adviser)
    hand.take("consult_by_leader", v.Consult(person="advising", role="department_officer", question="？"))
    assert cases.get(hand.public_id, adviser).public_id == hand.public_id
    assert tasks(hand) == {("department_officer", "person:advising")} and flaws(hand) == []
    hand.take("advise", v.Advise(advice="可以"), by=adviser)
    assert tasks(hand) == {("leader", "person:leader")} and flaws(hand) == []
    with pytest.raises(Refusal):
        cases.get(hand.public_id, adviser)


@pytest.mark.usefixtures("colleagues")
def test_a_copy_opens_the_case_to_its_reader(cma_case: Factory, cases: CaseStore, database: Database) -> None:
    hand, reader = cma_case("awaiting_decision", departments=["transport"]), department_officer("ecology")
    with pytest.raises(Refusal):
        cases.get(hand.public_id, reader)
    hand.take("copy", v.CopyTo(persons=("officer-ecology",)))
    assert cases.get(hand.public_id, reader)
    hand.take("comment_by_officer", by=reader)
    [told] = notices(hand, "copied")
    assert told["payload"]["holders"] == [["", "person:officer-ecology"]] and told["payload"]["inside"]
    with database.reading() as connection:
        holders = set(connection.scalars(select(CasePartyRecord.holder).where(CasePartyRecord.case_id == hand.id)))
    assert "person:officer-ecology" in holders and flaws(hand) == []


def test_an_added_signer_gets_a_task_and_loses_it_when_taken_off(cma_case: Factory, cases: CaseStore) -> None:
    hand = cma_case("awaiting_sign_off", departments=["ecology", "construction"])
    hand.take("add_signer", v.AddSigner(department="transport", place="after", reason="x"))
    assert ("department_officer", "department:transport") not in tasks(hand) and flaws(hand) == []
    for department in ("ecology", "construction"):
        hand.take("sign_off", by=department_officer(department))
    assert tasks(hand) == {("department_officer", "department:transport")}
    assert refused(hand, "add_signer", command=v.AddSigner(department="nowhere", place="after", reason="x")).code == (
        "malformed")  # fmt: skip
    hand.take("remove_signer")
    assert hand.state == "awaiting_decision" and flaws(hand) == []
    with pytest.raises(Refusal):
        cases.get(hand.public_id, department_officer("transport"))


def test_a_reminder_goes_to_those_who_have_not_had_one_today(cma_case: Factory, clock: MovableClock) -> None:
    hand = cma_case("awaiting_sign_off", departments=["ecology", "construction"])
    hand.take("remind_by_applicant", by=hand.applicant)
    assert refused(hand, "remind_by_officer").code == "unmet"
    hand.take("add_signer", v.AddSigner(department="transport", place="beside", reason="x"))
    hand.take("remind_by_officer")
    first, second = notices(hand, "reminded")
    told = sorted([first["payload"]["holders"], second["payload"]["holders"]], key=len)
    officers = {d: ["department_officer", f"department:{d}"] for d in ("construction", "ecology", "transport")}
    assert told == [[officers["transport"]], [officers["construction"], officers["ecology"]]]
    assert first["payload"]["inside"]
    clock.move(days=1)
    hand.take("remind_by_officer")
    assert flaws(hand) == []


def test_a_suspended_case_waits_for_whoever_resumes_it_and_no_limit_lapses(
    cma_case: Factory, cases: CaseStore, clock: MovableClock
) -> None:
    hand = cma_case("awaiting_sign_off")
    due = hand.file.due_on
    hand.take("suspend")
    assert hand.file.due_on is None and tasks(hand) == {("leader", "")} and flaws(hand) == []
    clock.move(days=200)
    assert cases.lapse() == 0
    assert refused(hand, "sign_off").code == "unavailable"
    hand.take("resume")
    assert hand.file.due_on is not None and due is not None and hand.file.due_on > due
    assert len(tasks(hand)) == 3 and flaws(hand) == []


def test_a_verb_repeated_with_its_id_is_done_once(cma_case: Factory) -> None:
    hand = cma_case("awaiting_decision")
    done = hand.take("comment_by_officer", command_id="one")
    version = hand.version
    again = hand.take("comment_by_officer", command_id="one", version=version - 1)
    assert again.replayed and again.version == done.version and hand.version == version


