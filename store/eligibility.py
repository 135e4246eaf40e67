"""Whether the commitment track 告知承诺程序 is open to an application: each criterion with its reason and article."""
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from workflow.allowances import Allowance, Unit
from workflow.reckoning import shift_months
from workflow.vocabulary import N_, Message

# The grounds a commitment_bar row may carry.
PENALTY, FALSE_COMMITMENT, LISTED, RETRACTION = "penalty", "false_commitment", "listed", "retraction"


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of `commitment_bar`: why the track is closed to an agency, since when and until when (None: for good)."""

    ground: str
    basis: str
    from_on: date
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A field that may not use the track. `division` is '' (everywhere) or a GB/T 2260 code of the province."""

    key: str
    name: Message
    keywords: tuple[str, ...]
    division: str
    from_on: date
    until_on: date | None
    basis: str

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Exclusion":
        return cls(row["key"], Message(row["en"], zh=row["zh"]), tuple(row["keywords"]), row["division"] or "",
                   date.fromisoformat(str(row["from"])),
                   date.fromisoformat(str(row["until"])) if row["until"] else None, row["basis"])

    def reaches(self, division: str, on: date) -> bool:
        """Whether it holds for an agency of that division on that day."""
        province = self.division[:2]
        return (not province or division.startswith(province)) and self.from_on <= on and (
            self.until_on is None or on <= self.until_on)


@dataclass(frozen=True, slots=True)
class Particulars:
    """What is judged. `found` maps an exclusion's key to the words of the capability table that it was found in;
    `retracted` holds the numbers or dates of commitment applications for the same matter that were withdrawn."""

    types: tuple[str, ...]
    division: str
    on: date
    found: Mapping[str, str]
    bars: tuple[Bar, ...] = ()
    retracted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the answer: `code` is its key in the catalogue, `why` says what was found when it is not met."""

    code: str
    what: Message
    article: str
    met: bool
    why: Message | None = None


@dataclass(frozen=True, slots=True)
class Eligibility:
    criteria: tuple[Criterion, ...]

    @property
    def bars(self) -> list[str]:
        """The codes of what is not met: the fact `commitment_bars`."""
        return [c.code for c in self.criteria if not c.met]

    @property
    def is_open(self) -> bool:
        return not self.bars


def assess(
    particulars: Particulars, *, criteria: Sequence[Mapping[str, Any]], types: Sequence[Mapping[str, Any]],
    exclusions: Iterable[Exclusion], lookback: Allowance | None,
) -> Eligibility:
    """Judge an application against every criterion of the catalogue `commitment_criteria`.

    `types` are the rows of `application_types`, `lookback` the allowance `commitment_penalty_lookback` in force.
    An unknown key in the catalogue is shown as met only if nothing is registered under it as a bar's ground.
    Sources: Order 163 arts. 10 and 12; the commitment measures of 2019; Order 44. No number stands here.
    """
    why = {
        "type_not_covered": _types_outside(particulars, types),
        "excluded_field": _excluded(particulars, exclusions),
        "penalty": _penalty(particulars, lookback),
        "retraction": _retraction(particulars),
    }
    found = []
    for row in criteria:
        reason = why[row["key"]] if row["key"] in why else _barred(particulars, row["key"])
        found.append(Criterion(row["key"], Message(row["en"], zh=row["zh"]), row["basis"], reason is None, reason))
    return Eligibility(tuple(found))


def _types_outside(case: Particulars, types: Sequence[Mapping[str, Any]]) -> Message | None:
    names = [Message(t["en"], zh=t["zh"]) for t in types if t["key"] in case.types and not t["commitment"]]
    if not names:
        return None
    return Message(N_("Not covered: %(types)s."), {"types": names})


def _excluded(case: Particulars, exclusions: Iterable[Exclusion]) -> Message | None:
    for exclusion in exclusions:
        if exclusion.key in case.found and exclusion.reaches(case.division, case.on):
            return Message(N_("%(field)s: found in “%(words)s” (%(basis)s)."),
                           {"field": exclusion.name, "words": case.found[exclusion.key], "basis": exclusion.basis})
    return None


def _penalty(case: Particulars, lookback: Allowance | None) -> Message | None:
    if case.types == ("first",):
        return None
    for bar in case.bars:
        if bar.ground == PENALTY and bar.from_on <= case.on <= (bar.until_on or _looked_back(bar.from_on, lookback)):
            return Message(N_("A penalty of %(on)s stands against it: %(basis)s."),
                           {"on": bar.from_on, "basis": bar.basis})
    return None


def _looked_back(since: date, lookback: Allowance | None) -> date:
    if lookback is None:
        return date.max
    months = {Unit.YEARS: 12, Unit.MONTHS: 1}.get(lookback.unit)
    if months is None:
        raise ValueError(f"{lookback.name} is counted in years or months, not {lookback.unit.value}")
    return shift_months(since, months * lookback.amount)


def _barred(case: Particulars, ground: str) -> Message | None:
    for bar in case.bars:
        if bar.ground != ground or not bar.from_on <= case.on <= (bar.until_on or date.max):
            continue
        if bar.until_on is None:
            return Message(N_("Registered on %(on)s: %(basis)s."), {"on": bar.from_on, "basis": bar.basis})
        return Message(N_("Registered on %(on)s, until %(until)s: %(basis)s."),
                       {"on": bar.from_on, "until": bar.until_on, "basis": bar.basis})
    return None


def _retraction(case: Particulars) -> Message | None:
    if case.retracted:
        return Message(N_("Retracted earlier: %(cases)s. The general procedure is open to you."),
                       {"cases": list(case.retracted)})
    return _barred(case, RETRACTION)
