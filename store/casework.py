"""Casework: what officials read in a case beyond the case itself. Reads only, every list bounded.

Every method takes a `CaseFile`, which only `CaseStore.get` hands out, so whoever asks has already been found to
see the case; `document` is asked for by its own address and looks for itself.
"""
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from store.database import Database
from store.records.agencies import AgencyRecord
from store.records.applications import (
    ApplicationRecord,
    CorrectionItemRecord,
    DocumentRecord,
    DossierRowRecord,
    MaterialRecord,
    TableReadingRecord,
    UploadRecord,
)
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord, SignOffRecord
from store.records.certificates import AnnexRowRecord, CertificateRecord
from store.records.columns import table_of
from store.records.people import PersonRecord
from store.reviews import TEXT_LIMIT, ordinal_of
from store.scope import visible_to
from store.values import CaseFile, Page, TimelineEntry
from workflow.vocabulary import N_, Actor, Message, Refusal

PAGE = 100
HISTORY = 100
SHOWN = 200        # uploads, documents, items: more than any lawful application holds

_CASE = table_of(CaseRecord)


@dataclass(frozen=True, slots=True)
class Dossier:
    """The sections as typed, when they were last saved and, once submitted, the digest of exactly that content."""

    sections: Mapping[str, Any]
    saved_at: datetime | None = None
    frozen_at: datetime | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in; `current` tells that no later one replaced it."""

    public_id: str
    purpose: str
    name: str
    size: int
    status: str
    created_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class Material:
    """A material of the scenario by its catalogue code; `upload` names the file, if there is one."""

    code: str
    source: str
    upload: str | None
    name: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """What the intake found in one table."""

    table: str
    outcome: str
    reject_code: str | None
    rows: int
    accepted: int
    problems: Mapping[str, Any]
    upload: str
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """A notice or decision; its bytes lie in the file store under `sha256`."""

    public_id: str
    kind: str
    version: int
    sha256: str
    size: int
    created_at: datetime
    case_public_id: str


@dataclass(frozen=True, slots=True)
class CorrectionItem:
    """One item of a correction notice with the applicant's answer."""

    correction: int
    ordinal: int
    subject: str
    reason: str
    basis: str
    answer: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One department's answer in one round."""

    round: int
    department: str
    verdict: str
    opinion: str
    officer: str
    at: datetime
    principal: str = ""  # in whose place the officer answered
    carried_from: int | None = None  # the round in which it was given, when it stands from an earlier one


@dataclass(frozen=True, slots=True)
class Related:
    """A case that this one comes from or has opened."""

    public_id: str
    number: str | None
    procedure: str
    procedure_version: int
    state: str
    opened_at: datetime
    is_parent: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate a case is about."""

    public_id: str
    number: str
    status: str
    agency_name: str
    issued_on: date
    valid_to: date
    annex_version: int


@dataclass(frozen=True, slots=True)
class AnnexRow:
    """A row of a certificate's annex that is in force."""

    ordinal: int
    site: str
    category: str
    object: str
    parameter: str
    standard_text: str


class Casework:
    def __init__(self, database: Database) -> None:
        self.database = database

    def timeline(self, file: CaseFile, limit: int = HISTORY) -> tuple[TimelineEntry, ...]:
        """The newest audit entries, newest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(table_of(AuditRecord)).where(AuditRecord.case_id == file.case.id)
                .order_by(AuditRecord.seq.desc()).limit(limit)).mappings()
            return tuple(TimelineEntry(r["at"], r["action"], r["actor_name"], r["role"], r["department"],
                                       r["source"], r["target"], r["payload"], r["hash"]) for r in rows)

    def dossier(self, file: CaseFile) -> Dossier:
        a = ApplicationRecord
        with self.database.reading() as connection:
            row = connection.execute(select(a.sections, a.saved_at, a.frozen_at, a.digest)
                                     .where(a.case_id == file.case.id)).first()
        return Dossier(*row) if row else Dossier({})

    def agency(self, file: CaseFile) -> Mapping[str, Any]:
        """name, uscc, division, address, legal_person, phone, email of the applicant as registered; else empty."""
        a = AgencyRecord
        with self.database.reading() as connection:
            row = connection.execute(
                select(a.name, a.uscc, a.division, a.address, a.legal_person, a.phone, a.email)
                .where(a.id == file.case.agency_id)).mappings().first()
        return dict(row) if row else {}

    def uploads(self, file: CaseFile) -> tuple[Upload, ...]:
        u = UploadRecord
        with self.database.reading() as connection:
            return tuple(Upload(*row[:6], row[6] is None) for row in connection.execute(
                select(u.public_id, u.purpose, u.name, u.size, u.status, u.created_at, u.replaced_at)
                .where(u.case_id == file.case.id).order_by(u.purpose, u.id.desc()).limit(SHOWN)))

    def materials(self, file: CaseFile) -> tuple[Material, ...]:
        m, u = MaterialRecord, UploadRecord
        with self.database.reading() as connection:
            return tuple(Material(*row) for row in connection.execute(
                select(m.code, m.source, u.public_id, u.name, m.changed_at).outerjoin(u, u.id == m.upload_id)
                .where(m.case_id == file.case.id).order_by(m.code).limit(SHOWN)))

    def readings(self, file: CaseFile) -> tuple[Reading, ...]:
        t, u = TableReadingRecord, UploadRecord
        with self.database.reading() as connection:
            return tuple(Reading(*row) for row in connection.execute(
                select(t.table_name, t.outcome, t.reject_code, t.data_rows, t.accepted, t.problem_counts, u.public_id,
                       t.read_at).join(u, u.id == t.upload_id)
                .where(t.case_id == file.case.id).order_by(t.table_name).limit(SHOWN)))

    def table(self, file: CaseFile, name: str, *, after: str | None = None,
              limit: int = PAGE) -> Page[tuple[int, Mapping[str, Any]]]:
        """A page of (ordinal, values) of a table other than the capability table."""
        d = DossierRowRecord
        with self.database.reading() as connection:
            rows = connection.execute(
                select(d.ordinal, d.values).where(d.case_id == file.case.id, d.table_name == name,
                                                  d.ordinal > ordinal_of(after))
                .order_by(d.ordinal).limit(limit + 1)).all()
        lines: tuple[tuple[int, Mapping[str, Any]], ...] = tuple((r[0], r[1]) for r in rows[:limit])
        return Page(lines, str(lines[-1][0]) if len(rows) > limit else None)

    def documents(self, file: CaseFile) -> tuple[Document, ...]:
        d = DocumentRecord
        with self.database.reading() as connection:
            return tuple(Document(*row, file.public_id) for row in connection.execute(
                select(d.public_id, d.kind, d.version, d.sha256, d.size, d.created_at)
                .where(d.case_id == file.case.id).order_by(d.id.desc()).limit(SHOWN)))

    def document(self, public_id: str, actor: Actor) -> Document:
        """A document of a case this actor may see. Raises Refusal("unknown")."""
        d = DocumentRecord
        with self.database.reading() as connection:
            row = connection.execute(
                select(d.public_id, d.kind, d.version, d.sha256, d.size, d.created_at, _CASE.c.public_id)
                .join(_CASE, _CASE.c.id == d.case_id)
                .where(d.public_id == public_id, visible_to(actor))).first()
        if row is None:
            raise Refusal("unknown", Message(N_("There is no such document, or it is not open to you.")))
        return Document(*row)

    def corrections(self, file: CaseFile) -> tuple[CorrectionItem, ...]:
        c = CorrectionItemRecord
        with self.database.reading() as connection:
            return tuple(CorrectionItem(*row) for row in connection.execute(
                select(c.correction, c.ordinal, c.subject, c.reason, c.basis, c.answer, c.answered_at)
                .where(c.case_id == file.case.id).order_by(c.correction.desc(), c.ordinal).limit(SHOWN)))

    def answers(self, file: CaseFile) -> tuple[Answer, ...]:
        """Every department's answer of every round, newest round first."""
        s, told = SignOffRecord, AuditRecord  # the entry of the same act says for whom it was
        with self.database.reading() as connection:
            return tuple(Answer(*row) for row in connection.execute(
                select(s.round, s.department, s.verdict, s.opinion, func.coalesce(PersonRecord.name, ""), s.at,
                       func.coalesce(told.payload["for"]["name"].as_string(), ""), s.carried_from)
                .outerjoin(PersonRecord, PersonRecord.id == s.person_id)
                .outerjoin(told, and_(told.case_id == s.case_id, told.at == s.at, told.person_id == s.person_id))
                .where(s.case_id == file.case.id).order_by(s.round.desc(), s.id).limit(SHOWN)))

    def related(self, file: CaseFile, actor: Actor) -> tuple[Related, ...]:
        """The parent and the children of a case that this actor may see."""
        parent = select(_CASE.c.parent_id).where(_CASE.c.id == file.case.id).scalar_subquery()
        with self.database.reading() as connection:
            return tuple(Related(*row[:6], row[6] != file.case.id) for row in connection.execute(
                select(_CASE.c.public_id, _CASE.c.number, _CASE.c.procedure, _CASE.c.procedure_version,
                       _CASE.c.state, _CASE.c.opened_at, func.coalesce(_CASE.c.parent_id, 0))
                .where(or_(_CASE.c.parent_id == file.case.id, _CASE.c.id == parent), visible_to(actor))
                .order_by(_CASE.c.id).limit(SHOWN)))

    def certificate(self, file: CaseFile) -> Certificate | None:
        """The certificate that the case has issued, changes or verifies."""
        number = file.case.fact("certificate_number") or file.case.fact("certificate_held")
        if not number:
            return None
        c = CertificateRecord
        with self.database.reading() as connection:
            row = connection.execute(
                select(c.public_id, c.number, c.status, c.agency_name, c.issued_on, c.valid_to, c.annex_version)
                .where(c.number == number)).first()
        return Certificate(*row) if row else None

    def annex(self, file: CaseFile, *, search: str = "", after: str | None = None,
              limit: int = PAGE) -> Page[AnnexRow]:
        """A page of the rows in force of the certificate that the case is about."""
        a, c = AnnexRowRecord, CertificateRecord
        query = (select(a.ordinal, a.site, a.category, a.object, a.parameter, a.standard_text)
                 .join(c, c.id == a.certificate_id)
                 .where(c.number == file.case.fact("certificate_number", ""), a.until_version.is_(None),
                        a.ordinal > ordinal_of(after))
                 .order_by(a.ordinal).limit(limit + 1))
        if search:
            query = query.where(or_(*(field.contains(search[:TEXT_LIMIT], autoescape=True) for field in (
                a.object, a.parameter, a.standard_text, a.category))))
        with self.database.reading() as connection:
            rows = [AnnexRow(*row) for row in connection.execute(query)]
        return Page(tuple(rows[:limit]), str(rows[limit - 1].ordinal) if len(rows) > limit else None)
