"""The problems of a reading as a workbook to work through offline: no formulas, no links, text only."""

from __future__ import annotations

import io
from collections.abc import Sequence

import xlsxwriter

from intake.messages import is_chinese
from intake.problems import Problem
from intake.readings import PackageReading, TableReading
from intake.rows import CapabilityRow, EquipmentRow, Row, SignatoryRow, StaffRow

MOST_PROBLEMS = 100_000
_HEADINGS = {
    "en": ("File", "Sheet", "Row", "Column", "Gravity", "Value", "Problem", "Suggestion"),
    "zh": ("文件", "工作表", "行", "列", "程度", "内容", "问题", "建议"),
}
_GRAVITY = {"zh": {"error": "错误（不予接受）", "warning": "提醒", "info": "说明"}}
_WIDTHS = (30, 16, 8, 8, 16, 40, 60, 60)


def problem_workbook(reading: TableReading | PackageReading, language: str = "zh") -> bytes:
    """An .xlsx with one line per problem. Cells are typed text, so nothing in it is ever computed."""
    tables: Sequence[TableReading] = reading.tables if isinstance(reading, PackageReading) else (reading,)
    tongue = "zh" if is_chinese(language) else "en"
    target = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet("问题清单" if tongue == "zh" else "Problems")
        bold = book.add_format({"bold": True, "bg_color": "#E8EDF3", "border": 1})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for column, (heading, width) in enumerate(zip(_HEADINGS[tongue], _WIDTHS, strict=True)):
            sheet.write_string(0, column, heading, bold)
            sheet.set_column(column, column, width, wrapped)
        line = 0
        for table in tables:
            records = {(row.sheet, getattr(row, "row", 0)): row for row in table.records}
            for problem in table.problems[:MOST_PROBLEMS]:
                line += 1
                row = records.get((problem.sheet or "", problem.row or 0))
                texts = (
                    table.path,
                    problem.sheet or "",
                    str(problem.row or ""),
                    problem.column or "",
                    _GRAVITY.get(tongue, {}).get(problem.severity, problem.severity),
                    _value(problem, row),
                    problem.statement(language),
                    problem.advice(language),
                )
                for column, text in enumerate(texts):
                    sheet.write_string(line, column, text[:32_000], wrapped)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(line, 1), len(_WIDTHS) - 1)
    return target.getvalue()


def _value(problem: Problem, row: Row | None) -> str:
    for name in ("value", "number", "name", "title", "valid_to"):
        if problem.detail.get(name):
            return str(problem.detail[name])
    if isinstance(row, CapabilityRow):
        return f"{row.object} / {row.parameter} / {row.standard_text}"
    if isinstance(row, StaffRow | SignatoryRow | EquipmentRow):
        return row.name
    return ""
