"""What an administrator sees: how many cases stand where, which jobs gave up, which calendar years are settled.

An administrator keeps the house in order and takes no part in a case, so nothing here tells what is in one.
"""
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select

from store.database import Database
from store.records.cases import CaseRecord
from store.records.columns import table_of
from store.records.jobs import FAILED, WAITING, JobRecord
from store.records.reference import CalendarYearRecord
from workflow import procedures

CAP = 1000
FAILED_SHOWN = 20

_CASE = table_of(CaseRecord)


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that gave up: what it was, the number of tries and the last error."""

    id: str
    kind: str
    case_number: str | None
    attempts: int
    error: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Year:
    """A year of the working calendar; until it is confirmed, due dates that reach into it are provisional."""

    year: int
    confirmed: bool
    source: str


@dataclass(frozen=True, slots=True)
class Overview:
    """`states` counts cases per (procedure, version, state), CAP + 1 standing for "more than CAP"."""

    states: Mapping[tuple[str, int, str], int]
    failed: tuple[FailedJob, ...]
    jobs_waiting: int
    years: tuple[Year, ...]


class Oversight:
    def __init__(self, database: Database) -> None:
        self.database = database

    def overview(self) -> Overview:
        """Four statements; every count stops at CAP."""
        job = JobRecord
        places = [(p.name, p.version, state) for p in procedures.every() for state in p.states]
        counts = []
        for name, version, state in places:
            found = (select(literal(1)).select_from(_CASE)
                     .where(_CASE.c.procedure == name, _CASE.c.procedure_version == version, _CASE.c.state == state)
                     .limit(CAP + 1).subquery())
            counts.append(select(func.count()).select_from(found).scalar_subquery())
        waiting = select(literal(1)).select_from(job).where(WAITING).limit(CAP + 1).subquery()
        with self.database.reading() as connection:
            states = tuple(connection.execute(select(*counts)).one())
            failed = connection.execute(
                select(job.id, job.kind, _CASE.c.number, job.attempts, func.coalesce(job.error, ""), job.created_at)
                .outerjoin(_CASE, _CASE.c.id == job.case_id).where(FAILED)
                .order_by(job.created_at.desc()).limit(FAILED_SHOWN)).all()
            jobs_waiting = connection.scalar(select(func.count()).select_from(waiting)) or 0
            years = connection.execute(select(CalendarYearRecord.year, CalendarYearRecord.content)
                                       .order_by(CalendarYearRecord.year)).all()
        return Overview(
            states=dict(zip(places, states, strict=True)), failed=tuple(FailedJob(*row) for row in failed),
            jobs_waiting=jobs_waiting,
            years=tuple(Year(year, bool(c.get("confirmed")), str(c.get("source", ""))) for year, c in years))
