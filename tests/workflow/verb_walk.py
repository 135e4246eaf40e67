"""A case of CMA version 2 walked through the engine alone: people, usual commands, a day that moves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from tests.store.factories import (
    GENERAL_WAYS,
    ISSUING_CLERK,
    LEADER,
    REVIEW_ORGANISER,
    REVIEWER,
    STAFF,
    TEAM_LEADER,
    WINDOW_OFFICER,
    applicant_of,
    department_officer,
    person,
    usual_command,
)
from workflow import procedures
from workflow.case import Case
from workflow.clocks import Law
from workflow.commands import Command
from workflow.deadlines import Allowance, Calendar, Clock, Unit
from workflow.engine import Step, fire, offers
from workflow.procedure import Duty, Procedure, duties
from workflow.vocabulary import SYSTEM, Actor, Role

AGENCY = 7
CMA = procedures.find("cma", 2)
SHELF = {"cma": CMA}  # which definition a walk takes; a test may lay another one there
MONDAY = date(2026, 3, 2)
APPLICANT = applicant_of(AGENCY)
SECOND_LEADER = person("second-leader", Role.LEADER)
THIRD_LEADER = person("third-leader", Role.LEADER)
SECOND_ORGANISER = person("second-organiser", Role.REVIEW_ORGANISER)
SECOND_WINDOW = person("second-window", Role.WINDOW_OFFICER)
FACTS: Mapping[str, Any] = {
    "dossier_gaps": [], "commitment_bars": [], "application_types": ["first"], "rows_total": 3, "rows_open": 0,
    "rows_confirmed": 3, "rows_refused": 1, "findings_open": 0, "findings_failed": 0, "corrections_open": 0,
    "certificate_rendered": True, "departments": ["ecology", "construction"],
}  # fmt: skip


def law_for(procedure: Procedure) -> Law:
    """Every allowance that the definition names: twenty working days each, or five where the law acts on a lapse."""
    names = {c.allowance: c for c in procedure.spec.clocks.values()}
    names |= {a.spec.extends.allowance: None for a in procedure.actions if a.spec.extends}  # type: ignore[dict-item]
    rows = [Allowance(name, 20, Unit.WORKING_DAYS, "invented article", date(2020, 1, 1)) for name in sorted(names)]
    return Law(Calendar.of(()), tuple(rows))


LAW = law_for(CMA)

@dataclass
class Walk:
    """A case and the day it is; `take` acts, `at` the usual person where none is named."""

    case: Case
    day: date = MONDAY
    procedure: Procedure = field(default_factory=lambda: SHELF["cma"])
    steps: list[Step] = field(default_factory=list)

    def take(self, name: str, by: Actor | None = None, command: Command | None = None) -> "Walk":
        action = self.procedure.by_name[name]
        actor = by or self.usual_actor(name)
        asked = command or self.usual(name)
        steps = fire(self.procedure, self.case, action.name, actor, asked, self.day, LAW)
        self.case = steps[-1].after
        self.steps += steps
        return self

    def usual(self, name: str) -> Command:
        action = self.procedure.by_name[name]
        return usual_command(name.partition("_back_to_")[0], action.command, ("4.1",))

    def usual_actor(self, name: str) -> Actor:
        who = self.procedure.by_name[name].spec.who
        if who == "is_the_applicant":
            return APPLICANT
        if who in ("answers_for_a_department_asked", "department_officer"):
            owing = [d for d in self.procedure.asked(self.case.facts) if d not in self.case.answered()]
            return department_officer(owing[0] if owing else "ecology")
        return STAFF[who]

    def walk(self, names: Iterable[str]) -> "Walk":
        for name in names:
            if name == "ask":
                while self.case.state == "awaiting_sign_off":
                    self.take("sign_off")
            else:
                self.take(name)
        return self

    def after(self, days: int) -> "Walk":
        self.day += timedelta(days=days)
        return self

    def duties(self) -> set[Duty]:
        case = self.case
        return set(duties(self.procedure, case.state, case.agency_id, case.facts, case.answered()))

    def clock(self, name: str) -> Clock:
        return next(c for c in self.case.clocks if c.name == name)

    def offered(self, actor: Actor, *, now: bool = True) -> set[str]:
        """The names offered to a person; only those that would work, unless told otherwise."""
        found = offers(self.procedure, replace(self.case, on=self.day), actor)
        return {offer.action.name for offer in found if offer.unmet is None or not now}


def walk_to(state: str, **facts: Any) -> Walk:
    """A case brought to a state by its usual way on the general track."""
    start = Case(1, CMA.name, CMA.version, CMA.spec.initial, "general", AGENCY, facts={**FACTS, **facts})
    return Walk(start).walk(GENERAL_WAYS[state])


__all__ = ["APPLICANT", "CMA", "ISSUING_CLERK", "LAW", "LEADER", "REVIEWER", "REVIEW_ORGANISER", "SYSTEM",
           "TEAM_LEADER", "WINDOW_OFFICER", "Walk", "department_officer", "walk_to"]  # fmt: skip
