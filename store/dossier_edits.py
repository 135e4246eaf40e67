"""The one way into a dossier for writing: the case locked, the applicant allowed, the facts renewed at the end."""
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select, update

from store.commitment import commitment_text, text_sha256
from store.commitment_bars import bars_of, retracted_before
from store.database import Database
from store.dossier_facts import Catalogues, Holdings, facts_of, subject_of, types_of
from store.dossier_scenarios import (
    SheetHoldings,
    beside,
    facts_beside,
    held_certificate,
    sheet_facts,
    sheet_of,
    subject_words,
    switches,
    unknown_in_annex,
)
from store.dossier_values import Agency, Faults, Sections
from store.eligibility import Eligibility, Particulars, assess
from store.law import LawBook
from store.locked import pinned_to
from store.pen import change_facts
from store.records.agencies import AgencyRecord
from store.records.applications import (
    ApplicationRecord,
    CorrectionItemRecord,
    TableReadingRecord,
    UploadRecord,
)
from store.records.cases import CaseRecord
from store.records.columns import table_of
from store.registers import Moment
from store.registers.application import application_digest
from store.registers.review import row_counts
from store.renewals import RENEWAL, renewal_facts
from store.scope import visible_to
from workflow.allowances import in_force
from workflow.case import Case
from workflow.clocks import Law
from workflow.dossiers import Dossier as Sheet
from workflow.procedure import Procedure
from workflow.rules import is_the_applicant
from workflow.vocabulary import N_, Actor, Message, Refusal

_CASE = table_of(CaseRecord)
_CHECKING = N_("Files still being checked")
NO_RENEWAL_HERE = N_("Another application type: a renewal is applied for on its own")


@dataclass(slots=True)
class Edit:
    """An open edit: the locked case and the dossier's sections, to be changed in place and put back."""

    connection: Connection
    case: Case
    procedure: Procedure
    agency: Agency
    actor: Actor
    moment: Moment
    catalogues: Catalogues
    sections: dict[str, Any]
    states: dict[str, Any]
    revision: int
    touched: bool = False


@contextmanager
def editing(database: Database, laws: LawBook, catalogues: Catalogues, faults: Faults, actor: Actor, *,
            public_id: str = "", case_id: int = 0, action: str | None = None) -> Iterator[Edit]:
    """Lock a case for an edit by its applicant; on leaving, write the sections and the facts that follow.

    Only where the state is editable, or, when `action` is given, where the applicant could take that action.
    Raises Refusal: unknown (not visible), forbidden (not the applicant), unavailable (the state forbids edits).
    """
    with database.writing() as connection:
        which = _CASE.c.public_id == public_id if public_id else _CASE.c.id == case_id
        row = connection.execute(select(_CASE).where(which, visible_to(actor)).with_for_update()).mappings().first()
        if row is None:
            raise Refusal("unknown", Message(N_("There is no such case, or it is not open to you.")))
        procedure = pinned_to(row)
        case = Case(id=row["id"], procedure=row["procedure"], procedure_version=row["procedure_version"],
                    state=row["state"], track=row["track"], agency_id=row["agency_id"], round=row["round"],
                    version=row["version"], facts=row["facts"])
        _refuse_if_closed(procedure, case, actor, action)
        kept = connection.execute(select(table_of(ApplicationRecord)).where(
            ApplicationRecord.case_id == case.id)).mappings().one()
        edit = Edit(connection, case, procedure, read_agency(connection, case.agency_id), actor,
                    Moment(database.clock.now(), database.clock.today(), laws.current()), catalogues,
                    {k: dict(v) for k, v in kept["sections"].items()}, dict(kept["section_states"]),
                    kept["revision"])
        yield edit
        if edit.touched:
            connection.execute(update(ApplicationRecord).where(ApplicationRecord.case_id == case.id).values(
                sections=edit.sections, section_states=edit.states, revision=edit.revision + 1,
                saved_at=edit.moment.at))
        renew_facts(edit, faults)


def _refuse_if_closed(procedure: Procedure, case: Case, actor: Actor, action: str | None) -> None:
    if not is_the_applicant(actor, case):
        raise Refusal("forbidden", Message(N_("Only the applicant may change the application.")))
    if action:
        wanted = procedure.by_name.get(action)
        if wanted is not None and case.state in wanted.sources:
            return
    elif procedure.states[case.state].editable:
        return
    raise Refusal("unavailable", Message(
        N_("The application cannot be changed now: it is “%(state)s”. It opens again if a correction is requested."),
        {"state": procedure.states[case.state].label.message()}))


def renew_facts(edit: Edit, faults: Faults) -> None:
    """Compute every fact that follows from the dossier and put those that changed on the case."""
    connection, case = edit.connection, edit.case
    if sheet := sheet_of(edit.procedure):
        _renew_from_file(edit, sheet, faults)
        return
    summaries, waiting = read_summaries(connection, case.id), _is_checking(connection, case.id)
    eligibility = judge(connection, case, edit.sections, summaries, edit.agency, edit.catalogues,
                        edit.moment.on, edit.moment.law)
    held = Holdings(edit.agency, edit.sections, summaries, material_codes(connection, case.id),
                    row_counts(connection, case.id), _open_corrections(connection, case), eligibility.bars, case.track)
    facts = facts_of(held, edit.catalogues, faults)
    known = case.fact("certificate_expires_on")
    facts |= renewal_facts(connection, case.agency_id, facts | {"certificate_expires_on": known})
    subject = subject_of(types_of(edit.sections), edit.catalogues)
    also = beside(edit.procedure, edit.sections, held.material_codes, case.track)
    if also.files:
        more = facts_beside(also, facts["departments"], faults)
        gaps = [*facts["dossier_gaps"], *more["dossier_gaps"], *_unkept(edit.procedure, facts)]
        facts |= more | {"dossier_gaps": gaps}
        subject = also.subject()
    if waiting:
        facts["dossier_gaps"].append(_CHECKING)
    if case.fact("commitment_text_sha256") and not _is_what_was_signed(edit):
        facts["commitment_text_sha256"] = ""
    change_facts(connection, case.id, edit.actor, facts, edit.moment, subject=subject, agency_name=facts["agency_name"])


def _unkept(procedure: Procedure, facts: Mapping[str, Any]) -> list[str]:
    """A renewal filed in time is deemed granted when nobody decides before the certificate expires (Licensing Law
    art. 50(2)). Where no clock of the procedure keeps that promise, a renewal is not taken in."""
    kept = any(clock.until for clock in procedure.spec.clocks.values())
    return [] if kept or RENEWAL not in facts["application_types"] else [NO_RENEWAL_HERE]


def _renew_from_file(edit: Edit, sheet: Sheet, faults: Faults) -> None:
    connection, case, types = edit.connection, edit.case, sheet.types(edit.sections)
    certificate = held_certificate(connection, sheet, edit.agency.id, str(case.fact("certificate_held") or ""))
    standards, signatories = unknown_in_annex(connection, certificate, sheet, edit.sections)
    held = SheetHoldings(edit.agency, edit.sections, material_codes(connection, case.id),
                         _open_corrections(connection, case), case.track, certificate, switches(connection),
                         standards, signatories)
    facts = sheet_facts(held, sheet, faults)
    if case.fact("commitment_text_sha256") and not _is_what_was_signed(edit):
        facts["commitment_text_sha256"] = ""
    change_facts(connection, case.id, edit.actor, facts, edit.moment, subject=subject_words(sheet, types),
                 agency_name=facts["agency_name"])


def _is_what_was_signed(edit: Edit) -> bool:
    """A commitment stands for one text and one application: another notice, name or matter, a changed section or
    another file, and it has to be signed again."""
    text = text_sha256(text_shown(edit.agency, edit.sections, edit.catalogues, sheet_of(edit.procedure)))
    promised = edit.case.fact("commitment_dossier_sha256")
    return bool(edit.case.fact("commitment_text_sha256") == text
                and promised == application_digest(edit.connection, edit.case.id))


def text_shown(agency: Agency, sections: Sections, catalogues: Catalogues, sheet: Sheet | None = None) -> str:
    """The notice and commitment as this applicant reads and signs it."""
    if sheet is not None:
        return commitment_text(notice_of(sheet, catalogues), agency.name, agency.uscc, [
            s.title.zh for s in sheet.spec.scenarios if s.key in sheet.types(sections)])
    name = str(sections.get("overview", {}).get("name") or agency.name)
    return commitment_text(catalogues.notice, name, agency.uscc, catalogues.labels(types_of(sections)))


def notice_of(sheet: Sheet | None, catalogues: Catalogues) -> Mapping[str, Any]:
    """The notice and commitment in force: that of the dossier's file, else that of the catalogue."""
    if sheet is None:
        return catalogues.notice
    if sheet.spec.commitment is None:
        raise Refusal("unknown", Message(N_("This procedure asks for no commitment.")))
    return sheet.spec.commitment.notice()


def read_agency(connection: Connection, agency_id: int | None) -> Agency:
    columns = [getattr(AgencyRecord, name) for name in Agency.__dataclass_fields__]
    return Agency(**connection.execute(select(*columns).where(AgencyRecord.id == agency_id)).mappings().one())


def read_summaries(connection: Connection, case_id: int) -> dict[str, Mapping[str, Any]]:
    rows = connection.execute(select(TableReadingRecord.table_name, TableReadingRecord.summary)
                              .where(TableReadingRecord.case_id == case_id))
    return {row.table_name: row.summary for row in rows}


def material_codes(connection: Connection, case_id: int) -> frozenset[str]:
    """The codes of the materials that have at least one clean file."""
    purposes = connection.scalars(select(UploadRecord.purpose).where(
        UploadRecord.case_id == case_id, UploadRecord.status == "clean", UploadRecord.replaced_at.is_(None),
        UploadRecord.purpose.like("material:%")).distinct())
    return frozenset(p.partition(":")[2] for p in purposes)


def judge(connection: Connection, case: Case, sections: Sections, summaries: Mapping[str, Mapping[str, Any]],
          agency: Agency, catalogues: Catalogues, on: date, law: Law) -> Eligibility:
    """Whether the commitment track is open to this application on this day."""
    types = types_of(sections)
    particulars = Particulars(
        types, agency.division, on, summaries.get("capability", {}).get("excluded", {}),
        bars_of(connection, agency.id), retracted_before(connection, case, types))
    return assess(particulars, criteria=catalogues.criteria, types=catalogues.types, exclusions=catalogues.exclusions,
                  lookback=in_force(law.allowances, "commitment_penalty_lookback", on))


def _is_checking(connection: Connection, case_id: int) -> bool:
    return bool(connection.scalar(select(func.count()).select_from(UploadRecord).where(
        UploadRecord.case_id == case_id, UploadRecord.status == "checking")))


def _open_corrections(connection: Connection, case: Case) -> int:
    return connection.scalar(select(func.count()).select_from(CorrectionItemRecord).where(
        CorrectionItemRecord.case_id == case.id, CorrectionItemRecord.answered_at.is_(None),
        CorrectionItemRecord.correction == int(case.fact("corrections", 0)))) or 0
