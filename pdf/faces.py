"""The typefaces of the house and what they can show; the only place that knows how WeasyPrint keeps fonts.

Whole system fonts only: sliced web fonts print wrong characters silently. The seam to WeasyPrint 70 (`Stream`,
`Font`) is named in `SEAM` and held by a test, so that an upgrade fails there and not in a certificate.
"""

from __future__ import annotations

import copy
import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import uharfbuzz as hb  # type: ignore[import-untyped]
from weasyprint import HTML, Document
from weasyprint.pdf.fonts import Font
from weasyprint.pdf.stream import Stream
from weasyprint.text.fonts import FontConfiguration

# In the order of asking; the first must be there, the others fill in rare characters where they are installed.
FAMILIES = ("Noto Serif CJK SC", "Noto Sans CJK SC", "BabelStone Han", "HanaMinB", "HanaMinA")
PACKAGES = "fonts-noto-cjk fonts-babelstone-han fonts-hanazono"

SEAM = {
    "weasyprint.document.Page": ("width", "height", "bleed", "bookmarks", "links", "anchors", "forms", "paint"),
    "weasyprint.document.Document": ("fonts", "pages", "metadata", "copy", "write_pdf"),
    "weasyprint.pdf.stream.Stream": ("stream", "_fonts", "add_font"),
    "weasyprint.pdf.fonts.Font": (
        "hash", "family", "weight", "widths", "to_unicode", "missing", "file_content", "index", "clean", "upem",
    ),
}  # fmt: skip

_FORMATTING = frozenset("\u00ad\u061c\u180e\ufeff\ufffe\uffff") | {chr(c) for c in range(0x200B, 0x2010)}


class FontsMissing(RuntimeError):
    """A typeface that every document needs is not installed; the message names the system packages."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One character that must not be printed: where it stands, and why it cannot be shown."""

    character: str
    code_point: str
    where: str
    reason: str

    def __str__(self) -> str:
        shown = self.character if self.character.isprintable() else ""
        return f"{self.where}: {shown}({self.code_point}) {self.reason}"


class MissingGlyph(ValueError):
    """A text holds characters that cannot be printed faithfully; `refusals` lists each with its place."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = tuple(refusals)
        shown = "; ".join(map(str, self.refusals[:10]))
        more = f"; and {len(self.refusals) - 10} more" if len(self.refusals) > 10 else ""
        super().__init__(f"cannot be printed: {shown}{more}")


@dataclass(frozen=True, slots=True)
class Glyph:
    """How one character is drawn: font key in the PDF, glyph id as hex, advance in 1/1000 em."""

    key: int
    font: str
    glyph: int
    code: str
    advance: int


class SubsetFont(Font):  # type: ignore[misc]
    """A WeasyPrint font that is cut in one pass by HarfBuzz, instead of two that keep empty slots."""

    face: hb.Face

    def clean(self, to_unicode: dict[int, str], hinting: bool) -> None:
        """Replace the whole font file by the used glyphs; CFF fonts keep their codes in the charset."""
        self.file_content = cut(self.face, to_unicode)


def cut(face: hb.Face, glyphs: Iterable[int]) -> bytes:
    """The font file with only these glyphs. A CID-keyed CFF keeps the old glyph ids as CIDs, so codes in the
    page streams stay valid; a TrueType font keeps its glyph numbering."""
    wanted = hb.SubsetInput()
    wanted.sets(hb.SubsetInputSets.GLYPH_INDEX).set({0, *glyphs})
    drop = wanted.sets(hb.SubsetInputSets.DROP_TABLE_TAG)
    for tag in (
        "GSUB",
        "GPOS",
        "GDEF",
        "BASE",
        "vhea",
        "vmtx",
        "VORG",
        "DSIG",
        "name",
        "cmap",
        "OS/2",
        "post",
    ):
        drop.add(int.from_bytes(tag.encode(), "big"))
    flags = hb.SubsetFlags.NO_HINTING | hb.SubsetFlags.DESUBROUTINIZE | hb.SubsetFlags.NOTDEF_OUTLINE
    flags |= hb.SubsetFlags.NO_LAYOUT_CLOSURE
    if "CFF " not in face.table_tags:
        flags |= hb.SubsetFlags.RETAIN_GIDS
    wanted.flags = flags
    return bytes(hb.subset(face, wanted).blob.data)


class Shelf(dict[int, Font]):
    """The fonts of one document: filled from the opened faces, so that no file is read twice."""

    def __init__(self, opened: dict[int, SubsetFont]) -> None:
        super().__init__()
        self._opened = opened

    def __contains__(self, key: object) -> bool:
        if super().__contains__(key):
            return True
        if isinstance(key, int) and key in self._opened:
            self.take(key)
            return True
        return False

    def strangers(self) -> list[Refusal]:
        """Characters that were drawn with a typeface which is not ours, or without a glyph."""
        found = []
        for font in self.values():
            texts = [chr(point) for point in font.missing]
            if not isinstance(font, SubsetFont):
                texts += font.to_unicode.values()
            reason = f"was drawn with the typeface {font.family}"
            found += [Refusal(text, f"U+{ord(text[0]):04X}", "page", reason) for text in texts]
        return found

    def take(self, key: int) -> Font:
        """The document's own copy of an opened font, with nothing used yet."""
        font = self.get(key)
        if font is None:
            font = copy.copy(self._opened[key])
            font.widths, font.to_unicode, font.missing = {}, {}, {}
            self[key] = font
        return font


def plain_stream(fonts: dict[int, Any]) -> Stream:
    """A stream to paint on for the fonts' sake only."""
    resources: dict[str, Any] = {
        "ExtGState": {},
        "XObject": {},
        "Pattern": {},
        "Shading": {},
        "ColorSpace": None,
    }
    return Stream(fonts, (0, 0, 1, 1), resources, {}, None, {}, None)


class Faces:
    """The opened typefaces: glyph lookup in two weights, refusal of what cannot be shown, fonts for a document."""

    def __init__(self, font_config: FontConfiguration) -> None:
        self._font_config = font_config
        self._specimens: list[Document] = []
        self._tried: dict[str, bool] = {}
        self.opened: dict[int, SubsetFont] = {}
        self._measures: dict[int, hb.Font] = {}
        self._keys: dict[tuple[str, bool], int] = {}
        self._glyphs: dict[bool, dict[str, Glyph | None]] = {False: {}, True: {}}
        if not self.open_family(FAMILIES[0]):
            raise FontsMissing(f"typeface {FAMILIES[0]} is not installed; install {PACKAGES}")

    def open_family(self, family: str) -> bool:
        """Let WeasyPrint choose the font files of one family, and keep them open; False when it is not installed.

        The rarer families are opened when a text first needs them: each file is 20 to 30 MB.
        """
        if family in self._tried:
            return self._tried[family]
        # A character that the family has: for any other one, Pango would open a second family beside it.
        sample = "\U00020000" if family == "HanaMinB" else "\u4e00"
        page = (
            '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
            f"<body style='font-family:\"{family}\"'><p>{sample}<p><b>{sample}</b>"
        )
        specimen = HTML(string=page, url_fetcher=refuse_fetch).render(font_config=self._font_config)
        drawn: dict[int, Font] = {}
        specimen.pages[0].paint(plain_stream(drawn))
        # Kept for ever: the font objects point into what Pango opened for this page.
        self._specimens.append(specimen)
        found = {key: font for key, font in drawn.items() if font.family == family}
        self._tried[family] = bool(found)
        faces: dict[tuple[bytes, int], hb.Face] = {}
        for key, font in found.items():
            file = (hashlib.sha256(font.file_content).digest(), font.index)
            if file not in faces:
                faces[file] = hb.Face(hb.Blob(font.file_content), font.index)
            font.__class__ = SubsetFont
            font.face, font.file_content = faces[file], font.file_content[:4]
            self.opened[key] = font
            self._measures[key] = hb.Font(font.face)
        for bold in (False, True) if found else ():
            self._keys[family, bold] = min(found, key=lambda key: (found[key].weight >= 600) != bold)
        return bool(found)

    def shelf(self) -> Shelf:
        """Fonts for one new document."""
        return Shelf(self.opened)

    def find(self, character: str, bold: bool = False) -> Glyph | None:
        """The glyph of a character in the first face that has it; None when no face has it."""
        known = self._glyphs[bold]
        try:
            return known[character]
        except KeyError:
            glyph = known[character] = self._look_up(character, bold)
            return glyph

    def _look_up(self, character: str, bold: bool) -> Glyph | None:
        for family in FAMILIES:
            if not self.open_family(family):
                continue
            key = self._keys[family, bold]
            font, measure = self.opened[key], self._measures[key]
            glyph = measure.get_nominal_glyph(ord(character))
            if glyph:
                advance = round(measure.get_glyph_h_advance(glyph) * 1000 / font.upem)
                return Glyph(key, font.hash, glyph, f"{glyph:04x}", advance)
        return None

    def advance(self, character: str, bold: bool = False) -> int:
        """Advance in 1/1000 em; a character without a glyph counts as a full square."""
        glyph = self.find(character, bold)
        return glyph.advance if glyph else 1000

    @cached_property
    def _passed(self) -> set[str]:
        return set()

    def refusals(
        self, texts: Iterable[tuple[str, str]], line_breaks: frozenset[str] = frozenset()
    ) -> list[Refusal]:
        """Every character that cannot be printed as it was given, with where it stands.

        `texts` are (where, text) pairs; in the places named by `line_breaks` a line feed is allowed.
        """
        passed, found = self._passed, []
        for where, text in texts:
            for character in sorted(set(text) - passed, key=text.index):
                if character == "\n" and where.split("[")[0] in line_breaks:
                    continue
                if reason := self._why_not(character):
                    found.append(Refusal(character, f"U+{ord(character):04X}", where, reason))
                else:
                    passed.add(character)
        return found

    def _why_not(self, character: str) -> str:
        category = unicodedata.category(character)
        if category == "Co":
            return "private-use character: each computer may show another sign"
        if category in ("Cc", "Cs", "Zl", "Zp"):
            return "control character"
        if category == "Cf" or character in _FORMATTING:
            return "invisible or direction-changing character"
        if 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF:
            return "variation selector"
        if 0x1F000 <= ord(character) <= 0x1FAFF:
            return "picture sign: each computer shows another picture"
        if self.find(character) is None:
            return "no installed typeface has this character"
        return ""


def _refusing_fetcher() -> Any:
    from weasyprint.urls import URLFetcher

    return URLFetcher(allowed_protocols=(), allow_redirects=False, fail_on_errors=True)


#: Refuses every address, whatever the protocol; what is refused stops the render.
refuse_fetch = _refusing_fetcher()
