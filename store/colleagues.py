"""Colleagues: who may be named by a verb on a case: to take its work over, to be asked for advice, to get a copy.

Reads only. A method takes a `CaseFile`, which only `CaseStore.get` hands out. What is offered here is judged again by
the register that writes it: an account may be closed between the page and the press.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from store.database import Database
from store.records.people import AccountRecord, AccountRoleRecord
from store.values import CaseFile
from workflow.vocabulary import Actor, Role

SHOWN = 300  # people offered at once; a bureau's desk has fewer


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person of the authority in one role."""

    person_id: str
    name: str
    role: Role
    department: str | None


class Colleagues:
    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, file: CaseFile, actor: Actor, roles: Iterable[Role], *, department: str | None = None,
           apart_from: Iterable[str] = ()) -> tuple[Colleague, ...]:
        """Active people with one of these roles, by role and name: not the actor, nobody of the applicant's own,
        nobody who took one of the acts `apart_from` on this case."""
        account, held = AccountRecord, AccountRoleRecord
        wanted = [role.value for role in roles]
        barred = {*actor.persons, *file.case.persons_who(*apart_from)}
        query = (select(account.person_id, account.name, held.role, account.department)
                 .join(held, held.account_id == account.id)
                 .where(account.active, held.role.in_(wanted))
                 .order_by(held.role, account.name, account.id).limit(SHOWN))
        if department is not None:
            query = query.where(account.department == department)
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
            found_here = sorted({row.person_id for row in rows})
            own = frozenset(connection.scalars(select(account.person_id).where(
                account.agency_id == file.case.agency_id, account.person_id.in_(found_here)))
            ) if file.case.agency_id else frozenset()
        found = {(row.person_id, row.role): Colleague(row.person_id, row.name, Role(row.role), row.department)
                 for row in rows if row.person_id not in barred | own}
        return tuple(found.values())
