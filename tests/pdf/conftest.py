"""A warm renderer, and certificates, annexes and notices to render. Everything in them is invented."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from pdf.certificate import Renderer
from pdf.values import Annex, AnnexRow, Certificate, Notice, NoticeItem, NoticeKind, Signatory
from tests.pdf.samples import accepted_rows, agency_of

VERIFY = "https://cma.example.gov.cn/verify/261712050001/K7QM2P9XW4TR8HND"


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    with Renderer() as warm:
        yield warm


def make_certificate(**changes: Any) -> Certificate:
    fields: dict[str, Any] = {
        "number": "261712050001",
        "agency_name": "恩施土家族苗族泓检环境检测有限公司",
        "agency_address": "湖北省恩施土家族苗族自治州咸丰县虚拟大道698号2栋7层",
        "liability_bearer": "恩施土家族苗族泓检环境检测有限公司",
        "issued_on": date(2026, 11, 21),
        "valid_from": date(2026, 11, 21),
        "valid_to": date(2032, 11, 20),
        "authority_name": "湖北省市场监督管理局",
        "verify_url": VERIFY,
        "verify_code": "K7QM2P9XW4TR8HND",
    }
    return Certificate(**(fields | changes))


def make_row(**changes: str) -> AnnexRow:
    fields = {
        "site": "一场所",
        "section": "水和废水",
        "category": "",
        "object": "地表水",
        "parameter": "总磷",
        "standard_text": "《水质 总磷的测定 钼酸铵分光光度法》 GB/T 11893-1989",
        "limit": "",
        "note": "",
    }
    return AnnexRow(**(fields | changes))


def make_notice(kind: NoticeKind, **changes: Any) -> Notice:
    fields: dict[str, Any] = {
        "kind": kind,
        "document_number": "鄂市监许〔2026〕第 0312 号",
        "addressee": "恩施土家族苗族泓检环境检测有限公司",
        "authority_name": "湖北省市场监督管理局",
        "issued_on": date(2026, 11, 21),
        "case_number": "CMA-2026-000312",
        "matter": "检验检测机构资质认定（首次）",
        "items": (NoticeItem("场所使用权证明", "租赁合同已经到期", "管理办法第九条"),),
        "reasons": ("技术评审结论为不符合。",),
        "basis": ("《中华人民共和国行政许可法》第三十二条",),
        "remedies": ("可以依法申请行政复议或者提起行政诉讼。",),
        "facts": (("机构名称", "恩施土家族苗族泓检环境检测有限公司"),),
        "due_on": date(2026, 12, 4),
        "allowance": "受理期限为五个工作日。",
        "notified": tuple(NoticeItem(f"告知事项{n}", f"告知内容{n}") for n in "一二三四五"),
        "committed": tuple(f"承诺内容{n}" for n in "一二三四五六"),
        "version": "2026-1",
        "text_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "signed_by": "戴喆轩",
        "signed_at": "2026年11月20日 10:32",
        "contact": "受理窗口",
        "verify_url": VERIFY,
        "verify_code": "7QK2-M9PX",
    }
    return Notice(**(fields | changes))


def corpus_annex(package: str) -> tuple[Certificate, Annex]:
    """The accepted rows of one sample package as an annex."""
    agency = agency_of(package)
    signatories = (
        Signatory("戴喆轩", "技术负责人/高级工程师", "水和废水、噪声"),
        Signatory("程㑇", "工程师", "土壤"),
    )
    certificate = make_certificate(
        agency_name=agency["name"], agency_address=agency["address"], liability_bearer=agency["name"]
    )
    return certificate, Annex(signatories, accepted_rows(package))


@pytest.fixture(scope="session")
def p01(renderer: Renderer) -> tuple[Certificate, Annex, bytes]:
    certificate, annex = corpus_annex("P01")
    return certificate, annex, renderer.certificate(certificate, annex).pdf


@pytest.fixture(scope="session")
def p13(renderer: Renderer) -> tuple[Certificate, Annex, bytes]:
    certificate, annex = corpus_annex("P13")
    return certificate, annex, renderer.certificate(certificate, annex).pdf


@pytest.fixture(scope="session")
def page_text() -> Callable[[bytes, int], str]:
    """The text of one page as another program reads it, without white space."""
    import pypdfium2

    def read(pdf: bytes, page: int) -> str:
        document = pypdfium2.PdfDocument(pdf)
        try:
            text = document[page].get_textpage().get_text_range()
            return "".join(text.replace("\ufffe", "-").split())  # PDFium's mark for a hyphen at the end of a line
        finally:
            document.close()

    return read
