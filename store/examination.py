"""What the doctor looks at: schema, triggers, audit chain, files, calendar, jobs, clock. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, or_, select, text

from store.audit import broken_links
from store.backup import missing_files, named_files
from store.database import Database, schema_problem
from store.files import FileStore
from store.law import LawBook
from store.records.audit import APPEND_ONLY, AuditRecord
from store.records.cases import CaseRecord
from store.records.certificates import CertificateRecord, NumberCounterRecord
from store.records.columns import table_of
from store.records.jobs import FAILED, WAITING, JobRecord
from store.records.separation import GUARD

CALENDAR_NOTICE = timedelta(days=60)  # how long before the calendar runs out the administrator is warned


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `what_to_do` is empty when it is well."""

    name: str
    state: Literal["well", "warning", "ill"]
    found: str
    what_to_do: str = ""


def examine(database: Database, files: FileStore, laws: LawBook) -> Iterator[Finding]:
    """Every finding, in the order in which they matter."""
    schema = _schema(database)
    yield schema
    if schema.state == "ill":
        return
    yield _triggers(database)
    yield _audit(database)
    yield _cases(database)
    yield _numbers(database)
    yield from _files(database, files)
    yield _calendar(database, laws)
    yield _jobs(database)
    yield _clock(database)


def _schema(database: Database) -> Finding:
    if problem := schema_problem(database):
        return Finding("schema", "ill", problem, "run: ./run wujian migrate")
    return Finding("schema", "well", "the newest")


def _triggers(database: Database) -> Finding:
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'" if database.is_sqlite else \
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    with database.reading() as connection:
        names = set(connection.scalars(text(query)))
    wanted = {f"{t}_no_{verb}" for t in APPEND_ONLY for verb in ("update", "delete")} if database.is_sqlite \
        else {f"{t}_append_only" for t in APPEND_ONLY}
    if missing := sorted({*wanted, GUARD} - names):
        return Finding("append-only triggers", "ill", f"missing: {', '.join(missing)}",
                       "somebody took them away: restore a backup into an empty database and compare")
    return Finding("append-only triggers", "well", f"{len(wanted)} in place")


def _audit(database: Database) -> Finding:
    with database.reading() as connection:
        entries = connection.scalar(select(func.count()).select_from(AuditRecord))
        broken = broken_links(connection)
    if broken:
        stream, seq = broken[0]
        return Finding("audit chain", "ill", f"{len(broken)} broken, the first is {stream} entry {seq}",
                       "the audit was changed: keep this database as it is and compare it with a backup")
    return Finding("audit chain", "well", f"{entries} entries")


def _cases(database: Database) -> Finding:
    """Every step leaves an entry with the state and the version it led to: a row that says otherwise was changed by
    another hand."""
    entry, case = table_of(AuditRecord), table_of(CaseRecord)
    last = entry.c.stream.is_(None) & (entry.c.case_id == case.c.id) & (entry.c.seq == case.c.audit_seq)
    query = select(case.c.id).select_from(case.outerjoin(entry, last)).where(
        or_(entry.c.target.is_distinct_from(case.c.state), entry.c.version.is_distinct_from(case.c.version)))
    with database.reading() as connection:
        odd = connection.scalars(query.order_by(case.c.id)).all()
        count = connection.scalar(select(func.count()).select_from(case))
    if odd:
        return Finding("cases", "ill",
                       f"{len(odd)} are not where their last entry left them, the first is case {odd[0]}",
                       "a row was changed by another hand: keep this database as it is and compare it with a backup")
    return Finding("cases", "well", f"{count} where their last entries left them")


def _numbers(database: Database) -> Finding:
    with database.reading() as connection:
        taken = connection.scalar(select(func.coalesce(func.sum(NumberCounterRecord.next - 1), 0)).where(
            NumberCounterRecord.scope.like("certificate:%"))) or 0
        ours = connection.scalar(select(func.count()).select_from(CertificateRecord).where(
            CertificateRecord.imported.is_(False))) or 0
        imported = connection.scalar(select(func.count()).select_from(CertificateRecord).where(
            CertificateRecord.imported.is_(True))) or 0
    if ours > taken or (not imported and ours != taken):
        return Finding("certificate numbers", "ill", f"{taken} taken, {ours} issued", "look for a missing certificate")
    return Finding("certificate numbers", "well", f"{ours} issued, {imported} entered from before")


def _files(database: Database, files: FileStore) -> Iterator[Finding]:
    with database.reading() as connection:
        named = named_files(connection)
        missing = list(missing_files(connection, files))
    orphans = sum(1 for digest in files.digests() if digest not in named)
    if missing:
        yield Finding("files", "ill", f"{len(missing)} of {len(named)} are missing or damaged, the first is "
                      f"{missing[0]}", "bring them back from a backup: the hash is the file's name")
    else:
        yield Finding("files", "well", f"{len(named)} whole")
    if orphans:
        yield Finding("files without a row", "warning", str(orphans),
                      "left by uploads that were never finished; harmless")


def _calendar(database: Database, laws: LawBook) -> Finding:
    until, today = laws.current().calendar.confirmed_until, database.clock.today()
    if until is None or until < today:
        return Finding("working-day calendar", "ill", f"confirmed until {until}",
                       "enter the State Council's holiday notice; due dates are provisional until then")
    if until - today < CALENDAR_NOTICE:
        return Finding("working-day calendar", "warning", f"confirmed until {until}",
                       "enter the next year's holiday notice as soon as it is published")
    return Finding("working-day calendar", "well", f"confirmed until {until}")


def _jobs(database: Database) -> Finding:
    late = database.clock.now() - timedelta(hours=1)
    with database.reading() as connection:
        failed = connection.scalar(select(func.count()).select_from(JobRecord).where(FAILED))
        stuck = connection.scalar(select(func.count()).select_from(JobRecord).where(
            WAITING, JobRecord.available_at < late))
    if failed or stuck:
        return Finding("jobs", "warning", f"{failed} failed, {stuck} waiting for more than an hour",
                       "look at the administrator's page; is a worker running?")
    return Finding("jobs", "well", "none failed, none late")


def _clock(database: Database) -> Finding:
    with database.reading() as connection:
        last = connection.scalar(select(func.max(AuditRecord.at)))
    now = database.clock.now()
    if last is not None and last > now + timedelta(seconds=5):
        return Finding("clock", "ill", f"now {now:%F %T}, but the last audit entry is of {last:%F %T} (UTC)",
                       "set the machine's clock right before anybody works on")
    return Finding("clock", "well", f"{now:%F %T} UTC")
