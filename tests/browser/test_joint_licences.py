"""Several licences for one laboratory: one form, one review, each authority's own decision, delivered together."""
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import applying, deciding
from tests.browser.conftest import Enter
from tests.browser.offices import WAIT, Bureau, Person
from tests.browser.test_ordinary_track import qr_of
from web.rehearsal.package import Package

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DIVISION = "360000"
PROOF = Path(__file__).parents[1] / "corpus" / "P05" / "materials"
CMA, FIELDS, WORKS = "joint_cma", "agricultural_testing", "construction_testing"


def test_one_grants_one_refuses_and_one_goes_its_own_way(bureau: Bureau, enter: Enter) -> None:
    package = bureau.package("P12")
    agency = package.facts.name
    applicant = enter()
    application = _applied(bureau, applicant, package)
    _accepted_with_experts_named(enter, agency)
    whole = _reviewed(enter, agency)

    leader = enter("lingdao")
    case = _awaited(leader, "leader", "待决定", agency)
    expect(leader.page.locator("#evidence")).to_contain_text("对本项许可的结论： 符合")
    deciding.act(leader, case, "准予许可")
    leader.page.fill("#grounds", "联合评审结论为符合，准予许可。")
    deciding.send(leader, "准予许可", sure=True)

    _refused_by_its_own_lines(enter("fuze.construction"), agency)

    _looks_until(leader, whole, "#history", "收到部门办理结果")  # or the form would be told that the case changed
    deciding.act(leader, whole, "将某项许可分开办理")
    parting = leader.page.locator(f".wj-partings > li:has(input[value={FIELDS}])")
    expect(parting).to_contain_text("联合评审结论继续有效，由农业农村据此决定，单独送达")
    parting.locator("input[name=licence]").check()
    leader.page.fill("#grounds", "农业农村部门尚需核实，先行分开办理，其他许可不再等待。")
    deciding.send(leader, "将某项许可分开办理")
    expect(leader.page.locator("#joint")).to_contain_text("其他许可不再等待")

    clerk = enter("zhizheng")
    printed = _printed(clerk, agency)
    _looks_until(clerk, whole, ".wj-case-stand", "待统一发证")
    deciding.act(clerk, whole, "统一发证送达")
    expect(clerk.page.locator(".wj-reached")).to_contain_text("已分开办理，不在统一送达之列")
    deciding.send(clerk, "统一发证送达", sure=True)

    _looks_until(applicant, f"{application}/licences", f"#{CMA}", "已送达办结")
    page = applicant.page
    expect(page.locator(f"#{WORKS}")).to_contain_text("不予许可")
    expect(page.locator(f"#{WORKS}").get_by_role("link", name="不予行政许可决定书")).to_be_visible()
    expect(page.locator(f"#{FIELDS}")).to_contain_text("已分开办理")
    with page.expect_download() as coming:
        page.locator(f"#{CMA}").get_by_role("link", name=re.compile("^证书")).click()
    assert qr_of(Path(coming.value.path())) == qr_of(printed)
    _verified(enter(), printed, agency, 1)

    chief = enter("fuze.agriculture")
    case = deciding.open_case(chief, "department-leader", agency)
    deciding.act(chief, case, "准予许可")
    chief.page.fill("#grounds", "评审结论为符合，准予许可。")
    deciding.send(chief, "准予许可", sure=True)
    alone = deciding.print_and_deliver(clerk, agency)
    _verified(enter(), alone, agency, 0)
    applicant.go(f"{application}/licences")
    expect(page.locator(f"#{FIELDS}").get_by_role("link", name=re.compile("^证书"))).to_be_visible()


# -- the applicant ---------------------------------------------------------------------------------------------


def _applied(bureau: Bureau, applicant: Person, package: Package) -> str:
    applying.register(applicant, package, "yidu")
    page = applicant.go("/applications/new")
    offer = page.locator("section#joint_testing")
    expect(offer.locator(".wj-spared tbody tr").first).to_contain_text("2")  # two applications fewer
    applicant.leave_by(offer.get_by_role("link", name="查看并开始"))
    applicant.leave_by(page.get_by_role("button", name="开始填报"))
    found = re.search(r"/applications/([^/]+)/form", page.url)
    assert found
    application = f"/applications/{found[1]}"
    _fill(applicant, application, "licences")
    applying.upload_tables(applicant, application, sorted(package.directory.glob("*.xlsx")))
    applying.complete(applicant, application, package)
    _for_the_first_time(applicant, application)
    for block in ("agriculture", "construction"):
        _fill(applicant, application, block)
    applying.hand_in_materials(applicant, bureau, application, package, "yidu")
    page = applicant.go(f"{application}/materials")
    for code in [item.get_attribute("id") or "" for item in page.locator(".wj-materials > li").all()
                 if "提交申请前必需" in item.inner_text()]:
        applying.hand_in(applicant, application, code, next(PROOF.glob("*.pdf")))
    applying.submit(applicant, application)
    return application


def _for_the_first_time(applicant: Person, application: str) -> None:
    """The package renews a certificate, and a renewal is applied for on its own."""
    page = applicant.go(f"{application}/form")
    form = page.locator("form#cover")
    form.locator("[name=types][value=renewal]").uncheck()
    form.locator("[name=types][value=first]").check()
    form.locator("[name=certificate_held]").fill("")
    applicant.leave_by(form.get_by_role("button", name="保存并继续"))


def _fill(applicant: Person, application: str, section: str) -> None:
    """Fill in one section: every box ticked, the first of the choices taken, a number where one is asked for."""
    page = applicant.go(f"{application}/form")
    form = page.locator(f"form#{section}")
    for box in form.locator("input[type=checkbox]").all():
        box.check()
    for group in form.locator(".wj-choices:has(input[type=radio])").all():
        group.locator("input").first.check()
    for line in form.locator("input.form-control").all():
        line.fill("6")
    applicant.leave_by(form.get_by_role("button", name="保存并继续"))
    assert not page.locator("[aria-invalid=true], .has-error").count(), page.locator("main").inner_text()


# -- the authorities -------------------------------------------------------------------------------------------


def _accepted_with_experts_named(enter: Enter, agency: str) -> None:
    window = enter("chuangkou")
    case = deciding.open_case(window, "window-officer", agency)
    deciding.act(window, case, "统一受理")
    deciding.send(window, "统一受理")
    for login, expert in (("bumen.agriculture", "谷丰"), ("bumen.construction", "单基")):
        officer = enter(login)
        deciding.act(officer, case, "推荐本部门专家")
        officer.page.locator("#experts tr", has_text=expert).locator("input").check()
        deciding.send(officer, "推荐本部门专家")
    organiser = enter("zuzhi")
    deciding.act(organiser, case, "组织联合评审")
    expect(organiser.page.locator("#members tr", has_text="谷丰")).to_contain_text("农业农村推荐")
    deciding.name_team(organiser, case, "组织联合评审", "沈怀谷", ["顾若川", "谷丰", "单基"], "2026-08-10")


def _reviewed(enter: Enter, agency: str) -> str:
    """Every row confirmed, one line of one licence found wanting by keys alone, the rest of the lines met."""
    reviewer, head = enter("pingshen1"), enter("zuzhang")
    case = deciding.open_case(reviewer, "reviewer", agency)
    deciding.confirm_every_row(reviewer, case, ["site_test", "records"])
    page = head.go(f"{case}/findings?licence={WORKS}")
    expect(page.locator("li[data-line]")).to_have_count(3)
    for key in ("j", "1", "1", "2"):
        page.keyboard.press(key)
    page.keyboard.type("检测数据未自动采集上传。")
    head.press("保存")
    head.sees("检测数据未自动采集上传。")
    deciding.fill_checklist(head, case)
    deciding.act(head, case, "评审结论：符合")
    deciding.send(head, "评审结论：符合")
    return case


def _refused_by_its_own_lines(chief: Person, agency: str) -> None:
    case = _awaited(chief, "department-leader", "待决定", agency)
    evidence = chief.page.locator("#evidence")
    expect(evidence).to_contain_text("对本项许可的结论： 不符合")
    expect(evidence).to_contain_text("检测数据未自动采集上传。")
    deciding.act(chief, case, "不予许可")
    for name, text in (("reasons", "信息管理不符合。"), ("basis", "《行政许可法》第三十八条第二款"),
                       ("remedy", "可以自收到本决定之日起六十日内申请行政复议。")):
        chief.page.fill(f"#{name}", text)
    chief.page.check("#sure")
    chief.confirm_identity()
    chief.press("不予许可")
    chief.sees("已办理：不予许可")


def _awaited(person: Person, desk: str, state: str, agency: str) -> str:
    """Open the case that comes to a desk in a state, as soon as the others have told it what it waits for."""
    row = person.page.locator("table[data-queue] tbody tr", has_text=agency).filter(has_text=state).first
    _until(lambda: bool(person.go(f"/desk/{desk}")) and row.count() > 0, person)
    person.leave_by(row.locator("a").first)
    return "/" + person.page.url.split("/", 3)[3]


def _looks_until(person: Person, path: str, place: str, words: str) -> None:
    _until(lambda: words in person.go(path).locator(place).inner_text(), person)


def _until(holds: Callable[[], bool], person: Person) -> None:
    """Look again and again while the worker carries word from case to case."""
    for _look in range(WAIT // 250):
        if holds():
            return
        person.page.wait_for_timeout(250)
    raise AssertionError(person.page.locator("main").inner_text())


def _printed(clerk: Person, agency: str) -> Path:
    """Print what is granted; it is not delivered from here, since it waits for the others."""
    row = clerk.page.locator("tbody tr", has_text=agency)
    _until(lambda: bool(clerk.go("/certificates")) and row.locator("input[data-row]").count() > 0, clerk)
    row.locator("input[data-row]").check()
    clerk.press("打印所选证书")
    clerk.page.wait_for_url("**/batches/*")
    expect(clerk.page.locator("#batch")).to_contain_text("打印文件已生成", timeout=3 * WAIT)
    with clerk.page.expect_download() as coming:
        clerk.page.get_by_role("link", name="下载打印文件").click()
    clerk.go("/certificates?state=printed")
    expect(row).to_contain_text("与其他许可统一送达")
    assert row.locator("input[data-row]").count() == 0
    return Path(coming.value.path())


def _verified(anyone: Person, path: Path, agency: str, least: int) -> None:
    anyone.go(qr_of(path))
    anyone.sees("证书真实，在有效期内")
    anyone.sees(agency)
    assert anyone.page.locator("#scope tbody tr:not(.wj-group)").count() >= least
