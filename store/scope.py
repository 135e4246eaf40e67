"""Who may see a case: one SQL clause for lists and single cases alike, and its twin on values.

A property test holds the two equal. Everything that reads on behalf of a person goes through `visible_to`.
"""

from sqlalchemy import ColumnElement, and_, exists, false, or_, true

from store.records.cases import CasePartyRecord, CaseRecord
from workflow.vocabulary import OF_A_DEPARTMENT, Actor, Role

# These see every case that has left the applicant's desk; the others only those they have a part in.
BUREAU_WIDE = frozenset(
    {Role.WINDOW_OFFICER, Role.REVIEW_ORGANISER, Role.LEADER, Role.ISSUING_CLERK, Role.INSPECTOR, Role.SYSTEM}
)
# ... as a department, whose leader sees what its officers see, or as a person.
TAKING_PART = frozenset({Role.TEAM_LEADER, Role.REVIEWER}) | OF_A_DEPARTMENT


def holders(actor: Actor) -> frozenset[str]:
    """The names under which an actor takes part in cases; for a delegate those of the principal."""
    actor = actor.seat
    found = {f"person:{actor.person_id}"}
    if actor.roles & OF_A_DEPARTMENT and actor.department:
        found.add(f"department:{actor.department}")
    return frozenset(found)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """SQL for the cases this actor may see: standing in for somebody, what that person sees of the procedure
    that was delegated, and nothing besides."""
    clauses: list[ColumnElement[bool]] = []
    if Role.APPLICANT in actor.roles and actor.agency_id is not None:
        clauses.append(CaseRecord.agency_id == actor.agency_id)
    filed = CaseRecord.submitted_at.is_not(None)
    if actor.roles & BUREAU_WIDE:
        clauses.append(filed)
    if actor.roles & TAKING_PART:
        clauses.append(
            and_(
                filed,
                exists().where(
                    CasePartyRecord.case_id == CaseRecord.id,
                    CasePartyRecord.holder.in_(sorted(holders(actor))),
                ),
            )
        )
    if Role.SYSTEM in actor.roles:
        clauses.append(true())
    if only := delegated_procedure(actor):
        return and_(CaseRecord.procedure == only, or_(false(), *clauses))
    return or_(false(), *clauses)


def delegated_procedure(actor: Actor) -> str:
    """The one procedure to which a delegate is held; empty for every one, and for whoever acts for themselves."""
    return actor.acting_for.delegation.procedure if actor.acting_for else ""


def sees(
    actor: Actor, *, agency_id: int | None, filed: bool, parties: frozenset[str], procedure: str
) -> bool:
    """The same predicate on values."""
    if delegated_procedure(actor) not in ("", procedure):
        return False
    if Role.SYSTEM in actor.roles:
        return True
    if Role.APPLICANT in actor.roles and actor.agency_id is not None and actor.agency_id == agency_id:
        return True
    if not filed:
        return False
    return bool(actor.roles & BUREAU_WIDE) or (
        bool(actor.roles & TAKING_PART)
        and bool(parties & holders(actor))
    )
