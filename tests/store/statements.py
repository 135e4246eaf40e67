"""Counting what is asked of a database."""
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from store.database import Database


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements sent inside the block; what only begins or ends a transaction is left out."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")):
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def counts_without_end(statement: str) -> bool:
    """Whether a statement counts rows of a table to their end: each count must stand on a selection with a LIMIT."""
    for found in re.finditer(r"count\s*\(", statement, re.IGNORECASE):
        rest = statement[found.end() :]
        source = re.search(r"\bFROM\s*(\S)", rest, re.IGNORECASE)
        ends = re.match(r".*?\bFROM\s*\(\s*SELECT\b.*?\bLIMIT\b", rest, re.DOTALL | re.IGNORECASE)
        if ends is None or source is None or source.group(1) != "(":
            return True
    return False
