"""Every problem has a message in two languages that says what, where and what to do."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
import pytest

from intake.check import check, in_words, main, read_files
from intake.messages import MESSAGES
from intake.problem_workbook import problem_workbook
from intake.problems import REJECTIONS, SEVERITY, Problem
from intake.reader import read_table
from intake.standards import Catalogue

from .sheets import ROWS, table

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"
SPECIFIED = (
    "PARAM_MISSING", "STD_EMPTY", "STD_NO_NUMBER", "STD_MISSING_YEAR", "STD_UNKNOWN", "STD_WITHDRAWN",
    "STD_TITLE_MISMATCH", "DUPLICATE_ROW", "TEXT_TOO_LONG", "CONTROL_CHARS_REMOVED", "SIGN_UNPRINTABLE",
    "ROWS_BELOW_NOTE", "FORMULA_CELL", "EXTERNAL_LINK", "CSV_INJECTION_TEXT", "MERGE_OVERLAP",
    "ROW_HIDDEN", "SHEET_HIDDEN_IGNORED",
    "EMBEDDED_IMAGES_IGNORED", "FILE_EXTENSION_MISMATCH", "USCC_CHECK_DIGIT", "LEGAL_PERSON_MISSING",
    "ADDRESS_MISSING", "PERSON_NAME_MISSING", "AGE_INVALID", "SEX_INVALID", "EXPERIENCE_EXCEEDS_AGE",
    "DUPLICATE_PERSON", "SIGNATORY_NOT_IN_STAFF", "SIGNATORY_TITLE_BELOW_INTERMEDIATE",
    "SIGNATORY_FIELD_MISSING", "EQUIP_NAME_MISSING", "EQUIP_CALIBRATION_EXPIRED",
    "EQUIP_CONFIRMATION_MISSING", "TRACE_METHOD_INVALID", "DATE_UNPARSEABLE",
    "CHANGE_TARGET_NOT_REPLACEMENT", "MATERIAL_EMPTY", "MATERIAL_TYPE_MISMATCH", "MATERIAL_UNREADABLE",
    "MATERIAL_TYPE_NOT_ALLOWED", "MATERIAL_DUPLICATE_CONTENT", "FILE_CORRUPT", "FILE_EMPTY",
    "FILE_ENCRYPTED", "FILE_TYPE_MISMATCH", "FILE_TYPE_NOT_ALLOWED", "MACRO_ENABLED",
    "FILE_TOO_LARGE_UNCOMPRESSED", "ZIP_BOMB", "ZIP_PATH_FORBIDDEN", "XML_DTD_FORBIDDEN",
    "HEADER_NOT_RECOGNISED",
)  # fmt: skip


def test_the_table_of_messages_is_complete() -> None:
    assert set(MESSAGES) == set(SPECIFIED) == set(SEVERITY)
    assert set(SPECIFIED) >= REJECTIONS


@pytest.mark.parametrize("code", SPECIFIED)
def test_both_languages_say_the_same_things(code: str) -> None:
    entry = MESSAGES[code]
    assert all(entry)
    assert set(re.findall(r"{(\w+)}", entry.en + entry.advice_en)) == set(
        re.findall(r"{(\w+)}", entry.zh + entry.advice_zh)
    )
    assert not re.search("[\u4e00-\u9fff]{8,}", entry.en)
    assert re.search("[\u4e00-\u9fff]", entry.zh) and re.search("[\u4e00-\u9fff]", entry.advice_zh)
    problem = Problem.of(code, "附表1", 7, "E")
    assert problem.message("en").startswith("Sheet 附表1, row 7, column E: ")
    assert problem.message("zh_Hans_CN").startswith("工作表“附表1” 第 7 行 E 列：")
    assert Problem.from_json(problem.to_json()) == problem


def test_an_unknown_code_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Problem.of("NO_SUCH_CODE")


def test_the_problem_workbook_lists_every_problem_and_computes_nothing() -> None:
    catalogue = Catalogue.from_csv(ROOT / "reference" / "standards.csv")
    rows = [*ROWS, ["", "", "1.3", '=HYPERLINK("http://x")', "GB 1", '=cmd|"/C calc"!A0', "@SUM(1)"]]
    reading = read_table("附表1.xlsx", table(rows), catalogue)
    made = openpyxl.load_workbook(io.BytesIO(problem_workbook(reading)))
    sheet = made.active
    assert sheet is not None
    lines = list(sheet.iter_rows(min_row=2))
    assert len(lines) == len(reading.problems) > 2
    assert [line[2].value for line in lines] == ["8"] * len(lines)
    for line in lines:
        assert all(cell.data_type in ("s", "n") and cell.hyperlink is None for cell in line)
        assert line[6].value and line[7].value
    english = openpyxl.load_workbook(io.BytesIO(problem_workbook(reading, "en"))).active
    assert english is not None and english["A1"].value == "File"


def test_check_prints_one_object_in_the_order_given(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    names = ["附表5_仪器设备配置表.xlsx", "附表1_检验检测能力申请表.xlsx"]
    assert main([*(str(CORPUS / "P01" / name) for name in names), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [entry["path"] for entry in shown["files"]] == names
    assert [entry["outcome"] for entry in shown["files"]] == ["accept", "accept"]


def test_check_reads_the_tables_of_a_directory() -> None:
    shown = check([CORPUS / "P01"], contained=False)
    assert {entry["table"] for entry in shown["files"]} == {
        "basic", "capability", "signatories", "staff", "equipment"
    }  # fmt: skip
    assert "附表1" in in_words(read_files([CORPUS / "P03"], contained=False), "zh")


def test_check_says_what_it_cannot_open(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(tmp_path / "none.xlsx"), "--json"]) == 2
    assert "none.xlsx" in capsys.readouterr().err


def test_check_shows_a_refused_file_with_its_code(tmp_path: Path) -> None:
    bad = tmp_path / "附表1.xlsx"
    bad.write_bytes(b"")
    shown = check([bad])["files"][0]
    assert (shown["outcome"], shown["reject_code"], shown["table"]) == ("reject", "FILE_EMPTY", "capability")
    assert shown["message"]["zh"].startswith("文件中没有内容")
