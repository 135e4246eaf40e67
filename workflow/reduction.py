"""A case reduced to what makes a difference to what may still happen, and people to what can be told apart of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workflow.abstraction import ANSWERS, Open, Vocabulary
from workflow.case import Act, Case, SignOff
from workflow.clocks import Law
from workflow.deadlines import Clock, extend, rest, start, stop
from workflow.procedure import Procedure
from workflow.relevance import EDITED_ANEW, mattering
from workflow.rounds import CLOSED, SILENCE
from workflow.rounds import _digest as digest
from workflow.stories import STORY_DAY
from workflow.surroundings import TOLD_APART, Staff, could
from workflow.verbs.facts import LAST_ACT
from workflow.verbs.facts import RESERVED as VERBS_FACTS
from workflow.vocabulary import OF_A_DEPARTMENT, Actor, Verdict

SAME, ANOTHER = "one", "another"


RESERVED = frozenset(VERBS_FACTS)


class Crowd:
    """Which people can be told apart, and whose acts are worth remembering."""

    def __init__(self, procedure: Procedure, staff: Staff) -> None:
        self.procedure, self.unlimited = procedure, staff.unlimited
        self.risky = {p.person_id: self._risks(p) for p in staff.people}
        self._alike = {p.account_id: self._of(p) for p in staff.people}

    def alike(self, person: Actor) -> str:
        """The same for people between whom no rule can tell."""
        return self._alike[person.account_id]

    def alike_in(self, person: Actor, case: Case) -> str:
        """The same for people between whom nothing on this case tells either."""
        acts = sorted(a.action for a in case.acts if a.person_id == person.person_id)
        answers = [s.department for s in tuple.__iter__(case.sign_offs) if s.person_id == person.person_id]
        facts = dict.items(case.facts) if isinstance(case.facts, dict) else case.facts.items()
        named = [f for f, v in sorted(facts) if type(v) is not Open and _names(v, person.person_id)]
        return repr((self._alike[person.account_id], acts, answers, named))

    def _risks(self, person: Actor) -> frozenset[str]:
        """The actions whose taking would keep this very person from another one."""
        if self.unlimited:
            return frozenset()
        mine = {a.name for a in self.procedure.actions if could(a, person)}
        return frozenset(
            b for a in self.procedure.actions if a.name in mine for b in a.spec.apart_from if b in mine
        )

    def _of(self, person: Actor) -> str:
        department = person.department if OF_A_DEPARTMENT & person.roles else None
        return repr((sorted(person.roles), department, sorted(self.risky[person.person_id])))


class Reduction:
    """Makes two cases equal when nothing that may still happen differs between them."""

    def __init__(
        self,
        procedure: Procedure,
        vocabulary: Vocabulary,
        staff: Staff,
        crowd: Crowd,
        law: Law,
        whole: bool = False,
    ) -> None:
        self.procedure, self.vocabulary, self.staff = procedure, vocabulary, staff
        self.crowd, self.law, self.whole = crowd, law, whole
        subject = vocabulary.subject
        self._only_compared = subject in EDITED_ANEW - TOLD_APART.keys() - vocabulary.tests.keys()
        self.matters = mattering(procedure, vocabulary)
        self._clocks: dict[tuple[str, str, str, bool], Clock] = {}

    def settled(self, case: Case) -> Case:
        """The case with only what makes a difference. In an editable state what may be edited is open."""
        facts = dict(case.facts)
        if self.procedure.states[case.state].editable:
            facts |= {f: Open(f) for f in EDITED_ANEW}
        for fact in (CLOSED, SILENCE):  # the number of a round: this one, or one that is over
            if fact in facts:
                facts[fact] = 1 if facts[fact] == case.round else None
        self._forget_days_that_are_over(case, facts)
        matters = self.matters[case.state, case.track]
        if LAST_ACT in matters and (
            last := facts.get(LAST_ACT)
        ):  # it may yet be recalled to where other facts matter
            matters = matters | self.matters[last["from"], last["track"]]
        for fact in RESERVED & facts.keys():  # what the verbs note is empty or it is not there: the same
            facts[fact] = facts[fact] if type(facts[fact]) is Open else facts[fact] or None
        facts = {f: self.vocabulary.canonical(f, v) for f, v in facts.items() if f in matters}
        answers = self._as_before(facts, self._answers(case)) if ANSWERS in matters else ()
        going = (c for c in case.clocks if not c.is_stopped or self._is_remembered(c, case.state))
        clocks = tuple(self._clock(c) for c in sorted(going, key=lambda c: c.name))
        return replace(
            case,
            facts={f: v for f, v in facts.items() if v is not None},
            acts=self._acts(case.acts),
            sign_offs=answers,
            clocks=clocks,
            round=1,
            version=1,
        )

    def deciding(self, case: Case, facts: Mapping[str, Any]) -> Case:
        """The case with these facts decided (or open again)."""
        kept = {**case.facts, **{f: self.vocabulary.canonical(f, v) for f, v in facts.items()}}
        return replace(case, facts={f: v for f, v in kept.items() if v is not None})

    def key(self, case: Case) -> Any:
        """Equal for cases that are one."""
        facts = tuple((n, "?" if type(v) is Open else repr(v)) for n, v in sorted(case.facts.items()))
        clocks = tuple(_standing(c) for c in case.clocks)
        answers = tuple(
            (s.round, s.department, s.verdict, s.person_id, s.carried_from, *sorted(s.rests_on.items()))
            for s in case.sign_offs
        )
        return case.state, case.track, facts, answers, case.acts, clocks

    def _acts(self, acts: tuple[Act, ...]) -> tuple[Act, ...]:
        kept = {a for a in acts if a.action in self.crowd.risky.get(a.person_id, ())}
        return tuple(sorted(kept, key=lambda a: (a.action, a.person_id)))

    def _answers(self, case: Case) -> tuple[SignOff, ...]:
        """The answers of the present round; of earlier ones who withdrew, where people are not unlimited."""
        given = list(tuple.__iter__(case.sign_offs))  # without noting that they were looked at
        withdrew = {
            (s.department, s.person_id): SignOff(s.department, s.verdict, 0, s.person_id)
            for s in given
            if s.round != case.round and s.verdict is Verdict.RECUSED and not self.staff.unlimited
        }
        current = (
            replace(s, round=1, opinion="", carried_from=s.carried_from and 1 if self.whole else None)
            for s in given
            if s.round == case.round
        )
        return tuple(
            sorted((*withdrew.values(), *current), key=lambda s: (s.round, s.department, s.person_id))
        )

    def _as_before(self, facts: dict[str, Any], answers: tuple[SignOff, ...]) -> tuple[SignOff, ...]:
        """A subject is only compared with what it was: the present value is called one, every other one another.

        Where nothing was answered there is nothing to compare it with, so it may as well be open: nothing else looks
        at it. From which round an answer stands nobody asks either."""
        fact = self.vocabulary.subject
        if self._only_compared and fact in facts and not self.whole and not any(s.rests_on for s in answers):
            facts[fact] = Open(fact)
        value = facts.get(fact)
        if not fact or value is None or type(value) is Open:
            return answers
        facts[fact] = SAME
        now, same, another = (digest(v) for v in (value, SAME, ANOTHER))
        return tuple(
            replace(s, rests_on={fact: same if s.rests_on[fact] == now else another})
            if fact in s.rests_on
            else s
            for s in answers
        )

    def _is_remembered(self, clock: Clock, state: str) -> bool:
        """A stopped clock is as good as none, but where it would start again if it were not there."""
        spec = self.procedure.spec.clocks[clock.name]
        return spec.until is None and (state in spec.runs_in or state in spec.rests_in)

    def _forget_days_that_are_over(self, case: Case, facts: dict[str, Any]) -> None:
        """A clock to a fixed day has run out when it stopped where it runs: that day is over and starts none again."""
        for clock in case.clocks:
            spec = self.procedure.spec.clocks[clock.name]
            if spec.until is not None and clock.is_stopped and case.state in spec.runs_in:
                facts.pop(spec.until.fact, None)

    def _clock(self, clock: Clock) -> Clock:
        """As if it had started on the story's day: running, resting (and why), stopped and extended are told apart."""
        key = _standing(clock)
        if key not in self._clocks:
            calendar = self.law.calendar
            fresh = start(clock.name, clock.allowance, STORY_DAY, calendar)
            for extension in clock.extensions:
                fresh = extend(fresh, extension.allowance, STORY_DAY, extension.reason, calendar)
            if clock.is_stopped:
                fresh = stop(fresh, STORY_DAY, calendar)
            elif clock.is_resting:
                fresh = rest(fresh, STORY_DAY, clock.rests[-1].ground, calendar)
            self._clocks[key] = fresh
        return self._clocks[key]


def _standing(clock: Clock) -> tuple[str, str, str, bool]:
    if clock.is_stopped:
        return clock.name, "stopped", "", False
    ground = clock.rests[-1].ground if clock.is_resting else ""
    return clock.name, "resting" if clock.is_resting else "running", ground, bool(clock.extensions)


def _names(value: Any, person_id: str) -> bool:
    if isinstance(value, Mapping):
        return any(_names(v, person_id) for v in value.values())
    if isinstance(value, tuple | list):
        return any(_names(v, person_id) for v in value)
    return type(value) is str and value == person_id
