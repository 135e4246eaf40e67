"""Cases that have ended, with their record, read in batches: what a what-if lives again."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, func, select

from store.database import BUREAU_ZONE, Database
from store.locked import pinned_to
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord
from store.records.columns import table_of
from store.records.people import AccountRoleRecord
from workflow.procedure import Procedure
from workflow.surroundings import ROLES_BEHIND
from workflow.vocabulary import SYSTEM, Actor, Refusal, Role
from workflow.whatif import PastAct, PastCase

_CASE, _AUDIT = table_of(CaseRecord), table_of(AuditRecord)
BATCH = 200
STAFF = frozenset(Role) - {Role.APPLICANT, Role.SYSTEM}


class PastCases:
    """`ended(name)` gives the ended cases of a procedure in the order of their numbers, a batch at a time."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def ended(self, procedure: str, since: date | None = None) -> Iterator[PastCase]:
        """Cases of the procedure, of whatever version, that were closed on that local day or later."""
        after = 0
        while batch := self.batch(procedure, since, after):
            after = batch[-1][0]
            for _, case in batch:
                if isinstance(case, Refusal):
                    raise case
                yield case

    def reach(self, procedure: str, since: date | None = None) -> tuple[int, int]:
        """(how many such cases there are, the highest id of them); (0, 0) when there is none."""
        query = select(func.count(), func.max(_CASE.c.id)).where(*_ended(procedure, since))
        with self.database.reading() as connection:
            number, last = connection.execute(query).one()
        return number, last or 0

    def batch(
        self, procedure: str, since: date | None, after: int, until: int | None = None, limit: int = BATCH
    ) -> list[tuple[int, PastCase | Refusal]]:
        """The next cases by their ids; a Refusal stands where a definition is not here any more."""
        query = select(_CASE).where(*_ended(procedure, since), _CASE.c.id > after)
        if until is not None:
            query = query.where(_CASE.c.id <= until)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(_CASE.c.id).limit(limit)).mappings().all()
            if not rows:
                return []
            entries = (
                connection.execute(
                    select(_AUDIT).where(_AUDIT.c.case_id.in_([r["id"] for r in rows])).order_by(_AUDIT.c.id)
                )
                .mappings()
                .all()
            )
            accounts = {e["account_id"] for e in entries}
            held: dict[int, set[Role]] = {}
            for account_id, role in connection.execute(
                select(AccountRoleRecord.account_id, AccountRoleRecord.role).where(
                    AccountRoleRecord.account_id.in_(accounts)
                )
            ):
                held.setdefault(account_id, set()).add(Role(role))
        of_case: dict[int, list[Any]] = {}
        for entry in entries:
            of_case.setdefault(entry["case_id"], []).append(entry)
        return [(row["id"], _past(row, of_case.get(row["id"], ()), held)) for row in rows]


def _ended(procedure: str, since: date | None) -> list[ColumnElement[bool]]:
    conditions = [_CASE.c.procedure == procedure, _CASE.c.closed_at.is_not(None)]
    if since is not None:
        conditions.append(_CASE.c.closed_at >= datetime.combine(since, time.min, BUREAU_ZONE))
    return conditions


def _past(row: Any, entries: Iterable[Any], held: dict[int, set[Role]]) -> PastCase | Refusal:
    try:
        procedure = pinned_to(row)
    except Refusal as refusal:
        return refusal
    return PastCase(
        public_id=row["public_id"],
        procedure=procedure,
        agency_id=row["agency_id"],
        opened_on=_day(row["opened_at"]),
        facts=row["facts"],
        acts=tuple(_act(e, row["agency_id"], held, procedure) for e in entries if e["action"] != "open"),
    )


def _act(entry: Any, agency_id: int | None, held: dict[int, set[Role]], procedure: Procedure) -> PastAct:
    """An act of the procedure, or an edit of the dossier, which is none and carries the facts it changed."""
    stays = entry["source"] == entry["target"] and entry["action"] not in procedure.by_name
    edited = entry["payload"].get("facts") if stays else None
    return PastAct(
        on=_day(entry["at"]),
        action=entry["action"],
        actor=_actor(entry, agency_id, held),
        payload=entry["payload"],
        target=entry["target"] or "",
        facts=edited or {},
    )


def _actor(entry: Any, agency_id: int | None, held: dict[int, set[Role]]) -> Actor:
    """Who acted, in the role in which they did; with the other roles that the account has today. Where the record
    names a relation that many roles may stand in (whoever works on it, whoever is asked), they had one of them."""
    rule = entry["role"]
    if rule == "is_the_system":
        return SYSTEM
    behind = ROLES_BEHIND.get(rule) or ({Role(rule)} if rule in set(Role) else STAFF)
    applies = Role.APPLICANT in behind
    return Actor(
        account_id=entry["account_id"],
        person_id=entry["person_id"],
        name=entry["actor_name"],
        roles=frozenset(behind | held.get(entry["account_id"], set())),
        department=entry["department"],
        agency_id=agency_id if applies else None,
    )


def _day(at: datetime) -> date:
    return at.astimezone(BUREAU_ZONE).date()
