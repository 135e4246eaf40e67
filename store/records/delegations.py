"""Standing delegations: who stands in for whom, for how long and in what. Never changed, only revoked, once."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, String, event
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import Record, big_id, token


class DelegationRecord(Record):
    """`verbs` and `without` are lists as in `workflow.delegation.Delegation`; an empty `procedure` means every one."""

    __tablename__ = "delegation"
    id: Mapped[int] = big_id()
    public_id: Mapped[str] = token(unique=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    delegate_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    from_on: Mapped[date]
    until_on: Mapped[date]
    procedure: Mapped[str] = mapped_column(String(60))
    verbs: Mapped[list[Any]]
    without: Mapped[list[Any]]
    reason: Mapped[str]
    made_at: Mapped[datetime]
    made_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    __table_args__ = (
        Index("ix_delegation_principal", "principal_id", "until_on"),
        Index("ix_delegation_delegate", "delegate_id", "until_on"),
        CheckConstraint("principal_id <> delegate_id", name="two"),
        CheckConstraint("from_on <= until_on", name="days"),
        CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revocation"),
    )


# An entry that names a principal is refused unless that very delegation is in force at that moment. The share lock
# lets an act and the revocation of its delegation pass one after the other, never side by side.
GUARDS: dict[str, list[str]] = {
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


def guard_delegations() -> None:
    """Attach the triggers so that `create_all` makes them; a migration runs the same statements."""
    for dialect, statements in GUARDS.items():
        for statement in statements:
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(Record.metadata, "after_create", ddl.execute_if(dialect=dialect))
