"""What the officials do, all of it through the pages."""
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.offices import WAIT, Person


def open_case(person: Person, desk: str, agency: str) -> str:
    """Find the agency's case in the queue of a desk and open it; the address of the case."""
    person.go(f"/desk/{desk}")
    row = person.page.locator("table[data-queue] tbody tr", has_text=agency).first
    person.leave_by(row.locator("a").first)
    return "/" + person.page.url.split("/", 3)[3]


def act(person: Person, case: str, label: str) -> None:
    """Choose an action on the bar of the case; its form stands on the screen afterwards."""
    person.go(case)
    person.leave_by(person.page.locator(".wj-actions").get_by_role("link", name=label, exact=True))


def send(person: Person, label: str, sure: bool = False) -> None:
    """Send the form of an action and see what was done."""
    if sure:
        person.page.check("#sure")
    person.confirm_identity()
    person.press(label)
    person.sees(f"已办理：{label}")


def request_correction(person: Person, case: str, items: Sequence[tuple[str, str]]) -> None:
    act(person, case, "一次性告知补正")
    for number, (subject, reason) in enumerate(items):
        person.page.fill(f"#items-{number}-subject", subject)
        person.page.fill(f"#items-{number}-reason", reason)
    send(person, "一次性告知补正")


def name_team(person: Person, case: str, label: str, leader: str, members: Sequence[str], on: str) -> None:
    act(person, case, label)
    page = person.page
    page.check("input[name=mode][value=on_site]")
    page.fill("#planned_on", on)
    for name in (leader, *members):
        page.locator("#members tr", has_text=name).locator("input[name=members]").check()
    page.locator("#members tr", has_text=leader).locator("input[name=leader]").check()
    send(person, label)


def fill_checklist(person: Person, case: str, failed: dict[int, str] | None = None) -> None:
    """Every line meets the criteria but the failed ones, line number -> the facts."""
    page = person.go(f"{case}/findings")
    for number, facts in (failed or {}).items():
        line = page.locator("#lines > li").nth(number)
        line.locator("input[value=does_not_meet]").check()
        line.locator("textarea").fill(facts)
    page.check("#rest")
    person.press("保存")
    person.sees("尚有 0 条未填写")


def confirm_every_row(person: Person, case: str, ways: Sequence[str]) -> None:
    page = person.go(f"{case}/rows")
    for way in ways:
        page.check(f"input[name=ways][value={way}]")
    person.leave_by(page.get_by_role("button", name="其余未处理的全部确认"))
    person.sees("未处理 0 项")


def except_row(person: Person, case: str, row: int, reason: str) -> None:
    page = person.go(f"{case}/rows")
    page.check(f"input[name=rows][value='{row}']")
    page.fill("#reason", reason)
    person.press("所选不予确认")
    person.sees(reason)


def print_and_deliver(clerk: Person, agency: str) -> Path:
    """Print the agency's certificate as soon as the worker has made it, and note it as delivered; the merged file."""
    page = clerk.go("/certificates")
    row = page.locator("tbody tr", has_text=agency)
    for _look in range(60):  # the worker renders meanwhile; the clerk looks again
        if row.locator("input[data-row]").count():
            break
        page.wait_for_timeout(500)
        clerk.go("/certificates")
    row.locator("input[data-row]").check()
    clerk.press("打印所选证书")
    page.wait_for_url("**/batches/*")
    expect(page.locator("#batch")).to_contain_text("打印文件已生成", timeout=3 * WAIT)
    with page.expect_download() as coming:
        page.get_by_role("link", name="下载打印文件").click()
    path = Path(coming.value.path())
    clerk.go("/certificates?state=printed")
    page.locator("tbody tr", has_text=agency).locator("input[data-row]").check()
    page.get_by_role("button", name="登记所选证书已送达").click()
    clerk.leave_by(page.locator("dialog[open]").get_by_role("button", name="送达并办结"))
    clerk.sees("份证书已送达，相应案件已办结")
    return path
