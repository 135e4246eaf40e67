"""Whether a running case may go over from one version of its procedure to another, and what that changes.

A case that has come to a state, a clock or a fact that the other version does not know needs a mapping; whoever
migrates gives it once for all cases, as a `Plan`. Nothing is guessed: what no plan settles stays where it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from workflow.case import Act, Case
from workflow.clocks import Law, turn
from workflow.deadlines import Clock, Outcome, stop
from workflow.dossiers import find as dossier_of
from workflow.procedure import Action, FactGuardSpec, Procedure
from workflow.stories import say
from workflow.verbs import facts as verb_facts
from workflow.vocabulary import N_, SYSTEM, Message, Refusal


class Standing(StrEnum):
    CAN = "can"
    MAPPING = "mapping"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of names that the other version does not have: old name -> new name. A clock mapped to '' ends
    with the migration; `facts` gives values to facts that the other version reads and the case does not have."""

    states: Mapping[str, str] = field(default_factory=dict)
    tracks: Mapping[str, str] = field(default_factory=dict)
    clocks: Mapping[str, str] = field(default_factory=dict)
    acts: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        return {name: dict(getattr(self, name)) for name in PARTS}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Plan":
        return cls(**{name: dict(plain.get(name) or {}) for name in PARTS})


PARTS = ("states", "tracks", "clocks", "acts", "facts")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way: `part` is where a plan would settle it, None where no plan can."""

    reason: Message
    part: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a migration would mean for one case: `after` is the case as it would be, None unless it can go over.

    `ended`: clocks that the other version does not know, stopped; the case no longer carries them, its audit does.
    """

    obstacles: tuple[Obstacle, ...]
    changes: tuple[Message, ...]  # for the applicant
    after: Case | None
    ended: tuple[Clock, ...] = ()

    @property
    def standing(self) -> Standing:
        if not self.obstacles:
            return Standing.CAN
        return Standing.MAPPING if all(o.part for o in self.obstacles) else Standing.CANNOT


def refuse_unfit(plan: Plan, old: Procedure, new: Procedure) -> None:
    """Raise Refusal("malformed") for a plan that names what neither version has."""
    known: dict[str, tuple[set[str], set[str]]] = {
        "states": (set(old.states), set(new.states)),
        "tracks": (set(old.spec.tracks), set(new.spec.tracks)),
        "clocks": (set(old.spec.clocks), {*new.spec.clocks, ""}),
        "acts": ({a.name for a in old.actions}, {a.name for a in new.actions}),
    }
    for part, (before, after) in known.items():
        for one, other in getattr(plan, part).items():
            for name, procedure, names in ((one, old, before), (other, new, after)):
                if name not in names:
                    raise Refusal("malformed", Message(
                        N_("%(procedure)s version %(version)s has nothing called %(name)s."),
                        {"procedure": procedure.name, "version": procedure.version, "name": name}), field=part)


def outlook(case: Case, old: Procedure, new: Procedure, plan: Plan, on: date, law: Law) -> Outlook:
    """What going over on the local date `on` would mean for an open case.

    Raises Refusal("unavailable") for a case that has ended, or runs on another version than `old`.
    Raises NoAllowance when `new` starts a clock whose allowance is not in force on that day.
    """
    if old.states[case.state].final or (case.procedure, case.procedure_version) != (old.name, old.version):
        raise Refusal("unavailable", Message(N_("This case has ended, or runs on another version.")))
    obstacles = [*_missing(case, old, new, plan)]
    if any(o.part in ("states", "tracks") for o in obstacles):
        return Outlook(tuple(obstacles), (), None)
    mapped, given = _mapped(case, new, plan), _given(case, plan)
    obstacles += _unknown_facts(given, old, new)
    obstacles += _separation(case, mapped, old, new)
    after = _gone_over(case, mapped, new, plan, on, law)
    if step := _at_once(new, after):
        obstacles.append(Obstacle(Message(
            N_("In the state %(state)s the system would at once %(action)s: map the state to the one after it."),
            {"state": _state(new, after.state), "action": step.label}), "states", case.state))
    changes = tuple(_changes(case, after, old, new))
    ended = tuple(_ended(c, on, law) for c in case.clocks if _name(c, plan) not in new.spec.clocks)
    return Outlook(tuple(obstacles), changes, None if obstacles else after, ended)


# -- what is not there ------------------------------------------------------------------------------------------------


def _missing(case: Case, old: Procedure, new: Procedure, plan: Plan) -> Iterator[Obstacle]:
    state = plan.states.get(case.state, case.state)
    if state not in new.states:
        yield Obstacle(Message(N_("The state %(state)s is not in the other version."),
                               {"state": _state(old, case.state)}), "states", case.state)
    elif new.states[state].final:
        yield Obstacle(Message(N_("The state %(state)s ends a case in the other version; no migration ends a case."),
                               {"state": _state(new, state)}), "states", case.state)
    if plan.tracks.get(case.track, case.track) not in new.spec.tracks:
        yield Obstacle(Message(N_("The track %(track)s is not in the other version."),
                               {"track": old.spec.tracks[case.track].message()}), "tracks", case.track)
    for there in (case.fact(verb_facts.RETURN_TO) or {}).values():
        if plan.states.get(there, there) not in new.states:
            yield Obstacle(Message(N_("The case is to be handed back to the state %(state)s, which is not in the other "
                                      "version."), {"state": _state(old, there)}), "states", there)
    for clock in case.clocks:
        if not clock.is_stopped and plan.clocks.get(clock.name, clock.name) not in {*new.spec.clocks, ""}:
            yield Obstacle(Message(N_("The clock %(clock)s is not in the other version."),
                                   {"clock": old.spec.clocks[clock.name].label.message()}), "clocks", clock.name)


def _unknown_facts(case: Case, old: Procedure, new: Procedure) -> Iterator[Obstacle]:
    """Facts that the other version reads on the way ahead, which this one does not know and nothing will write."""
    ahead = _ahead(new, case.state)
    written = {name for action in ahead for name in _writes(action)}
    for name in sorted(_reads(new, case.state, ahead) - _mentioned(old) - written):
        if name not in case.facts:
            yield Obstacle(Message(N_("The other version asks for %(fact)s, which this case does not have."),
                                   {"fact": name}), "facts", name)


def _separation(case: Case, mapped: Case, old: Procedure, new: Procedure) -> Iterator[Obstacle]:
    """Acts that keep somebody from a step here and would no longer do so there."""
    for action in _ahead(new, mapped.state):
        before = old.by_name.get(action.name)
        if before is None:
            continue
        kept_away = case.persons_who(*before.spec.apart_from)
        for act in case.acts:
            if act.person_id in kept_away and act.action in before.spec.apart_from \
                    and act.person_id not in mapped.persons_who(*action.spec.apart_from):
                yield Obstacle(Message(
                    N_("Whoever took the step %(act)s may not %(action)s; the other version would let them."),
                    {"act": old.by_name[act.action].label if act.action in old.by_name else act.action,
                     "action": action.label}), "acts", act.action)


def _ahead(procedure: Procedure, state: str) -> tuple[Action, ...]:
    """Every action that can still be taken from a state on."""
    reached, waiting = {state}, [state]
    while waiting:
        for action in procedure.leaving(waiting.pop()):
            if action.target and action.target not in reached:
                reached.add(action.target)
                waiting.append(action.target)
    return tuple(a for a in procedure.actions if reached & set(a.sources))


def _reads(procedure: Procedure, state: str, actions: tuple[Action, ...]) -> set[str]:
    guarded = {g.fact for a in actions for g in a.spec.guards if isinstance(g, FactGuardSpec)}
    named = {f for s in {state, *(a.target or state for a in actions)} for d in procedure.states[s].duties
             for f in (d.each, d.person, d.persons) if f}
    return guarded | named


def _writes(action: Action) -> Iterator[str]:
    for effect in action.spec.effects:
        if not isinstance(effect, str):
            yield from {**(effect.set or {}), **(effect.keep or {})}


def _mentioned(procedure: Procedure) -> set[str]:
    return _reads(procedure, procedure.spec.initial, procedure.actions) | {
        n for a in procedure.actions for n in _writes(a)}


def _at_once(procedure: Procedure, case: Case) -> Action | None:
    """What the system would do without anybody's act: it follows an act, and a migration is none."""
    return next((a for a in procedure.leaving(case.state)
                 if a.automatic and a.spec.track in (None, case.track)
                 and not any(guard(procedure, case, SYSTEM, None) for guard in a.guards)), None)


# -- going over --------------------------------------------------------------------------------------------------------


def _given(case: Case, plan: Plan) -> Case:
    return replace(case, state=plan.states.get(case.state, case.state), facts={**plan.facts, **case.facts})


def _remembered(facts: Mapping[str, Any], new: Procedure, plan: Plan) -> dict[str, Any]:
    """What the verbs remember, under the names of the other version. The last act cannot be recalled across texts."""
    states, clocks = plan.states, plan.clocks
    kept = {name: value for name, value in facts.items() if name != verb_facts.LAST_ACT}
    for name in (verb_facts.ASSIGNMENTS, verb_facts.CONSULTATIONS):
        if kept.get(name):
            kept[name] = {states.get(state, state): held for state, held in kept[name].items()}
    if back := kept.get(verb_facts.RETURN_TO):
        kept[verb_facts.RETURN_TO] = {states.get(a, a): states.get(b, b) for a, b in back.items()}
    if held := kept.get(verb_facts.HELD_CLOCKS):
        named = {clocks.get(name, name): ground for name, ground in held.items()}
        kept[verb_facts.HELD_CLOCKS] = {n: ground for n, ground in named.items() if n in new.spec.clocks}
    return kept


def _mapped(case: Case, new: Procedure, plan: Plan) -> Case:
    given = _given(case, plan)
    acts = tuple(dict.fromkeys(Act(plan.acts.get(a.action, a.action), a.person_id) for a in case.acts))
    return replace(given, procedure_version=new.version, acts=acts, facts=_remembered(given.facts, new, plan),
                   track=plan.tracks.get(case.track, case.track))


def _gone_over(case: Case, mapped: Case, new: Procedure, plan: Plan, on: date, law: Law) -> Case:
    clocks = tuple(replace(c, name=_name(c, plan)) for c in case.clocks if _name(c, plan) in new.spec.clocks)
    turned = turn(new, replace(mapped, clocks=clocks), mapped.state, on, law)
    return replace(mapped, clocks=turned, version=case.version + 1)


def _name(clock: Clock, plan: Plan) -> str:
    return plan.clocks.get(clock.name, clock.name)


def _ended(clock: Clock, on: date, law: Law) -> Clock:
    return clock if clock.is_stopped else stop(clock, on, law.calendar, Outcome.DROPPED)


# -- what the applicant sees of it -------------------------------------------------------------------------------------


def _changes(case: Case, after: Case, old: Procedure, new: Procedure) -> Iterator[Message]:
    before_label, after_label = _state(old, case.state), _state(new, after.state)
    if (before_label.text, before_label.zh) != (after_label.text, after_label.zh):
        yield say(
            "The case stands at %(after)s instead of %(before)s.", "案件状态由“%(before)s”变为“%(after)s”。",
            before=before_label, after=after_label,
        )  # fmt: skip
    yield from _due_dates(case, after, old, new)
    was, now = _steps(old, case), _steps(new, after)
    if came := [label for name, label in now.items() if name not in was]:
        yield say(
            "The applicant can do this as well: %(steps)s.", "申请人另可办理：%(steps)s。",
            steps=came,
        )  # fmt: skip
    if went := [label for name, label in was.items() if name not in now]:
        yield say(
            "The applicant can no longer do this: %(steps)s.", "申请人不能再办理：%(steps)s。",
            steps=went,
        )  # fmt: skip
    yield from _materials(old, new)


def _due_dates(case: Case, after: Case, old: Procedure, new: Procedure) -> Iterator[Message]:
    was = {c.name: c for c in case.clocks if not c.is_stopped}
    now = {c.name: c for c in after.clocks if not c.is_stopped}
    for name in dict.fromkeys([*was, *now]):
        one, other = was.get(name), now.get(name)
        spec = new.spec.clocks.get(name) or old.spec.clocks[name]
        label = spec.label.message()
        if one is None and other is not None:
            yield say(
                "A time limit begins: %(clock)s, due %(on)s.", "新的期限开始：%(clock)s，%(on)s届满。",
                clock=label, on=other.due_on,
            )  # fmt: skip
        elif one is not None and other is None:
            yield say(
                "A time limit ends: %(clock)s.", "期限终止：%(clock)s。",
                clock=label,
            )  # fmt: skip
        elif one is not None and other is not None and (one.due_on, one.is_resting) != (other.due_on, other.is_resting):
            yield say(
                "%(clock)s: due %(after)s instead of %(before)s.", "%(clock)s：届满日由 %(before)s变为 %(after)s。",
                clock=label, before=one.due_on, after=other.due_on,
            )  # fmt: skip


def _steps(procedure: Procedure, case: Case) -> dict[str, Message]:
    return {a.name: a.label for a in procedure.leaving(case.state)
            if a.on_applicant_side and a.spec.track in (None, case.track)}


def _materials(old: Procedure, new: Procedure) -> Iterator[Message]:
    before, after = (dossier_of(p.name, p.version) for p in (old, new))
    if before is None or after is None or before.digest == after.digest:
        return
    was, now = ({m.key: m for m in d.spec.materials} for d in (before, after))
    if came := [Message(m.en, {}, m.zh) for key, m in now.items() if key not in was]:
        yield say(
            "These materials are asked for as well: %(materials)s.", "另需提交材料：%(materials)s。",
            materials=came,
        )  # fmt: skip
    if went := [Message(m.en, {}, m.zh) for key, m in was.items() if key not in now]:
        yield say(
            "These materials are no longer asked for: %(materials)s.", "不再需要提交材料：%(materials)s。",
            materials=went,
        )  # fmt: skip


def _state(procedure: Procedure, state: str) -> Message:
    return procedure.states[state].label.message()
