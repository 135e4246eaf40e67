"""Outgoing jobs: written with the step that needs them, done afterwards by a worker."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import Record, token

WAITING, FAILED = text("status = 'waiting'"), text("status = 'failed'")


class JobRecord(Record):
    """`status` is waiting, done or failed; a waiting job under a lease is being worked on."""

    __tablename__ = "outgoing_job"
    id: Mapped[str] = token(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"), index=True)
    payload: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(10), default="waiting")
    available_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    leased_by: Mapped[str | None] = mapped_column(String(80))
    leased_until: Mapped[datetime | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_outgoing_job_waiting", "available_at", postgresql_where=WAITING, sqlite_where=WAITING),
        Index("ix_outgoing_job_failed", "created_at", postgresql_where=FAILED, sqlite_where=FAILED),
        CheckConstraint("status IN ('waiting', 'done', 'failed')", name="status"),
    )


class WorkerRecord(Record):
    """A worker's last sign of life, for /readyz and the administrator."""

    __tablename__ = "worker"
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    seen_at: Mapped[datetime]
    started_at: Mapped[datetime]


class MailRecord(Record):
    """A mail that has left, keyed by its job and recipient, so a repeated job sends it once."""

    __tablename__ = "mail"
    job_id: Mapped[str] = token(primary_key=True)
    recipient: Mapped[str] = mapped_column(String(254), primary_key=True)
    subject: Mapped[str]
    sent_at: Mapped[datetime]
