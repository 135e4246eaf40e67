"""The rows under a header: which are data and which are blank, notes, sections, subtotals or repeated headers (R3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from intake.headers import Header, row_text
from intake.problems import Problem
from intake.wording import Cell, column_letter, compact, has_controls, words
from intake.workbook import Sheet, leads_outside

# Longest official parameter name seen has 487 characters; a cell with many standards is longer.
LONGEST_TEXT = 1_000
LONGEST_STANDARDS = 2_000
_NOTE = re.compile("注|填表")
# The form for changed standards goes on below its table with declarations and opinions.
_BELOW_CHANGES = re.compile(
    "注|填表|技术负责人|承诺|声明|本机构|我机构|审批|审查|专家|意见|检验检测机构|签字|日期|年月日"
)
_SUBTOTAL = re.compile(r"(本页|本表|以上|全部)?(合计|小计|共计|总计)")
_CONTINUED = re.compile(r"续表|.{0,24}\(续表?\d*\)$|\(?续(表)?\d*\)?$|附?表\d*[-—]?\d*\(?续")
_CHINESE_NUMERAL = re.compile(r"[(]?[一二三四五六七八九十百零〇]+[)]?[、.,]?")
_SECTION_TEXT = re.compile(r"[(]?[一二三四五六七八九十百零〇]+[)]?[、.,](?P<name>.+)")
_LIKE_A_FORMULA = re.compile(
    r"\s*(?:[=@][^\s=]|[+\-](?:\s*[\d.]+\s*[+*]|[^()]*[|!=]|\s*[A-Za-z_.]{2,}\s*\())", re.DOTALL
)
_ADDRESS = re.compile(r"(?:检验检测(?:机构|场所)?|实验室|机构|场所)?地址[::](?P<site>.*)")


@dataclass(slots=True)
class BodyRow:
    """One data row: `number` counts from 1; `texts` is every cell's text with merges filled in; `values` as typed."""

    number: int
    values: list[Cell]
    section: str

    def text(self, column: int | None) -> str:
        """The text of a column, '' where there is none."""
        if column is None or column >= len(self.values):
            return ""
        value = self.values[column]
        return value if isinstance(value, str) else words(value)


@dataclass(slots=True)
class Body:
    """Iterates over the data rows of one sheet and counts what it skips; collects problems of cells, not of meaning."""

    sheet: Sheet
    header: Header
    skipped: dict[str, int]
    problems: list[Problem] = field(default_factory=list)
    _innocent: set[str] = field(default_factory=set)

    @property
    def site(self) -> str:
        """The address written above the header (rows 1 and 2 of the official table), or ''."""
        for row in self.sheet.filled[: self.header.first_row]:
            for cell in row:
                found = _ADDRESS.match(compact(words(cell)))
                if found and found["site"]:
                    return found["site"]
        return ""

    def rows(self) -> Iterator[BodyRow]:
        """The data rows, in order."""
        sheet, header = self.sheet, self.header
        filled = sheet.filled
        serial = header.columns.get("serial", 0)
        repeats = {row_text(row) for row in filled[: header.body_row] if any(row)}
        width = len(filled[0]) if filled else 0
        blank = [""] * width
        section = ""
        ends = _BELOW_CHANGES if header.table == "standard_change" else _NOTE
        for index in range(header.body_row, len(filled)):
            row = filled[index]
            if row == blank or not any(compact(words(cell)) for cell in row):
                self.skipped["blank"] += 1
                continue
            first = compact(words(row[serial]))
            leading = first or next((t for t in (compact(words(cell)) for cell in row[:serial]) if t), "")
            if leading and ends.match(leading):
                self._count_notes(index, serial)
                break
            kind = self._kind(row, first, repeats)
            if kind == "section_header":
                section = self._section_name(row, serial, first)
            if kind:
                self.skipped[kind] += 1
                continue
            self._look_at_cells(index)
            yield BodyRow(index + 1, row, section)
        self._report_overlaps()

    def _count_notes(self, index: int, serial: int) -> None:
        """Count the notes below the table, and tell of rows that somebody added under them by mistake."""
        lost = []
        for number, row in enumerate(self.sheet.filled[index:], index + 1):
            if _NOTE.match(compact(words(row[serial]))):
                self.skipped["note"] += 1
            elif self._looks_like_data(row):
                lost.append(number)
        if lost:
            self.problems.append(
                Problem.of("ROWS_BELOW_NOTE", self.sheet.name, lost[0], count=len(lost), note=index + 1))

    def _looks_like_data(self, row: list[Cell]) -> bool:
        columns = self.header.columns
        needed = [columns[name] for name in ("parameter", "standard") if name in columns]
        if len(needed) == 2:
            return all(compact(words(row[column])) for column in needed if column < len(row))
        texts = {compact(words(cell)) for cell in row} - {""}
        return len(texts) >= max(3, len(columns) / 2)

    def _kind(self, row: list[Cell], first: str, repeats: set[str]) -> str:
        """The kind of a row that is no data, or ''."""
        leading = first or next((t for t in (compact(words(cell)) for cell in row) if t), "")
        if first[:1].isdigit():
            return ""
        if _SUBTOTAL.match(leading):
            return "subtotal"
        if row_text(row) in repeats or self._repeats_captions(row):
            return "repeated_header"
        if _CONTINUED.match(leading):
            return "repeated_header"
        if first and (_CHINESE_NUMERAL.fullmatch(first) or _SECTION_TEXT.fullmatch(first)):
            others = {t for t in (compact(words(cell)) for cell in row) if t and t != first}
            if len(others) <= 1 and (others or _SECTION_TEXT.fullmatch(first)):
                return "section_header"
        return ""

    def _repeats_captions(self, row: list[Cell]) -> bool:
        """Whether every text in the row is a caption of its own column (a header row printed again)."""
        texts = 0
        for column, cell in enumerate(row):
            if cell in ("", None):
                continue
            text = compact(words(cell))
            if not text:
                continue
            caption = self.header.captions.get(column, "")
            if (
                text != caption
                and text not in caption.split("/")
                and not caption.startswith(text + "/")
                and (not caption.endswith("/" + text))
            ):
                return False
            texts += 1
        return texts >= 2

    @staticmethod
    def _section_name(row: list[Cell], serial: int, first: str) -> str:
        names = [t for t in (compact(words(cell)) for cell in row) if t and t != first]
        if names:
            return names[0]
        found = _SECTION_TEXT.fullmatch(first)
        return found["name"] if found else first

    def _look_at_cells(self, index: int) -> None:
        """Report what is odd about the cells of a data row themselves."""
        sheet, row = self.sheet, index + 1
        if index in sheet.hidden_rows:
            self.problems.append(Problem.of("ROW_HIDDEN", sheet.name, row))
        formulas = sheet.formulas.get(index)
        if formulas:
            self._report_formulas(row, formulas)
        for column, cell in enumerate(sheet.cells[index]):
            if type(cell) is str and cell and cell not in self._innocent:
                self._look_at_text(row, column, cell)

    def _report_formulas(self, row: int, formulas: list[tuple[int, str]]) -> None:
        name = self.sheet.name
        first = column_letter(formulas[0][0])
        cells = [f"{column_letter(column)}{row}" for column, _ in formulas]
        self.problems.append(Problem.of("FORMULA_CELL", name, row, first, cells=cells))
        outside = next(((column, text) for column, text in formulas if leads_outside(text)), None)
        if outside:
            self.problems.append(
                Problem.of("EXTERNAL_LINK", name, row, column_letter(outside[0]), target=outside[1][:200])
            )

    def _look_at_text(self, row: int, column: int, text: str) -> None:
        found: list[tuple[str, dict[str, object]]] = []
        limit = LONGEST_STANDARDS if column == self.header.columns.get("standard") else LONGEST_TEXT
        if len(text) > limit:
            found.append(("TEXT_TOO_LONG", {"length": len(text), "limit": limit}))
        if has_controls(text):
            found.append(("CONTROL_CHARS_REMOVED", {}))
        if _LIKE_A_FORMULA.match(compact(text[:300])) or _LIKE_A_FORMULA.match(text[:300]):
            found.append(("CSV_INJECTION_TEXT", {"value": text[:60]}))
        if not found and len(self._innocent) < 200_000:
            self._innocent.add(text)
        for code, detail in found:
            self.problems.append(Problem.of(code, self.sheet.name, row, column_letter(column), **detail))

    def _report_overlaps(self) -> None:
        for first, second in self.sheet.overlaps[:1000]:
            top, left = max(first[0], second[0]), max(first[1], second[1])
            self.problems.append(
                Problem.of(
                    "MERGE_OVERLAP",
                    self.sheet.name,
                    top + 1,
                    column_letter(left),
                    first=_area(first),
                    second=_area(second),
                )  # fmt: skip
            )


def _area(merge: tuple[int, int, int, int]) -> str:
    top, left, bottom, right = merge
    return f"{column_letter(left)}{top + 1}:{column_letter(right)}{bottom + 1}"
