"""A leaver's work goes to successors: what moves, what cannot and why, case by case, told in each."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from store.cases import CaseStore
from store.hand_overs import BATCH, Chosen, HandOvers, Look, Moved
from store.law import LawBook
from store.people import Account
from store.records.audit import AuditRecord
from store.records.cases import CasePartyRecord, CaseRecord, TaskRecord
from store.records.columns import table_of
from store.records.people import ExpertiseRecord
from store.tokens import new_token
from tests.store import factories
from tests.store.factories import CaseHand
from tests.store.statements import counted
from tests.store.test_delegations import Bureau, bureau  # noqa: F401  # a fixture
from workflow.commands import OrganiseReview
from workflow.delegation import Group
from workflow.vocabulary import Actor, Refusal, Role

Factory = Callable[..., CaseHand]


class HandOver:
    """A hand-over by an administrator, with everything that is not said as usual."""

    def __init__(self, bureau: Bureau, cases: CaseStore, laws: LawBook) -> None:  # noqa: F811
        self.bureau, self.cases = bureau, cases
        self.store = HandOvers(cases.database, laws)
        self.administrator = bureau.account("administrator", Role.ADMINISTRATOR)
        self.leaver = bureau.account("leaver", Role.TEAM_LEADER, Role.REVIEWER)
        self.successor = bureau.account("successor", Role.TEAM_LEADER, Role.REVIEWER)
        self.colleague = bureau.account("colleague", Role.REVIEWER)

    def reviewed(self, make: Factory, *, leader: Actor | None = None, **facts: Any) -> CaseHand:
        """A case under review by the leaver and a colleague."""
        members = (self.leaver.person_id, self.colleague.person_id)
        case = make("accepted", **facts)
        case.take("organise_review", OrganiseReview(
            mode="on_site", leader=(leader or self.leaver).person_id, members=members,
            planned_on=case.cases.database.clock.today() + timedelta(days=7)))
        return case

    def look(self, *successors: Actor, by: Actor | None = None, after: int = 0) -> Look:
        return self.store.look(by or self.administrator, self.leaver.account_id,
                               [s.account_id for s in successors or (self.successor,)], after)

    def go(self, cases: Sequence[CaseHand], *successors: Actor, by: Actor | None = None, reason: str = "调离",
           seen: int | None = None, ids: Sequence[str] = (), **options: Any) -> tuple[Moved, ...]:
        chosen = [Chosen(c.public_id, c.version if seen is None else seen, key)
                  for c, key in zip(cases, ids or [new_token() for _ in cases], strict=True)]
        return self.store.carry_out(by or self.administrator, self.leaver.account_id,
                                    [s.account_id for s in successors or (self.successor,)], chosen, reason, **options)


@pytest.fixture
def hand_over(bureau: Bureau, cases: CaseStore, laws: LawBook) -> HandOver:  # noqa: F811
    return HandOver(bureau, cases, laws)


def holders(case: CaseHand) -> set[tuple[str, str]]:
    with case.cases.database.reading() as connection:
        return {tuple(row) for row in connection.execute(
            select(TaskRecord.role, TaskRecord.holder).where(TaskRecord.case_id == case.id))}


def test_the_leader_of_a_team_is_replaced_and_the_successor_goes_on(cma_case, hand_over):
    case = hand_over.reviewed(cma_case)
    [line] = hand_over.look().lines
    assert (line.public_id, line.successor, line.obstacles) == (case.public_id, "successor", ())
    assert [str(part) for part in line.parts] == ["Leads the review team"]
    [moved] = hand_over.go([case])
    assert moved == Moved(case.public_id, case.file.number, "successor")
    facts = case.file.case.facts
    new, colleague = hand_over.successor.person_id, hand_over.colleague.person_id
    assert (facts["team_leader"], facts["team"], facts["team_others"]) == (new, [new, colleague], [colleague])
    assert holders(case) == {("team_leader", f"person:{new}"), ("reviewer", f"person:{colleague}")}
    assert factories.flaws(case) == []
    case.take("record_findings", by=hand_over.successor)
    with pytest.raises(Refusal):
        case.take("confirm_rows", by=hand_over.leaver)
    assert hand_over.look().lines == ()


def test_every_case_tells_who_why_and_to_whom(cma_case, hand_over, database):
    case = hand_over.reviewed(cma_case)
    hand_over.go([case], reason="  调离本单位 ")
    with database.reading() as connection:
        last = connection.execute(select(AuditRecord).where(AuditRecord.case_id == case.id)
                                  .order_by(AuditRecord.seq.desc()).limit(1)).scalar_one_or_none()
        row = connection.execute(select(AuditRecord.action, AuditRecord.actor_name, AuditRecord.payload)
                                 .where(AuditRecord.id == last)).one()
    assert (row.action, row.actor_name) == ("hand_over", "administrator")
    assert (row.payload["leaver"], row.payload["successor"], row.payload["reason"]) == (
        "leaver", "successor", "调离本单位")


def test_whose_work_stays_has_it_since_then(cma_case, hand_over, database, clock):
    case = hand_over.reviewed(cma_case)
    clock.move(hours=5)
    hand_over.go([case])
    with database.reading() as connection:
        since = dict(connection.execute(select(TaskRecord.role, TaskRecord.opened_at)
                                        .where(TaskRecord.case_id == case.id)).all())
    assert since["team_leader"] - since["reviewer"] == timedelta(hours=5)


def test_a_conflict_is_said_and_the_next_successor_takes_it(cma_case, hand_over, bureau, database):  # noqa: F811
    case = hand_over.reviewed(cma_case)
    own = bureau.accounts.get(hand_over.successor.account_id)
    bureau.accounts.add_account("theirs", "correct horse 7", name="theirs", roles=[Role.APPLICANT],
                                person_id=own.person_id, agency_id=case.agency_id)
    other = bureau.account("other", Role.TEAM_LEADER)
    [line] = hand_over.look().lines
    assert line.successor == "" and "belongs to the applicant" in str(line.obstacles[0])
    assert "belongs to the applicant" in str(hand_over.go([case])[0].refusal)
    assert hand_over.go([case], hand_over.successor, other)[0].successor == "other"


@pytest.mark.parametrize(("who", "words"), [
    ("colleague", "cannot lead"), ("on the team", "on this team already"), ("took part", "another part"),
    ("no reviewer", "cannot lead"), ("leaver", "is the leaver"), ("no sector", "nobody of the team"),
])
def test_what_stands_in_the_way_is_said(cma_case, hand_over, bureau, database, who, words):  # noqa: F811
    successor = hand_over.successor
    if who in ("colleague", "on the team"):
        successor = hand_over.colleague
        if who == "on the team":
            bureau.accounts.set_roles(successor.account_id, [Role.TEAM_LEADER, Role.REVIEWER])
    elif who == "no reviewer":
        successor = bureau.account("clerk", Role.ISSUING_CLERK)
    elif who == "leaver":
        successor = hand_over.leaver
    able = [hand_over.leaver, bureau.account("elsewhere", Role.REVIEWER)]  # the leaver covers what the others do not
    if who != "no sector":
        able.append(hand_over.colleague)
    with database.writing() as connection:
        connection.execute(insert(ExpertiseRecord), [{"person_id": p.person_id, "sector": "生态环境"} for p in able])
    case = hand_over.reviewed(cma_case)
    if who == "took part":  # answered for a department before the case came back to the review
        table = table_of(CaseRecord)
        with database.writing() as connection:
            acts = connection.scalar(select(table.c.acts).where(table.c.id == case.id))
            connection.execute(table.update().where(table.c.id == case.id).values(
                acts=[*acts, ["sign_off", successor.person_id]]))
    [line] = hand_over.look(successor).lines
    assert line.successor == "" and words in " ".join(map(str, line.obstacles)), line.obstacles
    assert hand_over.go([case], successor)[0].refusal is not None


def test_a_seat_that_can_do_nothing_any_more_does_not_move(cma_case, hand_over):
    hand_over.reviewed(lambda state, **more: cma_case(state, track="general", **more))
    done = cma_case("closed")
    usual = done.file.case.fact("team_leader")
    leaver = hand_over.bureau.accounts.find(f"pool.{usual}")
    assert isinstance(leaver, Account)
    assert hand_over.store.look(hand_over.administrator, leaver.id, []).lines == ()


def test_a_repeated_send_moves_once_and_a_stale_one_not_at_all(cma_case, hand_over):
    case, key = hand_over.reviewed(cma_case), new_token()
    seen = case.version
    first = hand_over.go([case], ids=[key], seen=seen)
    again = hand_over.go([case], ids=[key], seen=seen)
    assert first == again and case.version == seen + 1
    assert "changed meanwhile" in str(hand_over.go([case], seen=seen)[0].refusal)


def test_one_that_cannot_go_holds_up_no_other(cma_case, hand_over, bureau):  # noqa: F811
    cases = [hand_over.reviewed(cma_case) for _ in range(3)]
    own = bureau.accounts.get(hand_over.successor.account_id)
    bureau.accounts.add_account("theirs", "correct horse 7", name="theirs", roles=[Role.APPLICANT],
                                person_id=own.person_id, agency_id=cases[1].agency_id)
    assert [bool(m.refusal) for m in hand_over.go(cases)] == [False, True, False]


def test_an_organiser_replaces_reviewers_and_nobody_else_hands_over(cma_case, hand_over, bureau):  # noqa: F811
    case, organiser = hand_over.reviewed(cma_case), bureau.account("organiser", Role.REVIEW_ORGANISER)
    assert hand_over.go([case], by=organiser)[0].successor == "successor"
    for role in (Role.LEADER, Role.WINDOW_OFFICER, Role.REVIEWER):
        with pytest.raises(Refusal) as caught:
            hand_over.look(by=factories.person("x", role))
        assert caught.value.code == "forbidden"


def test_delegations_of_the_leaver_end_when_that_is_asked_for(hand_over, bureau):  # noqa: F811
    key = bureau.delegate(hand_over.leaver, hand_over.successor, verbs=frozenset(Group))
    assert [d.public_id for d in hand_over.look().delegations] == [key]
    hand_over.go([], delegations_id="yes")
    [ended] = bureau.delegations.given(hand_over.leaver)
    assert ended.state == "revoked" and hand_over.look().delegations == ()


def test_a_role_that_nobody_else_holds_is_said(cma_case, hand_over, bureau):  # noqa: F811
    officer = bureau.account("officer", Role.DEPARTMENT_OFFICER, department="ecology")
    cma_case("awaiting_sign_off", departments=["ecology"])
    look = hand_over.store.look(hand_over.administrator, officer.account_id, [])
    assert [(alone.role, alone.department, alone.waiting) for alone in look.lonely] == [
        (Role.DEPARTMENT_OFFICER, "ecology", 1)]
    bureau.account("second", Role.DEPARTMENT_OFFICER, department="ecology")
    assert hand_over.store.look(hand_over.administrator, officer.account_id, []).lonely == ()


@pytest.mark.parametrize(("reason", "count", "code"), [("", 1, "malformed"), ("调离", BATCH + 1, "malformed")])
def test_no_reason_and_too_many_are_refused(hand_over, reason, count, code):
    chosen = [Chosen("x", 1, new_token()) for _ in range(count)]
    with pytest.raises(Refusal) as caught:
        hand_over.store.carry_out(hand_over.administrator, hand_over.leaver.account_id,
                                  [hand_over.successor.account_id], chosen, reason)
    assert caught.value.code == code


def test_work_transferred_and_advice_asked_move_too(cma_case, hand_over, bureau, database):  # noqa: F811
    """As the verbs keep them; whoever holds the role takes them, whoever does not is told."""
    leaver = hand_over.leaver.person_id
    case = cma_case("submitted")
    case.learn(assignments={"submitted": {"window_officer:": leaver}},
               consultations={"submitted": {"window_officer:": {
                   "person": "somebody", "role": "leader", "by": leaver, "question": "?"}}},
               person_names={leaver: "leaver"})
    with database.writing() as connection:
        connection.execute(insert(CasePartyRecord), {"case_id": case.id, "holder": f"person:{leaver}"})
    assert hand_over.look().lines[0].obstacles
    window = bureau.account("window", Role.WINDOW_OFFICER)
    assert hand_over.go([case], window)[0].successor == "window"
    facts = case.file.case.facts
    assert facts["assignments"] == {"submitted": {"window_officer:": window.person_id}}
    assert facts["consultations"]["submitted"]["window_officer:"]["by"] == window.person_id
    assert facts["person_names"][window.person_id] == "window"


@pytest.mark.parametrize("count", [2, 6])
def test_a_look_asks_a_bounded_number_of_statements(cma_case, hand_over, database, count):
    for _ in range(count):
        hand_over.reviewed(cma_case)
    with counted(database) as statements:
        assert len(hand_over.look().lines) == count
    assert len(statements) <= 12, statements
