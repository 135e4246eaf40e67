"""What is asked of a case, read from JSON: the one reading of every command class, for pages and programs alike.

A request names the action, carries the command as plain values, its own id (so that a repeat does nothing twice) and
the version of the case that was seen. Whatever is not meant is refused here by the name of its field.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from workflow.parsing import Command, malformed
from workflow.vocabulary import N_, Message, Refusal

LONGEST = 1_000_000  # characters of one request; a technical bound
VERSION_LIMIT = 2**31
COMMAND_ID_LENGTH = 40  # as long as the audit keeps it
PARTS = ("action", "command", "command_id", "expected_version")
_HINTS: dict[type[Command], dict[str, Any]] = {}  # field -> its type, of every command class that was read


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `command` is the mapping of the command's fields, read once it is clear which class is meant."""

    action: str
    command: Mapping[str, Any]
    command_id: str
    expected_version: int

    @classmethod
    def from_json(cls, text: str | bytes) -> "Asked":
        """Raises Refusal("malformed") naming the part that is wrong."""
        given = _an_object("request", _decoded(text))
        _only("request", given, PARTS)
        for name in PARTS:
            if name not in given:
                raise malformed(name, N_("This is missing."))
        action, command_id, seen = (given[name] for name in ("action", "command_id", "expected_version"))
        if not isinstance(action, str) or not action:
            raise malformed("action", N_("Name the action."))
        if not isinstance(command_id, str) or not 0 < len(command_id) <= COMMAND_ID_LENGTH:
            raise malformed("command_id", N_("Give the request an id of its own, at most %(most)s characters."),
                            most=COMMAND_ID_LENGTH)  # fmt: skip
        if type(seen) is not int or not 0 <= seen < VERSION_LIMIT:
            raise malformed("expected_version", N_("Give the version of the case that was seen."))
        return cls(action, _an_object("command", given["command"]), command_id, seen)


def command_of(kind: type[Command], given: object) -> Command:
    """A command of that class from plain values: lists for tuples, ISO dates, objects for things with parts.

    Raises Refusal("malformed") naming the field: one that the command does not know, or whose value is not meant.
    """
    values = _an_object("command", given)
    hints = _hints(kind)
    _only("command", values, hints)
    return kind(**{name: _read(name, hints[name], value) for name, value in values.items()})


def _read(name: str, hint: Any, value: Any) -> Any:
    """A value in the shape its field declares; what cannot be is left to the command, which refuses it."""
    if get_origin(hint) in (Union, UnionType):
        if value is None:
            return None
        hint = next(each for each in get_args(hint) if each is not type(None))
    if hint is date:
        return _a_day(name, value)
    if get_origin(hint) is tuple and isinstance(value, list | tuple):
        inner = get_args(hint)[0]
        return tuple(_read(name, inner, each) for each in value)
    if isinstance(hint, type) and is_dataclass(hint) and not isinstance(value, hint):
        return _a_thing(name, hint, value)
    return value


def _a_day(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = date.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.isoformat() != value:  # the long form alone: 2026-03-02
        raise malformed(name, N_("Write the day as YYYY-MM-DD."))
    return found


def _a_thing(name: str, kind: type, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise malformed(name, N_("This must be an object with its parts."))
    parts = {part.name: part for part in fields(kind)}
    unknown = sorted(str(part) for part in value if part not in parts)
    if unknown:
        raise malformed(name, N_("There is no part called %(part)s here."), part=unknown[0][:60])
    for part in parts.values():
        if part.name not in value and part.default is MISSING and part.default_factory is MISSING:
            raise malformed(name, N_("The part %(part)s is missing."), part=part.name)
    return kind(**value)


def _hints(kind: type[Command]) -> dict[str, Any]:
    if kind not in _HINTS:
        hints = get_type_hints(kind)
        _HINTS[kind] = {spec.name: hints[spec.name] for spec in fields(kind)}
    return _HINTS[kind]


def _an_object(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or any(type(key) is not str for key in value):
        raise malformed(name, N_("This must be an object with named values."))
    return value


def _only(name: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuses a field that nobody would read: it was meant to say something."""
    wanted = list(known)
    for key in given:
        if key not in wanted:
            raise malformed(key[:60] or name, N_("There is no such field here. Known are: %(known)s."),
                            known=", ".join(wanted))  # fmt: skip


def _decoded(text: str | bytes) -> object:
    if len(text) > LONGEST:
        raise malformed("request", N_("This is too long: at most %(limit)s characters."), limit=LONGEST)
    try:
        return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_number)
    except Refusal:
        raise
    except (ValueError, RecursionError) as error:
        raise malformed("request", N_("This is not JSON: %(why)s"), why=str(error)[:120]) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise malformed(twice[:60] or "request", N_("This is said twice."))
    return found


def _no_number(word: str) -> Any:
    raise Refusal("malformed", Message(N_("%(word)s is no number."), {"word": word}), field="request")
