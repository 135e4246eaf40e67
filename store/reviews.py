"""ReviewStore: what the technical review works on: the pool of reviewers, the checklist, the capability rows.

Reads only. Every method takes a `CaseFile`, which only `CaseStore.get` hands out, so whoever asks has already
been found to see the case.
"""
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.engine import RowMapping

from store.database import Database
from store.records.applications import CapabilityRowRecord, ChecklistLineRecord
from store.records.columns import table_of
from store.records.people import AccountRecord, AccountRoleRecord, ExpertiseRecord, PersonRecord
from store.records.reference import CatalogueEntryRecord
from store.values import CaseFile, Page
from workflow.dossiers import checklist_of
from workflow.vocabulary import N_, Message, Refusal, Role

ROWS_PAGE = 100
POOL_LIMIT = 500   # reviewers shown at once; a provincial pool is a few hundred
STANDINGS = ("open", "confirmed", "refused")
TEXT_LIMIT = 80

_ROW = table_of(CapabilityRowRecord)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the reviewers' pool. `conflicted`: the person holds an account with the applicant."""

    person_id: str
    name: str
    may_lead: bool
    sectors: frozenset[str]
    conflicted: bool


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """A line of the review checklist with its catalogue entry and, once given, the answer."""

    code: str
    entry: Mapping[str, Any]
    result: str
    explanation: str
    person: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CapabilityRow:
    """One applied-for row as the review sees it. `ways` are keys of the catalogue `confirmation_ways`."""

    ordinal: int
    sheet: str
    sheet_row: int
    site: str
    section: str
    category: str
    object: str
    parameter: str
    standard_text: str
    limit_text: str
    note: str
    warned: bool
    standing: str
    ways: tuple[str, ...]
    reason: str
    person: str


@dataclass(frozen=True, slots=True)
class RowFilter:
    """`standing`: open, confirmed, refused or '' for all; `warned`: only rows the intake warned about."""

    standing: str = ""
    warned: bool = False
    search: str = ""


class ReviewStore:
    def __init__(self, database: Database) -> None:
        self.database = database

    def candidates(self, file: CaseFile) -> tuple[Candidate, ...]:
        """The pool: everyone with an active account as reviewer or team leader, by name."""
        account, role, person = AccountRecord, AccountRoleRecord, PersonRecord
        pool = (select(person.id, person.name, role.role).join(account, account.person_id == person.id)
                .join(role, role.account_id == account.id)
                .where(account.active, role.role.in_((Role.REVIEWER.value, Role.TEAM_LEADER.value)))
                .order_by(person.name, person.id).limit(POOL_LIMIT * 2))
        with self.database.reading() as connection:
            found = connection.execute(pool).all()
            ids = sorted({row.id for row in found})
            sectors = connection.execute(select(ExpertiseRecord.person_id, ExpertiseRecord.sector)
                                         .where(ExpertiseRecord.person_id.in_(ids))).all()
            conflicted = frozenset(connection.scalars(
                select(account.person_id).where(account.agency_id == file.case.agency_id,
                                                account.person_id.in_(ids)))) if file.case.agency_id else frozenset()
        names = {row.id: row.name for row in found}
        return tuple(Candidate(
            person_id=key, name=name, conflicted=key in conflicted,
            may_lead=any(row.id == key and row.role == Role.TEAM_LEADER.value for row in found),
            sectors=frozenset(s.sector for s in sectors if s.person_id == key)) for key, name in names.items())

    def names(self, persons: Iterable[str]) -> dict[str, str]:
        """Person id -> name."""
        wanted = sorted(set(persons))
        if not wanted:
            return {}
        with self.database.reading() as connection:
            return {row.id: row.name for row in connection.execute(
                select(PersonRecord.id, PersonRecord.name).where(PersonRecord.id.in_(wanted)))}

    def checklist(self, file: CaseFile) -> tuple[ChecklistLine, ...]:
        """The lines laid out for this case, in order; empty before the review was organised."""
        line, entry = ChecklistLineRecord, CatalogueEntryRecord
        query = (select(line.code, entry.content, line.result, line.explanation,
                        func.coalesce(PersonRecord.name, ""), line.at)
                 .outerjoin(entry, and_(entry.catalogue == "checklist", entry.code == line.code))
                 .outerjoin(PersonRecord, PersonRecord.id == line.person_id)
                 .where(line.case_id == file.case.id).order_by(line.ordinal))
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        own = checklist_of(file.case.procedure, file.case.procedure_version)
        return tuple(ChecklistLine(r[0], own.get(r[0]) or r[1] or {}, r[2], r[3], r[4], r[5]) for r in rows)

    def rows(self, file: CaseFile, wanted: RowFilter | None = None, *, after: str | None = None,
             limit: int = ROWS_PAGE) -> Page[CapabilityRow]:
        """A page of the capability table in its own order; `after` is the ordinal to go on from."""
        query = (select(_ROW, func.coalesce(PersonRecord.name, "").label("person"))
                 .outerjoin(PersonRecord, PersonRecord.id == _ROW.c.confirmed_by)
                 .where(_ROW.c.case_id == file.case.id, _ROW.c.ordinal > ordinal_of(after),
                        *_conditions(wanted or RowFilter()))
                 .order_by(_ROW.c.ordinal).limit(limit + 1))
        with self.database.reading() as connection:
            found = [_row(r) for r in connection.execute(query).mappings()]
        return Page(tuple(found[:limit]), str(found[limit - 1].ordinal) if len(found) > limit else None)

    def matching(self, file: CaseFile, wanted: RowFilter) -> tuple[int, ...]:
        """The ordinals of every row that a filter keeps: what "all rows found" means when it is confirmed."""
        with self.database.reading() as connection:
            return tuple(connection.scalars(
                select(_ROW.c.ordinal).where(_ROW.c.case_id == file.case.id, *_conditions(wanted))
                .order_by(_ROW.c.ordinal)))

    def every_row(self, file: CaseFile) -> Iterable[CapabilityRow]:
        """All rows, page by page, for an export; nothing more than a page is held in memory."""
        after: str | None = None
        while True:
            page = self.rows(file, after=after, limit=2000)
            yield from page.lines
            after = page.after
            if after is None:
                return


def ordinal_of(after: str | None) -> int:
    """The ordinal a page key names. Raises Refusal("malformed")."""
    if not after:
        return 0
    if after.isascii() and after.isdigit() and int(after) < 2**63:
        return int(after)
    raise Refusal("malformed", Message(N_("This page of the list does not exist; start again from the first.")))


def _conditions(wanted: RowFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.standing:
        conditions.append(_ROW.c.standing == wanted.standing if wanted.standing in STANDINGS else false())
    if wanted.warned:
        conditions.append(_ROW.c.warned.is_(True))
    if text := wanted.search[:TEXT_LIMIT]:
        conditions.append(or_(*(_ROW.c[name].contains(text, autoescape=True) for name in (
            "object", "parameter", "standard_text", "category", "section"))))
    return conditions


def _row(row: RowMapping) -> CapabilityRow:
    plain = {name: row[name] for name in (
        "ordinal", "sheet", "sheet_row", "site", "section", "category", "object", "parameter", "standard_text",
        "limit_text", "note", "warned", "standing", "reason", "person")}
    return CapabilityRow(**plain, ways=tuple(row["ways"].split()))
