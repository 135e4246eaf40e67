"""What if: the recorded acts of a past case, lived again under another version of its procedure.

The same people do the same things on the same days. What was on paper then is known only in part: what the effects
and the edits of the dossier wrote is told by the record, what registers reported is known as it stood at the end. So
a guard that stood on the same action in the version of the record is taken as met, since the act happened; any other
is looked at with the facts as far as they are known. What the draft makes different is told from its first point on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from enum import StrEnum
from typing import Any

from workflow.asking import command_of
from workflow.case import Case
from workflow.clocks import Law, lapsed, opened
from workflow.engine import fire
from workflow.joint_licences import WRITES
from workflow.parsing import Command
from workflow.procedure import Action, EffectSpec, Procedure
from workflow.stories import say
from workflow.vocabulary import Actor, Message, Refusal


class Kind(StrEnum):
    SAME = "same"
    FASTER = "faster"  # it ends on an earlier day
    SLOWER = "slower"  # all that was done was possible, and more has to be done before it ends
    STUCK = "stuck"  # an act that was taken is not possible, and what followed does not help
    OTHER_DECISION = "other_decision"  # it ends otherwise, or the decision cannot be taken as it was


@dataclass(frozen=True, slots=True)
class PastAct:
    """One entry of the record. `facts`: what an edit of the dossier changed, where it was no action."""

    on: date
    action: str
    actor: Actor
    payload: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case that has ended, with its record in order. `facts` as they stand at the end."""

    public_id: str
    procedure: Procedure
    agency_id: int | None
    opened_on: date
    facts: Mapping[str, Any]
    acts: tuple[PastAct, ...]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`days`: working days from the filing to the end, in the record and under the draft (None: it does not end).
    `steps` and `papers`: how many steps are taken and how many documents are issued, in the same order; `tracks`:
    the track at the end of either."""

    kind: Kind
    first_difference: Message | None
    at: int | None  # the number of the act of the record, from 1
    days: tuple[int | None, int | None]
    steps: tuple[int, int]
    papers: tuple[int, int]
    tracks: tuple[str, str] = ("", "")


@dataclass(slots=True)
class _Life:
    """A case as it is lived: where it stands, what was issued, and what first went otherwise."""

    case: Case
    filed_on: date | None = None
    ended_on: date | None = None
    steps: int = 0
    papers: int = 0


def what_if(past: PastCase, draft: Procedure, law: Law) -> WhatIf:
    """Live the record again under the draft. Pure; the record itself is lived under its own version beside it."""
    then, now = _opened(past, past.procedure, law), _opened(past, draft, law)
    lenient = {p.digest: _as_it_was(p, past.procedure) for p in (past.procedure, draft)}
    difference: Message | None = None
    at: int | None = None
    refused: PastAct | None = None
    for number, act in enumerate(past.acts, 1):
        label = _label(past.procedure, draft, act.action)
        _live(lenient[past.procedure.digest], then, act, law, label)
        if now.ended_on is not None:
            continue
        why = _live(lenient[draft.digest], now, act, law, label)
        if difference is None and (why is not None or now.case.state != then.case.state):
            at = number
            difference = why or say(
                "After “%(action)s” of %(on)s the case is “%(now)s”; it was “%(then)s”.",
                "%(on)s 执行“%(action)s”之后，案件为“%(now)s”；当时为“%(then)s”。",
                action=label,
                on=act.on.isoformat(),
                now=draft.states[now.case.state].label.message(),
                then=past.procedure.states[then.case.state].label.message(),
            )
        if why is not None and refused is None:
            refused = act
    ends = (_days(then, law), _days(now, law))
    kind = _kind(past.procedure, draft, then, now, difference, refused)
    return WhatIf(kind, difference, at, ends, (then.steps, now.steps), (then.papers, now.papers),
                  (then.case.track, now.case.track))  # fmt: skip


def _kind(
    old: Procedure,
    draft: Procedure,
    then: _Life,
    now: _Life,
    difference: Message | None,
    refused: PastAct | None,
) -> Kind:
    if now.ended_on is not None:
        if draft.states[now.case.state].outcome != old.states[then.case.state].outcome:
            return Kind.OTHER_DECISION
        if then.ended_on is not None and now.ended_on < then.ended_on:
            return Kind.FASTER
        return (
            Kind.SAME
        )  # on the same day with the same end, be it by another way: `first_difference` says so
    if then.ended_on is None:
        return Kind.SAME if difference is None else Kind.STUCK if refused else Kind.SLOWER
    if refused is None:
        return Kind.SLOWER
    decision = old.by_name.get(refused.action)
    return (
        Kind.OTHER_DECISION
        if decision and decision.spec.reauthenticate and decision.spec.irreversible
        else Kind.STUCK
    )


def _opened(past: PastCase, procedure: Procedure, law: Law) -> _Life:
    written = {f for a in past.procedure.actions for f in _writes(a)}
    facts = {f: v for f, v in past.facts.items() if f not in written}
    case = opened(procedure, past.agency_id, facts, past.opened_on, law)
    filed = None if procedure.states[case.state].editable else past.opened_on
    return _Life(case, filed)


def _live(
    procedure: Procedure, life: _Life, act: PastAct, law: Law, label: Message | str
) -> Message | None:
    """Take one recorded act; why it could not be taken, or None. What a limit takes before it comes first."""
    case = life.case
    if act.facts:
        life.case = case.with_facts(**act.facts)
        return None
    action = procedure.by_name.get(act.action)
    if action is not None and action.automatic:
        return None  # taken when it became possible
    owed = next((n for n in lapsed(procedure, case.clocks, act.on) if n != act.action), None)
    if owed is not None:
        return say(
            "Before %(on)s a limit would have run out: “%(action)s”.",
            "在 %(on)s 之前期限已届满：“%(action)s”。",
            on=act.on.isoformat(), action=procedure.by_name[owed].label,
        )  # fmt: skip
    if action is None:
        return say("There is no “%(action)s” any more.", "不再有“%(action)s”这一操作。", action=label)
    try:
        command = rebuilt(action.command, act.payload)
        steps = fire(procedure, case, act.action, act.actor, command, act.on, law)
    except (Refusal, TypeError) as refusal:
        reason = (
            refusal.reason
            if isinstance(refusal, Refusal)
            else say("Its form is another one.", "其表单已改变。")
        )
        return say(
            "“%(action)s” of %(on)s would not be possible: %(why)s", "%(on)s 的“%(action)s”将无法执行：%(why)s",
            action=action.label, on=act.on.isoformat(), why=reason,
        )  # fmt: skip
    life.case = steps[-1].after
    life.steps += len(steps)
    life.papers += sum(len(s.action.spec.documents) for s in steps)
    if life.filed_on is None and life.case.state != procedure.spec.initial:
        life.filed_on = act.on
    if procedure.states[life.case.state].final:
        life.ended_on = act.on
    return None


def _as_it_was(procedure: Procedure, recorded: Procedure) -> Procedure:
    """The procedure without the guards that stood on the same action in the record: they were met when it was taken.

    Automatic actions keep theirs, since the record does not say when they were not met."""

    def asked(action: Action) -> Action:
        known = recorded.by_name.get(action.name)
        if known is None or action.automatic:
            return action
        new = [
            (g, s)
            for g, s in zip(action.guards, action.spec.guards, strict=True)
            if s not in known.spec.guards
        ]
        return replace(
            action,
            guards=tuple(g for g, _ in new),
            spec=action.spec.model_copy(update={"guards": tuple(s for _, s in new)}),
        )

    return replace(procedure, actions=tuple(asked(a) for a in procedure.actions))


def rebuilt(kind: type[Command], payload: Mapping[str, Any]) -> Command:
    """A command from what the audit kept of it, beside whatever else it kept. Raises Refusal or TypeError where it is
    of another shape now."""
    return command_of(kind, {spec.name: payload[spec.name] for spec in fields(kind) if spec.name in payload})


def _writes(action: Action) -> Iterator[str]:
    for effect in action.spec.effects:
        if isinstance(effect, EffectSpec):
            yield from (*(effect.set or {}), *(effect.keep or {}), *(effect.persons or {}))
        else:
            yield from WRITES.get(effect, ())
    if "count_correction" in action.spec.effects:
        yield "corrections"


def _days(life: _Life, law: Law) -> int | None:
    if life.filed_on is None or life.ended_on is None:
        return None
    return law.calendar.count(life.filed_on, life.ended_on)


def _label(old: Procedure, draft: Procedure, name: str) -> Message | str:
    action = draft.by_name.get(name) or old.by_name.get(name)
    return action.label if action else name


@dataclass(frozen=True, slots=True)
class Totals:
    """Over many cases: how many of each kind; working days and papers, then and now, of those that end in both."""

    kinds: Mapping[Kind, int]
    days: tuple[int, int]
    papers: tuple[int, int]


def totals(found: Sequence[WhatIf]) -> Totals:
    """What the draft would have made of them all."""
    both = [(w.days[0], w.days[1]) for w in found if w.days[0] is not None and w.days[1] is not None]
    return Totals(
        {kind: sum(w.kind is kind for w in found) for kind in Kind},
        (sum(then or 0 for then, _ in both), sum(now or 0 for _, now in both)),
        (sum(w.papers[0] for w in found), sum(w.papers[1] for w in found)),
    )
