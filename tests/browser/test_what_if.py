"""An administrator asks what a draft would have made of past cases: the same, stuck, and where each first differs."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Enter
from tests.browser.looking import PICTURES, examined
from tests.browser.offices import WAIT, Bureau
from tests.store import factories
from workflow import procedures

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shelf")]


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """What people type meets the same code on every database: one will do."""
    return sqlite_database_url


def test_a_draft_is_replayed_over_past_cases(bureau: Bureau, enter: Enter) -> None:
    hands = [factories.cma_case(bureau.house.cases, state, departments=["ecology"])
             for state in ("closed", "closed", "not_accepted", "retracted")]
    number = hands[1].file.number or ""
    newest = procedures.current("cma").version
    person = enter("guanli")
    page = person.go(f"/procedures/cma/{newest}")
    person.follow("推演历史案件")
    examined(person, "what-if-none")
    page.fill("#since", "2026-08-01")
    person.press("推演历史案件")
    expect(page.locator("#replay")).to_contain_text("毫无差异", timeout=WAIT)
    expect(page.locator("[hx-trigger]")).to_have_count(0)
    examined(person, "what-if-same")

    person.go(f"/procedures/cma/{newest}")
    person.press("以此版本起草新版本")
    editor = page.locator("#definition")
    text = editor.input_value()
    for old, new in (("  accept:", "  take_in:"), ("[accept,", "[take_in,"), ("[accept]", "[take_in]")):
        text = text.replace(old, new)
    editor.fill(text)
    person.press("保存并查看")
    person.follow("推演历史案件")
    person.press("推演历史案件")
    expect(page.locator("#replay")).to_contain_text("2 件案件的经过会有不同", timeout=WAIT)
    expect(page.locator("#replay")).to_contain_text("不再有“受理”这一操作。")
    expect(page.locator("main table").last.locator("tbody tr")).to_have_count(2)
    examined(person, "what-if-differs")
    page.fill("#search", number)
    page.keyboard.press("Enter")
    person.sees(number)
    expect(page.locator("main table").last.locator("tbody tr")).to_have_count(1)
    person.leave_by(page.get_by_role("navigation", name="按推演结论查看案件").get_by_role("link", name="一致"))
    examined(person, "what-if-list")
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="打印")).to_be_hidden()
    expect(page.locator("main table").first).to_be_visible()
    if PICTURES:
        page.pdf(path=Path(PICTURES) / "what-if.pdf")
