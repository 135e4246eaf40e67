"""What a procedure must be: each property, looked for in all the ways a case can go, with the shortest story of its
failing."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import networkx

from workflow.abstraction import Open
from workflow.allowances import Allowance
from workflow.engine import permit
from workflow.procedure import Duty, Procedure, duties
from workflow.proofs import Property, Standing
from workflow.stories import (
    ROLE_NAMES,
    Kind,
    Story,
    StoryStep,
    facts_words,
    role_words,
    say,
    spoken,
    step_words,
)
from workflow.surroundings import ANY, JOBS, REPORTED, could
from workflow.vocabulary import SYSTEM, Message, Refusal
from workflow.ways import Move, Situation, Ways

RETRACTED = "retracted"


TITLES: dict[str, Message] = {  # property -> what it promises, in the order in which they are shown
    "proofread": say("The definition is free of loose ends", "定义文本无疏漏"),
    "finishes": say(
        "From everywhere a case can still be finished, otherwise than by retracting it",
        "任何情形下案件均能办结，而不必撤回",
    ),
    "leaves_nothing": say(
        "At the end no task is open and no clock runs", "办结后没有未完任务，也没有仍在计算的期限"
    ),
    "no_dead_action": say("Every action can be taken in some case", "每个操作都有可能执行"),
    "bounded": say(
        "Nothing grows without end, and nothing goes round by itself", "没有无限增长，也没有自动循环"
    ),
    "attended": say(
        "Wherever a case waits, somebody can act or a clock will", "凡有等待之处，必有人可办或期限可到"
    ),
    "lapses_act": say("A limit that runs out can always act", "期限届满时系统必能执行"),
    "grant_is_decided": say(
        "Every way to a grant passes a decision and a signature", "每一条准予路径都经过决定和签署"
    ),
    "refusal_has_reasons": say(
        "Every refusal carries its reasons and remedies", "每一项拒绝都载明理由和救济途径"
    ),
    "limits_have_articles": say("Every limit and number has its article", "每个期限和数字都有条文依据"),
    "somebody_is_left": say(
        "Separation of duties leaves somebody able to act, with the people of today",
        "以现有人员，职责分离之后仍有人可办",
    ),
}


def holds(key: str) -> Property:
    return Property(key, TITLES[key], Standing.HOLDS)


def fails(key: str, finding: Message, story: Story | None = None) -> Property:
    return Property(key, TITLES[key], Standing.FAILS, finding, story)


def looked_at(ways: Ways) -> Iterator[Property]:
    """The properties that the ways alone decide, in their order."""
    if ways.growing is not None:  # broken off there, so nothing is said of the rest
        why = say("Not looked at: the case grows without end.", "未检视：案件会无限增长。")
        for key in list(TITLES)[1:-2]:
            yield _bounded(ways) if key == "bounded" else Property(key, TITLES[key], Standing.UNDECIDED, why)
        return
    yield _finishes(ways, "finishes")
    yield _leaves_nothing(ways)
    yield _no_dead_action(ways)
    yield _bounded(ways)
    yield _attended(ways)
    yield _lapses_act(ways)
    yield _grant_is_decided(ways)
    yield _refusal_has_reasons(ways)


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
    vain for somebody who may not act."""
    key = "somebody_is_left"
    finished = _finishes(ways, key)
    if finished.standing is Standing.FAILS:
        return finished
    unattended = _attended(ways)
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
        for there, _ in situation.leads:
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
    # the first situation from which there is no way, with what turns out there
    at = min(lost, key=lambda n: (ways.found[n].distance, len(ways.found[n].case.facts)))
    state = spec[ways.found[at].case.state].label.message()
    waits = _waits_for(ways, ways.found[at])
    finding = say(
        "From “%(state)s” a case may never be finished%(waits)s.",
        "案件处于“%(state)s”时可能永远无法办结%(waits)s。",
        state=state,
        waits=waits,
    )
    return fails(key, finding, story(ways, at, finding))


def _waits_for(ways: Ways, situation: Situation) -> Message:
    unserved = [d for d in situation.unserved if d.holder != "nobody"]
    if unserved:
        return say(
            ": it waits for %(whom)s, and nobody of them may act",
            "：须由%(whom)s办理，而无人可以办理",
            whom=_duty_words(unserved[0]),
        )
    if not [m for _, m in situation.leads if m.kind in (Kind.ACT, Kind.LAPSE, Kind.JOB)]:
        return say(": nothing more can happen there", "：此后再无可执行的操作")
    return say(": what can still be done only leads round or to its retraction", "：其后只能循环往复或者撤回")


def _leaves_nothing(ways: Ways) -> Property:
    key = "leaves_nothing"
    for at, situation in _nearest(ways):
        case = situation.case
        if not ways.original.states[case.state].final:
            continue
        left: list[Message | str] = [
            _duty_words(d) for d in duties(ways.original, case.state, case.agency_id, {}, frozenset())
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


def _no_dead_action(ways: Ways) -> Property:
    key = "no_dead_action"
    taken = {name for s in ways.found for _, move in s.leads for name in move.taken}
    for action in ways.original.actions:
        if action.name in taken:
            continue
        nearest = next(
            (
                n
                for n, s in _nearest(ways)
                if s.case.state in action.sources
                and action.spec.track in (None, s.case.track)
                and not s.splits
            ),
            None,
        )
        if nearest is None:
            finding = say(
                "“%(action)s” can never be taken: no case comes to where it starts.",
                "“%(action)s”永远无法执行：没有案件会到达其起始状态。",
                action=action.label,
            )
            return fails(key, finding)
        why = _why_not(ways, ways.found[nearest], action.name)
        finding = say(
            "“%(action)s” can never be taken: %(why)s",
            "“%(action)s”永远无法执行：%(why)s",
            action=action.label,
            why=why,
        )
        return fails(key, finding, story(ways, nearest, finding))
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


def _attended(ways: Ways) -> Property:
    key = "attended"
    for at, situation in _nearest(ways):
        if situation.splits or not situation.unserved:
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
                whom=_duty_words(duty),
            )
        )
        return fails(key, finding, story(ways, at, finding))
    return holds(key)


def _lapses_act(ways: Ways) -> Property:
    key = "lapses_act"
    for at, situation in _nearest(ways):
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
    for at, situation in _nearest(ways):
        if ways.original.states[situation.case.state].outcome != "granted":
            continue
        missing = [mark for mark in ("decided", "signed") if mark not in situation.marks]
        if missing:
            what = say("a decision", "决定") if missing[0] == "decided" else say("a signature", "签署")
            finding = say("A grant is reached without %(what)s.", "未经%(what)s即准予许可。", what=what)
            return fails(key, finding, story(ways, at, finding))
    return holds(key)


def _refusal_has_reasons(ways: Ways) -> Property:
    key = "refusal_has_reasons"
    for at, situation in _nearest(ways):
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


# -- telling ---------------------------------------------------------------------------------------------


def _nearest(ways: Ways) -> list[tuple[int, Situation]]:
    return sorted(enumerate(ways.found), key=lambda found: found[1].distance)


def _duty_words(duty: Duty) -> Message:
    en, zh = ROLE_NAMES[duty.role]
    kind, _, key = duty.holder.partition(":")
    if kind in ("department", "person") and key:
        return say(f"{en} (%(key)s)", f"{zh}（%(key)s）", key=key)
    return say(en, zh)


def story(ways: Ways, at: int, ending: Message) -> Story:
    """The shortest way to a situation, told and replayable."""
    procedure, path, here = ways.original, [], at
    while (came := ways.found[here].came) is not None:
        path.append((came[1], here))
        here = came[0]
    steps: list[StoryStep] = []
    learned: dict[str, object] = {}
    for move, there in reversed(path):
        learned |= move.learned
        if move.kind is None:
            continue
        to = ways.found[there].case.state
        text = step_words(procedure, move.kind, move.action, move.actor, learned, to, role_words(move.actor))
        steps.append(
            StoryStep(move.kind, move.action, move.actor, move.command, learned, move.reported, to, text)
        )
        learned = {}
    last = ways.found[at].case
    known = facts_words(learned)
    shown = (
        say("%(ending)s%(known)s", "%(ending)s%(known)s", ending=ending, known=known) if learned else ending
    )
    given = {f: v for f, v in ways.given.items() if not isinstance(v, Open) and v is not ANY}
    return Story(tuple(steps), shown, last.state, last.track, learned, given)
