"""What follows from a verb. Like every effect: (case, actor, command) to the next case, and nothing else is touched."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from workflow.case import Case
from workflow.commands import Command
from workflow.suspension import SUSPENDED, resume_all, suspend
from workflow.verb_commands import (
    AddSigner,
    Advise,
    Consult,
    CopyTo,
    RemoveSigner,
    Return,
    Suspend,
    Transfer,
)
from workflow.verbs import facts as f
from workflow.vocabulary import OF_A_DEPARTMENT, Actor, Role

Effect = Callable[[Case, Actor, Command], Case]
_DESK = (f.RETURN_TO, f.ASSIGNMENTS, f.CONSULTATIONS)


def clear_the_desk(case: Case, actor: Actor, command: Command) -> Case:
    """What was noted about the step that is done now is over: its hand-back, its persons, its reminders."""
    changed: dict[str, Any] = {
        name: {state: kept for state, kept in case.fact(name).items() if state != case.state}
        for name in _DESK
        if case.state in (case.fact(name) or {})
    }
    if case.fact(f.RETURN_REASON):
        changed[f.RETURN_REASON] = ""
    if case.fact(f.REMINDED):
        changed[f.REMINDED] = {}
    return close_recall(case.with_facts(**changed) if changed else case, actor, command)


def close_recall(case: Case, actor: Actor, command: Command) -> Case:
    """Somebody has acted: what was done before cannot be recalled any more."""
    return case.with_facts(**{f.LAST_ACT: None}) if case.fact(f.LAST_ACT) else case


def open_recall(act: str, changes: tuple[str, ...]) -> Effect:
    """Keep how the case stood before `act`, which changes the facts named; a recall puts exactly that back."""

    def effect(case: Case, actor: Actor, command: Command) -> Case:
        cleared = clear_the_desk(case, actor, command)
        names = {*changes, *(n for n in cleared.facts if cleared.facts[n] is not case.fact(n))} - {f.LAST_ACT}
        kept = {
            "act": act,
            "from": case.state,
            "persons": list(actor.persons),
            "track": case.track,
            "facts": {name: case.fact(name) for name in sorted(names)},
            "clocks": [clock.plain() for clock in case.clocks],
            "held": dict(case.fact(f.HELD_CLOCKS) or {}),
        }
        return cleared.with_facts(**{f.LAST_ACT: kept})

    effect.__name__ = "open_recall"
    return effect


def take_back(case: Case, actor: Actor, command: Command) -> Case:
    """Put back what the last act changed; the clocks are put back where clocks are turned."""
    last = case.fact(f.LAST_ACT)
    facts = {**last["facts"], f.LAST_ACT: None, f.HELD_CLOCKS: last["held"]}
    return replace(case, track=last["track"]).with_facts(**facts)


def send_back(target: str) -> Effect:
    """Note to where the work is handed straight back, or that the case goes on in order, and why it was returned."""

    def effect(case: Case, actor: Actor, command: Command) -> Case:
        assert isinstance(command, Return)
        ways = {s: to for s, to in (case.fact(f.RETURN_TO) or {}).items() if to != case.state and s != target}
        if command.way == "straight_back":
            ways[target] = case.state
        kept = {} if case.state in ways.values() else {f.ASSIGNMENTS: _without(case, f.ASSIGNMENTS)}
        consulted = {f.CONSULTATIONS: _without(case, f.CONSULTATIONS)}
        facts = {f.RETURN_TO: ways, f.RETURN_REASON: command.reason, f.REMINDED: {}, **kept, **consulted}
        return close_recall(case.with_facts(**facts), actor, command)

    effect.__name__ = f"send_back_to_{target}"
    return effect


def _without(case: Case, name: str) -> dict[str, Any]:
    return {state: kept for state, kept in (case.fact(name) or {}).items() if state != case.state}


def drop_added_signers(case: Case, actor: Actor, command: Command) -> Case:
    """The application goes back to the applicant: who is asked follows from the application again."""
    added = case.fact(f.ADDED_SIGNERS)
    if not added:
        return case
    departments = [d for d in case.fact("departments") or () if d not in added]
    return case.with_facts(**{"departments": departments, f.ADDED_SIGNERS: {}})


def _duty_of(role: Role, actor: Actor) -> str:
    holder = f"department:{actor.department}" if role in OF_A_DEPARTMENT else ""
    return f.duty_key(role, holder)


def _assigned_to(case: Case, key: str, person: str) -> Case:
    here = {**f.of_state(case.facts, f.ASSIGNMENTS, case.state), key: person}
    return case.with_facts(**{f.ASSIGNMENTS: {**(case.fact(f.ASSIGNMENTS) or {}), case.state: here}})


def keep_for_me(role: Role) -> Effect:
    """Straight back to me: the duty, once it is back, is with the person who returned the case."""

    def effect(case: Case, actor: Actor, command: Command) -> Case:
        assert isinstance(command, Return)
        if command.way != "straight_back":
            return case
        return _assigned_to(case, _duty_of(role, actor), actor.seat.person_id)

    effect.__name__ = f"keep_for_me_as_{role.value}"
    return effect


def hand_over(role: Role) -> Effect:
    """The duty is with the person named; a reminder to somebody else does not count for them."""

    def effect(case: Case, actor: Actor, command: Command) -> Case:
        assert isinstance(command, Transfer)
        key = _duty_of(role, actor)
        again = f.reminded_key(key)
        reminded = {k: day for k, day in (case.fact(f.REMINDED) or {}).items() if k != again}
        return _assigned_to(case, key, command.person).with_facts(**{f.REMINDED: reminded})

    effect.__name__ = f"hand_over_as_{role.value}"
    return effect


def ask_for_advice(role: Role) -> Effect:
    """The duty rests with the person asked until advice is given or the question is taken back."""

    def effect(case: Case, actor: Actor, command: Command) -> Case:
        assert isinstance(command, Consult)
        key, me = _duty_of(role, actor), actor.seat.person_id
        asked = {"person": command.person, "role": command.role, "by": me, "question": command.question}
        here = {**f.consultations(case), key: asked}
        return case.with_facts(**{f.CONSULTATIONS: {**(case.fact(f.CONSULTATIONS) or {}), case.state: here}})

    effect.__name__ = f"ask_for_advice_as_{role.value}"
    return effect


def _come_back(case: Case, keys: Mapping[str, Any]) -> Case:
    """The duties whose consultation is over are with whoever asked."""
    here = {k: asked for k, asked in f.consultations(case).items() if k not in keys}
    rest = {**_without(case, f.CONSULTATIONS), **({case.state: here} if here else {})}
    for key, asked in keys.items():
        case = _assigned_to(case, key, asked["by"])
    return case.with_facts(**{f.CONSULTATIONS: rest})


def give_advice(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, Advise)
    mine = {k: asked for k, asked in f.consultations(case).items() if asked["person"] == actor.seat.person_id}
    return _come_back(case, mine)


def stop_asking(case: Case, actor: Actor, command: Command) -> Case:
    """The question is taken back by whoever asked."""
    mine = {k: asked for k, asked in f.consultations(case).items() if asked["by"] == actor.seat.person_id}
    return _come_back(case, mine)


def add_signer(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, AddSigner)
    departments = [*(case.fact("departments") or ()), command.department]
    added = {**(case.fact(f.ADDED_SIGNERS) or {}), command.department: command.place}
    return case.with_facts(**{"departments": departments, f.ADDED_SIGNERS: added})


def remove_signer(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, RemoveSigner)
    departments = [d for d in case.fact("departments") or () if d != command.department]
    added = {d: place for d, place in case.fact(f.ADDED_SIGNERS).items() if d != command.department}
    key = f.duty_key(Role.DEPARTMENT_OFFICER, f"department:{command.department}")
    passed_on = {name: _without_duty(case, name, key) for name in (f.ASSIGNMENTS, f.CONSULTATIONS)}
    return case.with_facts(**{"departments": departments, f.ADDED_SIGNERS: added, **passed_on})


def _without_duty(case: Case, name: str, key: str) -> dict[str, Any]:
    here = {k: held for k, held in f.of_state(case.facts, name, case.state).items() if k != key}
    return {**_without(case, name), **({case.state: here} if here else {})}


def suspend_on_ground(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, Suspend)
    on = case.on.isoformat() if case.on else ""
    return suspend(case, command.ground).with_facts(**{f.SUSPENDED_ON: on})


def end_suspension(case: Case, actor: Actor, command: Command) -> Case:
    if not case.fact(SUSPENDED) and not case.fact(f.SUSPENDED_ON):
        return case
    return resume_all(case).with_facts(**{f.SUSPENDED_ON: ""})


def note_reminder(case: Case, actor: Actor, command: Command) -> Case:
    """Today is the day of the last reminder of everything that is open now."""
    owing = [d for d in case.fact("departments") or () if d not in case.answered()]
    keys = ["*", *(f.duty_key(Role.DEPARTMENT_OFFICER, f"department:{d}") for d in owing)]
    on = case.on.isoformat() if case.on else ""
    return case.with_facts(**{f.REMINDED: {**(case.fact(f.REMINDED) or {}), **dict.fromkeys(keys, on)}})


def give_copy(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, CopyTo)
    return case.with_facts(**{f.COPIES: list(dict.fromkeys([*(case.fact(f.COPIES) or ()), *command.persons]))})


NAMED: dict[str, Effect] = {
    e.__name__: e
    for e in (
        clear_the_desk,
        close_recall,
        take_back,
        drop_added_signers,
        give_advice,
        stop_asking,
        add_signer,
        remove_signer,
        suspend_on_ground,
        end_suspension,
        give_copy,
        note_reminder,
        *(make(role) for role in Role for make in (keep_for_me, hand_over, ask_for_advice)),
    )
}
