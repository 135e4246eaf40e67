"""A case as the engine sees it: a value, not a row, holding only the facts that decisions need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from workflow.deadlines import Clock
from workflow.vocabulary import Verdict


@dataclass(frozen=True, slots=True)
class SignOff:
    """One department's answer in one round.

    `rests_on`: the digest of every subject as it was when the department answered (fact -> SHA-256), so that a later
    round can tell what has changed since. `carried_from`: the round in which the answer was given, when it stands
    from an earlier one. `at`: when it was given; None until the store has written it.
    """

    department: str
    verdict: Verdict
    round: int
    person_id: str
    opinion: str = ""
    rests_on: Mapping[str, str] = field(default_factory=dict)
    carried_from: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """Which person took which action on this case: what separation of duties looks at."""

    action: str
    person_id: str


@dataclass(frozen=True, slots=True)
class Case:
    """One run of a procedure. `facts` holds what the definition's guards name; nothing else is kept in it."""

    id: int
    procedure: str
    procedure_version: int
    state: str
    track: str
    agency_id: int | None
    round: int = 1
    version: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    sign_offs: tuple[SignOff, ...] = ()
    acts: tuple[Act, ...] = ()
    clocks: tuple[Clock, ...] = ()
    on: date | None = field(default=None, compare=False)  # the local date on which it is looked at

    def looked_at(self, on: date) -> "Case":
        """The same case, looked at on that local date."""
        if self.on == on:
            return self
        return Case(
            self.id, self.procedure, self.procedure_version, self.state, self.track, self.agency_id, self.round,
            self.version, self.facts, self.sign_offs, self.acts, self.clocks, on,
        )  # fmt: skip

    def after_a_step(self, state: str, clocks: tuple[Clock, ...], acts: tuple[Act, ...]) -> "Case":
        """The case one version on. Written out, since every step comes by here and `replace` asks each field."""
        return Case(
            self.id, self.procedure, self.procedure_version, state, self.track, self.agency_id, self.round,
            self.version + 1, self.facts, self.sign_offs, acts, clocks, self.on,
        )  # fmt: skip

    def current_sign_offs(self) -> tuple[SignOff, ...]:
        return tuple([s for s in self.sign_offs if s.round == self.round])

    def answered(self) -> frozenset[str]:
        return frozenset([s.department for s in self.sign_offs if s.round == self.round])

    def verdicts(self) -> dict[str, Verdict]:
        """Department -> its answer in the present round, in the order in which they came."""
        return {s.department: s.verdict for s in self.current_sign_offs()}

    def fact(self, name: str, default: Any = None) -> Any:
        return self.facts.get(name, default)

    def with_facts(self, **facts: Any) -> "Case":
        return Case(  # the longhand of `replace`, which takes four times as long: this is what every effect does
            self.id, self.procedure, self.procedure_version, self.state, self.track, self.agency_id, self.round,
            self.version, {**self.facts, **facts}, self.sign_offs, self.acts, self.clocks, self.on,
        )  # fmt: skip

    def persons_who(self, *actions: str) -> frozenset[str]:
        return frozenset(a.person_id for a in self.acts if a.action in actions)
