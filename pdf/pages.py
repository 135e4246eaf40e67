"""Page-filling before anything is drawn: every row and page break of the annex is decided here.

WeasyPrint spends milliseconds on each table row and more than linearly on long tables; this takes microseconds.
Labels are repeated on every page on which their group continues. A row taller than a page goes on over the next ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pdf.lines import Breaker
from pdf.tables import (
    LINE,
    MARGIN,
    PAD_Y,
    TABLE_BOTTOM,
    TABLE_TOP,
    TABLE_WIDTH,
    WORDS,
    Cell,
    SignatoryTable,
    Strip,
    Table,
    bars,
    height,
    inner_width,
)
from pdf.values import Annex, Signatory


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


class Filler:
    """Puts strips on pages from top to bottom, and grows the last row of a group whose label needs the room."""

    def __init__(
        self, table: Table | SignatoryTable, title: str, site_lines: tuple[str, ...], bookmark: str
    ) -> None:
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
            for bar in bars(
                "section", self._table.bold.lines(label, inner_width(self._table.columns, 0, 99)), None
            ):
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
        waiting: list[Strip] = []
        for strip in strips:
            if strip.is_bar:
                waiting.append(strip)
                continue
            self._place(waiting, strip)
            waiting = []
        self._close(True)
        self.pages[-1].last_of_table = True
        return self.pages

    def _place(self, before: list[Strip], strip: Strip) -> None:
        """Place a row with the bars that introduce it on one page if any page can hold them."""
        ahead = sum(bar.height for bar in before)
        need = ahead + strip.height + self._missing_after(before, strip)
        closing = self._closing_room(strip)
        fresh = TABLE_BOTTOM - self.page.top - self._table.head - 2 * height(1)
        begins_here = strip.height > fresh and ahead + closing + 16 * LINE < self._room
        if need + closing > self._room and self.page.strips and not begins_here:
            if before and before[0].bar == "section":
                self._section = ()
            self._break_page()
        for bar in before:
            self._close(True)
            if bar.bar == "section":
                self._section = bar.lines[0] if bar.bookmark else self._section + bar.lines[0]
            if bar.height + height(1) > self._room and self.page.strips:
                self._break_page()
            self._put(bar)
        if strip.item != self._item:
            self._close(strip.group != self._group)
        if (
            self._room < 16 * LINE
            and strip.height + self._missing(strip.height, strip.group, strip.item) > self._room
        ):
            self._break_page()
        while (part := self._part_that_fits(strip)) is not strip:
            self._open(part)
            self._put(part)
            self.page.row_continues = True
            self._break_page()
        self._open(strip)
        self._put(strip)

    def _missing_after(self, before: list[Strip], strip: Strip) -> float:
        if before and strip.item >= 0:
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


def annex_pages(annex: Annex, breaker: Breaker, bold: Breaker, titled: str = "") -> list[GridPage]:
    """All painted pages of the annex: signatories by site, then the capability table of each site, under its usual
    title or another."""
    pages: list[GridPage] = []
    by_site: dict[str, list[Signatory]] = {}
    for signatory in annex.signatories:
        by_site.setdefault(signatory.site, []).append(signatory)
    for site, signatories in by_site.items():
        who = SignatoryTable(signatories, breaker, bold)
        label = WORDS["site"].format(site=site or WORDS["every_site"])
        title = WORDS["signatories_title"]
        pages += Filler(who, title, breaker.lines(label, TABLE_WIDTH), f"{title} {site}".strip()).fill(
            who.strips()
        )
    for site, rows in annex.sites().items():
        table = Table(rows, breaker, bold)
        label = WORDS["site"].format(site=site)
        title = titled or WORDS["capabilities_title"]
        pages += Filler(table, title, breaker.lines(label, TABLE_WIDTH), f"{title} {site}".strip()).fill(
            table.strips()
        )
    return pages
