"""Answers that stand from an earlier round and new kinds of answer; the separation of duties known to the database."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEPT = "id, case_id, round, department, verdict, opinion, person_id, at"
GUARDS = {
    "sqlite": [
        "CREATE TRIGGER audit_entry_separation BEFORE INSERT ON audit_entry WHEN NEW.case_id IS NOT NULL "
        "AND NEW.account_id <> 0 BEGIN SELECT RAISE(ABORT, 'the separation of duties of this definition "
        "is not known') FROM \"case\" c WHERE c.id = NEW.case_id AND NEW.source <> NEW.target AND NOT "
        "EXISTS (SELECT 1 FROM separation s WHERE s.digest = c.procedure_digest); SELECT RAISE(ABORT, "
        "'separation of duties: this person has taken another part in this case') FROM \"case\" c JOIN "
        "separation s ON s.digest = c.procedure_digest AND s.action = NEW.action JOIN audit_entry e ON "
        "e.case_id = c.id AND e.action = s.earlier WHERE c.id = NEW.case_id AND (e.person_id IN "
        "(NEW.person_id, json_extract(NEW.payload, '$.for.person')) OR json_extract(e.payload, "
        "'$.for.person') IN (NEW.person_id, json_extract(NEW.payload, '$.for.person'))); SELECT "
        "RAISE(ABORT, 'separation of duties: this person belongs to the applicant') FROM \"case\" c JOIN "
        "separation s ON s.digest = c.procedure_digest AND s.action = NEW.action JOIN account a ON "
        "a.agency_id = c.agency_id WHERE c.id = NEW.case_id AND s.earlier = '@applicant' AND a.person_id "
        "IN (NEW.person_id, json_extract(NEW.payload, '$.for.person')); END",
    ],
    "postgresql": [
        "CREATE FUNCTION audit_entry_separation() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE known "
        "boolean; parted boolean; inside boolean; principal text := NEW.payload->'for'->>'person'; BEGIN "
        "SELECT coalesce(NEW.source = NEW.target, true) OR EXISTS (SELECT 1 FROM separation s WHERE "
        "s.digest = c.procedure_digest), EXISTS (SELECT 1 FROM separation s JOIN audit_entry e ON "
        "e.case_id = c.id AND e.action = s.earlier WHERE s.digest = c.procedure_digest AND s.action = "
        "NEW.action AND (e.person_id IN (NEW.person_id, principal) OR e.payload->'for'->>'person' IN "
        "(NEW.person_id, principal))), EXISTS (SELECT 1 FROM separation s JOIN account a ON a.agency_id "
        "= c.agency_id WHERE s.digest = c.procedure_digest AND s.action = NEW.action AND s.earlier = "
        "'@applicant' AND a.person_id IN (NEW.person_id, principal)) INTO known, parted, inside FROM "
        "\"case\" c WHERE c.id = NEW.case_id; IF NOT known THEN RAISE EXCEPTION 'the separation of duties "
        "of this definition is not known' USING ERRCODE = 'check_violation'; END IF; IF parted THEN "
        "RAISE EXCEPTION 'separation of duties: this person has taken another part in this case' USING "
        "ERRCODE = 'check_violation'; END IF; IF inside THEN RAISE EXCEPTION 'separation of duties: this "
        "person belongs to the applicant' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER audit_entry_separation BEFORE INSERT ON audit_entry FOR EACH ROW WHEN "
        "(NEW.case_id IS NOT NULL AND NEW.account_id <> 0) EXECUTE FUNCTION audit_entry_separation()",
    ],
}


def upgrade() -> None:
    op.create_table(
        "separation",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("earlier", sa.String(60), nullable=False),
        sa.PrimaryKeyConstraint("digest", "action", "earlier", name=op.f("pk_separation")),
    )
    _append_only("separation")
    if op.get_bind().dialect.name == "sqlite":
        _made_anew(("agree", "object", "abstain", "recused"), rounds=True)
    else:
        op.drop_constraint(op.f("ck_sign_off_verdict"), "sign_off")
        op.create_check_constraint(
            op.f("ck_sign_off_verdict"), "sign_off", "verdict IN ('agree', 'object', 'abstain', 'recused')"
        )
        op.add_column("sign_off", sa.Column("carried_from", sa.Integer(), nullable=True))
        op.add_column("sign_off", sa.Column("rests_on", JSON, nullable=False, server_default=sa.text("'{}'::jsonb")))
        op.alter_column("sign_off", "rests_on", server_default=None)
        op.create_check_constraint(op.f("ck_sign_off_carried_from"), "sign_off", "carried_from < round")
        op.create_unique_constraint(
            op.f("uq_sign_off_case_id_round_person_id"), "sign_off", ["case_id", "round", "person_id"]
        )
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Answers that the older schema does not know (abstentions, recusals, what stands from earlier) go."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_separation")
        _made_anew(("agree", "object"), rounds=False)
    else:
        op.execute("DROP TRIGGER audit_entry_separation ON audit_entry")
        op.execute("DROP FUNCTION audit_entry_separation()")
        op.execute("ALTER TABLE sign_off DISABLE TRIGGER USER")
        op.execute("DELETE FROM sign_off WHERE verdict NOT IN ('agree', 'object') OR carried_from IS NOT NULL")
        op.execute("ALTER TABLE sign_off ENABLE TRIGGER USER")
        op.drop_constraint(op.f("uq_sign_off_case_id_round_person_id"), "sign_off")
        op.drop_constraint(op.f("ck_sign_off_carried_from"), "sign_off")
        op.drop_column("sign_off", "rests_on")
        op.drop_column("sign_off", "carried_from")
        op.drop_constraint(op.f("ck_sign_off_verdict"), "sign_off")
        op.create_check_constraint(op.f("ck_sign_off_verdict"), "sign_off", "verdict IN ('agree', 'object')")
    op.drop_table("separation")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION separation_append_only()")


def _made_anew(verdicts: tuple[str, ...], *, rounds: bool) -> None:
    """SQLite changes no constraint of a table that is there: the table is made anew, and its guards with it."""
    op.rename_table("sign_off", "sign_off_before")
    known = ", ".join(f"'{verdict}'" for verdict in verdicts)
    more = [
        sa.Column("carried_from", sa.Integer(), nullable=True),
        sa.Column("rests_on", JSON, nullable=False),
        sa.CheckConstraint("carried_from < round", name=op.f("ck_sign_off_carried_from")),
        sa.UniqueConstraint("case_id", "round", "person_id", name=op.f("uq_sign_off_case_id_round_person_id")),
    ]
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
        *(more if rounds else ()),
        sa.CheckConstraint(f"verdict IN ({known})", name=op.f("ck_sign_off_verdict")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_sign_off_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_off")),
        sa.UniqueConstraint("case_id", "round", "department", name=op.f("uq_sign_off_case_id_round_department")),
    )
    if rounds:
        op.execute(f"INSERT INTO sign_off ({KEPT}, rests_on) SELECT {KEPT}, '{{}}' FROM sign_off_before")  # noqa: S608
    else:
        op.execute(
            f"INSERT INTO sign_off ({KEPT}) SELECT {KEPT} FROM sign_off_before "  # noqa: S608  # our own words
            f"WHERE verdict IN ({known}) AND carried_from IS NULL"
        )
    op.drop_table("sign_off_before")
    _append_only("sign_off")


def _append_only(table: str) -> None:
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
