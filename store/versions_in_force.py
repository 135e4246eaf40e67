"""What the database says about versions of procedures, put on the shelf from which the workflow takes them."""

import logging

from sqlalchemy import Connection, select

from store.database import Database
from store.records.columns import table_of
from store.records.procedures import ProcedureVersionRecord
from workflow import procedures
from workflow.procedure import DefinitionError, Procedure, parse
from workflow.procedures import Term

SETTLED = ("scheduled", "active", "retired")  # their text never changes
_V = table_of(ProcedureVersionRecord).c
log = logging.getLogger("wujian.procedures")


def tell(connection: Connection, database: Database) -> None:
    """Put the versions in force, and those that will be, on the shelf; ask this database for every other one."""
    rows = connection.execute(
        select(_V.name, _V.version, _V.digest, _V.status, _V.effective_on)
        .where(_V.status.in_(("active", "scheduled")))
        .order_by(_V.name, _V.version)
    ).all()
    names = connection.scalars(select(_V.name).distinct()).all()
    held = {(p.name, p.version): p.digest for p in procedures.every()}
    for row in rows:
        if held.get((row.name, row.version)) != row.digest:
            _read(connection, row.name, row.version, None)
    terms = [(r.name, Term(r.effective_on, r.version, r.status == "active")) for r in rows]
    procedures.put_in_force(terms, names)
    procedures.look_up_with(lambda name, version, digest: _look_up(database, name, version, digest))


def _look_up(database: Database, name: str, version: int, digest: str | None) -> Procedure | None:
    with database.reading() as connection:
        return _read(connection, name, version, digest)


def _read(connection: Connection, name: str, version: int, digest: str | None) -> Procedure | None:
    """A settled version, held from now on; None when it is not there, or cannot be read any more."""
    query = select(_V.definition).where(_V.name == name, _V.version == version, _V.status.in_(SETTLED))
    text = connection.scalar(query.where(_V.digest == digest) if digest else query)
    if text is None:
        return None
    try:
        found = parse(text.encode(), f"{name}.v{version}")
    except DefinitionError:
        log.exception("procedure %s version %s of the database cannot be read by this release", name, version)
        return None
    procedures.hold(found)
    return found
