"""Reads a finished certificate back, twice and independently: from the embedded record, and from the pages.

The page reader knows nothing of how pages were filled. It takes the rules that are drawn, makes boxes of them, puts
the text that is shown into the boxes by position, and finds the columns by their captions.
"""

from __future__ import annotations

import io
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pikepdf import Page, Pdf

from pdf.tables import LINE, WORDS
from pdf.values import Annex, AnnexRow, Certificate, annex_from_json, certificate_from_json

RECORD = "certificate.json"
_NUMBER = r"-?\d*\.?\d+"
_OPERATORS = re.compile(
    rf"(?P<matrix>(?:{_NUMBER} ){{6}})Tm|/(?P<font>[A-Z]+) (?P<size>{_NUMBER}) Tf"
    r"|/Span<</ActualText<feff(?P<said>[0-9a-f]+)>>>BDC<[0-9a-f]+>Tj EMC|<(?P<codes>[0-9a-f]+)>Tj"
    rf"|(?P<from>{_NUMBER} {_NUMBER}) m (?P<to>{_NUMBER} {_NUMBER}) l"
)
_BFCHAR = re.compile(rb"<([0-9a-f]{4})> <([0-9a-f]+)>")
_LABELS = {WORDS["columns"][name]: name for name in ("category", "object", "item_name")}
_BAR = re.compile(rf"【([\d.]+) ({'|'.join(map(re.escape, _LABELS))})】(.*)", re.S)
_CONTINUED = WORDS["continued"].format(label="")
_SECTION = re.compile(rf"(?:[{WORDS['numerals']}]+|\d+)、(.*)", re.S)
_PAGING = re.compile(r"第 (\d+) 页 共 (\d+) 页")


class Unreadable(ValueError):
    """The bytes are not a certificate that this house made."""


@dataclass(slots=True)
class _Shown:
    """What one page shows: texts by position (pt from the upper left corner) and straight rules."""

    texts: list[tuple[float, float, str]] = field(default_factory=list)
    across: list[tuple[float, float, float]] = field(default_factory=list)  # y, x0, x1
    down: list[tuple[float, float, float]] = field(default_factory=list)  # x, y0, y1


def embedded_record(pdf: bytes) -> tuple[Certificate, Annex]:
    """Certificate and annex as the embedded JSON record tells them. Raises Unreadable."""
    with _opened(pdf) as document:
        if RECORD not in document.attachments:
            raise Unreadable(f"no embedded {RECORD}")
        stored = json.loads(document.attachments[RECORD].get_file().read_bytes())
    return certificate_from_json(stored["certificate"]), annex_from_json(stored["annex"])


def annex_rows(pdf: bytes) -> list[AnnexRow]:
    """The capability rows of the embedded record, in printed order."""
    return list(embedded_record(pdf)[1].printed_order())


def printed_rows(pdf: bytes) -> list[AnnexRow]:
    """The capability rows that the pages show, in their order. Raises Unreadable when a grid makes no sense."""
    reader = _RowReader()
    with _opened(pdf) as document:
        fonts = _Fonts()
        for page in document.pages:
            shown = _shown(page, fonts)
            if any(text == WORDS["capabilities_title"] for _, _, text in shown.texts):
                reader.read(shown)
    return reader.rows


def printed_paging(pdf: bytes) -> list[tuple[int, int]]:
    """(page, of pages) as printed on each painted annex page."""
    numbers = []
    with _opened(pdf) as document:
        fonts = _Fonts()
        for page in document.pages:
            for _, _, text in _shown(page, fonts).texts:
                if match := _PAGING.fullmatch(text):
                    numbers.append((int(match[1]), int(match[2])))
    return numbers


def annex_differences(pdf: bytes, accepted: Iterable[AnnexRow]) -> list[str]:
    """How the annex differs from the accepted rows, by record and by print; empty when both hold exactly them."""
    expected = list(Annex(rows=tuple(accepted)).printed_order())
    differences = []
    for source, found in (("record", annex_rows(pdf)), ("print", printed_rows(pdf))):
        if len(found) != len(expected):
            differences.append(f"{source}: {len(found)} rows instead of {len(expected)}")
        for number, (wanted, got) in enumerate(zip(expected, found, strict=False), 1):
            if wanted != got:
                differences.append(f"{source}: row {number} is {got}, not {wanted}")
                break
    return differences


def _opened(pdf: bytes) -> Pdf:
    try:
        return Pdf.open(io.BytesIO(pdf))
    except Exception as error:
        raise Unreadable(f"not a readable PDF: {error}") from error


class _Fonts(dict[Any, dict[str, str]]):
    """Code to text of each font, from its ToUnicode map."""

    def of(self, page: Page) -> dict[str, dict[str, str]]:
        fonts: Any = page.obj.Resources.get("/Font", {})
        maps = {}
        for name, font in fonts.items():
            if font.objgen not in self:
                self[font.objgen] = {
                    code.decode(): bytes.fromhex(text.decode()).decode("utf-16-be")
                    for code, text in _BFCHAR.findall(font.ToUnicode.read_bytes())
                }
            maps[name[1:]] = self[font.objgen]
        return maps


def _shown(page: Page, fonts: _Fonts) -> _Shown:
    maps = fonts.of(page)
    shown = _Shown()
    codes: dict[str, str] = {}
    place: tuple[float, float] | None = None
    parts: list[str] = []
    content = page.obj.Contents.read_bytes().decode("latin-1")
    for match in _OPERATORS.finditer(content):
        kind = match.lastgroup
        if kind == "codes":
            text = match["codes"]
            parts.append("".join([codes.get(text[i : i + 4], "") for i in range(0, len(text), 4)]))
        elif kind == "size":
            codes = maps.get(match["font"], {})
        elif kind == "matrix":
            if parts and place:
                shown.texts.append((*place, "".join(parts)))
            parts = []
            a, b, c, d, x, y = map(float, match["matrix"].split())
            place = (x, y) if (a, b, c, d) == (1, 0, 0, -1) else None
        elif kind == "to":
            (x0, y0), (x1, y1) = (map(float, match[end].split()) for end in ("from", "to"))
            if y0 == y1:
                shown.across.append((y0, x0, x1))
            elif x0 == x1:
                shown.down.append((x0, y0, y1))
        else:
            parts.append(bytes.fromhex(match["said"]).decode("utf-16-be"))
    if parts and place:
        shown.texts.append((*place, "".join(parts)))
    return shown


class _Grid:
    """Boxes made of the drawn rules; each holds the joined text of the lines that begin in it."""

    def __init__(self, shown: _Shown) -> None:
        self.edges = sorted({x for x, _, _ in shown.down})
        if len(self.edges) < 2 or not shown.across:
            raise Unreadable("a capability page without a grid")
        self.top = min(y for y, _, _ in shown.across)
        self.bottom = max(y for y, _, _ in shown.across)
        self.levels: list[list[float]] = []
        for left, right in zip(self.edges, self.edges[1:], strict=False):
            middle = (left + right) / 2
            self.levels.append(sorted({y for y, x0, x1 in shown.across if x0 <= middle <= x1}))
        self._down = shown.down
        self.above: list[tuple[float, float, str]] = []
        self.below: list[str] = []
        self._boxes: dict[tuple[int, int], list[tuple[float, str]]] = {}
        for x, y, text in shown.texts:
            if y < self.top:
                self.above.append((x, y, text))
            elif y > self.bottom:
                if y < self.bottom + LINE:
                    self.below.append(text)
            else:
                column = bisect_right(self.edges, x) - 1
                box = bisect_right(self.levels[column], y) - 1
                self._boxes.setdefault((column, box), []).append((y, text))

    def text(self, column: int, box: int) -> str:
        """The text in a box, its lines joined from top to bottom."""
        return "".join(
            text for _, text in sorted(self._boxes.get((column, box), ()), key=lambda line: line[0])
        )

    def box_at(self, column: int, y: float) -> int:
        """Which box of a column lies at a height."""
        return bisect_right(self.levels[column], y) - 1

    def is_bar(self, y: float) -> bool:
        """No rule parts the columns at this height."""
        second = self.edges[1]
        return not any(x == second and y0 < y < y1 for x, y0, y1 in self._down)

    def columns(self) -> tuple[dict[str, int], float]:
        """Column of each caption, and where the header ends."""
        captions = {caption: name for name, caption in WORDS["columns"].items()}
        found: dict[str, int] = {}
        end = self.top
        for column, levels in enumerate(self.levels):
            for box in range(min(2, len(levels) - 1)):
                name = captions.get(self.text(column, box))
                if name == "item":
                    continue
                if name and (name not in ("item_number", "number") or name not in found):
                    found.setdefault("object" if name == "object_alone" else name, column)
                    end = max(end, levels[box + 1])
                    break
        for needed in ("object", "item_name", "standard", "limit", "note"):
            if needed not in found:
                raise Unreadable(f"no column {needed}")
        return found, end


class _RowReader:
    """Collects rows over pages: sections, long labels, and rows that go on over a page break."""

    def __init__(self) -> None:
        self.rows: list[AnnexRow] = []
        self._site = ""
        self._section = self._section_bar = ""
        self._long: dict[tuple[str, str], str] = {}
        self._bar_parts: list[str] = []
        self._row_continues = False

    def read(self, shown: _Shown) -> None:
        """Read one capability page."""
        grid = _Grid(shown)
        site = self._site_of(grid)
        if site != self._site:
            self._site, self._section, self._section_bar, self._long = site, "", "", {}
        columns, y = grid.columns()
        standard = columns["standard"]
        levels = grid.levels[standard]
        first = True
        for box in range(grid.box_at(standard, y + 1), len(levels) - 1):
            middle = (levels[box] + levels[box + 1]) / 2
            if grid.is_bar(middle):
                part = grid.text(0, grid.box_at(0, middle))
                self._bar(part)
                continue
            self._bars()
            own = tuple(grid.text(columns[name], box) for name in ("standard", "limit", "note"))
            if first and self._row_continues:
                last = self.rows[-1]
                joined = (
                    a + b for a, b in zip((last.standard_text, last.limit, last.note), own, strict=True)
                )
                self.rows[-1] = AnnexRow(
                    last.site, last.section, last.category, last.object, last.parameter, *joined
                )  # fmt: skip
            else:
                self.rows.append(self._row(grid, columns, middle, own))
            first = False
        self._row_continues = WORDS["row_continues"] in grid.below

    def _row(self, grid: _Grid, columns: dict[str, int], y: float, own: Sequence[str]) -> AnnexRow:
        def label(name: str, number_column: int) -> str:
            if name not in columns:
                return ""
            column = columns[name]
            text = grid.text(column, grid.box_at(column, y))
            number = grid.text(number_column, grid.box_at(number_column, y))
            if text == WORDS["see_bar"].format(number=number):
                return self._long.get((number, name), text)
            return text

        standard_text, limit, note = own
        return AnnexRow(
            self._site, self._section, label("category", 0), label("object", 0),
            label("item_name", columns["item_name"] - 1), standard_text, limit, note,
        )  # fmt: skip

    def _bar(self, part: str) -> None:
        """Take one bar: a section, its repetition, or (part of) a label; a section stands before its labels."""
        if self._repeats_the_section(part):
            return
        if self._bar_parts or _BAR.fullmatch(part):
            self._bar_parts.append(part)
        elif match := _SECTION.fullmatch(part):
            self._section, self._section_bar = match[1], part
        else:
            raise Unreadable(f"a bar that is neither section nor label: {part[:40]}")

    def _bars(self) -> None:
        """Put together the labels that stood in bars; a very long one fills several."""
        texts: list[str] = []
        for part in self._bar_parts:
            if _BAR.fullmatch(part) or not texts:
                texts.append(part)
            else:
                texts[-1] += part
        self._bar_parts = []
        for text in texts:
            if match := _BAR.fullmatch(text):
                self._long[match[1], _LABELS[match[2]]] = match[3]

    def _repeats_the_section(self, bar: str) -> bool:
        """The bar at the head of a page names again the section in which the page before ended."""
        if not self._section_bar or not bar.endswith(_CONTINUED):
            return False
        begun = bar.removesuffix(_CONTINUED)
        return begun == self._section_bar or (
            begun.endswith("…") and self._section_bar.startswith(begun[:-1])
        )

    def _site_of(self, grid: _Grid) -> str:
        prefix = WORDS["site"].format(site="")
        left = min(x for x, _, _ in grid.above)
        lines = [
            text for x, _, text in sorted(grid.above, key=lambda shown: shown[1]) if abs(x - left) < 0.02
        ]
        for position, line in enumerate(lines):
            if line.startswith(prefix):
                return "".join(lines[position:]).removeprefix(prefix)
        raise Unreadable("a capability page without its site")
