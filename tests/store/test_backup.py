"""A backup taken while people work comes back identical, and a damaged one is refused."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.audit import broken_links
from store.backup import MANIFEST, BackupRefused, back_up, named_files, restore, table_digests
from store.cases import CaseStore
from store.database import Database
from store.examination import examine
from store.files import FileStore
from store.law import LawBook
from tests.services import databases
from tests.services.postgres import Postgres
from tests.store.factories import CaseHand, MovableClock


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(str(tmp_path / "files"))


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Iterator[str]:
    """An empty database of the same kind as `database`."""
    if database.is_sqlite:
        yield databases.sqlite_url(tmp_path / "restored" / "wujian.sqlite3")
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.mark.slow
def test_a_backup_taken_under_load_restores_identical(
    database: Database, cases: CaseStore, cma_case: Callable[..., CaseHand], files: FileStore, empty_url: str,
    tmp_path: Path,
) -> None:
    for n in range(3):
        files.put(f"file {n}".encode())
        cma_case("granted")
    stop, steps = threading.Event(), [0]

    def work() -> None:
        while not stop.is_set():
            cma_case("accepted")
            files.put(f"more {steps[0]}".encode())
            steps[0] += 1

    worker = threading.Thread(target=work)
    worker.start()
    try:
        while steps[0] < 2:
            pass
        backup = back_up(database, files, tmp_path / "backup")
        seen = steps[0]
        while steps[0] < seen + 2:  # the work went on during and after the backup
            pass
    finally:
        stop.set()
        worker.join()

    restored_files = FileStore(str(tmp_path / "restored-files"))
    found = restore(backup, empty_url, restored_files)

    manifest = json.loads((backup / MANIFEST).read_text())
    copy = Database(empty_url)
    with copy.reading() as connection:
        assert table_digests(connection) == manifest["tables"]
        assert broken_links(connection) == []
        assert named_files(connection) <= set(restored_files.digests())
    copy.close()
    assert found.tables["case"] >= 5 and found.files == len(manifest["files"]) >= 3


def test_a_damaged_backup_is_refused_before_anything_is_touched(
    database: Database, cma_case: Callable[..., CaseHand], files: FileStore, empty_url: str, tmp_path: Path,
) -> None:
    cma_case("submitted")
    backup = back_up(database, files, tmp_path / "backup")
    dump = next(p for p in backup.iterdir() if p.name.startswith("database."))
    content = bytearray(dump.read_bytes())
    content[len(content) // 2] ^= 1
    dump.write_bytes(bytes(content))
    with pytest.raises(BackupRefused, match="damaged"):
        restore(backup, empty_url, FileStore(str(tmp_path / "elsewhere")))


def test_a_restore_never_overwrites(
    database: Database, cma_case: Callable[..., CaseHand], files: FileStore, tmp_path: Path,
) -> None:
    cma_case("submitted")
    backup = back_up(database, files, tmp_path / "backup")
    with pytest.raises(BackupRefused, match="never overwrites"):
        restore(backup, database.url, files)


def test_a_row_changed_in_the_snapshot_is_found_by_its_table_digest(
    sqlite_seeded_url: str, tmp_path: Path, files: FileStore,
) -> None:
    database = Database(sqlite_seeded_url)
    with database.reading() as connection:
        before = table_digests(connection)
    database.close()
    with sqlite3.connect(sqlite_seeded_url.removeprefix("sqlite:///")) as raw:
        raw.execute("UPDATE setting SET content = '{}' WHERE name = 'bureau'")
    raw.close()
    database = Database(sqlite_seeded_url)
    with database.reading() as connection:
        after = table_digests(connection)
    database.close()
    assert {t for t in before if before[t] != after[t]} == {"setting"}


def test_the_doctor_finds_a_case_that_another_hand_moved(
    database: Database, laws: LawBook, clock: MovableClock, cma_case: Callable[..., CaseHand], files: FileStore,
) -> None:
    clock.at = datetime.now(UTC) + timedelta(minutes=1)  # the seed was audited at the real time
    cma_case("submitted")
    moved = cma_case("submitted")
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE \"case\" SET state = 'granted' WHERE public_id = '{moved.public_id}'")
    assert {f.name for f in examine(database, files, laws) if f.state == "ill"} == {"cases"}


def test_the_doctor_finds_what_was_broken(
    database: Database, laws: LawBook, clock: MovableClock, cma_case: Callable[..., CaseHand], files: FileStore,
) -> None:
    clock.at = datetime.now(UTC) + timedelta(minutes=1)  # the seed was audited at the real time
    cma_case("granted")
    assert {f.name: f.state for f in examine(database, files, laws) if f.state == "ill"} == {}
    with database.writing() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("DROP TRIGGER audit_entry_no_update")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_entry_append_only ON audit_entry")
        connection.exec_driver_sql("UPDATE audit_entry SET actor_name = 'somebody else' WHERE seq = 2")
    ill = {f.name for f in examine(database, files, laws) if f.state == "ill"}
    assert ill == {"append-only triggers", "audit chain"}
