"""What a form of a verb offers to choose from: persons, departments and grounds."""
from typing import Any

from store.colleagues import Colleagues
from store.values import CaseFile
from web.casefaces import departments
from web.context import ROLE_LABELS, current_actor, database, say
from web.language import beside
from workflow.procedure import Action
from workflow.verb_commands import AddSigner, Consult, CopyTo, RemoveSigner, Return, Suspend, Transfer
from workflow.verbs.facts import ADDED_SIGNERS, COPIES, role_of
from workflow.verbs.guards import grounds_open
from workflow.vocabulary import OF_A_DEPARTMENT, Role

STAFF = tuple(role for role in Role if role not in (Role.APPLICANT, Role.SYSTEM))


def verb_choices(file: CaseFile, action: Action) -> dict[str, Any]:
    """The keyword arguments of the form, by its command; nothing where it offers no choice."""
    command = action.command
    if command is Return:
        return {"straight_back": "straight_back_is_possible" not in action.spec.guards}
    if command is Transfer:
        return {"persons": _takers(file, action)}
    if command is Consult:
        return {"persons": _advisers(file)}
    if command is CopyTo:
        return {"persons": _readers(file)}
    if command is Suspend:
        return {"grounds": _grounds(file)}
    if command in (AddSigner, RemoveSigner):
        return {"departments": _departments(file, added=command is RemoveSigner)}
    return {}


def _takers(file: CaseFile, action: Action) -> list[tuple[str, str]]:
    """Whoever could do the work of this role here; the separation of duties keeps some from it."""
    actor, role = current_actor(), Role(role_of(action.spec.who) or action.spec.who)
    work = [a for a in file.procedure.leaving(file.case.state) if a.spec.verb is None and role_of(a.spec.who) == role]
    barred = {act for a in work for act in a.spec.apart_from}
    department = actor.department if role in OF_A_DEPARTMENT else None
    found = Colleagues(database()).of(file, actor, (role,), department=department, apart_from=barred)
    return [(person.person_id, person.name) for person in found]


def _advisers(file: CaseFile) -> list[tuple[str, str]]:
    verbs = file.procedure.spec.verbs
    among = verbs.consult.among if verbs and verbs.consult else ()
    names = departments()
    return [(f"{p.role.value}/{p.person_id}", _with_place(p.name, p.role, names.get(p.department or "")))
            for p in Colleagues(database()).of(file, current_actor(), among)]


def _readers(file: CaseFile) -> list[tuple[str, str]]:
    known, names = set(file.case.fact(COPIES) or ()), departments()
    found = {p.person_id: _with_place(p.name, p.role, names.get(p.department or ""))
             for p in Colleagues(database()).of(file, current_actor(), STAFF)}
    return [(person, name) for person, name in found.items() if person not in known]


def _with_place(name: str, role: Role, department: Any) -> str:
    place = say(department) if department is not None else say(ROLE_LABELS[role])
    return beside(name, place)


def _grounds(file: CaseFile) -> list[tuple[str, str]]:
    spec = file.procedure.spec
    return [(name, beside(spec.grounds[name].label.message(), spec.grounds[name].article))
            for name in grounds_open(file.procedure, file.case)]


def _departments(file: CaseFile, *, added: bool) -> list[tuple[str, str]]:
    asked, extra = file.procedure.asked(file.case.facts), file.case.fact(ADDED_SIGNERS) or {}
    return [(key, say(name)) for key, name in departments().items() if (key in extra if added else key not in asked)]
