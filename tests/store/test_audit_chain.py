"""The audit tells when it was touched: whatever is changed, moved, cut or added is found."""

import hashlib
import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from sqlalchemy import Connection, select, text

from store import audit, verify_audit
from store.audit import broken_links
from store.database import Database
from store.records.audit import APPEND_ONLY, AuditRecord
from tests.store.factories import CaseHand, MovableClock
from workflow.vocabulary import SYSTEM

Factory = Callable[..., CaseHand]


@pytest.fixture
def open_to_tampering(cma_case: Factory, database: Database) -> Database:
    """Two finished cases and another stream, with the triggers taken off as one who owns the database could."""
    cma_case("closed")
    cma_case("closed", track="commitment")
    with database.writing() as connection:
        for n in range(3):
            audit.append(connection, "accounts", database.clock.now(), SYSTEM, "sign_in", "system", {"n": n})
        for table in APPEND_ONLY:
            for name in ("no_update", "no_delete") if database.is_sqlite else ("append_only",):
                connection.execute(text(f"DROP TRIGGER {table}_{name}{'' if database.is_sqlite else f' ON {table}'}"))
    assert broken(database) == []
    return database


def broken(database: Database) -> list[tuple[str, int]]:
    with database.reading() as connection:
        return broken_links(connection)


def verified(database: Database) -> dict[str, Any]:
    """What the stand-alone verifier says."""
    return verify_audit.verify(database.engine.url.render_as_string(hide_password=False))


STREAM = "coalesce(stream, 'case:' || case_id)"
FIELDS = {
    "at": "'2026-01-01 00:00:00'", "action": "'other'", "source": "'elsewhere'", "target": "'elsewhere'",
    "account_id": "account_id + 1", "person_id": "'other'", "actor_name": "'某人'", "role": "'leader2'",
    "department": "'other'", "command_id": "'other'", "version": "version + 1", "case_id": "NULL",
    "hash": f"'{'ab' * 32}'", "seq": "seq + 1000", "stream": "'case:999'",
    "payload": """'{"note": "other"}'""",
}  # fmt: skip


def entries(connection: Connection) -> list[Any]:
    return list(connection.execute(text(f"SELECT id, {STREAM} AS stream, seq FROM audit_entry ORDER BY 2, seq")))


@pytest.mark.parametrize("field", FIELDS)
def test_whatever_field_is_changed_is_found(open_to_tampering: Database, field: str) -> None:
    chance = random.Random(field)
    with open_to_tampering.writing() as connection:
        # an entry of a case: the others have no case that could be taken away
        victim = chance.choice([e for e in entries(connection) if e.stream.startswith("case:")])
        connection.execute(text(f"UPDATE audit_entry SET {field} = {FIELDS[field]} WHERE id = {victim.id}"))
    assert broken(open_to_tampering)
    assert verified(open_to_tampering)["broken"]


def mutate(connection: Connection, kind: str, chance: random.Random) -> None:
    found = [e for e in entries(connection) if e.stream.startswith("case:")]
    victim = chance.choice(found)
    stream = [e for e in found if e.stream == victim.stream]
    if kind == "remove":
        connection.execute(text(f"DELETE FROM audit_entry WHERE id = {victim.id}"))
    elif kind == "cut the tail":
        connection.execute(text(f"DELETE FROM audit_entry WHERE {STREAM} = '{victim.stream}' AND seq >= {victim.seq}"))
    elif kind == "cut the head":
        connection.execute(text(f"DELETE FROM audit_entry WHERE {STREAM} = '{victim.stream}' AND seq <= {victim.seq}"))
    elif kind == "swap":
        one, other = chance.sample(stream, 2)
        for key, seq in ((one.id, 9999), (other.id, one.seq), (one.id, other.seq)):
            connection.execute(text(f"UPDATE audit_entry SET seq = {seq} WHERE id = {key}"))
    elif kind == "recompute one":
        row = dict(connection.execute(text(f"SELECT * FROM audit_entry WHERE id = {victim.id}")).mappings().one())
        connection.execute(text(f"UPDATE audit_entry SET hash = '{'ab' * 32}' WHERE id = {row['id']}"))
    elif kind == "prolong":
        last = stream[-1]
        previous = connection.scalar(select(AuditRecord.hash).where(AuditRecord.id == last.id))
        forged = {"seq": last.seq + 1, "case_id": int(last.stream.split(":")[1])}
        row = audit.audit_row(
            **forged, previous=str(previous), action="grant", role="leader", at=MovableClock().now(), actor=SYSTEM
        )
        audit.write(connection, [row])
    else:
        connection.execute(text(f"DELETE FROM audit_entry WHERE {STREAM} = '{victim.stream}'"))


@pytest.mark.parametrize(
    "kind", ["remove", "cut the tail", "cut the head", "swap", "recompute one", "prolong", "remove the stream"]
)
def test_random_tampering_is_found(
    open_to_tampering: Database, kind: str, record_property: Callable[[str, object], None]
) -> None:
    tries = 20
    for seed in range(tries):
        with open_to_tampering.engine.connect() as connection, connection.begin() as transaction:
            mutate(connection, kind, random.Random(seed))
            assert broken_links(connection), f"seed {seed}"
            transaction.rollback()
    record_property("tries", tries)
    assert broken(open_to_tampering) == []


def test_only_a_head_kept_elsewhere_tells_of_a_cut_tail(open_to_tampering: Database) -> None:
    """Planted fault: why the head of a case is compared."""
    with open_to_tampering.writing() as connection:
        connection.execute(text("DELETE FROM audit_entry WHERE stream = 'accounts' AND seq = 3"))
    assert broken(open_to_tampering) == []  # a stream without a head cannot tell; checkpoints outside must
    with open_to_tampering.writing() as connection:
        last = [e for e in entries(connection) if e.stream.startswith("case:")][-1]
        connection.execute(text(f"DELETE FROM audit_entry WHERE id = {last.id}"))
    assert broken(open_to_tampering) == [(last.stream, last.seq)]


def test_one_stream_can_be_asked_about_alone(open_to_tampering: Database) -> None:
    with open_to_tampering.writing() as connection:
        first, last = entries(connection)[0], entries(connection)[-1]
        connection.execute(text(f"UPDATE audit_entry SET role = 'x' WHERE id = {last.id}"))
    with open_to_tampering.reading() as connection:
        assert broken_links(connection, first.stream) == []
        assert broken_links(connection, last.stream) == [(last.stream, last.seq)]


def test_two_verifiers_that_share_no_code_agree(cma_case: Factory, database: Database) -> None:
    hand = cma_case("closed")
    found = verified(database)
    assert found["broken"] == []
    assert found["entries"] >= len(hand.taken)


def test_the_verifier_runs_by_itself(cma_case: Factory, database: Database) -> None:
    cma_case("accepted")
    address = database.engine.url.render_as_string(hide_password=False)
    run = [sys.executable, "-I", verify_audit.__file__, address]
    whole = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (whole.returncode, json.loads(whole.stdout)["broken"]) == (0, []), whole.stderr
    with database.writing() as connection:
        connection.execute(text("""UPDATE "case" SET audit_hash = 'x'"""))
    assert subprocess.run(run, capture_output=True, text=True, check=False).returncode == 1
    assert subprocess.run(run[:-1], capture_output=True, text=True, check=False).returncode == 2


def test_a_stream_without_a_case_is_written_by_many_at_once(database: Database) -> None:
    barrier = threading.Barrier(4)

    def write(worker: int) -> None:
        barrier.wait(30)
        for n in range(25):
            with database.writing() as connection:
                audit.append(connection, "accounts", database.clock.now(), SYSTEM, "sign_in", "system", {"n": n})

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, w) for w in range(4)]:
            done.result()
    assert broken(database) == []
    with database.reading() as connection:
        assert connection.scalar(text("SELECT max(seq) FROM audit_entry WHERE stream = 'accounts'")) == 100


def test_text_of_any_script_hashes_alike_for_writer_and_verifier(database: Database) -> None:
    odd = {"note": "𠮷野家 \u2028 \x7f \\ \" / ñ", "€": [1, -1, True, None, {"ﬀ": "", "𐐀": 0, "a": 2**53 - 1}]}
    with database.writing() as connection:
        audit.append(connection, "accounts", database.clock.now(), SYSTEM, "odd", "system", odd)
    assert broken(database) == []
    assert verified(database)["broken"] == []


def test_the_hash_is_over_the_canonical_json_of_the_whole_entry() -> None:
    """The writer spells the fields itself, for speed; the library has the last word."""
    odd = "\x00\x1f\x7f\"\\\n\t\b\f\r \u2028 𠮷 é /"
    for source, department in ((None, odd), (odd, None)):
        actor = replace(SYSTEM, name=odd, department=department)
        row = audit.audit_row(
            stream=odd, seq=7, previous="ab" * 32, at=MovableClock().now(), actor=actor, action=odd, role=odd,
            source=source, case_id=None if source else 5, payload={"ﬀ": odd, "𐐀": [1, None]},
        )  # fmt: skip
        canonical = rfc8785.dumps(audit.entry_content(row))
        assert row["hash"] == hashlib.sha256(b"ab" * 32 + canonical).hexdigest()
