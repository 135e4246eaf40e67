"""The floor: the driver alone, one table of cases, one of entries, and nothing else."""

import json
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bench.peers.pace import DEPARTMENTS, SQLITE, postgresql, serve, sqlite_file

FACTS = json.dumps({"departments": DEPARTMENTS})


def on_postgresql(url: str) -> tuple[Callable[[], None], str]:
    import psycopg

    connection = psycopg.connect(postgresql(url))
    execute = connection.execute
    execute("CREATE TABLE raw_case (id bigserial PRIMARY KEY, state text, version int, facts jsonb, "
            "changed_at timestamptz)")  # fmt: skip
    execute("CREATE TABLE raw_entry (id bigserial PRIMARY KEY, case_id bigint REFERENCES raw_case, action text, "
            "who text, at timestamptz, payload jsonb)")  # fmt: skip
    execute("CREATE INDEX ON raw_entry (case_id, id)")
    connection.commit()

    def run() -> None:
        insert = "INSERT INTO raw_case (state, version, facts, changed_at) VALUES ('draft', 1, %s, %s) RETURNING id"
        row: Any = execute(insert, (FACTS, datetime.now(UTC))).fetchone()
        connection.commit()
        for step in range(2, 11):
            now = datetime.now(UTC)
            execute("SELECT * FROM raw_case WHERE id = %s FOR UPDATE", row).fetchone()
            execute("UPDATE raw_case SET state = %s, version = %s, changed_at = %s WHERE id = %s",
                    (f"state {step}", step, now, row[0]))  # fmt: skip
            execute("INSERT INTO raw_entry (case_id, action, who, at, payload) VALUES (%s, %s, %s, %s, %s)",
                    (row[0], f"step {step}", "somebody", now, "{}"))  # fmt: skip
            connection.commit()

    return run, f"psycopg {psycopg.__version__}"


def on_sqlite(path: str) -> tuple[Callable[[], None], str]:
    connection = sqlite3.connect(path, isolation_level=None)
    execute = connection.execute
    for pragma in SQLITE:
        execute(f"PRAGMA {pragma}")
    execute("CREATE TABLE raw_case (id INTEGER PRIMARY KEY, state TEXT, version INTEGER, facts TEXT, changed_at TEXT)")
    execute("CREATE TABLE raw_entry (id INTEGER PRIMARY KEY, case_id INTEGER REFERENCES raw_case, action TEXT, "
            "who TEXT, at TEXT, payload TEXT)")  # fmt: skip
    execute("CREATE INDEX raw_entry_case ON raw_entry (case_id, id)")
    keys = count(1)

    def run() -> None:
        key, now = next(keys), datetime.now(UTC).isoformat()
        execute("BEGIN IMMEDIATE")
        execute("INSERT INTO raw_case VALUES (?, 'draft', 1, ?, ?)", (key, FACTS, now))
        execute("COMMIT")
        for step in range(2, 11):
            now = datetime.now(UTC).isoformat()
            execute("BEGIN IMMEDIATE")
            execute("SELECT * FROM raw_case WHERE id = ?", (key,)).fetchone()
            execute("UPDATE raw_case SET state = ?, version = ?, changed_at = ? WHERE id = ?",
                    (f"state {step}", step, now, key))  # fmt: skip
            execute("INSERT INTO raw_entry (case_id, action, who, at, payload) VALUES (?, ?, ?, ?, ?)",
                    (key, f"step {step}", "somebody", now, "{}"))  # fmt: skip
            execute("COMMIT")

    return run, f"sqlite {sqlite3.sqlite_version}"


if __name__ == "__main__":
    file = sqlite_file(sys.argv[1])
    serve(*(on_sqlite(file) if file else on_postgresql(sys.argv[1])))
