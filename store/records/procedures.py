"""Versions of procedures, and the migrations of running cases from one version to another."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, String, Table, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import BigId, Record, big_id, token

ACTIVE = text("status = 'active'")


class ProcedureVersionRecord(Record):
    """One text of one procedure. `edition` grows with every change of the row; who made it is in the audit."""

    __tablename__ = "procedure_version"
    id: Mapped[int] = big_id()
    name: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    definition: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(10))
    based_on: Mapped[int | None]
    proof: Mapped[dict[str, Any]]  # {} while it is not proved
    effective_on: Mapped[date | None]
    edition: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    __table_args__ = (
        UniqueConstraint("name", "version"),
        Index(
            "uq_procedure_version_active", "name", unique=True, postgresql_where=ACTIVE, sqlite_where=ACTIVE
        ),
        CheckConstraint(
            "status IN ('draft', 'proved', 'scheduled', 'active', 'retired')", name="status"
        ),
        CheckConstraint("version >= 1 AND edition >= 1", name="counters"),
    )


class ProcedureMigrationRecord(Record):
    """One migration of the open cases of a version: looked at first, carried out when somebody says so.

    `status` goes looking, looked, moving, moved (or given_up); `reached` is the last case of the present round.
    """

    __tablename__ = "procedure_migration"
    id: Mapped[int] = big_id()
    public_id: Mapped[str] = token(unique=True)
    procedure: Mapped[str] = mapped_column(String(60))
    source: Mapped[int]
    target: Mapped[int]
    plan: Mapped[dict[str, Any]]
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(String(10))
    reached: Mapped[int] = mapped_column(BigId)
    asked_by: Mapped[dict[str, Any]]  # who acts, as the audit of each case will name them
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("status IN ('looking', 'looked', 'moving', 'moved', 'given_up')", name="status"),
        Index("ix_procedure_migration_procedure", "procedure", "id"),
    )


class ProcedureMigrationCaseRecord(Record):
    """What was found of one case, and what became of it. `standing`: can, mapping, cannot; then moved or left."""

    __tablename__ = "procedure_migration_case"
    migration_id: Mapped[int] = mapped_column(ForeignKey("procedure_migration.id"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"), primary_key=True)
    standing: Mapped[str] = mapped_column(String(10))
    findings: Mapped[list[Any]]
    __table_args__ = (
        CheckConstraint("standing IN ('can', 'mapping', 'cannot', 'moved', 'left')", name="standing"),
        Index("ix_procedure_migration_case_standing", "migration_id", "standing", "case_id"),
    )


SETTLED_DDL = {
    "sqlite": (
        "CREATE TRIGGER procedure_version_settled BEFORE UPDATE ON procedure_version "
        "WHEN OLD.status IN ('scheduled', 'active', 'retired') AND (NEW.name IS NOT OLD.name "
        "OR NEW.version IS NOT OLD.version OR NEW.definition IS NOT OLD.definition OR NEW.digest IS NOT OLD.digest "
        "OR NEW.status = 'draft' OR (NEW.status = 'proved' AND OLD.status <> 'scheduled')) "
        "BEGIN SELECT RAISE(ABORT, 'a procedure version on which cases may run never changes'); END",
        "CREATE TRIGGER procedure_version_kept BEFORE DELETE ON procedure_version "
        "WHEN OLD.status IN ('scheduled', 'active', 'retired') "
        "BEGIN SELECT RAISE(ABORT, 'a procedure version on which cases may run never changes'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION procedure_version_settled() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'TRUNCATE' THEN RAISE EXCEPTION 'procedure versions are kept'; END IF; "
        "IF OLD.status IN ('scheduled', 'active', 'retired') AND (TG_OP = 'DELETE' OR NEW.name <> OLD.name "
        "OR NEW.version <> OLD.version OR NEW.definition <> OLD.definition OR NEW.digest <> OLD.digest "
        "OR NEW.status = 'draft' OR (NEW.status = 'proved' AND OLD.status <> 'scheduled')) THEN "
        "RAISE EXCEPTION 'a procedure version on which cases may run never changes'; END IF; "
        "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER procedure_version_settled BEFORE UPDATE OR DELETE ON procedure_version "
        "FOR EACH ROW EXECUTE FUNCTION procedure_version_settled()",
        "CREATE TRIGGER procedure_version_kept BEFORE TRUNCATE ON procedure_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION procedure_version_settled()",
    ),
}  # fmt: skip


def guard_settled(table: Table) -> None:
    """Attach the triggers so that `create_all` makes them; the migration runs the same statements."""
    for dialect, statements in SETTLED_DDL.items():
        for statement in statements:
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves DDL untyped
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))
