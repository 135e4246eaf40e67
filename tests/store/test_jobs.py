"""A job is claimed by one worker at a time, tried again with growing pauses, and never lost or done unseen."""

import threading
from collections import Counter
from datetime import timedelta

import pytest

from store.jobs import ATTEMPTS, JobQueue
from store.records.audit import AuditRecord
from tests.store.factories import ADMINISTRATOR, count
from workflow.vocabulary import Refusal

LEASE = timedelta(seconds=60)
KIND = ("press",)


@pytest.fixture
def queue(database):
    return JobQueue(database)


def claim_one(queue, worker="w", lease=LEASE):
    [job] = queue.claim(worker, KIND, lease)
    return job


def test_a_claimed_job_is_nobody_elses_until_its_lease_ends(queue, clock):
    queue.add("press", {"n": 1})
    job = claim_one(queue, "first")
    assert queue.claim("second", KIND, LEASE) == ()
    clock.move(seconds=59)
    assert queue.claim("second", KIND, LEASE) == ()
    clock.move(seconds=2)
    assert claim_one(queue, "second").id == job.id


def test_a_lease_that_is_renewed_does_not_end(queue, clock):
    queue.add("press", {})
    job = claim_one(queue, "first")
    for _ in range(3):
        clock.move(seconds=50)
        assert queue.extend([job.id], "first", LEASE) == 1
    assert queue.claim("second", KIND, LEASE) == ()


def test_a_worker_whose_job_was_taken_over_can_neither_finish_nor_fail_it(queue, clock):
    queue.add("press", {})
    late = claim_one(queue, "first")
    clock.move(seconds=61)
    taken = claim_one(queue, "second")
    assert not queue.finish(late, "first") and not queue.fail(late, "first", "too late")
    assert queue.extend([late.id], "first", LEASE) == 0
    assert queue.finish(taken, "second")
    assert queue.counts().waiting == 0


def test_pauses_grow_and_the_fifth_failure_is_the_last(queue, clock):
    queue.add("press", {})
    pauses = []
    for attempt in range(1, ATTEMPTS + 1):
        job = claim_one(queue)
        assert job.attempt == attempt
        queue.fail(job, "w", f"attempt {attempt}")
        pauses.append((queue.find(job.id).available_at - clock.now()).total_seconds())
        clock.move(seconds=pauses[-1] - 1)
        assert queue.claim("early", KIND, LEASE) == ()
        clock.move(seconds=1)
    assert pauses == [5, 20, 80, 320, 0]
    [failed] = queue.list_("failed").lines
    assert failed.error == "attempt 5" and queue.counts().failed == 1
    clock.move(days=1)
    assert queue.claim("w", KIND, LEASE) == ()


def test_a_job_that_kills_its_workers_is_set_aside_after_five_of_them(queue, clock):
    queue.add("press", {})
    for _ in range(ATTEMPTS):
        assert len(queue.claim("doomed", KIND, LEASE)) == 1
        clock.move(seconds=61)
    assert queue.claim("doomed", KIND, LEASE) == ()
    [failed] = queue.list_("failed").lines
    assert failed.attempts == ATTEMPTS and failed.error


def test_a_retry_is_audited_and_starts_with_all_attempts(queue, database):
    queue.add("press", {})
    queue.fail(claim_one(queue), "w", "no paper", for_good=True)
    [failed] = queue.list_("failed").lines
    queue.retry(failed.id, ADMINISTRATOR)
    assert claim_one(queue).attempt == 1
    assert count(database, AuditRecord, AuditRecord.action == "retry_job") == 1
    with pytest.raises(Refusal):
        queue.retry(failed.id, ADMINISTRATOR)


def test_a_named_job_is_left_once(queue):
    for _ in range(3):
        assert queue.add("press", {"n": 1}, job_id="the-same") == "the-same"
    assert len(queue.claim("w", KIND, LEASE, limit=10)) == 1


def test_only_the_wanted_kinds_are_claimed_and_the_oldest_first(queue, clock):
    for n in range(3):
        queue.add("press", {"n": n})
        queue.add("other", {})
        clock.move(seconds=1)
    assert [job.payload["n"] for job in queue.claim("w", KIND, LEASE, limit=9)] == [0, 1, 2]


def test_a_result_is_kept_for_whoever_waits(queue):
    job_id = queue.add("press", {"n": 1})
    queue.finish(claim_one(queue), "w", "went well", {"sha256": "ab"})
    line = queue.find(job_id)
    assert (line.status, line.error, line.payload) == ("done", "went well", {"n": 1, "result": {"sha256": "ab"}})


def test_counts_tell_waiting_from_running_and_failed(queue, clock):
    since = clock.now()
    for _ in range(3):
        queue.add("press", {})
    claim_one(queue)
    queue.fail(claim_one(queue), "w", "x", for_good=True)
    counts = queue.counts()
    assert (counts.waiting, counts.running, counts.failed, counts.oldest_waiting_at) == (1, 1, 1, since)


def test_lists_are_paged_without_losing_a_job(queue, clock):
    for n in range(25):
        queue.add("press", {"n": n})
        clock.move(seconds=n % 3)
    seen, after = [], None
    while True:
        page = queue.list_("waiting", after, limit=10)
        seen += [job.payload["n"] for job in page.lines]
        if (after := page.after) is None:
            break
    assert sorted(seen) == list(range(25))


def test_four_workers_do_two_hundred_jobs_each_exactly_once(queue, database):
    for n in range(200):
        queue.add("press", {"n": n})
    done, lock, start = Counter(), threading.Lock(), threading.Barrier(4)

    def work(name):
        start.wait()
        while jobs := queue.claim(name, KIND, LEASE):
            for job in jobs:
                with lock:
                    done[job.payload["n"]] += 1
                assert queue.finish(job, name)

    threads = [threading.Thread(target=work, args=(f"worker-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A claim that found every free row locked by others ends a thread early; what is left is then still waiting.
    work_left = queue.claim("last", KIND, LEASE, limit=200)
    assert not [n for n, times in done.items() if times != 1]
    assert len(done) + len(work_left) == 200
    assert queue.counts().failed == 0


def test_a_duty_falls_to_one_worker_per_interval(queue, clock):
    every, start, taken = timedelta(seconds=60), threading.Barrier(6), []

    def ask(name):
        start.wait()
        if queue.take_duty("sweep", every):
            taken.append(name)

    for round_ in range(3):
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(taken) == round_ + 1
        clock.move(seconds=60)


def test_a_worker_is_seen_until_it_leaves_or_is_silent_for_long(queue, clock):
    queue.sign_of_life("a", clock.now())
    queue.sign_of_life("b", clock.now())
    queue.take_duty("sweep", timedelta(seconds=60))
    assert {w.name for w in queue.workers()} == {"a", "b"}
    queue.leave("a")
    assert {w.name for w in queue.workers()} == {"b"}
    clock.move(minutes=3)
    assert queue.workers() == ()
    clock.move(days=2)
    assert queue.forget_workers() == 1
