"""The register that issues the certificate of a procedure as its dossier file describes it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from store.records.agencies import AgencyRecord
from store.records.applications import ApplicationRecord
from store.records.certificates import CertificateRecord, CertificateVersionRecord
from store.registers.certificate import bureau, record_event
from store.registers.moment import Moment
from store.registers.numbering import take
from store.tokens import new_token
from workflow import dossiers
from workflow.commands import Decide
from workflow.deadlines import expiry, in_force
from workflow.dossiers import CertificateSpec, DossierSpec
from workflow.engine import Step
from workflow.vocabulary import N_, Message, Refusal


def issue_licence(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """A new certificate: number by rule, validity by its allowance, the lines and the table that the file names.

    Raises Refusal("unmet") when the procedure's dossier has no certificate, or the serial is used up.
    """
    case = step.after
    dossier = dossiers.find(case.procedure, case.procedure_version)
    if dossier is None or dossier.spec.certificate is None:
        raise Refusal("unmet", Message(N_("No certificate is described for this procedure; ask the administrator.")))
    spec, authority = dossier.spec.certificate, bureau(connection)
    sections = connection.scalar(
        select(ApplicationRecord.sections).where(ApplicationRecord.case_id == case.id)) or {}
    agency = connection.execute(
        select(AgencyRecord.name, AgencyRecord.address).where(AgencyRecord.id == case.agency_id)).one()
    number = _number(connection, spec, case.procedure, str(authority["authority_code"]), case.facts, moment)
    content = certificate_content(dossier.spec, sections)
    certificate_id = connection.execute(insert(CertificateRecord).returning(CertificateRecord.id), {
        "public_id": new_token(), "number": number, "kind": case.procedure, "agency_id": case.agency_id,
        "agency_name": case.fact("agency_name") or agency.name,
        "agency_address": case.fact("agency_address") or agency.address,
        "authority_code": str(authority["authority_code"]), "authority_name": authority["name"], "status": "valid",
        "issued_on": moment.on, "valid_from": moment.on,
        "valid_to": expiry(moment.on, in_force(moment.law.allowances, spec.validity, moment.on)),
        "annex_version": 1, "verify_code": new_token(), "imported": False}).scalar_one()
    connection.execute(insert(CertificateVersionRecord), {
        "certificate_id": certificate_id, "version": 1, "case_id": case.id, "issued_on": moment.on,
        "annex_rows": len(content["annex"]["rows"]) if content["annex"] else 0, "content": content})
    grounds = step.command.grounds if isinstance(step.command, Decide) else ""
    record_event(connection, certificate_id, "issued", moment, case.id, basis="", grounds=grounds,
                 detail={"version": 1})
    return {"certificate_number": number, "annex_version": 1, "certificate_rendered": False}


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
    if certificate.annex:
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
