"""How versions of procedures look: status, proof, drawing in words, who may do what, what differs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for

from store.values import TimelineEntry
from store.version_values import Change, Version, VersionLine
from web.casefaces import amount_of, state_face
from web.context import ROLE_LABELS, current_actor, language, laws, today
from web.definitionwords import FaultFace, fault_face
from workflow import procedures
from workflow.allowances import NoAllowance, in_force
from workflow.comparison import Difference
from workflow.competences import competences, roles_of
from workflow.faults import Fault
from workflow.procedure import Action, DefinitionError, Procedure
from workflow.vocabulary import N_, Message, Refusal, Role

STATUSES = {
    "draft": (N_("Draft version"), "neutral"), "proved": (N_("Proved"), "waiting"),
    "scheduled": (N_("Scheduled"), "waiting"), "active": (N_("New cases open on it"), "good"),
    "retired": (N_("Retired"), "closed"),
}
CHANGES = {
    "enter_version": N_("Entered"), "save_definition": N_("Text changed"), "prove": N_("Proof run"),
    "ask_proof": N_("Proof asked for"),
    "schedule": N_("Scheduled"), "unschedule": N_("Taken off the schedule"), "activate": N_("Put into force"),
    "retire": N_("Retired"), "discard_draft": N_("Draft thrown away"),
}
SECTIONS = {
    "procedure": N_("The procedure as a whole"), "states": N_("States"), "actions": N_("Steps"),
    "verbs": N_("What officers may do besides"), "clocks": N_("Time limits"), "numbers": N_("Numbers"),
    "number_articles": N_("Articles of the numbers"),
    "grounds": N_("Grounds for resting"), "tracks": N_("Tracks"), "stages": N_("Stages"),
}
KINDS = {"added": (N_("Added"), "good"), "removed": (N_("Removed"), "bad"), "changed": (N_("Changed"), "attention")}
STANDINGS = {
    "holds": (N_("Holds"), "good"), "fails": (N_("Fails"), "bad"), "not_asked": (N_("Not asked"), "neutral"),
    "undecided": (N_("Not decided"), "attention"),
}
PARTS = {
    "overview": N_("Overview"), "drawing": N_("Drawing"), "states": N_("States and steps"),
    "clocks": N_("Time limits"), "roles": N_("Who may do what"), "proof": N_("Proof"), "text": N_("Definition"),
}


@dataclass(frozen=True, slots=True)
class WayFace:
    """One way out of a state, in words."""

    action: Action
    target: Message | None
    by_system: bool
    taken: bool

    @property
    def counts(self) -> bool:
        """Whether it belongs to the course of the procedure; what officers may do besides is told apart."""
        return self.taken or self.action.spec.verb is None


@dataclass(frozen=True, slots=True)
class PlaceFace:
    """One state of the drawing in words; `standing`: current, past or ''."""

    name: str
    label: Message
    tone: str
    standing: str
    ways: tuple[WayFace, ...]


def status_face(line: VersionLine) -> tuple[str, str]:
    return STATUSES[line.status]


def read(version: Version) -> tuple[Procedure | None, list[FaultFace]]:
    """The procedure, or what is wrong with its text. A settled one is on the shelf already."""
    line = version.line
    try:
        return (version.procedure() if line.is_open else procedures.pinned(line.name, line.version, line.digest)), []
    except Refusal as refusal:  # this release cannot read it any more
        return None, [fault_face(Fault(0, str(refusal.reason)))]
    except DefinitionError as error:
        return None, [fault_face(fault) for fault in error.found]


def title_of(lines: Iterable[VersionLine]) -> Message | str:
    """What a procedure is called: by its newest version that is settled."""
    name = ""
    for line in lines:
        name = line.name
        if not line.is_open:
            return procedures.pinned(line.name, line.version, line.digest).spec.title.message()
    return name


def places(procedure: Procedure, visited: Iterable[str] = (), current: str | None = None,
           taken: Iterable[tuple[str, str]] = ()) -> list[PlaceFace]:
    """The drawing in words: every state with the ways out of it."""
    past, steps = set(visited), set(taken)
    return [PlaceFace(
        name, spec.label.message(), state_face(procedure, name)[1],
        "current" if name == current else "past" if name in past else "",
        tuple(WayFace(a, procedure.states[a.target].label.message() if a.target else None,
                      a.automatic or a.spec.who == "is_the_system", (name, a.name) in steps)
              for a in procedure.leaving(name)))
        for name, spec in procedure.states.items()]


def way_gone(procedure: Procedure, entries: Iterable[TimelineEntry]) -> tuple[list[str], list[tuple[str, str]]]:
    """The states a case has been in and the (state, step) pairs it took, as far as this version has them."""
    visited: dict[str, None] = {}
    taken: dict[tuple[str, str], None] = {}
    for entry in entries:
        visited |= {s: None for s in (entry.source, entry.target) if s and s in procedure.states}
        action = procedure.by_name.get(entry.action)
        if action and entry.source in action.sources:
            taken[str(entry.source), action.name] = None
    return list(visited), list(taken)


def role_table(procedure: Procedure) -> dict[str, Any]:
    """Columns (roles) and rows (states) of who may do what; generated from the rules themselves."""
    roles = roles_of(procedure)
    rows = [{"label": procedure.states[row.state].label.message(), "name": row.state,
             "tone": state_face(procedure, row.state)[1],
             "cells": [{"acts": [a for a in row.acts.get(role, ()) if a.spec.verb is None],
                        "besides": [a for a in row.acts.get(role, ()) if a.spec.verb], "owes": role in row.duties}
                       for role in roles]}
            for row in competences(procedure)]
    return {"roles": [(role.value, ROLE_LABELS[role]) for role in roles], "rows": rows}


def clock_rows(procedure: Procedure) -> list[dict[str, Any]]:
    """Every limit with the amount in force today and its article."""
    return [{"name": name, "label": spec.label.message(), "spec": spec, "allowance": _allowance(spec.allowance),
             "runs": [procedure.states[s].label.message() for s in spec.runs_in],
             "rests": [procedure.states[s].label.message() for s in spec.rests_in],
             "lapse": procedure.by_name[spec.on_lapse].label if spec.on_lapse else None}
            for name, spec in procedure.spec.clocks.items()]


def _allowance(name: str) -> dict[str, Any] | None:
    try:
        found = in_force(laws().current().allowances, name, today())
    except NoAllowance:
        return None
    return {"amount": amount_of(found, found.amount), "article": found.article}


def difference_groups(found: Iterable[Difference]) -> list[tuple[str, list[Difference]]]:
    groups: dict[str, list[Difference]] = {}
    for each in found:
        groups.setdefault(each.section, []).append(each)
    return [(SECTIONS[section], group) for section, group in groups.items()]


def change_faces(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """What was done to a version, newest first; of texts that one person saved one after another only the last."""
    found: list[dict[str, Any]] = []
    before: tuple[str, str] | None = None
    for change in changes:
        here = (change.action, change.actor_name)
        if here != before or change.action != "save_definition":
            found.append({"at": change.at, "text": CHANGES.get(change.action, change.action),
                          "actor": change.actor_name, "tone": "active", "said": change.payload.get("reason") or None})
        before = here
    return found


def in_words(both: Mapping[str, Any] | None) -> str:
    """A text that a proof gives in both languages."""
    return str((both or {}).get("zh" if language() == "zh" else "en", ""))


def is_administrator() -> bool:
    return current_actor().holds(Role.ADMINISTRATOR)


def version_frame(line: VersionLine, procedure: Procedure | None, part: str) -> dict[str, Any]:
    """Head and tabs of the pages of a version."""
    shown = [p for p in PARTS if procedure is not None or p in ("overview", "proof", "text")]
    return {
        "title": procedure.spec.title.message() if procedure else line.name,
        "status": status_face(line), "administers": is_administrator(),
        "tabs": [{"label": PARTS[p], "current": p == part, "count": None,
                  "url": url_for("procedures.show", name=line.name, version=line.version,
                                 part=None if p == "overview" else p)} for p in shown]}
