"""The clocks of a case that goes backwards: none is lost, none starts anew by a trick, and each rest has its ground.

Going forward, leaving the states of a clock stops it and entering them starts it; that is `clocks.turn`. A return
leaves the states of a clock although its duty is not done: such a clock is *held*. It rests on the ground that the
return names, or runs on where it names none, until its states are reached again or the case ends. A clock that had
stopped because its duty was done is taken up where it stopped when the case comes back into its states: the days
between do not count. Only one that the definition `restarts` begins anew. A recall puts back the clocks as they were.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from workflow.case import Case
from workflow.clocks import Law, turn
from workflow.deadlines import Clock, Outcome, reckon, rest, resume, stop
from workflow.procedure import Action, ClockSpec, Procedure
from workflow.reckoning import ONE_DAY
from workflow.suspension import suspended_for
from workflow.verbs.facts import HELD_CLOCKS, LAST_ACT

TAKEN_UP = "前次办结后至再次办理前"  # why a clock that is taken up again did not count the days between


def turned(
    procedure: Procedure, action: Action, before: Case, case: Case, target: str, on: date, law: Law, since: date | None
) -> tuple[tuple[Clock, ...], Mapping[str, str]]:
    """The clocks after the action, and the names of those that are held with their grounds ('': it runs on).

    `before` is the case as it was, `case` the same with its new facts, still in the old state. Raises `NoAllowance`.
    """
    if procedure.spec.verbs is None:
        return turn(procedure, case, target, on, law, since, action.name), {}
    if action.spec.verb == "recall":
        last = before.fact(LAST_ACT)
        return tuple(reckon(Clock.from_plain(c), law.calendar) for c in last["clocks"]), last["held"]
    held: dict[str, str] = {}
    kept: dict[str, Clock] = {}
    turning: list[Clock] = []
    for clock in case.clocks:
        ground = _held(procedure, action, case, clock, target)
        if ground is None:
            turning.append(_ready(procedure.spec.clocks[clock.name], clock, case, target, on, law))
            continue
        held[clock.name] = ground
        kept[clock.name] = _at_rest(procedure.spec.clocks[clock.name], clock, ground, case, on, law)
    turning_only = replace(case, clocks=tuple(turning))
    moved = {c.name: c for c in turn(procedure, turning_only, target, on, law, since, action.name)}
    order = dict.fromkeys([*(c.name for c in case.clocks), *moved])
    return tuple(kept.get(name) or moved[name] for name in order), held


def _held(procedure: Procedure, action: Action, case: Case, clock: Clock, target: str) -> str | None:
    """The ground on which the clock is held in `target`, '' when it runs on there; None when it is not held."""
    spec = procedure.spec.clocks[clock.name]
    if (
        clock.is_stopped
        or procedure.states[target].final
        or target in spec.runs_in
        or spec.track not in (None, case.track)
        or spec.until is not None  # what runs to a fixed day is not held up by anything
    ):
        return None
    known: Mapping[str, str] = case.fact(HELD_CLOCKS) or {}
    if clock.name in known:
        return known[clock.name]
    return (action.spec.rests or "") if action.spec.verb == "return" and target not in spec.rests_in else None


def _ready(spec: ClockSpec, clock: Clock, case: Case, target: str, on: date, law: Law) -> Clock:
    """The clock as it is handed to `turn`: taken up again where its duty had been done."""
    if target not in spec.runs_in or target == case.state or spec.track not in (None, case.track):
        return clock
    was_held = clock.name in (case.fact(HELD_CLOCKS) or {})
    if was_held and clock.is_resting and clock.rests[-1].since == on:  # there and back on one day: it never rested
        return reckon(replace(clock, rests=clock.rests[:-1]), law.calendar)
    if spec.restarts:
        return stop(clock, on, law.calendar, Outcome.DROPPED) if was_held and clock.is_resting else clock
    if clock.outcome not in (Outcome.MET, Outcome.MISSED) or spec.until is not None:
        return clock
    assert clock.stopped_on is not None
    again = replace(clock, stopped_on=None, outcome=None)
    if clock.stopped_on < on:
        again = resume(rest(again, clock.stopped_on + ONE_DAY, TAKEN_UP, law.calendar), on, law.calendar)
    return reckon(again, law.calendar)


def _at_rest(spec: ClockSpec, clock: Clock, ground: str, case: Case, on: date, law: Law) -> Clock:
    """The held clock resting on its ground, or on that of a suspension; running when there is neither."""
    why = ground or next((g for g in suspended_for(case) if g in spec.rests_for), "")
    if clock.is_resting and clock.rests[-1].ground == why:
        return clock
    if clock.is_resting:
        clock = resume(clock, on, law.calendar)
    return rest(clock, on, why, law.calendar) if why else clock
