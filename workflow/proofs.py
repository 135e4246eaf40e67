"""What a proof says: the verdict on one procedure, property by property, with the story of what failed.

A proof never claims more than was looked at. A property is `holds`, `fails` (with a story, where it can be told
as one) or `not_asked` (what it needs, such as the people of the bureau, was not given). The verdict is `proved`
only if nothing fails and the exploration came to its end; one that had to stop early is `undecided`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from workflow.stories import Story, spoken
from workflow.vocabulary import Message


class Verdict(StrEnum):
    PROVED = "proved"
    REFUSED = "refused"
    UNDECIDED = "undecided"


class Standing(StrEnum):
    HOLDS = "holds"
    FAILS = "fails"
    NOT_ASKED = "not_asked"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Property:
    """One thing that a procedure must be. `finding` says what is wrong (or why it was not decided)."""

    key: str
    title: Message
    standing: Standing
    finding: Message | None = None
    story: Story | None = None

    def plain(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "en": spoken(self.title, "en"),
            "zh": spoken(self.title, "zh"),
            "standing": self.standing.value,
            "finding": None
            if self.finding is None
            else {"en": spoken(self.finding, "en"), "zh": spoken(self.finding, "zh")},
            "story": None if self.story is None else self.story.plain(),
        }


@dataclass(frozen=True, slots=True)
class Proof:
    """The result, kept with the version. `digest` is that of the definition file that was looked at;
    `people_digest` that of the persons it was looked at with (None: not looked at). `seconds` is measured by
    whoever called, since the workflow has no clock."""

    verdict: Verdict
    procedure: str
    version: int
    digest: str
    properties: tuple[Property, ...]
    states_visited: int = 0
    transitions: int = 0
    story: Story | None = None
    people_digest: str | None = None
    seconds: float | None = None

    @property
    def failing(self) -> tuple[Property, ...]:
        return tuple(p for p in self.properties if p.standing is Standing.FAILS)

    @property
    def may_activate(self) -> bool:
        """Proved, and nothing was left unasked: the people and the limits of the bureau were looked at too."""
        return self.verdict is Verdict.PROVED and all(p.standing is Standing.HOLDS for p in self.properties)

    def timed(self, seconds: float) -> "Proof":
        return replace(self, seconds=round(seconds, 3))

    def plain(self) -> dict[str, Any]:
        """JSON-ready, for keeping with the version and for programs."""
        return {
            "verdict": self.verdict.value,
            "procedure": self.procedure,
            "version": self.version,
            "digest": self.digest,
            "people_digest": self.people_digest,
            "states_visited": self.states_visited,
            "transitions": self.transitions,
            "seconds": self.seconds,
            "may_activate": self.may_activate,
            "properties": [p.plain() for p in self.properties],
            "story": None if self.story is None else self.story.plain(),
        }
