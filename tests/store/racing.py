"""Races of departments that answer at the same instant, over cases cloned in bulk from one that the engine made."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select, text

from store import audit
from store.cases import CaseStore
from store.database import Database
from store.records.audit import AuditRecord
from store.records.cases import CasePartyRecord, CaseRecord, SignOffRecord, TaskRecord
from store.records.columns import table_of
from store.tokens import new_token
from tests.store.factories import CaseHand, cma_case, department_officer
from workflow import engine
from workflow.commands import RecordSignOff

_CASE, _TASK, _PARTY = table_of(CaseRecord), table_of(TaskRecord), table_of(CasePartyRecord)


@dataclass
class Outcome:
    """What came of many races: how many were run, what went wrong in how many, and who was refused and why."""

    races: int
    wrong: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def unexpected(self) -> int:
        return self.wrong.total() + self.refused.total()


def clones(cases: CaseStore, departments: Sequence[str], count: int) -> list[tuple[int, str]]:
    """(id, public id) of `count` cases in which these departments still owe their answers."""
    return copies_of(cases, cma_case(cases, "awaiting_sign_off", departments=departments), count)


def copies_of(cases: CaseStore, model: CaseHand, count: int) -> list[tuple[int, str]]:
    """(id, public id) of `count` cases that stand exactly where the model stands.

    The audit stream of a copy begins at its next step, so its chain can be checked in full afterwards.
    """
    with cases.database.writing() as connection:
        row = dict(connection.execute(select(_CASE).where(_CASE.c.id == model.id)).mappings().one())
        first = connection.scalar(select(func.max(_CASE.c.id))) or 0
        made = [(first + n, new_token()) for n in range(1, count + 1)]
        facts = {name: value for name, value in row["facts"].items() if name != "case_number"}
        fresh = {"audit_seq": 0, "audit_hash": audit.GENESIS, "number": None, "facts": facts}
        for start in range(0, count, 500):
            batch = made[start : start + 500]
            connection.execute(insert(_CASE), [row | fresh | {"id": i, "public_id": p} for i, p in batch])
            for table in (_TASK, _PARTY, table_of(SignOffRecord)):
                found = connection.execute(select(table).where(table.c.case_id == model.id)).mappings().all()
                copies = [
                    {k: v for k, v in r.items() if k != "id"} | {"case_id": i} for r in found for i, _ in batch
                ]
                if copies:
                    connection.execute(insert(table), copies)
        if not cases.database.is_sqlite:  # ids were given by hand, so the sequence must be told
            connection.execute(text("""SELECT setval(pg_get_serial_sequence('"case"', 'id'), :last)"""),
                               {"last": made[-1][0]})  # fmt: skip
    return made


def race(cases: CaseStore, departments: Sequence[str], count: int) -> Outcome:
    """Let every department answer at the same instant, `count` times, and look at what came of it."""
    made, outcome = clones(cases, departments, count), Outcome(count)
    barrier, noting = threading.Barrier(len(departments)), threading.Lock()

    def answer_all(department: str) -> None:
        officer, command = department_officer(department), RecordSignOff()
        for case_id, public_id in made:
            barrier.wait(60)
            try:
                cases.perform(
                    public_id, "sign_off", officer, command,
                    command_id=f"{department}:{case_id}", expected_version=None,
                )  # fmt: skip
            except Exception as error:
                with noting:
                    outcome.refused[f"{type(error).__name__}: {str(error)[:200]}"] += 1

    with ThreadPoolExecutor(len(departments)) as pool:
        for done in [pool.submit(answer_all, d) for d in departments]:
            done.result()
    judge(cases.database, [case_id for case_id, _ in made], departments, outcome)
    return outcome


def judge(database: Database, ids: Sequence[int], departments: Sequence[str], outcome: Outcome) -> None:
    """Joined exactly once, every answer kept, the leader asked, the audit whole."""
    first, last = ids[0], ids[-1]
    with database.reading() as connection:

        def per_case(table: Any, *conditions: Any) -> dict[int, int]:
            key = table.c.case_id
            query = select(key, func.count()).where(key.between(first, last), *conditions).group_by(key)
            return {row[0]: row[1] for row in connection.execute(query)}

        states = {
            row.id: (row.state, row.version)
            for row in connection.execute(
                select(_CASE.c.id, _CASE.c.state, _CASE.c.version).where(_CASE.c.id.between(first, last))
            )
        }
        joins = per_case(table_of(AuditRecord), AuditRecord.action == "join_sign_offs")
        answers, tasks = per_case(table_of(SignOffRecord)), per_case(_TASK)
        leaders = per_case(_TASK, _TASK.c.role == "leader")
        broken = {stream for stream, _ in audit.broken_links(connection)}
    started = next(iter(states.values()))[1]
    for case_id, (state, version) in states.items():
        faults = {
            "joined otherwise than once": joins.get(case_id, 0) != 1,
            "not joined": state != "awaiting_decision",
            "answers lost": answers.get(case_id, 0) != len(departments),
            "tasks wrong": (tasks.get(case_id), leaders.get(case_id)) != (1, 1),
            "audit broken": f"case:{case_id}" in broken,
            "version wrong": version != started,
        }
        outcome.wrong.update(name for name, found in faults.items() if found)


@contextmanager
def read_before_either_writes() -> Iterator[None]:
    """Hold each thread between reading the case and writing it until another has read too, or a moment passed.

    Where the lock works the second cannot read, and the moment passes; where it does not, both act on what
    they read. It makes a missing lock show in the first race instead of some race.
    """
    real, meeting = engine.fire, threading.Barrier(2)

    def fire(*arguments: Any, **named: Any) -> Any:
        try:
            meeting.wait(0.3)
        except threading.BrokenBarrierError:
            meeting.reset()
        return real(*arguments, **named)

    engine.fire = fire
    try:
        yield
    finally:
        engine.fire = real
