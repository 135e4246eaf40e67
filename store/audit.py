"""Writing the audit: one entry per act, chained by hash within its stream, never changed afterwards.

hash = SHA-256(hash of the entry before || RFC 8785 canonical JSON of the entry), so any later change of an entry,
or of their order, breaks the chain from there on. Both hashes go in as hexadecimal text.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring as _quoted
from typing import Any

import rfc8785
from sqlalchemy import Connection, and_, or_, select, text

from store.records.audit import AuditRecord
from store.records.cases import CaseRecord
from store.records.columns import table_of
from store.together import Adding
from workflow.vocabulary import Actor

GENESIS = "0" * 64
_CASE = table_of(CaseRecord)
ENTRY = Adding(
    table_of(AuditRecord),
    *("seq", "at", "action", "source", "target", "account_id", "person_id", "actor_name", "role"),
    *("department", "command_id", "version", "payload", "hash"),
)
_CANONICAL_ORDER = (
    "account", "action", "at", "case", "command", "department", "name", "payload", "person", "role", "seq",
    "source", "stream", "target", "version",
)  # fmt: skip
_EXACT = 2**53 - 1  # beyond it JSON has no whole numbers
_LOCK_STREAM = text("SELECT pg_advisory_xact_lock(hashtextextended(:stream, 0))")


def chained(previous: str, entry: Mapping[str, Any]) -> str:
    """The hash of an entry after `previous`. `entry` is what `entry_content` gives: JSON values without floats.

    What an entry may hold is written in RFC 8785's form here, for speed; a test compares it with the library.
    """
    said = ",".join([
        f'"{name}":{_quoted(value) if type(value := entry[name]) is str else _canonical(value)}'
        for name in _CANONICAL_ORDER
    ])  # fmt: skip
    return hashlib.sha256(f"{previous}{{{said}}}".encode()).hexdigest()


def _canonical(value: Any) -> str:
    """RFC 8785: keys in the order of their UTF-16 units, text as Python's C encoder escapes it."""
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if value is None:
        return "null"
    if kind is int and -_EXACT <= value <= _EXACT:
        return str(value)
    if kind is dict:
        keys = sorted(value, key=_utf_16) if len(value) > 1 else value
        return "{" + ",".join([
            f"{_quoted(key)}:{_quoted(said) if type(said := value[key]) is str else _canonical(said)}" for key in keys
        ]) + "}"  # fmt: skip
    if kind is list or kind is tuple:
        return "[" + ",".join([_canonical(part) for part in value]) + "]"
    return rfc8785.dumps(value).decode()  # true, false, and its own words for what no entry may hold


def _utf_16(key: str) -> bytes:
    return key.encode("utf-16-be")


def stream_of(row: Mapping[str, Any]) -> str:
    """The stream of an audit row: its own word, or that of its case."""
    return str(row["stream"] or f"case:{row['case_id']}")


def entry_content(row: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an audit row that is hashed; the same for writer and verifier."""
    return {
        "stream": stream_of(row),
        "seq": row["seq"],
        "case": row["case_id"],
        "at": row["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        "action": row["action"],
        "source": row["source"],
        "target": row["target"],
        "account": str(row["account_id"]),
        "person": row["person_id"],
        "name": row["actor_name"],
        "role": row["role"],
        "department": row["department"],
        "command": row["command_id"],
        "version": row["version"],
        "payload": row["payload"],
    }


def audit_row(
    *,
    seq: int,
    previous: str,
    stream: str | None = None,
    at: datetime,
    actor: Actor,
    action: str,
    role: str,
    source: str | None = None,
    target: str | None = None,
    case_id: int | None = None,
    command_id: str | None = None,
    version: int = 0,
    payload: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A complete row with its hash, ready to insert: of a case, or of the `stream` named."""
    row: dict[str, Any] = {
        "stream": stream,
        "seq": seq,
        "case_id": case_id,
        "at": at,
        "action": action,
        "source": source,
        "target": target,
        "account_id": actor.account_id,
        "person_id": actor.person_id,
        "actor_name": actor.name,
        "role": role,
        "department": actor.department,
        "command_id": command_id,
        "version": version,
        "payload": {**(payload or {}), **in_stead(actor)},
    }
    row["hash"] = chained(previous, entry_content(row))
    return row


def in_stead(actor: Actor) -> dict[str, Any]:
    """For whom the actor acts, as an entry tells it under `for`: delegation, person and name; nothing for oneself.

    No command has a field of that name, which is a reserved word. The database refuses an entry whose delegation
    is not in force (`store.records.delegations`).
    """
    if (principal := actor.acting_for) is None:
        return {}
    told = {"delegation": principal.delegation.id, "person": principal.person_id, "name": principal.name}
    return {"for": told}


def write(connection: Connection, rows: list[dict[str, Any]]) -> None:
    connection.execute(ENTRY.alone, rows[0] if len(rows) == 1 else rows)


def append(
    connection: Connection,
    stream: str,
    at: datetime,
    actor: Actor,
    action: str,
    role: str,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """One entry on a stream that is not a case (accounts, reference data, certificates entered by hand).

    A case's stream is guarded by the lock of its row; these by a lock of their own until the transaction ends.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_STREAM, {"stream": stream})
    last = connection.execute(
        select(AuditRecord.seq, AuditRecord.hash)
        .where(AuditRecord.stream == stream)
        .order_by(AuditRecord.seq.desc())
        .limit(1)
    ).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
    write(
        connection,
        [
            audit_row(
                stream=stream,
                seq=seq,
                previous=previous,
                at=at,
                actor=actor,
                action=action,
                role=role,
                payload=payload,
            )
        ],
    )


def broken_links(connection: Connection, stream: str | None = None) -> list[tuple[str, int]]:
    """Every (stream, seq) whose hash or link does not hold; empty when the audit is whole.

    The head that a case keeps of its own stream is compared as well, so that a stream which was cut short,
    emptied or prolonged is found. Ask within one snapshot (`Database.reading`).
    """
    table = table_of(AuditRecord)
    query = select(table).order_by(table.c.stream, table.c.case_id, table.c.seq)
    heads = select(_CASE.c.id, _CASE.c.audit_seq, _CASE.c.audit_hash)
    if stream:
        kind, _, key = stream.partition(":")
        case_id = int(key) if kind == "case" and key.isdigit() else 0
        query = query.where(or_(table.c.stream == stream, and_(table.c.stream.is_(None), table.c.case_id == case_id)))
        heads = heads.where(_CASE.c.id == case_id)
    broken: list[tuple[str, int]] = []
    ends: dict[str, tuple[int, str]] = {}
    current, seq, previous = "", 0, GENESIS
    for found in connection.execution_options(yield_per=1000).execute(query).mappings():
        row = dict(found)
        if stream_of(row) != current:
            current = stream_of(row)
            seq, previous = ends.get(current, (0, GENESIS))
        seq += 1
        if row["seq"] != seq or row["hash"] != chained(previous, entry_content(row)):
            broken.append((current, row["seq"]))
        seq, previous = row["seq"], row["hash"]
        ends[current] = (seq, previous)
    for case in connection.execute(heads):
        name, head = f"case:{case.id}", (case.audit_seq, case.audit_hash)
        if ends.pop(name, None) != head and (name, case.audit_seq) not in broken:
            broken.append((name, case.audit_seq))
    # a stream whose case is gone
    return broken + [(name, end[0]) for name, end in ends.items() if name.startswith("case:")]
