"""What a careful reader finds in a definition: loose ends, dead ends, circles, words that point nowhere."""

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

import networkx

from workflow import effects as effect_words
from workflow import guards as guard_words
from workflow import joint_licences, sign_offs
from workflow.commands import COMMANDS, Command, Plain
from workflow.joint_commands import Inform
from workflow.rules import RULES
from workflow.verbs import effects as verb_effects
from workflow.verbs import guards as verb_guards
from workflow.vocabulary import Message

if TYPE_CHECKING:
    from workflow.procedure import Action, ClockSpec, EffectSpec, Label, Procedure, ProcedureSpec


def unknown_words(spec: "ProcedureSpec") -> Iterator[str]:
    """Rules, commands, guards and effects that the definition names and nobody wrote."""
    for name, action in spec.actions.items():
        if action.who not in RULES:
            yield f"actions.{name}.who: there is no rule called {action.who}"
        if action.command not in COMMANDS:
            yield f"actions.{name}.command: there is no command called {action.command}"
        for guard in action.guards:
            if isinstance(guard, str) and guard not in guard_words.NAMED | verb_guards.NAMED | joint_licences.GUARDS:
                yield f"actions.{name}.guards: there is no guard called {guard}"
        for effect in action.effects:
            known_effects = effect_words.NAMED | verb_effects.NAMED | joint_licences.EFFECTS
            if isinstance(effect, str) and effect not in known_effects:
                yield f"actions.{name}.effects: there is no effect called {effect}"


def proofread(procedure: "Procedure") -> Iterator[str]:
    """What a careful reader would find: loose ends, dead ends, words that point nowhere."""
    spec = procedure.spec
    if spec.initial not in spec.states:
        yield f"initial: there is no state called {spec.initial}"
        return
    graph = networkx.DiGraph()
    graph.add_nodes_from(spec.states)
    for action in procedure.actions:
        where = f"actions.{action.name}"
        for state in (*action.sources, *([action.target] if action.target else [])):
            if state not in spec.states:
                yield f"{where}: there is no state called {state}"
                return
        graph.add_edges_from((s, action.target or s) for s in action.sources)
        yield from (f"{where} leaves the final state {s}" for s in action.sources if spec.states[s].final)
        yield from (
            f"{where}.apart_from: there is no action called {other}"
            for other in action.spec.apart_from
            if other not in spec.actions
        )
        if action.spec.track and action.spec.track not in spec.tracks:
            yield f"{where}.track: there is no track called {action.spec.track}"
        if action.spec.since and action.spec.since not in spec.clocks:
            yield f"{where}.since: there is no clock called {action.spec.since}"
        for effect in action.spec.effects:
            if not isinstance(effect, str):
                yield from _effect_faults(f"{where}.effects", effect, action.command, spec)
        for guard in action.spec.guards:
            if not isinstance(guard, str):
                yield from _sentence_faults(f"{where}.guards", guard.otherwise)
        yield from _extension_faults(where, action, spec)
        yield from _joint_faults(where, action, spec)
        if action.automatic and action.target is None:
            yield f"{where} is automatic but leads nowhere, so it would fire for ever"
    chain = networkx.DiGraph(
        (s, a.target) for a in procedure.actions if a.automatic and a.target for s in a.sources
    )
    yield from (
        f"actions: automatic steps lead round in a circle: {' -> '.join((*circle, circle[0]))}"
        for circle in networkx.simple_cycles(chain)
    )
    reached = {spec.initial, *networkx.descendants(graph, spec.initial)}
    finals = {s for s, v in spec.states.items() if v.final}
    yield from (f"states.{s} cannot be reached" for s in spec.states if s not in reached)
    finishing = finals.union(*(networkx.ancestors(graph, f) for f in finals)) if finals else set()
    yield from (f"states.{s} can never finish" for s in spec.states if s not in finishing)
    for name, state_spec in spec.states.items():
        if state_spec.final and state_spec.outcome is None:
            yield f"states.{name} is final and needs an outcome"
        if (
            not state_spec.final
            and not state_spec.duties
            and not any(a.automatic or a.spec.who == "is_the_system" for a in procedure.leaving(name))
        ):
            yield f"states.{name} waits for nobody"
        if state_spec.stage and state_spec.stage not in spec.stages:
            yield f"states.{name}.stage: there is no stage called {state_spec.stage}"
    yield from _sign_off_faults(procedure)
    yield from _opened_twice(procedure, graph)
    for name, clock in spec.clocks.items():
        for state in (*clock.runs_in, *clock.rests_in):
            if state not in spec.states:
                yield f"clocks.{name}: there is no state called {state}"
        yield from _ground_faults(f"clocks.{name}", clock, spec)
        if clock.track and clock.track not in spec.tracks:
            yield f"clocks.{name}.track: there is no track called {clock.track}"
        if clock.on_lapse:
            yield from _lapse_faults(name, clock, procedure)
    yield from (
        f"numbers.{n} needs its article in number_articles"
        for n in spec.numbers
        if n not in spec.number_articles
    )


def _effect_faults(
    where: str, effect: "EffectSpec", command: type[Command], spec: "ProcedureSpec"
) -> Iterator[str]:
    if effect.track and effect.track not in spec.tracks:
        yield f"{where}: there is no track called {effect.track}"
    known = {f.name for f in fields(command)}
    yield from (
        f"{where}.keep: {command.__name__} has no field called {name}"
        for name in (effect.keep or {}).values()
        if name not in known
    )


def _joint_faults(where: str, action: "Action", spec: "ProcedureSpec") -> Iterator[str]:
    """Of cases that open and inform each other, what this definition alone shows (see `joint_proofreading`)."""
    if action.command is Inform and (action.spec.who != "is_the_system" or action.spec.automatic):
        yield f"{where}: what another case tells is taken by the system, when it is told"
    opens_any = any(a.opens and a.opens.each for a in spec.actions.values())
    if action.spec.informs and action.spec.informs.to == "children" and not opens_any:
        yield f"{where}.informs.children: this procedure opens no cases for what a fact lists"
    if action.spec.who == "decides_for_the_department" and spec.department is None:
        yield f"{where}.who: whose licence it is must be said (department)"


def _opened_twice(procedure: "Procedure", graph: "networkx.DiGraph[str]") -> Iterator[str]:
    """A case of each licence is opened once: no way leads back to where that is done."""
    opening = [a for a in procedure.actions if a.spec.opens and a.spec.opens.each]
    for action in opening:
        target = action.target or action.sources[0]
        again = {target, *networkx.descendants(graph, target)}
        for other in opening:
            yield from (
                f"actions.{action.name}.opens: the case can come back to {state}, where {other.name} opens them again"
                for state in other.sources
                if state in again
            )


WHOEVER = tuple(f"whoever_{n}" for n in range(100))  # stand for the departments that a fact will list


def _sign_off_faults(procedure: "Procedure") -> Iterator[str]:
    """A sign-off needs a formula that can be agreed, somebody to answer, and a way out as soon as it is settled."""
    spec = procedure.spec
    ruled = [name for name, state in spec.states.items() if state.sign_off]
    if len(ruled) > 1:
        yield f"states.{ruled[1]}.sign_off: a procedure has one sign-off state, and {ruled[0]} is it already"
    for name, state in spec.states.items():
        where = f"states.{name}"
        if state.sign_off is None:
            if state.subjects or state.on_silence or any(d.signers for d in state.duties):
                yield f"{where}: subjects, on_silence and signers need a sign_off"
            continue
        known = (*sign_offs.named_by(state.sign_off), *WHOEVER)
        yield from (f"{where}.sign_off: {fault}" for fault in sign_offs.faults(state.sign_off, known))
        if not any(d.signers for d in state.duties):
            yield f"{where}.duties: nobody is told to answer (signers: true)"
        leaving = procedure.leaving(name)
        if not any("record_sign_off" in a.spec.effects for a in leaving):
            yield f"{where}: no action records an answer"
        if not any(a.automatic and "sign_off_is_settled" in a.spec.guards for a in leaving):
            yield f"{where}: no automatic action leads on when the sign-off is settled (sign_off_is_settled)"
        if state.on_silence:
            clock = spec.clocks.get(state.on_silence)
            if clock is None or name not in clock.runs_in:
                yield f"{where}.on_silence: no clock called {state.on_silence} runs here"
            elif not any(a.name == clock.on_lapse and "note_silence" in a.spec.effects for a in leaving):
                yield f"clocks.{state.on_silence}.on_lapse: the lapse must be noted (effect note_silence)"
            if not any("silence_may_be_passed_over" in a.spec.guards for a in leaving):
                yield f"{where}.on_silence: no action passes over the silence (silence_may_be_passed_over)"


def _extension_faults(where: str, action: "Action", spec: "ProcedureSpec") -> Iterator[str]:
    """An extension needs somebody of the authority who approves it, a reason, and a notice to the applicant."""
    if action.spec.extends is None:
        return
    clock = spec.clocks.get(action.spec.extends.clock)
    if clock is None:
        yield f"{where}.extends: there is no clock called {action.spec.extends.clock}"
        return
    yield from (
        f"{where}.extends: the clock {action.spec.extends.clock} neither runs nor rests in {state}"
        for state in action.sources
        if state not in clock.runs_in and state not in clock.rests_in
    )
    if action.on_applicant_side or action.automatic or action.spec.who == "is_the_system":
        yield f"{where}.who: an extension is approved by somebody of the authority, not by {action.spec.who}"
    if "grounds" not in {f.name for f in fields(action.command)}:
        yield f"{where}.command: an extension names its grounds, and {action.command.__name__} has none"
    if not action.spec.notify:
        yield f"{where}.notify: the applicant must be told of the extension and its grounds"


def _sentence_faults(where: str, sentence: "Label") -> Iterator[str]:
    for language in ("en", "zh"):
        try:
            str(Message(getattr(sentence, language), {"": ""}))
        except (ValueError, TypeError) as error:
            yield f"{where}.otherwise.{language}: this sentence cannot be filled in ({error})"


def _ground_faults(where: str, clock: "ClockSpec", spec: "ProcedureSpec") -> Iterator[str]:
    """Grounds are a closed list: once a definition declares them, no clock rests on any other."""
    for ground in (*clock.rests_for, *clock.rests_in.values()):
        if isinstance(ground, str) and ground not in spec.grounds:
            yield f"{where}: there is no ground called {ground}"
        elif not isinstance(ground, str) and spec.grounds:
            yield f"{where}: “{ground.en}” is not on the list of grounds"
    yield from (
        f"{where}: it cannot both run and rest in {state}" for state in clock.runs_in if state in clock.rests_in
    )


def _lapse_faults(name: str, clock: "ClockSpec", procedure: "Procedure") -> Iterator[str]:
    """A lapse that the engine would refuse would be tried, and refused, at every sweep for ever."""
    action = procedure.by_name.get(clock.on_lapse or "")
    where = f"clocks.{name}.on_lapse"
    if action is None:
        yield f"{where}: there is no action called {clock.on_lapse}"
        return
    if action.spec.who != "is_the_system":
        yield f"{where}: {action.name} is not an action of the system"
    if action.command is not Plain:
        yield f"{where}: {action.name} needs {action.command.__name__}, which a clock cannot give"
    yield from (
        f"{where}: {action.name} does not leave {state}, where the clock runs"
        for state in clock.runs_in
        if state not in action.sources
    )
