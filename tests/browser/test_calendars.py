"""A year is not published yet: dates that reach into it say so; publishing it counts open cases anew, with a note."""

from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import deciding
from tests.browser.conftest import Enter
from tests.browser.looking import picture
from tests.browser.offices import WAIT, Bureau, RunningClock
from tests.store import factories
from web.context import House
from workflow.vocabulary import SYSTEM

pytestmark = pytest.mark.browser
YEAR = """
year: 2027
confirmed: true
source: 国办发明电〔2026〕0号（虚构）
off:
  - {date: 2027-01-01, name: 元旦}
  - {date: 2027-01-04, name: 元旦（调休）}
  - {date: 2027-02-06, name: 春节}
make_up:
  - {date: 2027-01-09, name: 调休上班}
"""


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """What people type meets the same code on every database: one will do."""
    return sqlite_database_url


def due_days(house: House, public_id: str) -> list[date | None]:
    return [clock.due_on for clock in house.cases.get(public_id, SYSTEM).case.clocks if clock.is_running]


def test_a_year_is_published_and_open_cases_are_counted_anew(bureau: Bureau, enter: Enter, tmp_path: Path) -> None:
    clock = bureau.clock
    assert isinstance(clock, RunningClock)
    clock.go_to(date(2026, 12, 29))
    hand = factories.cma_case(bureau.house.cases, "submitted", departments=["ecology"])
    assert due_days(bureau.house, hand.public_id) == [date(2027, 1, 6)]  # 30, 31, 4, 5, 6; the first is a holiday
    window, administrator = enter("chuangkou"), enter("guanli")
    case = deciding.open_case(window, "window-officer", "示例检测有限公司")
    expect(window.page.locator(".wj-case-stand")).to_contain_text("2027-01-06")
    expect(window.page.locator(".wj-case-stand")).to_contain_text("暂按法定节假日推算")
    window.go(f"{case}/limits")
    window.sees("暂按法定节假日推算")
    picture(window, "calendar-provisional")

    page = administrator.go("/desk")
    administrator.sees("部分期限为暂定")
    page = administrator.go("/calendars")
    expect(page.locator("tr", has_text="2027")).to_contain_text("暂定")
    file = tmp_path / "CN-2027.yaml"
    file.write_text(YEAR, "utf-8")
    page.set_input_files("input[type=file]", file)
    administrator.press("查看影响")
    administrator.sees("2027-01-04")
    administrator.sees("国办发明电〔2026〕0号（虚构）")
    picture(administrator, "calendar-preview")
    assert due_days(bureau.house, hand.public_id) == [date(2027, 1, 6)], "nothing has happened yet"
    page.get_by_role("button", name="公布日历").click()
    expect(page.locator("#sure")).to_be_focused()  # the browser itself asks for the tick
    page.check("#sure")
    administrator.press("公布日历")
    administrator.sees("已公布")
    picture(administrator, "calendar-published")

    clock.go_to(date(2026, 12, 29), 12)  # the worker looks every minute
    for _look in range(100):
        if due_days(bureau.house, hand.public_id) != [date(2027, 1, 6)]:
            break
        window.page.wait_for_timeout(100)
    window.sign_in("chuangkou")
    window.go(case)
    expect(window.page.locator(".wj-case-stand")).to_contain_text("2027-01-07", timeout=WAIT)
    expect(window.page.locator(".wj-case-stand")).not_to_contain_text("暂按")
    window.sees("工作日历已公布或修订，期限重新计算")
    window.sees("2027-01-06 → 2027-01-07")
    picture(window, "calendar-recounted")
    window.go(f"{case}/limits")
    window.sees("元旦（调休）")
