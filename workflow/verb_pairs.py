"""What happens when one verb is tried right after another: every ordered pair, found by trying it in the engine.

A *situation* is a case in which something can be done. For each pair the first verb is used in every situation in
which anybody may use it, and then everybody tries the second one in every way. Besides the verbs of a definition the
table knows three acts that they meet: `sign` (a department answers), `decide` (the signed decision), `retract`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from workflow.case import Case
from workflow.clocks import Law
from workflow.engine import fire
from workflow.parsing import Command
from workflow.procedure import Action, Procedure
from workflow.vocabulary import N_, Actor, Message, Refusal

Asks = Callable[[Action], Iterable[Command]]
# A refusal that says most about why comes first.
_TELLING = ("unmet", "malformed", "unavailable", "forbidden", "unknown")
_ABSENT = Refusal("unavailable", Message(N_("This step is not possible any more: the case has moved on.")))
_REMARKS = ("remind", "copy", "comment")  # they open the way to no other verb


class Answer(StrEnum):
    ALLOWED = "allowed"  # wherever the first was used, somebody may use the second
    SOMETIMES = "sometimes"  # in some situations
    REFUSED = "refused"  # the action is there, and a guard refuses it everywhere, with its reason
    ABSENT = "absent"  # the action is not there at all: the state or the occasion is another one
    UNUSED = "unused"  # the first verb was never used in these situations


@dataclass(frozen=True, slots=True)
class Cell:
    """One pair. `where` are the states in which the second was allowed, `not_where` the others;
    `reasons` what was said there."""

    first: str
    second: str
    answer: Answer
    where: tuple[str, ...] = ()
    not_where: tuple[str, ...] = ()
    reasons: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Trial:
    """Everything a try needs: the definition, who tries, what they ask for, when, under which law."""

    procedure: Procedure
    people: Sequence[Actor]
    asks: Asks
    on: date
    law: Law

    def uses(self, verb: str, case: Case) -> Iterator[Case]:
        """Every case that using the verb here leads to."""
        for action, actor, command in self._ways(verb, case):
            try:
                steps = fire(self.procedure, case, action.name, actor, command, self.on, self.law)
            except Refusal:
                continue
            yield steps[-1].after

    def tries(self, verb: str, case: Case) -> Refusal | None:
        """None when somebody may use the verb here, else the refusal that says most."""
        found: list[Refusal] = []
        for action, actor, command in self._ways(verb, case):
            try:
                fire(self.procedure, case, action.name, actor, command, self.on, self.law)
            except Refusal as refusal:
                found.append(refusal)
            else:
                return None
        return min(found, key=lambda r: _TELLING.index(r.code), default=_ABSENT)

    def _ways(self, verb: str, case: Case) -> Iterator[tuple[Action, Actor, Command]]:
        for action in self.procedure.leaving(case.state):
            if verb_of(self.procedure, action) == verb:
                for actor in (who for who in self.people if action.who(who.seat, case)):
                    for command in self.asks(action):
                        yield action, actor, command


def verb_of(procedure: Procedure, action: Action) -> str | None:
    """The row of the table an action belongs to; None for acts that it does not speak of."""
    if action.spec.verb is not None:
        return action.spec.verb
    if action.name in procedure.answering:
        return "sign"
    if action.target and procedure.states[action.target].outcome == "retracted":
        return "retract"
    return "decide" if action.spec.reauthenticate and action.target and action.spec.apart_from else None


def verbs_of(procedure: Procedure) -> tuple[str, ...]:
    """The rows and columns, in the order of the definition, its own acts first."""
    return tuple(dict.fromkeys(v for a in procedure.actions if (v := verb_of(procedure, a)) is not None))


def situations(trial: Trial, starts: Iterable[Case]) -> tuple[Case, ...]:
    """The starting cases, and what every verb makes of each: where an answer to a verb is possible as well."""
    found = [replace(case, on=trial.on) for case in starts]
    verbs = [v for v in verbs_of(trial.procedure) if v not in ("decide", "retract", *_REMARKS)]
    once = [after for case in found for verb in verbs for after in trial.uses(verb, case)]
    return tuple(_distinct([*found, *once]))


def _distinct(cases: Iterable[Case]) -> Iterator[Case]:
    seen: set[str] = set()
    for case in cases:
        known = repr((case.state, case.track, case.round, sorted(case.facts.items()), case.sign_offs))
        if known not in seen:
            seen.add(known)
            yield case


def afterwards(trial: Trial, known: Iterable[Case], first: str) -> tuple[Case, ...]:
    """Every case that the verb leads to, in all the situations."""
    return tuple(_distinct(after for case in known for after in trial.uses(first, case)))


def cell(trial: Trial, afterwards: Sequence[Case], first: str, second: str) -> Cell:
    """What happens to `second` in the cases that `first` has led to."""
    if not afterwards:
        return Cell(first, second, Answer.UNUSED)
    said = [(after, trial.tries(second, after)) for after in afterwards]
    allowed = dict.fromkeys(after.state for after, refusal in said if refusal is None)
    refused = [(after, refusal) for after, refusal in said if refusal is not None]
    others = dict.fromkeys(after.state for after, _ in refused)
    spoken = [r.reason for _, r in refused if r.code in ("unmet", "malformed")]
    reasons = tuple({str(m.text): m for m in spoken}.values())
    if not refused:
        answer = Answer.ALLOWED
    elif allowed:
        answer = Answer.SOMETIMES
    else:
        answer = Answer.REFUSED if reasons else Answer.ABSENT
    return Cell(first, second, answer, tuple(allowed), tuple(others), reasons)
