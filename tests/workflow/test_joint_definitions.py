"""Definitions of cases that tell each other: read alone and side by side, proved without being answered, spoilt."""

import copy
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.workflow.joint_world import LICENCES, PARENT
from tests.workflow.second_checker import Second
from tests.workflow.small_procedures import Raw, as_yaml, mutated
from workflow import procedures
from workflow.exploration import prove
from workflow.joint_proofreading import among_others
from workflow.procedure import DefinitionError, Procedure, parse
from workflow.proofs import Standing, Verdict
from workflow.stories import StoryBroken, replay

FILES = {name: procedures.HERE / f"{name}.v1.yaml" for name in (PARENT, *LICENCES)}


def raw_of(name: str) -> Raw:
    return dict(YAML(typ="safe", pure=True).load(FILES[name].read_text("utf-8")))


# -- proof -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LICENCES)
def test_a_licence_in_joint_handling_is_proved(name: str) -> None:
    proof = prove(procedures.current(name))
    assert proof.verdict is Verdict.PROVED, proof.plain()
    raw = raw_of(name)
    del raw["verbs"]
    assert Second(raw).faults == []


def test_the_joint_application_is_proved_though_no_department_ever_answers() -> None:
    """Without its verbs; with them `./run proof procedures` proves it."""
    raw = raw_of(PARENT)
    del raw["verbs"]
    proof = prove(read(raw))
    assert proof.verdict is Verdict.PROVED, proof.plain()
    assert any("without being told" in str(message) for message in proof.scope)


def bare(name: str) -> Raw:
    """The definition without its paperwork: small enough for a naive walk."""
    raw = copy.deepcopy(raw_of(name))
    del raw["verbs"]
    if name == PARENT:
        gone = {"correction_requested", "rectification_ordered", "rectified"}
        raw["states"] = {s: spec for s, spec in raw["states"].items() if s not in gone}
        kept = {}
        for action, spec in raw["actions"].items():
            sources = [s for s in spec["from"] if s not in gone]
            if not sources or spec.get("to") in gone or spec.get("extends"):
                continue
            guards = [g for g in spec.get("guards", ()) if isinstance(g, str) and g != "mode_suits_the_application"]
            effects = [e for e in spec.get("effects", ()) if "persons" not in e]
            kept[action] = {**spec, "from": sources, "guards": guards, "effects": effects, "registers": []}
        raw["actions"] = kept
        del raw["clocks"]["rectification"], raw["clocks"]["review"]
        for clock in raw["clocks"].values():
            clock["rests_in"] = {s: g for s, g in clock.get("rests_in", {}).items() if s not in gone}
        for action in kept.values():
            if action.get("informs"):
                action["informs"] = {k: v for k, v in action["informs"].items() if k != "carries"}
    return raw


def without(*actions: str) -> Callable[[Raw], None]:
    def spoil(raw: Raw) -> None:
        for action in actions:
            del raw["actions"][action]
            for clock in raw["clocks"].values():
                if clock.get("on_lapse") == action:
                    del clock["on_lapse"]

    return spoil


def release_nothing(raw: Raw) -> None:
    raw["actions"]["release_undecided"]["effects"] = []
    without("decide_separately")(raw)


def wait_for_results_only(raw: Raw) -> None:
    raw["clocks"]["joint"]["runs_in"] = ["accepted"]
    without("decide_separately")(raw)


def nobody_leads(raw: Raw) -> None:
    for action in ("grant", "refuse", "extend_decision"):
        raw["actions"][action]["who"] = "works_for_the_deciding_department"


SPOILT: list[tuple[str, Callable[[Raw], None], str]] = [
    (PARENT, without("decide_separately", "release_undecided"), "finishes"),
    (PARENT, release_nothing, "finishes"),
    (PARENT, wait_for_results_only, "finishes"),
    (PARENT, without("results_come_together"), "finishes"),
    ("agricultural_testing", without("leave_the_common_delivery", "review_alone", "conclude_alone",
                                     "conclude_alone_does_not_meet"), "finishes"),
    ("joint_cma", without("review_alone", "conclude_alone", "conclude_alone_does_not_meet"), "finishes"),
    ("construction_testing", nobody_leads, "attended"),
]  # fmt: skip


@cache
def both_find_it_sound(name: str) -> bool:
    return prove(read(bare(name))).verdict is Verdict.PROVED and not Second(bare(name)).faults


@pytest.mark.parametrize(("name", "spoil", "key"), SPOILT, ids=lambda p: getattr(p, "__name__", p))
def test_a_case_that_would_wait_for_another_for_ever_is_refused_by_both_opinions(
    name: str, spoil: Callable[[Raw], None], key: str
) -> None:
    assert both_find_it_sound(name)
    raw = bare(name)
    spoil(raw)
    for action in raw["actions"].values():
        action["apart_from"] = [a for a in action.get("apart_from", ()) if a in raw["actions"]]
    second = Second(raw)
    try:
        procedure = parse(as_yaml(raw), "spoilt.yaml")
    except DefinitionError:
        assert second.faults
        return
    proof = prove(procedure)
    failing = {p.key: p for p in proof.properties if p.standing is Standing.FAILS}
    assert key in failing and second.faults, (proof.verdict, list(failing), second.faults[:3])
    for found in failing.values():
        if found.story:
            replay(found.story, procedure)


def joint_opinions(seeds: range) -> tuple[int, list[str]]:
    """(stories replayed, disagreements in words) over spoilt definitions of cases that tell each other; one in ten is
    of the application as a whole, the others of single licences."""
    stories, wrong = 0, []
    for seed in seeds:
        chance = random.Random(seed)
        name = PARENT if seed % 10 == 9 else chance.choice(LICENCES)
        raw, what = mutated(bare(name), chance)
        second = Second(raw)
        try:
            procedure = read(raw)
        except DefinitionError as fault:
            wrong += [] if second.faults else [f"{seed} {name} ({what}): {fault}"]
            continue
        proof = prove(procedure)
        if (proof.verdict is Verdict.PROVED) != (not second.faults) or proof.verdict is Verdict.UNDECIDED:
            wrong.append(f"{seed} {name} ({what}): {proof.verdict} against {second.faults[:3]}")
        for found in (f.story for f in proof.failing if f.story):
            stories += 1
            try:
                replay(found, procedure)
            except StoryBroken as broken:
                wrong.append(f"{seed} {name} ({what}): {broken}")
    return stories, wrong


def test_two_opinions_agree_on_cases_that_tell_each_other() -> None:
    stories, wrong = joint_opinions(range(30))
    assert wrong == [] and stories > 5


# -- what is refused when a definition is read ---------------------------------------------------------------------


def read(raw: Raw) -> Procedure:
    return parse(as_yaml(raw), "draft.yaml")


def put(*path: str, value: Any) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        here = raw
        for word in path[:-1]:
            here = here[word]
        here[path[-1]] = value

    return change


ACCEPT, RETRACT = ("actions", "accept"), ("actions", "retract")
ALONE_FAULTS: list[tuple[str, Callable[[Raw], None], str]] = [
    (PARENT, put(*ACCEPT, "opens", value={"link": "part_of"}), "either one procedure, or each"),
    (PARENT, put(*ACCEPT, "opens", value={"each": "licences", "link": "part_of"}), "each needs among"),
    (PARENT, put(*ACCEPT, "opens", value={"each": "licences", "among": ["a", "a"], "link": "l"}), "stands twice"),
    (PARENT, put(*RETRACT, "informs", value={}), "either the parent or the children"),
    (PARENT, put(*RETRACT, "informs", value={"parent": "a", "which": "separated"}), "one parent only"),
    (PARENT, put("states", "accepted", "duties", value=[{"role": "department_officer", "unless": "nominations"}]),
     "it needs each"),
    (PARENT, put("actions", "note_result", "who", value="leader"), "is taken by the system"),
    (PARENT, put("actions", "conclude_does_not_meet", "to", value="submitted"), "opens them again"),
    ("joint_cma", put("actions", "grant", "informs", value={"children": "x"}), "opens no cases"),
    ("joint_cma", put("actions", "grant", "who", value="decides_for_the_department"), "whose licence it is"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "said"), ALONE_FAULTS, ids=lambda p: p if isinstance(p, str) else "")
def test_a_definition_that_contradicts_itself_is_refused_with_its_line(
    name: str, spoil: Callable[[Raw], None], said: str
) -> None:
    raw = raw_of(name)
    spoil(raw)
    with pytest.raises(DefinitionError) as refused:
        read(raw)
    fault = next(f for f in refused.value.found if said in f.what)
    assert fault.line > 0


AMONG_FAULTS: list[tuple[str, Callable[[Raw], None], str]] = [
    (PARENT, put(*ACCEPT, "opens", "among", value=["joint_cma", "no_such_licence"]), "no procedure called"),
    (PARENT, put(*ACCEPT, "opens", "among", value=["joint_cma", "cma"]), "begins with the applicant"),
    (PARENT, put(*ACCEPT, "opens", "each", value="wishes"), "nobody keeps the fact wishes"),
    (PARENT, put(*ACCEPT, "opens", "copies", value=["agency_name", "moon"]), "nobody keeps the fact moon"),
    (PARENT, put(*RETRACT, "informs", "children", value="vanish"), "has no action called vanish"),
    (PARENT, put(*RETRACT, "informs", "children", value="retract"), "may not be told"),
    (PARENT, put(*RETRACT, "informs", "carries", value=["moon"]), "nobody keeps the fact moon"),
    (PARENT, put("actions", "decide_separately", "informs", "which", value="moon"), "nobody keeps the fact moon"),
    (PARENT, lambda raw: raw["actions"].pop("note_separation"), "has no action called note_separation"),
    ("joint_cma", put("actions", "refuse", "informs", "parent", value="hear"), "has no action called hear"),
    ("joint_cma", put("actions", "grant", "apart_from_persons", value="moon"), "nobody keeps the fact moon"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "said"), AMONG_FAULTS, ids=lambda p: p if isinstance(p, str) else "")
def test_a_definition_that_the_others_contradict_is_refused_with_its_line(
    name: str, spoil: Callable[[Raw], object], said: str
) -> None:
    raw = raw_of(name)
    spoil(raw)
    with pytest.raises(DefinitionError) as refused:
        procedures.side_by_side(read(raw), as_yaml(raw), "draft.yaml")
    fault = next(f for f in refused.value.found if said in f.what)
    assert fault.line > 0 and fault.why


def test_the_shipped_definitions_know_each_other() -> None:
    for procedure in procedures.every():
        assert list(among_others(procedure, procedures.every())) == []
    opened = {n for p in procedures.every() for a in p.actions if a.spec.opens for n in a.spec.opens.procedures}
    for procedure in procedures.every():
        if any(a.spec.informs and a.spec.informs.to == "parent" for a in procedure.actions):
            assert procedure.name in opened, "it tells a parent that it never has"


def test_a_licence_that_no_application_opens_yet_may_be_written_first() -> None:
    raw = {**raw_of("joint_cma"), "name": "meteorology_testing"}
    assert procedures.side_by_side(read(raw), as_yaml(raw), "draft.yaml").name == "meteorology_testing"
