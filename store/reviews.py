"""ReviewStore: what the technical review works on: the pool of reviewers, the checklist, the capability rows.

Licences applied for together are reviewed once, on the case that was applied for: from the case of a single licence one
sees the lines and the rows that concern it. Reads only. Every method takes a `CaseFile`, which only `CaseStore.get`
hands out, so whoever asks has already been found to see the case.
"""
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select
from sqlalchemy.engine import RowMapping

from store.database import Database
from store.dossier_values import CapabilityLine
from store.records.applications import CapabilityRowRecord, ChecklistLineRecord
from store.records.columns import table_of
from store.records.people import AccountRecord, AccountRoleRecord, ExpertiseRecord, PersonRecord
from store.records.reference import CatalogueEntryRecord
from store.registers.evidence import evidence_case, licences_opened, sections_of_the_department
from store.values import CaseFile, Page
from workflow.case import Case
from workflow.dossiers import checklist_of
from workflow.joint_licences import DECIDING, PART_OF
from workflow.vocabulary import N_, Actor, Message, Refusal, Role

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
    """A line of the review checklist with its catalogue entry and, once given, the answer. `licence` is the procedure
    whose licence alone it is about, '' for what is common to all."""

    code: str
    entry: Mapping[str, Any]
    result: str
    explanation: str
    person: str
    at: datetime | None
    licence: str = ""


@dataclass(frozen=True, slots=True)
class CapabilityRow(CapabilityLine):
    """One applied-for row as the review sees it. `ways` are keys of the catalogue `confirmation_ways`."""

    ways: tuple[str, ...]
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
        return self._pool(file)

    def nominees(self, file: CaseFile, actor: Actor) -> tuple[Candidate, ...]:
        """The pool of the actor's department: those whose account as reviewer or team leader names it, by name."""
        return self._pool(file, AccountRecord.department == actor.department)

    def _pool(self, file: CaseFile, *narrowed: ColumnElement[bool]) -> tuple[Candidate, ...]:
        account, role, person = AccountRecord, AccountRoleRecord, PersonRecord
        pool = (select(person.id, person.name, role.role).join(account, account.person_id == person.id)
                .join(role, role.account_id == account.id)
                .where(account.active, role.role.in_((Role.REVIEWER.value, Role.TEAM_LEADER.value)), *narrowed)
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
        """The lines laid out for this case, in order; empty before the review was organised. Of the case of a single
        licence: those common to all, and its own."""
        line, entry = ChecklistLineRecord, CatalogueEntryRecord
        query = (select(line.code, entry.content, line.result, line.explanation,
                        func.coalesce(PersonRecord.name, ""), line.at, line.licence)
                 .outerjoin(entry, and_(entry.catalogue == "checklist", entry.code == line.code))
                 .outerjoin(PersonRecord, PersonRecord.id == line.person_id)
                 .order_by(line.ordinal))
        if file.case.fact(PART_OF):
            query = query.where(line.licence.in_(("", file.case.procedure)))
        with self.database.reading() as connection:
            evidence = evidence_case(connection, file.case)
            rows = connection.execute(query.where(line.case_id == evidence)).all()
            own: Mapping[str, Mapping[str, Any]] = checklist_of(file.case.procedure, file.case.procedure_version)
            if any(row.licence for row in rows):
                own = {**own, **lines_of_licences(connection, evidence)}
        return tuple(ChecklistLine(r[0], own.get(r[0]) or r[1] or {}, *r[2:]) for r in rows)

    def rows(self, file: CaseFile, wanted: RowFilter | None = None, *, after: str | None = None,
             limit: int = ROWS_PAGE) -> Page[CapabilityRow]:
        """A page of the capability table in its own order; `after` is the ordinal to go on from."""
        query = (select(_ROW, func.coalesce(PersonRecord.name, "").label("person"))
                 .outerjoin(PersonRecord, PersonRecord.id == _ROW.c.confirmed_by)
                 .where(_ROW.c.ordinal > ordinal_of(after), *_conditions(wanted or RowFilter()))
                 .order_by(_ROW.c.ordinal).limit(limit + 1))
        with self.database.reading() as connection:
            query = query.where(*_concerning(connection, file.case))
            found = [_row(r) for r in connection.execute(query).mappings()]
        return Page(tuple(found[:limit]), str(found[limit - 1].ordinal) if len(found) > limit else None)

    def matching(self, file: CaseFile, wanted: RowFilter) -> tuple[int, ...]:
        """The ordinals of every row that a filter keeps: what "all rows found" means when it is confirmed."""
        with self.database.reading() as connection:
            return tuple(connection.scalars(
                select(_ROW.c.ordinal).where(*_concerning(connection, file.case), *_conditions(wanted))
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


def lines_of_licences(connection: Connection, case_id: int) -> dict[str, Mapping[str, Any]]:
    """The tagged lines of a joint application by their code, as the files of its licences have them."""
    return {code: line for opened in licences_opened(connection, case_id)
            for code, line in checklist_of(opened.procedure, opened.procedure_version).items()}


def _concerning(connection: Connection, case: Case) -> list[ColumnElement[bool]]:
    """The rows of a case; of a department's licence those that call for this department."""
    evidence, deciding = evidence_case(connection, case), case.fact(DECIDING)
    if not case.fact(PART_OF) or not deciding:
        return [_ROW.c.case_id == evidence]
    sections = sections_of_the_department(connection, evidence, str(deciding[0]))
    return [_ROW.c.case_id == evidence, _ROW.c.section.in_(sections)]


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
    plain = {part.name: row[part.name] for part in fields(CapabilityRow)}
    return CapabilityRow(**plain | {"ways": tuple(row["ways"].split())})
