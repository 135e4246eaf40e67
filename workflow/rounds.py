"""The rounds of a sign-off: what an answer rested on, which answers stand in the next round, and why the others fell.

An answer is given on a case as it was. `stamped` keeps the digest of every subject that the definition says the
answer rests on; when the sign-off is entered again (after a return, or because the leader asks again), `entered`
opens the next round and copies into it the answers whose subjects are as they were and that nobody asked for anew.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from workflow import sign_offs
from workflow.case import Case, SignOff
from workflow.commands import AskAgain, Command

if TYPE_CHECKING:
    from workflow.procedure import Procedure

CLOSED = "sign_off_closed"  # fact: the round that the leader closed without the silent
SILENCE = "sign_off_silence"  # fact: the round in which the time for the answers ran out
_EVERYBODY = "each"


def subjects_of(procedure: "Procedure", department: str) -> tuple[str, ...]:
    """The facts (or parts of facts) that the answer of a department rests on; () when the definition names none."""
    if procedure.sign_off_state is None:
        return ()
    declared = procedure.states[procedure.sign_off_state].subjects
    named = declared.get(department, declared.get(_EVERYBODY, ()))
    return tuple(subject.replace("{department}", department) for subject in named)


def digests(procedure: "Procedure", department: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """Subject -> digest (32 hexadecimal digits of SHA-256) of its value on a case with these facts."""
    return {subject: _digest(_found(facts, subject)) for subject in subjects_of(procedure, department)}


def changed_for(procedure: "Procedure", answer: SignOff, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The subjects of an answer that are not what they were when it was given, in the order of the definition.

    What the definition has come to name since (a case may be moved to another version) counts as changed."""
    now = digests(procedure, answer.department, facts)
    return tuple(subject for subject, digest in now.items() if answer.rests_on.get(subject) != digest)


def stamped(procedure: "Procedure", before: Case, after: Case) -> Case:
    """The case with what its new answers rest on. Nothing changes where the definition has no sign-off rule."""
    known = len(before.sign_offs)
    if procedure.sign_off_rule is None or len(after.sign_offs) == known:
        return after
    new = (
        s if s.carried_from else replace(s, rests_on=digests(procedure, s.department, before.facts))
        for s in after.sign_offs[known:]
    )
    return replace(after, sign_offs=(*after.sign_offs[:known], *new))


def entered(
    procedure: "Procedure", before: Case, after: Case, target: str, command: Command
) -> tuple[Case, Mapping[str, Any]]:
    """The case as it enters `target`, and what the record says of it: ({} when no new round begins).

    The record: `round`, `stand` (department -> the round its answer stands from), `changed` (department -> the
    subjects that changed), `again` (departments that are asked anew whatever changed)."""
    if target != procedure.sign_off_state or before.state == target or after.round != before.round:
        return after, {}
    answers = after.current_sign_offs()
    used = answers or after.round in (after.fact(CLOSED), after.fact(SILENCE))
    if not used and not isinstance(command, AskAgain):
        return after, {}
    named = command.departments if isinstance(command, AskAgain) else ()
    stand, changed = standing_answers(procedure, after, named)
    number = after.round + 1
    kept = tuple(replace(s, round=number, carried_from=s.carried_from or s.round) for s in stand)
    record = {
        "round": number,
        "stand": {s.department: s.carried_from for s in kept},
        "changed": {department: list(subjects) for department, subjects in changed.items()},
        "again": [d for d in named if d not in changed],
    }
    return replace(after, round=number, sign_offs=(*after.sign_offs, *kept)), record


def standing_answers(
    procedure: "Procedure", case: Case, again: tuple[str, ...] = ()
) -> tuple[tuple[SignOff, ...], Mapping[str, tuple[str, ...]]]:
    """The answers of the present round that would stand in the next, and department -> changed subjects of the others.

    An answer of a definition that names no subjects rests on everything and never stands. A recusal is about the
    person and stands whatever changed; only asking that department again sets it aside."""
    asked = procedure.asked(case.facts)
    answers = {s.department: s for s in case.current_sign_offs() if s.department in asked and s.department not in again}
    changed = {d: changed_for(procedure, s, case.facts) for d, s in answers.items()}
    # Each answer has its own past: what changed before it was given does not touch it.
    rests = {d: changed[d] for d in answers if subjects_of(procedure, d)}
    everything = {subject for subjects in changed.values() for subject in subjects} | {"*"}
    verdicts = {d: s.verdict for d, s in answers.items()}
    found = sign_offs.carried(verdicts, everything, rests)
    return tuple(answers[d] for d in found.stand), {d: changed[d] for d in found.lost}


def closed_without_the_silent(case: Case) -> bool:
    return bool(case.fact(CLOSED) == case.round)


def _found(facts: Mapping[str, Any], subject: str) -> Any:
    value: Any = facts
    for part in subject.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(text.encode()).hexdigest()[:32]
