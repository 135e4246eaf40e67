"""CaseStore: the only way to read a case and the only pen that writes one.

`perform` is one transaction: lock the case, check the version, ask the engine, then write state, answer,
tasks, clocks, audit entries and outgoing jobs together. If anything fails, nothing has happened.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from store import at_once
from store.database import Database
from store.delegations import require_in_force
from store.law import LawBook
from store.locked import (
    Locked,
    lift,
    lock,
    moment_of,
    no_such_case,
    only_missed,
    pinned_to,
    replay,
    seen_by,
    stale,
)
from store.pen import change_facts, open_case, write_steps
from store.records.audit import AuditRecord
from store.records.cases import LAPSES, CaseRecord
from store.records.columns import NEVER, table_of
from store.scope import visible_to
from store.values import CaseFile, Performed, TimelineEntry
from workflow import engine
from workflow.asking import COMMAND_ID_LENGTH, Asked, command_of
from workflow.clocks import Law, lapsed
from workflow.commands import Command, Plain
from workflow.deadlines import NoAllowance
from workflow.engine import Offer
from workflow.notes import NOTES
from workflow.procedure import Action, Procedure
from workflow.vocabulary import N_, SYSTEM, Actor, Message, Refusal

__all__ = ["CaseStore", "change_facts"]

_CASE = table_of(CaseRecord)
_PARENT = _CASE.alias("parent")
_WITH_PARENT = select(_CASE, _PARENT.c.public_id.label("parent_public_id")).select_from(
    _CASE.outerjoin(_PARENT, _PARENT.c.id == _CASE.c.parent_id)
)


class CaseStore:
    """Reads are scoped to the actor: a case that is not theirs does not exist for them."""

    def __init__(self, database: Database, laws: LawBook) -> None:
        self.database = database
        self.laws = laws

    # -- reading ---------------------------------------------------------------------------------------

    def get(self, public_id: str, actor: Actor) -> CaseFile:
        """The case, if this actor may see it. Raises Refusal("unknown")."""
        with self.database.reading() as connection:
            return self._file(connection, public_id, actor)

    def offers(self, file: CaseFile, actor: Actor) -> list[Offer]:
        return engine.offers(file.procedure, file.case, actor)

    def permit(self, public_id: str, name: str, actor: Actor) -> tuple[CaseFile, Action]:
        """The case and the action, if the actor may take it now. Raises Refusal."""
        file = self.get(public_id, actor)
        return file, engine.permit(file.procedure, file.case, name, actor)

    def timeline(self, public_id: str, actor: Actor, limit: int = 200) -> tuple[TimelineEntry, ...]:
        """The newest `limit` audit entries of a case, newest first."""
        with self.database.reading() as connection:
            case_id = self._file(connection, public_id, actor).case.id
            rows = connection.execute(
                select(table_of(AuditRecord))
                .where(AuditRecord.case_id == case_id)
                .order_by(AuditRecord.seq.desc())
                .limit(limit)
            ).mappings()
            return tuple(
                TimelineEntry(
                    r["at"],
                    r["action"],
                    r["actor_name"],
                    r["role"],
                    r["department"],
                    r["source"],
                    r["target"],
                    r["payload"],
                    r["hash"],
                )
                for r in rows
            )

    def _file(self, connection: Connection, public_id: str, actor: Actor) -> CaseFile:
        row = (
            connection.execute(_WITH_PARENT.where(_CASE.c.public_id == public_id, visible_to(actor)))
            .mappings()
            .first()
        )
        if row is None:
            raise no_such_case()
        procedure = pinned_to(row)
        return CaseFile(
            public_id=public_id,
            number=row["number"],
            procedure=procedure,
            case=replace(lift(connection, row, procedure), on=self.database.clock.today()),
            agency_name=row["agency_name"],
            subject=row["subject"],
            opened_at=row["opened_at"],
            changed_at=row["changed_at"],
            submitted_at=row["submitted_at"],
            closed_at=row["closed_at"],
            due_on=None if row["due_on"] == NEVER else row["due_on"],
            parent_public_id=row["parent_public_id"],
        )

    # -- writing ---------------------------------------------------------------------------------------

    def open(
        self,
        procedure: Procedure,
        actor: Actor,
        *,
        agency_id: int | None,
        agency_name: str,
        subject: str,
        facts: Mapping[str, Any] | None = None,
        connection: Connection | None = None,
    ) -> str:
        """Open a case in its initial state and return its public id."""
        if connection is None:
            heading = {"agency_id": agency_id, "agency_name": agency_name, "subject": subject, "facts": facts or {}}
            if public_id := at_once.open_case(self.database, self.laws.current(), procedure, actor, **heading):
                return public_id
            with self.database.writing() as own:
                return self.open(
                    procedure,
                    actor,
                    agency_id=agency_id,
                    agency_name=agency_name,
                    subject=subject,
                    facts=facts,
                    connection=own,
                )
        return open_case(
            connection,
            procedure,
            actor,
            agency_id=agency_id,
            agency_name=agency_name,
            subject=subject,
            facts=facts or {},
            moment=moment_of(self.database.clock, self.laws.current(connection)),
        )

    def perform(
        self,
        public_id: str,
        name: str,
        actor: Actor,
        command: Command,
        *,
        command_id: str,
        expected_version: int | None,
        reauthenticated: bool = False,
    ) -> Performed:
        """Take one action. The same `command_id` is carried out once; a repeat gets the first answer.

        Raises Refusal: unknown (not visible), forbidden, unavailable, unmet, stale (the case has changed since
        `expected_version`), malformed.
        """
        if not 0 < len(command_id) <= COMMAND_ID_LENGTH:
            raise Refusal("malformed", Message(N_("This request carries no usable id; reload the page.")))
        law = (
            self.laws.current()
        )  # before the transaction: one that holds a connection must not wait for another
        sent = (law, name, actor, command, command_id, expected_version, reauthenticated)
        if done := at_once.perform(self.database, law, public_id, *sent[1:]):
            return done
        try:
            with self.database.writing() as connection:
                locked = _lock_visible(connection, public_id, actor)
                if not self._take_lapsed(connection, locked, law):
                    return self._perform(connection, locked, *sent)
            # A limit was over before this was sent: the law has acted, and the case is no longer as it was seen.
            with self.database.writing() as connection:
                return self._perform(connection, _lock_visible(connection, public_id, actor), *sent)
        except IntegrityError:
            # The unique command id, as a rule: a request repeated with a newer version than it first had.
            with self.database.writing() as connection:
                locked = _lock_visible(connection, public_id, actor)
                if answer := replay(connection, command_id, locked, name, actor):
                    return answer
            raise

    def perform_asked(
        self, public_id: str, asked: Asked, actor: Actor, *, reauthenticated: bool = False
    ) -> Performed:
        """`perform` for a request that was read from JSON; which command it carries, the action says.

        Raises Refusal as `perform`, and malformed naming the field of the command that is wrong.
        """
        file = self.get(public_id, actor)
        action = file.procedure.by_name.get(asked.action)
        if action is None or not action.who(actor.seat, file.case):
            action = engine.permit(file.procedure, file.case, asked.action, actor)  # says why not
        return self.perform(
            public_id,
            asked.action,
            actor,
            command_of(action.command, asked.command),
            command_id=asked.command_id,
            expected_version=asked.expected_version,
            reauthenticated=reauthenticated,
        )

    def perform_as_system(self, case_id: int, name: str, command: Command, *, command_id: str) -> Performed:
        """An action that only the system takes: the clock, or a finished job. Exactly once per `command_id`."""
        law = self.laws.current()
        with self.database.writing() as connection:
            locked = lock(connection, case_id)
            return self._perform(connection, locked, law, name, SYSTEM, command, command_id, None, True)

    def lapse(self, limit: int = 100) -> int:
        """Take the actions that lapsed clocks owe; returns how many cases were moved. Safe to repeat.

        A case that cannot be moved does not hold up the others; its error is raised at the end.
        """
        today = self.database.clock.today()
        with self.database.reading() as connection:
            owed = connection.scalars(
                select(_CASE.c.id).where(LAPSES, _CASE.c.lapses_on < today).order_by(_CASE.c.lapses_on).limit(limit)
            ).all()
        moved, failures = 0, []
        for case_id in owed:
            try:
                moved += self._lapse_one(case_id)
            except Exception as error:
                failures.append(error)
        if failures:
            raise ExceptionGroup(
                f"{moved} cases were moved by their clocks, {len(failures)} were not", failures
            )
        return moved

    def _lapse_one(self, case_id: int) -> bool:
        law = self.laws.current()
        with self.database.writing() as connection:
            return self._take_lapsed(connection, lock(connection, case_id), law)

    def _take_lapsed(self, connection: Connection, locked: Locked, law: Law) -> bool:
        """What a lapsed clock owes is done before anything else, also when no sweep has come by yet."""
        today = self.database.clock.today()
        if locked.row["lapses_on"] >= today:
            return False
        names = lapsed(locked.procedure, locked.case.clocks, today)
        if not names:
            return False
        command_id = f"lapse:{locked.case.id}:{locked.case.version}"
        self._perform(connection, locked, law, names[0], SYSTEM, Plain(), command_id, None, True)
        return True

    def _perform(
        self,
        connection: Connection,
        locked: Locked,
        law: Law,
        name: str,
        actor: Actor,
        command: Command,
        command_id: str,
        expected_version: int | None,
        reauthenticated: bool,
    ) -> Performed:
        if expected_version != locked.case.version:
            if answer := replay(connection, command_id, locked, name, actor):
                return answer
            if expected_version is not None and not _stands(connection, locked, name, expected_version):
                raise stale(connection, locked)
        moment = moment_of(self.database.clock, law, locked)
        try:
            steps = engine.fire(locked.procedure, locked.case, name, actor, command, moment.on, law)
            if steps[0].action.spec.reauthenticate and not reauthenticated:
                raise Refusal(
                    "forbidden", Message(N_("Confirm your password to take this step.")), field="password"
                )
            final = write_steps(connection, locked, steps, moment, command_id)
        except NoAllowance as missing:
            raise Refusal(
                "unmet",
                Message(
                    N_(
                        "No time limit called %(name)s is in force on %(on)s; ask the administrator to enter it."
                    ),
                    {"name": missing.name, "on": missing.on},
                ),
            ) from missing
        return Performed(locked.public_id, final.version, final.state, tuple(steps))


def _stands(connection: Connection, locked: Locked, name: str, seen: int) -> bool:
    """Whether an act on an older version still means the same: departments answer in parallel, each for itself, and
    what the system notes about the limits is nothing that anybody judged by."""
    action = locked.procedure.by_name.get(name)
    if action is None:
        return False
    harmless = NOTES | ({name, *locked.procedure.silences} if action.spec.side_by_side else set())
    return only_missed(connection, locked, harmless, seen)


def _lock_visible(connection: Connection, public_id: str, actor: Actor) -> Locked:
    require_in_force(connection, actor)
    locked = lock(connection, public_id)
    if not seen_by(actor, locked):
        raise no_such_case()
    return locked
