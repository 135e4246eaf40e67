"""Registers of the verbs: whether the person named may take the work, and whether a notice is still in the house."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, delete, select

from store.records.agencies import AgencyRecord
from store.records.audit import AuditRecord
from store.records.columns import table_of
from store.records.jobs import JobRecord
from store.records.people import AccountRecord, AccountRoleRecord
from store.records.reference import CatalogueEntryRecord
from store.registers.moment import Moment
from workflow.engine import Step
from workflow.verb_commands import AddSigner, Consult, CopyTo, Transfer
from workflow.verbs.facts import LAST_ACT, NAMES, role_of
from workflow.vocabulary import N_, OF_A_DEPARTMENT, Message, Refusal, Role

_JOB = table_of(JobRecord)
_STAFF = sorted(r.value for r in Role if r not in (Role.APPLICANT, Role.SYSTEM))


def person_may_take_it(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """The person named holds the role (and sits in the same department), is active and not of the applicant."""
    command = step.command
    assert isinstance(command, Transfer | Consult)
    role = command.role if isinstance(command, Consult) else role_of(step.action.spec.who)
    account, held = AccountRecord, AccountRoleRecord
    query = (
        select(account.person_id, account.name)
        .join(held, held.account_id == account.id)
        .where(account.active, account.person_id == command.person, held.role == role)
    )
    if isinstance(command, Transfer) and role in OF_A_DEPARTMENT:
        query = query.where(account.department == step.actor.department)
    found = connection.execute(query.order_by(account.id)).first()
    if found is None:
        raise Refusal("malformed", Message(N_("This person cannot take this work; choose another.")), field="person")
    _refuse_own_people(connection, step, {command.person}, "person")
    return _with_names(step, {found.person_id: found.name})


def person_may_read_it(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Copies go to people of the authority: active, and with no account of the applicant."""
    command = step.command
    assert isinstance(command, CopyTo)
    account, held = AccountRecord, AccountRoleRecord
    found = connection.execute(
        select(account.person_id, account.name)
        .join(held, held.account_id == account.id)
        .where(account.active, account.person_id.in_(command.persons), held.role.in_(_STAFF))
    ).all()
    names = {row.person_id: row.name for row in found}
    if set(command.persons) - names.keys():
        raise Refusal("malformed", Message(N_("One of the chosen persons cannot get a copy.")), field="persons")
    _refuse_own_people(connection, step, names.keys(), "persons")
    return _with_names(step, names)


def _refuse_own_people(connection: Connection, step: Step, persons: Collection[str], field: str) -> None:
    account = AccountRecord
    own = connection.scalars(
        select(account.name)
        .join(AgencyRecord, AgencyRecord.id == account.agency_id)
        .where(account.person_id.in_(sorted(persons)), account.agency_id == step.after.agency_id)
    ).all()
    if own:
        raise Refusal(
            "malformed",
            Message(N_("%(names)s belongs to the applicant and must stand aside."), {"names": sorted(set(own))}),
            field=field,
        )


def _with_names(step: Step, names: Mapping[str, str]) -> Mapping[str, Any]:
    return {NAMES: {**(step.after.fact(NAMES) or {}), **names}}


def department_is_known(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    command, entry = step.command, CatalogueEntryRecord
    assert isinstance(command, AddSigner)
    known = connection.scalar(
        select(entry.code).where(entry.catalogue == "departments", entry.code == command.department)
    )
    if known is None:
        raise Refusal("malformed", Message(N_("There is no such department.")), field="department")
    return {}


def notices_have_not_left(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Whatever the recalled act had to tell is still waiting, and is not told; else nothing is recalled."""
    act = step.before.fact(LAST_ACT)["act"]
    entry = AuditRecord
    at = connection.scalar(
        select(entry.at).where(entry.case_id == step.before.id, entry.action == act).order_by(entry.id.desc()).limit(1)
    )
    told = (_JOB.c.case_id == step.before.id, _JOB.c.kind == "notify", _JOB.c.created_at == at)
    waiting = (_JOB.c.status == "waiting", _JOB.c.leased_until.is_(None), _JOB.c.attempts == 0)
    connection.execute(delete(_JOB).where(*told, *waiting))
    if connection.scalar(select(_JOB.c.id).where(*told).limit(1)) is not None:
        raise Refusal("unmet", Message(N_("The notice of this step has left already; it cannot be taken back.")))
    return {}
