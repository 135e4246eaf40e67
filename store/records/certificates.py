"""Certificates, their numbers, their annexes row by row with dates, and every act upon them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import Record, big_id, token


class NumberCounterRecord(Record):
    """The next number of a scope; its row is locked in the issuing transaction, so numbers have no gap."""

    __tablename__ = "number_counter"
    scope: Mapped[str] = mapped_column(String(60), primary_key=True)
    next: Mapped[int]
    __table_args__ = (CheckConstraint("next >= 1", name="next"),)


class CertificateRecord(Record):
    """`status`: valid, suspended, annulled, revoked, withdrawn, cancelled: different legal acts, never one word.

    `kind` is the procedure that issues such certificates; None is that of the official form with its tables.
    """

    __tablename__ = "certificate"
    id: Mapped[int] = big_id()
    public_id: Mapped[str] = token(unique=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str | None] = mapped_column(String(60))
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), index=True)
    agency_name: Mapped[str]
    agency_address: Mapped[str]
    authority_code: Mapped[str] = mapped_column(String(2))
    authority_name: Mapped[str]
    status: Mapped[str] = mapped_column(String(12))
    issued_on: Mapped[date]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    annex_version: Mapped[int]
    verify_code: Mapped[str] = token(unique=True)
    imported: Mapped[bool] = mapped_column(default=False)
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"))
    deemed_renewed_on: Mapped[date | None]
    __table_args__ = (
        CheckConstraint(
            "status IN ('valid','suspended','annulled','revoked','withdrawn','cancelled')", name="status"
        ),
        CheckConstraint("length(number) BETWEEN 1 AND 40", name="number"),
    )


class CertificateVersionRecord(Record):
    """One issue of certificate and annex: the case behind it and, once rendered, its bytes.

    `content` is what a certificate of a dossier file says beside its holder: title, statement, lines, table.
    """

    __tablename__ = "certificate_version"
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"), unique=True)
    issued_on: Mapped[date]
    annex_rows: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64), unique=True)
    size: Mapped[int | None]
    pages: Mapped[int | None]
    rendered_at: Mapped[datetime | None]
    content: Mapped[dict[str, Any] | None]


class AnnexRowRecord(Record):
    """A capability row in force from `from_on` until the day before `until_on`; history rebuilds any past annex."""

    __tablename__ = "annex_row"
    id: Mapped[int] = big_id()
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    ordinal: Mapped[int]
    site: Mapped[str]
    section: Mapped[str]
    category: Mapped[str]
    object: Mapped[str]
    parameter: Mapped[str]
    standard_text: Mapped[str]
    limit_text: Mapped[str]
    note: Mapped[str]
    from_version: Mapped[int]
    until_version: Mapped[int | None]
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    ended_by: Mapped[str | None] = mapped_column(String(20))
    __table_args__ = (UniqueConstraint("certificate_id", "ordinal"),)


class AnnexSignatoryRecord(Record):
    __tablename__ = "annex_signatory"
    id: Mapped[int] = big_id()
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    ordinal: Mapped[int]
    name: Mapped[str]
    title: Mapped[str]
    field: Mapped[str]
    note: Mapped[str]
    from_version: Mapped[int]
    until_version: Mapped[int | None]
    __table_args__ = (UniqueConstraint("certificate_id", "ordinal"),)


class CertificateEventRecord(Record):
    """An act upon a certificate, append-only: issued, renewed, extended, annulled, rows_annulled, ..."""

    __tablename__ = "certificate_event"
    id: Mapped[int] = big_id()
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    act: Mapped[str] = mapped_column(String(20))
    on: Mapped[date]
    at: Mapped[datetime]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    basis: Mapped[str]
    grounds: Mapped[str]
    detail: Mapped[dict[str, Any]]
    __table_args__ = (Index("ix_certificate_event_certificate", "certificate_id", "id"),)
