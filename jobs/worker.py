"""The worker: claims jobs, does them, and lives through whatever they do to it.

A worker holds a lease on its job and renews it while it works. Killed with -9 it loses nothing: the lease ends
and another worker takes the job over. Told to stop, it finishes the job in hand.
"""

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from jobs.documents import render_document
from jobs.duties import DUTIES
from jobs.informing import inform
from jobs.migrating import migrate_cases
from jobs.notices import notify
from jobs.printing import merge_certificates
from jobs.proving import prove_procedure
from jobs.reading import read_upload
from jobs.rendering import render_certificate
from jobs.replaying import replay_cases
from jobs.workshop import Bench, CannotBeDone, Opened, Work, Workshop
from store.jobs import Job

LEASE = timedelta(seconds=60)  # unless the setting `lease_seconds` says otherwise
RENEW_AFTER = 15.0  # seconds; four chances to renew before a lease ends
IDLE = 0.5  # seconds between two looks at an empty queue
TROUBLE = (1.0, 30.0)  # seconds of rest after the database did not answer: first and longest
WARM = 60.0  # seconds that an idle worker keeps its renderer

WORK: dict[str, Work] = {
    "render_certificate": render_certificate,
    "render_document": render_document,
    "notify": notify,
    "inform": inform,
    "merge_certificates": merge_certificates,
    "read_upload": read_upload,
    "migrate_cases": migrate_cases,
    "prove_procedure": prove_procedure,
    "replay_cases": replay_cases,
}

log = logging.getLogger("wujian.jobs")


class Worker:
    """One line of work: one job at a time, in the thread that calls `run`. `name` is unique to this worker.

    `kinds` are the jobs it takes (default: all); an installation may keep a worker for certificates alone.
    """

    def __init__(
        self, workshop: Workshop, name: str = "", lease: timedelta = LEASE, kinds: Iterable[str] = WORK
    ) -> None:
        place = name or socket.gethostname()
        self.name = f"{place}:{os.getpid()}:{secrets.token_hex(3)}"[:80]
        self.bench = Bench(workshop)
        self.queue = workshop.queue
        self.lease = lease
        self.kinds = tuple(kinds)
        self._stop = threading.Event()
        self._held: Job | None = None
        self._alive_at = 0.0

    def stop(self) -> None:
        """Finish the job in hand and then leave `run`. May be called from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Work until told to stop."""
        self.started_at = self.bench.workshop.database.clock.now()
        pulse = threading.Thread(target=self._beat, name=f"pulse {self.name}", daemon=True)
        pulse.start()
        trouble, idle_since = TROUBLE[0], time.monotonic()
        while not self._stop.is_set():
            try:
                worked = self.turn()
                trouble = TROUBLE[0]
            except Exception:
                log.exception("worker %s: the queue did not answer; again in %.0f s", self.name, trouble)
                self._stop.wait(trouble)
                trouble = min(trouble * 2, TROUBLE[1])
                continue
            if worked:
                idle_since = time.monotonic()
                continue
            if time.monotonic() - idle_since > WARM:
                self.bench.renderer.close()
            self._stop.wait(IDLE)
        self.bench.renderer.close()
        pulse.join(timeout=5)
        try:
            self.queue.leave(self.name)
        except Exception:
            log.warning("worker %s could not sign off", self.name)

    def turn(self) -> bool:
        """Do the duties that are due and one job; whether there was a job."""
        self._duties()
        for job in self.queue.claim(self.name, self.kinds, self.lease):
            self._held = job
            try:
                self._do(job)
            finally:
                self._held = None
            return True
        return False

    def drain(self, limit: int = 100_000) -> int:
        """Do every job that is due now, then return how many there were; for one-off runs and rehearsals."""
        done = 0
        try:
            while done < limit and not self._stop.is_set() and self.turn():
                done += 1
        finally:
            self.bench.renderer.close()
        return done

    def _do(self, job: Job) -> None:
        started = time.monotonic()
        try:
            done = WORK[job.kind](self.bench, job)
        except CannotBeDone as error:
            log.warning("job %s (%s) cannot be done: %s", job.id, job.kind, error)
            self.queue.fail(job, self.name, str(error), for_good=True)
        except BaseException as error:  # whatever a job does, the worker goes on
            log.exception("job %s (%s), attempt %d, failed", job.id, job.kind, job.attempt)
            self.queue.fail(job, self.name, f"{type(error).__name__}: {error}")
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                self.stop()
        else:
            if self.queue.finish(job, self.name, done.note or None, done.result):
                log.info("job %s (%s) done in %.2f s", job.id, job.kind, time.monotonic() - started)
            else:
                log.warning("job %s (%s) was taken over before it was finished", job.id, job.kind)

    def _duties(self) -> None:
        for duty in DUTIES:
            if self.queue.take_duty(duty.name, duty.every):
                try:
                    duty.do(self.bench.workshop)
                except Exception:
                    log.exception("duty %s failed; it comes again", duty.name)

    def _beat(self) -> None:
        """Sign of life and renewal of the lease, beside the work."""
        while True:
            try:
                self.queue.sign_of_life(self.name, self.started_at)
                if (held := self._held) is not None:
                    self.queue.extend([held.id], self.name, self.lease)
            except Exception:
                log.warning("worker %s could not renew its lease", self.name, exc_info=True)
            if self._stop.wait(min(RENEW_AFTER, self.lease.total_seconds() / 4)):
                if self._held is None:
                    return
                time.sleep(1)  # told to stop with a job in hand: keep its lease until it is finished


def start(opened: Opened, slots: int | None = None) -> Callable[[], None]:
    """Work in threads of this process (the embedded form) and return what stops them."""
    workshop = Workshop.of(opened)
    lease = timedelta(seconds=workshop.settings.lease_seconds)
    workers = [Worker(workshop, "embedded", lease) for _ in range(slots or workshop.settings.worker_slots)]
    threads = [threading.Thread(target=w.run, name=w.name, daemon=True) for w in workers]
    for thread in threads:
        thread.start()

    def stop() -> None:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(timeout=25)

    return stop


def run(opened: Opened, name: str = "", *, once: bool = False) -> int:
    """The worker process: until SIGTERM or Ctrl-C, or, with `once`, until the queue is empty.

    Returns how many jobs were done by a `once` run, else 0.
    """
    workshop = Workshop.of(opened)
    if once:
        return Worker(workshop, name).drain()
    lease = timedelta(seconds=workshop.settings.lease_seconds)
    workers = [
        Worker(workshop, f"{name}/{n}" if name else "", lease) for n in range(workshop.settings.worker_slots)
    ]

    def leave(*_: object) -> None:
        for worker in workers:
            worker.stop()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    others = [threading.Thread(target=w.run, name=w.name) for w in workers[1:]]
    for thread in others:
        thread.start()
    workers[0].run()
    for thread in others:
        thread.join()
    return 0


def work_off(opened: Opened) -> list[str]:
    """Do every job that is due now, in this thread; returns the reasons of those that failed for good."""
    one = Worker(Workshop.of(opened), "work-off")
    one.drain()
    return [line.error or line.kind for line in one.queue.list_("failed").lines]
