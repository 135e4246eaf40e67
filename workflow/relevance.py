"""Which facts still matter where: those that somebody may look at before they are written anew.

The usual data-flow analysis, backwards along the actions. What matters nowhere later is dropped from a situation,
so that two situations which differ only in it are one; nothing that may happen is lost by it.
"""

from collections.abc import Mapping

from workflow.abstraction import ANSWERS, Vocabulary
from workflow.procedure import Action, EffectSpec, Procedure
from workflow.surroundings import ANY, EDITED, REPORTED
from workflow.verbs.facts import ASSIGNMENTS, LAST_ACT, REMINDED, SILENT

EDITED_ANEW = frozenset(f for f, v in EDITED.items() if v is ANY)
# What the verbs note without making a difference to what may happen next. A reminder is there again another day; work
# that was transferred can be done, or transferred on, by whoever has it.
LEFT_OUT = SILENT | {REMINDED, ASSIGNMENTS}
RECALL = "recall"
Place = tuple[str, str]  # state, track


def mattering(procedure: Procedure, vocabulary: Vocabulary) -> Mapping[Place, frozenset[str]]:
    """State and track -> the facts (and ANSWERS) that matter to a case that stands there and cannot be recalled."""
    places = [(s, t) for s in procedure.states for t in procedure.spec.tracks]
    matters: dict[Place, set[str]] = {
        (s, t): _duty_facts(procedure, s) | vocabulary.seen_by(s) for s, t in places
    }
    ways = [
        (place, action, vocabulary.seen_by(action.name), written(action), target)
        for place in places
        for action in procedure.leaving(place[0])
        if action.spec.track in (None, place[1]) and action.spec.verb != RECALL
        for target in targets(action, place)
    ]
    for place, _, seen, _, _ in ways:
        matters[place] |= seen
    changed = True
    while changed:
        changed = False
        for place, _, _, wrote, target in ways:
            kept = matters[target] - wrote
            if procedure.states[target[0]].editable:
                kept = kept - EDITED_ANEW  # they are open again on arrival
            if not kept <= matters[place]:
                matters[place] |= kept
                changed = True
    # What a recall would put back is nothing where nobody can recall; it is read only to be dropped.
    left_out = LEFT_OUT if any(a.spec.verb == RECALL for a in procedure.actions) else LEFT_OUT | {LAST_ACT}
    return {
        p: frozenset() if procedure.states[p[0]].final else frozenset(found - left_out)
        for p, found in matters.items()
    }


def targets(action: Action, place: Place) -> list[Place]:
    state = action.target or place[0]
    tracks = [e.track for e in action.spec.effects if isinstance(e, EffectSpec) and e.track]
    return [(state, tracks[-1] if tracks else place[1])]


def written(action: Action) -> frozenset[str]:
    """The facts that the action surely writes, whatever they were."""
    found: set[str] = set()
    for effect in action.spec.effects:
        if isinstance(effect, EffectSpec):
            found |= {*(effect.set or {}), *(effect.keep or {}), *(effect.persons or {})}
    for register in action.spec.registers:
        found |= set(REPORTED.get(register, {}))
    return frozenset(found)


def _duty_facts(procedure: Procedure, state: str) -> set[str]:
    specs = procedure.states[state].duties
    facts = {f for d in specs for f in (d.each, d.unless, d.person, d.persons) if f}
    return facts | ({ANSWERS} if any(d.each for d in specs) else set())
