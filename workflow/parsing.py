"""How a command parses itself: what every command has, and the readings that its fields share."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date
from math import isfinite
from typing import Any

from workflow.characters import settled, unprintable
from workflow.vocabulary import N_, Message, Refusal

TEXT_LIMIT = 4000  # code points of one opinion or ground; a technical bound, not a legal one
ORDINAL_LIMIT = 2**31  # an ordinal is kept in 32 bits
EXACT = 2**53  # whole numbers below are the same for every reader of JSON
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def malformed(field: str, text: str, **values: Any) -> Refusal:
    return Refusal("malformed", Message(text, values), field=field)


def a_text(name: str, value: object, *, required: bool = False) -> str:
    if not isinstance(value, str):
        raise malformed(name, N_("This must be text."))
    if any(0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise malformed(name, N_("This holds control characters; please remove them."))
    text = settled(value)
    if required and not text:
        raise malformed(name, N_("Please fill this in."))
    if len(text) > TEXT_LIMIT:
        raise malformed(name, N_("This is too long: at most %(limit)s characters."), limit=TEXT_LIMIT)
    if any((ord(c) < 32 and c not in "\t\n\r") or 127 <= ord(c) < 160 or c in _BIDI for c in text):
        raise malformed(name, N_("This holds control characters; please remove them."))
    if sign := unprintable(text):
        raise malformed(name, N_("“%(sign)s” cannot be printed on a notice; write it in words."), sign=sign)
    return text


def some_texts(name: str, values: object, *, required: bool = False) -> tuple[str, ...]:
    texts = tuple(a_text(name, v) for v in a_list(name, values))
    if required and not any(texts):
        raise malformed(name, N_("Please give at least one entry."))
    return tuple(t for t in texts if t)


def a_list(name: str, values: object) -> tuple[Any, ...]:
    if not isinstance(values, (list, tuple, set, frozenset)):
        raise malformed(name, N_("This must be a list."))
    return tuple(values)


def ordinals(name: str, values: object) -> tuple[int, ...]:
    rows = a_list(name, values)
    if any(type(r) is not int or not 0 < r < ORDINAL_LIMIT for r in rows):
        raise malformed(name, N_("One of the chosen rows does not exist."))
    return tuple(sorted(set(rows)))


def a_flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise malformed(name, N_("This must be yes or no."))
    return value


def is_plain(value: object) -> bool:
    """Whether it is a JSON value that every reader of JSON reads as the same one."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(key) and is_plain(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, str):
        return not any(0xD800 <= ord(c) <= 0xDFFF for c in value)
    if isinstance(value, float):
        return isfinite(value)
    return value is None or type(value) is bool or (type(value) is int and abs(value) < EXACT)


@dataclass(frozen=True, slots=True)
class Command:
    """Anything that may be asked for. `note` is what the person wants to add in words."""

    note: str = ""

    def __post_init__(self) -> None:
        self._put("note", a_text("note", self.note))

    def _put(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def payload(self) -> dict[str, Any]:
        """The command as canonical JSON values, for the audit entry."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value
