"""A licence of any procedure as a value: its title, its lines and its table come from the procedure's own file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from pdf.values import InvalidValue, Issued, with_dates

MOST_ROWS = 2000  # of the table; a technical bound: the table is laid out, not painted
LONGEST_TITLE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence(Issued):
    """One licence. `shown` are (label, text) lines; `columns` and `rows` the table after it, empty without one."""

    title: str
    holder: str
    statement: str
    shown: tuple[tuple[str, str], ...]
    annex_title: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    kind = "licence"
    named = ("title", "number", "holder", "statement")

    def __post_init__(self) -> None:
        Issued.__post_init__(self)
        if len(self.title) > LONGEST_TITLE:
            raise InvalidValue(f"licence {self.number}: the title is too long to print")
        if len(self.rows) > MOST_ROWS:
            raise InvalidValue(f"licence {self.number}: {len(self.rows)} rows are too many to print")
        if any(len(row) != len(self.columns) for row in self.rows):
            raise InvalidValue(f"licence {self.number}: a row of the table has not as many cells as columns")


def licence_json(licence: Licence) -> dict[str, Any]:
    """The licence as JSON-ready values, dates as ISO text."""

    def plain(value: object) -> object:
        if isinstance(value, date):
            return value.isoformat()
        return [plain(part) for part in value] if isinstance(value, tuple) else value

    return {part.name: plain(getattr(licence, part.name)) for part in fields(licence)}


def licence_from_json(stored: Mapping[str, Any]) -> Licence:
    """The inverse of licence_json; raises InvalidValue or TypeError on a foreign shape."""
    read = with_dates(stored)
    read["shown"] = tuple((label, text) for label, text in read["shown"])
    read["columns"] = tuple(read["columns"])
    read["rows"] = tuple(tuple(row) for row in read["rows"])
    return Licence(**read)
