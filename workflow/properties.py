"""What a procedure must be: each property, looked for in all the ways a case can go, with the shortest story of its
failing."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import networkx

from workflow.abstraction import Open
from workflow.allowances import Allowance
from workflow.engine import permit
from workflow.procedure import Action, Procedure, duties
from workflow.proofs import TITLES, Property, Standing, fails, holds
from workflow.situations import Move, Situation
from workflow.stories import Kind, say, spoken
from workflow.surroundings import GRANTING, JOBS, REPORTED, could
from workflow.telling import duty_words, nearest, story
from workflow.vocabulary import SYSTEM, Message, Refusal
from workflow.ways import Ways

RETRACTED = "retracted"


def looked_at(parts: Sequence[Ways]) -> list[Property]:
    """The properties that the ways alone decide, in their order; what fails in one part fails."""
    found = {key: [look(ways) for ways in parts] for key, look in _LOOKS.items()}
    found["no_dead_action"] = [_no_dead_action(parts)]
    growing = next((p for p in found["bounded"] if p.standing is Standing.FAILS), None)
    if growing and any(ways.growing for ways in parts):  # broken off there, so nothing is said of the rest
        why = say("Not looked at: the case grows without end.", "未检视：案件会无限增长。")
        rest = {key: Property(key, TITLES[key], Standing.UNDECIDED, why) for key in found}
        return list((rest | {"bounded": growing}).values())
    return [next((p for p in found[key] if p.standing is Standing.FAILS), found[key][0]) for key in found]


def words(procedure: Procedure) -> Property:
    """A loaded procedure was proof-read; the registers and jobs it names must exist as well."""
    for action in procedure.actions:
        for register in action.spec.registers:
            if register not in REPORTED:
                return fails(
                    "proofread",
                    say(
                        "“%(action)s” names the register %(name)s, which nobody has written.",
                        "“%(action)s”所列的登记动作 %(name)s 不存在。",
                        action=action.label,
                        name=register,
                    ),
                )
    return holds("proofread")


def limits(procedure: Procedure, allowances: Iterable[Allowance] | None) -> Property:
    """Numbers have their article in the definition; the allowance of a clock has its own, in the law's table."""
    spec = procedure.spec
    for number in spec.numbers:
        if not spec.number_articles.get(number):
            return fails(
                "limits_have_articles",
                say("The number %(name)s has no article.", "数字 %(name)s 没有条文依据。", name=number),
            )
    if allowances is None:
        why = say("The table of limits was not given.", "未提供期限表。")
        return Property("limits_have_articles", TITLES["limits_have_articles"], Standing.NOT_ASKED, why)
    known = {a.name: a for a in allowances}
    for clock in spec.clocks.values():
        found = known.get(clock.allowance)
        if found is None or not found.article.strip():
            return fails(
                "limits_have_articles",
                say(
                    "The limit “%(clock)s” rests on %(name)s, for which the table of limits has no article.",
                    "期限“%(clock)s”所依据的 %(name)s 在期限表中没有条文。",
                    clock=clock.label.message(),
                    name=clock.allowance,
                ),
            )
    return holds("limits_have_articles")


def left_to_act(ways: Ways) -> Property:
    """With the people that there are: whoever takes which step, the case can still be finished, and nobody waits in
    vain for somebody who may not act: where that happens a limit runs out or somebody else leads the case on."""
    key = "somebody_is_left"
    if ways.growing is not None:  # broken off there, so nothing is known of the rest
        bounded = _bounded(ways)
        return Property(key, TITLES[key], Standing.FAILS, bounded.finding, bounded.story)
    finished = _finishes(ways, key)
    if finished.standing is Standing.FAILS:
        return finished
    unattended = _attended(ways, in_vain=True)
    if unattended.standing is Standing.FAILS:
        return Property(key, TITLES[key], Standing.FAILS, unattended.finding, unattended.story)
    return holds(key)


# -- one by one ------------------------------------------------------------------------------------------


def _finishes(ways: Ways, key: str) -> Property:
    spec = ways.original.states
    ends = [
        n
        for n, s in enumerate(ways.found)
        if spec[s.case.state].final and spec[s.case.state].outcome != RETRACTED
    ]
    back: dict[int, list[int]] = {}
    for n, situation in enumerate(ways.found):
        for there, move in situation.leads:
            if move.kind is not Kind.TOLD:  # nobody waits for ever for another case to tell something
                back.setdefault(there, []).append(n)
    able, queue = set(ends), deque(ends)
    while queue:
        for before in back.get(queue.popleft(), ()):
            if before not in able:
                able.add(before)
                queue.append(before)
    lost = [n for n, s in enumerate(ways.found) if n not in able and spec[s.case.state].outcome != RETRACTED]
    if not lost:
        return holds(key)
    at, blocked = _where_it_ends(ways, lost)
    state = spec[ways.found[at].case.state].label.message()
    waits = _waits_for(ways, ways.found[at], blocked)
    finding = say(
        "From “%(state)s” a case may never be finished%(waits)s.",
        "案件处于“%(state)s”时可能永远无法办结%(waits)s。",
        state=state,
        waits=waits,
    )
    return fails(key, finding, story(ways, at, finding))


def _where_it_ends(ways: Ways, lost: Sequence[int]) -> tuple[int, list[Action]]:
    """The nearest lost situation from which nothing leads further astray, and the actions that would lead out of it.

    One in which such an action is written, and is not possible, tells more than one from which there is none."""
    inside = set(lost)
    graph = networkx.DiGraph()
    graph.add_nodes_from(lost)
    graph.add_edges_from((n, t) for n in lost for t, _ in ways.found[n].leads if t in inside)
    parts = networkx.condensation(graph)
    ends = [parts.nodes[p]["members"] for p in parts if not parts.out_degree(p)]
    told = []
    for members in ends:
        states = {ways.found[n].case.state for n in members}
        for n in members:
            blocked = [a for a in _not_possible(ways, ways.found[n]) if a.target not in states]
            told.append((not blocked, ways.found[n].distance, len(ways.found[n].case.facts), n, blocked))
    best = min(told, key=lambda t: t[:4])
    return best[3], best[4]


def _not_possible(ways: Ways, situation: Situation) -> list[Action]:
    """The actions of this state that lead on and that nobody can take here."""
    taken = {m.action for _, m in situation.leads}
    return [
        a
        for a in ways.original.leaving(situation.case.state)
        if a.name not in taken
        and a.target
        and a.spec.track in (None, situation.case.track)
        and not a.automatic
        and ways.original.states[a.target].outcome != RETRACTED
    ]


def _waits_for(ways: Ways, situation: Situation, blocked: Sequence[Action]) -> Message:
    unserved = [d for d in situation.unserved if d.holder != "nobody"]
    if unserved:
        return say(
            ": it waits for %(whom)s, and nobody of them may act",
            "：须由%(whom)s办理，而无人可以办理",
            whom=duty_words(unserved[0]),
        )
    if blocked and not ways.staff.unlimited and blocked[0].spec.apart_from:
        return say(
            ": nobody is left who may take “%(action)s”, because of the separation of duties",
            "：因职责分离，已无人可以执行“%(action)s”",
            action=blocked[0].label,
        )
    if not [m for _, m in situation.leads if m.kind in (Kind.ACT, Kind.LAPSE, Kind.JOB)]:
        return say(": nothing more can happen there", "：此后再无可执行的操作")
    return say(": what can still be done only leads round or to its retraction", "：其后只能循环往复或者撤回")


def _leaves_nothing(ways: Ways) -> Property:
    key = "leaves_nothing"
    for at, situation in nearest(ways):
        case = situation.case
        if not ways.original.states[case.state].final:
            continue
        left: list[Message | str] = [
            duty_words(d) for d in duties(ways.original, case.state, case.agency_id, {}, frozenset())
        ]
        left += [ways.original.spec.clocks[c.name].label.message() for c in case.clocks if not c.is_stopped]
        if left:
            state = ways.original.states[case.state].label.message()
            finding = say(
                "The case has ended with “%(state)s”, and still open is: %(left)s.",
                "案件已以“%(state)s”结束，但仍未了结：%(left)s。",
                state=state,
                left=left[0],
            )
            return fails(key, finding, story(ways, at, finding))
    return holds(key)


def _no_dead_action(parts: Sequence[Ways]) -> Property:
    key = "no_dead_action"
    taken = {name for ways in parts for s in ways.found for _, move in s.leads for name in move.taken}
    for ways, action in ((part, action) for part in parts for action in part.original.actions):
        if action.name in taken:
            continue
        closest = next(
            (
                n
                for n, s in nearest(ways)
                if s.case.state in action.sources
                and action.spec.track in (None, s.case.track)
                and not s.splits
            ),
            None,
        )
        if closest is None:
            finding = say(
                "“%(action)s” can never be taken: no case comes to where it starts.",
                "“%(action)s”永远无法执行：没有案件会到达其起始状态。",
                action=action.label,
            )
            return fails(key, finding)
        why = _why_not(ways, ways.found[closest], action.name)
        finding = say(
            "“%(action)s” can never be taken: %(why)s",
            "“%(action)s”永远无法执行：%(why)s",
            action=action.label,
            why=why,
        )
        return fails(key, finding, story(ways, closest, finding))
    return holds(key)


def _why_not(ways: Ways, situation: Situation, name: str) -> Message:
    action = ways.original.by_name[name]
    if action.spec.who == "is_the_system" and not action.automatic:
        if name not in ways.lapse_actions and name not in JOBS.values():
            return say(
                "it is the system's, and no clock and no job calls for it.",
                "它由系统执行，而没有期限或后台作业触发它。",
            )
        return say("its clock never runs there.", "相应期限在此从不计算。")
    people = [SYSTEM] if action.automatic else [p for p in ways.staff.people if could(action, p)]
    if not people:
        return say("nobody is %(who)s.", "没有人符合“%(who)s”。", who=action.spec.who)
    known = {f: v for f, v in situation.case.facts.items() if type(v) is not Open}
    try:
        permit(ways.original, replace(situation.case, facts=known), name, people[0])
    except Refusal as refusal:
        return Message(spoken(refusal.reason, "en"), {}, spoken(refusal.reason, "zh"))
    return say("no command of its kind is let through.", "其命令均被拒绝。")


def _bounded(ways: Ways) -> Property:
    key = "bounded"
    if ways.growing is not None:
        grows = ways.growing
        finding = say(
            "%(fact)s grows without end by repeating “%(action)s”.",
            "反复执行“%(action)s”会使 %(fact)s 无限增长。",
            fact=grows.fact,
            action=ways.original.by_name[grows.move.action].label,
        )
        return fails(key, finding, story(ways, grows.at, finding))
    by_itself = {
        n: [(t, m) for t, m in s.leads if m.kind in (None, Kind.LAPSE, Kind.JOB)]
        for n, s in enumerate(ways.found)
    }
    for circle in _circles(by_itself):
        inside = set(circle)
        move = next((m for n in circle for t, m in by_itself[n] if t in inside and m.kind), None)
        if move is not None:
            at = min(circle, key=lambda n: ways.found[n].distance)
            finding = say(
                "The case goes round by itself, without anybody acting: “%(action)s” again and again.",
                "案件无人操作而自动循环：反复执行“%(action)s”。",
                action=ways.original.by_name[move.action].label,
            )
            return fails(key, finding, story(ways, at, finding))
    return holds(key)


def _circles(leads: dict[int, list[tuple[int, Move]]]) -> Iterator[list[int]]:
    """Strongly connected parts that hold a way round (networkx's are of the whole graph; this one is small)."""
    graph = networkx.DiGraph((n, t) for n, found in leads.items() for t, _ in found)
    for part in networkx.strongly_connected_components(graph):
        if len(part) > 1 or any(graph.has_edge(n, n) for n in part):
            yield sorted(part)


def _attended(ways: Ways, in_vain: bool = False) -> Property:
    """`in_vain`: only where nothing but those who may not act would lead on."""
    key = "attended"
    for at, situation in nearest(ways):
        if situation.splits or not situation.unserved or (in_vain and _goes_on(ways, situation)):
            continue
        state = ways.original.states[situation.case.state].label.message()
        duty = situation.unserved[0]
        finding = (
            say(
                "“%(state)s” waits for nobody: no person has to act there and no clock will.",
                "“%(state)s”无人可待：既没有应办之人，也没有会到期的期限。",
                state=state,
            )
            if duty.holder == "nobody"
            else say(
                "“%(state)s” waits for %(whom)s, and nobody of them may take any step there.",
                "“%(state)s”须由%(whom)s办理，而其中无人可以执行任何操作。",
                state=state,
                whom=duty_words(duty),
            )
        )
        return fails(key, finding, story(ways, at, finding))
    return holds(key)


def _goes_on(ways: Ways, situation: Situation) -> bool:
    """Whether a limit runs out here, or somebody may lead the case to another state than its retraction."""
    states, here = ways.original.states, situation.case.state
    return any(
        move.kind is Kind.LAPSE
        or (move.passing and _goes_on(ways, ways.found[there]))
        or (ways.found[there].case.state != here and states[ways.found[there].case.state].outcome != RETRACTED)
        for there, move in situation.leads
    )


def _lapses_act(ways: Ways) -> Property:
    key = "lapses_act"
    for at, situation in nearest(ways):
        if situation.stuck_lapses and not situation.splits:
            action = ways.original.by_name[situation.stuck_lapses[0]]
            finding = say(
                "A limit runs out and “%(action)s” is refused, so the case stands still for everybody.",
                "期限届满而“%(action)s”被拒绝执行，案件因此停滞。",
                action=action.label,
            )
            return fails(key, finding, story(ways, at, finding))
    return holds(key)


def _grant_is_decided(ways: Ways) -> Property:
    key = "grant_is_decided"
    giving = {a.name for a in ways.original.actions if GRANTING & set(a.spec.registers)}
    given = {there for s in ways.found for there, move in s.leads if giving & set(move.taken)}
    for at, situation in nearest(ways):
        if ways.original.states[situation.case.state].outcome != "granted" and at not in given:
            continue
        missing = [mark for mark in ("decided", "signed") if mark not in situation.marks]
        if missing:
            what = say("a decision", "决定") if missing[0] == "decided" else say("a signature", "签署")
            finding = say("A grant is reached without %(what)s.", "未经%(what)s即准予许可。", what=what)
            return fails(key, finding, story(ways, at, finding))
    return holds(key)


def _refusal_has_reasons(ways: Ways) -> Property:
    key = "refusal_has_reasons"
    for at, situation in nearest(ways):
        if (
            ways.original.states[situation.case.state].outcome == "refused"
            and "reasoned" not in situation.marks
        ):
            finding = say(
                "The application is refused without reasons and remedies in writing.",
                "拒绝申请而未书面载明理由和救济途径。",
            )
            return fails(key, finding, story(ways, at, finding))
    return holds(key)


_LOOKS: Mapping[str, Callable[[Ways], Property]] = {
    "finishes": lambda ways: _finishes(ways, "finishes"),
    "leaves_nothing": _leaves_nothing,
    "no_dead_action": lambda ways: holds("no_dead_action"),  # of all parts together
    "bounded": _bounded,
    "attended": _attended,
    "lapses_act": _lapses_act,
    "grant_is_decided": _grant_is_decided,
    "refusal_has_reasons": _refusal_has_reasons,
}
