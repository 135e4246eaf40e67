"""Who is told about a limit, and when: near its end whoever has the case, after it the superior. Each once.

What was told stands in the clock, so it survives restarts; the store writes it under the lock of the case, so two
workers tell it once. A reminder that nobody could send in time is not sent late: the escalation takes its place.
Where the law acts at the lapse, a superior is told only if that did not happen within a day.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from workflow.deadlines import Calendar, Clock, Unit
from workflow.procedure import ClockSpec, Duty, Procedure
from workflow.reckoning import ONE_DAY
from workflow.vocabulary import Role


class AlarmKind(StrEnum):
    NEAR_DUE = "near_due"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to tell: which clock, the day on which it is due, and whom (None: whoever has the case)."""

    kind: AlarmKind
    clock: str
    due_on: date
    role: Role | None = None


def alarms(procedure: Procedure, clocks: Iterable[Clock], today: date, calendar: Calendar) -> tuple[Alarm, ...]:
    """What must be told on that day and was not told before, in the order of the due days."""
    found = []
    for clock in clocks:
        spec = procedure.spec.clocks[clock.name]
        if clock.due_on is None or (when := _next(clock, spec, calendar)) is None or when > today:
            continue
        if clock.due_on >= today:
            found.append(Alarm(AlarmKind.NEAR_DUE, clock.name, clock.due_on))
        elif _escalates_on(clock.due_on, spec) <= today:
            found.append(Alarm(AlarmKind.OVERDUE, clock.name, clock.due_on, spec.escalates_to))
    return tuple(sorted(found, key=lambda alarm: (alarm.due_on, alarm.clock)))


def alarms_on(procedure: Procedure, clocks: Iterable[Clock], calendar: Calendar) -> date | None:
    """The next day on which something must be told about these clocks."""
    days = [_next(c, procedure.spec.clocks[c.name], calendar) for c in clocks if c.stopped_on is None]
    return min([day for day in days if day is not None], default=None)


def told(clocks: Iterable[Clock], alarms: Iterable[Alarm], on: date) -> tuple[Clock, ...]:
    """The clocks, remembering on which day these alarms were told."""
    kinds = {alarm.clock: alarm.kind for alarm in alarms}
    marked = []
    for clock in clocks:
        if (kind := kinds.get(clock.name)) is AlarmKind.NEAR_DUE:
            clock = replace(clock, reminded_on=on)
        elif kind is AlarmKind.OVERDUE:
            clock = replace(clock, escalated_on=on)
        marked.append(clock)
    return tuple(marked)


def escalations(procedure: Procedure, clocks: Iterable[Clock]) -> frozenset[Duty]:
    """What lies with a superior because a limit is over and the duty still open."""
    return frozenset(
        [Duty(procedure.spec.clocks[c.name].escalates_to, "") for c in clocks if c.escalated_on and not c.is_stopped]
    )


def _next(clock: Clock, spec: ClockSpec, calendar: Calendar) -> date | None:
    """The day on which this clock has something to tell next: the reminder, else the day after its due day."""
    if clock.stopped_on is not None or clock.due_on is None or clock.escalated_on:
        return None
    if spec.reminds and not clock.reminded_on and not clock.is_resting:
        near = _days_before(clock.due_on, spec.reminds, clock.allowance.unit, calendar)
        return max(near, clock.started_on + ONE_DAY)
    return _escalates_on(clock.due_on, spec)


def _escalates_on(due_on: date, spec: ClockSpec) -> date:
    return due_on + (2 * ONE_DAY if spec.on_lapse else ONE_DAY)


def _days_before(day: date, amount: int, unit: Unit, calendar: Calendar) -> date:
    return calendar.nth_before(day, amount) if unit is Unit.WORKING_DAYS else day - amount * ONE_DAY
