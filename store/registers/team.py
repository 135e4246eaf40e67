"""Who may be seated on a team: people of the pool, none of the applicant's own, every sector covered."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from store.records.people import AccountRecord, AccountRoleRecord, ExpertiseRecord, PersonRecord
from store.registers.moment import Moment
from workflow.commands import OrganiseReview
from workflow.engine import Step
from workflow.joint_commands import NominateExperts
from workflow.joint_licences import NOMINATED
from workflow.rules import REVIEWERS
from workflow.vocabulary import N_, Message, Refusal, Role

_ROLES = [role.value for role in sorted(REVIEWERS)]


def team_suits_the_case(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Refuse a team with somebody who cannot review (163 arts. 24 and 29), or that leaves out a sector which
    another reviewer of the pool could cover. A sector that nobody in the pool covers is the organiser's to judge."""
    command = step.command
    assert isinstance(command, OrganiseReview)
    account, role, expertise = AccountRecord, AccountRoleRecord, ExpertiseRecord
    held: dict[str, set[str]] = {}
    for person_id, name in connection.execute(
        select(account.person_id, role.role)
        .join(role, role.account_id == account.id)
        .where(account.active, account.person_id.in_(command.members), role.role.in_(_ROLES))
    ):
        held.setdefault(person_id, set()).add(name)
    if set(command.members) - held.keys():
        raise Refusal(
            "malformed", Message(N_("One of the chosen persons cannot review this case.")), field="members"
        )
    if Role.TEAM_LEADER.value not in held[command.leader]:
        raise Refusal("malformed", Message(N_("This person cannot lead the team.")), field="leader")
    _refuse_own_people(connection, step, command.members, "members")
    wanted = [str(sector) for sector in step.after.fact("sectors") or ()]
    able: dict[str, set[str]] = {}
    for sector, person_id in connection.execute(
        select(expertise.sector, expertise.person_id)
        .join(account, account.person_id == expertise.person_id)
        .join(role, role.account_id == account.id)
        .where(account.active, role.role.in_(_ROLES), expertise.sector.in_(wanted))
        .distinct()
    ):
        able.setdefault(sector, set()).add(person_id)
    bare = [sector for sector in wanted if able.get(sector) and not able[sector] & set(command.members)]
    if bare:
        raise Refusal(
            "unmet",
            Message(N_("Nobody of this team covers %(sectors)s."), {"sectors": bare}),
            field="members",
        )
    return {}


def nominees_are_fit(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Refuse experts that are not reviewers of the department's own pool, or belong to the applicant, or are already
    named by another department of the same application: whoever must stand aside stands aside for all of them."""
    command = step.command
    assert isinstance(command, NominateExperts)
    department, account, role = step.actor.department, AccountRecord, AccountRoleRecord
    pool = set(
        connection.scalars(
            select(account.person_id)
            .join(role, role.account_id == account.id)
            .where(
                account.active,
                account.department == department,
                account.person_id.in_(command.experts),
                role.role.in_(_ROLES),
            )
        )
    )
    if set(command.experts) - pool:
        raise Refusal(
            "malformed",
            Message(N_("One of the chosen persons is not a reviewer of your department's pool.")),
            field="experts",
        )
    _refuse_own_people(connection, step, command.experts, "experts")
    others = {p for d, persons in (step.before.fact(NOMINATED) or {}).items() if d != department for p in persons}
    if taken := others & set(command.experts):
        names = connection.scalars(select(PersonRecord.name).where(PersonRecord.id.in_(taken)))
        raise Refusal(
            "malformed",
            Message(N_("%(names)s was already named by another department."), {"names": sorted(names)}),
            field="experts",
        )
    return {}


def _refuse_own_people(connection: Connection, step: Step, persons: Sequence[str], field: str) -> None:
    """Nobody reviews the agency they hold an account with, whichever department or licence it is for."""
    account = AccountRecord
    own = connection.scalars(
        select(PersonRecord.name)
        .join(account, account.person_id == PersonRecord.id)
        .where(PersonRecord.id.in_(persons), account.agency_id == step.after.agency_id)
        .distinct()
    ).all()
    if own:
        raise Refusal(
            "malformed",
            Message(N_("%(names)s belongs to the applicant and must stand aside."), {"names": sorted(own)}),
            field=field,
        )
