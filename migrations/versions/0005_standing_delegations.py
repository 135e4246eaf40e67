"""Standing delegations, and the guard that lets nobody be named as acted for without one in force."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GUARDS = {
    "sqlite": [
        "CREATE TRIGGER audit_entry_in_stead BEFORE INSERT ON audit_entry "
        "WHEN json_extract(NEW.payload, '$.for') IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM delegation d JOIN account p ON p.id = d.principal_id "
        "WHERE d.id = json_extract(NEW.payload, '$.for.delegation') AND d.delegate_id = NEW.account_id "
        "AND p.person_id = json_extract(NEW.payload, '$.for.person') AND d.revoked_at IS NULL "
        "AND date(NEW.at, '+8 hours') BETWEEN d.from_on AND d.until_on) "
        "BEGIN SELECT RAISE(ABORT, 'no delegation in force covers this entry'); END",
        "CREATE TRIGGER delegation_no_delete BEFORE DELETE ON delegation "
        "BEGIN SELECT RAISE(ABORT, 'a delegation is revoked, never removed'); END",
        "CREATE TRIGGER delegation_once BEFORE UPDATE ON delegation "
        "WHEN OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL OR NEW.id <> OLD.id "
        "OR NEW.principal_id <> OLD.principal_id OR NEW.delegate_id <> OLD.delegate_id "
        "OR NEW.from_on <> OLD.from_on OR NEW.until_on <> OLD.until_on OR NEW.procedure <> OLD.procedure "
        "OR NEW.verbs <> OLD.verbs OR NEW.without <> OLD.without "
        "BEGIN SELECT RAISE(ABORT, 'a delegation is revoked once and never changed'); END",
    ],
    "postgresql": [
        "CREATE FUNCTION audit_entry_in_stead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM 1 FROM delegation d JOIN account p ON p.id = d.principal_id "
        "WHERE d.id = (NEW.payload->'for'->>'delegation')::bigint AND d.delegate_id = NEW.account_id "
        "AND p.person_id = NEW.payload->'for'->>'person' AND d.revoked_at IS NULL "
        "AND (NEW.at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN d.from_on AND d.until_on FOR SHARE OF d; "
        "IF NOT FOUND THEN RAISE EXCEPTION 'no delegation in force covers this entry' "
        "USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER audit_entry_in_stead BEFORE INSERT ON audit_entry FOR EACH ROW "
        "WHEN (NEW.payload ? 'for') EXECUTE FUNCTION audit_entry_in_stead()",
        "CREATE FUNCTION delegation_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'a delegation is revoked once and never changed or removed' "
        "USING ERRCODE = 'check_violation'; END $$",
        "CREATE TRIGGER delegation_no_delete BEFORE DELETE OR TRUNCATE ON delegation "
        "FOR EACH STATEMENT EXECUTE FUNCTION delegation_once()",
        "CREATE TRIGGER delegation_once BEFORE UPDATE ON delegation FOR EACH ROW "
        "WHEN (OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL OR NEW.id <> OLD.id "
        "OR NEW.principal_id <> OLD.principal_id OR NEW.delegate_id <> OLD.delegate_id "
        "OR NEW.from_on <> OLD.from_on OR NEW.until_on <> OLD.until_on OR NEW.procedure <> OLD.procedure "
        "OR NEW.verbs <> OLD.verbs OR NEW.without <> OLD.without) EXECUTE FUNCTION delegation_once()",
    ],
}
ACCOUNTS = ("principal_id", "delegate_id", "made_by", "revoked_by")


def upgrade() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("principal_id", BIG_ID, nullable=False),
        sa.Column("delegate_id", BIG_ID, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("procedure", sa.String(60), nullable=False),
        sa.Column("verbs", JSON, nullable=False),
        sa.Column("without", JSON, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", BIG_ID, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("revoked_by", BIG_ID, nullable=True),
        sa.CheckConstraint("principal_id <> delegate_id", name=op.f("ck_delegation_two")),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_delegation_days")),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name=op.f("ck_delegation_revocation")),
        *(
            sa.ForeignKeyConstraint([name], ["account.id"], name=op.f(f"fk_delegation_{name}_account"))
            for name in ACCOUNTS
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
        sa.UniqueConstraint("public_id", name=op.f("uq_delegation_public_id")),
    )
    op.create_index("ix_delegation_principal", "delegation", ["principal_id", "until_on"])
    op.create_index("ix_delegation_delegate", "delegation", ["delegate_id", "until_on"])
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_in_stead")
    else:
        op.execute("DROP TRIGGER audit_entry_in_stead ON audit_entry")
        op.execute("DROP FUNCTION audit_entry_in_stead()")
    op.drop_table("delegation")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION delegation_once()")
