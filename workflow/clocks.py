"""Which clocks of a case start, rest, resume and stop when it moves from one state to the next.

A clock rests for two reasons: the case stands in a state in which it rests (`rests_in`), or the case is suspended on
a ground on which it rests whatever the state (`rests_for`). A suspension is a fact of the case, written by an effect;
`turn` reads it at every step, so that a clock that starts meanwhile rests from its first day.
"""

from dataclasses import dataclass
from datetime import date

from workflow.case import Case
from workflow.deadlines import (
    Allowance,
    Calendar,
    Clock,
    Outcome,
    has_lapsed,
    in_force,
    rest,
    resume,
    start,
    stop,
)
from workflow.procedure import ClockSpec, Procedure
from workflow.suspension import suspended_for


@dataclass(frozen=True)
class Law:
    """What the engine needs to know about time: the working-day calendar and the dated allowances."""

    calendar: Calendar
    allowances: tuple[Allowance, ...]


def turn(
    procedure: Procedure, case: Case, target: str, on: date, law: Law, since: date | None = None
) -> tuple[Clock, ...]:
    """The clocks after `case` (still in its old state, with its new facts) moves to `target` on the local date `on`.

    A step that stays in its state turns them as well: that is how a suspension and its end take effect.
    `since` is the day from which clocks that start now count, where the law dates the step back.
    Raises `NoAllowance` when the definition names an allowance that is not in force on that day.
    """
    kept = {clock.name: clock for clock in case.clocks}
    ends_in_retraction = procedure.states[target].outcome == "retracted"
    for name, spec in procedure.spec.clocks.items():
        if moved := _moved(
            name, spec, kept.get(name), case, target, on, law, since or on, ends_in_retraction
        ):
            kept[name] = moved
    return tuple(kept.values())


def _moved(
    name: str,
    spec: ClockSpec,
    clock: Clock | None,
    case: Case,
    target: str,
    on: date,
    law: Law,
    since: date,
    ends_in_retraction: bool,
) -> Clock | None:
    if spec.track not in (None, case.track):
        if clock is None or clock.is_stopped:
            return clock
        return stop(clock, on, law.calendar, Outcome.DROPPED)  # the case has left the track that owed it
    if target in spec.runs_in or target in spec.rests_in:
        begun = clock is not None and not clock.is_stopped
        anew = begun and spec.restarts and case.state in spec.rests_in and target in spec.runs_in
        if clock is None or not begun or anew:
            if target not in spec.runs_in:
                return clock
            clock = start(name, in_force(law.allowances, spec.allowance, since), since, law.calendar)
        return _at_rest_or_not(clock, _ground(spec, target, suspended_for(case)), on, law.calendar)
    if clock is None or clock.is_stopped:
        return clock
    # A retraction drops the authority's duty rather than meeting or missing it.
    return stop(clock, on, law.calendar, Outcome.DROPPED if ends_in_retraction else None)


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
    return min((c.due_on for c in clocks if c.is_running and c.due_on), default=None)


def lapses_on(procedure: Procedure, clocks: tuple[Clock, ...]) -> date | None:
    """The nearest due date of a running clock whose lapse the system must act on."""
    return min(
        (c.due_on for c in clocks if c.is_running and c.due_on and procedure.spec.clocks[c.name].on_lapse),
        default=None,
    )


def lapsed(procedure: Procedure, clocks: tuple[Clock, ...], today: date) -> tuple[str, ...]:
    """The actions the system owes because a clock has lapsed, first due first."""
    overdue = sorted((c.due_on, c.name) for c in clocks if c.due_on and c.is_running and has_lapsed(c, today))
    actions = (procedure.spec.clocks[name].on_lapse for _, name in overdue)
    return tuple(a for a in actions if a)
