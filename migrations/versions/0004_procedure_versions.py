"""Versions of procedures as rows that settle when cases may run on them, and migrations of running cases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACTIVE = sa.text("status = 'active'")
SQLITE = (
    "CREATE TRIGGER procedure_version_settled BEFORE UPDATE ON procedure_version "
    "WHEN OLD.status IN ('scheduled', 'active', 'retired') AND (NEW.name IS NOT OLD.name "
    "OR NEW.version IS NOT OLD.version OR NEW.definition IS NOT OLD.definition OR NEW.digest IS NOT OLD.digest "
    "OR NEW.status = 'draft' OR (NEW.status = 'proved' AND OLD.status <> 'scheduled')) "
    "BEGIN SELECT RAISE(ABORT, 'a procedure version on which cases may run never changes'); END",
    "CREATE TRIGGER procedure_version_kept BEFORE DELETE ON procedure_version "
    "WHEN OLD.status IN ('scheduled', 'active', 'retired') "
    "BEGIN SELECT RAISE(ABORT, 'a procedure version on which cases may run never changes'); END",
)
POSTGRESQL = (
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
)


def upgrade() -> None:
    op.create_table(
        "procedure_version",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=True),
        sa.Column("proof", JSON, nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint("status IN ('draft', 'proved', 'scheduled', 'active', 'retired')",
                           name=op.f("ck_procedure_version_status")),
        sa.CheckConstraint("version >= 1 AND edition >= 1", name=op.f("ck_procedure_version_counters")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_version")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_procedure_version_name_version")),
    )  # fmt: skip
    op.create_index("uq_procedure_version_active", "procedure_version", ["name"], unique=True,
                    postgresql_where=ACTIVE, sqlite_where=ACTIVE)  # fmt: skip
    op.create_table(
        "procedure_migration",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("procedure", sa.String(60), nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("plan", JSON, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reached", BIG_ID, nullable=False),
        sa.Column("asked_by", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("status IN ('looking', 'looked', 'moving', 'moved', 'given_up')",
                           name=op.f("ck_procedure_migration_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_migration")),
        sa.UniqueConstraint("public_id", name=op.f("uq_procedure_migration_public_id")),
    )  # fmt: skip
    op.create_index(op.f("ix_procedure_migration_procedure"), "procedure_migration", ["procedure", "id"])
    op.create_table(
        "procedure_migration_case",
        sa.Column("migration_id", BIG_ID, nullable=False),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("standing", sa.String(10), nullable=False),
        sa.Column("findings", JSON, nullable=False),
        sa.CheckConstraint("standing IN ('can', 'mapping', 'cannot', 'moved', 'left')",
                           name=op.f("ck_procedure_migration_case_standing")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_procedure_migration_case_case_id_case")),
        sa.ForeignKeyConstraint(["migration_id"], ["procedure_migration.id"],
                                name=op.f("fk_procedure_migration_case_migration_id_procedure_migration")),
        sa.PrimaryKeyConstraint("migration_id", "case_id", name=op.f("pk_procedure_migration_case")),
    )  # fmt: skip
    op.create_index(op.f("ix_procedure_migration_case_standing"), "procedure_migration_case",
                    ["migration_id", "standing", "case_id"])  # fmt: skip
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("procedure_migration_case")
    op.drop_table("procedure_migration")
    op.drop_table("procedure_version")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION procedure_version_settled()")
