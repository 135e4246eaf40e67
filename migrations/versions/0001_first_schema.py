"""The first schema."""

from alembic import op
from sqlalchemy import text

from store.records import metadata
from store.records.audit import APPEND_ONLY

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(text(f"DROP FUNCTION IF EXISTS {table}_append_only()"))
