"""Cases of one application tell each other, each exactly once, and none of them holds the others hostage."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from store.cases import CaseStore
from tests.store.factories import LEADER, SYSTEM, MovableClock, flaws
from tests.store.joint import LICENCES, Joint, department_leader
from workflow.vocabulary import Message, Refusal

Begin = Callable[..., Joint]


# -- nobody is held hostage ---------------------------------------------------------------------------------------


def test_a_silent_department_holds_nobody_up(joint_case: Begin, cases: CaseStore, clock: MovableClock) -> None:
    one = joint_case().accept().review()
    for name in LICENCES[:2]:
        one.decide(name)
    assert one.state == "awaiting_results"
    [limit] = [c for c in one.file.case.clocks if c.name == "joint"]
    assert limit.due_on is not None
    clock.move_to(limit.due_on + timedelta(days=1))
    cases.lapse()
    one.tell()
    assert one.file.case.fact("separated") and "construction_testing" in one.file.case.fact("separated")
    assert one.state == "ready_to_deliver"
    one.take("deliver_together")
    one.tell()
    slow = one.child("construction_testing")
    assert slow.file.case.fact("alone") is True and slow.state == "awaiting_decision"
    assert one.state == "closed"
    one.decide("construction_testing")
    assert slow.state == "printed"
    assert slow.take("deliver").state == "closed"


def test_a_licence_that_goes_its_own_way_is_not_delivered_with_the_others(joint_case: Begin) -> None:
    one = joint_case().accept().review()
    one.separate("construction_testing")
    for name in LICENCES[:2]:
        one.decide(name)
    assert one.state == "ready_to_deliver"
    slow = one.decide("construction_testing")
    one.take("deliver_together")
    one.tell()
    assert one.states() == {"joint_cma": "closed", "agricultural_testing": "closed", "construction_testing": "printed"}
    assert slow.take("deliver").state == "closed"


def test_a_retracted_application_takes_its_licences_along(joint_case: Begin) -> None:
    one = joint_case().accept()
    one.take("retract")
    one.tell()
    assert one.states() == dict.fromkeys(LICENCES, "retracted")


# -- telling, exactly once ----------------------------------------------------------------------------------------


def test_a_worker_killed_between_two_cases_leaves_the_rest_to_the_next(joint_case: Begin, cases: CaseStore) -> None:
    one = joint_case().accept()
    one.take("retract")
    [job] = one.waiting()
    told = 0

    def killed(case_id: int, *arguments: Any, **options: Any) -> Any:
        nonlocal told
        told += 1
        if told == 2:
            raise KeyboardInterrupt
        return cases.perform_as_system(case_id, *arguments, **options)

    with pytest.raises(KeyboardInterrupt):
        one.inform(job, killed)
    assert sorted(one.states().values()) == ["awaiting_review", "awaiting_review", "retracted"]
    assert one.inform(job) == ""  # the first one gives its first answer again, nothing is passed over
    assert one.states() == dict.fromkeys(LICENCES, "retracted")
    assert [one.child(name).version for name in LICENCES] == [2, 2, 2]


def test_telling_twice_is_telling_once(joint_case: Begin) -> None:
    one = joint_case().accept().review()
    one.child("joint_cma").take("grant", by=LEADER)
    before = {name: one.child(name).version for name in LICENCES}, one.version
    for job in list(one.told):
        one.inform(job)
    assert before == ({name: one.child(name).version for name in LICENCES}, one.version)


def test_what_comes_too_late_is_passed_over_and_said(joint_case: Begin) -> None:
    one = joint_case().accept()
    gone = one.child("construction_testing")
    gone.take("retract")
    one.take("retract")
    [job] = [job for job in one.waiting() if job.payload["to"] == "children"]
    assert one.inform(job) == f"passed over: {gone.public_id}"
    assert one.states() == dict.fromkeys(LICENCES, "retracted")


def test_what_the_house_around_a_case_refuses_is_tried_again(joint_case: Begin, cases: CaseStore) -> None:
    one = joint_case().accept()
    one.take("retract")
    [job] = one.waiting()

    def clock_behind(case_id: int, *arguments: Any, **options: Any) -> Any:
        if case_id == one.child("joint_cma").id:
            raise Refusal("unmet", Message("The clock of the server is behind"))
        return cases.perform_as_system(case_id, *arguments, **options)

    with pytest.raises(Refusal):
        one.inform(job, clock_behind)
    assert one.states()["agricultural_testing"] == "retracted"  # the others did not wait for it
    one.inform(job)
    assert one.states() == dict.fromkeys(LICENCES, "retracted")


def test_two_licences_that_report_at_the_same_instant_join_exactly_once(joint_case: Begin) -> None:
    for _ in range(4):
        one = joint_case(("joint_cma", "agricultural_testing")).accept().review()
        for name, by in (("joint_cma", LEADER), ("agricultural_testing", department_leader("agriculture"))):
            child = one.child(name)
            child.take("grant", by=by)
            child.take("record_rendering", by=SYSTEM)
            child.take("print_certificate")
        jobs, barrier = one.waiting(), threading.Barrier(2)
        assert len(jobs) == 2

        def report(job: Any, barrier: threading.Barrier = barrier, one: Joint = one) -> None:
            barrier.wait(30)
            one.inform(job)

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(report, job) for job in jobs]:
                done.result()
        assert one.state == "ready_to_deliver" and len(one.file.case.fact("results")) == 2
        names = [entry.action for entry in one.cases.timeline(one.public_id, SYSTEM)]
        assert names.count("results_come_together") == 1 and names.count("note_result") == 2
        one.tell()
        assert flaws(one) == []
