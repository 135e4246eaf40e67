"""The written notices: each kind says what the law wants said, and prints what it was given literally."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest

from pdf.certificate import TEMPLATES, Renderer, render_notice
from pdf.values import InvalidValue, NoticeItem, NoticeKind, notice_from_json, notice_json
from tests.pdf.conftest import make_notice

TITLES = {
    NoticeKind.RECEIPT: "申请材料接收回执",
    NoticeKind.ACCEPTANCE: "受理通知书",
    NoticeKind.CORRECTION: "一次性告知补正通知书",
    NoticeKind.REFUSAL_TO_ACCEPT: "不予受理决定书",
    NoticeKind.GRANT: "准予行政许可决定书",
    NoticeKind.REFUSAL: "不予行政许可决定书",
    NoticeKind.COMMITMENT: "告知承诺书",
    NoticeKind.ANNULMENT: "撤销行政许可决定书",
    NoticeKind.RECTIFICATION: "整改通知书",
    NoticeKind.EXTENSION: "延长办理期限告知书",
}


def whole_text(pdf: bytes, page_text) -> str:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        count = len(opened.pages)
    return "".join(page_text(pdf, page) for page in range(count))


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_its_title_addressee_authority_and_date(
    renderer: Renderer, page_text, kind: NoticeKind
) -> None:
    notice = make_notice(kind)
    said = whole_text(renderer.notice(notice).pdf, page_text)
    assert TITLES[kind] in said
    for expected in (
        notice.addressee,
        notice.authority_name,
        "2026年11月21日",
        notice.matter,
        notice.case_number,
    ):
        assert expected in said


def test_a_correction_notice_tells_everything_once(renderer: Renderer, page_text) -> None:
    items = tuple(NoticeItem(f"第{n}项材料", f"缺少第{n}页", f"准则第{n}条") for n in range(1, 61))
    done = renderer.notice(make_notice(NoticeKind.CORRECTION, items=items))
    said = whole_text(done.pdf, page_text)
    for item in items:
        assert item.title in said and item.reason in said and item.basis in said
    assert done.pages > 2
    assert "需要补正的内容" in page_text(done.pdf, 1), "the header is repeated"
    assert "2026年12月4日" in said


@pytest.mark.parametrize("kind", [NoticeKind.REFUSAL, NoticeKind.REFUSAL_TO_ACCEPT])
def test_a_refusal_gives_reasons_basis_and_remedies(renderer: Renderer, page_text, kind: NoticeKind) -> None:
    notice = make_notice(kind)
    said = whole_text(renderer.notice(notice).pdf, page_text)
    for part in (*notice.reasons, *notice.basis, *notice.remedies):
        assert part in said


def test_a_commitment_letter_holds_all_parts_its_version_and_its_hash(renderer: Renderer, page_text) -> None:
    notice = make_notice(NoticeKind.COMMITMENT)
    said = whole_text(renderer.notice(notice).pdf, page_text)
    assert all(part.title in said and part.reason in said for part in notice.notified)
    assert all(part in said for part in notice.committed)
    assert notice.version in said and notice.text_sha256 in said and notice.signed_by in said


@pytest.mark.parametrize("kind", NoticeKind)
def test_mark_up_is_printed_as_text(renderer: Renderer, page_text, kind: NoticeKind) -> None:
    payload = "<img/src=x><b>{{7*7}}&amp;"
    notice = make_notice(kind, addressee=payload, matter=payload, authority_name=payload)
    assert whole_text(renderer.notice(notice).pdf, page_text).count(payload) >= 3


def test_nothing_is_said_that_was_not_given(renderer: Renderer, page_text) -> None:
    bare = make_notice(
        NoticeKind.ACCEPTANCE, due_on=None, allowance="", basis=(), facts=(), contact="", verify_url=""
    )
    said = whole_text(renderer.notice(bare).pdf, page_text)
    assert "前作出" not in said and "依据" not in said and "联系方式" not in said and "扫码" not in said


def test_no_template_holds_a_number_that_law_may_change() -> None:
    for template in (TEMPLATES / "notices").glob("*.html"):
        words = Path(template).read_text("utf-8")
        assert "工作日" not in words and "个月" not in words and "第三十二条" not in words, template.name


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_survives_the_way_to_the_child(kind: NoticeKind) -> None:
    notice = make_notice(kind)
    assert notice_from_json(notice_json(notice)) == notice


def test_a_notice_without_addressee_cannot_be_made() -> None:
    with pytest.raises(InvalidValue):
        make_notice(NoticeKind.GRANT, addressee=" ")


def test_one_notice_in_this_process_is_an_archive_file() -> None:
    done = render_notice(make_notice(NoticeKind.GRANT))
    with pikepdf.open(io.BytesIO(done.pdf)) as opened, opened.open_metadata() as metadata:
        assert metadata["pdfaid:part"] == "3"
        assert "notice.json" in opened.attachments
