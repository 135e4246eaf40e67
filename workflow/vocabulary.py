"""The words of the trade, as types. Every other file spells them from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal


class Role(StrEnum):
    """What an account may act as. One account may hold several; separation of duties is about persons."""

    APPLICANT = "applicant"
    WINDOW_OFFICER = "window_officer"
    REVIEW_ORGANISER = "review_organiser"
    TEAM_LEADER = "team_leader"
    REVIEWER = "reviewer"
    DEPARTMENT_OFFICER = "department_officer"
    LEADER = "leader"
    ISSUING_CLERK = "issuing_clerk"
    INSPECTOR = "inspector"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


class Verdict(StrEnum):
    """One department's answer."""

    AGREE = "agree"
    OBJECT = "object"


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
class Actor:
    """Who acts. `person_id` is the human behind the account; `affiliations` are the agencies that person
    holds any account with, which separation of duties looks at."""

    account_id: int
    person_id: str
    name: str
    roles: frozenset[Role]
    department: str | None = None
    agency_id: int | None = None
    affiliations: frozenset[int] = frozenset()
    ip: str = ""

    def holds(self, role: Role) -> bool:
        return role in self.roles


SYSTEM = Actor(account_id=0, person_id="system", name="系统", roles=frozenset({Role.SYSTEM}))
