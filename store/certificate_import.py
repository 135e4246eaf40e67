"""Certificates that were in force before this system: entered once, audited, never numbered twice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select

from store import audit
from store.certificate_values import Certificate
from store.certificates import CertificateStore
from store.database import Database
from store.law import LawBook
from store.records.agencies import AgencyRecord
from store.records.certificates import (
    AnnexRowRecord,
    AnnexSignatoryRecord,
    CertificateRecord,
    CertificateVersionRecord,
)
from store.records.columns import table_of
from store.records.reference import CatalogueEntryRecord
from store.registers import Moment
from store.registers.certificate import number_scope, record_event
from store.registers.numbering import raise_to
from store.registers.organs import bureau
from store.tokens import new_token
from workflow.vocabulary import N_, Actor, Message, Refusal

_BATCH = 2000
TEXTS = ("site", "section", "category", "object", "parameter", "standard_text", "limit_text", "note")


@dataclass(frozen=True, slots=True)
class OldCertificate:
    """A certificate as it hangs on the wall. `rows` are the eight texts of an annex row in the order of TEXTS,
    `signatories` are (name, title, field, note). `agency_name` and `agency_address` default to the agency's."""

    number: str
    valid_from: date
    valid_to: date
    issued_on: date | None = None
    agency_name: str = ""
    agency_address: str = ""
    authority_name: str = ""
    rows: Sequence[Sequence[str]] = ()
    signatories: Sequence[tuple[str, str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class AgencyOnPaper:
    """What an old register knows of an agency."""

    uscc: str
    name: str
    address: str = ""
    division: str = ""


class CertificateImport:
    def __init__(self, database: Database, laws: LawBook) -> None:
        self.database = database
        self.laws = laws

    def import_certificate(self, actor: Actor, agency_id: int, old: OldCertificate) -> Certificate:
        """Enter a certificate in force and keep our own numbers clear of its number.

        Raises Refusal("malformed") with the field: number, valid_from, valid_to, rows; Refusal("unmet") when the
        number is already in the register.
        """
        with self.database.writing() as connection:
            self._enter(connection, actor, agency_id, old)
        found = CertificateStore(self.database).find(number=old.number)
        assert found is not None
        return found

    def agency_for(self, actor: Actor, paper: AgencyOnPaper) -> int:
        """The agency of that unified social credit code, entered if it is not there yet. Audited."""
        at = self.database.clock.now()
        with self.database.writing() as connection:
            known = connection.scalar(select(AgencyRecord.id).where(AgencyRecord.uscc == paper.uscc))
            if known is not None:
                return known
            agency_id = connection.execute(
                insert(table_of(AgencyRecord)).returning(AgencyRecord.id),
                {
                    "public_id": new_token(),
                    "uscc": paper.uscc,
                    "name": paper.name,
                    "division": paper.division or paper.uscc[2:8],
                    "address": paper.address,
                    "legal_person": "",
                    "phone": "",
                    "email": "",
                    "particulars": {},
                    "created_at": at,
                },
            ).scalar_one()
            audit.append(
                connection, f"agency:{agency_id}", at, actor, "import_agency", "administrator",
                {"uscc": paper.uscc, "name": paper.name},
            )  # fmt: skip
            return int(agency_id)

    def _enter(self, connection: Connection, actor: Actor, agency_id: int, old: OldCertificate) -> None:
        at, today = self.database.clock.now(), self.database.clock.today()
        self._proofread(connection, old)
        agency = connection.execute(
            select(AgencyRecord.name, AgencyRecord.address).where(AgencyRecord.id == agency_id)
        ).first()
        if agency is None:
            raise Refusal("unknown", Message(N_("There is no such agency.")))
        ours = bureau(connection)
        issued_on = old.issued_on or old.valid_from
        certificate_id = connection.execute(
            insert(table_of(CertificateRecord)).returning(CertificateRecord.id),
            {
                "public_id": new_token(),
                "number": old.number,
                "agency_id": agency_id,
                "agency_name": old.agency_name or agency.name,
                "agency_address": old.agency_address or agency.address,
                "authority_code": old.number[2:4],
                "authority_name": old.authority_name or str(ours["name"]),
                "status": "valid",
                "issued_on": issued_on,
                "valid_from": old.valid_from,
                "valid_to": old.valid_to,
                "annex_version": 1,
                "verify_code": new_token(),
                "imported": True,
            },
        ).scalar_one()
        connection.execute(
            insert(table_of(CertificateVersionRecord)),
            {
                "certificate_id": certificate_id,
                "version": 1,
                "case_id": None,
                "issued_on": issued_on,
                "annex_rows": len(old.rows),
            },
        )
        _add_rows(connection, certificate_id, issued_on, old)
        if old.number[2:4] == str(ours["authority_code"]):
            scope = number_scope(old.number, str(ours.get("counter_scope", "year_authority")))
            raise_to(connection, scope, int(old.number[8:]))
        record_event(
            connection,
            certificate_id,
            "imported",
            Moment(at, today, self.laws.current()),
            None,
            basis="",
            grounds="",
            detail={"rows": len(old.rows), "signatories": len(old.signatories)},
        )
        audit.append(
            connection, f"certificate:{old.number}", at, actor, "import_certificate", "administrator",
            {
                "number": old.number,
                "agency": agency_id,
                "valid_from": old.valid_from.isoformat(),
                "valid_to": old.valid_to.isoformat(),
                "rows": len(old.rows),
            },
        )  # fmt: skip

    def _proofread(self, connection: Connection, old: OldCertificate) -> None:
        _check_number(connection, old.number)
        if old.valid_to <= old.valid_from:
            raise _malformed("valid_to", N_("The certificate would end before it begins."))
        if old.issued_on and old.issued_on > old.valid_to:
            raise _malformed("issued_on", N_("The certificate would be issued after its end."))
        for position, row in enumerate(old.rows, 1):
            if len(row) != len(TEXTS) or not any(text.strip() for text in row):
                raise _malformed(
                    "rows",
                    N_("Annex row %(row)s is empty or has not the %(columns)s columns."),
                    row=position,
                    columns=len(TEXTS),
                )
        if connection.scalar(select(CertificateRecord.id).where(CertificateRecord.number == old.number)):
            raise Refusal(
                "unmet",
                Message(N_("Certificate %(number)s is already in the register."), {"number": old.number}),
                field="number",
            )


def _check_number(connection: Connection, number: str) -> None:
    """The twelve digits YY AA FF DD SSSS against the lists of authorities, fields and industries."""
    if len(number) != 12 or not (number.isascii() and number.isdigit()) or number[8:] == "0000":
        raise _malformed(
            "number",
            N_("A certificate number has 12 digits and a serial from 0001: %(number)s."),
            number=number,
        )
    entry = CatalogueEntryRecord
    for catalogue, code in (
        ("authorities", number[2:4]),
        ("fields", number[4:6]),
        ("industries", number[6:8]),
    ):
        known = connection.scalar(
            select(entry.code).where(entry.catalogue == catalogue, entry.code == code).limit(1)
        )
        if known is None:
            raise _malformed(
                "number",
                N_("Certificate number %(number)s: %(code)s is not in the list of %(catalogue)s."),
                number=number,
                code=code,
                catalogue=catalogue,
            )


def _add_rows(connection: Connection, certificate_id: int, on: date, old: OldCertificate) -> None:
    rows: Iterable[dict[str, Any]] = (
        {
            "certificate_id": certificate_id,
            "ordinal": ordinal,
            **dict(zip(TEXTS, row, strict=True)),
            "from_version": 1,
            "until_version": None,
            "from_on": on,
            "until_on": None,
            "ended_by": None,
        }
        for ordinal, row in enumerate(old.rows, 1)
    )
    batch = list(rows)
    for start in range(0, len(batch), _BATCH):
        connection.execute(insert(table_of(AnnexRowRecord)), batch[start : start + _BATCH])
    if old.signatories:
        connection.execute(
            insert(table_of(AnnexSignatoryRecord)),
            [
                {
                    "certificate_id": certificate_id,
                    "ordinal": ordinal,
                    "name": name,
                    "title": title,
                    "field": field,
                    "note": note,
                    "from_version": 1,
                    "until_version": None,
                }
                for ordinal, (name, title, field, note) in enumerate(old.signatories, 1)
            ],
        )


def _malformed(field: str, text: str, **values: Any) -> Refusal:
    return Refusal("malformed", Message(text, values), field=field)
