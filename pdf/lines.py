"""Breaking Chinese text into lines, exactly: the lines of a text joined together are the text.

Rules after GB/T 15834 and JLREQ/CLREQ: no line begins with a closing mark or ends with an opening one, Latin words
and standard numbers such as "GB/T 13739-2021" stay whole, spaces hang at the end of the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NO_START = frozenset("，。、；：？！）》〉】」』”’％‰℃,.;:?!)]}%·—…～〕〗〞︰°′″")
_NO_END = frozenset("（《〈【「『“‘([{〔〖〝")
_TOKEN = re.compile(
    r"[A-Z]{1,6}\d{0,2}(?:/[A-Z]{1,6})*[ \u00a0]?\d[\d.]*(?:[-\u2010-\u2015:]\d{2,4})?[a-z]?"  # a standard's number
    r"|[A-Za-z\u00c0-\u024f\u0370-\u03ff0-9_.,/+\-'\[\]()%]+"  # a Latin word, a chemical name
    r"| +|.",
    re.S,
)


class Breaker:
    """Breaks texts set in one face and size. `advance` gives a character's width in 1/1000 em; `size` is in pt."""

    def __init__(self, advance: Callable[[str], int], size: float) -> None:
        self.size = size
        self._advance = advance
        self._widths: dict[str, int] = {}
        self._broken: dict[tuple[str, float], tuple[str, ...]] = {}

    def width(self, text: str) -> float:
        """Width in pt without the spaces that hang at the end."""
        return self._thousandths(text.rstrip(" ")) * self.size / 1000

    def _thousandths(self, text: str) -> int:
        widths = self._widths
        try:
            return sum([widths[character] for character in text])
        except KeyError:
            for character in set(text).difference(widths):
                widths[character] = self._advance(character)
            return sum([widths[character] for character in text])

    def lines(self, text: str, width: float) -> tuple[str, ...]:
        """The lines of `text`, each at most `width` pt wide (a single character may be wider); () for no text."""
        known = (text, width)
        broken = self._broken.get(known)
        if broken is None:
            broken = self._broken[known] = self._break(text, width)
        return broken

    def _break(self, text: str, width: float) -> tuple[str, ...]:
        limit = int(width * 1000 / self.size)
        if not text:
            return ()
        if self._thousandths(text) <= limit:
            return (text,)
        lines: list[str] = []
        line, used = "", 0
        for token in _tokens(text):
            measure = self._thousandths(token)
            if token.isspace() or used + self._thousandths(token.rstrip(" ")) <= limit:
                line, used = line + token, used + measure
                continue
            if line:
                lines.append(line)
            while measure > limit:
                head = self._head(token, limit)
                if len(head) == len(token):
                    break
                lines.append(head)
                token = token[len(head) :]
                measure = self._thousandths(token)
            line, used = token, measure
        if line:
            lines.append(line)
        return tuple(lines)

    def _head(self, token: str, limit: int) -> str:
        """As many characters of an over-long token as fit, at least one."""
        used = 0
        for position, character in enumerate(token):
            used += self._widths[character]
            if used > limit:
                return token[: max(position, 1)]
        return token


def _tokens(text: str) -> list[str]:
    """Pieces between which a line may break."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if tokens and (token[0] in _NO_START or tokens[-1][-1] in _NO_END) and not tokens[-1].isspace():
            tokens[-1] += token
        else:
            tokens.append(token)
    return tokens
