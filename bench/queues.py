"""The queue of every desk and the page of a case over 10,000, 100,000 and 1,000,000 cases on PostgreSQL.

Cases are laid down in bulk: an eighth of them open and waiting at the desks, the others closed, each with eight audit
entries (not chained: reading does not ask). What is timed are the calls of the store behind a page, one client, each
in its own read transaction; blocks and rows are those that PostgreSQL itself counts for the same statements.

WUJIAN_BENCH_CASES=10000,100000 takes other sizes.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import md5
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import event

from bench.machine import versions
from bench.peers.pace import postgresql
from store.cases import CaseStore
from store.casework import Casework
from store.database import Database
from store.law import LawBook
from store.queues import PAGE, SCAN, Filter, QueueStore
from tests.services.postgres import Postgres
from tests.store.factories import agency, department_officer, person, seeded
from workflow import procedures
from workflow.vocabulary import Actor, Role

SIZES = tuple(int(n) for n in os.environ.get("WUJIAN_BENCH_CASES", "10000,100000,1000000").split(","))
FLAT = 1.3  # the aim: what a page may cost at the largest size, to what it costs at the smallest
TRIES = 120
FLAT_PAGES = (
    *(f"first page, {role}" for role in ("window officer", "review organiser", "leader", "issuing clerk")),
    "page 50 deep, or the last", "case page",
)  # fmt: skip
DEPARTMENTS = ("ecology", "construction", "transport", "public_security")
# every eighth case is open; its kind is the next octal digit of its number: (state, role, how its holders are named)
OPEN = (
    ("submitted", "window_officer", ""), ("submitted", "window_officer", ""), ("accepted", "review_organiser", ""),
    ("under_review", "team_leader", "person"), ("under_review", "reviewer", "person"),
    ("awaiting_sign_off", "department_officer", "department"), ("awaiting_decision", "leader", ""),
    ("granted", "issuing_clerk", ""),
)  # fmt: skip
AGENCIES, PERSONS, OFFICIALS = 20_000, 200, 60

CASES = """
INSERT INTO "case" (id, public_id, number, procedure, procedure_version, procedure_digest, state, track, round,
  version, agency_id, agency_name, subject, facts, acts, clocks, due_on, lapses_on, audit_seq, audit_hash, opened_at,
  changed_at, submitted_at, closed_at)
SELECT n, substr(md5(n::text), 1, 22), to_char(2020 + mod(n, 7), 'FM0000') || '-' || to_char(n, 'FM0000000'), 'cma',
  %(version)s, %(digest)s, coalesce(kind.state, 'closed'),
  CASE WHEN mod(n, 5) = 0 THEN 'commitment' ELSE 'general' END, 1, 9, 1,
  '第' || mod(n, {agencies}) || '检验检测有限公司', '首次申请',
  jsonb_build_object('departments', to_jsonb(%(departments)s::text[]), 'rows_total', 30, 'team', '[]'::jsonb),
  '[["submit", "applicant"], ["accept", "officer"]]', '[]',
  CASE WHEN kind.state IS NULL THEN DATE '9999-12-31' ELSE CURRENT_DATE - 20 + mod(n / 8, 60)::int END,
  DATE '9999-12-31', 8, repeat('0', 64), now() - interval '1 year', now() - interval '1 month',
  now() - interval '1 year', CASE WHEN kind.state IS NULL THEN now() END
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
LEFT JOIN unnest(%(states)s::text[]) WITH ORDINALITY AS kind (state, place)
  ON mod(n, 8) = 0 AND kind.place = mod(n / 8, 8) + 1
"""
TASKS = """
INSERT INTO task (case_id, role, holder, due_on, opened_at)
SELECT c.id, kind.role, CASE kind.held WHEN '' THEN '' WHEN 'person' THEN 'person:p' || mod(c.id / 64, {persons})
  ELSE 'department:' || d.name END, c.due_on, c.changed_at
FROM "case" c
JOIN unnest(%(roles)s::text[], %(held)s::text[]) WITH ORDINALITY AS kind (role, held, place)
  ON kind.place = mod(c.id / 8, 8) + 1
JOIN unnest(%(departments)s::text[]) WITH ORDINALITY AS d (name, place) ON kind.held = 'department' OR d.place = 1
WHERE c.id BETWEEN %(first)s AND %(last)s AND mod(c.id, 8) = 0
"""
PARTIES = """
INSERT INTO case_party (case_id, holder)
SELECT c.id, 'department:' || d FROM "case" c CROSS JOIN unnest(%(departments)s::text[]) AS d
WHERE c.id BETWEEN %(first)s AND %(last)s
UNION ALL
SELECT c.id, 'person:p' || mod(c.id / 64, {persons}) FROM "case" c WHERE c.id BETWEEN %(first)s AND %(last)s
"""
SIGN_OFFS = """
INSERT INTO sign_off (case_id, round, department, verdict, opinion, person_id, at, rests_on)
SELECT c.id, 1, d, 'agree', '同意', 'o-' || d, now(), '{{}}' FROM "case" c
CROSS JOIN unnest(%(departments)s::text[]) AS d
WHERE c.id BETWEEN %(first)s AND %(last)s AND c.state IN ('closed', 'granted', 'awaiting_decision')
"""
ENTRIES = """
INSERT INTO audit_entry (seq, case_id, at, action, source, target, account_id, person_id, actor_name, role, department,
  command_id, version, payload, hash)
SELECT s, n, now() - interval '1 year' + s * interval '1 day', 'accept', 'submitted', 'accepted',
  10 + mod(n * 7 + s, {officials}), 'officer', '经办人', 'window_officer', NULL,
  substr(md5(n || ':' || s), 1, 22), s, '{{}}', sha256((n || ':' || s)::bytea)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n, generate_series(1, 8) AS s
"""


@contextmanager
def without_indexes(connection: psycopg.Connection[Any], tables: list[str]) -> Iterator[None]:
    """Rows come in faster when indexes and unique constraints are built afterwards; primary keys stay."""
    constraints = connection.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'u' AND conrelid = ANY(%s::text[]::regclass[])", [[f'"{t}"' for t in tables]]).fetchall()
    for table, name, _ in constraints:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE NOT indisprimary AND indrelid = ANY(%s::text[]::regclass[])", [[f'"{t}"' for t in tables]]).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    yield
    connection.execute("SET maintenance_work_mem = '512MB'")
    for _, definition in indexes:
        connection.execute(definition.encode())
    for table, name, definition in constraints:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}".encode())


def lay_down(url: str, first: int, last: int) -> None:
    """The cases of these numbers with all that belongs to them, without triggers, and the planner's statistics."""
    procedure = procedures.current("cma")
    values = {
        "first": first, "last": last, "version": procedure.version, "digest": procedure.digest,
        "departments": list(DEPARTMENTS), "states": [state for state, *_ in OPEN],
        "roles": [role for _, role, _ in OPEN], "held": [held for *_, held in OPEN],
    }  # fmt: skip
    with psycopg.connect(postgresql(url), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        with without_indexes(connection, ["case", "task", "case_party", "sign_off", "audit_entry"]):
            for words in (CASES, TASKS, PARTIES, SIGN_OFFS, ENTRIES):
                said = words.format(agencies=AGENCIES, persons=PERSONS, officials=OFFICIALS)
                connection.execute(said.encode(), values)
        connection.execute("SELECT setval(pg_get_serial_sequence('\"case\"', 'id'), %s)", [last])
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


@dataclass
class Reading:
    """One question of a page: its name and the calls of the store behind it."""

    name: str
    ask: Callable[[], Any]


class Desks:
    """The stores over one database, and the questions of the pages."""

    def __init__(self, url: str, cases: int) -> None:
        self.database = Database(url)
        self.queues, self.count = QueueStore(self.database), cases
        self.cases, self.casework = CaseStore(self.database, LawBook(self.database)), Casework(self.database)
        self.window = person("window", Role.WINDOW_OFFICER)
        self.deep = self.fifty_pages_on()

    def readings(self) -> list[Reading]:
        people = {
            Role.WINDOW_OFFICER: self.window, Role.REVIEW_ORGANISER: person("organiser", Role.REVIEW_ORGANISER),
            Role.TEAM_LEADER: person("p3", Role.TEAM_LEADER), Role.REVIEWER: person("p4", Role.REVIEWER),
            Role.DEPARTMENT_OFFICER: department_officer("ecology"), Role.LEADER: person("leader", Role.LEADER),
            Role.ISSUING_CLERK: person("clerk", Role.ISSUING_CLERK),
        }  # fmt: skip
        found = [Reading(f"first page, {role.value.replace('_', ' ')}", self.page(actor, role))
                 for role, actor in people.items()]  # fmt: skip
        window, role = self.window, Role.WINDOW_OFFICER
        number = f"{2020 + 8 % 7}-{8:07d}"
        found += [
            Reading("page 50 deep, or the last", self.page(window, role, after=self.deep)),
            Reading("overdue, window officer", self.page(window, role, Filter(overdue=True))),
            Reading("a case number, window officer", self.page(window, role, Filter(search=number))),
            Reading("part of an agency's name, found early", self.page(window, role, Filter(search="检验检测"))),
            Reading(f"part of a name nobody has (looks at {SCAN:,} tasks at most)",
                    self.page(window, role, Filter(search="不存在的机构"))),
            Reading("counts beside every desk", lambda: self.queues.counts(window)),
            Reading("what I did lately", lambda: self.queues.recent(self.officer())),
            Reading("case page", self.case_page),
        ]  # fmt: skip
        return found

    def page(
        self, actor: Actor, role: Role, wanted: Filter | None = None, after: str | None = None
    ) -> Callable[[], Any]:
        return lambda: self.queues.queue(actor, role, wanted, after=after)

    def fifty_pages_on(self) -> str | None:
        """The key of page 50 of the window, or of the last page where there are not as many."""
        key = None
        for _ in range(49):
            key, last = self.queues.queue(self.window, Role.WINDOW_OFFICER, after=key).after, key
            if key is None:
                return last
        return key

    def officer(self) -> Actor:
        return replace(self.window, account_id=11)

    def case_page(self) -> None:
        """All that the summary of a closed case asks."""
        public_id = md5(str(self.count // 2 + 1).encode(), usedforsecurity=False).hexdigest()[:22]
        file = self.cases.get(public_id, self.window)
        self.cases.offers(file, self.window)
        for part in ("timeline", "agency", "documents", "corrections", "answers", "certificate"):
            getattr(self.casework, part)(file)
        self.casework.related(file, self.window)


@dataclass
class Figure:
    """What a question cost: median milliseconds, statements, and PostgreSQL's own count of blocks and rows read.

    `growth` is the median, over the turns, of what it took to what it took at the smallest size in the same turn."""

    milliseconds: float
    growth: float
    statements: int
    blocks: int
    rows: int

    def __str__(self) -> str:
        return f"{self.milliseconds:.1f} ({self.blocks:,} / {self.rows:,})"


def figures(places: dict[int, Desks], name: str) -> dict[int, Figure]:
    """One question put to every size in turn, so that a busy machine slows all of them alike."""
    asks = {size: next(r.ask for r in desks.readings() if r.name == name) for size, desks in places.items()}
    took: dict[int, list[float]] = {size: [] for size in places}
    for _ in range(TRIES):
        for size, ask in asks.items():
            started = time.perf_counter()
            ask()
            took[size].append(1000 * (time.perf_counter() - started))
    first = took[next(iter(places))]
    growth = {size: median(b / a for a, b in zip(first, took[size], strict=True)) for size in places}
    return {s: Figure(median(took[s]), growth[s], *plans_of(desks, asks[s])) for s, desks in places.items()}


def plans_of(desks: Desks, ask: Callable[[], Any]) -> tuple[int, int, int]:
    """How many statements a question takes, and the blocks and rows that PostgreSQL says they read."""
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        said.append((statement, parameters))

    event.listen(desks.database.engine, "before_cursor_execute", note)
    ask()
    event.remove(desks.database.engine, "before_cursor_execute", note)
    blocks = rows = 0
    with psycopg.connect(postgresql(desks.database.url)) as connection:
        for statement, parameters in said:
            words = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}".encode()
            plan: Any = connection.execute(words, parameters).fetchone()
            top = plan[0][0]["Plan"]
            blocks += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
            rows += read_by(top)
    return len(said), blocks, rows


def read_by(plan: dict[str, Any]) -> int:
    """Rows that the scans of a plan took from tables and indexes, also those that a filter then threw away."""
    own = 0
    if "Relation Name" in plan:
        own = round((plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"])
    return own + sum(read_by(part) for part in plan.get("Plans", ()))


def measure() -> str:
    """Lay down a database of each size and put every question to all of them."""
    laid: list[str] = []
    places: dict[int, Desks] = {}
    with Postgres(durable=True) as server:
        for size in SIZES:
            started = time.perf_counter()
            url = server.create_prepared(seeded)
            database = Database(url)
            agency(database)
            database.close()
            lay_down(url, 1, size)
            places[size] = Desks(url, size)
            laid.append(f"{size:,} cases in {timedelta(seconds=round(time.perf_counter() - started))}")
        found = {r.name: figures(places, r.name) for r in places[SIZES[0]].readings()}
        for desks in places.values():
            desks.database.close()
    head = " | ".join(f"{size:,}" for size in SIZES)
    growth = {name: sizes[SIZES[-1]].growth for name, sizes in found.items()}
    lines = [
        f"| p50 in ms (blocks / rows read) | statements | {head} | growth |",
        "|---|---:|" + "---:|" * (len(SIZES) + 1),
        *(
            f"| {name} | {max(f.statements for f in sizes.values())} "
            f"| {' | '.join(str(sizes[size]) for size in SIZES)} | {growth[name]:.1f} |"
            for name, sizes in found.items()
        ),
    ]
    worst, name = max((g, name) for name, g in growth.items() if name in FLAT_PAGES)
    return "\n".join([
        *lines, "",
        f"Aim: the pages of the busy desks and of a case grow by at most {FLAT} from {SIZES[0]:,} to {SIZES[-1]:,} "
        f"cases: {worst:.2f} at worst ({name}), {'kept' if worst <= FLAT else 'missed'}. A page holds {PAGE} lines and "
        "is found by its key, not by its number; nothing is counted beyond a cap. A team leader's desk holds more at "
        f"the larger sizes and fills a page only there. Laid down: {', '.join(laid)}; the sizes were asked in turn, "
        "and growth is the median of what one turn shows. "
        f"{versions(['SQLAlchemy', 'psycopg'])}.",
    ])  # fmt: skip
