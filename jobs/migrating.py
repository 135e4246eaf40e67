"""The job that looks at, and then carries over, the open cases of a procedure version."""

from jobs.workshop import Bench, CannotBeDone, Done
from store.case_migrations import CaseMigrations
from store.jobs import Job
from workflow.vocabulary import Refusal


def migrate_cases(bench: Bench, job: Job) -> Done:
    """Go on with a migration, batch by batch; a worker that takes over goes on where the other one was."""
    migrations = CaseMigrations(bench.workshop.database, bench.workshop.cases.laws)
    try:
        while migrations.advance(job.payload["migration"]):
            pass
    except Refusal as refusal:
        raise CannotBeDone(str(refusal.reason)) from refusal
    return Done()
