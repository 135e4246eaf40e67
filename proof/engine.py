"""Whatever is asked of a case, by whomever and in whatever order, it stays whole."""

import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from sqlalchemy.exc import IntegrityError

from proof.races import both
from proof.sequences import STEPS as MODEL_STEPS
from proof.sequences import Bureau, one
from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from store.tokens import new_token
from tests.store.factories import (
    MONDAY,
    STAFF,
    CaseHand,
    MovableClock,
    cma_case,
    department_officer,
    flaws,
    person,
    usual_command,
    verification_case,
    with_affiliation,
)
from workflow.clocks import lapsed
from workflow.vocabulary import SYSTEM, Actor, Refusal, Role

SEQUENCES, STEPS, SEED = 500, 25, 20260302
MODELLED = 10_000  # sequences on each database, held against the reference model
PORTION = 250  # after so many a new database, since the day of a case is always the same
ENDINGS = frozenset({"retract", "refuse_to_accept", "refuse", "conclude_does_not_meet"})
DECIDING = frozenset({"grant", "refuse", "grant_on_commitment", "annul"})


def crowd(hand: CaseHand) -> list[Actor]:
    """Everybody who might press a button: the usual people, somebody of the agency inside the bureau, somebody
    with every role."""
    return [
        hand.applicant,
        *(a for a in STAFF.values() if a is not SYSTEM),
        *(department_officer(d) for d in ("ecology", "construction", "transport")),
        with_affiliation(STAFF["leader"], hand.agency_id),
        person("two-hats", *(r for r in Role if r is not Role.SYSTEM), department="ecology"),
    ]


def wander(hand: CaseHand, chance: random.Random, clock: MovableClock, seen: Counter[str]) -> list[str]:
    """Take random actions by random people; what is found wrong, in words."""
    people, codes, wrong = crowd(hand), hand.checklist(), []
    for _ in range(STEPS):
        file = hand.file
        if file.procedure.states[file.case.state].final:
            break
        clock.move(hours=chance.choice((0, 1, 30, 200)))
        if chance.random() < 0.1:
            hand.cases.lapse()
            seen["sweeps"] += 1
        if file.case.fact("corrections_open") and chance.random() < 0.5:
            hand.learn(corrections_open=0)
        likely = file.procedure.leaving(file.case.state)
        if chance.random() < 0.9:  # endings come soon enough
            likely = tuple(a for a in likely if a.name not in ENDINGS) or likely
        if chance.random() < 0.7:  # and a case goes on more often than somebody does something beside it
            moving = tuple(
                a for a in likely if a.spec.side_by_side or a.target not in (None, file.case.state)
            )
            likely = moving or likely
        action = chance.choice(likely if chance.random() < 0.9 else file.procedure.actions)
        fitting = [a for a in people if action.who(a, file.case)]
        actor = chance.choice(fitting if fitting and chance.random() < 0.7 else people)
        command = usual_command(action.name, action.command, codes)
        before = hand.file.case
        version = before.version - (chance.random() < 0.05)
        try:
            if action.name == "record_rendering":
                hand.cases.perform_as_system(hand.id, action.name, command, command_id=new_token())
            else:
                hand.cases.perform(hand.public_id, action.name, actor, command, command_id=new_token(),
                                   expected_version=version, reauthenticated=True)  # fmt: skip
        except Refusal as refusal:
            seen[refusal.code] += 1
            # Where a limit was over, the law acts before the person does, whatever the person is then told.
            overdue = lapsed(file.procedure, before.clocks, hand.cases.database.clock.today())
            newest = hand.cases.timeline(hand.public_id, SYSTEM, limit=1)[0]
            if hand.file.case != before and not (overdue and newest.role == "is_the_system"):
                wrong.append(f"{action.name} was refused and yet changed the case")
            continue
        except IntegrityError as refusal:
            wrong.append(f"{action.name}: the database had to refuse what the engine allowed: {refusal.orig}")
            continue
        seen["done"] += 1
        if action.name in DECIDING and (hand.agency_id in actor.affiliations
                                        or actor.person_id in before.persons_who(*action.spec.apart_from)):  # fmt: skip
            wrong.append(f"{actor.name} decided with {action.name} on a case of their own")
        if version != before.version and not action.spec.side_by_side and action.name != "record_rendering":
            wrong.append(f"{action.name} was done on a stale version")
        wrong += [f"after {action.name}: {flaw}" for flaw in flaws(hand)]
    return wrong


def prove(sequences: int = SEQUENCES, modelled: int = MODELLED) -> Iterator[dict[str, Any]]:
    yield from _against_the_model(modelled)
    with both() as urls:
        for name, url in urls.items():
            clock, chance, seen = MovableClock(), random.Random(SEED), Counter[str]()
            database = Database(url, clock)
            cases = CaseStore(database, LawBook(database))
            wrong: list[str] = []
            for number in range(sequences):
                if number % 3 == 2:
                    hand = verification_case(cases)
                else:
                    hand = cma_case(
                        cases, chance.choice(("draft", "submitted", "under_review", "awaiting_sign_off"))
                    )
                wrong += wander(hand, chance, clock, seen)
            database.close()
            yield {
                "claim": f"a case stays whole through random requests on {name}",
                "tries": sequences,
                "unexpected": len(wrong),
                "note": f"seed {SEED}; " + ", ".join(f"{n} {what}" for what, n in sorted(seen.items()))
                + "".join(f"; {w}" for w in wrong[:3]),
            }  # fmt: skip


def _against_the_model(sequences: int) -> Iterator[dict[str, Any]]:
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    wrongs: dict[str, list[str]] = defaultdict(list)
    portions = [range(first, min(first + PORTION, sequences)) for first in range(0, sequences, PORTION)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for found in pool.map(_portion_on_both, portions):
            for kind, (wrong, counted) in found.items():
                wrongs[kind] += wrong
                seen[kind] += counted
    for kind, wrong in wrongs.items():
        yield {
            "claim": f"random sequences of up to {MODEL_STEPS} requests go as the reference model says, on {kind}",
            "tries": sequences,
            "unexpected": len(wrong),
            "note": ", ".join(f"{n} {what}" for what, n in sorted(seen[kind].items()))
            + "".join(f"; {w}" for w in wrong[:3]),
        }


def _portion_on_both(numbers: range) -> dict[str, tuple[list[str], Counter[str]]]:
    """What went wrong and what was seen, by kind of database; in a process of its own."""
    found = {}
    with both() as urls:
        for kind, url in urls.items():
            seen = Counter[str]()
            found[kind] = _portion(url, numbers, seen), seen
    return found


def _portion(url: str, numbers: range, seen: Counter[str]) -> list[str]:
    clock = MovableClock()
    database = Database(url, clock)
    bureau, wrong = Bureau(CaseStore(database, LawBook(database))), list[str]()
    for number in numbers:
        clock.at = MONDAY
        wrong += [f"{number}: {w}" for w in one(bureau, random.Random(SEED + number), clock, seen)]
    database.close()
    return wrong
