"""A case lifted out of its locked row, and what is answered when it is not as the asker thought."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select
from sqlalchemy.engine import RowMapping

from store.database import BUREAU_ZONE, Clock
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord, SignOffRecord
from store.records.columns import table_of
from store.registers.moment import Moment
from store.scope import sees
from store.values import Performed
from workflow import procedures
from workflow.case import Act, Case, SignOff
from workflow.clocks import Law
from workflow.deadlines import Clock as CaseClock
from workflow.joint_licences import DECIDING
from workflow.procedure import Procedure
from workflow.verbs.facts import named_persons
from workflow.vocabulary import N_, Actor, Message, Refusal, Verdict

_CASE = table_of(CaseRecord)
_LOCKED = select(
    *(c for c in _CASE.c if c.name not in ("due_on", "alarms_on", "counted_by", "parent_id", "opened_at", "closed_at"))
)  # what a step reads; each column more is told and unpacked at every step
LOCK = _LOCKED.where(_CASE.c.id == bindparam("key")).with_for_update()
READ_PUBLIC = _LOCKED.where(_CASE.c.public_id == bindparam("key"))
LOCK_PUBLIC = _LOCKED.where(_CASE.c.public_id == bindparam("key")).with_for_update()
SIGN_OFFS = (
    select(
        SignOffRecord.department,
        SignOffRecord.verdict,
        SignOffRecord.round,
        SignOffRecord.person_id,
        SignOffRecord.opinion,
        SignOffRecord.rests_on,
        SignOffRecord.carried_from,
        SignOffRecord.at,
    )
    .where(SignOffRecord.case_id == bindparam("case_id"))
    .order_by(SignOffRecord.id)
)
_ANSWERS_OF_MANY = (
    select(*SIGN_OFFS.selected_columns, SignOffRecord.case_id)
    .where(SignOffRecord.case_id.in_(bindparam("case_ids", expanding=True)))
    .order_by(SignOffRecord.id)
)
_REPLAY = select(
    AuditRecord.seq,
    AuditRecord.case_id,
    AuditRecord.action,
    AuditRecord.account_id,
    AuditRecord.at,
    AuditRecord.version,
    AuditRecord.target,
).where(AuditRecord.command_id == bindparam("command_id"))
_AFTERWARDS = (
    select(AuditRecord.version, AuditRecord.target)
    .where(
        AuditRecord.case_id == bindparam("case_id"),
        AuditRecord.seq > bindparam("seq"),
        AuditRecord.at == bindparam("at"),
        AuditRecord.account_id == 0,
        AuditRecord.command_id.is_(None),
    )
    .order_by(AuditRecord.seq.desc())
    .limit(1)
)
_LAST = (
    select(AuditRecord.actor_name, AuditRecord.at, AuditRecord.action, AuditRecord.payload)
    .where(AuditRecord.case_id == bindparam("case_id"))
    .order_by(AuditRecord.seq.desc())
    .limit(1)
)
SKEW = timedelta(seconds=5)  # by how much the clocks of two servers may differ; a technical bound


@dataclass(frozen=True, slots=True)
class Locked:
    row: RowMapping
    procedure: Procedure
    case: Case

    @property
    def public_id(self) -> str:
        return str(self.row["public_id"])


def lock(connection: Connection, key: int | str) -> Locked:
    """Lock a case by its id or its public id until the transaction ends.

    Raises Refusal: unknown, or unmet when the definition it is pinned to is not here.
    """
    statement: Select[Any] = LOCK if isinstance(key, int) else LOCK_PUBLIC
    row = connection.execute(statement, {"key": key}).mappings().first()
    if row is None:
        raise no_such_case()
    procedure = pinned_to(row)
    return Locked(row, procedure, lift(connection, row, procedure))


def pinned_to(row: RowMapping) -> Procedure:
    """The very text the case was opened, or migrated, under. Raises Refusal("unmet") when it is not here."""
    return procedures.pinned(row["procedure"], row["procedure_version"], row["procedure_digest"])


def lift_all(connection: Connection, rows: Sequence[RowMapping]) -> list[tuple[Procedure, Case]]:
    """Many cases at once, with one question for the departments' answers of them all."""
    found: dict[int, list[Any]] = {}
    for answer in connection.execute(_ANSWERS_OF_MANY, {"case_ids": [row["id"] for row in rows]}) if rows else ():
        found.setdefault(answer.case_id, []).append(answer)
    procedures_of = [pinned_to(row) for row in rows]
    return [(p, lift(connection, row, p, found.get(row["id"], ()))) for row, p in zip(rows, procedures_of, strict=True)]


def lift(
    connection: Connection, row: RowMapping, procedure: Procedure, answers: Iterable[Any] | None = None
) -> Case:
    """The case as the engine sees it, from its row; the departments' answers (asked for unless given) where the state
    reads them, or where a step may lead back into a sign-off that somebody has already answered."""
    sign_offs: tuple[SignOff, ...] = ()
    if row["state"] in procedure.sign_off_states or (
        row["state"] in procedure.entering_sign_off and any(act in procedure.answering for act, _ in row["acts"])
    ):
        found: Iterable[Any] = answers or ()
        if answers is None:
            found = connection.execute(SIGN_OFFS, {"case_id": row["id"]})
        sign_offs = tuple([
            SignOff(
                s.department, Verdict(s.verdict), s.round, s.person_id, s.opinion, s.rests_on, s.carried_from, s.at
            )
            for s in found
        ])  # fmt: skip
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
        acts=tuple([Act(a, p) for a, p in row["acts"]]),
        clocks=tuple([CaseClock.from_plain(c) for c in row["clocks"]]),
    )


def parties(procedure: Procedure, case: Case) -> frozenset[str]:
    """Who has a part in a case beyond the applicant and the bureau-wide roles."""
    return frozenset(
        {f"department:{d}" for d in procedure.asked(case.facts)}
        | {f"department:{d}" for d in case.fact(DECIDING) or ()}
        | {f"person:{p}" for p in case.fact("team") or ()}
        | {f"person:{p}" for p in named_persons(case.facts)}
    )


def seen_by(actor: Actor, locked: Locked) -> bool:
    """Whether the case exists for this actor; see `store.scope`."""
    case, filed = locked.case, locked.row["submitted_at"] is not None
    where: dict[str, Any] = {"agency_id": case.agency_id, "filed": filed, "procedure": case.procedure}
    return sees(actor, **where, parties=frozenset()) or sees(actor, **where, parties=parties(locked.procedure, case))


def moment_of(clock: Clock, law: Law, locked: Locked | None = None) -> Moment:
    """The present moment, never before the last step of the case. Raises Refusal when the clock ran back."""
    at = clock.now()
    if locked is not None and at < (last := locked.row["changed_at"]):
        if last - at > SKEW:
            raise Refusal(
                "unmet",
                Message(
                    N_("The clock of the server is behind the last step of this case (%(last)s). Nothing can be "
                       "written until an administrator has set it right."),
                    {"last": last},
                ),
            )  # fmt: skip
        at = last
    return Moment(at, at.astimezone(BUREAU_ZONE).date(), law)


def no_such_case() -> Refusal:
    return Refusal("unknown", Message(N_("There is no such case, or it is not open to you.")))


def replay(
    connection: Connection, command_id: str, locked: Locked, name: str, actor: Actor
) -> Performed | None:
    """The answer that this command got when it was carried out; None when it never was.

    Raises Refusal("malformed") when its id belongs to another case, action or account.
    """
    first = connection.execute(_REPLAY, {"command_id": command_id}).first()
    if first is None:
        return None
    if (first.case_id, first.action, first.account_id) != (locked.case.id, name, actor.account_id):
        raise Refusal("malformed", Message(N_("This request was already used elsewhere; reload the page.")))
    keys = {"case_id": locked.case.id, "seq": first.seq, "at": first.at}
    last = connection.execute(_AFTERWARDS, keys).first() or first
    return Performed(locked.public_id, last.version, last.target, replayed=True)


def only_missed(connection: Connection, locked: Locked, names: Set[str], seen: int) -> bool:
    """Whether everything that happened after the version `seen` were acts with these names."""
    if not 0 < seen < locked.case.version:
        return False
    missed = connection.scalars(
        select(AuditRecord.action).where(AuditRecord.case_id == locked.case.id, AuditRecord.version > seen)
    ).all()
    return bool(missed) and set(missed) <= names


def _both_names(entry: Any) -> str | Message:
    """Who acted, and for whom when it was in the place of somebody else."""
    if (principal := entry.payload.get("for")) is None:
        return str(entry.actor_name)
    return Message(N_("%(who)s for %(principal)s"), {"who": entry.actor_name, "principal": principal["name"]})


def stale(connection: Connection, locked: Locked) -> Refusal:
    """Who changed the case meanwhile, what they did and when."""
    last = connection.execute(_LAST, {"case_id": locked.case.id}).one()
    action = locked.procedure.by_name.get(last.action)
    return Refusal(
        "stale",
        Message(
            N_(
                "Meanwhile %(who)s changed this case (%(what)s, %(when)s). Nothing of yours was lost: look at the "
                "case as it is now and send again if it is still right."
            ),
            {"who": _both_names(last), "what": action.done if action else last.action, "when": last.at},
        ),
    )
