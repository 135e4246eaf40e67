"""What the system notes on a case without taking a step of its procedure: a limit is near, is over, was counted anew.

A note is a `Step` that stays where it is, so it is written, audited and told like any other; it changes nothing that
a person has seen and judged, so an act on the version before it still stands (see `NOTES`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from workflow.alarms import Alarm, AlarmKind, told
from workflow.case import Case
from workflow.commands import Plain
from workflow.deadlines import Calendar, Clock, reckon
from workflow.engine import Step
from workflow.procedure import Action, ActionSpec, Label
from workflow.rules import RULES
from workflow.vocabulary import SYSTEM, Role

RECOUNTED = "limits_recounted"
WORDS: Mapping[str, Label] = {
    AlarmKind.NEAR_DUE: Label(en="reminded: a time limit is nearly over", zh="期限临近，已提醒"),
    AlarmKind.OVERDUE: Label(en="escalated: a time limit is over", zh="期限已过，已报告负责人"),
    RECOUNTED: Label(
        en="time limits were counted anew under a calendar published since", zh="工作日历已公布或修订，期限重新计算"
    ),
}
NOTES = frozenset(WORDS)
HOLDERS = "holders"  # of a notice: it goes to whoever has the case now, not to those concerned by a step


def alarm_notes(case: Case, alarms: Iterable[Alarm], on: date) -> list[Step]:
    """The steps that note these alarms, one for each kind and role; the clocks remember that they were told."""
    steps: list[Step] = []
    by_kind: dict[tuple[AlarmKind, Role | None], list[Alarm]] = {}
    for alarm in alarms:
        by_kind.setdefault((alarm.kind, alarm.role), []).append(alarm)
    for (kind, role), same in by_kind.items():
        now = steps[-1].after if steps else case
        limits = [{"clock": a.clock, "due_on": a.due_on.isoformat()} for a in same]
        steps.append(_note(now, kind, told(now.clocks, same, on), {"limits": limits}, (role,) if role else ()))
    return steps


def recount_note(case: Case, calendar: Calendar, on: date) -> Step | None:
    """The step that notes which due days a calendar moves; None when it moves none."""
    clocks = recounted(case.clocks, calendar, on)
    limits = [
        {"clock": was.name, "due_on": _iso(now.due_on), "was": _iso(was.due_on)}
        for was, now in zip(case.clocks, clocks, strict=True)
        if was.due_on != now.due_on
    ]
    return _note(case, RECOUNTED, clocks, {"limits": limits, "calendar": calendar.version}, ()) if limits else None


def recounted(clocks: Iterable[Clock], calendar: Calendar, on: date) -> tuple[Clock, ...]:
    """The clocks counted by that calendar. One that is not overdue any more is no longer escalated."""
    found = []
    for clock in clocks:
        now = reckon(clock, calendar)
        if now.escalated_on and now.due_on is not None and now.due_on >= on:
            now = replace(now, escalated_on=None)
        found.append(now)
    return tuple(found)


def _note(
    case: Case, name: str, clocks: tuple[Clock, ...], record: Mapping[str, Any], tells: tuple[Role, ...]
) -> Step:
    words = WORDS[name]
    told: dict[str, Any] = {"notify": (name,), "tells": tells}
    spec = ActionSpec.model_validate(
        {"label": words, "done": words, "from": (case.state,), "who": "is_the_system", **told}
    )
    action = Action(
        name=str(name),
        spec=spec,
        who=RULES[spec.who],
        guards=(),
        command=Plain,
        effects=(),
        on_applicant_side=False,
    )
    return Step(action, SYSTEM, Plain(), case, replace(case, clocks=clocks, version=case.version + 1), record)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
