"""Accounts as values: what the rest of the house learns about who is behind a request."""
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from store.records.agencies import AgencyRecord
from store.records.people import AccountRecord, AccountRoleRecord
from workflow.vocabulary import Actor, Role

_ACCOUNT = AccountRecord.__table__


@dataclass(frozen=True, slots=True)
class Account:
    """One account as it stands now. `affiliations` are the agencies in which its person holds any account."""

    id: int
    login: str
    person_id: str
    name: str
    roles: frozenset[Role]
    department: str | None
    agency_id: int | None
    agency_name: str | None
    email: str | None
    language: str
    active: bool
    locked_until: datetime | None
    created_at: datetime
    affiliations: frozenset[int] = field(default=frozenset())

    def actor(self, ip: str = "") -> Actor:
        return Actor(account_id=self.id, person_id=self.person_id, name=self.name, roles=self.roles,
                     department=self.department, agency_id=self.agency_id, affiliations=self.affiliations, ip=ip)


def normal_login(login: str) -> str:
    return unicodedata.normalize("NFKC", login).strip().casefold()


def read_account(connection: Connection, account_id: int) -> Account | None:
    """The account with its roles and its person's agencies, inside the caller's transaction."""
    found = read_accounts(connection, _ACCOUNT.c.id == account_id)
    return found[0] if found else None


def read_accounts(connection: Connection, clause: Any) -> list[Account]:
    rows = connection.execute(
        select(_ACCOUNT, AgencyRecord.name.label("agency_name"))
        .select_from(_ACCOUNT.outerjoin(AgencyRecord.__table__)).where(clause)
        .order_by(_ACCOUNT.c.login)).mappings().all()
    if not rows:
        return []
    ids, people = [row["id"] for row in rows], {row["person_id"] for row in rows}
    roles: dict[int, set[Role]] = {}
    for account_id, role in connection.execute(
            select(AccountRoleRecord.account_id, AccountRoleRecord.role).where(
                AccountRoleRecord.account_id.in_(ids))):
        roles.setdefault(account_id, set()).add(Role(role))
    agencies: dict[str, set[int]] = {}
    for person_id, agency_id in connection.execute(
            select(AccountRecord.person_id, AccountRecord.agency_id).where(
                AccountRecord.person_id.in_(people), AccountRecord.agency_id.is_not(None))):
        if agency_id is not None:
            agencies.setdefault(person_id, set()).add(agency_id)
    return [Account(
        id=row["id"], login=row["login"], person_id=row["person_id"], name=row["name"],
        roles=frozenset(roles.get(row["id"], ())), department=row["department"], agency_id=row["agency_id"],
        agency_name=row["agency_name"], email=row["email"], language=row["language"], active=row["active"],
        locked_until=row["locked_until"], created_at=row["created_at"],
        affiliations=frozenset(agencies.get(row["person_id"], ()))) for row in rows]
