"""QueueStore: what waits for a person, desk by desk. Read-only, scoped, keyset-paged, never counted to the end.

A desk is a role. Its queue holds the open tasks of that role: everyone's for a bureau-wide role, one's own
department's, one's own person's; standing in for somebody, that person's. The order is due day first, then age;
the index `ix_task_queue` serves it.
"""
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.engine import RowMapping

from store.database import Database
from store.records.audit import OF_SOMEBODY, AuditRecord
from store.records.cases import CaseRecord, TaskRecord
from store.records.columns import NEVER, table_of
from store.scope import delegated_procedure, visible_to
from store.values import Page, QueueLine
from workflow.deadlines import Clock
from workflow.vocabulary import N_, OF_A_DEPARTMENT, Actor, Message, Refusal, Role

PAGE = 50          # lines of a page; a display choice
CAP = 1000         # a count goes no further: "more than 1,000" is all a desk needs to know
SCAN = 5000        # open tasks looked through for one page of a filtered queue
TEXT_LIMIT = 80    # characters of a search that are looked at

_TASK = table_of(TaskRecord)
_CASE = table_of(CaseRecord)
_COLUMNS = (
    _TASK.c.id.label("task_id"), _TASK.c.due_on, _TASK.c.opened_at, _CASE.c.public_id, _CASE.c.number,
    _CASE.c.procedure, _CASE.c.procedure_version, _CASE.c.state, _CASE.c.track, _CASE.c.agency_name,
    _CASE.c.subject, _CASE.c.clocks)


Mine = tuple[ColumnElement[bool], ...]  # one clause for each name under which tasks wait


@dataclass(frozen=True, slots=True)
class Filter:
    """What to keep of a queue. `search` is part of an agency's name, or the start of a case number."""

    search: str = ""
    procedure: str = ""
    track: str = ""
    overdue: bool = False

    @property
    def reads_cases(self) -> bool:
        return bool(self.search or self.procedure or self.track)


@dataclass(frozen=True, slots=True)
class Count:
    """How many tasks wait, up to CAP; `more` tells that there are more than that."""

    waiting: int
    overdue: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class RecentAct:
    """Something this person did: the case as it stands now and the action taken then."""

    at: datetime
    action: str
    public_id: str
    number: str | None
    procedure: str
    procedure_version: int
    state: str
    agency_name: str
    subject: str


def desks_of(actor: Actor) -> tuple[Role, ...]:
    """The desks of an actor, in the order of the procedure. Whoever may lead a team may also be a member."""
    roles = set(actor.roles) | ({Role.REVIEWER} if Role.TEAM_LEADER in actor.roles else set())
    return tuple(role for role in Role if role in roles and role is not Role.SYSTEM)


class QueueStore:
    """Every method opens one read transaction and asks at most three statements, whatever the data."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def queue(self, actor: Actor, role: Role, wanted: Filter | None = None, *, after: str | None = None,
              limit: int = PAGE) -> Page[QueueLine]:
        """A page of what waits at one desk, due first. A filtered page looks through SCAN tasks at most and may
        then be short (even empty) with `after` set: asking for the next page goes on from there.

        Raises Refusal: unknown, when the desk is not the actor's; malformed, when `after` is not a key.
        """
        wanted = _held_to(actor, wanted or Filter())
        mine = self._holding(actor, role)
        if wanted.overdue:
            mine = _each(mine, _TASK.c.due_on < self.database.clock.today())
        if after:
            mine = _each(mine, tuple_(_TASK.c.due_on, _TASK.c.id) > tuple_(*map(literal, _key(after))))
        with self.database.reading() as connection:
            if wanted.search and not after:  # a whole number is found wherever it waits, not only among the next
                named = connection.execute(_of_that_number(mine, actor, wanted)).mappings().all()
                if named:
                    return Page(tuple(map(_line, named)), None)
            rows = connection.execute(_page(mine, actor, wanted, limit)).mappings().all()
            if len(rows) > limit:
                last = rows[limit - 1]
                return Page(tuple(map(_line, rows[:limit])), f"{last['due_on'].isoformat()}.{last['task_id']}")
            return Page(tuple(map(_line, rows)), _horizon(connection, mine) if wanted.reads_cases else None)

    def counts(self, actor: Actor, desks: Iterable[Role] | None = None) -> dict[Role, Count]:
        """How much waits at each desk, counted to CAP at most: one statement for all desks."""
        roles = tuple(desks_of(actor) if desks is None else desks)
        return dict(zip(roles, self.counts_of([(actor, role) for role in roles]), strict=True))

    def counts_of(self, desks: Sequence[tuple[Actor, Role]]) -> tuple[Count, ...]:
        """The same for desks of different places, one's own and those of the people one stands in for."""
        held = [(self._holding(actor, role), delegated_procedure(actor)) for actor, role in desks]
        if not held:
            return ()
        today = self.database.clock.today()
        columns = [column for place, (mine, only) in enumerate(held) for column in (
            _capped(mine, only).label(f"waiting_{place}"),
            _capped(_each(mine, _TASK.c.due_on < today), only).label(f"overdue_{place}"))]
        with self.database.reading() as connection:
            row = connection.execute(select(*columns)).one()
        return tuple(Count(min(row[2 * n], CAP), min(row[2 * n + 1], CAP), row[2 * n] > CAP)
                     for n in range(len(held)))

    def recent(self, actor: Actor, limit: int = 8) -> tuple[RecentAct, ...]:
        """The last acts of this account on cases it may still see, newest first."""
        entry = AuditRecord
        query = (select(entry.at, entry.action, *(_CASE.c[name] for name in (
                    "public_id", "number", "procedure", "procedure_version", "state", "agency_name", "subject")))
                 .join(_CASE, _CASE.c.id == entry.case_id)
                 .where(entry.account_id == actor.account_id, OF_SOMEBODY, visible_to(actor))
                 .order_by(entry.id.desc()).limit(limit))
        with self.database.reading() as connection:
            return tuple(RecentAct(*row) for row in connection.execute(query))

    def _holding(self, actor: Actor, role: Role) -> Mine:
        if role not in desks_of(actor):
            raise Refusal("unknown", Message(N_("There is no such desk, or it is not yours.")))
        return tuple(and_(_TASK.c.role == role.value, _TASK.c.holder == held) for held in holders_of(actor, role))


def holders_of(actor: Actor, role: Role) -> tuple[str, ...]:
    """Every name under which tasks of a role wait for this actor: the desk's, and one's own for what was passed on."""
    desk = holder_of(actor, role)
    passed_on = f"person:{actor.seat.person_id}"
    return (desk,) if role is Role.APPLICANT or desk == passed_on else (desk, passed_on)


def holder_of(actor: Actor, role: Role) -> str:
    """The name under which a desk's tasks wait (see `workflow.procedure.Duty`)."""
    actor = actor.seat
    if role is Role.APPLICANT:
        return f"agency:{actor.agency_id}"
    if role in OF_A_DEPARTMENT:
        return f"department:{actor.department}"
    if role in (Role.TEAM_LEADER, Role.REVIEWER):
        return f"person:{actor.person_id}"
    return ""


def _held_to(actor: Actor, wanted: Filter) -> Filter:
    """A delegate for one procedure looks at that one only; asking for another finds nothing."""
    only = delegated_procedure(actor)
    return replace(wanted, procedure=only) if only and not wanted.procedure else wanted


def _each(mine: Mine, condition: ColumnElement[bool]) -> Mine:
    return tuple(and_(held, condition) for held in mine)


def _merged(arms: Sequence[Select[Any]], order: Callable[[Any], Iterable[Any]], limit: int) -> Any:
    """The first `limit` rows of several ordered selections, each already cut to `limit`: one index walk per holder."""
    if len(arms) == 1:
        return arms[0]
    every = union_all(*(select(arm.subquery()) for arm in arms)).subquery()
    return select(every).order_by(*order(every.c)).limit(limit)


def _page(mine: Mine, actor: Actor, wanted: Filter, limit: int) -> Any:
    if not wanted.reads_cases:
        arms = [select(*_COLUMNS).join(_CASE, _CASE.c.id == _TASK.c.case_id)
                .where(held, visible_to(actor)).order_by(_TASK.c.due_on, _TASK.c.id).limit(limit + 1) for held in mine]
        return _merged(arms, lambda c: (c.due_on, c.task_id), limit + 1)
    near = _near(mine)
    columns = [near.c[c.key] if c.table is _TASK and c.key != "id" else c for c in _COLUMNS[1:]]
    conditions = _kept(wanted, _matches(wanted.search[:TEXT_LIMIT]))
    return (select(near.c.id.label("task_id"), *columns).join(_CASE, _CASE.c.id == near.c.case_id)
            .where(visible_to(actor), *conditions).order_by(near.c.due_on, near.c.id).limit(limit + 1))


def _kept(wanted: Filter, searched: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    return [condition for given, condition in (
        (wanted.procedure, _CASE.c.procedure == wanted.procedure), (wanted.track, _CASE.c.track == wanted.track),
        (wanted.search, searched)) if given]


def _of_that_number(mine: Mine, actor: Actor, wanted: Filter) -> Select[Any]:
    """The tasks of the one case whose number was typed in full, by the index of numbers."""
    return (select(*_COLUMNS).join(_CASE, _CASE.c.id == _TASK.c.case_id)
            .where(or_(*mine), visible_to(actor), *_kept(wanted, _CASE.c.number == wanted.search[:TEXT_LIMIT]))
            .order_by(_TASK.c.due_on, _TASK.c.id).limit(PAGE))


def _near(mine: Mine) -> Subquery:
    """The next SCAN tasks: what one page of a filtered queue looks through, and no more."""
    arms = [select(_TASK).where(held).order_by(_TASK.c.due_on, _TASK.c.id).limit(SCAN) for held in mine]
    near: Subquery = _merged(arms, lambda c: (c.due_on, c.id), SCAN).subquery("near")
    return near


def _horizon(connection: Connection, mine: Mine) -> str | None:
    """Where looking stopped, as a key to go on from, read from the index alone; None when every task was looked at."""
    keys = [select(_TASK.c.due_on, _TASK.c.id).where(held).order_by(_TASK.c.due_on, _TASK.c.id).limit(SCAN)
            for held in mine]
    near = _merged(keys, lambda c: (c.due_on, c.id), SCAN).subquery("near")
    last = connection.execute(select(near).order_by(near.c.due_on, near.c.id).offset(SCAN - 1).limit(1)).first()
    return f"{last.due_on.isoformat()}.{last.id}" if last else None


def _matches(text: str) -> ColumnElement[bool]:
    return or_(_CASE.c.agency_name.contains(text, autoescape=True), _CASE.c.number.startswith(text, autoescape=True))


def _capped(mine: Mine, only: str = "") -> Any:
    """Counted to CAP; of one procedure among the next SCAN tasks."""
    if only:
        near = _near(mine)
        asked = select(literal(1)).select_from(near.join(_CASE, _CASE.c.id == near.c.case_id)).where(
            _CASE.c.procedure == only)
    else:
        asked = select(literal(1)).select_from(_TASK).where(or_(*mine))
    counted = asked.limit(CAP + 1).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()


def _key(after: str) -> tuple[date, int]:
    day, _, number = after.partition(".")
    try:
        key = date.fromisoformat(day), int(number)
    except ValueError:
        key = NEVER, -1
    if not 0 <= key[1] < 2**63:
        raise Refusal("malformed", Message(N_("This page of the list does not exist; start again from the first.")))
    return key


def _line(row: RowMapping) -> QueueLine:
    due_on = row["due_on"]
    return QueueLine(
        task_id=row["task_id"], public_id=row["public_id"], number=row["number"], procedure=row["procedure"],
        procedure_version=row["procedure_version"], state=row["state"], track=row["track"],
        agency_name=row["agency_name"], subject=row["subject"], due_on=None if due_on == NEVER else due_on,
        opened_at=row["opened_at"], clocks=tuple(Clock.from_plain(c) for c in row["clocks"]))
