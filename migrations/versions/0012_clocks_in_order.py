"""Clocks are kept in a fixed order instead of by name; days that never come are in no index.

What is there may stay as it is: both forms are read. Going down puts the names back.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NEVER = "9999-12-31"
ALLOWANCE = ("name", "amount", "unit", "article", "valid_from", "valid_to", "note", "basis", "confidence")
CASE = sa.table("case", sa.column("id", sa.BigInteger), sa.column("facts", sa.JSON), sa.column("clocks", sa.JSON))
BATCH = 500


def upgrade() -> None:
    for column in ("lapses_on", "alarms_on"):
        comes = sa.text(f"{column} <> '{NEVER}'")
        op.drop_index(f"ix_case_{column}", "case")
        op.create_index(f"ix_case_{column}", "case", [column], postgresql_where=comes, sqlite_where=comes)


def downgrade() -> None:
    for column in ("lapses_on", "alarms_on"):
        op.drop_index(f"ix_case_{column}", "case")
        op.create_index(f"ix_case_{column}", "case", [column])
    connection, last = op.get_bind(), 0
    while rows := connection.execute(
        sa.select(CASE).where(CASE.c.id > last).order_by(CASE.c.id).limit(BATCH)
    ).all():  # fmt: skip
        for row in rows:
            clocks, facts = [_named(clock) for clock in row.clocks], _with_named_clocks(row.facts)
            if clocks != row.clocks or facts != row.facts:
                connection.execute(sa.update(CASE).where(CASE.c.id == row.id).values(clocks=clocks, facts=facts))
        last = rows[-1].id


def _with_named_clocks(value: Any) -> Any:
    """Facts remember clocks as well: as they were before an act that may be recalled."""
    if isinstance(value, list):
        return [_with_named_clocks(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: [_named(clock) for clock in each]
        if key == "clocks" and isinstance(each, list)
        else _with_named_clocks(each)
        for key, each in value.items()
    }


def _named(clock: Any) -> Any:
    if not isinstance(clock, list):
        return clock
    name, started_on, due_on, version, allowance, *rest = clock
    stopped_on, outcome, more = (*rest, None, None, None)[:3]
    more = json.loads(json.dumps(more or {}))
    said = {
        "name": name, "allowance": _allowance(allowance), "started_on": started_on, "due_on": due_on,
        "provisional": more.get("provisional"), "calendar_version": version,
        "rests": [dict(zip(("since", "until", "ground"), rested, strict=True)) for rested in more.get("rests", ())],
        "extensions": [
            {"allowance": _allowance(extra), "granted_on": on, "reason": reason}
            for extra, on, reason in more.get("extensions", ())
        ],
        "stopped_on": stopped_on, "outcome": outcome,
        **{key: more.get(key) for key in ("first_on", "reminded_on", "escalated_on")},
    }  # fmt: skip
    return {key: value for key, value in said.items() if value not in (None, "", [])}


def _allowance(row: list[Any]) -> dict[str, Any]:
    return {key: value for key, value in zip(ALLOWANCE, row, strict=False) if value not in (None, "")}
