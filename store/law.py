"""What is in force: the calendar, the dated allowances and the versions of procedures; kept in memory and re-read
when they change."""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from store.database import Database
from store.records.reference import AllowanceRecord, CalendarYearRecord, CatalogueEntryRecord, SettingRecord
from store.versions_in_force import tell
from workflow import dossiers
from workflow.clocks import Law
from workflow.deadlines import Allowance, Calendar, CalendarYear
from workflow.procedure import Procedure

REVISION = "law_revision"
_ASK_AGAIN_AFTER = 5.0  # seconds between looks at the revision; a technical bound


@dataclass(frozen=True)
class LawInForce(Law):
    """The law with the fingerprints under which a case is opened: `form` (the catalogues that an application is
    filled in by), `rules` (the dated allowances) and `calendar`, each a SHA-256."""

    pins: Mapping[str, str] = field(default_factory=dict, compare=False)


class LawBook:
    """`current()` gives the Law; a change made by any process is seen within five seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._revision: int | None = None
        self._law: LawInForce | None = None

    def current(self, connection: Connection | None = None) -> LawInForce:
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
            forms = connection.scalars(select(CatalogueEntryRecord.content)).all()
            self._law = LawInForce(
                Calendar.of(CalendarYear.from_plain(y) for y in years),
                tuple(Allowance.from_plain(r) for r in rows),
                {"form": _fingerprint(forms), "rules": _fingerprint(rows), "calendar": _fingerprint(years)},
            )
            tell(connection, self._database)
        self._revision, self._asked_at = revision, time.monotonic()


def pins_of(law: Law, procedure: Procedure) -> dict[str, Any]:
    """What a case is pinned to, for the entry that opens or migrates it: the audit keeps it for good. Each is a
    SHA-256: `procedure` and `dossier` (the questions and materials) of their files, the others as in `LawInForce`."""
    pins = dict(law.pins) if isinstance(law, LawInForce) else {}
    if asked := dossiers.find(procedure.name, procedure.version):
        pins["dossier"] = asked.digest
    return {"pins": {"procedure": procedure.digest, **pins}}


def revise(connection: Connection) -> None:
    """Let every process read again what is in force, within seconds; in the transaction of the change."""
    is_ours = SettingRecord.name == REVISION
    found = connection.scalar(select(SettingRecord.content).where(is_ours).with_for_update())
    if found is None:
        connection.execute(insert(SettingRecord), {"name": REVISION, "content": {"revision": 1}})
    else:
        content = {"revision": int(found["revision"]) + 1}
        connection.execute(update(SettingRecord).where(is_ours).values(content=content))


def _fingerprint(rows: Any) -> str:
    """SHA-256 of rows of JSON, in whatever order they come."""
    said = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
