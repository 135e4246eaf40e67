"""The annex holds exactly the accepted rows, row by row, on pages that can be read one at a time."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdf.pages import annex_pages
from pdf.reading import (
    Unreadable,
    annex_differences,
    annex_rows,
    embedded_record,
    printed_paging,
    printed_rows,
)
from pdf.tables import LINE, TABLE_BOTTOM, Table, chinese_numeral
from pdf.values import Annex, AnnexRow, Signatory
from tests.pdf.conftest import corpus_annex, make_certificate, make_row

LETTERS = "总磷氨氮（）()《》、，。：；“”—… -/.0123456789ABGBTHJabcμµ①℃<>&\"'{}%\\㑇𬭚⼀一"
text = st.text(st.sampled_from(LETTERS), max_size=60)
long_text = st.one_of(text, text, text, st.text(st.sampled_from(LETTERS), min_size=300, max_size=2500))
rows = st.builds(
    AnnexRow,
    site=st.sampled_from(["一场所", "二场所 咸丰县", ""]),
    section=st.sampled_from(["", "水和废水", "水和废水（续）", "一、土壤"]),
    category=st.sampled_from(["", "", "", "环境", "长" * 300]),
    object=st.one_of(st.sampled_from(["地表水", "地下水", ""]), long_text),
    parameter=st.one_of(st.sampled_from(["总磷", "氨氮"]), long_text),
    standard_text=long_text,
    limit=text,
    note=text,
)


@pytest.mark.parametrize("package", ["P01", "P10", "P12"])
def test_the_annex_holds_exactly_the_accepted_rows(renderer, package: str) -> None:
    certificate, annex = corpus_annex(package)
    pdf = renderer.certificate(certificate, annex).pdf
    assert annex_differences(pdf, annex.rows) == []
    assert embedded_record(pdf) == (certificate, annex)


def test_five_thousand_rows_are_read_back_exactly(p13) -> None:
    _, annex, pdf = p13
    assert len(annex.rows) == 5059
    assert annex_differences(pdf, annex.rows) == []


@pytest.mark.proof
def test_twenty_thousand_rows_are_read_back_exactly(renderer, record_property) -> None:
    certificate, annex = corpus_annex("P14")
    done = renderer.certificate(certificate, annex)
    assert len(annex.rows) == 20075
    record_property("rows", len(annex.rows))
    assert annex_differences(done.pdf, annex.rows) == []


@pytest.mark.proof
def test_ten_thousand_rare_names_are_shown_or_refused(renderer, record_property) -> None:
    """Names of characters from all blocks of GB 18030-2022 level 3: each is printed literally, or refused by name."""
    chance = random.Random(18030)
    blocks = (
        (0x3400, 0x4DB5), (0x4E00, 0x9FA5), (0x20000, 0x2A6D6), (0x2A700, 0x2B734), (0x2B740, 0x2B81D),
        (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0),
    )  # fmt: skip
    names = []
    for number in range(10_000):
        first, last = blocks[number % len(blocks)]
        names.append("".join(chr(chance.randint(first, last)) for _ in range(3)))
    refused = {name for name in names if renderer.faces.refusals([("name", name)])}
    rows = tuple(make_row(parameter=name) for name in names if name not in refused)
    done = renderer.certificate(make_certificate(), Annex(rows=rows))
    record_property("names", len(names))
    record_property("refused", len(refused))
    assert annex_differences(done.pdf, rows) == []
    if renderer.faces.open_family("HanaMinB"):
        assert not refused


def test_a_row_left_out_or_altered_is_noticed(p01) -> None:
    _, annex, pdf = p01
    assert annex_differences(pdf, annex.rows[:-1])
    assert annex_differences(pdf, (*annex.rows[:-1], make_row()))
    swapped = (annex.rows[1], annex.rows[0], *annex.rows[2:])
    assert [said.split(":")[0] for said in annex_differences(pdf, swapped)] == ["record", "print"]


def test_the_print_is_read_without_the_record(p01) -> None:
    _, annex, pdf = p01
    assert printed_rows(pdf) == list(annex.rows) == annex_rows(pdf)
    without = pdf.replace(b"certificate.json", b"certificate.jsno")
    assert printed_rows(without) == list(annex.rows)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_rows=st.lists(rows, min_size=1, max_size=25))
def test_any_rows_are_printed_literally(renderer, given_rows: list[AnnexRow]) -> None:
    annex = Annex(rows=tuple(given_rows))
    pdf = renderer.certificate(make_certificate(), annex).pdf
    assert annex_differences(pdf, annex.rows) == []


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_rows=st.lists(rows, min_size=1, max_size=40))
def test_no_page_overflows(renderer, given_rows: list[AnnexRow]) -> None:
    for page in annex_pages(Annex(rows=tuple(given_rows)), renderer._breaker, renderer._bold):
        assert page.top + max(cell.bottom for cell in page.cells()) <= TABLE_BOTTOM + 0.01
        for cell in page.cells():
            assert cell.bottom - cell.top >= len(cell.lines) * LINE, cell
        assert any(not strip.is_bar for strip in page.strips) or len(page.strips) > 1


def test_a_row_taller_than_a_page_goes_on_over_the_next(renderer) -> None:
    tall = make_row(standard_text="《很长的标准名称》 GB/T 13739-2021；" * 400)
    annex = Annex(rows=(make_row(), tall, make_row(parameter="氨氮")))
    done = renderer.certificate(make_certificate(), annex)
    assert done.pages > 4
    assert annex_differences(done.pdf, annex.rows) == []


@pytest.mark.parametrize("length", [487, 3000, 15000])
@pytest.mark.parametrize("label", ["object", "parameter", "category"])
def test_an_official_name_of_any_length_is_printed_whole(renderer, label: str, length: int) -> None:
    name = ("六六六、滴滴涕、五氯硝基苯等农药多残留" * 1000)[:length]
    rows = tuple(make_row(**{"category": "药材", label: name, "note": str(n)}) for n in range(60))
    pdf = renderer.certificate(make_certificate(), Annex(rows=rows)).pdf
    assert annex_differences(pdf, rows) == []


def test_two_characters_with_one_shape_keep_their_identity(renderer) -> None:
    rows = (make_row(parameter="一⼀"), make_row(parameter="µg μg", limit="\u2126 \u03a9"))
    assert annex_differences(renderer.certificate(make_certificate(), Annex(rows=rows)).pdf, rows) == []


def test_group_labels_stand_on_every_page_on_which_the_group_goes_on(p13, page_text) -> None:
    _, annex, pdf = p13
    first_object = annex.rows[0].object
    stretch = next(n for n, row in enumerate(annex.rows) if row.object != first_object)
    assert stretch > 40, "the group must reach a second page"
    for page in (3, 4):
        printed = page_text(pdf, page)
        assert first_object in printed
        assert "依据的标准（方法）名称及编号（含年号）" in printed
    assert f"一、{annex.rows[0].section}（续）" in page_text(pdf, 4)
    assert f"一、{annex.rows[0].section}（续）" not in page_text(pdf, 3)


def test_pages_are_numbered_through_and_know_their_total(p13, page_text) -> None:
    _, _, pdf = p13
    numbers = printed_paging(pdf)
    total = len(numbers) + 1
    assert numbers == [(page, total) for page in range(2, total + 1)]
    assert f"第1页共{total}页" in page_text(pdf, 1)
    assert f"第{total}页共{total}页" in page_text(pdf, total)


def test_every_annex_page_names_certificate_and_site(p13, page_text) -> None:
    certificate, annex, pdf = p13
    for page in (3, 50, 120):
        printed = page_text(pdf, page)
        assert certificate.number in printed
        assert "检验检测地址：" + annex.rows[0].site in printed


def test_a_site_starts_on_a_new_page(renderer, page_text) -> None:
    rows = (make_row(site="甲场所"), make_row(site="乙场所"), make_row(site="甲场所", parameter="氨氮"))
    done = renderer.certificate(make_certificate(), Annex(rows=rows))
    assert done.pages == 4
    assert "甲场所" in page_text(done.pdf, 2) and "乙场所" not in page_text(done.pdf, 2)
    assert [row.site for row in printed_rows(done.pdf)] == ["甲场所", "甲场所", "乙场所"]


def test_signatories_stand_before_the_capabilities(renderer, page_text) -> None:
    who = (Signatory("戴喆轩", "高级工程师", "水和废水"), Signatory("程㑇", "工程师", "土" * 2000, "变更"))
    done = renderer.certificate(make_certificate(), Annex(who, (make_row(),)))
    assert "批准的授权签字人及领域表" in page_text(done.pdf, 2)
    assert "程㑇" in page_text(done.pdf, 2)
    assert "批准的检验检测能力表" in page_text(done.pdf, done.pages - 1)
    assert embedded_record(done.pdf)[1].signatories == who


def test_a_standard_number_is_never_broken(renderer) -> None:
    number = "GB/T 13739-2021"
    for filler in range(20, 60):
        table = Table((make_row(standard_text="测" * filler + number),), renderer._breaker, renderer._bold)
        (strip,) = [strip for strip in table.strips() if not strip.is_bar]
        assert any(number in line for line in strip.lines[0])


def test_no_line_begins_with_a_closing_mark(renderer) -> None:
    said = "水质（总磷、总氮）的测定，方法：钼酸铵分光光度法；紫外法。" * 8
    lines = renderer._breaker.lines(said, 120)
    assert "".join(lines) == said
    assert not [line for line in lines if line[0] in "，。、；：）》"]
    assert not [line for line in lines if line.rstrip()[-1] in "（《“"]


@pytest.mark.parametrize(
    ("number", "said"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九"), (100, "100")]
)
def test_sections_are_counted_in_chinese(number: int, said: str) -> None:
    assert chinese_numeral(number) == said


def test_what_is_not_a_certificate_is_said_to_be_unreadable(renderer) -> None:
    for strange in (b"", b"%PDF-1.7 nonsense", b"<html>"):
        with pytest.raises(Unreadable):
            annex_rows(strange)
