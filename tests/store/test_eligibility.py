"""Who may use the commitment track: every ground closes it, and nothing else does."""
from datetime import date

import pytest

from store.eligibility import Bar, Exclusion, Particulars, assess
from store.reference import DIRECTORY, _yaml
from workflow.allowances import Allowance, in_force

TYPES = _yaml(DIRECTORY / "application_types.yaml")["rows"]
CRITERIA = _yaml(DIRECTORY / "commitment_criteria.yaml")["rows"]
EXCLUSIONS = tuple(Exclusion.from_row(r) for r in _yaml(DIRECTORY / "commitment_exclusions.yaml")["rows"])
LOOKBACK = in_force((Allowance.from_plain(r) for r in _yaml(DIRECTORY / "allowances.yaml")["rows"]),
                    "commitment_penalty_lookback", date(2026, 3, 2))
TODAY = date(2026, 3, 2)
PLAIN = {"types": ("renewal",), "division": "610102", "on": TODAY, "found": {}, "bars": (), "retracted": ()}


def judged(**changes: object) -> list[str]:
    return assess(Particulars(**{**PLAIN, **changes}), criteria=CRITERIA, types=TYPES,  # type: ignore[arg-type]
                  exclusions=EXCLUSIONS, lookback=LOOKBACK).bars


def bar(ground: str, since: date, until: date | None = None) -> tuple[Bar, ...]:
    return (Bar(ground, "示范文书第1号", since, until),)


OPEN = [
    ("nothing against it", {}),
    ("all four types", {"types": ("renewal", "extension", "site_change")}),
    ("a first application", {"types": ("first",)}),
    ("an excluded field of another province", {"found": {"henan_chinese_medicine": "黄芪 / 水分"}}),
    ("a penalty older than two years", {"bars": bar("penalty", date(2024, 3, 1))}),
    ("a penalty that is not asked of a first application",
     {"types": ("first",), "bars": bar("penalty", date(2026, 1, 5))}),
    ("a listing that has ended", {"bars": bar("listed", date(2022, 1, 1), date(2026, 3, 1))}),
    ("a listing that is still to come", {"bars": bar("listed", date(2026, 3, 3))}),
]
CLOSED = [
    ("a type outside the four", {"types": ("renewal", "standard_change")}, "type_not_covered"),
    ("special food anywhere", {"found": {"special_food": "婴幼儿配方食品 / 铅"}}, "excluded_field"),
    ("a field its own province excludes",
     {"division": "410422", "found": {"henan_chinese_medicine": "黄芪 / 水分"}}, "excluded_field"),
    ("a penalty within two years", {"bars": bar("penalty", date(2024, 3, 2))}, "penalty"),
    ("a false commitment, however old", {"bars": bar("false_commitment", date(2020, 1, 1))}, "false_commitment"),
    ("being listed until this very day", {"bars": bar("listed", date(2023, 3, 3), TODAY)}, "listed"),
    ("an earlier retraction", {"retracted": ("2026-000004",)}, "retraction"),
    ("a registered retraction", {"bars": bar("retraction", date(2025, 1, 1))}, "retraction"),
]


@pytest.mark.parametrize(("what", "changes"), OPEN, ids=[o[0] for o in OPEN])
def test_the_track_is_open_with(what: str, changes: dict[str, object]) -> None:
    assert judged(**changes) == []


@pytest.mark.parametrize(("what", "changes", "code"), CLOSED, ids=[c[0] for c in CLOSED])
def test_the_track_is_closed_by(what: str, changes: dict[str, object], code: str) -> None:
    assert judged(**changes) == [code]


def test_every_criterion_is_told_with_its_article_and_the_reason_where_it_is_not_met() -> None:
    found = assess(Particulars(**{**PLAIN, "bars": bar("listed", date(2024, 1, 1))}),  # type: ignore[arg-type]
                   criteria=CRITERIA, types=TYPES, exclusions=EXCLUSIONS, lookback=LOOKBACK)
    assert [c.code for c in found.criteria] == [row["key"] for row in CRITERIA]
    assert all(c.article and (c.why is None) is c.met for c in found.criteria)
    unmet = next(c for c in found.criteria if not c.met)
    assert "示范文书第1号" in str(unmet.why)
