"""附表5 equipment and reference materials (rule T5)."""

from __future__ import annotations

from datetime import date

from intake.body import Body
from intake.problems import ERROR, Problem
from intake.rows import EquipmentRow
from intake.standards import standard_numbers
from intake.wording import as_date, column_letter, compact, tidy, words

WAYS_OF_TRACING = ("检定", "校准", "内部校准")


def read_equipment(body: Body, applied_on: date | None) -> list[EquipmentRow]:
    """The equipment of one sheet; without an application date nothing counts as expired."""
    columns = body.header.columns
    at = columns.get
    sheet, site = body.sheet.name, body.site
    category = parameter = ""
    rows = []
    for row in body.rows():
        found: list[Problem] = []

        def report(
            code: str, column: str, number: int = row.number, into: list[Problem] = found, **detail: object
        ) -> None:
            into.append(Problem.of(code, sheet, number, column_letter(columns[column]), **detail))

        category = tidy(row.text(at("category"))) or category
        parameter = tidy(row.text(at("parameter"))) or parameter
        name, model, measuring_range = (tidy(row.text(at(c))) for c in ("name", "model", "range"))
        trace, confirmation = (compact(row.text(at(c))) for c in ("trace", "confirmation"))
        valid_place = at("valid")
        raw_date = (
            row.values[valid_place] if valid_place is not None and valid_place < len(row.values) else ""
        )
        valid_to = as_date(raw_date)
        if not compact(name):
            report("EQUIP_NAME_MISSING", "name")
        if "trace" in columns and trace not in WAYS_OF_TRACING:
            report("TRACE_METHOD_INVALID", "trace", value=tidy(row.text(at("trace"))))
        if valid_place is not None:
            if valid_to is None:
                report("DATE_UNPARSEABLE", "valid", value=tidy(words(raw_date))[:60])
            elif applied_on is not None and valid_to < applied_on:
                report("EQUIP_CALIBRATION_EXPIRED", "valid", valid_to=valid_to.isoformat())
        if "confirmation" in columns and not confirmation:
            report("EQUIP_CONFIRMATION_MISSING", "confirmation")
        body.problems += found
        standard_text = row.text(at("standard"))
        rows.append(
            EquipmentRow(
                sheet,
                row.number,
                site,
                category,
                parameter,
                tuple(entry.number for entry in standard_numbers(standard_text)) if standard_text else (),
                tidy(standard_text),
                name,
                model,
                measuring_range,
                trace,
                valid_to,
                tidy(words(raw_date)),
                confirmation,
                all(problem.severity != ERROR for problem in found),
            )
        )
    return rows
