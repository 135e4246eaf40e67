"""A story: the shortest way a case comes to grief under a procedure, in plain words, and replayable step by step.

A story holds what the engine needs to live it again: who acts, with which command, and what had become known of
the paperwork before. `replay` goes through the real door (`engine.fire`) on a real case, so that a story which
the engine would not allow is found out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from workflow.case import Case
from workflow.clocks import Law, opened
from workflow.commands import Command
from workflow.deadlines import Allowance, Calendar, Unit
from workflow.engine import fire
from workflow.fact_words import told
from workflow.procedure import Procedure
from workflow.vocabulary import SYSTEM, Actor, Message, Refusal, Role

STORY_DAY = date(
    2024, 1, 2
)  # stories have no dates of their own: every step is taken on one and the same day
AGENCY = 1

ROLE_NAMES: Mapping[Role, tuple[str, str]] = {
    Role.APPLICANT: ("the applicant", "申请人"),
    Role.WINDOW_OFFICER: ("a window officer", "窗口受理人员"),
    Role.REVIEW_ORGANISER: ("a review organiser", "评审组织人员"),
    Role.TEAM_LEADER: ("the team leader", "评审组长"),
    Role.REVIEWER: ("a reviewer", "评审员"),
    Role.DEPARTMENT_OFFICER: ("a department officer", "部门会签人员"),
    Role.DEPARTMENT_LEADER: ("a department leader", "部门负责人"),
    Role.LEADER: ("a leader", "审批领导"),
    Role.ISSUING_CLERK: ("an issuing clerk", "制证人员"),
    Role.INSPECTOR: ("an inspector", "核查人员"),
    Role.ADMINISTRATOR: ("an administrator", "管理员"),
    Role.SYSTEM: ("the system", "系统"),
}


class Kind(StrEnum):
    """Why a step happens."""

    ACT = "act"  # a person does it
    LAPSE = "lapse"  # a clock has run out and the system acts
    JOB = "job"  # a finished job reports
    TOLD = "told"  # another case of the same application tells
    EDIT = "edit"  # the applicant changes the application; no action of the procedure


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step. `learned`: facts that stand (or have come to stand) before it; `reported`: facts that the registers
    of the step put on the case; `opens`: facts that the registers leave undecided, so that a later step may learn
    them. `to` is the state afterwards, automatic actions included."""

    kind: Kind
    action: str
    actor: Actor
    command: Command
    learned: Mapping[str, Any]
    reported: Mapping[str, Any]
    to: str
    text: Message


@dataclass(frozen=True, slots=True)
class Story:
    """`steps` from the opening of a case to where it fails; `ending` says what is wrong there.

    `track`, `facts`: the case as it is opened; `learned`: what turns out at the end and makes it fail.
    """

    steps: tuple[StoryStep, ...]
    ending: Message
    state: str
    track: str
    learned: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def lines(self, language: str = "en") -> tuple[str, ...]:
        """The story as sentences, `en` or `zh`: one a step, and how it ends."""
        return tuple(spoken(m, language) for m in (*(s.text for s in self.steps), self.ending))

    def plain(self) -> dict[str, Any]:
        """JSON-ready, for keeping and for programs."""
        return {
            "steps": [
                {
                    "kind": s.kind.value,
                    "action": s.action,
                    "role": _role_of(s.actor).value,
                    "to": s.to,
                    "en": spoken(s.text, "en"),
                    "zh": spoken(s.text, "zh"),
                }
                for s in self.steps
            ],
            "state": self.state,
            "en": spoken(self.ending, "en"),
            "zh": spoken(self.ending, "zh"),
        }


class StoryBroken(AssertionError):
    """A story that the engine does not allow: the number of the step (from 1) and why."""

    def __init__(self, step: int, why: str) -> None:
        super().__init__(f"step {step}: {why}")
        self.step = step


def law_of(procedure: Procedure) -> Law:
    """A law under which every allowance that the definition names is one day: for stories, never for cases."""
    more = (a.spec.extends.allowance for a in procedure.actions if a.spec.extends)
    names = dict.fromkeys((*(c.allowance for c in procedure.spec.clocks.values()), *more))
    day = STORY_DAY.replace(year=STORY_DAY.year - 1)
    return Law(
        Calendar.of(()), tuple(Allowance(n, 1, Unit.CALENDAR_DAYS, "of the story", day) for n in names)
    )


def opening(procedure: Procedure, facts: Mapping[str, Any], law: Law) -> Case:
    """A case just opened, as the store opens one."""
    return opened(procedure, AGENCY, dict(facts), STORY_DAY, law, case_id=1)


def replay(story: Story, procedure: Procedure) -> Case:
    """Live the story through the engine; the case as it stands at the end. Raises StoryBroken.

    Every step must be allowed to its person, come from where the story stands and lead to where it says; a lapse
    needs its clock running. What the ending claims about the future is the explorer's to say, not a replay's.
    """
    law, today = law_of(procedure), STORY_DAY
    case = opening(procedure, story.facts, law)
    for number, step in enumerate(story.steps, 1):
        case = case.with_facts(**step.learned)
        if step.kind is Kind.EDIT:
            if not procedure.states[case.state].editable:
                raise StoryBroken(number, f"the application cannot be edited in {case.state}")
            case = case.with_facts(**step.reported)
            continue
        if step.kind is Kind.LAPSE:
            if (lapsed := lapse_day(procedure, case, step.action)) is None:
                raise StoryBroken(number, f"no running clock lapses into {step.action}")
            today = max(today, lapsed)
        try:
            steps = fire(procedure, case, step.action, step.actor, step.command, today, law)
        except Refusal as refusal:
            raise StoryBroken(number, f"{step.action} was refused ({refusal.code}): {refusal}") from refusal
        case = steps[-1].after.with_facts(**step.reported)
        if case.state != step.to:
            raise StoryBroken(number, f"{step.action} leads to {case.state}, not to {step.to}")
    if case.state != story.state:
        raise StoryBroken(len(story.steps), f"the story ends in {case.state}, not in {story.state}")
    return case.with_facts(**story.learned)


def lapse_day(procedure: Procedure, case: Case, action: str) -> date | None:
    """The first day on which a clock that runs now has run out and calls for the action; None if none does."""
    due = [c.due_on for c in case.clocks if c.is_running and procedure.spec.clocks[c.name].on_lapse == action]
    return min((d for d in due if d), default=STORY_DAY) + timedelta(days=1) if due else None


# -- in words -------------------------------------------------------------------------------------------


def say(en: str, zh: str, **values: Any) -> Message:
    return Message(en, values, zh)


def spoken(message: Message, language: str) -> str:
    """A message with messages inside it, as one sentence in `en` or `zh`."""
    pattern = message.zh if language == "zh" and message.zh else message.text
    values = {k: spoken(v, language) if isinstance(v, Message) else v for k, v in message.values.items()}
    return str(Message(pattern, values)) if values else pattern


def role_words(actor: Actor) -> Message:
    en, zh = ROLE_NAMES[_role_of(actor)]
    if actor.department:
        return say(f"{en} of %(department)s", f"%(department)s的{zh}", department=actor.department)
    if actor is SYSTEM or actor.account_id <= 0:
        return say(en, zh)
    return say(f"%(name)s ({en})", f"%(name)s（{zh}）", name=actor.name)


def _role_of(actor: Actor) -> Role:
    order = list(ROLE_NAMES)
    return min(actor.roles, key=order.index, default=Role.SYSTEM)


def step_words(
    procedure: Procedure,
    kind: Kind,
    action: str,
    actor: Actor,
    learned: Mapping[str, Any],
    to: str,
    who: Message,
) -> Message:
    """ "A window officer: “Request correction”. The case is now “Awaiting correction by the applicant”."."""
    state = procedure.states[to].label.message()
    known = facts_words(learned)
    if kind is Kind.EDIT:
        return say(
            "The applicant changes the application%(known)s.", "申请人修改申请%(known)s。", known=known
        )
    label = procedure.by_name[action].label
    if kind is Kind.LAPSE:
        return say(
            "A limit passes%(known)s and the system acts: “%(action)s”. The case is now “%(state)s”.",
            "期限届满%(known)s，系统自动执行“%(action)s”。案件现为“%(state)s”。",
            action=label,
            state=state,
            known=known,
        )
    if kind is Kind.TOLD:
        return say(
            "Another case of the application tells: “%(action)s”%(known)s. The case is now “%(state)s”.",
            "同一申请的另一案件告知：“%(action)s”%(known)s。案件现为“%(state)s”。",
            action=label,
            state=state,
            known=known,
        )
    return say(
        "%(who)s: “%(action)s”%(known)s. The case is now “%(state)s”.",
        "%(who)s：“%(action)s”%(known)s。案件现为“%(state)s”。",
        who=who,
        action=label,
        state=state,
        known=known,
    )


def facts_words(facts: Mapping[str, Any]) -> Message:
    if not facts:
        return say("", "")
    return say(" (%(facts)s)", "（%(facts)s）", facts=told(facts))
