"""What each department is asked about: a digest per department of the rows that call for it, as reviewed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from store.dossier_facts import called_by
from store.records.applications import CapabilityRowRecord
from store.records.reference import CatalogueEntryRecord, SettingRecord
from store.registers.moment import Moment
from workflow.engine import Step

_BITS = 128


@dataclass(frozen=True, slots=True)
class Calls:
    """Which section of the capability table calls for whom, read inside the step's transaction."""

    calls: tuple[dict[str, Any], ...]
    call_defaults: Mapping[str, Any]

    @classmethod
    def read(cls, connection: Connection) -> "Calls":
        entry, setting = CatalogueEntryRecord, SettingRecord
        rows = select(entry.content).where(entry.catalogue == "department_calls").order_by(entry.ordinal)
        beside = select(setting.content).where(setting.name == "catalogue:department_calls")
        return cls(tuple(connection.scalars(rows)), connection.scalar(beside) or {})


def digest_by_department(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """The fact `asked_about`: department -> digest of its rows, whatever their order.

    A later round of the sign-off asks a department again only when its own digest has changed."""
    row, calls = CapabilityRowRecord, Calls.read(connection)
    departments: dict[str, tuple[str, ...]] = {}
    sums: dict[str, int] = {}
    content = (row.section, row.site, row.category, row.object, row.parameter, row.standard_text, row.limit_text,
               row.note, row.standing)  # fmt: skip
    for values in connection.execute(select(*content).where(row.case_id == step.after.id)):
        if values.section not in departments:
            departments[values.section] = called_by(values.section, calls).departments
        one = int.from_bytes(hashlib.sha256("\x1f".join(values).encode()).digest()[: _BITS // 8])
        for department in departments[values.section]:
            sums[department] = (sums.get(department, 0) + one) % (1 << _BITS)
    return {"asked_about": {d: f"{total:0{_BITS // 4}x}" for d, total in sorted(sums.items())}}
