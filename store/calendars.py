"""Calendars: the years of the working calendar, and the publication of one by an administrator.

A year is published when the State Council's notice is out. Publishing puts it in force at once; open cases follow in
bounded batches (`store.limits.Limits.recount`), each with a note where a due day has moved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from sqlalchemy import insert, select, update

from store import audit
from store.database import Database
from store.law import LawBook, revise
from store.limits import Limits, Moves
from store.records.columns import table_of
from store.records.reference import CalendarYearRecord
from workflow.deadlines import Calendar, CalendarError, CalendarYear, DayKind
from workflow.vocabulary import N_, Actor, Message, Refusal

LARGEST = 200_000  # bytes of a calendar file; a year has 366 days at most
YEARS_KNOWN = (2000, 2100)  # a year outside is a slip of the pen

_YEAR = table_of(CalendarYearRecord)


@dataclass(frozen=True, slots=True)
class YearInForce:
    """A year as the register has it. `published_at` and `published_by` are '' for one that came with the program."""

    year: CalendarYear
    note: str
    published_at: str
    published_by: str


@dataclass(frozen=True, slots=True)
class Change:
    """A day that another version of a year makes something else."""

    day: date
    was: DayKind
    now: DayKind
    name: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing a year would do: the days that change, and the open cases that move."""

    year: CalendarYear
    changes: tuple[Change, ...]
    settles: bool
    moves: Moves

    @property
    def nothing(self) -> bool:
        """Whether the register has this very year already."""
        return not self.changes and not self.settles


def read_year(text: str | bytes) -> CalendarYear:
    """A year from the text of a file. Two shapes are understood: that of `reference/calendar/CN-YYYY.yaml`, and the
    JSON of the public holiday-cn tables (`days: [{name, date, isOffDay}]`, `papers`: the notices).

    Raises Refusal("malformed") saying what is wrong where.
    """
    if len(text) > LARGEST:
        raise _malformed(N_("This file is too large for a calendar year."))
    try:
        plain = YAML(typ="safe", pure=True).load(text)  # JSON is YAML
    except (YAMLError, ValueError) as error:
        words = " ".join(str(error).split())[:300]
        raise _malformed(N_("This is no calendar file: %(reason)s"), reason=words) from error
    if not isinstance(plain, Mapping):
        raise _malformed(N_("This is no calendar file: it has no year and no days."))
    try:
        year = CalendarYear.from_plain(_ours(plain))
    except (CalendarError, TypeError) as error:
        raise _malformed(N_("This calendar cannot be used: %(reason)s"), reason=str(error)) from error
    if not YEARS_KNOWN[0] <= year.year <= YEARS_KNOWN[1]:
        raise _malformed(N_("This calendar cannot be used: %(reason)s"), reason=f"year {year.year}")
    return year


def _ours(plain: Mapping[str, Any]) -> Mapping[str, Any]:
    """The file in our shape, whichever of the two it has."""
    if "days" not in plain:
        return plain
    rows = plain["days"]
    if not isinstance(rows, list) or not all(isinstance(r, Mapping) and "isOffDay" in r for r in rows):
        raise CalendarError("`days` must be a list of name, date and isOffDay")
    papers = plain.get("papers") or ()
    year = plain.get("year")
    dated = [r for r in rows if str(r.get("date", "")).startswith(str(year))]
    return {
        "year": year,
        "confirmed": bool(papers),
        "source": "；".join(str(paper) for paper in papers),
        "off": [{"date": r.get("date"), "name": r.get("name")} for r in dated if r["isOffDay"]],
        "make_up": [{"date": r.get("date"), "name": r.get("name")} for r in dated if not r["isOffDay"]],
    }


def plain_year(year: CalendarYear) -> dict[str, Any]:
    """A year as JSON, the reverse of `CalendarYear.from_plain`."""
    return {
        "year": year.year,
        "confirmed": year.confirmed,
        "source": year.source,
        "off": _rows(year.off),
        "make_up": _rows(year.make_up),
    }


def year_text(year: CalendarYear) -> str:
    """A year as the text of a file that `read_year` understands; the same year gives the same text."""
    return json.dumps(plain_year(year), ensure_ascii=False, sort_keys=True, indent=1)


def _rows(days: Mapping[date, str]) -> list[dict[str, str]]:
    return [{"date": day.isoformat(), "name": days[day]} for day in sorted(days)]


class Calendars:
    """Who may publish is said at the door; here is what publishing means."""

    def __init__(self, database: Database, laws: LawBook) -> None:
        self.database = database
        self.laws = laws

    def years(self) -> tuple[YearInForce, ...]:
        """Every year known, in order."""
        with self.database.reading() as connection:
            rows = connection.scalars(select(_YEAR.c.content).order_by(_YEAR.c.year)).all()
        return tuple(_in_force(row) for row in rows)

    def get(self, year: int) -> YearInForce:
        """One year. Raises Refusal("unknown")."""
        with self.database.reading() as connection:
            content = connection.scalar(select(_YEAR.c.content).where(_YEAR.c.year == year))
        if content is None:
            raise Refusal("unknown", Message(N_("There is no calendar of %(year)s."), {"year": year}))
        return _in_force(content)

    def preview(self, year: CalendarYear) -> Preview:
        """What publishing this year would do; nothing is written."""
        self.laws.forget()
        now = self.laws.current().calendar
        then = now.with_year(year)
        settles = year.confirmed and not now.confirmed(year.year)
        return Preview(year, changes(now, then, year.year), settles, Limits(self.database, self.laws).preview(then))

    def publish(self, year: CalendarYear, actor: Actor) -> bool:
        """Put a year in force, with its source; False when the register has this very year already.

        Raises Refusal("unmet") for a year that is not confirmed or names no source: nothing unconfirmed becomes fact.
        """
        if not year.confirmed or not year.source.strip():
            raise Refusal("unmet", Message(N_(
                "Only a year that is confirmed and names the notice it rests on can be published.")))  # fmt: skip
        at = self.database.clock.now()
        content = plain_year(year) | {"published_at": at.isoformat(), "published_by": actor.name}
        with self.database.writing() as connection:
            known = connection.scalar(select(_YEAR.c.content).where(_YEAR.c.year == year.year).with_for_update())
            if known is not None and plain_year(CalendarYear.from_plain(known)) == plain_year(year):
                return False
            if known is None:
                connection.execute(insert(_YEAR), {"year": year.year, "content": content})
            else:
                connection.execute(update(_YEAR).where(_YEAR.c.year == year.year).values(content=content))
            said = plain_year(year)
            audit.append(
                connection, "reference", at, actor, "publish_calendar", "administrator",
                {"year": year.year, "source": year.source, "off": len(said["off"]), "make_up": len(said["make_up"])},
            )  # fmt: skip
            revise(connection)
        self.laws.forget()
        return True


def changes(before: Calendar, after: Calendar, year: int) -> tuple[Change, ...]:
    """The days of a year that become something else."""
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    days = (date.fromordinal(ordinal) for ordinal in range(first, last + 1))
    found = ((day, before.kind(day), after.kind(day)) for day in days)
    return tuple(Change(day, was, now, after.name(day)) for day, was, now in found if was is not now)


def _in_force(content: Mapping[str, Any]) -> YearInForce:
    return YearInForce(
        CalendarYear.from_plain(content),
        str(content.get("note") or ""),
        str(content.get("published_at") or ""),
        str(content.get("published_by") or ""),
    )


def _malformed(text: str, **values: Any) -> Refusal:
    return Refusal("malformed", Message(text, values), field="file")
