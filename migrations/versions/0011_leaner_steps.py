"""What a step reads and writes whole is kept as it was written; the separation of duties asks only what matters."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PARENT = sa.text("parent_id IS NOT NULL")
AFTER = (
    "CREATE OR REPLACE FUNCTION audit_entry_separation() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "DECLARE rules text[]; agency bigint; pinned text; principal text; "
    "BEGIN SELECT c.agency_id, c.procedure_digest, ARRAY(SELECT s.earlier FROM separation s "
    "WHERE s.digest = c.procedure_digest AND s.action = NEW.action) INTO agency, pinned, rules "
    "FROM \"case\" c WHERE c.id = NEW.case_id; "
    "IF rules = '{}' THEN "
    "IF NEW.source <> NEW.target THEN PERFORM 1 FROM separation s WHERE s.digest = pinned; "
    "IF NOT FOUND THEN RAISE EXCEPTION 'the separation of duties of this definition is not known' "
    "USING ERRCODE = 'check_violation'; END IF; END IF; RETURN NEW; END IF; "
    "principal := NEW.payload->'for'->>'person'; "
    "IF rules <> ARRAY['@applicant'] THEN PERFORM 1 FROM audit_entry e WHERE e.case_id = NEW.case_id "
    "AND e.action = ANY (rules) AND (e.person_id IN (NEW.person_id, principal) "
    "OR e.payload->'for'->>'person' IN (NEW.person_id, principal)); "
    "IF FOUND THEN RAISE EXCEPTION 'separation of duties: this person has taken another part in this case' "
    "USING ERRCODE = 'check_violation'; END IF; END IF; "
    "IF '@applicant' = ANY (rules) THEN PERFORM 1 FROM account a WHERE a.agency_id = agency "
    "AND a.person_id IN (NEW.person_id, principal); "
    "IF FOUND THEN RAISE EXCEPTION 'separation of duties: this person belongs to the applicant' "
    "USING ERRCODE = 'check_violation'; END IF; END IF; RETURN NEW; END $$"
)
BEFORE = (
    "CREATE OR REPLACE FUNCTION audit_entry_separation() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "DECLARE known boolean; parted boolean; inside boolean; principal text := NEW.payload->'for'->>'person'; "
    "BEGIN SELECT coalesce(NEW.source = NEW.target, true) "
    "OR EXISTS (SELECT 1 FROM separation s WHERE s.digest = c.procedure_digest), "
    "EXISTS (SELECT 1 FROM separation s JOIN audit_entry e ON e.case_id = c.id AND e.action = s.earlier "
    "WHERE s.digest = c.procedure_digest AND s.action = NEW.action AND (e.person_id IN (NEW.person_id, principal) "
    "OR e.payload->'for'->>'person' IN (NEW.person_id, principal))), "
    "EXISTS (SELECT 1 FROM separation s JOIN account a ON a.agency_id = c.agency_id "
    "WHERE s.digest = c.procedure_digest AND s.action = NEW.action AND s.earlier = '@applicant' "
    "AND a.person_id IN (NEW.person_id, principal)) "
    "INTO known, parted, inside FROM \"case\" c WHERE c.id = NEW.case_id; "
    "IF NOT known THEN RAISE EXCEPTION 'the separation of duties of this definition is not known' "
    "USING ERRCODE = 'check_violation'; END IF; "
    "IF parted THEN RAISE EXCEPTION 'separation of duties: this person has taken another part in this case' "
    "USING ERRCODE = 'check_violation'; END IF; "
    "IF inside THEN RAISE EXCEPTION 'separation of duties: this person belongs to the applicant' "
    "USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
)


def upgrade() -> None:
    op.drop_index("ix_case_parent_id", "case")
    op.create_index("ix_case_parent_id", "case", ["parent_id"], postgresql_where=PARENT, sqlite_where=PARENT)
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE "case" ALTER facts TYPE json, ALTER acts TYPE json, ALTER clocks TYPE json')
        op.execute(AFTER)


def downgrade() -> None:
    op.drop_index("ix_case_parent_id", "case")
    op.create_index("ix_case_parent_id", "case", ["parent_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE "case" ALTER facts TYPE jsonb, ALTER acts TYPE jsonb, ALTER clocks TYPE jsonb')
        op.execute(BEFORE)
