"""The job that lives past cases again under a version of their procedure."""

from jobs.workshop import Bench, CannotBeDone, Done
from store.jobs import Job
from store.replays import Replays
from workflow.procedure import DefinitionError
from workflow.vocabulary import Refusal


def replay_cases(bench: Bench, job: Job) -> Done:
    """Go on with a replay, batch by batch; a worker that takes over goes on where the other one was."""
    replays = Replays(bench.workshop.database, bench.workshop.cases.laws)
    try:
        while replays.advance(job.payload["replay"]):
            pass
    except (Refusal, DefinitionError) as error:
        raise CannotBeDone(str(error)) from error
    return Done()
