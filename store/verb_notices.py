"""Whom the notice of a verb is for, and when the notices of an act that may be recalled leave the house."""

from datetime import datetime, timedelta
from typing import Any

from workflow.engine import Step
from workflow.procedure import Procedure
from workflow.verb_commands import CopyTo, RemoveSigner
from workflow.verbs.facts import REMINDED, reminded_key


def addressed(procedure: Procedure, step: Step) -> dict[str, Any]:
    """What the job of a notice must know: `inside`, when the agency is not told; `holders`, who is told besides."""
    verb, command = step.action.spec.verb, step.command
    if verb == "remind":
        today = step.before.on.isoformat() if step.before.on else ""
        before = step.before.fact(REMINDED) or {}
        due = {held for duty, held in procedure.open_duties(step.before).items()
               if before.get(reminded_key(duty.key)) != today}  # fmt: skip
        outside = any(duty.holder.startswith("agency:") for duty in due)
        return {"inside": not outside, "holders": sorted([d.role.value, d.holder] for d in due)}
    if verb == "comment":
        held = procedure.open_duties(step.before).values()
        return {"holders": sorted([d.role.value, d.holder] for d in set(held))}
    if isinstance(command, CopyTo):
        return {"inside": True, "holders": [["", f"person:{person}"] for person in command.persons]}
    if isinstance(command, RemoveSigner):
        return {"inside": True, "holders": [["department_officer", f"department:{command.department}"]]}
    return {"inside": True} if step.action.spec.inside else {}


def leaves_at(procedure: Procedure, step: Step, at: datetime) -> datetime:
    """The notices of an act that can be recalled wait for as long as the definition says."""
    verbs = procedure.spec.verbs
    if verbs is None or verbs.recall is None or step.action.name not in verbs.recall.acts:
        return at
    return at + timedelta(minutes=verbs.recall.minutes)
