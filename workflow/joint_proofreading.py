"""What a careful reader finds only where all definitions lie side by side: cases that open and inform each other.

`among_others` looks at one definition and at those that it names or that name it. A definition alone is looked at by
`proofreading`. A procedure that nobody opens yet may say what it will tell its parent: the parent's own reading looks
at that as soon as there is one.
"""

from collections.abc import Iterable, Iterator, Mapping

from workflow.joint_commands import Inform
from workflow.joint_licences import DECIDING, WRITES
from workflow.procedure import Action, EffectSpec, Procedure
from workflow.surroundings import EDITED, REPORTED

SEATED = ("team_leader", "team", "team_others")


def among_others(procedure: Procedure, known: Iterable[Procedure]) -> Iterator[str]:
    """Faults as "place: what", in the order of the definition. `known`: the other versions that there are; of each
    name the newest one is looked at."""
    newest = {p.name: p for p in sorted(known, key=lambda p: p.version) if p.name != procedure.name}
    newest[procedure.name] = procedure
    parents = [p for p in newest.values() if procedure.name in children_of(p)]
    told = set().union(*(received(p, procedure) for p in parents))
    keeps = {*kept(procedure), *told}
    for action in procedure.actions:
        yield from _opening_faults(action, newest, keeps)
        yield from _telling_faults(action, procedure, newest, parents, keeps)
        persons = action.spec.apart_from_persons
        if persons and persons not in keeps and (parents or not _informs_a_parent(procedure)):
            yield f"actions.{action.name}.apart_from_persons: nobody keeps the fact {persons}"
    for name in children_of(procedure):
        if name in newest and name != procedure.name:
            yield from _heard_faults(newest[name], procedure)


def children_of(procedure: Procedure) -> tuple[str, ...]:
    """The procedures of which it opens a case for each that a fact lists."""
    found = (a.spec.opens.among for a in procedure.actions if a.spec.opens)
    return tuple(dict.fromkeys(name for names in found for name in names))


def received(parent: Procedure, child: Procedure) -> set[str]:
    """The facts that a child has from its parent: given at its opening, and told later."""
    found = {DECIDING} if child.spec.department else set()
    for action in parent.actions:
        if (opens := action.spec.opens) and child.name in opens.procedures:
            found |= {opens.link, *opens.copies}
        if (informs := action.spec.informs) and informs.to == "children":
            found |= set(informs.carries)
    return found


def kept(procedure: Procedure) -> set[str]:
    """The facts that something in the procedure writes: the dossier, a register, an effect."""
    found = set(EDITED)
    for action in procedure.actions:
        for effect in action.spec.effects:
            if isinstance(effect, EffectSpec):
                found |= {*(effect.set or {}), *(effect.keep or {}), *(effect.persons or {})}
            else:
                found |= set(SEATED if effect == "seat_team" else WRITES.get(effect, ()))
        found |= {fact for register in action.spec.registers for fact in REPORTED.get(register, {})}
    return found


def _opening_faults(action: Action, newest: Mapping[str, Procedure], keeps: set[str]) -> Iterator[str]:
    if (opens := action.spec.opens) is None:
        return
    where = f"actions.{action.name}.opens"
    place = "procedure" if opens.procedure else "among"
    yield from (f"{where}.{place}: there is no procedure called {n}" for n in opens.procedures if n not in newest)
    for name in (newest[n] for n in opens.procedures if n in newest and opens.each):
        if name.states[name.spec.initial].editable:
            yield f"{where}.among: {name.name} begins with the applicant, so what is handled together would come apart"
    if opens.each:
        yield from (f"{where}: nobody keeps the fact {f}" for f in (opens.each, *opens.copies) if f not in keeps)


def _telling_faults(
    action: Action,
    procedure: Procedure,
    newest: Mapping[str, Procedure],
    parents: Iterable[Procedure],
    keeps: set[str],
) -> Iterator[str]:
    if (informs := action.spec.informs) is None:
        return
    where = f"actions.{action.name}.informs"
    if informs.to == "children":
        hearers: Iterable[Procedure] = [newest[n] for n in children_of(procedure) if n in newest]
    else:
        hearers = parents
    for hearer in hearers:
        yield from (f"{where}.{informs.to}: {why}" for why in _deaf(hearer, informs.action))
    facts = (*informs.carries, *([informs.which] if informs.which else []))
    yield from (f"{where}: nobody keeps the fact {f}" for f in facts if f not in keeps)


def _heard_faults(child: Procedure, parent: Procedure) -> Iterator[str]:
    """What a child tells, which its parent must be able to hear."""
    for action in child.actions:
        if (informs := action.spec.informs) and informs.to == "parent":
            told = f"{child.name} tells its parent {informs.action} with {action.name}, but"
            yield from (f"actions: {told} {why}" for why in _deaf(parent, informs.action))


def _deaf(hearer: Procedure, name: str) -> Iterator[str]:
    action = hearer.by_name.get(name)
    if action is None:
        yield f"{hearer.name} has no action called {name}"
    elif action.command is not Inform or action.spec.who != "is_the_system":
        yield f"{name} of {hearer.name} may not be told: it is not the system's with the command Inform"


def _informs_a_parent(procedure: Procedure) -> bool:
    return any(a.spec.informs and a.spec.informs.to == "parent" for a in procedure.actions)
