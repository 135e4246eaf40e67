"""What the store hands out about certificates: frozen values, never records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from workflow.deadlines import Clock

Standing = Literal[
    "valid",
    "not_yet_valid",
    "expired",
    "deemed_renewed",
    "replaced",
    "suspended",
    "annulled",
    "revoked",
    "withdrawn",
    "cancelled",
]


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. `status` is the legal act that stands; `standing(on)` is what it means on a day.

    `replaced_by` and `replaces` are (number, verification code) of the neighbour, if there is one.
    """

    id: int
    public_id: str
    number: str
    agency_id: int
    agency_name: str
    agency_address: str
    authority_name: str
    status: str
    issued_on: date
    valid_from: date
    valid_to: date
    version: int
    verify_code: str
    imported: bool
    kind: str  # the procedure whose certificates these are
    replaced_by: tuple[str, str] | None = None
    replaces: tuple[str, str] | None = None
    deemed_renewed_on: date | None = None  # since when the law has it renewed because nobody decided in time

    def standing(self, on: date) -> Standing:
        """How the certificate stands on a day; an act upon it weighs more than its dates."""
        if self.status != "valid":
            return self.status  # type: ignore[return-value]  # the CHECK constraint allows only these words
        if on > self.valid_to:
            return "deemed_renewed" if self.deemed_renewed_on and not self.replaced_by else "expired"
        if self.replaced_by:
            return "replaced"
        return "not_yet_valid" if on < self.valid_from else "valid"


@dataclass(frozen=True, slots=True)
class AnnexRow:
    """A capability row of the annex, in force from `from_on` until the day before `until_on`."""

    ordinal: int
    site: str
    section: str
    category: str
    object: str
    parameter: str
    standard_text: str
    limit_text: str
    note: str
    from_on: date
    until_on: date | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class AnnexPage:
    """A page of the annex; `after` is the ordinal to go on with. `found` of `total` rows match the search."""

    rows: tuple[AnnexRow, ...]
    after: int | None
    found: int
    total: int


@dataclass(frozen=True, slots=True)
class CertificateEvent:
    """An act upon a certificate: issued, renewed, extended, annulled, rows_annulled, imported."""

    act: str
    on: date
    at: datetime
    basis: str
    grounds: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of the document. `size` in bytes; hash, size, pages and moment are None until rendered."""

    version: int
    issued_on: date
    annex_rows: int
    sha256: str | None
    size: int | None
    pages: int | None
    rendered_at: datetime | None
    content: Mapping[str, Any] | None = None

    @property
    def is_licence(self) -> bool:
        """Whether it is described by a dossier file; otherwise it is one of the official form."""
        return bool(self.content and self.content.get("title"))


@dataclass(frozen=True, slots=True)
class ToRender:
    """Everything that a version of a certificate says; `rows` are the eight texts of pdf's AnnexRow."""

    certificate: Certificate
    version: int
    issued_on: date
    sha256: str | None
    liability_bearer: str
    rows: tuple[tuple[str, ...], ...]
    signatories: tuple[tuple[str, str, str, str], ...]
    content: Mapping[str, Any] | None = None  # what a certificate of a dossier file says beside its holder
    agency_name: str = ""  # as this version says it; a later one may say another
    agency_address: str = ""

    @property
    def is_licence(self) -> bool:
        """Whether it is described by a dossier file; otherwise it is one of the official form."""
        return bool(self.content and self.content.get("title"))


@dataclass(frozen=True, slots=True)
class Printable:
    """A line of the issuing clerk's list: the case, and the version of the certificate it brought forth."""

    case_public_id: str
    case_number: str | None
    case_version: int
    state: str
    clocks: tuple[Clock, ...]
    changed_at: datetime
    certificate_id: int
    certificate_public_id: str
    number: str
    agency_name: str
    status: str
    version: int
    annex_rows: int
    sha256: str | None
    pages: int | None
    together: bool = False  # it waits for what else was applied for with it, and is delivered with that

    @property
    def may_leave(self) -> bool:
        """Whether it can be printed: rendered, and not taken back meanwhile."""
        return self.sha256 is not None and self.status == "valid"


def signatories_once(
    rows: Iterable[tuple[str, str, str, str]],
) -> tuple[tuple[str, str, str, str], ...]:
    """Each signatory once: an extension lists again those who were already approved."""
    return tuple(dict.fromkeys(rows))
