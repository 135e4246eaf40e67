"""Separation of duties by the database: what the engine forgets to refuse is refused all the same."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from store import audit, separation
from store.database import Database
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord, SignOffRecord
from store.records.columns import table_of
from store.records.people import AccountRecord, PersonRecord
from store.records.separation import APPLICANT, ENTERED, SeparationRecord
from tests.store.factories import LEADER, MONDAY, CaseHand, count, department_officer, everything, person
from tests.store.statements import counted
from workflow import engine, procedures
from workflow.commands import Decide
from workflow.vocabulary import Actor, Refusal, Role

Factory = Callable[..., CaseHand]
TWO_HATS = person("leader", Role.WINDOW_OFFICER, account_id=501)  # the leader's other account
DECISIONS = ("grant", "refuse")


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that looks at no earlier act and no second answer."""
    for name in ("conflict", "second_answer", "withdrew"):
        monkeypatch.setattr(engine, name, lambda *_: None)


@pytest.fixture
def accepted_by_the_leader(cma_case: Factory) -> CaseHand:
    """A case awaiting the decision, accepted by the person who is going to decide it, with another account."""
    hand = cma_case("submitted")
    hand.take("accept", by=TWO_HATS)
    return hand.walk(("organise_review", "record_findings", "confirm_rows", "conclude_meets", "ask"))


def refused(database: Database, hand: CaseHand, action: str, **how: Any) -> str:
    """What the database says; nothing of the step is left behind."""
    before = everything(database)
    with pytest.raises(IntegrityError) as caught:
        hand.take(action, **how)
    assert everything(database) == before
    return str(caught.value.orig)


# -- the engine's check removed --------------------------------------------------------------------------------


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("action", DECISIONS)
def test_who_took_part_does_not_decide_even_when_the_engine_forgets(
    accepted_by_the_leader: CaseHand, database: Database, action: str
) -> None:
    assert "taken another part" in refused(database, accepted_by_the_leader, action, by=LEADER)
    accepted_by_the_leader.take(action, by=replace(LEADER, person_id="deputy", account_id=502))


@pytest.mark.usefixtures("forgetful")
def test_a_role_gained_later_does_not_free_anybody(cma_case: Factory, database: Database) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    hand.walk(("ask",))
    moved = person("officer-ecology", Role.LEADER, account_id=503)  # was a department's officer, now leads
    assert "taken another part" in refused(database, hand, "grant", by=moved)


@pytest.mark.usefixtures("forgetful")
def test_one_person_answers_for_one_department_even_when_the_engine_forgets(
    cma_case: Factory, database: Database
) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport", "construction"))
    hand.take("sign_off", by=department_officer("ecology", "two-hats"))
    refused(database, hand, "sign_off", by=department_officer("transport", "two-hats"))
    assert count(database, SignOffRecord, SignOffRecord.case_id == hand.id) == 1


@pytest.mark.usefixtures("forgetful")
def test_who_belongs_to_the_applicant_decides_nothing_even_when_the_engine_forgets(
    cma_case: Factory, database: Database
) -> None:
    hand = cma_case("submitted")
    with database.writing() as connection:
        connection.execute(insert(PersonRecord), {"id": "insider", "name": "内部"})
        connection.execute(
            insert(AccountRecord),
            {"login": "insider", "password_hash": "-", "person_id": "insider", "name": "内部", "created_at": MONDAY,
             "agency_id": hand.agency_id},
        )  # fmt: skip
    insider = person("insider", Role.WINDOW_OFFICER)
    assert "belongs to the applicant" in refused(database, hand, "accept", by=insider)


@pytest.mark.usefixtures("forgetful")
def test_the_first_version_is_held_to_its_own_rules(
    cma_case: Factory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = procedures.find("cma", 1)
    monkeypatch.setattr(procedures, "current", lambda name: first if name == "cma" else procedures.find(name, 1))
    hand = cma_case("submitted")
    hand.take("accept", by=TWO_HATS)
    hand.walk(("organise_review", "record_findings", "confirm_rows", "conclude_meets", "ask"))
    assert hand.file.procedure.version == 1
    assert "taken another part" in refused(database, hand, "grant", by=LEADER)


def test_the_engine_says_it_first_and_in_words(accepted_by_the_leader: CaseHand) -> None:
    with pytest.raises(Refusal, match="another part"):
        accepted_by_the_leader.take("grant", by=LEADER)


@pytest.mark.usefixtures("forgetful")
def test_a_database_without_its_guard_is_noticed(accepted_by_the_leader: CaseHand, database: Database) -> None:
    """Planted fault: the refusals above come from the guard and from nothing else."""
    on = "" if database.is_sqlite else " ON audit_entry"
    with database.writing() as connection:
        connection.execute(text(f"DROP TRIGGER audit_entry_separation{on}"))
    accepted_by_the_leader.take("grant", by=LEADER)
    assert accepted_by_the_leader.state == "granted"


# -- straight into the table --------------------------------------------------------------------------------------


def entry(hand: CaseHand, action: str, who: str, principal: str = "", **more: Any) -> dict[str, Any]:
    row = audit.audit_row(
        seq=1000, previous=audit.GENESIS, at=MONDAY, actor=Actor(77, who, who, frozenset()), action=action, role="",
        source="awaiting_decision", target="granted", case_id=hand.id, version=1000,
    )  # fmt: skip
    return {**row, "payload": {"for": {"person": principal}} if principal else {}, **more}


@pytest.mark.parametrize("action", ["grant", "refuse", "sign_off"])
@pytest.mark.parametrize("earlier", ["hand", "principal"])
@pytest.mark.parametrize("now", ["hand", "principal"])
def test_an_entry_that_violates_is_refused_whichever_of_both_persons_is_in_the_way(
    cma_case: Factory, database: Database, action: str, earlier: str, now: str
) -> None:
    """The hand and the person acted for, before and now: every pair is looked at."""
    hand = cma_case("awaiting_decision")
    on = "" if database.is_sqlite else " ON audit_entry"
    with database.writing() as connection:
        connection.execute(text(f"DROP TRIGGER audit_entry_in_stead{on}"))  # it wants a delegation; not of interest
        persons = {
            "hand": {"who": "twice", "principal": "someone"},
            "principal": {"who": "someone", "principal": "twice"},
        }
        first = entry(hand, "organise_review", **persons[earlier])
        connection.execute(insert(AuditRecord), {**first, "seq": 900, "command_id": "first", "target": "under_review"})
    second = {"hand": {"who": "twice", "principal": "other"}, "principal": {"who": "other", "principal": "twice"}}[now]
    with pytest.raises(IntegrityError, match="another part"), database.writing() as connection:
        connection.execute(insert(AuditRecord), entry(hand, action, **second))
    with database.writing() as connection:
        connection.execute(insert(AuditRecord), entry(hand, action, "other", "other-still"))


def test_a_case_whose_rules_are_not_known_does_not_move(cma_case: Factory, database: Database) -> None:
    hand = cma_case("awaiting_decision")
    with database.writing() as connection:
        connection.execute(update(table_of(CaseRecord)).values(procedure_digest="f" * 64))
    with pytest.raises(IntegrityError, match="not known"), database.writing() as connection:
        connection.execute(insert(AuditRecord), entry(hand, "grant", "nobody"))


# -- the rules as rows --------------------------------------------------------------------------------------------


def test_the_rules_of_a_definition_are_entered_before_its_first_case(cma_case: Factory, database: Database) -> None:
    procedure = cma_case("draft").file.procedure
    with database.reading() as connection:
        rows = connection.execute(select(table_of(SeparationRecord)))
        found = {(r.action, r.earlier) for r in rows if r.digest == procedure.digest}
    assert found == separation.rules_of(procedure)
    assert {("grant", "accept"), ("sign_off", "confirm_rows"), ("grant", APPLICANT), (ENTERED, ENTERED)} <= found
    assert ("submit", APPLICANT) not in found and ("note_silence", APPLICANT) not in found


def test_what_was_rolled_back_was_not_entered(database: Database) -> None:
    procedure = procedures.find("cma_verification", 1)
    with pytest.raises(RuntimeError), database.writing() as connection:
        separation.enter(connection, procedure)
        raise RuntimeError
    with database.writing() as connection:
        separation.enter(connection, procedure)
    assert count(database, SeparationRecord, SeparationRecord.digest == procedure.digest) > 1


def test_no_step_asks_for_the_rules_again(cma_case: Factory, database: Database) -> None:
    """The guard works inside the one statement that writes the step: nothing more is sent."""
    hand = cma_case("awaiting_decision")
    with counted(database) as statements:
        hand.take("refuse")
    assert statements and not any("separation" in s for s in statements)


@pytest.mark.parametrize("department", ["ecology"])
def test_an_answer_that_stands_counts_for_its_person(cma_case: Factory, database: Database, department: str) -> None:
    """Whose answer stands from round 1 does not answer for another department in round 2."""
    hand = cma_case("awaiting_sign_off", departments=(department, "transport"))
    hand.take("sign_off", by=department_officer(department, "two-hats"))
    hand.take("sign_off", by=department_officer("transport"))
    ask = hand.file.procedure.by_name["ask_departments_again"].command
    hand.take("ask_departments_again", ask(departments=("transport",), grounds="x"))
    with pytest.raises(Refusal, match="already answered"):
        hand.take("sign_off", by=department_officer("transport", "two-hats"))
    hand.take("sign_off", by=department_officer("transport", "colleague"))
    hand.take("grant", Decide(grounds="x"))
