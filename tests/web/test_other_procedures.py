"""What can be applied for, one's own certificates, and the pages of dossiers made from files, through HTTP."""
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forms.dossiers import faults
from store.applications import ApplicationStore
from store.certificate_values import Certificate
from store.certificates import CertificateStore
from store.people import Account
from tests.store import factories
from tests.store.sheets import SheetApplicant
from tests.web.browsers import Browser
from tests.web.command_line import wujian
from web.context import House
from workflow.vocabulary import Role

ClientOf = Callable[[Role | str], Browser]


@pytest.fixture
def held(house: House, accounts: dict[str, Account]) -> Certificate:
    """An accreditation of the applicant's agency with three rows."""
    agency = accounts["applicant"].agency_id
    factories.cma_case(house.cases, "granted", agency_id=agency, rows=3)
    [found] = CertificateStore(house.database).list_of(agency or 0)
    return found


@pytest.fixture
def applicant(client_of: ClientOf) -> Browser:
    return client_of(Role.APPLICANT)


def begun(browser: Browser, held: Certificate, kind: str) -> str:
    """The address of an application for a change."""
    answer = browser.send("/applications/new", procedure="cma_change", types=kind, certificate=held.number)
    assert answer.status_code == 303, answer.text
    return answer.location.removesuffix("/form")


@pytest.mark.parametrize(("language", "words"), [
    ("zh", ("可以申请的事项", "认证机构资质审批", "工业产品生产许可证核发", "不收费", "20个工作日")),
    ("en", ("What you can apply for", "Approval of certification bodies", "None are charged", "20 working days"))])
def test_what_can_be_applied_for_says_basis_limits_materials_and_fees(
        applicant: Browser, language: str, words: tuple[str, ...]) -> None:
    page = applicant.get(f"/applications/new?lang={language}")
    told = re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", page.text))
    assert page.status_code == 200
    for said in words:
        assert said.replace(" ", "") in told, said
    for name in ("cma", "certification_body", "industrial_product"):
        assert f'href="/applications/new/{name}"' in page.text
    assert "/applications/new/cma_change" not in page.text  # that one begins at a certificate


@pytest.mark.parametrize("name", ["cma", "certification_body", "industrial_product"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_has_a_starting_page_that_says_what_is_not_confirmed(
        applicant: Browser, name: str, language: str) -> None:
    page = applicant.get(f"/applications/new/{name}?lang={language}")
    assert page.status_code == 200 and f'value="{name}"' in page.text
    assert ("演示默认值" in page.text or "Demo default" in page.text) == (name != "cma")


@pytest.mark.parametrize("name", ["cma_change", "cma_verification", "no_such", "../x"])
def test_what_does_not_begin_here_is_not_there(applicant: Browser, name: str) -> None:
    assert applicant.get(f"/applications/new/{name}").status_code == 404


@pytest.mark.parametrize("name", ["cma_verification", "no_such", "industrial_product_verification"])
def test_nobody_opens_a_case_that_is_not_applied_for(applicant: Browser, name: str) -> None:
    assert applicant.send("/applications/new", procedure=name).status_code == 404


def test_a_change_needs_a_certificate(applicant: Browser) -> None:
    assert applicant.send("/applications/new", procedure="cma_change", types="name_change").status_code == 409


def test_my_certificates_are_mine(client_of: ClientOf, applicant: Browser, held: Certificate) -> None:
    assert held.number in applicant.get("/my/certificates").text
    page = applicant.get(f"/my/certificates/{held.public_id}")
    assert page.status_code == 200 and page.text.count('name="types"') == 8
    other = client_of("applicant.other")
    assert held.number not in other.get("/my/certificates").text
    assert other.get(f"/my/certificates/{held.public_id}").status_code == 404
    assert client_of(Role.LEADER).get("/my/certificates").status_code == 403


def test_somebody_elses_certificate_is_not_changed(client_of: ClientOf, held: Certificate) -> None:
    other = client_of("applicant.other")
    answer = other.send("/applications/new", procedure="cma_change", types="name_change", certificate=held.number)
    assert answer.status_code == 409


@pytest.mark.parametrize("kind", ["name_change", "signatory_change", "standard_change", "item_cancellation",
                                  "personnel_filing", "cancellation"])
def test_every_page_of_a_change_opens(applicant: Browser, held: Certificate, kind: str) -> None:
    at = begun(applicant, held, kind)
    for page in ("", "/form", "/materials", "/preview"):
        for language in ("zh", "en"):
            assert applicant.get(f"{at}{page}?lang={language}").status_code == 200, page
    tabs = applicant.get(at).text
    assert f"{at}/tables" not in tabs and f"{at}/track" not in tabs


def test_a_second_press_of_apply_opens_no_second_application(applicant: Browser, held: Certificate) -> None:
    assert begun(applicant, held, "name_change") == begun(applicant, held, "name_change")
    assert begun(applicant, held, "name_change") != begun(applicant, held, "cancellation")


def test_what_is_typed_is_kept_and_what_is_missing_told(applicant: Browser, held: Certificate) -> None:
    at = begun(applicant, held, "name_change")
    answer = applicant.send(f"{at}/form/name_change", revision="0", new_name="新名称检测有限公司")
    assert answer.status_code == 422 and "新名称检测有限公司" in answer.text
    assert "新名称检测有限公司" in applicant.get(f"{at}/form").text
    stale = applicant.send(f"{at}/form/name_change", revision="0", new_name="又一个名称")
    assert stale.status_code == 409 and "又一个名称" in stale.text


@pytest.mark.parametrize("section", ["overview", "cancellation", "no_such"])
def test_a_section_that_is_not_asked_is_not_there(applicant: Browser, held: Certificate, section: str) -> None:
    at = begun(applicant, held, "name_change")
    assert applicant.send(f"{at}/form/{section}", revision="0").status_code == 404


def test_rows_are_ticked_page_by_page(applicant: Browser, held: Certificate) -> None:
    at = begun(applicant, held, "item_cancellation")
    page = applicant.get(f"{at}/annex")
    assert page.status_code == 200 and page.text.count('name="rows"') == 3
    applicant.send(f"{at}/annex", shown=["1", "2"], rows=["2", "3", "x"])  # 3 was not shown: not chosen
    assert "已选择 1 项" in applicant.get(f"{at}/form").text
    applicant.send(f"{at}/annex", shown=["3"], rows=["3"])
    assert "2、3" in applicant.get(f"{at}/form").text
    applicant.send(f"{at}/annex", shown=["2"])
    assert "已选择 1 项" in applicant.get(f"{at}/form").text
    assert "没有符合的项目" in applicant.get(f"{at}/annex?q=不存在的参数").text


def test_no_rows_are_chosen_where_none_are_asked(applicant: Browser, held: Certificate) -> None:
    at = begun(applicant, held, "name_change")
    assert applicant.get(f"{at}/annex").status_code == 404


def test_a_licence_is_found_by_its_number_and_told_in_both_languages(client: Browser, house: House,
                                                                     accounts: dict[str, Account]) -> None:



    factories.usual_pool(house.database)
    store = ApplicationStore(house.cases, house.files, house.reference, faults)
    actor = house.accounts.actor_for(accounts["applicant"].id)
    assert actor is not None
    one = SheetApplicant(store, actor, "industrial_product")
    one.complete(producer={"plant": "示例市工业园八号"})
    one.sign()
    one.walk("submit_on_commitment", "pass_formal_check", "grant_on_commitment")
    found = client.get(f"/verify?q={one.facts['certificate_number']}")
    assert found.status_code == 303
    page = client.get(found.location)
    for said in ("全国工业产品生产许可证", "示例市工业园八号", "产品明细"):
        assert said in page.text
    assert "Address of production" in client.get(f"{found.location}?lang=en").text


def test_the_rule_table_is_shown_and_turned_by_the_command_line(tmp_path: Path) -> None:
    def run(*words: str) -> Any:
        return wujian("switch", *words, cwd=tmp_path, var=tmp_path / "var")

    for preparing in ("migrate", "seed"):
        assert wujian(preparing, cwd=tmp_path, var=tmp_path / "var").returncode == 0
    assert run("list").stdout.startswith("signatory_change_route\tcommitment\tcommitment,approval\t")
    assert "commitment -> approval" in run("turn", "signatory_change_route", "approval").stdout
    assert run("list").stdout.split("\t")[1] == "approval"
    wrong = run("turn", "signatory_change_route", "sometimes")
    assert wrong.returncode == 1 and "takes one of" in wrong.stderr
