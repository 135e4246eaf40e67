"""Which running cases may go over to another version, what they need for it, and what their applicants would notice."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.workflow.test_clocks import LAW_OF_ALL, MONDAY
from workflow import procedures
from workflow.case import Act, Case
from workflow.clocks import turn
from workflow.deadlines import Outcome
from workflow.migration import Plan, Standing, outlook, refuse_unfit
from workflow.procedure import Procedure, parse
from workflow.vocabulary import Refusal

OLD = procedures.find("cma", 1)
TEXT = (procedures.HERE / "cma.v1.yaml").read_text("utf-8")


def other(*changes: tuple[str, str]) -> Procedure:
    """Version 1 with some of its words changed, as version 9."""
    text = re.sub(r"(?m)^version:.*$", "version: 9", TEXT)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return parse(text.encode(), "changed.yaml")


def case_in(state: str, track: str = "general", **facts: Any) -> Case:
    empty = Case(1, "cma", 1, OLD.spec.initial, track, 1, facts=facts)
    return replace(empty, state=state, clocks=turn(OLD, empty, state, MONDAY, LAW_OF_ALL))


def looked(case: Case, new: Procedure, on: date = MONDAY, **plan: Mapping[str, Any]) -> Any:
    return outlook(case, OLD, new, Plan(**plan), on, LAW_OF_ALL)


@pytest.mark.parametrize("state", [s for s, spec in OLD.states.items() if not spec.final])
@pytest.mark.parametrize("track", OLD.spec.tracks)
def test_a_version_with_the_same_words_changes_nothing_for_anybody(state: str, track: str) -> None:
    case = case_in(state, track, departments=["ecology"])
    found = looked(case, other())
    assert found.standing is Standing.CAN and found.changes == ()
    assert found.after == replace(case, procedure_version=9, version=case.version + 1)


def test_a_case_that_has_ended_stays_where_it_is() -> None:
    with pytest.raises(Refusal) as refused:
        looked(case_in("closed"), other())
    assert refused.value.code == "unavailable"


RENAMED: tuple[str, str] = ("awaiting_decision", "to_be_decided")


def test_a_state_that_is_gone_needs_a_mapping_and_goes_over_with_one() -> None:
    case, new = case_in("awaiting_decision", departments=[]), other(RENAMED)
    found = looked(case, new)
    assert found.standing is Standing.MAPPING and found.after is None
    assert [(o.part, o.name) for o in found.obstacles] == [("states", "awaiting_decision")]
    found = looked(case, new, states={"awaiting_decision": "to_be_decided"})
    assert found.standing is Standing.CAN
    assert found.after.state == "to_be_decided"
    assert looked(case_in("submitted"), new).standing is Standing.CAN, "only the cases that stand there need it"


def test_a_mapping_to_a_state_that_ends_a_case_is_no_way_out() -> None:
    found = looked(case_in("submitted"), other(), states={"submitted": "not_accepted"})
    assert found.standing is Standing.MAPPING and found.after is None


def test_a_clock_that_is_gone_is_given_its_new_name_or_ended_in_so_many_words() -> None:
    gone = [("\n  acceptance:\n    label", "\n  first_look:\n    label"), ("since: acceptance", "since: first_look")]
    new = other(*[change for change in gone if change[0] in TEXT])
    case = case_in("submitted")
    assert [o.part for o in looked(case, new).obstacles] == ["clocks"]
    renamed = looked(case, new, clocks={"acceptance": "first_look"}).after
    before = next(c for c in case.clocks if c.name == "acceptance")
    assert next(c for c in renamed.clocks if c.name == "first_look").due_on == before.due_on
    ended = looked(case, new, clocks={"acceptance": ""})
    assert "acceptance" not in {c.name for c in ended.after.clocks}
    assert [(c.name, c.outcome) for c in ended.ended] == [("acceptance", Outcome.DROPPED)]
    assert {str(m.text)[:12] for m in ended.changes} == {"A time limit"}


def test_a_fact_that_nobody_will_ever_write_has_to_be_given() -> None:
    guard = "{fact: fee_waived, is: true, otherwise: {en: Not waived., zh: 未免除。}}"
    accept = TEXT.index("\n  accept:\n")
    end = TEXT.index("\n  pass_formal_check:\n", accept)
    block = TEXT[accept:end]
    guarded = re.sub(r"\n    who: window_officer\n", f"\n    who: window_officer\n    guards: [{guard}]\n", block)
    assert guarded != block
    new = other((block, guarded))
    case = case_in("submitted")
    assert [(o.part, o.name) for o in looked(case, new).obstacles] == [("facts", "fee_waived")]
    given = looked(case, new, facts={"fee_waived": True})
    assert given.standing is Standing.CAN and given.after.fact("fee_waived") is True
    assert looked(case_in("accepted"), new).standing is Standing.CAN, "a case that is past the step is not asked"


def test_an_act_that_would_no_longer_keep_somebody_from_deciding_needs_a_mapping() -> None:
    new = other(("[accept, pass_formal_check,", "[pass_formal_check,"))
    case = replace(case_in("awaiting_decision", departments=[]), acts=(Act("accept", "officer"),))
    found = looked(case, new)
    assert found.standing is Standing.MAPPING
    assert {(o.part, o.name) for o in found.obstacles} == {("acts", "accept")}
    assert looked(case, new, acts={"accept": "pass_formal_check"}).standing is Standing.CAN
    bystander = replace(case, acts=(Act("retract", "officer"),))
    assert looked(bystander, new).standing is Standing.CAN


def test_a_case_is_not_left_in_a_state_that_the_system_leaves_by_itself() -> None:
    case = case_in("awaiting_decision", departments=[])
    found = looked(case, other(), states={"awaiting_decision": "awaiting_sign_off"})
    assert found.standing is Standing.MAPPING
    assert any("at once" in o.reason.text for o in found.obstacles)


def test_the_applicant_is_told_what_becomes_possible_and_what_does_not() -> None:
    retract = re.search(r"\n  retract:\n(?:    .*\n)+", TEXT)
    assert retract
    new = other((retract[0], retract[0].replace("submitted, ", "", 1)))
    told = [m.text for m in looked(case_in("submitted"), new).changes]
    assert told == ["The applicant can no longer do this: %(steps)s."]


def test_what_the_verbs_remember_goes_over_under_its_new_names() -> None:
    case = case_in("awaiting_decision", departments=[], last_act={"act": "conclude_meets"},
                   assignments={"awaiting_decision": {"leader:": "deputy"}},
                   return_to={"accepted": "awaiting_decision"})
    new = other(RENAMED)
    named = looked(case, new, states=dict([RENAMED])).after
    assert named.fact("assignments") == {"to_be_decided": {"leader:": "deputy"}}
    assert named.fact("return_to") == {"accepted": "to_be_decided"}
    assert "last_act" not in named.facts
    elsewhere = case_in("accepted", return_to={"accepted": "awaiting_decision"})
    assert [(o.part, o.name) for o in looked(elsewhere, new).obstacles] == [("states", "awaiting_decision")]


@pytest.mark.parametrize("plan", [
    {"states": {"nowhere": "submitted"}}, {"states": {"submitted": "nowhere"}}, {"tracks": {"general": "fast"}},
    {"clocks": {"acceptance": "nothing"}}, {"acts": {"dance": "accept"}},
])  # fmt: skip
def test_a_plan_that_names_what_is_not_there_is_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        refuse_unfit(Plan(**plan), OLD, other())
    assert refused.value.code == "malformed" and refused.value.field == next(iter(plan))


@pytest.mark.parametrize("part", ["states", "tracks", "clocks", "acts", "facts"])
def test_a_plan_is_kept_and_read_again(part: str) -> None:
    plan = Plan(**{part: {"a": "b"}})
    assert Plan.from_plain(plan.plain()) == plan
