"""Whose turn it is in a case, in words: departments and persons by their names, everybody else by their role."""

from web.context import ROLE_LABELS, say
from web.departments import department_name
from web.language import beside
from workflow.case import Case
from workflow.procedure import Duty, Procedure, duties
from workflow.verbs.facts import NAMES
from workflow.vocabulary import Role

ROLES = tuple(Role)


def whose_turn(procedure: Procedure, case: Case) -> list[str]:
    """Who has to do something now; a duty that was passed on to a person names the person, as the history does."""
    open_now = duties(procedure, case.state, case.agency_id, case.facts, case.answered())
    names = case.fact(NAMES) or {}
    order = {d: n for n, d in enumerate(procedure.asked(case.facts))}
    held = sorted(open_now, key=lambda d: (ROLES.index(d.role), order.get(d.holder.partition(":")[2], 0), d.holder))
    return list(dict.fromkeys(_words(duty, names) for duty in held)) or [say(ROLE_LABELS[Role.SYSTEM])]


def persons_named(procedure: Procedure, case: Case) -> list[str]:
    """To whom work was passed on by name: what waits here waits for them alone."""
    names = case.fact(NAMES) or {}
    open_now = duties(procedure, case.state, case.agency_id, case.facts, case.answered())
    found = {d.holder.partition(":")[2] for d in open_now if d.holder.startswith("person:")}
    return sorted(str(names[person]) for person in found if person in names)


def _words(duty: Duty, names: dict[str, str]) -> str:
    kind, _, who = duty.holder.partition(":")
    if kind == "department":
        return department_name(who)
    if kind == "person" and who in names:
        return beside(names[who], ROLE_LABELS[duty.role])
    return say(ROLE_LABELS[duty.role])
