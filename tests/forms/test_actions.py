"""Forms of acts: what was typed becomes the command that was meant, or a refusal that names the field."""
import re
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.datastructures import MultiDict

from forms.actions import CORRECTION_LIMIT, CORRECTION_ROWS, FORMS, ActionForm
from forms.wording import suggested
from workflow import procedures
from workflow.commands import (
    COMMANDS,
    Annul,
    ConfirmRows,
    OrganiseReview,
    RecordFindings,
    RequestCorrection,
    Verdict,
)
from workflow.vocabulary import Refusal

TOLD_BY_CASES = {"Inform"}  # what one case says to another; no person sends it
POOL = {"pool": (("p1", "甲"), ("p2", "乙"), ("p3", "丙")), "leaders": ("p1",)}
WAYS = {"ways": (("site_test", "现场试验"), ("records", "查阅记录"))}


def typed(name: str, *pairs: tuple[str, str], **options: Any) -> ActionForm:
    return FORMS[COMMANDS[name]](MultiDict(pairs), **options)


def refusal_of(form: ActionForm) -> Refusal:
    with pytest.raises(Refusal) as refused:
        form.read()
    assert refused.value.code == "malformed"
    return refused.value


def test_every_command_has_exactly_one_form():
    assert {command.__name__ for command in FORMS} == set(COMMANDS) - TOLD_BY_CASES
    assert all(form.command is command for command, form in FORMS.items())


def test_a_correction_takes_the_filled_rows_and_leaves_the_empty_ones():
    form = typed("RequestCorrection", ("items-0-subject", "平面图"), ("items-0-reason", "缺比例尺"),
                 ("items-1-subject", ""), ("items-1-reason", ""), ("items-1-basis", "第三十二条"),
                 ("items-2-subject", "附表2"), ("items-2-reason", "缺职称"), ("from_corrected_material", "y"))
    command = form.read()
    assert isinstance(command, RequestCorrection)
    assert [item.subject for item in command.items] == ["平面图", "附表2"] and command.from_corrected_material


def test_a_correction_starts_with_empty_rows_and_grows_one_at_a_time():
    assert len(FORMS[RequestCorrection]().items) == CORRECTION_ROWS
    form = typed("RequestCorrection", *((f"items-{n}-subject", "x") for n in range(5)), ("add_item", "1"))
    assert form.wants_another_row() and len(form.items) == 6
    most = [(f"items-{n}-subject", "x") for n in range(CORRECTION_LIMIT)]
    full = typed("RequestCorrection", *most, ("add_item", "1"))
    assert len(full.items) == CORRECTION_LIMIT


def test_a_correction_without_any_item_is_refused():
    assert refusal_of(typed("RequestCorrection")).field == "items"


def test_reasons_are_one_per_line():
    form = typed("Refuse", ("reasons", "理由一\r\n\r\n 理由二 "), ("basis", "第三十八条"), ("remedy", "复议"))
    assert form.read().reasons == ("理由一", "理由二")


def test_a_team_is_read_with_its_leader_mode_and_day():
    form = typed("OrganiseReview", ("mode", "on_site"), ("members", "p1"), ("members", "p2"), ("leader", "p1"),
                 ("planned_on", "2026-03-09"), **POOL)
    assert form.read() == OrganiseReview(mode="on_site", leader="p1", members=("p1", "p2"), planned_on=date(2026, 3, 9))


@pytest.mark.parametrize(("pairs", "field"), [
    ((("mode", "by_drone"), ("members", "p1"), ("leader", "p1"), ("planned_on", "2026-03-09")), "mode"),
    ((("mode", "on_site"), ("members", "p1"), ("members", "stranger"), ("leader", "p1")), "members"),
    ((("mode", "on_site"), ("members", "p2"), ("leader", "p2"), ("planned_on", "2026-03-09")), "leader"),
    ((("mode", "on_site"), ("members", "p2"), ("leader", "p1"), ("planned_on", "2026-03-09")), "leader"),
    ((("mode", "on_site"), ("members", "p1"), ("planned_on", "2026-03-09")), "leader"),
    ((("mode", "on_site"), ("members", "p1"), ("leader", "p1"), ("planned_on", "2026-02-30")), "planned_on"),
    ((("mode", "on_site"), ("members", "p1"), ("leader", "p1")), "planned_on")])
def test_a_team_that_cannot_be_is_refused_where_it_is_wrong(pairs, field):
    assert refusal_of(typed("OrganiseReview", *pairs, **POOL)).field == field


def test_an_answer_is_a_verdict_and_never_a_word():
    assert typed("RecordSignOff", ("verdict", "object"), ("opinion", "不符合")).read().verdict is Verdict.OBJECT
    for pairs in ((("verdict", "granted"),), (), (("verdict", "object"),)):
        assert refusal_of(typed("RecordSignOff", *pairs)).field in ("verdict", "opinion")


def test_confirming_reads_rows_and_ways_and_refusing_reads_the_reason():
    confirmed = typed("ConfirmRows", ("press", "confirm"), ("rows", "3"), ("rows", "1"), ("ways", "records"), **WAYS)
    assert confirmed.read() == ConfirmRows(rows=(1, 3), ways=("records",))
    refused = typed("ConfirmRows", ("press", "refuse"), ("rows", "2"), ("ways", "records"), ("reason", "缺设备"),
                    **WAYS)
    assert refused.read() == ConfirmRows(rows=(2,), confirmed=False, reason="缺设备")
    every = typed("ConfirmRows", ("press", "confirm_every"), ("ways", "site_test"), **WAYS)
    assert every.read() == ConfirmRows(every=True, ways=("site_test",))


@pytest.mark.parametrize("row", ["x", "-1", "1.5", "１", " 1", "9" * 19, "0"])
def test_a_row_number_that_is_none_refuses_the_whole_form(row):
    form = typed("ConfirmRows", ("press", "confirm"), ("rows", "1"), ("rows", row), ("ways", "records"), **WAYS)
    assert refusal_of(form).field == "rows"


def test_checklist_lines_without_an_answer_stay_open_unless_the_rest_meets():
    pairs = [("lines-0-code", "8(1)"), ("lines-0-result", "not_applicable"), ("lines-1-code", "8(2)")]
    assert typed("RecordFindings", *pairs).read() == RecordFindings(lines=(("8(1)", "not_applicable", ""),))
    assert typed("RecordFindings", *pairs, ("rest", "y")).read().lines[1] == ("8(2)", "meets", "")


def test_annulling_the_whole_forgets_rows_that_were_ticked():
    pairs = [("rows", "4"), ("grounds", "不实"), ("basis", "第六十九条")]
    assert typed("Annul", ("whole", "yes"), *pairs).read() == Annul(grounds="不实", basis="第六十九条")
    assert typed("Annul", ("whole", "no"), *pairs).read().rows == (4,)
    assert refusal_of(typed("Annul", *pairs)).field == "whole"


def test_the_boxes_of_a_grave_step_are_there_only_when_it_is_grave():
    light, grave = typed("Plain"), typed("Plain", reauthenticate=True, irreversible=True)
    assert "sure" not in light and "password" not in light
    assert "sure" in grave and "password" in grave
    assert refusal_of(grave).field == "sure"


def test_a_fresh_form_carries_an_identifier_and_a_sent_one_only_its_own():
    fresh = FORMS[COMMANDS["Plain"]](expected_version="4")
    assert fresh.act_id() and fresh.seen_version() == 4
    bare = typed("Plain")
    for ask in (bare.act_id, bare.seen_version):
        with pytest.raises(Refusal):
            ask()
    known = str(uuid4())
    assert typed("Plain", ("command_id", known)).act_id() == known


@pytest.mark.parametrize("version", ["", "-1", "1.0", "１", "9" * 10, "x"])
def test_a_damaged_version_is_refused(version):
    with pytest.raises(Refusal):
        typed("Plain", ("expected_version", version)).seen_version()


def test_no_suggestion_fills_what_was_sent_empty():
    form = FORMS[COMMANDS["Decide"]](MultiDict([("grounds", "")]), grounds="建议的文字")
    assert refusal_of(form).field == "grounds"


def test_every_suggestion_belongs_to_an_action_and_to_a_field_of_its_form():
    from forms import wording

    texts = {name: actions for name, actions in wording._texts().items() if isinstance(actions, dict)}
    assert texts
    for name, actions in texts.items():
        for action, fields in actions.items():
            command = procedures.current(name).by_name[action].command
            known = set(FORMS[command]()._fields) | ({"basis"} if command is RequestCorrection else set())
            assert set(fields) <= known, (name, action)
            found = suggested(name, action)
            assert {field: "".join(text.split()) for field, text in found.items()} == {
                field: "".join(text.split()) for field, text in fields.items()}
            assert not any(re.search(r"[\u4e00-\u9fff，。；] [\u4e00-\u9fff《]", text) for text in found.values())
