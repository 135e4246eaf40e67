"""Reference data in the database: seeded from `reference/`, read as plain values, replaceable by an administrator."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy import Connection, delete, func, insert, select, update

from store import audit
from store.database import Database
from store.law import REVISION, LawBook
from store.procedure_versions import ProcedureVersions
from store.records.reference import (
    AllowanceRecord,
    CalendarYearRecord,
    CatalogueEntryRecord,
    SettingRecord,
    StandardRecord,
)
from workflow.deadlines import Allowance, CalendarYear, proofread
from workflow.vocabulary import N_, SYSTEM, Actor, Message, Refusal

DIRECTORY = Path(__file__).parent.parent / "reference"

# Catalogue name -> the field that identifies an entry. The file of the same name holds the entries in `rows`.
CATALOGUES = {
    "application_types": "key",
    "authorities": "code",
    "checklist": "no",
    "commitment_criteria": "key",
    "commitment_exclusions": "key",
    "confirmation_ways": "key",
    "department_calls": "section",
    "departments": "key",
    "fields": "code",
    "industries": "code",
    "materials": "key",
}
NOTICE = "commitment_notice"
SWITCH = "switch:"  # the settings of the rule table
_BATCH = 2000


class Reference:
    """Reads of reference data. Catalogues are small and read whole; standards are read as an iterable of rows."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def catalogue(self, name: str) -> tuple[dict[str, Any], ...]:
        """The entries of a small catalogue in their order, each a mapping as in its file."""
        entry = CatalogueEntryRecord
        with self.database.reading() as connection:
            return tuple(
                connection.scalars(
                    select(entry.content).where(entry.catalogue == name).order_by(entry.ordinal)
                )
            )

    def particulars(self, name: str) -> dict[str, Any]:
        """What a catalogue's file says beside its rows (defaults, fallback, source)."""
        return self.setting(f"catalogue:{name}") or {}

    def setting(self, name: str) -> dict[str, Any] | None:
        with self.database.reading() as connection:
            return connection.scalar(select(SettingRecord.content).where(SettingRecord.name == name))

    def put_setting(self, name: str, content: Mapping[str, Any]) -> None:
        with self.database.writing() as connection:
            put_setting(connection, name, content)

    def switches(self) -> tuple[dict[str, Any], ...]:
        """The rule table: key, words, the values there are and the one in force."""
        with self.database.reading() as connection:
            return tuple(connection.scalars(select(SettingRecord.content).where(
                SettingRecord.name.like(f"{SWITCH}%")).order_by(SettingRecord.name)))

    def turn_switch(self, key: str, value: str, actor: Actor = SYSTEM) -> str:
        """Decide which way a matter takes from now on; returns the value before. It is in the audit.

        Applications take the new way when they are next saved. Raises Refusal: unknown, malformed.
        """
        with self.database.writing() as connection:
            row = connection.scalar(select(SettingRecord.content).where(SettingRecord.name == f"{SWITCH}{key}"))
            if row is None:
                raise Refusal("unknown", Message(N_("There is no switch called %(name)s."), {"name": key}))
            if value not in row["values"]:
                raise Refusal("malformed", Message(N_("%(name)s takes one of: %(values)s."),
                                                   {"name": key, "values": list(row["values"])}))
            put_setting(connection, f"{SWITCH}{key}", {**row, "value": value})
            audit.append(connection, "reference", self.database.clock.now(), actor, "turn_switch", "administrator",
                         {"switch": key, "from": row["value"], "to": value})
            return str(row["value"])

    def standards(self) -> list[dict[str, Any]]:
        """Every catalogued standard: full_number, title_zh, domain, status, replaced_by."""
        s = StandardRecord
        with self.database.reading() as connection:
            rows = connection.execute(
                select(s.number, s.title, s.domain, s.status, s.replaced_by).order_by(s.number)
            )
            return [
                {
                    "full_number": r.number,
                    "title_zh": r.title,
                    "domain": r.domain,
                    "status": r.status,
                    "replaced_by": r.replaced_by,
                }
                for r in rows
            ]

    def commitment_notice(self) -> dict[str, Any]:
        """The notice and commitment in force: the newest version, with its parts."""
        content = self.setting(f"catalogue:{NOTICE}")
        assert content is not None, "reference data is not seeded"
        return dict(content["versions"][-1])


def put_setting(connection: Connection, name: str, content: Mapping[str, Any]) -> None:
    changed = connection.execute(
        update(SettingRecord).where(SettingRecord.name == name).values(content=dict(content))
    ).rowcount
    if not changed:
        connection.execute(insert(SettingRecord), {"name": name, "content": dict(content)})


def seed(database: Database, directory: Path = DIRECTORY) -> bool:
    """Load reference data that is not there yet, and enter the shipped procedures; what an administrator has
    replaced stays. True if any data was loaded."""
    with database.writing() as connection:
        loaded = [name for name, load in _LOADERS.items() if _load_once(connection, name, load, directory)]
        if "allowances" not in loaded and _add_allowances(connection, directory):
            loaded.append("new_allowances")  # a release brought limits that this installation never had
        if loaded:
            revision = connection.scalar(select(SettingRecord.content).where(SettingRecord.name == REVISION))
            put_setting(connection, REVISION, {"revision": (revision or {"revision": 0})["revision"] + 1})
            audit.append(
                connection,
                "reference",
                database.clock.now(),
                SYSTEM,
                "seed_reference",
                "system",
                {"loaded": loaded},
            )
    ProcedureVersions(database, LawBook(database)).enter_shipped()
    return bool(loaded)


def _load_once(connection: Connection, name: str, load: Any, directory: Path) -> bool:
    mark = f"seeded:{name}"
    if connection.scalar(select(func.count()).select_from(SettingRecord).where(SettingRecord.name == mark)):
        return False
    load(connection, directory)
    put_setting(connection, mark, {"done": True})
    return True


def _yaml(path: Path) -> Any:
    """A YAML file as JSON values (dates as ISO text)."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(path.read_text("utf-8")), default=str))


def read_catalogue_file(directory: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a catalogue as its file has them, without a database."""
    return list(_yaml(directory / f"{name}.yaml")["rows"])


def _load_calendar(connection: Connection, directory: Path) -> None:
    for path in sorted((directory / "calendar").glob("CN-*.yaml")):
        content = _yaml(path)
        year = CalendarYear.from_plain(content)  # proof-read before it is stored
        connection.execute(insert(CalendarYearRecord), {"year": year.year, "content": content})


def _load_allowances(connection: Connection, directory: Path) -> None:
    rows = proofread(Allowance.from_plain(r) for r in _yaml(directory / "allowances.yaml")["rows"])
    connection.execute(
        insert(AllowanceRecord),
        [{"name": a.name, "valid_from": a.valid_from, "content": a.plain()} for a in rows],
    )


def _add_allowances(connection: Connection, directory: Path) -> bool:
    """Rows of names that the table does not know; a name that it knows stays as the administrator has it."""
    rows = proofread(Allowance.from_plain(r) for r in _yaml(directory / "allowances.yaml")["rows"])
    known = set(connection.scalars(select(AllowanceRecord.name).distinct()))
    new = [{"name": a.name, "valid_from": a.valid_from, "content": a.plain()} for a in rows if a.name not in known]
    if new:
        connection.execute(insert(AllowanceRecord), new)
    return bool(new)


def _load_standards(connection: Connection, directory: Path) -> None:
    with (directory / "standards.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [
            {
                "number": r["full_number"],
                "title": r["title_zh"],
                "domain": r["domain"],
                "status": r["status"],
                "replaced_by": r["replaced_by"],
                "confidence": r["confidence"],
            }
            for r in csv.DictReader(file)
        ]
    replace_standards(connection, rows)


def replace_standards(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Put a whole new catalogue of standards in place of the present one; the first of equal numbers stays."""
    connection.execute(delete(StandardRecord))
    unique = {row["number"]: dict(row) for row in reversed(list(rows))}
    batch = list(unique.values())
    for start in range(0, len(batch), _BATCH):
        connection.execute(insert(StandardRecord), batch[start : start + _BATCH])
    return len(batch)


def _load_catalogues(connection: Connection, directory: Path) -> None:
    for name, key in CATALOGUES.items():
        content = _yaml(directory / f"{name}.yaml")
        connection.execute(
            insert(CatalogueEntryRecord),
            [
                {"catalogue": name, "code": str(row[key]), "ordinal": n, "content": row}
                for n, row in enumerate(content.pop("rows"), 1)
            ],
        )
        put_setting(connection, f"catalogue:{name}", content)
    put_setting(connection, f"catalogue:{NOTICE}", _yaml(directory / f"{NOTICE}.yaml"))


def _load_switches(connection: Connection, directory: Path) -> None:
    for row in _yaml(directory / "switches.yaml")["rows"]:
        if row["value"] not in row["values"]:
            raise ValueError(f"switches.yaml: {row['key']}: {row['value']} is not one of {', '.join(row['values'])}")
        put_setting(connection, f"{SWITCH}{row['key']}", row)


_LOADERS = {
    "calendar": _load_calendar,
    "allowances": _load_allowances,
    "standards": _load_standards,
    "catalogues": _load_catalogues,
    "switches": _load_switches,
}
