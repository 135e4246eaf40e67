"""The dossier an applicant fills: sections, uploads, what was read from them, materials, corrections, findings."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import Record, big_id, token


class ApplicationRecord(Record):
    """`sections` holds section name -> field values as typed; `digest` is set when the case is submitted.

    `section_states` holds section name -> revision, moment and author of the last change and the fields that came
    out of the uploaded form; two people editing two sections do not disturb each other.
    """

    __tablename__ = "application"
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    sections: Mapped[dict[str, Any]]
    section_states: Mapped[dict[str, Any]] = mapped_column(default=dict)
    revision: Mapped[int] = mapped_column(default=0)
    digest: Mapped[str | None] = mapped_column(String(64))
    frozen_at: Mapped[datetime | None]
    saved_at: Mapped[datetime]


class UploadRecord(Record):
    """A file as it came in. Its content lies in the file store under its SHA-256; the name is only text."""

    __tablename__ = "upload"
    id: Mapped[int] = big_id()
    public_id: Mapped[str] = token(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    purpose: Mapped[str] = mapped_column(String(60))  # table:capability, material:<code>, rectification
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(12))  # checking, clean, refused
    refusal: Mapped[dict[str, Any] | None]
    account_id: Mapped[int]
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_upload_case", "case_id", "purpose", "id"),
        CheckConstraint("status IN ('checking', 'clean', 'refused')", name="status"),
    )


class TableReadingRecord(Record):
    """What the intake found in one uploaded table. `summary` holds what the case's facts need of its rows."""

    __tablename__ = "table_reading"
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    table_name: Mapped[str] = mapped_column(String(30), primary_key=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id"))
    outcome: Mapped[str] = mapped_column(String(30))
    reject_code: Mapped[str | None] = mapped_column(String(40))
    data_rows: Mapped[int]
    accepted: Mapped[int]
    problem_counts: Mapped[dict[str, Any]]
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    read_at: Mapped[datetime]


class TableProblemRecord(Record):
    __tablename__ = "table_problem"
    id: Mapped[int] = big_id()
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    table_name: Mapped[str] = mapped_column(String(30))
    code: Mapped[str] = mapped_column(String(50))
    severity: Mapped[str] = mapped_column(String(10))
    sheet: Mapped[str | None]
    sheet_row: Mapped[int | None]
    cell: Mapped[str | None] = mapped_column(String(20))
    detail: Mapped[dict[str, Any]]
    __table_args__ = (Index("ix_table_problem_case", "case_id", "table_name", "severity", "id"),)


class CapabilityRowRecord(Record):
    """One applied-for row of 附表1. `standing` is open, confirmed or refused: the review answers row by row."""

    __tablename__ = "capability_row"
    id: Mapped[int] = big_id()
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    ordinal: Mapped[int]
    sheet: Mapped[str]
    sheet_row: Mapped[int]
    site: Mapped[str]
    section: Mapped[str]
    category: Mapped[str]
    object: Mapped[str]
    parameter: Mapped[str]
    standards: Mapped[list[Any]]
    standard_text: Mapped[str]
    limit_text: Mapped[str]
    note: Mapped[str]
    warned: Mapped[bool] = mapped_column(default=False)
    standing: Mapped[str] = mapped_column(String(10), default="open")
    ways: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    confirmed_by: Mapped[str | None] = mapped_column(String(22))
    __table_args__ = (
        UniqueConstraint("case_id", "ordinal"),
        Index("ix_capability_row_standing", "case_id", "standing", "ordinal"),
        CheckConstraint("standing IN ('open', 'confirmed', 'refused')", name="standing"),
    )


class DossierRowRecord(Record):
    """A row of another table of the application: staff (附表4), signatories (附表2), equipment (附表5)."""

    __tablename__ = "dossier_row"
    id: Mapped[int] = big_id()
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    table_name: Mapped[str] = mapped_column(String(30))
    ordinal: Mapped[int]
    values: Mapped[dict[str, Any]]
    __table_args__ = (UniqueConstraint("case_id", "table_name", "ordinal"),)


class MaterialRecord(Record):
    """A material of the scenario: uploaded by the applicant, shared by another organ, or generated by us."""

    __tablename__ = "material"
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    source: Mapped[str] = mapped_column(String(12))
    upload_id: Mapped[int | None] = mapped_column(ForeignKey("upload.id"))
    changed_at: Mapped[datetime]


class CorrectionItemRecord(Record):
    """One item of a one-time correction notice, answered one by one."""

    __tablename__ = "correction_item"
    id: Mapped[int] = big_id()
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    correction: Mapped[int]
    ordinal: Mapped[int]
    subject: Mapped[str]
    reason: Mapped[str]
    basis: Mapped[str]
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("case_id", "correction", "ordinal"),)


class ChecklistLineRecord(Record):
    """A line of the review checklist for one case. `licence` is the procedure whose licence alone it is about; empty
    for the criteria common to all that are applied for together."""

    __tablename__ = "checklist_line"
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    ordinal: Mapped[int]
    licence: Mapped[str] = mapped_column(String(60), default="", server_default=text("''"))
    result: Mapped[str] = mapped_column(String(20), default="")
    explanation: Mapped[str] = mapped_column(default="")
    person_id: Mapped[str | None] = mapped_column(String(22))
    at: Mapped[datetime | None]


class DocumentRecord(Record):
    """A notice or decision rendered for a case; its bytes lie in the file store under their SHA-256."""

    __tablename__ = "document"
    id: Mapped[int] = big_id()
    public_id: Mapped[str] = token(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    kind: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("case_id", "kind", "version"),)
