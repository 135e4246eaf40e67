"""Migrations of the open cases of a version: looked at in batches, then carried out case by case.

A migration is a row and so is each of its cases. Both phases go on from where they were when a worker died: what was
found, and the case that was moved, are committed together with how far the migration has come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.engine import Row

from store import audit
from store.carrying_over import carry_over
from store.database import Database
from store.jobs import JobQueue
from store.law import LawBook
from store.locked import lift, lock, moment_of, pinned_to
from store.records.cases import CaseRecord
from store.records.columns import table_of
from store.records.procedures import ProcedureMigrationCaseRecord, ProcedureMigrationRecord
from store.reviews import ordinal_of
from store.sentences import plain, spoken
from store.tokens import new_token
from store.values import Page
from workflow import procedures
from workflow.case import Case
from workflow.clocks import Law
from workflow.deadlines import NoAllowance
from workflow.migration import Obstacle, Outlook, Plan, Standing, outlook, refuse_unfit
from workflow.procedure import Procedure
from workflow.vocabulary import N_, Actor, Message, Refusal, Role

JOB = "migrate_cases"
PROCEDURE_CHANGED = "procedure_changed"  # the notice to applicants
BATCH = 50  # cases looked at in one transaction
_M, _L, _C = (table_of(r) for r in (ProcedureMigrationRecord, ProcedureMigrationCaseRecord, CaseRecord))


@dataclass(frozen=True, slots=True)
class Migration:
    """`status`: looking, looked, moving, moved, given_up. `counts`: standing -> cases."""

    id: int
    public_id: str
    procedure: str
    source: int
    target: int
    plan: Plan
    reason: str
    status: str
    asked_by: str
    created_at: datetime
    changed_at: datetime
    counts: Mapping[str, int]

    @property
    def is_working(self) -> bool:
        return self.status in ("looking", "moving")


@dataclass(frozen=True, slots=True)
class MigrationLine:
    """One case: where it stands, what stands in its way, what changes for its applicant."""

    case_id: int
    public_id: str
    number: str | None
    agency_name: str
    subject: str
    state: str
    version: int
    standing: str
    obstacles: tuple[Message, ...]
    changes: tuple[Message, ...]


class CaseMigrations:
    def __init__(self, database: Database, laws: LawBook) -> None:
        self.database, self.laws = database, laws

    # -- asking ----------------------------------------------------------------------------------------------------

    def look(self, name: str, source: int, target: int, plan: Plan, actor: Actor) -> str:
        """Begin to look at every open case of a version; the public id of the migration. Raises Refusal."""
        if source == target:
            raise Refusal("malformed", Message(N_("Choose another version to migrate to.")), field="target")
        refuse_unfit(plan, *(procedures.find(name, version) for version in (source, target)))
        at, public_id = self.database.clock.now(), new_token()
        by = {"account_id": actor.account_id, "person_id": actor.person_id, "name": actor.name}
        with self.database.writing() as connection:
            connection.execute(insert(_M), {
                "public_id": public_id, "procedure": name, "source": source, "target": target, "plan": plan.plain(),
                "reason": "", "status": "looking", "reached": 0, "asked_by": by, "created_at": at, "changed_at": at})
            self._tell(connection, public_id, actor, "look_at_migration",
                       {"procedure": name, "from": source, "to": target, "plan": plan.plain()})
        JobQueue(self.database).add(JOB, {"migration": public_id})
        return public_id

    def proceed(self, public_id: str, reason: str, actor: Actor) -> None:
        """Carry over the cases that can go; the reason goes into each of them. Raises Refusal."""
        if not reason.strip():
            raise Refusal("malformed", Message(N_("Write down why: the reason is kept with every case.")),
                          field="reason")
        by = {"account_id": actor.account_id, "person_id": actor.person_id, "name": actor.name}
        self._turn(public_id, "looked", "moving", actor, "carry_out_migration",
                   reason=reason.strip(), reached=0, asked_by=by)
        JobQueue(self.database).add(JOB, {"migration": public_id})

    def give_up(self, public_id: str, actor: Actor) -> None:
        """Let a migration that was only looked at rest. Raises Refusal."""
        self._turn(public_id, "looked", "given_up", actor, "give_up_migration")

    # -- reading ---------------------------------------------------------------------------------------------------

    def get(self, public_id: str) -> Migration:
        """Raises Refusal("unknown")."""
        with self.database.reading() as connection:
            return _migration(connection, _row(connection, public_id))

    def recent(self, name: str, limit: int = 20) -> tuple[Migration, ...]:
        """The newest migrations of a procedure."""
        query = select(_M).where(_M.c.procedure == name).order_by(_M.c.id.desc()).limit(limit)
        with self.database.reading() as connection:
            return tuple(_migration(connection, row) for row in connection.execute(query).all())

    def lines(self, public_id: str, standing: str, after: str | None = None, limit: int = 50) -> Page[MigrationLine]:
        """The cases of one standing, by their id."""
        with self.database.reading() as connection:
            migration = _row(connection, public_id)
            rows = connection.execute(
                select(_L.c.case_id, _L.c.standing, _L.c.findings, _C.c.public_id, _C.c.number, _C.c.agency_name,
                       _C.c.subject, _C.c.state, _C.c.procedure_version)
                .join(_C, _C.c.id == _L.c.case_id)
                .where(_L.c.migration_id == migration.id, _L.c.standing == standing,
                       _L.c.case_id > ordinal_of(after))
                .order_by(_L.c.case_id).limit(limit + 1)
            ).all()  # fmt: skip
        lines = tuple(MigrationLine(r.case_id, r.public_id, r.number, r.agency_name, r.subject, r.state,
                                    r.procedure_version, r.standing, *_read(r.findings)) for r in rows[:limit])
        return Page(lines, str(lines[-1].case_id) if len(rows) > limit else None)

    def needed(self, public_id: str, looked_at: int = 1000) -> tuple[tuple[str, str], ...]:
        """(part of a plan, name) pairs that stand in the way of cases, of the first so many that need a mapping;
        what lies behind them shows itself when they are settled."""
        with self.database.reading() as connection:
            migration = _row(connection, public_id)
            found = connection.scalars(
                select(_L.c.findings).where(_L.c.migration_id == migration.id,
                                            _L.c.standing == Standing.MAPPING.value)
                .order_by(_L.c.case_id).limit(looked_at)
            ).all()  # fmt: skip
        return tuple(dict.fromkeys((part, name) for findings in found for _, _, part, name in findings if part))

    # -- working ---------------------------------------------------------------------------------------------------

    def advance(self, public_id: str) -> bool:
        """Do the next batch; whether there is more to do. Safe to repeat and to take over from a dead worker."""
        law = self.laws.current()
        with self.database.reading() as connection:
            row = _row(connection, public_id)
        if row.status == "looking":
            return self._look_on(row, law)
        return self._move_on(row, law) if row.status == "moving" else False

    def _look_on(self, row: Row[Any], law: Law) -> bool:
        old, new = (procedures.find(row.procedure, v) for v in (row.source, row.target))
        with self.database.writing() as connection:
            reached = connection.execute(
                select(_M.c.reached).where(_M.c.id == row.id, _M.c.status == "looking").with_for_update()
            ).scalar()
            if reached is None:
                return False
            found = connection.execute(
                select(_C).where(_C.c.procedure == row.procedure, _C.c.procedure_version == row.source,
                                 _C.c.closed_at.is_(None), _C.c.id > reached).order_by(_C.c.id).limit(BATCH)
            ).mappings().all()  # fmt: skip
            lines = []
            for case_row in found:
                case = lift(connection, case_row, pinned_to(case_row))
                looked = self._outlook(case, old, new, Plan.from_plain(row.plan), law)
                lines.append({"migration_id": row.id, "case_id": case.id, "standing": looked.standing.value,
                              "findings": _findings(looked)})
            if lines:
                connection.execute(insert(_L), lines)
            more = len(found) == BATCH
            self._reach(connection, row.id, found[-1]["id"] if found else reached, None if more else "looked")
        return more

    def _move_on(self, row: Row[Any], law: Law) -> bool:
        with self.database.reading() as connection:
            owed = connection.scalars(
                select(_L.c.case_id).where(_L.c.migration_id == row.id, _L.c.standing == Standing.CAN.value)
                .order_by(_L.c.case_id).limit(BATCH)
            ).all()  # fmt: skip
        for case_id in owed:
            self._move(row, case_id, law)
        if len(owed) < BATCH:
            with self.database.writing() as connection:
                self._reach(connection, row.id, 0, "moved")
        return len(owed) == BATCH

    def _move(self, row: Row[Any], case_id: int, law: Law) -> None:
        """One case in one transaction, as it is now and not as it was looked at."""
        new = procedures.find(row.procedure, row.target)
        mine = (_L.c.migration_id == row.id) & (_L.c.case_id == case_id)
        with self.database.writing() as connection:
            locked = lock(connection, case_id)
            if connection.scalar(select(_L.c.standing).where(mine)) != Standing.CAN.value:
                return  # another worker was faster
            looked = self._outlook(locked.case, locked.procedure, new, Plan.from_plain(row.plan), law)
            if locked.case.procedure_version != row.source or looked.after is None:
                values = {"standing": "left", "findings": _findings(looked)}
            else:
                by = row.asked_by
                actor = Actor(by["account_id"], by["person_id"], by["name"], frozenset({Role.ADMINISTRATOR}))
                told = {"reason": row.reason, "migration": row.public_id,
                        "changes": [str(message) for message in looked.changes],
                        "ended": [clock.plain() for clock in looked.ended]}
                moment = moment_of(self.database.clock, law, locked)
                carry_over(connection, locked, new, looked.after, actor, moment, told, _notice(row.reason, looked))
                values = {"standing": "moved", "findings": _findings(looked)}
            connection.execute(update(_L).where(mine).values(**values))

    def _outlook(self, case: Case, old: Procedure, new: Procedure, plan: Plan, law: Law) -> Outlook:
        try:
            return outlook(case, old, new, plan, self.database.clock.today(), law)
        except NoAllowance as missing:
            return Outlook((Obstacle(Message(
                N_("No time limit called %(name)s is in force on %(on)s; ask the administrator to enter it."),
                {"name": missing.name, "on": missing.on})),), (), None)
        except Refusal as refusal:
            return Outlook((Obstacle(refusal.reason),), (), None)

    def _turn(self, public_id: str, before: str, after: str, actor: Actor, action: str, **values: Any) -> None:
        with self.database.writing() as connection:
            changed = connection.execute(
                update(_M).where(_M.c.public_id == public_id, _M.c.status == before)
                .values(status=after, changed_at=self.database.clock.now(), **values)
            ).rowcount  # fmt: skip
            if not changed:
                row = _row(connection, public_id)
                raise Refusal("unavailable", Message(
                    N_("This is not possible any more: the migration is %(status)s."), {"status": row.status}))
            self._tell(connection, public_id, actor, action, {"reason": values.get("reason", "")})

    def _reach(self, connection: Connection, migration_id: int, reached: int, status: str | None) -> None:
        values: dict[str, Any] = {"reached": reached, "changed_at": self.database.clock.now()}
        connection.execute(update(_M).where(_M.c.id == migration_id)
                           .values(**values, **({"status": status} if status else {})))

    def _tell(self, connection: Connection, public_id: str, actor: Actor, action: str,
              payload: Mapping[str, Any]) -> None:
        audit.append(connection, f"migration:{public_id}", self.database.clock.now(), actor, action,
                     Role.ADMINISTRATOR.value, payload)


def _row(connection: Connection, public_id: str) -> Row[Any]:
    row = connection.execute(select(_M).where(_M.c.public_id == public_id)).first()
    if row is None:
        raise Refusal("unknown", Message(N_("There is no such migration.")))
    return row


def _migration(connection: Connection, row: Row[Any]) -> Migration:
    counts = connection.execute(select(_L.c.standing, func.count().label("n")).where(_L.c.migration_id == row.id)
                                .group_by(_L.c.standing))
    return Migration(row.id, row.public_id, row.procedure, row.source, row.target, Plan.from_plain(row.plan),
                     row.reason, row.status, row.asked_by["name"], row.created_at, row.changed_at,
                     {r.standing: r.n for r in counts})


# -- findings as JSON and back -----------------------------------------------------------------------------------------


def _notice(reason: str, looked: Outlook) -> dict[str, Any] | None:
    """What the applicant is told; nothing where nothing changes for them."""
    if not looked.changes:
        return None
    return {"notice": PROCEDURE_CHANGED, "reason": reason, "changes": [plain(message) for message in looked.changes]}


def _findings(looked: Outlook) -> list[Any]:
    return [["obstacle", plain(o.reason), o.part, o.name] for o in looked.obstacles] + [
        ["change", plain(m), None, ""] for m in looked.changes]


def _read(findings: list[Any]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    obstacles, changes = (tuple(spoken(said) for kind, said, *_ in findings if kind == wanted)
                          for wanted in ("obstacle", "change"))
    return obstacles, changes
