"""Which clocks of a case start, rest, resume and stop when it moves from one state to the next.

A clock rests for two reasons: the case stands in a state in which it rests (`rests_in`), or the case is suspended on
a ground on which it rests whatever the state (`rests_for`). A suspension is a fact of the case, written by an effect;
`turn` reads it at every step, so that a clock that starts meanwhile rests from its first day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from workflow.case import Case
from workflow.deadlines import (
    Allowance,
    Calendar,
    Clock,
    Outcome,
    Unit,
    has_lapsed,
    in_force,
    no_later_than,
    rest,
    resume,
    start,
    stop,
)
from workflow.suspension import suspended_for

if TYPE_CHECKING:
    from workflow.procedure import ClockSpec, Procedure


@dataclass(frozen=True)
class Law:
    """What the engine needs to know about time: the working-day calendar and the dated allowances."""

    calendar: Calendar
    allowances: tuple[Allowance, ...]


@dataclass(frozen=True, slots=True)
class _Turn:
    """One step as the clocks see it: `case` is still in its old state, with its new facts."""

    case: Case
    target: str
    on: date
    law: Law
    since: date
    action: str
    outcome: Outcome | None
    handed_back: bool  # the applicant has the application again, to change it


def opened(
    procedure: Procedure, agency_id: int | None, facts: Mapping[str, Any], on: date, law: Law, case_id: int = 0
) -> Case:
    """A case just opened on the local date `on`: in the initial state, on the first track, its clocks started."""
    case = Case(
        id=case_id,
        procedure=procedure.name,
        procedure_version=procedure.version,
        state=procedure.spec.initial,
        track=next(iter(procedure.spec.tracks)),
        agency_id=agency_id,
        version=1,
        facts=facts,
    )
    return replace(case, clocks=turn(procedure, case, case.state, on, law))


def turn(
    procedure: Procedure,
    case: Case,
    target: str,
    on: date,
    law: Law,
    since: date | None = None,
    action: str = "",
) -> tuple[Clock, ...]:
    """The clocks after `case` (still in its old state, with its new facts) moves to `target` on the local date `on`.

    A step that stays in its state turns them as well: that is how a suspension and its end take effect.
    `since` is the day from which clocks that start now count, where the law dates the step back; `action` is the
    one that is taken: a clock whose lapse it answers has said what it had to say, and stops.
    Raises `NoAllowance` when the definition names an allowance that is not in force on that day.
    """
    kept = {clock.name: clock for clock in case.clocks}
    # A retraction drops the authority's duty rather than meeting or missing it.
    outcome = Outcome.DROPPED if procedure.states[target].outcome == "retracted" else None
    handed_back = procedure.states[target].editable
    step = _Turn(case, target, on, law, since or on, action, outcome, handed_back)
    for name, spec in procedure.spec.clocks.items():
        if moved := _moved(name, spec, kept.get(name), step):
            kept[name] = moved
    return tuple(kept.values())


def _moved(name: str, spec: ClockSpec, clock: Clock | None, step: _Turn) -> Clock | None:
    calendar = step.law.calendar
    begun = clock is not None and not clock.is_stopped
    if spec.track not in (None, step.case.track):
        # the case has left the track that owed it
        return stop(clock, step.on, calendar, Outcome.DROPPED) if clock is not None and begun else clock
    if step.target not in spec.runs_in and step.target not in spec.rests_in:
        if clock is None or not begun:
            return clock
        # What runs to a fixed day does not rest: it falls away with the pending application, and comes back with it.
        fallen = spec.until is not None and step.handed_back
        return stop(clock, step.on, calendar, Outcome.DROPPED if fallen else step.outcome)
    if clock is not None and begun and step.action and step.action == spec.on_lapse and has_lapsed(clock, step.on):
        return stop(clock, step.on, calendar)
    anew = begun and spec.restarts and step.case.state in spec.rests_in and step.target in spec.runs_in
    if not begun or anew:
        clock = _started(name, spec, clock, step, anew)
    if clock is None or clock.is_stopped:
        return clock
    return _at_rest_or_not(clock, _ground(spec, step.target, suspended_for(step.case)), step.on, calendar)


def _started(name: str, spec: ClockSpec, clock: Clock | None, step: _Turn, anew: bool) -> Clock | None:
    """The clock set going, or as it was where it does not start: it has had its say while the case stays where it
    is; the day that it runs to is too near, or was never known."""
    if step.target not in spec.runs_in or (clock is not None and not anew and step.case.state == step.target):
        return clock
    if spec.until is None:
        started = start(name, in_force(step.law.allowances, spec.allowance, step.since), step.since, step.law.calendar)
        return replace(started, first_on=clock.first_on or clock.started_on) if anew and clock else started
    said = step.case.fact(spec.until.fact)
    last = date.fromisoformat(str(said)) if said else None
    if last is None or step.since > last:
        return clock
    allowance = in_force(step.law.allowances, spec.allowance, step.since)
    in_time = clock is not None or step.since <= no_later_than(last, allowance, step.law.calendar)
    if not in_time:
        return clock
    length = Allowance(
        name, (last - step.since).days, Unit.CALENDAR_DAYS, spec.until.article, allowance.valid_from,
        basis=allowance.basis, confidence=allowance.confidence,
    )  # fmt: skip
    return start(name, length, step.since, step.law.calendar)


def _ground(spec: ClockSpec, state: str, suspended: tuple[str, ...]) -> str:
    """Why the clock rests in this state, '' when it does not. What the state says goes before a suspension."""
    if (said := spec.rests_in.get(state)) is not None:
        return said if isinstance(said, str) else said.zh
    return next((ground for ground in suspended if ground in spec.rests_for), "")


def _at_rest_or_not(clock: Clock, ground: str, on: date, calendar: Calendar) -> Clock:
    """The clock resting on that ground, or running when there is none; another ground is another rest."""
    if clock.is_resting and clock.rests[-1].ground == ground:
        return clock
    if clock.is_resting:
        clock = resume(clock, on, calendar)
    return rest(clock, on, ground, calendar) if ground else clock


def due_on(clocks: tuple[Clock, ...]) -> date | None:
    """The nearest due date of the clocks that run; what a queue is sorted by."""
    return min([c.due_on for c in clocks if c.due_on and c.is_running], default=None)


def counted_by(clocks: tuple[Clock, ...], calendar: Calendar) -> str:
    """The version of the calendar that the clocks that still go were counted by; '' when none goes.

    Where they differ it is another one than `calendar`'s, so that whoever looks for what to count anew finds it.
    """
    versions = {clock.calendar_version for clock in clocks if clock.stopped_on is None}
    return next(iter(sorted(versions - {calendar.version}) or versions), "")


def lapses_on(procedure: Procedure, clocks: tuple[Clock, ...]) -> date | None:
    """The nearest due date of a running clock whose lapse the system must act on."""
    specs = procedure.spec.clocks
    return min([c.due_on for c in clocks if c.due_on and specs[c.name].on_lapse and c.is_running], default=None)


def lapsed(procedure: Procedure, clocks: tuple[Clock, ...], today: date) -> tuple[str, ...]:
    """The actions the system owes because a clock has lapsed, first due first."""
    overdue = sorted((c.due_on, c.name) for c in clocks if c.due_on and c.is_running and has_lapsed(c, today))
    actions = (procedure.spec.clocks[name].on_lapse for _, name in overdue)
    return tuple(a for a in actions if a)
