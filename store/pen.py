"""The one pen: what writes a case. Everything here runs inside the caller's transaction, under the case's lock.

A step writes state, answer, tasks, clocks, audit entries and outgoing jobs together. Statements are built once;
building one costs more than running it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Connection, bindparam, func, insert, literal_column, select, update

from store import audit, joint_steps, separation, together
from store.law import pins_of
from store.locked import Locked, lock, parties, stale
from store.records.cases import CasePartyRecord, CaseRecord, SignOffRecord, TaskRecord
from store.records.columns import NEVER, table_of
from store.records.jobs import JobRecord
from store.registers import REGISTERS, Moment
from store.together import Adding, Dropping, Write
from store.tokens import new_token
from store.verb_notices import addressed, leaves_at
from workflow.alarms import alarms_on, escalations
from workflow.case import Case, SignOff
from workflow.clocks import counted_by, due_on, lapses_on, opened
from workflow.deadlines import Clock
from workflow.engine import Step
from workflow.procedure import Duty, Procedure, duties
from workflow.reckoning import ONE_DAY
from workflow.vocabulary import SYSTEM, Actor

_CASE = table_of(CaseRecord)
_UNCHANGED_JSON = JSON(none_as_null=True)
_WRITE = (
    update(_CASE)
    .where(_CASE.c.id == bindparam("key"), _CASE.c.version == bindparam("seen"))
    .values(
        {
            name: bindparam(name)
            for name in (
                *("state", "track", "round", "version", "acts", "due_on", "lapses_on", "alarms_on", "counted_by"),
                *("audit_seq", "audit_hash", "changed_at", "submitted_at", "closed_at", "number"),
            )
        }
        # None: it stays as it is, and neither side has to read or write it
        | {
            name: func.coalesce(bindparam(name, type_=_UNCHANGED_JSON), _CASE.c[name])
            for name in ("facts", "clocks")
        }
    )
)
_OPEN = insert(_CASE).values({column.name: bindparam(column.name) for column in _CASE.c})
_NEXT = {  # the id goes into the hash of the first entry, so it is known before the case is
    "postgresql": select(func.nextval(literal_column("'case_id_seq'"), type_=BigInteger())),
    "sqlite": select(func.coalesce(func.max(_CASE.c.id), 0) + 1),  # there is one writer, and no case is ever removed
}
_SIGN_OFF = Adding(
    table_of(SignOffRecord),
    *("round", "department", "verdict", "opinion", "person_id", "at", "carried_from", "rests_on"),
)
_TASK = Adding(table_of(TaskRecord), "role", "holder", same=("due_on", "opened_at"))
_ALL_TASKS_DONE = Dropping(table_of(TaskRecord))
_TASK_DONE = Dropping(table_of(TaskRecord), "role", "holder")
_RESCHEDULE = (
    update(table_of(TaskRecord)).where(TaskRecord.case_id == bindparam("key")).values(due_on=bindparam("due"))
)
_PARTY = Adding(table_of(CasePartyRecord), "holder")
_PARTY_GONE = Dropping(table_of(CasePartyRecord), "holder")
_PARTIES = select(CasePartyRecord.holder).where(CasePartyRecord.case_id == bindparam("key"))
_JOB = Adding(
    table_of(JobRecord),
    *("id", "kind", "payload", "available_at"),
    same=("created_at",),
    fixed={"status": "waiting", "attempts": 0},
)


def change_facts(
    connection: Connection,
    case_id: int,
    actor: Actor,
    facts: Mapping[str, Any],
    moment: Moment,
    action: str = "edit_application",
    *,
    subject: str | None = None,
    agency_name: str | None = None,
) -> int:
    """Put facts that follow from an edit of the dossier on the case: version and audit entry with them.

    Locks the case row; writes nothing when nothing differs. Returns the version of the case afterwards.
    """
    row = lock(connection, case_id).row
    changed = {name: value for name, value in facts.items() if row["facts"].get(name) != value}
    heading = {"subject": subject or row["subject"], "agency_name": agency_name or row["agency_name"]}
    if not changed and all(row[name] == value for name, value in heading.items()):
        return int(row["version"])
    version, seq = row["version"] + 1, row["audit_seq"] + 1
    entry = audit.audit_row(
        seq=seq,
        previous=row["audit_hash"],
        at=moment.at,
        actor=actor,
        action=action,
        role="applicant",
        source=row["state"],
        target=row["state"],
        case_id=case_id,
        version=version,
        payload={"facts": changed},
    )
    connection.execute(
        update(_CASE)
        .where(_CASE.c.id == case_id)
        .values(
            facts={**row["facts"], **changed},
            version=version,
            audit_seq=seq,
            audit_hash=entry["hash"],
            changed_at=moment.at,
            **heading,
        )
    )
    audit.write(connection, [entry])
    return int(version)


def write_steps(
    connection: Connection, locked: Locked, steps: list[Step], moment: Moment, command_id: str
) -> Case:
    """Write what the engine found lawful; returns the case as it is now. Raises Refusal (a register's own,
    or "stale" when the row was not as it was read, which the lock forbids)."""
    separation.enter(connection, locked.procedure)
    before, final = locked.case, _with_registers(connection, steps, moment)
    seq, head, entries = _audit_rows(locked, steps, moment, command_id)
    values = {
        "key": before.id,
        "seen": before.version,
        **_columns(locked.procedure, final, moment),
        "audit_seq": seq,
        "audit_hash": head,
        "number": final.fact("case_number", locked.row["number"]),
        "submitted_at": locked.row["submitted_at"] or _first_filed(locked.procedure, final, moment.at),
        "closed_at": moment.at if locked.procedure.states[final.state].final else None,
    }
    if before.facts is final.facts:
        values["facts"] = None
    values["clocks"] = None if before.clocks == final.clocks else _plain(final.clocks)
    due = values["due_on"]
    tasks, some_stay = _turn_tasks(locked.procedure, before, final, due, moment.at)
    writes: list[Write] = [
        (audit.ENTRY, entries),
        (_SIGN_OFF, [_answer(before.id, a, moment.at) for a in final.sign_offs[len(before.sign_offs) :]]),
        *tasks,
        *_turn_parties(connection, locked.procedure, before, final),
        (_JOB, [job for step in steps for job in _jobs(locked.procedure, step, final, moment.at)]),
    ]
    if not together.write(connection, _WRITE, values, writes):
        raise stale(connection, locked)
    if some_stay and due != (due_on(before.clocks) or NEVER):
        connection.execute(_RESCHEDULE, {"key": final.id, "due": due})
    for opens in (spec for step in steps if (spec := step.action.spec.opens)):
        for one in joint_steps.to_open(connection, final, locked.public_id, opens, moment):
            open_case(
                connection,
                one.procedure,
                SYSTEM,
                agency_id=final.agency_id,
                agency_name=locked.row["agency_name"],
                subject=one.subject or locked.row["subject"],
                facts=one.facts,
                moment=moment,
                parent_id=before.id,
                number=one.number,
            )
    return final


def keep_up(connection: Connection, locked: Locked, clocks: tuple[Clock, ...], moment: Moment) -> None:
    """Clocks counted anew where no due day moves: nobody has to be told, so no version grows and nothing is audited."""
    case, row = replace(locked.case, clocks=clocks), locked.row
    kept = {name: row[name] for name in ("audit_seq", "audit_hash", "changed_at", "submitted_at", "number")}
    values = {"key": case.id, "seen": case.version, **_columns(locked.procedure, case, moment), **kept}
    # What the law does at a lapse comes first; where it has not, it is looked at again tomorrow.
    values["alarms_on"] = max(values["alarms_on"], moment.on + ONE_DAY)
    connection.execute(_WRITE, values | {"facts": None, "clocks": _plain(clocks), "closed_at": None})


def _answer(case_id: int, answer: SignOff, at: datetime) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "round": answer.round,
        "department": answer.department,
        "verdict": answer.verdict.value,
        "opinion": answer.opinion,
        "person_id": answer.person_id,
        "at": answer.at or at,
        "carried_from": answer.carried_from,
        "rests_on": dict(answer.rests_on),
    }


def _with_registers(connection: Connection, steps: list[Step], moment: Moment) -> Case:
    """The last state of the case, with the facts that the registers report back."""
    facts: dict[str, Any] = {}
    for step in steps:
        for name in step.action.spec.registers:
            facts |= REGISTERS[name](connection, replace(step, after=step.after.with_facts(**facts)), moment)
    final = steps[-1].after
    return final.with_facts(**facts) if facts else final


def _first_filed(procedure: Procedure, final: Case, at: datetime) -> datetime | None:
    """A case is filed when it leaves its initial state; one retracted from there never was."""
    left = final.state != procedure.spec.initial and procedure.states[final.state].outcome != "retracted"
    return at if left else None


def _plain(clocks: tuple[Clock, ...]) -> list[list[Any]]:
    return [clock.plain() for clock in clocks]


def _columns(procedure: Procedure, case: Case, moment: Moment) -> dict[str, Any]:
    return {
        "state": case.state,
        "track": case.track,
        "round": case.round,
        "version": case.version,
        "facts": dict(case.facts),
        "acts": [[a.action, a.person_id] for a in case.acts],
        "due_on": due_on(case.clocks) or NEVER,
        "lapses_on": lapses_on(procedure, case.clocks) or NEVER,
        "alarms_on": alarms_on(procedure, case.clocks, moment.law.calendar) or NEVER,
        "counted_by": counted_by(case.clocks, moment.law.calendar),
        "changed_at": moment.at,
    }


def _audit_rows(
    locked: Locked, steps: list[Step], moment: Moment, command_id: str
) -> tuple[int, str, list[dict[str, Any]]]:
    seq, head, rows = locked.row["audit_seq"], locked.row["audit_hash"], []
    for index, step in enumerate(steps):
        seq += 1
        row = audit.audit_row(
            seq=seq,
            previous=head,
            at=moment.at,
            actor=step.actor,
            action=step.action.name,
            role=step.action.spec.who,
            source=step.before.state,
            target=step.after.state,
            case_id=locked.case.id,
            command_id=command_id if index == 0 else None,
            version=step.after.version,
            # a text that was left empty says nothing, and an entry is kept for good
            payload={name: said for name, said in step.command.payload().items() if said != ""} | dict(step.record),
        )
        head = row["hash"]
        rows.append(row)
    return seq, head, rows


def _turn_tasks(
    procedure: Procedure, before: Case, final: Case, due: date, at: datetime
) -> tuple[list[Write], bool]:
    """The tasks that go and come, and whether some stay (these may need another due date afterwards)."""
    was = duties(procedure, before.state, before.agency_id, before.facts, before.answered())
    was |= escalations(procedure, before.clocks)
    now = duties(procedure, final.state, final.agency_id, final.facts, final.answered())
    now |= escalations(procedure, final.clocks)
    writes: list[Write] = []
    if done := was - now:
        if now & was:
            rows = [{"case_id": final.id, "role": d.role.value, "holder": d.holder} for d in done]
            writes.append((_TASK_DONE, rows))
        else:
            writes.append((_ALL_TASKS_DONE, [{"case_id": final.id}]))
    writes.append((_TASK, _open_tasks(final.id, now - was, due, at)))
    return writes, bool(now & was)


def _open_tasks(case_id: int, found: frozenset[Duty], due: date, at: datetime) -> list[dict[str, Any]]:
    return [
        {"case_id": case_id, "role": d.role.value, "holder": d.holder, "due_on": due, "opened_at": at}
        for d in sorted(found, key=lambda d: (d.role, d.holder))
    ]


def _turn_parties(connection: Connection, procedure: Procedure, before: Case, final: Case) -> list[Write]:
    editable = procedure.states[before.state].editable
    if before.facts is final.facts and not editable:
        return []
    known, wanted = parties(procedure, before), parties(procedure, final)
    if editable:  # the applicant may have changed what decides who is asked
        known = frozenset(connection.scalars(_PARTIES, {"key": final.id}))
    return [(_PARTY_GONE, _holders(final.id, known - wanted)), (_PARTY, _holders(final.id, wanted - known))]


def repin(connection: Connection, seen: int, procedure: Procedure, case: Case, moment: Moment, **head: Any) -> None:
    """Write a case as it is under another text of its procedure; see `store.carrying_over`."""
    pinned = {"procedure_version": procedure.version, "procedure_digest": procedure.digest}
    values = {**_columns(procedure, case, moment), **pinned, **head}
    connection.execute(update(_CASE).where(_CASE.c.id == case.id, _CASE.c.version == seen).values(values))


def _holders(case_id: int, found: frozenset[str]) -> list[dict[str, Any]]:
    return [{"case_id": case_id, "holder": h} for h in sorted(found)]


def _jobs(procedure: Procedure, step: Step, final: Case, at: datetime) -> list[dict[str, Any]]:
    spec = step.action.spec
    wanted: list[tuple[str, dict[str, Any]]] = [(kind, {}) for kind in spec.jobs]
    if payload := joint_steps.told(procedure, step, final):
        wanted.append((joint_steps.INFORM, payload))
    wanted += [
        ("render_document", {"document": name, "version": step.after.version}) for name in spec.documents
    ]
    told: dict[str, Any] = {"roles": [role.value for role in spec.tells]} if spec.tells else {}
    if told or "limits" in step.record:
        told |= {"action": step.action.name, "limits": step.record.get("limits", [])}
    told |= addressed(procedure, step)
    wanted += [("notify", {"notice": name, **told}) for name in spec.notify]
    return [
        {
            "id": new_token(),
            "kind": kind,
            "case_id": step.after.id,
            "payload": payload,
            "status": "waiting",
            "available_at": leaves_at(procedure, step, at) if kind == "notify" else at,
            "attempts": 0,
            "created_at": at,
        }
        for kind, payload in wanted
    ]


def open_case(
    connection: Connection,
    procedure: Procedure,
    actor: Actor,
    *,
    agency_id: int | None,
    agency_name: str,
    subject: str,
    facts: Mapping[str, Any],
    moment: Moment,
    parent_id: int | None = None,
    number: str | None = None,
) -> str:
    """Open a case in its initial state; returns its public id. One that starts in another state than an
    editable one is filed at once."""
    public_id, initial = new_token(), procedure.spec.initial
    draft = opened(procedure, agency_id, facts, moment.on, moment.law)
    editable = procedure.states[initial].editable
    separation.enter(connection, procedure)
    (case_id,) = connection.scalars(_NEXT[connection.dialect.name], {})
    row = audit.audit_row(
        seq=1,
        previous=audit.GENESIS,
        at=moment.at,
        actor=actor,
        action="open",
        role="",
        target=initial,
        case_id=case_id,
        version=1,
        payload={"subject": subject, **pins_of(moment.law, procedure)},
    )
    values = {
        "id": case_id,
        "public_id": public_id,
        "procedure": procedure.name,
        "procedure_version": procedure.version,
        "procedure_digest": procedure.digest,
        "agency_id": agency_id,
        "agency_name": agency_name,
        "subject": subject,
        "parent_id": parent_id,
        "number": number,
        "opened_at": moment.at,
        "audit_seq": 1,
        "audit_hash": row["hash"],
        "submitted_at": None if editable else moment.at,
        "closed_at": None,
        "clocks": _plain(draft.clocks),
        **_columns(procedure, draft, moment),
    }
    found = duties(procedure, initial, agency_id, facts, frozenset())
    writes: list[Write] = [
        (audit.ENTRY, [row]),
        (_PARTY, _holders(case_id, frozenset() if editable else parties(procedure, draft))),
        (_TASK, _open_tasks(case_id, found, values["due_on"], moment.at)),
    ]
    together.write(connection, _OPEN, values, writes)
    return public_id
