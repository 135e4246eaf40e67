"""How a time limit looks: its badge, the way its day was counted, what rested, extended or started it anew."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from store.database import BUREAU_ZONE
from store.values import CaseFile
from web.context import laws, now, say, today
from workflow.deadlines import (
    Allowance,
    Clock,
    Line,
    Outcome,
    Rest,
    Standing,
    Unit,
    Why,
    days_left,
    reckoning,
    standing,
)
from workflow.held_clocks import TAKEN_UP
from workflow.notes import WORDS
from workflow.procedure import Procedure
from workflow.vocabulary import N_, Message

UNITS = {
    Unit.WORKING_DAYS: N_("%(amount)s working days"), Unit.CALENDAR_DAYS: N_("%(amount)s calendar days"),
    Unit.MONTHS: N_("%(amount)s months"), Unit.YEARS: N_("%(amount)s years"),
}
NOTE_TONES = {"near_due": "attention", "overdue": "bad", "limits_recounted": "waiting"}


@dataclass(frozen=True, slots=True)
class DueFace:
    """What a due badge reads."""

    standing: Standing
    days_left: int | None
    due_on: date | None
    provisional: bool
    unit: Unit


@dataclass(frozen=True, slots=True)
class LineFace:
    """A line of an explanation: a `workflow.reckoning.Line` whose note is said in the reader's language."""

    since: date
    until: date
    why: Why
    counted: int
    total: int
    note: Message | str
    settled: bool
    extended: bool


@dataclass(frozen=True, slots=True)
class ClockFace:
    """A clock with the way its due date was counted. `told`: what happened to it beside running, in sentences."""

    label: Message
    due: DueFace
    started_on: date
    amount: Message
    article: str
    lines: tuple[LineFace, ...]
    told: tuple[Message, ...] = ()


def due_face(clock: Clock) -> DueFace:
    calendar = laws().current().calendar
    return DueFace(standing(clock, today(), calendar), days_left(clock, today(), calendar), clock.due_on,
                   clock.provisional, clock.allowance.unit)


def pressing(clocks: Iterable[Clock]) -> DueFace | None:
    """The badge of a case: its nearest running clock, else one that rests, else none."""
    going = [clock for clock in clocks if not clock.is_stopped]
    running = sorted((clock for clock in going if clock.is_running and clock.due_on), key=lambda c: str(c.due_on))
    chosen = next(iter([*running, *(clock for clock in going if clock.is_resting)]), None)
    return due_face(chosen) if chosen else None


def clock_faces(file: CaseFile) -> list[ClockFace]:
    """Every clock of a case, the ones that still go first."""
    faces = [(clock.is_stopped, clock_face(file.procedure, clock)) for clock in file.case.clocks]
    return [face for _, face in sorted(faces, key=lambda pair: pair[0])]


def clock_face(procedure: Procedure, clock: Clock) -> ClockFace:
    spec = procedure.spec.clocks[clock.name]
    amount = amount_of(clock.allowance, clock.amount)
    if spec.until is not None:
        last = reckoning(clock, laws().current().calendar).on
        amount = Message(N_("to a fixed day, %(on)s"), {"on": last.isoformat() if last else "—"})
    lines = reckoning(clock, laws().current().calendar).lines
    return ClockFace(
        spec.label.message(), due_face(clock), clock.started_on, amount, _article(clock),
        tuple(_line(procedure, line) for line in lines), tuple(_told(procedure, clock)))


def _line(procedure: Procedure, line: Line) -> LineFace:
    note: Message | str = line.note
    if line.why is Why.RESTING:
        note = _ground(procedure, line.note)
    elif line.why is Why.STARTED_ANEW:
        note = Message(N_("first started on %(on)s"), {"on": line.note})
    return LineFace(line.since, line.until, line.why, line.counted, line.total, note, line.settled, line.extended)


def _ground(procedure: Procedure, ground: str) -> Message:
    """Why a clock rests, with its article; a definition without a list of grounds says it in its own words."""
    spec = procedure.spec.grounds.get(ground)
    if spec is not None:
        return Message(f"{spec.label.en} (%(article)s)", {"article": spec.article}, f"{spec.label.zh}（%(article)s）")
    if ground == TAKEN_UP:
        return Message(N_("its duty was done, until the case came back"), {})
    return Message(ground.replace("%", "%%"), {}, ground)


def _told(procedure: Procedure, clock: Clock) -> Iterable[Message]:
    """What happened to the clock, oldest first."""
    if clock.first_on is not None:
        yield Message(N_("Started anew on %(on)s; first started on %(first)s."),
                      {"on": clock.started_on.isoformat(), "first": clock.first_on.isoformat()})
    if clock.is_resting:
        now: Rest = clock.rests[-1]
        yield Message(N_("Rests since %(on)s: %(ground)s."),
                      {"on": now.since.isoformat(), "ground": say(_ground(procedure, now.ground))})
    for extension in clock.extensions:
        yield Message(N_("Extended by %(amount)s on %(on)s, on %(article)s: %(reason)s"), {
            "amount": say(amount_of(extension.allowance, extension.allowance.amount)),
            "on": extension.granted_on.isoformat(), "article": extension.allowance.article,
            "reason": extension.reason})
    lapse = procedure.by_name.get(procedure.spec.clocks[clock.name].on_lapse or "")
    if lapse is not None and clock.outcome is Outcome.MISSED and clock.stopped_on is not None:
        yield Message(N_("Over; on %(on)s the law acted: %(action)s."),
                      {"on": clock.stopped_on.isoformat(), "action": say(lapse.label)})
    if clock.escalated_on is not None:
        yield Message(N_("Over; the superior was told on %(on)s."), {"on": clock.escalated_on.isoformat()})


def elapsed_days(file: CaseFile) -> int | None:
    """Calendar days from the filing to the end of the case or today; None before it is filed. Beside the legal limits,
    which rest and are counted in working days, this is what the applicant has waited."""
    if file.submitted_at is None:
        return None
    ended = file.closed_at or now()
    return int((ended.astimezone(BUREAU_ZONE).date() - file.submitted_at.astimezone(BUREAU_ZONE).date()).days)


def amount_of(allowance: Allowance, amount: int) -> Message:
    return Message(UNITS[allowance.unit], {"amount": amount})


def _article(clock: Clock) -> str:
    return "；".join(dict.fromkeys([clock.allowance.article, *(e.allowance.article for e in clock.extensions)]))


def note_words(procedure: Procedure, name: str, payload: Mapping[str, Any]) -> tuple[Message, str, str] | None:
    """(what, tone, which limits) of a note of the system; None when the entry is none."""
    words = WORDS.get(name)
    if words is None:
        return None
    limits = []
    for limit in payload.get("limits", ()):
        spec = procedure.spec.clocks.get(limit["clock"])
        label = say(spec.label.message()) if spec else limit["clock"]
        days = " → ".join(str(day) for day in (limit.get("was"), limit.get("due_on")) if day)
        limits.append(f"{label} {days}")
    return words.message(), NOTE_TONES[name], "\n".join(limits)
