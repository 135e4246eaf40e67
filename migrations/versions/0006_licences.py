"""Certificates of every procedure in one register: whose kind they are, numbers by other rules, what else they say."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OLD, NEW = "length(number) = 12", "length(number) BETWEEN 1 AND 40"


def upgrade() -> None:
    op.add_column("certificate", sa.Column("kind", sa.String(60), nullable=True))
    op.add_column("certificate_version", sa.Column("content", JSON, nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _say((OLD, NEW), ("number VARCHAR(12)", "number VARCHAR(40)"))
        return
    op.drop_constraint("ck_certificate_number", "certificate")
    op.alter_column("certificate", "number", type_=sa.String(40))
    op.create_check_constraint(op.f("ck_certificate_number"), "certificate", NEW)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _say((NEW, OLD), ("number VARCHAR(40)", "number VARCHAR(12)"))
    else:
        op.drop_constraint("ck_certificate_number", "certificate")
        op.alter_column("certificate", "number", type_=sa.String(12))
        op.create_check_constraint(op.f("ck_certificate_number"), "certificate", OLD)
    op.drop_column("certificate_version", "content")
    op.drop_column("certificate", "kind")


def _say(*changes: tuple[str, str]) -> None:
    """Change the words of a CHECK in place. Making the table anew would drop what refers to it; SQLite allows this
    for a constraint that the rows already meet (https://www.sqlite.org/lang_altertable.html, section 7)."""
    connection = op.get_bind()
    version = connection.execute(sa.text("PRAGMA schema_version")).scalar_one()
    connection.execute(sa.text("PRAGMA writable_schema=ON"))
    for old, new in changes:
        connection.execute(
            sa.text("UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE type = 'table' AND name = 'certificate'"),
            {"old": old, "new": new},
        )
    connection.execute(sa.text(f"PRAGMA schema_version={int(version) + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema=OFF"))
