"""A workbook opened safely: per sheet its cells as typed, merges, hidden rows and formulas, whatever the format."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import PurePath
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from intake import compound
from intake.archive import open_archive
from intake.content_type import UNKNOWN, content_type
from intake.problems import Problem, Rejection
from intake.wording import Cell

MAX_FILE = 50 * 1024 * 1024
# A sheet is held as a full grid: rows x columns up to the last cell that holds anything.
MAX_GRID = 4_000_000
MAX_MERGES = 400_000
_MACRO_NAMES = {".xlsm", ".xltm", ".xlam", ".xla", ".xlsb.xlsm"}
_OPEN_NAMES = {".xlsx", ".xls"}
_WHOLE = re.compile(r"[0-9]{1,7}")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})$")
_OUTSIDE = re.compile(r"\[\d+\]|\[[^\]]+\.xl|https?:|file:|\\\\|\|\s*'|WEBSERVICE\(|RTD\(", re.IGNORECASE)

Merge = tuple[int, int, int, int]  # first row, first column, last row, last column, from 0, inclusive


@dataclass(slots=True)
class Sheet:
    """One worksheet; rows and columns count from 0. `cells` is as stored, `filled` has merges filled in (rule R2)."""

    name: str
    hidden: bool
    cells: list[list[Cell]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    formulas: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    overlaps: list[tuple[Merge, Merge]] = field(default_factory=list)
    filled: list[list[Cell]] = field(default_factory=list)


@dataclass(slots=True)
class Workbook:
    """`problems` are those of the file as a whole, not of a sheet."""

    sheets: list[Sheet]
    problems: list[Problem]
    links: list[str]


def open_workbook(name: str, content: bytes) -> Workbook:
    """Open an uploaded spreadsheet. Raises Rejection with one of the file rejection codes."""
    suffix = PurePath(name).suffix.lower()
    if not content:
        raise Rejection("FILE_EMPTY")
    if suffix in _MACRO_NAMES:
        raise Rejection("MACRO_ENABLED")
    if suffix not in _OPEN_NAMES and suffix != "":
        raise Rejection("FILE_TYPE_NOT_ALLOWED", named=suffix)
    if len(content) > MAX_FILE:
        raise Rejection(
            "FILE_TOO_LARGE_UNCOMPRESSED", size=f"{len(content) >> 20} MB", limit=f"{MAX_FILE >> 20} MB"
        )
    if content[:4] == b"PK\x03\x04":
        actual = ".xlsx"
    elif content[:8] == compound.MAGIC:
        actual = ".xls"
    else:
        raise _not_a_spreadsheet(suffix, content)
    try:
        workbook = _open_new(content) if actual == ".xlsx" else _open_old(content)
    except Rejection as refused:
        refused.detail.setdefault("named", suffix)
        raise
    if suffix != actual:
        workbook.problems.insert(0, Problem.of("FILE_EXTENSION_MISMATCH", named=suffix or "—", actual=actual))
    return workbook


def _not_a_spreadsheet(suffix: str, content: bytes) -> Rejection:
    if not content.strip(b" \t\r\n\0\xef\xbb\xbf"):
        return Rejection("FILE_CORRUPT" if b"\0" in content else "FILE_EMPTY")
    actual = content_type(content)
    if actual == UNKNOWN or len(content) < 8:
        return Rejection("FILE_CORRUPT", reason=actual)
    return Rejection("FILE_TYPE_MISMATCH", named=suffix, actual=actual)


def _open_new(content: bytes) -> Workbook:
    archive = open_archive(content)
    facts = [_SheetFacts(archive.parts[sheet.part]) for sheet in archive.sheets]
    sheets = []
    with _calamine(archive.pack()) as book:
        for index, (part, fact) in enumerate(zip(archive.sheets, facts, strict=True)):
            sheet = Sheet(part.name, part.hidden)
            if not part.hidden:
                sheet.cells = _values(book, index, part.name)
                sheet.merges = fact.merges
                sheet.hidden_rows = fact.hidden_rows
                sheet.formulas = fact.formulas
                _fill(sheet)
            sheets.append(sheet)
    return Workbook(sheets, _pictures(archive.pictures), archive.links)


def _open_old(content: bytes) -> Workbook:
    old = compound.inspect_compound(content)
    for facts in old.sheets.values():
        _check_grid(facts.last_row + 1, facts.last_column + 1)
    sheets = []
    with _calamine(io.BytesIO(content)) as book:
        for index, meta in enumerate(book.sheets_metadata):
            sheet = Sheet(meta.name, meta.visible != SheetVisibleEnum.Visible)
            if not sheet.hidden:
                sheet.cells = _values(book, index, meta.name)
                merged = _guarded(lambda i=index: book.get_sheet_by_index(i).merged_cell_ranges) or []
                sheet.merges = sorted((a, b, c, d) for (a, b), (c, d) in merged)
                seen = old.sheets.get(meta.name)
                if seen:
                    sheet.hidden_rows = seen.hidden_rows
                    for (row, column), text in seen.formulas.items():
                        sheet.formulas.setdefault(row, []).append((column, text))
                _fill(sheet)
            sheets.append(sheet)
    return Workbook(sheets, _pictures(old.pictures), old.links)


def _pictures(count: int) -> list[Problem]:
    return [Problem.of("EMBEDDED_IMAGES_IGNORED", count=count)] if count else []


def _calamine(content: io.BytesIO) -> CalamineWorkbook:
    book: CalamineWorkbook = _guarded(lambda: CalamineWorkbook.from_filelike(content))
    return book


def _guarded(call):  # type: ignore[no-untyped-def]
    """Call the reader; whatever it dies of, the file is refused and the program lives."""
    try:
        return call()
    except PasswordError as locked:
        raise Rejection("FILE_ENCRYPTED") from locked
    except (CalamineError, ValueError, OSError, OverflowError, MemoryError) as broken:
        raise Rejection("FILE_CORRUPT", reason=str(broken)[:200]) from broken
    except BaseException as broken:
        # a panic of the reader's Rust code is no Exception
        if type(broken).__name__ != "PanicException":
            raise
        raise Rejection("FILE_CORRUPT", reason="the reader gave up") from broken


def _values(book: CalamineWorkbook, index: int, name: str) -> list[list[Cell]]:
    # by index among the workbook's sheets: names may repeat in a crafted file
    names = book.sheet_names
    place = (
        index if index < len(names) and names[index] == name else names.index(name) if name in names else -1
    )
    if place < 0:
        raise Rejection("FILE_CORRUPT", reason=f"sheet {name[:31]} cannot be found")
    rows: list[list[Cell]] = _guarded(lambda: book.get_sheet_by_index(place).to_python(skip_empty_area=False))
    return rows


class _SheetFacts:
    """One pass over a sheet's XML for what the reader does not tell; refuses absurd extents beforehand."""

    def __init__(self, content: bytes) -> None:
        self.hidden_rows: set[int] = set()
        self.formulas: dict[int, list[tuple[int, str]]] = {}
        self.merges: list[Merge] = []
        self._row = self._column = -1
        self._last_row = self._last_column = 0
        self._formula: list[str] | None = None
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = None
        parser.StartDoctypeDeclHandler = _refuse_dtd
        try:
            parser.Parse(content, True)
        except expat.ExpatError as malformed:
            raise Rejection("FILE_CORRUPT", reason=str(malformed)) from malformed
        self.merges.sort()
        _check_grid(self._last_row + 1, self._last_column + 1)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            reference = attributes.get("r")
            if reference is None:
                self._column += 1
            else:
                self._row, self._column = _place(reference)
        elif tag in ("v", "is"):
            if self._row > self._last_row:
                self._last_row = self._row
            if self._column > self._last_column:
                self._last_column = self._column
        elif tag == "row":
            number = attributes.get("r")
            self._row = int(number) - 1 if number and _WHOLE.fullmatch(number) else self._row + 1
            self._column = -1
            if attributes.get("hidden") in ("1", "true"):
                self.hidden_rows.add(self._row)
        elif tag == "f":
            self._formula = []
            self._parser.CharacterDataHandler = self._formula.append
            self._parser.EndElementHandler = self._end
        elif tag == "mergeCell":
            first, _, last = attributes.get("ref", "").partition(":")
            (r1, c1), (r2, c2) = _place(first), _place(last or first)
            self.merges.append((min(r1, r2), min(c1, c2), max(r1, r2), max(c1, c2)))
            if len(self.merges) > MAX_MERGES:
                raise Rejection("FILE_TOO_LARGE_UNCOMPRESSED", size="", limit=f"{MAX_MERGES} merges")
        elif ":" in tag:
            self._start(tag.rpartition(":")[2], attributes)

    def _end(self, _: str) -> None:
        self.formulas.setdefault(self._row, []).append((self._column, "".join(self._formula or ())))
        self._parser.CharacterDataHandler = None
        self._parser.EndElementHandler = None


def _check_grid(rows: int, columns: int) -> None:
    if rows * columns > MAX_GRID:
        size, limit = f"{rows} × {columns}", f"{MAX_GRID // 1_000_000} 000 000"
        raise Rejection("FILE_TOO_LARGE_UNCOMPRESSED", size=size, limit=limit)


def _refuse_dtd(*_: object) -> None:
    raise Rejection("XML_DTD_FORBIDDEN")


_columns: dict[str, int] = {}


def _place(reference: str) -> tuple[int, int]:
    """A1 -> (0, 0). Raises Rejection FILE_CORRUPT for anything else."""
    found = _REFERENCE.match(reference.replace("$", ""))
    if not found:
        raise Rejection("FILE_CORRUPT", reason=f"cell reference {reference[:20]}")
    letters, digits = found.groups()
    column = _columns.get(letters)
    if column is None:
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        _columns[letters] = column = column - 1
    return int(digits) - 1, column


def _fill(sheet: Sheet) -> None:
    """Give every cell of a merged area its top left value; where areas overlap the earlier one keeps the cell."""
    cells = sheet.cells
    height = len(cells)
    width = len(cells[0]) if cells else 0
    sheet.filled = filled = [row[:] for row in cells]
    owner: dict[tuple[int, int], Merge] = {}
    clashes: dict[tuple[Merge, Merge], None] = {}
    budget = MAX_GRID
    for merge in sheet.merges:
        top, left, bottom, right = merge
        if top >= height or left >= width:
            continue
        bottom, right = min(bottom, height - 1), min(right, width - 1)
        budget -= (bottom - top + 1) * (right - left + 1)
        if budget < 0:
            raise Rejection("FILE_TOO_LARGE_UNCOMPRESSED", size="", limit=f"{MAX_GRID} merged cells")
        value = cells[top][left]
        for row in range(top, bottom + 1):
            line = filled[row]
            for column in range(left, right + 1):
                before = owner.setdefault((row, column), merge)
                if before is merge:
                    line[column] = value
                else:
                    clashes[before, merge] = None
    sheet.overlaps = list(clashes)


def leads_outside(formula: str) -> bool:
    """Whether a formula refers to another workbook, a file, an address or another program."""
    return bool(_OUTSIDE.search(formula))
