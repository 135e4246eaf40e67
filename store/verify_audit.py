"""Check the audit of a database without any of this product's code: python store/verify_audit.py DATABASE

DATABASE is a SQLite file or a postgresql:// address. Every entry must carry the hash of what it says after the
one before it, the numbers of a stream must run from 1 without a gap, and each case must know the last entry of
its own stream. Prints one JSON object {"entries": n, "streams": n, "broken": [[stream, seq, why], ...]} and
leaves with 1 when anything is broken. Needs Python alone, and psycopg for PostgreSQL.
"""

import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64
COLUMNS = (
    "stream", "seq", "case_id", "at", "action", "source", "target", "account_id", "person_id", "actor_name", "role",
    "department", "command_id", "version", "payload", "hash",
)  # fmt: skip
ENTRIES = f"SELECT {', '.join(COLUMNS)} FROM audit_entry ORDER BY stream, case_id, seq"  # noqa: S608  # our own constants
HEADS = 'SELECT id, audit_seq, audit_hash FROM "case"'


def canonical(value: Any) -> str:
    """RFC 8785 for what an entry may hold: objects, lists, text, whole numbers, true, false, null."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: k.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(k)}:{canonical(value[k])}" for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        raise ValueError("an entry holds no fractions")
    return json.dumps(value, ensure_ascii=False)


def stream_of(row: dict[str, Any]) -> str:
    """A case's own entries are named by the case alone."""
    return str(row["stream"] or f"case:{row['case_id']}")


def expected_hash(previous: str, row: dict[str, Any]) -> str:
    entry = {
        "stream": stream_of(row),
        "seq": row["seq"],
        "case": row["case_id"],
        "at": moment(row["at"]),
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
        "payload": json.loads(row["payload"]) if isinstance(row["payload"], str) else row["payload"],
    }
    return hashlib.sha256((previous + canonical(entry)).encode()).hexdigest()


def moment(at: str | datetime) -> str:
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.isoformat(timespec="microseconds")


def check(entries: Iterable[tuple[Any, ...]], heads: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    """Walk through every stream and compare its end with what its case knows."""
    broken: list[tuple[str, int, str]] = []
    ends: dict[str, tuple[int, str]] = {}
    count = 0
    for values in entries:
        row = dict(zip(COLUMNS, values, strict=True))
        stream, said = stream_of(row), row["hash"].hex() if isinstance(row["hash"], bytes) else str(row["hash"])
        seq, previous = ends.get(stream, (0, GENESIS))
        count += 1
        if row["seq"] != seq + 1:
            broken.append((stream, row["seq"], f"entries {seq + 1} to {row['seq'] - 1} are missing"))
        try:
            if said != expected_hash(previous, row):
                broken.append((stream, row["seq"], "does not say what it said, or follows another entry"))
        except (ValueError, TypeError) as error:
            broken.append((stream, row["seq"], f"cannot be read: {error}"))
        ends[stream] = (row["seq"], said)
    cases = {f"case:{key}": (seq, head) for key, seq, head in heads}
    for stream, head in cases.items():
        if ends.get(stream) != head:
            broken.append((stream, head[0], "the case knows another last entry"))
    broken += [(s, e[0], "its case is gone") for s, e in ends.items() if s.startswith("case:") and s not in cases]
    return {"entries": count, "streams": len(ends), "broken": broken}


def verify(address: str) -> dict[str, Any]:
    """Check the database at that address, all of it in one snapshot."""
    if address.startswith("postgresql"):
        import psycopg

        with psycopg.connect(address.replace("postgresql+psycopg:", "postgresql:", 1)) as server:
            server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            server.read_only = True
            return check(server.execute(ENTRIES.encode()), server.execute(HEADS.encode()))
    with closing(sqlite3.connect(f"file:{address.removeprefix('sqlite:///')}?mode=ro", uri=True)) as file:
        file.execute("BEGIN")
        return check(file.execute(ENTRIES), file.execute(HEADS))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    found = verify(arguments[0])
    print(json.dumps(found, ensure_ascii=False))
    return 1 if found["broken"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
