"""The old .xls container (OLE compound file, BIFF8 records): what the spreadsheet reader does not tell.

Sources: [MS-CFB] for the container, [MS-XLS] for the records.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from intake.problems import Rejection

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_BOUNDSHEET, _FILEPASS, _SUPBOOK, _BOF, _EOF = 0x0085, 0x002F, 0x01AE, 0x0809, 0x000A
_ROW, _FORMULA, _OBJ = 0x0208, 0x0006, 0x005D
_CELLS = {0x0203, 0x0205, 0x00FD, 0x027E, 0x0204, 0x00D6, 0x0006, 0x00BD}


@dataclass(slots=True)
class OldSheet:
    """Facts about one sheet; rows and columns count from 0."""

    name: str
    hidden_rows: set[int] = field(default_factory=set)
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)
    last_row: int = 0
    last_column: int = 0


@dataclass(slots=True)
class OldWorkbook:
    sheets: dict[str, OldSheet] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    pictures: int = 0


def inspect_compound(content: bytes) -> OldWorkbook:
    """Look through an .xls file.

    Raises Rejection: FILE_ENCRYPTED, MACRO_ENABLED, FILE_TYPE_MISMATCH (another Office document), FILE_CORRUPT.
    """
    try:
        return _inspect(content)
    except (struct.error, IndexError, ValueError) as broken:
        raise Rejection("FILE_CORRUPT", reason=str(broken)) from broken


def _inspect(content: bytes) -> OldWorkbook:
    streams, chain, big_from = _directory(content)
    names = set(streams)
    if "EncryptedPackage" in names or "EncryptionInfo" in names:
        raise Rejection("FILE_ENCRYPTED")
    if names & {"_VBA_PROJECT_CUR", "_VBA_PROJECT", "VBA"}:
        raise Rejection("MACRO_ENABLED")
    book = streams.get("Workbook") or streams.get("Book")
    if book is None:
        if "WordDocument" in names or "PowerPoint Document" in names:
            raise Rejection("FILE_TYPE_MISMATCH", actual="doc" if "WordDocument" in names else "ppt")
        raise Rejection("FILE_TYPE_MISMATCH", actual="OLE")
    first, size = book
    if size < big_from:
        raise Rejection("FILE_CORRUPT", reason="the workbook stream is too short")
    stream = chain(first)[:size]
    if len(stream) < size:
        raise Rejection("FILE_CORRUPT", reason="the workbook stream is cut off")
    return _records(stream)


def _directory(content: bytes) -> tuple[dict[str, tuple[int, int]], Callable[[int], bytes], int]:
    """Names -> (first sector, size); a function that joins the sectors from a first one; the small-stream limit."""
    if content[:8] != MAGIC:
        raise ValueError("no compound file")
    shift = struct.unpack_from("<H", content, 30)[0]
    fat_count, first_directory = struct.unpack_from("<II", content, 44)
    big_from = struct.unpack_from("<I", content, 56)[0]
    difat, difat_count = struct.unpack_from("<II", content, 68)
    if shift not in (9, 12):
        raise ValueError("unknown sector size")
    width = 1 << shift
    sectors = max(0, (len(content) - 1) >> shift)

    def sector(number: int) -> bytes:
        if number >= sectors:
            raise ValueError("a sector lies outside the file")
        return content[(number + 1) << shift : (number + 2) << shift]

    fat_sectors = [n for n in struct.unpack_from("<109I", content, 76) if n < _END]
    for _ in range(min(difat_count, sectors)):
        if difat >= _END:
            break
        block = struct.unpack(f"<{width // 4}I", sector(difat).ljust(width, b"\xff"))
        fat_sectors += [n for n in block[:-1] if n < _END]
        difat = block[-1]
    fat: list[int] = []
    for number in fat_sectors[: max(fat_count, 1)]:
        fat += struct.unpack(f"<{width // 4}I", sector(number).ljust(width, b"\xff"))

    def chain(first: int) -> bytes:
        pieces, number, steps = [], first, 0
        while number < _END - 1 and steps <= len(fat):
            pieces.append(sector(number))
            number = fat[number]
            steps += 1
        return b"".join(pieces)

    streams: dict[str, tuple[int, int]] = {}
    directory = chain(first_directory)
    for offset in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, offset + 64)[0]
        if 2 <= length <= 64:
            name = directory[offset : offset + length - 2].decode("utf-16-le", "replace")
            streams.setdefault(name, struct.unpack_from("<II", directory, offset + 116))
    return streams, chain, big_from


def _records(stream: bytes) -> OldWorkbook:
    book = OldWorkbook()
    by_offset: dict[int, OldSheet] = {}
    current: OldSheet | None = None
    depth = position = 0
    end = len(stream) - 4
    unpack = struct.unpack_from
    if end < 0 or unpack("<H", stream, 0)[0] != _BOF:
        raise Rejection("FILE_TYPE_MISMATCH", actual="Excel 5 or older")
    while position <= end:
        kind, length = unpack("<HH", stream, position)
        body = position + 4
        if kind == _BOF:
            if depth == 0:
                current = by_offset.get(position)
            depth += 1
        elif kind == _EOF:
            depth = max(0, depth - 1)
        elif kind == _FILEPASS:
            raise Rejection("FILE_ENCRYPTED")
        elif kind == _BOUNDSHEET:
            offset, _, sheet_type, count, wide = unpack("<IBBBB", stream, body)
            if sheet_type in (1, 6):
                raise Rejection("MACRO_ENABLED")
            raw = stream[body + 8 : body + 8 + count * (2 if wide & 1 else 1)]
            name = raw.decode("utf-16-le" if wide & 1 else "latin-1", "replace")
            by_offset[offset] = book.sheets[name] = OldSheet(name)
        elif kind == _SUPBOOK and length > 4:
            count = unpack("<H", stream, body + 2)[0]
            if count not in (0x0401, 0x3A01) and 1 < count < 0x100:
                book.links.append(_link(stream[body + 2 : body + length]))
        elif current is not None and depth == 1:
            if kind in _CELLS:
                row, column = unpack("<HH", stream, body)
                current.last_row = max(current.last_row, row)
                current.last_column = max(current.last_column, column)
                if kind == _FORMULA:
                    current.formulas[row, column] = ""
            elif kind == _ROW:
                row, flags = unpack("<H", stream, body)[0], unpack("<H", stream, body + 12)[0]
                if flags & 0x20:
                    current.hidden_rows.add(row)
            elif kind == _OBJ and length >= 6 and unpack("<H", stream, body + 4)[0] == 8:
                book.pictures += 1
        if kind == 0 and length == 0:
            break
        position = body + length
    if not book.sheets:
        raise Rejection("FILE_CORRUPT", reason="no sheet")
    return book


def _link(raw: bytes) -> str:
    count, wide = struct.unpack_from("<HB", raw, 0)
    text = raw[3 : 3 + count * (2 if wide & 1 else 1)].decode(
        "utf-16-le" if wide & 1 else "latin-1", "replace"
    )
    return "".join(mark for mark in text if mark.isprintable()) or "—"
