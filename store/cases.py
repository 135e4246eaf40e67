"""CaseStore: the only way to read a case and the only pen that writes one.

`perform` is one transaction: lock the case, check the version, ask the engine, then write state, answer,
tasks, clocks, audit entries and outgoing jobs together. If anything fails, nothing has happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.engine import RowMapping

from store import audit
from store.database import Database
from store.law import LawBook
from store.records.audit import AuditRecord
from store.records.cases import CasePartyRecord, CaseRecord, SignOffRecord, TaskRecord
from store.records.columns import NEVER, table_of
from store.records.jobs import JobRecord
from store.registers import REGISTERS, Moment
from store.scope import visible_to
from store.tokens import new_token
from store.values import CaseFile, Performed, TimelineEntry
from workflow import engine, procedures
from workflow.case import Act, Case, SignOff
from workflow.clocks import due_on, lapsed, lapses_on, turn
from workflow.commands import Command, Plain
from workflow.deadlines import Clock
from workflow.engine import Offer, Step
from workflow.procedure import Action, Procedure, duties
from workflow.vocabulary import N_, SYSTEM, Actor, Message, Refusal, Role, Verdict

_CASE = table_of(CaseRecord)
_LOCK = select(_CASE).where(_CASE.c.id == bindparam("case_id")).with_for_update()
_ID = select(_CASE.c.id).where(_CASE.c.public_id == bindparam("public_id"))
_SIGN_OFFS = (
    select(
        SignOffRecord.department,
        SignOffRecord.verdict,
        SignOffRecord.round,
        SignOffRecord.person_id,
        SignOffRecord.opinion,
    )
    .where(SignOffRecord.case_id == bindparam("case_id"))
    .order_by(SignOffRecord.id)
)
_WRITE = (
    update(_CASE)
    .where(_CASE.c.id == bindparam("key"), _CASE.c.version == bindparam("seen"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "state",
                "track",
                "round",
                "version",
                "facts",
                "acts",
                "clocks",
                "due_on",
                "lapses_on",
                "audit_seq",
                "audit_hash",
                "changed_at",
                "submitted_at",
                "closed_at",
                "number",
            )
        }
    )
)
_ADD_SIGN_OFF = insert(table_of(SignOffRecord))
_ADD_TASK = insert(table_of(TaskRecord))
_DROP_TASK = delete(table_of(TaskRecord)).where(
    TaskRecord.case_id == bindparam("key"),
    TaskRecord.role == bindparam("role_"),
    TaskRecord.holder == bindparam("holder_"),
)
_RESCHEDULE = (
    update(table_of(TaskRecord)).where(TaskRecord.case_id == bindparam("key")).values(due_on=bindparam("due"))
)
_ADD_PARTY = insert(table_of(CasePartyRecord))
_ADD_JOB = insert(table_of(JobRecord))
_REPLAY = select(AuditRecord.version, AuditRecord.target, AuditRecord.case_id).where(
    AuditRecord.command_id == bindparam("command_id")
)


@dataclass(frozen=True, slots=True)
class _Locked:
    row: RowMapping
    procedure: Procedure
    case: Case


class CaseStore:
    """Reads are scoped to the actor: a case that is not theirs does not exist for them."""

    def __init__(self, database: Database, laws: LawBook) -> None:
        self.database = database
        self.laws = laws

    # -- reading ---------------------------------------------------------------------------------------

    def get(self, public_id: str, actor: Actor) -> CaseFile:
        """The case, if this actor may see it. Raises Refusal("unknown")."""
        with self.database.reading() as connection:
            return self._file(connection, public_id, actor)

    def offers(self, file: CaseFile, actor: Actor) -> list[Offer]:
        return engine.offers(file.procedure, file.case, actor)

    def permit(self, public_id: str, name: str, actor: Actor) -> tuple[CaseFile, Action]:
        """The case and the action, if the actor may take it now. Raises Refusal."""
        file = self.get(public_id, actor)
        return file, engine.permit(file.procedure, file.case, name, actor)

    def timeline(self, public_id: str, actor: Actor, limit: int = 200) -> tuple[TimelineEntry, ...]:
        """The newest `limit` audit entries of a case, newest first."""
        with self.database.reading() as connection:
            case_id = self._file(connection, public_id, actor).case.id
            rows = connection.execute(
                select(table_of(AuditRecord))
                .where(AuditRecord.case_id == case_id)
                .order_by(AuditRecord.id.desc())
                .limit(limit)
            ).mappings()
            return tuple(
                TimelineEntry(
                    r["at"],
                    r["action"],
                    r["actor_name"],
                    r["role"],
                    r["department"],
                    r["source"],
                    r["target"],
                    r["payload"],
                    r["hash"],
                )
                for r in rows
            )

    def _file(self, connection: Connection, public_id: str, actor: Actor) -> CaseFile:
        parent = _CASE.alias("parent")
        row = (
            connection.execute(
                select(_CASE, parent.c.public_id.label("parent_public_id"))
                .select_from(_CASE.outerjoin(parent, parent.c.id == _CASE.c.parent_id))
                .where(_CASE.c.public_id == public_id, visible_to(actor))
            )
            .mappings()
            .first()
        )
        if row is None:
            raise _no_such_case()
        procedure = procedures.find(row["procedure"], row["procedure_version"])
        return CaseFile(
            public_id=public_id,
            number=row["number"],
            procedure=procedure,
            case=_case(connection, row, procedure),
            agency_name=row["agency_name"],
            subject=row["subject"],
            opened_at=row["opened_at"],
            changed_at=row["changed_at"],
            submitted_at=row["submitted_at"],
            closed_at=row["closed_at"],
            due_on=None if row["due_on"] == NEVER else row["due_on"],
            parent_public_id=row["parent_public_id"],
        )

    # -- writing ---------------------------------------------------------------------------------------

    def open(
        self,
        procedure: Procedure,
        actor: Actor,
        *,
        agency_id: int | None,
        agency_name: str,
        subject: str,
        facts: Mapping[str, Any] | None = None,
        connection: Connection | None = None,
    ) -> str:
        """Open a case in its initial state and return its public id."""
        if connection is None:
            with self.database.writing() as own:
                return self.open(
                    procedure,
                    actor,
                    agency_id=agency_id,
                    agency_name=agency_name,
                    subject=subject,
                    facts=facts,
                    connection=own,
                )
        at = self.database.clock.now()
        return _open(
            connection,
            procedure,
            actor,
            agency_id=agency_id,
            agency_name=agency_name,
            subject=subject,
            facts=facts or {},
            moment=self._moment(at),
        )

    def perform(
        self,
        public_id: str,
        name: str,
        actor: Actor,
        command: Command,
        *,
        command_id: str,
        expected_version: int | None,
        reauthenticated: bool = False,
    ) -> Performed:
        """Take one action. The same `command_id` is carried out once; a repeat gets the first answer.

        Raises Refusal: unknown (not visible), forbidden, unavailable, unmet, stale (the case has changed since
        `expected_version`), malformed.
        """
        with self.database.writing() as connection:
            case_id = connection.scalar(_ID.where(visible_to(actor)), {"public_id": public_id})
            if case_id is None:
                raise _no_such_case()
            return self._perform(
                connection, case_id, name, actor, command, command_id, expected_version, reauthenticated
            )

    def perform_as_system(self, case_id: int, name: str, command: Command, *, command_id: str) -> Performed:
        """An action that only the system takes: the clock, or a finished job. Exactly once per `command_id`."""
        with self.database.writing() as connection:
            return self._perform(connection, case_id, name, SYSTEM, command, command_id, None, True)

    def lapse(self, limit: int = 100) -> int:
        """Take the actions that lapsed clocks owe; returns how many cases were moved. Safe to repeat."""
        today = self.database.clock.today()
        with self.database.reading() as connection:
            owed = connection.scalars(
                select(_CASE.c.id).where(_CASE.c.lapses_on < today).order_by(_CASE.c.lapses_on).limit(limit)
            ).all()
        return sum(self._lapse_one(case_id, today) for case_id in owed)

    def _lapse_one(self, case_id: int, today: date) -> bool:
        with self.database.writing() as connection:
            locked = self._lock(connection, case_id)
            names = lapsed(locked.procedure, locked.case.clocks, today)
            if not names:
                return False
            command_id = f"lapse:{case_id}:{names[0]}:{locked.row['lapses_on']}"
            self._perform(connection, case_id, names[0], SYSTEM, Plain(), command_id, None, True)
            return True

    def _perform(
        self,
        connection: Connection,
        case_id: int,
        name: str,
        actor: Actor,
        command: Command,
        command_id: str,
        expected_version: int | None,
        reauthenticated: bool,
    ) -> Performed:
        locked = self._lock(connection, case_id)
        if expected_version != locked.case.version:
            if replay := _replay(connection, command_id, locked):
                return replay
            if expected_version is not None:
                raise _stale(connection, locked)
        at = self.database.clock.now()
        moment = self._moment(at)
        steps = engine.fire(locked.procedure, locked.case, name, actor, command, moment.on, moment.law)
        if steps[0].action.spec.reauthenticate and not reauthenticated:
            raise Refusal(
                "forbidden", Message(N_("Confirm your password to take this step.")), field="password"
            )
        final = _write(connection, locked, steps, moment, command_id)
        return Performed(locked.row["public_id"], final.version, final.state, tuple(steps))

    def _lock(self, connection: Connection, case_id: int) -> _Locked:
        row = connection.execute(_LOCK, {"case_id": case_id}).mappings().first()
        if row is None:
            raise _no_such_case()
        procedure = procedures.find(row["procedure"], row["procedure_version"])
        return _Locked(row, procedure, _case(connection, row, procedure))

    def _moment(self, at: datetime) -> Moment:
        return Moment(at, self.database.clock.today(), self.laws.current())


def _no_such_case() -> Refusal:
    return Refusal("unknown", Message(N_("There is no such case, or it is not open to you.")))


def _replay(connection: Connection, command_id: str, locked: _Locked) -> Performed | None:
    row = connection.execute(_REPLAY, {"command_id": command_id}).first()
    if row is None:
        return None
    if row.case_id != locked.case.id:
        raise Refusal("malformed", Message(N_("This request was already used elsewhere; reload the page.")))
    return Performed(locked.row["public_id"], locked.case.version, locked.case.state, replayed=True)


def _stale(connection: Connection, locked: _Locked) -> Refusal:
    last = connection.execute(
        select(AuditRecord.actor_name, AuditRecord.at, AuditRecord.action)
        .where(AuditRecord.case_id == locked.case.id)
        .order_by(AuditRecord.id.desc())
        .limit(1)
    ).one()
    action = locked.procedure.by_name.get(last.action)
    return Refusal(
        "stale",
        Message(
            N_(
                "Meanwhile %(who)s changed this case (%(what)s, %(when)s). Nothing of yours was lost: look at the "
                "case as it is now and send again if it is still right."
            ),
            {"who": last.actor_name, "what": action.done if action else last.action, "when": last.at},
        ),
    )


def _case(connection: Connection, row: RowMapping, procedure: Procedure) -> Case:
    sign_offs: tuple[SignOff, ...] = ()
    if row["state"] in procedure.sign_off_states:
        found = connection.execute(_SIGN_OFFS, {"case_id": row["id"]})
        sign_offs = tuple(
            SignOff(s.department, Verdict(s.verdict), s.round, s.person_id, s.opinion) for s in found
        )
    return Case(
        id=row["id"],
        procedure=row["procedure"],
        procedure_version=row["procedure_version"],
        state=row["state"],
        track=row["track"],
        agency_id=row["agency_id"],
        round=row["round"],
        version=row["version"],
        facts=row["facts"],
        sign_offs=sign_offs,
        acts=tuple(Act(a, p) for a, p in row["acts"]),
        clocks=tuple(Clock.from_plain(c) for c in row["clocks"]),
    )


# -- the pen: everything below runs inside the caller's transaction ---------------------------------------


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
    row = connection.execute(_LOCK, {"case_id": case_id}).mappings().first()
    if row is None:
        raise _no_such_case()
    changed = {name: value for name, value in facts.items() if row["facts"].get(name) != value}
    heading = {"subject": subject or row["subject"], "agency_name": agency_name or row["agency_name"]}
    if not changed and all(row[name] == value for name, value in heading.items()):
        return int(row["version"])
    version, seq = row["version"] + 1, row["audit_seq"] + 1
    entry = audit.audit_row(
        stream=f"case:{case_id}",
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


def _write(
    connection: Connection, locked: _Locked, steps: list[Step], moment: Moment, command_id: str
) -> Case:
    before, final = locked.case, _with_registers(connection, steps, moment)
    seq, head, entries = _audit_rows(locked, steps, moment, command_id)
    connection.execute(
        _WRITE,
        {
            "key": before.id,
            "seen": before.version,
            **_columns(locked.procedure, final, moment.at),
            "audit_seq": seq,
            "audit_hash": head,
            "number": final.fact("case_number", locked.row["number"]),
            "submitted_at": locked.row["submitted_at"] or _first_filed(before, final, moment.at),
            "closed_at": moment.at if locked.procedure.states[final.state].final else None,
        },
    )
    audit.write(connection, entries)
    if answers := final.sign_offs[len(before.sign_offs) :]:
        connection.execute(
            _ADD_SIGN_OFF,
            [
                {
                    "case_id": before.id,
                    "round": s.round,
                    "department": s.department,
                    "verdict": s.verdict.value,
                    "opinion": s.opinion,
                    "person_id": s.person_id,
                    "at": moment.at,
                }
                for s in answers
            ],
        )
    _turn_tasks(connection, locked.procedure, before, final, moment.at)
    _turn_parties(connection, locked.procedure, before, final)
    if jobs := [job for step in steps for job in _jobs(step, moment.at)]:
        connection.execute(_ADD_JOB, jobs)
    for step in steps:
        if opens := step.action.spec.opens:
            facts = {name: final.fact(name) for name in opens.copies} | {opens.link: locked.row["public_id"]}
            _open(
                connection,
                procedures.current(opens.procedure),
                SYSTEM,
                agency_id=final.agency_id,
                agency_name=locked.row["agency_name"],
                subject=locked.row["subject"],
                facts=facts,
                moment=moment,
                parent_id=before.id,
            )
    return final


def _with_registers(connection: Connection, steps: list[Step], moment: Moment) -> Case:
    """The last state of the case, with the facts that the registers report back."""
    facts: dict[str, Any] = {}
    for step in steps:
        for name in step.action.spec.registers:
            facts |= REGISTERS[name](connection, replace(step, after=step.after.with_facts(**facts)), moment)
    final = steps[-1].after
    return final.with_facts(**facts) if facts else final


def _first_filed(before: Case, final: Case, at: datetime) -> datetime | None:
    return at if before.state == "draft" and final.state != "draft" else None


def _columns(procedure: Procedure, case: Case, at: datetime) -> dict[str, Any]:
    return {
        "state": case.state,
        "track": case.track,
        "round": case.round,
        "version": case.version,
        "facts": dict(case.facts),
        "acts": [[a.action, a.person_id] for a in case.acts],
        "clocks": [c.plain() for c in case.clocks],
        "due_on": due_on(case.clocks) or NEVER,
        "lapses_on": lapses_on(procedure, case.clocks) or NEVER,
        "changed_at": at,
    }


def _audit_rows(
    locked: _Locked, steps: list[Step], moment: Moment, command_id: str
) -> tuple[int, str, list[dict[str, Any]]]:
    seq, head, rows = locked.row["audit_seq"], locked.row["audit_hash"], []
    for index, step in enumerate(steps):
        seq += 1
        row = audit.audit_row(
            stream=f"case:{locked.case.id}",
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
            payload=step.command.payload(),
        )
        head = row["hash"]
        rows.append(row)
    return seq, head, rows


def _turn_tasks(
    connection: Connection, procedure: Procedure, before: Case, final: Case, at: datetime
) -> None:
    was = duties(procedure, before.state, before.agency_id, before.facts, before.answered())
    now = duties(procedure, final.state, final.agency_id, final.facts, final.answered())
    due = due_on(final.clocks) or NEVER
    if done := was - now:
        connection.execute(
            _DROP_TASK, [{"key": final.id, "role_": d.role.value, "holder_": d.holder} for d in done]
        )
    if was & now and due != (due_on(before.clocks) or NEVER):
        connection.execute(_RESCHEDULE, {"key": final.id, "due": due})
    if new := now - was:
        connection.execute(
            _ADD_TASK,
            [
                _task(final.id, d.role, d.holder, due, at)
                for d in sorted(new, key=lambda d: (d.role, d.holder))
            ],
        )


def _task(case_id: int, role: Role, holder: str, due: date, at: datetime) -> dict[str, Any]:
    return {"case_id": case_id, "role": role.value, "holder": holder, "due_on": due, "opened_at": at}


def parties(case: Case) -> frozenset[str]:
    """Who has a part in a case beyond the applicant and the bureau-wide roles."""
    return frozenset(
        {f"department:{d}" for d in case.fact("departments") or ()}
        | {f"person:{p}" for p in case.fact("team") or ()}
    )


def _turn_parties(connection: Connection, procedure: Procedure, before: Case, final: Case) -> None:
    known = parties(before)
    if procedure.states[before.state].editable:  # the applicant may have changed what decides who is asked
        known = frozenset(
            connection.scalars(select(CasePartyRecord.holder).where(CasePartyRecord.case_id == final.id))
        )
    if new := parties(final) - known:
        connection.execute(_ADD_PARTY, [{"case_id": final.id, "holder": h} for h in sorted(new)])


def _jobs(step: Step, at: datetime) -> list[dict[str, Any]]:
    spec = step.action.spec
    wanted: list[tuple[str, dict[str, Any]]] = [(kind, {}) for kind in spec.jobs]
    wanted += [
        ("render_document", {"document": name, "version": step.after.version}) for name in spec.documents
    ]
    wanted += [("notify", {"notice": name}) for name in spec.notify]
    return [
        {
            "id": new_token(),
            "kind": kind,
            "case_id": step.after.id,
            "payload": payload,
            "status": "waiting",
            "available_at": at,
            "attempts": 0,
            "created_at": at,
        }
        for kind, payload in wanted
    ]


def _open(
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
) -> str:
    public_id, initial = new_token(), procedure.spec.initial
    draft = Case(
        id=0,
        procedure=procedure.name,
        procedure_version=procedure.version,
        state=initial,
        track=next(iter(procedure.spec.tracks)),
        agency_id=agency_id,
        version=1,
        facts=facts,
    )
    draft = replace(draft, clocks=turn(procedure, draft, initial, moment.on, moment.law))
    case_id = connection.execute(
        insert(_CASE).returning(_CASE.c.id),
        {
            "public_id": public_id,
            "procedure": procedure.name,
            "procedure_version": procedure.version,
            "procedure_digest": procedure.digest,
            "agency_id": agency_id,
            "agency_name": agency_name,
            "subject": subject,
            "parent_id": parent_id,
            "opened_at": moment.at,
            "audit_seq": 1,
            "audit_hash": audit.GENESIS,
            "submitted_at": None if initial == "draft" else moment.at,
            **_columns(procedure, draft, moment.at),
        },
    ).scalar_one()
    row = audit.audit_row(
        stream=f"case:{case_id}",
        seq=1,
        previous=audit.GENESIS,
        at=moment.at,
        actor=actor,
        action="open",
        role="",
        target=initial,
        case_id=case_id,
        version=1,
        payload={"subject": subject},
    )
    audit.write(connection, [row])
    connection.execute(update(_CASE).where(_CASE.c.id == case_id).values(audit_hash=row["hash"]))
    opened = replace(draft, id=case_id)
    due = due_on(opened.clocks) or NEVER
    open_duties = duties(procedure, initial, agency_id, facts, frozenset())
    if open_duties:
        connection.execute(_ADD_TASK, [_task(case_id, d.role, d.holder, due, moment.at) for d in open_duties])
    return public_id
