"""What people do wrong, and what happens to them: they are told where and what to do, and nothing typed is lost."""
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import applying, deciding
from tests.browser.conftest import Enter
from tests.browser.offices import CORPUS, WAIT, Bureau, Person
from tests.intake import sheets
from web.cast import PASSWORD

pytestmark = pytest.mark.browser
ATTACK = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """What people type meets the same code on every database: one will do."""
    return sqlite_database_url


@pytest.fixture
def applicant(bureau: Bureau, enter: Enter) -> Person:
    """Somebody whose agency is registered."""
    person = enter()
    applying.register(person, bureau.package("P01"), "enshi")
    return person


def test_files_that_cannot_be_read_say_why_each_by_name(applicant: Person, tmp_path: Path) -> None:
    application = applying.begin(applicant)
    capability = next((CORPUS / "P01").glob("附表1*"))
    given = {"空.xlsx": b"", "说明.xlsx": b"%PDF-1.7 not a workbook",
             "加密.xlsx": sheets.ole({"EncryptionInfo": b"x", "EncryptedPackage": b"y"}),
             "<b>名.xlsx": b"PK\x03\x04 broken", "附表1.xlsx": capability.read_bytes()}
    for name, content in given.items():
        (tmp_path / name).write_bytes(content)
    page = applicant.go(f"{application}/tables")
    page.set_input_files("input[type=file]", [str(tmp_path / name) for name in given])
    applicant.press("上传并检查")
    states = page.locator("#table-states")
    expect(states).not_to_contain_text("正在读取文件", timeout=WAIT)
    for name in list(given)[:-1]:
        expect(states.locator(".is-bad", has_text=name)).to_have_count(1)
    expect(states.locator(".is-bad", has_text="加密.xlsx")).to_contain_text("密码")
    expect(states.locator("tr", has_text="附表1")).to_contain_text("30")


def test_a_material_of_a_wrong_kind_is_refused_under_its_title(applicant: Person, tmp_path: Path) -> None:
    application = applying.begin(applicant)
    applying.upload_tables(applicant, application, sorted((CORPUS / "P01").glob("*.xlsx")))
    fake = tmp_path / "报告.pdf"
    fake.write_bytes(b"MZ\x90\x00 a program")
    page = applicant.go(f"{application}/materials")
    place = page.locator("li[id='typical_report']")
    place.locator("input[type=file]").set_input_files(str(fake))
    place.get_by_role("button", name="上传").click()
    expect(page.locator("li[id='typical_report'] .wj-error").first).to_be_visible(timeout=WAIT)
    assert "报告.pdf" in page.locator("li[id='typical_report']").inner_text()


def test_names_are_text_wherever_they_stand(bureau: Bureau, enter: Enter) -> None:
    person = enter()
    person.go("/register")
    page = person.page
    package = bureau.package("P01")
    for name, text in {"uscc": package.facts.uscc, "agency_name": ATTACK, "address": ATTACK, "legal_person": ATTACK,
                       "name": ATTACK, "phone": "13800000000", "email": "a@agency.example", "login": "attack",
                       "password": "Wujian@2026", "again": "Wujian@2026"}.items():
        page.fill(f"#{name}", text)
    page.select_option("#division", package.facts.region_code)
    person.press("注册")
    application = applying.begin(person)
    for path in ("/account", application, f"{application}/form", f"{application}/preview", "/applications"):
        page = person.go(path)
        assert page.locator("img[src=x]").count() == 0 and "49" not in page.locator(".wj-who").inner_text()
    expect(page.locator(".wj-who")).to_contain_text(ATTACK)


def test_a_wrong_registration_keeps_what_was_typed_and_leads_to_each_field(enter: Enter) -> None:
    person = enter()
    page = person.go("/register")
    page.fill("#uscc", "91422826YTB9XRUG7A")  # the last check digit is wrong
    page.fill("#agency_name", "恩施检测")
    page.fill("#phone", "12")
    person.press("注册")
    summary = page.locator("#error-summary")
    expect(summary).to_be_focused()
    assert page.input_value("#uscc") == "91422826YTB9XRUG7A" and page.input_value("#agency_name") == "恩施检测"
    summary.get_by_role("link", name="统一社会信用代码").click()
    expect(page.locator("#uscc")).to_be_focused()


def test_two_windows_on_one_section_lose_no_words(applicant: Person) -> None:
    application = applying.begin(applicant)
    first = applicant.go(f"{application}/form")
    other = applicant.another_window()
    second = other.page
    first.fill("#overview [name=fax]", "0718-1234567")
    applicant.leave_by(first.locator("#overview").get_by_role("button", name="保存并继续"))
    second.fill("#overview [name=responsible_person]", "后来填写的人")
    expect(second.locator("#overview [data-saved-status]")).to_contain_text("已在其他窗口修改", timeout=WAIT)
    other.leave_by(second.locator("#overview").get_by_role("button", name="保存并继续"))
    expect(second.locator("#overview")).to_contain_text("他人保存了本部分")
    assert second.input_value("#overview [name=responsible_person]") == "后来填写的人"
    expect(second.locator("#overview .is-attention", has_text="0718-1234567")).to_be_visible()
    other.leave_by(second.locator("#overview").get_by_role("button", name="保存并继续"))
    first = applicant.go(f"{application}/form")
    assert first.input_value("#overview [name=responsible_person]") == "后来填写的人"
    assert first.input_value("#overview [name=fax]") == ""  # what the second window said, said last


def test_words_typed_after_the_session_ended_are_back_after_signing_in(applicant: Person) -> None:
    application = applying.begin(applicant)
    page = applicant.go(f"{application}/form")
    applicant.page.context.clear_cookies()
    page.fill("#overview [name=responsible_person]", "吴逸尘")
    status = page.locator("#overview [data-saved-status]")
    expect(status).to_contain_text("重新登录", timeout=WAIT)
    page.on("dialog", lambda dialog: dialog.accept())
    applicant.sign_in("enshi")
    page = applicant.go(f"{application}/form")
    page.locator("#overview [data-restore-yes]").click()
    assert page.input_value("#overview [name=responsible_person]") == "吴逸尘"
    expect(status).to_contain_text("已保存", timeout=WAIT)
    page.reload()
    assert page.input_value("#overview [name=responsible_person]") == "吴逸尘"


def test_an_officer_whose_session_ended_finds_the_words_in_the_form_again(bureau: Bureau, enter: Enter) -> None:
    play = bureau.play("P01", "general", "enshi")
    play.submit()
    officer = enter("chuangkou")
    case = deciding.open_case(officer, "window-officer", play.package.facts.name)
    deciding.act(officer, case, "一次性告知补正")
    officer.page.fill("#items-0-subject", "固定场所文件")
    officer.page.fill("#items-0-reason", "第一行\n第二行")
    officer.page.context.clear_cookies()
    officer.press("一次性告知补正")
    officer.sees("您填写的内容列在下面")
    officer.sees("第一行")
    officer.leave_by(officer.page.locator("main").get_by_role("link", name="登录"))
    officer.page.fill("#login", "chuangkou")
    officer.page.fill("#password", PASSWORD)
    officer.press("登录")
    assert officer.page.input_value("#items-0-reason") == "第一行\n第二行"
    officer.press("一次性告知补正")
    officer.sees("已办理：一次性告知补正")


def test_what_is_typed_is_saved_without_a_button(applicant: Person) -> None:
    application = applying.begin(applicant)
    page = applicant.go(f"{application}/form")
    page.fill("#overview [name=postcode]", "445600")
    expect(page.locator("#overview [data-saved-status]")).to_contain_text("已保存", timeout=WAIT)
    page = applicant.go(f"{application}")
    page.go_back()
    applicant.ready()
    assert page.input_value("#overview [name=postcode]") == "445600"


def test_a_double_click_submits_once_and_the_second_tab_is_told(bureau: Bureau, enter: Enter) -> None:
    """One submission, one acceptance, however often somebody presses and wherever else the case is open."""
    play = bureau.play("P01", "general", "enshi")
    application, agency = f"/applications/{play.case}", play.package.facts.name
    applicant = enter("enshi")
    page = applicant.go(f"{application}/preview")
    page.check("#sure")
    page.locator("main form").get_by_role("button", name="提交申请").click()
    page.locator("dialog[open]").get_by_role("button", name="提交申请").dblclick()
    page.wait_for_url("**/receipt")
    page.go_back()
    applicant.ready()
    applicant.go(application)
    assert applicant.page.locator("main").inner_text().count("提交了申请") == 1

    early, late = enter("chuangkou"), enter("chuangkou")
    case = deciding.open_case(early, "window-officer", agency)
    deciding.act(late, case, "一次性告知补正")
    deciding.act(early, case, "受理")
    early.page.get_by_role("button", name="受理", exact=True).dblclick()
    early.sees("已办理：受理")
    late.page.fill("#items-0-subject", "固定场所文件")
    late.page.fill("#items-0-reason", "租赁合同未载明租赁期限。")
    late.press("一次性告知补正")
    late.sees("您填写期间案件已有变化")
    late.sees("受理了申请")
    assert late.page.input_value("#items-0-reason") == "租赁合同未载明租赁期限。"


@pytest.mark.parametrize("path", [
    "/cases/nonsense", "/applications/nonsense/form", "/v/xxxxxxxxxxxxxxxxxxxxxx", "/verify?q=%F0%9F%98%80&q=",
    "/v/x?after=-1&on=31-31-31", "/desk/nobody", "/certificates/batches/x"])
def test_an_address_that_leads_nowhere_says_so_in_words(enter: Enter, path: str) -> None:
    person = enter("zhizheng")
    page = person.go(path)
    assert page.locator("h1").count() == 1
    assert "下一步" in page.locator("main").inner_text() or page.locator("main form").count()
