"""What is handed in is kept by its digest: the sections as typed, and every file that stands in the application."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import insert, select, update

from store.database import Database
from store.records.applications import ApplicationRecord, UploadRecord
from store.records.columns import table_of
from tests.store.factories import MONDAY, CaseHand, MovableClock

Factory = Callable[..., CaseHand]
_APPLICATION, _UPLOAD = table_of(ApplicationRecord), table_of(UploadRecord)


def frozen(database: Database, hand: CaseHand) -> tuple[str | None, datetime | None]:
    with database.reading() as connection:
        row = connection.execute(select(_APPLICATION).where(_APPLICATION.c.case_id == hand.id)).one()
    assert row.digest == hand.file.case.fact("application_digest")
    return row.digest, row.frozen_at


def upload(database: Database, hand: CaseHand, **values: object) -> None:
    with database.writing() as connection:
        connection.execute(insert(_UPLOAD), {
            "public_id": "upload", "case_id": hand.id, "purpose": "material:site", "name": "租赁合同.pdf",
            "sha256": "ab" * 32, "size": 7, "media_type": "application/pdf", "status": "clean", "account_id": 1,
            "created_at": database.clock.now(), **values})  # fmt: skip


def test_an_application_is_frozen_when_it_is_handed_in(
    cma_case: Factory, database: Database, clock: MovableClock
) -> None:
    hand = cma_case("draft")
    assert frozen(database, hand) == (None, None)
    clock.move(hours=3)
    hand.take("submit")
    digest, at = frozen(database, hand)
    assert digest is not None and len(digest) == 64 and at == clock.now()


def test_what_was_corrected_is_frozen_anew(cma_case: Factory, database: Database, clock: MovableClock) -> None:
    hand = cma_case("correction_requested")
    before, at = frozen(database, hand)
    with database.writing() as connection:
        connection.execute(update(_APPLICATION).values(sections={"agency": {"name": "改名检测有限公司"}}))
    clock.move(days=1)
    hand.learn(corrections_open=0)
    hand.take("resubmit")
    after, later = frozen(database, hand)
    assert after != before and at is not None and later is not None and later > at


@pytest.mark.parametrize(
    ("values", "counts"),
    [({}, True), ({"status": "refused"}, False), ({"status": "checking"}, False), ({"replaced_at": MONDAY}, False)],
    ids=["clean", "refused", "checking", "replaced"],
)
def test_the_digest_speaks_of_the_files_that_stand(
    cma_case: Factory, database: Database, values: dict[str, object], counts: bool
) -> None:
    hand = cma_case("correction_requested")
    before, _ = frozen(database, hand)
    upload(database, hand, **values)
    hand.learn(corrections_open=0)
    hand.take("resubmit")
    assert (frozen(database, hand)[0] != before) is counts
