"""Limits of a case as values: who is told when, what an extension needs, a limit that runs to a fixed day."""

import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflow import oracle_calendar as oracle
from tests.workflow.test_deadlines import CALENDAR
from workflow.alarms import Alarm, AlarmKind, alarms, alarms_on, escalations, told
from workflow.allowances import Allowance, Unit
from workflow.case import Case
from workflow.clocks import Law, counted_by, lapsed, turn
from workflow.commands import Decide, ExtendWithApproval, Plain
from workflow.deadlines import Clock, Outcome, Rest, Why, due, extend, reckoning, rest, resume, start
from workflow.engine import fire, offers
from workflow.notes import NOTES, alarm_notes, recount_note
from workflow.procedure import DefinitionError, Duty, Procedure, load
from workflow.vocabulary import Actor, Refusal, Role
from workflow.workdays import CalendarYear, DayKind

MONDAY = date(2026, 3, 2)
ONE_DAY = timedelta(days=1)


def allowance(name: str, amount: int, unit: Unit = Unit.WORKING_DAYS) -> Allowance:
    return Allowance(name, amount, unit, f"article of {name}", date(2020, 1, 1))


LAW = Law(
    CALENDAR,
    (
        allowance("joint_handling", 45), allowance("joint_handling_extension", 15), allowance("answer", 5),
        allowance("ahead", 3, Unit.MONTHS), allowance("months_more", 1, Unit.MONTHS),
    ),
)  # fmt: skip
DEFINITION = """
name: joint
version: 1
title: {en: Joint, zh: 联}
basis: {en: None, zh: 无}
initial: asked
tracks: {general: {en: General, zh: 一般}}
states:
  asked: {label: &l {en: x, zh: x}, duties: [{role: window_officer}]}
  handled: {label: *l, duties: [{role: leader}]}
  back: {label: *l, duties: [{role: applicant}], editable: true}
  done: {label: *l, final: true, outcome: closed}
clocks:
  joint:
    label: {en: Joint handling, zh: 联合办理}
    allowance: joint_handling
    runs_in: [asked, handled]
  answer:
    label: *l
    allowance: answer
    runs_in: [asked]
    rests_in: {back: {en: correcting, zh: 补正}}
    restarts: true
    reminds: 2
    on_lapse: answer_by_law
  expiry:
    label: *l
    allowance: ahead
    until: {fact: ends_on, article: article fifty}
    runs_in: [asked, handled]
    on_lapse: renew_by_law
actions:
  ask_back: {label: *l, done: *l, from: [asked], to: back, who: window_officer}
  come_back: {label: *l, done: *l, from: [back], to: asked, who: is_the_applicant}
  answer: {label: *l, done: *l, from: [asked], to: handled, who: window_officer}
  answer_by_law: {label: *l, done: *l, from: [asked], to: handled, who: is_the_system}
  renew_by_law: {label: *l, done: *l, from: [asked, handled], who: is_the_system}
  extend_joint:
    label: *l
    done: *l
    from: [asked, handled]
    who: leader
    command: ExtendWithApproval
    extends: {clock: joint, allowance: joint_handling_extension}
    notify: [told]
  finish: {label: *l, done: *l, from: [handled], to: done, who: leader}
"""


def defined(folder: Path, change: str = "") -> Procedure:
    old, _, new = change.partition(" => ")
    assert old in DEFINITION
    path = folder / "joint.v1.yaml"
    path.write_text(DEFINITION.replace(old, new) if change else DEFINITION, encoding="utf-8")
    return load(path)


@pytest.fixture(scope="module")
def procedure(tmp_path_factory: pytest.TempPathFactory) -> Procedure:
    return defined(tmp_path_factory.mktemp("definition"))


def actor(role: Role) -> Actor:
    return Actor(1, f"person-{role.value}", "某人", frozenset({role}), agency_id=7 if role is Role.APPLICANT else None)


LEADER, WINDOW, APPLICANT = actor(Role.LEADER), actor(Role.WINDOW_OFFICER), actor(Role.APPLICANT)
APPROVED = ExtendWithApproval(grounds="须多部门协调", approved_by="副市长", approval_number="1号")


def opened(procedure: Procedure, on: date = MONDAY, **facts: str) -> Case:
    case = Case(1, "joint", 1, "asked", "general", 7, facts=facts)
    return replace(case, clocks=turn(procedure, case, "asked", on, LAW))


def taken(procedure: Procedure, case: Case, name: str, who: Actor, on: date, command: object = None) -> Case:
    return fire(procedure, case, name, who, command or Plain(), on, LAW)[-1].after  # type: ignore[arg-type]


def clock(case: Case, name: str) -> Clock:
    return next(c for c in case.clocks if c.name == name)


# -- extension ---------------------------------------------------------------------------------------------


def test_joint_handling_has_45_working_days_and_15_more_with_the_approval_of_the_government(
    procedure: Procedure,
) -> None:
    case = opened(procedure)
    assert clock(case, "joint").due_on == oracle.due(MONDAY, 45)[0]
    later = taken(procedure, case, "extend_joint", LEADER, MONDAY + 3 * ONE_DAY, APPROVED)
    assert clock(later, "joint").due_on == oracle.due(MONDAY, 60)[0]
    assert clock(later, "joint").extensions[0].reason == "须多部门协调"
    assert (later.state, later.version) == ("asked", case.version + 1)


def test_an_extension_is_granted_once_before_the_end_and_by_the_approver_alone(procedure: Procedure) -> None:
    case = opened(procedure)
    last = clock(case, "joint").due_on
    assert last is not None
    taken(procedure, case, "extend_joint", LEADER, last, APPROVED)
    with pytest.raises(Refusal, match="over"):
        taken(procedure, case, "extend_joint", LEADER, last + ONE_DAY, APPROVED)
    with pytest.raises(Refusal) as others:
        taken(procedure, case, "extend_joint", WINDOW, MONDAY, APPROVED)
    assert others.value.code == "forbidden"
    with pytest.raises(Refusal) as malformed:
        taken(procedure, case, "extend_joint", LEADER, MONDAY, Decide(grounds="x"))
    assert malformed.value.code == "malformed"
    once = taken(procedure, case, "extend_joint", LEADER, MONDAY, APPROVED)
    with pytest.raises(Refusal, match="only once"):
        taken(procedure, once, "extend_joint", LEADER, MONDAY, APPROVED)
    [offer] = [o for o in offers(procedure, once, LEADER) if o.action.name == "extend_joint"]
    assert offer.unmet is not None


@pytest.mark.parametrize("field", ["grounds", "approved_by", "approval_number"])
def test_an_approval_from_above_says_why_who_and_on_which_paper(field: str) -> None:
    with pytest.raises(Refusal) as refused:
        ExtendWithApproval(**({"grounds": "x", "approved_by": "y", "approval_number": "z"} | {field: " "}))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("{clock: joint, => {clock: nothing,", "there is no clock called nothing"),
        ("command: ExtendWithApproval => command: Plain", "names its grounds"),
        ("notify: [told] => notify: []", "must be told"),
        ("who: leader\n    command => who: is_the_applicant\n    command", "approved by somebody of the authority"),
        ("[asked, handled]\n    who: leader => [asked, back]\n    who: leader", "neither runs nor rests in back"),
        ("fact: ends_on, article: article fifty => fact: ends_on, article: ''", "article"),
        ("on_lapse: renew_by_law => on_lapse: nothing", "there is no action called nothing"),
    ],
)  # fmt: skip
def test_an_extension_that_lacks_what_the_law_asks_is_refused_at_load(
    change: str, fault: str, tmp_path: Path
) -> None:
    with pytest.raises(DefinitionError, match=fault):
        defined(tmp_path, change)


days = st.integers(0, 400).map(lambda n: date(2026, 1, 1) + n * ONE_DAY)


@settings(max_examples=300, deadline=None)
@given(
    started_on=days, amount=st.integers(0, 60), more=st.integers(0, 30),
    pauses=st.lists(st.integers(0, 20), max_size=6),
)  # fmt: skip
def test_no_extension_and_no_rest_ever_moves_a_date_earlier(
    started_on: date, amount: int, more: int, pauses: list[int]
) -> None:
    going = start("trial", allowance("trial", amount), started_on, CALENDAR)
    at, dues = started_on, [going.due_on]
    for number, length in enumerate(pauses):
        at += timedelta(days=length)
        going = rest(going, at, "听证", CALENDAR) if number % 2 == 0 else resume(going, at, CALENDAR)
        dues.append(going.due_on)
    known = [d for d in dues if d is not None]
    assert known == sorted(known)
    extended = extend(going, allowance("more", more), at, "须协调", CALENDAR)
    if going.due_on is not None and extended.due_on is not None:
        assert extended.due_on >= going.due_on
        assert CALENDAR.count(going.due_on, extended.due_on) >= more


def test_the_days_that_only_the_extension_gives_are_told_apart(procedure: Procedure) -> None:
    going = extend(
        start("trial", allowance("trial", 5), MONDAY, CALENDAR), allowance("more", 2), MONDAY, "须协调", CALENDAR
    )
    lines = reckoning(going, CALENDAR).lines
    assert [(str(li.since)[5:], li.counted, li.extended) for li in lines] == [
        ("03-02", 0, False), ("03-03", 4, False), ("03-07", 0, False), ("03-09", 1, False), ("03-10", 2, True),
    ]  # fmt: skip


def test_a_limit_that_starts_anew_says_since_when_and_from_when_first(procedure: Procedure) -> None:
    case = opened(procedure)
    case = taken(procedure, case, "ask_back", WINDOW, MONDAY + ONE_DAY)
    case = taken(procedure, case, "come_back", APPLICANT, MONDAY + 7 * ONE_DAY)
    first = reckoning(clock(case, "answer"), CALENDAR).lines[0]
    assert (first.why, first.since, first.note) == (Why.STARTED_ANEW, MONDAY + 7 * ONE_DAY, "2026-03-02")
    assert clock(case, "answer").due_on == date(2026, 3, 16)
    assert Clock.from_plain(clock(case, "answer").plain()) == clock(case, "answer")


# -- a limit that runs to a fixed day ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "runs"), [(date(2026, 3, 30), True), (date(2026, 3, 31), False), (date(2025, 6, 1), True)]
)
def test_a_limit_to_a_fixed_day_runs_only_when_it_starts_in_time(
    procedure: Procedure, on: date, runs: bool
) -> None:
    case = opened(procedure, on, ends_on="2026-06-30")
    assert [c.due_on for c in case.clocks if c.name == "expiry"] == ([date(2026, 6, 30)] if runs else [])


def test_without_its_fact_it_does_not_run(procedure: Procedure) -> None:
    assert not [c for c in opened(procedure).clocks if c.name == "expiry"]
    assert not [c for c in opened(procedure, ends_on="").clocks if c.name == "expiry"]


def test_its_lapse_is_acted_on_once_though_the_case_stays_where_it_is(procedure: Procedure) -> None:
    case = opened(procedure, ends_on="2026-06-30")
    case = taken(procedure, case, "answer", WINDOW, MONDAY + ONE_DAY)
    assert lapsed(procedure, case.clocks, date(2026, 6, 30)) == ()
    assert lapsed(procedure, case.clocks, date(2026, 7, 5)) == ("renew_by_law",)
    system = Actor(0, "system", "系统", frozenset({Role.SYSTEM}))
    case = taken(procedure, case, "renew_by_law", system, date(2026, 7, 5))
    assert case.state == "handled"
    assert lapsed(procedure, case.clocks, date(2026, 7, 5)) == ()
    assert clock(case, "expiry").outcome is Outcome.MISSED
    assert clock(case, "expiry").allowance.article == "article fifty"


def test_it_falls_away_with_the_application_and_comes_back_with_it(procedure: Procedure) -> None:
    case = opened(procedure, ends_on="2026-06-30")
    case = taken(procedure, case, "ask_back", WINDOW, MONDAY + ONE_DAY)
    assert clock(case, "expiry").outcome is Outcome.DROPPED
    case = taken(procedure, case, "come_back", APPLICANT, date(2026, 6, 1))
    assert clock(case, "expiry").due_on == date(2026, 6, 30)
    late = taken(procedure, opened(procedure, ends_on="2026-06-30"), "ask_back", WINDOW, MONDAY)
    late = taken(procedure, late, "come_back", APPLICANT, date(2026, 7, 1))
    assert clock(late, "expiry").is_stopped


# -- who is told -------------------------------------------------------------------------------------------


def test_a_reminder_comes_its_days_before_and_an_escalation_the_day_after(procedure: Procedure) -> None:
    clocks = (clock(opened(procedure), "joint"),)
    last = clocks[0].due_on
    assert last is not None
    near = CALENDAR.nth_before(last, 2)
    assert alarms(procedure, clocks, near - ONE_DAY, CALENDAR) == ()
    assert alarms_on(procedure, clocks, CALENDAR) == near
    [reminder] = alarms(procedure, clocks, near, CALENDAR)
    assert reminder == Alarm(AlarmKind.NEAR_DUE, "joint", last)
    clocks = told(clocks, [reminder], near)
    assert alarms(procedure, clocks, last, CALENDAR) == ()
    assert alarms_on(procedure, clocks, CALENDAR) == last + ONE_DAY
    [escalation] = alarms(procedure, clocks, last + ONE_DAY, CALENDAR)
    assert (escalation.kind, escalation.role) == (AlarmKind.OVERDUE, Role.LEADER)
    clocks = told(clocks, [escalation], last + ONE_DAY)
    assert alarms(procedure, clocks, last + 99 * ONE_DAY, CALENDAR) == ()
    assert alarms_on(procedure, clocks, CALENDAR) is None
    assert escalations(procedure, clocks) == {Duty(Role.LEADER, "")}


def test_where_the_law_acts_a_superior_is_told_only_if_it_did_not(procedure: Procedure) -> None:
    clocks = (clock(opened(procedure), "answer"),)
    last = clocks[0].due_on
    assert last is not None
    assert alarms(procedure, clocks, last + ONE_DAY, CALENDAR) == ()
    assert [a.kind for a in alarms(procedure, clocks, last + 2 * ONE_DAY, CALENDAR)] == [AlarmKind.OVERDUE]


@settings(max_examples=200, deadline=None)
@given(sweeps=st.lists(st.integers(0, 120), min_size=1, max_size=12))
def test_whenever_it_is_looked_at_each_thing_is_told_once(procedure: Procedure, sweeps: list[int]) -> None:
    """Any days on which a sweep happens to run, in any number: at most one reminder, and one escalation if one came
    after the due day; never a reminder after it."""
    clocks = (clock(opened(procedure), "joint"),)
    last = clocks[0].due_on
    assert last is not None
    heard: list[tuple[AlarmKind, date]] = []
    for number in sorted(sweeps):
        on = MONDAY + number * ONE_DAY
        for alarm in alarms(procedure, clocks, on, CALENDAR):
            clocks = told(clocks, [alarm], on)
            heard.append((alarm.kind, on))
    kinds = [kind for kind, _ in heard]
    assert len(kinds) == len(set(kinds))
    assert all(on <= last for kind, on in heard if kind is AlarmKind.NEAR_DUE)
    assert (AlarmKind.OVERDUE in kinds) == (MONDAY + max(sweeps) * ONE_DAY > last)


def test_a_note_stays_where_the_case_is_and_names_its_limits(procedure: Procedure) -> None:
    case = opened(procedure)
    last = clock(case, "joint").due_on
    assert last is not None
    [step] = alarm_notes(case, alarms(procedure, (clock(case, "joint"),), last + ONE_DAY, CALENDAR), last + ONE_DAY)
    assert step.action.name in NOTES
    assert (step.after.state, step.after.version) == (case.state, case.version + 1)
    assert step.record == {"limits": [{"clock": "joint", "due_on": last.isoformat()}]}
    assert step.after.acts == case.acts


def test_another_calendar_is_noted_only_where_a_day_moves(procedure: Procedure) -> None:
    case = opened(procedure)
    assert recount_note(case, CALENDAR, MONDAY) is None
    known = next(y for y in CALENDAR.years if y.year == 2026)
    off = {**known.off, date(2026, 3, 4): "测试"}
    other = CALENDAR.with_year(CalendarYear(2026, off, known.make_up, True))
    step = recount_note(case, other, MONDAY)
    assert step is not None
    assert {limit["clock"] for limit in step.record["limits"]} == {"joint", "answer"}
    assert counted_by(case.clocks, other) == CALENDAR.version
    assert counted_by(step.after.clocks, other) == other.version
    assert recount_note(step.after, other, MONDAY) is None


# -- the oracle --------------------------------------------------------------------------------------------


def test_six_thousand_dates_with_rests_and_extensions_equal_the_oracle() -> None:
    """Beside the 29,220 plain ones of test_deadlines: any start, amount, extension and up to three rests."""
    dice, different = random.Random(20260302), []
    for _ in range(6000):
        started_on = date(2020, 1, 1) + timedelta(days=dice.randrange(3000))
        amount, extra = dice.choice((1, 5, 7, 10, 30, 45)), dice.choice((0, 0, 10, 15))
        rests, at = [], started_on
        for _ in range(dice.randrange(4)):
            at += timedelta(days=dice.randrange(1, 15))
            until = at + timedelta(days=dice.randrange(20))
            rests.append((at, until))
            at = until
        pauses = [Rest(since, until, "x") for since, until in rests]
        ours = due(started_on, allowance("trial", amount), CALENDAR, pauses, extra)
        if (ours.on, ours.provisional) != oracle.due(started_on, amount + extra, tuple(rests)):
            different.append((started_on, amount, extra, rests))
        lines = ours.lines
        assert sum(line.counted for line in lines if not line.extended) == amount
        assert sum(line.counted for line in lines if line.extended) == extra
    assert different == []


def test_a_line_never_counts_a_day_off() -> None:
    lines = due(date(2026, 9, 18), allowance("trial", 30), CALENDAR).lines
    for line in lines:
        if line.counted and line.why is Why.WORKING:
            assert CALENDAR.kind(line.since) is DayKind.WORKING
