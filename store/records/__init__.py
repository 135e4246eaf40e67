"""Every table, one module per noun. Only the store imports these."""

from store.records import agencies, applications, audit, cases, certificates, jobs, people, reference
from store.records.columns import Record

metadata = Record.metadata
for _table in audit.APPEND_ONLY:
    audit.guard_append_only(metadata.tables[_table])

__all__ = [
    "agencies",
    "applications",
    "audit",
    "cases",
    "certificates",
    "jobs",
    "metadata",
    "people",
    "reference",
]
