"""Every condition that a definition writes on one fact stands in the way by itself, and says its own sentence.

`./run proof removals` takes each away and sees its test fail.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.store.factories import person
from workflow import procedures
from workflow.case import Case
from workflow.engine import permit
from workflow.grammar import FactGuardSpec
from workflow.procedure import Action, Procedure
from workflow.vocabulary import Refusal

SOMEBODY = person("somebody")
VALUES: tuple[Any, ...] = (None, "another", 0, 1, [], ["x"], True, False)


@dataclass(frozen=True)
class Condition:
    """The guard with this number of an action; the definition writes it on one fact."""

    procedure: Procedure
    action: Action
    number: int

    @property
    def spec(self) -> FactGuardSpec:
        found = self.action.spec.guards[self.number]
        assert isinstance(found, FactGuardSpec)
        return found

    def __str__(self) -> str:
        return f"{self.procedure.name}.v{self.procedure.version}-{self.action.name}-{self.number}-{self.spec.fact}"


def every() -> Iterator[Condition]:
    for procedure in procedures.every():
        for action in procedure.actions:
            for number, spec in enumerate(action.spec.guards):
                if isinstance(spec, FactGuardSpec):
                    yield Condition(procedure, action, number)


def holds(spec: FactGuardSpec, value: Any) -> bool:
    """The second reading of the grammar: what each comparison means."""
    [test] = spec.model_fields_set - {"fact", "otherwise"}
    wanted = getattr(spec, test)
    match test:
        case "is_" | "is":
            return bool(value == wanted)
        case "is_not":
            return bool(value != wanted)
        case "at_least":
            return isinstance(value, int | float) and value >= wanted
        case _:
            return bool(value) == (test == "present")


def facts(condition: Condition, *, broken: bool) -> dict[str, Any] | None:
    """Facts under which every condition of the action holds, but for this one if it is to be broken; None: there are
    none, and the condition says nothing that another has not said."""
    specs = [s for s in condition.action.spec.guards if isinstance(s, FactGuardSpec)]
    found: dict[str, Any] = {}
    for fact in {s.fact for s in specs}:
        about = [s for s in specs if s.fact == fact]
        own = [w for s in about for n in ("is_", "is_not", "at_least") if (w := getattr(s, n)) is not None]
        near = [w + d for w in own if isinstance(w, int | float) for d in (-1, 1)]
        fits = [v for v in (*own, *near, *VALUES)
                if all(holds(s, v) is not (broken and s is condition.spec) for s in about)]  # fmt: skip
        if not fits:
            return None
        found[fact] = fits[0]
    return found


def tried(condition: Condition, known: dict[str, Any]) -> Refusal | None:
    """What the engine says to somebody who may, when the named guards of the action are met."""
    action = condition.action
    pairs = zip(action.spec.guards, action.guards, strict=True)
    own = tuple(guard for spec, guard in pairs if isinstance(spec, FactGuardSpec))
    plain = {"occasion": {}, "apart_from": (), "extends": None, "side_by_side": False}
    bare = replace(action, guards=own, who=lambda actor, case: True, spec=action.spec.model_copy(update=plain))
    procedure = condition.procedure
    actions = tuple(bare if a is action else a for a in procedure.actions)
    track = action.spec.track or next(iter(procedure.spec.tracks))
    case = Case(1, procedure.name, procedure.version, action.sources[0], track, 7, facts=known)
    try:
        permit(replace(procedure, actions=actions), case, action.name, SOMEBODY)
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.parametrize("condition", list(every()), ids=str)
def test_a_condition_stands_in_the_way_by_itself_and_says_why(condition: Condition) -> None:
    met, broken = facts(condition, broken=False), facts(condition, broken=True)
    assert met is not None and tried(condition, met) is None
    assert broken is not None, "no fact breaks this condition alone: another one says the same"
    said = tried(condition, broken)
    assert said is not None and said.code == "unmet"
    assert (said.reason.text, said.reason.zh) == (condition.spec.otherwise.en, condition.spec.otherwise.zh)
