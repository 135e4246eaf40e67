"""Files in, readings out: recognise each table, read it, then look across the files of the package (T4, T5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from intake.application import read_application
from intake.body import Body
from intake.capability import read_capability
from intake.equipment import read_equipment
from intake.headers import Header, find_header, table_by_name
from intake.people import missing_from_staff, read_signatories, read_staff
from intake.problems import Problem, Rejection
from intake.readings import PackageReading, TableReading
from intake.rows import ApplicationFacts, Row, SignatoryRow, StaffRow
from intake.standard_change import read_changes
from intake.standards import Catalogue
from intake.wording import column_letter, compact, words
from intake.workbook import Sheet, Workbook, open_workbook

_SKIPPED = ("blank", "section_header", "repeated_header", "note", "subtotal")


@dataclass(slots=True)
class _Opened:
    """A file whose sheets are recognised but not yet read."""

    name: str
    table: str
    workbook: Workbook
    headers: list[tuple[Sheet, Header]]
    ignored: list[tuple[str, str]]


def read_package(files: Sequence[tuple[str, bytes | Path]], standards: Catalogue | None) -> PackageReading:
    """Read the files of one package together, in the order given.

    `files` pairs a name with the bytes or with a path to them. Never raises for what the files contain: a file that
    cannot be used comes back refused. Raises OSError when a path cannot be read.
    """
    opened: list[_Opened | TableReading] = [_open(name, content, None) for name, content in files]
    applied_on = _applied_on(opened)
    readings = [
        entry if isinstance(entry, TableReading) else _read(entry, standards, applied_on) for entry in opened
    ]
    return PackageReading(tuple(_look_for_signatories(opened, readings)))


def read_table(
    name: str,
    content: bytes | Path,
    standards: Catalogue | None,
    *,
    table: str | None = None,
    applied_on: date | None = None,
    staff: Iterable[StaffRow] | None = None,
) -> TableReading:
    """Read one file by itself. `table` insists on a kind (another kind is refused as HEADER_NOT_RECOGNISED).

    `applied_on` lets equipment expire, `staff` lets signatories be looked for; without them these checks rest.
    """
    opened = _open(name, content, table)
    if isinstance(opened, TableReading):
        return opened
    reading = _read(opened, standards, applied_on)
    if staff is not None and reading.table == "signatories":
        reading = _with_missing(opened, reading, list(staff))
    return reading


def _open(name: str, content: bytes | Path, wanted: str | None) -> _Opened | TableReading:
    path = name.replace("\\", "/").rpartition("/")[2]
    hint = wanted or table_by_name(path)
    try:
        workbook = open_workbook(path, content.read_bytes() if isinstance(content, Path) else content)
        return _recognise(path, hint, wanted, workbook)
    except Rejection as refused:
        return TableReading.refused(path, hint, refused.problem)


def _recognise(path: str, hint: str, wanted: str | None, workbook: Workbook) -> _Opened:
    headers: list[tuple[Sheet, Header]] = []
    ignored: list[tuple[str, str]] = []
    anything = False
    for sheet in workbook.sheets:
        if sheet.hidden:
            ignored.append((sheet.name, "hidden"))
            workbook.problems.append(Problem.of("SHEET_HIDDEN_IGNORED", sheet.name, name=sheet.name))
            anything = True
        elif not any(compact(words(cell)) for row in sheet.cells for cell in row):
            ignored.append((sheet.name, "empty"))
        else:
            anything = True
            header = find_header(sheet)
            if header is None:
                ignored.append((sheet.name, "no_header"))
            else:
                headers.append((sheet, header))
    if not anything:
        raise Rejection("FILE_EMPTY")
    tables = [header.table for _, header in headers]
    table = wanted or (hint if hint in tables else tables[0] if tables else "")
    chosen = [(sheet, header) for sheet, header in headers if header.table == table]
    ignored += [(sheet.name, "no_header") for sheet, header in headers if header.table != table]
    if not chosen:
        raise Rejection("HEADER_NOT_RECOGNISED")
    ignored.sort(key=lambda entry: ("hidden", "no_header", "empty").index(entry[1]))
    return _Opened(path, table, workbook, chosen, ignored)


def _applied_on(opened: list[_Opened | TableReading]) -> date | None:
    for entry in opened:
        if isinstance(entry, _Opened) and entry.table == "basic":
            return read_application(entry.headers[0][0])[0].applied_on
    return None


def _read(opened: _Opened, standards: Catalogue | None, applied_on: date | None) -> TableReading:
    try:
        return _read_sheets(opened, standards, applied_on)
    except Rejection as refused:
        return TableReading.refused(opened.name, opened.table, refused.problem)


def _read_sheets(opened: _Opened, standards: Catalogue | None, applied_on: date | None) -> TableReading:
    problems = list(opened.workbook.problems)
    skipped = dict.fromkeys(_SKIPPED, 0)
    records: list[Row] = []
    data_rows = rejected = 0
    for sheet, header in opened.headers:
        if opened.table == "basic":
            facts, fields, found = read_application(sheet)
            records.append(facts)
            data_rows += fields
            rejected += sum(1 for problem in found if problem.severity == "error")
            problems += found
            continue
        body = Body(sheet, header, skipped)
        rows: Sequence[Row]
        if opened.table == "capability":
            rows = read_capability(body, standards)
        elif opened.table == "staff":
            rows = read_staff(body)
        elif opened.table == "signatories":
            rows = read_signatories(body)
        elif opened.table == "equipment":
            rows = read_equipment(body, applied_on)
        else:
            rows = read_changes(body, standards)
        records += rows
        data_rows += len(rows)
        rejected += sum(1 for row in rows if not row.accepted)
        problems += body.problems
    if not data_rows:
        raise Rejection("FILE_EMPTY")
    problems += _links_elsewhere(opened.workbook, problems)
    return TableReading(
        opened.table,
        opened.name,
        _outcome(opened.table, problems),
        data_rows,
        data_rows - rejected,
        rejected,
        tuple(_in_order(problems, opened)),
        tuple(sheet.name for sheet, _ in opened.headers),
        tuple(opened.ignored),
        opened.headers[0][1].layout,
        skipped if opened.table == "capability" else None,
        None,
        tuple(records),
    )


def _links_elsewhere(workbook: Workbook, problems: list[Problem]) -> list[Problem]:
    """Links of the file that no cell of the table was seen to use are told once, for the file."""
    if not workbook.links or any(problem.code == "EXTERNAL_LINK" for problem in problems):
        return []
    return [Problem.of("EXTERNAL_LINK", target="、".join(workbook.links[:5])[:200])]


def _outcome(table: str, problems: list[Problem]) -> str:
    if table == "basic" and any(problem.severity == "error" for problem in problems):
        return "reject_fields"
    return "accept_with_problems" if problems else "accept"


def _in_order(problems: list[Problem], opened: _Opened) -> list[Problem]:
    order = {sheet.name: place for place, sheet in enumerate(opened.workbook.sheets)}
    return sorted(problems, key=lambda problem: (order.get(problem.sheet or "", -1), problem.row or 0))


def _look_for_signatories(
    opened: list[_Opened | TableReading], readings: list[TableReading]
) -> list[TableReading]:
    staff = [row for reading in readings if reading.table == "staff" for row in reading.records]
    if not any(reading.table == "staff" and not reading.is_refused for reading in readings):
        return readings
    people = [row for row in staff if isinstance(row, StaffRow)]
    return [
        _with_missing(entry, reading, people)
        if isinstance(entry, _Opened) and reading.table == "signatories" and not reading.is_refused
        else reading
        for entry, reading in zip(opened, readings, strict=True)
    ]


def _with_missing(opened: _Opened, reading: TableReading, staff: list[StaffRow]) -> TableReading:
    rows = [row for row in reading.records if isinstance(row, SignatoryRow)]
    missing = missing_from_staff(rows, staff, column_letter(opened.headers[0][1].columns["name"]))
    if not missing:
        return reading
    problems = _in_order([*reading.problems, *missing], opened)
    return replace(reading, problems=tuple(problems), outcome=_outcome(reading.table, problems))


__all__ = ["ApplicationFacts", "read_package", "read_table"]
