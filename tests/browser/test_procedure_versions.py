"""An administrator changes a procedure: a draft, a slip that is told as it is typed, a proof, a day to begin."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.looking import examined, picture
from tests.browser.offices import WAIT, Bureau
from tests.store import factories
from workflow import procedures
from workflow.exploration import prove
from workflow.procedure import Procedure
from workflow.proofs import Proof, Property, Standing, Verdict
from workflow.vocabulary import Message

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shelf")]
PROOF = 8 * WAIT  # the exploration takes its seconds, more on a busy machine


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """What people type meets the same code on every database: one will do."""
    return sqlite_database_url


@pytest.fixture
def quick_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that passes at once: what the exploration finds is told by tests of its own."""

    def passes(procedure: Procedure, **_: object) -> Proof:
        holds = Property("finishes", Message("A case can always end", {}, "案件总能办结"), Standing.HOLDS)
        return Proof(Verdict.PROVED, procedure.name, procedure.version, procedure.digest, (holds,), 12, 34)

    assert prove
    monkeypatch.setattr("jobs.proving.explore", passes)


def test_a_draft_is_written_with_a_slip_put_right_proved_and_scheduled(
    bureau: Bureau, enter: Enter, quick_proof: None
) -> None:
    newest = max(p.version for p in procedures.shipped() if p.name == "cma")
    person = enter("guanli")
    page = person.go(f"/procedures/cma/{newest}")
    person.press("以此版本起草新版本")
    editor = page.locator("#definition")
    text = editor.input_value()
    number = int(page.url.split("/")[-2])

    editor.fill(text.replace("initial: draft", "initial: drafft"))
    faults = page.locator("#faults")
    expect(faults).to_contain_text("没有名为 drafft 的状态", timeout=WAIT)
    expect(faults.locator("code", has_text="draft").last).to_be_visible()
    faults.get_by_role("button", name="第").first.click()
    line = text.split("\n").index("initial: draft")
    start = editor.evaluate("e => e.selectionStart")
    assert editor.input_value()[:start].count("\n") == line, "the fault leads to its line"

    expect(page.locator("[data-saved-status]")).to_have_attribute("data-state", "saved", timeout=WAIT)
    page.reload()
    assert "drafft" in editor.input_value(), "what was typed is kept, wrong as it is"
    editor.fill(text.replace("部门并联会签中", "各部门会签中"))
    expect(faults.locator(".is-good")).to_be_visible(timeout=WAIT)
    person.press("保存并查看")

    person.press("运行验证")
    expect(page.locator("main")).to_contain_text("验证通过", timeout=WAIT)
    page.get_by_role("link", name="总览").first.click()
    page.get_by_role("link", name="定日施行").click()
    day = bureau.house.database.clock.today() + timedelta(days=7)
    page.fill("[name=on]", day.isoformat())
    person.press("定日施行此版本")
    expect(page.locator(".wj-error").first).to_be_visible(timeout=WAIT)  # without a reason nothing happens
    assert page.input_value("[name=on]") == day.isoformat()
    page.fill("[name=reason]", "按新办法调整会签")
    person.press("定日施行此版本")
    expect(page.locator("main")).to_contain_text(day.isoformat(), timeout=WAIT)
    assert procedures.current("cma", day - timedelta(days=1)).version == newest
    bureau.house.laws.current()
    assert procedures.current("cma", day).version == number


def test_where_a_case_stands_is_drawn_and_told_in_words(bureau: Bureau, enter: Enter) -> None:
    play = bureau.play("P01", "general", "north")
    play.submit()
    person = enter("chuangkou")
    page = person.go(f"/cases/{play.case}/place")
    expect(page.locator("[data-bpmn][data-drawn] svg .djs-shape").first).to_be_visible(timeout=WAIT)
    expect(page.locator(".wj-places .is-current")).to_have_count(1)
    expect(page.locator(".wj-places .is-current")).to_contain_text("待受理")
    expect(page.locator(".wj-places .is-past")).to_contain_text("填报中")


def test_a_grant_without_signature_is_refused_with_its_story_put_right_and_put_into_force(
    bureau: Bureau, enter: Enter
) -> None:
    """The proof itself runs here, in the worker; an open case is then looked at for the new version."""
    case = factories.cma_case(bureau.house.cases, "awaiting_decision", departments=["ecology"])
    newest = max(p.version for p in procedures.shipped() if p.name == "cma")
    person = enter("guanli")
    page = person.go(f"/procedures/cma/{newest}")
    person.press("以此版本起草新版本")
    editor, number = page.locator("#definition"), int(page.url.split("/")[-2])
    sound = editor.input_value().replace("label: {en: Awaiting decision, zh: 待决定}",
                                         "label: {en: Awaiting decision, zh: 待审批决定}")  # fmt: skip
    at = sound.index("    reauthenticate: true\n", sound.index("\n  grant:\n"))
    editor.fill(sound[:at] + sound[at:].replace("    reauthenticate: true\n", "", 1))
    person.press("保存并查看")
    person.press("运行验证")
    expect(page.locator("main")).to_contain_text("未经签署即准予许可。", timeout=PROOF)
    picture(person, "proof-refused")
    expect(page.get_by_role("link", name="定日施行")).to_have_count(0)
    person.follow("逐步查看")
    expect(page.locator("[data-bpmn][data-drawn] svg .djs-shape").first).to_be_visible(timeout=WAIT)
    expect(page.locator(".wj-places .is-current")).to_contain_text("填报中")
    for state in ("待受理", "已受理，待组织评审"):
        person.follow("下一步")
        expect(page.locator(".wj-places .is-current")).to_contain_text(state)
    examined(person, "story-walked")
    person.follow("直到最后")
    expect(page.locator(".wj-story .is-end")).to_contain_text("未经签署即准予许可。")
    expect(page.get_by_role("link", name="下一步", exact=True)).to_have_count(0)

    page = person.go(f"/procedures/cma/{number}/edit")
    editor.fill(sound)
    person.press("保存并查看")
    person.press("运行验证")
    expect(page.locator("main")).to_contain_text("验证通过", timeout=PROOF)
    person.go(f"/procedures/cma/{number}")
    person.follow(f"与第 {newest} 版比对")
    expect(page.locator("ins", has_text="待审批决定").first).to_be_visible()
    expect(page.locator("del", has_text="待决定").first).to_be_visible()
    picture(person, "versions-compared")
    person.go(f"/procedures/cma/{number}")
    person.follow("立即施行")
    page.fill("[name=reason]", "按新办法施行")
    person.press("施行此版本")
    expect(page.locator("body")).to_contain_text(f"新案件自现在起按 cma 第 {number} 版办理", timeout=WAIT)

    person.go("/procedures/cma/migrations")
    person.press("检查在办案件")
    person.sees("已检查，尚未转换")
    person.sees(case.file.number or "")
    person.sees("案件状态由“待决定”变为“待审批决定”。")
    picture(person, "migration-preview")
    assert case.file.case.procedure_version == newest, "looking moves nothing"
    page.fill("#reason", "新办法施行")
    page.get_by_role("button", name="转换 1 个案件").click()
    person.leave_by(page.locator("dialog[open]").get_by_role("button", name="转换"))
    expect(page.locator("#standing")).to_contain_text("已完成", timeout=WAIT)
    assert case.file.case.procedure_version == number

    person.go(f"/procedures/cma/{number}")
    person.follow("停用")
    person.press("停用此版本")
    expect(page.locator(".wj-error").first).to_be_visible(timeout=WAIT)  # not without its reason
    page.fill("[name=reason]", "试行结束")
    person.press("停用此版本")
    expect(page.locator("#standing")).to_contain_text("已停用")
    picture(person, "version-retired")
