"""More time for a limit: once, before it is over, with the reason that the applicant is told."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING

from workflow.case import Case
from workflow.clocks import Law
from workflow.commands import Command
from workflow.deadlines import Clock, extend, in_force
from workflow.vocabulary import N_, Message

if TYPE_CHECKING:
    from workflow.procedure import ExtendsSpec

GROUNDS = "grounds"  # the field of a command that says why


def not_extendable(case: Case, spec: ExtendsSpec, on: date | None = None) -> Message | None:
    """Why the clock cannot be given more time (by what the case shows, and by the day where it is told)."""
    clock = next((c for c in case.clocks if c.name == spec.clock and not c.is_stopped), None)
    if clock is None:
        return Message(N_("The time limit that this would extend does not run."))
    if clock.extensions:
        return Message(N_("This time limit was already extended; that is possible only once."))
    if clock.escalated_on or (on is not None and clock.due_on is not None and clock.due_on < on):
        return Message(N_("The time limit is over; it could only have been extended before."))
    return None


def extended(
    clocks: tuple[Clock, ...], spec: ExtendsSpec, command: Command, on: date, law: Law
) -> tuple[Clock, ...]:
    """The clocks with the one extended by the allowance in force on that day. Raises `NoAllowance`, `ClockError`."""
    reason = str(getattr(command, GROUNDS))
    allowance = in_force(law.allowances, spec.allowance, on)
    return tuple(
        extend(c, allowance, on, reason, law.calendar) if c.name == spec.clock else c for c in clocks
    )


def gives_grounds(command: type[Command]) -> bool:
    return any(f.name == GROUNDS for f in fields(command))
