"""Files of an application through HTTP: every kind of bad input, what is read behind the page, safe downloads."""
import io
import json
import re
import zipfile
from urllib.parse import quote

import pytest

from jobs.reading import read_upload
from jobs.workshop import Bench, Workshop
from store.jobs import Job, JobQueue
from tests.web.applying import CORPUS, PAGES, Desk
from web import uploads
from web.context import House

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
