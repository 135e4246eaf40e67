"""Past cases lived again under another version: one row for the replay, one for each case."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import BigId, Record, big_id, token

DIFFERS = text("differs")


class ReplayRecord(Record):
    """A version looked at over past cases, with its text as it stood when that was asked for.

    `status`: running, done or stopped. `reached` is the last case that was lived again, `until` the last one of all,
    `expected` how many there are. `totals` grows with every batch.
    """

    __tablename__ = "replay"
    id: Mapped[int] = big_id()
    public_id: Mapped[str] = token(unique=True)
    procedure: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    definition: Mapped[str]
    since: Mapped[date | None]
    status: Mapped[str] = mapped_column(String(10))
    reached: Mapped[int] = mapped_column(BigId)
    until: Mapped[int] = mapped_column(BigId)
    expected: Mapped[int]
    totals: Mapped[dict[str, Any]]
    asked_by: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("status IN ('running', 'done', 'stopped')", name="status"),
        Index("ix_replay_version", "procedure", "version", "id"),
    )


class ReplayCaseRecord(Record):
    """What was found of one case. `differs`: something went otherwise, be it with the same end."""

    __tablename__ = "replay_case"
    replay_id: Mapped[int] = mapped_column(ForeignKey("replay.id"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    differs: Mapped[bool]
    found: Mapped[dict[str, Any]]
    __table_args__ = (
        CheckConstraint(
            "kind IN ('same', 'faster', 'slower', 'stuck', 'other_decision', 'unread')", name="kind"
        ),
        Index("ix_replay_case_kind", "replay_id", "kind", "case_id"),
        Index(
            "ix_replay_case_differs", "replay_id", "case_id", postgresql_where=DIFFERS, sqlite_where=DIFFERS
        ),
    )
