"""Registers of the certificate: issue, extend, annul; the annex row by row with dates."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from store.database import BUREAU_ZONE
from store.records.agencies import AgencyRecord
from store.records.cases import CaseRecord
from store.records.certificates import (
    AnnexRowRecord,
    CertificateEventRecord,
    CertificateRecord,
    CertificateVersionRecord,
)
from store.records.columns import table_of
from store.registers.annex import add_rows, add_signatories
from store.registers.evidence import evidence_case, standings_of
from store.registers.moment import Moment
from store.registers.numbering import take
from store.registers.organs import issuing_organ
from store.tokens import new_token
from workflow.commands import Annul, Decide
from workflow.deadlines import expiry, in_force
from workflow.dossiers import kind_of
from workflow.engine import Step
from workflow.vocabulary import N_, Message, Refusal

NEW_NUMBER = frozenset(
    {"first", "renewal"}
)  # the other types keep number and expiry (domain rules, section 2)

IN_FORCE = frozenset({"valid", "suspended"})


def issue_certificate(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """A new certificate for a first application or a renewal, a new annex version for every other type."""
    case = step.after
    new_number = bool(set(case.fact("application_types") or ()) & NEW_NUMBER)
    named = _certificate_held(connection, step, moment)
    if new_number:
        certificate_id, number, version = _new_certificate(connection, step, moment)
        if named is not None:
            connection.execute(
                update(CertificateRecord)
                .where(CertificateRecord.id == named.id)
                .values(replaced_by_id=certificate_id)
            )
        act = "renewed" if named is not None else "issued"
    else:
        assert named is not None  # only a first application names none
        certificate_id, number, version = named.id, named.number, named.annex_version + 1
        connection.execute(
            update(CertificateRecord).where(CertificateRecord.id == named.id).values(annex_version=version)
        )
        act = "extended"
    evidence = evidence_case(connection, case)
    added = add_rows(connection, evidence, certificate_id, version, moment.on, standings_of(case))
    add_signatories(connection, evidence, certificate_id, version)
    connection.execute(
        insert(CertificateVersionRecord),
        {
            "certificate_id": certificate_id,
            "version": version,
            "case_id": case.id,
            "issued_on": moment.on,
            "annex_rows": rows_in_force(connection, certificate_id, version),
        },
    )
    grounds = step.command.grounds if isinstance(step.command, Decide) else ""
    record_event(
        connection,
        certificate_id,
        act,
        moment,
        case.id,
        basis="",
        grounds=grounds,
        detail={"version": version, "rows_added": added},
    )
    return {"certificate_number": number, "annex_version": version, "certificate_rendered": False}


def _certificate_held(connection: Connection, step: Step, moment: Moment) -> Any:
    """The agency's own certificate that a renewal or a change is about; None for a first application.

    A renewal may be decided after expiry if it was filed before (Licensing Law art. 50). Raises Refusal("unmet").
    """
    case = step.after
    if "first" in case.fact("application_types"):
        return None
    named = named_certificate(connection, case.fact("certificate_held"))
    if named is None or named.agency_id != case.agency_id:  # somebody else's is none that this agency can name
        raise Refusal(
            "unmet",
            Message(
                N_(
                    "The certificate that this application names, %(number)s, is not in "
                    "the register. Enter it first."
                ),
                {"number": case.fact("certificate_held")},
            ),
        )
    until = moment.on
    if "renewal" in case.fact("application_types"):
        filed_at = connection.scalar(
            select(CaseRecord.submitted_at).where(CaseRecord.id == evidence_case(connection, case))
        )
        until = filed_at.astimezone(BUREAU_ZONE).date() if filed_at else moment.on
    lapsed = named.valid_to < until and named.deemed_renewed_on is None
    if named.status not in IN_FORCE or named.replaced_by_id is not None or lapsed:
        raise Refusal("unmet", Message(N_("The certificate is no longer in force.")))
    return named


def annul_certificate(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Annul 撤销 the whole certificate or the named annex rows (Licensing Law art. 69)."""
    command = step.command
    assert isinstance(command, Annul)
    certificate = named_certificate(connection, step.after.fact("certificate_number"))
    if certificate is None or certificate.status not in IN_FORCE:
        raise Refusal("unmet", Message(N_("The certificate is no longer in force.")))
    row, version = AnnexRowRecord, certificate.annex_version + 1
    granted = _version_granted(connection, certificate.id, step.after.id)
    ending = (
        update(row)
        .where(
            row.certificate_id == certificate.id, row.until_version.is_(None), row.from_version == granted
        )
        .values(until_version=version, until_on=moment.on, ended_by="annulled")
    )
    if command.whole and granted != 1:
        raise Refusal(
            "malformed",
            Message(N_("The commitment only added rows to this certificate: choose the rows to annul.")),
            field="whole",
        )
    if command.whole:
        connection.execute(
            update(CertificateRecord).where(CertificateRecord.id == certificate.id).values(status="annulled")
        )
    elif connection.execute(ending.where(row.ordinal.in_(command.rows))).rowcount != len(command.rows):
        raise Refusal(
            "malformed",
            Message(N_("One of the chosen rows is not in force or was not granted on this commitment.")),
            field="rows",
        )
    else:
        connection.execute(
            update(CertificateRecord)
            .where(CertificateRecord.id == certificate.id)
            .values(annex_version=version)
        )
        connection.execute(
            insert(CertificateVersionRecord),
            {
                "certificate_id": certificate.id,
                "version": version,
                "case_id": step.after.id,
                "issued_on": moment.on,
                "annex_rows": rows_in_force(connection, certificate.id, version),
            },
        )
    record_event(
        connection,
        certificate.id,
        "annulled" if command.whole else "rows_annulled",
        moment,
        step.after.id,
        basis=command.basis,
        grounds=command.grounds,
        detail={"rows": list(command.rows), "public_safety": command.public_safety},
    )
    return {"annulled_rows": len(command.rows), "annulled_whole": command.whole}


def certificate_is_gone(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Refuse while the certificate is in force: then there is something to annul, or to decide not to annul."""
    certificate = named_certificate(connection, step.after.fact("certificate_number"))
    if certificate is None or certificate.status not in IN_FORCE:
        return {}
    if moment.on <= certificate.valid_to or certificate.deemed_renewed_on is not None:
        raise Refusal("unmet", Message(N_("The certificate is still in force: annul, or decide not to.")))
    return {}


def record_event(
    connection: Connection,
    certificate_id: int,
    act: str,
    moment: Moment,
    case_id: int | None,
    *,
    basis: str,
    grounds: str,
    detail: Mapping[str, Any],
) -> None:
    connection.execute(
        insert(CertificateEventRecord),
        {
            "certificate_id": certificate_id,
            "act": act,
            "on": moment.on,
            "at": moment.at,
            "case_id": case_id,
            "basis": basis,
            "grounds": grounds,
            "detail": dict(detail),
        },
    )


def rows_in_force(connection: Connection, certificate_id: int, version: int) -> int:
    row = AnnexRowRecord
    return (
        connection.scalar(
            select(func.count())
            .select_from(row)
            .where(
                row.certificate_id == certificate_id,
                row.from_version <= version,
                (row.until_version.is_(None)) | (row.until_version > version),
            )
        )
        or 0
    )


def number_prefix(on: date, authority: str, field: str, industry: str) -> str:
    """The first 8 of the 12 digits YY AA FF DD SSSS: year, authority, field, industry (domain rules, 5.7)."""
    return f"{on.year % 100:02d}{authority}{field}{industry}"


def certificate_number(prefix: str, serial: int) -> str:
    """The whole number. Raises Refusal("unmet") when the four digits of the serial are used up."""
    if serial > 9999:
        raise Refusal("unmet", Message(N_("The serial numbers of this year are used up.")))
    return f"{prefix}{serial:04d}"


def number_scope(number_without_serial: str, counter_scope: str = "year_authority") -> str:
    """The counter a serial is taken from. The rules do not say what a serial restarts with, so the bureau does."""
    digits = {"year_authority": 4, "year_authority_field": 6, "year_authority_field_industry": 8}[counter_scope]
    return f"certificate:{number_without_serial[:digits]}"


def _new_certificate(connection: Connection, step: Step, moment: Moment) -> tuple[int, str, int]:
    case, authority = step.after, issuing_organ(connection, step.after)
    agency = connection.execute(
        select(AgencyRecord.name, AgencyRecord.address).where(AgencyRecord.id == case.agency_id)
    ).one()
    code = str(authority["authority_code"])
    prefix = number_prefix(
        moment.on, code, case.fact("field_code") or "21", case.fact("industry_code") or "34"
    )
    scope = number_scope(prefix, authority.get("counter_scope", "year_authority"))
    number = certificate_number(prefix, take(connection, scope))
    validity = in_force(moment.law.allowances, "certificate_validity", moment.on)
    certificate_id = connection.execute(
        insert(CertificateRecord).returning(CertificateRecord.id),
        {
            "public_id": new_token(),
            "number": number,
            "kind": kind_of(case.procedure, case.procedure_version),
            "agency_id": case.agency_id,
            "agency_name": case.fact("agency_name") or agency.name,
            "agency_address": case.fact("agency_address") or agency.address,
            "authority_code": code,
            "authority_name": authority["name"],
            "status": "valid",
            "issued_on": moment.on,
            "valid_from": moment.on,
            "valid_to": expiry(moment.on, validity),
            "annex_version": 1,
            "verify_code": new_token(),
            "imported": False,
        },
    ).scalar_one()
    return certificate_id, number, 1


def _version_granted(connection: Connection, certificate_id: int, case_id: int) -> int | None:
    """The annex version that the verified case made; what it did not grant is no matter of its commitment."""
    version, case = CertificateVersionRecord, CaseRecord
    return connection.scalar(
        select(version.version)
        .join(case, case.parent_id == version.case_id)
        .where(version.certificate_id == certificate_id, case.id == case_id)
    )


def named_certificate(connection: Connection, number: str | None) -> Any:
    """The certificate with that number, locked for this transaction, or None."""
    if not number:
        return None
    table = table_of(CertificateRecord)
    return connection.execute(select(table).where(table.c.number == number).with_for_update()).first()
