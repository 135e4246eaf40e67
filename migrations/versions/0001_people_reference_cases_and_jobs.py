"""People, reference data, cases, their audit and jobs, written out: it means the same whatever the models become."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("audit_entry", "sign_off")


def upgrade() -> None:
    op.create_table(
        "agency",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("division", sa.String(6), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("legal_person", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("particulars", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
        sa.UniqueConstraint("public_id", name=op.f("uq_agency_public_id")),
        sa.UniqueConstraint("uscc", name=op.f("uq_agency_uscc")),
    )
    op.create_table(
        "allowance",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allowance")),
    )
    op.create_index(op.f("ix_allowance_name"), "allowance", ["name", "valid_from"], unique=True)
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_year")),
    )
    op.create_table(
        "catalogue_entry",
        sa.Column("catalogue", sa.String(40), nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.PrimaryKeyConstraint("catalogue", "code", name=op.f("pk_catalogue_entry")),
    )
    op.create_table(
        "mail",
        sa.Column("job_id", sa.String(22), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "recipient", name=op.f("pk_mail")),
    )
    op.create_table(
        "number_counter",
        sa.Column("scope", sa.String(60), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.CheckConstraint("next >= 1", name=op.f("ck_number_counter_next")),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_number_counter")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("identity_key", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("identity_key", name=op.f("uq_person_identity_key")),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "standard",
        sa.Column("number", sa.String(120), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("domain", sa.String(60), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("replaced_by", sa.Text(), nullable=False),
        sa.Column("confidence", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_standard")),
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("window_started_at", MOMENT, nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.CheckConstraint("hits >= 0", name=op.f("ck_throttle_hits")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_index(op.f("ix_throttle_window"), "throttle", ["window_started_at"], unique=False)
    op.create_table(
        "worker",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker")),
    )
    op.create_table(
        "account",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("login", sa.String(80), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.String(22), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("department", sa.String(40), nullable=True),
        sa.Column("agency_id", BIG_ID, nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_account_agency_id_agency")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )
    op.create_index(op.f("ix_account_agency_id"), "account", ["agency_id"], unique=False)
    op.create_index(op.f("ix_account_person_id"), "account", ["person_id"], unique=False)
    op.create_table(
        "case",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("number", sa.String(30), nullable=True),
        sa.Column("procedure", sa.String(60), nullable=False),
        sa.Column("procedure_version", sa.Integer(), nullable=False),
        sa.Column("procedure_digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(60), nullable=False),
        sa.Column("track", sa.String(60), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("agency_id", BIG_ID, nullable=True),
        sa.Column("agency_name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("acts", JSON, nullable=False),
        sa.Column("clocks", JSON, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("lapses_on", sa.Date(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("audit_hash", sa.String(64), nullable=False),
        sa.Column("parent_id", BIG_ID, nullable=True),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint("version >= 0 AND round >= 1", name=op.f("ck_case_counters")),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_case_agency_id_agency")),
        sa.ForeignKeyConstraint(["parent_id"], ["case.id"], name=op.f("fk_case_parent_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("number", name=op.f("uq_case_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_case_public_id")),
    )
    op.create_index(op.f("ix_case_agency"), "case", ["agency_id", "id"], unique=False)
    op.create_index(op.f("ix_case_lapses_on"), "case", ["lapses_on"], unique=False)
    op.create_index(op.f("ix_case_parent_id"), "case", ["parent_id"], unique=False)
    op.create_index(op.f("ix_case_procedure_state"), "case", ["procedure", "state", "id"], unique=False)
    op.create_table(
        "expertise",
        sa.Column("person_id", sa.String(22), nullable=False),
        sa.Column("sector", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_expertise_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", "sector", name=op.f("pk_expertise")),
    )
    op.create_table(
        "account_role",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("role", sa.String(30), nullable=False),
        sa.CheckConstraint("role <> 'system'", name=op.f("ck_account_role_role")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_account_role_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "role", name=op.f("pk_account_role")),
    )
    op.create_index(op.f("ix_account_role_role"), "account_role", ["role"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("stream", sa.String(40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("case_id", BIG_ID, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("source", sa.String(60), nullable=True),
        sa.Column("target", sa.String(60), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.String(22), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(60), nullable=False),
        sa.Column("department", sa.String(40), nullable=True),
        sa.Column("command_id", sa.String(40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_audit_entry_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("command_id", name=op.f("uq_audit_entry_command_id")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq_audit_entry_stream_seq")),
    )
    op.create_index(op.f("ix_audit_entry_account"), "audit_entry", ["account_id", "id"], unique=False)
    op.create_index(op.f("ix_audit_entry_case"), "audit_entry", ["case_id", "id"], unique=False)
    op.create_table(
        "case_party",
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("holder", sa.String(70), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_party_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", "holder", name=op.f("pk_case_party")),
    )
    op.create_index(op.f("ix_case_party_holder"), "case_party", ["holder"], unique=False)
    op.create_table(
        "outgoing_job",
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("case_id", BIG_ID, nullable=True),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("available_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_by", sa.String(80), nullable=True),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'done', 'failed')", name=op.f("ck_outgoing_job_status")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_outgoing_job_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_job")),
    )
    op.create_index(op.f("ix_outgoing_job_case_id"), "outgoing_job", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_outgoing_job_waiting"), "outgoing_job", ["status", "available_at", "id"], unique=False
    )
    op.create_table(
        "session",
        sa.Column("id_hash", sa.String(64), nullable=False),
        sa.Column("account_id", BIG_ID, nullable=True),
        sa.Column("values", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("reauthenticated_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_session_account_id_account")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_index(op.f("ix_session_seen_at"), "session", ["seen_at"], unique=False)
    op.create_table(
        "sign_off",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=False),
        sa.Column("person_id", sa.String(22), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("verdict IN ('agree', 'object')", name=op.f("ck_sign_off_verdict")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_sign_off_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_off")),
        sa.UniqueConstraint(
            "case_id", "round", "department", name=op.f("uq_sign_off_case_id_round_department")
        ),
    )
    op.create_table(
        "task",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("role", sa.String(30), nullable=False),
        sa.Column("holder", sa.String(70), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_task_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("case_id", "role", "holder", name=op.f("uq_task_case_id_role_holder")),
    )
    op.create_index(op.f("ix_task_queue"), "task", ["role", "holder", "due_on", "id"], unique=False)
    for table in APPEND_ONLY:
        _guard(table)


def _guard(table: str) -> None:
    """Forbid UPDATE and DELETE (on PostgreSQL TRUNCATE as well)."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def downgrade() -> None:
    op.drop_table("task")
    op.drop_table("sign_off")
    op.drop_table("session")
    op.drop_table("outgoing_job")
    op.drop_table("case_party")
    op.drop_table("audit_entry")
    op.drop_table("account_role")
    op.drop_table("expertise")
    op.drop_table("case")
    op.drop_table("account")
    op.drop_table("worker")
    op.drop_table("throttle")
    op.drop_table("standard")
    op.drop_table("setting")
    op.drop_table("person")
    op.drop_table("number_counter")
    op.drop_table("mail")
    op.drop_table("catalogue_entry")
    op.drop_table("calendar_year")
    op.drop_table("allowance")
    op.drop_table("agency")
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION IF EXISTS {table}_append_only()")
