"""Less beside every entry and job: the same chain of the same hashes in fewer bytes, and indexes of what is asked.

A hash is kept as its 32 bytes; the one before it is that of the entry before; a case's own entries name their
stream by the case alone. Whatever was tampered with before is as broken afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BYTES, HEX, STREAM = sa.LargeBinary(32), sa.String(64), sa.String(40)
GENESIS = "0" * 64
HASH_IS_DIGEST = "length(hash) = 64 AND lower(hash) NOT GLOB '*[^0-9a-f]*'"


def upgrade() -> None:
    op.drop_index("ix_audit_entry_account", "audit_entry")
    op.drop_index("ix_audit_entry_case", "audit_entry")
    if op.get_bind().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        op.drop_constraint("uq_audit_entry_stream_seq", "audit_entry")
        op.execute(
            "ALTER TABLE audit_entry ALTER stream DROP NOT NULL, DROP previous_hash, "
            "ALTER stream TYPE varchar(40) USING CASE WHEN stream = 'case:' || case_id THEN NULL ELSE stream END, "
            "ALTER hash TYPE bytea USING "
            "CASE WHEN hash ~ '^[0-9a-f]{64}$' THEN decode(hash, 'hex') ELSE convert_to(hash, 'UTF8') END"
        )
        op.create_unique_constraint("uq_audit_entry_case_id_seq", "audit_entry", ["case_id", "seq"])
    _index("uq_audit_entry_stream_seq", "audit_entry", ["stream", "seq"], "stream IS NOT NULL", unique=True)
    _index("ix_audit_entry_account", "audit_entry", ["account_id", "id"], "account_id <> 0")
    op.drop_index("ix_outgoing_job_waiting", "outgoing_job")
    _index("ix_outgoing_job_waiting", "outgoing_job", ["available_at"], "status = 'waiting'")
    _index("ix_outgoing_job_failed", "outgoing_job", ["created_at"], "status = 'failed'")


def downgrade() -> None:
    op.drop_index("ix_outgoing_job_failed", "outgoing_job")
    op.drop_index("ix_outgoing_job_waiting", "outgoing_job")
    op.create_index("ix_outgoing_job_waiting", "outgoing_job", ["status", "available_at", "id"])
    op.drop_index("ix_audit_entry_account", "audit_entry")
    op.drop_index("uq_audit_entry_stream_seq", "audit_entry")
    if op.get_bind().dialect.name == "sqlite":
        _downgrade_sqlite()
    else:
        op.drop_constraint("uq_audit_entry_case_id_seq", "audit_entry")
        op.execute(
            "ALTER TABLE audit_entry ADD previous_hash varchar(64), "
            "ALTER stream TYPE varchar(40) USING coalesce(stream, 'case:' || case_id), "
            "ALTER hash TYPE varchar(64) USING "
            "CASE WHEN length(hash) = 32 THEN encode(hash, 'hex') ELSE encode(hash, 'escape') END"
        )
        op.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        _previous_hashes()
        op.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
        op.execute("ALTER TABLE audit_entry ALTER previous_hash SET NOT NULL, ALTER stream SET NOT NULL")
        op.create_unique_constraint("uq_audit_entry_stream_seq", "audit_entry", ["stream", "seq"])
    op.create_index("ix_audit_entry_account", "audit_entry", ["account_id", "id"])
    op.create_index("ix_audit_entry_case", "audit_entry", ["case_id", "id"])


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique,
                    postgresql_where=sa.text(where), sqlite_where=sa.text(where))  # fmt: skip


def _previous_hashes() -> None:
    """Each entry tells again the hash of the one before it in its stream."""
    op.execute(
        f"UPDATE audit_entry SET previous_hash = before.hash FROM (SELECT id, lag(hash, 1, '{GENESIS}') "  # noqa: S608
        "OVER (PARTITION BY stream ORDER BY seq) AS hash FROM audit_entry) AS before WHERE before.id = audit_entry.id"
    )


# On SQLite a table is made anew, and what was attached to it must be attached again.


def _upgrade_sqlite() -> None:
    _open()
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    connection.create_function("bytes_of", 1, bytes.fromhex, deterministic=True)
    with op.batch_alter_table("audit_entry", recreate="always") as table:
        table.drop_constraint("uq_audit_entry_stream_seq", type_="unique")
        table.alter_column("stream", existing_type=STREAM, nullable=True)
        table.alter_column("hash", existing_type=HEX, type_=BYTES)
        table.drop_column("previous_hash")
        table.create_unique_constraint("uq_audit_entry_case_id_seq", ["case_id", "seq"])
    op.execute("UPDATE audit_entry SET hash = CAST(hash AS TEXT)")
    op.execute(f"UPDATE audit_entry SET hash = bytes_of(hash) WHERE {HASH_IS_DIGEST}")  # noqa: S608  # our own words
    op.execute("UPDATE audit_entry SET stream = NULL WHERE stream = 'case:' || case_id")
    _close()


def _downgrade_sqlite() -> None:
    _open()
    op.execute("UPDATE audit_entry SET hash = lower(hex(hash)) WHERE typeof(hash) = 'blob'")
    op.execute("UPDATE audit_entry SET stream = 'case:' || case_id WHERE stream IS NULL")
    with op.batch_alter_table("audit_entry", recreate="always") as table:
        table.drop_constraint("uq_audit_entry_case_id_seq", type_="unique")
        table.alter_column("stream", existing_type=STREAM, nullable=False)
        table.alter_column("hash", existing_type=BYTES, type_=HEX)
        table.add_column(sa.Column("previous_hash", HEX, nullable=False, server_default=GENESIS))
        table.create_unique_constraint("uq_audit_entry_stream_seq", ["stream", "seq"])
    _previous_hashes()
    with op.batch_alter_table("audit_entry", recreate="always") as table:
        table.alter_column("previous_hash", existing_type=HEX, server_default=None)
    _close()


def _open() -> None:
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER audit_entry_no_{verb}")


def _close() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_entry_no_{verb.lower()} BEFORE {verb} ON audit_entry "
            "BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END"
        )
