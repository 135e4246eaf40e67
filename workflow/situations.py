"""A situation in which a case may stand, and a move from one to the next: what an exploration is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow.case import Case
from workflow.commands import Annul, Command, Decide, Plain, Refuse
from workflow.engine import Step
from workflow.grammar import StateSpec
from workflow.procedure import Action, Duty, Procedure
from workflow.stories import Kind
from workflow.vocabulary import SYSTEM, Actor

DECISIONS = frozenset({Decide, Refuse, Annul})
# Verbs that leave a situation as it is, whoever uses them: that they can be used is seen once for each place.
IDLE = frozenset({"transfer", "remind", "copy", "comment"})

LONGEST_LIST = 24  # a list on a case that grows beyond this has no bound


@dataclass(frozen=True, slots=True)
class Move:
    """What leads on. `kind` None: nothing happens, an open fact turns out to be so (`learned`)."""

    kind: Kind | None
    action: str = ""
    actor: Actor = SYSTEM
    command: Command = field(default_factory=Plain)
    learned: Mapping[str, Any] = field(default_factory=dict)
    reported: Mapping[str, Any] = field(default_factory=dict)
    passing: bool = False  # it only reopens facts (`reopening`): a story tells it where their old values do not do
    taken: tuple[str, ...] = ()  # the action and the automatic ones after it


@dataclass(slots=True)
class Situation:
    case: Case
    jobs: frozenset[str]
    marks: frozenset[str]  # decided, signed, reasoned
    distance: int
    came: tuple[int, Move] | None
    leads: list[tuple[int, Move]] = field(default_factory=list)
    done: bool = False
    splits: bool = False  # only an open fact is decided here
    unserved: tuple[Duty, ...] = ()
    stuck_lapses: tuple[str, ...] = ()
    lapses: bool = False
    unsaid: Mapping[str, Any] = field(default_factory=dict)  # what facts were before they were reopened on the way


class _Everything(frozenset[str]):
    def __contains__(self, fact: object) -> bool:
        return True


EVERYTHING = _Everything()
Reached = tuple[Case, frozenset[str], frozenset[str], Move]  # case, jobs, marks, and how


class TooMany(Exception):
    """More situations than were allowed: nothing is proved."""


class Grows(Exception):
    """Something on the case grows without bound; carries the situation and the fact."""

    def __init__(self, at: int, move: Move, fact: str) -> None:
        super().__init__(fact)
        self.at, self.move, self.fact = at, move, fact


def is_decision(action: Action) -> bool:
    """A decision on the application: the authority's, of a kind that names its grounds, leading on, and not to be
    undone."""
    final = action.command in DECISIONS and action.spec.irreversible and action.target is not None
    return final and not action.on_applicant_side


def marks_of(step: Step, arrived: StateSpec) -> set[str]:
    """What of decided, signed and reasoned the step adds; `arrived`: the state it leads to."""
    action, found = step.action, set()
    if is_decision(action):
        found.add("decided")
    if action.spec.reauthenticate and action.target and not action.on_applicant_side:
        found.add("signed")
    by_law = action.spec.who == "is_the_system" and action.spec.documents
    if action.command is Refuse or (arrived.outcome == "refused" and by_law):
        found.add("reasoned")
    return found


def awaiting_decision(procedure: Procedure) -> frozenset[str]:
    """The states from which a decision leads on."""
    return frozenset(s for a in procedure.actions if is_decision(a) for s in a.sources)


def endless(after: Case, reduced: Case) -> str:
    """What of a case has grown beyond any bound: the answers (a department has answered twice in a round) or a list."""
    # Without noting that they were looked at; round 0 holds who withdrew before, of one department perhaps several.
    answers = [(s.department, s.round) for s in tuple.__iter__(after.sign_offs) if s.round]
    if len(set(answers)) < len(answers):
        return "sign_offs"
    return next((f for f, v in reduced.facts.items() if isinstance(v, tuple) and len(v) > LONGEST_LIST), "")
