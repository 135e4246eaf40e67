"""Counting failed tries per key (an address, a look-up) in a window of time."""
import ipaddress
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from store.database import Database
from store.records.people import ThrottleRecord

_TABLE = ThrottleRecord.__table__


def address_key(purpose: str, address: str) -> str:
    """The key of an address: an IPv6 site counts as one, since its holder commands all of its addresses."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return f"{purpose}:{address[:60]}"
    if ip.version == 6:
        return f"{purpose}:{ipaddress.ip_network((ip, 64), strict=False).network_address}"
    return f"{purpose}:{ip}"


def hits(connection: Connection, key: str, at: datetime, window: timedelta) -> int:
    """How many tries there were in the window that now runs."""
    found = connection.scalar(select(_TABLE.c.hits).where(
        _TABLE.c.key == key, _TABLE.c.window_started_at > at - window))
    return int(found or 0)


def add(connection: Connection, key: str, at: datetime, window: timedelta) -> None:
    """Count one more; a window that has passed begins anew."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    over = _TABLE.c.window_started_at <= at - window
    statement = insert(ThrottleRecord).values(key=key, window_started_at=at, hits=1)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={
        "hits": case((over, 1), else_=_TABLE.c.hits + 1),
        "window_started_at": case((over, at), else_=_TABLE.c.window_started_at)}))


class ThrottleStore:
    """The same for whoever has no transaction of their own: public look-ups, registration."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def full(self, key: str, limit: int, window: timedelta) -> bool:
        """Whether `limit` tries were already counted in the window."""
        with self.database.reading() as connection:
            return hits(connection, key, self.database.clock.now(), window) >= limit

    def add(self, key: str, window: timedelta) -> None:
        with self.database.writing() as connection:
            add(connection, key, self.database.clock.now(), window)

    def purge(self, older_than: timedelta = timedelta(days=1)) -> int:
        """Forget windows long past."""
        with self.database.writing() as connection:
            found = connection.execute(delete(ThrottleRecord).where(
                ThrottleRecord.window_started_at < self.database.clock.now() - older_than))
            return int(found.rowcount)
