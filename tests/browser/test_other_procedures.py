"""Other procedures as people walk them: a change to a certificate, and a licence that nobody visits for."""
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from store.certificates import CertificateStore
from tests.browser import applying, deciding
from tests.browser.conftest import Enter
from tests.browser.offices import Bureau, Person

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DIVISION = "410000"
PROOF = Path(__file__).parents[1] / "corpus" / "P05" / "materials"


def fill(person: Person, application: str, texts: dict[str, str], choices: dict[str, str] | None = None) -> None:
    """Fill in the form section by section: given texts and choices, then whatever is still open with usual ones."""
    page = person.go(f"{application}/form")
    for name in [form.get_attribute("id") or "" for form in page.locator(".wj-sections > form").all()]:
        page = person.go(f"{application}/form")
        form = page.locator(f"form#{name}")
        for field, code in (choices or {}).items():
            if form.locator(f"[name={field}][value={code}]").count():
                form.locator(f"[name={field}][value={code}]").check()
        for box in form.locator("input.form-control, textarea").all():
            asked = (box.get_attribute("name") or "").rpartition(".")[2]
            if asked in texts and box.is_visible() and not box.input_value():
                box.fill(texts[asked])
        for group in form.locator(".wj-choices").all():
            boxes = group.locator("input")
            if boxes.first.get_attribute("name") != "types" and not group.locator("input:checked").count():
                kinds = {box.get_attribute("type") for box in boxes.all()}
                for box in boxes.all() if kinds == {"checkbox"} else boxes.all()[:1]:
                    box.check()
        person.leave_by(form.get_by_role("button", name="保存并继续"))
        assert not page.locator("[aria-invalid=true], .has-error").count(), page.locator("main").inner_text()


def hand_in_what_is_missing(person: Person, application: str) -> None:
    page = person.go(f"{application}/materials")
    for code in [item.get_attribute("id") or "" for item in page.locator(".wj-materials > li").all()
                 if "提交申请前必需" in item.inner_text()]:
        applying.hand_in(person, application, code, next(PROOF.glob("*.pdf")))


def test_a_name_is_changed_on_the_certificate_and_everybody_sees_it(bureau: Bureau, enter: Enter) -> None:
    play = bureau.play("P05", "commitment", "yexian")
    play.commitment()
    play.issue()
    before = CertificateStore(bureau.house.database).list_of(bureau.cast.actor("yexian").agency_id or 0)[0]
    applicant = enter("yexian")
    page = applicant.go("/my/certificates")
    applicant.leave_by(page.get_by_role("link", name=before.number))
    applicant.leave_by(page.get_by_role("button", name="申请：机构名称变更"))
    applicant.sees("申请已建立")
    found = re.search(r"/applications/([^/]+)/form", page.url)
    assert found
    application = f"/applications/{found[1]}"
    fill(applicant, application, {"contact": "赵娜勇", "new_name": "新名称检测有限公司", "changed_on": "2026-07-20"})
    applying.submit(applicant, application, "提交")
    window = enter("chuangkou")
    case = deciding.open_case(window, "window-officer", before.agency_name)
    deciding.act(window, case, "受理")
    deciding.send(window, "受理")
    leader = enter("lingdao")
    deciding.act(leader, case, "准予变更")
    leader.page.fill("#grounds", "名称变更已经登记机关核准，准予变更。")
    deciding.send(leader, "准予变更", sure=True)
    deciding.print_and_deliver(enter("zhizheng"), "新名称检测有限公司")
    seen = enter().go(f"/v/{before.verify_code}")
    for text in ("新名称检测有限公司", before.number, "证书内容变更，重新印发"):
        expect(seen.locator("main")).to_contain_text(text)
    after = CertificateStore(bureau.house.database).find(number=before.number)
    assert after
    assert (after.number, after.valid_to, after.version) == (before.number, before.valid_to, before.version + 1)


def test_a_production_licence_is_granted_on_a_promise_and_looked_at_afterwards(bureau: Bureau, enter: Enter) -> None:
    package = bureau.package("P05")
    applicant = enter()
    applying.register(applicant, package, "yexian")
    page = applicant.go("/applications/new")
    offer = page.locator("section#industrial_product")
    expect(offer).to_contain_text("不收费")
    applicant.leave_by(offer.get_by_role("link", name="查看并开始"))
    applicant.leave_by(page.get_by_role("button", name="开始填报"))
    found = re.search(r"/applications/([^/]+)/form", page.url)
    assert found
    application = f"/applications/{found[1]}"
    fill(applicant, application, {
        "contact": "赵娜勇", "plant": "示例市工业园八号", "group": "水泥", "unit": "通用硅酸盐水泥",
        "model": "P·O 42.5",
        "standard": "GB 175-2023", "equipment": "回转窑、水泥磨", "outsourced_steps": "无"})
    hand_in_what_is_missing(applicant, application)
    page = applicant.go(f"{application}/commitment")
    assert "后置现场审查" in page.locator("article.wj-letter").inner_text()
    page.fill("#signer", "赵娜勇")
    applicant.confirm_identity()
    applicant.press("签署告知承诺书")
    page.wait_for_url("**/preview")
    applying.submit(applicant, application, "按告知承诺程序提交")
    agency = package.facts.name
    window = enter("chuangkou")
    case = deciding.open_case(window, "window-officer", agency)
    deciding.act(window, case, "形式审查通过")
    deciding.send(window, "形式审查通过")
    leader = enter("lingdao")
    deciding.act(leader, case, "按告知承诺准予许可")
    leader.page.fill("#grounds", "形式审查合格，准予许可。")
    deciding.send(leader, "按告知承诺准予许可", sure=True)
    deciding.print_and_deliver(enter("zhizheng"), agency)
    page = applicant.go("/my/certificates")
    expect(page.locator("main")).to_contain_text("XK-")
    held = CertificateStore(bureau.house.database).list_of(bureau.cast.actor("yexian").agency_id or 0)[0]
    seen = enter().go(f"/v/{held.verify_code}")
    for text in ("全国工业产品生产许可证", "示例市工业园八号", "通用硅酸盐水泥", "GB 175-2023"):
        expect(seen.locator("main")).to_contain_text(text)
    inspector = enter("hecha").go("/desk/inspector")
    expect(inspector.locator("table[data-queue]")).to_contain_text(agency)
