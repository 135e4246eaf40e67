"""The commitment track as people walk it: granted on a signed promise, verified on the spot, annulled when untrue."""
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from store.certificate_import import CertificateImport, OldCertificate
from store.certificates import CertificateStore
from tests.browser import applying, deciding
from tests.browser.conftest import Enter
from tests.browser.offices import Bureau, Person
from web.rehearsal.package import Package
from workflow.deadlines import expiry, in_force

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DIVISION = "410000"  # Henan, where the agency of P05 is


@pytest.fixture
def package(bureau: Bureau) -> Package:
    return bureau.package("P05")


def hold_certificate(bureau: Bureau, package: Package, login: str) -> None:
    """The certificate that the package renews, entered as a bureau enters its earlier register."""
    today = bureau.clock.today()
    number = package.facts.certificate_number
    from_on = today.replace(year=2000 + int(number[:2]), month=11, day=4)
    validity = in_force(bureau.house.laws.current().allowances, "certificate_validity", today)
    agency = bureau.cast.actor(login).agency_id
    assert agency is not None
    CertificateImport(bureau.house.database, bureau.house.laws).import_certificate(
        bureau.cast.actor("guanli"), agency, OldCertificate(number, from_on, expiry(from_on, validity)))


def granted(bureau: Bureau, enter: Enter, package: Package) -> tuple[Person, str]:
    """From registration to the delivered certificate; the applicant, still signed in, and the application."""
    applicant = enter()
    applying.register(applicant, package, "yexian")
    hold_certificate(bureau, package, "yexian")
    application = applying.begin(applicant)
    applying.upload_tables(applicant, application, sorted(package.directory.glob("*.xlsx")))
    applying.complete(applicant, application, package)
    applying.hand_in_materials(applicant, bureau, application, package, "yexian")
    _choose_and_sign(applicant, application)
    applying.submit(applicant, application, "按告知承诺程序提交")
    agency = package.facts.name
    window = enter("chuangkou")
    deciding.act(window, deciding.open_case(window, "window-officer", agency), "形式审查通过")
    deciding.send(window, "形式审查通过")
    leader = enter("lingdao")
    deciding.act(leader, deciding.open_case(leader, "leader", agency), "按告知承诺准予许可")
    leader.page.fill("#grounds", "申请人已签署告知承诺书，申请材料齐全，准予许可。")
    deciding.send(leader, "按告知承诺准予许可", sure=True)
    deciding.print_and_deliver(enter("zhizheng"), agency)
    return applicant, application


def _choose_and_sign(applicant: Person, application: str) -> None:
    """Every condition stands there with what was found and its article; then the notice in full, and the password."""
    page = applicant.go(f"{application}/track")
    conditions = page.locator("table", has_text="能否适用告知承诺程序").locator("tbody tr")
    assert conditions.count() >= 6
    for row in conditions.all():
        assert "符合" in row.inner_text() and re.search(r"《.+》|〔\d+〕", row.inner_text()), row.inner_text()
    applicant.press("选择告知承诺程序")
    applicant.follow("阅读并签署告知承诺书")
    letter = page.locator("article.wj-letter")
    assert len(letter.inner_text()) > 600
    page.fill("#signer", "赵娜勇")
    applicant.press("签署告知承诺书")
    applicant.sees("此步骤")  # without the password nothing is signed
    assert page.locator("[aria-invalid=true]").count() == 1
    applicant.confirm_identity()
    applicant.press("签署告知承诺书")
    page.wait_for_url("**/preview")


def named_team(enter: Enter, agency: str) -> str:
    """The inspector names who goes; the address of the verification case."""
    inspector = enter("hecha")
    case = deciding.open_case(inspector, "inspector", agency)
    deciding.name_team(inspector, case, "选派核查人员", "沈怀谷", ["顾若川"], "2026-08-17")
    return case


def test_a_commitment_found_true_closes_the_verification(bureau: Bureau, enter: Enter, package: Package) -> None:
    applicant, application = granted(bureau, enter, package)
    applicant.go(application)
    applicant.sees("已送达办结")
    case = named_team(enter, package.facts.name)
    leader = enter("zuzhang")
    page = leader.go(case)
    expect(page.locator(".wj-actions .is-unmet", has_text="结论：承诺属实")).to_contain_text("检查表还有 22 项未填写")
    deciding.fill_checklist(leader, case)
    deciding.act(leader, case, "结论：承诺属实")
    deciding.send(leader, "结论：承诺属实", sure=True)
    expect(page.locator(".wj-case-stand")).to_contain_text("承诺属实")


@pytest.mark.parametrize("whole", [False, True], ids=["rows", "whole"])
def test_a_commitment_found_untrue_is_annulled_for_all_to_see(
        bureau: Bureau, enter: Enter, package: Package, whole: bool) -> None:
    play = bureau.play("P05", "commitment", "yexian")
    play.commitment()
    play.issue()
    applicant = enter("yexian")
    case = named_team(enter, package.facts.name)
    leads = enter("zuzhang")
    deciding.fill_checklist(leads, case, {9: "尾气分析仪未经检定，检定证书系伪造。"})
    deciding.act(leads, case, "结论：承诺严重不实")
    leads.page.fill("#grounds", "现场核查发现检定证书系伪造，承诺内容严重不实。")
    deciding.send(leads, "结论：承诺严重不实")
    decides = enter("lingdao")
    gone = _annul(decides, case, whole)
    _seen_by_the_public(enter(), _verification(bureau, package), whole, gone)
    _track_is_closed(applicant, bureau, package)


def _annul(leader: Person, case: str, whole: bool) -> list[str]:
    """Annul the certificate, or two rows of it; the parameters of the rows."""
    deciding.act(leader, case, "撤销许可")
    page = leader.page
    page.check(f"input[name=whole][value={'yes' if whole else 'no'}]")
    gone = []
    if not whole:
        for row in page.locator("#rows tbody tr").all()[:2]:
            row.locator("input[name=rows]").check()
            gone.append(row.locator("td").nth(4).inner_text().strip())
    page.fill("#grounds", "告知承诺内容严重不实，依法予以撤销。")
    page.fill("#basis", "《行政许可法》第六十九条")
    deciding.send(leader, "撤销许可", sure=True)
    expect(page.locator(".wj-case-stand")).to_contain_text("已撤销")
    return gone


def _verification(bureau: Bureau, package: Package) -> Any:
    found = CertificateStore(bureau.house.database).find_by_agency(package.facts.name)
    return sorted(found, key=lambda one: one.issued_on)[-1]


def _seen_by_the_public(anyone: Person, certificate: Any, whole: bool, gone: list[str]) -> None:
    page = anyone.go(f"/v/{certificate.verify_code}")
    verdict, rows = page.locator(".wj-verdict"), page.locator("#scope tbody tr:not(.wj-group)")
    if whole:
        expect(verdict).to_contain_text("无效：已撤销")
        assert "tone-bad" in (verdict.get_attribute("class") or "")
        return
    anyone.sees("能力范围中有 2 项已被撤销")
    expect(rows).to_have_count(24)
    anyone.sees("告知承诺内容严重不实")


def _track_is_closed(applicant: Person, bureau: Bureau, package: Package) -> None:
    """The agency may apply again, but not on a promise, and is told why."""
    application = applying.begin(applicant)
    applying.upload_tables(applicant, application, sorted(package.directory.glob("*.xlsx")))
    page = applicant.go(f"{application}/track")
    row = page.locator("tr", has_text="未曾作出虚假承诺")
    expect(row).to_contain_text("不符合")
    expect(page.get_by_role("button", name="选择告知承诺程序")).to_have_count(0)
    expect(page.locator(".wj-why")).to_contain_text("本申请不适用告知承诺程序")
