"""A joint application lived through by the engine alone: a parent, its children, what they tell each other, and days.

What the store does in a transaction (to open the children, to leave a telling) is done here in a list, so that tellings
can be held back, come twice or overtake each other.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.store.factories import applicant_of, department_leader, department_officer, person
from workflow import commands as c
from workflow import procedures
from workflow.case import Case
from workflow.clocks import Law, lapsed, opened
from workflow.deadlines import Allowance, Calendar, Unit
from workflow.engine import Step, fire
from workflow.joint_commands import Inform, NominateExperts
from workflow.joint_licences import DECIDING
from workflow.procedure import Procedure
from workflow.vocabulary import SYSTEM, Actor, Refusal, Role
from workflow.whatif import PastAct

AGENCY = 7
MONDAY = date(2026, 3, 2)
LICENCES = ("joint_cma", "agricultural_testing", "construction_testing")
PARENT = "joint_testing"
TABLE = Path(__file__).resolve().parents[2] / "reference" / "allowances.yaml"
LAW = Law(
    Calendar.of(()),  # weekends only
    tuple(
        Allowance(row["name"], row["amount"], Unit(row["unit"]), row["article"], row["valid_from"])
        for row in YAML(typ="safe", pure=True).load(TABLE.read_text("utf-8"))["rows"]
        if row["valid_to"] is None
    ),
)


PEOPLE: dict[str, Actor] = {
    "applicant": applicant_of(AGENCY),
    **{role.value: person(role.value, role) for role in (
        Role.WINDOW_OFFICER, Role.REVIEW_ORGANISER, Role.LEADER, Role.ISSUING_CLERK, Role.TEAM_LEADER, Role.REVIEWER)},
    "experts": person("expert", Role.REVIEWER),
    **{f"officer of {d}": department_officer(d) for d in ("agriculture", "construction")},
    **{f"leader of {d}": department_leader(d) for d in ("agriculture", "construction")},
}  # fmt: skip
GRANT, REFUSE = c.Decide(grounds="x"), c.Refuse(reasons=("x",), basis="x", remedy="x")
COMPLETE: dict[str, Any] = {"dossier_gaps": [], "rows_total": 2, "corrections_open": 0, "application_types": ["first"]}
REVIEWED: dict[str, Any] = {"rows_open": 0, "rows_confirmed": 2, "findings_open": 0, "findings_failed": 0}


def officer_of(licence: str) -> Actor:
    department = procedures.current(licence).spec.department
    return PEOPLE[f"officer of {department}" if department else "review_organiser"]


def leader_of(licence: str) -> Actor:
    department = procedures.current(licence).spec.department
    return PEOPLE[f"leader of {department}" if department else "leader"]


@dataclass(frozen=True)
class Telling:
    to: str  # the case told
    action: str
    command: Inform


@dataclass
class World:
    """The cases by name, what is told and not yet heard, and what has happened."""

    licences: tuple[str, ...] = LICENCES
    failed: tuple[str, ...] = ()  # licences whose own lines do not meet
    today: date = MONDAY
    cases: dict[str, Case] = field(default_factory=dict)
    underway: list[Telling] = field(default_factory=list)
    told: list[Telling] = field(default_factory=list)
    happened: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended_on: dict[str, date] = field(default_factory=dict)
    record: dict[str, list[PastAct]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        deciding = [d for name in self.licences if (d := procedures.current(name).spec.department)]
        facts = {**COMPLETE, "licences": list(self.licences), DECIDING: deciding}
        self.cases[PARENT] = opened(procedures.current(PARENT), AGENCY, facts, self.today, LAW, 1)

    @property
    def parent(self) -> Case:
        return self.cases[PARENT]

    def of(self, name: str) -> Procedure:
        return procedures.current(name)

    def is_over(self, name: str) -> bool:
        return self.of(name).states[self.cases[name].state].final

    # -- what people do --------------------------------------------------------------------------------------

    def act(self, name: str, action: str, actor: Actor, command: c.Command | None = None, **facts: Any) -> list[Step]:
        """Take a step, with what the registers would report; open and tell what it opens and tells."""
        case = self.cases[name].with_facts(**facts)
        steps = fire(self.of(name), case, action, actor, command or c.Plain(), self.today, LAW)
        self.cases[name] = final = steps[-1].after
        for step in steps:
            self.happened[name, step.action.name] += 1
            entry = PastAct(self.today, step.action.name, step.actor, step.command.payload(), step.after.state)
            self.record.setdefault(name, []).append(entry)
            self._open(step, final)
            self._tell(name, step, final)
        if self.is_over(name):
            self.ended_on.setdefault(name, self.today)
        return steps

    def _open(self, step: Step, final: Case) -> None:
        if (opens := step.action.spec.opens) is None:
            return
        for name in final.fact(opens.each or ""):
            assert name not in self.cases, "opened twice"
            department = self.of(name).spec.department
            facts = {f: final.fact(f) for f in opens.copies} | {opens.link: PARENT}
            facts[DECIDING] = [department] if department else []
            self.cases[name] = opened(self.of(name), AGENCY, facts, self.today, LAW, len(self.cases) + 1)

    def _tell(self, name: str, step: Step, final: Case) -> None:
        if (informs := step.action.spec.informs) is None:
            return
        outcome = self.of(name).states[step.after.state].outcome or informs.outcome or ""
        facts = {f: final.fact(f) for f in informs.carries}
        command = Inform(licence=name, state=step.after.state, outcome=outcome, facts=facts)
        meant = [PARENT] if informs.to == "parent" else [n for n in self.cases if n != PARENT]
        if informs.which:
            meant = [n for n in meant if n in (final.fact(informs.which) or ())]
        self.underway += [Telling(to, informs.action, command) for to in meant]

    # -- what is told, and days ------------------------------------------------------------------------------

    def hear(self, telling: Telling) -> bool:
        """Whether the case told takes the step; one that does not is passed over."""
        try:
            self.act(telling.to, telling.action, SYSTEM, telling.command)
        except Refusal as refusal:
            assert refusal.code in ("unavailable", "unmet"), refusal
            return False
        return True

    def deliver(self, place: int = 0) -> None:
        telling = self.underway.pop(place % len(self.underway))
        self.told.append(telling)
        self.hear(telling)

    def repeat(self, place: int) -> None:
        """Something that was told is told once more."""
        if self.told:
            self.hear(self.told[place % len(self.told)])

    def wait(self, days: int = 1) -> None:
        """Days pass; what is due lapses."""
        for _ in range(days):
            self.today += timedelta(days=1)
            for name in tuple(self.cases):
                for action in self._owed(name):
                    if action in self._owed(name):  # the one before may have stopped its clock
                        self.act(name, action, SYSTEM)

    def _owed(self, name: str) -> tuple[str, ...]:
        return () if self.is_over(name) else lapsed(self.of(name), self.cases[name].clocks, self.today)

    # -- short ways ------------------------------------------------------------------------------------------

    def filed(self) -> "World":
        self.act(PARENT, "submit", PEOPLE["applicant"])
        self.act(PARENT, "accept", PEOPLE["window_officer"])
        return self

    def organised(self) -> "World":
        for department in self.parent.fact(DECIDING):
            officer = PEOPLE[f"officer of {department}"]
            self.act(PARENT, "nominate_experts", officer, NominateExperts(experts=("expert",)))
        self.act(PARENT, "organise_review", PEOPLE["review_organiser"], TEAM, findings_open=0, findings_failed=0)
        return self

    def reviewed(self) -> "World":
        facts = {**REVIEWED, "failed_licences": list(self.failed)}
        self.act(PARENT, "conclude_meets", PEOPLE["team_leader"], **facts)
        return self

    def all_told(self) -> "World":
        while self.underway:
            self.deliver()
        return self

    def decide(self, licence: str, *, grant: bool = True) -> "World":
        """The department's own leader decides as the review allows, and the certificate is printed."""
        if grant and self.cases[licence].fact("review_conclusion") == "meets":
            self.act(licence, "grant", leader_of(licence), GRANT, certificate_rendered=False)
            self.act(licence, "record_rendering", SYSTEM)
            self.act(licence, "print_certificate", PEOPLE["issuing_clerk"])
        else:
            self.act(licence, "refuse", leader_of(licence), REFUSE)
        return self


TEAM = c.OrganiseReview(
    mode="on_site", leader="team_leader", members=("team_leader", "reviewer", "expert"), planned_on=MONDAY
)


def at(state: str, **more: Any) -> World:
    """A world whose parent stands in a state, everything told so far having been heard."""
    world = World(**more).filed()
    if state != "accepted":
        world.organised()
    if state not in ("accepted", "under_review"):
        world.reviewed()
    world.all_told()
    assert world.parent.state == state, world.parent.state
    return world
