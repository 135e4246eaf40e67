"""申请书基本信息: the application's own fields, found by their labels."""

from __future__ import annotations

import re
from dataclasses import replace

from intake.headers import basic_label
from intake.problems import ERROR, Problem
from intake.rows import ApplicationFacts
from intake.wording import Cell, as_date, as_whole_number, column_letter, compact, tidy, words
from intake.workbook import Sheet

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I, O, S, V, Z
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714-1997
_TITLE = re.compile(r".*(申请书|基本信息|基本情况)[()基本信息]*")


def is_valid_uscc(code: str) -> bool:
    """Whether an 18-character unified social credit code has both check characters right.

    Sources: GB 32100-2015 (weights 3^(i-1) mod 31) and GB 11714-1997 for characters 9 to 17.
    """
    if len(code) != 18 or any(mark not in _ALPHABET for mark in code):
        return False
    total = sum(_ALPHABET.index(mark) * pow(3, place, 31) for place, mark in enumerate(code[:17]))
    if _ALPHABET[(31 - total % 31) % 31] != code[17]:
        return False
    organisation = sum(
        int(mark, 36) * weight for mark, weight in zip(code[8:16], _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X0"[11 - organisation % 11] == code[16]


def read_application(sheet: Sheet) -> tuple[ApplicationFacts, int, list[Problem]]:
    """The facts, how many fields the form shows, and the problems.

    A field's value is the next filled cell to the right of its label.
    """
    values: dict[str, Cell] = {}
    places: dict[str, tuple[int, int, str]] = {}
    fields = 0
    for index, row in enumerate(sheet.cells):
        labels = [(column, basic_label(words(cell))) for column, cell in enumerate(row)]
        known = [(column, name) for column, name in labels if name]
        if not known:
            first = compact(words(row[0])) if row else ""
            fields += bool(
                first and not _TITLE.fullmatch(first) and not first.startswith(("注", "填表", "附"))
            )
            continue
        fields += len(known)
        for position, (column, name) in enumerate(known):
            end = known[position + 1][0] if position + 1 < len(known) else len(row)
            place = next((c for c in range(column + 1, end) if compact(words(row[c]))), column + 1)
            value = row[place] if place < end else ""
            if name not in values or not compact(words(values[name])):
                values[name] = value
                places[name] = (index + 1, place, tidy(words(row[column])))
    problems: list[Problem] = []

    def report(code: str, name: str, **detail: object) -> None:
        row_number, column, label = places.get(name, (None, None, None))
        letter = column_letter(column) if column is not None else None
        problems.append(
            Problem.of(code, sheet.name, row_number, letter, **({"field": label} if label else {}), **detail)
        )

    def text(name: str) -> str:
        return tidy(words(values.get(name)))

    uscc = compact(text("uscc")).upper()
    if not is_valid_uscc(uscc):
        report("USCC_CHECK_DIGIT", "uscc", value=text("uscc"))
    if not compact(text("legal_person")):
        report("LEGAL_PERSON_MISSING", "legal_person")
    for name in ("registered_address", "address"):
        if not compact(text(name)) and (name in places or not compact(text("registered_address"))):
            report("ADDRESS_MISSING", name)
    applied_on = as_date(values.get("applied_on"))
    if applied_on is None and compact(text("applied_on")):
        report("DATE_UNPARSEABLE", "applied_on", value=text("applied_on"))
    for number, formulas in sorted(sheet.formulas.items()):
        cells = [f"{column_letter(column)}{number + 1}" for column, _ in formulas]
        problems.append(
            Problem.of("FORMULA_CELL", sheet.name, number + 1, column_letter(formulas[0][0]), cells=cells)
        )
    facts = ApplicationFacts(
        sheet=sheet.name,
        name=text("name"),
        uscc=uscc,
        registered_address=text("registered_address"),
        address=text("address"),
        region_code=compact(text("region_code")),
        postcode=compact(text("postcode")),
        legal_person=text("legal_person"),
        responsible_person=text("responsible_person"),
        contact=text("contact"),
        phone=compact(text("phone")),
        mobile=compact(text("mobile")),
        email=compact(text("email")),
        legal_setting=text("legal_setting"),
        legal_kind=text("legal_kind"),
        application_type=compact(text("application_type")),
        certificate_number=compact(text("certificate_number")),
        applied_on=applied_on,
        items_declared=as_whole_number(values.get("items_declared"), "项"),
        accepted=True,
    )
    facts = replace(facts, accepted=all(problem.severity != ERROR for problem in problems))
    return facts, fields, problems
