"""JobQueue: the outgoing jobs that steps leave behind, claimed under a lease by whichever worker is free.

A job is done at least once: its lease may end while its worker still lives, so what it does must be safe to
repeat. It is claimed by one worker at a time, tried five times with growing pauses, and then waits for the
administrator as `failed`. See docs/decisions for why this is a table of our own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from store import audit
from store.database import Database
from store.records.cases import CaseRecord
from store.records.columns import table_of
from store.records.jobs import FAILED, WAITING, JobRecord, MailRecord, WorkerRecord
from store.tokens import new_token
from store.values import Page
from workflow.vocabulary import N_, Actor, Message, Refusal

ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=5)
PAUSE_GROWS = 4  # 5 s, 20 s, 80 s, 320 s between the five attempts
ERROR_LIMIT = 2000  # characters of an error that are kept
DUTY = "duty:"

_JOB = table_of(JobRecord)
_WORKER = table_of(WorkerRecord)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `attempt` counts from 1; `created_at` is the moment of the step that left it."""

    id: str
    kind: str
    case_id: int | None
    payload: Mapping[str, Any]
    attempt: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job as the administrator, or whoever waits for it, sees it. `error` on a done job is a note."""

    id: str
    kind: str
    case_public_id: str | None
    case_number: str | None
    payload: Mapping[str, Any]
    status: str
    running: bool
    attempts: int
    error: str | None
    created_at: datetime
    available_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobCounts:
    """How many jobs wait, are being worked on, and have failed; since when the oldest one waits."""

    waiting: int
    running: int
    failed: int
    oldest_waiting_at: datetime | None


@dataclass(frozen=True, slots=True)
class WorkerLine:
    name: str
    started_at: datetime
    seen_at: datetime


class JobQueue:
    """The table of outgoing jobs, for workers and for the administrator."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # -- leaving work ------------------------------------------------------------------------------------

    def add(self, kind: str, payload: Mapping[str, Any], case_id: int | None = None, job_id: str = "") -> str:
        """Leave a job outside of any step and return its id. A given `job_id` is taken once: a repeat is nothing."""
        wanted = job_id or new_token()
        dialect = sqlite if self.database.is_sqlite else postgresql
        at = self.database.clock.now()
        row = {
            "id": wanted,
            "kind": kind,
            "case_id": case_id,
            "payload": dict(payload),
            "status": "waiting",
            "available_at": at,
            "attempts": 0,
            "created_at": at,
        }
        with self.database.writing() as connection:
            connection.execute(dialect.insert(_JOB).values(**row).on_conflict_do_nothing())
        return wanted

    # -- doing work --------------------------------------------------------------------------------------

    def claim(self, worker: str, kinds: Iterable[str], lease: timedelta, limit: int = 1) -> tuple[Job, ...]:
        """Take up to `limit` jobs that are due and that nobody holds, oldest first, for the time of `lease`.

        A job whose lease has ended is taken over. One that has used up its attempts without ever answering
        (its workers died over it) is set aside as failed.
        """
        at, wanted = self.database.clock.now(), list(kinds)
        with self.database.reading() as connection:  # so that an idle worker never takes the write lock
            if (
                connection.scalar(select(_JOB.c.id).where(_free(at), _JOB.c.kind.in_(wanted)).limit(1))
                is None
            ):
                return ()
        with self.database.writing() as connection:
            found = connection.execute(
                select(_JOB)
                .where(_free(at), _JOB.c.kind.in_(wanted))
                .order_by(_JOB.c.available_at, _JOB.c.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            ).all()
            spent = [job.id for job in found if job.attempts >= ATTEMPTS]
            taken = [job for job in found if job.attempts < ATTEMPTS]
            if spent:
                connection.execute(
                    update(_JOB)
                    .where(_JOB.c.id.in_(spent))
                    .values(status="failed", error=func.coalesce(_JOB.c.error, N_("Every worker died over it.")))
                )
            if taken:
                connection.execute(
                    update(_JOB)
                    .where(_JOB.c.id.in_([job.id for job in taken]))
                    .values(leased_by=worker, leased_until=at + lease, attempts=_JOB.c.attempts + 1)
                )
        return tuple(Job(j.id, j.kind, j.case_id, j.payload, j.attempts + 1, j.created_at) for j in taken)

    def extend(self, job_ids: Iterable[str], worker: str, lease: timedelta) -> int:
        """Hold on to jobs that are still being worked on; returns how many were still ours."""
        until = self.database.clock.now() + lease
        with self.database.writing() as connection:
            return connection.execute(
                update(_JOB).where(_JOB.c.id.in_(list(job_ids)), _held_by(worker)).values(leased_until=until)
            ).rowcount

    def finish(
        self, job: Job, worker: str, note: str | None = None, result: Mapping[str, Any] | None = None
    ) -> bool:
        """The job is done; False when it was taken over meanwhile (its effects are safe to repeat)."""
        values: dict[str, Any] = {
            "status": "done",
            "done_at": self.database.clock.now(),
            "leased_until": None,
            "error": note[:ERROR_LIMIT] if note else None,
        }
        if result is not None:
            values["payload"] = {**job.payload, "result": dict(result)}
        return self._settle(job, worker, values)

    def fail(self, job: Job, worker: str, reason: str, *, for_good: bool = False) -> bool:
        """The job did not succeed: try again after a pause, or set it aside after the last attempt."""
        pause = FIRST_PAUSE * PAUSE_GROWS ** (job.attempt - 1)
        gives_up = for_good or job.attempt >= ATTEMPTS
        return self._settle(
            job,
            worker,
            {
                "status": "failed" if gives_up else "waiting",
                "available_at": self.database.clock.now() + (timedelta() if gives_up else pause),
                "leased_by": None,
                "leased_until": None,
                "error": reason[:ERROR_LIMIT],
            },
        )

    def _settle(self, job: Job, worker: str, values: Mapping[str, Any]) -> bool:
        with self.database.writing() as connection:
            return (
                connection.execute(
                    update(_JOB).where(_JOB.c.id == job.id, _held_by(worker)).values(**values)
                ).rowcount
                == 1
            )

    # -- looking after it --------------------------------------------------------------------------------

    def retry(self, job_id: str, actor: Actor) -> None:
        """Let a failed job start over, with all its attempts. Audited. Raises Refusal("unknown")."""
        at = self.database.clock.now()
        with self.database.writing() as connection:
            changed = connection.execute(
                update(_JOB)
                .where(_JOB.c.id == job_id, _JOB.c.status == "failed")
                .values(status="waiting", attempts=0, available_at=at, leased_by=None, leased_until=None)
                .returning(_JOB.c.kind)
            ).first()
            if changed is None:
                raise Refusal("unknown", Message(N_("There is no failed job of that name any more.")))
            audit.append(
                connection, "jobs", at, actor, "retry_job", "administrator",
                {"job": job_id, "kind": changed.kind},
            )  # fmt: skip

    def find(self, job_id: str) -> JobLine | None:
        with self.database.reading() as connection:
            row = connection.execute(_lines().where(_JOB.c.id == job_id)).first()
        return self._line(row) if row else None

    def list_(self, status: str = "failed", after: str | None = None, limit: int = 50) -> Page[JobLine]:
        """Jobs of one status (waiting, failed, done), newest first, a page at a time.

        Raises Refusal("malformed") when `after` is no job.
        """
        known = {"waiting": WAITING, "failed": FAILED}  # in plain words, so that their indexes serve
        query = _lines().where(known.get(status, _JOB.c.status == status))
        with self.database.reading() as connection:
            if after is not None:
                since = connection.scalar(select(_JOB.c.created_at).where(_JOB.c.id == after))
                if since is None:
                    raise Refusal("malformed", Message(N_(
                        "This page of the list does not exist; start again from the first.")))
                query = query.where(
                    or_(_JOB.c.created_at < since, and_(_JOB.c.created_at == since, _JOB.c.id < after))
                )
            rows = connection.execute(
                query.order_by(_JOB.c.created_at.desc(), _JOB.c.id.desc()).limit(limit + 1)
            ).all()
        lines = tuple(self._line(row) for row in rows[:limit])
        return Page(lines, lines[-1].id if len(rows) > limit else None)

    def counts(self) -> JobCounts:
        at = self.database.clock.now()
        running = and_(WAITING, _JOB.c.leased_until > at)
        idle = and_(WAITING, or_(_JOB.c.leased_until.is_(None), _JOB.c.leased_until <= at))
        with self.database.reading() as connection:
            row = connection.execute(
                select(
                    func.count(case((idle, 1))),
                    func.count(case((running, 1))),
                    func.count(case((_JOB.c.status == "failed", 1))),
                    func.min(case((idle, _JOB.c.available_at))),
                ).where(or_(WAITING, FAILED))
            ).one()
        return JobCounts(row[0], row[1], row[2], row[3])

    def is_settled(self, case_id: int | None = None) -> bool:
        """Whether nothing waits or is under way (of one case, or at all)."""
        query = select(_JOB.c.id).where(WAITING)
        if case_id is not None:
            query = query.where(_JOB.c.case_id == case_id)
        with self.database.reading() as connection:
            return connection.scalar(query.limit(1)) is None

    def _line(self, row: Any) -> JobLine:
        at = self.database.clock.now()
        return JobLine(
            row.id, row.kind, row.public_id, row.number, row.payload, row.status,
            row.status == "waiting" and row.leased_until is not None and row.leased_until > at,
            row.attempts, row.error, row.created_at, row.available_at, row.done_at,
        )  # fmt: skip

    # -- workers -----------------------------------------------------------------------------------------

    def sign_of_life(self, worker: str, started_at: datetime) -> None:
        """Note that a worker lives, for /readyz and the administrator."""
        at = self.database.clock.now()
        with self.database.writing() as connection:
            if not connection.execute(
                update(_WORKER).where(_WORKER.c.name == worker).values(seen_at=at)
            ).rowcount:
                connection.execute(insert(_WORKER), {"name": worker, "seen_at": at, "started_at": started_at})

    def workers(self, within: timedelta = timedelta(minutes=2)) -> tuple[WorkerLine, ...]:
        """The workers seen within that time, newest sign first."""
        since = self.database.clock.now() - within
        with self.database.reading() as connection:
            rows = connection.execute(
                select(_WORKER)
                .where(_WORKER.c.seen_at >= since, _WORKER.c.name.not_like(f"{DUTY}%"))
                .order_by(_WORKER.c.seen_at.desc())
                .limit(200)
            ).all()
        return tuple(WorkerLine(r.name, r.started_at, r.seen_at) for r in rows)

    def leave(self, worker: str) -> None:
        """A worker ends in good order."""
        with self.database.writing() as connection:
            connection.execute(_WORKER.delete().where(_WORKER.c.name == worker))

    def forget_workers(self, unseen_for: timedelta = timedelta(days=1)) -> int:
        """Drop the rows of workers that died long ago."""
        since = self.database.clock.now() - unseen_for
        with self.database.writing() as connection:
            return connection.execute(
                _WORKER.delete().where(_WORKER.c.seen_at < since, _WORKER.c.name.not_like(f"{DUTY}%"))
            ).rowcount

    def take_duty(self, name: str, every: timedelta) -> bool:
        """True for exactly one caller per interval, of all processes: who may do a periodic duty now."""
        at, key = self.database.clock.now(), f"{DUTY}{name}"
        due = and_(_WORKER.c.name == key, _WORKER.c.seen_at <= at - every)
        with self.database.reading() as connection:
            seen = connection.scalar(select(_WORKER.c.seen_at).where(_WORKER.c.name == key))
        if seen is not None and seen > at - every:
            return False
        with self.database.writing() as connection:
            if connection.execute(update(_WORKER).where(due).values(seen_at=at)).rowcount:
                return True
            dialect = sqlite if self.database.is_sqlite else postgresql
            row = {"name": key, "seen_at": at, "started_at": at}
            first = dialect.insert(_WORKER).values(**row).on_conflict_do_nothing().returning(_WORKER.c.name)
            return connection.execute(first).first() is not None

    # -- mail --------------------------------------------------------------------------------------------

    def mailed(self, job_id: str) -> frozenset[str]:
        """To whom this job's mail has left already."""
        with self.database.reading() as connection:
            return frozenset(
                connection.scalars(select(MailRecord.recipient).where(MailRecord.job_id == job_id))
            )

    def record_mail(self, job_id: str, recipient: str, subject: str) -> None:
        """A mail server has taken this mail."""
        with self.database.writing() as connection:
            connection.execute(
                insert(table_of(MailRecord)),
                {
                    "job_id": job_id,
                    "recipient": recipient,
                    "subject": subject,
                    "sent_at": self.database.clock.now(),
                },
            )


def _free(at: datetime) -> ColumnElement[bool]:
    return and_(
        WAITING,
        _JOB.c.available_at <= at,
        or_(_JOB.c.leased_until.is_(None), _JOB.c.leased_until <= at),
    )


def _held_by(worker: str) -> ColumnElement[bool]:
    return and_(WAITING, _JOB.c.leased_by == worker)


def _lines() -> Any:
    table = table_of(CaseRecord)
    return select(_JOB, table.c.public_id, table.c.number).select_from(
        _JOB.outerjoin(table, table.c.id == _JOB.c.case_id)
    )
