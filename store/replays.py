"""Past cases lived again under another version of their procedure, in the background, with the result kept.

A replay is a row and so is each of its cases. What a batch found, the totals and how far the replay has come are
committed together, so a worker that takes over from a dead one goes on where it was and counts nothing twice. The
text is kept as it stood when the replay was asked for: a draft may be changed, or thrown away, meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.engine import Row

from store import audit
from store.database import Database
from store.dossier_facts import legal_setting, materials_asked
from store.dossier_scenarios import materials_of
from store.jobs import JobQueue
from store.law import LawBook
from store.past_cases import PastCases
from store.records.applications import ApplicationRecord
from store.records.cases import CaseRecord
from store.records.columns import table_of
from store.records.replays import DIFFERS, ReplayCaseRecord, ReplayRecord
from store.reference import Reference
from store.reviews import ordinal_of
from store.sentences import plain, spoken
from store.tokens import new_token
from store.values import Page
from store.version_values import Version, read_draft
from workflow import dossiers
from workflow.allowances import NoAllowance
from workflow.clocks import Law
from workflow.procedure import Procedure
from workflow.vocabulary import N_, Actor, Message, Refusal, Role
from workflow.whatif import Kind, PastCase, WhatIf, what_if

JOB = "replay_cases"
BATCH = 50  # cases lived again between two looks at whether to go on
SCAN = 2000  # lines that one page of a search looks through
TEXT_LIMIT = 80  # characters of a search that are looked at
UNREAD = "unread"  # beside the kinds of workflow.whatif: the case could not be lived again at all
DIFFERING = "differing"  # a list of its own: everything whose first difference is known
_R, _L, _C = (table_of(r) for r in (ReplayRecord, ReplayCaseRecord, CaseRecord))
_BARE = [column for column in _R.c if column.name != "definition"]


@dataclass(frozen=True, slots=True)
class Totals:
    """Over the cases looked at so far: how many of each kind. Of the `ended` cases that end in both, then and now:
    working days, steps taken, documents issued, and materials that the applicants hand in."""

    kinds: Mapping[str, int]
    differing: int = 0
    ended: int = 0
    days: tuple[int, int] = (0, 0)
    steps: tuple[int, int] = (0, 0)
    papers: tuple[int, int] = (0, 0)
    materials: tuple[int, int] = (0, 0)

    @property
    def looked(self) -> int:
        return sum(self.kinds.values())

    def plus(self, kind: str, one: "Found") -> "Totals":
        counted = replace(self, kinds={**self.kinds, kind: self.kinds.get(kind, 0) + 1},
                          differing=self.differing + (one.difference is not None))  # fmt: skip
        then, now = one.days
        if then is None or now is None:
            return counted
        return replace(counted, ended=self.ended + 1, days=_sum(self.days, (then, now)),
                       steps=_sum(self.steps, one.steps), papers=_sum(self.papers, one.papers),
                       materials=_sum(self.materials, one.materials))  # fmt: skip

    def plain(self) -> dict[str, Any]:
        return {"kinds": dict(self.kinds), "differing": self.differing, "ended": self.ended, "days": self.days,
                "steps": self.steps, "papers": self.papers, "materials": self.materials}

    @classmethod
    def from_plain(cls, said: Mapping[str, Any]) -> "Totals":
        pairs = {name: (said[name][0], said[name][1]) for name in ("days", "steps", "papers", "materials")}
        return cls(dict(said["kinds"]), said["differing"], said["ended"], **pairs)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a case: the act of the record at which it first differs (from 1) and why; pairs are then and
    now; days are None where it does not end."""

    at: int | None
    difference: Message | None
    days: tuple[int | None, int | None] = (None, None)
    steps: tuple[int, int] = (0, 0)
    papers: tuple[int, int] = (0, 0)
    materials: tuple[int, int] = (0, 0)

    def plain(self) -> dict[str, Any]:
        return {"at": self.at, "difference": plain(self.difference), "days": self.days, "steps": self.steps,
                "papers": self.papers, "materials": self.materials}

    @classmethod
    def from_plain(cls, said: Mapping[str, Any]) -> "Found":
        pairs = {name: tuple(said[name]) for name in ("days", "steps", "papers", "materials")}
        return cls(said["at"], spoken(said["difference"]) if said["difference"] else None, **pairs)


@dataclass(frozen=True, slots=True)
class Replay:
    """`status`: running, done or stopped. `expected`: how many cases there are."""

    id: int
    public_id: str
    procedure: str
    version: int
    digest: str
    since: date | None
    status: str
    expected: int
    totals: Totals
    asked_by: str
    created_at: datetime
    changed_at: datetime

    @property
    def is_running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True, slots=True)
class ReplayLine:
    case_id: int
    number: str | None
    agency_name: str
    subject: str
    kind: str
    found: Found


class Replays:
    def __init__(self, database: Database, laws: LawBook) -> None:
        self.database, self.laws = database, laws

    # -- asking ------------------------------------------------------------------------------------------------

    def begin(self, version: Version, since: date | None, actor: Actor) -> str:
        """Have the cases that were closed on that local day or later lived again; the public id of the replay. One
        that is running already is given again. Raises Refusal (not sound), unmet when no such case has ended."""
        line = version.line
        definition = version.procedure()  # raises DefinitionError before anything is written
        number, until = PastCases(self.database).reach(line.name, since)
        if not number:
            raise Refusal("unmet", Message(N_("No case of this procedure was closed in that time.")), field="since")
        public_id = self._entered(version, definition.digest, since, number, until, actor)
        # Under the replay's own id: asked for again, a job that was lost with its process is left once more.
        JobQueue(self.database).add(JOB, {"replay": public_id}, job_id=public_id)
        return public_id

    def _entered(
        self, version: Version, digest: str, since: date | None, number: int, until: int, actor: Actor
    ) -> str:
        """The row of a new replay, or of the very same one that is running."""
        line, at, public_id = version.line, self.database.clock.now(), new_token()
        same = [
            _R.c.procedure == line.name, _R.c.version == line.version, _R.c.digest == digest,
            _R.c.since.is_(None) if since is None else _R.c.since == since, _R.c.status == "running",
        ]  # fmt: skip
        with self.database.writing() as connection:
            running = connection.scalar(select(_R.c.public_id).where(*same))
            if running is not None:
                return str(running)
            connection.execute(insert(_R), {
                "public_id": public_id, "procedure": line.name, "version": line.version, "digest": digest,
                "definition": version.definition, "since": since, "status": "running", "reached": 0, "until": until,
                "expected": number, "totals": Totals({}).plain(), "asked_by": actor.name, "created_at": at,
                "changed_at": at})
            self._tell(connection, public_id, actor, "replay_past_cases", {
                "procedure": line.name, "version": line.version, "digest": digest,
                "since": since.isoformat() if since else None})
        return public_id

    def stop(self, public_id: str, actor: Actor) -> None:
        """Look no further; what was found stays. Raises Refusal."""
        with self.database.writing() as connection:
            stopped = connection.execute(
                update(_R).where(_R.c.public_id == public_id, _R.c.status == "running")
                .values(status="stopped", changed_at=self.database.clock.now())
            ).rowcount  # fmt: skip
            if not stopped:
                _row(connection, public_id)
                raise Refusal("unavailable", Message(N_("This replay has come to its end already.")))
            self._tell(connection, public_id, actor, "stop_replay", {})

    # -- reading -----------------------------------------------------------------------------------------------

    def get(self, public_id: str) -> Replay:
        """Raises Refusal("unknown")."""
        with self.database.reading() as connection:
            return _replay(_row(connection, public_id))

    def recent(self, name: str, version: int, limit: int = 20) -> tuple[Replay, ...]:
        """The newest replays under a version."""
        query = select(*_BARE).where(_R.c.procedure == name, _R.c.version == version)
        with self.database.reading() as connection:
            return tuple(map(_replay, connection.execute(query.order_by(_R.c.id.desc()).limit(limit)).all()))

    def lines(
        self, replay: Replay, wanted: str = DIFFERING, search: str = "", after: str | None = None, limit: int = 50
    ) -> Page[ReplayLine]:
        """The cases of one kind, or all that differ, by their ids. A search (part of an agency's name, or the start
        of a case number) looks through SCAN lines a page and may then be short with `after` set."""
        text = search.strip()[:TEXT_LIMIT]
        mine = [_L.c.replay_id == replay.id, _L.c.case_id > ordinal_of(after)]
        mine.append(DIFFERS if wanted == DIFFERING else _L.c.kind == wanted)  # type: ignore[arg-type]
        near = select(_L.c.case_id, _L.c.kind, _L.c.found).where(*mine).order_by(_L.c.case_id)
        cut = near.limit(SCAN if text else limit + 1).subquery()
        query = select(cut, _C.c.number, _C.c.agency_name, _C.c.subject).join(_C, _C.c.id == cut.c.case_id)
        if text:
            query = query.where(or_(_C.c.agency_name.contains(text, autoescape=True),
                                    _C.c.number.startswith(text, autoescape=True)))  # fmt: skip
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(cut.c.case_id).limit(limit + 1)).all()
            further = str(rows[limit - 1].case_id) if len(rows) > limit else None
            if text and further is None:
                last = connection.scalar(select(cut.c.case_id).order_by(cut.c.case_id).offset(SCAN - 1).limit(1))
                further = str(last) if last is not None else None
        return Page(tuple(map(_line, rows[:limit])), further)

    # -- working -----------------------------------------------------------------------------------------------

    def advance(self, public_id: str) -> bool:
        """Live the next batch again; whether there is more to do. Safe to repeat and to take over."""
        with self.database.reading() as connection:
            row = connection.execute(select(_R).where(_R.c.public_id == public_id)).first()
        if row is None or row.status != "running":
            return False
        draft = read_draft(row.definition, row.procedure, row.version)
        batch = PastCases(self.database).batch(row.procedure, row.since, row.reached, row.until, BATCH)
        asked = self._materials([case_id for case_id, _ in batch])
        law, lines, totals = self.laws.current(), [], Totals.from_plain(row.totals)
        for case_id, past in batch:
            kind, found = _lived(past, draft, law, asked.get(case_id))
            totals = totals.plus(kind, found)
            lines.append({"replay_id": row.id, "case_id": case_id, "kind": kind,
                          "differs": found.difference is not None, "found": found.plain()})
        more = len(batch) == BATCH
        with self.database.writing() as connection:
            mine = (_R.c.id == row.id) & (_R.c.reached == row.reached) & (_R.c.status == "running")
            if connection.scalar(select(_R.c.id).where(mine).with_for_update()) is None:
                return True  # another worker was faster, or it was stopped: the next look says which
            if lines:
                connection.execute(insert(_L), lines)
            connection.execute(update(_R).where(_R.c.id == row.id).values(
                reached=batch[-1][0] if batch else row.reached, totals=totals.plain(),
                status="running" if more else "done", changed_at=self.database.clock.now()))
        return more

    def _materials(self, case_ids: Sequence[int]) -> dict[int, "_Asked"]:
        """What is needed to say which materials a dossier is asked for."""
        catalogue = Reference(self.database).catalogue("materials")
        query = select(ApplicationRecord.case_id, ApplicationRecord.sections, _C.c.facts).join(
            _C, _C.c.id == ApplicationRecord.case_id)  # fmt: skip
        with self.database.reading() as connection:
            return {row.case_id: _Asked(row.sections, tuple(row.facts.get("application_types") or ()), catalogue)
                    for row in connection.execute(query.where(ApplicationRecord.case_id.in_(case_ids)))}

    def _tell(self, connection: Connection, public_id: str, actor: Actor, action: str,
              payload: Mapping[str, Any]) -> None:
        audit.append(connection, f"replay:{public_id}", self.database.clock.now(), actor, action,
                     Role.ADMINISTRATOR.value, payload)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The dossier of a case, as far as it decides which materials it needs."""

    sections: Mapping[str, Any]
    types: tuple[str, ...]
    catalogue: Sequence[Mapping[str, Any]]

    def handed_in(self, procedure: Procedure, track: str) -> int:
        """How many materials the applicant hands in under that version on that track."""
        sheet = dossiers.find(procedure.name, procedure.version)
        if sheet is None:
            return 0
        rows: Sequence[Mapping[str, Any]] = (
            materials_asked(self.catalogue, self.types, legal_setting(self.sections), track) if sheet.has_tables
            else materials_of(sheet, self.sections, track))  # fmt: skip
        return sum(row["source"] == "upload" and row["need"] != "if_any" for row in rows)


def _lived(past: PastCase | Refusal, draft: Procedure, law: Law, asked: _Asked | None) -> tuple[str, Found]:
    if isinstance(past, Refusal):
        return UNREAD, Found(None, past.reason)
    try:
        one: WhatIf = what_if(past, draft, law)
    except NoAllowance as missing:
        return UNREAD, Found(None, Message(
            N_("No time limit called %(name)s is in force on %(on)s; ask the administrator to enter it."),
            {"name": missing.name, "on": missing.on}))  # fmt: skip
    then, now = one.tracks
    materials = (asked.handed_in(past.procedure, then), asked.handed_in(draft, now)) if asked else (0, 0)
    return one.kind.value, Found(one.at, one.first_difference, one.days, one.steps, one.papers, materials)


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


def _row(connection: Connection, public_id: str) -> Row[Any]:
    row = connection.execute(select(*_BARE).where(_R.c.public_id == public_id)).first()
    if row is None:
        raise Refusal("unknown", Message(N_("There is no such replay.")))
    return row


def _replay(row: Row[Any]) -> Replay:
    return Replay(row.id, row.public_id, row.procedure, row.version, row.digest, row.since, row.status, row.expected,
                  Totals.from_plain(row.totals), row.asked_by, row.created_at, row.changed_at)  # fmt: skip


def _line(row: Row[Any]) -> ReplayLine:
    return ReplayLine(row.case_id, row.number, row.agency_name, row.subject, row.kind, Found.from_plain(row.found))


KINDS = (*(kind.value for kind in Kind), UNREAD)
