"""Whatever is asked, by whomever and in whatever order, a case stays whole. The long form is proof/engine.py."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from proof.engine import wander
from store import pen
from tests.store.factories import CaseHand, MovableClock
from workflow import engine

Factory = Callable[..., CaseHand]
STARTS = ("draft", "submitted", "under_review", "awaiting_sign_off", "awaiting_decision")


def wandered(cma_case: Factory, verification_case: Factory, clock: MovableClock, sequences: int) -> list[str]:
    chance, seen, wrong = random.Random(sequences), Counter[str](), list[str]()
    for number in range(sequences):
        hand = verification_case() if number % 3 == 2 else cma_case(chance.choice(STARTS))
        wrong += wander(hand, chance, clock, seen)
    assert seen["done"] > sequences, "the requests were mostly refused, so little was tried"
    return wrong


@pytest.mark.slow
def test_random_requests_leave_every_case_whole(
    cma_case: Factory, verification_case: Factory, clock: MovableClock, record_property: Callable[[str, object], None]
) -> None:
    record_property("tries", 25)
    assert wandered(cma_case, verification_case, clock, 25) == []


@pytest.mark.parametrize("fault", ["tasks", "separation of duties", "version"])
def test_random_requests_find_a_planted_fault(
    cma_case: Factory, verification_case: Factory, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "tasks":
        monkeypatch.setattr(pen, "_open_tasks", lambda *_: None)
    elif fault == "separation of duties":
        monkeypatch.setattr(engine, "conflict", lambda *_: None)
    else:
        monkeypatch.setattr(pen, "_audit_rows", _forgetful(pen._audit_rows))
    assert wandered(cma_case, verification_case, clock, 16)


def _forgetful(real: Callable[..., tuple[int, str, list[dict[str, object]]]]) -> Callable[..., object]:
    """An audit that keeps the first entry of a step and forgets what followed by itself."""

    def rows(*arguments: object) -> object:
        seq, _, found = real(*arguments)
        return seq - len(found) + 1, found[0]["hash"], found[:1]

    return rows
