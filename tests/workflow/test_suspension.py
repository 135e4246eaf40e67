"""A suspension rests the clocks of a case while it stays where it is, on a ground of a closed list."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.allowances import Allowance, Unit
from workflow.case import Case
from workflow.clocks import Law, turn
from workflow.deadlines import Calendar, CalendarYear, Clock
from workflow.procedure import DefinitionError, Procedure, load
from workflow.suspension import resume_all, suspend, suspended_for

MONDAY = date(2026, 3, 2)
LAW = Law(
    Calendar.of([CalendarYear(2026, {date(2026, 4, 6): "清明节"}, {date(2026, 4, 11): "调休"}, True)]),
    tuple(
        Allowance(name, amount, Unit.WORKING_DAYS, "invented article", date(2020, 1, 1))
        for name, amount in (("answer", 5), ("decision", 10))
    ),
)
DEFINITION = """
name: trial
version: 1
title: {en: Trial, zh: 试}
basis: {en: None, zh: 无}
initial: asked
tracks: {general: {en: General, zh: 一般}}
grounds:
  correction: {label: {en: the applicant is correcting, zh: 申请人补正}, article: 行政许可法第三十二条}
  hearing: {label: {en: a hearing is held, zh: 听证}, article: 行政许可法第四十五条}
states:
  asked: {label: {en: Asked, zh: 问}, duties: [{role: window_officer}]}
  correcting: {label: {en: Correcting, zh: 补}, duties: [{role: applicant}]}
  deciding: {label: {en: Deciding, zh: 决}, duties: [{role: leader}]}
  done: {label: {en: Done, zh: 毕}, final: true, outcome: closed}
clocks:
  answer:
    label: {en: Answer, zh: 答复}
    allowance: answer
    runs_in: [asked]
    rests_in: {correcting: correction}
    rests_for: [hearing]
    restarts: true
  decision:
    label: {en: Decision, zh: 决定}
    allowance: decision
    runs_in: [asked, deciding]
    rests_for: [hearing]
  patience:
    label: {en: Patience, zh: 耐心}
    allowance: answer
    runs_in: [asked, correcting, deciding]
actions:
  ask_back: {label: &l {en: x, zh: x}, done: *l, from: [asked], to: correcting, who: window_officer}
  correct: {label: *l, done: *l, from: [correcting], to: asked, who: is_the_applicant}
  pass_on: {label: *l, done: *l, from: [asked], to: deciding, who: window_officer}
  end: {label: *l, done: *l, from: [deciding], to: done, who: leader}
"""


def defined(folder: Path, change: str = "") -> Procedure:
    old, _, new = change.partition(" => ")
    assert old in DEFINITION
    text = DEFINITION.replace(old, new) if change else DEFINITION
    path = folder / "trial.v1.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


@pytest.fixture(scope="module")
def procedure(tmp_path_factory: pytest.TempPathFactory) -> Procedure:
    return defined(tmp_path_factory.mktemp("definition"))


class Walk:
    """A case whose steps are taken a number of days apart, with only its clocks turned."""

    def __init__(self, procedure: Procedure) -> None:
        self.procedure, self.on = procedure, MONDAY
        self.case = Case(1, "trial", 1, "asked", "general", 1)
        self._turn("asked")

    def _turn(self, target: str) -> None:
        clocks = turn(self.procedure, self.case, target, self.on, LAW)
        self.case = replace(self.case, state=target, clocks=clocks)

    def after(self, days: int) -> "Walk":
        self.on += timedelta(days=days)
        return self

    def to(self, state: str) -> "Walk":
        self._turn(state)
        return self

    def suspended(self, ground: str = "hearing") -> "Walk":
        self.case = suspend(self.case, ground)
        return self.to(self.case.state)

    def resumed(self) -> "Walk":
        self.case = resume_all(self.case)
        return self.to(self.case.state)

    def clock(self, name: str) -> Clock:
        return next(c for c in self.case.clocks if c.name == name)


def test_a_suspension_rests_the_clocks_that_name_its_ground_and_no_others(procedure: Procedure) -> None:
    walk = Walk(procedure).after(2).suspended()
    assert [c.name for c in walk.case.clocks if c.is_resting] == ["answer", "decision"]
    assert walk.clock("patience").is_running
    assert {c.rests[-1].ground for c in walk.case.clocks if c.is_resting} == {"hearing"}


def test_a_resumed_clock_goes_on_where_it_stopped_and_does_not_start_anew(procedure: Procedure) -> None:
    walk = Walk(procedure).after(2).suspended().after(5).resumed()
    answer = walk.clock("answer")
    assert answer.is_running
    assert answer.started_on == MONDAY
    # 3 March is counted; 4 to 9 March rest; 10, 11, 12, 13 March are counted.
    assert answer.due_on == date(2026, 3, 13)


def test_a_clock_that_starts_during_a_suspension_rests_from_its_first_day(procedure: Procedure) -> None:
    walk = Walk(procedure).to("correcting").suspended().after(1).to("asked")
    assert walk.clock("answer").is_resting
    assert walk.clock("answer").rests[-1].ground == "hearing"
    assert walk.after(7).resumed().clock("answer").is_running


def test_the_ground_of_the_state_goes_before_that_of_the_suspension(procedure: Procedure) -> None:
    walk = Walk(procedure).after(1).to("correcting").suspended()
    assert walk.clock("answer").rests[-1].ground == "correction"
    assert walk.after(3).resumed().clock("answer").rests[-1].ground == "correction"
    walk = Walk(procedure).after(1).suspended().after(1).to("correcting")
    assert [r.ground for r in walk.clock("answer").rests] == ["hearing", "correction"]


def test_a_step_during_a_suspension_leaves_the_clocks_at_rest(procedure: Procedure) -> None:
    walk = Walk(procedure).after(1).suspended().after(1).to("deciding")
    assert walk.clock("decision").is_resting
    assert len(walk.clock("decision").rests) == 1
    assert walk.clock("answer").is_stopped


def test_two_grounds_are_one_suspension_and_end_together(procedure: Procedure) -> None:
    walk = Walk(procedure).suspended().suspended("correction").suspended()
    assert suspended_for(walk.case) == ("hearing", "correction")
    assert suspended_for(walk.resumed().case) == ()
    assert not any(c.is_resting for c in walk.case.clocks)


@settings(max_examples=300, deadline=None)
@given(before=st.integers(0, 12), length=st.integers(0, 60))
def test_a_suspension_moves_the_due_day_by_the_working_days_it_took(
    procedure: Procedure, before: int, length: int
) -> None:
    walk = Walk(procedure).after(before)
    was = walk.clock("decision").due_on
    assert was is not None
    walk = walk.suspended()
    since = walk.on
    walk = walk.after(length).resumed()
    now = walk.clock("decision").due_on
    # The day of the event is not counted anyway, and what begins after the time ran out changes nothing.
    taken = LAW.calendar.count(max(since - timedelta(days=1), MONDAY), walk.on) if since <= was else 0
    assert now == LAW.calendar.nth_after(was, taken) >= was


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("rests_for: [hearing] => rests_for: [holidays]", "there is no ground called holidays"),
        ("{correcting: correction} => {correcting: illness}", "there is no ground called illness"),
        ("{correcting: correction} => {correcting: {en: rain, zh: 雨}}", "is not on the list of grounds"),
        ("{correcting: correction} => {asked: correction}", "cannot both run and rest in asked"),
        ("article: 行政许可法第四十五条 => article: ''", "grounds.hearing.article"),
    ],
)
def test_a_ground_that_is_not_on_the_list_is_refused_at_load(written: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=fault):
        defined(tmp_path, written)
