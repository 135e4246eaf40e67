"""A full engine step beside raw psycopg.

The reference case: create, submit, accept, four departments sign off in parallel (the last one joins), decide,
issue, close. Ten steps, each with its own durable commit, each reading its state again from the database. The
raw peer does SELECT FOR UPDATE, UPDATE and INSERT ten times; ours writes state, tasks, clocks, the hash-chained
audit and the outgoing jobs as well, through the whole pen.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psycopg
from sqlalchemy import make_url, text

from bench.machine import versions
from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from store.tokens import new_token
from tests.services.postgres import Postgres
from tests.store.factories import agency, applicant_of, department_officer, person, seeded
from workflow import procedures
from workflow.commands import Command, Decide, Plain, RecordSignOff
from workflow.procedure import load
from workflow.vocabulary import Actor, Role

DEPARTMENTS = ("ecology", "construction", "transport", "public_security")
REFERENCE = load(Path(__file__).parent / "reference_case.yaml")
ROUNDS, CASES = 12, 25


def cpu_of(process: int) -> float:
    """Seconds of CPU a process and its living children have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    used = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(entry.name) == process or int(fields[1]) == process:
                used += (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / ticks
    return used


@dataclass
class Peer:
    """One way of doing the reference case, with what it cost."""

    name: str
    run: Callable[[], None]
    rates: list[float] = field(default_factory=list)
    client: float = 0.0
    server: float = 0.0
    cases: int = 0

    def measure(self, server: int, count: int) -> None:
        """Do `count` cases and note wall time and the CPU of both sides."""
        before, client, started = cpu_of(server), time.process_time(), time.perf_counter()
        for _ in range(count):
            self.run()
        self.rates.append(count / (time.perf_counter() - started))
        self.client += time.process_time() - client
        self.server += cpu_of(server) - before
        self.cases += count

    @property
    def cpu(self) -> float:
        """Milliseconds of CPU per case, client and server."""
        return 1000 * (self.client + self.server) / self.cases


class Raw:
    """The floor: one table of cases, one of entries, and nothing else."""

    def __init__(self, url: str) -> None:
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(address)
        self.connection.execute(
            "CREATE TABLE raw_case (id bigserial PRIMARY KEY, state text, version int, facts jsonb, "
            "changed_at timestamptz)"
        )
        self.connection.execute(
            "CREATE TABLE raw_entry (id bigserial PRIMARY KEY, case_id bigint REFERENCES raw_case, action text, "
            "who text, at timestamptz, payload jsonb)"
        )
        self.connection.execute("CREATE INDEX ON raw_entry (case_id, id)")
        self.connection.commit()

    def run(self) -> None:
        execute = self.connection.execute
        facts = json.dumps({"departments": DEPARTMENTS})
        insert = "INSERT INTO raw_case (state, version, facts, changed_at) VALUES ('draft', 1, %s, %s) RETURNING id"
        row = execute(insert, (facts, datetime.now(UTC))).fetchone()
        assert row is not None
        self.connection.commit()
        for step in range(2, 11):
            now = datetime.now(UTC)
            execute("SELECT * FROM raw_case WHERE id = %s FOR UPDATE", row).fetchone()
            execute("UPDATE raw_case SET state = %s, version = %s, changed_at = %s WHERE id = %s",
                    (f"state {step}", step, now, row[0]))  # fmt: skip
            execute("INSERT INTO raw_entry (case_id, action, who, at, payload) VALUES (%s, %s, %s, %s, %s)",
                    (row[0], f"step {step}", "somebody", now, "{}"))  # fmt: skip
            self.connection.commit()


class Ours:
    """The whole pen on the reference procedure."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.cases = CaseStore(self.database, LawBook(self.database))
        self.agency = agency(self.database)
        applicant = applicant_of(self.agency)
        window, leader = person("window-officer", Role.WINDOW_OFFICER), person("leader", Role.LEADER)
        clerk = person("issuing-clerk", Role.ISSUING_CLERK)
        self.applicant = applicant
        self.steps: tuple[tuple[str, Actor, Command], ...] = (
            ("submit", applicant, Plain()),
            ("accept", window, Plain()),
            *(("sign_off", department_officer(d), RecordSignOff()) for d in DEPARTMENTS),
            ("grant", leader, Decide(grounds="符合法定条件")),
            ("issue", clerk, Plain()),
            ("close", clerk, Plain()),
        )

    def run(self) -> None:
        facts = {"departments": list(DEPARTMENTS), "dossier_gaps": [], "rows_total": 1}
        public_id = self.cases.open(REFERENCE, self.applicant, agency_id=self.agency, agency_name="示例检测有限公司",
                                    subject="首次申请", facts=facts)  # fmt: skip
        version = 1
        for name, actor, command in self.steps:
            done = self.cases.perform(public_id, name, actor, command, command_id=new_token(),
                                      expected_version=version)  # fmt: skip
            version = done.version
        assert done.state == "closed", done


def size_of(database: Database, tables: str) -> float:
    """Kilobytes of tables with their indexes, without the dead rows that updates left for reuse."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables.split():
            connection.execute(text(f'VACUUM FULL "{table}"'))
    with database.reading() as connection:
        query = text("SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relname = ANY(:names)")
        return float(connection.scalar(query, {"names": tables.split()}) or 0) / 1024


def measure() -> str:
    """Run both peers interleaved and return the table."""
    procedures.hold(REFERENCE)
    tables = "case audit_entry sign_off task case_party outgoing_job"
    with Postgres(durable=True) as server:
        url = server.create_prepared(seeded)
        assert server._server is not None
        raw, ours = Raw(url), Ours(url)
        peers = [Peer("raw psycopg (the floor)", raw.run), Peer("ours: the whole pen", ours.run)]
        for peer in peers:  # statements prepared, pools filled
            for _ in range(5):
                peer.run()
        before = size_of(ours.database, tables), size_of(ours.database, "raw_case raw_entry")
        for round_ in range(ROUNDS):
            for peer in peers if round_ % 2 else reversed(peers):
                peer.measure(server._server.pid, CASES)
        grown = size_of(ours.database, tables) - before[0], size_of(ours.database, "raw_case raw_entry") - before[1]
        raw.connection.close()
        ours.database.close()
    floor, pen = peers
    sizes = {floor.name: grown[1] / floor.cases, pen.name: grown[0] / pen.cases}
    lines = [
        f"| {p.name} | {median(p.rates):.0f} | {1000 * p.client / p.cases:.1f} | {1000 * p.server / p.cases:.1f} "
        f"| {p.cpu / floor.cpu:.1f} | {sizes[p.name]:.1f} |"
        for p in peers
    ]
    return "\n".join([
        "| ten steps, one client | cases/s | client CPU ms/case | server CPU ms/case | CPU to raw | KB per case |",
        "|---|---:|---:|---:|---:|---:|",
        *lines,
        "",
        f"{ROUNDS} interleaved rounds of {CASES} cases on PostgreSQL with fsync on; the median of the rounds. Aim: at "
        f"most 2.5 times the CPU of raw and 6 KB per case. {versions(['SQLAlchemy', 'psycopg', 'transitions'])}.",
    ])  # fmt: skip
