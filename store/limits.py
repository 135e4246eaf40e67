"""Limits: what is told about time limits, and what a calendar published later moves. Safe to repeat and to break off.

Each case is a transaction of its own under its lock, and what was done stands in the case: a sweep that is killed,
repeated or run twice at once tells nothing twice and leaves nothing out, however long nobody swept.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, literal_column, select

from store.database import Database
from store.law import LawBook
from store.locked import Locked, lock, moment_of
from store.pen import keep_up, write_steps
from store.records.cases import SOUNDS, CaseRecord
from store.records.columns import table_of
from workflow.alarms import alarms
from workflow.clocks import Law
from workflow.deadlines import Calendar, Clock
from workflow.notes import alarm_notes, recount_note, recounted

BATCH = 100  # cases of one sweep; a technical bound, what is left comes with the next
LOOKED_AT = 5000  # open cases that a preview counts through; beyond that it says "of the first so many"

_CASE = table_of(CaseRecord)
_IN_ORDER = (_CASE.c.counted_by, _CASE.c.id)  # that of the index
_GOING = _CASE.c.counted_by != literal_column("''")  # said as the index says it, so that it is used


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
        due = select(_CASE.c.id).where(SOUNDS, _CASE.c.alarms_on <= today).order_by(_CASE.c.alarms_on).limit(limit)
        with self.database.reading() as connection:
            found = connection.scalars(due).all()
        return self._sweep(found, self._sound)

    def recount(self, limit: int = BATCH) -> int:
        """Count open cases anew that were counted by another calendar; returns how many there were."""
        self.laws.forget()
        version = self.laws.current().calendar.version
        # Two ranges of the index instead of "is not": what is counted already is never walked over.
        found: list[int] = []
        with self.database.reading() as connection:
            for others in (_CASE.c.counted_by < version, _CASE.c.counted_by > version):
                rest = select(_CASE.c.id).where(_GOING, others).order_by(*_IN_ORDER).limit(limit - len(found))
                found += connection.scalars(rest).all()
        return self._sweep(found, self._recount)

    def preview(self, calendar: Calendar) -> Moves:
        """What open cases would do under that calendar; reads LOOKED_AT of them at most, writes nothing."""
        today = self.database.clock.today()
        with self.database.reading() as connection:
            rows = connection.scalars(
                select(_CASE.c.clocks).where(_GOING).order_by(*_IN_ORDER).limit(LOOKED_AT + 1)
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

    def _sweep(self, found: Iterable[int], do: Callable[[Connection, Locked, Law], bool]) -> int:
        """Do it to each case found, whatever happens to the others. Raises ExceptionGroup at the end."""
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
            keep_up(connection, locked, case.clocks, moment)
            return False
        write_steps(connection, locked, alarm_notes(case, found, moment.on), moment, f"alarm:{case.id}:{case.version}")
        return True

    def _recount(self, connection: Connection, locked: Locked, law: Law) -> bool:
        case, moment = locked.case, moment_of(self.database.clock, law, locked)
        if (step := recount_note(case, law.calendar, moment.on)) is None:
            keep_up(connection, locked, recounted(case.clocks, law.calendar, moment.on), moment)
            return True
        write_steps(connection, locked, [step], moment, f"recount:{case.id}:{case.version}")
        return True
