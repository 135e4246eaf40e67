"""Which clock runs, rests, restarts and stops on each way through the procedures, and what a lapse owes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from workflow import procedures
from workflow.allowances import Allowance, NoAllowance, Unit
from workflow.case import Case
from workflow.clocks import Law, due_on, lapsed, lapses_on, turn
from workflow.deadlines import Calendar, Clock, Outcome
from workflow.procedure import Procedure

MONDAY = date(2026, 3, 2)
AMOUNTS: Mapping[str, tuple[int, Unit]] = {
    "acceptance": (5, Unit.WORKING_DAYS),
    "commitment_decision": (5, Unit.WORKING_DAYS),
    "technical_review": (30, Unit.WORKING_DAYS),
    "rectification": (30, Unit.WORKING_DAYS),
    "decision": (10, Unit.WORKING_DAYS),
    "department_opinion": (5, Unit.WORKING_DAYS),
    "delivery": (7, Unit.WORKING_DAYS),
    "commitment_formal_check": (5, Unit.WORKING_DAYS),
    "commitment_delivery": (7, Unit.WORKING_DAYS),
    "commitment_verification": (3, Unit.MONTHS),
    "commitment_rectification": (30, Unit.WORKING_DAYS),
}
LAW = Law(
    Calendar.of(()),  # weekends only
    tuple(Allowance(n, amount, unit, "invented article", date(2020, 1, 1)) for n, (amount, unit) in AMOUNTS.items()),
)
LAW_OF_ALL = Law(
    LAW.calendar,
    tuple(
        Allowance(name, *AMOUNTS.get(name, (5, Unit.WORKING_DAYS)), "invented article", date(2020, 1, 1))
        for name in sorted(
            {clock.allowance for p in procedures.every() for clock in p.spec.clocks.values()}
            | {a.spec.extends.allowance for p in procedures.every() for a in p.actions if a.spec.extends}
        )
    ),
)
CMA, VERIFICATION = procedures.current("cma"), procedures.current("cma_verification")


class Walk:
    """A case led from state to state, a day at a time, with only its clocks turned."""

    def __init__(self, procedure: Procedure, track: str = "general", law: Law = LAW) -> None:
        self.procedure, self.on, self.law = procedure, MONDAY, law
        self.case = Case(1, procedure.name, 1, procedure.spec.initial, track, 1)
        self.case = replace(self.case, clocks=turn(procedure, self.case, self.case.state, self.on, law))

    def to(self, *states: str, days: int = 1) -> "Walk":
        for state in states:
            self.on += timedelta(days=days)
            clocks = turn(self.procedure, self.case, state, self.on, self.law)
            self.case = replace(self.case, state=state, clocks=clocks)
        return self

    def clock(self, name: str) -> Clock:
        return next(c for c in self.case.clocks if c.name == name)

    @property
    def shape(self) -> dict[str, str]:
        """Each clock that was ever started: running, resting, or how it ended."""
        return {
            c.name: c.outcome.value if c.outcome else "resting" if c.is_resting else "running"
            for c in self.case.clocks
        }


def test_no_clock_runs_while_the_application_is_prepared() -> None:
    assert Walk(CMA).shape == {}


def test_the_clocks_of_the_general_track_follow_one_another() -> None:
    walk = Walk(CMA).to("submitted")
    assert walk.shape == {"acceptance": "running"}
    walk.to("accepted")
    assert walk.shape == {"acceptance": "met", "review": "running"}
    walk.to("under_review", "awaiting_sign_off")
    running = {"decision": "running", "department_opinion": "running"}
    assert walk.shape == {"acceptance": "met", "review": "met", **running}
    walk.to("awaiting_decision")
    assert walk.shape == {"acceptance": "met", "review": "met", "decision": "running", "department_opinion": "met"}
    walk.to("granted", "printed")
    assert walk.shape["decision"] == "met"
    assert walk.shape["delivery"] == "running"
    walk.to("closed")
    assert set(walk.shape.values()) == {"met"}
    assert due_on(walk.case.clocks) is None


def test_a_correction_rests_the_acceptance_and_its_answer_starts_it_anew() -> None:
    walk = Walk(CMA).to("submitted")
    first_due = walk.clock("acceptance").due_on
    walk.to("correction_requested")
    assert walk.shape == {"acceptance": "resting"}
    assert walk.clock("acceptance").rests[0].ground == "correction"
    assert due_on(walk.case.clocks) is None
    walk.to("submitted")
    again = walk.clock("acceptance")
    assert again.started_on == walk.on
    assert again.rests == ()
    assert first_due is not None and again.due_on is not None and again.due_on > first_due


def test_a_rectification_rests_the_review_and_its_answer_resumes_it() -> None:
    walk = Walk(CMA).to("submitted", "accepted", "under_review")
    before = walk.clock("review")
    walk.to("rectification_ordered")
    assert walk.shape["review"] == "resting"
    assert walk.shape["rectification"] == "running"
    walk.to("rectified", days=7)
    resumed = walk.clock("review")
    assert resumed.started_on == before.started_on
    assert resumed.due_on is not None and before.due_on is not None and resumed.due_on > before.due_on
    assert walk.shape["rectification"] == "met"


def test_asking_the_departments_again_keeps_the_decision_clock_and_restarts_theirs() -> None:
    walk = Walk(CMA).to("submitted", "accepted", "under_review", "awaiting_sign_off", "awaiting_decision")
    decision, opinion = walk.clock("decision"), walk.clock("department_opinion")
    walk.to("awaiting_sign_off")
    assert walk.clock("decision") == decision
    assert walk.clock("department_opinion").started_on == walk.on > opinion.started_on


@pytest.mark.parametrize("state", ["submitted", "correction_requested", "accepted", "awaiting_decision"])
def test_a_retraction_drops_what_is_owed_rather_than_meeting_it(state: str) -> None:
    ways = {"submitted": (), "correction_requested": ("correction_requested",), "accepted": ("accepted",),
            "awaiting_decision": ("accepted", "under_review", "awaiting_sign_off", "awaiting_decision")}  # fmt: skip
    walk = Walk(CMA).to("submitted", *ways[state])
    owed = [c.name for c in walk.case.clocks if not c.is_stopped]
    walk.to("retracted")
    assert owed
    assert {walk.clock(name).outcome for name in owed} == {Outcome.DROPPED}


def test_a_clock_stopped_after_its_day_was_missed() -> None:
    assert Walk(CMA).to("submitted").to("accepted", days=30).shape["acceptance"] == "missed"


def test_the_commitment_track_has_one_clock_until_the_decision_and_one_for_the_formal_check() -> None:
    walk = Walk(CMA, "commitment").to("submitted")
    assert walk.shape == {"commitment_decision": "running", "commitment_formal_check": "running"}
    started = walk.clock("commitment_decision")
    walk.to("awaiting_decision")
    assert walk.clock("commitment_decision") == started
    walk.to("granted")
    assert walk.shape == {
        "commitment_decision": "met", "commitment_formal_check": "met", "commitment_delivery": "running"}


def test_verification_counts_months_and_its_rectification_working_days() -> None:
    walk = Walk(VERIFICATION)
    assert walk.clock("verification").due_on == date(2026, 6, 2)
    walk.to("under_verification", "rectification_ordered")
    assert walk.shape == {"verification": "met", "rectification": "running"}
    assert walk.clock("rectification").allowance.name == "commitment_rectification"


def test_a_clock_keeps_the_allowance_of_the_day_it_started() -> None:
    old = Allowance("acceptance", 5, Unit.WORKING_DAYS, "old", date(2020, 1, 1), date(2026, 3, 3))
    new = replace(old, amount=3, article="new", valid_from=date(2026, 3, 4), valid_to=None)
    law = Law(LAW.calendar, (old, new, *(a for a in LAW.allowances if a.name != "acceptance")))
    case = Case(1, "cma", 1, "draft", "general", 1)
    started = replace(case, state="submitted", clocks=turn(CMA, case, "submitted", date(2026, 3, 3), law))
    rested = turn(CMA, started, "correction_requested", date(2026, 3, 5), law)
    assert rested[0].allowance == old
    assert turn(CMA, case, "submitted", date(2026, 3, 4), law)[0].allowance == new


def test_an_allowance_that_is_not_in_force_is_said_not_guessed() -> None:
    with pytest.raises(NoAllowance, match="acceptance"):
        turn(CMA, Case(1, "cma", 1, "draft", "general", 1), "submitted", date(2019, 12, 31), LAW)


def test_a_lapse_is_owed_from_the_day_after_the_due_day_on() -> None:
    walk = Walk(CMA).to("submitted")
    due = walk.clock("acceptance").due_on
    assert due is not None
    assert lapses_on(CMA, walk.case.clocks) == due
    assert lapsed(CMA, walk.case.clocks, due) == ()
    assert lapsed(CMA, walk.case.clocks, due + timedelta(days=1)) == ("deem_accepted",)


def test_a_resting_or_stopped_clock_owes_nothing() -> None:
    walk = Walk(CMA).to("submitted", "correction_requested")
    assert lapses_on(CMA, walk.case.clocks) is None
    assert lapsed(CMA, walk.case.clocks, date(2030, 1, 1)) == ()
    assert lapsed(CMA, Walk(CMA).to("submitted", "not_accepted").case.clocks, date(2030, 1, 1)) == ()


def test_a_clock_without_a_lapse_action_reminds_but_owes_nothing() -> None:
    walk = Walk(CMA).to("submitted", "accepted")
    assert due_on(walk.case.clocks) == walk.clock("review").due_on
    assert lapses_on(CMA, walk.case.clocks) is None
    assert lapsed(CMA, walk.case.clocks, date(2030, 1, 1)) == ()


@pytest.mark.parametrize("procedure", procedures.every(), ids=lambda p: p.name)
def test_every_clock_that_rests_or_runs_survives_being_written_down(procedure: Procedure) -> None:
    walk = Walk(procedure, law=LAW_OF_ALL)
    for state in procedure.states:
        for clock in walk.to(state).case.clocks:
            assert Clock.from_plain(clock.plain()) == clock
