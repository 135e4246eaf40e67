"""The machine that takes things away finds them all, takes away the one that is named and nothing else."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.removals import words
from tests.removals.noticing import is_a_promise
from tests.removals.schema import without
from tests.store.constraints import Constraint
from tests.store.factories import LEADER, person
from workflow import guards, procedures, rules
from workflow.case import Case
from workflow.commands import OrganiseReview
from workflow.procedure import EFFECTS, GUARDS
from workflow.verbs.guards import NAMED as VERB_GUARDS
from workflow.vocabulary import Message, Refusal, Role

CMA = procedures.find("cma", 2)
CASE = Case(1, "cma", 2, "accepted", "commitment", 7, facts={"commitment_bars": ["a bar"]})


def test_every_word_of_every_registry_is_found() -> None:
    found = set(words.every())
    assert {f"guard:{name}" for name in GUARDS} <= found
    assert {f"rule:{name}" for name in rules.RULES} <= found
    assert {f"effect:{name}" for name in EFFECTS} <= found
    assert {"check:conflict", "check:second_answer", "check:withdrew", "check:in_force", "check:not_covered"} <= found
    assert "register:issue_certificate" in found


def test_every_reason_of_a_guard_is_found() -> None:
    assert words.reasons(guards.commitment_stands) == (
        "The commitment track is not open to the application as it is now: return to the general procedure.",
        "The application has changed since the commitment was signed: read and sign it again.",
    )
    assert len(words.reasons(rules.conflict)) == 4  # the last of them is written over two lines
    assert len(words.reasons(VERB_GUARDS["duty_is_at_hand_as_leader"])) == 2
    for name, guard in GUARDS.items():
        assert words.reasons(guard), name


@pytest.mark.parametrize(
    ("off", "barred", "changed"),
    [("", True, True), ("guard:team_is_lawful", True, True), ("guard:commitment_stands", False, False),
     ("guard:commitment_stands#1", False, True), ("guard:commitment_stands#2", True, False)],
)  # fmt: skip
def test_only_what_is_named_is_off(off: str, barred: bool, changed: bool) -> None:
    switched = words.Switch(off).wrap("guard:commitment_stands", guards.commitment_stands)
    assert (switched(CMA, CASE, LEADER, None) is not None) is barred
    other = replace(CASE, facts={})
    assert (switched(CMA, other, LEADER, None) is not None) is changed


def test_what_is_off_never_stands_in_the_way_and_does_nothing() -> None:
    organise = OrganiseReview(mode="on_site", leader="a", members=("a", "b"), planned_on=date(2026, 3, 9))
    assert words.Switch("check:conflict").wrap("check:conflict", rules.conflict)(CASE, LEADER, ("x",), False) is None
    assert words.Switch("rule:leader").wrap("rule:leader", rules.RULES["leader"])(person("nobody"), CASE)
    effect = words.Switch("effect:seat_team").wrap("effect:seat_team", EFFECTS["seat_team"])
    assert effect(CASE, LEADER, organise) is CASE


def test_what_made_a_difference_is_seen() -> None:
    seen: list[str] = []
    wrap = words.watching(seen.append)
    guard = wrap("guard:commitment_stands", guards.commitment_stands)
    guard(CMA, CASE, LEADER, None)
    guard(CMA, replace(CASE, track="general"), LEADER, None)
    rule = wrap("rule:leader", rules.RULES["leader"])
    rule(LEADER, CASE)
    assert seen == ["guard:commitment_stands", "guard:commitment_stands#1"]
    rule(person("clerk", Role.ISSUING_CLERK), CASE)
    assert seen[-1] == "rule:leader"


def test_the_words_are_switched_before_anything_is_read_or_not_at_all() -> None:
    with pytest.raises(ImportError, match="read already"):
        words.install(words.Switch().wrap)


@pytest.mark.parametrize(
    ("failure", "is_one"),
    [(AssertionError(), True), (pytest.fail.Exception("DID NOT RAISE"), True), (KeyError("x"), False),
     (Refusal("unmet", Message("x")), True), (TypeError(), False)],
)  # fmt: skip
def test_a_test_that_breaks_has_noticed_nothing(failure: BaseException, is_one: bool) -> None:
    assert is_a_promise(failure) is is_one


TABLE = (
    'CREATE TABLE "thing" (id INTEGER NOT NULL, name VARCHAR(4) NOT NULL, '
    "kind TEXT CONSTRAINT fk_thing_kind REFERENCES kind (id), CONSTRAINT ck_thing_name CHECK (name IN ('a', 'b,c')), "
    "CONSTRAINT uq_thing_name UNIQUE (name, id))"
)


@pytest.mark.parametrize(
    ("kind", "name", "columns", "gone"),
    [("not null", "nn_thing_name", ("name",), " NOT NULL"),
     ("check", "ck_thing_name", (), "CHECK (name IN ('a', 'b,c'))"),
     ("unique", "uq_thing_name", ("name", "id"), "UNIQUE (name, id)"),
     ("foreign key", "fk_thing_kind", ("kind",), "REFERENCES kind (id)")],
)  # fmt: skip
def test_a_table_is_written_without_one_constraint(kind: str, name: str, columns: Any, gone: str) -> None:
    left = ", ".join(without(TABLE, Constraint(kind, "thing", name, columns)))
    assert left.count(gone) == TABLE.count(gone) - 1
    assert all(other in left for other in ("id INTEGER NOT NULL", "kind TEXT"))
    with pytest.raises(LookupError):
        list(without(TABLE, Constraint("check", "thing", "ck_other", ())))
