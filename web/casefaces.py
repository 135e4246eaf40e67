"""How a case looks: its state, due date, clocks, progress and history, made from values of the inner rooms."""
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.values import CaseFile, QueueLine, TimelineEntry
from web.clockfaces import ClockFace as ClockFace
from web.clockfaces import DueFace, note_words, pressing
from web.clockfaces import amount_of as amount_of
from web.clockfaces import clock_faces as clock_faces
from web.clockfaces import due_face as due_face
from web.context import ROLE_LABELS, say
from web.departments import VERDICTS, department_name, round_words
from web.departments import departments as departments
from web.jointwords import joint_words
from web.turns import whose_turn
from web.verbwords import verb_words
from workflow import procedures
from workflow.procedure import Action, Procedure, StateSpec
from workflow.verbs.facts import NAMES
from workflow.vocabulary import N_, Message, Role

# The audit keeps the rule under which somebody acted; these are the rules that are not roles.
RELATIONS = {
    "is_the_applicant": N_("Applicant"), "answers_for_a_department_asked": N_("Department officer"),
    "works_for_the_deciding_department": N_("Department officer"),
    "decides_for_the_department": N_("Department leader"),
    "leads_the_team": N_("Review team leader"), "is_on_the_team": N_("Review team"),
    "works_on_it": N_("Officer"), "is_consulted": N_("Asked for advice"), "is_the_system": N_("System"),
    "": N_("Opened"),
}
OUTCOMES = {"granted": "good", "refused": "bad", "retracted": "closed", "closed": "closed"}
TONES = {"primary": "good", "danger": "bad", "neutral": "active"}


@dataclass(frozen=True, slots=True)
class StepFace:
    label: Message
    state: str
    who: Message | str | None = None
    at: datetime | None = None
    clock: DueFace | None = None
    note: Message | None = None


@dataclass(frozen=True, slots=True)
class EntryFace:
    at: datetime
    text: Message | str
    actor: str
    tone: str
    said: str | None
    digest: str
    place: str = ""  # as what the person acted, in the reader's language


def state_face(procedure: Procedure, state: str) -> tuple[Message, str]:
    """(label, tone) of a state: whose turn it is decides, and how it ended."""
    spec = procedure.states[state]
    return spec.label.message(), _tone(spec)


def _tone(spec: StateSpec) -> str:
    if spec.outcome:
        return OUTCOMES[spec.outcome]
    if any(duty.role is Role.APPLICANT for duty in spec.duties):
        return "neutral" if spec.stage == "apply" else "attention"
    return "waiting" if any(duty.each or duty.signers for duty in spec.duties) else "active"


def queue_faces(lines: Sequence[QueueLine]) -> list[dict[str, Any]]:
    """The lines of a queue as its table reads them."""
    faces = []
    for line in lines:
        procedure = procedures.find(line.procedure, line.procedure_version)
        label, tone = state_face(procedure, line.state)
        faces.append({"line": line, "state": label, "tone": tone, "clock": pressing(line.clocks),
                      "procedure": procedure.spec.title.message(), "track": track_label(procedure, line.track)})
    return faces


def track_label(procedure: Procedure, track: str) -> Message:
    return procedure.spec.tracks[track].message()


def progress(file: CaseFile, entries: Sequence[TimelineEntry]) -> list[StepFace]:
    """The stages of the procedure as this case goes through them."""
    spec, case = file.procedure.spec, file.case
    here = spec.states[case.state].stage
    order, on_track = list(spec.stages), _stages_of_track(file.procedure, case.track)
    entered = _entered(file.procedure, entries)
    ended = spec.states[case.state].final
    steps = []
    for number, (name, label) in enumerate(spec.stages.items()):
        passed = here in order and number < order.index(here)
        state = ("done" if ended else "current") if name == here else (
            "skipped" if name not in on_track or ended and not passed else "done" if passed else "next")
        steps.append(StepFace(
            label.message(), state, "、".join(whose_turn(file.procedure, case)) if state == "current" else None,
            entered.get(name),
            pressing(case.clocks) if state == "current" else None,
            spec.states[case.state].label.message() if name == here else None))
    return steps


def _stages_of_track(procedure: Procedure, track: str) -> frozenset[str | None]:
    """The stages that a case on this track can reach."""
    return frozenset(procedure.states[state].stage for state in states_of_track(procedure, track))


def states_of_track(procedure: Procedure, track: str) -> frozenset[str]:
    """The states that a case on this track can reach."""
    reached, frontier = {procedure.spec.initial}, [procedure.spec.initial]
    while frontier:
        for action in procedure.leaving(frontier.pop()):
            if action.target and action.target not in reached and action.spec.track in (None, track):
                reached.add(action.target)
                frontier.append(action.target)
    return frozenset(reached)


def _entered(procedure: Procedure, entries: Sequence[TimelineEntry]) -> dict[str, datetime]:
    """When each stage was last entered."""
    found: dict[str, datetime] = {}
    for entry in reversed(entries):
        stage, source = _stage(procedure, entry.target), _stage(procedure, entry.source)
        if stage and stage != source:
            found[stage] = entry.at
    return found


def _stage(procedure: Procedure, state: str | None) -> str | None:
    spec = procedure.states.get(state) if state else None
    return spec.stage if spec else None


def history(file: CaseFile, entries: Iterable[TimelineEntry]) -> list[EntryFace]:
    """What happened, newest first. Of changes that one person saved one after another only the last is told."""
    found: list[EntryFace] = []
    before: tuple[str, str] | None = None
    for entry in entries:
        if (entry.action, entry.actor_name) != before or entry.action not in SAVES:
            found.append(_entry(file, entry))
        before = (entry.action, entry.actor_name)
    return found


PINNED = {"procedure": N_("Procedure"), "dossier": N_("Application form"), "form": N_("Catalogues"),
          "rules": N_("Time limits"), "calendar": N_("Working-day calendar")}


def pins(entries: Iterable[TimelineEntry]) -> list[tuple[str, str]]:
    """(what, its SHA-256) of the texts and tables by which the case is handled, as it was opened or last migrated."""
    found = next((e.payload["pins"] for e in entries if "pins" in e.payload), None)
    if not isinstance(found, Mapping):
        return []
    return [(say(label), str(found[name])) for name, label in PINNED.items() if name in found]


def _entry(file: CaseFile, entry: TimelineEntry) -> EntryFace:
    procedure, names = file.procedure, file.case.fact(NAMES) or {}
    action = procedure.by_name.get(entry.action) or _of_another_version(procedure, entry.action)
    if note := note_words(procedure, entry.action, entry.payload):
        return EntryFace(entry.at, note[0], "", note[1], note[2], entry.hash, say(_role_words(entry.role)))
    if action is None:
        return EntryFace(entry.at, _event(entry), by_whom(entry), "neutral", said(entry.payload), entry.hash)
    place = department_name(entry.department) if entry.department else say(_role_words(entry.role))
    about = verb_words(procedure, entry.action, entry.payload, names, departments())
    about += joint_words(file.case, entry.payload)
    words = "\n".join([*about, *filter(None, [said(entry.payload)])]) or None
    if entry.role == "is_the_system":
        return EntryFace(entry.at, action.done, "", TONES[action.spec.tone], words, entry.hash, place)
    return EntryFace(entry.at, action.done, by_whom(entry), TONES[action.spec.tone], words, entry.hash, place)


def _of_another_version(procedure: Procedure, name: str) -> Action | None:
    """A step that was taken before the case went over to this version, where this one has it no more."""
    return next((p.by_name[name] for p in procedures.every() if p.name == procedure.name and name in p.by_name), None)


def by_whom(entry: TimelineEntry) -> str:
    """Who acted, and for whom if it was in the place of somebody else."""
    principal = entry.payload.get("for")
    return in_stead(entry.actor_name, str(principal["name"])) if isinstance(principal, dict) else entry.actor_name


def in_stead(who: str, principal: str) -> str:
    """"B for A"."""
    return say(Message(N_("%(who)s for %(principal)s"), {"who": who, "principal": principal})) if principal else who


def _event(entry: TimelineEntry) -> Message | str:
    """What happened, where no definition says it."""
    words = EVENTS.get(entry.action)
    return Message(words, entry.payload) if words else entry.action


SAVES = frozenset({"edit_application", "save_application"})


EVENTS = {"open": N_("The case was opened"), "edit_application": N_("changed the application"),
          "save_application": N_("changed the application"),
          "hand_over": N_("handed over the work of %(leaver)s to %(successor)s"),
          "migrate_version": N_("carried the case over to another version of its procedure")}


def _role_words(role: str) -> str:
    if role in RELATIONS:
        return RELATIONS[role]
    return ROLE_LABELS[Role(role)] if role in set(Role) else role


SAID = ("opinion", "question", "advice", "text", "grounds", "basis", "remedy", "reason", "note")


def said(payload: Mapping[str, Any]) -> str | None:
    """The words of an act: opinion, grounds, reasons, items; a row count instead of row numbers."""
    parts = [str(payload[name]) for name in SAID if payload.get(name)]
    if payload.get("verdict"):
        parts.insert(0, say(VERDICTS[str(payload["verdict"])]))
    parts += round_words(payload)
    parts[:0] = [str(reason) for reason in payload.get("reasons") or ()]
    parts[:0] = [f"{item['subject']}：{item['reason']}" for item in payload.get("items") or ()]
    if "every" in payload:
        parts.insert(0, say(Message(N_("every row still open"))) if payload["every"] else say(
            Message(N_("%(count)s rows"), {"count": len(payload["rows"])})))
    if payload.get("lines"):
        parts.insert(0, say(Message(N_("%(count)s lines"), {"count": len(payload["lines"])})))
    return "\n".join(dict.fromkeys(part.rstrip("。") if len(part) < 4 else part for part in parts)) or None
