"""Reading the uploads that wait: outside of any transaction, and then all of them put into the dossier at once."""
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from store.dossier_edits import Edit
from store.dossier_readings import clear_reading, offered_by_form, write_reading
from store.dossier_values import Reader, Reading
from store.files import FileStore
from store.people import read_account
from store.records.applications import UploadRecord
from store.records.columns import table_of
from workflow.vocabulary import N_, Actor, Message, Refusal

_UPLOAD = table_of(UploadRecord)
TABLE_TWICE = "TABLE_TWICE"                                  # a code of ours beside the intake's
_READ_TOGETHER = ("basic", "staff", "signatories", "equipment")   # tables whose checks look at each other


def waiting(connection: Connection, case_id: int) -> list[Mapping[str, Any]]:
    """The table files that nobody has read yet, in the order in which they came."""
    return [dict(r) for r in connection.execute(select(_UPLOAD).where(
        _UPLOAD.c.case_id == case_id, _UPLOAD.c.status == "checking", _UPLOAD.c.purpose.like("table:%"))
        .order_by(_UPLOAD.c.id)).mappings()]


def uploader(connection: Connection, upload: Mapping[str, Any]) -> Actor:
    """Who handed the file in, as they are now."""
    account = read_account(connection, upload["account_id"])
    if account is None:
        raise Refusal("unknown", Message(N_("The account that sent this file does not exist any more.")))
    return account.actor()


def companions(connection: Connection, case_id: int) -> list[Mapping[str, Any]]:
    """The tables already read that new ones are checked against."""
    return [dict(r) for r in connection.execute(select(_UPLOAD).where(
        _UPLOAD.c.case_id == case_id, _UPLOAD.c.status == "clean", _UPLOAD.c.replaced_at.is_(None),
        _UPLOAD.c.purpose.in_([f"table:{t}" for t in _READ_TOGETHER])).order_by(_UPLOAD.c.id)).mappings()]


def read_together(files: FileStore, read: Reader, new: Sequence[Mapping[str, Any]],
                  known: Sequence[Mapping[str, Any]]) -> tuple[list[Reading], list[Reading]]:
    """Readings of the new files and of those known tables that none of the new ones replaces.

    New files first, so that a new staff table is the one signatories are looked for in.
    """
    together = [*new, *known]
    readings = list(read([(u["name"], files.get(u["sha256"])) for u in together]))
    fresh, old = readings[:len(new)], readings[len(new):]
    replaced = {r.table for r in fresh if r.outcome != "reject"}
    kept = [r for r in old if r.table not in replaced and r.outcome != "reject"]
    if replaced & {r.table for r in old}:  # the replaced ones must not be looked at across files
        left = [u for u, r in zip(known, old, strict=True) if r.table not in replaced]
        readings = list(read([(u["name"], files.get(u["sha256"])) for u in [*new, *left]]))
        fresh, kept = readings[:len(new)], [r for r in readings[len(new):] if r.outcome != "reject"]
    return fresh, kept


def put_in(edit: Edit, new: Sequence[Mapping[str, Any]], fresh: Sequence[Reading], known: Sequence[Mapping[str, Any]],
           kept: Sequence[Reading], domains: Mapping[str, str]) -> int:
    """Write the readings of one round; returns how many files were usable."""
    still = set(edit.connection.scalars(select(_UPLOAD.c.id).where(
        _UPLOAD.c.case_id == edit.case.id, _UPLOAD.c.status == "checking")))
    taken: set[str] = set()
    for upload, reading in zip(new, fresh, strict=True):
        if upload["id"] not in still:
            continue  # another worker was faster
        if reading.outcome == "reject":
            problem = reading.problems[0]
            _refuse(edit, upload["id"], problem.code, dict(problem.detail))
        elif reading.table in taken:
            _refuse(edit, upload["id"], TABLE_TWICE, {"table": reading.table})
        else:
            taken.add(reading.table)
            _accept(edit, upload["id"], reading, domains)
    by_purpose = {u["purpose"]: u["id"] for u in known}
    for reading in kept:
        if reading.table not in taken and f"table:{reading.table}" in by_purpose:
            write_reading(edit.connection, edit.case.id, by_purpose[f"table:{reading.table}"], reading,
                          edit.moment.at, catalogues=edit.catalogues, domains=domains)
    return len(taken)


def _accept(edit: Edit, upload_id: int, reading: Reading, domains: Mapping[str, str]) -> None:
    purpose = f"table:{reading.table}"
    edit.connection.execute(update(_UPLOAD).where(
        _UPLOAD.c.case_id == edit.case.id, _UPLOAD.c.purpose == purpose, _UPLOAD.c.replaced_at.is_(None)).values(
        replaced_at=edit.moment.at))
    edit.connection.execute(update(_UPLOAD).where(_UPLOAD.c.id == upload_id).values(status="clean", purpose=purpose))
    clear_reading(edit.connection, edit.case.id, reading.table)
    write_reading(edit.connection, edit.case.id, upload_id, reading, edit.moment.at, catalogues=edit.catalogues,
                  domains=domains)
    if reading.table == "basic" and reading.records:
        fill_in(edit, reading.records[0])
    elif reading.table == "capability":
        _fill_sites(edit, [row.site for row in reading.records if row.accepted])


def _fill_sites(edit: Edit, sites: Sequence[str]) -> None:
    """The sites of the capability table, while nobody has named any."""
    found = [site for site in dict.fromkeys(sites) if site]
    values = edit.sections.setdefault("resources", {})
    if found and not str(values.get("sites") or "").strip():
        values["sites"] = "\n".join(found)
        _mark(edit, "resources", {"sites"})


def _refuse(edit: Edit, upload_id: int, code: str, detail: dict[str, Any]) -> None:
    edit.connection.execute(update(_UPLOAD).where(_UPLOAD.c.id == upload_id).values(
        status="refused", refusal={"code": code, "detail": {k: str(v) for k, v in detail.items()}}))


def fill_in(edit: Edit, facts: Any) -> list[str]:
    """Fill the empty fields of the sections from the form; what somebody typed stays and is shown as different.

    Returns "section.field" of what was filled."""
    offered = offered_by_form({name: getattr(facts, name) for name in facts.__dataclass_fields__}, edit.catalogues)
    filled: list[str] = []
    for (section, name), value in offered.items():
        state, values = edit.states.get(section, {}), edit.sections.setdefault(section, {})
        untouched = not state.get("revision") and name in ("types", "applied_on", "lab_address", "contact_phone")
        if values.get(name) == value or (values.get(name) and not untouched):
            continue
        values[name] = value.isoformat() if hasattr(value, "isoformat") else value
        filled.append(f"{section}.{name}")
    for section in dict.fromkeys(f.partition(".")[0] for f in filled):
        _mark(edit, section, {f.partition(".")[2] for f in filled if f.startswith(f"{section}.")})
    return filled


def _mark(edit: Edit, section: str, names: set[str]) -> None:
    """A section changed by what an uploaded table says: a new revision, and which fields came from there."""
    state = edit.states.get(section, {})
    edit.states[section] = {
        "revision": int(state.get("revision", 0)) + 1, "at": edit.moment.at.isoformat(), "by": edit.actor.name,
        "from_table": sorted(names | set(state.get("from_table", ())))}
    edit.touched = True
