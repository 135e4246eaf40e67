"""Standard numbers as people type them, and the catalogue they are looked up in (reading rules R6 and R7)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from intake.wording import compact

_DASHES = str.maketrans(dict.fromkeys("—–－‐‑−﹣⁃―─", "-") | {"∕": "/", "⁄": "/"})

# Prefixes of Chinese national, industry, metrology and department codes (GB/T 1.1, industry code list), longest
# first, so that GBZ is not read as GB and a number behind Latin letters (ICP-MS GB/T 1) is still found.
_INDUSTRY = (
    "AQ", "BB", "CB", "CH", "CJ", "CJJ", "CY", "DA", "DB", "DL", "DY", "DZ", "EJ", "FZ", "GA", "GC", "GD",
    "GF", "GH", "GM", "GMP", "GW", "GY", "HB", "HG", "HJ", "HS", "HY", "JB", "JC", "JG", "JGJ", "JR", "JT",
    "JTG", "JTJ", "JTS", "JY", "LB", "LD", "LS", "LY", "MA", "MH", "MR", "MT", "MZ", "NB", "NY", "QB", "QC",
    "QJ", "QX", "RB", "RF", "RFJ", "SB", "SBJ", "SC", "SF", "SH", "SJ", "SL", "SN", "SW", "SY", "TB", "TD",
    "TY", "WB", "WH", "WJ", "WM", "WS", "WW", "XB", "XF", "YB", "YC", "YD", "YJ", "YS", "YY", "YZ", "ZY",
    "JJG", "JJF", "GB", "GBZ", "GBJ", "GJB", "CECS", "CNAS", "CNCA", "CAC", "TSG", "HAD", "HAF", "KJ",
    "NB/SH", "NB/RB",
)  # fmt: skip
_FOREIGN = (
    "ISO/IEC", "ISO/TS", "ISO/TR", "ISO", "IEC/TS", "IEC/TR", "IEC", "CISPR", "ITU-T", "EN", "DIN", "BS",
    "ASTM", "ANSI", "IEEE", "JIS", "UL", "SAE", "AATCC", "AOAC", "API", "ICC", "OIML", "BIPM", "UN/ECE",
    "ECE", "USP", "FCC", "ETSI", "CIE", "OECD", "EPA", "NIOSH",
)  # fmt: skip
_CODES = "|".join(re.escape(code) for code in sorted(_INDUSTRY, key=len, reverse=True))
_ABROAD = "|".join(re.escape(code) for code in sorted(_FOREIGN, key=len, reverse=True))
_YEAR = r"(?:[-:](?P<{0}>\d{{4}})(?:XG\d+(?:-\d{{4}})?)?)?"
_NUMBER = re.compile(
    # 化妆品安全技术规范(2015年版) counts as a number
    r"(?P<book>《?化妆品安全技术规范》?\(?(?P<ybook>\d{4})年?版\)?)"
    # 农业部1025号公告-18-2008 and its successors
    r"|(?P<notice>(?:农业农村部|农业部|卫生部|国家卫生健康委|环境保护部|生态环境部)(?:公告)?第?\d+号(?:公告)?"
    r"(?:-\d{1,3}(?=-\d{4}))*(?:-(?P<ynotice>\d{4})|-\d{1,3}(?!\d))?)"
    # DB44/T 1234-2020, T/CECS 10001-2019, Q/XYZ 001-2020
    r"|(?P<local>(?<![A-Z0-9])(?:DBS?\d{2,6}(?:/T)?|DBJ(?:/T)?\d{0,2}(?:/T)?|[TQ]/[A-Z]{2,10}\d{0,2}?)"
    r"(?:-|/)?[A-Z]{0,2}\d+(?:[./]\d+)*(?:-\d{1,3}(?=-\d{4}))*" + _YEAR.format("ylocal") + ")"
    # GB/T 5009.35-2016, JTG F80/1-2017, JTG/T J21-01-2015, GJB 150.3A-2009, CECS 02:2005, WPS-typed GBT
    r"|(?P<native>(?:"
    + _CODES
    + r")(?:[/\\]?[TZ](?![A-Z]{2}))?(?:[/\\]J)?[A-Z]{0,2}?\d+(?:\.\d+)*(?:[A-Z](?![A-Z0-9]))?"
    r"(?:/\d{1,3}(?=[-:]\d{4}|\D|$))?(?:-\d{1,3}(?!\d))*" + _YEAR.format("ynative") + ")"
    # ISO 9001:2015, IEC 60068-2-1:2007, ASTM D638-14
    r"|(?P<abroad>(?<![A-Z])(?:" + _ABROAD + r")/?[A-Z]{0,3}\d+(?:\.\d+)*[A-Z]?(?:-\d{1,3}(?!\d))*"
    r"(?:[-:](?P<yabroad>(?:19|20)\d{2}))?)"
)
# Any other code, but then only with its year, or O157 and B12 in a title would be numbers.
_OTHER = re.compile(r"(?<![A-Z0-9/])[A-Z]{2,6}(?:/[A-Z]{1,4})*\d+(?:\.\d+)*[A-Z]?-\d{4}")
LONGEST_SEARCHED = 20_000  # characters of a cell; a real one has a few hundred
_METHOD = re.compile(
    r"\(?第[一二三四五六七八九十0-9]+(?:篇|法|部分方法)(?:[、和及,]第?[一二三四五六七八九十0-9]+法?)*\)?"
)
_PUNCTUATION = re.compile(r"[\W_]+")
_COMMON = re.compile("[的测定法方标准第部分试验]")


@dataclass(frozen=True, slots=True)
class StandardNumber:
    """One number in canonical form (`GB/T5009.35-2016`) and whether it carries its year."""

    number: str
    has_year: bool


@dataclass(frozen=True, slots=True)
class Standard:
    """One entry of the catalogue. `status` is 现行, 废止 or 待核实; `domain` is "sector/section"."""

    number: str
    title: str
    status: str
    replaced_by: str
    domain: str

    @property
    def is_withdrawn(self) -> bool:
        return self.status == "废止"


def fold_number(text: str) -> str:
    """`text` compacted, dashes and slashes made one, upper-case: the form in which numbers are compared."""
    return compact(text).translate(_DASHES).upper()


def _canonical(found: re.Match[str]) -> StandardNumber:
    if found["book"]:
        return StandardNumber(f"化妆品安全技术规范({found['ybook']}年版)", True)
    for kind in ("notice", "local", "native", "abroad"):
        if found[kind]:
            return StandardNumber(found[kind], found["y" + kind] is not None)
    raise AssertionError("the pattern matched without a group")


def _is_credible(found: re.Match[str], text: str) -> bool:
    """Whether a match is a number and no chemical or method name that happens to look like one.

    With its year it always is. PCB52, Nb2O5 or UL94V look like codes too: a bare one must stand by itself.
    """
    if not found["native"] and not found["abroad"]:
        return True
    if found["ynative"] or found["yabroad"]:
        return True
    if found[0].startswith(("GB", "HJ", "JTG", "JGJ", "CJJ", "JJG", "JJF")):
        return True
    before, after = text[: found.start()][-1:], text[found.end() :][:1]
    stands_alone = not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())
    return "/T" in found[0] or (stands_alone and len(re.findall(r"\d", found[0])) >= 2)


@lru_cache(maxsize=32_768)
def standard_numbers(text: str) -> tuple[StandardNumber, ...]:
    """Every standard number in `text`, in order, each once. Titles and method words (第一法) are no part of it.

    >>> [s.number for s in standard_numbers("《食品中铅的测定》ＧＢ ５００９．１２—２０２３ 第一法")]
    ['GB5009.12-2023']
    """
    folded = fold_number(text[:LONGEST_SEARCHED])
    found = [
        (match.start(), _canonical(match))
        for match in _NUMBER.finditer(folded)
        if _is_credible(match, folded)
    ]
    if not found or len(_OTHER.findall(folded)) > len(found):
        rest = _NUMBER.sub(lambda match: "\0" * len(match[0]), folded)
        found += [(match.start(), StandardNumber(match[0], True)) for match in _OTHER.finditer(rest)]
        found.sort(key=lambda entry: entry[0])
    return tuple(dict.fromkeys(number for _, number in found))


@lru_cache(maxsize=32_768)
def title_beside_number(text: str) -> str:
    """What a cell says beside its numbers and method words, compacted, without brackets."""
    rest = _METHOD.sub("", _OTHER.sub("", _NUMBER.sub("", fold_number(text[:LONGEST_SEARCHED]))))
    return _PUNCTUATION.sub("", rest)


def title_differs(title: str, catalogue_title: str) -> bool:
    """Rule R7: no character shared, leaving aside 的测定法方标准第部分试验 and punctuation."""
    ours = set(_COMMON.sub("", _PUNCTUATION.sub("", fold_number(title))))
    theirs = set(_COMMON.sub("", _PUNCTUATION.sub("", fold_number(catalogue_title))))
    return bool(ours) and not ours & theirs


class Catalogue:
    """Standards by number. Looked up by any spelling; an administrator replaces the rows, not the code."""

    def __init__(self, standards: Iterable[Standard]) -> None:
        self._by_number: dict[str, Standard] = {}
        self._sector_of: dict[str, str] = {}
        self._years: dict[str, list[Standard]] = {}
        for standard in standards:
            self._by_number.setdefault(fold_number(standard.number), standard)
            self._years.setdefault(re.sub(r"[-:]\d{4}$", "", fold_number(standard.number)), []).append(
                standard
            )
            sector, _, section = standard.domain.partition("/")
            if section:
                self._sector_of.setdefault(compact(section), sector)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, str]]) -> Catalogue:
        """Build from mappings with full_number, title_zh, status, replaced_by, domain (the last three may lack)."""
        return cls(
            Standard(
                row["full_number"].strip(),
                (row.get("title_zh") or "").strip(),
                (row.get("status") or "").strip(),
                (row.get("replaced_by") or "").strip(),
                (row.get("domain") or "").strip(),
            )
            for row in rows
            if (row.get("full_number") or "").strip()
        )

    @classmethod
    def from_csv(cls, path: Path | str) -> Catalogue:
        """Read a UTF-8 file in the shape of `reference/standards.csv`.

        Raises OSError when it cannot be read, ValueError when it is not such a file.
        """
        try:
            with open(path, encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                if "full_number" not in (reader.fieldnames or ()):
                    raise ValueError(f"{path}: no column full_number; expected the columns of standards.csv")
                return cls.from_rows(reader)
        except (UnicodeDecodeError, csv.Error) as unreadable:
            raise ValueError(f"{path}: not a UTF-8 CSV file ({unreadable})") from unreadable

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Iterable[Standard]:  # type: ignore[override]
        return iter(self._by_number.values())

    def find(self, number: str) -> Standard | None:
        """The standard with this number in any spelling, or None."""
        return self._by_number.get(fold_number(number))

    def editions(self, number: str) -> list[Standard]:
        """The editions known of a number given without its year, those in force first."""
        known = self._years.get(fold_number(number), [])
        return sorted(known, key=lambda standard: standard.is_withdrawn)

    def sector_of(self, section: str) -> str | None:
        """The sector (生态环境, 食品, ...) that a section of 附表1 (水和废水, ...) belongs to, or None."""
        return self._sector_of.get(compact(section))

    def rows(self) -> list[dict[str, str]]:
        """The catalogue as plain rows, fit for `from_rows`."""
        return [
            {
                "full_number": s.number,
                "title_zh": s.title,
                "status": s.status,
                "replaced_by": s.replaced_by,
                "domain": s.domain,
            }
            for s in self._by_number.values()
        ]
