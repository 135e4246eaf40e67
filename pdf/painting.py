"""Annex pages written straight into WeasyPrint's page streams.

`PaintedPage` has what `weasyprint.document.Page` has (named in `faces.SEAM`), so a document may hold pages of both
kinds; WeasyPrint goes on doing fonts, metadata, outline, attachment and PDF/A.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from weasyprint.pdf.stream import Stream

from pdf.faces import Faces, Shelf
from pdf.pages import GridPage
from pdf.tables import LINE, MARGIN, PAD_X, PAGE_HEIGHT, PAGE_WIDTH, RULE, SIZE, TABLE_WIDTH, WORDS, Cell

_INK, _GREY, _TINT, _PALE = "0.1 0.1 0.1", "0.38 0.38 0.38", "0.955 0.945 0.92", "0.9 0.88 0.84"
_RULE_INK = "0.25 0.24 0.22"
_RISE = LINE / 2 + SIZE * 0.36  # from the top of a line to its baseline


class Runs(dict[tuple[str, bool], tuple[list[tuple[str, str]], int]]):
    """Texts of one document as (font, shown codes) with their width in 1/1000 em; notes every glyph used."""

    def __init__(self, faces: Faces, shelf: Shelf) -> None:
        super().__init__()
        self._faces, self._shelf = faces, shelf
        self._letters: dict[bool, dict[str, tuple[str, str, int, bool]]] = {False: {}, True: {}}

    def __missing__(self, text_and_weight: tuple[str, bool]) -> tuple[list[tuple[str, str]], int]:
        text, bold = text_and_weight
        letters = self._letters[bold]
        for character in sorted(set(text).difference(letters)):
            letters[character] = self._letter(character, bold)
        runs: list[tuple[str, str]] = []
        font, width = "", 0
        codes: list[str] = []
        for character in text:
            its_font, code, advance, alias = letters[character]
            width += advance
            if its_font != font or alias:
                if codes:
                    runs.append((font, f"<{''.join(codes)}>Tj"))
                    codes = []
                font = its_font
                if alias:
                    said = character.encode("utf-16-be").hex()
                    runs.append((font, f"/Span<</ActualText<feff{said}>>>BDC<{code}>Tj EMC"))
                    continue
            codes.append(code)
        if codes:
            runs.append((font, f"<{''.join(codes)}>Tj"))
        self[text_and_weight] = runs, width
        return runs, width

    def _letter(self, character: str, bold: bool) -> tuple[str, str, int, bool]:
        glyph = self._faces.find(character, bold)
        if glyph is None:
            raise AssertionError(f"U+{ord(character):04X} reached the painter unchecked")
        font = self._shelf.take(glyph.key)
        font.widths.setdefault(glyph.glyph, glyph.advance)
        owner = font.to_unicode.setdefault(glyph.glyph, character)
        # Two characters may share a glyph (U+2F00 and U+4E00): the second one says its name beside it.
        return glyph.font, glyph.code, glyph.advance, owner != character


@dataclass(frozen=True, slots=True)
class Margins:
    """What stands around every grid of one annex."""

    number: str
    agency: str
    verify_place: str
    verify_code: str
    pages: int
    specimen: bool


class PaintedPage:
    """One annex page, painted when WeasyPrint asks for it."""

    def __init__(self, grid: GridPage, page: int, margins: Margins, runs: Runs) -> None:
        self._grid, self._number, self._margins, self._runs = grid, page, margins, runs
        self.width, self.height = PAGE_WIDTH / 0.75, PAGE_HEIGHT / 0.75
        self.bleed = {"top": 0, "right": 0, "bottom": 0, "left": 0}
        self.bookmarks: list[tuple[int, str, tuple[float, float], str]] = [
            (level, label, (0, 0), "closed" if level > 1 else "open") for level, label in grid.bookmarks
        ]
        self.links: list[Any] = []
        self.anchors: dict[str, Any] = {}
        self.forms: dict[Any, list[Any]] = {None: []}

    def paint(self, stream: Stream, scale: float = 1) -> None:
        """Write the page's operators; the stream's origin is the upper left corner, its unit pt."""
        grid, margins = self._grid, self._margins
        cells = list(grid.cells())
        edges = grid.edges()
        top = grid.top
        out = ["q"]
        if margins.specimen:
            out.append(self._specimen())
        out += fills(cells, edges, top)
        out.append(f"{RULE} w {_RULE_INK} RG")
        out += [f"{a:.2f} {b:.2f} m {c:.2f} {d:.2f} l" for a, b, c, d in rules(cells, edges, top)]
        out.append(f"S {_INK} rg BT")
        self._font = ("", 0.0)
        for cell in cells:
            self._cell(out, cell, edges, top)
        bottom = top + max(cell.bottom for cell in cells)
        self._around(out, bottom)
        out.append("ET Q")
        stream.stream.append(" ".join(out).encode("ascii"))

    def _cell(self, out: list[str], cell: Cell, edges: tuple[float, ...], top: float) -> None:
        baseline = top + (cell.top + cell.bottom - len(cell.lines) * LINE) / 2 + _RISE
        left, right = edges[cell.left] + PAD_X, edges[cell.right] - PAD_X
        for line in cell.lines:
            if cell.align == "left":
                self._text(out, line, left, baseline, SIZE, cell.bold)
            else:
                self._text(out, line, (left + right) / 2, baseline, SIZE, cell.bold, 0.5)
            baseline += LINE

    def _text(
        self,
        out: list[str],
        text: str,
        x: float,
        y: float,
        size: float,
        bold: bool = False,
        anchor: float = 0,
    ) -> None:
        """Show one line; `anchor` 0, 0.5, 1 puts its left end, its middle or its right end at x."""
        runs, width = self._runs[text, bold]
        if anchor:
            hanging = len(text) - len(text.rstrip(" "))
            if hanging:
                width -= self._runs[" " * hanging, bold][1]
            x -= anchor * width * size / 1000
        out.append(f"1 0 0 -1 {x:.2f} {y:.2f} Tm")
        for font, shown in runs:
            if self._font != (font, size):
                self._font = (font, size)
                out.append(f"/{font} {size:g} Tf")
            out.append(shown)

    def _around(self, out: list[str], bottom: float) -> None:
        grid, margins = self._grid, self._margins
        right, middle = MARGIN + TABLE_WIDTH, PAGE_WIDTH / 2
        self._text(out, grid.title, middle, 40, 14, True, 0.5)
        above = grid.top - 5 - (len(grid.site_lines) - 1) * LINE
        for position, line in enumerate(grid.site_lines):
            self._text(out, line, MARGIN, above + position * LINE, SIZE)
        self._text(out, WORDS["number"].format(number=margins.number), MARGIN, above - 15, SIZE)
        paging = WORDS["page"].format(page=self._number, pages=margins.pages)
        self._text(out, paging, right, above - 15, SIZE, False, 1)
        out.append(f"{_GREY} rg")
        foot = PAGE_HEIGHT - 24
        if grid.row_continues:
            self._text(out, WORDS["row_continues"], right, bottom + 11, 8, False, 1)
        elif grid.last_of_table and bottom + 16 < foot - 12:
            self._text(out, WORDS["nothing_follows"], middle, bottom + 15, 8, False, 0.5)
        self._text(out, margins.agency, MARGIN, foot, 7.5)
        place = WORDS["verification"].format(place=margins.verify_place, code=margins.verify_code)
        self._text(out, place, right, foot, 7.5, False, 1)

    def _specimen(self) -> str:
        """Large pale words across the page."""
        text, size = WORDS["specimen"], 120
        runs, width = self._runs[text, True]
        half = width * size / 2000
        shown = " ".join(f"/{font} {size} Tf {codes}" for font, codes in runs)
        cosine, sine = 0.906, 0.423
        x = PAGE_WIDTH / 2 - half * cosine - 40 * sine
        y = PAGE_HEIGHT / 2 + half * sine + 40 * cosine
        return f"{_PALE} rg BT {cosine} {-sine} {-sine} {-cosine} {x:.1f} {y:.1f} Tm {shown} ET"


def fills(cells: Iterable[Cell], edges: tuple[float, ...], top: float) -> list[str]:
    """Operators for the tinted boxes."""
    tinted = [cell for cell in cells if cell.tinted]
    if not tinted:
        return []
    boxes = [
        f"{edges[cell.left]:.2f} {top + cell.top:.2f} {edges[cell.right] - edges[cell.left]:.2f} "
        f"{cell.bottom - cell.top:.2f} re"
        for cell in tinted
    ]
    return [f"{_TINT} rg", *boxes, "f"]


def rules(
    cells: Sequence[Cell], edges: tuple[float, ...], top: float
) -> list[tuple[float, float, float, float]]:
    """The grid as few straight segments (x0, y0, x1, y1): neighbouring box edges are joined."""
    across: dict[float, list[tuple[int, int]]] = {}
    down: dict[int, list[tuple[float, float]]] = {}
    # The boxes leave no gap: an upper edge is the lower one of the box above, so each is taken once.
    end = round(top + max(cell.bottom for cell in cells), 2)
    for cell in cells:
        upper, lower = round(top + cell.top, 2), round(top + cell.bottom, 2)
        across.setdefault(upper, []).append((cell.left, cell.right))
        down.setdefault(cell.right, []).append((upper, lower))
        if cell.left == 0:
            down.setdefault(0, []).append((upper, lower))
        if lower == end:
            across.setdefault(lower, []).append((cell.left, cell.right))
    segments = []
    for y, spans in across.items():
        segments += [(edges[int(a)], y, edges[int(b)], y) for a, b in _joined(spans)]
    for column, spans_down in down.items():
        segments += [(edges[column], a, edges[column], b) for a, b in _joined(spans_down)]
    return segments


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    ordered = sorted(spans)
    joined = [ordered[0]]
    for start, end in ordered[1:]:
        if start <= joined[-1][1] + 0.011:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
