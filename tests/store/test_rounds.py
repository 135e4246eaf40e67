"""Rounds of a sign-off in the database: what stands, from when, why the rest is asked again; and what silence does."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from store.cases import CaseStore
from store.database import Database
from store.records.audit import AuditRecord
from store.records.cases import SignOffRecord, TaskRecord
from store.records.columns import table_of
from tests.store.factories import LEADER, CaseHand, MovableClock, department_officer, flaws
from tests.store.statements import counted
from workflow import procedures
from workflow.commands import AskAgain, ConfirmRows, Decide, RecordSignOff
from workflow.verb_commands import Return
from workflow.vocabulary import Refusal

Factory = Callable[..., CaseHand]


def objected(hand: CaseHand, department: str) -> None:
    command = RecordSignOff(verdict="object", opinion="不同意")  # type: ignore[arg-type]
    hand.take("sign_off", command, by=department_officer(department))


def agreed(hand: CaseHand, *departments: str) -> None:
    for department in departments:
        hand.take("sign_off", by=department_officer(department))


def rows(hand: CaseHand, number: int) -> dict[str, tuple[int | None, str]]:
    """Department -> from which round its answer stands, and when it was given."""
    s = SignOffRecord
    with hand.cases.database.reading() as connection:
        found = connection.execute(
            select(s.department, s.carried_from, s.at).where(s.case_id == hand.id, s.round == number)
        )
        return {r.department: (r.carried_from, r.at.isoformat()) for r in found}


def waiting(hand: CaseHand) -> list[str]:
    with hand.cases.database.reading() as connection:
        return sorted(connection.scalars(select(TaskRecord.holder).where(TaskRecord.case_id == hand.id)))


def ask_again(hand: CaseHand, *departments: str) -> None:
    hand.take("ask_departments_again", AskAgain(departments=departments, grounds="须核实"))


def test_an_answer_that_stands_is_a_row_that_names_its_round_and_keeps_its_moment(
    cma_case: Factory, clock: MovableClock
) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "construction", "transport"))
    agreed(hand, "ecology", "construction")
    given = {d: at for d, (_, at) in rows(hand, 1).items()}
    clock.move(hours=2)
    objected(hand, "transport")
    clock.move(hours=2)
    ask_again(hand, "transport")
    assert rows(hand, 2) == {"ecology": (1, given["ecology"]), "construction": (1, given["construction"])}
    assert waiting(hand) == ["department:transport"]
    assert flaws(hand) == []
    agreed(hand, "transport")
    assert hand.state == "awaiting_decision"
    assert hand.take("grant", Decide(grounds="符合")).state == "granted"


def test_the_entry_of_the_new_round_says_who_stands_and_who_is_asked(cma_case: Factory, database: Database) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    agreed(hand, "ecology")
    objected(hand, "transport")
    ask_again(hand, "transport")
    a = AuditRecord
    with database.reading() as connection:
        payload = connection.scalar(
            select(a.payload).where(a.case_id == hand.id, a.action == "ask_departments_again")
        )
    assert payload == {
        "departments": ["transport"], "grounds": "须核实",
        "round": 2, "stand": {"ecology": 1}, "changed": {}, "again": ["transport"],
    }  # fmt: skip


def test_after_a_return_to_the_review_only_whom_a_changed_row_concerns_is_asked_again(cma_case: Factory) -> None:
    """The rows are all about water: ecology is asked about them, transport is not."""
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    agreed(hand, "ecology", "transport")
    leaving = hand.file.procedure.leaving("awaiting_decision")
    [back] = [a.name for a in leaving if a.target == "under_review" and a.command is Return]
    hand.take(back, Return(reason="第1项方法已废止"), by=LEADER)
    hand.take("confirm_rows", ConfirmRows(rows=(1,), confirmed=False, reason="方法已废止"))
    hand.take("conclude_meets")
    assert (hand.state, hand.file.case.round) == ("awaiting_sign_off", 2)
    assert waiting(hand) == ["department:ecology"]
    assert [d for d, (since, _) in rows(hand, 2).items() if since == 1] == ["transport"]
    assert flaws(hand) == []


def test_the_first_version_asks_everybody_again(cma_case: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    first = procedures.find("cma", 1)
    monkeypatch.setattr(procedures, "current", lambda name: first)
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    agreed(hand, "ecology")
    objected(hand, "transport")
    hand.take("ask_departments_again")
    assert rows(hand, 2) == {} and waiting(hand) == ["department:ecology", "department:transport"]


def test_reading_the_answers_where_a_step_leads_back_costs_no_statement_of_its_own(
    cma_case: Factory, database: Database
) -> None:
    """A review that nobody has signed off yet pays nothing for it; on PostgreSQL nobody ever does."""
    hand = cma_case("under_review").walk(("record_findings", "confirm_rows"))
    command, actor, version = hand.usual("conclude_meets"), hand.usual_actor("conclude_meets"), hand.version
    with counted(database) as statements:
        hand.take("conclude_meets", command, by=actor, version=version)
    assert statements and not any(s.startswith("SELECT sign_off") for s in statements)


# -- silence -----------------------------------------------------------------------------------------------------


def silences(hand: CaseHand) -> int:
    a = table_of(AuditRecord)
    with hand.cases.database.reading() as connection:
        return len(
            connection.execute(select(a.c.id).where(a.c.case_id == hand.id, a.c.action == "note_silence")).all()
        )


def test_a_lapse_is_noted_once_and_lets_the_leader_decide_without_the_silent(
    cma_case: Factory, cases: CaseStore, clock: MovableClock
) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    agreed(hand, "ecology")
    with pytest.raises(Refusal, match="still have time"):
        hand.take("close_sign_off", Decide(grounds="逾期"), by=LEADER)
    clock.move_to(date(2026, 3, 10))  # five working days from Monday the 2nd are over
    for _ in range(3):
        cases.lapse()
    assert silences(hand) == 1
    assert waiting(hand)[0] == "department:transport"
    hand.take("close_sign_off", Decide(grounds="交通部门逾期未答复"), by=LEADER)
    assert hand.state == "awaiting_decision" and flaws(hand) == []
    assert hand.take("grant", Decide(grounds="符合")).state == "granted"


def test_a_late_answer_is_still_taken_and_is_not_stale_for_the_note(
    cma_case: Factory, cases: CaseStore, clock: MovableClock
) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    seen = hand.version
    clock.move_to(date(2026, 3, 10))
    cases.lapse()
    assert hand.version > seen
    hand.take("sign_off", by=department_officer("ecology"), version=seen)
    assert hand.file.case.answered() == {"ecology"}


def test_a_new_round_gives_the_departments_their_time_again(
    cma_case: Factory, cases: CaseStore, clock: MovableClock
) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    clock.move_to(date(2026, 3, 10))
    cases.lapse()
    hand.take("close_sign_off", Decide(grounds="逾期"), by=LEADER)
    ask_again(hand)
    cases.lapse()
    assert (hand.file.case.round, silences(hand)) == (2, 1)
    with pytest.raises(Refusal, match="still have time"):
        hand.take("close_sign_off", Decide(grounds="逾期"), by=LEADER)
    clock.move_to(date(2026, 3, 18))
    cases.lapse()
    assert silences(hand) == 2


# -- the constraints -----------------------------------------------------------------------------------------------


def row_of(hand: CaseHand, **more: object) -> dict[str, object]:
    return {"case_id": hand.id, "round": 1, "department": "water", "verdict": "agree", "opinion": "",
            "person_id": "officer-water", "at": hand.cases.database.clock.now(), "carried_from": None,
            "rests_on": {}, **more}  # fmt: skip


@pytest.mark.parametrize(
    "wrong, constraint",
    [
        ({"department": "ecology"}, "department"),
        ({"person_id": "officer-ecology"}, "person_id"),
        ({"verdict": "perhaps"}, "verdict"),
        ({"carried_from": 1}, "carried_from"),
    ],
)
def test_the_table_of_answers_refuses_by_itself(
    cma_case: Factory, database: Database, wrong: dict[str, object], constraint: str
) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    agreed(hand, "ecology")
    with pytest.raises(IntegrityError, match=constraint), database.writing() as connection:
        connection.execute(insert(SignOffRecord), row_of(hand, **wrong))
    with database.writing() as connection:
        for number, verdict in enumerate(("agree", "object", "abstain", "recused"), 2):
            connection.execute(insert(SignOffRecord), row_of(hand, round=number, verdict=verdict, carried_from=1))
