"""What differs between two versions is told entry by entry; the table of roles is what the engine itself would say."""

import re
from itertools import product

import pytest

from workflow import procedures
from workflow.case import Case
from workflow.comparison import Part, differences
from workflow.competences import competences, roles_of
from workflow.engine import offers
from workflow.procedure import Procedure, parse
from workflow.vocabulary import Actor, Role

OLD = procedures.find("cma", 1)
TEXT = (procedures.HERE / "cma.v1.yaml").read_text("utf-8")
EVERY = pytest.mark.parametrize("procedure", procedures.every(), ids=lambda p: f"{p.name}.v{p.version}")


def changed(old: str, new: str) -> Procedure:
    assert old in TEXT
    text = re.sub(r"(?m)^version:.*$", "version: 9", TEXT).replace(old, new, 1)
    return parse(text.encode(), "changed.yaml")


@EVERY
def test_a_version_does_not_differ_from_itself(procedure: Procedure) -> None:
    assert differences(procedure, procedure) == ()


def test_another_number_alone_is_no_difference() -> None:
    assert differences(OLD, changed("initial: draft", "initial: draft")) == ()


@pytest.mark.parametrize("old, new, section, name, part", [
    ("{team_at_least: 2}", "{team_at_least: 3}", "numbers", "team_at_least", Part("", ("2",), ("3",))),
    ("zh: 待受理}", "zh: 等待受理}", "states", "submitted",
     Part("label", ("待受理 / Awaiting acceptance",), ("等待受理 / Awaiting acceptance",))),
    ("《计量法》第二十二条、", "", "procedure", "procedure", None),
])  # fmt: skip
def test_one_change_is_one_difference(old: str, new: str, section: str, name: str, part: Part | None) -> None:
    (only,) = differences(OLD, changed(old, new))
    assert (only.section, only.name, only.kind) == (section, name, "changed")
    assert part is None or only.parts == (part,)


def test_what_was_added_is_what_is_removed_the_other_way_round() -> None:
    new = procedures.find("cma", 2)
    there, back = differences(OLD, new), differences(new, OLD)
    turn = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(d.section, d.name, turn[d.kind]) for d in there} == {(d.section, d.name, d.kind) for d in back}
    assert {p.field: (p.before, p.after) for d in there for p in d.parts if d.name == "awaiting_sign_off"} == {
        p.field: (p.after, p.before) for d in back for p in d.parts if d.name == "awaiting_sign_off"}


@EVERY
def test_the_table_says_of_the_offices_what_the_engine_offers_them(procedure: Procedure) -> None:
    """Roles that look at the office alone; whoever must have a part in the case is looked at by the next test."""
    table = {row.state: row for row in competences(procedure)}
    track = next(iter(procedure.spec.tracks))
    by_office = {a.name for a in procedure.actions if a.spec.who in set(Role) and a.spec.verb is None}
    for state, role in product(procedure.states, roles_of(procedure)):
        case = Case(1, procedure.name, procedure.version, state, track, 1)
        actor = Actor(1, "somebody", "", frozenset({role}), agency_id=1)
        offered = {o.action.name for o in offers(procedure, case, actor)} & by_office
        told = {a.name for a in table[state].acts.get(role, ()) if a.spec.track in (None, track) and not a.automatic}
        assert offered == told & by_office, (state, role)


def test_the_team_and_the_departments_stand_in_the_table_by_their_roles() -> None:
    table = {row.state: row for row in competences(OLD)}
    acts = {state: {role: {a.name for a in found} for role, found in row.acts.items()} for state, row in table.items()}
    assert "confirm_rows" in acts["under_review"][Role.REVIEWER] & acts["under_review"][Role.TEAM_LEADER]
    assert "conclude_meets" in acts["under_review"][Role.TEAM_LEADER]
    assert "conclude_meets" not in acts["under_review"][Role.REVIEWER]
    assert acts["awaiting_sign_off"][Role.DEPARTMENT_OFFICER] == {"sign_off"}
    assert table["awaiting_sign_off"].duties == {Role.DEPARTMENT_OFFICER}
