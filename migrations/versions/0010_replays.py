"""Past cases lived again under another version of their procedure."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "replay",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("procedure", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reached", BIG_ID, nullable=False),
        sa.Column("until", BIG_ID, nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("totals", JSON, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("status IN ('running', 'done', 'stopped')", name=op.f("ck_replay_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replay")),
        sa.UniqueConstraint("public_id", name=op.f("uq_replay_public_id")),
    )
    op.create_index("ix_replay_version", "replay", ["procedure", "version", "id"])
    op.create_table(
        "replay_case",
        sa.Column("replay_id", BIG_ID, nullable=False),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("differs", sa.Boolean(), nullable=False),
        sa.Column("found", JSON, nullable=False),
        sa.CheckConstraint(
            "kind IN ('same', 'faster', 'slower', 'stuck', 'other_decision', 'unread')",
            name=op.f("ck_replay_case_kind"),
        ),
        sa.ForeignKeyConstraint(["replay_id"], ["replay.id"], name=op.f("fk_replay_case_replay_id_replay")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_replay_case_case_id_case")),
        sa.PrimaryKeyConstraint("replay_id", "case_id", name=op.f("pk_replay_case")),
    )
    op.create_index("ix_replay_case_kind", "replay_case", ["replay_id", "kind", "case_id"])
    op.create_index(
        "ix_replay_case_differs", "replay_case", ["replay_id", "case_id"],
        postgresql_where=sa.text("differs"), sqlite_where=sa.text("differs"),
    )


def downgrade() -> None:
    op.drop_table("replay_case")
    op.drop_table("replay")
