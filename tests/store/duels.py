"""Two acts on one case at the same instant, over many copies of it: one is done, the other refused, nothing torn."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import select

from store import audit
from store.cases import CaseStore
from store.database import Database
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord
from store.values import Performed
from tests.store import factories
from tests.store.factories import (
    LEADER,
    REVIEW_ORGANISER,
    CaseHand,
    cma_case,
    department_officer,
    flaws,
    person,
)
from tests.store.racing import copies_of
from workflow import verb_commands as v
from workflow.commands import Command, RecordSignOff
from workflow.vocabulary import Actor, Refusal, Role

SECOND_LEADER = person("second-leader", Role.LEADER)
COLLEAGUE = department_officer("ecology", "colleague")


@dataclass(frozen=True)
class Side:
    """Who does what; `command_id` is told apart by its own word, so the same word is the same request sent twice."""

    action: str
    actor: Callable[[CaseHand], Actor]
    command: Command
    word: str


@dataclass(frozen=True)
class Duel:
    """`ends`: the action that was carried out -> the state in which the case must then stand."""

    state: str
    sides: tuple[Side, Side]
    ends: Mapping[str, str]


@dataclass
class Outcome:
    """Which side was carried out how often, and what went otherwise than it must."""

    duels: int
    won: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)


def _applicant(hand: CaseHand) -> Actor:
    return hand.applicant


def _the(actor: Actor) -> Callable[[CaseHand], Actor]:
    return lambda hand: actor


_REFUSE = Side("refuse", _the(LEADER), factories.REFUSAL, "a")
_SIGN = Side("sign_off", _the(department_officer("ecology")), RecordSignOff(), "a")
DUELS: Mapping[str, Duel] = {
    "decide against retract": Duel(
        "awaiting_decision",
        (_REFUSE, Side("retract", _applicant, factories.usual_command("retract", type(factories.REFUSAL)), "b")),
        {"refuse": "refused", "retract": "retracted"},
    ),
    "sign against return": Duel(
        "awaiting_sign_off",
        (_SIGN, Side("return_to_under_review_by_review_organiser", _the(REVIEW_ORGANISER), v.Return(reason="x"), "b")),
        {"sign_off": "awaiting_sign_off", "return_to_under_review_by_review_organiser": "under_review"},
    ),
    "transfer against sign": Duel(
        "awaiting_sign_off",
        (_SIGN, Side("transfer_by_department_officer", _the(COLLEAGUE),
                     v.Transfer(person="officer-ecology", reason="x"), "b")),
        {"sign_off": "awaiting_sign_off", "transfer_by_department_officer": "awaiting_sign_off"},
    ),
    "double submit": Duel("awaiting_decision", (_REFUSE, _REFUSE), {"refuse": "refused"}),
    "two deciders": Duel(
        "awaiting_decision",
        (_REFUSE, Side("refuse", _the(SECOND_LEADER), factories.REFUSAL, "b")),
        {"refuse": "refused"},
    ),
}  # fmt: skip


def colleagues(database: Database) -> None:
    """The people whom a duel may name."""
    with database.writing() as connection:
        for name in ("officer-ecology", "colleague"):
            factories.in_the_pool(connection, name, [Role.DEPARTMENT_OFFICER], department="ecology")


def fight(cases: CaseStore, duel: Duel, count: int) -> Outcome:
    """Let both sides act at the same instant, `count` times, and look at what came of it."""
    model = cma_case(cases, duel.state, departments=["ecology", "construction"])
    seen, outcome = model.version, Outcome(count)
    made = copies_of(cases, model, count)
    barrier = threading.Barrier(2)
    answers: tuple[list[Performed | Refusal], list[Performed | Refusal]] = ([], [])

    def act(place: int) -> None:
        side = duel.sides[place]
        actor = side.actor(model)
        for case_id, public_id in made:
            barrier.wait(60)
            try:
                answers[place].append(cases.perform(
                    public_id, side.action, actor, side.command, command_id=f"{side.word}:{case_id}",
                    expected_version=seen, reauthenticated=True))  # fmt: skip
            except Refusal as refusal:
                answers[place].append(refusal)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(act, place) for place in (0, 1)]:
            done.result()
    _judge(cases, duel, made, answers, outcome, model)
    return outcome


def _judge(
    cases: CaseStore,
    duel: Duel,
    made: list[tuple[int, str]],
    answers: tuple[list[Performed | Refusal], list[Performed | Refusal]],
    outcome: Outcome,
    model: CaseHand,
) -> None:
    twice = duel.sides[0] == duel.sides[1]
    with cases.database.reading() as connection:
        first, last = made[0][0], made[-1][0]
        rows = connection.execute(select(CaseRecord.id, CaseRecord.state).where(CaseRecord.id.between(first, last)))
        states = {row.id: row.state for row in rows}
        acts: dict[int, list[str]] = {}
        for case_id, action in connection.execute(
            select(AuditRecord.case_id, AuditRecord.action)
            .where(AuditRecord.case_id.between(first, last), AuditRecord.account_id != 0)
        ):
            acts.setdefault(case_id, []).append(action)
        broken = {stream for stream, _ in audit.broken_links(connection)}
    for (case_id, public_id), *said in zip(made, *answers, strict=True):
        done = [s for s in said if isinstance(s, Performed)]
        refused = [s.code for s in said if isinstance(s, Refusal)]
        carried_out = acts.get(case_id, [])
        hand = CaseHand(cases, public_id, case_id, model.agency_id)
        faults = {
            "carried out otherwise than once": len(carried_out) != 1,
            "answered otherwise": len(done) != (2 if twice else 1),
            "answered twice as if anew": twice and sum(not p.replayed for p in done) != 1,
            "refused otherwise": not twice and refused not in (["stale"], ["unavailable"]),
            "state wrong": carried_out and states[case_id] != duel.ends[carried_out[0]],
            "audit broken": f"case:{case_id}" in broken,
            "case torn": [flaw for flaw in flaws(hand) if flaw != "version"],
        }
        outcome.wrong.update(name for name, found in faults.items() if found)
        outcome.won.update(carried_out)
