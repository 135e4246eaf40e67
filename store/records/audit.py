"""The audit entries: append-only, hash-chained per stream, written in the transaction of what they tell."""

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, ForeignKey, Index, String, Table, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import HexDigest, Record, big_id

OF_SOMEBODY = text("account_id <> 0")  # the system's own acts are looked for by case only
WITHOUT_CASE = text("stream IS NOT NULL")


class AuditRecord(Record):
    """One entry. The stream of a case's own entries is named by `case_id` alone and `stream` left empty; see
    `store.audit.stream_of`. The hash before it is that of the entry before it, and not written twice."""

    __tablename__ = "audit_entry"
    id: Mapped[int] = big_id()
    stream: Mapped[str | None] = mapped_column(String(40))
    seq: Mapped[int]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(60))
    source: Mapped[str | None] = mapped_column(String(60))
    target: Mapped[str | None] = mapped_column(String(60))
    account_id: Mapped[int]
    person_id: Mapped[str] = mapped_column(String(22))
    actor_name: Mapped[str]
    role: Mapped[str] = mapped_column(String(60))
    department: Mapped[str | None] = mapped_column(String(40))
    command_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    version: Mapped[int]
    payload: Mapped[dict[str, Any]]
    hash: Mapped[str] = mapped_column(HexDigest())
    __table_args__ = (
        UniqueConstraint("case_id", "seq"),
        Index("uq_audit_entry_stream_seq", "stream", "seq", unique=True,
              postgresql_where=WITHOUT_CASE, sqlite_where=WITHOUT_CASE),
        Index("ix_audit_entry_account", "account_id", "id", postgresql_where=OF_SOMEBODY, sqlite_where=OF_SOMEBODY),
    )  # fmt: skip


APPEND_ONLY = ("audit_entry", "certificate_event", "sign_off", "separation")


def append_only_ddl(table: str) -> dict[str, list[str]]:
    """Dialect name -> statements that forbid UPDATE and DELETE on a table (and TRUNCATE on PostgreSQL)."""
    return {
        "sqlite": [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ],
        "postgresql": [
            f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()",
        ],
    }


def guard_append_only(table: Table) -> None:
    """Attach the triggers so that `create_all` makes them; the first migration runs the same statements."""
    for dialect, statements in append_only_ddl(table.name).items():
        for statement in statements:
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves DDL untyped
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
