"""Every table, one module per noun. Only the store imports these."""

from store.records import (
    agencies,
    applications,
    audit,
    cases,
    certificates,
    delegations,
    jobs,
    people,
    procedures,
    reference,
    replays,
    separation,
)
from store.records.columns import Record

metadata = Record.metadata
for _table in audit.APPEND_ONLY:
    audit.guard_append_only(metadata.tables[_table])
procedures.guard_settled(metadata.tables["procedure_version"])
delegations.guard_delegations()
separation.guard_separation()

__all__ = [
    "agencies",
    "applications",
    "audit",
    "cases",
    "certificates",
    "delegations",
    "jobs",
    "metadata",
    "people",
    "procedures",
    "reference",
    "replays",
    "separation",
]
