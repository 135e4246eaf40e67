"""Putting a reading into the dossier: rows and problems replaced in one go, and the form's fields offered."""
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert

from store.dossier_facts import Catalogues
from store.dossier_values import Agency, Difference, Reading, Sections
from store.records.applications import (
    CapabilityRowRecord,
    DossierRowRecord,
    TableProblemRecord,
    TableReadingRecord,
)
from store.records.columns import table_of

_BATCH = 5000
_MANDATORY = re.compile(r"GB[ZJ]?[0-9]")   # GB without /T or /Z is compulsory (Standardisation Law art. 2)
REFUSED_ROWS = "capability_refused"         # rows of 附表1 that were not accepted, kept to be shown
_EXCERPT = 60                               # characters of a row quoted as a reason


def write_reading(connection: Connection, case_id: int, upload_id: int, reading: Reading, at: datetime, *,
                  catalogues: Catalogues, domains: Mapping[str, str]) -> None:
    """Replace what was read of this table before. `domains` maps folded standard numbers to sector/section."""
    clear_reading(connection, case_id, reading.table)
    summary = _summary(reading, catalogues, domains)
    connection.execute(insert(table_of(TableReadingRecord)), {
        "case_id": case_id, "table_name": reading.table, "upload_id": upload_id, "outcome": reading.outcome,
        "reject_code": reading.reject_code, "data_rows": reading.data_rows, "accepted": reading.accepted,
        "problem_counts": dict(reading.problem_counts), "summary": summary, "read_at": at})
    _in_batches(connection, table_of(TableProblemRecord), (
        {"case_id": case_id, "table_name": reading.table, "code": p.code, "severity": p.severity, "sheet": p.sheet,
         "sheet_row": p.row, "cell": p.cell, "detail": {**_plain(p.detail), "column": p.column}}
        for p in reading.problems))
    if reading.table == "capability":
        _write_capability(connection, case_id, reading, domains)
    else:
        _in_batches(connection, table_of(DossierRowRecord), (
            {"case_id": case_id, "table_name": reading.table, "ordinal": n, "values": _plain(asdict(row))}
            for n, row in enumerate(reading.records, 1)))


def clear_reading(connection: Connection, case_id: int, table: str) -> None:
    names = (table, REFUSED_ROWS) if table == "capability" else (table,)
    for record in (TableProblemRecord, DossierRowRecord, TableReadingRecord):
        target = table_of(record)
        connection.execute(delete(target).where(target.c.case_id == case_id, target.c.table_name.in_(names)))
    if table == "capability":
        connection.execute(delete(CapabilityRowRecord).where(CapabilityRowRecord.case_id == case_id))


def _write_capability(connection: Connection, case_id: int, reading: Reading, domains: Mapping[str, str]) -> None:
    warned = {(p.sheet, p.row) for p in reading.problems if p.severity == "warning"}
    accepted = [row for row in reading.records if row.accepted]
    _in_batches(connection, table_of(CapabilityRowRecord), (
        {"case_id": case_id, "ordinal": n, "sheet": row.sheet, "sheet_row": row.row, "site": row.site,
         "section": row.section or _domain(row.standards, domains), "category": row.category, "object": row.object,
         "parameter": row.parameter, "standards": list(row.standards), "standard_text": row.standard_text,
         "limit_text": row.limit, "note": row.note, "warned": (row.sheet, row.row) in warned, "standing": "open",
         "ways": "", "reason": "", "confirmed_by": None}
        for n, row in enumerate(accepted, 1)))
    refused = (row for row in reading.records if not row.accepted)
    _in_batches(connection, table_of(DossierRowRecord), (
        {"case_id": case_id, "table_name": REFUSED_ROWS, "ordinal": n, "values": _plain(asdict(row))}
        for n, row in enumerate(refused, 1)))


def _in_batches(connection: Connection, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            connection.execute(insert(table), batch)
            batch = []
    if batch:
        connection.execute(insert(table), batch)


def _summary(reading: Reading, catalogues: Catalogues, domains: Mapping[str, str]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "errors": sum(1 for p in reading.problems if p.severity == "error"),
        "warnings": sum(1 for p in reading.problems if p.severity == "warning"),
        "sheets": list(reading.sheets_imported), "ignored": [list(entry) for entry in reading.sheets_ignored]}
    accepted = [row for row in reading.records if row.accepted]
    if reading.table == "capability":
        summary["sections"] = dict(Counter(row.section or _domain(row.standards, domains) for row in accepted))
        summary["sites"] = [site for site in dict.fromkeys(row.site for row in accepted) if site]
        summary["mandatory"] = any(_MANDATORY.match(number) for row in accepted for number in row.standards)
        summary["excluded"] = _excluded(accepted, catalogues)
    elif reading.table == "staff":
        summary["titles"] = dict(Counter(row.title or "" for row in accepted))
    return summary


def _domain(standards: Iterable[str], domains: Mapping[str, str]) -> str:
    """The section that the first catalogued standard belongs to, for tables without section bars."""
    return next((domains[n].rpartition("/")[2] for n in standards if domains.get(n)), "")


def _excluded(rows: list[Any], catalogues: Catalogues) -> dict[str, str]:
    """Exclusion key -> the words in which its field was found; judged by division and day later."""
    found: dict[str, str] = {}
    for exclusion in catalogues.exclusions:
        for row in rows:
            text = f"{row.section} {row.category} {row.object} {row.parameter}"
            if any(word in text for word in exclusion.keywords):
                found[exclusion.key] = f"{row.object} / {row.parameter}"[:_EXCERPT]
                break
    return found


def _plain(value: Any) -> Any:
    """JSON without dates or floats, so that it can be digested canonically."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, float) else value


# -- the form 申请书基本信息 ---------------------------------------------------------------------------------

_FIELDS = {
    "name": ("overview", "name"), "registered_address": ("overview", "address"),
    "address": ("overview", "lab_address"), "postcode": ("overview", "postcode"), "email": ("overview", "email"),
    "legal_person": ("overview", "legal_person"), "responsible_person": ("overview", "responsible_person"),
    "contact": ("overview", "contact"), "phone": ("overview", "contact_phone"),
    "mobile": ("overview", "contact_mobile"), "certificate_number": ("cover", "certificate_held"),
    "applied_on": ("cover", "applied_on"),
}
_KINDS = {"企业": "enterprise", "事业": "institution", "社团": "social", "社会团体": "social", "其他": "other"}


def offered_by_form(facts: Mapping[str, Any], catalogues: Catalogues) -> dict[tuple[str, str], Any]:
    """(section, field) -> value, for everything that the uploaded form says."""
    offered: dict[tuple[str, str], Any] = {}
    for name, place in _FIELDS.items():
        if facts.get(name):
            offered[place] = str(facts[name])
    if types := _types_in(str(facts.get("application_type") or ""), catalogues):
        offered["cover", "types"] = types
    if setting := str(facts.get("legal_setting") or ""):
        offered["overview", "legal_setting"] = "dependent" if "非独立" in setting else "independent"
    if kind := next((k for word, k in _KINDS.items() if word in str(facts.get("legal_kind") or "")), ""):
        offered["overview", "legal_kind"] = kind
    return offered


def _types_in(text: str, catalogues: Catalogues) -> list[str]:
    """The kinds of application named in a cell such as 复查、扩项; longer names first, so none hides in another."""
    names = sorted(((alias, row["key"]) for row in catalogues.types for alias in row["aliases"]),
                   key=lambda pair: -len(pair[0]))
    found: set[str] = set()
    for alias, key in names:
        if alias in text:
            found.add(key)
            text = text.replace(alias, " ")
    return [row["key"] for row in catalogues.types if row["key"] in found]


def differences(facts: Mapping[str, Any], sections: Sections, agency: Agency,
                catalogues: Catalogues) -> tuple[Difference, ...]:
    """Where form and sections disagree; the credit code is the agency's own and can only be corrected in the file."""
    found = [Difference(section, name, sections.get(section, {}).get(name), value)
             for (section, name), value in offered_by_form(facts, catalogues).items()
             if sections.get(section, {}).get(name) not in (None, "", [], value)]
    if facts.get("uscc") and facts["uscc"] != agency.uscc:
        found.append(Difference("overview", "uscc", agency.uscc, facts["uscc"]))
    return tuple(found)
