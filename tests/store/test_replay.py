"""A request has one effect however often it comes, and a stale one has none."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from store import cases as store_cases
from store.cases import CaseStore
from store.database import Database
from store.values import Performed
from tests.store.factories import (
    LEADER,
    WINDOW_OFFICER,
    CaseHand,
    MovableClock,
    department_officer,
    everything,
    flaws,
)
from workflow.commands import AskAgain, Plain, RecordSignOff
from workflow.vocabulary import SYSTEM, Refusal, Verdict

Factory = Callable[..., CaseHand]


def answer_of(performed: Performed) -> tuple[str, int, str]:
    return performed.public_id, performed.version, performed.state


def repeat(hand: CaseHand, request: dict[str, Any]) -> Performed:
    if request["actor"] is SYSTEM:
        return hand.cases.perform_as_system(
            hand.id, request["name"], request["command"], command_id=request["command_id"]
        )
    return hand.cases.perform(hand.public_id, **request)


def test_the_same_request_twice_has_one_effect_and_one_answer(cma_case: Factory, database: Database) -> None:
    hand = cma_case("submitted")
    first = hand.take("accept")
    before = everything(database)
    again = repeat(hand, hand.taken[-1])
    assert (first.replayed, again.replayed) == (False, True)
    assert answer_of(again) == answer_of(first)
    assert everything(database) == before


def test_a_repeat_gets_the_first_answer_even_when_the_case_has_moved_on(cma_case: Factory, clock: MovableClock) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology",))
    joined = hand.take("sign_off")
    assert joined.state == "awaiting_decision"  # the answer and the join it brought about
    request = hand.taken[-1]
    clock.move(minutes=1)
    hand.take("grant")
    assert answer_of(repeat(hand, request)) == answer_of(joined)
    assert hand.state == "granted"


def test_a_repeat_with_a_newer_version_is_still_a_repeat(cma_case: Factory, database: Database) -> None:
    hand = cma_case("under_review")
    first = hand.take("confirm_rows")
    before = everything(database)
    again = repeat(hand, {**hand.taken[-1], "expected_version": hand.version})
    assert again.replayed and answer_of(again) == answer_of(first)
    assert everything(database) == before


@pytest.mark.parametrize(
    "change",
    [lambda other: {"hand": other}, lambda other: {"name": "retract", "actor": None}, lambda other: {"actor": LEADER}],
    ids=["another case", "another action", "another account"],
)  # fmt: skip
@pytest.mark.parametrize("fresh", [True, False], ids=["current version", "old version"])
def test_a_command_id_serves_one_request_only(
    cma_case: Factory, database: Database, change: Callable[[CaseHand], dict[str, Any]], fresh: bool
) -> None:
    hand, other = cma_case("submitted"), cma_case("submitted")
    hand.take("refuse_to_accept") if not fresh else hand.take("accept")
    changed = change(other)
    target = changed.pop("hand", hand)
    if "actor" in changed and changed["actor"] is None:
        changed["actor"] = hand.applicant
        changed["command"] = Plain()
    request = {**hand.taken[-1], "expected_version": target.version if fresh else 1, **changed}
    before = everything(database)
    with pytest.raises(Refusal) as caught:
        target.cases.perform(target.public_id, **request)
    assert caught.value.code in ("malformed", "forbidden", "unavailable")
    if not fresh:
        assert caught.value.code == "malformed"
    assert everything(database) == before


@pytest.mark.parametrize("command_id", ["", "x" * 41])
def test_a_request_without_a_usable_id_is_refused(cma_case: Factory, command_id: str) -> None:
    hand = cma_case("submitted")
    with pytest.raises(Refusal) as caught:
        hand.cases.perform(
            hand.public_id, "accept", WINDOW_OFFICER, Plain(), command_id=command_id, expected_version=hand.version
        )
    assert caught.value.code == "malformed"


def test_two_posts_at_once_have_one_effect_and_one_answer(cma_case: Factory, database: Database) -> None:
    for _ in range(10):
        hand = cma_case("submitted")
        version, command_id = hand.version, f"double-{hand.id}"
        barrier = threading.Barrier(2)

        def post(hand: CaseHand = hand, version: int = version, command_id: str = command_id,
                 barrier: threading.Barrier = barrier) -> Performed:  # fmt: skip
            barrier.wait()
            return hand.cases.perform(
                hand.public_id, "accept", WINDOW_OFFICER, Plain(), command_id=command_id, expected_version=version
            )

        with ThreadPoolExecutor(2) as pool:
            answers = [f.result() for f in [pool.submit(post), pool.submit(post)]]
        assert answer_of(answers[0]) == answer_of(answers[1])
        assert sorted(a.replayed for a in answers) == [False, True]
        assert hand.version == version + 1
        assert flaws(hand) == []


def test_a_store_that_forgets_commands_is_noticed(cma_case: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: without the look-up a repeat is no longer answered."""
    monkeypatch.setattr(store_cases, "replay", lambda *_: None)
    hand = cma_case("submitted")
    hand.take("accept")
    with pytest.raises(Refusal) as caught:
        repeat(hand, hand.taken[-1])
    assert caught.value.code == "stale"


def test_a_stale_request_is_told_who_did_what_and_when(
    cma_case: Factory, database: Database, clock: MovableClock
) -> None:
    hand = cma_case("submitted")
    seen = hand.version
    clock.move(minutes=5)
    hand.take("request_correction")
    before = everything(database)
    with pytest.raises(Refusal) as caught:
        hand.take("accept", by=WINDOW_OFFICER, version=seen)
    reason = caught.value.reason
    assert caught.value.code == "stale"
    assert reason.values["who"] == "window-officer"
    assert reason.values["what"].zh == "一次性告知补正"
    assert reason.values["when"] == clock.now()
    assert everything(database) == before


@pytest.mark.parametrize("version", [0, -1, 99, 2**40])
def test_any_version_but_the_present_one_is_stale(cma_case: Factory, version: int) -> None:
    hand = cma_case("submitted")
    with pytest.raises(Refusal) as caught:
        hand.take("accept", version=version)
    assert caught.value.code == "stale"


def test_two_people_with_one_version_do_not_both_win(cma_case: Factory) -> None:
    """Accept and retract at the same instant: one is done, the other is told."""
    outcomes: list[str] = []
    for _ in range(10):
        hand = cma_case("submitted")
        version, barrier = hand.version, threading.Barrier(2)

        def act(name: str, hand: CaseHand = hand, version: int = version, barrier: threading.Barrier = barrier) -> str:
            actor = hand.applicant if name == "retract" else WINDOW_OFFICER
            barrier.wait()
            try:
                return hand.cases.perform(
                    hand.public_id, name, actor, Plain(), command_id=f"{name}-{hand.id}", expected_version=version
                ).state
            except Refusal as refusal:
                return refusal.code

        with ThreadPoolExecutor(2) as pool:
            found = {f.result() for f in [pool.submit(act, "accept"), pool.submit(act, "retract")]}
        assert found in ({"accepted", "stale"}, {"retracted", "stale"})
        assert flaws(hand) == []
        outcomes += found
    assert outcomes


@pytest.mark.parametrize("state, track", [("closed", "general"), ("refused", "general"), ("closed", "commitment")])
def test_replaying_a_finished_case_changes_nothing(
    cma_case: Factory, database: Database, state: str, track: str
) -> None:
    hand = cma_case(state, track=track)
    before = everything(database)
    for request in hand.taken:
        assert repeat(hand, request).replayed
        for version in (hand.version, 1):  # a captured request under a new id
            with pytest.raises(Refusal):
                repeat(hand, {**request, "command_id": f"new-{version}", "expected_version": version}
                       if request["actor"] is not SYSTEM else {**request, "command_id": f"new-{version}"})  # fmt: skip
    assert everything(database) == before


def test_an_answer_captured_in_one_round_does_not_count_in_the_next(cma_case: Factory) -> None:
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
    hand.walk(["ask"])
    captured = [r for r in hand.taken if r["name"] == "sign_off"]
    hand.take("ask_departments_again", AskAgain(departments=("ecology", "transport"), grounds="补充材料"))
    for request in captured:
        assert repeat(hand, request).replayed
        with pytest.raises(Refusal) as caught:
            repeat(hand, {**request, "command_id": "captured"})
        assert caught.value.code == "stale"
    assert hand.file.case.answered() == frozenset()


def test_the_system_does_a_thing_once_for_each_command_id(cma_case: Factory, cases: CaseStore) -> None:
    hand = cma_case("granted")
    first = cases.perform_as_system(hand.id, "record_rendering", Plain(), command_id="job-1")
    again = cases.perform_as_system(hand.id, "record_rendering", Plain(), command_id="job-1")
    assert (first.replayed, again.replayed) == (False, True)
    assert answer_of(first) == answer_of(again)


def test_a_department_answers_once_per_round_even_when_two_colleagues_press_together(cma_case: Factory) -> None:
    for _ in range(5):
        hand = cma_case("awaiting_sign_off", departments=("ecology", "transport"))
        barrier = threading.Barrier(2)

        def answer(name: str, hand: CaseHand = hand, barrier: threading.Barrier = barrier) -> str:
            barrier.wait()
            try:
                return hand.cases.perform(
                    hand.public_id, "sign_off", department_officer("ecology", name), RecordSignOff(),
                    command_id=f"{name}-{hand.id}", expected_version=None,
                ).state  # fmt: skip
            except Refusal as refusal:
                return refusal.code

        with ThreadPoolExecutor(2) as pool:
            found = sorted(f.result() for f in [pool.submit(answer, "first"), pool.submit(answer, "second")])
        assert found == ["awaiting_sign_off", "unmet"]
        assert flaws(hand) == []


def test_departments_that_looked_at_the_same_page_all_answer(cma_case: Factory) -> None:
    """An answer of another department does not make mine stale; anything else that happened does."""
    hand = cma_case("awaiting_sign_off", departments=("ecology", "transport", "construction"))
    agreed, seen, last = RecordSignOff(verdict=Verdict.AGREE), hand.version, department_officer("construction")
    for department in ("ecology", "transport"):
        hand.take("sign_off", agreed, by=department_officer(department), version=seen)
    with pytest.raises(Refusal) as caught:
        hand.take("sign_off", agreed, by=last, version=seen - 1)
    assert caught.value.code == "stale"
    hand.take("sign_off", agreed, by=last, version=seen)
    assert hand.file.case.state == "awaiting_decision"
