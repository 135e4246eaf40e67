"""附表4 staff and 附表2 authorised signatories (rules T1 to T4)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from intake.body import Body
from intake.problems import ERROR, Problem
from intake.rows import SignatoryRow, StaffRow
from intake.wording import as_whole_number, column_letter, compact, tidy
from workflow.characters import unprintable

YOUNGEST, OLDEST = 16, 100  # rule T1
# Rule T4: an intermediate title at least; these are below, and an empty one is none.
_BELOW_INTERMEDIATE = re.compile(
    r"助理.*|.*技术员|无|未评|见习.*|实习.*|初级.*|学徒.*|.*[(]初级[)]|员级|[/\-—]*"
)
# These are titles wherever they stand in 职务/职称.
_SURELY_BELOW = re.compile(r"助理(.*师|研究员|.*工程师)|技术员|见习.*|初级.*")


def read_staff(body: Body) -> list[StaffRow]:
    """The persons of one sheet of 附表4; problems go to `body.problems`."""
    columns = body.header.columns
    at = columns.get
    sheet, site = body.sheet.name, body.site
    seen: dict[tuple[str, ...], int] = {}
    people = []
    for row in body.rows():
        found: list[Problem] = []

        def report(
            code: str, column: str, number: int = row.number, into: list[Problem] = found, **detail: object
        ) -> None:
            place = columns.get(column)
            letter = column_letter(place) if place is not None else None
            into.append(Problem.of(code, sheet, number, letter, **detail))

        name, sex, major = (tidy(row.text(at(column))) for column in ("name", "sex", "major"))
        raw_age = row.text(at("age"))
        age = as_whole_number(raw_age, "周岁", "岁")
        years = as_whole_number(row.text(at("years")), "年")
        if not compact(name):
            report("PERSON_NAME_MISSING", "name")
        if age is None or not YOUNGEST <= age <= OLDEST:
            report("AGE_INVALID", "age", value=tidy(raw_age))
        if compact(sex) not in ("男", "女"):
            report("SEX_INVALID", "sex", value=sex)
        if age is not None and years is not None and YOUNGEST <= age <= OLDEST and years >= age:
            report("EXPERIENCE_EXCEEDS_AGE", "years", years=years, age=age)
        if compact(name):
            key = (
                compact(name),
                compact(sex),
                str(age) if age is not None else compact(raw_age),
                compact(major),
            )
            first = seen.setdefault(key, row.number)
            if first != row.number:
                report("DUPLICATE_PERSON", "name", first_row=first)
        body.problems += found
        people.append(
            StaffRow(
                sheet,
                row.number,
                site,
                name,
                compact(sex),
                age,
                tidy(row.text(at("education"))),
                tidy(row.text(at("post"))),
                tidy(row.text(at("title"))),
                major,
                years,
                tidy(row.text(at("department_post"))),
                all(problem.severity != ERROR for problem in found),
            )
        )
    return people


def read_signatories(body: Body) -> list[SignatoryRow]:
    """The signatories of one sheet of 附表2; whether they are staff is judged by `missing_from_staff`."""
    columns = body.header.columns
    at = columns.get
    sheet, site = body.sheet.name, body.site
    signatories = []
    for row in body.rows():
        found: list[Problem] = []
        name, field, note = (tidy(row.text(at(column))) for column in ("name", "field", "note"))
        if "post_title" in columns:
            title_column = "post_title"
            post, _, title = re.sub(r"[／、]", "/", tidy(row.text(at("post_title")))).rpartition("/")
        else:
            title_column = "title"
            post, title = tidy(row.text(at("post"))), tidy(row.text(at("title")))
        if not compact(name):
            found.append(Problem.of("PERSON_NAME_MISSING", sheet, row.number, column_letter(columns["name"])))
        low = next((part for part in (post, title) if _SURELY_BELOW.fullmatch(compact(part))), None)
        if low is None and _BELOW_INTERMEDIATE.fullmatch(compact(title)):
            low = title
        if title_column in columns and low is not None:
            found.append(
                Problem.of(
                    "SIGNATORY_TITLE_BELOW_INTERMEDIATE",
                    sheet,
                    row.number,
                    column_letter(columns[title_column]),
                    title=low,
                )  # fmt: skip
            )
        if not compact(field):
            found.append(
                Problem.of("SIGNATORY_FIELD_MISSING", sheet, row.number, column_letter(columns["field"]))
            )
        if sign := unprintable(name + field + post + title):
            found.append(Problem.of("SIGN_UNPRINTABLE", sheet, row.number, column_letter(columns["name"]),
                                    sign=sign, code_point=f"U+{ord(sign):04X}"))
        body.problems += found
        accepted = all(problem.severity != ERROR for problem in found)
        signatories.append(
            SignatoryRow(sheet, row.number, site, name, post.strip(), title.strip(), field, note, accepted)
        )
    return signatories


def missing_from_staff(
    signatories: Iterable[SignatoryRow], staff: Iterable[StaffRow], column: str
) -> list[Problem]:
    """Rule T4: every signatory must be in 附表4. Names are compared without white space."""
    names = {compact(person.name) for person in staff if person.name}
    return [
        Problem.of("SIGNATORY_NOT_IN_STAFF", row.sheet, row.row, column, name=row.name)
        for row in signatories
        if row.name and compact(row.name) not in names
    ]
