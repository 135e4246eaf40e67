"""Proof before activation: every way a case can go under a procedure, looked at through the engine itself.

What is proved is what runs: the explorer calls `engine.permit` and `engine.fire` on cases whose undecided facts are
decided only when somebody looks at them (`abstraction`), reduces what comes out to what makes a difference (`ways`)
and looks for each property in all of it (`properties`). What it takes for granted is written in `surroundings`.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from workflow.abstraction import Unknowable
from workflow.allowances import Allowance
from workflow.procedure import Procedure
from workflow.proofs import Proof, Property, Standing, Verdict
from workflow.properties import TITLES, left_to_act, limits, looked_at, words
from workflow.specimens import NoSpecimen
from workflow.stories import say
from workflow.surroundings import ANY, Staff, invented_staff, staff_of
from workflow.vocabulary import Actor, Message
from workflow.ways import TooMany, Ways


def prove(
    procedure: Procedure,
    *,
    people: Iterable[Actor] | None = None,
    departments: Collection[str] | None = None,
    allowances: Iterable[Allowance] | None = None,
    given: Collection[str] = (),
    max_states: int = 200_000,
) -> Proof:
    """Explore the procedure and say of each property whether it holds.

    `people`: everyone who works for the bureau today (active accounts, one Actor each); None leaves the property
    "somebody is left to act" unasked. `departments`: those that an application may call for (None: those that have
    an officer). `allowances`: the rows in force; None leaves unasked whether every limit has its article. `given`:
    facts that a case is opened with (a child case has its parent's). Pure; takes seconds.
    """
    properties: list[Property] = [words(procedure)]
    facts = dict.fromkeys(given, ANY)
    states = transitions = 0
    ways, why = _explored(procedure, invented_staff(procedure), facts, max_states)
    if ways is None:
        properties += [_undecided(key, why) for key in list(TITLES)[1:-2]]
    else:
        states, transitions = len(ways.found), ways.transitions
        properties += looked_at(ways)
    properties.append(limits(procedure, allowances))
    bureau = None if people is None else staff_of(people, departments)
    if bureau is None:
        asked = say("The people of the bureau were not given.", "未提供机关人员。")
        properties.append(Property("somebody_is_left", TITLES["somebody_is_left"], Standing.NOT_ASKED, asked))
    elif any(p.standing is not Standing.HOLDS for p in properties[1:-1]):
        properties.append(
            _undecided(
                "somebody_is_left", say("First the procedure itself has to be sound.", "须先使程序本身无误。")
            )
        )
    else:
        ways, why = _explored(procedure, bureau, facts, max_states)
        properties.append(_undecided("somebody_is_left", why) if ways is None else left_to_act(ways))
        if ways is not None:
            states, transitions = states + len(ways.found), transitions + ways.transitions
    return Proof(
        verdict=_verdict(properties),
        procedure=procedure.name,
        version=procedure.version,
        digest=procedure.digest,
        properties=tuple(properties),
        states_visited=states,
        transitions=transitions,
        story=min((p.story for p in properties if p.story), key=lambda s: len(s.steps), default=None),
        people_digest=None if bureau is None else _digest(bureau),
    )


def _explored(
    procedure: Procedure, staff: Staff, facts: Mapping[str, Any], max_states: int
) -> tuple[Ways | None, Message]:
    try:
        return Ways(procedure, staff, facts, max_states), say("", "")
    except TooMany:
        return None, say(
            "Broken off after %(number)s situations: too many to look at.",
            "已检视 %(number)s 种情形仍未穷尽，检验中止。",
            number=max_states,
        )
    except Unknowable as unknown:
        return None, say(
            "Nobody has said which values of %(name)s make a difference.",
            "尚未说明 %(name)s 的哪些取值会有差别。",
            name=str(unknown.args[0]),
        )
    except NoSpecimen as unknown:
        return None, say(
            "Nobody has said what %(name)s may ask for.",
            "尚未说明 %(name)s 可以请求什么。",
            name=str(unknown.args[0]),
        )


def _undecided(key: str, why: Message) -> Property:
    return Property(key, TITLES[key], Standing.UNDECIDED, why)


def _verdict(properties: Iterable[Property]) -> Verdict:
    found = {p.standing for p in properties}
    if Standing.FAILS in found:
        return Verdict.REFUSED
    return Verdict.UNDECIDED if Standing.UNDECIDED in found else Verdict.PROVED


def _digest(staff: Staff) -> str:
    """SHA-256 over who may do what: persons, roles and departments, no names."""
    people = sorted([p.person_id, sorted(p.roles), p.department or ""] for p in staff.people)
    return hashlib.sha256(json.dumps([people, sorted(staff.departments)]).encode()).hexdigest()
