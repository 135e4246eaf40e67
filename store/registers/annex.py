"""What a certificate covers, as it is written into the register: capability rows and authorised signatories."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, func, insert, literal, null, select, update

from store.records.applications import CapabilityRowRecord, DossierRowRecord
from store.records.certificates import AnnexRowRecord, AnnexSignatoryRecord


def add_rows(
    connection: Connection,
    case_id: int,
    certificate_id: int,
    version: int,
    on: date,
    standings: Collection[str] = ("confirmed",),
    sections: Collection[str] | None = None,
) -> int:
    """Copy the rows of a case that stand so into the annex, in one statement; those of some sections of the table
    only, when `sections` are given. Returns how many there were."""
    source, target = CapabilityRowRecord, AnnexRowRecord
    used = (
        connection.scalar(
            select(func.coalesce(func.max(target.ordinal), 0)).where(target.certificate_id == certificate_id)
        )
        or 0
    )
    names = [
        "certificate_id",
        "ordinal",
        "site",
        "section",
        "category",
        "object",
        "parameter",
        "standard_text",
        "limit_text",
        "note",
        "from_version",
        "until_version",
        "from_on",
        "until_on",
        "ended_by",
    ]
    chosen = (
        select(
            literal(certificate_id),
            literal(used) + func.row_number().over(order_by=source.ordinal),
            source.site,
            source.section,
            source.category,
            source.object,
            source.parameter,
            source.standard_text,
            source.limit_text,
            source.note,
            literal(version),
            null(),
            literal(on),
            null(),
            null(),
        )
        .where(
            source.case_id == case_id,
            source.standing.in_(standings),
            *([source.section.in_(sections)] if sections is not None else []),
        )
        .order_by(source.ordinal)
    )
    adding = insert(target).from_select(names, chosen).execution_options(preserve_rowcount=True)
    return int(connection.execute(adding).rowcount)


def add_signatories(connection: Connection, case_id: int, certificate_id: int, version: int) -> None:
    """Copy the signatories of an application into the annex."""
    people = connection.scalars(
        select(DossierRowRecord.values)
        .where(DossierRowRecord.case_id == case_id, DossierRowRecord.table_name == "signatories")
        .order_by(DossierRowRecord.ordinal)
    ).all()
    offset = (
        connection.scalar(
            select(func.coalesce(func.max(AnnexSignatoryRecord.ordinal), 0)).where(
                AnnexSignatoryRecord.certificate_id == certificate_id
            )
        )
        or 0
    )
    if people:
        signatory = AnnexSignatoryRecord  # whoever is named again signs in the field approved now, and is listed once
        connection.execute(
            update(signatory)
            .where(
                signatory.certificate_id == certificate_id,
                signatory.until_version.is_(None),
                signatory.name.in_([p.get("name", "") for p in people]),
            )
            .values(until_version=version)
        )
        connection.execute(
            insert(AnnexSignatoryRecord),
            [
                {
                    "certificate_id": certificate_id,
                    "ordinal": offset + n,
                    "name": p.get("name", ""),
                    "title": p.get("title", ""),
                    "field": p.get("field", ""),
                    "note": p.get("note", ""),
                    "from_version": version,
                    "until_version": None,
                }
                for n, p in enumerate(people, 1)
            ],
        )
