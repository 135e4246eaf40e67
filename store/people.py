"""Accounts as values: what the rest of the house learns about who is behind a request."""
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, cast, func, select

from store.records.agencies import AgencyRecord
from store.records.columns import table_of
from store.records.people import AccountRecord, AccountRoleRecord
from workflow.vocabulary import Actor, Role

_ACCOUNT = table_of(AccountRecord)
_OTHER = _ACCOUNT.alias("other")
_AS_THEY_ARE = ("id", "login", "person_id", "name", "department", "agency_id", "email", "language", "active",
                "locked_until", "created_at")
_ROLES = (select(func.aggregate_strings(AccountRoleRecord.role, ","))
          .where(AccountRoleRecord.account_id == _ACCOUNT.c.id).correlate(_ACCOUNT).scalar_subquery())
_AFFILIATIONS = (select(func.aggregate_strings(cast(_OTHER.c.agency_id, Text), ","))
                 .where(_OTHER.c.person_id == _ACCOUNT.c.person_id, _OTHER.c.agency_id.is_not(None))
                 .correlate(_ACCOUNT).scalar_subquery())
WITH_AGENCY = _ACCOUNT.outerjoin(table_of(AgencyRecord))
COLUMNS = (*(_ACCOUNT.c[name].label(f"account_{name}") for name in _AS_THEY_ARE), _ROLES.label("account_roles"),
           AgencyRecord.name.label("account_agency_name"), _AFFILIATIONS.label("account_affiliations"))


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
    """Accounts by login: one statement, however many roles and agencies."""
    rows = connection.execute(select(*COLUMNS).select_from(WITH_AGENCY).where(clause).order_by(_ACCOUNT.c.login))
    return [account_of(row) for row in rows.mappings()]


def account_of(row: Mapping[Any, Any]) -> Account:
    """An account from a row that holds COLUMNS."""
    kept = {name: row[f"account_{name}"] for name in _AS_THEY_ARE}
    roles, agencies = row["account_roles"] or "", row["account_affiliations"] or ""
    return Account(**kept, agency_name=row["account_agency_name"],
                   roles=frozenset(Role(role) for role in roles.split(",") if role),
                   affiliations=frozenset(int(key) for key in agencies.split(",") if key))
