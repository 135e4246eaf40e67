"""What the exploration follows as one may be followed as one: with and without its reductions it says the same."""

import copy
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from ruamel.yaml import YAML

from tests.workflow.small_procedures import Raw, act, as_yaml, mutated, small_procedure
from workflow import procedures
from workflow.exploration import parts, prove
from workflow.procedure import DefinitionError, Procedure, load, parse
from workflow.proofs import Standing, Verdict
from workflow.stories import StoryBroken, replay
from workflow.surroundings import invented_staff
from workflow.ways import Ways


def raw_of(name: str) -> Raw:
    return dict(YAML(typ="safe", pure=True).load((procedures.HERE / f"{name}.yaml").read_text("utf-8")))


def spoilt(raw: Raw) -> Iterator[tuple[str, Raw]]:
    """The definition with one thing taken away or led elsewhere, for every such thing, and what that was."""

    def changed(what: str) -> tuple[str, Raw]:
        return what, copy.deepcopy(raw)

    for name, spec in raw["actions"].items():
        what, other = changed(f"without {name}")
        del other["actions"][name]
        yield what, other
        for key in ("guards", "effects", "registers", "jobs"):
            for n in range(len(spec.get(key, ()))):
                what, other = changed(f"{name} without {key}[{n}]")
                del other["actions"][name][key][n]
                yield what, other
        for key in ("apart_from", "reauthenticate", "irreversible", "track"):
            if spec.get(key):
                what, other = changed(f"{name} without {key}")
                del other["actions"][name][key]
                yield what, other
        for target in [s for s in list(raw["states"])[::3] if spec.get("to") not in (None, s)]:
            what, other = changed(f"{name} leads to {target}")
            other["actions"][name]["to"] = target
            yield what, other
    for name in raw["clocks"]:
        what, other = changed(f"{name} lapses into nothing")
        other["clocks"][name].pop("on_lapse", None)
        yield what, other
    for name in [s for s, spec in raw["states"].items() if spec.get("duties")]:
        what, other = changed(f"{name} waits for an inspector")
        other["states"][name]["duties"] = [{"role": "inspector"}]
        yield what, other


def disagreements(procedure: Procedure) -> list[str]:
    """Where the reduced and the whole exploration differ, and what of the reduced one's stories does not hold."""
    reduced, whole = prove(procedure), prove(procedure, whole=True)
    told = {p.key: p for p in whole.properties}
    wrong = []
    for found in reduced.properties:
        other = told[found.key]
        if found.standing is not other.standing:
            wrong.append(f"{found.key}: {found.standing}, whole {other.standing}")
        elif found.story and other.story and len(found.story.steps) != len(other.story.steps):
            wrong.append(f"{found.key}: {len(found.story.steps)} steps, whole {len(other.story.steps)}")
        if found.story:
            try:
                replay(found.story, procedure)
            except StoryBroken as broken:
                wrong.append(f"{found.key}: {broken}")
    return wrong


def compared(definitions: Iterator[tuple[str, Raw]]) -> tuple[int, list[str]]:
    """(definitions that can be read, what differs)."""
    tried, wrong = 0, []
    for what, raw in definitions:
        try:
            procedure = parse(as_yaml(raw), "spoilt.yaml")
        except DefinitionError:
            continue
        tried += 1
        wrong += [f"{what}: {difference}" for difference in disagreements(procedure)]
    return tried, wrong


@pytest.mark.parametrize("name, every", [("cma.v1", 25), ("industrial_product.v1", 20), ("cma_change.v1", 40)])
def test_spoilt_definitions_are_found_out_with_and_without_the_reductions(name: str, every: int) -> None:
    tried, wrong = compared((w, r) for n, (w, r) in enumerate(spoilt(raw_of(name))) if n % every == 0)
    assert wrong == [] and tried > 1


def test_small_definitions_are_found_out_with_and_without_the_reductions() -> None:
    def small() -> Iterator[tuple[str, Raw]]:
        for seed in range(40):
            chance = Random(seed)
            raw = small_procedure(chance)
            raw, what = mutated(raw, chance) if seed % 4 else (raw, "nothing")
            yield f"{seed} ({what})", raw

    tried, wrong = compared(small())
    assert wrong == [] and tried > 25


def test_much_less_is_looked_at() -> None:
    procedure = load(procedures.HERE / "cma.v1.yaml")
    assert prove(procedure).states_visited * 3 < prove(procedure, whole=True).states_visited


# -- facts that can be reopened --------------------------------------------------------------------------------------


def reviewed(**more: object) -> Raw:
    """The shipped CMA definition whose team leader may come back to the review after having rejected."""
    raw = raw_of("cma.v1")
    raw["actions"]["look_again"] = act("look_again", "rectified", "under_review", "leads_the_team")
    raw["actions"] |= more
    return raw


def _ways(raw: Raw) -> Ways:
    procedure = parse(as_yaml(raw), "reviewed.yaml")
    return Ways(procedure, invented_staff(procedure), {}, 20_000)


def test_what_reviewers_may_fill_in_again_is_followed_as_one() -> None:
    ways = _ways(reviewed())
    passing = [(s.case.state, m.action) for s in ways.found for _, m in s.leads if m.passing]
    assert ("under_review", "record_findings") in passing


def test_an_act_that_leaves_a_trace_reopens_nothing() -> None:
    """Once the findings are recorded nobody may record them again: then it matters what they were."""
    raw = reviewed()
    raw["actions"]["record_findings"] |= {"effects": [{"set": {"recorded": True}}], "guards": [
        {"fact": "recorded", "empty": True, "otherwise": {"en": "recorded", "zh": "已填写"}}]}  # fmt: skip
    ways = _ways(raw)
    assert not [m for s in ways.found for _, m in s.leads if m.passing and m.action == "record_findings"]
    assert disagreements(ways.original) == []


def test_a_story_tells_a_reopening_only_where_it_needs_it() -> None:
    """Found to be in order, then not: somebody must have filled in the checklist again in between."""
    raw = reviewed(doubt=act("doubt", "under_review", "closed", "leads_the_team", guards=[
        {"fact": "rectification_demand", "present": True, "otherwise": {"en": "not yet", "zh": "尚未"}},
        {"fact": "rows_open", "at_least": 1, "otherwise": {"en": "none open", "zh": "无"}}]))  # fmt: skip
    proof = prove(parse(as_yaml(raw), "reviewed.yaml"))
    assert proof.verdict is Verdict.REFUSED
    story = {p.key: p for p in proof.properties if p.standing is Standing.FAILS}["grant_is_decided"].story
    assert story is not None
    actions = [s.action for s in story.steps]
    after = actions[actions.index("conclude_with_rectification") + 1 :]
    assert after[-1] == "doubt" and after.count("confirm_rows") == 1 and "record_findings" not in after
    replay(story, parse(as_yaml(raw), "reviewed.yaml"))


# -- verbs -----------------------------------------------------------------------------------------------------------


def test_two_families_of_verbs_are_looked_at_together_when_asked() -> None:
    procedure = load(Path(procedures.HERE / "certification_body.v1.yaml"))
    one, two = parts(procedure), parts(procedure, pairs=True)
    families = len(one) - 1
    assert len(two) == 1 + families + families * (families - 1) // 2
    names = {a.name for part in two for a in part.actions}
    assert names == {a.name for a in procedure.actions}


def test_the_scope_says_how_many_families_were_looked_at_together() -> None:
    procedure = load(procedures.HERE / "industrial_product.v1.yaml")
    told = [m.text for m in prove(procedure).scope]
    more = [m.text for m in prove(procedure, pairs=True).scope]
    assert any("two families on one case were not looked at together" in text for text in told)
    assert any("three on one case were not looked at together" in text for text in more)
