"""Separation of duties as the database knows it: the last line behind the engine.

The rules of a definition are rows, entered once per text of a definition and never changed. An audit entry is refused
when its person, or the person acted for, has taken part in the case in a way that the rules keep apart, or belongs to
the applicant. An entry that moves a case whose rules are not here is refused as well.
"""

from sqlalchemy import DDL, String, event
from sqlalchemy.orm import Mapped, mapped_column

from store.records.audit import AuditRecord
from store.records.columns import Record, table_of

APPLICANT = "@applicant"  # as `earlier`: whoever holds an account with the applicant's agency
ENTERED = ""  # as `action` and `earlier`: the rules of this definition are here, also when there are none


class SeparationRecord(Record):
    """Who has taken the action `earlier` on a case must not take `action` on it."""

    __tablename__ = "separation"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    action: Mapped[str] = mapped_column(String(60), primary_key=True)
    earlier: Mapped[str] = mapped_column(String(60), primary_key=True)


GUARD = "audit_entry_separation"
# On PostgreSQL question after question, each asked only where it matters: one that joins them all costs twice as much.
GUARDS: dict[str, list[str]] = {
    "sqlite": [
        "CREATE TRIGGER audit_entry_separation BEFORE INSERT ON audit_entry "
        "WHEN NEW.case_id IS NOT NULL AND NEW.account_id <> 0 BEGIN "
        "SELECT RAISE(ABORT, 'the separation of duties of this definition is not known') FROM \"case\" c "
        "WHERE c.id = NEW.case_id AND NEW.source <> NEW.target "
        "AND NOT EXISTS (SELECT 1 FROM separation s WHERE s.digest = c.procedure_digest); "
        "SELECT RAISE(ABORT, 'separation of duties: this person has taken another part in this case') "
        "FROM \"case\" c JOIN separation s ON s.digest = c.procedure_digest AND s.action = NEW.action "
        "JOIN audit_entry e ON e.case_id = c.id AND e.action = s.earlier WHERE c.id = NEW.case_id "
        "AND (e.person_id IN (NEW.person_id, json_extract(NEW.payload, '$.for.person')) "
        "OR json_extract(e.payload, '$.for.person') IN (NEW.person_id, json_extract(NEW.payload, '$.for.person'))); "
        "SELECT RAISE(ABORT, 'separation of duties: this person belongs to the applicant') "
        "FROM \"case\" c JOIN separation s ON s.digest = c.procedure_digest AND s.action = NEW.action "
        "JOIN account a ON a.agency_id = c.agency_id WHERE c.id = NEW.case_id AND s.earlier = '@applicant' "
        "AND a.person_id IN (NEW.person_id, json_extract(NEW.payload, '$.for.person')); END",
    ],
    "postgresql": [
        "CREATE FUNCTION audit_entry_separation() RETURNS trigger LANGUAGE plpgsql AS $$ "
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
        "USING ERRCODE = 'check_violation'; END IF; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER audit_entry_separation BEFORE INSERT ON audit_entry FOR EACH ROW "
        "WHEN (NEW.case_id IS NOT NULL AND NEW.account_id <> 0) EXECUTE FUNCTION audit_entry_separation()",
    ],
}


def guard_separation() -> None:
    """Attach the guard so that `create_all` makes it; the migration runs the same statements."""
    for dialect, statements in GUARDS.items():
        for statement in statements:
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves DDL untyped
            event.listen(table_of(AuditRecord), "after_create", ddl.execute_if(dialect=dialect))
