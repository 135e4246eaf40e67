"""Commands parse themselves: what is not meant never gets past the constructor."""

import dataclasses
import json
from datetime import date, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.store.factories import VERB_COMMANDS
from workflow.commands import (
    COMMANDS,
    TEXT_LIMIT,
    Annul,
    AskAgain,
    ConfirmRows,
    CorrectionItem,
    Decide,
    ExtendWithApproval,
    OrganiseReview,
    Plain,
    RecordFindings,
    RecordSignOff,
    Refuse,
    RequestCorrection,
    SignCommitment,
)
from workflow.joint_commands import DecideSeparately, Inform, NominateExperts
from workflow.vocabulary import Refusal, Verdict

GOOD = {
    Plain: {},
    RequestCorrection: {"items": (CorrectionItem("平面图", "缺比例尺"),)},
    Refuse: {"reasons": ("不符合",), "basis": "第三十八条", "remedy": "可申请复议"},
    OrganiseReview: {"mode": "remote", "leader": "a", "members": ("a", "b"), "planned_on": date(2026, 3, 2)},
    RecordSignOff: {"verdict": "agree"},
    AskAgain: {"departments": ("ecology",), "grounds": "须核实"},
    Decide: {"grounds": "符合"},
    SignCommitment: {"notice_version": "1", "text_sha256": "0f" * 32, "signer": "张三"},
    ConfirmRows: {"rows": (2, 1, 2), "ways": ("on_site_test",)},
    RecordFindings: {"lines": (("8(1)", "meets", ""),)},
    Annul: {"grounds": "不实", "basis": "第六十九条"},
    ExtendWithApproval: {"grounds": "情况复杂", "approved_by": "副市长 张三", "approval_number": "示政函1号"},
    DecideSeparately: {"licence": "agricultural_testing", "grounds": "所涉项目须另行核查"},
    Inform: {"licence": "joint_cma", "state": "granted", "outcome": "granted", "facts": {"failed_licences": ["a"]}},
    NominateExperts: {"experts": ("a", "b")},
}
GOOD |= {type(command): {name: getattr(command, name) for name in command.payload()}
         for command in VERB_COMMANDS.values()}  # fmt: skip

garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4)
    | st.dates() | st.datetimes() | st.just(object()) | st.just(CorrectionItem("x", "y"))
    | st.just(CorrectionItem(1, None)),  # type: ignore[arg-type]
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner, inner)
    | st.dictionaries(st.text(max_size=3), inner, max_size=2) | st.frozensets(st.integers(), max_size=3),
    max_leaves=6,
)  # fmt: skip


def refused(kind: type, **values: Any) -> str:
    """The field that a refused command names."""
    with pytest.raises(Refusal) as caught:
        kind(**values)
    assert caught.value.code == "malformed"
    assert caught.value.field
    return caught.value.field


def test_every_command_has_a_good_example() -> None:
    assert set(GOOD) == set(COMMANDS.values())
    for kind, values in GOOD.items():
        kind(**values)


@given(kind=st.sampled_from(sorted(GOOD, key=lambda k: k.__name__)), data=st.data())
def test_garbage_is_refused_by_name_or_means_what_its_type_says(kind: type, data: st.DataObject) -> None:
    names = [f.name for f in dataclasses.fields(kind)]
    bad = data.draw(st.dictionaries(st.sampled_from(names), garbage, min_size=1, max_size=3))
    try:
        command = kind(**{**GOOD[kind], **bad})
    except Refusal as refusal:
        assert refusal.code == "malformed"
        assert refusal.field in names
        return
    payload = command.payload()  # whatever got through is canonical JSON of the declared shape
    rfc8785.dumps(payload)
    json.dumps(payload)
    for name, value in payload.items():
        default = next(f.default for f in dataclasses.fields(kind) if f.name == name)
        if isinstance(default, bool):
            assert type(value) is bool
        elif isinstance(default, str):
            assert isinstance(value, str)
        elif isinstance(default, tuple):
            assert isinstance(value, list)


@pytest.mark.parametrize("value", ["false", "true", 1, 0, None, "yes"])
@pytest.mark.parametrize(
    "kind, field",
    [(ConfirmRows, "every"), (ConfirmRows, "confirmed"), (Annul, "whole"), (Annul, "public_safety"),
     (RequestCorrection, "from_corrected_material")],
)  # fmt: skip
def test_a_yes_or_no_is_never_guessed_from_text(kind: type, field: str, value: object) -> None:
    assert refused(kind, **{**GOOD[kind], field: value}) == field


def test_a_verdict_is_parsed_and_an_objection_says_why() -> None:
    assert RecordSignOff(verdict="agree").verdict is Verdict.AGREE  # type: ignore[arg-type]
    assert refused(RecordSignOff, verdict="OBJECT") == "verdict"
    assert refused(RecordSignOff, verdict=["agree"]) == "verdict"
    assert refused(RecordSignOff, verdict="object") == "opinion"
    assert refused(RecordSignOff, verdict="object", opinion="  \n") == "opinion"
    assert refused(RecordSignOff, verdict="recused") == "opinion"
    assert RecordSignOff(verdict="abstain").opinion == ""  # type: ignore[arg-type]


def test_text_is_trimmed_composed_and_bounded() -> None:
    assert Decide(grounds="  cafe\u0301 ").grounds == "caf\u00e9"
    assert Decide(grounds="字" * TEXT_LIMIT).grounds
    assert refused(Decide, grounds="字" * (TEXT_LIMIT + 1)) == "grounds"


@pytest.mark.parametrize("evil", ["\x00", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\ud800"])
def test_characters_that_deceive_or_cannot_be_stored_are_refused(evil: str) -> None:
    assert refused(Decide, grounds=f"符合{evil}条件") == "grounds"
    assert refused(Plain, note=f"a{evil}b") == "note"


def test_a_team_has_its_leader_once_and_a_planned_day() -> None:
    base = GOOD[OrganiseReview]
    assert OrganiseReview(**{**base, "members": ("a", "b", "a")}).members == ("a", "b")
    assert refused(OrganiseReview, **{**base, "leader": "c"}) == "leader"
    assert refused(OrganiseReview, **{**base, "mode": "by_phone"}) == "mode"
    assert refused(OrganiseReview, **{**base, "planned_on": None}) == "planned_on"
    assert refused(OrganiseReview, **{**base, "planned_on": datetime(2026, 3, 2)}) == "planned_on"  # noqa: DTZ001


@pytest.mark.parametrize("rows", [(0,), (-1,), (2**31,), (True,), ("1",), (1.0,), 5, "12", None])
def test_a_row_is_named_by_an_ordinal_that_can_exist(rows: object) -> None:
    assert refused(ConfirmRows, rows=rows, ways=("document",)) == "rows"
    assert refused(Annul, whole=False, rows=rows, grounds="不实", basis="第六十九条") == "rows"


def test_confirming_names_a_way_and_excepting_a_reason() -> None:
    assert ConfirmRows(rows=(3, 1), ways=("document",)).rows == (1, 3)
    assert refused(ConfirmRows, every=True) == "ways"
    assert refused(ConfirmRows, rows=(1,), confirmed=False) == "reason"
    assert refused(ConfirmRows, ways=("document",)) == "rows"
    assert refused(Annul, whole=False, grounds="不实", basis="第六十九条") == "rows"


def test_a_failed_line_describes_the_facts() -> None:
    assert refused(RecordFindings, lines=(("8(1)", "does_not_meet", ""),)) == "lines"
    assert refused(RecordFindings, lines=(("8(1)", "perhaps", "x"),)) == "lines"
    assert refused(RecordFindings, lines=(("8(1)", "meets"),)) == "lines"
    assert refused(RecordFindings, lines=()) == "lines"


def test_a_refusal_carries_reasons_basis_and_remedy() -> None:
    for missing in ("reasons", "basis", "remedy"):
        assert refused(Refuse, **{**GOOD[Refuse], missing: ""}) == missing
    assert refused(Refuse, **{**GOOD[Refuse], "reasons": ("", " ")}) == "reasons"


def test_a_command_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Decide(grounds="符合").grounds = "其他"  # type: ignore[misc]
