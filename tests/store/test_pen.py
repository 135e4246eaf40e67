"""The pen: one transaction writes a whole step, or nothing."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, delete, event, select

from store import audit, pen, together
from store.cases import CaseStore
from store.database import Database
from store.records.audit import AuditRecord
from store.records.cases import CasePartyRecord, CaseRecord, TaskRecord
from store.records.jobs import JobRecord
from store.registers import REGISTERS
from tests.store.factories import (
    COMMITMENT_WAYS,
    GENERAL_WAYS,
    LEADER,
    VERIFICATION_WAYS,
    CaseHand,
    MovableClock,
    count,
    department_officer,
    everything,
    flaws,
)
from tests.store.statements import counted
from workflow import procedures
from workflow.commands import ConfirmRows, Decide, Plain, RecordFindings, RecordSignOff
from workflow.vocabulary import Refusal

Factory = Callable[..., CaseHand]


class Broken(RuntimeError):
    """The planted fault."""


# -- whole cases ----------------------------------------------------------------------------------------------


def watched(hand: CaseHand, actions: Iterable[str], clock: MovableClock) -> CaseHand:
    """Walk, a quarter of an hour per act, and look at everything after each."""
    assert flaws(hand) == []
    for action in actions:
        clock.move(minutes=15)
        before, jobs = hand.file, count(hand.cases.database, JobRecord, JobRecord.case_id == hand.id)
        answer = hand.take(action)
        after = hand.file
        assert flaws(hand) == [], action
        assert (answer.version, answer.state) == (after.case.version, after.case.state)
        assert after.case.version == before.case.version + len(answer.steps)
        specs = [step.action.spec for step in answer.steps]
        asked = sum(len(s.jobs) + len(s.documents) + len(s.notify) for s in specs)
        assert count(hand.cases.database, JobRecord, JobRecord.case_id == hand.id) == jobs + asked, action
        newest = hand.cases.timeline(hand.public_id, LEADER if after.submitted_at else hand.applicant)[0]
        assert (newest.action, newest.target) == (answer.steps[-1].action.name, after.case.state)
    return hand


GENERAL = (
    "submit", "request_correction", "resubmit", "accept", "organise_review", "record_findings", "confirm_rows",
    "conclude_with_rectification", "submit_rectification", "confirm_rectification", "sign_off", "sign_off", "sign_off",
    "ask_departments_again", "sign_off", "sign_off", "sign_off", "grant", "record_rendering", "print_certificate",
    "deliver",
)  # fmt: skip
COMMITMENT = (
    "choose_commitment_track", "return_to_general_track", "choose_commitment_track", "sign_commitment",
    "submit_on_commitment", "request_correction", "resubmit", "pass_formal_check", "grant_on_commitment",
    "record_rendering", "print_certificate", "deliver",
)  # fmt: skip


def test_a_whole_general_case_keeps_everything_in_step(cma_case: Factory, clock: MovableClock) -> None:
    hand = cma_case(departments=("ecology", "construction", "transport"))
    for stretch in (GENERAL[:2], GENERAL[2:]):
        watched(hand, stretch, clock)
        hand.learn(corrections_open=0)  # the applicant has answered every item
    assert hand.state == "closed"
    assert hand.file.number == "2026-000001"
    assert hand.file.closed_at == clock.now()
    entries = hand.cases.timeline(hand.public_id, LEADER)
    assert [e.action for e in reversed(entries)] == [
        "open", *GENERAL[:13], "join_sign_offs", *GENERAL[13:17], "join_sign_offs", *GENERAL[17:]
    ]  # fmt: skip


def test_a_whole_commitment_case_opens_its_verification(cma_case: Factory, clock: MovableClock) -> None:
    hand = cma_case(commitment_bars=[])
    watched(hand, COMMITMENT[:6], clock)
    hand.learn(corrections_open=0)
    watched(hand, COMMITMENT[6:8], clock)
    assert hand.children() == []
    watched(hand, COMMITMENT[8:], clock)
    assert hand.state == "closed"
    [child] = hand.children()
    file = child.file
    assert file.parent_public_id == hand.public_id
    assert file.case.fact("verifies_case") == hand.public_id
    assert file.case.fact("certificate_number") == hand.file.case.fact("certificate_number")
    assert watched(child, VERIFICATION_WAYS["rectified_and_true"], clock).state == "rectified_and_true"


@pytest.mark.parametrize("state", GENERAL_WAYS)
def test_a_general_case_reaches_every_state(cma_case: Factory, state: str) -> None:
    hand = cma_case(state)
    assert (hand.state, flaws(hand)) == (state, [])


@pytest.mark.parametrize("state", COMMITMENT_WAYS)
def test_a_commitment_case_reaches_every_state(cma_case: Factory, state: str) -> None:
    hand = cma_case(state, track="commitment")
    assert (hand.state, flaws(hand)) == (state, [])


@pytest.mark.parametrize("state", VERIFICATION_WAYS)
def test_a_verification_reaches_every_state(verification_case: Factory, state: str) -> None:
    hand = verification_case(state)
    assert (hand.state, flaws(hand)) == (state, [])


def test_a_flaw_is_seen(cma_case: Factory, database: Database) -> None:
    """What looks at everything is known to see: each planted flaw is named."""
    hand = cma_case("awaiting_sign_off")
    with database.writing() as connection:
        connection.execute(delete(TaskRecord).where(TaskRecord.case_id == hand.id))
        connection.execute(delete(CasePartyRecord).where(CasePartyRecord.case_id == hand.id))
        connection.execute(
            CaseRecord.__table__.update().where(CaseRecord.id == hand.id)  # type: ignore[attr-defined]
            .values(due_on=pen.NEVER, audit_hash="0" * 64)
        )  # fmt: skip
    assert flaws(hand) == ["tasks", "due date", "parties", "audit"]


# -- all or nothing -----------------------------------------------------------------------------------------------


def breaking_statement(database: Database, number: int) -> Callable[[], None]:
    """Make the statement of that number fail, counted from now; returns what takes the fault out again."""
    seen = 0

    def fail(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise Broken(f"statement {number}")

    event.listen(database.engine, "before_cursor_execute", fail)
    return lambda: event.remove(database.engine, "before_cursor_execute", fail)


@pytest.mark.parametrize(
    "state, track, action",
    [("awaiting_decision", "commitment", "grant_on_commitment"), ("awaiting_decision", "general", "grant"),
     ("submitted", "general", "request_correction"), ("under_review", "general", "confirm_rows")],
)  # fmt: skip
def test_whichever_statement_fails_nothing_has_happened(
    cma_case: Factory, database: Database, state: str, track: str, action: str
) -> None:
    hand = cma_case(state, track=track)
    before, version = everything(database), hand.version
    command, actor = hand.usual(action), hand.usual_actor(action)
    for number in range(1, 60):
        repair = breaking_statement(database, number)
        try:
            hand.take(action, command, by=actor, version=version)
        except Broken:
            repair()
            assert everything(database) == before, f"statement {number} left something behind"
        else:
            repair()
            break
    assert number > (4 if database.is_sqlite else 2)  # PostgreSQL: the lock, and all writes together
    assert everything(database) != before
    assert flaws(hand) == []


def test_a_failing_register_undoes_everything(
    cma_case: Factory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = cma_case("awaiting_decision")
    before, real = everything(database), REGISTERS["issue_certificate"]

    def refusing(*arguments: Any) -> Any:
        real(*arguments)
        raise Refusal("unmet", procedures.current("cma").by_name["grant"].label)

    monkeypatch.setitem(REGISTERS, "issue_certificate", refusing)
    with pytest.raises(Refusal):
        hand.take("grant")
    assert everything(database) == before


def test_a_pen_that_commits_early_is_noticed(
    cma_case: Factory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison above is known to be able to fail."""
    hand = cma_case("submitted")
    before = everything(database)

    real = together.write

    def write_then_break(connection: Connection, *sent: Any) -> None:
        real(connection, *sent)
        connection.commit()
        raise Broken

    monkeypatch.setattr(together, "write", write_then_break)
    with pytest.raises(Broken):
        hand.take("accept")
    assert everything(database) != before


def test_a_failing_audit_undoes_everything(
    cma_case: Factory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = cma_case("submitted")
    before = everything(database)

    def fail(*_: Any, **__: Any) -> None:
        raise Broken

    monkeypatch.setattr(audit, "audit_row", fail)
    with pytest.raises(Broken):
        hand.take("accept")
    assert everything(database) == before


def test_a_step_writes_its_case_in_one_statement_on_postgresql(cma_case: Factory, database: Database) -> None:
    hand = cma_case("submitted")
    command, actor, version = hand.usual("request_correction"), hand.usual_actor("request_correction"), hand.version
    with counted(database) as statements:
        hand.take("request_correction", command, by=actor, version=version)
    touching = [s for s in statements if any(name in s for name in ("audit_entry", "task", "outgoing_job"))]
    locking = [s for s in statements if "FOR UPDATE" in s]
    assert (len(touching), len(locking)) == (4, 0) if database.is_sqlite else (1, 1)


def test_nothing_is_written_unless_the_case_is_as_it_was_read(cma_case: Factory, database: Database) -> None:
    hand = cma_case("submitted")
    before = everything(database)
    task = {"case_id": hand.id, "role": "leader", "holder": "", "due_on": pen.NEVER, "opened_at": database.clock.now()}
    guard = pen._CASE.update().where(pen._CASE.c.id == bindparam("key"), pen._CASE.c.version == bindparam("seen"))
    guard = guard.values(subject=bindparam("said"))
    for seen, found in ((hand.version - 1, False), (hand.version, True)):
        values = {"key": hand.id, "seen": seen, "said": "other"}
        with database.writing() as connection:
            written = together.write(connection, guard, values, [(pen._TASK, [task])])
        assert written is found
        assert (everything(database) == before) is not found


# -- who may, and with what ---------------------------------------------------------------------------------------


def test_a_case_that_is_not_yours_does_not_exist_for_you(cma_case: Factory, cases: CaseStore) -> None:
    draft, filed, other = cma_case(), cma_case("submitted"), cma_case()
    outsider = department_officer("meteorology")
    for hand, actor in ((draft, LEADER), (draft, other.applicant), (filed, other.applicant), (filed, outsider)):
        for attempt in (
            lambda h=hand, a=actor: cases.get(h.public_id, a),
            lambda h=hand, a=actor: cases.timeline(h.public_id, a),
            lambda h=hand, a=actor: cases.permit(h.public_id, "accept", a),
            lambda h=hand, a=actor: h.take("accept", by=a),
        ):
            with pytest.raises(Refusal) as caught:
                attempt()
            assert caught.value.code == "unknown"


def test_a_draft_that_was_retracted_was_never_filed(cma_case: Factory, cases: CaseStore) -> None:
    hand = cma_case()
    hand.take("retract")
    assert hand.file.submitted_at is None
    with pytest.raises(Refusal):
        cases.get(hand.public_id, LEADER)
    assert cases.get(hand.public_id, hand.applicant).case.state == "retracted"


def test_a_step_that_needs_the_password_is_not_taken_without(cma_case: Factory, database: Database) -> None:
    hand = cma_case("awaiting_decision")
    before = everything(database)
    with pytest.raises(Refusal) as caught:
        hand.take("grant", reauthenticated=False)
    assert (caught.value.code, caught.value.field) == ("forbidden", "password")
    assert everything(database) == before


def test_a_department_that_is_no_longer_asked_loses_sight_of_the_case(cma_case: Factory, cases: CaseStore) -> None:
    hand = cma_case("correction_requested", departments=("ecology", "transport"))
    assert cases.get(hand.public_id, department_officer("transport"))
    hand.learn(departments=["ecology", "construction"], corrections_open=0)
    hand.take("resubmit")
    assert cases.get(hand.public_id, department_officer("construction"))
    with pytest.raises(Refusal):
        cases.get(hand.public_id, department_officer("transport"))
    assert flaws(hand) == []


def test_a_clock_that_ran_back_stops_the_pen(cma_case: Factory, clock: MovableClock, database: Database) -> None:
    hand = cma_case("submitted")
    before = everything(database)
    clock.move(days=-1)
    with pytest.raises(Refusal) as caught:
        hand.take("accept")
    assert caught.value.code == "unmet"
    assert everything(database) == before
    clock.move(days=1, seconds=-1)  # servers that differ by a second still work, and time does not run back
    hand.take("accept")
    newest, older = hand.cases.timeline(hand.public_id, LEADER)[:2]
    assert newest.at == older.at


def test_the_local_day_is_that_of_the_very_moment(cma_case: Factory, clock: MovableClock) -> None:
    clock.move_to(clock.today(), hour=23)
    hand = cma_case("submitted")
    assert hand.file.case.clocks[0].started_on == clock.today()
    clock.move(hours=1)  # midnight in Shanghai, still the same day in UTC
    hand.take("accept")
    assert [c.started_on for c in hand.file.case.clocks if c.name == "review"] == [clock.today()]


# -- registers of the review ---------------------------------------------------------------------------------------


def test_rows_are_confirmed_all_then_except(cma_case: Factory) -> None:
    hand = cma_case("under_review", rows=5)
    hand.take("confirm_rows")
    hand.take("confirm_rows", ConfirmRows(rows=(2, 4), confirmed=False, reason="设备不足"))
    facts = hand.file.case.facts
    assert [facts[f"rows_{n}"] for n in ("total", "open", "confirmed", "refused")] == [5, 0, 3, 2]


@pytest.mark.parametrize(
    "action, command",
    [("confirm_rows", ConfirmRows(rows=(1, 99), ways=("document",))),
     ("record_findings", RecordFindings(lines=(("8(1)", "meets", ""), ("99", "meets", ""))))],
)  # fmt: skip
def test_a_row_or_line_that_does_not_exist_refuses_the_whole_command(
    cma_case: Factory, database: Database, action: str, command: Any
) -> None:
    hand = cma_case("under_review")
    before = everything(database)
    with pytest.raises(Refusal) as caught:
        hand.take(action, command)
    assert caught.value.code == "malformed"
    assert everything(database) == before


def test_every_register_that_a_definition_names_exists() -> None:
    for procedure in procedures.every():
        for action in procedure.actions:
            assert set(action.spec.registers) <= set(REGISTERS), action.name


def test_nobody_can_be_asked_to_act_for_the_system(cma_case: Factory, cases: CaseStore) -> None:
    hand = cma_case("submitted")
    with pytest.raises(Refusal) as caught:
        cases.perform(hand.public_id, "deem_accepted", LEADER, Plain(), command_id="x", expected_version=hand.version)
    assert caught.value.code == "forbidden"


def test_the_answer_of_a_department_is_kept_as_given(cma_case: Factory, database: Database) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    hand.take("sign_off", RecordSignOff(verdict="object", opinion="排放口未监测"), by=department_officer("ecology"))  # type: ignore[arg-type]
    assert hand.state == "awaiting_decision"  # settled: nobody else can change it
    with pytest.raises(Refusal, match="have not agreed"):
        hand.take("grant", Decide(grounds="符合"))
    with database.reading() as connection:
        payload = connection.scalar(
            select(AuditRecord.payload).where(AuditRecord.case_id == hand.id, AuditRecord.department == "ecology")
        )
    assert payload == {"verdict": "object", "opinion": "排放口未监测"}
