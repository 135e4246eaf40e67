"""Spreadsheets made by hand, part by part, so that they can be made wrongly on purpose."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

HEADER: list[list[object]] = [
    ["检验检测能力申请表"],
    ["检验检测机构地址：虚拟大道1号"],
    [
        "序号",
        "类别(产品/项目/参数)",
        "产品/项目/参数",
        "",
        "依据的标准（方法）名称及编号（含年号）",
        "限制范围",
        "说明",
    ],
    ["", "", "序号", "名称", "", "", ""],
]
ROWS: list[list[object]] = [
    ["一", "水和废水", "", "", "", "", ""],
    [1, "地表水", "1.1", "pH值", "《水质 pH值的测定 电极法》HJ 1147-2020", "", ""],
    ["", "", "1.2", "色度", "《水质 色度的测定》GB/T 11903-1989", "", ""],
]
NOTE: list[list[object]] = [["注：参数相同的不重复填写。"]]
MERGES = ("A1:G1", "A2:G2", "A3:A4", "B3:B4", "C3:D3", "E3:E4", "F3:F4", "G3:G4", "B5:G5")


class Formula(str):
    """A formula with a stored value."""

    stored: str = ""

    @classmethod
    def of(cls, text: str, stored: str) -> Formula:
        formula = cls(text)
        formula.stored = stored
        return formula


def letter(column: int) -> str:
    return chr(65 + column)


def sheet_xml(
    rows: Sequence[Sequence[object]],
    merges: Sequence[str] = (),
    hidden_rows: Sequence[int] = (),
    dimension: str = "",
    extra: str = "",
) -> str:
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for column, value in enumerate(row):
            place = f"{letter(column)}{number}"
            if value == "" or value is None:
                continue
            if isinstance(value, Formula):
                cells.append(
                    f'<c r="{place}" t="str"><f>{escape(value)}</f><v>{escape(value.stored)}</v></c>'
                )
            elif isinstance(value, str):
                cells.append(
                    f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
                )
            else:
                cells.append(f'<c r="{place}"><v>{value}</v></c>')
        hidden = ' hidden="1"' if number in hidden_rows else ""
        lines.append(f'<row r="{number}"{hidden}>{"".join(cells)}</row>')
    merged = "".join(f'<mergeCell ref="{area}"/>' for area in merges)
    return (
        f'{XML}<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        + (f'<dimension ref="{dimension}"/>' if dimension else "")
        + f"<sheetData>{''.join(lines)}</sheetData>"
        + (f'<mergeCells count="{len(merges)}">{merged}</mergeCells>' if merges else "")
        + extra
        + "</worksheet>"
    )


def xlsx(
    sheets: Sequence[tuple[str, str] | tuple[str, str, str]],
    parts: dict[str, bytes | str] | None = None,
    styles: str = "",
    content_type: str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    flags: int = 0,
) -> bytes:
    """An archive of (name, xml[, state]) sheets; `parts` are added or replace what would be written."""
    declared = "".join(
        f'<sheet name="{escape(sheet[0])}" sheetId="{n}" r:id="rId{n}"'
        + (f' state="{sheet[2]}"' if len(sheet) > 2 else "")
        + "/>"
        for n, sheet in enumerate(sheets, 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    written: dict[str, bytes | str] = {
        "[Content_Types].xml": (
            f'{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{content_type}"/>{types}</Types>'
        ),
        "_rels/.rels": (
            f'{XML}<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{declared}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'{XML}<Relationships xmlns="{PACKAGE}">{relations}'
            f'<Relationship Id="rId900" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>'
        ),
        "xl/styles.xml": styles or f'{XML}<styleSheet xmlns="{MAIN}"/>',
    }
    for n, sheet in enumerate(sheets, 1):
        written[f"xl/worksheets/sheet{n}.xml"] = sheet[1]
    written |= parts or {}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in written.items():
            archive.writestr(name, content)
    made = target.getvalue()
    if flags:
        made = _with_flags(made, flags)
    return made


def _with_flags(archive: bytes, flags: int) -> bytes:
    """The same archive with general purpose flags set on every entry."""
    made = bytearray(archive)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = made.find(mark)
        while place >= 0:
            made[place + offset] |= flags
            place = made.find(mark, place + 4)
    return bytes(made)


def table(
    rows: Sequence[Sequence[object]] | None = None,
    merges: Sequence[str] = MERGES,
    hidden_rows: Sequence[int] = (),
    extra_merges: Sequence[str] = (),
    **parts: object,
) -> bytes:
    """附表1 with the given data rows under the official header."""
    body = [*HEADER, *(ROWS if rows is None else rows), *NOTE]
    return xlsx([("附表1", sheet_xml(body, [*merges, *extra_merges], hidden_rows))], **parts)  # type: ignore[arg-type]


def ole(streams: dict[str, bytes]) -> bytes:
    """A compound file with the given streams (each padded to 4,096 bytes so that it needs no mini stream)."""
    sector = 512
    chains: list[tuple[str, int, int]] = []
    body = b""
    fat: list[int] = [0xFFFFFFFD]
    for name, content in streams.items():
        padded = content.ljust(max(4096, -(-len(content) // sector) * sector), b"\0")
        count = len(padded) // sector
        first = len(fat)
        fat += [*range(first + 1, first + count), 0xFFFFFFFE]
        chains.append((name, first, len(padded)))
        body += padded
    directory_at = len(fat)
    entries = [("Root Entry", 0xFFFFFFFE, 0, 5)] + [(name, first, size, 2) for name, first, size in chains]
    directory = b""
    for name, first, size, kind in entries:
        raw = name.encode("utf-16-le") + b"\0\0"
        directory += (
            raw.ljust(64, b"\0")
            + struct.pack("<HBB", len(raw), kind, 1)
            + struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, 1 if kind == 5 else 0xFFFFFFFF)
            + b"\0" * 36
            + struct.pack("<IQ", first, size)
        )
    directory = directory.ljust(-(-len(directory) // sector) * sector, b"\0")
    count = len(directory) // sector
    fat += [*range(directory_at + 1, directory_at + count), 0xFFFFFFFE]
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 16
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + b"\0" * 6
    )
    header += struct.pack("<IIIIIIIII", 0, 1, directory_at, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<I", 0) + b"\xff" * 432
    fat_sector = struct.pack(f"<{len(fat)}I", *fat).ljust(sector, b"\xff")
    assert len(fat_sector) == sector and len(header) == 512
    return header + fat_sector + body + directory


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def encrypted_xls() -> bytes:
    """An old workbook whose globals say that a password is needed."""
    book = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0)) + record(
        0x002F, b"\1\0" + b"\0" * 52
    )
    return ole({"Workbook": book})


def old_xls(
    rows: Sequence[Sequence[object]], hidden_rows: Sequence[int] = (), far: tuple[int, int] | None = None
) -> bytes:
    """A workbook of one sheet in BIFF8 records; a Formula keeps its stored number, which is all it can have."""

    def text(value: str) -> bytes:
        return struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")

    body = b""
    for index, row in enumerate(rows):
        flags = 0x0100 | (0x20 if index + 1 in hidden_rows else 0)
        body += record(0x0208, struct.pack("<HHHHHHHH", index, 0, len(row), 255, 0, 0, flags, 0x0F))
        for column, value in enumerate(row):
            place = struct.pack("<HHH", index, column, 0)
            if isinstance(value, Formula):
                number = struct.pack("<d", float(value.stored))
                body += record(0x0006, place + number + struct.pack("<HIH", 0, 0, 3) + b"\x1e\x01\x00")
            elif isinstance(value, str) and value:
                body += record(0x0204, place + text(value))
            elif isinstance(value, int | float):
                body += record(0x0203, place + struct.pack("<d", value))
    if far:
        body += record(0x0203, struct.pack("<HHHd", *far, 0, 1.0))
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)) + body + record(0x000A)
    start = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    name = "附表1".encode("utf-16-le")
    offset = len(start) + 4 + 8 + len(name) + 4
    bound = record(0x0085, struct.pack("<IBBBB", offset, 0, 0, len(name) // 2, 1) + name)
    return ole({"Workbook": start + bound + record(0x000A) + sheet})
