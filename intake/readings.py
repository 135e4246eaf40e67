"""What a reading of files gives back: per table its rows, counts and problems; per package its tables."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from intake.problems import Problem
from intake.rows import (
    ApplicationFacts,
    CapabilityRow,
    EquipmentRow,
    Row,
    SignatoryRow,
    StaffRow,
    StandardChangeRow,
)

ROW_TYPES: dict[str, type[Row]] = {
    "basic": ApplicationFacts,
    "capability": CapabilityRow,
    "signatories": SignatoryRow,
    "staff": StaffRow,
    "equipment": EquipmentRow,
    "standard_change": StandardChangeRow,
}
_DATES = {"applied_on", "valid_to"}
_NUMBERS = {"standards", "old_standards", "new_standards"}


@dataclass(frozen=True, slots=True)
class TableReading:
    """One file. `table` is a key of ROW_TYPES ('' if unknown); `outcome` accept, accept_with_problems, reject or
    reject_fields; `accepted` and `rejected` count rows (fields in the basic table)."""

    table: str
    path: str
    outcome: str
    data_rows: int = 0
    accepted: int = 0
    rejected: int = 0
    problems: tuple[Problem, ...] = ()
    sheets_imported: tuple[str, ...] = ()
    sheets_ignored: tuple[tuple[str, str], ...] = ()
    layout: str | None = None
    skipped: Mapping[str, int] | None = None
    reject_code: str | None = None
    records: tuple[Row, ...] = field(default=(), repr=False)

    @classmethod
    def refused(cls, path: str, table: str, problem: Problem) -> TableReading:
        """The reading of a file that was refused as a whole."""
        return cls(table, path, "reject", problems=(problem,), reject_code=problem.code)

    @property
    def is_refused(self) -> bool:
        return self.outcome == "reject"

    @property
    def problem_counts(self) -> dict[str, int]:
        return dict(Counter(problem.code for problem in self.problems))

    @property
    def accepted_rows(self) -> tuple[Row, ...]:
        """The rows without an error."""
        return tuple(row for row in self.records if row.accepted)

    def to_json(self) -> dict[str, Any]:
        """One entry of `files[]`."""
        rows = {"data_rows": self.data_rows, "accepted": self.accepted}
        if self.table == "capability" or self.is_refused:
            rows["rejected"] = self.rejected
        shown: dict[str, Any] = {
            "path": self.path,
            "table": self.table,
            "outcome": self.outcome,
            "rows": rows,
            "problem_counts": self.problem_counts,
            "problems": [problem.to_json() for problem in self.problems],
            "sheets_imported": list(self.sheets_imported),
            "sheets_ignored": [{"name": name, "why": why} for name, why in self.sheets_ignored],
        }
        if self.layout is not None:
            shown["layout"] = self.layout
        if self.skipped is not None:
            shown["skipped"] = dict(self.skipped)
        if self.reject_code is not None:
            shown["reject_code"] = self.reject_code
            shown["message"] = {
                language: self.problems[0].message(language) for language in ("en", "zh") if self.problems
            }
        return shown

    def to_wire(self) -> dict[str, Any]:
        """Everything, records included, as JSON-ready values."""
        return self.to_json() | {
            "counts": [self.data_rows, self.accepted, self.rejected],
            "records": _packed(self),
        }

    @classmethod
    def from_wire(cls, shown: Mapping[str, Any]) -> TableReading:
        """The reverse of `to_wire`. Raises KeyError, TypeError or ValueError when it is not such a value."""
        data_rows, accepted, rejected = shown["counts"]
        return cls(
            shown["table"],
            shown["path"],
            shown["outcome"],
            data_rows,
            accepted,
            rejected,
            tuple(Problem.from_json(problem) for problem in shown["problems"]),
            tuple(shown["sheets_imported"]),
            tuple((entry["name"], entry["why"]) for entry in shown["sheets_ignored"]),
            shown.get("layout"),
            shown.get("skipped"),
            shown.get("reject_code"),
            _unpacked(shown["table"], shown["records"]),
        )


@dataclass(frozen=True, slots=True)
class PackageReading:
    """The files of one package, in the order given, read together (rules T4 and T5 look across files)."""

    tables: tuple[TableReading, ...]

    def find(self, table: str) -> TableReading | None:
        """The first file that was read as this table, or None."""
        return next(
            (reading for reading in self.tables if reading.table == table and not reading.is_refused), None
        )

    @property
    def facts(self) -> ApplicationFacts | None:
        """The typed application fields, or None when the basic table is missing or was refused."""
        reading = self.find("basic")
        facts = reading.records[0] if reading and reading.records else None
        return facts if isinstance(facts, ApplicationFacts) else None

    def to_json(self) -> dict[str, Any]:
        """`{"files": [...]}`."""
        return {"files": [reading.to_json() for reading in self.tables]}

    def to_wire(self) -> dict[str, Any]:
        return {"tables": [reading.to_wire() for reading in self.tables]}

    @classmethod
    def from_wire(cls, shown: Mapping[str, Any]) -> PackageReading:
        return cls(tuple(TableReading.from_wire(reading) for reading in shown["tables"]))


def _packed(reading: TableReading) -> list[list[Any]]:
    names = [f.name for f in dataclasses.fields(ROW_TYPES[reading.table])] if reading.records else []
    return [
        [
            value.isoformat() if isinstance(value, date) else value
            for value in (getattr(row, name) for name in names)
        ]
        for row in reading.records
    ]


def _unpacked(table: str, packed: list[list[Any]]) -> tuple[Row, ...]:
    if not packed:
        return ()
    kind: Any = ROW_TYPES[table]
    names = [f.name for f in dataclasses.fields(kind)]
    dates = [index for index, name in enumerate(names) if name in _DATES]
    numbers = [index for index, name in enumerate(names) if name in _NUMBERS]
    for values in packed:
        for index in dates:
            values[index] = date.fromisoformat(values[index]) if values[index] else None
        for index in numbers:
            values[index] = tuple(values[index])
    return tuple(kind(*values) for values in packed)
