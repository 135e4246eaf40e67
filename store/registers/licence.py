"""The register that issues the certificate of a procedure as its dossier file describes it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from store.records.agencies import AgencyRecord
from store.records.applications import ApplicationRecord
from store.records.certificates import CertificateRecord, CertificateVersionRecord
from store.registers.annex import add_rows
from store.registers.certificate import record_event
from store.registers.evidence import evidence_case, sections_of_the_department, standings_of
from store.registers.moment import Moment
from store.registers.numbering import take
from store.registers.organs import issuing_organ
from store.tokens import new_token
from workflow import dossiers
from workflow.case import Case
from workflow.commands import Decide
from workflow.deadlines import expiry, in_force
from workflow.dossiers import AnnexSpec, CertificateSpec, DossierSpec, kind_of
from workflow.engine import Step
from workflow.joint_licences import DECIDING
from workflow.vocabulary import N_, Message, Refusal


def issue_licence(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """A new certificate: number by rule, validity by its allowance, the lines and the table that the file names.

    Raises Refusal("unmet") when the procedure's dossier has no certificate, the serial is used up, or the table lists
    confirmed rows and there is none for it.
    """
    case = step.after
    dossier = dossiers.find(case.procedure, case.procedure_version)
    if dossier is None or dossier.spec.certificate is None:
        raise Refusal("unmet", Message(N_("No certificate is described for this procedure; ask the administrator.")))
    spec, evidence = dossier.spec.certificate, evidence_case(connection, case)
    authority = issuing_organ(connection, case, spec)
    sections = connection.scalar(
        select(ApplicationRecord.sections).where(ApplicationRecord.case_id == evidence)) or {}
    agency = connection.execute(
        select(AgencyRecord.name, AgencyRecord.address).where(AgencyRecord.id == case.agency_id)).one()
    number = _number(connection, spec, case.procedure, str(authority["authority_code"]), case.facts, moment)
    content = certificate_content(dossier.spec, sections)
    certificate_id = connection.execute(insert(CertificateRecord).returning(CertificateRecord.id), {
        "public_id": new_token(), "number": number, "kind": kind_of(case.procedure, case.procedure_version),
        "agency_id": case.agency_id,
        "agency_name": case.fact("agency_name") or agency.name,
        "agency_address": case.fact("agency_address") or agency.address,
        "authority_code": str(authority["authority_code"]), "authority_name": authority["name"], "status": "valid",
        "issued_on": moment.on, "valid_from": moment.on,
        "valid_to": expiry(moment.on, in_force(moment.law.allowances, spec.validity, moment.on)),
        "annex_version": 1, "verify_code": new_token(), "imported": False}).scalar_one()
    listed = len(content["annex"]["rows"]) if content["annex"] else 0
    if spec.annex and spec.annex.rows:
        listed = _list_confirmed_rows(connection, spec.annex, case, evidence, certificate_id, moment)
    connection.execute(insert(CertificateVersionRecord), {
        "certificate_id": certificate_id, "version": 1, "case_id": case.id, "issued_on": moment.on,
        "annex_rows": listed, "content": content})
    grounds = step.command.grounds if isinstance(step.command, Decide) else ""
    record_event(connection, certificate_id, "issued", moment, case.id, basis="", grounds=grounds,
                 detail={"version": 1})
    return {"certificate_number": number, "annex_version": 1, "certificate_rendered": False}


def _list_confirmed_rows(connection: Connection, annex: AnnexSpec, case: Case, evidence: int, certificate_id: int,
                         moment: Moment) -> int:
    """The rows the review confirmed, or those of them in the sector of the department whose licence it is: the list
    is the one of the accreditation, not a second one. How many; raises Refusal("unmet") when there is none."""
    sections: tuple[str, ...] | None = None
    if annex.rows == "of_the_department":
        deciding = case.fact(DECIDING) or ("",)
        sections = sections_of_the_department(connection, evidence, str(deciding[0]))
    listed = add_rows(connection, evidence, certificate_id, 1, moment.on, standings_of(case), sections)
    if not listed:
        raise Refusal("unmet", Message(
            N_("The review confirmed no capability row for this licence: there is nothing that its certificate could "
               "cover. Refuse it, giving this as the reason.")))
    return listed


def _number(connection: Connection, spec: CertificateSpec, procedure: str, authority: str, facts: Mapping[str, Any],
            moment: Moment) -> str:
    """The number by the pattern of the file; the serial has no gap and no twin (store.registers.numbering)."""
    scope = f"licence:{procedure}:{authority}"[:50]
    if spec.number.restarts == "year":
        scope = f"{scope}:{moment.on.year}"
    serial = take(connection, scope)
    if serial >= 10**spec.number.digits:
        raise Refusal("unmet", Message(N_("The serial numbers of this year are used up.")))
    return spec.number.pattern.format(**{
        **{name: value for name, value in facts.items() if isinstance(value, str)},
        "year": moment.on.year, "yy": f"{moment.on.year % 100:02d}", "authority": authority,
        "serial": f"{serial:0{spec.number.digits}d}"})


def certificate_content(spec: DossierSpec, sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the certificate says beside its holder: title and statement, the lines shown and the table, as JSON.

    `shown` holds [Chinese label, text, English label]; `annex` the title, the column titles and the rows, or None.
    """
    certificate = spec.certificate
    assert certificate is not None
    annex: dict[str, Any] | None = None
    if certificate.annex and certificate.annex.rows:  # the rows stand in the register, not here
        annex = {"title": certificate.annex.title.zh, "title_en": certificate.annex.title.en, "columns": [], "rows": [],
                 "in_register": True}
    elif certificate.annex:
        field = spec.field_at(certificate.annex.source)
        assert field is not None  # proof-read at load
        annex = {"title": certificate.annex.title.zh, "title_en": certificate.annex.title.en,
                 "columns": [[c.zh, c.en] for c in field.columns],
                 "rows": [line.split("\t") for line in _value(sections, certificate.annex.source) or ()]}
    return {
        "title": certificate.title.zh, "title_en": certificate.title.en,
        "statement": certificate.statement.zh, "statement_en": certificate.statement.en,
        "shown": [[s.label.zh, text, s.label.en] for s in certificate.shown
                  if (text := _words(spec, s.source, _value(sections, s.source)))],
        "annex": annex}


def _value(sections: Mapping[str, Mapping[str, Any]], place: str) -> Any:
    section, _, name = place.partition(".")
    return sections.get(section, {}).get(name)


def _words(spec: DossierSpec, place: str, value: Any) -> str:
    """A kept value in the language of the certificate."""
    field = spec.field_at(place)
    words = {option.key: option.zh for option in field.choices} if field else {}
    if isinstance(value, (list, tuple)):
        return "、".join(words.get(str(v), str(v).replace("\t", " ")) for v in value)
    return words.get(str(value or ""), str(value or ""))
