"""One case tells another of the same application what happened, and the system takes the step that is due there.

Each case is told in a transaction of its own, under a command id made of the job and that case: a worker that takes
over after a kill, or a job that runs twice, finds what was done and does the rest. No two cases are ever locked
together, so no order of telling can lead to a deadlock.
"""

import logging

from jobs.workshop import Bench, CannotBeDone, Done
from store.jobs import Job
from store.joint_cases import JointCases
from workflow import engine
from workflow.joint_commands import Inform
from workflow.vocabulary import N_, SYSTEM, Refusal

log = logging.getLogger("wujian.jobs")


def inform(bench: Bench, job: Job) -> Done:
    """Tell every case that the job means. One for which the step is not there (it went its own way, was retracted, is
    closed, has heard it already) is passed over. Whatever else keeps a step from being taken is raised, and the job
    comes again."""
    workshop, payload = bench.workshop, job.payload
    if job.case_id is None:
        raise CannotBeDone(N_("The job names no case."))
    command = Inform(licence=payload["licence"], state=payload["state"], outcome=payload["outcome"],
                     facts=payload["facts"])  # fmt: skip
    passed, later = [], []
    for case_id, public_id in JointCases(workshop.database).told(job.case_id, payload):
        try:
            workshop.cases.perform_as_system(case_id, payload["action"], command, command_id=f"{job.id}:{case_id}")
        except Refusal as refusal:
            if _is_not_owed(bench, public_id, payload["action"], command):
                passed.append(public_id)
                log.info("case %s was not told to %s: %s", public_id, payload["action"], refusal)
            else:  # the others need not wait for this one
                later.append(refusal)
    if later:
        raise later[0]
    return Done(note=f"passed over: {', '.join(passed)}" if passed else "")


def _is_not_owed(bench: Bench, public_id: str, action: str, command: Inform) -> bool:
    """Whether the case itself refuses the step, as it stands now; else something around it did."""
    cases = bench.workshop.cases
    file, on = cases.get(public_id, SYSTEM), cases.database.clock.today()
    try:
        engine.fire(file.procedure, file.case, action, SYSTEM, command, on, cases.laws.current())
    except Refusal:
        return True
    return False
