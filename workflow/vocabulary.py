"""The words of the trade, as types. Every other file spells them from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from workflow.delegation import Delegation


class Role(StrEnum):
    """What an account may act as. One account may hold several; separation of duties is about persons."""

    APPLICANT = "applicant"
    WINDOW_OFFICER = "window_officer"
    REVIEW_ORGANISER = "review_organiser"
    TEAM_LEADER = "team_leader"
    REVIEWER = "reviewer"
    DEPARTMENT_OFFICER = "department_officer"
    DEPARTMENT_LEADER = "department_leader"
    LEADER = "leader"
    ISSUING_CLERK = "issuing_clerk"
    INSPECTOR = "inspector"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


# Roles that are held for one department: what one of them has to do is that department's.
OF_A_DEPARTMENT = frozenset({Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_LEADER})


class Verdict(StrEnum):
    """One department's answer: for, against, neither (it was heard), or as if never asked."""

    AGREE = "agree"
    OBJECT = "object"
    ABSTAIN = "abstain"
    RECUSED = "recused"


def N_(text: str) -> str:
    """Mark an English sentence for translation at the edge; the workflow itself knows no language."""
    return text


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for people: an English pattern, its values, and, when a definition supplied it, the Chinese."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    zh: str | None = None

    def __str__(self) -> str:
        return self.text % _Blank(self.values) if self.values else self.text


class _Blank(dict[str, Any]):
    """Values for a pattern; one that is not there prints as a dash rather than failing the page."""

    def __missing__(self, key: str) -> str:
        return "—"


RefusalCode = Literal["unknown", "forbidden", "unavailable", "unmet", "stale", "malformed"]


class Refusal(Exception):
    """Why an action did not happen: `code` for programs, `reason` for people.

    unknown: no such thing for this actor (404); forbidden: not theirs (403); unavailable: not in this state,
    unmet: a guard does not hold, stale: somebody was faster (409); malformed: the command itself is wrong (422).
    """

    def __init__(self, code: RefusalCode, reason: Message, *, field: str | None = None) -> None:
        super().__init__(str(reason))
        self.code: RefusalCode = code
        self.reason = reason
        self.field = field


@dataclass(frozen=True, slots=True)
class Principal:
    """In whose stead somebody acts, as that account is now. `roles` are those that the delegation lends."""

    account_id: int
    person_id: str
    name: str
    roles: frozenset[Role]
    delegation: "Delegation"
    department: str | None = None
    affiliations: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `person_id` is the human behind the account; `affiliations` are the agencies that person
    holds any account with, which separation of duties looks at.

    With `acting_for` the roles and the department are the principal's, everything else is the actor's own:
    the hand that writes is always named. Rules that ask for a person ask the `seat`."""

    account_id: int
    person_id: str
    name: str
    roles: frozenset[Role]
    department: str | None = None
    agency_id: int | None = None
    affiliations: frozenset[int] = frozenset()
    ip: str = ""
    acting_for: Principal | None = None

    def holds(self, role: Role) -> bool:
        return role in self.roles

    def standing_in(self, principal: Principal) -> "Actor":
        """The same person acting for another: one hop, so whoever already stands in for somebody cannot."""
        if self.acting_for is not None:
            raise ValueError("a delegate cannot be stood in for")
        return replace(
            self, roles=principal.roles, department=principal.department, agency_id=None, acting_for=principal
        )

    @property
    def seat(self) -> "Actor":
        """Whose place is taken: the principal's, else one's own. Rules, guards and what one may see look at it."""
        if (principal := self.acting_for) is None:
            return self
        return replace(
            self,
            account_id=principal.account_id,
            person_id=principal.person_id,
            name=principal.name,
            affiliations=principal.affiliations,
            acting_for=None,
        )

    @property
    def persons(self) -> tuple[str, ...]:
        """Every person this act is an act of: the hand and, if there is one, the principal."""
        return (self.person_id,) if self.acting_for is None else (self.person_id, self.acting_for.person_id)


SYSTEM = Actor(account_id=0, person_id="system", name="系统", roles=frozenset({Role.SYSTEM}))
