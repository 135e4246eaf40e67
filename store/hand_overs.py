"""Hand-over of a leaver's work: looked at first, then carried out case by case, each with its own result.

The one writer besides the engine's steps is `carrying_over.rewrite`: under the lock of the case, with an audit entry
in it that names the leaver, the successor and the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, exists, func, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from store.carrying_over import rewrite
from store.database import Database
from store.delegations import DelegationStore, Standing, revoke
from store.law import LawBook
from store.locked import lift_all, lock, moment_of, no_such_case, parties, replay
from store.people import Account, read_accounts
from store.records.audit import AuditRecord
from store.records.cases import CasePartyRecord, CaseRecord, TaskRecord
from store.records.columns import table_of
from store.records.people import AccountRecord, AccountRoleRecord, ExpertiseRecord
from workflow.case import Case
from workflow.handover import Successor, move
from workflow.procedure import Procedure
from workflow.rules import REVIEWERS
from workflow.vocabulary import N_, OF_A_DEPARTMENT, Actor, Message, Refusal, Role

HANDED_OVER = "hand_over"  # how the audit calls it
NOTICE = "handed_over"  # to the successor
LOOKED_AT = 100  # cases of one look
BATCH = 25  # cases moved by one request: each is a transaction of its own, a few milliseconds
REASON_LIMIT = 500

_CASE, _PARTY = table_of(CaseRecord), table_of(CasePartyRecord)


@dataclass(frozen=True, slots=True)
class HandOverLine:
    """One case of the leaver: what would move to whom, or why it cannot."""

    case_id: int
    public_id: str
    number: str | None
    procedure: Procedure
    state: str
    version: int
    parts: tuple[Message, ...]
    successor: str
    obstacles: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Lonely:
    """A role (in a department) that nobody but the leaver holds, and how much waits for it."""

    role: Role
    department: str | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Look:
    """The dry run. `after`: where the next look begins, None at the end."""

    leaver: Account
    successors: tuple[Account, ...]
    lines: tuple[HandOverLine, ...]
    after: int | None
    delegations: tuple[Standing, ...]
    lonely: tuple[Lonely, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A case to be moved as it was seen, by a command of its own."""

    public_id: str
    seen: int
    command_id: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one case: who has it now, or why it stayed."""

    public_id: str
    number: str | None
    successor: str = ""
    refusal: Message | None = None


class HandOvers:
    """For administrators: everything; for who organises reviews: the seats on review teams."""

    def __init__(self, database: Database, laws: LawBook) -> None:
        self.database, self.laws = database, laws

    def look(self, by: Actor, leaver_id: int, successor_ids: Sequence[int], after: int = 0) -> Look:
        """The dry run, LOOKED_AT cases a time; a bounded number of statements. Raises Refusal."""
        seats_only = _seats_only(by)
        with self.database.reading() as connection:
            leaver, successors = _people(connection, leaver_id, successor_ids)
            able = _able(connection)
            holder = f"person:{leaver.person_id}"
            rows = connection.execute(
                select(_CASE)
                .join(_PARTY, _PARTY.c.case_id == _CASE.c.id)
                .where(_PARTY.c.holder == holder, _CASE.c.closed_at.is_(None), _CASE.c.id > after)
                .order_by(_CASE.c.id)
                .limit(LOOKED_AT + 1)
            ).mappings().all()  # fmt: skip
            cases = lift_all(connection, rows[:LOOKED_AT])
            lines = [_line(row, procedure, case, leaver, successors, able, seats_only)
                     for row, (procedure, case) in zip(rows, cases, strict=False)]  # fmt: skip
            lonely = () if seats_only else _lonely(connection, leaver)
        store = DelegationStore(self.database)
        actor = leaver.actor()
        ends = [] if seats_only else [
            d for d in (*store.given(actor), *store.received(actor)) if d.state in ("in_force", "coming")]  # fmt: skip
        return Look(
            leaver, successors, tuple(line for line in lines if line.parts),
            rows[LOOKED_AT - 1]["id"] if len(rows) > LOOKED_AT else None, tuple(ends), lonely,
        )  # fmt: skip

    def carry_out(
        self,
        by: Actor,
        leaver_id: int,
        successor_ids: Sequence[int],
        chosen: Sequence[Chosen],
        reason: str,
        *,
        delegations_id: str = "",
    ) -> tuple[Moved, ...]:
        """Move the chosen cases, BATCH at most, each by itself; with `delegations_id` the leaver's delegations end.

        Raises Refusal: forbidden, malformed (no reason, too many, no successor).
        """
        seats_only = _seats_only(by)
        if not reason.strip():
            raise Refusal("malformed", Message(N_("Write down why: the reason is kept with every case.")),
                          field="reason")  # fmt: skip
        if len(chosen) > BATCH:
            raise Refusal("malformed", Message(N_("At most %(most)s cases at a time."), {"most": BATCH}))
        with self.database.reading() as connection:
            leaver, successors = _people(connection, leaver_id, successor_ids)
            able = _able(connection)
        if not successors and chosen:
            raise Refusal("malformed", Message(N_("Choose at least one successor.")), field="successors")
        if delegations_id and not seats_only:
            self._end_delegations(by, leaver)
        told = {"leaver": leaver.name, "leaver_person": leaver.person_id, "reason": reason.strip()[:REASON_LIMIT]}
        return tuple(self._move(by, leaver, successors, able, one, told, seats_only) for one in chosen)

    def _move(
        self,
        by: Actor,
        leaver: Account,
        successors: Sequence[Account],
        able: Mapping[str, frozenset[str]],
        one: Chosen,
        told: Mapping[str, str],
        seats_only: bool,
    ) -> Moved:
        law, number = self.laws.current(), None
        try:
            with self.database.writing() as connection:
                locked = lock(connection, one.public_id)
                number = locked.row["number"]
                if locked.case.version != one.seen:
                    if replay(connection, one.command_id, locked, HANDED_OVER, by):
                        return Moved(one.public_id, number, _told_successor(connection, one.command_id))
                    raise Refusal("stale", Message(N_("The case has changed meanwhile: look again.")))
                found = move(locked.procedure, locked.case, leaver.person_id, [_successor(s) for s in successors],
                             able, seats_only=seats_only)  # fmt: skip
                if found.after is None or found.successor is None:
                    reason = found.obstacles[0] if found.obstacles else Message(
                        N_("Nothing in this case stands under that name any more."))  # fmt: skip
                    raise Refusal("unmet", reason)
                payload = {
                    **told, "successor": found.successor.name, "successor_person": found.successor.person_id,
                    "parts": [str(part) for part in found.parts],
                }  # fmt: skip
                moment = moment_of(self.database.clock, law, locked)
                notice = {
                    "notice": NOTICE, "inside": True, "leaver": leaver.name, "reason": told["reason"],
                    "holders": [["", f"person:{found.successor.person_id}"]],
                }  # fmt: skip
                rewrite(connection, locked, locked.procedure, found.after, by, moment, HANDED_OVER, payload,
                        one.command_id, notice)  # fmt: skip
                holder = f"person:{leaver.person_id}"
                if holder not in parties(locked.procedure, found.after):
                    connection.execute(
                        delete(_PARTY).where(_PARTY.c.case_id == locked.case.id, _PARTY.c.holder == holder))
                return Moved(one.public_id, number, found.successor.name)
        except Refusal as refusal:
            return Moved(one.public_id, number, refusal=refusal.reason)
        except IntegrityError:  # the command id was used for another case
            return Moved(one.public_id, number, refusal=no_such_case().reason)

    def _end_delegations(self, by: Actor, leaver: Account) -> None:
        store, actor = DelegationStore(self.database), leaver.actor()
        ending = [d for d in (*store.given(actor), *store.received(actor)) if d.state in ("in_force", "coming")]
        if ending:
            with self.database.writing() as connection:
                revoke(connection, [d.terms.id for d in ending], by, self.database.clock.now(),
                       [d.public_id for d in ending])  # fmt: skip


def _line(
    row: RowMapping,
    procedure: Procedure,
    case: Case,
    leaver: Account,
    successors: Sequence[Account],
    able: Mapping[str, frozenset[str]],
    seats_only: bool,
) -> HandOverLine:
    people = [_successor(s) for s in successors]
    found = move(procedure, case, leaver.person_id, people, able, seats_only=seats_only)
    return HandOverLine(
        case.id, row["public_id"], row["number"], procedure, case.state, case.version, found.parts,
        found.successor.name if found.successor else "", found.obstacles,
    )  # fmt: skip


def _seats_only(by: Actor) -> bool:
    if Role.ADMINISTRATOR in by.roles:
        return False
    if Role.REVIEW_ORGANISER in by.roles:
        return True
    raise Refusal("forbidden", Message(N_("Only an administrator hands over somebody's work.")))


def _people(
    connection: Connection, leaver_id: int, successor_ids: Sequence[int]
) -> tuple[Account, tuple[Account, ...]]:
    found = {a.id: a for a in read_accounts(connection, AccountRecord.id.in_([leaver_id, *successor_ids]))}
    if leaver_id not in found or found[leaver_id].agency_id is not None:
        raise Refusal("malformed", Message(N_("Choose whose work is handed over.")), field="leaver")
    successors = tuple(found[key] for key in dict.fromkeys(successor_ids) if key in found)
    if any(not s.active or s.agency_id is not None for s in successors):
        raise Refusal("malformed", Message(N_("Choose successors with an open account of the authority.")),
                      field="successors")  # fmt: skip
    return found[leaver_id], successors


def _successor(account: Account) -> Successor:
    return Successor(account.person_id, account.name, account.roles, account.department, account.affiliations)


def _able(connection: Connection) -> dict[str, frozenset[str]]:
    """Sector -> the persons of today's pool who may review it."""
    account, role, expertise = AccountRecord, AccountRoleRecord, ExpertiseRecord
    seated = [r.value for r in REVIEWERS]
    found: dict[str, set[str]] = {}
    for sector, person_id in connection.execute(
        select(expertise.sector, expertise.person_id).where(
            exists()
            .where(account.person_id == expertise.person_id, account.active)
            .where(role.account_id == account.id, role.role.in_(seated))
        )
    ):
        found.setdefault(sector, set()).add(person_id)
    return {sector: frozenset(persons) for sector, persons in found.items()}


def _lonely(connection: Connection, leaver: Account) -> tuple[Lonely, ...]:
    """Roles of the leaver that no other open account holds: their work would wait for nobody."""
    account, role, task = AccountRecord, AccountRoleRecord, TaskRecord
    found = []
    for held in sorted(leaver.roles - {Role.ADMINISTRATOR, *REVIEWERS}):
        department = leaver.department if held in OF_A_DEPARTMENT else None
        others = (
            select(role.account_id)
            .join(account, account.id == role.account_id)
            .where(account.active, account.id != leaver.id, role.role == held.value)
            .where(*([account.department == department] if department else []))
            .limit(1)
        )
        if connection.scalar(others) is None:
            holder = f"department:{department}" if department else ""
            near = select(task.id).where(task.role == held.value, task.holder == holder).limit(1000).subquery()
            found.append(Lonely(held, department, connection.scalar(select(func.count()).select_from(near)) or 0))
    return tuple(found)


def _told_successor(connection: Connection, command_id: str) -> str:
    payload: Any = connection.scalar(select(AuditRecord.payload).where(AuditRecord.command_id == command_id))
    return str((payload or {}).get("successor", ""))
