"""How values of the inner rooms look on a page: tones, due dates, the lines of a clock, the errors of a form."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from jinja2.runtime import Undefined

from web.language import left, say

TONES = ("neutral", "active", "waiting", "good", "attention", "bad", "resting", "closed")
SHAPES = {
    "neutral": "ring", "active": "half", "waiting": "hourglass", "good": "tick-disc", "attention": "triangle",
    "bad": "cross-square", "resting": "pause", "closed": "square",
}
STROKES = 5                                         # a due badge draws one stroke for each working day left, to five

WHY = {
    "event_day": _l("Day of the event, not counted"),
    "started_anew": _l("Day on which it started anew, not counted"),
    "working": _l("Working days"),
    "make_up": _l("Working weekend by the holiday notice"),
    "period": _l("Calendar days"),
    "weekend": _l("Weekend, not counted"),
    "holiday": _l("Public holiday, not counted"),
    "resting": _l("Clock resting, not counted"),
}


def register(app: Flask) -> None:
    """Give the templates these functions; ``web.design.register`` calls it."""
    app.jinja_env.globals.update(
        maybe=maybe, shape_of=shape_of, tone_of=tone_of, due_face=due_face, line_face=line_face,
        form_problems=form_problems, link_to=link_to, bureau_name=bureau_name, spoken=spoken,
    )


def maybe(thing: Any, name: str, default: Any = None) -> Any:
    """``thing.name`` or ``thing["name"]`` if it is there: for what a component may be given but need not."""
    if isinstance(thing, Mapping):
        return thing.get(name, default)
    value = getattr(thing, name, default)
    return default if isinstance(value, Undefined) else value


def tone_of(tone: object) -> str:
    """The tone if we know it, else ``neutral``: a new state must never break a page."""
    return str(tone) if str(tone) in TONES else "neutral"


def shape_of(tone: object) -> str:
    """The name of the icon that says the tone without colour."""
    return SHAPES[tone_of(tone)]


@dataclass(frozen=True, slots=True)
class DueFace:
    """What a due badge shows. ``css`` is one of overdue, today, near, normal, resting, kept, missed, none;
    ``strokes`` is 0..5, or None where an icon stands instead."""

    css: str
    words: str
    strokes: int | None
    icon: str | None
    on: date | None
    provisional: bool


STANDINGS = {
    "overdue": ("overdue", "alarm"), "due_today": ("today", "alarm"), "near": ("near", None),
    "running": ("normal", None), "resting": ("resting", "pause"), "met": ("kept", "tick"),
    "missed": ("today", "cross"), "dropped": ("none", "dash"),
}


def due_face(clock: Any) -> DueFace:
    """From anything with ``standing`` (a word of ``workflow.deadlines.Standing``), ``days_left``, ``due_on``
    and, if it has them, ``provisional`` and ``unit`` (``working_days`` unless told)."""
    if clock is None or isinstance(clock, Undefined):
        return DueFace("none", _("no time limit"), None, "dash", None, False)
    standing, days = str(maybe(clock, "standing", "running")), maybe(clock, "days_left")
    css, icon = STANDINGS.get(standing, ("normal", None))
    fixed = {"met": _("done in time"), "missed": _("done late"), "dropped": _("no longer due")}
    if standing in fixed:
        words = fixed[standing]
    elif standing == "resting":
        words = _("clock resting")
    elif days is None:
        words = _("running")
    elif str(maybe(clock, "unit", "working_days")) == "working_days":
        words = left(days)
    else:
        words = _calendar_left(days)
    strokes = None if icon or days is None else max(0, min(STROKES, days))
    return DueFace(css, words, strokes, icon, maybe(clock, "due_on"), bool(maybe(clock, "provisional", False)))


def _calendar_left(days: int) -> str:
    if days < 0:
        return ngettext("%(num)d day overdue", "%(num)d days overdue", -days)
    if days == 0:
        return _("due today")
    return ngettext("%(num)d day left", "%(num)d days left", days)


def line_face(line: Any) -> str:
    """The words for one ``workflow.reckoning.Line``: why its days count or do not."""
    return str(WHY.get(str(line.why), ""))


def form_problems(form: Any) -> list[tuple[str | None, str, str]]:
    """Every error of a form, nested ones too, as ``(id of the input or None, label, message)`` in order."""
    found: list[tuple[str | None, str, str]] = [
        (None, "", str(message)) for message in maybe(form, "form_errors", None) or ()
    ]
    for field in form:
        found += _field_problems(field)
    return found


def _field_problems(field: Any) -> Iterator[tuple[str | None, str, str]]:
    inner: Iterable[Any] = ()
    if field.type in ("FormField", "FieldList"):
        inner = list(field)
    for child in inner:
        yield from _field_problems(child)
    if field.type != "FormField":
        hidden = getattr(field.widget, "input_type", "") == "hidden"
        for words in spoken(field.errors):
            yield (None if hidden else field.id, "" if hidden else str(field.label.text), words)


def spoken(errors: Iterable[Any]) -> list[str]:
    """The messages among a field's errors; a FieldList also lists those of its entries, which speak for themselves."""
    return [str(error) for error in errors if not isinstance(error, (dict, list, tuple))]


def link_to(endpoint: str, **values: Any) -> str | None:
    """The address of an endpoint, or None while no blueprint offers it."""
    known = current_app.view_functions
    return url_for(endpoint, **values) if endpoint in known else None


def bureau_name() -> str:
    """The bureau this installation works for, from the configuration; in the reader's language if given."""
    named = current_app.config.get("BUREAU_NAME")
    return say(named) if named and request else ""
