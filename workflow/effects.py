"""What follows. An effect turns (case, actor, command) into the next case; it touches nothing else.

`set` and `keep` are written in the definition; the named ones here are those that need more than a value.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from workflow.case import Case, SignOff
from workflow.commands import Command, OrganiseReview, RecordSignOff
from workflow.rounds import CLOSED, SILENCE
from workflow.vocabulary import SYSTEM, Actor

Effect = Callable[[Case, Actor, Command], Case]


def open_new_round(case: Case, actor: Actor, command: Command) -> Case:
    return replace(case, round=case.round + 1)


def record_sign_off(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, RecordSignOff) and actor.department is not None
    entry = SignOff(actor.department, command.verdict, case.round, actor.person_id, command.opinion)
    return replace(case, sign_offs=(*case.sign_offs, entry))


def note_silence(case: Case, actor: Actor, command: Command) -> Case:
    """The time for the answers of this round is over."""
    return case.with_facts(**{SILENCE: case.round})


def close_without_the_silent(case: Case, actor: Actor, command: Command) -> Case:
    """The leader decides without waiting any longer; whoever is silent stays unheard in this round."""
    return case.with_facts(**{CLOSED: case.round})


def count_correction(case: Case, actor: Actor, command: Command) -> Case:
    return case.with_facts(corrections=case.fact("corrections", 0) + 1)


def seat_team(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, OrganiseReview)
    others = [m for m in command.members if m != command.leader]
    return case.with_facts(team_leader=command.leader, team=list(command.members), team_others=others)


NAMED: dict[str, Effect] = {
    e.__name__: e
    for e in (
        open_new_round, record_sign_off, note_silence, close_without_the_silent, count_correction, seat_team)
}


def set_facts(facts: Mapping[str, Any]) -> Effect:
    def effect(case: Case, actor: Actor, command: Command) -> Case:
        return case.with_facts(**facts)

    effect.__name__ = "set"
    return effect


def keep_fields(fields: Mapping[str, str]) -> Effect:
    """Copy fields of the command into facts: fact name -> field name."""

    def effect(case: Case, actor: Actor, command: Command) -> Case:
        payload = command.payload()
        return case.with_facts(**{fact: payload[field] for fact, field in fields.items()})

    effect.__name__ = "keep"
    return effect


def keep_persons(acts: Mapping[str, tuple[str, ...]]) -> Effect:
    """Write down who took part: fact -> the acts whose takers stand in it, beside those of the present act."""

    def effect(case: Case, actor: Actor, command: Command) -> Case:
        found = {fact: {*case.persons_who(*names), *actor.persons} - {SYSTEM.person_id} for fact, names in acts.items()}
        return case.with_facts(**{fact: sorted(persons) for fact, persons in found.items()})

    effect.__name__ = "persons"
    return effect


def take_track(track: str) -> Effect:
    def effect(case: Case, actor: Actor, command: Command) -> Case:
        return replace(case, track=track)

    effect.__name__ = f"take_{track}_track"
    return effect
