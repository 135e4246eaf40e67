"""A worker lives through its jobs, stops in good order, and when it is killed another takes over: nothing doubled."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

import jobs.worker
from jobs.worker import Worker
from jobs.workshop import CannotBeDone, Done
from store.records.audit import AuditRecord
from store.records.certificates import CertificateVersionRecord
from store.records.jobs import WorkerRecord
from tests.store.factories import count

ROOT = Path(__file__).parents[2]
LEASE = timedelta(seconds=60)
RENDERER = ("render_certificate",)

# An installation opened in a process of its own; what the process does with it follows.
HOUSE = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from types import SimpleNamespace
import configuration
import jobs.worker
from jobs.workshop import Done, Workshop
from pdf.contained import ContainedRenderer
from store.cases import CaseStore
from store.database import Database
from store.files import FileStore
from store.law import LawBook
from store.sessions import SessionStore
from store.throttles import ThrottleStore
from tests.store.factories import MovableClock

url, var = sys.argv[1:]
database = Database(url, MovableClock())
house = SimpleNamespace(
    settings=configuration.load(var=var, public_origin="https://cma.bureau.example", secret_key="x" * 40),
    database=database, cases=CaseStore(database, LawBook(database)), files=FileStore(var + "/files"),
    sessions=SessionStore(database), throttles=ThrottleStore(database))
"""

# It stops, wholly alive, in the middle of rendering: after the child was started, before it answered.
VICTIM = HOUSE + """
def hang(self, child, question):
    print("rendering", child.pid, flush=True)
    time.sleep(600)
ContainedRenderer._exchange = hang
jobs.worker.Worker(Workshop.of(house), "victim", kinds=("render_certificate",)).run()
"""

PATIENT = HOUSE + """
def wait(bench, job):
    print("begun", flush=True)
    while not Path(var, "go-on").exists():
        time.sleep(0.02)
    return Done("finished")
jobs.worker.WORK.clear()
jobs.worker.WORK["press"] = wait
jobs.worker.run(house)
"""


@pytest.fixture
def work(monkeypatch):
    """`work(kind, what)` teaches workers one more kind of job for this test."""

    def teach(kind, what):
        monkeypatch.setitem(jobs.worker.WORK, kind, what)
        return kind

    return teach


@pytest.fixture
def single(workshop, work):
    """`single(what)`: a queue with one job that does `what`, and a worker for it alone."""

    def make(what, payload=None):
        work("press", what)
        return workshop.queue.add("press", payload or {}), Worker(workshop, "test", LEASE, kinds=("press",))

    return make


def test_whatever_a_job_raises_the_worker_goes_on(single, workshop, work):
    raised = [ValueError("no"), KeyError("x"), MemoryError(), RecursionError("deep"), CannotBeDone("never")]

    def explode(bench, job):
        raise raised[job.payload["n"]]

    work("press", explode)
    for n in range(len(raised)):
        workshop.queue.add("press", {"n": n})
    worker = Worker(workshop, "test", kinds=("press",))
    assert worker.drain() == len(raised)
    counts = workshop.queue.counts()
    assert (counts.waiting, counts.failed) == (4, 1)


def test_an_unexpected_error_is_kept_for_the_administrator(single, workshop):
    def explode(bench, job):
        raise ValueError("the 7th form has no number")

    job_id, worker = single(explode)
    worker.drain()
    assert workshop.queue.find(job_id).error == "ValueError: the 7th form has no number"


def test_the_lease_of_a_long_job_is_renewed_while_it_lasts(workshop, work, clock, monkeypatch):
    """The clock runs past three leases in all; the pulse renews beside the work, so nobody takes the job over."""
    monkeypatch.setattr(jobs.worker, "RENEW_AFTER", 0.01)
    renewed = threading.Event()
    extend = workshop.queue.extend

    def seen(*arguments):
        done = extend(*arguments)
        renewed.set()
        return done

    monkeypatch.setattr(type(workshop.queue), "extend", lambda _self, *arguments: seen(*arguments))
    stolen = []

    def long(bench, job):
        for _ in range(6):
            clock.move(seconds=30)
            renewed.clear()
            assert renewed.wait(20)
            stolen.extend(workshop.queue.claim("thief", ("press",), LEASE))
        worker.stop()
        return Done()

    work("press", long)
    job_id = workshop.queue.add("press", {})
    worker = Worker(workshop, "test", LEASE, kinds=("press",))
    worker.run()
    assert stolen == [] and workshop.queue.find(job_id).status == "done"


def test_a_worker_told_to_stop_finishes_the_job_in_hand_and_signs_off(workshop, work, database):
    begun, go_on = threading.Event(), threading.Event()

    def patient(bench, job):
        begun.set()
        assert go_on.wait(20)
        return Done("finished")

    work("press", patient)
    first, second = (workshop.queue.add("press", {"n": n}) for n in range(2))
    worker = Worker(workshop, "test", kinds=("press",))
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert begun.wait(20)
    worker.stop()
    go_on.set()
    thread.join()
    statuses = sorted(workshop.queue.find(job_id).status for job_id in (first, second))
    assert statuses == ["done", "waiting"]
    assert count(database, WorkerRecord, WorkerRecord.name == worker.name) == 0


def test_sigterm_lets_a_worker_process_finish_the_job_in_hand(workshop, database, tmp_path):
    job_id, next_id = (workshop.queue.add("press", {}) for _ in range(2))
    process = _start(PATIENT, database, tmp_path)
    try:
        assert process.stdout.readline() == "begun\n", process.stderr.read()
        process.send_signal(signal.SIGTERM)
        (tmp_path / "go-on").touch()
        assert process.wait(30) == 0
    finally:
        _end(process)
    states = {workshop.queue.find(one).status for one in (job_id, next_id)}
    assert states == {"done", "waiting"}
    assert count(database, WorkerRecord, WorkerRecord.name.like("%:%:%")) == 0


def test_a_worker_killed_in_mid_render_loses_and_doubles_nothing(cma_case, workshop, database, clock, tmp_path):
    hand = cma_case("granted")
    process = _start(VICTIM, database, tmp_path)
    try:
        line = process.stdout.readline().split()
        assert line[:1] == ["rendering"], process.stderr.read()
        process.kill()
        assert process.wait(30) == -signal.SIGKILL
    finally:
        _end(process)
    _gone(int(line[1]))  # the renderer ends with its worker
    successor = Worker(workshop, "successor", LEASE, kinds=RENDERER)
    assert successor.drain() == 0  # the lease of the dead still holds
    clock.move(seconds=61)
    assert successor.drain() == 1
    assert hand.file.case.fact("certificate_rendered") is True
    rendered = CertificateVersionRecord.sha256.is_not(None)
    assert count(database, CertificateVersionRecord, rendered) == count(database, CertificateVersionRecord) == 1
    assert count(database, AuditRecord, AuditRecord.action == "record_rendering") == 1
    assert len(list(workshop.files.digests())) == 1
    clock.move(hours=1)
    assert successor.drain() == 0


def test_a_late_worker_that_was_only_slow_doubles_nothing(cma_case, workshop, database, clock):
    """Both render the same job, the slow one after the other has finished: same bytes, one entry."""
    hand = cma_case("granted")
    slow, quick = (Worker(workshop, name, LEASE, kinds=RENDERER) for name in ("slow", "quick"))
    [held] = workshop.queue.claim(slow.name, RENDERER, LEASE)
    clock.move(seconds=61)
    assert quick.drain() == 1
    slow._do(held)
    slow.bench.renderer.close()
    assert len(list(workshop.files.digests())) == 1
    assert count(database, AuditRecord, AuditRecord.action == "record_rendering") == 1
    assert hand.state == "granted"


def _start(program, database, tmp_path):
    return subprocess.Popen(
        [sys.executable, "-c", program, database.url, str(tmp_path)], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip


def _end(process):
    if process.poll() is None:
        process.kill()
        process.wait()
    process.stdout.close()
    process.stderr.close()


def _gone(pid, tries=200):
    for _ in range(tries):
        if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} outlived its worker")


def test_the_embedded_worker_does_jobs_beside_the_pages_and_ends_when_told(workshop, work, monkeypatch):
    came = threading.Event()

    def press(bench, job):
        came.set()
        return Done()

    monkeypatch.setattr(jobs.worker, "WORK", {"press": press})
    monkeypatch.setattr(Worker.__init__, "__defaults__", ("", LEASE, ("press",)))
    opened = SimpleNamespace(
        settings=workshop.settings, database=workshop.database, cases=workshop.cases, files=workshop.files,
        sessions=workshop.sessions, throttles=workshop.throttles)  # fmt: skip
    stop = jobs.worker.start(opened)
    job_id = workshop.queue.add("press", {})
    assert came.wait(20)
    stop()
    assert workshop.queue.find(job_id).status == "done"
    assert workshop.queue.workers() == ()
