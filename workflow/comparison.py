"""What differs between two versions of a procedure, entry by entry, so that a person can read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workflow.procedure import Action, Procedure
from workflow.verbs import effects as verb_effects
from workflow.verbs import guards as verb_guards
from workflow.vocabulary import Message

Kind = Literal["added", "removed", "changed"]
SECTIONS = ("states", "actions", "verbs", "clocks", "numbers", "number_articles", "grounds", "tracks", "stages")
_HEAD = "procedure"


@dataclass(frozen=True, slots=True)
class Part:
    """One field of an entry. A list tells only what went and what came; `moved`: the same things in another order."""

    field: str  # dotted: "label", "duties", "effects"
    before: tuple[str, ...]
    after: tuple[str, ...]
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry of one section: a state, an action, a clock, a number."""

    section: str
    name: str
    kind: Kind
    label: Message | None
    parts: tuple[Part, ...]


def differences(old: Procedure, new: Procedure) -> tuple[Difference, ...]:
    """Everything that differs, in the order of the grammar; empty exactly when nothing does but the number."""
    found = list(_differing(_HEAD, {_HEAD: _head(old)}, {_HEAD: _head(new)}))
    for section in SECTIONS:
        found += _differing(section, _section(old, section), _section(new, section))
    return tuple(found)


def _differing(section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*old, *new]):
        before, after = _leaves(old.get(name)), _leaves(new.get(name))
        if before == after:
            continue
        kind: Kind = "added" if name not in old else "removed" if name not in new else "changed"
        parts = tuple(_part(field, before.get(field, ()), after.get(field, ()))
                      for field in dict.fromkeys([*before, *after]) if before.get(field) != after.get(field))
        yield Difference(section, name, kind, _label(new.get(name) or old.get(name)), parts)


def _part(field: str, before: tuple[str, ...], after: tuple[str, ...]) -> Part:
    went, came = [v for v in before if v not in after], [v for v in after if v not in before]
    if not went and not came:  # the same words in another order, or another number of times
        return Part(field, before, after, moved=True)
    return Part(field, tuple(went), tuple(came))


def _head(procedure: Procedure) -> dict[str, Any]:
    said = _plain(procedure.spec)
    return {key: value for key, value in said.items() if key not in (*SECTIONS, "name", "version")}


def _section(procedure: Procedure, section: str) -> dict[str, Any]:
    if section == "actions":
        verbs = {a.name for a in procedure.actions if a.spec.verb}
        return {a.name: _as_written(a, verbs) for a in procedure.actions if a.name not in verbs}
    return dict(_plain(procedure.spec).get(section) or {})


def _as_written(action: Action, verbs: set[str]) -> dict[str, Any]:
    """An action without what the verbs put into it: these are compared where they are written."""
    said = {key: value for key, value in _plain(action.spec).items() if key not in ("verb", "occasion")}
    for key, words in (("effects", {*verb_effects.NAMED, "remember", "send_back"}), ("guards", {*verb_guards.NAMED})):
        said[key] = [each for each in said.get(key, []) if not ({each} if isinstance(each, str) else {*each}) & words]
    said["apart_from"] = [other for other in said.get("apart_from", []) if other not in verbs]
    return {key: value for key, value in said.items() if value != []}


def _plain(spec: Any) -> dict[str, Any]:
    return dict(spec.model_dump(mode="json", by_alias=True, exclude_defaults=True))


def _leaves(value: Any, path: str = "") -> dict[str, tuple[str, ...]]:
    """Dotted field -> what stands there, as words. A label is one thing in two languages."""
    if value is None:
        return {}
    if isinstance(value, Mapping) and not _is_label(value):
        found: dict[str, tuple[str, ...]] = {}
        for key, inner in value.items():
            found |= _leaves(inner, f"{path}.{key}" if path else str(key))
        return found or ({path: ("{}",)} if path else {})
    return {path: tuple(map(_words, value)) if isinstance(value, list) else (_words(value),)}


def _words(value: Any) -> str:
    if _is_label(value):
        return f"{value['zh']} / {value['en']}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_words(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(map(_words, value)) + "]"
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _is_label(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"en", "zh"}


def _label(entry: Any) -> Message | None:
    found = entry.get("label", entry) if isinstance(entry, Mapping) else {}
    return Message(found["en"], {}, found["zh"]) if _is_label(found) else None
