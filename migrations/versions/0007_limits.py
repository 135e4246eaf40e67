"""Limits: when a case has something to tell about them, by which calendar they were counted; renewals by law."""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NEVER, LONG_AGO = "9999-12-31", date(1970, 1, 1)


def upgrade() -> None:
    op.add_column("case", sa.Column("alarms_on", sa.Date(), nullable=False, server_default=NEVER))
    op.add_column("case", sa.Column("counted_by", sa.String(16), nullable=False, server_default=sa.text("''")))
    op.add_column("certificate", sa.Column("deemed_renewed_on", sa.Date(), nullable=True))
    op.create_index("ix_case_alarms_on", "case", ["alarms_on"])
    op.create_index(
        "ix_case_counted_by", "case", ["counted_by", "id"],
        postgresql_where=sa.text("counted_by <> ''"), sqlite_where=sa.text("counted_by <> ''"),
    )  # fmt: skip
    # The next sweep looks at every open case once and fills in what it finds.
    case = sa.table("case", sa.column("alarms_on", sa.Date), sa.column("counted_by"), sa.column("closed_at"))
    op.execute(case.update().where(case.c.closed_at.is_(None)).values(alarms_on=LONG_AGO, counted_by="?"))


def downgrade() -> None:
    op.drop_index("ix_case_counted_by", "case")
    op.drop_index("ix_case_alarms_on", "case")
    op.drop_column("certificate", "deemed_renewed_on")
    op.drop_column("case", "counted_by")
    op.drop_column("case", "alarms_on")
