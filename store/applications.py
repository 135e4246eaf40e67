"""ApplicationStore: the dossier an applicant fills, from its start to the answers of a correction notice.

Reads are scoped by `visible_to`; every change goes through `editing`, which locks the case, refuses everybody but
the applicant and every state that is not editable, and puts the facts that follow on the case in the same
transaction. Steps themselves (submit, retract, sign) are `CaseStore.perform`.
"""
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from store.cases import CaseStore
from store.commitment import text_sha256
from store.dossier_edits import Edit, editing, notice_of, read_agency, text_shown
from store.dossier_facts import Catalogues, legal_setting, materials_asked, types_of
from store.dossier_reads import DossierReads, clean_upload, current_uploads
from store.dossier_scenarios import (
    Beside,
    Held,
    beside,
    held_certificate,
    known_values,
    materials_of,
    sections_of,
    sheet_of,
    subject_words,
)
from store.dossier_uploads import companions, put_in, read_together, uploader, waiting
from store.dossier_values import SECTIONS, Agency, Faults, Reader, Upload
from store.files import FileStore
from store.records.agencies import AgencyRecord
from store.records.applications import ApplicationRecord, CorrectionItemRecord, MaterialRecord, UploadRecord
from store.records.cases import CaseRecord
from store.records.certificates import CertificateRecord
from store.records.columns import table_of
from store.records.jobs import JobRecord
from store.reference import Reference
from store.tokens import new_token
from store.values import CaseFile
from workflow import dossiers, procedures
from workflow.commands import TEXT_LIMIT
from workflow.dossiers import Dossier as Sheet
from workflow.procedure import Procedure
from workflow.vocabulary import N_, Actor, Message, Refusal

MOST_FILES = 20          # files of one material; a technical bound
SECTION_LIMIT = 60_000   # characters of one section; a technical bound
READ_UPLOAD = "read_upload"
_UPLOAD, _APPLICATION = table_of(UploadRecord), table_of(ApplicationRecord)


@dataclass(frozen=True, slots=True)
class Received:
    """A file as it came in, within the size limit. `name` is text without a path."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


class ApplicationStore(DossierReads):
    """`faults` tells which fields of a section still need attention; the forms know, the store does not."""

    def __init__(self, cases: CaseStore, files: FileStore, reference: Reference, faults: Faults) -> None:
        super().__init__(cases, reference, faults)
        self.files = files

    # -- the dossier itself --------------------------------------------------------------------------------

    def start(self, actor: Actor, procedure: str | None = None, *, types: Sequence[str] = (),
              certificate: str = "") -> str:
        """Open an application for the actor's agency and return its public id.

        `procedure` is by default the one of the official form; `types` and the number of a `certificate` are for
        those whose file asks for them. What the register of agencies and of certificates knows is filled in. A draft
        that nobody has touched yet is returned instead of a second one, so that a double click opens one. Raises
        Refusal: forbidden for somebody without an agency, unmet without the certificate that it is about.
        """
        if actor.agency_id is None:
            raise Refusal("forbidden", Message(N_("Only the account of an agency can apply.")))
        current, catalogues = procedures.current(procedure or dossiers.tabular().spec.procedure), self.catalogues()
        sheet, wanted = sheet_of(current), tuple(types)
        with self.database.writing() as connection:
            agency = read_agency(connection, actor.agency_id)
            connection.execute(select(AgencyRecord.id).where(AgencyRecord.id == agency.id).with_for_update())
            held = _needed_certificate(connection, sheet, agency.id, certificate) if sheet else None
            if untouched := _untouched(connection, agency.id, current, wanted):
                return untouched
            today = self.database.clock.today()
            also = beside(current, {})
            subject = subject_words(sheet, wanted) if sheet else also.subject() if also.files else "资质认定申请"
            public_id = self.cases.open(
                current, actor, agency_id=agency.id, agency_name=held.agency_name if held else agency.name,
                subject=subject, connection=connection,
                facts={"certificate_held": held.number} if held else None)
            case_id = connection.scalar(select(CaseRecord.id).where(CaseRecord.public_id == public_id))
            connection.execute(insert(_APPLICATION), {
                "case_id": case_id, "section_states": {}, "revision": 0, "digest": None, "frozen_at": None,
                "sections": known_values(sheet, agency, held, wanted, today) if sheet else _known(
                    connection, agency, today) | _known_beside(also, agency, today),
                "saved_at": self.database.clock.now()})
        with self._editing(actor, catalogues=catalogues, public_id=public_id):
            pass  # renews the facts
        return public_id

    def save_section(self, public_id: str, actor: Actor, section: str, values: Mapping[str, Any],
                     revision: int) -> int:
        """Keep a section as typed, complete or not, and return its new revision.

        `revision` is the one the form was made from. Raises Refusal: stale when somebody saved the section in the
        meantime (the caller still has what was typed), malformed for what is no section.
        """
        kept = _plain_values(values)
        with self._editing(actor, public_id=public_id) as edit:
            sheet = sheet_of(edit.procedure)
            also = beside(edit.procedure, edit.sections)
            if section not in ({s.name for s in sections_of(sheet, edit.sections)} if sheet else
                               {*SECTIONS, *(s.name for _, s in also.parts())}):
                raise Refusal("unknown", Message(N_("There is no such part of the application.")))
            state = edit.states.get(section, {})
            seen = int(state.get("revision", 0))
            if edit.sections.get(section, {}) == kept and seen:
                return seen
            if not 0 <= revision <= seen:
                raise Refusal("malformed", Message(
                    N_("This form is damaged; reload the page and send it again.")))
            if revision != seen:
                raise Refusal("stale", Message(
                    N_("Meanwhile %(who)s saved this part (%(when)s). What you typed is still on this page: compare, "
                       "then save again."),
                    {"who": state.get("by", ""), "when": datetime.fromisoformat(state["at"])}))
            _keep_section(edit, section, kept, [])
            return seen + 1

    def take_over(self, public_id: str, actor: Actor, fields: Sequence[str]) -> int:
        """Take values of the uploaded form 申请书基本信息 into the sections, named "section.field"; how many."""
        with self._editing(actor, public_id=public_id) as edit:
            chosen = [d for d in self._differences(edit.connection, edit.case.id, edit.sections, edit.agency,
                                                   edit.catalogues)
                      if f"{d.section}.{d.field}" in fields and d.field != "uscc"]
            for section in dict.fromkeys(d.section for d in chosen):
                taken = {d.field: d.in_table for d in chosen if d.section == section}
                _keep_section(edit, section, {**edit.sections.get(section, {}), **taken}, list(taken))
            return len(chosen)

    # -- files ---------------------------------------------------------------------------------------------

    def receive_tables(self, public_id: str, actor: Actor, files: Sequence[Received]) -> int:
        """Keep the files as uploads being checked and leave a job that reads them; returns the case's id."""
        kept = [(file, self.files.put(file.content)) for file in files]
        with self._editing(actor, public_id=public_id) as edit:
            at = edit.moment.at
            for file, digest in kept:
                _add_upload(edit, "table:", file, digest, "checking")
            edit.connection.execute(insert(table_of(JobRecord)), {
                "id": new_token(), "kind": READ_UPLOAD, "case_id": edit.case.id, "payload": {}, "status": "waiting",
                "available_at": at, "attempts": 0, "leased_by": None, "leased_until": None, "error": None,
                "created_at": at, "done_at": None})
            return edit.case.id

    def read_waiting(self, case_id: int, read: Reader) -> int:
        """Read every table file that waits on a case and put the results in; returns how many were usable.

        Reading happens outside of any transaction. Safe to repeat and to run twice at once: a file is put in once.
        """
        with self.database.reading() as connection:
            new, known = waiting(connection, case_id), companions(connection, case_id)
            if not new:
                return 0
            actor = uploader(connection, new[-1])
        fresh, kept = read_together(self.files, read, new, known)
        domains = {_folded(r["full_number"]): r["domain"] for r in self.reference.standards()}
        with self._editing(actor, case_id=case_id) as edit:
            usable = put_in(edit, new, fresh, known, kept, domains)
            job = table_of(JobRecord)
            edit.connection.execute(update(job).where(
                job.c.case_id == case_id, job.c.kind == READ_UPLOAD, job.c.status == "waiting",
                job.c.leased_by.is_(None)).values(status="done", done_at=edit.moment.at))
            return usable

    def hand_in(self, public_id: str, actor: Actor, code: str, file: Received, refusal: Mapping[str, Any] | None,
                replaces: str | None = None) -> Upload:
        """Keep a file for a material of the scenario. `refusal` (code and detail) tells why its content was refused.

        Raises Refusal: unknown material; unmet when a file is there already and `replaces` does not name it.
        """
        digest = self.files.put(file.content)
        with self._editing(actor, public_id=public_id) as edit:
            sheet = sheet_of(edit.procedure)
            asked = materials_of(sheet, edit.sections, edit.case.track) if sheet else (
                *materials_asked(edit.catalogues.materials, types_of(edit.sections), legal_setting(edit.sections),
                                 edit.case.track),
                *beside(edit.procedure, edit.sections, track=edit.case.track).materials())
            row = next((r for r in asked if r["key"] == code and r["source"] != "generated"), None)
            if row is None:
                raise Refusal("unknown", Message(N_("This material is not asked for in your application.")))
            purpose = f"material:{code}"
            present = [u for u in current_uploads(edit.connection, edit.case.id) if u.purpose == purpose
                       and u.status == "clean"]
            if refusal is None:
                _refuse_second(present, row, digest, replaces)
                _retire(edit, [u.public_id for u in present if u.public_id == replaces])
            upload = _add_upload(edit, purpose, file, digest, "clean" if refusal is None else "refused", refusal)
            if refusal is None:
                _put_material(edit, code, str(row["source"]), upload.public_id)
            return upload

    def hand_in_rectification(self, public_id: str, actor: Actor, file: Received,
                              refusal: Mapping[str, Any] | None) -> Upload:
        """Keep a proof of rectification while the rectification can still be submitted."""
        digest = self.files.put(file.content)
        with self._editing(actor, public_id=public_id, action="submit_rectification") as edit:
            return _add_upload(edit, "rectification", file, digest, "clean" if refusal is None else "refused", refusal)

    def remove_file(self, public_id: str, actor: Actor, upload: str) -> None:
        """Take a material's file, or a refused or rejected file, out of the dossier; its bytes stay for the record."""
        with self._editing(actor, public_id=public_id) as edit:
            found = [u for u in current_uploads(edit.connection, edit.case.id) if u.public_id == upload
                     and (u.purpose.startswith("material:") or u.status == "refused")]
            if not found:
                raise Refusal("unknown", Message(N_("There is no such file in this application.")))
            _retire(edit, [upload])

    def file(self, public_id: str, actor: Actor, upload: str) -> tuple[Upload, bytes]:
        """A file of the dossier and its bytes. Raises Refusal("unknown") also for one that was refused."""
        with self.database.reading() as connection:
            case_id = self._case_id(connection, public_id, actor)
            row = connection.execute(select(_UPLOAD).where(
                _UPLOAD.c.case_id == case_id, _UPLOAD.c.public_id == upload)).mappings().first()
        if row is None or row["status"] != "clean":
            raise Refusal("unknown", Message(N_("There is no such file in this application.")))
        return clean_upload(row), self.files.get(row["sha256"])

    # -- corrections and commitment ------------------------------------------------------------------------

    def answer_correction(self, public_id: str, actor: Actor, ordinal: int, answer: str) -> None:
        """Answer one item of the correction notice in force. An empty answer opens it again."""
        answer = answer.strip()
        if len(answer) > TEXT_LIMIT:
            raise Refusal("malformed", Message(N_("This is too long: at most %(limit)s characters."),
                                               {"limit": TEXT_LIMIT}), field="answer")
        item = CorrectionItemRecord
        with self._editing(actor, public_id=public_id, action="resubmit") as edit:
            done = edit.connection.execute(update(item).where(
                item.case_id == edit.case.id, item.ordinal == ordinal,
                item.correction == int(edit.case.fact("corrections", 0)),
            ).values(answer=answer, answered_at=edit.moment.at if answer else None))
            if done.rowcount != 1:
                raise Refusal("unknown", Message(N_("There is no such item in the correction notice.")))

    def commitment_text(self, file: CaseFile) -> tuple[str, str, str]:
        """Version, text and SHA-256 of the notice and commitment as this applicant reads it now."""
        catalogues, sheet = self.catalogues(), sheet_of(file.procedure)
        with self.database.reading() as connection:
            sections = self._sections(connection, file.case.id)
            text = text_shown(read_agency(connection, file.case.agency_id), sections, catalogues, sheet)
        return str(notice_of(sheet, catalogues)["version"]), text, text_sha256(text)

    def keep_commitment(self, text: str) -> str:
        """Keep the very bytes that are signed; returns their SHA-256."""
        return self.files.put(text.encode())

    def renew(self, public_id: str, actor: Actor) -> None:
        """Compute the facts of the dossier anew: after a change of track, or of reference data."""
        with self._editing(actor, public_id=public_id):
            pass  # leaving renews

    def _editing(self, actor: Actor, *, public_id: str = "", case_id: int = 0, action: str | None = None,
                 catalogues: Catalogues | None = None) -> AbstractContextManager[Edit]:
        return editing(self.database, self.cases.laws, catalogues or self.catalogues(), self.faults, actor,
                       public_id=public_id, case_id=case_id, action=action)


def _folded(number: str) -> str:
    return "".join(number.split()).upper()


def of_the_form(kind: Any) -> Any:
    """Whether a certificate is one of the official form with its tables."""
    return func.coalesce(kind, dossiers.tabular().spec.procedure) == dossiers.tabular().spec.procedure


def _known(connection: Connection, agency: Any, today: Any) -> dict[str, Any]:
    """What need not be asked again: the agency as registered and the certificate it holds."""
    held = connection.scalars(select(CertificateRecord.number).where(
        CertificateRecord.agency_id == agency.id, CertificateRecord.status == "valid",
        of_the_form(CertificateRecord.kind), CertificateRecord.replaced_by_id.is_(None),
    ).order_by(CertificateRecord.id.desc())).first()
    return {
        "cover": {"types": [] if held else ["first"], "certificate_held": held or "",
                  "applied_on": today.isoformat()},
        "overview": {"name": agency.name, "address": agency.address, "lab_address": agency.address,
                     "legal_person": agency.legal_person, "email": agency.email, "contact_phone": agency.phone,
                     "premises": ["fixed"]}}


def _known_beside(also: Beside, agency: Agency, today: date) -> dict[str, dict[str, Any]]:
    """The same for the sections beside the official form."""
    return {name: values for file in also.files for name, values in known_values(file, agency, None, (), today).items()}


def _needed_certificate(connection: Connection, sheet: Sheet, agency_id: int, number: str) -> Held | None:
    """The certificate that an application of this file is about. Raises Refusal("unmet") when there is none."""
    held = held_certificate(connection, sheet, agency_id, number)
    if held is None and sheet.spec.certificates_of:
        raise Refusal("unmet", Message(N_("This is applied for from a certificate in force; your agency holds none.")))
    return held


def _untouched(connection: Connection, agency_id: int, procedure: Procedure, types: tuple[str, ...]) -> str | None:
    rows = connection.execute(
        select(CaseRecord.public_id, CaseRecord.facts)
        .join(ApplicationRecord, ApplicationRecord.case_id == CaseRecord.id)
        .outerjoin(UploadRecord, UploadRecord.case_id == CaseRecord.id)
        .where(CaseRecord.agency_id == agency_id, CaseRecord.procedure == procedure.name,
               CaseRecord.state == procedure.spec.initial, ApplicationRecord.revision == 0, UploadRecord.id.is_(None))
        .order_by(CaseRecord.id.desc()).limit(20)).all()
    return next((r.public_id for r in rows
                 if not types or tuple(r.facts.get("application_types") or ()) == types), None)


def _plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
            kept[str(name)] = list(value)
        elif isinstance(value, str):
            kept[str(name)] = value
        else:
            raise Refusal("malformed", Message(N_("This must be text.")), field=str(name))
    if len(str(kept)) > SECTION_LIMIT:
        raise Refusal("malformed", Message(N_("This is too long: at most %(limit)s characters."),
                                           {"limit": SECTION_LIMIT}))
    return kept


def _keep_section(edit: Edit, section: str, values: dict[str, Any], from_table: list[str]) -> None:
    state = edit.states.get(section, {})
    marked = [name for name in state.get("from_table", []) if values.get(name) == edit.sections.get(
        section, {}).get(name)]
    edit.sections[section] = values
    edit.states[section] = {
        "revision": int(state.get("revision", 0)) + 1, "at": edit.moment.at.isoformat(), "by": edit.actor.name,
        "from_table": sorted({*marked, *from_table})}
    edit.touched = True


def _add_upload(edit: Edit, purpose: str, file: Received, digest: str, status: str,
                refusal: Mapping[str, Any] | None = None) -> Upload:
    row = {"public_id": new_token(), "case_id": edit.case.id, "purpose": purpose, "name": file.name, "sha256": digest,
           "size": len(file.content), "media_type": file.media_type, "status": status,
           "refusal": dict(refusal) if refusal else None, "account_id": edit.actor.account_id,
           "created_at": edit.moment.at, "replaced_at": None}
    edit.connection.execute(insert(_UPLOAD), row)
    return clean_upload(row)


def _retire(edit: Edit, public_ids: Sequence[str]) -> None:
    if public_ids:
        edit.connection.execute(update(_UPLOAD).where(
            _UPLOAD.c.case_id == edit.case.id, _UPLOAD.c.public_id.in_(public_ids)).values(
            replaced_at=edit.moment.at))


def _refuse_second(present: Sequence[Upload], row: Mapping[str, Any], digest: str, replaces: str | None) -> None:
    if any(u.sha256 == digest and u.public_id != replaces for u in present):
        raise Refusal("unmet", Message(N_("The very same file was already handed in for this material.")), field="file")
    if replaces is not None or not present:
        return
    if row.get("per") not in ("category", "site"):
        raise Refusal("unmet", Message(
            N_("“%(name)s” is there already. Tick “replace it” to put the new file in its place."),
            {"name": present[0].name}), field="replaces")
    if len(present) >= MOST_FILES:
        raise Refusal("unmet", Message(N_("At most %(limit)s files are taken here; join some of them."),
                                       {"limit": MOST_FILES}), field="file")


def _put_material(edit: Edit, code: str, source: str, upload: str) -> None:
    material, connection = table_of(MaterialRecord), edit.connection
    upload_id = connection.scalar(select(_UPLOAD.c.id).where(_UPLOAD.c.public_id == upload))
    values = {"source": source, "upload_id": upload_id, "changed_at": edit.moment.at}
    done = connection.execute(update(material).where(
        material.c.case_id == edit.case.id, material.c.code == code).values(**values))
    if not done.rowcount:
        connection.execute(insert(material), {"case_id": edit.case.id, "code": code, **values})
