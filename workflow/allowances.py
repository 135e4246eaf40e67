"""Named amounts of time that the law or a bureau grants, each with its article and the dates it is valid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Unit(StrEnum):
    """How an allowance is counted."""

    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    MONTHS = "months"
    YEARS = "years"


class Basis(StrEnum):
    """What an allowance rests on. Only LAW is presented as law."""

    LAW = "law"
    POLICY = "policy"  # a published policy document or measure below the regulation
    PROMISE = "promise"  # the bureau's own promise, changeable by its administrator


class AllowanceError(ValueError):
    """A row of the allowance table is malformed, or two rows of one name overlap."""


class NoAllowance(LookupError):
    """Nothing is in force under that name on that day."""

    def __init__(self, name: str, on: date) -> None:
        super().__init__(f"no allowance named {name!r} is in force on {on}")
        self.name, self.on = name, on


@dataclass(frozen=True, slots=True)
class Allowance:
    """A dated row of the allowance table; ``valid_from`` and ``valid_to`` are both included."""

    name: str
    amount: int
    unit: Unit
    article: str
    valid_from: date
    valid_to: date | None = None
    note: str = ""
    basis: Basis = Basis.LAW
    confidence: str = ""

    def __post_init__(self) -> None:
        if not self.name or not self.article:
            raise AllowanceError(f"allowance {self.name!r} needs a name and an article")
        if self.amount < 0:
            raise AllowanceError(f"allowance {self.name!r}: {self.amount} is not an amount of time")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise AllowanceError(
                f"allowance {self.name!r} ends {self.valid_to}, before it starts {self.valid_from}"
            )

    def covers(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def plain(self) -> dict[str, object]:
        """As JSON-ready text and numbers, the reverse of ``from_plain``."""
        return {
            "name": self.name,
            "amount": self.amount,
            "unit": self.unit.value,
            "article": self.article,
            "valid_from": self.valid_from.isoformat(),
            "valid_to": None if self.valid_to is None else self.valid_to.isoformat(),
            "note": self.note,
            "basis": self.basis.value,
            "confidence": self.confidence,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> Allowance:
        """From a row of ``reference/allowances.yaml`` or from ``plain``. Raises AllowanceError."""
        name = str(plain.get("name") or "")
        amount = plain.get("amount")
        if not isinstance(amount, int) or isinstance(amount, bool):
            raise AllowanceError(f"allowance {name!r}: amount {amount!r} is not a whole number")
        try:
            return cls(
                name=name,
                amount=amount,
                unit=Unit(str(plain.get("unit"))),
                article=str(plain.get("article") or ""),
                valid_from=_day(plain["valid_from"]),
                valid_to=None if plain.get("valid_to") is None else _day(plain["valid_to"]),
                note=str(plain.get("note") or ""),
                basis=Basis(str(plain.get("basis") or Basis.LAW.value)),
                confidence=str(plain.get("confidence") or ""),
            )
        except (KeyError, ValueError) as error:
            raise AllowanceError(f"allowance {name!r}: {error}") from error


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def in_force(allowances: Iterable[Allowance], name: str, on: date) -> Allowance:
    """The one row of that name valid on that day.

    Raises NoAllowance when there is none, AllowanceError when two rows claim the day.
    """
    found = [row for row in allowances if row.name == name and row.covers(on)]
    if not found:
        raise NoAllowance(name, on)
    if len(found) > 1:
        raise AllowanceError(f"two allowances named {name!r} are in force on {on}")
    return found[0]


def proofread(allowances: Iterable[Allowance]) -> tuple[Allowance, ...]:
    """The table sorted by name and date. Raises AllowanceError where rows of one name overlap."""
    rows = tuple(sorted(allowances, key=lambda row: (row.name, row.valid_from)))
    for earlier, later in zip(rows, rows[1:], strict=False):
        if earlier.name == later.name and (earlier.valid_to is None or earlier.valid_to >= later.valid_from):
            raise AllowanceError(
                f"allowance {later.name!r}: rows from {earlier.valid_from} and {later.valid_from} overlap"
            )
    return rows
