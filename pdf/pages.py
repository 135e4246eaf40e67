"""Page-filling before anything is drawn: every line, row and page break of the annex is decided here.

WeasyPrint spends milliseconds on each table row and more than linearly on long tables; this takes microseconds.
All measures are pt. A row is one standard; the labels of object and parameter span their rows and are repeated on
every page on which the group continues. A row taller than a page goes on over the next ones.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pdf.lines import Breaker
from pdf.values import Annex, AnnexRow, Signatory

MM = 72 / 25.4
PAGE_WIDTH, PAGE_HEIGHT = 297 * MM, 210 * MM
MARGIN = 13 * MM
TABLE_WIDTH = PAGE_WIDTH - 2 * MARGIN
TABLE_TOP = 27.5 * MM
TABLE_BOTTOM = PAGE_HEIGHT - 15 * MM
SIZE, LINE = 9.0, 12.15
PAD_X, PAD_Y = 1.1 * MM, 1.05 * MM
RULE = 0.5
LONG_LABEL = 14  # lines; a longer label is printed once across the table
WORDS: dict[str, Any] = tomllib.loads((Path(__file__).parent.parent / "templates/pdf/annex.toml").read_text("utf-8"))

Align = Literal["left", "centre"]
_WITH_CATEGORY = (5, 9, 12, 7, 14.5, 31, 13, 8.5)
_WITHOUT_CATEGORY = (6, 15, 7.5, 17, 32.5, 13, 9)
_SIGNATORIES = (8, 16, 22, 40, 14)


def height(lines: int) -> float:
    """Height of a row with so many lines."""
    return max(lines, 1) * LINE + 2 * PAD_Y


@dataclass(frozen=True, slots=True)
class Cell:
    """A box of the grid: columns from `left` to before `right`, edges in pt from the top of the table."""

    left: int
    right: int
    top: float
    bottom: float
    lines: tuple[str, ...]
    align: Align = "centre"
    bold: bool = False
    tinted: bool = False


@dataclass(slots=True)
class Strip:
    """One row of the page: either a bar across the table, or the three own cells of a row within its group."""

    lines: tuple[tuple[str, ...], ...]
    height: float
    group: int = -1
    item: int = -1
    bar: Literal["", "section", "label"] = ""
    bookmark: tuple[int, str] | None = None

    @property
    def is_bar(self) -> bool:
        return bool(self.bar)


@dataclass(slots=True)
class Group:
    """The labels that several rows share."""

    number: str
    lines: tuple[tuple[str, ...], ...]
    height: float


@dataclass(slots=True)
class GridPage:
    """One annex page: its heading, its columns, and its strips (cells are worked out when it is painted)."""

    title: str
    site_lines: tuple[str, ...]
    columns: tuple[float, ...]
    table: Table | SignatoryTable
    strips: list[Strip] = field(default_factory=list)
    row_continues: bool = False
    last_of_table: bool = False
    bookmarks: list[tuple[int, str]] = field(default_factory=list)

    @property
    def top(self) -> float:
        """Upper edge of the table; a long address pushes it down."""
        return TABLE_TOP + max(0, len(self.site_lines) - 1) * LINE

    def edges(self) -> tuple[float, ...]:
        """The x of each vertical rule."""
        edges = [MARGIN]
        total = sum(self.columns)
        for share in self.columns:
            edges.append(edges[-1] + TABLE_WIDTH * share / total)
        return tuple(edges)

    def cells(self) -> Iterator[Cell]:
        """Every box of the page, header first."""
        yield from self.table.header()
        yield from self.table.body(self.strips)


def _inner(columns: Sequence[float], left: int, right: int) -> float:
    return TABLE_WIDTH * sum(columns[left:right]) / sum(columns) - 2 * PAD_X - RULE


class Table:
    """The capability table of one site."""

    def __init__(self, rows: Sequence[AnnexRow], breaker: Breaker, bold: Breaker) -> None:
        self.rows = rows
        self.breaker = breaker
        self.bold = bold
        self.with_category = any(row.category for row in rows)
        self.columns = _WITH_CATEGORY if self.with_category else _WITHOUT_CATEGORY
        self.label_columns = 3 if self.with_category else 2
        self.groups: list[Group] = []
        self.items: list[Group] = []
        self.head = 2 * height(1)

    def _lines(self, text: str, column: int) -> tuple[str, ...]:
        return self.breaker.lines(text, _inner(self.columns, column, column + 1))

    def strips(self) -> Iterator[Strip]:
        """The rows in order, each with its own cells broken; bars before a section and before an over-long label."""
        section = object_key = parameter = None
        sections = 0
        item_in_group = 0
        standard_column = self.label_columns + 2
        full = _inner(self.columns, 0, len(self.columns))
        for row in self.rows:
            new_section = row.section != section
            if new_section:
                section, object_key = row.section, None
                if section or sections:
                    sections += 1
                    label = f"{chinese_numeral(sections)}、{section}"
                    yield from _bars("section", self.bold.lines(label, full), (2, label))
            new_group = (row.category, row.object) != object_key
            bookmark = None
            if new_group:
                object_key, parameter, item_in_group = (row.category, row.object), None, 0
                number = str(len(self.groups) + 1)
                labels = (row.category, row.object) if self.with_category else (row.object,)
                yield from self._add(self.groups, number, labels, 1, full)
                bookmark = (3, f"{number} {row.object or row.category}")
            if row.parameter != parameter:
                parameter = row.parameter
                item_in_group += 1
                number = f"{len(self.groups)}.{item_in_group}"
                yield from self._add(self.items, number, (parameter,), self.label_columns + 1, full)
            own = tuple(
                self._lines(text, standard_column + position)
                for position, text in enumerate((row.standard_text, row.limit, row.note))
            )
            tall = max(map(len, own))
            yield Strip(own, height(tall), len(self.groups) - 1, len(self.items) - 1, bookmark=bookmark)

    def _add(
        self, into: list[Group], number: str, labels: tuple[str, ...], column: int, full: float
    ) -> Iterator[Strip]:
        lines = []
        for position, label in enumerate(labels):
            broken = self._lines(label, column + position)
            if len(broken) > LONG_LABEL:
                bar = WORDS["bar"].format(number=number, label=label)
                yield from _bars("label", self.breaker.lines(bar, full), None)
                broken = self._lines(WORDS["see_bar"].format(number=number), column + position)
            lines.append(broken)
        into.append(Group(number, tuple(lines), height(max(map(len, lines)))))

    def header(self) -> Iterator[Cell]:
        """The two-level header of the official form."""
        words, first, half, whole = WORDS["columns"], self.label_columns, height(1), self.head
        captions = [words["number"]]
        captions += [words["category"], words["object"]] if self.with_category else [words["object_alone"]]
        for column, caption in enumerate(captions):
            yield self._heading(column, column + 1, 0, whole, caption)
        yield self._heading(first, first + 2, 0, half, words["item"])
        yield self._heading(first, first + 1, half, whole, words["item_number"])
        yield self._heading(first + 1, first + 2, half, whole, words["item_name"])
        for column, name in enumerate(("standard", "limit", "note"), first + 2):
            yield self._heading(column, column + 1, 0, whole, words[name])

    def _heading(self, left: int, right: int, top: float, bottom: float, caption: str) -> Cell:
        lines = self.bold.lines(caption, _inner(self.columns, left, right))
        return Cell(left, right, top, bottom, lines, bold=True, tinted=True)

    def body(self, strips: Sequence[Strip]) -> Iterator[Cell]:
        """The boxes under the header, labels spanning their rows on this page."""
        edges = [self.head]
        for strip in strips:
            edges.append(edges[-1] + strip.height)
        last = len(self.columns)
        standard = self.label_columns + 2
        for position, strip in enumerate(strips):
            top, bottom = edges[position], edges[position + 1]
            if strip.bar:
                is_section = strip.bar == "section"
                yield Cell(0, last, top, bottom, strip.lines[0], "left", is_section, is_section)
                continue
            yield Cell(standard, standard + 1, top, bottom, strip.lines[0], "left")
            yield Cell(standard + 1, standard + 2, top, bottom, strip.lines[1])
            yield Cell(standard + 2, standard + 3, top, bottom, strip.lines[2])
        for first, end in _runs([strip.group for strip in strips]):
            group = self.groups[strips[first].group]
            yield Cell(0, 1, edges[first], edges[end], (group.number,))
            for column, lines in enumerate(group.lines, 1):
                yield Cell(column, column + 1, edges[first], edges[end], lines)
        for first, end in _runs([strip.item for strip in strips]):
            item = self.items[strips[first].item]
            column = self.label_columns
            yield Cell(column, column + 1, edges[first], edges[end], self._lines(item.number, column))
            yield Cell(column + 1, column + 2, edges[first], edges[end], item.lines[0])


class SignatoryTable:
    """The table of authorised signatories."""

    def __init__(self, signatories: Sequence[Signatory], breaker: Breaker, bold: Breaker) -> None:
        self.signatories = signatories
        self.breaker, self.bold = breaker, bold
        self.columns = _SIGNATORIES
        self.head = height(1)
        self.groups: list[Group] = []
        self.items: list[Group] = []

    def strips(self) -> Iterator[Strip]:
        """One strip per signatory; over-long ones are cut into parts like capability rows."""
        for number, one in enumerate(self.signatories, 1):
            texts = (str(number), one.name, one.title, one.field, one.note)
            lines = tuple(
                self.breaker.lines(text, _inner(self.columns, column, column + 1))
                for column, text in enumerate(texts)
            )
            yield Strip(lines, height(max(map(len, lines))))

    def header(self) -> Iterator[Cell]:
        """The captions of the official form."""
        for column, caption in enumerate(WORDS["signatories"].values()):
            yield Cell(column, column + 1, 0, self.head, (caption,), bold=True, tinted=True)

    def body(self, strips: Sequence[Strip]) -> Iterator[Cell]:
        """The boxes under the header."""
        top = self.head
        for strip in strips:
            for column, lines in enumerate(strip.lines):
                align: Align = "left" if column == 3 else "centre"
                yield Cell(column, column + 1, top, top + strip.height, lines, align)
            top += strip.height


def chinese_numeral(number: int) -> str:
    """一, 二, … 十, 十一, … for section bars; plain figures from one hundred."""
    digits = WORDS["numerals"]
    if number <= 10:
        return str(digits[number - 1])
    if number >= 100:
        return str(number)
    tens, ones = divmod(number, 10)
    return (digits[tens - 1] if tens > 1 else "") + digits[9] + (digits[ones - 1] if ones else "")


def _bars(kind: Literal["section", "label"], lines: tuple[str, ...], bookmark: tuple[int, str] | None) -> Iterator[Strip]:
    """A text across the table, in several bars when it is very long."""
    for start in range(0, len(lines), 24):
        part = lines[start : start + 24]
        yield Strip((part,), height(len(part)), bar=kind, bookmark=bookmark if start == 0 else None)


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, end) of each stretch of equal numbers, leaving out those of bars (-1)."""
    start = 0
    for position in range(1, len(numbers) + 1):
        if position == len(numbers) or numbers[position] != numbers[start]:
            if numbers[start] >= 0:
                yield start, position
            start = position


class Filler:
    """Puts strips on pages from top to bottom, and grows the last row of a group whose label needs the room."""

    def __init__(self, table: Table | SignatoryTable, title: str, site_lines: tuple[str, ...], bookmark: str) -> None:
        self._table, self._title, self._site_lines = table, title, site_lines
        self._bookmark: str | None = bookmark
        self._section: tuple[str, ...] = ()
        self.pages: list[GridPage] = []
        self._new_page()

    def _new_page(self) -> None:
        table = self._table
        self.page = GridPage(self._title, self._site_lines, table.columns, table)
        if self._bookmark is not None:
            self.page.bookmarks.append((1, self._bookmark))
            self._bookmark = None
        self.pages.append(self.page)
        self._room = TABLE_BOTTOM - self.page.top - table.head
        self._group = self._item = -1
        self._group_height = self._item_height = 0.0

    def _break_page(self) -> None:
        self._close(True)
        self._new_page()
        if self._section:
            whole = "".join(self._section)
            if len(self._section) > 2:
                whole = self._section[0].rstrip()[:-1] + "…"
            label = WORDS["continued"].format(label=whole)
            for bar in _bars("section", self._table.bold.lines(label, _inner(self._table.columns, 0, 99)), None):
                self._put(bar)

    def _missing(self, own: float, group: int, item: int) -> float:
        """Room that the labels of group and item would still lack after a row of height `own`."""
        if item < 0:
            return 0.0
        table = self._table
        item_height = own + (self._item_height if item == self._item else 0.0)
        group_height = own + (self._group_height if group == self._group else 0.0)
        for_item = max(0.0, table.items[item].height - item_height)
        return for_item + max(0.0, table.groups[group].height - group_height - for_item)

    def _close(self, group_too: bool) -> None:
        """Grow the last row so that the labels of the open item (and group) fit."""
        if self._item < 0:
            return
        grow = max(0.0, self._table.items[self._item].height - self._item_height)
        if group_too:
            grow += max(0.0, self._table.groups[self._group].height - self._group_height - grow)
        self.page.strips[-1].height += grow
        self._room -= grow
        self._group_height += grow
        self._item = -1
        if group_too:
            self._group = -1

    def _put(self, strip: Strip) -> None:
        self.page.strips.append(strip)
        self._room -= strip.height
        if strip.bookmark:
            self.page.bookmarks.append(strip.bookmark)

    def _closing_room(self, strip: Strip) -> float:
        """Room that closing the open labels takes when `strip` opens new ones."""
        if self._item < 0 or strip.item == self._item:
            return 0.0
        for_item = max(0.0, self._table.items[self._item].height - self._item_height)
        if strip.group == self._group:
            return for_item
        return for_item + max(0.0, self._table.groups[self._group].height - self._group_height - for_item)

    def fill(self, strips: Iterator[Strip]) -> list[GridPage]:
        """Place all strips and return the pages."""
        bars: list[Strip] = []
        for strip in strips:
            if strip.is_bar:
                bars.append(strip)
                continue
            self._place(bars, strip)
            bars = []
        self._close(True)
        self.pages[-1].last_of_table = True
        return self.pages

    def _place(self, bars: list[Strip], strip: Strip) -> None:
        """Place a row with the bars that introduce it on one page if any page can hold them."""
        ahead = sum(bar.height for bar in bars)
        need = ahead + strip.height + self._missing_after(bars, strip)
        if need + self._closing_room(strip) > self._room and self.page.strips:
            if bars and bars[0].bar == "section":
                self._section = ()
            self._break_page()
        for bar in bars:
            self._close(True)
            if bar.bar == "section":
                self._section = bar.lines[0] if bar.bookmark else self._section + bar.lines[0]
            if bar.height + height(1) > self._room and self.page.strips:
                self._break_page()
            self._put(bar)
        if strip.item != self._item:
            self._close(strip.group != self._group)
        if self._room < 16 * LINE and strip.height + self._missing(strip.height, strip.group, strip.item) > self._room:
            self._break_page()
        while (part := self._part_that_fits(strip)) is not strip:
            self._open(part)
            self._put(part)
            self.page.row_continues = True
            self._break_page()
        self._open(strip)
        self._put(strip)

    def _missing_after(self, bars: list[Strip], strip: Strip) -> float:
        if bars and strip.item >= 0:
            table = self._table
            for_item = max(0.0, table.items[strip.item].height - strip.height)
            return for_item + max(0.0, table.groups[strip.group].height - strip.height - for_item)
        return self._missing(strip.height, strip.group, strip.item)

    def _open(self, strip: Strip) -> None:
        if strip.item < 0:
            return
        if strip.group != self._group:
            self._group, self._group_height = strip.group, 0.0
        if strip.item != self._item:
            self._item, self._item_height = strip.item, 0.0
        self._group_height += strip.height
        self._item_height += strip.height

    def _part_that_fits(self, strip: Strip) -> Strip:
        """The strip itself, or a first part of it when it is taller than what is left of an empty page."""
        if strip.height + self._missing(strip.height, strip.group, strip.item) <= self._room:
            return strip
        count = max(1, int((self._room - 2 * PAD_Y) / LINE))
        if count >= max(map(len, strip.lines)):
            return strip
        part = Strip(
            tuple(lines[:count] for lines in strip.lines), height(count), strip.group, strip.item,
            bookmark=strip.bookmark,
        )  # fmt: skip
        strip.lines = tuple(lines[count:] for lines in strip.lines)
        strip.height = height(max(map(len, strip.lines)))
        strip.bookmark = None
        return part


def annex_pages(annex: Annex, breaker: Breaker, bold: Breaker) -> list[GridPage]:
    """All painted pages of the annex: signatories by site, then the capability table of each site."""
    pages: list[GridPage] = []
    by_site: dict[str, list[Signatory]] = {}
    for signatory in annex.signatories:
        by_site.setdefault(signatory.site, []).append(signatory)
    for site, signatories in by_site.items():
        who = SignatoryTable(signatories, breaker, bold)
        label = WORDS["site"].format(site=site or WORDS["every_site"])
        title = WORDS["signatories_title"]
        pages += Filler(who, title, breaker.lines(label, TABLE_WIDTH), f"{title} {site}".strip()).fill(who.strips())
    for site, rows in annex.sites().items():
        table = Table(rows, breaker, bold)
        label = WORDS["site"].format(site=site)
        title = WORDS["capabilities_title"]
        pages += Filler(table, title, breaker.lines(label, TABLE_WIDTH), f"{title} {site}".strip()).fill(table.strips())
    return pages
