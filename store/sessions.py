"""Sessions of browsers: rows on our side, so that ending one takes effect at the very next request."""
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from store.database import Database
from store.people import COLUMNS, WITH_AGENCY, Account, account_of
from store.records.columns import table_of
from store.records.people import AccountRecord, SessionRecord
from workflow.vocabulary import Role

_TABLE = table_of(SessionRecord)
_WITH_ACCOUNT = select(
    *(c.label("of_account") if c.name == "account_id" else c for c in _TABLE.c), *COLUMNS
).select_from(_TABLE.outerjoin(WITH_AGENCY, AccountRecord.id == _TABLE.c.account_id))  # fmt: skip


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lives: since it was last used (administrators less), and in all."""

    idle: timedelta = timedelta(minutes=30)
    administrator_idle: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class KeptSession:
    """One living session. `account` is read afresh with it, so a role taken away is gone at once."""

    id_hash: str
    values: dict[str, Any]
    account: Account | None
    created_at: datetime
    seen_at: datetime
    reauthenticated_at: datetime | None


def hash_of(token: str) -> str:
    """What is kept of a session's identifier: a copy of the table opens no session."""
    return hashlib.sha256(token.encode()).hexdigest()


class SessionStore:
    def __init__(self, database: Database, limits: SessionLimits | None = None) -> None:
        self.database = database
        self.limits = limits or SessionLimits()

    def find(self, token: str) -> KeptSession | None:
        """The session of a cookie: None when there is none, it is over, or its account was closed."""
        with self.database.reading() as connection:
            row = connection.execute(_WITH_ACCOUNT.where(_TABLE.c.id_hash == hash_of(token))).mappings().first()
        if row is None:
            return None
        account = None
        if row["of_account"] is not None:
            if row["account_id"] is None or not row["account_active"]:
                return None
            account = account_of(row)
        if self._over(row["created_at"], row["seen_at"], account):
            return None
        return KeptSession(row["id_hash"], dict(row["values"]), account, row["created_at"], row["seen_at"],
                           row["reauthenticated_at"])

    def _over(self, created_at: datetime, seen_at: datetime, account: Account | None) -> bool:
        at = self.database.clock.now()
        administers = account is not None and Role.ADMINISTRATOR in account.roles
        idle = self.limits.administrator_idle if administers else self.limits.idle
        return at - seen_at >= idle or at - created_at >= self.limits.longest

    def create(self, values: Mapping[str, Any], account_id: int | None = None, *,
               replaces: str | None = None) -> str:
        """A new session and the token for its cookie; `replaces` is the id_hash of one that ends with it."""
        at = self.database.clock.now()
        with self.database.writing() as connection:
            if replaces:
                connection.execute(delete(SessionRecord).where(_TABLE.c.id_hash == replaces))
            self._purge(connection, at)
            return _insert(connection, values, account_id, created_at=at, seen_at=at)

    def rotate(self, kept: KeptSession, values: Mapping[str, Any], *, reauthenticated: bool) -> str | None:
        """The same session under a new identifier; the old one opens nothing any more.

        None when it has been ended meanwhile. The longest life still counts from its beginning.
        """
        at = self.database.clock.now()
        with self.database.writing() as connection:
            gone = connection.execute(delete(SessionRecord).where(_TABLE.c.id_hash == kept.id_hash))
            if not gone.rowcount:
                return None
            return _insert(connection, values, kept.account.id if kept.account else None,
                           created_at=kept.created_at, seen_at=at,
                           reauthenticated_at=at if reauthenticated else kept.reauthenticated_at)

    def write(self, id_hash: str, values: Mapping[str, Any]) -> None:
        """Keep its values; one that was ended meanwhile stays ended."""
        with self.database.writing() as connection:
            connection.execute(update(SessionRecord).where(_TABLE.c.id_hash == id_hash)
                               .values(values=dict(values), seen_at=self.database.clock.now()))

    def touch(self, id_hash: str) -> None:
        """Remember that it was used."""
        with self.database.writing() as connection:
            connection.execute(update(SessionRecord).where(_TABLE.c.id_hash == id_hash)
                               .values(seen_at=self.database.clock.now()))

    def end(self, id_hash: str) -> None:
        with self.database.writing() as connection:
            connection.execute(delete(SessionRecord).where(_TABLE.c.id_hash == id_hash))

    def end_others(self, account_id: int, id_hash: str) -> int:
        """End every session of an account but this one; how many there were."""
        with self.database.writing() as connection:
            found = connection.execute(delete(SessionRecord).where(
                _TABLE.c.account_id == account_id, _TABLE.c.id_hash != id_hash))
            return int(found.rowcount)

    def list_of(self, account: Account) -> list[KeptSession]:
        """The living sessions of an account, the newest first."""
        with self.database.reading() as connection:
            rows = connection.execute(select(_TABLE).where(_TABLE.c.account_id == account.id)
                                      .order_by(_TABLE.c.seen_at.desc())).mappings().all()
        return [KeptSession(row["id_hash"], {}, account, row["created_at"], row["seen_at"],
                            row["reauthenticated_at"])
                for row in rows if not self._over(row["created_at"], row["seen_at"], account)]

    def purge(self) -> int:
        """Remove the rows of sessions that are over."""
        with self.database.writing() as connection:
            return self._purge(connection, self.database.clock.now())

    def _purge(self, connection: Connection, at: datetime) -> int:
        over = (_TABLE.c.seen_at <= at - self.limits.idle) | (_TABLE.c.created_at <= at - self.limits.longest)
        return int(connection.execute(delete(SessionRecord).where(over)).rowcount)


def _insert(connection: Connection, values: Mapping[str, Any], account_id: int | None, *, created_at: datetime,
            seen_at: datetime, reauthenticated_at: datetime | None = None) -> str:
    token = secrets.token_urlsafe(32)  # 256 bits
    connection.execute(insert(SessionRecord).values(
        id_hash=hash_of(token), account_id=account_id, values=dict(values), created_at=created_at,
        seen_at=seen_at, reauthenticated_at=reauthenticated_at))
    return token
