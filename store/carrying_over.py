"""A running case goes over to another version of its procedure: one write, under its lock, told in its audit."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from store import audit, separation
from store.law import pins_of
from store.locked import Locked, parties
from store.pen import _holders, _open_tasks, repin
from store.records.cases import CasePartyRecord, TaskRecord
from store.records.columns import NEVER, table_of
from store.records.jobs import JobRecord
from store.registers import Moment
from store.tokens import new_token
from workflow.alarms import escalations
from workflow.case import Case
from workflow.clocks import due_on
from workflow.procedure import Duty, Procedure, duties
from workflow.vocabulary import Actor, Role

CARRIED_OVER = "migrate_version"  # how the audit calls it
_TASK, _PARTY, _JOB = (table_of(r) for r in (TaskRecord, CasePartyRecord, JobRecord))


def carry_over(
    connection: Connection,
    locked: Locked,
    procedure: Procedure,
    after: Case,
    actor: Actor,
    moment: Moment,
    told: Mapping[str, Any],
    notice: Mapping[str, Any] | None = None,
) -> None:
    """Write the case as `after`, pinned to `procedure`; `told` (the reason, what changes) goes into its audit, and
    `notice`, when there is one, into a mail.

    State, clocks, tasks and parties turn together. The caller holds the lock and has asked `workflow.migration`.
    """
    rewrite(
        connection,
        locked,
        procedure,
        after,
        actor,
        moment,
        CARRIED_OVER,
        {
            "from": {"version": locked.procedure.version, "digest": locked.procedure.digest},
            "to": {"version": procedure.version, "digest": procedure.digest},
            **told,
            **pins_of(moment.law, procedure),
        },
        notice=notice,
    )


def rewrite(
    connection: Connection,
    locked: Locked,
    procedure: Procedure,
    after: Case,
    actor: Actor,
    moment: Moment,
    action: str,
    payload: Mapping[str, Any],
    command_id: str | None = None,
    notice: Mapping[str, Any] | None = None,
) -> None:
    """Write the case as `after` by an act of the administration that no definition names; so `notice` is named here,
    the payload of a mail that leaves after the commit."""
    separation.enter(connection, procedure)  # as for a case that is opened under it
    case_id, seq = locked.case.id, locked.row["audit_seq"] + 1
    entry = audit.audit_row(
        seq=seq,
        previous=locked.row["audit_hash"],
        at=moment.at,
        actor=actor,
        action=action,
        role="administrator",
        source=locked.case.state,
        target=after.state,
        case_id=case_id,
        version=after.version,
        command_id=command_id,
        payload=payload,
    )
    head = {"audit_seq": seq, "audit_hash": entry["hash"]}
    repin(connection, locked.case.version, procedure, after, moment, **head)
    audit.write(connection, [entry])
    open_now = duties(procedure, after.state, after.agency_id, after.facts, after.answered())
    open_now |= escalations(procedure, after.clocks)
    due = due_on(after.clocks) or NEVER
    kept = set()
    for key, role, holder in connection.execute(
        select(_TASK.c.id, _TASK.c.role, _TASK.c.holder).where(_TASK.c.case_id == case_id)
    ).all():  # who had it before has it since then
        if Duty(Role(role), holder) in open_now:
            kept.add(Duty(Role(role), holder))
            connection.execute(update(_TASK).where(_TASK.c.id == key).values(due_on=due))
        else:
            connection.execute(delete(_TASK).where(_TASK.c.id == key))
    if tasks := _open_tasks(case_id, frozenset(open_now - kept), due, moment.at):
        connection.execute(insert(_TASK), tasks)
    wanted = frozenset() if procedure.states[after.state].editable else parties(procedure, after)
    known = frozenset(connection.scalars(_PARTY.select().with_only_columns(_PARTY.c.holder)
                                         .where(_PARTY.c.case_id == case_id)))  # fmt: skip
    if missing := _holders(case_id, wanted - known):  # who had a part in it goes on seeing it
        connection.execute(insert(_PARTY), missing)
    if notice is not None:
        connection.execute(insert(_JOB), {
            "id": new_token(), "kind": "notify", "case_id": case_id, "payload": dict(notice), "status": "waiting",
            "available_at": moment.at, "attempts": 0, "created_at": moment.at})  # fmt: skip
