"""Limits: what is told about time limits, and what a calendar published later moves. Safe to repeat and to break off.

Each case is a transaction of its own under its lock, and what was done stands in the case: a sweep that is killed,
repeated or run twice at once tells nothing twice and leaves nothing out, however long nobody swept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, bindparam, literal_column, select, update

from store.database import Database
from store.law import LawBook
from store.locked import Locked, lock, moment_of
from store.pen import write_steps
from store.records.cases import CaseRecord
from store.records.columns import NEVER, table_of
from workflow.alarms import alarms, alarms_on
from workflow.clocks import Law, counted_by
from workflow.deadlines import Calendar, Clock
from workflow.notes import alarm_notes, recount_note, recounted
from workflow.reckoning import ONE_DAY

BATCH = 100  # cases of one sweep; a technical bound, what is left comes with the next
LOOKED_AT = 5000  # open cases that a preview counts through; beyond that it says "of the first so many"

_CASE = table_of(CaseRecord)
_GOING = _CASE.c.counted_by != literal_column("''")  # said as the index says it, so that it is used
_UPKEEP = (
    update(_CASE)
    .where(_CASE.c.id == bindparam("key"), _CASE.c.version == bindparam("seen"))
    .values({name: bindparam(name) for name in ("clocks", "alarms_on", "counted_by")})
)


@dataclass(frozen=True, slots=True)
class Moves:
    """What another calendar would do: `cases` of `looked_at` open ones have a due day moved; `more` are not counted.

    `settled` cases keep their days, but these are no longer provisional.
    """

    cases: int
    settled: int
    looked_at: int
    more: bool


class Limits:
    """The sweeps over time limits. The lapse of a clock is `CaseStore.lapse`; this is everything that is told."""

    def __init__(self, database: Database, laws: LawBook) -> None:
        self.database = database
        self.laws = laws

    def sound_alarms(self, limit: int = BATCH) -> int:
        """Remind of limits that are nearly over, escalate those that are over; returns how many cases that were."""
        today = self.database.clock.today()
        due = select(_CASE.c.id).where(_CASE.c.alarms_on <= today).order_by(_CASE.c.alarms_on).limit(limit)
        return self._sweep(due, self._sound)

    def recount(self, limit: int = BATCH) -> int:
        """Count open cases anew that were counted by another calendar; returns how many there were."""
        self.laws.forget()
        version = self.laws.current().calendar.version
        stale = select(_CASE.c.id).where(_GOING, _CASE.c.counted_by != version).order_by(_CASE.c.id).limit(limit)
        return self._sweep(stale, self._recount)

    def preview(self, calendar: Calendar) -> Moves:
        """What open cases would do under that calendar; reads LOOKED_AT of them at most, writes nothing."""
        today = self.database.clock.today()
        with self.database.reading() as connection:
            rows = connection.scalars(
                select(_CASE.c.clocks).where(_GOING).order_by(_CASE.c.id).limit(LOOKED_AT + 1)
            ).all()
        moved = settled = 0
        for clocks in rows[:LOOKED_AT]:
            before = tuple(Clock.from_plain(c) for c in clocks)
            after = recounted(before, calendar, today)
            pairs = list(zip(before, after, strict=True))
            moves = any(a.due_on != b.due_on for a, b in pairs)
            moved += moves
            settled += not moves and any(a.provisional and not b.provisional for a, b in pairs)
        return Moves(moved, settled, min(len(rows), LOOKED_AT), len(rows) > LOOKED_AT)

    def _sweep(self, wanted: Select[Any], do: Callable[[Connection, Locked, Law], bool]) -> int:
        """Do it to each case found, whatever happens to the others. Raises ExceptionGroup at the end."""
        with self.database.reading() as connection:
            found = connection.scalars(wanted).all()
        done, failures = 0, []
        for case_id in found:
            try:
                with self.database.writing() as connection:
                    locked = lock(connection, case_id)
                    # Under the lock and never from memory: what was published a moment ago is already law here.
                    self.laws.forget()
                    done += do(connection, locked, self.laws.current(connection))
            except Exception as error:
                failures.append(error)
        if failures:
            raise ExceptionGroup(f"the limits of {len(failures)} cases could not be looked after", failures)
        return done

    def _sound(self, connection: Connection, locked: Locked, law: Law) -> bool:
        case, moment = locked.case, moment_of(self.database.clock, law, locked)
        found = alarms(locked.procedure, case.clocks, moment.on, law.calendar)
        if not found:
            self._keep_up(connection, locked, case.clocks, law, moment.on)
            return False
        write_steps(connection, locked, alarm_notes(case, found, moment.on), moment, f"alarm:{case.id}:{case.version}")
        return True

    def _recount(self, connection: Connection, locked: Locked, law: Law) -> bool:
        case, moment = locked.case, moment_of(self.database.clock, law, locked)
        if (step := recount_note(case, law.calendar, moment.on)) is None:
            self._keep_up(connection, locked, recounted(case.clocks, law.calendar, moment.on), law, moment.on)
            return True
        write_steps(connection, locked, [step], moment, f"recount:{case.id}:{case.version}")
        return True

    def _keep_up(
        self, connection: Connection, locked: Locked, clocks: tuple[Clock, ...], law: Law, today: date
    ) -> None:
        """Nothing to tell: only the columns that the sweeps look at follow, and no version grows."""
        when = alarms_on(locked.procedure, clocks, law.calendar)
        connection.execute(
            _UPKEEP,
            {
                "key": locked.case.id,
                "seen": locked.case.version,
                "clocks": [c.plain() for c in clocks],
                # What the law does at a lapse comes first; if it has not by then, it is looked at again tomorrow.
                "alarms_on": max(when, today + ONE_DAY) if when else NEVER,
                "counted_by": counted_by(clocks, law.calendar),
            },
        )
