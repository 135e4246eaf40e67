"""Random sequences on the real store agree with a model that shares no line with the engine.

A thousand of them here, in portions; ten thousand on each database by `./run proof engine`. What the model cannot
know (time, registers, other people's accounts) may be refused; nothing that it forbids may be done, and after every
request the case stands as the model says: state, track, round, answers, acts, tasks, suspension, facts.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from proof.sequences import Bureau, one
from store import pen
from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from tests.store.factories import MONDAY, MovableClock
from workflow import engine, rounds
from workflow.procedure import Procedure
from workflow.verbs import facts as verb_facts

PORTIONS, EACH = 20, 25  # on each database


def tried(cases: CaseStore, clock: MovableClock, seed: int, sequences: int, seen: Counter[str]) -> list[str]:
    """Where some sequences went otherwise than the model says, each with its number."""
    bureau, wrong = Bureau(cases), []
    for number in range(sequences):
        clock.at = MONDAY
        wrong += [
            f"{seed}.{number}: {w}" for w in one(bureau, random.Random(seed * 1000 + number), clock, seen)
        ]
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(PORTIONS))
def test_random_sequences_go_as_the_model_says(
    cases: CaseStore, clock: MovableClock, seed: int, record_property: Callable[[str, object], None]
) -> None:
    seen = Counter[str]()
    record_property("tries", EACH)
    assert tried(cases, clock, seed, EACH, seen) == []
    assert seen["done"] > 4 * EACH, "the requests were mostly refused, so little was tried"


def nothing(*_: Any, **__: Any) -> None:
    """Never in the way."""


def _every_answer_stands(real: Callable[..., Any]) -> Callable[..., Any]:
    def standing(procedure: Procedure, case: Any, again: tuple[str, ...] = ()) -> Any:
        kept, changed = real(procedure, case, ())
        return kept, changed

    return standing


def _tasks_stay_at_the_counter(real: Callable[..., Any]) -> Callable[..., Any]:
    def held(procedure: Procedure, declared: Any, state: str, facts: Mapping[str, Any]) -> Any:
        return {duty: duty for duty in declared}

    return held


FAULTS: Mapping[str, Callable[[pytest.MonkeyPatch], None]] = {
    "nobody is kept apart": lambda patch: patch.setattr(engine, "conflict", nothing),
    "a delegate may do everything": lambda patch: patch.setattr(engine, "not_covered", nothing),
    "a verb needs no occasion": lambda patch: patch.setattr(engine, "is_the_occasion", lambda *_: True),
    "work is never passed on": lambda patch: patch.setattr(
        "workflow.procedure._held", _tasks_stay_at_the_counter(verb_facts.of_state)),
    "who is asked again keeps the old answer": lambda patch: patch.setattr(
        rounds, "standing_answers", _every_answer_stands(rounds.standing_answers)),
    "no task is opened": lambda patch: patch.setattr(pen, "_open_tasks", lambda *_: []),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_the_model_notices_a_planted_fault(
    sqlite_seeded_url: str, clock: MovableClock, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    database = Database(sqlite_seeded_url, clock)
    cases, seen = CaseStore(database, LawBook(database)), Counter[str]()
    bureau = Bureau(cases)
    FAULTS[fault](monkeypatch)
    found: list[str] = []
    for number in range(150):
        clock.at = MONDAY
        try:
            found = one(bureau, random.Random(number), clock, seen)
        except Exception as error:  # the database or a register speaks up where the engine has fallen silent
            found = [repr(error)]
        if found:
            break
    database.close()
    assert found, f"{fault}: nothing was noticed in {sum(seen.values())} requests"
