"""Many cases of a desk read at once, for an act that is looked at before it is taken on each of them."""

from collections.abc import Sequence

from sqlalchemy import select

from store.database import Database
from store.locked import lift_all
from store.records.cases import CaseRecord
from store.records.columns import NEVER, table_of
from store.scope import visible_to
from store.values import CaseFile
from workflow.vocabulary import Actor

AT_ONCE = 50  # cases of one act: a page of a desk
_CASE = table_of(CaseRecord)


class BulkStore:
    """Reads only; every case is written by `CaseStore.perform`, one by one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def files(self, public_ids: Sequence[str], actor: Actor) -> dict[str, CaseFile]:
        """The cases that this actor may see, in the order asked for, AT_ONCE at most: two statements for all."""
        wanted = list(dict.fromkeys(public_ids))[:AT_ONCE]
        if not wanted:
            return {}
        with self.database.reading() as connection:
            rows = connection.execute(
                select(_CASE).where(_CASE.c.public_id.in_(wanted), visible_to(actor))
            ).mappings().all()  # fmt: skip
            lifted = lift_all(connection, rows)
        found = {
            row["public_id"]: CaseFile(
                public_id=row["public_id"], number=row["number"], procedure=procedure, case=case,
                agency_name=row["agency_name"], subject=row["subject"], opened_at=row["opened_at"],
                changed_at=row["changed_at"], submitted_at=row["submitted_at"], closed_at=row["closed_at"],
                due_on=None if row["due_on"] == NEVER else row["due_on"])
            for row, (procedure, case) in zip(rows, lifted, strict=True)
        }  # fmt: skip
        return {key: found[key] for key in wanted if key in found}
