"""The capability table out as a workbook and the review team's decisions back in.

The sheet carries one row per capability row; the last three columns are for the team. No cell is ever a formula
or a link, whatever its text begins with.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from intake.problems import Rejection
from intake.wording import compact, tidy, words
from intake.workbook import open_workbook

SHEET = "能力确认"
COLUMNS = (
    ("序号", 8),
    ("场所", 24),
    ("类别", 18),
    ("检测对象", 22),
    ("项目/参数", 24),
    ("依据的标准（方法）", 36),
    ("限制范围及说明", 24),
    ("现状", 10),
    ("是否确认（是/否）", 16),
    ("确认方式（编号，可多项）", 22),
    ("不予确认的理由", 36),
)
ORDINAL, ANSWER, WAYS, REASON = 0, 8, 9, 10
STANDINGS = {"open": "未确认", "confirmed": "已确认", "refused": "不予确认"}
YES, NO = frozenset({"是", "y", "yes", "Y", "√", "确认"}), frozenset({"否", "n", "no", "N", "×", "不确认"})
LIMIT = 8 * 1024 * 1024  # bytes of a workbook that comes back


@dataclass(frozen=True, slots=True)
class Decided:
    """Rows that were decided alike: their ordinals and the answer."""

    rows: tuple[int, ...]
    confirmed: bool
    ways: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line of the workbook that cannot be taken over: its row in the sheet and why, in Chinese and English."""

    row: int
    zh: str
    en: str


def written(rows: Iterable[Any], ways: Mapping[str, str]) -> bytes:
    """The table as a workbook. `rows` have the attributes of a capability row; `ways` maps key to number and name."""
    buffer = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        head = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#eef1f1", "border": 1}
        )
        plain = book.add_format({"text_wrap": True, "valign": "top", "border": 1})
        ours = book.add_format({"text_wrap": True, "valign": "top", "border": 1, "bg_color": "#fff9e5"})
        sheet = book.add_worksheet(SHEET)
        sheet.freeze_panes(2, 1)
        sheet.write_string(0, 0, "确认方式：" + "；".join(ways.values()))
        for column, (name, width) in enumerate(COLUMNS):
            sheet.set_column(column, column, width)
            sheet.write_string(1, column, name, head)
        for line, row in enumerate(rows, 2):
            sheet.write_number(line, ORDINAL, row.ordinal, plain)
            notes = "；".join(text for text in (row.limit_text, row.note) if text)
            for column, text in enumerate((*_shown(row), notes, STANDINGS.get(row.standing, "")), 1):
                sheet.write_string(line, column, text, plain)
            answer = {"confirmed": "是", "refused": "否"}.get(row.standing, "")
            numbers = "、".join(ways[key].split(" ")[0] for key in row.ways if key in ways)
            for column, text in ((ANSWER, answer), (WAYS, numbers), (REASON, row.reason)):
                sheet.write_string(line, column, text, ours)
    return buffer.getvalue()


def read_back(
    name: str, content: bytes, ways: Mapping[str, str], rows: Iterable[Any]
) -> tuple[list[Decided], list[Unreadable]]:
    """The decisions in a filled-in workbook, grouped by what was decided, and the lines that say nothing usable.

    `ways` maps the number of a way (as text) to its key. `rows` are those of the case: a line counts only where it
    still shows what row it is, so the workbook of another case, or one whose numbers were sorted apart from the
    rest, decides nothing. Raises Rejection when the file cannot be used at all.
    """
    shown = {row.ordinal: _compared(_shown(row)) for row in rows}
    lines: dict[int, int] = {}
    sheets = [s for s in open_workbook(name, content).sheets if s.name == SHEET]
    if not sheets:
        raise Rejection("HEADER_NOT_RECOGNISED")
    groups: dict[tuple[bool, tuple[str, ...], str], list[int]] = {}
    wrong: list[Unreadable] = []
    for number, cells in enumerate(sheets[0].cells, 1):
        texts = [tidy(str(cell)) if cell is not None else "" for cell in cells] + [""] * len(COLUMNS)
        ordinal, answer = texts[ORDINAL].removesuffix(".0"), texts[ANSWER]
        if number <= 2 or not answer:
            continue
        row = int(ordinal) if ordinal.isdecimal() and len(ordinal) < 10 else 0
        if shown.get(row) != _compared(cells[ORDINAL + 1 : ORDINAL + 6]):
            wrong.append(
                Unreadable(number, f"与本案第 {ordinal[:20]} 项内容不一致，请使用本案导出的表格",
                           f"is not row {ordinal[:20]} of this case; fill in the workbook exported from this case")
            )  # fmt: skip
            continue
        if lines.setdefault(row, number) != number:
            wrong.append(
                Unreadable(number, f"与第 {lines[row]} 行的序号重复", f"has the number of line {lines[row]}")
            )
            continue
        chosen = [part.strip().removesuffix(".0") for part in _parts(texts[WAYS])]
        if answer in NO and not texts[REASON]:
            wrong.append(
                Unreadable(number, "不予确认须写明理由", "a row that is not confirmed needs a reason")
            )
        elif answer in YES and (not chosen or set(chosen) - set(ways)):
            wrong.append(
                Unreadable(number, "请填写确认方式的编号（1 至 8）", "give the numbers of the ways, 1 to 8")
            )
        elif answer not in YES and answer not in NO:
            wrong.append(Unreadable(number, "“是否确认”只能填是或否", "the answer is 是 or 否"))
        else:
            key = (
                answer in YES,
                tuple(ways[c] for c in chosen) if answer in YES else (),
                "" if answer in YES else texts[REASON],
            )
            groups.setdefault(key, []).append(row)
    return [Decided(tuple(rows), *key) for key, rows in groups.items()], wrong


def _shown(row: Any) -> tuple[str, ...]:
    """What tells one row from another, as the workbook shows it."""
    return (row.site, row.category or row.section, row.object, row.parameter, row.standard_text)


def _compared(cells: Iterable[Any]) -> tuple[str, ...]:
    """Without blanks, and a number as it is typed: a spreadsheet program may have turned a text into one."""
    return tuple(compact(words(cell)) for cell in cells)


def _parts(text: str) -> list[str]:
    for separator in "、,，;；/ ":
        text = text.replace(separator, "|")
    return [part for part in text.split("|") if part]
