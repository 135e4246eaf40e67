"""The clocks of a case: started, rested, resumed, extended and stopped, each time a new value.

This is the door to everything about time in a case: the calendar (``workdays``), the dated amounts
(``allowances``) and the arithmetic (``reckoning``) can all be imported from here.

A clock keeps the allowance that was in force when it started; a later change of the law does not reach
it. ``due_on`` is computed at each step and kept with the calendar's version, so that provisional dates
can be found and recomputed once the State Council's notice is in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any

from workflow.allowances import Allowance, AllowanceError, Basis, NoAllowance, Unit, in_force, proofread
from workflow.reckoning import (
    ONE_DAY,
    Due,
    Line,
    Rest,
    Why,
    commitment_verification_due,
    due,
    expiry,
    no_later_than,
    renewal_window,
    shift_months,
)
from workflow.workdays import Calendar, CalendarError, CalendarYear, DayKind

__all__ = [
    "Allowance", "AllowanceError", "Basis", "Calendar", "CalendarError", "CalendarYear", "Clock",
    "ClockError", "DayKind", "Due", "Extension", "Line", "NoAllowance", "Outcome", "Rest", "Segment",
    "SegmentKind", "Standing", "Unit", "Why", "commitment_verification_due", "days_left", "due", "expiry",
    "extend", "has_lapsed", "in_force", "no_later_than", "proofread", "reckon", "reckoning",
    "renewal_window", "rest", "resume", "segments", "shift_months", "standing", "start", "stop",
]  # fmt: skip


class ClockError(ValueError):
    """A clock was asked for something that its state does not allow; nothing has changed."""


class Outcome(StrEnum):
    """How a clock ended."""

    MET = "met"
    MISSED = "missed"
    DROPPED = "dropped"  # the duty fell away, e.g. the applicant retracted


class Standing(StrEnum):
    """How a clock stands on a day."""

    RUNNING = "running"
    RESTING = "resting"
    NEAR = "near"
    DUE_TODAY = "due_today"
    OVERDUE = "overdue"
    MET = "met"
    MISSED = "missed"
    DROPPED = "dropped"


class SegmentKind(StrEnum):
    RUNNING = "running"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a clock's life for a timeline; both days included, ``until`` None for the last one."""

    kind: SegmentKind
    since: date
    until: date | None
    ground: str = ""


@dataclass(frozen=True, slots=True)
class Extension:
    """More time granted once, under its own article and with the reason told to the applicant."""

    allowance: Allowance
    granted_on: date
    reason: str


@dataclass(frozen=True, slots=True)
class Clock:
    """One duty under way. ``due_on`` is None while it rests before its time has run out."""

    name: str
    allowance: Allowance
    started_on: date
    due_on: date | None
    provisional: bool
    calendar_version: str
    rests: tuple[Rest, ...] = ()
    extensions: tuple[Extension, ...] = ()
    stopped_on: date | None = None
    outcome: Outcome | None = None
    first_on: date | None = None  # when it first started, if it has started anew since
    reminded_on: date | None = None  # when those who have the case were told that the time is nearly over
    escalated_on: date | None = None  # when the superior was told that it is over

    @property
    def amount(self) -> int:
        """The allowance and its extensions together, in the allowance's unit."""
        return self.allowance.amount + self.extra

    @property
    def extra(self) -> int:
        return sum(extension.allowance.amount for extension in self.extensions)

    @property
    def is_stopped(self) -> bool:
        return self.stopped_on is not None

    @property
    def is_resting(self) -> bool:
        return self.stopped_on is None and bool(self.rests) and self.rests[-1].until is None

    @property
    def is_running(self) -> bool:
        return self.stopped_on is None and not (self.rests and self.rests[-1].until is None)

    def plain(self) -> list[Any]:
        """As JSON-ready values, the reverse of ``from_plain``: in a fixed order, since every case is full of them.

        name, started_on, due_on, calendar_version, allowance (in the order of its fields), stopped_on, outcome, and an
        object with what few clocks have. What is absent at the end is left out.
        """
        more = {
            name: value
            for name, value in (
                ("provisional", self.provisional),
                ("rests", [[r.since.isoformat(), _iso(r.until), r.ground] for r in self.rests]),
                ("extensions", [[[*_row(e.allowance)], e.granted_on.isoformat(), e.reason] for e in self.extensions]),
                ("first_on", _iso(self.first_on)),
                ("reminded_on", _iso(self.reminded_on)),
                ("escalated_on", _iso(self.escalated_on)),
            )
            if value
        }
        said = [
            self.name, self.started_on.isoformat(), _iso(self.due_on), self.calendar_version, [*_row(self.allowance)],
        ]  # fmt: skip
        if self.stopped_on is not None or more:
            said += [_iso(self.stopped_on), None if self.outcome is None else self.outcome.value]
        return [*said, more] if more else said

    @classmethod
    def from_plain(cls, plain: Sequence[Any] | Mapping[str, Any]) -> Clock:
        """A clock out of what ``plain`` gave, or gave before there was an order: an object with names."""
        if isinstance(plain, Mapping):
            return _named(plain)
        name, started_on, due_on, version, allowance, *rest = plain
        stopped_on, outcome, more = (*rest, None, None, None)[:3]
        clock = cls(
            name,
            _allowance(tuple(allowance)),
            date.fromisoformat(started_on),
            date.fromisoformat(due_on) if due_on else None,
            False,
            version,
            stopped_on=date.fromisoformat(stopped_on) if stopped_on else None,
            outcome=Outcome(outcome) if outcome else None,
        )
        if not more:
            return clock
        return replace(
            clock,
            provisional=more.get("provisional", False),
            rests=tuple(Rest(date.fromisoformat(since), _day(until), g) for since, until, g in more.get("rests", ())),
            extensions=tuple(
                Extension(_allowance(tuple(allowance)), date.fromisoformat(on), reason)
                for allowance, on, reason in more.get("extensions", ())
            ),
            first_on=_day(more.get("first_on")),
            reminded_on=_day(more.get("reminded_on")),
            escalated_on=_day(more.get("escalated_on")),
        )


def _named(plain: Mapping[str, Any]) -> Clock:
    """A clock as it was kept up to schema 0011."""
    said = plain.get
    return Clock(
        name=plain["name"],
        allowance=Allowance.from_plain(plain["allowance"]),
        started_on=date.fromisoformat(plain["started_on"]),
        due_on=_day(said("due_on")),
        provisional=said("provisional") or False,
        calendar_version=plain["calendar_version"],
        rests=tuple(
            Rest(date.fromisoformat(r["since"]), _day(r["until"]), r["ground"]) for r in said("rests") or ()
        ),
        extensions=tuple(
            Extension(Allowance.from_plain(e["allowance"]), date.fromisoformat(e["granted_on"]), e["reason"])
            for e in said("extensions") or ()
        ),
        stopped_on=_day(said("stopped_on")),
        outcome=Outcome(plain["outcome"]) if said("outcome") else None,
        first_on=_day(said("first_on")),
        reminded_on=_day(said("reminded_on")),
        escalated_on=_day(said("escalated_on")),
    )


_ALLOWANCE = tuple(field.name for field in fields(Allowance))


@lru_cache(maxsize=512)
def _row(allowance: Allowance) -> tuple[Any, ...]:
    """An allowance in the order of its fields; what is absent at the end is left out."""
    plain = allowance.plain()
    said = [plain[name] for name in _ALLOWANCE]
    while not said[-1]:
        said.pop()
    return tuple(said)


@lru_cache(maxsize=512)
def _allowance(row: tuple[Any, ...]) -> Allowance:
    """The few rows of the law are read with every case; a value never changes, so one of each will do."""
    return Allowance.from_plain(dict(zip(_ALLOWANCE, row, strict=False)))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def start(name: str, allowance: Allowance, on: date, calendar: Calendar) -> Clock:
    """A clock set going by an event on that day, which is not counted."""
    reckoned = due(on, allowance, calendar)
    return Clock(name, allowance, on, reckoned.on, reckoned.provisional, calendar.version)


def rest(clock: Clock, on: date, ground: str, calendar: Calendar) -> Clock:
    """Pause; ``on`` is the first day not counted. Raises ClockError if stopped, resting or back-dated."""
    _require_going(clock, on)
    if clock.is_resting:
        raise ClockError(f"the clock {clock.name!r} already rests since {clock.rests[-1].since}")
    return reckon(replace(clock, rests=(*clock.rests, Rest(on, None, ground))), calendar)


def resume(clock: Clock, on: date, calendar: Calendar) -> Clock:
    """End the pause; ``on`` is the last day not counted. Raises ClockError unless it rests."""
    _require_going(clock, on)
    if not clock.is_resting:
        raise ClockError(f"the clock {clock.name!r} does not rest")
    return reckon(_rest_closed(clock, on), calendar)


def extend(clock: Clock, allowance: Allowance, on: date, reason: str, calendar: Calendar) -> Clock:
    """Grant more time, in the same unit and once under one name. Raises ClockError otherwise."""
    _require_going(clock, on)
    if allowance.unit is not clock.allowance.unit:
        raise ClockError(
            f"the clock {clock.name!r} counts {clock.allowance.unit.value}, not {allowance.unit.value}"
        )
    if any(extension.allowance.name == allowance.name for extension in clock.extensions):
        raise ClockError(f"the clock {clock.name!r} was already extended by {allowance.name!r}")
    extensions = (*clock.extensions, Extension(allowance, on, reason))
    # A new limit: whoever was told of the old one is told again when the new one is nearly over.
    return reckon(replace(clock, extensions=extensions, reminded_on=None, escalated_on=None), calendar)


def stop(clock: Clock, on: date, calendar: Calendar, outcome: Outcome | None = None) -> Clock:
    """The duty is done (met or missed by the dates) or, with an ``outcome``, ended otherwise."""
    _require_going(clock, on)
    if clock.is_resting:
        clock = reckon(_rest_closed(clock, on), calendar)
    if outcome is None:
        outcome = Outcome.MISSED if clock.due_on is not None and clock.due_on < on else Outcome.MET
    return replace(clock, stopped_on=on, outcome=outcome)


def reckon(clock: Clock, calendar: Calendar) -> Clock:
    """The same clock with its due day computed anew, e.g. under a calendar with one more year.

    A stopped clock is history and comes back unchanged.
    """
    if clock.is_stopped:
        return clock
    reckoned = reckoning(clock, calendar)
    return replace(
        clock, due_on=reckoned.on, provisional=reckoned.provisional, calendar_version=calendar.version
    )


def reckoning(clock: Clock, calendar: Calendar) -> Due:
    """How the due day comes about; its ``lines`` explain it day by day."""
    reckoned = due(clock.started_on, clock.allowance, calendar, clock.rests, clock.extra)
    if clock.first_on is None:
        return reckoned
    return replace(reckoned, _lines=lambda: _begun_anew(reckoned.lines, clock.first_on))


def _begun_anew(lines: tuple[Line, ...], first_on: date | None) -> tuple[Line, ...]:
    return (replace(lines[0], why=Why.STARTED_ANEW, note=str(first_on)), *lines[1:])


def days_left(clock: Clock, today: date, calendar: Calendar) -> int:
    """Days until the due day: 0 on the day itself, at most -1 when overdue, what is unspent while resting.

    Working days for a working-day clock, calendar days for the others. A stopped clock answers as of
    the day it stopped.
    """
    today = clock.stopped_on or today
    if clock.due_on is None:
        return reckoning(clock, calendar).unspent
    if clock.allowance.unit is Unit.WORKING_DAYS:
        left = calendar.count(today, clock.due_on)
    else:
        left = (clock.due_on - today).days
    return min(left, -1) if clock.due_on < today else left


def standing(clock: Clock, today: date, calendar: Calendar, near_within: int = 2) -> Standing:
    """How the clock stands; NEAR when at most ``near_within`` days are left (a display choice, not law)."""
    if clock.outcome is not None:
        return Standing(clock.outcome.value)
    if clock.due_on is None:
        return Standing.RESTING
    if clock.due_on < today:
        return Standing.OVERDUE
    if clock.is_resting:
        return Standing.RESTING
    if clock.due_on == today:
        return Standing.DUE_TODAY
    return Standing.NEAR if days_left(clock, today, calendar) <= near_within else Standing.RUNNING


def has_lapsed(clock: Clock, today: date) -> bool:
    """Whether the whole due day is over and the duty still open: what the nightly sweep acts on."""
    return not clock.is_stopped and clock.due_on is not None and clock.due_on < today


def segments(clock: Clock) -> tuple[Segment, ...]:
    """The clock's life as alternating stretches, in order, for a timeline. The event day opens it."""
    found: list[Segment] = []
    at = clock.started_on
    for pause in clock.rests:
        if pause.since > at:
            found.append(Segment(SegmentKind.RUNNING, at, pause.since - ONE_DAY))
        found.append(Segment(SegmentKind.RESTING, pause.since, pause.until, pause.ground))
        if pause.until is None:
            return tuple(found)
        at = pause.until + ONE_DAY
    if clock.stopped_on is None or clock.stopped_on >= at:
        found.append(Segment(SegmentKind.RUNNING, at, clock.stopped_on))
    return tuple(found)


def _rest_closed(clock: Clock, on: date) -> Clock:
    last = clock.rests[-1]
    return replace(clock, rests=(*clock.rests[:-1], Rest(last.since, on, last.ground)))


def _require_going(clock: Clock, on: date) -> None:
    if clock.is_stopped:
        raise ClockError(f"the clock {clock.name!r} stopped on {clock.stopped_on}")
    latest = max(
        [clock.started_on]
        + [day for pause in clock.rests for day in (pause.since, pause.until) if day is not None]
        + [extension.granted_on for extension in clock.extensions]
    )
    if on < latest:
        raise ClockError(f"the clock {clock.name!r} already moved on {latest}; {on} lies before it")
