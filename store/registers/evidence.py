"""What a decision rests on: the application, its rows and its findings, which a case may share with others.

Licences that are applied for together are reviewed once. Everything the review found lies on the case that was applied
for; the cases of the single licences have nothing of their own and read it there.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, select

from store.dossier_facts import called_by
from store.records.applications import CapabilityRowRecord
from store.records.cases import CaseRecord
from store.registers.subjects import Calls
from workflow.case import Case
from workflow.joint_licences import PART_OF, REVIEWED_ALONE


def evidence_case(connection: Connection, case: Case) -> int:
    """The id of the case on which application, rows and findings lie: the one this case is part of, else itself."""
    if not case.fact(PART_OF):
        return case.id
    parent: int | None = connection.execute(select(CaseRecord.parent_id).where(CaseRecord.id == case.id)).scalar_one()
    assert parent is not None  # the pen writes the fact and the parent together
    return parent


def licences_opened(connection: Connection, case_id: int) -> Sequence[Row[str, int, datetime | None]]:
    """The cases of single licences that a case has opened, in that order: procedure, procedure_version, closed_at."""
    child = CaseRecord
    return connection.execute(
        select(child.procedure, child.procedure_version, child.closed_at)
        .where(child.parent_id == case_id)
        .order_by(child.id)
    ).all()


def standings_of(case: Case) -> tuple[str, ...]:
    """How a row has to stand to be covered: confirmed by the review, or, where the department reviewed by itself and
    perhaps before the joint review came to the row, not refused by it."""
    return ("confirmed", "open") if case.fact(REVIEWED_ALONE) else ("confirmed",)


def sections_of_the_department(connection: Connection, case_id: int, department: str) -> tuple[str, ...]:
    """The sections of the capability table of a case that call for a department (reference/department_calls.yaml)."""
    row, calls = CapabilityRowRecord, Calls.read(connection)
    sections = connection.scalars(select(row.section).where(row.case_id == case_id).distinct()).all()
    return tuple(s for s in sections if department in called_by(s, calls).departments)
