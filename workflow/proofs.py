"""What a proof says: the verdict on one procedure, property by property, with the story of what failed.

A proof never claims more than was looked at. A property is `holds`, `fails` (with a story, where it can be told
as one) or `not_asked` (what it needs, such as the people of the bureau, was not given). The verdict is `proved`
only if nothing fails and the exploration came to its end; one that had to stop early is `undecided`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from workflow.stories import Story, say, spoken
from workflow.vocabulary import Message

# Raised when what a proof looks at, or how, has changed: a proof by an earlier checker says less than one by this.
CHECKER = 2


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


TITLES: dict[str, Message] = {  # property -> what it promises, in the order in which they are shown
    "proofread": say("The definition is free of loose ends", "定义文本无疏漏"),
    "finishes": say(
        "From everywhere a case can still be finished, otherwise than by retracting it",
        "任何情形下案件均能办结，而不必撤回",
    ),
    "leaves_nothing": say(
        "At the end no task is open and no clock runs", "办结后没有未完任务，也没有仍在计算的期限"
    ),
    "no_dead_action": say("Every action can be taken in some case", "每个操作都有可能执行"),
    "bounded": say(
        "Nothing grows without end, and nothing goes round by itself", "没有无限增长，也没有自动循环"
    ),
    "attended": say(
        "Wherever a case waits, somebody can act or a clock will", "凡有等待之处，必有人可办或期限可到"
    ),
    "lapses_act": say("A limit that runs out can always act", "期限届满时系统必能执行"),
    "grant_is_decided": say(
        "Every way to a grant passes a decision and a signature", "每一条准予路径都经过决定和签署"
    ),
    "refusal_has_reasons": say(
        "Every refusal carries its reasons and remedies", "每一项拒绝都载明理由和救济途径"
    ),
    "limits_have_articles": say("Every limit and number has its article", "每个期限和数字都有条文依据"),
    "somebody_is_left": say(
        "Separation of duties leaves somebody able to act, with the people of today",
        "以现有人员，职责分离之后仍有人可办",
    ),
}


def holds(key: str) -> Property:
    return Property(key, TITLES[key], Standing.HOLDS)


def fails(key: str, finding: Message, story: Story | None = None) -> Property:
    return Property(key, TITLES[key], Standing.FAILS, finding, story)


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
    scope: tuple[Message, ...] = ()  # the bounds within which everything was looked at
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
            "checker": CHECKER,
            "people_digest": self.people_digest,
            "states_visited": self.states_visited,
            "transitions": self.transitions,
            "seconds": self.seconds,
            "may_activate": self.may_activate,
            "scope": [{"en": spoken(m, "en"), "zh": spoken(m, "zh")} for m in self.scope],
            "properties": [p.plain() for p in self.properties],
            "story": None if self.story is None else self.story.plain(),
        }
