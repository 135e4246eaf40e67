"""What an applicant does, all of it through the pages."""
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.offices import WAIT, Bureau, Person
from web.cast import PASSWORD
from web.rehearsal.package import Package

ALWAYS = {  # what no table of a package says; field -> what is typed or chosen where it is still open
    "legal_setting": "independent", "legal_kind": "enterprise", "premises": "fixed", "site_right": "rented",
    "equipment_right": "owned", "capacity": "legal_person"}


def register(person: Person, package: Package, login: str) -> None:
    """Register the agency of a package; whoever does it is signed in afterwards."""
    facts = package.facts
    person.go("/register")
    page = person.page
    for name, text in {
        "uscc": facts.uscc, "agency_name": facts.name, "address": facts.registered_address or facts.address,
        "legal_person": facts.legal_person, "name": facts.contact or facts.legal_person,
        "phone": facts.phone or facts.mobile, "email": facts.email, "login": login, "password": PASSWORD,
        "again": PASSWORD,
    }.items():
        page.fill(f"#{name}", text)
    page.select_option("#division", facts.region_code or facts.uscc[2:8])
    person.press("注册")
    person.sees("机构注册成功")


def begin(person: Person) -> str:
    """Start an application of the official form; the address of its pages."""
    person.go("/applications/new/cma")
    person.press("开始填报")
    person.sees("申请已建立")
    found = re.search(r"/applications/([^/]+)/form", person.page.url)
    assert found, person.page.url
    return f"/applications/{found[1]}"


def upload_tables(person: Person, application: str, paths: list[Path]) -> None:
    """Send several tables at once and wait until every one is read."""
    person.go(f"{application}/tables")
    person.page.set_input_files("input[type=file]", [str(path) for path in paths])
    person.press("上传并检查")
    expect(person.page.locator("#table-states")).not_to_contain_text("正在读取文件", timeout=WAIT)


def complete(person: Person, application: str, package: Package) -> None:
    """Take what the tables offer and fill in, section by section, what is still open."""
    page = person.go(f"{application}/form")
    ticks = page.locator("form[action$='/take-over'] input[type=checkbox]")
    if ticks.count():
        for number in range(ticks.count()):
            ticks.nth(number).check()
        person.press("采用勾选的内容")
    today = page.evaluate("() => document.querySelector('[data-today]')?.dataset.today") or "2026-08-03"
    texts = {
        "applied_on": today, "signed_on": today, "signer": package.facts.legal_person,
        "contact": package.facts.contact, "contact_phone": package.facts.phone or package.facts.mobile,
        "sites": package.facts.address or package.facts.registered_address}
    for section in ("cover", "overview", "resources", "declaration"):
        page = person.go(f"{application}/form")
        form = page.locator(f"form#{section}")
        for name, text in texts.items():
            box = form.locator(f"[name={name}]")
            if box.count() and not box.first.input_value():
                box.first.fill(text)
        for name, choice in ALWAYS.items():
            options = form.locator(f"[name={name}]")
            if options.count() and not form.locator(f"[name={name}]:checked").count():
                form.locator(f"[name={name}][value={choice}]").check()
        for tick in form.locator("[name=declared]").all():
            tick.check()
        person.leave_by(form.get_by_role("button", name="保存并继续"))
        assert not page.locator("[aria-invalid=true]").count(), page.locator("main").inner_text()


def hand_in_materials(person: Person, bureau: Bureau, application: str, package: Package, login: str) -> None:
    """Each file of the package to its material, as an applicant would who reads the titles."""
    from forms.dossiers import faults
    from store.applications import ApplicationStore

    store = ApplicationStore(bureau.house.cases, bureau.house.files, bureau.house.reference, faults)
    dossier = store.get(application.rpartition("/")[2], bureau.cast.actor(login))
    paths = {path.name: path for path in (package.directory / "materials").iterdir()}
    for code, files in package.placed(dossier.materials).items():
        for file, _judged in files:
            hand_in(person, application, code, paths[file.name])


def hand_in(person: Person, application: str, code: str, path: Path) -> None:
    page = person.go(f"{application}/materials")
    place = page.locator(f"li[id='{code}']")
    more = place.locator("details.wj-more")
    if more.get_attribute("open") is None:
        more.locator("summary").click()
    place.locator("input[type=file]").set_input_files(str(path))
    person.leave_by(place.get_by_role("button", name="上传"))
    person.sees(f"“{path.name}”")


def submit(person: Person, application: str, label: str = "提交申请", sure: bool = True) -> None:
    """Preview, confirm, submit; the receipt stands on the screen afterwards."""
    page = person.go(f"{application}/preview")
    if sure:
        page.check("#sure")
    page.locator("main form").get_by_role("button", name=label).click()
    person.leave_by(page.locator("dialog[open]").get_by_role("button", name=label))
    person.sees("您的申请已收到")


def answer_corrections(person: Person, application: str, answers: list[str]) -> None:
    person.go(application)
    person.follow("查看补正事项")
    for number, text in enumerate(answers, 1):
        item = person.page.locator(f"#item-{number}")
        item.locator("textarea").fill(text)
        person.leave_by(item.get_by_role("button", name="保存答复"))
        expect(person.page.locator(f"#item-{number}")).to_contain_text("已答复")
