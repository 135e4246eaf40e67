"""Cases, the departments' answers, open tasks and who has a part in a case."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import NEVER, PlainJson, Record, big_id, token

# Said in plain words where they are asked for as well, so that their indexes serve.
LAPSES, SOUNDS = text(f"lapses_on <> '{NEVER}'"), text(f"alarms_on <> '{NEVER}'")
OF_A_PARENT = text("parent_id IS NOT NULL")  # most cases have none


class CaseRecord(Record):
    """One run of a procedure. `version` grows with every step; `audit_hash` is the head of its audit chain."""

    __tablename__ = "case"
    id: Mapped[int] = big_id()
    public_id: Mapped[str] = token(unique=True)
    number: Mapped[str | None] = mapped_column(String(30), unique=True)
    procedure: Mapped[str] = mapped_column(String(60))
    procedure_version: Mapped[int]
    procedure_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(60))
    track: Mapped[str] = mapped_column(String(60))
    round: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=0)
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id"))
    agency_name: Mapped[str]
    subject: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(PlainJson)
    acts: Mapped[list[Any]] = mapped_column(PlainJson)
    clocks: Mapped[list[Any]] = mapped_column(PlainJson)
    due_on: Mapped[date]
    lapses_on: Mapped[date]
    alarms_on: Mapped[date] = mapped_column(server_default=NEVER.isoformat())
    counted_by: Mapped[str] = mapped_column(String(16), server_default=text("''"))
    audit_seq: Mapped[int] = mapped_column(default=0)
    audit_hash: Mapped[str] = mapped_column(String(64))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_case_agency", "agency_id", "id"),
        Index("ix_case_lapses_on", "lapses_on", postgresql_where=LAPSES, sqlite_where=LAPSES),
        Index("ix_case_alarms_on", "alarms_on", postgresql_where=SOUNDS, sqlite_where=SOUNDS),
        Index("ix_case_parent_id", "parent_id", postgresql_where=OF_A_PARENT, sqlite_where=OF_A_PARENT),
        Index("ix_case_procedure_state", "procedure", "state", "id"),
        # What a new calendar may move: cases whose clocks still go, by the calendar they were counted by.
        Index(
            "ix_case_counted_by", "counted_by", "id",
            postgresql_where=text("counted_by <> ''"), sqlite_where=text("counted_by <> ''"),
        ),
        CheckConstraint("version >= 0 AND round >= 1", name="counters"),
    )


class SignOffRecord(Record):
    """A department answers once per round, and a person for one department; the constraints are the last line
    behind the engine. An answer that stands from an earlier round is a row of its own: `carried_from` names the round
    in which it was given, `at` the moment, `rests_on` the digests of what it rested on."""

    __tablename__ = "sign_off"
    id: Mapped[int] = big_id()
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    round: Mapped[int]
    department: Mapped[str] = mapped_column(String(40))
    verdict: Mapped[str] = mapped_column(String(20))
    opinion: Mapped[str]
    person_id: Mapped[str] = mapped_column(String(22))
    at: Mapped[datetime]
    carried_from: Mapped[int | None]
    rests_on: Mapped[dict[str, Any]]
    __table_args__ = (
        UniqueConstraint("case_id", "round", "department"),
        UniqueConstraint("case_id", "round", "person_id"),
        CheckConstraint("verdict IN ('agree', 'object', 'abstain', 'recused')", name="verdict"),
        CheckConstraint("carried_from < round", name="carried_from"),
    )


class TaskRecord(Record):
    """An open duty. The row goes when the duty is done; the audit entry remembers it."""

    __tablename__ = "task"
    id: Mapped[int] = big_id()
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    role: Mapped[str] = mapped_column(String(30))
    holder: Mapped[str] = mapped_column(String(70))
    due_on: Mapped[date]
    opened_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("case_id", "role", "holder"),
        Index("ix_task_queue", "role", "holder", "due_on", "id"),
    )


class CasePartyRecord(Record):
    """Who, beyond the applicant and the bureau-wide roles, has a part in a case: department:x or person:x."""

    __tablename__ = "case_party"
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    holder: Mapped[str] = mapped_column(String(70), primary_key=True, index=True)
