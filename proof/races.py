"""Of departments that answer at the same instant none is lost, and their answers are joined exactly once."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from tests.services.databases import sqlite_url
from tests.services.postgres import Postgres
from tests.store.factories import DEPARTMENTS, MovableClock, seeded
from tests.store.racing import race

RACES = {2: 5000, 3: 3000, 5: 2000}  # departments -> races, ten thousand on each database


@contextmanager
def both() -> Iterator[dict[str, str]]:
    """A seeded database of each kind: its name and its URL."""
    with tempfile.TemporaryDirectory() as directory, Postgres() as server:
        sqlite = sqlite_url(Path(directory) / "races.sqlite3")
        seeded(sqlite)
        yield {"SQLite": sqlite, "PostgreSQL": server.create_prepared(seeded)}


def prove(races: dict[int, int] | None = None) -> Iterator[dict[str, Any]]:
    with both() as urls:
        for name, url in urls.items():
            database = Database(url, MovableClock())
            cases = CaseStore(database, LawBook(database))
            for departments, count in (races or RACES).items():
                outcome = race(cases, DEPARTMENTS[:departments], count)
                seen = dict(outcome.wrong) | dict(outcome.refused)
                yield {
                    "claim": f"{departments} departments answer at once on {name}: joined exactly once, none lost",
                    "tries": count,
                    "unexpected": outcome.unexpected,
                    "note": "; ".join(f"{what}: {n}" for what, n in seen.items()),
                }
            database.close()
