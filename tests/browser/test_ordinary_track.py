"""The main job as people do it: a package from registration to the certificate that the public verifies."""
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import expect, sync_playwright

from tests.browser import applying, deciding
from tests.browser.conftest import Enter
from tests.browser.offices import Bureau, Person
from tests.services import chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]
REFUSED = (3, 7)


def test_p01_goes_from_registration_to_a_verified_certificate(bureau: Bureau, enter: Enter) -> None:
    package = bureau.package("P01")
    agency = package.facts.name
    applicant = enter()
    application = _applied(bureau, applicant, package)

    window = enter("chuangkou")
    case = deciding.open_case(window, "window-officer", agency)
    deciding.request_correction(window, case, [
        ("固定场所文件", "租赁合同未载明租赁期限，请补充。"),
        ("附表4 检验检测人员表", "职称证明与表中所填不一致，请核对。")])
    _corrected(applicant, application)
    case = deciding.open_case(window, "window-officer", agency)
    deciding.act(window, case, "受理")
    deciding.send(window, "受理")

    organiser = enter("zuzhi")
    case = deciding.open_case(organiser, "review-organiser", agency)
    deciding.name_team(organiser, case, "组织技术评审", "沈怀谷", ["顾若川"], "2026-08-10")
    refused = _reviewed(enter("pingshen1"), enter("zuzhang"), agency)

    _signed_off_at_once(bureau, enter, agency, case)

    leader = enter("lingdao")
    case = deciding.open_case(leader, "leader", agency)
    deciding.act(leader, case, "准予许可")
    leader.page.fill("#grounds", "申请材料齐全，技术评审结论为符合，各部门会签同意，准予许可。")
    deciding.send(leader, "准予许可", sure=True)

    printed = deciding.print_and_deliver(enter("zhizheng"), agency)
    _verified_by_the_public(enter(), printed, agency, refused)
    applicant.go(application)
    applicant.sees("已送达办结")


def _applied(bureau: Bureau, applicant: Person, package) -> str:  # type: ignore[no-untyped-def]
    applying.register(applicant, package, "enshi")
    application = applying.begin(applicant)
    applying.upload_tables(applicant, application, sorted(package.directory.glob("*.xlsx")))
    rows = applicant.page.locator("#table-states tbody tr", has_text="附表1")
    expect(rows).to_contain_text("30")
    expect(rows).to_contain_text("已读取")
    applying.complete(applicant, application, package)
    applying.hand_in_materials(applicant, bureau, application, package, "enshi")
    applicant.go(application)
    assert applicant.page.locator(".wj-parts .tone-attention").count() == 0, applicant.page.inner_text("main")
    applying.submit(applicant, application)
    return application


def _corrected(applicant: Person, application: str) -> None:
    applying.answer_corrections(applicant, application, ["已补充租赁合同，载明租赁期限。", "已核对并更正职称。"])
    applying.submit(applicant, application, "补正后重新提交", sure=False)


def _reviewed(reviewer: Person, leader: Person, agency: str) -> list[str]:
    """Accept all, then except two; the checklist; the conclusion. The parameters of the two rows that were refused."""
    case = deciding.open_case(reviewer, "reviewer", agency)
    deciding.confirm_every_row(reviewer, case, ["site_test", "records"])
    parameters = []
    for row in REFUSED:
        deciding.except_row(reviewer, case, row, f"第 {row} 项现场试验结果不满足方法要求。")
        line = reviewer.page.locator(f"tr:has(input[value='{row}'])")
        parameters.append(line.locator("td").nth(4).inner_text().strip())
    reviewer.sees("28")
    case = deciding.open_case(leader, "team-leader", agency)
    deciding.fill_checklist(leader, case)
    deciding.act(leader, case, "评审结论：符合")
    deciding.send(leader, "评审结论：符合")
    return parameters


def _signed_off_at_once(bureau: Bureau, enter: Enter, agency: str, case: str) -> None:
    """Three officers press at the same time, each in a browser of a process of their own."""
    reader = enter("lingdao")
    page = reader.go(case)
    expect(page.locator(".wj-signoffs > li")).to_have_count(3)
    with ThreadPoolExecutor(3) as together:
        answers = list(together.map(
            lambda login: _sign_off(bureau.origin, login, agency), ("bumen.ecology", "bumen.water", "bumen.health")))
    assert answers == [[], [], []]
    page = reader.go(case)
    expect(page.locator(".wj-case-stand")).to_contain_text("待决定")
    expect(page.locator(".wj-signoffs .tone-good")).to_have_count(3)


def _sign_off(origin: str, login: str, agency: str) -> list[str]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium.executable(), args=list(chromium.ARGUMENTS))
        officer = Person.at(browser, origin).sign_in(login)
        case = deciding.open_case(officer, "department-officer", agency)
        deciding.act(officer, case, "部门会签")
        officer.page.check("input[name=verdict][value=agree]")
        officer.page.fill("#opinion", "同意。")
        deciding.send(officer, "部门会签")
        browser.close()
        return officer.complaints


def qr_of(path: Path) -> str:
    """The text of the QR code on the first page, seen as a telephone sees it: from the picture of the page."""
    picture = pypdfium2.PdfDocument(io.BytesIO(path.read_bytes()))[0].render(scale=3).to_pil()
    (code,) = [found for found in zxingcpp.read_barcodes(picture) if found.format == zxingcpp.BarcodeFormat.QRCode]
    return str(code.text)


def _verified_by_the_public(anyone: Person, path: Path, agency: str, refused: list[str]) -> None:
    address = qr_of(path)
    assert address.startswith(anyone.origin + "/v/"), address
    page = anyone.go(address)
    anyone.sees("证书真实，在有效期内")
    anyone.sees(agency)
    rows = page.locator("#scope tbody tr:not(.wj-group)")
    expect(rows).to_have_count(28)
    parameters = [row.locator("td").nth(2).inner_text().strip() for row in rows.all()]
    assert not set(parameters) & set(refused)
    page.fill("#search", parameters[0])
    page.locator("#scope form").get_by_role("button").click()
    anyone.ready()
    expect(page.locator("#scope caption")).to_contain_text("共 28 项，符合条件")
    anyone.go("/verify")
    page.fill("#q", _number(path))
    anyone.press("查验")
    anyone.sees("证书真实，在有效期内")


def _number(path: Path) -> str:
    import re

    text = pypdfium2.PdfDocument(io.BytesIO(path.read_bytes()))[0].get_textpage().get_text_range()
    found = re.search(r"\d{12}", text)
    assert found
    return found[0]
