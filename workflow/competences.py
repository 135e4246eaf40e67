"""Who may do what where: the table of states and roles, read off the rules of a definition themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflow.case import Case
from workflow.joint_licences import DECIDING
from workflow.procedure import Action, Procedure
from workflow.vocabulary import Actor, Role

_AGENCY, _PERSON, _DEPARTMENT = 1, "somebody", "somewhere"


@dataclass(frozen=True, slots=True)
class Competence:
    """One state: per role, what it may do there (guards permitting), and whose duty it is."""

    state: str
    acts: Mapping[Role, tuple[Action, ...]]
    duties: frozenset[Role]


class _Fitting:
    """Whatever a rule compares somebody with, it is that person or holds it."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __contains__(self, thing: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter((_PERSON, _DEPARTMENT))


class _EveryFact(dict[str, Any]):
    """Facts under which everybody has the part in the case that a rule asks about; but those given are as they are."""

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]

    def __missing__(self, name: str) -> Any:
        return _Fitting()


def competences(procedure: Procedure) -> tuple[Competence, ...]:
    """The table, state by state in the order of the definition.

    A role may do what its rule lets somebody do who holds this role alone and has every part in the case that the
    rule may ask about: the applicant's own account, the department asked, the member of the team.
    """
    return tuple(_in_state(procedure, state) for state in procedure.states)


def roles_of(procedure: Procedure) -> tuple[Role, ...]:
    """The roles that act or have duties in a procedure, in the usual order."""
    rows = competences(procedure)
    return tuple(r for r in Role if any(r in row.acts or r in row.duties for row in rows))


def _in_state(procedure: Procedure, state: str) -> Competence:
    acts = {role: tuple(a for a in procedure.leaving(state) if _may(a, role, procedure)) for role in Role}
    found = {role: actions for role, actions in acts.items() if actions}
    return Competence(state, found, frozenset(d.role for d in procedure.states[state].duties))


def _may(action: Action, role: Role, procedure: Procedure) -> bool:
    actor = Actor(1, _PERSON, "", frozenset({role}), department=_DEPARTMENT, agency_id=_AGENCY)
    case = Case(0, procedure.name, procedure.version, action.sources[0], next(iter(procedure.spec.tracks)), _AGENCY,
                facts=_EveryFact(_nobodys(procedure)))  # fmt: skip
    try:
        return action.who(actor, case)
    except (TypeError, ValueError, AttributeError):  # a rule that reads a formula: its role says enough
        return role.value in action.spec.who or role in _FORMULA.get(action.spec.who, ())


def _nobodys(procedure: Procedure) -> dict[str, Any]:
    """Where no department decides a licence of its own, none has that part in the case."""
    joint = procedure.spec.department or any(a.spec.opens and a.spec.opens.each for a in procedure.actions)
    return {} if joint else {DECIDING: ()}


_FORMULA = {
    "answers_for_a_department_asked": (Role.DEPARTMENT_OFFICER,),
    "works_for_the_deciding_department": (Role.DEPARTMENT_OFFICER,),
    "decides_for_the_department": (Role.DEPARTMENT_LEADER,),
}
