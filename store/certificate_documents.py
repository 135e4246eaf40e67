"""CertificateDocuments: the bytes of certificates, from what they say to who printed them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, update

from store import audit
from store.certificate_values import Certificate, Edition, Printable, ToRender
from store.certificates import PAGE, one_certificate, signatories_of
from store.database import Database
from store.records.agencies import AgencyRecord
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord
from store.records.certificates import AnnexRowRecord, CertificateRecord, CertificateVersionRecord
from store.records.columns import table_of
from store.records.jobs import JobRecord
from store.scope import visible_to
from store.values import Page
from workflow.deadlines import Clock
from workflow.vocabulary import Actor, Role

_CERTIFICATE = table_of(CertificateRecord)
_VERSION = table_of(CertificateVersionRecord)
_ROW = table_of(AnnexRowRecord)


class CertificateDocuments:
    """The register of issued bytes, for the worker, the clerk and whoever compares a file with it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # -- documents ---------------------------------------------------------------------------------------

    def editions(self, certificate_id: int) -> tuple[Edition, ...]:
        """Every version of the document, newest first; `sha256` is None until it is rendered."""
        with self.database.reading() as connection:
            rows = connection.execute(
                select(_VERSION)
                .where(_VERSION.c.certificate_id == certificate_id)
                .order_by(_VERSION.c.version.desc())
            ).all()
        return tuple(
            Edition(r.version, r.issued_on, r.annex_rows, r.sha256, r.size, r.pages, r.rendered_at, r.content)
            for r in rows
        )

    def edition_by_hash(self, sha256: str) -> tuple[Certificate, Edition] | None:
        """Which certificate, in which version, these bytes are; None when they are none that we issued."""
        with self.database.reading() as connection:
            row = connection.execute(select(_VERSION).where(_VERSION.c.sha256 == sha256)).first()
            found = one_certificate(connection, _CERTIFICATE.c.id == row.certificate_id) if row else None
        if row is None or found is None:
            return None
        return found, Edition(
            row.version, row.issued_on, row.annex_rows, row.sha256, row.size, row.pages, row.rendered_at
        )

    def to_render(self, case_id: int) -> ToRender | None:
        """What the certificate that a case brought forth says, whole; None when the case brought forth none.

        The annex is read as a stream, since it may hold tens of thousands of rows.
        """
        with self.database.reading() as connection:
            version = connection.execute(select(_VERSION).where(_VERSION.c.case_id == case_id)).first()
            if version is None:
                return None
            certificate = one_certificate(connection, _CERTIFICATE.c.id == version.certificate_id)
            assert certificate is not None  # the foreign key holds it
            in_version = and_(
                _ROW.c.certificate_id == certificate.id,
                _ROW.c.from_version <= version.version,
                or_(_ROW.c.until_version.is_(None), _ROW.c.until_version > version.version),
            )
            columns = [
                _ROW.c[name]
                for name in (
                    "site", "section", "category", "object", "parameter", "standard_text", "limit_text", "note"
                )
            ]  # fmt: skip
            stream = connection.execution_options(yield_per=2000).execute(
                select(*columns).where(in_version).order_by(_ROW.c.ordinal)
            )
            rows = tuple(tuple(row) for row in stream)
            agency = connection.scalar(
                select(AgencyRecord.particulars).where(AgencyRecord.id == certificate.agency_id)
            )
            holder = (version.content or {}).get("holder") or {}  # kept when a later version says another
            return ToRender(
                certificate=certificate,
                agency_name=str(holder.get("agency_name") or certificate.agency_name),
                agency_address=str(holder.get("agency_address") or certificate.agency_address),
                version=version.version,
                issued_on=version.issued_on,
                sha256=version.sha256,
                liability_bearer=str(
                    holder.get("liability_bearer")
                    or (agency or {}).get("liability_bearer")
                    or certificate.agency_name
                ),
                rows=rows,
                signatories=signatories_of(connection, certificate.id, version.version),
                content=version.content,
            )

    def record_rendering(
        self, certificate_id: int, version: int, *, sha256: str, size: int, pages: int
    ) -> bool:
        """Enter the rendered bytes in the register, once; False when they were entered before."""
        with self.database.writing() as connection:
            return (
                connection.execute(
                    update(_VERSION)
                    .where(
                        _VERSION.c.certificate_id == certificate_id,
                        _VERSION.c.version == version,
                        _VERSION.c.sha256.is_(None),
                    )
                    .values(sha256=sha256, size=size, pages=pages, rendered_at=self.database.clock.now())
                ).rowcount
                == 1
            )

    def cases_without_rendering(self, limit: int = 100) -> tuple[int, ...]:
        """Cases whose certificate version has no bytes and for which no rendering was ever asked for."""
        asked = select(JobRecord.id).where(
            JobRecord.case_id == _VERSION.c.case_id, JobRecord.kind == "render_certificate"
        )
        with self.database.reading() as connection:
            found = connection.scalars(
                select(_VERSION.c.case_id)
                .where(_VERSION.c.sha256.is_(None), _VERSION.c.case_id.is_not(None), ~asked.exists())
                .limit(limit)
            )
            return tuple(case_id for case_id in found if case_id is not None)

    # -- the issuing clerk -------------------------------------------------------------------------------

    def printable(
        self, actor: Actor, state: str, *, after: str | None = None, limit: int = PAGE
    ) -> Page[Printable]:
        """The certificates of cases in a state (granted, printed, closed) that this actor sees.

        Waiting ones come oldest first, delivered ones newest first. `after` is the last line's key.
        """
        newest_first = state == "closed"
        query = _printables().where(CaseRecord.state == state, visible_to(actor))
        if after is not None and after.isascii() and after.isdecimal() and len(after) < 19:
            key = int(after)
            query = query.where(CaseRecord.id < key if newest_first else CaseRecord.id > key)
        order = CaseRecord.id.desc() if newest_first else CaseRecord.id
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(order).limit(limit + 1)).all()
        lines = tuple(_printable(row) for row in rows[:limit])
        return Page(lines, str(rows[limit - 1].case_id) if len(rows) > limit else None)

    def printables(self, actor: Actor, case_public_ids: Sequence[str]) -> tuple[Printable, ...]:
        """The named ones, in the order of their numbers; those that the actor does not see are left out."""
        query = _printables().where(CaseRecord.public_id.in_(list(case_public_ids)), visible_to(actor))
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(_CERTIFICATE.c.number)).all()
        return tuple(_printable(row) for row in rows)

    def count_printable(self, actor: Actor, states: Iterable[str], cap: int = 1000) -> dict[str, int]:
        """How many certificates are in each of these states, counted up to `cap`."""
        with self.database.reading() as connection:
            return {
                state: connection.scalar(
                    select(func.count()).select_from(
                        _printables()
                        .with_only_columns(CaseRecord.id)
                        .where(CaseRecord.state == state, visible_to(actor))
                        .limit(cap)
                        .subquery()
                    )
                )
                or 0
                for state in states
            }

    def record_printing(self, actor: Actor, lines: Sequence[Printable], act: str) -> None:
        """Audit that documents were printed again, one entry on each certificate's stream; a repeat adds none."""
        at = self.database.clock.now()
        with self.database.writing() as connection:
            numbers = sorted(line.number for line in lines)
            connection.execute(  # so that two clerks do not continue the same chain at once
                select(_CERTIFICATE.c.id)
                .where(_CERTIFICATE.c.number.in_(numbers))
                .order_by(_CERTIFICATE.c.id)
                .with_for_update()
            ).all()
            for line in lines:
                stream = f"certificate:{line.number}"
                last = connection.scalar(
                    select(AuditRecord.payload)
                    .where(AuditRecord.stream == stream)
                    .order_by(AuditRecord.seq.desc())
                    .limit(1)
                )
                if last is None or last.get("act") != act:
                    audit.append(
                        connection, stream, at, actor, "print_again", Role.ISSUING_CLERK.value,
                        {"version": line.version, "act": act},
                    )  # fmt: skip


def _printables() -> Select[Any]:
    case = table_of(CaseRecord)
    return select(
        case.c.id.label("case_id"),
        case.c.public_id.label("case_public_id"),
        case.c.number.label("case_number"),
        case.c.version.label("case_version"),
        case.c.state,
        case.c.clocks,
        case.c.changed_at,
        case.c.facts["part_of"].as_string().label("part_of"),
        case.c.facts["alone"].as_boolean().label("alone"),
        _CERTIFICATE.c.id.label("certificate_id"),
        _CERTIFICATE.c.public_id.label("certificate_public_id"),
        _CERTIFICATE.c.number,
        _CERTIFICATE.c.agency_name,
        _CERTIFICATE.c.status,
        _VERSION.c.version,
        _VERSION.c.annex_rows,
        _VERSION.c.sha256,
        _VERSION.c.pages,
    ).select_from(
        case.join(_VERSION, _VERSION.c.case_id == case.c.id).join(
            _CERTIFICATE, _CERTIFICATE.c.id == _VERSION.c.certificate_id
        )
    )


def _printable(row: Any) -> Printable:
    return Printable(
        case_public_id=row.case_public_id,
        case_number=row.case_number,
        case_version=row.case_version,
        state=row.state,
        clocks=tuple(Clock.from_plain(c) for c in row.clocks),
        changed_at=row.changed_at,
        certificate_id=row.certificate_id,
        certificate_public_id=row.certificate_public_id,
        number=row.number,
        agency_name=row.agency_name,
        status=row.status,
        version=row.version,
        annex_rows=row.annex_rows,
        sha256=row.sha256,
        pages=row.pages,
        together=bool(row.part_of) and not row.alone,
    )
