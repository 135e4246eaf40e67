"""How a cell's words are compared: width, invisible marks and white space never make two words differ.

The rules are those of the application tables' reading rules R6 (text compare N1), T1 and T5.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache

Cell = str | int | float | bool | date | datetime | None

_INVISIBLE = dict.fromkeys(
    [0xAD, 0x61C, 0xFEFF, *range(0x180B, 0x180F), *range(0x200B, 0x2010), *range(0x202A, 0x202F),
     *range(0x2060, 0x2065), *range(0x2066, 0x2070), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
)
_SPACE = re.compile(r"\s+")
# Tab, line feed and carriage return are white space; U+0085 too. Everything else in these ranges is a control.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")


def compact(text: str) -> str:
    """`text` in the form N1: NFKC, no invisible marks, no control characters, no white space.

    Pure ASCII text without any of these is returned as it is.
    """
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    return _compact(text)


@lru_cache(maxsize=65_536)
def _compact(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    return _SPACE.sub("", _CONTROL.sub("", folded))


def has_controls(text: str) -> bool:
    """Whether `text` holds control characters other than tab and line ends."""
    if text.isprintable():
        return False
    return _CONTROL.search(text) is not None


def tidy(text: str) -> str:
    """`text` as it is shown and kept: no control or invisible characters, white space folded to one blank.

    A line break between two Chinese characters disappears, elsewhere it becomes a blank. Width and
    punctuation stay as typed.
    """
    cleaned = _CONTROL.sub("", text).translate(_INVISIBLE)
    cleaned = re.sub(r"(?<=[\u3400-\u9fff])\s*[\r\n]+\s*(?=[\u3400-\u9fff])", "", cleaned)
    return _SPACE.sub(" ", cleaned).strip()


def words(cell: Cell) -> str:
    """A cell's value as text: whole numbers without `.0`, dates as YYYY-MM-DD, nothing as ''."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


_DATE = (
    re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:T?00:00(?::00)?)?"),
    re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})"),
    re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})"),
    re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日"),
    re.compile(r"(\d{4})(\d{2})(\d{2})"),
)


def as_date(cell: Cell) -> date | None:
    """The date in a cell: a real one, or text y-m-d, y.m.d, y/m/d, y年m月d日, yyyymmdd (rule T5); else None."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = compact(words(cell))
    for pattern in _DATE:
        found = pattern.fullmatch(text)
        if found:
            try:
                return date(int(found[1]), int(found[2]), int(found[3]))
            except ValueError:
                return None
    return None


def as_whole_number(cell: Cell, *suffixes: str) -> int | None:
    """The whole number in a cell after removing one of `suffixes` (rule T1), else None."""
    text = compact(words(cell))
    for suffix in suffixes:
        text = text.removesuffix(suffix)
    if re.fullmatch(r"\d{1,9}(?:\.0+)?", text):
        return int(float(text))
    return None


def column_letter(index: int) -> str:
    """The letters of the column at `index`, counted from 0: 0 -> A, 26 -> AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
