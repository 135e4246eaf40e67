"""Pairs of verbs tried through the real store, and what the published table says of them."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

from sqlalchemy import Connection

from proof.verb_pairs import CMA, OPEN, PAGE, PEOPLE, SIGNS, TAKERS, TRIAL, asks
from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from store.tokens import new_token
from tests.store import factories
from tests.store.factories import COMMITMENT_WAYS, GENERAL_WAYS, CaseHand, cma_case, department_officer, flaws
from tests.workflow.verb_walk import APPLICANT, FACTS, Walk
from workflow.case import Case
from workflow.commands import Command, RecordFindings
from workflow.engine import fire
from workflow.procedure import Action
from workflow.verb_pairs import Answer, Trial, verb_of, verbs_of
from workflow.vocabulary import Actor, Refusal, Role

VERBS = verbs_of(CMA)
PAIRS = tuple(product(VERBS, VERBS))
# The verbs after which the table knows a situation of its own; an end and a remark open the way to nothing.
OPENING = tuple(verb for verb in VERBS if verb not in ("decide", "retract", "remind", "copy", "comment"))
ANSWERS = {sign: answer for answer, sign in SIGNS.items()}


# -- what is published ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Published:
    """A cell as a reader of the page has it: the sign, and in which states the second verb is there or not."""

    answer: Answer
    where: frozenset[str] = frozenset()
    not_where: frozenset[str] = frozenset()
    depends: frozenset[str] = frozenset()

    def allows(self, state: str) -> bool | None:
        """Whether the second verb may be used when the first has led to this state; None where it depends."""
        if self.answer is Answer.SOMETIMES:
            return True if state in self.where else False if state in self.not_where else None
        return self.answer is Answer.ALLOWED

    def knows(self, state: str) -> bool:
        """Whether the page speaks of the state at all; a sign alone speaks of every state."""
        return self.answer is not Answer.SOMETIMES or state in self.where | self.not_where | self.depends


@cache
def published() -> Mapping[tuple[str, str], Published]:
    """The table of docs/procedures/verb-pairs.md with the sentences below it."""
    lines = PAGE.read_text("utf-8").splitlines()
    told = {match[1]: match[2] for line in lines if (match := re.match(r"- \*\*(.+?)\*\*: (.*)", line))}
    found = {}
    for row in (line for line in lines if line.startswith("| **")):
        first, *signs = (cell.strip(" *") for cell in row.strip("|").split("|"))
        for second, sign in zip(VERBS, signs, strict=True):
            found[first, second] = _cell(ANSWERS[sign or " "], told.get(f"{first} → {second}", ""))
    return found


def _cell(answer: Answer, told: str) -> Published:
    def states(opening: str, closing: str = "") -> frozenset[str]:
        part = next((p for p in told.split("; ") if p.startswith(opening) and p.endswith(closing)), "")
        return frozenset(part.removeprefix(opening).removesuffix(closing).split(", ")) - {""}

    return Published(answer, states("allowed in "), states("not in "), states("in ", " it depends on what went before"))


# -- where a pair begins -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """A case in an open state by its usual way, after which one verb may have been used already."""

    track: str
    state: str
    extra: str = ""  # one more act after the usual way
    before: str = ""  # a verb


_PLAIN = tuple(
    Start(track, state) for track, ways in (("general", GENERAL_WAYS), ("commitment", COMMITMENT_WAYS))
    for state in OPEN if state in ways
) + (
    Start("general", "awaiting_sign_off", extra="sign_off"),
    Start("general", "under_review", extra="conclude_does_not_meet"),
    Start("general", "rectified", extra="reject_rectification"),
)  # fmt: skip


@cache
def starts(first: str) -> tuple[Start, ...]:
    """Every start at which somebody may use the verb, as the engine alone says."""
    return tuple(
        start
        for start in (*_PLAIN, *(replace(plain, before=verb) for plain in _PLAIN for verb in OPENING))
        if any(True for case in _pure(start) for _ in TRIAL.uses(first, case))
    )


@cache
def _pure(start: Start) -> tuple[Case, ...]:
    if start.before:
        return tuple(after for case in _pure(replace(start, before="")) for after in TRIAL.uses(start.before, case))
    draft = Case(1, CMA.name, CMA.version, CMA.spec.initial, "general", APPLICANT.agency_id or 0, facts=dict(FACTS))
    ways = GENERAL_WAYS if start.track == "general" else COMMITMENT_WAYS
    walk = Walk(draft).walk((*ways[start.state], *filter(None, [start.extra])))
    return (replace(walk.case, on=TRIAL.on),)


# -- through the store ---------------------------------------------------------------------------------------------


def staff(database: Database) -> None:
    """Everybody whom a verb of the trial may name has an account."""
    factories.usual_pool(database)
    named = {actor.person_id: actor for actor in PEOPLE if Role.APPLICANT not in actor.roles}
    extra = {name: Role(role) for role, takers in TAKERS.items() for name in takers}
    with database.writing() as connection:
        there = set(connection.scalars(factories.select(factories.PersonRecord.id)))
        for name in sorted({*named, *extra, "third", "inspector"} - there):
            actor = named.get(name) or department_officer("ecology", name)
            roles = {extra[name]} if name in extra else actor.roles
            if name == "inspector":
                roles = {Role.INSPECTOR}
            factories.in_the_pool(connection, name, roles, department=actor.department)
            if name == "third":  # a colleague in every department, and at the counter
                for department in ("construction", "transport"):
                    _another_account(connection, name, Role.DEPARTMENT_OFFICER, department)
                _another_account(connection, name, Role.ISSUING_CLERK)


def _another_account(connection: Connection, name: str, role: Role, department: str | None = None) -> None:
    account = factories.insert(factories.AccountRecord).returning(factories.AccountRecord.id)
    account_id = connection.execute(account, {
        "login": f"{department or role.value}.{name}", "password_hash": "-", "person_id": name, "name": name,
        "department": department, "created_at": factories.MONDAY}).scalar_one()  # fmt: skip
    held = {"account_id": account_id, "role": role.value}
    connection.execute(factories.insert(factories.AccountRoleRecord), held)


class Stage:
    """One database, on which pairs are tried one after another."""

    def __init__(self, database: Database) -> None:
        self.cases = CaseStore(database, LawBook(database))
        staff(database)

    def opened(self, start: Start, first: str, chance: random.Random) -> CaseHand:
        """A case at the start, where somebody may use the first verb."""
        hand = cma_case(self.cases, start.state, track=start.track, departments=("ecology", "construction"))
        if start.extra:
            hand.take(start.extra)
        if start.before:
            self.used(hand, start.before, chance, opening=first)
        return hand

    def ways(self, hand: CaseHand, verb: str) -> Iterator[tuple[Action, Actor, Command]]:
        """Everything that anybody might ask for with the verb, whoever has a part in it."""
        file = hand.file
        people = [hand.applicant if Role.APPLICANT in actor.roles else actor for actor in PEOPLE]
        for action in file.procedure.leaving(file.case.state):
            if verb_of(file.procedure, action) == verb:
                for actor in (who for who in people if action.who(who.seat, file.case)):
                    yield from ((action, actor, command) for command in asks(action))

    def trial(self, hand: CaseHand) -> Trial:
        """The engine alone, asked about the very case that stands in the store."""
        clock, law = self.cases.database.clock, self.cases.laws.current()
        people = [hand.applicant if Role.APPLICANT in actor.roles else actor for actor in PEOPLE]
        return Trial(hand.file.procedure, people, asks, clock.today(), law)

    def asked(self, hand: CaseHand, action: Action, actor: Actor, command: Command) -> Refusal | None:
        if isinstance(command, RecordFindings):
            command = hand.usual(action.name)
        try:
            self.cases.perform(hand.public_id, action.name, actor, command, command_id=new_token(),
                               expected_version=hand.version, reauthenticated=True)  # fmt: skip
        except Refusal as refusal:
            return refusal
        return None

    def used(self, hand: CaseHand, verb: str, chance: random.Random, opening: str = "") -> bool:
        """Use the verb once, in one of the ways that the store lets pass (and that open the way to another verb)."""
        ways = list(self.ways(hand, verb))
        chance.shuffle(ways)
        if opening:
            ways = [way for way in ways if self._opens(hand, opening, *way)]
        return any(self.asked(hand, *way) is None for way in ways)

    def _opens(self, hand: CaseHand, verb: str, action: Action, actor: Actor, command: Command) -> bool:
        trial = self.trial(hand)
        try:
            steps = fire(trial.procedure, hand.file.case, action.name, actor, command, trial.on, trial.law)
        except Refusal:
            return False
        return any(True for _ in trial.uses(verb, steps[-1].after))

    def faults(self, first: str, second: str, start: Start, chance: random.Random) -> list[str]:
        """What goes otherwise than published or than the engine alone says, when the one follows the other."""
        hand = self.opened(start, first, chance)
        place = f"{first} then {second} from {start}"
        if not self.used(hand, first, chance):
            return [f"{place}: nobody could use the first"]
        said, state = published()[first, second], hand.state
        case = replace(hand.file.case, on=self.cases.database.clock.today())
        engine = self.trial(hand).tries(second, case)
        before = hand.version
        store = [self.asked(hand, *way) for way in self._until_done(hand, second)]
        done = bool(store) and store[-1] is None
        wrong = [] if said.knows(state) else [f"{place}: the page does not speak of {state}"]
        if said.allows(state) not in (None, done):
            wrong.append(f"{place}: in {state} the page says {said.allows(state)}, the store {done}: {_told(store)}")
        if (engine is None) is not done:
            wrong.append(f"{place}: in {state} the engine says {engine or 'yes'}, the store {done}: {_told(store)}")
        if (hand.version != before) is not done:
            wrong.append(f"{place}: the version went from {before} to {hand.version}")
        return wrong + [f"{place}: {flaw}" for flaw in flaws(hand)]

    def _until_done(self, hand: CaseHand, verb: str) -> Iterator[tuple[Action, Actor, Command]]:
        version = hand.version
        for way in list(self.ways(hand, verb)):
            if hand.version != version:
                return
            yield way


def _told(refusals: list[Refusal | None]) -> str:
    return "; ".join(sorted({str(r) for r in refusals if r is not None})) or "nobody asked"
