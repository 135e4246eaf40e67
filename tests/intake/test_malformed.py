"""Files made wrongly on purpose: each is refused with its code, or read with its problem told; nothing breaks."""

from __future__ import annotations

import io
import random
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from intake.child import Limits, read_in_child, read_table_in_child
from intake.reader import read_table
from intake.readings import TableReading
from intake.standards import Catalogue

from . import sheets
from .sheets import HEADER, MERGES, NOTE, ROWS, Formula, sheet_xml, table, xlsx

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"
NAME = "附表1_检验检测能力申请表.xlsx"
CAPABILITY = [*HEADER, *ROWS, *NOTE]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.from_csv(ROOT / "reference" / "standards.csv")


def read(content: bytes, name: str = NAME) -> TableReading:
    return read_table(name, content, Catalogue.from_csv(ROOT / "reference" / "standards.csv"))


def codes(reading: TableReading) -> list[tuple[str, str | None, int | None]]:
    return [(problem.code, problem.sheet, problem.row) for problem in reading.problems]


def standard_sheet() -> str:
    return sheet_xml(CAPABILITY, MERGES)


def bomb() -> bytes:
    return xlsx([("附表1", standard_sheet())], {"xl/sharedStrings.xml": b" " * (60 * 1024 * 1024)})


def large() -> bytes:
    noise = random.Random(1).randbytes(1024 * 1024)
    content = b"".join(noise[n:] + noise[:n] for n in range(0, 4096, 32))[: 110 * 1024 * 1024]
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(table())) as source, zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            archive.writestr(entry.filename, source.read(entry))
        archive.writestr("xl/media/image1.bin", content[: 45 * 1024 * 1024])
        archive.writestr("xl/media/image2.xml", noise.hex()[:100], zipfile.ZIP_DEFLATED)
        archive.writestr("xl/other.xml", (noise.hex() * 34)[: 68 * 1024 * 1024], zipfile.ZIP_DEFLATED)
    return target.getvalue()


def with_part(name: str, content: bytes | str = b"x") -> bytes:
    return table(parts={name: content})


def with_entry(name: str) -> bytes:
    """An entry whose name the library itself would have cleaned."""
    target = io.BytesIO(table())
    with zipfile.ZipFile(target, "a") as archive:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name
        archive.writestr(entry, "x")
    return target.getvalue()


DTD = '<!DOCTYPE worksheet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE worksheet [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


def with_dtd(declaration: str) -> bytes:
    xml = standard_sheet().replace('standalone="yes"?>\n', f'standalone="yes"?>\n{declaration}')
    return xlsx([("附表1", xml)])


REFUSED: dict[str, tuple[Callable[[], bytes], str, set[str]]] = {
    "zero bytes": (lambda: b"", NAME, {"FILE_EMPTY"}),
    "only blanks": (lambda: b"  \n", NAME, {"FILE_EMPTY"}),
    "truncated": (lambda: table()[:900], NAME, {"FILE_CORRUPT"}),
    "cut in half": (lambda: (CORPUS / "P03" / NAME).read_bytes()[:30_000], NAME, {"FILE_CORRUPT"}),
    "only the magic number": (lambda: b"PK\x03\x04", NAME, {"FILE_CORRUPT"}),
    "noise": (lambda: random.Random(7).randbytes(4000), NAME, {"FILE_CORRUPT"}),
    "zeros": (lambda: b"\0" * 4000, NAME, {"FILE_CORRUPT"}),
    "csv renamed": (lambda: "序号,类别,依据的标准\n1,水,GB 1-2020\n".encode(), NAME, {"FILE_TYPE_MISMATCH"}),
    "gbk csv renamed": (lambda: ("序号,类别,依据的标准\n" * 9).encode("gbk"), NAME, {"FILE_TYPE_MISMATCH"}),
    "pdf renamed": (lambda: b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", NAME, {"FILE_TYPE_MISMATCH"}),
    "png renamed": (lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40, NAME, {"FILE_TYPE_MISMATCH"}),
    "html saved as xls": (lambda: b"<html><table><tr><td>1</td></tr></table></html>", "a.xls", {"FILE_TYPE_MISMATCH"}),
    "word renamed": (lambda: _plain_zip({"[Content_Types].xml": "<a/>", "word/document.xml": "<a/>"}), NAME,
                     {"FILE_TYPE_MISMATCH"}),
    "zip renamed": (lambda: _plain_zip({"readme.txt": "x"}), NAME, {"FILE_TYPE_MISMATCH"}),
    "old word renamed": (lambda: sheets.ole({"WordDocument": b"x"}), "附表1.xls", {"FILE_TYPE_MISMATCH"}),
    "csv": (lambda: b"1,2\n", "附表1.csv", {"FILE_TYPE_NOT_ALLOWED"}),
    "pdf": (lambda: b"%PDF-1.4\n", "附表1.pdf", {"FILE_TYPE_NOT_ALLOWED"}),
    "executable": (lambda: b"MZ\x90\0" * 9, "附表1.xlsx.exe", {"FILE_TYPE_NOT_ALLOWED"}),
    "binary workbook": (lambda: _plain_zip({"[Content_Types].xml": "<a/>", "xl/workbook.bin": "x"}), NAME,
                        {"FILE_TYPE_NOT_ALLOWED"}),
    "encrypted package": (lambda: sheets.ole({"EncryptionInfo": b"x", "EncryptedPackage": b"y"}), NAME,
                          {"FILE_ENCRYPTED"}),
    "encrypted xls": (sheets.encrypted_xls, "附表1.xls", {"FILE_ENCRYPTED"}),
    "encrypted zip entries": (lambda: table(flags=1), NAME, {"FILE_ENCRYPTED"}),
    "xlsm": (lambda: table(), "附表1.xlsm", {"MACRO_ENABLED"}),
    "macro project inside": (lambda: with_part("xl/vbaProject.bin"), NAME, {"MACRO_ENABLED"}),
    "macro content type": (
        lambda: table(content_type="application/vnd.ms-excel.sheet.macroEnabled.main+xml"), NAME, {"MACRO_ENABLED"}),
    "macro sheet": (lambda: with_part("xl/macrosheets/sheet1.xml", "<a/>"), NAME, {"MACRO_ENABLED"}),
    "macros in xls": (lambda: sheets.ole({"_VBA_PROJECT_CUR": b"x", "Workbook": b"y"}), "附表1.xls",
                      {"MACRO_ENABLED"}),
    "zip bomb": (bomb, NAME, {"ZIP_BOMB"}),
    "many parts": (lambda: table(parts={f"xl/worksheets/s{n}.xml": "<a/>" for n in range(400)}), NAME, {"ZIP_BOMB"}),
    "archive within": (lambda: with_part("xl/inner.zip"), NAME, {"ZIP_BOMB"}),
    "too large": (large, NAME, {"FILE_TOO_LARGE_UNCOMPRESSED"}),
    "parent path": (lambda: with_entry("../../etc/passwd"), NAME, {"ZIP_PATH_FORBIDDEN"}),
    "absolute path": (lambda: with_entry("/etc/cron.d/x"), NAME, {"ZIP_PATH_FORBIDDEN"}),
    "backslash path": (lambda: with_entry("..\\..\\x.xml"), NAME, {"ZIP_PATH_FORBIDDEN"}),
    "drive path": (lambda: with_entry("C:\\x.xml"), NAME, {"ZIP_PATH_FORBIDDEN"}),
    "entities": (lambda: with_dtd(DTD), NAME, {"XML_DTD_FORBIDDEN"}),
    "external entity": (lambda: with_dtd(EXTERNAL), NAME, {"XML_DTD_FORBIDDEN"}),
    "entities in another part": (lambda: with_part("docProps/app.xml", f"{DTD}<a/>"), NAME, {"XML_DTD_FORBIDDEN"}),
    "entities in utf-16": (
        lambda: with_part("docProps/app.xml", f"{DTD}<a/>".encode("utf-16")), NAME, {"XML_DTD_FORBIDDEN"}),
    "no header": (lambda: xlsx([("附表1", sheet_xml([["甲", "乙"], [1, 2]]))]), NAME, {"HEADER_NOT_RECOGNISED"}),
    "header too far down": (
        lambda: xlsx([("附表1", sheet_xml([["x"]] * 40 + CAPABILITY))]), NAME, {"HEADER_NOT_RECOGNISED"}),
    "only a hidden sheet": (
        lambda: xlsx([("说明", sheet_xml([["x"]])), ("附表1", standard_sheet(), "hidden")]), NAME,
        {"HEADER_NOT_RECOGNISED"}),
    "empty sheets": (lambda: xlsx([("附表1", sheet_xml([]))]), NAME, {"FILE_EMPTY"}),
    "header without rows": (lambda: table(rows=[], merges=MERGES[:-1]), NAME, {"FILE_EMPTY"}),
    "broken xml": (lambda: xlsx([("附表1", standard_sheet()[:-40])]), NAME, {"FILE_CORRUPT"}),
    "missing sheet part": (lambda: _without("xl/worksheets/sheet1.xml"), NAME, {"FILE_CORRUPT"}),
    "missing workbook part": (lambda: _without("xl/workbook.xml"), NAME, {"FILE_CORRUPT"}),
    "missing content types": (lambda: _without("[Content_Types].xml"), NAME, {"FILE_CORRUPT"}),
    "wrong checksum": (lambda: _wrong_checksum(), NAME, {"FILE_CORRUPT"}),
    "one part for many sheets": (lambda: _one_part_for_many(), NAME, {"ZIP_BOMB"}),
    "far away cell": (lambda: _far_cell(), NAME, {"FILE_TOO_LARGE_UNCOMPRESSED"}),
}  # fmt: skip


def _plain_zip(parts: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def _without(part: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(table())) as source, zipfile.ZipFile(target, "w") as archive:
        for entry in source.infolist():
            if entry.filename != part:
                archive.writestr(entry.filename, source.read(entry))
    return target.getvalue()


def _wrong_checksum() -> bytes:
    made = bytearray(table())
    place = made.find(b"xl/worksheets/sheet1.xml")
    made[place - 30 + 14] ^= 0xFF
    central = made.rfind(b"xl/worksheets/sheet1.xml")
    made[central - 46 + 16] ^= 0xFF
    return bytes(made)


def _one_part_for_many() -> bytes:
    declared = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, 3000))
    book = f'<workbook xmlns="{sheets.MAIN}" xmlns:r="{sheets.OFFICE}"><sheets>{declared}</sheets></workbook>'
    return table(parts={"xl/workbook.xml": book})


def _far_cell() -> bytes:
    xml = standard_sheet().replace(
        "</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    return xlsx([("附表1", xml)])


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_used_is_refused_with_its_reason(case: str) -> None:
    make, name, expected = REFUSED[case]
    reading = read(make(), name)
    assert reading.outcome == "reject"
    assert reading.reject_code in expected
    assert reading.records == ()
    for language in ("en", "zh"):
        message = reading.problems[0].message(language)
        assert "{" not in message and len(message) > 10


@pytest.mark.parametrize("content", ["序号,类别\n1,水\n".encode(), ("序号,类别\n" * 9).encode("gbk")])
def test_text_is_told_even_without_libmagic(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "magic", None)
    assert read(content).reject_code == "FILE_TYPE_MISMATCH"
    assert read(b"\x01\x02\x00\xff" * 50).reject_code == "FILE_CORRUPT"


def test_the_hand_made_table_is_read_without_a_problem() -> None:
    reading = read(table())
    assert (reading.outcome, reading.accepted, reading.problems) == ("accept", 2, ())


def test_formulas_are_told_and_their_stored_values_read() -> None:
    rows = [*ROWS, ["", "", "1.3", Formula.of('CONCATENATE("镍","")', "镍"), ROWS[1][4], "", ""]]
    reading = read(table(rows))
    assert codes(reading) == [("FORMULA_CELL", "附表1", 8)]
    assert reading.records[-1].parameter == "镍"  # type: ignore[union-attr]
    assert reading.accepted == 3


def test_a_formula_that_leads_to_another_file_is_told_as_a_link() -> None:
    rows = [*ROWS, ["", "", "1.3", Formula.of("[1]Sheet1!$A$1", "镍"), ROWS[1][4], "", ""]]
    link = {
        "xl/externalLinks/externalLink1.xml": f'<externalLink xmlns="{sheets.MAIN}"/>',
        "xl/externalLinks/_rels/externalLink1.xml.rels": (
            f'<Relationships xmlns="{sheets.PACKAGE}"><Relationship Id="rId1" Type="x" '
            'Target="file:///C:/secret.xlsx" TargetMode="External"/></Relationships>'
        ),
    }
    reading = read(table(rows, parts=link))
    assert sorted(codes(reading)) == [("EXTERNAL_LINK", "附表1", 8), ("FORMULA_CELL", "附表1", 8)]
    assert [problem.code for problem in read(table(parts=link)).problems] == ["EXTERNAL_LINK"]


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "+1+cmd|'/C calc'!A0", '=HYPERLINK("http://x")',
             "-2+3+cmd|' /C calc'!A0", "＝1+1", "\t=1+1", "=1+1", "@SUM(A1:A2)", "+SUM(A1)"]
)  # fmt: skip
def test_text_that_looks_like_a_formula_is_kept_as_text_and_told(text: str) -> None:
    reading = read(table([*ROWS, ["", "", "1.3", "镍", ROWS[1][4], text, ""]]))
    assert codes(reading) == [("CSV_INJECTION_TEXT", "附表1", 8)]
    assert reading.accepted == 3


@pytest.mark.parametrize(
    "text", ["-", "—", "-20℃～60℃", "+5V", "-", "--", "≥1", "-（0～40）℃", "/", "+", "-40～150℃"]
)
def test_measuring_ranges_and_dashes_are_no_formulas(text: str) -> None:
    assert read(table([*ROWS, ["", "", "1.3", "镍", ROWS[1][4], text, ""]])).problems == ()


def test_overlapping_merges_are_told_where_they_meet() -> None:
    rows = [*ROWS, ["", "", "1.3", "镍", ROWS[1][4], "", ""], ["", "", "1.4", "铜", ROWS[1][4], "", ""]]
    reading = read(table(rows, extra_merges=["B6:B8", "B8:B9"]))
    assert codes(reading) == [("MERGE_OVERLAP", "附表1", 8)]
    assert reading.accepted == 4


def test_hidden_rows_are_read_and_hidden_sheets_are_not() -> None:
    body = [*HEADER, *ROWS, *NOTE]
    content = xlsx(
        [("附表1", sheet_xml(body, MERGES, hidden_rows=[7])), ("旧表", standard_sheet(), "veryHidden")]
    )
    reading = read(content)
    assert codes(reading) == [("SHEET_HIDDEN_IGNORED", "旧表", None), ("ROW_HIDDEN", "附表1", 7)] or codes(
        reading
    ) == [("ROW_HIDDEN", "附表1", 7), ("SHEET_HIDDEN_IGNORED", "旧表", None)]
    assert {problem.severity for problem in reading.problems} == {"info"}
    assert reading.accepted == 2
    assert reading.sheets_ignored == (("旧表", "hidden"),)


def test_control_characters_are_removed_and_told() -> None:
    reading = read(table([*ROWS, ["", "", "1.3", "镍_x0007_", ROWS[1][4], "", ""]]))
    assert codes(reading) == [("CONTROL_CHARS_REMOVED", "附表1", 8)]
    assert reading.records[-1].parameter == "镍"  # type: ignore[union-attr]


@pytest.mark.parametrize("sign", ["\uf06d", "\U000f1234", "✔", "😀"])
def test_a_row_with_a_sign_that_no_certificate_can_show_is_refused(sign: str) -> None:
    reading = read(table([*ROWS, ["", "", "1.3", f"镍（{sign}g/L）", ROWS[1][4], "", ""]]))
    assert codes(reading) == [("SIGN_UNPRINTABLE", "附表1", 8)]
    assert reading.accepted == 2 and f"U+{ord(sign):04X}" in reading.problems[0].message()


def test_marks_that_nobody_sees_leave_no_trace() -> None:
    reading = read(table([*ROWS, ["", "", "1.3", "镍\ufe0f\u200b\u2061", ROWS[1][4], "", ""]]))
    assert codes(reading) == [] and reading.records[-1].parameter == "镍"  # type: ignore[union-attr]


@pytest.mark.parametrize("number", ["²", "9" * 5000, "-1", "１"])
def test_a_row_that_says_a_strange_number_does_no_harm(number: str) -> None:
    packed = io.BytesIO(table(ROWS))
    odd = io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(odd, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b'<row r="7"', f'<row r="{number}"'.encode()))
    assert read(odd.getvalue()).outcome in ("accept", "reject")


def test_text_that_only_spells_an_escape_is_left_alone() -> None:
    reading = read(table([*ROWS, ["", "", "1.3", "镍_x005F_x0007_", ROWS[1][4], "", ""]]))
    assert reading.problems == ()
    assert reading.records[-1].parameter == "镍_x0007_"  # type: ignore[union-attr]


def test_overlong_text_is_accepted_and_told() -> None:
    reading = read(table([*ROWS, ["", "", "1.3", "镍", ROWS[1][4], "限" * 5000, ""]]))
    assert codes(reading) == [("TEXT_TOO_LONG", "附表1", 8)]
    assert reading.accepted == 3
    official = read(table([*ROWS, ["", "", "1.3", "镍" * 487, ROWS[1][4], "", ""]]))
    assert official.problems == ()


def test_pictures_are_told() -> None:
    reading = read(with_part("xl/media/image1.png"))
    assert codes(reading) == [("EMBEDDED_IMAGES_IGNORED", None, None)]


def test_a_new_workbook_named_xls_and_an_old_one_named_xlsx_are_read() -> None:
    reading = read(table(), "附表1.xls")
    assert codes(reading) == [("FILE_EXTENSION_MISMATCH", None, None)] and reading.accepted == 2
    old = (CORPUS / "P08" / "附表1_检验检测能力申请表.xls").read_bytes()
    reading = read(old, NAME)
    assert ("FILE_EXTENSION_MISMATCH", None, None) in codes(reading) and reading.accepted == 354


def test_hidden_rows_and_formulas_of_an_old_workbook_are_told() -> None:
    rows = [*HEADER, *ROWS, ["", "", "1.3", "镍", ROWS[1][4], Formula.of("1", "1"), ""], *NOTE]
    reading = read(sheets.old_xls(rows, hidden_rows=[7]), "附表1.xls")
    assert codes(reading) == [("ROW_HIDDEN", "附表1", 7), ("FORMULA_CELL", "附表1", 8)]
    assert reading.accepted == 3


def test_a_far_away_cell_of_an_old_workbook_is_refused() -> None:
    reading = read(sheets.old_xls([*HEADER, *ROWS], far=(65_535, 255)), "附表1.xls")
    assert reading.reject_code == "FILE_TOO_LARGE_UNCOMPRESSED"


@pytest.mark.parametrize("dimension", ["A1:XFD1048576", "A1", "Z9:A1", "garbage"])
def test_a_lying_dimension_changes_nothing(dimension: str) -> None:
    content = xlsx([("附表1", sheet_xml(CAPABILITY, MERGES, dimension=dimension))])
    reading = read(content)
    assert reading.is_refused and reading.reject_code == "FILE_CORRUPT" or reading.accepted == 2
    if dimension != "garbage":
        assert reading.accepted == 2


def test_a_million_styles_do_no_harm(catalogue: Catalogue) -> None:
    cells = "".join(f'<xf numFmtId="{n % 50}" fontId="{n}"/>' for n in range(1_000_000))
    styles = f'{sheets.XML}<styleSheet xmlns="{sheets.MAIN}"><cellXfs count="1000000">{cells}</cellXfs></styleSheet>'
    reading = read_table_in_child(NAME, table(styles=styles), catalogue, limits=Limits(seconds=30))
    assert reading.accepted == 2 or reading.reject_code in {"ZIP_BOMB", "FILE_TOO_LARGE_UNCOMPRESSED"}


@pytest.mark.parametrize(
    "text", ["AB/CD/" * 60_000, "GB" + "1-2-" * 60_000, "GB/T 1.1.1.1-" * 20_000, "+" + " " * 90_000]
)
def test_no_text_holds_the_reader_up(text: str) -> None:
    reading = read(
        table(
            [*ROWS, ["", "", "1.3", "镍", text, text, ""]], parts={"docProps/noise": random.randbytes(99_999)}
        )
    )
    assert "TEXT_TOO_LONG" in reading.problem_counts


def test_a_merge_over_the_whole_sheet_does_no_harm() -> None:
    reading = read(table(extra_merges=["A6:XFD1048576"] * 3))
    assert reading.outcome in ("accept_with_problems", "reject")


def test_a_part_that_is_larger_than_it_declares_is_refused() -> None:
    made = bytearray(table())
    central = made.rfind(b"xl/worksheets/sheet1.xml") - 46
    struct.pack_into("<I", made, central + 24, 100)
    assert read(bytes(made)).reject_code == "FILE_CORRUPT"


def test_a_child_that_runs_out_of_memory_or_time_is_a_refusal(catalogue: Catalogue) -> None:
    content = (CORPUS / "P14" / NAME).read_bytes()
    small = read_table_in_child(NAME, content, catalogue, limits=Limits(memory=40 * 1024 * 1024))
    assert small.reject_code in {"FILE_TOO_LARGE_UNCOMPRESSED", "FILE_CORRUPT"}
    slow = read_table_in_child(NAME, content, catalogue, limits=Limits(seconds=0.05))
    assert slow.reject_code == "FILE_TOO_LARGE_UNCOMPRESSED"
    assert slow.table == "capability"


def test_the_child_reads_what_the_parent_reads(catalogue: Catalogue) -> None:
    from intake.reader import read_package

    folder = CORPUS / "P06"
    files: list[tuple[str, bytes | Path]] = [(path.name, path) for path in sorted(folder.glob("*.xlsx"))]
    assert read_in_child(files, catalogue) == read_package(files, catalogue)


def test_one_bad_file_does_not_spoil_the_others(catalogue: Catalogue) -> None:
    good = CORPUS / "P01" / NAME
    reading = read_in_child([("坏.xlsx", b"PK\x03\x04nonsense"), (NAME, good)], catalogue)
    assert [table.outcome for table in reading.tables] == ["reject", "accept"]


@pytest.mark.parametrize("seed", range(60))
def test_mutated_files_never_break_the_reader(seed: int) -> None:
    source = random.Random(seed)
    old = seed % 2
    content = bytearray(
        (CORPUS / "P08" / "附表2_授权签字人汇总表.xls").read_bytes()
        if old
        else (CORPUS / "P01" / NAME).read_bytes()
    )
    for _ in range(source.choice((1, 5, 40, 400))):
        content[source.randrange(len(content))] = source.randrange(256)
    if source.random() < 0.3:
        content = content[: source.randrange(len(content))]
    reading = read(bytes(content), "附表2.xls" if old else NAME)
    assert reading.outcome in ("accept", "accept_with_problems", "reject")


def test_mutated_sheet_xml_never_breaks_the_reader() -> None:
    xml = standard_sheet()
    source = random.Random(3)
    for _ in range(150):
        pieces = list(xml)
        for _ in range(source.choice((1, 3, 10))):
            pieces[source.randrange(len(pieces))] = source.choice('<>&"=/ A1\x01序9')
        reading = read(xlsx([("附表1", "".join(pieces))]))
        assert reading.outcome in ("accept", "accept_with_problems", "reject")
