"""The one door. Buttons, forms, the API and the clock all ask here; nothing else changes a state.

`offers` says what a person could do, `permit` whether one thing may be done, `fire` what doing it means. All
three are pure: the result of `fire` is a list of steps, and nothing has happened until the store writes them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from transitions import Machine

from workflow import rounds
from workflow.case import Act, Case
from workflow.clocks import Law
from workflow.commands import Command, Plain
from workflow.delegation import in_force, not_covered
from workflow.extension import extended, not_extendable
from workflow.held_clocks import turned
from workflow.procedure import Action, Procedure
from workflow.rules import conflict, second_answer, took_part_before, withdrew
from workflow.verbs.facts import HELD_CLOCKS, is_the_occasion
from workflow.vocabulary import N_, SYSTEM, Actor, Message, Refusal

logging.getLogger("transitions").setLevel(logging.WARNING)  # it tells every callback of every step


@dataclass(frozen=True, slots=True)
class Offer:
    """An action this person could take here: `unmet` is None when it would work, else why not yet."""

    action: Action
    unmet: Message | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One transition that was found lawful: what was, what is, who, with what.

    `record` is what the engine itself has to say of it, beyond the command: which answers stand in a new round."""

    action: Action
    actor: Actor
    command: Command
    before: Case
    after: Case
    record: Mapping[str, Any] = field(default_factory=dict)


def offers(procedure: Procedure, case: Case, actor: Actor) -> list[Offer]:
    """Every action this person could take here; hidden when it is not theirs, reasoned when not yet."""
    return [
        Offer(action, _obstacle(procedure, action, case, actor))
        for action in procedure.leaving(case.state)
        if _is_shown(procedure, action, case, actor)
    ]


def permit(procedure: Procedure, case: Case, name: str, actor: Actor) -> Action:
    """The action, if this person may take it on this case now; otherwise a Refusal saying why not."""
    action = procedure.by_name.get(name)
    if action is None:
        raise Refusal("unknown", Message(N_("There is no action called %(name)s."), {"name": name}))
    if not action.who(actor.seat, case):
        raise Refusal("forbidden", Message(N_("This step is not yours to take.")))
    if reason := not_covered(procedure, action, actor):
        raise Refusal("forbidden", reason)
    if case.state not in action.sources or not _applies(action, case):
        raise Refusal(
            "unavailable", Message(N_("This step is not possible any more: the case has moved on."))
        )
    if reason := _conflict(action, case, actor):
        raise Refusal("forbidden", reason)
    if reason := _unmet(procedure, action, case, actor, None):
        raise Refusal("unmet", reason)
    return action


def fire(
    procedure: Procedure, case: Case, name: str, actor: Actor, command: Command, on: date, law: Law
) -> list[Step]:
    """Take one action, then every automatic action it makes possible. All or nothing.

    `on` is the local date of the act and `law` the calendar and allowances in force. Raises Refusal.
    """
    case = case.looked_at(on)
    action = permit(procedure, case, name, actor)
    if reason := in_force(actor, on):
        raise Refusal("forbidden", reason)
    if type(command) is not action.command:
        raise Refusal(
            "malformed", Message(N_("This step needs %(command)s."), {"command": action.command.__name__})
        )
    if reason := _unmet(procedure, action, case, actor, command, on):
        raise Refusal("unmet", reason)
    return follow(procedure, _take(procedure, action, case, actor, command, on, law), on, law)


def follow(procedure: Procedure, step: Step, on: date, law: Law) -> list[Step]:
    """The step and the automatic actions after it, each at most once, so the chain is finite."""
    steps = [step]
    while automatic := _automatic(procedure, steps[-1].after):
        if any(s.action is automatic for s in steps):
            break
        steps.append(_take(procedure, automatic, steps[-1].after, SYSTEM, Plain(), on, law))
    return steps


def _automatic(procedure: Procedure, case: Case) -> Action | None:
    return next(
        (
            a
            for a in procedure.leaving(case.state)
            if a.automatic
            and _applies(a, case)
            and not _unmet(procedure, a, case, SYSTEM, None)
        ),
        None,
    )


def _applies(action: Action, case: Case) -> bool:
    """Whether the action belongs to the track and the occasion of the case: else it is not there at all."""
    spec = action.spec
    return spec.track in (None, case.track) and (not spec.occasion or is_the_occasion(spec.occasion, case))


def _is_shown(procedure: Procedure, action: Action, case: Case, actor: Actor) -> bool:
    return (
        not action.automatic
        and _applies(action, case)
        and action.who(actor.seat, case)
        and not not_covered(procedure, action, actor)
    )


def _obstacle(procedure: Procedure, action: Action, case: Case, actor: Actor) -> Message | None:
    return _conflict(action, case, actor) or _unmet(procedure, action, case, actor, None)


def _conflict(action: Action, case: Case, actor: Actor) -> Message | None:
    return (
        conflict(case, actor, action.spec.apart_from, action.on_applicant_side)
        or took_part_before(case, actor, action.spec.apart_from_persons)
        or (second_answer(case, actor) or withdrew(case, actor) if action.spec.side_by_side else None)
    )


def _unmet(
    procedure: Procedure, action: Action, case: Case, actor: Actor, command: Command | None, on: date | None = None
) -> Message | None:
    if action.spec.extends and (reason := not_extendable(case, action.spec.extends, on)):
        return reason
    return next(
        (reason for guard in action.guards if (reason := guard(procedure, case, actor.seat, command))), None
    )


def _take(
    procedure: Procedure, action: Action, case: Case, actor: Actor, command: Command, on: date, law: Law
) -> Step:
    after = case
    for effect in action.effects:
        after = effect(after, actor, command)
    target = _target(procedure, action.name, case.state)
    after, record = rounds.entered(procedure, case, rounds.stamped(procedure, case, after), target, command)
    since = next((c.started_on for c in case.clocks if c.name == action.spec.since), None)
    still = after if after.state == case.state else replace(after, state=case.state)
    clocks, held = turned(procedure, action, case, still, target, on, law, since)
    if held != (after.fact(HELD_CLOCKS) or {}):
        after = after.with_facts(**{HELD_CLOCKS: dict(held)})
    if action.spec.extends:
        clocks = extended(clocks, action.spec.extends, command, on, law)
    acts = [act for act in (Act(action.name, p) for p in actor.persons) if act not in after.acts]
    after = after.after_a_step(target, clocks, (*after.acts, *acts) if acts else after.acts)
    return Step(action, actor, command, case, after, record)


@dataclass(slots=True)
class _Pawn:
    """What the machine moves. It is never registered with the machine, so the machine keeps no reference."""

    state: str


def _target(procedure: Procedure, name: str, state: str) -> str:
    """Where the machine goes. It has no conditions and no callbacks, so what it said once it would say again."""
    if (known := procedure.turns.get((name, state))) is None:
        pawn = _Pawn(state)
        machine_for(procedure).events[name].trigger(pawn)
        known = procedure.turns[name, state] = pawn.state
    return known


_machines: dict[str, Machine] = {}


def machine_for(procedure: Procedure) -> Machine:
    """One shared machine per procedure version, keyed by the digest of its definition."""
    if procedure.digest not in _machines:
        _machines[procedure.digest] = Machine(
            model=None,
            states=list(procedure.states),
            initial=procedure.spec.initial,
            auto_transitions=False,
            transitions=[
                {"trigger": a.name, "source": list(a.sources), "dest": a.target or "="}
                for a in procedure.actions
            ],
        )
    return _machines[procedure.digest]
