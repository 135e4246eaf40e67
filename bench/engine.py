"""A full engine step beside raw psycopg, SpiffWorkflow and django-viewflow, on PostgreSQL and SQLite.

The reference case takes ten steps (open, submit, accept, four departments, grant, issue, close), each durable before
the next and each read back from the database, with who, when and what kept. Every peer is a process of its own with a
database of its own; they take turns in one run. Ours writes state, tasks, clocks, the hash-chained audit and the
outgoing jobs as well, through the whole pen.
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg

from bench.machine import ROOT
from bench.peers.pace import postgresql, sqlite_file
from tests.services.postgres import Postgres
from tests.store.factories import seeded

PEERS_PYTHON = ROOT / ".venv" / "peers" / "bin" / "python"  # made by ./run bench from requirements/bench.txt
ROUNDS = 12
SYNCS = 60
# what it is called, its module, how many cases a round, and whether it lives in the environment of the peers
PEERS = (
    ("raw driver (the floor)", "raw", 25, False),
    ("**Wujian, the whole pen**", "ours", 25, False),
    ("SpiffWorkflow, JSON in a row", "spiff", 8, True),
    ("django-viewflow, row lock", "viewflow", 8, True),
)


def cpu_of(process: int) -> float:
    """Seconds of CPU a process and its children, living or waited for, have used."""
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
    """One way of doing the reference case, in its own process, with what it cost."""

    name: str
    url: str
    count: int
    process: subprocess.Popen[str]
    version: str = ""
    size: float = 0.0
    cases: int = 0
    rates: list[float] = field(default_factory=list)
    client: float = 0.0
    server: float = 0.0

    def answer(self) -> dict[str, float]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} has ended")
        found: dict[str, float] = json.loads(line)
        return found

    def take(self, count: int) -> dict[str, float]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return self.answer()

    def measure(self, server: int | None) -> None:
        """Do a round of cases and note the wall time and the CPU of both sides."""
        before = cpu_of(server) if server else 0.0
        said = self.take(self.count)
        self.server += cpu_of(server) - before if server else 0.0
        self.client += said["cpu"]
        self.rates.append(self.count / said["seconds"])
        self.cases += self.count

    @property
    def cpu(self) -> float:
        """Milliseconds of CPU per case, client and server."""
        return 1000 * (self.client + self.server) / self.cases


@contextmanager
def started(urls: list[str]) -> Iterator[list[Peer]]:
    """Every peer at its database, its connections open and its statements prepared."""
    found = []
    try:
        for (name, module, count, foreign), url in zip(PEERS, urls, strict=True):
            python = str(PEERS_PYTHON) if foreign else sys.executable
            process = subprocess.Popen([python, "-m", f"bench.peers.{module}", url], cwd=ROOT, text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
            peer = Peer(name, url, count, process)
            found.append(peer)
            peer.version = str(peer.answer()["version"])
            peer.take(6)
        yield found
    finally:
        for peer in found:
            assert peer.process.stdin is not None
            peer.process.stdin.close()
            peer.process.wait(30)


def size_of(url: str) -> float:
    """Kilobytes of a database's tables and indexes, without the dead rows that updates left for reuse."""
    if file := sqlite_file(url):
        with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            (pages,), (size,) = (connection.execute(f"PRAGMA {p}").fetchone() for p in ("page_count", "page_size"))
            return float(pages * size) / 1024
    with psycopg.connect(postgresql(url), autocommit=True) as connection:
        connection.execute("VACUUM FULL")
        words = ("SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
                 "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")  # fmt: skip
        row = connection.execute(words).fetchone()
        assert row is not None
        return float(row[0]) / 1024


def sync_time(folder: Path) -> float:
    """Milliseconds until the disk has 8 KB more of a file: what every commit of every contender waits for."""
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(bytes(8192))
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(1000 * (time.perf_counter() - started))
    return median(took)


def compare(urls: list[str], server: int | None) -> list[Peer]:
    """The peers take turns, forwards and backwards; returns them with what they cost."""
    with started(urls) as peers:
        before = [size_of(peer.url) for peer in peers]
        for number in range(ROUNDS):
            for peer in peers if number % 2 else reversed(peers):
                peer.measure(server)
        for peer, first in zip(peers, before, strict=True):
            peer.size = (size_of(peer.url) - first) / peer.cases
    return peers


def table(title: str, peers: list[Peer]) -> list[str]:
    floor, ours = peers[0], peers[1]
    ratios = [median(a / b for a, b in zip(ours.rates, p.rates, strict=True)) for p in peers]
    return [
        f"| {title} | cases/s | client CPU ms | server CPU ms | CPU to raw | ours faster by | KB per case |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {p.name} | {median(p.rates):.0f} | {1000 * p.client / p.cases:.1f} | {1000 * p.server / p.cases:.1f} "
            f"| {p.cpu / floor.cpu:.1f} | {ratio:.1f} | {p.size:.1f} |"
            for p, ratio in zip(peers, ratios, strict=True)
        ),
        "",
    ]


def verdicts(peers: list[Peer]) -> list[str]:
    """The aims, each with what was measured, kept or not."""
    floor, ours, spiff, viewflow = peers
    faster = [median(a / b for a, b in zip(ours.rates, p.rates, strict=True)) for p in (spiff, viewflow)]
    found = (
        ("CPU of a full step to raw, PostgreSQL", "at most 2.5", ours.cpu / floor.cpu, ours.cpu / floor.cpu <= 2.5),
        ("cases/s to SpiffWorkflow, PostgreSQL", "at least 3", faster[0], faster[0] >= 3),
        ("cases/s to django-viewflow, PostgreSQL", "at least 8", faster[1], faster[1] >= 8),
        ("KB per case, PostgreSQL", "at most 6", ours.size, ours.size <= 6),
    )
    return [
        "| aim | | measured | |",
        "|---|---|---:|---|",
        *(f"| {name} | {aim} | {value:.1f} | {'kept' if kept else 'missed'} |" for name, aim, value, kept in found),
        "",
    ]


def measure() -> str:
    """Run all peers on both databases and return the tables."""
    if not PEERS_PYTHON.exists():
        raise SystemExit("the peers are not installed: ./run bench engine does it")
    with Postgres(durable=True) as server:
        assert server._server is not None
        urls = [server.create_prepared(seeded) if module == "ours" else server.create() for _, module, *_ in PEERS]
        on_postgresql = compare(urls, server._server.pid)
    with tempfile.TemporaryDirectory(prefix="wujian-bench-") as folder:
        urls = [f"sqlite:///{folder}/{module}.sqlite3" for _, module, *_ in PEERS]
        seeded(urls[1])
        waits = sync_time(Path(folder))
        on_sqlite = compare(urls, None)
    named = sorted({p.version for p in on_postgresql + on_sqlite} | {f"PostgreSQL {server_version()}"})
    return "\n".join([
        *table("PostgreSQL, ten steps, one client", on_postgresql), *verdicts(on_postgresql),
        *table("SQLite, ten steps, one client", on_sqlite),
        f"{ROUNDS} interleaved rounds of {PEERS[0][2]} cases ({PEERS[2][2]} of the slow peers); every commit reaches "
        "the disk (fsync on; WAL and synchronous=FULL on SQLite), which takes "
        f"{waits:.1f} ms here, ten times a case for everybody: where that is long, rates are alike. Rates are "
        "medians of the rounds, and so is the comparison of rates. CPU is per case; sizes are tables and indexes "
        "after VACUUM. " + ", ".join(named) + ".",
    ])  # fmt: skip


def server_version() -> str:
    """The version of the PostgreSQL programs that were measured."""
    from tests.services.postgres import programs

    said = subprocess.run([programs() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[2]
