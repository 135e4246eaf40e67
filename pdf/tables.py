"""The tables of the annex before they meet a page: columns, labels, broken lines and row heights, all in pt.

A row is one standard; the labels of object and parameter span their rows. A label too long for its column is printed
once across the table, and its cell points there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pdf.lines import Breaker
from pdf.values import AnnexRow, Signatory

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
WORDS: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent.parent / "templates/pdf/annex.toml").read_text("utf-8")
)

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


def inner_width(columns: Sequence[float], left: int, right: int) -> float:
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
        self._widths = [inner_width(self.columns, column, column + 1) for column in range(len(self.columns))]

    def _lines(self, text: str, column: int) -> tuple[str, ...]:
        return self.breaker.lines(text, self._widths[column])

    def strips(self) -> Iterator[Strip]:
        """The rows in order, each with its own cells broken; bars before a section and before an over-long label."""
        section = object_key = parameter = None
        sections = 0
        item_in_group = 0
        standard_column = self.label_columns + 2
        full = inner_width(self.columns, 0, len(self.columns))
        for row in self.rows:
            new_section = row.section != section
            if new_section:
                section, object_key = row.section, None
                if section or sections:
                    sections += 1
                    label = f"{chinese_numeral(sections)}、{section}"
                    yield from bars("section", self.bold.lines(label, full), (2, label))
            new_group = (row.category, row.object) != object_key
            bookmark = None
            if new_group:
                object_key, parameter, item_in_group = (row.category, row.object), None, 0
                number = str(len(self.groups) + 1)
                labels = (row.category, row.object) if self.with_category else (row.object,)
                names = ("category", "object") if self.with_category else ("object",)
                yield from self._add(self.groups, number, dict(zip(names, labels, strict=True)), 1, full)
                bookmark = (3, f"{number} {row.object or row.category}")
            if row.parameter != parameter:
                parameter = row.parameter
                item_in_group += 1
                number = f"{len(self.groups)}.{item_in_group}"
                labels_of_item = {"item_name": parameter}
                yield from self._add(self.items, number, labels_of_item, self.label_columns + 1, full)
            own = tuple(
                self._lines(text, standard_column + position)
                for position, text in enumerate((row.standard_text, row.limit, row.note))
            )
            tall = max(map(len, own))
            yield Strip(own, height(tall), len(self.groups) - 1, len(self.items) - 1, bookmark=bookmark)

    def _add(
        self, into: list[Group], number: str, labels: dict[str, str], column: int, full: float
    ) -> Iterator[Strip]:
        lines = []
        for position, (name, label) in enumerate(labels.items()):
            broken = self._lines(label, column + position)
            if len(broken) > LONG_LABEL:
                bar = WORDS["bar"].format(number=number, name=WORDS["columns"][name], label=label)
                yield from bars("label", self.breaker.lines(bar, full), None)
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
        lines = self.bold.lines(caption, inner_width(self.columns, left, right))
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
                self.breaker.lines(text, inner_width(self.columns, column, column + 1))
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
    digits: str = WORDS["numerals"]
    if number <= 10:
        return digits[number - 1]
    if number >= 100:
        return str(number)
    tens, ones = divmod(number, 10)
    return (digits[tens - 1] if tens > 1 else "") + digits[9] + (digits[ones - 1] if ones else "")


def bars(
    kind: Literal["section", "label"], lines: tuple[str, ...], bookmark: tuple[int, str] | None
) -> Iterator[Strip]:
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
