"""Persons, the accounts they act with, and the sessions of those accounts."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import Record, big_id, token


class PersonRecord(Record):
    """A human being. `identity_key` is a keyed hash of the ID number, so two accounts of one person meet."""

    __tablename__ = "person"
    id: Mapped[str] = token(primary_key=True)
    name: Mapped[str]
    identity_key: Mapped[str | None] = mapped_column(String(64), unique=True)


class AccountRecord(Record):
    __tablename__ = "account"
    id: Mapped[int] = big_id()
    login: Mapped[str] = mapped_column(String(80), unique=True)
    password_hash: Mapped[str]
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str]
    department: Mapped[str | None] = mapped_column(String(40))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"), index=True)
    email: Mapped[str | None]
    language: Mapped[str] = mapped_column(String(12), default="zh_Hans_CN")
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class AccountRoleRecord(Record):
    __tablename__ = "account_role"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(30), primary_key=True, index=True)
    __table_args__ = (CheckConstraint("role <> 'system'", name="role"),)  # no account acts as the system


class SessionRecord(Record):
    """A signed-in browser. Only the hash of its identifier is kept; deleting the row ends it at once."""

    __tablename__ = "session"
    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    values: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    reauthenticated_at: Mapped[datetime | None]


class ExpertiseRecord(Record):
    """Which sectors a reviewer may review; a team must cover every sector of the application."""

    __tablename__ = "expertise"
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    sector: Mapped[str] = mapped_column(String(60), primary_key=True)


class ThrottleRecord(Record):
    """Failed attempts per key (address or code look-up) in a time window."""

    __tablename__ = "throttle"
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    window_started_at: Mapped[datetime]
    hits: Mapped[int]
    __table_args__ = (
        CheckConstraint("hits >= 0", name="hits"),
        Index("ix_throttle_window", "window_started_at"),
    )
