"""What a step of one case means for others of the same application: the cases it opens, and what it has them told.

Both are part of the step's own transaction. Nothing here locks a second case: a new case is nobody's yet, and what is
told is a job that somebody does afterwards (`jobs.informing`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from store.registers import Moment
from store.registers.evidence import licences_opened
from workflow import procedures
from workflow.case import Case
from workflow.engine import Step
from workflow.joint_licences import DECIDING
from workflow.procedure import OpensSpec, Procedure
from workflow.vocabulary import N_, Message, Refusal

INFORM = "inform"  # the kind of job that tells another case


@dataclass(frozen=True, slots=True)
class Opening:
    """A case to be opened: on which procedure, with which facts, and what it is called if not as the one before it."""

    procedure: Procedure
    facts: Mapping[str, Any]
    subject: str | None = None
    number: str | None = None


def to_open(connection: Connection, case: Case, public_id: str, opens: OpensSpec, moment: Moment) -> list[Opening]:
    """The cases that a step opens.

    One for each procedure that a fact lists is opened once: taken again after a return, the step finds those that are
    under way. They are named after their procedure and numbered after the case they are part of: 2026-000003-2.
    Raises Refusal("unmet") when one of them cannot be opened; then none is.
    """
    facts = {name: case.fact(name) for name in opens.copies} | {opens.link: public_id}
    if opens.procedure is not None:
        return [Opening(procedures.current(opens.procedure, moment.on), facts)]
    listed = tuple(dict.fromkeys(case.fact(opens.each or "") or ()))
    opened = licences_opened(connection, case.id)
    under_way = {row.procedure for row in opened if row.closed_at is None}
    found = [_in_force(name, opens, moment) for name in listed if name not in under_way]
    number = case.fact("case_number")
    return [
        Opening(
            procedure,
            {**facts, DECIDING: [procedure.spec.department] if procedure.spec.department else []},
            procedure.spec.title.zh,
            f"{number}-{place}" if number else None,
        )
        for place, procedure in enumerate(found, len(opened) + 1)
    ]


def told(procedure: Procedure, step: Step, final: Case) -> dict[str, Any] | None:
    """What the step has other cases told, as the payload of a job; None when it tells nobody.

    `final` is the case as it is written, with what the registers of the step reported.
    """
    informs = step.action.spec.informs
    if informs is None:
        return None
    return {
        "to": informs.to,
        "action": informs.action,
        "which": None if informs.which is None else list(final.fact(informs.which) or ()),
        "licence": procedure.name,
        "state": step.after.state,
        "outcome": procedure.states[step.after.state].outcome or informs.outcome or "",
        "facts": {name: _plain(final.fact(name)) for name in informs.carries},
    }


def _in_force(name: str, opens: OpensSpec, moment: Moment) -> Procedure:
    if name not in opens.among:
        raise Refusal("unmet", Message(
            N_("“%(licence)s” cannot be handled together with the others here. Ask the applicant to take it out of the "
               "application and to apply for it on its own."),
            {"licence": name}))  # fmt: skip
    try:
        return procedures.current(name, moment.on)
    except Refusal as refusal:
        raise Refusal("unmet", Message(
            N_("No version of “%(licence)s” is in force, so no case can be opened for it, and nothing was done for the "
               "other licences either. Ask the administrator to activate a version, then try again."),
            {"licence": _title(name)})) from refusal  # fmt: skip


def _title(name: str) -> Message | str:
    try:
        return procedures.latest(name).spec.title.message()
    except Refusal:
        return name


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, (list, tuple)) else value
