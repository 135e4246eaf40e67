"""Versions of procedures as they live: draft, proved, scheduled, active, retired.

A draft may be changed as often as one likes, also while it is wrong. From the day it is scheduled its text never
changes; the database itself refuses. Each change is an entry of the version's own audit stream.
"""

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.engine import Row

from store import audit
from store.database import Database
from store.jobs import JobQueue
from store.law import LawBook, revise
from store.records.audit import AuditRecord
from store.records.columns import table_of
from store.records.procedures import ProcedureVersionRecord
from store.tokens import new_token
from store.version_values import Change, Version, VersionLine, too_long
from workflow import procedures
from workflow.procedure import Procedure
from workflow.vocabulary import N_, SYSTEM, Actor, Message, Refusal

OWN_FROM = 1001  # numbers below are those of shipped files, so that an upgrade never meets a bureau's own version
PROOF = "prove_procedure"  # the job
BEGUN = "enter_version"  # a number thrown away as a draft may be taken again: its stream begins anew with this
_V = table_of(ProcedureVersionRecord)
_BARE = [c for c in _V.c if c.name != "definition"]
log = logging.getLogger("wujian.procedures")


class ProcedureVersions:
    """Reads and changes of versions. The law book is told, so that this process sees a change at once."""

    def __init__(self, database: Database, laws: LawBook) -> None:
        self.database, self.laws = database, laws

    # -- reading -----------------------------------------------------------------------------------------------

    def lines(self, name: str | None = None) -> tuple[VersionLine, ...]:
        """Every version, by procedure, the newest first."""
        query = select(*_BARE).order_by(_V.c.name, _V.c.version.desc())
        with self.database.reading() as connection:
            rows = connection.execute(query.where(_V.c.name == name) if name else query).all()
        return tuple(_line(row) for row in rows)

    def get(self, name: str, version: int) -> Version:
        """The version with its text. Raises Refusal("unknown")."""
        with self.database.reading() as connection:
            row = connection.execute(select(_V).where(_V.c.name == name, _V.c.version == version)).first()
        if row is None:
            raise _unknown(name, version)
        return Version(_line(row), row.definition)

    def changes(self, line: VersionLine, limit: int = 100) -> tuple[Change, ...]:
        """What was done to a version, the newest first, back to its beginning."""
        a = AuditRecord
        with self.database.reading() as connection:
            rows = connection.execute(
                select(a.at, a.action, a.actor_name, a.payload)
                .where(a.stream == _stream(line.id)).order_by(a.seq.desc()).limit(limit)
            ).all()  # fmt: skip
        begun = next((n for n, r in enumerate(rows, 1) if r.action == BEGUN), len(rows))
        return tuple(Change(r.at, r.action, r.actor_name, r.payload) for r in rows[:begun])

    # -- drafts ------------------------------------------------------------------------------------------------

    def begin(self, name: str, version: int, actor: Actor) -> int:
        """A new draft with the text of a version; its number."""
        source = self.get(name, version)
        with self._writing() as connection:
            _lock(connection, name)
            last = connection.scalar(select(func.max(_V.c.version)).where(_V.c.name == name)) or 0
            number = max(OWN_FROM, last + 1)
            text = re.sub(r"(?m)^version:.*$", f"version: {number}", source.definition, count=1)
            self._insert(connection, name, number, text, "draft", actor, based_on=version)
        return number

    def save(self, name: str, version: int, definition: str, edition: int, actor: Actor) -> VersionLine:
        """Keep a draft as typed, sound or not; a proof of the former text falls away.

        Raises Refusal: stale (somebody saved it meanwhile), unavailable (it is settled), malformed (too long).
        """
        definition = definition.replace("\r\n", "\n")
        if why := too_long(definition):
            raise Refusal("malformed", why, field="definition")
        with self._writing() as connection:
            line = self._open(connection, name, version, edition)
            digest = hashlib.sha256(definition.encode()).hexdigest()
            if digest == line.digest:
                return line
            return self._change(connection, line, "save_definition", actor, {"digest": digest},
                                definition=definition, digest=digest, status="draft", proof={})

    def discard(self, name: str, version: int, edition: int, actor: Actor) -> None:
        """Throw a draft away; its audit stays. Raises Refusal as `save`."""
        with self._writing() as connection:
            line = self._open(connection, name, version, edition)
            connection.execute(delete(_V).where(_V.c.id == line.id))
            self._tell(connection, line, "discard_draft", actor, {})

    def ask_proof(self, name: str, version: int, actor: Actor) -> str:
        """Leave the proof of a version to a worker; the id of the job. Raises Refusal("unknown")."""
        job_id = new_token()
        with self._writing() as connection:
            line = self._locked(connection, name, version)
            self._change(connection, line, "ask_proof", actor, {"digest": line.digest},
                         status="draft" if line.is_open else line.status,
                         proof={"asked": line.digest, "job": job_id})
        payload = {"name": name, "version": version, "account": actor.account_id}
        JobQueue(self.database).add(PROOF, payload, job_id=job_id)
        return job_id

    def keep_proof(self, name: str, version: int, proof: Mapping[str, Any], actor: Actor) -> VersionLine:
        """Keep what a proof found with the text it looked at; a draft that passed is proved, a scheduled version
        that no longer passes (people have left) is taken off the schedule.

        Raises Refusal("stale") when the text has changed since.
        """
        with self._writing() as connection:
            line = self._locked(connection, name, version)
            if proof.get("digest") != line.digest:
                raise Refusal("stale", Message(N_("The text was changed while it was being proved: prove it again.")))
            if line.status == "scheduled" and not proof.get("may_activate"):
                line = self._change(connection, line, "unschedule", actor, {"by": "proof"}, status="proved",
                                    effective_on=None)
            status = line.status
            if line.is_open:
                status = "proved" if proof.get("may_activate") else "draft"
            return self._change(connection, line, "prove", actor, _told(proof), status=status, proof=dict(proof))

    # -- coming into force and going out of it -----------------------------------------------------------------

    def schedule(self, name: str, version: int, edition: int, on: date, reason: str, actor: Actor) -> VersionLine:
        """Let a proved version come into force on a later local date. Raises Refusal."""
        with self._writing() as connection:
            line = self._ready(connection, name, version, edition, reason)
            if line.status != "proved":
                raise _not_now(line)
            if on <= self.database.clock.today():
                raise Refusal("malformed", Message(
                    N_("A version is scheduled for a day to come; to begin today, activate it.")), field="on")
            return self._change(connection, line, "schedule", actor, {"on": on.isoformat(), "reason": reason},
                                status="scheduled", effective_on=on)

    def unschedule(self, name: str, version: int, edition: int, reason: str, actor: Actor) -> VersionLine:
        """Take a version back whose day has not come. Raises Refusal."""
        with self._writing() as connection:
            line = self._seen(connection, name, version, edition, reason)
            if line.status != "scheduled" or not line.effective_on \
                    or line.effective_on <= self.database.clock.today():
                raise _not_now(line)
            return self._change(connection, line, "unschedule", actor, {"reason": reason}, status="proved",
                                effective_on=None)

    def activate(self, name: str, version: int, edition: int, reason: str, actor: Actor) -> VersionLine:
        """Open new cases on this version from now on; the one before it is retired, its cases go on under it.

        A retired version may come back. Raises Refusal.
        """
        with self._writing() as connection:
            line = self._ready(connection, name, version, edition, reason)
            if line.status not in ("proved", "scheduled", "retired"):
                raise _not_now(line)
            return self._begin_term(connection, line, actor, reason)

    def retire(self, name: str, version: int, edition: int, reason: str, actor: Actor) -> VersionLine:
        """Open no new cases on this version, nor, until another is activated, on its procedure. Raises Refusal."""
        with self._writing() as connection:
            line = self._seen(connection, name, version, edition, reason)
            if line.status != "active":
                raise _not_now(line)
            if needing := _opened_by(connection, name):
                raise Refusal("unmet", Message(
                    N_("%(procedures)s opens cases of this procedure: retire it first, or activate another version "
                       "of this one."), {"procedures": needing}))
            return self._change(connection, line, "retire", actor, {"reason": reason}, status="retired")

    def take_effect(self) -> int:
        """Activate what is scheduled for today or earlier, each exactly once; how many."""
        today = self.database.clock.today()
        with self.database.reading() as connection:
            due = connection.execute(
                select(_V.c.name, _V.c.version).where(_V.c.status == "scheduled", _V.c.effective_on <= today)
                .order_by(_V.c.effective_on, _V.c.version)
            ).all()  # fmt: skip
        begun = 0
        for name, version in due:
            with self._writing() as connection:
                line = self._locked(connection, name, version)
                if line.status == "scheduled" and line.effective_on and line.effective_on <= today:
                    self._begin_term(connection, line, SYSTEM, "")
                    begun += 1
        return begun

    def enter_shipped(self) -> list[str]:
        """Enter the shipped definitions that are not there yet: the newest of a procedure becomes active unless
        the bureau has a version of its own in force. Returns those whose kept text differs from the shipped one;
        what is kept goes on being used, for cases may run on it."""
        with self.database.reading() as connection:
            lines = [_line(r) for r in connection.execute(select(*_BARE))]
        kept = {(line.name, line.version): line.digest for line in lines}
        missing = [p for p in procedures.shipped() if (p.name, p.version) not in kept]
        if missing:
            with self._writing() as connection:
                for procedure in missing:
                    self._enter(connection, procedure)
        for line in lines:
            if (proof := _at_release(line.name, line.version, line.digest)) and _is_newer(proof, line.proof):
                with self._writing() as connection:
                    now = self._locked(connection, line.name, line.version)
                    if _is_newer(proof, now.proof):
                        self._change(connection, now, "prove", SYSTEM, _told(proof), proof=proof)
        differing = [f"{p.name}.v{p.version}" for p in procedures.shipped()
                     if kept.get((p.name, p.version), p.digest) != p.digest]
        for name in differing:
            log.warning("the shipped %s is not the one this database was given; the kept one goes on", name)
        return differing

    # -- inside ------------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A writing transaction after which every process reads again what is in force, this one at once."""
        with self.database.writing() as connection:
            yield connection
            revise(connection)
        self.laws.forget()

    def _enter(self, connection: Connection, procedure: Procedure) -> None:
        text = (procedures.HERE / f"{procedure.name}.v{procedure.version}.yaml").read_text("utf-8")
        active = connection.execute(
            select(*_BARE).where(_V.c.name == procedure.name, _V.c.status == "active")
        ).first()
        newest = max(p.version for p in procedures.shipped() if p.name == procedure.name)
        begins = procedure.version == newest and (active is None or active.version < procedure.version)
        if begins and active is not None:
            self._change(connection, _line(active), "retire", SYSTEM, {"by": procedure.version}, status="retired")
        self._insert(connection, procedure.name, procedure.version, text, "active" if begins else "retired", SYSTEM,
                     effective_on=self.database.clock.today() if begins else None,
                     proof=_at_release(procedure.name, procedure.version, procedure.digest))

    def _insert(self, connection: Connection, name: str, version: int, text: str, status: str, actor: Actor,
                **columns: Any) -> None:
        digest = hashlib.sha256(text.encode()).hexdigest()
        version_id = connection.execute(insert(_V).returning(_V.c.id), {
            "name": name, "version": version, "definition": text, "digest": digest, "status": status, "edition": 1,
            "proof": {}, "changed_at": self.database.clock.now(), "changed_by": actor.name,
            "based_on": None, "effective_on": None, **columns}).scalar_one()
        self._tell(connection, VersionLine(version_id, name, version, digest, status, None, {}, None, 1,
                                           self.database.clock.now(), actor.name),
                   BEGUN, actor, {"status": status, "digest": digest,
                                  **({"proof": _told(columns["proof"])} if columns.get("proof") else {})})

    def _begin_term(self, connection: Connection, line: VersionLine, actor: Actor, reason: str) -> VersionLine:
        procedure = Version(line, _text(connection, line)).procedure()
        for other in sorted(_opens(procedure) - {line.name}):
            if connection.scalar(select(_V.c.id).where(_V.c.name == other, _V.c.status == "active")) is None:
                raise Refusal("unmet", Message(
                    N_("This version opens cases of the procedure %(name)s, of which no version is in force."),
                    {"name": other}))
        before = connection.execute(
            select(*_BARE).where(_V.c.name == line.name, _V.c.status == "active")
        ).first()
        if before is not None:
            self._change(connection, _line(before), "retire", actor, {"by": line.version, "reason": reason},
                         status="retired")
        on = line.effective_on if line.status == "scheduled" and actor is SYSTEM else self.database.clock.today()
        return self._change(connection, line, "activate", actor, {"reason": reason, "digest": line.digest},
                            status="active", effective_on=on)

    def _open(self, connection: Connection, name: str, version: int, edition: int) -> VersionLine:
        line = self._seen(connection, name, version, edition)
        if not line.is_open:
            raise _not_now(line)
        return line

    def _ready(self, connection: Connection, name: str, version: int, edition: int, reason: str) -> VersionLine:
        line = self._seen(connection, name, version, edition, reason)
        if not line.is_proved:
            raise Refusal("unmet", Message(
                N_("This text has not passed its proof; without that no case may be opened on it.")))
        return line

    def _seen(self, connection: Connection, name: str, version: int, edition: int,
              reason: str | None = None) -> VersionLine:
        """The version under its lock, as the asker has seen it. Raises Refusal("stale")."""
        line = self._locked(connection, name, version)
        if line.edition != edition:
            raise Refusal("stale", Message(
                N_("Meanwhile %(who)s changed this version (%(when)s). What you typed is still here: compare, then "
                   "send it again."), {"who": line.changed_by, "when": line.changed_at}))
        if reason is not None and not reason.strip():
            raise Refusal("malformed", Message(N_("Write down why: the reason is kept with the change.")),
                          field="reason")
        return line

    def _locked(self, connection: Connection, name: str, version: int) -> VersionLine:
        _lock(connection, name)
        row = connection.execute(select(*_BARE).where(_V.c.name == name, _V.c.version == version)).first()
        if row is None:
            raise _unknown(name, version)
        return _line(row)

    def _change(self, connection: Connection, line: VersionLine, action: str, actor: Actor,
                payload: Mapping[str, Any], **values: Any) -> VersionLine:
        row = connection.execute(
            update(_V).where(_V.c.id == line.id, _V.c.edition == line.edition)
            .values(**values, edition=line.edition + 1, changed_at=self.database.clock.now(), changed_by=actor.name)
            .returning(*_BARE)
        ).one()  # fmt: skip
        self._tell(connection, line, action, actor, payload)
        return _line(row)

    def _tell(self, connection: Connection, line: VersionLine, action: str, actor: Actor,
              payload: Mapping[str, Any]) -> None:
        role = "system" if actor is SYSTEM else "administrator"
        said = {"procedure": line.name, "version": line.version, **payload}
        audit.append(connection, _stream(line.id), self.database.clock.now(), actor, action, role, said)


def _line(row: Row[Any]) -> VersionLine:
    return VersionLine(row.id, row.name, row.version, row.digest, row.status, row.based_on, row.proof,
                       row.effective_on, row.edition, row.changed_at, row.changed_by)


def _at_release(name: str, version: int, digest: str) -> dict[str, Any]:
    """The proof that came with the release of this very text, {} when none did."""
    found = procedures.proofs_at_release().get((name, version))
    return {**found, "at_release": True} if found and found["digest"] == digest else {}


def _is_newer(proof: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    """A proof of the release gives way to one of the installation's own, never the other way round."""
    return not kept or bool(kept.get("at_release")) and kept.get("checker") != proof["checker"]


def _told(proof: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit says of a proof."""
    said = {key: proof.get(key) for key in ("digest", "verdict", "states_visited")}
    return {**said, "checker": proof["checker"], "by": "release"} if proof.get("at_release") else said


def _text(connection: Connection, line: VersionLine) -> str:
    return str(connection.execute(select(_V.c.definition).where(_V.c.id == line.id)).scalar_one())


def _lock(connection: Connection, name: str) -> None:
    """All versions of a procedure until the transaction ends: only one of them may be active."""
    connection.execute(select(_V.c.id).where(_V.c.name == name).order_by(_V.c.id).with_for_update()).all()


def _opened_by(connection: Connection, name: str) -> list[str]:
    """The active versions of other procedures that open cases of this one."""
    rows = connection.execute(select(_V.c.name, _V.c.version, _V.c.digest).where(_V.c.status == "active")).all()
    found = (procedures.pinned(r.name, r.version, r.digest) for r in rows if r.name != name)
    return [f"{p.name}.v{p.version}" for p in found
            if name in _opens(p)]


def _opens(procedure: Procedure) -> set[str]:
    """The procedures of which its steps may open cases."""
    return {name for action in procedure.actions if action.spec.opens for name in action.spec.opens.procedures}


def _stream(version_id: int) -> str:
    return f"procedure:{version_id}"


def _unknown(name: str, version: int) -> Refusal:
    return Refusal("unknown", Message(N_("There is no procedure %(name)s version %(version)s."),
                                      {"name": name, "version": version}))


def _not_now(line: VersionLine) -> Refusal:
    return Refusal("unavailable", Message(
        N_("This is not possible any more: the version is %(status)s."), {"status": line.status}))
