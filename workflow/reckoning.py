"""When something is due, and why: working days, pauses, and the clocks of a case.

The day of the event is not counted. A resting case rests from the day it was paused to the day it was
resumed, both included: neither consumes the allowance. Months end on the corresponding day, or on the
last day of a shorter month (Civil Code art. 202). Amounts come only from the allowance tables.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby

from workflow.allowances import Allowance, Unit
from workflow.workdays import Calendar

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rest:
    """A pause, both days included; ``until`` is None while it lasts. ``ground`` names its legal reason."""

    since: date
    until: date | None
    ground: str

    def __post_init__(self) -> None:
        if self.until is not None and self.until < self.since:
            raise ValueError(f"a rest from {self.since} cannot end {self.until}")


class Why(StrEnum):
    """Why a stretch of days is counted or skipped; screens translate it."""

    EVENT_DAY = "event_day"
    STARTED_ANEW = "started_anew"  # an event day on which the whole allowance began again; the note has the first one
    WORKING = "working"
    MAKE_UP = "make_up"
    PERIOD = "period"  # calendar days, of an allowance in days, months or years
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation: the days ``since``..``until`` and what they add.

    ``counted`` days were added by this line (0 = skipped), ``total`` is the sum so far, ``note`` the
    holiday's name or the ground of the rest, ``settled`` False where the calendar is unconfirmed. ``extended``
    tells the days that only an extension gives.
    """

    since: date
    until: date
    why: Why
    counted: int
    total: int
    note: str = ""
    settled: bool = True
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The answer to "until when?".

    ``on`` is None while an open rest holds the clock; ``unspent`` is then what remains of the allowance,
    in working days or, for the other units, calendar days (otherwise 0). ``provisional`` means a year
    it reaches into has no confirmed calendar. ``lines`` computes the explanation when it is asked for.
    """

    on: date | None
    provisional: bool
    unspent: int
    _lines: Callable[[], tuple[Line, ...]] = field(repr=False, compare=False)

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines()


def shift_months(day: date, months: int) -> date:
    """The corresponding day so many months later (or earlier), clamped to the month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def due(
    started_on: date,
    allowance: Allowance,
    calendar: Calendar,
    rests: Iterable[Rest] = (),
    extra: int = 0,
) -> Due:
    """When an allowance that started by an event on ``started_on`` runs out.

    ``extra`` is added to the amount, in the allowance's own unit (an extension that was granted). A
    limit in calendar days, months or years is not moved by holidays, and each day of rest moves it by one.
    """
    pauses = _disjoint(rests)
    worked = allowance.unit is Unit.WORKING_DAYS
    left = _length(started_on, allowance, extra)
    granted = _length(started_on, allowance, 0)
    at, on = started_on, None
    for pause in pauses:
        last = pause.since - ONE_DAY
        if last >= at:
            room = calendar.count(at, last) if worked else (last - at).days
            if room >= left:
                break
            left -= room
        if pause.until is None:
            return Due(
                None,
                worked and not calendar.settled(started_on, pause.since),
                left,
                lambda: explain(started_on, None, worked, calendar, pauses, granted),
            )
        at = max(at, pause.until)
    on = calendar.nth_after(at, left) if worked else at + timedelta(days=left)
    return Due(
        on,
        worked and not calendar.settled(started_on, on),
        0,
        lambda: explain(started_on, on, worked, calendar, pauses, granted),
    )


def explain(
    started_on: date,
    on: date | None,
    worked: bool,
    calendar: Calendar,
    rests: Iterable[Rest] = (),
    granted: int | None = None,
) -> tuple[Line, ...]:
    """The way from the event to the due day (or to the open rest), line by line.

    ``worked`` tells working days from calendar days; ``granted`` is the amount in days without any extension.
    Neighbouring days of one kind share a line.
    """
    pauses = _disjoint(rests)
    open_since = next((pause.since for pause in pauses if pause.until is None), None)
    end = on if on is not None else open_since
    lines = [Line(started_on, started_on, Why.EVENT_DAY, 0, 0)]
    total = 0
    if end is None:
        return tuple(lines)
    for (why, note, settled), group in groupby(
        _days(started_on, end, worked, calendar, pauses), key=lambda entry: entry[1:]
    ):
        days = [entry[0] for entry in group]
        counts = why in (Why.WORKING, Why.MAKE_UP, Why.PERIOD)
        before = max(0, granted - total) if counts and granted is not None else len(days)
        for part, extended in ((days[:before], False), (days[before:], True)):
            if part:
                counted = len(part) if counts else 0
                total += counted
                lines.append(Line(part[0], part[-1], why, counted, total, note, settled, extended))
    return tuple(lines)


def _days(
    started_on: date, end: date, worked: bool, calendar: Calendar, pauses: Sequence[Rest]
) -> Iterator[tuple[date, Why, str, bool]]:
    remaining = list(pauses)
    for ordinal in range(started_on.toordinal() + 1, end.toordinal() + 1):
        day = date.fromordinal(ordinal)
        while remaining and (until := remaining[0].until) is not None and until < day:
            remaining.pop(0)
        if remaining and remaining[0].since <= day:
            yield day, Why.RESTING, remaining[0].ground, True
        elif worked:
            yield day, Why(calendar.kind(day).value), calendar.name(day), calendar.confirmed(day.year)
        else:
            yield day, Why.PERIOD, "", True


def _length(started_on: date, allowance: Allowance, extra: int) -> int:
    amount = allowance.amount + extra
    if allowance.unit in (Unit.WORKING_DAYS, Unit.CALENDAR_DAYS):
        return amount
    months = amount * 12 if allowance.unit is Unit.YEARS else amount
    return (shift_months(started_on, months) - started_on).days


def _disjoint(rests: Iterable[Rest]) -> tuple[Rest, ...]:
    """Sorted, without overlap: a day rests once, on the ground that came first."""
    disjoint: list[Rest] = []
    for rest in sorted(rests, key=lambda rest: rest.since):
        since = rest.since
        if disjoint:
            last = disjoint[-1].until
            if last is None:
                break
            since = max(since, last + ONE_DAY)
        if rest.until is None or rest.until >= since:
            disjoint.append(Rest(since, rest.until, rest.ground))
    return tuple(disjoint)


def no_later_than(day: date, allowance: Allowance, calendar: Calendar) -> date:
    """The last day to act when something must be done an allowance *before* ``day``."""
    if allowance.unit is Unit.WORKING_DAYS:
        return calendar.nth_before(day, allowance.amount)
    if allowance.unit is Unit.CALENDAR_DAYS:
        return day - timedelta(days=allowance.amount)
    return shift_months(day, -allowance.amount * (12 if allowance.unit is Unit.YEARS else 1))


def expiry(issued_on: date, allowance: Allowance) -> date:
    """Last day of validity of a certificate: the day before the anniversary (Order 163 art. 13).

    Issued on 29 February, a term that ends in a common year ends on its 28 February. The allowance is
    in years; anything else raises ValueError.
    """
    if allowance.unit is not Unit.YEARS:
        raise ValueError(f"a certificate is valid for years, not {allowance.unit.value}")
    anniversary = shift_months(issued_on, 12 * allowance.amount)
    return anniversary if anniversary.day != issued_on.day else anniversary - ONE_DAY


def renewal_window(valid_to: date, allowance: Allowance) -> date:
    """The last day to apply for renewal: the allowance (in months) before expiry (Order 163 art. 13)."""
    if allowance.unit is not Unit.MONTHS:
        raise ValueError(f"the renewal window is counted in months, not {allowance.unit.value}")
    return shift_months(valid_to, -allowance.amount)


def commitment_verification_due(decided_on: date, allowance: Allowance) -> date:
    """The last day of the on-site verification after a decision on the commitment track."""
    if allowance.unit is not Unit.MONTHS:
        raise ValueError(f"verification after commitment is counted in months, not {allowance.unit.value}")
    return shift_months(decided_on, allowance.amount)
