"""标准（方法）变更审批表: which standard shall take the place of which."""

from __future__ import annotations

import re

from intake.body import Body
from intake.capability import DITTO, standard_problems
from intake.problems import ERROR, Problem
from intake.rows import StandardChangeRow
from intake.standards import Catalogue, fold_number
from intake.wording import column_letter, compact, tidy


def read_changes(body: Body, catalogue: Catalogue | None) -> list[StandardChangeRow]:
    """The changes of one sheet; problems go to `body.problems`. The old standard may well be withdrawn."""
    columns = body.header.columns
    at = columns.get
    sheet = body.sheet.name
    above = {"old": "", "new": ""}
    category = parameter = ""
    rows = []
    for row in body.rows():
        found: list[Problem] = []
        texts = {}
        for name in ("old", "new"):
            text = row.text(at(name))
            texts[name] = above[name] if compact(text) in DITTO else text
            above[name] = texts[name]
        old_letter, new_letter = column_letter(columns["old"]), column_letter(columns["new"])
        old, old_found = standard_problems(texts["old"], catalogue, sheet, row.number, old_letter)
        new, new_found = standard_problems(texts["new"], catalogue, sheet, row.number, new_letter)
        # what was approved is history: only what cannot be identified matters
        found += [problem for problem in old_found if problem.severity == ERROR]
        old_numbers, new_numbers = tuple(n.number for n in old), tuple(n.number for n in new)
        stray: list[str] = []
        if catalogue is not None and old_numbers and new_numbers:
            stray, known = _not_replacing(old_numbers, new_numbers, catalogue)
            if stray:
                found.append(
                    Problem.of(
                        "CHANGE_TARGET_NOT_REPLACEMENT",
                        sheet,
                        row.number,
                        new_letter,
                        old="、".join(old_numbers),
                        new="、".join(stray),
                        replaced_by="、".join(known),
                    )  # fmt: skip
                )
        found += [problem for problem in new_found if problem.code != "STD_UNKNOWN" or not stray]
        body.problems += found
        category = tidy(row.text(at("category"))) or category
        parameter = tidy(row.text(at("parameter"))) or parameter
        rows.append(
            StandardChangeRow(
                sheet,
                row.number,
                category,
                parameter,
                old_numbers,
                tidy(texts["old"]),
                new_numbers,
                tidy(texts["new"]),
                tidy(row.text(at("content"))),
                all(problem.severity != ERROR for problem in found),
            )
        )
    return rows


def _not_replacing(
    old: tuple[str, ...], new: tuple[str, ...], catalogue: Catalogue
) -> tuple[list[str], list[str]]:
    """New numbers that replace none of the old ones, and what the catalogue names as replacements.

    A later year of the same number replaces it; so does what the catalogue names, through any number of steps.
    Where the catalogue does not know an old standard, nothing can be said.
    """
    named: list[str] = []
    waiting = list(old)
    known_all = True
    while waiting:
        standard = catalogue.find(waiting.pop())
        if standard is None:
            known_all = known_all and bool(named)
            continue
        for number in re.split(r"[|;；、,，]", standard.replaced_by):
            folded = fold_number(number)
            if folded and folded not in named:
                named.append(folded)
                waiting.append(folded)
    if not known_all and not named:
        return [], []
    stems = {_stem(number) for number in old}
    stray = [
        number
        for number in new
        if number not in named
        and not any(_stem(number) == _stem(before) and number > before for before in old)
        and not (_stem(number) not in stems and not named and number in old)
    ]
    return stray, named


def _stem(number: str) -> str:
    return re.sub(r"[-:]\d{4}$", "", number)
