"""A definition is proof-read at load: what is wrong is refused with file, place, what and why."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from workflow import procedures
from workflow.procedure import DefinitionError, Procedure, load

T = {"en": "x", "zh": "某"}
SOUND: dict[str, Any] = {
    "name": "small",
    "version": 1,
    "title": T,
    "basis": T,
    "initial": "draft",
    "stages": {"one": T},
    "numbers": {"least": 2},
    "number_articles": {"least": "第一条"},
    "tracks": {"general": T},
    "states": {
        "draft": {"label": T, "stage": "one", "duties": [{"role": "applicant"}]},
        "waiting": {"label": T, "duties": [{"role": "leader"}]},
        "ready": {"label": T},
        "done": {"label": T, "final": True, "outcome": "granted"},
    },
    "clocks": {
        "decision": {"label": T, "allowance": "decision", "runs_in": ["waiting"], "on_lapse": "give_up"},
    },
    "actions": {
        "submit": {"label": T, "done": T, "from": ["draft"], "to": "waiting", "who": "is_the_applicant"},
        "grant": {"label": T, "done": T, "from": ["waiting"], "to": "ready", "who": "leader", "command": "Decide",
                  "apart_from": ["submit"], "guards": [{"fact": "rows", "at_least": 1, "otherwise": T}],
                  "effects": [{"keep": {"why": "grounds"}}, {"track": "general"}, "open_new_round"]},
        "give_up": {"label": T, "done": T, "from": ["waiting"], "to": "done", "who": "is_the_system"},
        "close": {"label": T, "done": T, "from": ["ready"], "to": "done", "who": "is_the_system", "automatic": True},
    },
}  # fmt: skip

Change = Callable[[dict[str, Any]], object]


def written(tmp_path: Path, definition: Any) -> Path:
    path = tmp_path / "small.v1.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(definition, file)
    return path


def faults(tmp_path: Path, change: Change) -> list[str]:
    """What is said about a sound definition after a change; the file is always named."""
    definition = copy.deepcopy(SOUND)
    change(definition)
    with pytest.raises(DefinitionError) as caught:
        load(written(tmp_path, definition))
    assert caught.value.source == "small.v1.yaml"
    assert str(caught.value).startswith("small.v1.yaml: ")
    return caught.value.faults


def test_the_sound_definition_loads(tmp_path: Path) -> None:
    procedure = load(written(tmp_path, SOUND))
    assert {a.name for a in procedure.leaving("waiting")} == {"grant", "give_up"}
    assert len(procedure.digest) == 64


def action(name: str, **changes: Any) -> Change:
    return lambda d: d["actions"][name].update(changes)


def state(name: str, **changes: Any) -> Change:
    return lambda d: d["states"].setdefault(name, {"label": T, "duties": [{"role": "leader"}]}).update(changes)


def clock(**changes: Any) -> Change:
    return lambda d: d["clocks"]["decision"].update(changes)


def circle(d: dict[str, Any]) -> None:
    d["states"]["again"] = {"label": T}
    turn = {"label": T, "done": T, "who": "is_the_system", "automatic": True}
    d["actions"]["there"] = {**turn, "from": ["ready"], "to": "again"}
    d["actions"]["back"] = {**turn, "from": ["again"], "to": "ready"}


@pytest.mark.parametrize(
    "change, place, what",
    [
        (action("submit", to="nowhere"), "actions.submit", "no state called nowhere"),
        (action("submit", **{"from": ["nowhere"]}), "actions.submit", "no state called nowhere"),
        (lambda d: d.update(initial="nowhere"), "initial", "no state called nowhere"),
        (state("island"), "states.island", "cannot be reached"),
        (lambda d: (state("swamp")(d), d["actions"].update(sink={**d["actions"]["submit"], "to": "swamp"})),
         "states.swamp", "can never finish"),
        (lambda d: d["states"]["done"].pop("outcome"), "states.done", "needs an outcome"),
        (lambda d: d["states"]["waiting"].pop("duties") and d["clocks"].clear()
         or d["actions"]["give_up"].update(who="leader"), "states.waiting", "waits for nobody"),
        (action("grant", **{"from": ["done"]}), "actions.grant", "leaves the final state done"),
        (action("grant", who="somebody"), "actions.grant.who", "no rule called somebody"),
        (action("grant", command="Wish"), "actions.grant.command", "no command called Wish"),
        (action("grant", guards=["moon_is_full"]), "actions.grant.guards", "no guard called moon_is_full"),
        (action("grant", effects=["rejoice"]), "actions.grant.effects", "no effect called rejoice"),
        (action("grant", effects=[{"track": "fast"}]), "actions.grant.effects", "no track called fast"),
        (action("grant", effects=[{"keep": {"why": "wisdom"}}]),
         "actions.grant.effects.keep", "no field called wisdom"),
        (action("grant", effects=[{"set": {"a": 1}, "track": "general"}]), "actions.grant.effects", "exactly one of"),
        (action("grant", apart_from=["dance"]), "actions.grant.apart_from", "no action called dance"),
        (action("grant", track="fast"), "actions.grant.track", "no track called fast"),
        (action("grant", guards=[{"fact": "rows", "at_least": 1, "is": 2, "otherwise": T}]),
         "actions.grant.guards", "exactly one of"),
        (action("grant", guards=[{"fact": "rows", "is": 2, "otherwise": {"en": "100%! %(rows)s", "zh": "某"}}]),
         "actions.grant.guards.otherwise.en", "cannot be filled in"),
        (action("grant", guards=[{"fact": "rows", "is": 2}]), "actions.grant.guards", "otherwise"),
        (lambda d: d["actions"]["close"].pop("to"), "actions.close", "fire for ever"),
        (circle, "actions", "round in a circle"),
        (clock(runs_in=["nowhere"]), "clocks.decision", "no state called nowhere"),
        (clock(track="fast"), "clocks.decision.track", "no track called fast"),
        (clock(on_lapse="explode"), "clocks.decision.on_lapse", "no action called explode"),
        (clock(on_lapse="grant"), "clocks.decision.on_lapse", "not an action of the system"),
        (action("give_up", command="Decide"), "clocks.decision.on_lapse", "cannot give"),
        (clock(runs_in=["waiting", "draft"]), "clocks.decision.on_lapse", "does not leave draft"),
        (lambda d: d["number_articles"].clear(), "numbers.least", "needs its article"),
        (state("draft", stage="three"), "states.draft.stage", "no stage called three"),
        (state("draft", colour="red"), "states.draft.colour", "Extra inputs are not permitted"),
        (state("draft", duties=[{"role": "king"}]), "states.draft.duties.0.role", "king"),
        (lambda d: d["actions"]["submit"].pop("done"), "actions.submit.done", "Field required"),
        (lambda d: d["states"].update({"Not A Name": {"label": T}}), "states.Not A Name", "pattern"),
        (lambda d: d.update(version=0), "version", "greater than or equal to 1"),
        (lambda d: d["title"].pop("zh"), "title.zh", "Field required"),
    ],
)  # fmt: skip
def test_a_wrong_definition_is_refused_at_its_place(tmp_path: Path, change: Change, place: str, what: str) -> None:
    said = faults(tmp_path, change)
    assert any(fault.startswith(place) and what in fault for fault in said), said


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    said = faults(tmp_path, lambda d: (action("grant", who="a")(d), action("submit", who="b")(d)))
    assert len(said) == 2


@pytest.mark.parametrize(
    "text", [b"name: [unclosed", b"\tname: x", b"name: a\nname: b", b"\xff\xfe\x00bad", b"a: *nowhere",
             b"a: !!python/object:os.system {}"]
)  # fmt: skip
def test_what_is_not_yaml_is_refused_with_its_line(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(text)
    with pytest.raises(DefinitionError) as caught:
        load(path)
    assert "broken.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "just words", "3"])
def test_what_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(DefinitionError, match=r"odd\.yaml"):
        load(path)


@pytest.mark.parametrize("procedure", procedures.every(), ids=lambda p: f"{p.name}.v{p.version}")
def test_every_released_definition_is_in_its_own_file(procedure: Procedure) -> None:
    path = procedures.HERE / f"{procedure.name}.v{procedure.version}.yaml"
    assert load(path).digest == procedure.digest
    for opens in (a.spec.opens for a in procedure.actions):
        assert opens is None or all(procedures.current(name) for name in opens.procedures)
