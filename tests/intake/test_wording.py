"""Numbers of standards and texts come out the same however they were typed."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.standards import Catalogue, standard_numbers, title_beside_number, title_differs
from intake.wording import as_date, as_whole_number, column_letter, compact, has_controls, tidy

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue.from_csv(ROOT / "reference" / "standards.csv")
NUMBERS = [standard.number for standard in CATALOGUE]  # type: ignore[attr-defined]
CODED = [number for number in NUMBERS if number[0].isascii()]
DASHES = "-—–－‐‑−﹣"
INVISIBLE = "\u00ad\u200b\u200e\u202e\u2060\u2066\ufeff"

typed_dashes = st.sampled_from(DASHES)
spaces = st.text(" \u3000\xa0\n\t" + INVISIBLE, max_size=3)


def wide(text: str) -> str:
    return "".join(chr(ord(mark) + 0xFEE0) if "!" <= mark <= "~" else mark for mark in text)


@given(
    st.sampled_from(CODED), typed_dashes, spaces, spaces, st.booleans(), st.booleans(), st.sampled_from("/∕⁄")
)
def test_a_number_is_recognised_however_it_is_typed(
    number: str, dash: str, before: str, within: str, is_wide: bool, is_lower: bool, slash: str
) -> None:
    typed = number.replace("-", within + dash).replace(" ", within).replace("/", slash)
    typed = before + (typed.lower() if is_lower else typed)
    found = standard_numbers(wide(typed) if is_wide else typed)
    assert [entry.number for entry in found] == [compact(number).upper()]
    assert found[0].has_year


@given(st.sampled_from(CODED), st.sampled_from(["{t} {n}", "{n} {t}", "《{t}》{n}", "{n}《{t}》", "《{t}》（{n}）",
                                                "《{t}》\n{n} 第一法", "{n} 12种{t}（第二法）"]))  # fmt: skip
def test_title_and_method_words_are_no_part_of_the_number(number: str, shape: str) -> None:
    known = CATALOGUE.find(number)
    assert known is not None
    text = shape.format(n=number, t=known.title)
    assert [entry.number for entry in standard_numbers(text)] == [compact(number).upper()]
    assert not title_differs(title_beside_number(text), known.title)


@given(st.sampled_from(CODED), st.sampled_from(CODED), st.sampled_from(["\n", "、", "；", " ", ",", ""]))
def test_two_numbers_in_a_cell_are_two(one: str, other: str, between: str) -> None:
    wanted = list(dict.fromkeys(compact(number).upper() for number in (one, other)))
    assert [entry.number for entry in standard_numbers(f"{one}{between}{other}")] == wanted


@given(st.sampled_from([number for number in CODED if ":" not in number]))
def test_a_number_without_its_year_is_known_as_such(number: str) -> None:
    bare = number.rpartition("-")[0]
    found = standard_numbers(bare)
    assert [(entry.number, entry.has_year) for entry in found] == [(compact(bare).upper(), False)]
    assert compact(number).upper() in {
        compact(edition.number).upper() for edition in CATALOGUE.editions(bare)
    }


@pytest.mark.parametrize(
    "text", ["", "同上", "大肠埃希氏菌O157:H7/NM检验", "维生素B12的测定", "PM2.5 D65 ICP-MS pH 4.0",
             "《水和废水监测分析方法》（第四版）",
             "PCB52 和 Nb2O5、Yb2O3", "X射线 MA1", "第一法", "1.1", "2020年版", "—"]
)  # fmt: skip
def test_titles_hold_no_number(text: str) -> None:
    assert standard_numbers(text) == ()


@pytest.mark.parametrize(
    ("text", "number"),
    [("《化妆品安全技术规范》（2015年版）", "化妆品安全技术规范(2015年版)"), ("DB44/T 1234-2020", "DB44/T1234-2020"),
     ("T/CECS 10001-2019", "T/CECS10001-2019"), ("ISO 9001：2015", "ISO9001:2015"), ("CECS 02：2005", "CECS02:2005"),
     ("农业部1025号公告—18—2008", "农业部1025号公告-18-2008"), ("ICP-MS GB/T 1234.5-2020", "GB/T1234.5-2020"),
     ("GB 4789.36 O157", "GB4789.36"), ("GB/T 20174-2019/8.5.7.6", "GB/T20174-2019"),
     ("GBT 5009.3-2016", "GBT5009.3-2016")],
)  # fmt: skip
def test_unusual_numbers(text: str, number: str) -> None:
    assert [entry.number for entry in standard_numbers(text)] == [number]


@given(st.text(max_size=200))
def test_compacting_is_final_and_leaves_no_space_or_invisible_mark(text: str) -> None:
    once = compact(text)
    assert compact(once) == once or unicodedata.normalize("NFKC", once) != once
    assert not any(mark.isspace() or mark in INVISIBLE for mark in once)
    assert not has_controls(once)
    assert not has_controls(tidy(text))


@given(st.text(max_size=200))
def test_any_text_can_be_searched_for_numbers(text: str) -> None:
    standard_numbers(text)
    title_beside_number(text)
    as_date(text)
    as_whole_number(text, "岁")


@pytest.mark.parametrize(
    ("typed", "iso"),
    [("2026-7-5", "2026-07-05"), ("2026.07.05", "2026-07-05"), ("2026/7/5", "2026-07-05"),
     ("2026年7月5日", "2026-07-05"),
     ("20260705", "2026-07-05"), (" ２０２６年７月５日", "2026-07-05"), ("2026-02-30", None),
     ("2026.13.05", None), ("二〇二六年", None),
     ("长期有效", None), ("2026年7月", None), ("46000", None), ("", None)],
)  # fmt: skip
def test_dates(typed: str, iso: str | None) -> None:
    read = as_date(typed)
    assert (read.isoformat() if read else None) == iso


@given(st.integers(0, 16_383))
def test_column_letters_count_as_spreadsheets_do(index: int) -> None:
    number = 0
    for letter in column_letter(index):
        number = number * 26 + ord(letter) - 64
    assert number == index + 1


def test_sectors_are_known_by_section() -> None:
    assert CATALOGUE.sector_of("水和废水") == "生态环境"
    assert CATALOGUE.sector_of("食品 理化") == "食品"
    assert CATALOGUE.sector_of("不存在") is None


def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "x.csv"
    other.write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(ValueError, match="full_number"):
        Catalogue.from_csv(other)
