"""DelegationStore: making and revoking standing delegations, and who stands in for whom at this moment.

Every act on them is in the audit, on a stream of its own. What a delegate may do is judged by the engine; here it
is only read who the principal is now, and made sure, inside the transaction of an act, that it still holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, insert, or_, select, text, update
from sqlalchemy.engine import RowMapping

from store import audit
from store.database import Database
from store.people import Account, read_accounts
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord
from store.records.columns import table_of
from store.records.delegations import DelegationRecord
from store.records.people import AccountRecord, AccountRoleRecord
from store.tokens import new_token
from store.values import Page
from workflow.delegation import NOT_LENT, Delegation, Party, faults, lent, over
from workflow.vocabulary import N_, Actor, Message, Principal, Refusal, Role

STREAM = "delegations"
PAGE = 50
SHOWN = 100  # delegations of one person that a page lists
IN_FORCE_LIMIT = 20  # principals one person stands in for at once; more is a mistake, not a bureau
POOL_LIMIT = 500
TEXT_LIMIT = 500
LOOKED_THROUGH = 500  # newest acts of a delegate in which those for one principal are looked for

_DELEGATION = table_of(DelegationRecord)
_PRINCIPAL = table_of(AccountRecord).alias("principal")
_DELEGATE = table_of(AccountRecord).alias("delegate")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('make delegation', 0))")


@dataclass(frozen=True, slots=True)
class Standing:
    """A delegation with what a page says about it. `state`: coming, in_force, over, revoked."""

    public_id: str
    terms: Delegation
    principal: str
    delegate: str
    principal_account: int
    delegate_account: int
    reason: str
    made_at: datetime
    made_by: str
    revoked_at: datetime | None
    revoked_by: str | None
    state: str


@dataclass(frozen=True, slots=True)
class DoneInStead:
    """An act that a delegate took for a principal."""

    at: datetime
    action: str
    delegate: str
    public_id: str
    number: str | None
    procedure: str
    procedure_version: int


@dataclass(frozen=True, slots=True)
class Official:
    """An account that may stand in or be stood in for."""

    account_id: int
    name: str
    login: str
    department: str | None
    roles: frozenset[Role]


class DelegationStore:
    def __init__(self, database: Database) -> None:
        self.database = database

    # -- who stands in for whom ------------------------------------------------------------------------

    def principals(self, actor: Actor) -> tuple[tuple[str, Principal], ...]:
        """(public id, principal) of every delegation in force to this account today; one statement if there is none."""
        with self.database.reading() as connection:
            rows = connection.execute(_in_force(actor.account_id, self.database.clock.today())).mappings().all()
            return _principals(connection, rows, actor)

    def principal(self, actor: Actor, public_id: str) -> Principal:
        """The principal of one delegation. Raises Refusal("forbidden") when it is not in force for this actor."""
        with self.database.reading() as connection:
            rows = connection.execute(
                _in_force(actor.account_id, self.database.clock.today())
                .where(_DELEGATION.c.public_id == public_id[:22])
            ).mappings().all()  # fmt: skip
            found = _principals(connection, rows, actor)
        if not found:
            raise Refusal("forbidden", Message(N_("You do not stand in for that person (any more).")))
        return found[0][1]

    # -- lists -----------------------------------------------------------------------------------------

    def given(self, actor: Actor) -> tuple[Standing, ...]:
        """Those by which others stand in for this account, the newest first."""
        return self._list(_DELEGATION.c.principal_id == actor.account_id)

    def received(self, actor: Actor) -> tuple[Standing, ...]:
        """Those by which this account stands in for others, the newest first."""
        return self._list(_DELEGATION.c.delegate_id == actor.account_id)

    def _list(self, clause: ColumnElement[bool]) -> tuple[Standing, ...]:
        with self.database.reading() as connection:
            rows = connection.execute(_standing(clause).limit(SHOWN)).mappings()
            return tuple(_face(row, self.database.clock.today()) for row in rows)

    def every(self, after: int | None = None, limit: int = PAGE) -> Page[Standing]:
        """A page of all delegations, the newest first."""
        clause = _DELEGATION.c.id < after if after is not None else _DELEGATION.c.id > 0
        with self.database.reading() as connection:
            rows = connection.execute(_standing(clause).limit(limit + 1)).mappings().all()
        lines = tuple(_face(row, self.database.clock.today()) for row in rows[:limit])
        return Page(lines, str(lines[-1].terms.id) if len(rows) > limit else None)

    def done_for(self, actor: Actor, limit: int = 20) -> tuple[DoneInStead, ...]:
        """What delegates have done in this person's place lately, the newest first."""
        d, a = _DELEGATION, AuditRecord
        with self.database.reading() as connection:
            delegates = connection.scalars(
                select(d.c.delegate_id).where(d.c.principal_id == actor.account_id).distinct().limit(SHOWN)
            ).all()
            near = (
                select(a.id)
                .where(a.account_id.in_(delegates), a.account_id != 0)
                .order_by(a.id.desc())
                .limit(LOOKED_THROUGH)
            ).subquery()
            case = CaseRecord
            rows = connection.execute(
                select(a.at, a.action, a.actor_name, case.public_id, case.number, case.procedure,
                       case.procedure_version)
                .join(near, near.c.id == a.id).join(case, case.id == a.case_id)
                .where(a.payload["for"]["person"].as_string() == actor.person_id)
                .order_by(a.id.desc()).limit(limit)
            ).all() if delegates else []  # fmt: skip
        return tuple(DoneInStead(*row) for row in rows)

    def officials(self) -> tuple[Official, ...]:
        """Every active account of the authority, by name: who may be chosen."""
        role = AccountRoleRecord
        holds = exists().where(role.account_id == AccountRecord.id,
                               role.role.not_in([r.value for r in NOT_LENT]))  # fmt: skip
        with self.database.reading() as connection:
            rows = connection.execute(
                select(AccountRecord.id, AccountRecord.name, AccountRecord.login, AccountRecord.department)
                .where(AccountRecord.active, AccountRecord.agency_id.is_(None), holds)
                .order_by(AccountRecord.name, AccountRecord.id).limit(POOL_LIMIT)
            ).all()  # fmt: skip
            roles: dict[int, set[Role]] = {}
            for account_id, name in connection.execute(
                select(role.account_id, role.role).where(role.account_id.in_([row.id for row in rows]))
            ):
                roles.setdefault(account_id, set()).add(Role(name))
        return tuple(Official(*row, roles=frozenset(roles.get(row.id, ()))) for row in rows)

    # -- making and revoking ---------------------------------------------------------------------------

    def make(
        self,
        by: Actor,
        *,
        principal_id: int,
        delegate_id: int,
        from_on: date,
        until_on: date,
        procedure: str = "",
        verbs: Iterable[str],
        without: Iterable[str] = (),
        reason: str = "",
    ) -> str:
        """The public id of a new delegation: one's own work, or anybody's by an administrator.

        Raises Refusal: forbidden (somebody else's work), malformed (everything that speaks against it).
        """
        if by.account_id != principal_id and Role.ADMINISTRATOR not in by.roles:
            raise Refusal("forbidden", Message(N_("You can only delegate your own work.")))
        today = self.database.clock.today()
        with self.database.writing() as connection:
            if not self.database.is_sqlite:  # two that each look sound alone must not be made side by side
                connection.execute(_LOCK)
            people = {a.id: a for a in read_accounts(connection, AccountRecord.id.in_([principal_id, delegate_id]))}
            if principal_id not in people or delegate_id not in people:
                raise Refusal("malformed", Message(N_("Choose who stands in.")), field="delegate")
            principal, delegate = people[principal_id], people[delegate_id]
            asked = Delegation(
                0, principal.person_id, delegate.person_id, from_on, until_on, procedure, frozenset(verbs),
                frozenset(without),
            )  # fmt: skip
            others = _of_persons(connection, {principal.person_id, delegate.person_id}, today)
            if wrong := faults(asked, others, _party(principal), _party(delegate), today):
                raise Refusal("malformed", wrong[0], field=None)
            public_id, at = new_token(), self.database.clock.now()
            connection.execute(
                insert(_DELEGATION),
                {
                    "public_id": public_id,
                    "principal_id": principal_id,
                    "delegate_id": delegate_id,
                    "from_on": from_on,
                    "until_on": until_on,
                    "procedure": procedure,
                    "verbs": sorted(asked.verbs),
                    "without": sorted(asked.without),
                    "reason": reason[:TEXT_LIMIT],
                    "made_at": at,
                    "made_by": by.account_id,
                },
            )
            # fmt: off
            told = {"delegation": public_id, "principal": principal.name, "delegate": delegate.name,
                    "from_on": from_on.isoformat(), "until_on": until_on.isoformat(), "procedure": procedure,
                    "verbs": sorted(asked.verbs), "without": sorted(asked.without), "reason": reason[:TEXT_LIMIT]}
            # fmt: on
            audit.append(connection, STREAM, at, by, "make_delegation", _role(by), told)
        return public_id

    def revoke(self, public_id: str, by: Actor) -> None:
        """End a delegation at once: by either side or an administrator. What is over already stays as it is.

        Raises Refusal("unknown") when there is none that is theirs to end.
        """
        with self.database.writing() as connection:
            row = connection.execute(
                select(*(_DELEGATION.c[n] for n in ("id", "principal_id", "delegate_id", "revoked_at")))
                .where(_DELEGATION.c.public_id == public_id).with_for_update()
            ).first()  # fmt: skip
            if row is None or (
                by.account_id not in (row.principal_id, row.delegate_id) and Role.ADMINISTRATOR not in by.roles
            ):
                raise Refusal("unknown", Message(N_("There is no such delegation, or it is not yours.")))
            if row.revoked_at is None:
                revoke(connection, [row.id], by, self.database.clock.now(), [public_id])


def revoke(connection: Connection, ids: list[int], by: Actor, at: datetime, public_ids: list[str]) -> None:
    """Revoke delegations inside the caller's transaction, each with an entry of its own."""
    connection.execute(
        update(_DELEGATION)
        .where(_DELEGATION.c.id.in_(ids), _DELEGATION.c.revoked_at.is_(None))
        .values(revoked_at=at, revoked_by=by.account_id)
    )
    for public_id in public_ids:
        audit.append(connection, STREAM, at, by, "revoke_delegation", _role(by), {"delegation": public_id})


def require_in_force(connection: Connection, actor: Actor) -> None:
    """Inside the transaction of an act: the delegation is still there, so that revoking one takes effect at once.

    Raises Refusal("forbidden"). Nothing is asked of the database when the actor acts for themselves. The database
    asks the same once more when the audit entry is written.
    """
    if (principal := actor.acting_for) is None:
        return
    d = _DELEGATION.c
    holds = connection.scalar(
        select(d.id)
        .join(_PRINCIPAL, _PRINCIPAL.c.id == d.principal_id)
        .where(
            d.id == principal.delegation.id,
            d.revoked_at.is_(None),
            d.delegate_id == actor.account_id,
            d.principal_id == principal.account_id,
            _PRINCIPAL.c.active,
        )
        .with_for_update(read=True, of=_DELEGATION)
    )
    if holds is None:
        raise Refusal("forbidden", over(principal.name))


def delegates_of(accounts: Iterable[int], procedure: str, today: date) -> Any:
    """SELECT the accounts (id, email, name, language) that stand in for these today on a procedure."""
    d, delegate = _DELEGATION.c, AccountRecord
    return (
        select(delegate.id, delegate.email, delegate.name, delegate.language)
        .join(_DELEGATION, d.delegate_id == delegate.id)
        .where(d.principal_id.in_(sorted(accounts)), d.revoked_at.is_(None), d.from_on <= today, d.until_on >= today)
        .where(d.procedure.in_(("", procedure)), delegate.active.is_(True), delegate.email.is_not(None))
        .order_by(delegate.id)
        .limit(POOL_LIMIT)
    )


def _in_force(delegate_id: int, today: date) -> Any:
    d = _DELEGATION.c
    return (
        select(_DELEGATION)
        .where(d.delegate_id == delegate_id, d.until_on >= today, d.from_on <= today, d.revoked_at.is_(None))
        .order_by(d.id)
        .limit(IN_FORCE_LIMIT)
    )


def _principals(
    connection: Connection, rows: Iterable[RowMapping], actor: Actor
) -> tuple[tuple[str, Principal], ...]:
    rows = list(rows)
    if not rows:
        return ()
    accounts = {
        a.id: a for a in read_accounts(connection, AccountRecord.id.in_({r["principal_id"] for r in rows})) if a.active
    }
    found = []
    for row in rows:
        if (account := accounts.get(row["principal_id"])) is None:
            continue
        found.append((row["public_id"], Principal(
            account_id=account.id, person_id=account.person_id, name=account.name,
            roles=lent(account.roles, actor.roles), department=account.department,
            affiliations=account.affiliations,
            delegation=_terms(row, account.person_id, actor.person_id))))  # fmt: skip
    return tuple(found)


def _terms(row: RowMapping, principal: str, delegate: str) -> Delegation:
    return Delegation(
        row["id"], principal, delegate, row["from_on"], row["until_on"], row["procedure"],
        frozenset(row["verbs"]), frozenset(row["without"]), row["revoked_at"] is not None,
    )  # fmt: skip


def _of_persons(connection: Connection, persons: set[str], today: date) -> list[Delegation]:
    """Delegations that are not over, of any account of these persons, either way."""
    d = _DELEGATION.c
    rows = connection.execute(
        select(_DELEGATION, _PRINCIPAL.c.person_id.label("principal"), _DELEGATE.c.person_id.label("delegate"))
        .join(_PRINCIPAL, _PRINCIPAL.c.id == d.principal_id)
        .join(_DELEGATE, _DELEGATE.c.id == d.delegate_id)
        .where(
            d.revoked_at.is_(None),
            d.until_on >= today,
            or_(_PRINCIPAL.c.person_id.in_(persons), _DELEGATE.c.person_id.in_(persons)),
        )
    ).mappings()
    return [_terms(row, row["principal"], row["delegate"]) for row in rows]


def _standing(clause: ColumnElement[bool]) -> Any:
    maker, ender = table_of(AccountRecord).alias("maker"), table_of(AccountRecord).alias("ender")
    d = _DELEGATION.c
    return (
        select(
            _DELEGATION,
            _PRINCIPAL.c.name.label("principal"),
            _DELEGATE.c.name.label("delegate"),
            _PRINCIPAL.c.person_id.label("principal_person"),
            _DELEGATE.c.person_id.label("delegate_person"),
            maker.c.name.label("maker"),
            ender.c.name.label("ender"),
        )
        .join(_PRINCIPAL, _PRINCIPAL.c.id == d.principal_id)
        .join(_DELEGATE, _DELEGATE.c.id == d.delegate_id)
        .join(maker, maker.c.id == d.made_by)
        .outerjoin(ender, ender.c.id == d.revoked_by)
        .where(clause)
        .order_by(d.id.desc())
    )


def _face(row: RowMapping, today: date) -> Standing:
    terms = _terms(row, row["principal_person"], row["delegate_person"])
    state = (
        "revoked" if terms.revoked
        else "coming" if today < terms.from_on
        else "over" if terms.until_on < today
        else "in_force"
    )  # fmt: skip
    return Standing(
        row["public_id"], terms, row["principal"], row["delegate"], row["principal_id"], row["delegate_id"],
        row["reason"], row["made_at"], row["maker"], row["revoked_at"], row["ender"], state,
    )  # fmt: skip


def _party(account: Account) -> Party:
    return Party(account.person_id, account.name, account.roles, account.active)


def _role(by: Actor) -> str:
    return ",".join(sorted(by.roles))[:60]


__all__ = ["DelegationStore", "DoneInStead", "Official", "Standing", "delegates_of", "require_in_force", "revoke"]
