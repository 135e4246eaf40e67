"""The certificate page: an archive file that looks the same everywhere and says exactly what it was given."""

from __future__ import annotations

import io
import json
import unicodedata
from dataclasses import replace
from datetime import date

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from fontTools.cffLib import CFFFontSet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pdf.certificate import LONGEST, render_certificate
from pdf.values import Annex, InvalidValue
from tests.pdf.conftest import VERIFY, make_certificate, make_row

INJECTIONS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</title><script>alert(1)</script>",
    "</style><b>粗体</b>",
    "{{ 7*7 }}{% raw %}",
    "{{ c.number }}",
    "&lt;b&gt;&amp;&nbsp;&#60;",
    "<!-- 注释 -->",
    "]]></x><![CDATA[",
    "'; DROP TABLE x; --",
    "\\u003cscript\\u003e",
    "%3Cscript%3E",
    "A&B 检测 <有限> \"公司\" '所'",
    "(括号) \\( \\) \\n PDF 串 <feff> Tj ET",
)


def test_the_file_declares_itself_an_archive_file(p01) -> None:
    with pikepdf.open(io.BytesIO(p01[2])) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata["pdfaid:part"] == "3"
            assert metadata["pdfaid:conformance"] == "B"
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert pdf.Root.Lang == "zh-CN"
        assert "261712050001" in str(pdf.docinfo.Title)
        assert not pdf.is_encrypted
        assert "/AA" not in pdf.Root and "/OpenAction" not in pdf.Root
        fonts = [
            o
            for o in pdf.objects
            if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"
        ]
        assert fonts and all("/FontFile3" in font or "/FontFile2" in font for font in fonts)


def test_the_data_are_embedded_for_machines(p01) -> None:
    certificate, annex, pdf = p01
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert [str(file.AFRelationship) for file in opened.Root.AF][0] == "/Data"
        stored = json.loads(opened.attachments["certificate.json"].get_file().read_bytes())
    assert stored["certificate"]["number"] == certificate.number
    assert len(stored["annex"]["rows"]) == len(annex.rows)


def test_the_same_values_give_the_same_bytes(renderer, p01) -> None:
    certificate, annex, pdf = p01
    again = renderer.certificate(certificate, annex)
    assert again.pdf == pdf
    assert render_certificate(certificate, annex).sha256 == again.sha256
    assert renderer.certificate(replace(certificate, number="261712050002"), annex).sha256 != again.sha256


def test_a_certificate_alone_is_one_small_page(renderer) -> None:
    alone = renderer.certificate(make_certificate())
    assert alone.pages == 1
    assert alone.missing_glyphs == ()
    assert len(alone.pdf) <= 60_000


def test_the_outline_leads_to_the_annex_and_its_sites(p01) -> None:
    with pikepdf.open(io.BytesIO(p01[2])) as pdf, pdf.open_outline() as outline:
        titles = [item.title for item in outline.root]
    assert titles[:2] == ["资质认定证书", "证书附表"]
    assert titles[2].startswith("批准的授权签字人及领域表")
    assert titles[3].startswith("批准的检验检测能力表")


@pytest.mark.parametrize("scale", [1.0, 2.0, 4.0])  # 72, 144 and 288 dots per inch
def test_the_code_leads_to_the_verification_address(p01, scale: float) -> None:
    document = pypdfium2.PdfDocument(p01[2])
    picture = document[0].render(scale=scale).to_pil()
    document.close()
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == VERIFY


def test_the_code_is_large_enough_for_a_telephone(p01) -> None:
    document = pypdfium2.PdfDocument(p01[2])
    picture = document[0].render(scale=4).to_pil()
    document.close()
    (found,) = zxingcpp.read_barcodes(picture)
    corners = found.position
    modules = 4 * 17 + 29  # any version has more modules than a quiet zone takes away
    assert modules
    side = (corners.top_right.x - corners.top_left.x) / 4 / 72 * 25.4
    quiet = side * 8 / 37  # four modules each side of a symbol of at least 37 modules
    assert side + quiet >= 26


def test_what_is_printed_can_be_read(p01, page_text) -> None:
    certificate, _, pdf = p01
    text = page_text(pdf, 0)
    for said in (
        "检验检测机构", "资质认定证书", certificate.number, certificate.agency_name, certificate.agency_address,
        certificate.authority_name, "2026年11月21日", "2032年11月20日", certificate.verify_code,
        f"法律责任由{certificate.agency_name}承担",
    ):  # fmt: skip
        assert said in text


@pytest.mark.parametrize("payload", INJECTIONS)
def test_mark_up_in_a_name_is_printed_as_text(renderer, page_text, payload: str) -> None:
    row = make_row(parameter=payload, limit=payload)
    certificate = make_certificate(agency_name=payload, agency_address=payload, authority_name=payload)
    pdf = renderer.certificate(certificate, Annex(rows=(row,))).pdf
    printed = page_text(pdf, 0)
    assert printed.count("".join(payload.split())) >= 3
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert "/JavaScript" not in opened.Root.get("/Names", {})
        assert str(opened.docinfo.Author) == payload


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_printable_name_is_read_back_literally(renderer, page_text, data) -> None:
    letters = st.one_of(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
        st.sampled_from("㑇𬭚𠅤·（）《》“”—…℃①Ⅱαμ"),
    )
    name = data.draw(st.text(letters, min_size=1, max_size=80))
    pdf = renderer.certificate(make_certificate(agency_name=name)).pdf
    assert name in page_text(pdf, 0)


def test_rare_characters_of_personal_and_place_names_are_shown(renderer, page_text) -> None:
    name = "𬭚㑇𠅤䶮䲠㛃𬱖𫖯𬸚检测有限公司"
    assert all(unicodedata.category(character) == "Lo" for character in name)
    assert name in page_text(renderer.certificate(make_certificate(agency_name=name)).pdf, 0)


def test_every_code_on_a_page_has_an_outline(p01) -> None:
    """A code without a glyph in the embedded font would show an empty box."""
    with pikepdf.open(io.BytesIO(p01[2])) as pdf:
        checked = 0
        for font in [
            o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Subtype") == "/Type0"
        ]:
            file = font.DescendantFonts[0].FontDescriptor.FontFile3.read_bytes()
            cff = CFFFontSet()
            cff.decompile(io.BytesIO(file), None)
            held = {int(name[3:]) if name.startswith("cid") else 0 for name in cff[0].charset}
            codes = {
                int(line[1:5], 16) for line in font.ToUnicode.read_bytes().splitlines() if line[5:7] == b"> "
            }
            assert codes and codes <= held
            checked += 1
    assert checked == 2


@pytest.mark.parametrize("length", [10, 60, 150, 300])
def test_a_long_name_stays_on_one_page_and_whole(renderer, page_text, length: int) -> None:
    name = ("检验检测认证计量标准质量技术研究院" * 40)[:length]
    certificate = make_certificate(agency_name=name, agency_address=name, liability_bearer=name)
    done = renderer.certificate(certificate)
    assert done.pages == 1
    assert page_text(done.pdf, 0).count(name) == 3


def test_a_name_beyond_all_measure_is_refused_with_its_place(renderer) -> None:
    with pytest.raises(InvalidValue, match="agency_name has 301 characters"):
        renderer.certificate(make_certificate(agency_name="长" * (LONGEST["agency_name"] + 1)))


def test_a_specimen_says_so_on_every_page(renderer, page_text) -> None:
    done = renderer.certificate(make_certificate(specimen=True), Annex(rows=(make_row(),)))
    assert "仅供演示，不具法律效力" in page_text(done.pdf, 0)
    for page in range(done.pages):
        assert "样本" in page_text(done.pdf, page)
    genuine = renderer.certificate(make_certificate(), Annex(rows=(make_row(),)))
    assert "样本" not in page_text(genuine.pdf, genuine.pages - 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "2617120500"},
        {"number": "26171205000A"},
        {"agency_name": "  "},
        {"valid_to": date(2026, 11, 20)},
        {"verify_url": "javascript:alert(1)"},
    ],
)
def test_a_malformed_certificate_cannot_be_made(changes) -> None:
    with pytest.raises(InvalidValue):
        make_certificate(**changes)


def test_the_page_is_not_empty_paper(p01) -> None:
    document = pypdfium2.PdfDocument(p01[2])
    picture: Image.Image = document[0].render(scale=0.5).to_pil().convert("L")
    document.close()
    dark = sum(picture.histogram()[:128])
    assert 0.01 < dark / (picture.width * picture.height) < 0.3
