"""Every command can be asked for in JSON, and what is not meant is refused by the name of its field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.test_commands import GOOD
from workflow.asking import LONGEST, Asked, command_of
from workflow.commands import COMMANDS, ConfirmRows, Decide, OrganiseReview, RecordFindings, RequestCorrection
from workflow.parsing import Command
from workflow.vocabulary import Refusal

REQUEST = {"action": "grant", "command": {"grounds": "符合"}, "command_id": "one", "expected_version": 3}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def refused(ask: Any, *arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ask(*arguments)
    assert caught.value.code == "malformed" and caught.value.field
    return caught.value


@pytest.mark.parametrize("kind", COMMANDS.values(), ids=lambda kind: kind.__name__)
def test_every_command_goes_through_json_text_and_comes_back_the_same(kind: type[Command]) -> None:
    command = kind(**{"note": "备注", **GOOD[kind]})
    text = json.dumps(command.payload(), ensure_ascii=False)
    assert command_of(kind, json.loads(text)) == command


@pytest.mark.parametrize("kind", COMMANDS.values(), ids=lambda kind: kind.__name__)
def test_a_field_that_nobody_would_read_is_refused_by_its_name(kind: type[Command]) -> None:
    refusal = refused(command_of, kind, {**kind(**GOOD[kind]).payload(), "grounds_": "x"})
    assert refusal.field == "grounds_" and "note" in str(refusal.reason)


@given(kind=st.sampled_from(sorted(GOOD, key=lambda k: k.__name__)), data=st.data())
def test_whatever_json_is_sent_is_a_command_or_names_its_field(kind: type[Command], data: st.DataObject) -> None:
    names = list(kind(**GOOD[kind]).payload())
    bad = data.draw(st.dictionaries(st.sampled_from(names), json_values, min_size=1, max_size=3))
    try:
        command = command_of(kind, {**kind(**GOOD[kind]).payload(), **bad})
    except Refusal as refusal:
        assert refusal.code == "malformed" and refusal.field in names
        return
    assert command_of(kind, json.loads(json.dumps(command.payload()))) == command


@pytest.mark.parametrize(("kind", "values", "field"), [
    (OrganiseReview, {"planned_on": "2.3.2026"}, "planned_on"),
    (OrganiseReview, {"planned_on": "20260302"}, "planned_on"),
    (OrganiseReview, {"planned_on": 20260302}, "planned_on"),
    (RequestCorrection, {"items": [{"subject": "平面图"}]}, "items"),
    (RequestCorrection, {"items": [{"subject": "平面图", "reason": "x", "why": "y"}]}, "items"),
    (RequestCorrection, {"items": ["平面图"]}, "items"),
    (RequestCorrection, {"items": {"subject": "平面图"}}, "items"),
    (RecordFindings, {"lines": [["8(1)", "meets"]]}, "lines"),
    (RecordFindings, {"lines": ["8(1)"]}, "lines"),
    (ConfirmRows, {"rows": "12"}, "rows"),
    (ConfirmRows, {"every": "false"}, "every"),
])  # fmt: skip
def test_a_value_that_is_not_meant_is_refused_by_its_field(
    kind: type[Command], values: dict[str, Any], field: str
) -> None:
    assert refused(command_of, kind, {**kind(**GOOD[kind]).payload(), **values}).field == field


@pytest.mark.parametrize("given", [None, [], "x", 3, {1: "x"}])
def test_a_command_is_an_object(given: object) -> None:
    assert refused(command_of, Decide, given).field == "command"


def test_a_request_says_all_of_it() -> None:
    asked = Asked.from_json(json.dumps(REQUEST))
    assert (asked.action, asked.command_id, asked.expected_version) == ("grant", "one", 3)
    assert command_of(Decide, asked.command) == Decide(grounds="符合")


@pytest.mark.parametrize("part", REQUEST)
def test_a_request_without_a_part_names_it(part: str) -> None:
    assert refused(Asked.from_json, json.dumps({k: v for k, v in REQUEST.items() if k != part})).field == part


@pytest.mark.parametrize(("part", "value"), [
    ("action", ""), ("action", 3), ("command", []), ("command", "x"), ("command_id", ""), ("command_id", "x" * 41),
    ("command_id", None), ("expected_version", "3"), ("expected_version", True), ("expected_version", -1),
    ("expected_version", None), ("expected_version", 3.0), ("expected_version", 2**40)])  # fmt: skip
def test_a_part_that_is_not_meant_is_named(part: str, value: object) -> None:
    assert refused(Asked.from_json, json.dumps({**REQUEST, part: value})).field == part


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"x"', "[" * 100_000, b"\xff\xfe{", '{"a": NaN}',
                                  '{"action": "grant", "action": "refuse"}', "x" * (LONGEST + 1),
                                  '{"expected_version": ' + "9" * 5000 + "}"])  # fmt: skip
def test_text_that_is_no_request_is_refused(text: str | bytes) -> None:
    refused(Asked.from_json, text)
