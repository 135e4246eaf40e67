"""Backup and restore: a snapshot of the database and every file it names, under one manifest of hashes.

Order matters. A file is kept before the row that names it is committed and is never changed, so the database is
taken first and the files afterwards: every file that the snapshot names is then in the backup, whatever is being
written meanwhile. The snapshot itself is the database's own (VACUUM INTO; pg_dump on an exported snapshot), since
copying a live file is wrong more often than not.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, inspect, make_url, select, text

from store.audit import broken_links
from store.database import Database
from store.files import FileMissing, FileStore
from store.records import metadata

MANIFEST = "manifest.json"
FORMAT = 1
_LEFT_OUT = frozenset({"session", "throttle", "worker"})  # of the moment; nobody wants them back


class BackupRefused(RuntimeError):
    """The backup or the restore cannot be done; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore found: the counts of the manifest and of the restored installation, which must agree."""

    tables: Mapping[str, int]
    files: int


def back_up(database: Database, files: FileStore, target: Path,
            tell: Callable[[str], None] = lambda _: None) -> Path:
    """Write a backup into the new directory `target` and return it. Raises `BackupRefused`."""
    if target.exists():
        raise BackupRefused(f"{target} is already there; name a directory that does not exist yet")
    draft = target.with_name(target.name + ".unfinished")
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "files").mkdir(parents=True)
    tell("database")
    tables = _dump_sqlite(database, draft) if database.is_sqlite else _dump_postgresql(database, draft)
    tell("files")
    kept = {}
    for digest in files.digests():
        content = files.get(digest)  # checked against its hash
        (draft / "files" / digest).write_bytes(content)
        kept[digest] = len(content)
    dump = next(p for p in draft.iterdir() if p.name.startswith("database."))
    manifest = {
        "format": FORMAT, "dialect": database.engine.dialect.name, "taken_at": database.clock.now().isoformat(),
        "database": {"name": dump.name, "sha256": _digest_of(dump)}, "tables": tables, "files": kept}
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True), "utf-8")
    for path in (*draft.iterdir(), *(draft / "files").iterdir()):
        _settle(path)
    draft.rename(target)
    return target


def restore(source: Path, url: str, files: FileStore, tell: Callable[[str], None] = lambda _: None) -> Restored:
    """Put a backup into an empty database and a file store, then check all of it. Raises `BackupRefused`."""
    manifest = _checked_manifest(source)
    wanted = make_url(url).get_backend_name()
    if manifest["dialect"] != wanted:
        raise BackupRefused(f"this backup is of {manifest['dialect']}, the target is {wanted}")
    tell("database")
    dump = source / manifest["database"]["name"]
    if wanted == "sqlite":
        _load_sqlite(dump, url)
    else:
        _load_postgresql(dump, url)
    tell("files")
    for digest in manifest["files"]:
        if files.put((source / "files" / digest).read_bytes()) != digest:
            raise BackupRefused(f"file {digest} in the backup is damaged")
    database = Database(url)
    try:
        with database.reading() as connection:
            found = table_digests(connection)
            if found != manifest["tables"]:
                wrong = sorted(t for t in manifest["tables"] if found.get(t) != manifest["tables"][t])
                raise BackupRefused(f"restored tables differ from the manifest: {', '.join(wrong)}")
            if broken := broken_links(connection):
                raise BackupRefused(f"the audit chain of the backup is broken at {broken[:3]}")
    finally:
        database.close()
    return Restored({name: entry["rows"] for name, entry in found.items()}, len(manifest["files"]))


def table_digests(connection: Connection) -> dict[str, dict[str, Any]]:
    """Per table: how many rows, and a SHA-256 over all of them in the order of their key."""
    return {table.name: _table_digest(connection, table) for table in metadata.sorted_tables
            if table.name not in _LEFT_OUT}


def _table_digest(connection: Connection, table: Any) -> dict[str, Any]:
    digest, rows = hashlib.sha256(), 0
    query = select(table).order_by(*table.primary_key.columns)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        digest.update(json.dumps(list(row), sort_keys=True, default=str, ensure_ascii=False).encode())
        rows += 1
    return {"rows": rows, "sha256": digest.hexdigest()}


def _checked_manifest(source: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BackupRefused(f"{source} holds no readable {MANIFEST}: is it a finished backup?") from error
    if manifest.get("format") != FORMAT:
        raise BackupRefused(f"backup format {manifest.get('format')} is not known to this version")
    dump = source / manifest["database"]["name"]
    if not dump.is_file() or _digest_of(dump) != manifest["database"]["sha256"]:
        raise BackupRefused(f"{dump.name} is missing or damaged; take another backup")
    if missing := [d for d in manifest["files"] if not (source / "files" / d).is_file()]:
        raise BackupRefused(f"{len(missing)} files are missing from the backup, the first is {missing[0]}")
    return manifest


# -- SQLite -------------------------------------------------------------------------------------------------


def _dump_sqlite(database: Database, draft: Path) -> dict[str, dict[str, Any]]:
    target = draft / "database.sqlite3"
    with sqlite3.connect(_path_of(database.url), timeout=30) as raw:
        raw.execute("VACUUM INTO ?", (str(target),))
    raw.close()
    copy = Database(f"sqlite:///{target}")
    try:
        with copy.reading() as connection:
            tables = table_digests(connection)
    finally:
        copy.close()
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    return tables


def _load_sqlite(dump: Path, url: str) -> None:
    target = Path(_path_of(url))
    if target.exists():
        raise BackupRefused(f"{target} is already there; move it away first, a restore never overwrites")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + ".restoring")
    shutil.copyfile(dump, draft)
    _settle(draft)
    draft.rename(target)


def _path_of(url: str) -> str:
    path = make_url(url).database
    if not path:
        raise BackupRefused("a database in memory cannot be backed up")
    return path


# -- PostgreSQL ---------------------------------------------------------------------------------------------


def _dump_postgresql(database: Database, draft: Path) -> dict[str, dict[str, Any]]:
    with database.engine.connect() as connection, connection.begin():
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = str(connection.scalar(text("SELECT pg_export_snapshot()")))
        _run("pg_dump", database.engine.url, "--format=custom", f"--snapshot={snapshot}", "--no-owner",
             f"--file={draft / 'database.dump'}")
        return table_digests(connection)


def _load_postgresql(dump: Path, url: str) -> None:
    database = Database(url)
    try:
        if inspect(database.engine).get_table_names():
            raise BackupRefused("the target database is not empty; a restore never overwrites")
        _run("pg_restore", database.engine.url, "--no-owner", "--exit-on-error", "--single-transaction", str(dump))
    finally:
        database.close()


def _run(program: str, url: URL, *arguments: str) -> None:
    if shutil.which(program) is None:
        raise BackupRefused(f"{program} is not installed; install Debian's package postgresql-client")
    target = url.set(drivername="postgresql", password=None).render_as_string()
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    done = subprocess.run(  # noqa: S603  # fixed programs, arguments of our own, no shell
        [program, f"--dbname={target}", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupRefused(f"{program} failed: {done.stderr.strip()[-400:]}")


# -- both ---------------------------------------------------------------------------------------------------


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(path: Path) -> None:
    """Make sure that what was written is on the disk before it is called a backup."""
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def missing_files(connection: Connection, files: FileStore) -> Iterator[str]:
    """Every digest that a row names and the store does not hold whole."""
    for digest in sorted(named_files(connection)):
        try:
            files.get(digest)
        except FileMissing:
            yield digest


def named_files(connection: Connection) -> set[str]:
    """The digests that rows name."""
    columns = [(t, t.c.sha256) for t in metadata.sorted_tables if "sha256" in t.c]
    return {digest for _, column in columns
            for digest in connection.scalars(select(column).where(column.is_not(None)))}
