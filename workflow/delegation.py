"""Standing delegation 代理: one person acts for another, by dates, procedure and kind of act.

One hop only: a delegate has the principal's own place, never what the principal holds for a third person; and
whoever stands in for somebody is neither away nor stood in for at the same time. Every act names both persons.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from workflow.vocabulary import N_, Actor, Message, Role

if TYPE_CHECKING:
    from workflow.procedure import Action, Procedure


class Group(StrEnum):
    """Kinds of act, told apart by what the definition says of the action alone; each action is of one kind."""

    REVIEW = "@review"  # what prepares a decision and can be put right
    ANSWER = "@answer"  # the answer of a department
    FINAL = "@final"  # what cannot be undone, such as a refusal to accept or a delivery
    SIGN = "@sign"  # what is signed with one's own password: decisions


EVERY_KIND = frozenset(Group)
NOT_LENT = frozenset({Role.APPLICANT, Role.ADMINISTRATOR, Role.SYSTEM})
_TEAM = frozenset({Role.TEAM_LEADER, Role.REVIEWER})


@dataclass(frozen=True, slots=True)
class Delegation:
    """Who stands in for whom. `principal` and `delegate` are person ids; both days are included.

    `verbs` holds kinds (`Group`) and names of actions that may be taken, `without` those that may not although a
    kind would allow them; an empty `procedure` stands for every one.
    """

    id: int
    principal: str
    delegate: str
    from_on: date
    until_on: date
    procedure: str = ""
    verbs: frozenset[str] = EVERY_KIND
    without: frozenset[str] = frozenset()
    revoked: bool = False

    def overlaps(self, other: "Delegation") -> bool:
        """Whether both are in force on some day for some procedure."""
        return (
            not (self.revoked or other.revoked)
            and self.from_on <= other.until_on
            and other.from_on <= self.until_on
            and (not self.procedure or not other.procedure or self.procedure == other.procedure)
        )


@dataclass(frozen=True, slots=True)
class Party:
    """What is known of a principal or delegate when a delegation is made."""

    person_id: str
    name: str
    roles: frozenset[Role]
    active: bool = True


def group_of(action: "Action") -> Group:
    if action.spec.reauthenticate:
        return Group.SIGN
    if action.spec.side_by_side:
        return Group.ANSWER
    return Group.FINAL if action.spec.irreversible else Group.REVIEW


def covers(delegation: Delegation, procedure: str, action: "Action", on: date | None = None) -> bool:
    """Whether the delegate may take this action of this procedure; without `on` the days are not looked at."""
    if delegation.revoked or delegation.procedure not in ("", procedure):
        return False
    if on is not None and not delegation.from_on <= on <= delegation.until_on:
        return False
    names = {action.name, group_of(action).value}
    return bool(names & delegation.verbs) and not names & delegation.without


def lent(principal: frozenset[Role], delegate: frozenset[Role]) -> frozenset[Role]:
    """The roles a delegate takes over. A seat on a review team goes only to somebody who may sit on one:
    assessors are qualified as persons (Order 163 art. 24). Administration and the applicant's side never go."""
    return (principal - NOT_LENT - _TEAM) | (_seats(principal) & _seats(delegate))


def _seats(roles: frozenset[Role]) -> frozenset[Role]:
    return _TEAM if Role.TEAM_LEADER in roles else roles & _TEAM


def not_covered(procedure: "Procedure", action: "Action", actor: Actor) -> Message | None:
    """Why this action is outside what the actor may do for the principal; None when it is not, or for oneself."""
    principal = actor.acting_for
    if principal is None or covers(principal.delegation, procedure.name, action):
        return None
    return Message(N_("%(principal)s has not delegated this step to you."), {"principal": principal.name})


def in_force(actor: Actor, on: date) -> Message | None:
    """Why the delegation does not hold on this day; None when it does, or for oneself."""
    principal = actor.acting_for
    if principal is None:
        return None
    delegation = principal.delegation
    if (
        delegation.revoked
        or not delegation.from_on <= on <= delegation.until_on
        or (delegation.principal, delegation.delegate) != (principal.person_id, actor.person_id)
    ):
        return over(principal.name)
    return None


def over(principal: str) -> Message:
    return Message(
        N_("You do not stand in for %(principal)s any more: the delegation is over or was revoked."),
        {"principal": principal},
    )


def faults(
    asked: Delegation, standing: Iterable[Delegation], principal: Party, delegate: Party, today: date
) -> list[Message]:
    """Everything that speaks against a new delegation. `standing` are the others of either person, `today` local."""
    found = [*_unfit(principal, delegate), *_misdated(asked, today)]
    if not asked.verbs - asked.without:
        found.append(Message(N_("Choose at least one thing that may be done.")))
    names = {"principal": principal.name, "delegate": delegate.name}
    for other in standing:
        if other.id == asked.id or not asked.overlaps(other):
            continue
        until = {"until": other.until_on}
        if (other.principal, other.delegate) == (asked.principal, asked.delegate):
            found.append(
                Message(
                    N_("%(delegate)s already stands in for %(principal)s until %(until)s; revoke that delegation "
                       "first."),
                    names | until,
                )
            )  # fmt: skip
        elif (other.principal, other.delegate) == (asked.delegate, asked.principal):
            found.append(
                Message(N_("%(principal)s stands in for %(delegate)s until %(until)s; not both ways at once."),
                        names | until)
            )  # fmt: skip
        elif other.delegate == asked.principal:
            found.append(
                Message(
                    N_("%(principal)s stands in for somebody else until %(until)s, and what is delegated is not "
                       "delegated on; that delegation must end first."),
                    names | until,
                )
            )  # fmt: skip
        elif other.principal == asked.delegate:
            found.append(
                Message(
                    N_("%(delegate)s is stood in for by somebody else until %(until)s; choose a person who is there."),
                    names | until,
                )
            )
    return found


def _unfit(principal: Party, delegate: Party) -> Iterable[Message]:
    if principal.person_id == delegate.person_id:
        yield Message(N_("Nobody stands in for themselves; choose another person."))
    for party in (principal, delegate):
        if not party.active:
            yield Message(N_("The account of %(name)s is closed."), {"name": party.name})
        if Role.APPLICANT in party.roles:
            yield Message(
                N_("%(name)s belongs to an applicant; only officials stand in for each other."), {"name": party.name}
            )
    if not delegate.roles:
        yield Message(N_("%(name)s holds no role in the authority."), {"name": delegate.name})
    if not lent(principal.roles, delegate.roles):
        yield Message(
            N_("%(principal)s has nothing that %(delegate)s could do: a seat on a review team goes only to a "
               "reviewer."),
            {"principal": principal.name, "delegate": delegate.name},
        )  # fmt: skip


def _misdated(asked: Delegation, today: date) -> Iterable[Message]:
    if asked.until_on < asked.from_on:
        yield Message(N_("The last day is before the first."))
    elif asked.until_on < today:
        yield Message(N_("The last day is already over."))
