"""What a person asks for with a verb that any procedure may borrow. Like every command, each parses itself."""

import re
from dataclasses import dataclass
from typing import ClassVar

from workflow.parsing import Command, a_text, malformed, some_texts
from workflow.vocabulary import N_

_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")


def _key(name: str, value: object, sentence: str) -> str:
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise malformed(name, sentence)
    return value


def _person(name: str, value: object) -> str:
    text = a_text(name, value)
    if not text:
        raise malformed(name, N_("Choose a person."))
    return text


@dataclass(frozen=True, slots=True)
class Return(Command):
    """Back to an earlier step, saying why; `way` is how it comes forward again."""

    WAYS: ClassVar[tuple[str, ...]] = ("in_order", "straight_back")

    reason: str = ""
    way: str = "in_order"

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("reason", a_text("reason", self.reason, required=True))
        if self.way not in self.WAYS:
            raise malformed("way", N_("Choose how the case comes back: in order, or straight back to you."))


@dataclass(frozen=True, slots=True)
class Recall(Command):
    """Take back one's own last act, saying why."""

    reason: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("reason", a_text("reason", self.reason, required=True))


@dataclass(frozen=True, slots=True)
class Transfer(Command):
    """Hand a duty over to a named person (a person id) of the same role."""

    person: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("person", _person("person", self.person))
        self._put("reason", a_text("reason", self.reason, required=True))


@dataclass(frozen=True, slots=True)
class Consult(Command):
    """Ask a named person for advice; until it is given the duty rests with them. `role` is the one they answer in."""

    person: str = ""
    role: str = ""
    question: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("person", _person("person", self.person))
        self._put("role", _key("role", self.role, N_("Choose a person.")))
        self._put("question", a_text("question", self.question, required=True))


@dataclass(frozen=True, slots=True)
class Advise(Command):
    """The advice that was asked for; the duty goes back to whoever asked."""

    advice: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("advice", a_text("advice", self.advice, required=True))


@dataclass(frozen=True, slots=True)
class AddSigner(Command):
    """Ask one more department to sign: before the others, beside them, or after them."""

    PLACES: ClassVar[tuple[str, ...]] = ("before", "beside", "after")

    department: str = ""
    place: str = "beside"
    reason: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("department", _key("department", self.department, N_("Choose a department.")))
        if self.place not in self.PLACES:
            raise malformed("place", N_("Choose when this department signs: before, beside or after the others."))
        self._put("reason", a_text("reason", self.reason, required=True))


@dataclass(frozen=True, slots=True)
class RemoveSigner(Command):
    """Ask an added department no longer."""

    department: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("department", _key("department", self.department, N_("Choose a department.")))
        self._put("reason", a_text("reason", self.reason, required=True))


@dataclass(frozen=True, slots=True)
class Suspend(Command):
    """Let the case rest on one of the grounds that the definition lists, with the facts that show it."""

    ground: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("ground", _key("ground", self.ground, N_("Choose the ground of the suspension.")))
        self._put("reason", a_text("reason", self.reason, required=True))


@dataclass(frozen=True, slots=True)
class Resume(Command):
    """Go on with a suspended case: why the ground has fallen away."""

    reason: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("reason", a_text("reason", self.reason, required=True))


@dataclass(frozen=True, slots=True)
class CopyTo(Command):
    """Let persons (by their ids) read the case."""

    persons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("persons", tuple(dict.fromkeys(some_texts("persons", self.persons))))
        if not self.persons:
            raise malformed("persons", N_("Choose at least one person."))


@dataclass(frozen=True, slots=True)
class Comment(Command):
    """A remark that everybody who may see the case reads in its history."""

    text: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("text", a_text("text", self.text, required=True))


VERB_COMMANDS: dict[str, type[Command]] = {
    c.__name__: c
    for c in (
        Return,
        Recall,
        Transfer,
        Consult,
        Advise,
        AddSigner,
        RemoveSigner,
        Suspend,
        Resume,
        CopyTo,
        Comment,
    )
}
