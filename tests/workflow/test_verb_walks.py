"""Cases that go any way the verbs allow, in any order: what is never lost, never left over and never done twice."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from random import Random

import pytest

from proof.verb_pairs import PEOPLE, asks
from tests.workflow.verb_walk import CMA, LAW, MONDAY, walk_to
from workflow import held_clocks
from workflow.case import Case
from workflow.clocks import lapsed
from workflow.commands import Command, Plain
from workflow.deadlines import Clock
from workflow.engine import fire
from workflow.procedure import Action, duties
from workflow.verbs import facts
from workflow.vocabulary import SYSTEM, Actor, Refusal, Role

WALKS, STEPS = 400, 40
BEGUN = ("submitted", "accepted", "under_review", "awaiting_sign_off", "awaiting_decision")
REMARKS = ("remind", "copy", "comment")
ENDS = frozenset(s for s, spec in CMA.states.items() if spec.final)


def walk(seed: int) -> Iterator[tuple[Case, Case, Action, date]]:
    """A case that takes lawful steps at random: (before, after, action, day) of each; days pass in between."""
    chance = Random(seed)
    day, case = MONDAY, begun(chance.choice(BEGUN))
    for _ in range(STEPS):
        if case.state in ENDS:
            return
        day += timedelta(days=chance.choice((0, 0, 1, 3)))
        for name in lapsed(CMA, case.clocks, day)[:1]:
            after = fire(CMA, case, name, SYSTEM, Plain(), day, LAW)[-1].after
            yield case, after, CMA.by_name[name], day
            case = after
        for action, actor, command in _some(chance, case.state):
            if not action.who(actor, case):
                continue
            try:
                steps = fire(CMA, case, action.name, actor, command, day, LAW)
            except Refusal:
                continue
            yield steps[0].before, steps[-1].after, action, day  # what follows by itself belongs to the step
            case = steps[-1].after
            break


@cache
def begun(state: str) -> Case:
    return walk_to(state).case


@cache
def _everything(state: str) -> dict[str, list[tuple[Action, Actor, Command]]]:
    """What might be tried in a state: going on, a verb, a remark, an end of the case."""
    found: dict[str, list[tuple[Action, Actor, Command]]] = {"on": [], "verb": [], "remark": [], "end": []}
    for action in CMA.leaving(state):
        if not action.automatic and action.spec.who != "is_the_system":
            kind = "end" if action.target in ENDS else "on" if action.spec.verb is None else (
                "remark" if action.spec.verb in REMARKS else "verb")  # fmt: skip
            found[kind] += [(action, actor, command) for actor in PEOPLE for command in asks(action)]
    return found


def _some(chance: Random, state: str) -> Iterator[tuple[Action, Actor, Command]]:
    """The possibilities one after another: most often a step on or a verb, an end only when nothing else is left."""
    kinds = chance.choices((("on", "verb", "remark"), ("verb", "on", "remark"), ("remark", "verb", "on")), (5, 5, 1))[0]
    for kind in (*kinds, "end"):
        here = list(_everything(state)[kind])
        by_name = sorted({action.name for action, _, _ in here})
        chance.shuffle(here)
        chance.shuffle(by_name)  # every action alike, however many people and commands it has
        for name in by_name:
            yield from (way for way in here if way[0].name == name)


Law = Callable[[Case, Case, Action, date], bool]


def _duties(case: Case) -> set[tuple[str, str]]:
    return {(d.role.value, d.holder)
            for d in duties(CMA, case.state, case.agency_id, case.facts, case.answered())}  # fmt: skip


def _same_or_later(before: Clock, after: Clock) -> bool:
    if before.due_on is None or after.due_on is None or after.started_on != before.started_on:
        return True
    return after.due_on >= before.due_on


LAWS: dict[str, Law] = {
    "somebody has the work of an open case": lambda b, a, act, day: CMA.states[a.state].final or bool(_duties(a)),
    "a finished case is nobody's work": lambda b, a, act, day: not CMA.states[a.state].final or not _duties(a),
    "a finished case has no limit under way": lambda b, a, act, day: (
        not CMA.states[a.state].final or all(c.is_stopped for c in a.clocks)),
    "no limit is lost": lambda b, a, act, day: (
        act.spec.verb == "recall" or {c.name for c in b.clocks} <= {c.name for c in a.clocks}),
    "no limit is there twice": lambda b, a, act, day: len({c.name for c in a.clocks}) == len(a.clocks),
    "a limit goes on only where it runs or rests, or where a return holds it": lambda b, a, act, day: all(
        c.is_stopped or a.state in {*CMA.spec.clocks[c.name].runs_in, *CMA.spec.clocks[c.name].rests_in}
        or c.name in (a.fact(facts.HELD_CLOCKS) or {}) for c in a.clocks),
    "a return ends no limit": lambda b, a, act, day: act.spec.verb != "return" or all(
        not new.is_stopped for old in b.clocks for new in a.clocks
        if old.name == new.name and not old.is_stopped and CMA.spec.clocks[new.name].until is None),
    "what is held is under way": lambda b, a, act, day: all(
        not c.is_stopped for c in a.clocks if c.name in (a.fact(facts.HELD_CLOCKS) or {})),
    "a limit that runs here runs": lambda b, a, act, day: bool(a.fact("suspended_for")) or all(
        any(c.name == name and (c.is_running or c.is_stopped and spec.on_lapse) for c in a.clocks)
        for name, spec in CMA.spec.clocks.items()
        if a.state in spec.runs_in and spec.track in (None, a.track) and spec.until is None),
    "nothing runs while the case is suspended": lambda b, a, act, day: not a.fact("suspended_for") or all(
        not c.is_running for c in a.clocks if CMA.spec.clocks[c.name].until is None),
    "no time is taken away from a limit": lambda b, a, act, day: act.spec.verb == "recall" or all(
        _same_or_later(old, new) for old in b.clocks for new in a.clocks if old.name == new.name),
    "answers are kept": lambda b, a, act, day: a.sign_offs[:len(b.sign_offs)] == b.sign_offs,
    "a recall leaves nothing of the act": lambda b, a, act, day: (
        act.spec.verb != "recall" or not a.fact(facts.LAST_ACT)),
    "what waits for advice waits for one person": lambda b, a, act, day: all(
        (asked["role"], f"person:{asked['person']}") in _duties(a)
        or bool(a.fact("suspended_for")) or _answered_meanwhile(a, key)
        for key, asked in facts.consultations(a).items()),
    "what the case remembers can be kept as JSON": lambda b, a, act, day: bool(json.dumps(dict(a.facts))),
    "what the case remembers does not grow without end": lambda b, a, act, day: (
        len(json.dumps(dict(a.facts))) < 20_000),
}  # fmt: skip


def _answered_meanwhile(case: Case, key: str) -> bool:
    return key.partition(":")[0] == Role.DEPARTMENT_OFFICER.value and key.rpartition(":")[2] in case.answered() or (
        key.partition(":")[0] == Role.DEPARTMENT_OFFICER.value
        and facts.waits_its_turn(key.rpartition(":")[2], case.fact(facts.ADDED_SIGNERS) or {},
                                 [d for d in CMA.asked(case.facts) if d not in case.answered()]))  # fmt: skip


def violations(seeds: range) -> dict[str, str]:
    """Law -> the first story that broke it."""
    found: dict[str, str] = {}
    for seed in seeds:
        story: list[str] = []
        for before, after, action, day in walk(seed):
            story.append(f"{day} {action.name}")
            for law, holds in LAWS.items():
                if law not in found and not holds(before, after, action, day):
                    found[law] = f"{seed}: " + " > ".join(story)
    return found


def test_whatever_way_a_case_goes_nothing_is_lost_and_nothing_left_over() -> None:
    assert violations(range(WALKS)) == {}


def test_the_walks_use_every_verb() -> None:
    used = {action.spec.verb for seed in range(WALKS) for _, _, action, _ in walk(seed)}
    assert {a.spec.verb for a in CMA.actions} <= used


# -- planted faults: each law is known to see what it forbids -------------------------------------------------------


def test_a_held_clock_that_is_let_go_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_clocks, "_held", lambda *_: None)
    assert "a return ends no limit" in violations(range(40))


def test_a_suspension_that_lets_limits_run_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflow.clocks.suspended_for", lambda case: ())
    assert "nothing runs while the case is suspended" in violations(range(40))


def test_a_recall_that_forgets_the_clocks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = held_clocks.Clock.from_plain
    monkeypatch.setattr(held_clocks.Clock, "from_plain",
                        classmethod(lambda _, plain: replace(real(plain), stopped_on=MONDAY)))  # fmt: skip
    assert "a limit that runs here runs" in violations(range(60))


