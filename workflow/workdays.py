"""The working calendar: which days count, and for which years that is settled.

Licensing Law art. 82 counts limits in working days, statutory holidays excluded. The State Council
publishes each year's holidays and make-up workdays (调休) in the autumn before, so a calendar always
ends somewhere. Beyond its last confirmed year it goes on counting with what it has, and says so.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

SATURDAY = 5


class DayKind(StrEnum):
    """What a day is in the working calendar."""

    WORKING = "working"
    MAKE_UP = "make_up"  # a weekend day worked in exchange for a weekday off (调休上班)
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


class CalendarError(ValueError):
    """A calendar year contradicts itself: the message names the year and the day."""


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """One year as published.

    ``off``: days off -> name, weekends need not be listed. ``make_up``: weekend days worked -> why.
    ``confirmed`` only when the State Council notice of that year is in the data (or an administrator
    confirmed it); otherwise every deadline that touches the year is provisional.
    """

    year: int
    off: Mapping[date, str]
    make_up: Mapping[date, str]
    confirmed: bool
    source: str = ""

    def __post_init__(self) -> None:
        for day in (*self.off, *self.make_up):
            if day.year != self.year:
                raise CalendarError(f"calendar {self.year}: {day} belongs to another year")
        for day in self.make_up:
            if day in self.off:
                raise CalendarError(f"calendar {self.year}: {day} is both off and a make-up workday")
            if day.weekday() < SATURDAY:
                raise CalendarError(f"calendar {self.year}: make-up workday {day} is not on a weekend")

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> CalendarYear:
        """From the shape of ``reference/calendar/CN-YYYY.yaml``.

        ``{year, confirmed, source, off: [{date, name}], make_up: [{date, name}]}``; a date is a ``date``
        or ISO text. Raises CalendarError where the shape or a day is wrong.
        """
        year, confirmed = plain.get("year"), plain.get("confirmed")
        if not isinstance(year, int) or not isinstance(confirmed, bool):
            raise CalendarError("a calendar year needs `year` (number) and `confirmed` (true or false)")
        source = plain.get("source", "")
        return cls(
            year,
            _named_days(year, plain.get("off")),
            _named_days(year, plain.get("make_up")),
            confirmed,
            str(source),
        )


def _named_days(year: int, rows: object) -> dict[date, str]:
    if rows is None:
        return {}
    if not isinstance(rows, list | tuple):
        raise CalendarError(f"calendar {year}: days must be a list of date and name")
    days: dict[date, str] = {}
    for row in rows:
        if not isinstance(row, Mapping) or "date" not in row:
            raise CalendarError(f"calendar {year}: {row!r} has no date")
        value = row["date"]
        try:
            day = value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError as error:
            raise CalendarError(f"calendar {year}: {value!r} is not a date (YYYY-MM-DD)") from error
        if day in days:
            raise CalendarError(f"calendar {year}: {day} is listed twice")
        days[day] = str(row.get("name") or "")
    return days


@dataclass(frozen=True, slots=True)
class Calendar:
    """The years known to a case. A value: two calendars with the same years are equal.

    ``version`` is a digest of the content; a stored deadline keeps it, so that the deadlines to
    recompute after a new notice can be found.
    """

    years: tuple[CalendarYear, ...] = ()
    version: str = field(init=False, default="", compare=False)
    _by_year: dict[int, CalendarYear] = field(init=False, repr=False, compare=False)
    # Sorted ordinals of the working days of a year, built when a year is first asked for: a date is then
    # two bisections away instead of a walk over days.
    _worked: dict[int, tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.years, key=lambda year: year.year))
        by_year = {year.year: year for year in ordered}
        if len(by_year) != len(ordered):
            raise CalendarError("a year is in the calendar twice")
        content = [
            [y.year, y.confirmed, sorted(map(str, y.off)), sorted(map(str, y.make_up))] for y in ordered
        ]
        digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
        object.__setattr__(self, "years", ordered)
        object.__setattr__(self, "version", digest)
        object.__setattr__(self, "_by_year", by_year)
        object.__setattr__(self, "_worked", {})

    def __hash__(self) -> int:
        return hash(self.version)

    @classmethod
    def of(cls, years: Iterable[CalendarYear]) -> Calendar:
        return cls(tuple(years))

    def with_year(self, year: CalendarYear) -> Calendar:
        """The same calendar with one year added or replaced (an administrator's overlay)."""
        return Calendar((*(y for y in self.years if y.year != year.year), year))

    def confirmed(self, year: int) -> bool:
        known = self._by_year.get(year)
        return known is not None and known.confirmed

    @property
    def confirmed_until(self) -> date | None:
        """Last day of the unbroken run of confirmed years that ends latest, or None."""
        years = [y.year for y in self.years if y.confirmed]
        return date(max(years), 12, 31) if years else None

    def kind(self, day: date) -> DayKind:
        known = self._by_year.get(day.year)
        if known is not None:
            if day in known.make_up:
                return DayKind.MAKE_UP
            if day in known.off:
                return DayKind.HOLIDAY
        return DayKind.WEEKEND if day.weekday() >= SATURDAY else DayKind.WORKING

    def name(self, day: date) -> str:
        """The holiday's or make-up day's name in Chinese, empty for plain days."""
        known = self._by_year.get(day.year)
        return "" if known is None else known.make_up.get(day) or known.off.get(day, "")

    def is_working(self, day: date) -> bool:
        return self.kind(day) in (DayKind.WORKING, DayKind.MAKE_UP)

    def settled(self, after: date, until: date) -> bool:
        """Whether every day in (after, until] lies in a confirmed year."""
        first = (after + timedelta(days=1)).year
        return all(self.confirmed(year) for year in range(first, until.year + 1))

    def count(self, after: date, until: date) -> int:
        """Working days in (after, until]; negative, mirrored, when ``until`` is the earlier day."""
        if until < after:
            return -self.count(until, after)
        if after.year == until.year:
            worked = self._working_ordinals(after.year)
            return bisect_right(worked, until.toordinal()) - bisect_right(worked, after.toordinal())
        total = bisect_right(self._working_ordinals(until.year), until.toordinal())
        first = self._working_ordinals(after.year)
        total += len(first) - bisect_right(first, after.toordinal())
        return total + sum(len(self._working_ordinals(year)) for year in range(after.year + 1, until.year))

    def nth_after(self, after: date, amount: int) -> date:
        """The ``amount``-th working day later than ``after``; ``after`` itself when amount is 0."""
        if amount < 0:
            raise ValueError(f"cannot count {amount} working days forward")
        if amount == 0:
            return after
        year = after.year
        worked = self._working_ordinals(year)
        index = bisect_right(worked, after.toordinal()) + amount - 1
        while index >= len(worked):
            index -= len(worked)
            year += 1
            worked = self._working_ordinals(year)
        return date.fromordinal(worked[index])

    def nth_before(self, before: date, amount: int) -> date:
        """The ``amount``-th working day earlier than ``before``; ``before`` itself when amount is 0."""
        if amount < 0:
            raise ValueError(f"cannot count {amount} working days back")
        if amount == 0:
            return before
        year = before.year
        worked = self._working_ordinals(year)
        index = bisect_left(worked, before.toordinal()) - amount
        while index < 0:
            year -= 1
            worked = self._working_ordinals(year)
            index += len(worked)
        return date.fromordinal(worked[index])

    def _working_ordinals(self, year: int) -> tuple[int, ...]:
        worked = self._worked.get(year)
        if worked is None:
            first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
            worked = tuple(o for o in range(first, last + 1) if self.is_working(date.fromordinal(o)))
            self._worked[year] = worked
        return worked
