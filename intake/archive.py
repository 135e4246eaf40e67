"""The .xlsx archive looked at from outside, before any spreadsheet reader sees a byte of it.

Every part that will be read is unpacked here under a limit and checked; the reader then gets a new archive made of
exactly these bytes, so that two readings of one crafted archive cannot differ.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from xml.parsers import expat

from intake.problems import Rejection

MAX_PARTS = 200  # beside pictures
MAX_MEDIA = 4_000
MAX_UNPACKED = 100 * 1024 * 1024
# A real table packs 1:5 to 1:30. Small parts may pack better without harm, so the ratio counts from a size on.
BOMB_RATIOS = ((4 * 1024 * 1024, 250.0), (16 * 1024 * 1024, 100.0))

_MEDIA = re.compile(r"(^|/)(media|embeddings|thumbnail|printerSettings|ctrlProps|activeX)/", re.IGNORECASE)
_DTD = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_DTD_WIDE = tuple(
    word.encode(form) for word in ("<!DOCTYPE", "<!ENTITY") for form in ("utf-16-le", "utf-16-be")
)
_MACRO_TYPES = re.compile(rb"macroEnabled|vbaProject|ms-excel\.(intl)?macrosheet", re.IGNORECASE)


@dataclass(slots=True)
class SheetPart:
    """A worksheet's name, whether it is hidden, and the part that holds it."""

    name: str
    hidden: bool
    part: str


@dataclass(slots=True)
class Archive:
    """What was found: the sheets in order, the checked parts by name, links to elsewhere, pictures."""

    sheets: list[SheetPart] = field(default_factory=list)
    parts: dict[str, bytes] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    pictures: int = 0

    def pack(self) -> io.BytesIO:
        """A new archive of the checked parts; they are given up one by one, so that memory holds them once."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
            for name in list(self.parts):
                content = self.parts.pop(name)
                large = len(content) > 8 * 1024 * 1024
                packed.writestr(name, content, zipfile.ZIP_DEFLATED if large else zipfile.ZIP_STORED, 1)
        target.seek(0)
        return target


def open_archive(content: bytes) -> Archive:
    """Check an .xlsx archive and take out what is needed.

    Raises Rejection: FILE_CORRUPT, FILE_ENCRYPTED, FILE_TYPE_MISMATCH, FILE_TYPE_NOT_ALLOWED, MACRO_ENABLED,
    FILE_TOO_LARGE_UNCOMPRESSED, ZIP_BOMB, ZIP_PATH_FORBIDDEN, XML_DTD_FORBIDDEN.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return _inspect(packed)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        UnicodeDecodeError,
        OSError,
    ) as broken:
        raise Rejection("FILE_CORRUPT", reason=str(broken)) from broken
    except (ValueError, IndexError, KeyError, RuntimeError, OverflowError) as broken:
        raise Rejection("FILE_CORRUPT", reason=str(broken)) from broken


def _inspect(packed: zipfile.ZipFile) -> Archive:
    entries = packed.infolist()
    _check_names(entries)
    _check_sizes(entries)
    # some writers use backslashes between folders
    names = [entry.filename.replace("\\", "/") for entry in entries]
    _check_kind(names)
    if len(set(names)) != len(names):
        raise Rejection("FILE_CORRUPT", reason="two parts have the same name")
    parts: dict[str, bytes] = {}
    for name, entry in zip(names, entries, strict=True):
        if name.lower().endswith((".xml", ".rels", ".vml")):
            parts[name] = _unpack(packed, entry)
    for content in parts.values():
        if _DTD.search(content) or any(word in content for word in _DTD_WIDE):
            raise Rejection("XML_DTD_FORBIDDEN")
    if _MACRO_TYPES.search(parts.get("[Content_Types].xml", b"")) or any(_is_macro(name) for name in names):
        raise Rejection("MACRO_ENABLED")
    archive = Archive(pictures=sum(1 for name in names if "/media/" in name or "/embeddings/" in name))
    _take_sheets(archive, parts)
    archive.links = _links(parts)
    return archive


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        # orig_filename still has what the library cuts off or turns round (NUL, backslash)
        raw = entry.orig_filename
        pieces = re.split(r"[/\\]", raw)
        is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
        if raw.startswith(("/", "\\")) or ".." in pieces or ":" in raw or "\0" in raw or is_link:
            raise Rejection("ZIP_PATH_FORBIDDEN", part=raw[:80].replace("\0", "␀"))
        if entry.flag_bits & 0x1:
            raise Rejection("FILE_ENCRYPTED")


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    media = sum(1 for entry in entries if _MEDIA.search(entry.filename))
    if media > MAX_MEDIA or len(entries) - media > MAX_PARTS:
        raise Rejection("ZIP_BOMB", parts=len(entries))
    total = packed = 0
    for entry in entries:
        total += entry.file_size
        packed += entry.compress_size
        if _is_bomb(entry.file_size, entry.compress_size):
            raise Rejection("ZIP_BOMB", part=entry.filename[:80])
        if entry.filename.lower().endswith((".zip", ".gz", ".7z", ".rar")):
            raise Rejection("ZIP_BOMB", part=entry.filename[:80])
    if _is_bomb(total, packed):
        raise Rejection("ZIP_BOMB")
    if total > MAX_UNPACKED:
        raise Rejection(
            "FILE_TOO_LARGE_UNCOMPRESSED", size=f"{total >> 20} MB", limit=f"{MAX_UNPACKED >> 20} MB"
        )


def _is_bomb(size: int, packed: int) -> bool:
    return any(size > least and size > ratio * max(packed, 1) for least, ratio in BOMB_RATIOS)


def _check_kind(names: list[str]) -> None:
    lower = {name.lower() for name in names}
    if "xl/workbook.bin" in lower:
        raise Rejection("FILE_TYPE_NOT_ALLOWED", named=".xlsb")
    if not any(name.startswith("xl/") for name in lower):
        actual = "zip"
        if any(name.startswith("word/") for name in lower):
            actual = "docx"
        elif any(name.startswith("ppt/") for name in lower):
            actual = "pptx"
        elif "mimetype" in lower and "content.xml" in lower:
            actual = "OpenDocument"
        raise Rejection("FILE_TYPE_MISMATCH", actual=actual)


def _is_macro(name: str) -> bool:
    lower = name.lower()
    return lower.endswith("vbaproject.bin") or "/macrosheets/" in lower or "/dialogsheets/" in lower


def _unpack(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The part's bytes; never more than it declares, and its checksum must fit."""
    with packed.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise Rejection("FILE_CORRUPT", reason=f"{entry.filename[:80]}: size differs from its declaration")
    return content


def _take_sheets(archive: Archive, parts: dict[str, bytes]) -> None:
    main = _main_part(parts)
    targets = _relations(parts, main)
    kept = {"[Content_Types].xml", "_rels/.rels", main, _rels_of(main)}
    declared: list[tuple[str, str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "sheet":
            reference = next((v for k, v in attributes.items() if k == "id" or k.endswith(":id")), "")
            declared.append((attributes.get("name", ""), attributes.get("state", "visible"), reference))

    scan(parts[main], start)
    taken: set[str] = set()
    for name, state, reference in declared:
        kind, target, _ = targets.get(reference, ("", "", False))
        if target in taken or len(archive.sheets) >= MAX_PARTS:
            raise Rejection("ZIP_BOMB", part=target[:80])
        if kind.endswith("/worksheet") and target in parts:
            taken.add(target)
            kept.add(target)
            archive.sheets.append(SheetPart(name, state != "visible", target))
        elif kind.endswith("/worksheet"):
            raise Rejection("FILE_CORRUPT", reason=f"the part of sheet {name[:31]} is missing")
    for kind, target, _ in targets.values():
        if kind.endswith(("/sharedStrings", "/styles", "/chartsheet")) and target in parts:
            kept.add(target)
            if not kind.endswith("/chartsheet"):
                scan(parts[target], None)
    if not archive.sheets:
        raise Rejection("FILE_CORRUPT", reason="no worksheet")
    archive.parts = {name: parts[name] for name in sorted(kept & parts.keys())}


def _main_part(parts: dict[str, bytes]) -> str:
    if "[Content_Types].xml" not in parts:
        raise Rejection("FILE_CORRUPT", reason="[Content_Types].xml is missing")
    for kind, target, _ in _relations(parts, "").values():
        if kind.endswith("/officeDocument") and target in parts:
            return target
    if "xl/workbook.xml" in parts:
        return "xl/workbook.xml"
    raise Rejection("FILE_CORRUPT", reason="the workbook part is missing")


def _rels_of(part: str) -> str:
    folder, _, name = part.rpartition("/")
    return f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"


def _relations(parts: dict[str, bytes], part: str) -> dict[str, tuple[str, str, bool]]:
    """Id -> (type, resolved target, external) of a part's relationships."""
    found: dict[str, tuple[str, str, bool]] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "Relationship":
            target = attributes.get("Target", "")
            external = attributes.get("TargetMode", "") == "External"
            if not external:
                target = target[1:] if target.startswith("/") else normpath(join(dirname(part), target))
            found[attributes.get("Id", "")] = (attributes.get("Type", ""), target, external)

    content = parts.get(_rels_of(part))
    if content is not None:
        scan(content, start)
    return found


def _links(parts: dict[str, bytes]) -> list[str]:
    """Other files and addresses the workbook would fetch from (plain hyperlinks are not fetched)."""
    links: list[str] = []
    for name in parts:
        if "/externallinks/" not in name.lower() or not name.lower().endswith(".xml"):
            continue
        outside = [target for _, target, external in _relations(parts, name).values() if external]
        links += outside or [name.rpartition("/")[2]]
    links += [name for name in parts if name.lower().endswith(("xl/connections.xml",))]
    return links


def scan(content: bytes, start: object) -> None:
    """Parse XML for its start tags only. Raises Rejection: XML_DTD_FORBIDDEN, or FILE_CORRUPT when malformed."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_dtd
    if start is not None:
        parser.StartElementHandler = start  # type: ignore[assignment]
    try:
        parser.Parse(content, True)
    except expat.ExpatError as malformed:
        raise Rejection("FILE_CORRUPT", reason=str(malformed)) from malformed


def _refuse_dtd(*_: object) -> None:
    raise Rejection("XML_DTD_FORBIDDEN")
