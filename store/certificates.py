"""CertificateStore: certificates as values, their annex page by page, their acts, their bytes.

Nothing here decides anything: certificates are issued, extended and annulled by the registers of a step. What
this store writes are facts about documents (rendered, printed again) and certificates that were already in
force before this system (`store.certificate_import`).
"""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from store.certificate_values import (
    AnnexPage,
    AnnexRow,
    Certificate,
    CertificateEvent,
    signatories_once,
)
from store.database import Database
from store.records.certificates import (
    AnnexRowRecord,
    AnnexSignatoryRecord,
    CertificateEventRecord,
    CertificateRecord,
)
from store.records.columns import table_of
from workflow import dossiers
from workflow.vocabulary import N_, Actor, Message, Refusal, Role

PAGE = 50
FOUND = 20  # how many certificates a search by agency name may answer with
SEARCH_LENGTH = (1, 60)  # characters of a search within an annex
NAME_LENGTH = 4  # characters of an agency's name that a public search asks for at least

_CERTIFICATE = table_of(CertificateRecord)
_ROW = table_of(AnnexRowRecord)
_NEWER = _CERTIFICATE.alias("newer")
_OLDER = _CERTIFICATE.alias("older")


class CertificateStore:
    """Reads for the public, the clerk and the worker."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # -- finding -----------------------------------------------------------------------------------------

    def find(self, *, number: str = "", code: str = "", public_id: str = "") -> Certificate | None:
        """A certificate by its number, its verification code or its public id; None when there is none."""
        column, wanted = next(
            (c, v)
            for c, v in (
                (_CERTIFICATE.c.number, number),
                (_CERTIFICATE.c.verify_code, code),
                (_CERTIFICATE.c.public_id, public_id),
            )
            if v or c is _CERTIFICATE.c.public_id
        )
        with self.database.reading() as connection:
            return one_certificate(connection, column == wanted)

    def get_for(self, actor: Actor, public_id: str) -> Certificate:
        """The certificate if this actor may download it: the agency it belongs to, and the bureau.

        Raises Refusal("unknown").
        """
        clause = _CERTIFICATE.c.public_id == public_id
        if not actor.roles - {Role.APPLICANT}:
            clause = and_(clause, _CERTIFICATE.c.agency_id == (actor.agency_id or 0))
        with self.database.reading() as connection:
            found = one_certificate(connection, clause)
        if found is None:
            raise Refusal("unknown", Message(N_("There is no such certificate, or it is not open to you.")))
        return found

    def find_by_agency(self, name: str, limit: int = FOUND) -> tuple[Certificate, ...]:
        """Certificates of agencies whose name begins so; nothing when too little was typed."""
        wanted = name.strip()
        if len(wanted) < NAME_LENGTH:
            return ()
        with self.database.reading() as connection:
            rows = connection.execute(
                _whole()
                .where(_CERTIFICATE.c.agency_name.like(f"{_escaped(wanted)}%", escape="\\"))
                .order_by(_CERTIFICATE.c.agency_name, _CERTIFICATE.c.number.desc())
                .limit(limit)
            ).all()
            return tuple(_certificate(row) for row in rows)

    def list_of(self, agency_id: int) -> tuple[Certificate, ...]:
        """Every certificate of an agency, newest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                _whole()
                .where(_CERTIFICATE.c.agency_id == agency_id)
                .order_by(_CERTIFICATE.c.issued_on.desc(), _CERTIFICATE.c.id.desc())
                .limit(200)
            ).all()
            return tuple(_certificate(row) for row in rows)

    # -- the annex ---------------------------------------------------------------------------------------

    def annex(
        self, certificate_id: int, *, on: date | None = None, search: str = "", after: int = 0,
        limit: int = PAGE,
    ) -> AnnexPage:  # fmt: skip
        """A page of the capability rows in force on a date (default: now), after the row with ordinal `after`.

        `search` looks into object, parameter and standard, within this certificate only.
        """
        scope = and_(_ROW.c.certificate_id == certificate_id, _in_force(on))
        found = and_(scope, _matches(search)) if search.strip() else scope
        with self.database.reading() as connection:
            rows = connection.execute(
                select(_ROW).where(found, _ROW.c.ordinal > after).order_by(_ROW.c.ordinal).limit(limit + 1)
            ).all()
            total = connection.scalar(select(func.count()).select_from(_ROW).where(scope)) or 0
            matching = total
            if search.strip():
                matching = connection.scalar(select(func.count()).select_from(_ROW).where(found)) or 0
        lines = tuple(_annex_row(row) for row in rows[:limit])
        return AnnexPage(lines, lines[-1].ordinal if len(rows) > limit else None, matching, total)

    def rows_ended(self, certificate_id: int, by: str = "annulled") -> int:
        """How many rows were taken out of the annex by that act."""
        with self.database.reading() as connection:
            return (
                connection.scalar(
                    select(func.count())
                    .select_from(_ROW)
                    .where(_ROW.c.certificate_id == certificate_id, _ROW.c.ended_by == by)
                )
                or 0
            )

    def signatories(self, certificate_id: int, *, version: int) -> tuple[tuple[str, str, str, str], ...]:
        """The authorised signatories of a version: name, title, field, note."""
        with self.database.reading() as connection:
            return signatories_of(connection, certificate_id, version)

    def history(self, certificate_id: int) -> tuple[CertificateEvent, ...]:
        """Every act upon a certificate, newest first."""
        event = CertificateEventRecord
        with self.database.reading() as connection:
            rows = connection.execute(
                select(event.act, event.on, event.at, event.basis, event.grounds, event.detail)
                .where(event.certificate_id == certificate_id)
                .order_by(event.id.desc())
                .limit(200)
            ).all()
        return tuple(CertificateEvent(r.act, r.on, r.at, r.basis, r.grounds, r.detail) for r in rows)


# -- rows into values ------------------------------------------------------------------------------------


def _whole() -> Select[Any]:
    return select(
        _CERTIFICATE,
        _NEWER.c.number.label("newer_number"),
        _NEWER.c.verify_code.label("newer_code"),
        _OLDER.c.number.label("older_number"),
        _OLDER.c.verify_code.label("older_code"),
    ).select_from(
        _CERTIFICATE.outerjoin(_NEWER, _NEWER.c.id == _CERTIFICATE.c.replaced_by_id).outerjoin(
            _OLDER, _OLDER.c.replaced_by_id == _CERTIFICATE.c.id
        )
    )


def one_certificate(connection: Connection, clause: ColumnElement[bool]) -> Certificate | None:
    row = connection.execute(_whole().where(clause).limit(1)).first()
    return _certificate(row) if row else None


def _certificate(row: Any) -> Certificate:
    return Certificate(
        id=row.id,
        public_id=row.public_id,
        number=row.number,
        agency_id=row.agency_id,
        agency_name=row.agency_name,
        agency_address=row.agency_address,
        authority_name=row.authority_name,
        status=row.status,
        issued_on=row.issued_on,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        version=row.annex_version,
        verify_code=row.verify_code,
        imported=row.imported,
        kind=row.kind or dossiers.tabular().spec.procedure,
        replaced_by=(row.newer_number, row.newer_code) if row.newer_number else None,
        replaces=(row.older_number, row.older_code) if row.older_number else None,
        deemed_renewed_on=row.deemed_renewed_on,
    )


def _annex_row(row: Any) -> AnnexRow:
    return AnnexRow(
        row.ordinal, row.site, row.section, row.category, row.object, row.parameter, row.standard_text,
        row.limit_text, row.note, row.from_on, row.until_on, row.ended_by,
    )  # fmt: skip


def signatories_of(
    connection: Connection, certificate_id: int, version: int
) -> tuple[tuple[str, str, str, str], ...]:
    one = AnnexSignatoryRecord
    rows = connection.execute(
        select(one.name, one.title, one.field, one.note)
        .where(
            one.certificate_id == certificate_id,
            one.from_version <= version,
            or_(one.until_version.is_(None), one.until_version > version),
        )
        .order_by(one.ordinal)
    ).all()
    return signatories_once((r.name, r.title, r.field, r.note) for r in rows)


def _in_force(on: date | None) -> ColumnElement[bool]:
    if on is None:
        return _ROW.c.until_version.is_(None)
    return and_(_ROW.c.from_on <= on, or_(_ROW.c.until_on.is_(None), _ROW.c.until_on > on))


def _matches(search: str) -> ColumnElement[bool]:
    pattern = f"%{_escaped(search.strip()[: SEARCH_LENGTH[1]])}%"
    return or_(
        *(c.ilike(pattern, escape="\\") for c in (_ROW.c.object, _ROW.c.parameter, _ROW.c.standard_text))
    )


def _escaped(text: str) -> str:
    """The text with LIKE's own signs made literal."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("\0", "")
