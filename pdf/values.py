"""What a document says, as frozen values; everything that is printed comes from here or from a template.

Content of the certificate: Measures for the Accreditation of Inspection and Testing Agencies
(检验检测机构资质认定管理办法) art. 15; columns of the annex: annex 1 and 2 of the official application form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

_NUMBER = re.compile(r"[0-9]{12}")
_VERIFY_URL = re.compile(r"https?://[^\s<>\"]+")


class InvalidValue(ValueError):
    """A value cannot be printed as a legal document (wrong shape, not a missing glyph)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What every certificate and licence carries, whoever it is for; dates are local dates in force.

    Raises InvalidValue when it cannot be printed as a legal document: a name is empty, validity ends before it begins,
    or the address at which it is verified is none.
    """

    number: str
    issued_on: date
    valid_from: date
    valid_to: date
    authority_name: str
    verify_url: str
    verify_code: str
    template_version: str = "2026-1"
    specimen: bool = False
    edition: int = 1  # in the embedded record only: no two editions are the same bytes, whatever they print

    kind: ClassVar[str] = "document"
    named: ClassVar[tuple[str, ...]] = ()  # the texts that must not be empty, beside the authority

    def __post_init__(self) -> None:
        for name in (*self.named, "authority_name"):
            if not str(getattr(self, name)).strip():
                raise InvalidValue(f"{self.kind} {self.number}: {name} is empty")
        if self.valid_to < self.valid_from:
            raise InvalidValue(f"{self.kind} {self.number}: valid_to {self.valid_to} is before valid_from")
        if not _VERIFY_URL.fullmatch(self.verify_url):
            raise InvalidValue(f"{self.kind} {self.number}: verify_url is not an http(s) address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate(Issued):
    """One certificate (资质认定证书); `number` is the 12-digit number. Raises InvalidValue also when it is not."""

    agency_name: str
    agency_address: str
    liability_bearer: str

    kind = "certificate"
    named = ("agency_name", "agency_address", "liability_bearer")

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.number):
            raise InvalidValue(f"certificate number {self.number!r} is not 12 digits")
        Issued.__post_init__(self)


@dataclass(frozen=True, slots=True)
class AnnexRow:
    """One approved capability row: one standard for one parameter of one object at one site."""

    site: str
    section: str
    category: str
    object: str
    parameter: str
    standard_text: str
    limit: str = ""
    note: str = ""

    def cells(self) -> tuple[str, str, str, str, str, str, str, str]:
        """The eight texts in the order in which the embedded record stores them."""
        return (
            self.site, self.section, self.category, self.object,
            self.parameter, self.standard_text, self.limit, self.note,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signatory:
    """One authorised signatory (授权签字人) with the field approved; `site` empty means every site."""

    name: str
    title: str
    field: str
    note: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Annex:
    """The annex (证书附表): signatories, then capability rows; rows of one site are printed together."""

    signatories: tuple[Signatory, ...] = ()
    rows: tuple[AnnexRow, ...] = ()

    def sites(self) -> dict[str, tuple[AnnexRow, ...]]:
        """Rows by site, sites and rows in order of first appearance."""
        gathered: dict[str, list[AnnexRow]] = {}
        for row in self.rows:
            gathered.setdefault(row.site, []).append(row)
        return {site: tuple(rows) for site, rows in gathered.items()}

    def printed_order(self) -> tuple[AnnexRow, ...]:
        """The rows in the order in which they are printed."""
        return tuple(row for rows in self.sites().values() for row in rows)


class NoticeKind(StrEnum):
    """The written notices of the licensing procedure, each with a template of the same name."""

    RECEIPT = "receipt"
    ACCEPTANCE = "acceptance"
    CORRECTION = "correction"
    REFUSAL_TO_ACCEPT = "refusal_to_accept"
    GRANT = "grant"
    REFUSAL = "refusal"
    COMMITMENT = "commitment"
    ANNULMENT = "annulment"
    RECTIFICATION = "rectification"
    EXTENSION = "extension"


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """One line of a list in a notice: what, why, and on which basis."""

    title: str
    reason: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One written notice. Which fields a kind prints is told by `templates/pdf/notices/<kind>.html`.

    `items`: papers received, things to correct, or rows refused. `reasons`, `basis`, `remedies`: paragraphs.
    `notified` (5) and `committed` (6): the parts of a commitment letter, texts of the version `version`.
    """

    kind: NoticeKind
    document_number: str
    addressee: str
    authority_name: str
    issued_on: date
    case_number: str = ""
    matter: str = ""
    items: tuple[NoticeItem, ...] = ()
    reasons: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    due_on: date | None = None
    allowance: str = ""
    notified: tuple[NoticeItem, ...] = ()
    committed: tuple[str, ...] = ()
    version: str = ""
    text_sha256: str = ""
    signed_by: str = ""
    signed_at: str = ""
    contact: str = ""
    verify_url: str = ""
    verify_code: str = ""
    specimen: bool = False

    def __post_init__(self) -> None:
        if not self.addressee.strip() or not self.authority_name.strip():
            raise InvalidValue(f"notice {self.document_number}: addressee and authority must be named")
        if self.verify_url and not _VERIFY_URL.fullmatch(self.verify_url):
            raise InvalidValue(f"notice {self.document_number}: verify_url is not an http(s) address")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished document. `sha256` is the lower-case hex digest of `pdf`; `missing_glyphs` is always empty:
    a document with a missing glyph is never returned."""

    pdf: bytes = field(repr=False)
    sha256: str
    pages: int
    missing_glyphs: tuple[str, ...] = ()


def texts_of(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Every printable text inside a value with the path that leads to it, for example ("rows[3].limit", "...")."""
    if isinstance(value, StrEnum):
        return
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, tuple):
        for position, part in enumerate(value):
            yield from texts_of(part, f"{where}[{position}]")
    elif is_dataclass(value):
        for part in fields(value):
            yield from texts_of(getattr(value, part.name), f"{where}.{part.name}" if where else part.name)


def certificate_json(certificate: Certificate) -> dict[str, Any]:
    """The certificate as JSON-ready values, dates as ISO text."""
    return {
        part.name: value.isoformat() if isinstance(value := getattr(certificate, part.name), date) else value
        for part in fields(certificate)
    }


def certificate_from_json(stored: Mapping[str, Any]) -> Certificate:
    """The inverse of certificate_json; raises InvalidValue or TypeError on a foreign shape."""
    return Certificate(**with_dates(stored))


def with_dates(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a certificate or licence as stored, with its dates as dates."""
    return dict(stored) | {
        name: date.fromisoformat(stored[name]) for name in ("issued_on", "valid_from", "valid_to")
    }


def annex_json(annex: Annex) -> dict[str, Any]:
    """The annex as JSON-ready values: signatories and rows as lists of texts, columns named once."""
    return {
        "signatory_columns": list(Signatory.__dataclass_fields__),
        "signatories": [[s.name, s.title, s.field, s.note, s.site] for s in annex.signatories],
        "row_columns": list(AnnexRow.__dataclass_fields__),
        "rows": [list(row.cells()) for row in annex.rows],
    }


def annex_from_json(stored: Mapping[str, Any]) -> Annex:
    """The inverse of annex_json."""
    if stored["row_columns"] != list(AnnexRow.__dataclass_fields__):
        raise InvalidValue("annex record: unknown row columns")
    if stored["signatory_columns"] != list(Signatory.__dataclass_fields__):
        raise InvalidValue("annex record: unknown signatory columns")
    return Annex(
        signatories=tuple(Signatory(*texts) for texts in stored["signatories"]),
        rows=tuple(AnnexRow(*texts) for texts in stored["rows"]),
    )


def notice_json(notice: Notice) -> dict[str, Any]:
    """The notice as JSON-ready values."""

    def plain(value: object) -> object:
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, NoticeItem):
            return [value.title, value.reason, value.basis]
        if isinstance(value, tuple):
            return [plain(part) for part in value]
        return value

    return {name: plain(getattr(notice, name)) for name in Notice.__dataclass_fields__}


def notice_from_json(stored: Mapping[str, Any]) -> Notice:
    """The inverse of notice_json."""
    fields = dict(stored)
    fields["kind"] = NoticeKind(fields["kind"])
    fields["issued_on"] = date.fromisoformat(fields["issued_on"])
    fields["due_on"] = date.fromisoformat(fields["due_on"]) if fields["due_on"] else None
    for name in ("items", "notified"):
        fields[name] = tuple(NoticeItem(*texts) for texts in fields[name])
    for name in ("reasons", "basis", "remedies", "committed"):
        fields[name] = tuple(fields[name])
    fields["facts"] = tuple((label, text) for label, text in fields["facts"])
    return Notice(**fields)
