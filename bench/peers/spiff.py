"""SpiffWorkflow as its guide stores it: the workflow serialized into its row, read back before every step."""

import sqlite3
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer

from bench.peers.pace import DEPARTMENTS, SQLITE, postgresql, serve, sqlite_file

STEPS = ("submit", "accept", *(f"sign_{d}" for d in DEPARTMENTS), "grant", "issue", "close")


class Spiff:
    """A row per case with the whole workflow as JSON, and a row per step: who, when, what."""

    def __init__(self, url: str) -> None:
        parser = BpmnParser()
        parser.add_bpmn_file(str(Path(__file__).parent / "reference_case.bpmn"))
        self.spec = parser.get_spec("reference_case")
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
        self.file = sqlite_file(url)
        if self.file:
            self.connection: Any = sqlite3.connect(self.file, isolation_level=None)
            for pragma in SQLITE:
                self.connection.execute(f"PRAGMA {pragma}")
            key, big, moment, self.mark, self.lock = "INTEGER PRIMARY KEY", "INTEGER", "TEXT", "?", ""
        else:
            import psycopg

            self.connection = psycopg.connect(postgresql(url))
            key, big, moment, self.mark = "bigserial PRIMARY KEY", "bigint", "timestamptz", "%s"
            self.lock = " FOR UPDATE"
        with self.step():
            self.execute(f"CREATE TABLE spiff_case (id {key}, state text, changed_at {moment})")
            self.execute(f"CREATE TABLE spiff_entry (id {key}, case_id {big} REFERENCES spiff_case, action text, "
                         f"who text, at {moment})")  # fmt: skip
            self.execute("CREATE INDEX spiff_entry_case ON spiff_entry (case_id, id)")

    def execute(self, words: str, values: tuple[Any, ...] = ()) -> Any:
        return self.connection.execute(words.replace("?", self.mark), values)

    @contextmanager
    def step(self) -> Any:
        if self.file:
            self.connection.execute("BEGIN IMMEDIATE")
        yield
        self.connection.commit()

    def now(self) -> Any:
        return datetime.now(UTC).isoformat() if self.file else datetime.now(UTC)

    def run(self) -> None:
        with self.step():
            workflow = BpmnWorkflow(self.spec)
            workflow.do_engine_steps()
            key = self.execute("INSERT INTO spiff_case (state, changed_at) VALUES (?, ?) RETURNING id",
                               (self.serializer.serialize_json(workflow), self.now())).fetchone()[0]  # fmt: skip
        for name in STEPS:
            with self.step():
                said = self.execute(f"SELECT state FROM spiff_case WHERE id = ?{self.lock}", (key,)).fetchone()[0]
                workflow = self.serializer.deserialize_json(said)
                task = next(t for t in workflow.get_tasks(state=TaskState.READY) if t.task_spec.name == name)
                task.run()
                workflow.do_engine_steps()
                self.execute("UPDATE spiff_case SET state = ?, changed_at = ? WHERE id = ?",
                             (self.serializer.serialize_json(workflow), self.now(), key))  # fmt: skip
                self.execute("INSERT INTO spiff_entry (case_id, action, who, at) VALUES (?, ?, ?, ?)",
                             (key, name, "somebody", self.now()))  # fmt: skip
        assert workflow.is_completed()


if __name__ == "__main__":
    serve(Spiff(sys.argv[1]).run, f"SpiffWorkflow {version('spiffworkflow')}")
