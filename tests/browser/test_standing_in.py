"""Somebody goes on leave: a colleague stands in, handles several cases at once, and both are named; a leaver's work."""
import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Enter
from tests.browser.looking import picture
from tests.browser.offices import Bureau
from tests.store import factories
from tests.store.factories import CaseHand

pytestmark = pytest.mark.browser


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """What people type meets the same code on every database: one will do."""
    return sqlite_database_url


@pytest.fixture
def cases(bureau: Bureau) -> list[CaseHand]:
    """Three applications that wait for acceptance."""
    return [factories.cma_case(bureau.house.cases, "submitted", departments=["ecology"]) for _ in range(3)]


def choose(field: Locator, words: str) -> None:
    """The choice that begins with these words."""
    field.select_option(field.locator("option", has_text=words).first.get_attribute("value"))


def test_a_colleague_stands_in_and_handles_several_cases_at_once(
    bureau: Bureau, enter: Enter, cases: list[CaseHand]
) -> None:
    away = enter("chuangkou")
    page = away.go("/delegations")
    picture(away, "delegation-none")
    choose(page.locator("#delegate"), "严明理")
    page.fill("#until_on", "2026-08-07")
    page.fill("#reason", "年休假")
    away.press("设置代理")
    away.sees("代理已设置")
    picture(away, "delegation-made")

    colleague = enter("hecha")
    page = colleague.page
    colleague.follow("代程一鸣 · 窗口受理人员", exact=False)
    expect(page.locator(".wj-stead")).to_contain_text("您正在代程一鸣办理")
    picture(colleague, "desk-in-stead")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-tick-count]")).to_have_text("已勾选 1 件")
    page.keyboard.press("a")
    expect(page.locator("[data-tick-count]")).to_have_text("已勾选 3 件")
    colleague.press("一并办理所勾选的事项")
    picture(colleague, "bulk-choose")
    cases[2].take("request_correction")  # somebody is faster
    colleague.leave_by(page.get_by_role("link", name=re.compile("^受理")))
    colleague.sees("2 件可办理，1 件跳过")
    picture(colleague, "bulk-preview")
    cases[1].take("request_correction")  # and once more, after it was looked at
    page.fill("#note", "材料齐全")
    colleague.press("确认办理所勾选的事项")
    colleague.sees("已办理 1 件，跳过 1 件")
    picture(colleague, "bulk-done")
    assert [case.state for case in cases] == ["accepted", "correction_requested", "correction_requested"]

    leader = enter("lingdao")
    leader.go(f"/cases/{cases[0].public_id}/timeline")
    leader.sees("严明理（代程一鸣）")
    picture(leader, "timeline")
    away.go("/delegations")
    away.sees("近期代您办理的事项")
    picture(away, "delegation-done")
    away.press("撤销")
    colleague.go("/desk")
    expect(page.locator(".wj-rail")).not_to_contain_text("代程一鸣")


def test_a_leavers_work_is_handed_over(bureau: Bureau, enter: Enter) -> None:
    for _ in range(2):
        factories.cma_case(bureau.house.cases, "under_review", departments=["ecology"])
    person = enter("guanli")
    page = person.go("/hand-overs")
    choose(page.locator("#leaver"), "team-leader")
    choose(page.locator("#successor-0"), "乔木生")
    person.press("查看将要交接的工作")
    person.sees("评审组组长")
    picture(person, "hand-over")
    page.fill("#reason", "调离")
    person.press("交接所勾选的工作")
    expect(page.locator("main").get_by_text("给乔木生")).to_have_count(2)
    picture(person, "hand-over-done")
