"""An applicant's pages through HTTP: the whole way, what others see of it, and every kind of bad input."""
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from jobs.reading import read_upload
from jobs.workshop import Bench, Workshop
from store.jobs import Job, JobQueue
from tests.web.browsers import PASSWORD, Browser
from web import uploads
from web.context import House
from workflow.commands import CorrectionItem, RequestCorrection
from workflow.vocabulary import Role

CORPUS = Path(__file__).parent.parent / "corpus"
PAGES = ("", "/form", "/tables", "/tables/capability", "/tables/staff", "/problems", "/problems.xlsx", "/materials",
         "/track", "/preview")
DECLARATION = {"declared": ["lawful", "criteria", "truthful"], "signer": "高原", "capacity": "legal_person",
               "signed_on": "2026-03-02"}


@dataclass
class Desk:
    """A browser of the applicant with an application begun; `base` is its address."""

    browser: Browser
    base: str

    @property
    def public_id(self) -> str:
        return self.base.rpartition("/")[2]

    def get(self, page: str = "", **options: Any) -> TestResponse:
        return self.browser.get(self.base + page, **options)

    def send(self, page: str, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        return self.browser.send(self.base + page, headers, **fields)

    def upload(self, package: str = "P01") -> TestResponse:
        return self.send("/tables", files=[(io.BytesIO(p.read_bytes()), p.name)
                                           for p in sorted((CORPUS / package).glob("*.xls*"))])

    def hidden(self, page: str, *names: str) -> dict[str, str]:
        text = self.get(page).text
        found = {n: re.search(rf'name="{n}"[^>]*value="([^"]*)"', text) for n in names}
        return {n: match[1] if match else "" for n, match in found.items()}

    def save(self, section: str, **fields: Any) -> TestResponse:
        """Save a section as its form on the page would: every value there, with these changed."""
        text = self.get("/form").text
        form = re.search(rf'<form id="{section}".*?</form>', text, re.S)
        assert form
        revision = re.search(r'name="revision"[^>]*value="(\d+)"', form[0])
        values = {**_values(form[0]), **fields}
        return self.send(f"/form/{section}", revision=revision[1] if revision else "", **values)

    def material(self, code: str, name: str, content: bytes, **fields: Any) -> TestResponse:
        return self.send(f"/materials/{code}", **{f"{code}-file": (io.BytesIO(content), name), **fields})

    def complete(self) -> None:
        self.upload()
        self.save("resources", site_right="owned", equipment_right="owned")
        self.save("declaration", **DECLARATION)
        files = CORPUS / "P01" / "materials"
        for code, name in (("typical_report", "05典型检验检测报告.pdf"), ("site_right", "03固定场所文件.pdf")):
            assert self.material(code, name, (files / name).read_bytes()).status_code == 303

    def submit(self) -> TestResponse:
        return self.send("/submit", sure="y", **self.hidden("/preview", "command_id", "expected_version"))


def _values(form: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        pairs = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if pairs.get("type") in ("checkbox", "radio"):
            if " checked" in tag:
                found.setdefault(pairs["name"], []).append(pairs["value"])
        elif pairs.get("type") not in ("hidden", "file"):
            found[pairs["name"]] = pairs.get("value", "")
    for name, text in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\s*(.*?)</textarea>', form, re.S):
        found[name] = text
    return found


@pytest.fixture
def desk(client_of: Callable[..., Browser]) -> Desk:
    return begun(client_of(Role.APPLICANT))


def begun(browser: Browser) -> Desk:
    answer = browser.send("/applications/new")
    assert answer.status_code == 303
    return Desk(browser, answer.location.removesuffix("/form"))


# -- the whole way ---------------------------------------------------------------------------------------------


def test_an_application_goes_from_its_start_to_the_receipt(desk: Desk, house: House) -> None:
    assert desk.upload().status_code == 303
    for page in PAGES:
        assert desk.get(page).status_code == 200, page
    assert "附表1_检验检测能力申请表.xlsx" in desk.get("/tables").text
    assert "还缺" in desk.get("/preview").text
    desk.complete()
    answer = desk.submit()
    assert answer.status_code == 303 and answer.location.endswith("/receipt")
    receipt = desk.get("/receipt").text
    assert desk.public_id in receipt and "最迟" in receipt
    case = house.cases.get(desk.public_id, house.accounts.actor_for(house.accounts.find("applicant").id)).case
    assert case.state == "submitted" and case.fact("rows_total") == 30 and case.fact("application_digest")
    for page in ("", "/tables", "/materials", "/preview"):
        assert desk.get(page).status_code == 200
    assert desk.get("/form").status_code == 302  # read-only now


def test_a_second_press_of_submit_gets_the_first_answer(desk: Desk) -> None:
    desk.complete()
    fields = {"sure": "y", **desk.hidden("/preview", "command_id", "expected_version")}
    assert [desk.send("/submit", **fields).status_code for _ in range(2)] == [303, 303]


def test_a_preview_that_is_no_longer_true_is_not_submitted(desk: Desk) -> None:
    desk.complete()
    fields = {"sure": "y", **desk.hidden("/preview", "command_id", "expected_version")}
    desk.save("overview", name="改名检测有限公司")
    answer = desk.send("/submit", **fields)
    assert answer.status_code == 409 and "改名检测有限公司" in answer.text


def test_submission_asks_whether_one_is_sure(desk: Desk) -> None:
    desk.complete()
    answer = desk.send("/submit", **desk.hidden("/preview", "command_id", "expected_version"))
    assert answer.status_code == 422 and desk.get("/form").status_code == 200


def test_the_commitment_is_read_signed_and_kept(desk: Desk, house: House) -> None:
    desk.complete()
    assert desk.send("/track", track="commitment",
                     **desk.hidden("/track", "command_id", "expected_version")).status_code == 303
    page = desk.get("/commitment")
    assert "资质认定部门告知" in page.text and page.status_code == 200
    names = ("command_id", "expected_version", "notice_version", "text_sha256")
    fields = {**desk.hidden("/commitment", *names), "signer": "高原"}
    assert desk.send("/commitment", **fields, password="wrong").status_code == 422
    assert desk.send("/commitment", **{**fields, "text_sha256": "0" * 64}, password=PASSWORD).status_code == 422
    assert desk.send("/commitment", **fields, password=PASSWORD).status_code == 303
    assert "资质认定部门告知" in house.files.get(fields["text_sha256"]).decode()
    assert desk.submit().location.endswith("/receipt")


def test_corrections_are_answered_on_their_page_and_sent_back(desk: Desk, house: House) -> None:
    desk.complete()
    desk.submit()
    officer = house.accounts.actor_for(house.accounts.find("window.officer").id)
    version = house.cases.get(desk.public_id, officer).case.version
    house.cases.perform(desk.public_id, "request_correction", officer, RequestCorrection(
        items=(CorrectionItem("平面图", "缺少比例尺", "评审准则第十条"),)), command_id="correct-1",
        expected_version=version)
    assert "平面图" in desk.get("/corrections").text and "受理机关要求补正" in desk.get().text
    assert desk.send("/corrections/1", **{"item1-answer": " "}).status_code == 422
    assert desk.send("/corrections/9", **{"item9-answer": "多余"}).status_code == 404
    assert desk.send("/corrections/1", **{"item1-answer": "已重新绘制"}).status_code == 303
    fields = desk.hidden("/preview", "command_id", "expected_version")
    assert desk.send("/resubmit", **fields).location.endswith("/receipt")


def test_an_application_is_retracted_only_after_a_tick(desk: Desk) -> None:
    fields = {**desk.hidden("/retraction", "command_id", "expected_version"), "note": "暂缓"}
    refused = desk.send("/retraction", **fields)
    assert refused.status_code == 422 and "暂缓" in refused.text
    assert desk.send("/retraction", **fields, sure="y").status_code == 303
    assert desk.get("/materials").status_code == 200


# -- scope -----------------------------------------------------------------------------------------------------


def test_another_agency_gets_nothing_but_not_found(desk: Desk, client_of: Callable[..., Browser]) -> None:
    desk.complete()
    file = re.search(r"/files/([\w-]{22})", desk.get("/tables").text)
    assert file
    stranger = Desk(client_of("applicant.other"), desk.base)
    canary = ("恩施土家族苗族泓检环境检测有限公司", "戴喆轩", "云岭检测 applicant<", "典型检验检测报告.pdf")
    for page in (*PAGES, "/receipt", "/corrections", "/rectification", "/retraction", "/commitment", "/certificate",
                 "/tables/reading", f"/files/{file[1]}"):
        answer = stranger.get(page)
        assert answer.status_code == 404 and not any(word in answer.text for word in canary), page
    for page in ("/form/overview", "/form/take-over", "/track", "/commitment", "/submit", "/resubmit", "/retraction",
                 "/rectification", "/corrections/1", "/tables", "/materials/site_right", "/rectification/files",
                 f"/files/{file[1]}/remove"):
        fields: dict[str, Any] = {"command_id": "0" * 32, "expected_version": "1", "item1-answer": "x",
                                  "files": (io.BytesIO(b"x"), "x.xlsx"), "file": (io.BytesIO(b"%PDF-"), "x.pdf"),
                                  "site_right-file": (io.BytesIO(b"%PDF-"), "x.pdf"), "signer": "x"}
        assert stranger.send(page, **fields).status_code == 404, page
    assert desk.public_id not in stranger.browser.get("/applications").text


def test_an_upload_of_another_application_is_not_found_under_ones_own(
        desk: Desk, client_of: Callable[..., Browser]) -> None:
    desk.upload()
    file = re.search(r"/files/([\w-]{22})", desk.get("/tables").text)
    other = begun(client_of("applicant.other"))
    assert file and other.get(f"/files/{file[1]}").status_code == 404


@pytest.mark.parametrize("role", [Role.WINDOW_OFFICER, Role.LEADER, Role.ADMINISTRATOR])
def test_officials_have_no_business_on_the_applicants_pages(
        desk: Desk, client_of: Callable[..., Browser], role: Role) -> None:
    official = Desk(client_of(role), desk.base)
    assert {official.get(page).status_code for page in PAGES} == {403}


# -- saving while one types --------------------------------------------------------------------------------------


def test_typing_is_saved_quietly_complete_or_not(desk: Desk) -> None:
    revision = desk.hidden("/form", "revision")["revision"]
    answer = desk.send("/form/cover", {"X-Autosave": "1"}, revision=revision, types="renewal", applied_on="2026-")
    told = answer.get_json()
    assert answer.status_code == 200 and re.fullmatch(r"\d\d:\d\d", told["saved_at"])
    again = desk.send("/form/cover", {"X-Autosave": "1"}, revision=told["fields"]["revision"], types="renewal",
                      applied_on="2026-03-02")
    assert again.status_code == 200 and 'value="2026-03-02"' in desk.get("/form").text


def test_a_second_window_is_told_and_keeps_what_was_typed(desk: Desk) -> None:
    desk.send("/form/overview", revision="0", name="第一个窗口的名称")
    quiet = desk.send("/form/overview", {"X-Autosave": "1"}, revision="0", name="第二个窗口的名称")
    assert quiet.status_code == 409 and "经办" in quiet.get_json()["message"]
    page = desk.send("/form/overview", revision="0", name="第二个窗口的名称")
    assert page.status_code == 409
    assert "第二个窗口的名称" in page.text and "第一个窗口的名称" in page.text
    revision = re.search(r'<form id="overview".*?name="revision"[^>]*value="(\d+)"', page.text, re.S)
    assert revision and revision[1] == "1"  # looked at, a second press saves over it
    desk.send("/form/overview", revision="1", name="第二个窗口的名称")
    assert "第二个窗口的名称" in desk.get("/form").text


def test_a_press_on_an_incomplete_section_saves_it_and_says_what_is_missing(desk: Desk) -> None:
    page = desk.save("overview", postcode="71", email="不是邮箱", contact="赵钱孙")
    assert page.status_code == 422 and "赵钱孙" in page.text and 'aria-invalid="true"' in page.text
    assert "赵钱孙" in desk.get("/form").text


@pytest.mark.parametrize("fields", [
    {"revision": "x"}, {"revision": "0", "name": "x" * 90_000}, {"revision": "0", "state": "granted", "name": "甲"}])
def test_a_damaged_form_is_refused_and_nothing_else_is_written(desk: Desk, fields: dict[str, str]) -> None:
    answer = desk.send("/form/overview", **fields)
    assert answer.status_code in (303, 409, 422)
    assert "填报中" in desk.get().text


def test_a_section_that_does_not_exist_is_not_found(desk: Desk) -> None:
    assert desk.send("/form/secrets", revision="0").status_code == 404
    assert desk.get("/tables/secrets").status_code == 404


# -- files -------------------------------------------------------------------------------------------------------


def _zip(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/"), content)
    return target.getvalue()


BAD_TABLES = {
    "empty": ("附表1.xlsx", b""), "text": ("附表1.xlsx", "不是表格".encode()),
    "program": ("附表1.exe", b"MZ\x90\0" * 99),
    "truncated": ("附表1.xlsx", (CORPUS / "P01" / "附表1_检验检测能力申请表.xlsx").read_bytes()[:3000]),
    "bomb": ("附表1.xlsx", _zip(**{"[Content_Types].xml": b"0" * 30_000_000})),
    "other zip": ("附表1.xlsx", _zip(**{"..__..__x.txt": b"x"})),
    "old": ("附表1.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600),
    "nameless": ("../../../etc/passwd\u202e.xlsx", b"x"),
}


@pytest.mark.parametrize("kind", BAD_TABLES)
def test_a_file_that_is_no_table_is_refused_with_a_reason_and_the_rest_stays(desk: Desk, kind: str) -> None:
    desk.upload()
    name, content = BAD_TABLES[kind]
    answer = desk.send("/tables", files=(io.BytesIO(content), name))
    assert answer.status_code == 303
    page = desk.get("/tables").text
    assert "wj-notice is-bad" in page and "附表1_检验检测能力申请表.xlsx" in page
    assert "passwd\u202e" not in page and "/etc" not in page


def test_sending_nothing_too_much_or_too_many_is_told_on_the_page(desk: Desk, monkeypatch: pytest.MonkeyPatch,
                                                                  house: House) -> None:
    assert desk.send("/tables").status_code == 422
    many = [(io.BytesIO(b"x"), f"{n}.xlsx") for n in range(uploads.MOST_FILES + 1)]
    assert desk.send("/tables", files=many).status_code == 422
    small = type("Small", (), {"settings": type("Settings", (), {"upload_limit_mb": 0})})
    monkeypatch.setattr(uploads, "house", lambda: small)
    answer = desk.send("/tables", files=(io.BytesIO(b"x" * 100), "大文件.xlsx"))
    assert answer.status_code == 422 and "大文件.xlsx" in answer.text


def test_a_large_table_is_read_behind_the_page(desk: Desk, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "AT_ONCE", 10)
    desk.upload()
    page = desk.get("/tables").text
    assert "正在读取文件" in page and "hx-get" in page
    fragment = desk.get("/tables/reading", headers={"HX-Request": "true"}).text
    assert fragment.lstrip().startswith("<div") or 'id="table-states"' in fragment
    queue = JobQueue(house.database)
    waiting = [j for j in queue.list_("waiting").lines if j.kind == "read_upload"]
    assert len(waiting) == 1
    case_id = house.cases.get(desk.public_id, house.accounts.actor_for(
        house.accounts.find("applicant").id)).case.id
    job = Job(waiting[0].id, "read_upload", case_id, {}, 1, waiting[0].created_at)
    assert read_upload(Bench(Workshop.of(house)), job).note == "5 tables read"
    assert "正在读取文件" not in desk.get("/tables").text


def test_a_material_is_judged_by_its_content_and_replaced_only_when_confirmed(desk: Desk) -> None:
    pdf = (CORPUS / "P01" / "materials" / "05典型检验检测报告.pdf").read_bytes()
    other = (CORPUS / "P01" / "materials" / "03固定场所文件.pdf").read_bytes()
    for name, content in (("a.pdf", b"<html><script>"), ("a.exe", b"MZ"), ("a.pdf", b""), ("a.png", pdf)):
        answer = desk.material("quality_manual", name, content)
        assert answer.status_code == 422 and "wj-error" in answer.text, name
    assert desk.send("/materials/quality_manual").status_code == 422
    assert desk.material("unheard_of", "a.pdf", pdf).status_code == 404
    assert desk.material("quality_manual", "a.pdf", pdf).status_code == 303
    assert desk.material("quality_manual", "b.pdf", other).status_code == 409
    replaces = re.search(r'name="quality_manual-replaces" value="([^"]+)"', desk.get("/materials").text)
    assert replaces
    assert desk.material("quality_manual", "b.pdf", other,
                         **{"quality_manual-replaces": replaces[1]}).status_code == 303
    page = desk.get("/materials").text
    assert "b.pdf" in page and ">a.pdf</a>" not in page


def test_ones_own_file_comes_back_as_a_download_that_can_do_nothing(desk: Desk) -> None:
    name = "报告 “甲”\\..;.pdf"
    content = (CORPUS / "P01" / "materials" / "05典型检验检测报告.pdf").read_bytes()
    desk.material("typical_report", name, content)
    file = re.search(r"/files/([\w-]{22})\"", desk.get("/materials").text)
    assert file
    answer = desk.get(f"/files/{file[1]}")
    assert answer.data == content and answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert quote("甲") in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_problems_are_shown_by_place_filtered_and_taken_home(desk: Desk) -> None:
    desk.upload("P10")
    page = desk.get("/problems").text
    want = json.loads((CORPUS / "P10" / "expected.json").read_text("utf-8"))
    some = next(p for f in want["files"] for p in f["problems"] if p["code"] == "STD_WITHDRAWN")
    assert some["sheet"] in page and some["detail"]["replaced_by"] in page
    errors = desk.get("/problems?severity=error").text
    assert errors.count("<tr>") < page.count("<tr>") and "必须更正" in errors
    book = desk.get("/problems.xlsx")
    assert book.data[:2] == b"PK" and book.headers["Content-Disposition"].startswith("attachment")
    assert desk.get("/problems?after=!!").status_code == 422
    assert desk.get("/tables/capability?q=%25%27%22&after=MQ").status_code == 200


def test_every_page_speaks_english_too(desk: Desk) -> None:
    desk.upload("P10")
    for page in PAGES:
        answer = desk.get(f"{page}?lang=en")
        assert answer.status_code == 200
    shown = desk.get("/track?lang=en").text
    assert "May the commitment track be used?" in shown and "能否适用" not in shown
