"""A licence of any procedure as a value: its title, its lines and its table come from the procedure's own file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from pdf.values import InvalidValue

MOST_ROWS = 2000  # of the table; a technical bound: the table is laid out, not painted
LONGEST_TITLE = 24


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence. `shown` are (label, text) lines; `columns` and `rows` the table after it, empty without one.

    Raises InvalidValue when it cannot be printed as a legal document.
    """

    title: str
    number: str
    holder: str
    statement: str
    shown: tuple[tuple[str, str], ...]
    issued_on: date
    valid_from: date
    valid_to: date
    authority_name: str
    verify_url: str
    verify_code: str
    annex_title: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    template_version: str = "2026-1"
    specimen: bool = False
    edition: int = 1  # in the embedded record only: no two editions are the same bytes, whatever they print

    def __post_init__(self) -> None:
        for name in ("title", "number", "holder", "statement", "authority_name"):
            if not str(getattr(self, name)).strip():
                raise InvalidValue(f"licence {self.number}: {name} is empty")
        if len(self.title) > LONGEST_TITLE:
            raise InvalidValue(f"licence {self.number}: the title is too long to print")
        if self.valid_to < self.valid_from:
            raise InvalidValue(f"licence {self.number}: valid_to {self.valid_to} is before valid_from")
        if urlsplit(self.verify_url).scheme not in ("http", "https"):
            raise InvalidValue(f"licence {self.number}: verify_url is not an http(s) address")
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

    return {name: plain(getattr(licence, name)) for name in Licence.__dataclass_fields__}


def licence_from_json(stored: Mapping[str, Any]) -> Licence:
    """The inverse of licence_json; raises InvalidValue or TypeError on a foreign shape."""
    fields = dict(stored)
    for name in ("issued_on", "valid_from", "valid_to"):
        fields[name] = date.fromisoformat(fields[name])
    fields["shown"] = tuple((label, text) for label, text in fields["shown"])
    fields["columns"] = tuple(fields["columns"])
    fields["rows"] = tuple(tuple(row) for row in fields["rows"])
    return Licence(**fields)
