"""附表1: capability rows, by the reading rules R1 to R9."""

from __future__ import annotations

from collections.abc import Iterator

from intake.body import Body, BodyRow
from intake.problems import ERROR, Problem
from intake.rows import CapabilityRow
from intake.standards import Catalogue, StandardNumber, standard_numbers, title_beside_number, title_differs
from intake.wording import as_date, column_letter, compact, tidy, words
from workflow.characters import unprintable

DITTO = frozenset(("同上", "〃", "″", "′′", '"', '""', "''", "同前", "同上行", "..", "々"))
SHORTEST_TITLE = 4


def read_capability(body: Body, catalogue: Catalogue | None) -> list[CapabilityRow]:
    """The data rows of one sheet; problems go to `body.problems`."""
    return list(_Reader(body, catalogue).rows())


def standard_problems(
    text: str, catalogue: Catalogue | None, sheet: str, row: int, column: str, title: str | None = None
) -> tuple[tuple[StandardNumber, ...], list[Problem]]:
    """The standard numbers in a cell and what is wrong with them. `title` replaces what stands beside the number.

    Without a catalogue, unknown, withdrawn and mistitled standards go unnoticed.
    """
    if not compact(text) and not compact(title or ""):
        return (), [Problem.of("STD_EMPTY", sheet, row, column)]
    numbers = standard_numbers(text)
    if not numbers:
        return (), [Problem.of("STD_NO_NUMBER", sheet, row, column, value=tidy(text or title or "")[:80])]
    problems = []
    for number in numbers:
        if not number.has_year:
            known_as = [edition.number for edition in catalogue.editions(number.number)] if catalogue else []
            detail = {"known": known_as} if known_as else {}
            problems.append(
                Problem.of("STD_MISSING_YEAR", sheet, row, column, number=number.number, **detail)
            )
        elif catalogue is not None:
            known = catalogue.find(number.number)
            if known is None:
                problems.append(Problem.of("STD_UNKNOWN", sheet, row, column, number=number.number))
            elif known.is_withdrawn:
                problems.append(
                    Problem.of(
                        "STD_WITHDRAWN",
                        sheet,
                        row,
                        column,
                        number=number.number,
                        replaced_by=known.replaced_by,
                    )
                )
    if len(numbers) == 1 and catalogue is not None:
        known = catalogue.find(numbers[0].number)
        beside = title_beside_number(text if title is None else title)
        if known is not None and len(beside) >= SHORTEST_TITLE and title_differs(beside, known.title):
            problems.append(
                Problem.of(
                    "STD_TITLE_MISMATCH",
                    sheet,
                    row,
                    column,
                    number=numbers[0].number,
                    catalogue_title=known.title,
                )
            )
    return numbers, problems


class _Reader:
    def __init__(self, body: Body, catalogue: Catalogue | None) -> None:
        self._body = body
        self._catalogue = catalogue
        columns = body.header.columns
        self._at = columns.get
        self._letters = {name: column_letter(place) for name, place in columns.items()}
        self._is_wide = body.header.layout == "L3"
        self._above = {"section": "", "category": "", "object": "", "parameter": ""}
        self._standard_above: tuple[str, str | None] = ("", None)
        self._first_rows: dict[tuple[object, ...], int] = {}
        self._known_texts: dict[str, str] = {}
        self._known_standards: dict[
            tuple[str, str | None], tuple[tuple[str, ...], tuple[tuple[str, dict[str, object]], ...]]
        ] = {}

    def rows(self) -> Iterator[CapabilityRow]:
        site = self._body.site
        for row in self._body.rows():
            yield self._row(row, site)

    def _tidy(self, text: str) -> str:
        known = self._known_texts.get(text)
        if known is None:
            known = self._known_texts[text] = tidy(text)
        return known

    def _row(self, row: BodyRow, site: str) -> CapabilityRow:
        sheet = self._body.sheet.name
        number = row.number
        found: list[Problem] = []
        category = obj = ""
        if self._is_wide:
            section = self._inherit(row, "section")
            category = self._inherit(row, "category")
        else:
            section = row.section
        obj = self._inherit(row, "object")
        parameter = self._parameter(row, found)
        text, title = self._standard(row)
        standards = self._judge(text, title, number, found)
        limit, note = self._tidy(row.text(self._at("limit"))), self._tidy(row.text(self._at("note")))
        if sign := unprintable("\n".join((section, category, obj, parameter, text, title or "", limit, note))):
            found.append(Problem.of("SIGN_UNPRINTABLE", sheet, number, self._letters["parameter"],
                                    sign=sign, code_point=f"U+{ord(sign):04X}"))
        accepted = not any(problem.severity == ERROR for problem in found)
        if accepted:
            key = (section, compact(obj), compact(parameter), frozenset(standards))
            first = self._first_rows.setdefault(key, number)
            if first != number:
                found.append(
                    Problem.of("DUPLICATE_ROW", sheet, number, self._letters["parameter"], first_row=first)
                )
        if found:
            self._body.problems += found
        approved = self._at("approved")
        approved_value = row.values[approved] if approved is not None and approved < len(row.values) else ""
        approved_on = as_date(approved_value)
        own_site = row.text(self._at("site"))
        return CapabilityRow(
            sheet,
            number,
            self._tidy(own_site) or site,
            section,
            category,
            obj,
            parameter,
            standards,
            self._tidy(f"{title} {text}" if title else text),
            limit,
            note,
            approved_on.isoformat() if approved_on else self._tidy(words(approved_value)),
            accepted,
        )

    def _inherit(self, row: BodyRow, name: str) -> str:
        text = self._tidy(row.text(self._at(name)))
        if text:
            self._above[name] = text
        return self._above[name]

    def _parameter(self, row: BodyRow, found: list[Problem]) -> str:
        text = self._tidy(row.text(self._at("parameter")))
        if text:
            self._above["parameter"] = text
            return text
        if not compact(row.text(self._at("parameter_serial"))) and self._above["parameter"]:
            return self._above["parameter"]
        # rows below that leave both blank mean this nameless parameter, not the one above it
        self._above["parameter"] = ""
        found.append(
            Problem.of("PARAM_MISSING", self._body.sheet.name, row.number, self._letters["parameter"])
        )
        return ""

    def _standard(self, row: BodyRow) -> tuple[str, str | None]:
        """The text that holds the number, and the title if it has a column of its own."""
        text = row.text(self._at("standard"))
        title = row.text(self._at("title")) if "title" in self._letters else None
        if compact(text) in DITTO or (not compact(text) and title and compact(title) in DITTO):
            return self._standard_above
        if title and compact(title) in DITTO:
            title = self._standard_above[1]
        self._standard_above = (text, title)
        return text, title

    def _judge(self, text: str, title: str | None, number: int, found: list[Problem]) -> tuple[str, ...]:
        sheet, column = self._body.sheet.name, self._letters["standard"]
        known = self._known_standards.get((text, title))
        if known is None:
            in_text = text
            if title and not standard_numbers(in_text) and standard_numbers(title):
                in_text, title_given = title, None  # the number was typed into the column of the title
            else:
                title_given = title
            numbers, problems = standard_problems(
                in_text, self._catalogue, sheet, number, column, title_given
            )
            known = (
                tuple(entry.number for entry in numbers),
                tuple((problem.code, dict(problem.detail)) for problem in problems),
            )
            self._known_standards[text, title] = known
        for code, detail in known[1]:
            found.append(Problem.of(code, sheet, number, column, **detail))
        return known[0]
