"""What the register of bars and the agency's earlier cases say about the commitment track, at one moment."""
from sqlalchemy import Connection, select

from store.database import BUREAU_ZONE
from store.eligibility import Bar
from store.records.agencies import CommitmentBarRecord
from store.records.cases import CaseRecord
from store.records.columns import table_of
from workflow import procedures
from workflow.case import Case

_CASE = table_of(CaseRecord)


def bars_of(connection: Connection, agency_id: int | None) -> tuple[Bar, ...]:
    """Every bar entered against an agency, oldest first; whether it still stands is judged by day."""
    bar = CommitmentBarRecord
    return tuple(Bar(*row) for row in connection.execute(
        select(bar.ground, bar.basis, bar.from_on, bar.until_on).where(bar.agency_id == agency_id).order_by(bar.id)))


def retracted_before(connection: Connection, case: Case, types: tuple[str, ...]) -> tuple[str, ...]:
    """Commitment applications of this agency for the same matter that were filed and then retracted: their numbers,
    or the local days on which they were filed."""
    states = procedures.find(case.procedure, case.procedure_version).states
    ended = [name for name, spec in states.items() if spec.outcome == "retracted"]
    rows = connection.execute(select(_CASE.c.number, _CASE.c.submitted_at, _CASE.c.facts).where(
        _CASE.c.agency_id == case.agency_id, _CASE.c.procedure == case.procedure, _CASE.c.id != case.id,
        _CASE.c.track == "commitment", _CASE.c.submitted_at.is_not(None), _CASE.c.state.in_(ended)))
    return tuple(r.number or r.submitted_at.astimezone(BUREAU_ZONE).date().isoformat() for r in rows
                 if set(types) & set(r.facts.get("application_types") or ()))
