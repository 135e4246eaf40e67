"""The exchange drawing: complete, sound, readable by another program, and executed by it along the same ways."""
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser, BpmnValidator
from SpiffWorkflow.bpmn.specs.defaults import ServiceTask
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from workflow import procedures
from workflow.bpmn import COLOURS, NAMESPACES, bpmn
from workflow.joint_commands import Inform
from workflow.layout import layout
from workflow.procedure import Procedure

every_procedure = pytest.mark.parametrize("procedure", procedures.every(), ids=lambda p: f"{p.name}.v{p.version}")
CMA = procedures.current("cma")
FLOW_NODES = ("startEvent", "endEvent", "userTask", "serviceTask", "receiveTask", "exclusiveGateway", "boundaryEvent")


def drawn(procedure: Procedure, language: Any = "en", **marks: Any) -> Tree.Element:
    return Tree.fromstring(bpmn(procedure, language, **marks))


def found(root: Tree.Element, path: str) -> list[Tree.Element]:
    return root.findall(path, NAMESPACES)


def by_id(root: Tree.Element, name: str) -> Tree.Element:
    (element,) = [e for e in root.iter() if e.get("id") == name]
    return element


def of_ours(element: Tree.Element, key: str) -> str | None:
    return element.get(f"{{{NAMESPACES['wujian']}}}{key}")


def nodes_of(root: Tree.Element) -> list[Tree.Element]:
    return [e for kind in FLOW_NODES for e in found(root, f".//bpmn:{kind}")]


def parsed(text: str, folder: Path) -> BpmnParser:
    """Read by another program, which also holds it against the schema of the standard."""
    path = folder / "drawn.bpmn"
    path.write_text(text, encoding="utf-8")
    parser = BpmnParser(validator=BpmnValidator())
    parser.add_bpmn_file(str(path))
    return parser


@every_procedure
def test_every_state_is_there_with_those_who_must_act(procedure: Procedure) -> None:
    root = drawn(procedure)
    for state, spec in procedure.states.items():
        element = by_id(root, f"state-{state}")
        kind = "endEvent" if spec.final else "userTask" if spec.duties else "serviceTask"
        assert element.tag.endswith(f"}}{kind}") and element.get("name") == spec.label.en
        assert [e.get("name") for e in found(element, "bpmn:potentialOwner")] == [d.role.value for d in spec.duties]
        many = found(element, "bpmn:multiInstanceLoopCharacteristics")
        asked = [bool(d.each or d.signers) for d in spec.duties]
        assert [e.get("isSequential") for e in many] == ["false"] * (all(asked) and any(asked))


@every_procedure
def test_every_action_is_there_from_every_state_it_leaves(procedure: Procedure) -> None:
    root = drawn(procedure)
    for action in procedure.actions:
        for state in action.sources:
            if action.target is None and f"act-{action.name}-{state}" not in {e.get("id") for e in root.iter()}:
                inside = found(by_id(root, f"state-{state}"), "bpmn:extensionElements/wujian:act")
                assert (action.name, action.spec.label.zh) in {(e.get("name"), e.get("zh")) for e in inside}
                continue
            element = by_id(root, f"act-{action.name}-{state}")
            assert element.get("name") == action.spec.label.en
            if action.automatic or action.spec.who == "is_the_system":
                told = action.command is Inform
                assert element.tag.endswith("}receiveTask" if told else "}serviceTask")
                element = by_id(root, f"after-act-{action.name}-{state}")
            assert element.get("targetRef") == f"state-{action.target or state}"


@every_procedure
def test_what_is_drawn_is_reached_from_the_state_the_action_leaves(procedure: Procedure) -> None:
    """Followed back over gateways, service tasks and timers, a step starts in the state its name says."""
    root = drawn(procedure)
    into = {flow.get("targetRef"): flow.get("sourceRef") for flow in found(root, ".//bpmn:sequenceFlow")}
    for flow in found(root, ".//bpmn:sequenceFlow"):
        if action := of_ours(flow, "action"):
            name: str | None = flow.get("sourceRef")
            while name and not name.startswith("state-"):
                name = by_id(root, name).get("attachedToRef") or into[name]
            assert name and name.removeprefix("state-") in procedure.by_name[action].sources


@every_procedure
def test_a_clock_with_a_lapse_is_a_timer_wherever_it_runs(procedure: Procedure) -> None:
    root = drawn(procedure)
    timers = {e.get("id"): e for e in found(root, ".//bpmn:boundaryEvent")}
    expected = {f"clock-{name}-{state}": (state, clock) for name, clock in procedure.spec.clocks.items()
                if clock.on_lapse for state in clock.runs_in}
    assert timers.keys() == expected.keys()
    for name, (state, clock) in expected.items():
        assert timers[name].get("attachedToRef") == f"state-{state}"
        assert [e.text for e in found(timers[name], ".//bpmn:timeDuration")] == [clock.allowance]
        (out,) = [f for f in found(root, ".//bpmn:sequenceFlow") if f.get("sourceRef") == name]
        assert out.get("targetRef") == f"act-{clock.on_lapse}-{state}"


@every_procedure
def test_several_ways_out_part_at_a_gateway_with_one_condition_each(procedure: Procedure) -> None:
    root = drawn(procedure)
    ways = Counter(f.get("sourceRef") for f in found(root, ".//bpmn:sequenceFlow"))
    for element in nodes_of(root):
        name = element.get("id", "")
        if element.tag.endswith("}exclusiveGateway"):
            leaving = [f for f in found(root, ".//bpmn:sequenceFlow") if f.get("sourceRef") == name]
            conditions = [c.text for f in leaving for c in found(f, "bpmn:conditionExpression")]
            assert len(leaving) == len(set(conditions)) > 1
        else:
            assert ways[name] == (0 if element.tag.endswith("}endEvent") else 1), name


@every_procedure
def test_every_reference_leads_somewhere_and_every_identifier_is_the_only_one(procedure: Procedure) -> None:
    root = drawn(procedure)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids)) and all(re.fullmatch(r"[a-z][a-z0-9_-]*", i or "") for i in ids)
    for flow in found(root, ".//bpmn:sequenceFlow"):
        for end, way in (("sourceRef", "outgoing"), ("targetRef", "incoming")):
            node = by_id(root, flow.get(end, ""))
            assert flow.get("id") in [e.text for e in found(node, f"bpmn:{way}")]
    told = sum(len(found(n, "bpmn:incoming")) + len(found(n, "bpmn:outgoing")) for n in nodes_of(root))
    assert told == 2 * len(found(root, ".//bpmn:sequenceFlow"))


@every_procedure
def test_everything_has_its_place_in_the_diagram(procedure: Procedure) -> None:
    root = drawn(procedure)
    boxes = {s.get("bpmnElement"): box(s) for s in found(root, ".//bpmndi:BPMNShape")}
    assert boxes.keys() == {n.get("id") for n in nodes_of(root)}
    standing = [(name, b) for name, b in boxes.items() if not (name or "").startswith("clock-")]
    for (one, (x, y, w, h)), (other, (x2, y2, w2, h2)) in pairs(standing):
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y, f"{one} covers {other}"
    flows = {f.get("id"): f for f in found(root, ".//bpmn:sequenceFlow")}
    edges = {e.get("bpmnElement"): e for e in found(root, ".//bpmndi:BPMNEdge")}
    assert edges.keys() == flows.keys()
    for name, edge in edges.items():
        points = [(int(p.get("x", "")), int(p.get("y", ""))) for p in found(edge, "di:waypoint")]
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(points)), f"{name} runs askew"
        for point, end in ((points[0], "sourceRef"), (points[-1], "targetRef")):
            x, y, w, h = boxes[flows[name].get(end)]
            assert x <= point[0] <= x + w and y <= point[1] <= y + h, f"{name} does not touch its {end}"


def box(shape: Tree.Element) -> tuple[int, int, int, int]:
    (bounds,) = found(shape, "dc:Bounds")
    x, y, w, h = (int(bounds.get(key, "")) for key in ("x", "y", "width", "height"))
    assert x >= 0 and y >= 0
    return x, y, w, h


def pairs(items: list[Any]) -> list[tuple[Any, Any]]:
    return [(a, b) for n, a in enumerate(items) for b in items[n + 1:]]


@every_procedure
def test_both_languages_differ_in_names_only(procedure: Procedure) -> None:
    english, chinese = drawn(procedure, "en"), drawn(procedure, "zh")
    for one, other in zip(english.iter(), chinese.iter(), strict=True):
        assert one.tag == other.tag and {**one.attrib, "name": ""} == {**other.attrib, "name": ""} | (
            {} if "name" in other.attrib else {"name": ""})
        if one.tag.endswith("}documentation"):
            assert one.text == other.text
    task = by_id(chinese, f"state-{procedure.spec.initial}")
    label = procedure.states[procedure.spec.initial].label
    assert task.get("name") == label.zh
    assert [e.text for e in found(task, "bpmn:documentation")] == [f"{label.en}\n{label.zh}"]


def test_the_same_version_is_always_drawn_alike() -> None:
    path = procedures.HERE / f"{CMA.name}.v{CMA.version}.yaml"
    assert bpmn(CMA, "zh") == bpmn(procedures.load(path), "zh")


def test_past_and_current_places_are_lit() -> None:
    root = drawn(CMA, visited=("draft", "submitted"), current="accepted",
                 taken={("draft", "submit"), ("submitted", "accept")})
    lit = {e.get("id"): of_ours(e, "place") for e in root.iter() if of_ours(e, "place")}
    assert lit["state-draft"] == lit["state-submitted"] == lit["act-submit-draft"] == lit["start"] == "past"
    assert lit["state-accepted"] == "current" and list(lit.values()).count("current") == 1
    assert "state-printed" not in lit and "act-retract-draft" not in lit
    stroke, fill = (f"{{{NAMESPACES['bioc']}}}{key}" for key in ("stroke", "fill"))
    shapes = {s.get("bpmnElement"): (s.get(stroke), s.get(fill)) for s in found(root, ".//bpmndi:BPMNShape")}
    assert shapes["state-accepted"] == COLOURS["current"] and shapes["state-draft"] == COLOURS["past"]
    assert shapes["state-printed"] == (None, None)
    assert by_id(root, "act-submit-draft-edge").get(stroke) == COLOURS["past"][0]


def test_a_case_that_came_back_is_shown_where_it_is() -> None:
    root = drawn(CMA, visited=("draft", "submitted", "correction_requested"), current="submitted")
    assert of_ours(by_id(root, "state-submitted"), "place") == "current"


def test_an_unmarked_drawing_is_unlit() -> None:
    assert "place=" not in bpmn(CMA, "en") and "stroke" not in bpmn(CMA, "en")


@pytest.mark.parametrize("marks", [{"visited": ["nowhere"]}, {"current": "nowhere"}, {"taken": [("draft", "accept")]}])
def test_a_place_that_does_not_exist_is_refused(marks: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="has no"):
        bpmn(CMA, "en", **marks)


# -- another program -------------------------------------------------------------------------------------------------


@every_procedure
@pytest.mark.parametrize("language", ["en", "zh"])
def test_another_program_reads_it_and_it_is_valid(procedure: Procedure, language: Any, tmp_path: Path) -> None:
    text = bpmn(procedure, language, visited=(procedure.spec.initial,), current=procedure.spec.initial)
    known = parsed(text, tmp_path).get_spec(procedure.name).task_specs
    assert {f"state-{s}" for s in procedure.states} <= known.keys()


def test_the_validation_notices_a_broken_drawing(tmp_path: Path) -> None:
    text = bpmn(CMA, "en").replace("bpmn:incoming>", "bpmn:arriving>")
    with pytest.raises(Exception, match="arriving"):
        parsed(text, tmp_path)


WAYS = [
    ["submit", "accept", "organise_review", "conclude_meets", "join_sign_offs", "grant", "print_certificate",
     "deliver"],
    ["submit", "request_correction", "resubmit", "accept", "organise_review", "conclude_does_not_meet", "refuse"],
    ["submit", "accept", "organise_review", "conclude_with_rectification", "retract"],
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way[-1])
def test_another_program_goes_the_same_way(way: list[str], tmp_path: Path) -> None:
    run = BpmnWorkflow(parsed(bpmn(CMA, "en"), tmp_path).get_spec(CMA.name))
    run.do_engine_steps()
    known = {clock.allowance: "P5D" for clock in CMA.spec.clocks.values()} | {"departments": ["ecology", "fire"]}
    state = CMA.spec.initial
    for name in way:
        ready = run.get_tasks(state=TaskState.READY, manual=True)
        assert {task.task_spec.name.removesuffix(" [child]") for task in ready} == {f"state-{state}"}
        assert len(ready) == (2 if any(d.each or d.signers for d in CMA.states[state].duties) else 1)
        for task in ready:
            for told in (task, task.parent):  # an instance of many tells its answer to the whole
                told.data.update(known, action=name)
            task.run()
        run.do_engine_steps()
        for begun in run.get_tasks(state=TaskState.STARTED, spec_class=ServiceTask):  # what the system does is ours
            begun.complete()
        run.do_engine_steps()
        state = CMA.by_name[name].target or state
    assert run.is_completed() and CMA.states[state].final


# -- the layout alone ------------------------------------------------------------------------------------------------


def test_columns_follow_the_longest_way_and_a_line_back_runs_below() -> None:
    boxes, routes = layout(dict.fromkeys("abcd", (100, 80)), [
        ("ab", "a", "b", True), ("bc", "b", "c", False), ("ac", "a", "c", False), ("cd", "c", "d", False),
        ("da", "d", "a", True), ("aa", "a", "a", False)])
    assert boxes["a"][0] < boxes["b"][0] < boxes["c"][0] < boxes["d"][0]
    bottom = max(y + h for _, y, _, h in boxes.values())
    assert max(y for _, y in routes["da"]) > bottom and max(y for _, y in routes["aa"]) > bottom
    assert max(y for _, y in routes["da"]) != max(y for _, y in routes["aa"])
    assert routes["ac"][0][0] == boxes["a"][0] + 100 and routes["ac"][-1][0] == boxes["c"][0]


def test_a_drawing_leaves_the_words_of_other_documents_alone() -> None:
    """A prefix registered for the whole process would change the bytes of every certificate rendered after it."""
    assert drawn(CMA) is not None
    dublin_core = Tree.Element("{http://purl.org/dc/elements/1.1/}title")
    assert Tree.tostring(dublin_core).startswith(b"<dc:title ")
