"""Facts that may have any value where a case stands, because somebody there can bring them to it at any time.

Reviewers fill in the checklist as often as they like, applicants edit the application: such an act leads back to
where the case stands and leaves nothing behind but its facts, which are open again. From a situation that differs
from another only in these facts one comes to the other and back. So both can still come to exactly the same ends,
and one of them stands for both: the one in which the facts are open. This is why the reduction is sound:

* It is seen, not assumed: the engine has taken the act in the very situation, and what came out was compared with
  the situation as it was. An act that leaves a trace (somebody may take it no more, nothing can be recalled any
  more, a clock has turned) reopens nothing.
* Where the facts are open a step that hangs on them is taken for each value under which it is possible, with that
  value known afterwards; no value is left out.
* Who is waited for, and which lapses are refused, is looked at before. A fact that this looks at is never reopened
  there: the situation falls apart into its values, as everywhere else.
* What the system does by itself (lapses, jobs) is also followed where the facts still are as they were, so that a
  case which goes round without anybody acting is seen.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from workflow.abstraction import Open, Vocabulary
from workflow.case import Case
from workflow.procedure import Action, Procedure
from workflow.relevance import EDITED_ANEW, Place, written
from workflow.stories import Kind
from workflow.surroundings import ANY, REPORTED


class Reopening:
    """Which facts may be reopened where, as far as the definition tells; that they are is seen by doing it."""

    def __init__(self, procedure: Procedure, matters: Mapping[Place, frozenset[str]]) -> None:
        self._matters = matters
        self._facts = {a.name: _reported_open(a) for a in procedure.actions}
        self.candidates = frozenset(
            a.name for a in procedure.actions if a.target is None and not a.automatic and self._facts[a.name]
        )
        self._looked_at: dict[Place, set[str]] = {}
        self._by_name = procedure.by_name
        self._written: dict[tuple[Kind | None, tuple[str, ...]], frozenset[str]] = {}

    def fell_apart(self, place: Place, fact: str) -> None:
        """A situation there had to be told apart by this fact: it is not reopened there any more."""
        self._looked_at.setdefault(place, set()).add(fact)

    def facts(self, place: Place, kind: Kind | None, action: str) -> frozenset[str]:
        """What the act reopens there, if nothing of it is looked at by anything but what people may do."""
        found = (EDITED_ANEW if kind is Kind.EDIT else self._facts[action]) & self._matters[place]
        return frozenset() if found & self._looked_at.get(place, set()) else found

    def anew(self, kind: Kind | None, taken: tuple[str, ...]) -> frozenset[str]:
        """What these actions, or an edit, write or open."""
        if (kind, taken) not in self._written:
            self._written[kind, taken] = written_anew(kind, [self._by_name[name] for name in taken])
        return self._written[kind, taken]


def with_open(case: Case, facts: Iterable[str]) -> dict[str, Any]:
    """The facts of the case, these among them open."""
    return {**case.facts, **{f: Open(f) for f in facts}}


def reopened_facts(before: Case, after: Case) -> dict[str, Any]:
    """What the facts were that are open now and were not."""
    was = {f: before.facts.get(f) for f, v in after.facts.items() if type(v) is Open}
    return {f: v for f, v in was.items() if type(v) is not Open}


def may_be_left_out(
    vocabulary: Vocabulary, before: Case, after: Case, later: Iterable[tuple[Mapping[str, Any], frozenset[str]]]
) -> bool:
    """Whether a story need not tell that facts were reopened: nothing that it needs later is another than it was.

    `later`: what each of the following steps needs to know, and which facts it writes anew."""
    pending = reopened_facts(before, after)
    for learned, anew in later:
        if any(f in learned and not vocabulary.same(f, learned[f], was) for f, was in pending.items()):
            return False
        pending = {f: v for f, v in pending.items() if f not in anew}
    return True


def written_anew(kind: Kind | None, actions: Iterable[Action]) -> frozenset[str]:
    """The facts that these actions, or an edit, surely write or open."""
    found = EDITED_ANEW if kind is Kind.EDIT else frozenset[str]()
    return found.union(*(written(a) | _reported_open(a) for a in actions))


def _reported_open(action: Action) -> frozenset[str]:
    return frozenset(f for r in action.spec.registers for f, v in REPORTED.get(r, {}).items() if v is ANY)
