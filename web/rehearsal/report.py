"""What a rehearsal leaves behind: every step with actor, time and deadline, and what was checked at the end."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from store.database import BUREAU_ZONE
from store.values import CaseFile
from workflow.clocks import Clock
from workflow.engine import Step
from workflow.vocabulary import Actor


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step: what, by whom, when, which state it led to, and what runs until when after it."""

    procedure: str
    action: str
    label: str
    label_zh: str
    actor: str
    role: str
    department: str | None
    at: str
    state: str
    deadlines: list[dict[str, Any]]


@dataclass(slots=True)
class Report:
    """The JSON report. `succeeded` is true when the certificate exists and every check holds."""

    package: str
    track: str
    agency: dict[str, Any] = field(default_factory=dict)
    application: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    materials: list[dict[str, Any]] = field(default_factory=list)
    eligibility: list[dict[str, Any]] = field(default_factory=list)
    steps: list[StepTaken] = field(default_factory=list)
    certificate: dict[str, Any] = field(default_factory=dict)
    verification_address: str = ""
    checks: dict[str, bool] = field(default_factory=dict)
    stopped: str = ""

    @property
    def succeeded(self) -> bool:
        return not self.stopped and bool(self.checks) and all(self.checks.values())

    def note(self, file: CaseFile, steps: Sequence[Step], at: datetime) -> None:
        for step in steps:
            spec = step.action.spec
            self.steps.append(
                StepTaken(
                    procedure=file.procedure.name,
                    action=step.action.name,
                    label=spec.label.en,
                    label_zh=spec.label.zh,
                    actor=step.actor.name,
                    role=_role(step.actor, spec.who),
                    department=step.actor.department,
                    at=at.astimezone(BUREAU_ZONE).isoformat(timespec="seconds"),
                    state=step.after.state,
                    deadlines=[_deadline(file, clock) for clock in step.after.clocks if clock.is_running],
                )
            )

    def to_json(self) -> dict[str, Any]:
        return {"succeeded": self.succeeded, **asdict(self)}


def _role(actor: Actor, who: str) -> str:
    return who if who in {role.value for role in actor.roles} else "/".join(sorted(actor.roles))


def _deadline(file: CaseFile, clock: Clock) -> dict[str, Any]:
    return {
        "clock": clock.name,
        "name": file.procedure.spec.clocks[clock.name].label.zh,
        "due_on": clock.due_on.isoformat() if clock.due_on else None,
        "provisional": clock.provisional,
        "allowance": f"{clock.allowance.amount} {clock.allowance.unit.value}",
        "article": clock.allowance.article,
    }
