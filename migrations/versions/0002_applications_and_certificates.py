"""Applications and certificates, written out: it means the same whatever the models become."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("certificate_event",)


def upgrade() -> None:
    op.create_table(
        "certificate",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("number", sa.String(12), nullable=False),
        sa.Column("agency_id", BIG_ID, nullable=False),
        sa.Column("agency_name", sa.Text(), nullable=False),
        sa.Column("agency_address", sa.Text(), nullable=False),
        sa.Column("authority_code", sa.String(2), nullable=False),
        sa.Column("authority_name", sa.Text(), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("annex_version", sa.Integer(), nullable=False),
        sa.Column("verify_code", sa.String(22), nullable=False),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("replaced_by_id", BIG_ID, nullable=True),
        sa.CheckConstraint("length(number) = 12", name=op.f("ck_certificate_number")),
        sa.CheckConstraint(
            "status IN ('valid','suspended','annulled','revoked','withdrawn','cancelled')",
            name=op.f("ck_certificate_status"),
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_certificate_agency_id_agency")),
        sa.ForeignKeyConstraint(
            ["replaced_by_id"], ["certificate.id"], name=op.f("fk_certificate_replaced_by_id_certificate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_certificate_public_id")),
        sa.UniqueConstraint("verify_code", name=op.f("uq_certificate_verify_code")),
    )
    op.create_index(op.f("ix_certificate_agency_id"), "certificate", ["agency_id"], unique=False)
    op.create_table(
        "annex_row",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("certificate_id", BIG_ID, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("parameter", sa.Text(), nullable=False),
        sa.Column("standard_text", sa.Text(), nullable=False),
        sa.Column("limit_text", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("until_version", sa.Integer(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("ended_by", sa.String(20), nullable=True),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_annex_row_certificate_id_certificate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annex_row")),
        sa.UniqueConstraint("certificate_id", "ordinal", name=op.f("uq_annex_row_certificate_id_ordinal")),
    )
    op.create_table(
        "annex_signatory",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("certificate_id", BIG_ID, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=False),
        sa.Column("until_version", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_annex_signatory_certificate_id_certificate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annex_signatory")),
        sa.UniqueConstraint(
            "certificate_id", "ordinal", name=op.f("uq_annex_signatory_certificate_id_ordinal")
        ),
    )
    op.create_table(
        "application",
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("sections", JSON, nullable=False),
        sa.Column("section_states", JSON, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=True),
        sa.Column("frozen_at", MOMENT, nullable=True),
        sa.Column("saved_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_application_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_application")),
    )
    op.create_table(
        "capability_row",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("sheet_row", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("parameter", sa.Text(), nullable=False),
        sa.Column("standards", JSON, nullable=False),
        sa.Column("standard_text", sa.Text(), nullable=False),
        sa.Column("limit_text", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.Column("standing", sa.String(10), nullable=False),
        sa.Column("ways", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.String(22), nullable=True),
        sa.CheckConstraint(
            "standing IN ('open', 'confirmed', 'refused')", name=op.f("ck_capability_row_standing")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_capability_row_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capability_row")),
        sa.UniqueConstraint("case_id", "ordinal", name=op.f("uq_capability_row_case_id_ordinal")),
    )
    op.create_index(
        op.f("ix_capability_row_standing"), "capability_row", ["case_id", "standing", "ordinal"], unique=False
    )
    op.create_table(
        "certificate_event",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("certificate_id", BIG_ID, nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("case_id", BIG_ID, nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_certificate_event_case_id_case")),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificate.id"],
            name=op.f("fk_certificate_event_certificate_id_certificate"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_event")),
    )
    op.create_index(
        op.f("ix_certificate_event_certificate"), "certificate_event", ["certificate_id", "id"], unique=False
    )
    op.create_table(
        "certificate_version",
        sa.Column("certificate_id", BIG_ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("case_id", BIG_ID, nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("annex_rows", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("rendered_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_certificate_version_case_id_case")),
        sa.ForeignKeyConstraint(
            ["certificate_id"],
            ["certificate.id"],
            name=op.f("fk_certificate_version_certificate_id_certificate"),
        ),
        sa.PrimaryKeyConstraint("certificate_id", "version", name=op.f("pk_certificate_version")),
        sa.UniqueConstraint("case_id", name=op.f("uq_certificate_version_case_id")),
        sa.UniqueConstraint("sha256", name=op.f("uq_certificate_version_sha256")),
    )
    op.create_table(
        "checklist_line",
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(20), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("person_id", sa.String(22), nullable=True),
        sa.Column("at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_checklist_line_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", "code", name=op.f("pk_checklist_line")),
    )
    op.create_table(
        "commitment_bar",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("agency_id", BIG_ID, nullable=False),
        sa.Column("ground", sa.String(40), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("case_id", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_commitment_bar_agency_id_agency")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_commitment_bar_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment_bar")),
    )
    op.create_index(op.f("ix_commitment_bar_agency_id"), "commitment_bar", ["agency_id"], unique=False)
    op.create_table(
        "correction_item",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("correction", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_correction_item_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_item")),
        sa.UniqueConstraint(
            "case_id", "correction", "ordinal", name=op.f("uq_correction_item_case_id_correction_ordinal")
        ),
    )
    op.create_table(
        "document",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_document_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("case_id", "kind", "version", name=op.f("uq_document_case_id_kind_version")),
        sa.UniqueConstraint("public_id", name=op.f("uq_document_public_id")),
    )
    op.create_table(
        "dossier_row",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("table_name", sa.String(30), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("values", JSON, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_dossier_row_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_row")),
        sa.UniqueConstraint(
            "case_id", "table_name", "ordinal", name=op.f("uq_dossier_row_case_id_table_name_ordinal")
        ),
    )
    op.create_table(
        "table_problem",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("table_name", sa.String(30), nullable=False),
        sa.Column("code", sa.String(50), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=True),
        sa.Column("sheet_row", sa.Integer(), nullable=True),
        sa.Column("cell", sa.String(20), nullable=True),
        sa.Column("detail", JSON, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_table_problem_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_table_problem")),
    )
    op.create_index(
        op.f("ix_table_problem_case"),
        "table_problem",
        ["case_id", "table_name", "severity", "id"],
        unique=False,
    )
    op.create_table(
        "upload",
        sa.Column("id", BIG_ID, nullable=False, autoincrement=True),
        sa.Column("public_id", sa.String(22), nullable=False),
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("purpose", sa.String(60), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(120), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("refusal", JSON, nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("replaced_at", MOMENT, nullable=True),
        sa.CheckConstraint("status IN ('checking', 'clean', 'refused')", name=op.f("ck_upload_status")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_upload_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("public_id", name=op.f("uq_upload_public_id")),
    )
    op.create_index(op.f("ix_upload_case"), "upload", ["case_id", "purpose", "id"], unique=False)
    op.create_table(
        "material",
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("code", sa.String(60), nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("upload_id", BIG_ID, nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_material_case_id_case")),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_material_upload_id_upload")),
        sa.PrimaryKeyConstraint("case_id", "code", name=op.f("pk_material")),
    )
    op.create_table(
        "table_reading",
        sa.Column("case_id", BIG_ID, nullable=False),
        sa.Column("table_name", sa.String(30), nullable=False),
        sa.Column("upload_id", BIG_ID, nullable=False),
        sa.Column("outcome", sa.String(30), nullable=False),
        sa.Column("reject_code", sa.String(40), nullable=True),
        sa.Column("data_rows", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("problem_counts", JSON, nullable=False),
        sa.Column("summary", JSON, nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_table_reading_case_id_case")),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_table_reading_upload_id_upload")),
        sa.PrimaryKeyConstraint("case_id", "table_name", name=op.f("pk_table_reading")),
    )
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
    op.drop_table("table_reading")
    op.drop_table("material")
    op.drop_table("upload")
    op.drop_table("table_problem")
    op.drop_table("dossier_row")
    op.drop_table("document")
    op.drop_table("correction_item")
    op.drop_table("commitment_bar")
    op.drop_table("checklist_line")
    op.drop_table("certificate_version")
    op.drop_table("certificate_event")
    op.drop_table("capability_row")
    op.drop_table("application")
    op.drop_table("annex_signatory")
    op.drop_table("annex_row")
    op.drop_table("certificate")
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION IF EXISTS {table}_append_only()")
