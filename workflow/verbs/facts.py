"""What the verbs must remember about a case: the reserved names of facts, and how they are read.

A definition never sets these itself. They are values of JSON, so that they rest in the case's row like any other.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workflow.case import Case
from workflow.suspension import SUSPENDED, suspended_for
from workflow.vocabulary import Role

RETURN_TO = "return_to"  # state -> the state to which its work is handed straight back
RETURN_REASON = "return_reason"  # why the case was last returned, until the step it was returned to is done
HELD_CLOCKS = "held_clocks"  # clock -> ground on which it rests until its states are reached again, '' when it runs on
LAST_ACT = "last_act"  # the last act, while it can be recalled: act, from, persons, facts, track, clocks
ASSIGNMENTS = "assignments"  # state -> duty -> the person to whom it was transferred
CONSULTATIONS = "consultations"  # state -> duty -> who is asked for advice: person, role, by, question
ADDED_SIGNERS = "added_signers"  # department -> "before", "after" or "beside" the others
SUSPENDED_ON = "suspended_on"  # the local date, as ISO text
REMINDED = "reminded"  # duty -> the local date of its last reminder, as ISO text
COPIES = "copies"  # persons who may read the case
NAMES = "person_names"  # person -> name, of those named above

RESERVED: Mapping[str, str] = {
    RETURN_TO: "state -> the state to which its work is handed straight back",
    RETURN_REASON: "why the case was last returned",
    HELD_CLOCKS: "clock -> the ground on which a return lets it rest, or ''",
    LAST_ACT: "what a recall puts back",
    ASSIGNMENTS: "state -> duty -> person",
    CONSULTATIONS: "state -> duty -> person, role, by, question",
    ADDED_SIGNERS: "department -> before, after or beside",
    SUSPENDED: "the grounds on which the case is suspended",
    SUSPENDED_ON: "the day of the suspension",
    REMINDED: "duty -> the day of the last reminder",
    COPIES: "persons who may read the case",
    NAMES: "person -> name",
}
_ROLES = frozenset(role.value for role in Role)
# Nothing that may or may not happen depends on the content of these; an exploration may leave them out.
SILENT = frozenset({RETURN_REASON, SUSPENDED_ON, NAMES, COPIES})


def role_of(who: str) -> str | None:
    """The role whose work a rule speaks of; None for a relation that no duty of a role stands behind."""
    if who in ("answers_for_a_department_asked", "works_for_the_deciding_department"):
        return Role.DEPARTMENT_OFFICER.value
    if who == "decides_for_the_department":
        return Role.DEPARTMENT_LEADER.value
    return who if who in _ROLES else None


def duty_key(role: Role, holder: str) -> str:
    """The name of a duty inside these facts: its role and the holder that the definition gives it."""
    return f"{role.value}:{holder}"


def of_state(facts: Mapping[str, Any], name: str, state: str) -> Mapping[str, Any]:
    """What a fact that is kept by states says about one of them."""
    return (facts.get(name) or {}).get(state) or {}


def sent_back_to(case: Case) -> str | None:
    """The state to which the work of the present one is handed straight back; None in the usual order."""
    return (case.fact(RETURN_TO) or {}).get(case.state)


def assigned(case: Case, key: str) -> str | None:
    """The person to whom a duty of the present state was transferred."""
    return of_state(case.facts, ASSIGNMENTS, case.state).get(key)


def consultation(case: Case, key: str) -> Mapping[str, Any] | None:
    """The open consultation on a duty of the present state."""
    return of_state(case.facts, CONSULTATIONS, case.state).get(key)


def consultations(case: Case) -> Mapping[str, Mapping[str, Any]]:
    return of_state(case.facts, CONSULTATIONS, case.state)


def name_of(case: Case, person: str) -> str:
    return str((case.fact(NAMES) or {}).get(person, person))


def named_persons(facts: Mapping[str, Any]) -> frozenset[str]:
    """Everybody whom a verb has given a part in the case."""
    found = set(facts.get(COPIES) or ())
    for duties in (facts.get(ASSIGNMENTS) or {}).values():
        found |= set(duties.values())
    for duties in (facts.get(CONSULTATIONS) or {}).values():
        found |= {asked["person"] for asked in duties.values()}
    return frozenset(found)


def reminded_key(key: str) -> str:
    """Under which name the reminder of a duty is noted: a department's has its own, those of roles share one."""
    return key if ":department:" in key else "*"


def waits_its_turn(department: str, added: Mapping[str, str], owing: Iterable[str]) -> bool:
    """Whether a department that owes an answer must wait for others: for those put before it, or put itself after."""
    others = [d for d in owing if d != department]
    place = added.get(department)
    if place == "after":
        return any(added.get(d) != "after" for d in others)
    return place != "before" and any(added.get(d) == "before" for d in others)


# -- occasions: an action of a verb is there only on its occasion --------------------------------------------------

Occasion = Callable[[Case, str], bool]

OCCASIONS: Mapping[str, Occasion] = {
    # the work of this state is handed straight back to the state named
    "back_to": lambda case, state: sent_back_to(case) == state,
    # the case goes on in the usual order
    "in_order": lambda case, _: sent_back_to(case) is None,
    # the last act, and nobody has acted on it since
    "last_act": lambda case, act: (case.fact(LAST_ACT) or {}).get("act") == act,
    "acted_from": lambda case, state: (case.fact(LAST_ACT) or {}).get("from") == state,
    "suspended": lambda case, said: bool(suspended_for(case)) is (said == "yes"),
    "signers_added": lambda case, _: bool(case.fact(ADDED_SIGNERS)),
    "consulted": lambda case, _: bool(consultations(case)),
}


def is_the_occasion(occasion: Mapping[str, str], case: Case) -> bool:
    """Whether all that an action's occasion names is so."""
    return all(OCCASIONS[name](case, value) for name, value in occasion.items())
