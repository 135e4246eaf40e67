"""The same definition as a BPMN 2.0 diagram (ISO/IEC 19510) that other tools read and a viewer shows as it is.

A state is a user task; with a duty for each of a list and no other it is a parallel multi-instance task. Several ways
out go through an exclusive gateway; what the system does is a service task, and a receive task where another case of
the application tells it to; a clock with a lapse is a timer on the border of the task. Which cases a step opens and
what it tells others stands with it as `wujian:opens` and `wujian:informs`. What is done without leaving a state is
listed inside the task. Every identifier is made of the names in the definition, so it is the same in every drawing of a
version.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from xml.etree import ElementTree as Tree

from workflow.joint_commands import Inform
from workflow.layout import layout
from workflow.procedure import Action, Label, Procedure

Language = Literal["en", "zh"]
NAMESPACES: Final = {
    "bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "bioc": "http://bpmn.io/schema/bpmn/biocolor/1.0",
    "color": "http://www.omg.org/spec/BPMN/non-normative/color/1.0",
    "wujian": "urn:wujian:bpmn:1",
}
COLOURS: Final = {"past": ("#2e7d32", "#e8f5e9"), "current": ("#e65100", "#fff3e0")}  # border, filling
SIZES: Final = {"startEvent": (36, 36), "endEvent": (36, 36), "exclusiveGateway": (50, 50)}
TASK: Final = (110, 80)
TIMER: Final = 36


@dataclass(frozen=True, slots=True)
class _Node:
    id: str
    kind: str
    label: Label | None = None
    state: str | None = None  # the state it stands for
    act: tuple[str, str] | None = None  # (state, action) it stands for
    clock: str | None = None  # for a timer: the clock; `state` is where it runs

    @property
    def size(self) -> tuple[int, int]:
        return SIZES.get(self.kind, TASK)


@dataclass(frozen=True, slots=True)
class _Flow:
    id: str
    source: str
    target: str
    act: tuple[str, str] | None = None
    label: Label | None = None  # spoken on the line when the act is a person's
    chosen: bool = False  # leaves a gateway


def bpmn(
    procedure: Procedure,
    language: Language,
    visited: Collection[str] = (),
    current: str | None = None,
    taken: Collection[tuple[str, str]] = (),
) -> str:
    """The procedure as BPMN 2.0 XML with its diagram, named in one language and documented in both.

    `visited` are states a case has been in, `current` the one it is in, `taken` the (state, action) steps it took:
    they carry `wujian:place` and colours. Raises ValueError for a state or step the procedure does not have."""
    nodes, flows = _drawn(procedure)
    if strangers := {*visited, *([current] if current else [])} - set(procedure.states):
        raise ValueError(f"{procedure.name} has no state called {', '.join(sorted(strangers))}")
    if unknown := set(taken) - {(s, a.name) for a in procedure.actions for s in a.sources}:
        raise ValueError(f"{procedure.name} has no step {' by '.join(sorted(unknown)[0])}")
    items: list[_Node | _Flow] = [*nodes, *flows]
    places = {item.id: place for item in items if (place := _place(item, visited, current, taken))}
    spec = procedure.spec
    name = f"{spec.name}-v{spec.version}"
    root = Tree.Element(
        "bpmn:definitions",
        {
            "id": name,
            "name": getattr(spec.title, language),
            "targetNamespace": f"urn:wujian:procedure:{spec.name}:{spec.version}",
            "exporter": "Wujian",
            "wujian:digest": procedure.digest,
        },
    )
    process = _put(root, "bpmn:process", id=spec.name, name=getattr(spec.title, language), isExecutable="true")
    _document(process, spec.title, spec.basis)
    for node in nodes:
        _write_node(process, node, procedure, flows, language, places.get(node.id))
    for flow in flows:
        _write_flow(process, flow, procedure, language, places.get(flow.id))
    _write_diagram(root, procedure, nodes, flows, language, places)
    _declare(root)
    Tree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Tree.tostring(root, encoding="unicode") + "\n"


# -- from a definition to nodes and flows ----------------------------------------------------------------------------


def _drawn(procedure: Procedure) -> tuple[list[_Node], list[_Flow]]:
    nodes = [_Node("start", "startEvent")]
    flows = [_Flow("begin", "start", f"state-{procedure.spec.initial}")]
    for state, spec in procedure.states.items():
        task = f"state-{state}"
        if spec.final:
            nodes.append(_Node(task, "endEvent", spec.label, state))
            continue
        nodes.append(_Node(task, "userTask" if spec.duties else "serviceTask", spec.label, state))
        lapses = [(clock, a) for clock, a in _lapses(procedure, state) if state in a.sources]
        for clock, action in lapses:
            timer = f"clock-{clock}-{state}"
            nodes.append(_Node(timer, "boundaryEvent", procedure.spec.clocks[clock].label, state, clock=clock))
            _join(nodes, flows, timer, state, action)
        by_clock = {action.name for _, action in lapses}
        exits = [a for a in procedure.leaving(state) if a.target and a.name not in by_clock]
        if len(exits) > 1:
            nodes.append(_Node(f"choice-{state}", "exclusiveGateway", None, state))
            flows.append(_Flow(f"choose-{state}", task, f"choice-{state}"))
        for action in exits:
            _join(nodes, flows, f"choice-{state}" if len(exits) > 1 else task, state, action, len(exits) > 1)
    return list({n.id: n for n in nodes}.values()), flows


def _join(
    nodes: list[_Node], flows: list[_Flow], source: str, state: str, action: Action, chosen: bool = False
) -> None:
    """From a place to where an action leads; by way of a service task when the system does it."""
    act, step = (state, action.name), f"act-{action.name}-{state}"
    target = f"state-{action.target or state}"
    if not _by_system(action):
        flows.append(_Flow(step, source, target, act, action.spec.label, chosen))
        return
    flows.append(_Flow(f"to-{step}-from-{source}", source, step, act, None, chosen))
    if step not in {node.id for node in nodes}:  # two clocks of a state may lapse into the same act
        kind = "receiveTask" if action.command is Inform else "serviceTask"
        nodes.append(_Node(step, kind, action.spec.label, None, act))
        flows.append(_Flow(f"after-{step}", step, target, act))


def _by_system(action: Action) -> bool:
    return action.automatic or action.spec.who == "is_the_system"


def _lapses(procedure: Procedure, state: str) -> Iterator[tuple[str, Action]]:
    for name, clock in procedure.spec.clocks.items():
        if clock.on_lapse and state in clock.runs_in:
            yield name, procedure.by_name[clock.on_lapse]


def _place(
    item: _Node | _Flow, visited: Collection[str], current: str | None, taken: Collection[tuple[str, str]]
) -> str | None:
    if item.act is not None:
        return "past" if item.act in taken else None
    if isinstance(item, _Flow) or item.state is None or item.clock:
        return "past" if item.id in ("start", "begin") and (visited or current) else None
    if item.state == current and item.kind != "exclusiveGateway":
        return "current"
    return "past" if item.state in visited else None


# -- the process -----------------------------------------------------------------------------------------------------


def _write_node(
    process: Tree.Element, node: _Node, procedure: Procedure, flows: list[_Flow], language: Language, place: str | None
) -> None:
    element = _put(process, f"bpmn:{node.kind}", id=node.id)
    if node.label:
        element.set("name", getattr(node.label, language))
        _document(element, node.label)
    if place:
        element.set("wujian:place", place)
    state = procedure.states[node.state] if node.state and node.id == f"state-{node.state}" else None
    if node.state and state:
        inside = _put(element, "bpmn:extensionElements")
        _put(inside, "wujian:state", name=node.state, stage=state.stage or "", outcome=state.outcome or "")
        for action in (a for a in procedure.leaving(node.state) if a.target is None):
            label = action.spec.label
            _put(inside, "wujian:act", name=action.name, who=action.spec.who, en=label.en, zh=label.zh)
        for name, clock in procedure.spec.clocks.items():
            kind = "runs" if node.state in clock.runs_in else "rests" if node.state in clock.rests_in else ""
            if kind:
                _put(inside, "wujian:clock", name=name, allowance=clock.allowance, here=kind)
    for way in ("incoming", "outgoing"):
        for flow in flows:
            if node.id == (flow.target if way == "incoming" else flow.source):
                _put(element, f"bpmn:{way}").text = flow.id
    for number, duty in enumerate(state.duties if state else (), 1):
        owner = _put(element, "bpmn:potentialOwner", id=f"duty-{node.state}-{number}", name=duty.role.value)
        told = _put(_put(owner, "bpmn:resourceAssignmentExpression"), "bpmn:formalExpression")
        fact = duty.each or duty.person or duty.persons or ("departments" if duty.signers else "")
        told.text = f"{duty.role.value}({fact})" if fact else duty.role.value
    asked = [d.each or "departments" for d in state.duties if d.each or d.signers] if state else []
    for fact in asked[:1] if state and len(asked) == len(state.duties) else ():
        many = _put(element, "bpmn:multiInstanceLoopCharacteristics", isSequential="false")
        _put(many, "bpmn:loopCardinality").text = f"len({fact})"
    if node.clock:
        element.set("attachedToRef", f"state-{node.state}")
        element.set("cancelActivity", "true")
        timer = _put(element, "bpmn:timerEventDefinition", id=f"timer-{node.clock}-{node.state}")
        length = _put(timer, "bpmn:timeDuration")
        length.set("xsi:type", "bpmn:tFormalExpression")
        length.text = procedure.spec.clocks[node.clock].allowance  # its amount is dated and lives with the law


def _write_flow(
    process: Tree.Element, flow: _Flow, procedure: Procedure, language: Language, place: str | None
) -> None:
    element = _put(process, "bpmn:sequenceFlow", id=flow.id, sourceRef=flow.source, targetRef=flow.target)
    if place:
        element.set("wujian:place", place)
    if flow.act is None:
        return
    action = procedure.by_name[flow.act[1]]
    if flow.label:
        element.set("name", getattr(flow.label, language))
    _document(element, action.spec.label)
    for key, said in (("action", action.name), ("who", action.spec.who), ("track", action.spec.track)):
        if said:
            element.set(f"wujian:{key}", said)
    if (opens := action.spec.opens) and opens.each:
        element.set("wujian:opens", f"{opens.each}: {' '.join(opens.among)}")
    if informs := action.spec.informs:
        element.set("wujian:informs", f"{informs.to}: {informs.action}")
    if flow.chosen:
        condition = _put(element, "bpmn:conditionExpression")
        condition.set("xsi:type", "bpmn:tFormalExpression")
        condition.text = f"action == '{action.name}'"


def _document(element: Tree.Element, *labels: Label) -> None:
    _put(element, "bpmn:documentation").text = "\n".join((*(x.en for x in labels), *(x.zh for x in labels)))


def _declare(root: Tree.Element) -> None:
    """Name the prefixes that were used on the root. Said here and not by `register_namespace`, which speaks for the
    whole process: its `dc` would change how other libraries write theirs (the metadata of a PDF)."""
    said = {name.partition(":")[0] for element in root.iter() for name in (element.tag, *element.keys()) if ":" in name}
    own = dict(root.attrib)
    root.attrib.clear()
    root.attrib.update({f"xmlns:{prefix}": NAMESPACES[prefix] for prefix in sorted(said)} | own)


def _put(parent: Tree.Element, tag: str, /, **attributes: str) -> Tree.Element:
    return Tree.SubElement(parent, tag, attributes)


# -- the diagram -----------------------------------------------------------------------------------------------------


def _write_diagram(
    root: Tree.Element, procedure: Procedure, nodes: list[_Node], flows: list[_Flow], language: Language,
    places: Mapping[str, str],
) -> None:  # fmt: skip
    hosts = {n.id: f"state-{n.state}" for n in nodes if n.clock}
    boxes, routes = layout(
        {n.id: n.size for n in nodes if not n.clock},
        [(f.id, hosts.get(f.source, f.source), f.target, bool(f.label)) for f in flows],
    )
    beside: dict[str, int] = defaultdict(int)
    for node in (n for n in nodes if n.clock):
        x, y, width, height = boxes[hosts[node.id]]
        beside[hosts[node.id]] += 1
        boxes[node.id] = (x + width - 46 * beside[hosts[node.id]], y + height - TIMER // 2, TIMER, TIMER)
    for flow in (f for f in flows if f.source in hosts):  # leaves the timer downwards, then joins its own line
        x, y, _, _ = boxes[flow.source]
        host = boxes[hosts[flow.source]]
        turn, below = routes[flow.id][1][0], y + TIMER + 6 * ((host[0] + host[2] - x) // 46)
        routes[flow.id][:2] = [(x + TIMER // 2, y + TIMER), (x + TIMER // 2, below), (turn, below)]
    diagram = _put(root, "bpmndi:BPMNDiagram", id=f"{procedure.name}-diagram")
    plane = _put(diagram, "bpmndi:BPMNPlane", id=f"{procedure.name}-plane", bpmnElement=procedure.name)
    for node in nodes:
        shape = _put(plane, "bpmndi:BPMNShape", id=f"{node.id}-shape", bpmnElement=node.id)
        x, y, width, height = boxes[node.id]
        if node.kind == "exclusiveGateway":
            shape.set("isMarkerVisible", "true")
        _colour(shape, places.get(node.id), filled=True)
        _bounds(shape, x, y, width, height)
        if node.clock:  # left of the task, one under the other, clear of the lines that leave the timers
            host = boxes[hosts[node.id]]
            line = (host[0] + host[2] - x) // 46
            _bounds(_put(shape, "bpmndi:BPMNLabel"), host[0] - 94, y + 6 + 16 * line, 90, 14)
        elif node.label and node.kind == "endEvent":
            _bounds(_put(shape, "bpmndi:BPMNLabel"), x + width // 2 - 45, y + height + 4, 90, 27)
    for flow in flows:
        edge = _put(plane, "bpmndi:BPMNEdge", id=f"{flow.id}-edge", bpmnElement=flow.id)
        _colour(edge, places.get(flow.id), filled=False)
        for x, y in routes[flow.id]:
            _put(edge, "di:waypoint", x=str(x), y=str(y))
        if flow.label:
            x, y = routes[flow.id][2]
            _bounds(_put(edge, "bpmndi:BPMNLabel"), x + 4, y - 16, 180, 14)


def _bounds(element: Tree.Element, x: int, y: int, width: int, height: int) -> None:
    _put(element, "dc:Bounds", x=str(x), y=str(y), width=str(width), height=str(height))


def _colour(element: Tree.Element, place: str | None, filled: bool) -> None:
    if place:
        border, filling = COLOURS[place]
        both = [("bioc:stroke", border), ("color:border-color", border)]
        for key, value in both + ([("bioc:fill", filling), ("color:background-color", filling)] if filled else []):
            element.set(key, value)
