"""What is asked for where several licences are handled together: by cases of each other, and by people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from workflow.parsing import Command, a_text, is_plain, malformed, some_texts
from workflow.vocabulary import N_


@dataclass(frozen=True, slots=True)
class Inform(Command):
    """What another case of the same application tells: never a person's, so it has no form.

    `licence`: the procedure of the case that tells; `state`: where it stands after the step that told; `outcome`: what
    has come of it, '' while nothing has; `facts`: what it carries, as JSON values."""

    OUTCOMES: ClassVar[tuple[str, ...]] = ("", "granted", "refused", "retracted", "closed")

    licence: str = ""
    state: str = ""
    outcome: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("licence", a_text("licence", self.licence, required=True))
        self._put("state", a_text("state", self.state, required=True))
        if self.outcome not in self.OUTCOMES:
            raise malformed("outcome", N_("This is not how a case ends."))
        if not isinstance(self.facts, Mapping) or not is_plain(self.facts):
            raise malformed("facts", N_("Facts have names and plain values."))
        self._put("facts", dict(self.facts))


@dataclass(frozen=True, slots=True)
class DecideSeparately(Command):
    """One licence leaves the joint handling and goes its own way: which (the name of its procedure), and why."""

    licence: str = ""
    grounds: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("licence", a_text("licence", self.licence, required=True))
        self._put("grounds", a_text("grounds", self.grounds, required=True))


@dataclass(frozen=True, slots=True)
class NominateExperts(Command):
    """Whom a department sends into the joint review: person ids out of its pool."""

    experts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("experts", tuple(dict.fromkeys(some_texts("experts", self.experts, required=True))))


JOINT_COMMANDS: dict[str, type[Command]] = {c.__name__: c for c in (Inform, DecideSeparately, NominateExperts)}
