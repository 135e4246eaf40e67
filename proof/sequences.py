"""Random sequences of requests through the real store, each held against the reference model after every request.

Everybody takes part: two of every role, officers of departments, delegates in the place of others, somebody of the
agency inside the bureau, somebody with every role; the clock moves, and the law acts when a limit is over.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import insert, select

from proof.reference_model import UNCERTAIN, ReferenceModel
from store.cases import CaseStore
from store.delegations import DelegationStore
from store.people import read_account
from store.records.audit import AuditRecord
from store.records.cases import TaskRecord
from store.records.columns import table_of
from store.records.people import AccountRecord, AccountRoleRecord, PersonRecord
from store.tokens import new_token
from store.values import CaseFile
from tests.store.factories import (
    DEPARTMENTS,
    MONDAY,
    STAFF,
    CaseHand,
    MovableClock,
    applicant_of,
    cma_case,
    usual_command,
    with_affiliation,
)
from workflow import commands as c
from workflow import verb_commands as v
from workflow.delegation import Group
from workflow.procedure import Procedure
from workflow.procedures import HERE, find
from workflow.vocabulary import SYSTEM, Actor, Refusal, Role, Verdict

STEPS = 40
STARTS = (
    "draft",
    "submitted",
    "accepted",
    "under_review",
    "rectified",
    "awaiting_sign_off",
    "awaiting_decision",
)
ENDINGS = frozenset({"retract", "refuse_to_accept", "refuse", "conclude_does_not_meet", "grant", "deliver"})
OFFICERS: Mapping[str, Role] = {
    "window": Role.WINDOW_OFFICER,
    "organiser": Role.REVIEW_ORGANISER,
    "head": Role.LEADER,
    "clerk": Role.ISSUING_CLERK,
    "inspector": Role.INSPECTOR,
}


class Bureau:
    """The people of an authority with their delegations, entered once into a database."""

    def __init__(self, cases: CaseStore) -> None:
        self.cases, self.database = cases, cases.database
        self._ids: dict[str, int] = {}
        with self.database.writing() as connection:
            for name, role in OFFICERS.items():
                for one in ("one", "two"):
                    self._enter(connection, f"{name}-{one}", (role,))
            for department in DEPARTMENTS[:3]:
                for one in ("one", "two"):
                    officer = (Role.DEPARTMENT_OFFICER,)
                    self._enter(connection, f"{department}-{one}", officer, department=department)
            officer = (Role.DEPARTMENT_OFFICER,)
            for department in DEPARTMENTS[:2]:  # two accounts of one person, who may answer once
                self._enter(
                    connection, f"both-{department}", officer, department=department, person="two-desks"
                )
            everything = tuple(r for r in Role if r not in (Role.SYSTEM, Role.APPLICANT))
            self._enter(connection, "many-hats", everything, department="ecology")
            self._enter(connection, "deputy", (Role.INSPECTOR,))
            self._enter(connection, "stand-in", (Role.WINDOW_OFFICER,))
        self.staff = tuple(self._actor(name) for name in self._ids)
        self.delegates = tuple(self._lent())

    def _enter(self, connection: Any, name: str, roles: tuple[Role, ...], **more: Any) -> None:
        person = more.pop("person", name)
        if connection.scalar(select(PersonRecord.id).where(PersonRecord.id == person)) is None:
            connection.execute(insert(PersonRecord), {"id": person, "name": person})
        account = {
            "login": name,
            "password_hash": "-",
            "person_id": person,
            "name": name,
            "created_at": MONDAY,
        }
        self._ids[name] = connection.execute(
            insert(AccountRecord).returning(AccountRecord.id), account | more
        ).scalar_one()
        held = [{"account_id": self._ids[name], "role": role.value} for role in roles]
        connection.execute(insert(AccountRoleRecord), held)

    def _actor(self, name: str) -> Actor:
        with self.database.reading() as connection:
            account = read_account(connection, self._ids[name])
        assert account is not None
        return account.actor()

    def _lent(self) -> list[Actor]:
        """Delegates in their principals' places: everything of a leader, review only, answers only."""
        store, today = DelegationStore(self.database), self.database.clock.today()
        terms = (
            ("head-one", "deputy", frozenset(Group)),
            ("organiser-one", "stand-in", frozenset({Group.REVIEW})),
            ("ecology-one", "inspector-two", frozenset({Group.ANSWER})),
            ("window-two", "clerk-two", frozenset({Group.REVIEW, "refuse_to_accept"})),
        )
        found = []
        for principal, delegate, verbs in terms:
            mine, theirs = self._actor(principal), self._actor(delegate)
            key = store.make(mine, principal_id=mine.account_id, delegate_id=theirs.account_id, from_on=today,
                             until_on=today + timedelta(days=90), verbs=verbs, reason="出差")  # fmt: skip
            found.append(theirs.standing_in(store.principal(theirs, key)))
        return found

    def crowd(self, hand: CaseHand) -> list[Actor]:
        """Everybody who might press a button on a case."""
        return [
            applicant_of(hand.agency_id),
            applicant_of(hand.agency_id + 1),
            STAFF["leads_the_team"],
            STAFF["is_on_the_team"],
            *self.staff,
            *self.delegates,
            with_affiliation(self._colleague("head-two"), hand.agency_id),
        ]

    def _colleague(self, name: str) -> Actor:
        return next(a for a in self.staff if a.name == name)


@dataclass
class Sequence:
    """One case under its model. `wrong` holds, in words, where the two disagree."""

    hand: CaseHand
    bureau: Bureau
    chance: random.Random
    clock: MovableClock
    seen: Counter[str]
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file = self.hand.file
        self.procedure: Procedure = self.file.procedure
        self.codes = self.hand.checklist()
        self.model = model_of(self.hand)

    def run(self, steps: int = STEPS) -> list[str]:
        for _ in range(steps):
            if self.procedure.states[self.model.state].final or self.wrong:
                break
            self._pass_time()
            self._ask()
        return self.wrong

    def _pass_time(self) -> None:
        self.clock.move(hours=self.chance.choice((0, 0, 1, 30, 200)))
        if self.hand.cases._lapse_one(self.hand.id):
            self._follow_the_law()

    def _follow_the_law(self) -> None:
        """What the system did by itself since the last look, told to the model."""
        known = self.file.case.version  # every entry has the version that it made
        self.file = self.hand.file
        for action, account in self._entries(known):
            if account == 0 and not self.procedure.by_name[action].automatic:
                self.model.learn(self.file.case.facts)
                self.model.take(action, SYSTEM, c.Plain())
                self.seen["the law acted"] += 1
        self._compare("what the law did")

    def _ask(self) -> None:
        action = self._chosen()
        fitting = [a for a in self.bureau.crowd(self.hand) if self.model.is_for(a, action.spec.who)]
        actor = self.chance.choice(
            fitting if fitting and self.chance.random() < 0.85 else self.bureau.crowd(self.hand)
        )
        if action.name == "record_rendering":
            actor = (
                SYSTEM  # what a finished job reports; the other acts of the system belong to the law alone
            )
        command = self._command(action.name, action.command, actor)
        if command is None:
            return
        if self.model.facts.get("corrections_open") and self.chance.random() < 0.7:
            self.hand.learn(corrections_open=0)
            self.model.learn({"corrections_open": 0})
        stale = actor is not SYSTEM and self.chance.random() < 0.05
        self.model.today = self.clock.today()
        lawful = self.model.allows(action.name, actor, command)
        code = self._request(action.name, actor, command, stale)
        self.file = self.hand.file
        self.seen[code or "done"] += 1
        if code is None:
            if not lawful or stale and not action.spec.side_by_side:
                self.wrong.append(f"{action.name} by {_who(actor)} was done and ought not to be")
                return
            self.seen[action.spec.verb or "plain"] += 1
            self.model.take(action.name, actor, command)
            self.model.learn(self.file.case.facts)
        elif lawful and code not in ("stale", "unknown") and not self._may_be_refused(action):
            self.wrong.append(
                f"{action.name} by {_who(actor)} was refused ({code}: {self.reason}) and ought to be done"
            )
        self._compare(f"{action.name} by {_who(actor)}{'' if code is None else f', refused as {code}'}")

    def _may_be_refused(self, action: Any) -> bool:
        spec = action.spec
        return bool(spec.verb in UNCERTAIN or spec.registers or spec.extends)

    def _chosen(self) -> Any:
        likely = [a for a in self.procedure.leaving(self.model.state) if not a.automatic]
        if self.chance.random() < 0.93:
            likely = [a for a in likely if a.name not in ENDINGS] or likely
        roll = self.chance.random()
        if roll < 0.05:
            return self.chance.choice([a for a in self.procedure.actions if not a.automatic])
        verb = (
            None
            if roll < 0.5
            else self.chance.choice(sorted({a.spec.verb for a in likely if a.spec.verb} or {""}))
        )
        return self.chance.choice([a for a in likely if a.spec.verb == verb] or likely)

    def _request(self, name: str, actor: Actor, command: Any, stale: bool) -> str | None:
        """The code of the refusal, or None when it was done."""
        version = self.file.case.version - stale
        try:
            if actor is SYSTEM:
                self.hand.cases.perform_as_system(self.hand.id, name, command, command_id=new_token())
            else:
                self.hand.cases.perform(self.hand.public_id, name, actor, command, command_id=new_token(),
                                        expected_version=version, reauthenticated=True)  # fmt: skip
        except Refusal as refusal:
            self.reason = str(refusal.reason)
            return refusal.code
        return None

    def _command(self, name: str, kind: type[c.Command], actor: Actor) -> Any:
        """A command of that kind with what chance puts into it; None when there is none to give."""
        some = self.chance.choice
        colleagues = [a.person_id for a in self.bureau.staff if a.roles & actor.roles]
        people = (
            colleagues
            if colleagues and some((True, True, False))
            else [a.person_id for a in self.bureau.staff]
        )
        if kind is c.RecordSignOff:
            verdict = some([Verdict.AGREE] * 5 + list(Verdict))
            return c.RecordSignOff(verdict=verdict, opinion="须说明的意见")
        if kind is c.AskAgain:
            return c.AskAgain(
                grounds="情况有变", departments=tuple(some(DEPARTMENTS[:4]) for _ in range(some((0, 1, 2))))
            )
        if kind is v.Return:
            return v.Return(reason="材料须补充", way=some(v.Return.WAYS))
        if kind is v.Consult:
            asked = some(self.bureau.staff)
            return v.Consult(
                person=asked.person_id, role=some(sorted(asked.roles)).value, question="请提出意见"
            )
        if kind is v.AddSigner:
            return v.AddSigner(
                department=some(DEPARTMENTS), place=some(v.AddSigner.PLACES), reason="涉及其职责"
            )
        if kind is v.RemoveSigner:
            return v.RemoveSigner(department=some(sorted(self.model.added) or DEPARTMENTS), reason="不再涉及")
        if kind is v.Suspend:
            return v.Suspend(ground=some(list(self.procedure.spec.grounds)), reason="依法中止")
        simple: dict[type[c.Command], Any] = {
            v.Recall: lambda: v.Recall(reason="填写有误"),
            v.Transfer: lambda: v.Transfer(person=some(people), reason="出差"),
            v.Advise: lambda: v.Advise(advice="同意"),
            v.Resume: lambda: v.Resume(reason="情形消除"),
            v.CopyTo: lambda: v.CopyTo(persons=(some(people),)),
            v.Comment: lambda: v.Comment(text="已电话联系"),
        }
        return simple[kind]() if kind in simple else usual_command(name, kind, self.codes)

    # -- holding both against each other ---------------------------------------------------------------------------

    def _entries(self, after: int) -> list[tuple[str, int]]:
        table = table_of(AuditRecord)
        found = select(table.c.action, table.c.account_id).where(
            table.c.case_id == self.hand.id, table.c.version > after
        )
        with self.hand.cases.database.reading() as connection:
            return [(row.action, row.account_id) for row in connection.execute(found.order_by(table.c.seq))]

    def _compare(self, after: str) -> None:
        found, ought = picture_of(self.hand, self.file, self.model.own), self.model.picture()
        for name, value in ought.items():
            if name in found and found[name] != value:
                self.wrong.append(f"after {after}: {name} is {found[name]!r} and ought to be {value!r}")


def _who(actor: Actor) -> str:
    return actor.name + (f" for {actor.acting_for.name}" if actor.acting_for else "")


def picture_of(hand: CaseHand, file: CaseFile, own: set[str]) -> dict[str, Any]:
    """What the database says of a case, in the words of the model."""
    case = file.case
    with hand.cases.database.reading() as connection:
        tasks = connection.execute(
            select(TaskRecord.role, TaskRecord.holder).where(TaskRecord.case_id == hand.id)
        ).all()
    answers = {(s.department, s.verdict.value, s.carried_from) for s in case.current_sign_offs()}
    read = case.state in file.procedure.sign_off_states  # elsewhere a case is read without them
    return ({"answers": answers} if read else {}) | {
        "state": case.state,
        "track": case.track,
        "round": case.round,
        "acts": {(a.action, a.person_id) for a in case.acts},
        "tasks": {(t.role, t.holder) for t in tasks},
        "suspended": bool(case.fact("suspended_for")),
        "facts": {name: case.fact(name) for name in own if case.fact(name) not in (None, [], "", 0)},
    }


@cache
def _as_data(name: str, version: int) -> tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]]:
    """The definition as it was written, and every action it comes to, as plain data."""
    raw = YAML(typ="safe", pure=True).load((HERE / f"{name}.v{version}.yaml").read_bytes())
    return raw, {a.name: a.spec.model_dump(by_alias=True) for a in find(name, version).actions}


def model_of(hand: CaseHand) -> ReferenceModel:
    """A model that stands where the case stands now."""
    file = hand.file
    case, procedure = file.case, file.procedure
    raw, actions = _as_data(procedure.name, procedure.version)
    model = ReferenceModel(raw, actions, case.facts, case.state, case.track, hand.agency_id)
    model.round, model.acts = case.round, {(a.action, a.person_id) for a in case.acts}
    for answer in case.sign_offs:
        model.answers.append(
            {"department": answer.department, "verdict": answer.verdict.value, "round": answer.round,
             "since": answer.carried_from, "person": answer.person_id, "rests": model.subjects(answer.department)}
        )  # fmt: skip
    if last := case.fact("last_act"):
        desk: dict[str, dict[str, Any]] = {"return_to": {}, "assignments": {}, "consultations": {}}
        facts = {name: value for name, value in last["facts"].items() if name in model.own}
        model.last = {**last, "persons": set(last["persons"]), "facts": facts, "desk": desk}
    return model


def one(bureau: Bureau, chance: random.Random, clock: MovableClock, seen: Counter[str]) -> list[str]:
    """One sequence on a new case; where it went otherwise than it ought to."""
    hand = cma_case(bureau.cases, chance.choice(STARTS), rows=1)
    return Sequence(hand, bureau, chance, clock, seen).run()
