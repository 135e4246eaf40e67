"""A worker killed with -9 at any moment of its jobs loses none and does none twice.

Certificates, notices and mails of granted cases are worked off by a process that is killed at random moments, again
and again. Afterwards every job is done, every certificate has one file, one hash and one audit entry, every notice
is in the register once, and every mail carries a mark that tells a repeated one apart.
"""

import multiprocessing
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

import app as root
import configuration
from jobs import worker
from jobs.worker import Worker
from store.backup import named_files
from store.cases import CaseStore
from store.jobs import JobQueue
from store.records.applications import DocumentRecord
from store.records.audit import AuditRecord
from store.records.certificates import CertificateVersionRecord
from store.records.columns import table_of
from store.records.jobs import JobRecord, MailRecord
from tests.services.databases import sqlite_url
from tests.services.postgres import Postgres
from tests.services.smtp import Mailbox
from tests.store import factories
from tests.store.factories import ADMINISTRATOR, cma_case
from web.context import House

KILLS = 100
JOBS_AT_LEAST = 100
LEASE = 2  # seconds
SEED = 20260302
CONTEXT = multiprocessing.get_context("forkserver")
PRELOADED = ["app", "jobs.worker", "store.cases", "pdf.contained"]
SETTLING = 600.0  # seconds for the last workers to finish what is left


def _work(settings: dict[str, Any], planted: bool) -> None:
    """The worker process. Planted, it notes a job as done before it does it."""
    house = root.open_house(configuration.load(**settings))
    if planted:
        real = Worker._do

        def hasty(self: Worker, job: Any) -> None:
            self.queue.finish(job, self.name)
            real(self, job)
        Worker._do = hasty  # type: ignore[method-assign]
    worker.run(house, "crash")


def _start(settings: dict[str, Any], planted: bool = False) -> BaseProcess:
    made = CONTEXT.Process(target=_work, args=(settings, planted))
    made.start()
    return made


def _statuses(house: House) -> Counter[str]:
    job = table_of(JobRecord)
    with house.database.reading() as connection:
        return Counter({row[0]: row[1] for row in connection.execute(
            select(job.c.status, func.count()).group_by(job.c.status))})


def _feed(house: House, cases: CaseStore, made: list[int]) -> None:
    """Keep enough work waiting that a kill hits something."""
    while _statuses(house)["waiting"] < 12 or sum(_statuses(house).values()) < JOBS_AT_LEAST:
        agency = factories.agency(house.database)
        made.append(cma_case(cases, "granted", agency_id=agency).id)


def _settle(house: House, settings: dict[str, Any]) -> int:
    """Let workers finish undisturbed; the administrator gives those another try that too many workers died over.

    Returns how many were set aside.
    """
    queue, set_aside, until = JobQueue(house.database), 0, time.monotonic() + SETTLING
    process = _start(settings)
    while time.monotonic() < until:
        for line in queue.list_("failed").lines:
            if line.error == "Every worker died over it.":
                queue.retry(line.id, ADMINISTRATOR)
                set_aside += 1
        if queue.is_settled():
            break
        time.sleep(0.5)
    process.terminate()
    process.join(60)
    return set_aside


def violations(house: House, cases: list[int], box: Mailbox) -> Counter[str]:
    """What was lost or doubled."""
    found: Counter[str] = Counter()
    version, document = table_of(CertificateVersionRecord), table_of(DocumentRecord)
    with house.database.reading() as connection:
        found["jobs not done"] = connection.scalar(
            select(func.count()).select_from(table_of(JobRecord)).where(JobRecord.status != "done")) or 0
        asked = Counter(row.case_id for row in connection.execute(
            select(JobRecord.case_id).where(JobRecord.kind == "render_document")))
        for case_id in cases:
            hashes = connection.scalars(select(version.c.sha256).where(version.c.case_id == case_id)).all()
            told = connection.scalar(select(func.count()).where(
                AuditRecord.case_id == case_id, AuditRecord.action == "record_rendering"))
            papers = connection.scalar(select(func.count()).where(document.c.case_id == case_id))
            found["certificates lost"] += hashes.count(None) + (not hashes)
            found["certificates doubled"] += max(0, len(hashes) - 1)
            found["renderings told other than once"] += told != 1
            found["notices lost or doubled"] += papers != asked[case_id]
        kept, named = Counter(house.files.digests()), named_files(connection)
        found["files lost"] = len(named - set(kept))
        found["files damaged"] = sum(not house.files.get(digest) for digest in named & set(kept))
        mails = connection.execute(select(MailRecord.job_id, MailRecord.recipient)).all()
    arrived = {str(message["Message-ID"]) for message in box.messages}
    found["mails lost"] = max(0, len(mails) - len(arrived))
    found["mails sent twice under two marks"] = max(0, len(arrived) - len(mails))
    return +found


def run(url: str, place: Path, box: Mailbox, kills: int, *, planted: bool = False) -> tuple[int, Counter[str], str]:
    """Kill the worker `kills` times; how many jobs there were, what went wrong, and a note."""
    settings = {"var": place, "secret_key": "the key of a proof, of no use elsewhere", "database_url": url,
                "smtp_url": box.url, "mail_from": "no-reply@bureau.example", "lease_seconds": LEASE,
                "log_level": "ERROR", "embedded_worker": False}
    house = root.open_house(configuration.load(**settings))
    dice, made, busy = random.Random(SEED), [], 0
    for _ in range(kills):
        _feed(house, house.cases, made)
        process = _start(settings, planted)
        time.sleep(dice.uniform(0.1, 2.2))
        with house.database.reading() as connection:
            busy += bool(connection.scalar(select(func.count()).select_from(table_of(JobRecord)).where(
                JobRecord.status == "waiting", JobRecord.leased_until > house.database.clock.now())))
        process.kill()
        process.join()
        process.close()
    set_aside = _settle(house, settings)
    jobs, wrong = sum(_statuses(house).values()), violations(house, made, box)
    resent = len(box.messages) - len({str(m["Message-ID"]) for m in box.messages})
    house.database.close()
    note = f"{jobs} jobs, {busy} kills hit one under a lease, {set_aside} set aside and tried again, " \
           f"{resent} mails sent again under the same mark, seed {SEED}"
    return jobs, wrong, note


def prove() -> Iterator[dict[str, Any]]:
    CONTEXT.set_forkserver_preload(PRELOADED)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wujian-crashes-")))
        server = stack.enter_context(Postgres(durable=True))

        def fresh(name: str) -> tuple[str, Path, Mailbox]:
            (place / name).mkdir()
            url = server.create() if name.startswith("postgresql") else sqlite_url(place / name / "wujian.sqlite3")
            factories.seeded(url)
            return url, place / name, stack.enter_context(Mailbox())
        for kind in ("sqlite", "postgresql"):
            jobs, wrong, note = run(*fresh(kind), KILLS)
            too_few = jobs < JOBS_AT_LEAST
            yield {"claim": f"A killed worker loses and doubles nothing on {kind}", "tries": KILLS,
                   "unexpected": wrong.total() + too_few, "note": f"{note} {dict(wrong) if wrong else ''}".strip()}
        _, wrong, note = run(*fresh("sqlite-planted"), 12, planted=True)
        yield {"claim": "A worker that notes a job as done before doing it is found", "tries": 12,
               "unexpected": int(not wrong), "note": f"control: {dict(wrong)}"}
