"""Empty and migrated databases of both kinds, made quickly."""
import importlib.util
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path


def migrate(url: str) -> None:
    """Bring an empty database to the head of the migrations, by the product's own command."""
    if importlib.util.find_spec("store.database") is None:
        return  # nothing to migrate yet
    from store.database import migrate as bring_to_head

    bring_to_head(url)


def sqlite_url(path: Path) -> str:
    """The SQLAlchemy URL of a SQLite file."""
    return f"sqlite:///{path}"


def sqlite_template(path: Path, prepare: Callable[[str], None]) -> Path:
    """Run `prepare` on a new SQLite file and fold its write-ahead log back, so that it can be copied."""
    prepare(sqlite_url(path))
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return path


def sqlite_copy(template: Path, path: Path) -> str:
    """Copy a template file and return the URL of the copy."""
    shutil.copyfile(template, path)
    return sqlite_url(path)
