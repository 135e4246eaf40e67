"""Reading a dossier: the whole of it in outline, its long tables page by page."""
import base64
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from store.cases import CaseStore
from store.dossier_edits import judge, read_agency, read_summaries
from store.dossier_facts import (
    Catalogues,
    legal_setting,
    materials_asked,
    sections_asked,
    tables_asked,
    types_of,
)
from store.dossier_readings import differences
from store.dossier_scenarios import Beside, beside, judged, materials_of, sections_of, sheet_of
from store.dossier_values import (
    SECTIONS,
    TABLES,
    Agency,
    ApplicationLine,
    CapabilityLine,
    Correction,
    Difference,
    Dossier,
    Faults,
    Issued,
    MaterialState,
    ProblemLine,
    Sections,
    SectionState,
    TableState,
    Upload,
)
from store.records.applications import (
    ApplicationRecord,
    CapabilityRowRecord,
    CorrectionItemRecord,
    DocumentRecord,
    DossierRowRecord,
    TableProblemRecord,
    TableReadingRecord,
    UploadRecord,
)
from store.records.cases import CaseRecord
from store.records.certificates import CertificateRecord, CertificateVersionRecord
from store.records.columns import NEVER, table_of
from store.reference import Reference
from store.scope import visible_to
from store.values import CaseFile, Page
from workflow.dossiers import Dossier as Sheet
from workflow.vocabulary import N_, Actor, Message, Refusal

PAGE = 50                # lines of a page; a display choice
SEARCH_LIMIT = 80        # characters of a search that are looked at
REFUSED_SHOWN = 5        # refused files shown until they are put away
_UPLOAD, _ROW, _PROBLEM = table_of(UploadRecord), table_of(CapabilityRowRecord), table_of(TableProblemRecord)


def clean_upload(row: Mapping[Any, Any]) -> Upload:
    return Upload(row["public_id"], row["purpose"], row["name"], row["size"], row["media_type"], row["sha256"],
                  row["status"], row["refusal"], row["created_at"], row["replaced_at"] is not None)


def current_uploads(connection: Connection, case_id: int) -> list[Upload]:
    """The files of a dossier that were not replaced, oldest first."""
    return [clean_upload(r) for r in connection.execute(select(_UPLOAD).where(
        _UPLOAD.c.case_id == case_id, _UPLOAD.c.replaced_at.is_(None)).order_by(_UPLOAD.c.id)).mappings()]


class DossierReads:
    """Every read goes through the case's visibility: a case that is not the actor's does not exist for them."""

    def __init__(self, cases: CaseStore, reference: Reference, faults: Faults) -> None:
        self.cases, self.reference, self.faults = cases, reference, faults
        self.database = cases.database

    def catalogues(self) -> Catalogues:
        return Catalogues.read(self.reference)

    def get(self, public_id: str, actor: Actor) -> Dossier:
        """The dossier in outline. Raises Refusal("unknown")."""
        file, catalogues = self.cases.get(public_id, actor), self.catalogues()
        case = file.case
        with self.database.reading() as connection:
            kept = connection.execute(select(ApplicationRecord.sections, ApplicationRecord.section_states).where(
                ApplicationRecord.case_id == case.id)).first()
            if kept is None:
                raise Refusal("unknown", Message(N_("There is no such application, or it is not open to you.")))
            agency, uploads = read_agency(connection, case.agency_id), current_uploads(connection, case.id)
            if sheet := sheet_of(file.procedure):
                return self._from_file(connection, file, sheet, agency, uploads, kept.sections, kept.section_states)
            summaries = read_summaries(connection, case.id)
            types = types_of(kept.sections)
            also = beside(file.procedure, kept.sections, track=case.track)
            asked = [*materials_asked(catalogues.materials, types, legal_setting(kept.sections), case.track),
                     *also.materials()]
            return Dossier(
                file=file, agency=agency, sections=self._states(kept.sections, kept.section_states, also),
                added=also.files,
                tables=_tables(connection, case.id, types, uploads),
                materials=tuple(MaterialState(r["key"], r, tuple(
                    u for u in uploads if u.purpose == f"material:{r['key']}")) for r in asked),
                differences=self._differences(connection, case.id, kept.sections, agency, catalogues),
                corrections=_corrections(connection, case.id, int(case.fact("corrections", 0))),
                eligibility=judge(connection, case, kept.sections, summaries, agency, catalogues,
                                  self.database.clock.today(), self.cases.laws.current()),
                waiting=tuple(u for u in uploads if u.status == "checking"),
                refused=tuple(u for u in uploads if u.status == "refused"
                              and u.purpose.startswith("table:"))[-REFUSED_SHOWN:],
                certificate_valid_to=connection.scalar(select(CertificateRecord.valid_to).where(
                    CertificateRecord.number == str(case.fact("certificate_held") or ""))))

    def _from_file(self, connection: Connection, file: CaseFile, sheet: Sheet, agency: Agency, uploads: list[Upload],
                   sections: Sections, states: Mapping[str, Any]) -> Dossier:
        """The dossier of a procedure whose form is made from a file: no tables, no uploaded form to differ from."""
        case, asked = file.case, sections_of(sheet, sections)
        return Dossier(
            file=file, agency=agency, tables={}, differences=(),
            sections={s.name: self._state(s.name, sections, states, sheet) for s in asked},
            materials=tuple(MaterialState(r["key"], r, tuple(
                u for u in uploads if u.purpose == f"material:{r['key']}"))
                for r in materials_of(sheet, sections, case.track)),
            corrections=_corrections(connection, case.id, int(case.fact("corrections", 0))),
            eligibility=judged(sheet, case.facts), waiting=(), refused=(), sheet=sheet,
            certificate_valid_to=connection.scalar(select(CertificateRecord.valid_to).where(
                CertificateRecord.number == str(case.fact("certificate_held") or ""))))

    def _state(self, name: str, sections: Sections, states: Mapping[str, Any], sheet: Sheet) -> SectionState:
        state = states.get(name, {})
        return SectionState(name, sections.get(name, {}), int(state.get("revision", 0)), True,
                            tuple(self.faults(name, sections.get(name, {}), sections, sheet)), state.get("at"),
                            state.get("by", ""))

    def _states(self, sections: Sections, states: Mapping[str, Any], also: Beside) -> dict[str, SectionState]:
        """The official sections between what is asked of everybody before them and the blocks after them."""
        asked = sections_asked(sections)
        before, after = ({s.name: self._state(s.name, sections, states, file) for file, s in also.parts()
                          if (file is also.files[0]) is first} for first in (True, False))
        official = {name: SectionState(
            name, sections.get(name, {}), int(states.get(name, {}).get("revision", 0)), name in asked,
            tuple(self.faults(name, sections.get(name, {}), sections)) if name in asked else (),
            states.get(name, {}).get("at"), states.get(name, {}).get("by", ""),
            tuple(states.get(name, {}).get("from_table", ()))) for name in SECTIONS}
        return before | official | after

    def list_(self, actor: Actor, *, after: str | None = None) -> Page[ApplicationLine]:
        """The agency's applications of every procedure, newest first."""
        case = CaseRecord
        query = select(case).join(ApplicationRecord, ApplicationRecord.case_id == case.id).where(
            visible_to(actor), case.agency_id == (actor.agency_id or 0))
        if after:
            query = query.where(case.id < _key(after))
        with self.database.reading() as connection:
            rows = connection.execute(query.with_only_columns(
                case.id, case.public_id, case.number, case.state, case.track, case.subject, case.procedure,
                case.procedure_version, case.opened_at, case.submitted_at, case.changed_at, case.due_on,
            ).order_by(case.id.desc()).limit(PAGE + 1)).all()
        lines = [ApplicationLine(r.public_id, r.number, r.state, r.track, r.subject, r.procedure,
                                 r.procedure_version, r.opened_at, r.submitted_at, r.changed_at,
                                 None if r.due_on == NEVER else r.due_on, r.id) for r in rows[:PAGE]]
        return Page(tuple(lines), _after(lines[-1].key) if len(rows) > PAGE else None)

    def problems(self, public_id: str, actor: Actor, *, table: str = "", severity: str = "", code: str = "",
                 after: str | None = None, limit: int = PAGE) -> Page[ProblemLine]:
        """Problems of the readings in the order of the files; `limit` up to 100,000 for the download."""
        with self.database.reading() as connection:
            query = select(_PROBLEM).where(_PROBLEM.c.case_id == self._case_id(connection, public_id, actor))
            for column, value in ((_PROBLEM.c.table_name, table), (_PROBLEM.c.severity, severity),
                                  (_PROBLEM.c.code, code)):
                if value:
                    query = query.where(column == value)
            if after:
                query = query.where(_PROBLEM.c.id > _key(after))
            rows = connection.execute(query.order_by(_PROBLEM.c.id).limit(limit + 1)).mappings().all()
        lines = [ProblemLine(r["id"], r["table_name"], r["code"], r["severity"], r["sheet"], r["sheet_row"], r["cell"],
                             r["detail"]) for r in rows[:limit]]
        return Page(tuple(lines), _after(lines[-1].id) if len(rows) > limit else None)

    def problem_counts(self, public_id: str, actor: Actor) -> list[tuple[str, str, str, int]]:
        """(table, severity, code, how many), gravest first."""
        with self.database.reading() as connection:
            case_id = self._case_id(connection, public_id, actor)
            rows = connection.execute(
                select(_PROBLEM.c.table_name, _PROBLEM.c.severity, _PROBLEM.c.code, func.count())
                .where(_PROBLEM.c.case_id == case_id)
                .group_by(_PROBLEM.c.table_name, _PROBLEM.c.severity, _PROBLEM.c.code)).all()
        order = ("error", "warning", "info")
        return sorted(((t, s, c, int(n)) for t, s, c, n in rows), key=lambda r: (order.index(r[1]), r[0], -r[3]))

    def rows(self, public_id: str, actor: Actor, *, search: str = "", warned: bool = False,
             after: str | None = None, limit: int = PAGE) -> Page[CapabilityLine]:
        """Accepted capability rows by their ordinal; `search` looks in object, parameter and standard."""
        with self.database.reading() as connection:
            case_id = self._case_id(connection, public_id, actor)
            query = select(_ROW).where(_ROW.c.case_id == case_id, *_searched(search))
            if warned:
                query = query.where(_ROW.c.warned)
            if after:
                query = query.where(_ROW.c.ordinal > _key(after))
            rows = connection.execute(query.order_by(_ROW.c.ordinal).limit(limit + 1)).mappings().all()
        lines = [CapabilityLine(**{part.name: r[part.name] for part in fields(CapabilityLine)}) for r in rows[:limit]]
        return Page(tuple(lines), _after(lines[-1].ordinal) if len(rows) > limit else None)

    def table_rows(self, public_id: str, actor: Actor, table: str, *, after: str | None = None,
                   limit: int = PAGE) -> Page[Mapping[str, Any]]:
        """Rows of another table as they were read (staff, signatories, equipment, capability_refused ...)."""
        row = table_of(DossierRowRecord)
        with self.database.reading() as connection:
            query = select(row.c.ordinal, row.c["values"]).where(
                row.c.case_id == self._case_id(connection, public_id, actor), row.c.table_name == table)
            if after:
                query = query.where(row.c.ordinal > _key(after))
            rows = connection.execute(query.order_by(row.c.ordinal).limit(limit + 1)).all()
        lines = tuple({"ordinal": r[0], **r[1]} for r in rows[:limit])
        return Page(lines, _after(rows[limit - 1][0]) if len(rows) > limit else None)

    def documents(self, public_id: str, actor: Actor) -> list[Issued]:
        """The notices and decisions rendered for a case, newest first."""
        record = table_of(DocumentRecord)
        with self.database.reading() as connection:
            case_id = self._case_id(connection, public_id, actor)
            rows = connection.execute(select(record).where(record.c.case_id == case_id)
                                      .order_by(record.c.id.desc())).mappings()
            return [Issued(r["public_id"], r["kind"], r["version"], r["sha256"], r["size"], r["created_at"])
                    for r in rows]

    def proofs(self, public_id: str, actor: Actor) -> list[Upload]:
        """The proofs of rectification handed in so far."""
        with self.database.reading() as connection:
            return [u for u in current_uploads(connection, self._case_id(connection, public_id, actor))
                    if u.purpose == "rectification"]

    def certificate(self, public_id: str, actor: Actor) -> Issued | None:
        """The certificate issue of a case once it is rendered, or None."""
        version, certificate = table_of(CertificateVersionRecord), table_of(CertificateRecord)
        with self.database.reading() as connection:
            row = connection.execute(
                select(certificate.c.number, version).join(certificate, certificate.c.id == version.c.certificate_id)
                .where(version.c.case_id == self._case_id(connection, public_id, actor),
                       version.c.sha256.is_not(None))).mappings().first()
        if row is None:
            return None
        return Issued(row["number"], "certificate", row["version"], row["sha256"], row["size"], row["rendered_at"])

    def _case_id(self, connection: Connection, public_id: str, actor: Actor) -> int:
        case_id = connection.scalar(select(CaseRecord.id).where(CaseRecord.public_id == public_id, visible_to(actor)))
        if case_id is None:
            raise Refusal("unknown", Message(N_("There is no such case, or it is not open to you.")))
        return case_id

    def _sections(self, connection: Connection, case_id: int) -> Sections:
        found = connection.scalar(select(ApplicationRecord.sections).where(ApplicationRecord.case_id == case_id))
        return found or {}

    def _differences(self, connection: Connection, case_id: int, sections: Sections, agency: Agency,
                     catalogues: Catalogues) -> tuple[Difference, ...]:
        facts = connection.scalar(select(DossierRowRecord.values).where(
            DossierRowRecord.case_id == case_id, DossierRowRecord.table_name == "basic").limit(1))
        return differences(facts, sections, agency, catalogues) if facts else ()


def _tables(connection: Connection, case_id: int, types: tuple[str, ...],
            uploads: list[Upload]) -> dict[str, TableState]:
    asked, by_purpose = tables_asked(types), {u.purpose: u for u in uploads if u.status == "clean"}
    reading = table_of(TableReadingRecord)
    found = {r["table_name"]: r for r in connection.execute(
        select(reading).where(reading.c.case_id == case_id)).mappings()}
    states = {}
    for name in TABLES:
        row, upload = found.get(name), by_purpose.get(f"table:{name}")
        states[name] = TableState(name, name in asked, upload) if row is None else TableState(
            name, name in asked, upload, row["outcome"], row["data_rows"], row["accepted"],
            row["summary"].get("errors", 0), row["summary"].get("warnings", 0), row["summary"], row["read_at"])
    return states


def _corrections(connection: Connection, case_id: int, correction: int) -> tuple[Correction, ...]:
    item = CorrectionItemRecord
    return tuple(Correction(*row) for row in connection.execute(
        select(item.ordinal, item.subject, item.reason, item.basis, item.answer, item.answered_at)
        .where(item.case_id == case_id, item.correction == correction).order_by(item.ordinal)))


def _searched(search: str) -> list[ColumnElement[bool]]:
    words = search[:SEARCH_LIMIT].split()
    return [or_(*(column.icontains(word, autoescape=True) for column in (
        _ROW.c.object, _ROW.c.parameter, _ROW.c.standard_text))) for word in words]


def _after(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _key(after: str) -> int:
    try:
        key = int(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (ValueError, UnicodeError):
        raise Refusal("malformed", Message(N_("This page address is damaged; start from the first page."))) from None
    if not -2**62 < key < 2**62:
        raise Refusal("malformed", Message(N_("This page address is damaged; start from the first page.")))
    return key
