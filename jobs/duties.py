"""What must be done from time to time: lapsed clocks, old sessions, forgotten renderings.

Any worker may do a duty; the database lets exactly one of them per interval (JobQueue.take_duty).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from jobs.workshop import Workshop
from store.limits import Limits
from store.procedure_versions import ProcedureVersions

ROUNDS = 50  # of a hundred cases each; what is left comes with the next interval


@dataclass(frozen=True, slots=True)
class Duty:
    name: str
    every: timedelta
    do: Callable[[Workshop], object]


def lapse_clocks(workshop: Workshop) -> int:
    """Take what the law says happens when a limit has passed (deemed acceptance, failed rectification)."""
    return _rounds(workshop.cases.lapse)


def sound_alarms(workshop: Workshop) -> int:
    """Remind of limits that are nearly over and escalate those that are: each once, however long nobody looked."""
    return _rounds(Limits(workshop.database, workshop.cases.laws).sound_alarms)


def recount_limits(workshop: Workshop) -> int:
    """Count open cases anew after a calendar was published or corrected."""
    return _rounds(Limits(workshop.database, workshop.cases.laws).recount)


def _rounds(sweep: Callable[[], int]) -> int:
    done = 0
    for _ in range(ROUNDS):
        if not (found := sweep()):
            break
        done += found
    return done


def clear_sessions(workshop: Workshop) -> int:
    return workshop.sessions.purge() + workshop.throttles.purge()


def ask_for_renderings(workshop: Workshop) -> int:
    """A certificate version without bytes and without a job: annexes changed by an annulment come this way."""
    cases = workshop.certificates.cases_without_rendering()
    for case_id in cases:
        workshop.queue.add("render_certificate", {}, case_id)
    return len(cases)


def begin_versions(workshop: Workshop) -> int:
    """Versions of procedures that were scheduled for today come into force."""
    return ProcedureVersions(workshop.database, workshop.cases.laws).take_effect()


def forget_workers(workshop: Workshop) -> int:
    return workshop.queue.forget_workers()


DUTIES = (
    Duty("lapse", timedelta(seconds=60), lapse_clocks),
    Duty("versions", timedelta(seconds=60), begin_versions),
    Duty("alarms", timedelta(seconds=60), sound_alarms),
    Duty("recount", timedelta(seconds=60), recount_limits),
    Duty("renderings", timedelta(seconds=60), ask_for_renderings),
    Duty("sessions", timedelta(minutes=10), clear_sessions),
    Duty("workers", timedelta(hours=1), forget_workers),
)
