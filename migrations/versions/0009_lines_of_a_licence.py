"""Checklist lines say whose licence they are about: '' is common to every licence applied for together."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checklist_line", sa.Column("licence", sa.String(60), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    op.drop_column("checklist_line", "licence")
