"""The calendar and the dated allowances in force, kept in memory and re-read when they change."""

import threading
import time
from contextlib import nullcontext

from sqlalchemy import Connection, select

from store.database import Database
from store.records.reference import AllowanceRecord, CalendarYearRecord, SettingRecord
from workflow.clocks import Law
from workflow.deadlines import Allowance, Calendar, CalendarYear

REVISION = "law_revision"
_ASK_AGAIN_AFTER = 5.0  # seconds between looks at the revision; a technical bound


class LawBook:
    """`current()` gives the Law; a change made by any process is seen within five seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._revision: int | None = None
        self._law: Law | None = None

    def current(self, connection: Connection | None = None) -> Law:
        """The law in force. A caller that already holds a connection lends it, and never waits for a second."""
        with self._lock:
            if self._law is None or time.monotonic() - self._asked_at > _ASK_AGAIN_AFTER:
                with nullcontext(connection) if connection else self._database.reading() as lent:
                    self._refresh(lent)
            assert self._law is not None
            return self._law

    def forget(self) -> None:
        """Look again at the next question (after a change made in this process)."""
        self._asked_at = float("-inf")

    def _refresh(self, connection: Connection) -> None:
        found = connection.scalar(select(SettingRecord.content).where(SettingRecord.name == REVISION))
        revision = int(found["revision"]) if found else 0
        if self._law is None or revision != self._revision:
            years = connection.scalars(select(CalendarYearRecord.content)).all()
            rows = connection.scalars(select(AllowanceRecord.content)).all()
            self._law = Law(
                Calendar.of(CalendarYear.from_plain(y) for y in years),
                tuple(Allowance.from_plain(r) for r in rows),
            )
        self._revision, self._asked_at = revision, time.monotonic()
