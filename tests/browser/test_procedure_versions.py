"""An administrator changes a procedure: a draft, a slip that is told as it is typed, a proof, a day to begin."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.offices import WAIT, Bureau
from workflow import procedures
from workflow.exploration import prove
from workflow.procedure import Procedure
from workflow.proofs import Proof, Property, Standing, Verdict
from workflow.vocabulary import Message

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shelf")]


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
