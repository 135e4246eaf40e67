"""Reference data: seeded once, kept where an administrator replaced it, read as it was written."""

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from store import reference
from store.audit import broken_links
from store.database import Database, migrate
from store.law import LawBook
from store.records.audit import AuditRecord
from store.records.reference import AllowanceRecord, CatalogueEntryRecord, SettingRecord, StandardRecord
from store.reference import CATALOGUES, Reference, put_setting, replace_standards, seed
from tests.store.factories import count, everything


@pytest.fixture
def library(database: Database) -> Reference:
    return Reference(database)


def test_seeding_again_changes_nothing(database: Database) -> None:
    before = everything(database), count(database, StandardRecord), count(database, CatalogueEntryRecord)
    assert seed(database) is False
    assert (everything(database), count(database, StandardRecord), count(database, CatalogueEntryRecord)) == before


def test_seeding_is_in_the_audit(database: Database) -> None:
    with database.reading() as connection:
        payload = connection.scalar(select(AuditRecord.payload).where(AuditRecord.action == "seed_reference"))
        assert payload is not None
        assert set(payload["loaded"]) == {"calendar", "allowances", "standards", "catalogues", "switches"}
        assert broken_links(connection, "reference") == []


def test_limits_that_a_release_brings_come_to_an_installation_that_runs(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(delete(AllowanceRecord).where(AllowanceRecord.name == "licence_delivery"))
        kept = connection.scalar(select(AllowanceRecord.content).where(AllowanceRecord.name == "renewal_window"))
        connection.execute(update(AllowanceRecord).where(AllowanceRecord.name == "renewal_window").values(
            content={**kept, "amount": 4}))
    assert seed(database) is True and seed(database) is False
    with database.reading() as connection:
        rows = connection.execute(select(AllowanceRecord.name, AllowanceRecord.content))
        found = {row.name: row.content for row in rows}
    assert found["licence_delivery"]["amount"] == 10
    assert found["renewal_window"]["amount"] == 4  # what the administrator changed stays


def test_what_an_administrator_replaced_stays(database: Database) -> None:
    with database.writing() as connection:
        replace_standards(connection, [{"number": "X 1", "title": "某", "domain": "", "status": "current",
                                        "replaced_by": "", "confidence": "high"}])  # fmt: skip
    seed(database)
    assert count(database, StandardRecord) == 1


def test_of_two_equal_standards_the_first_stays(database: Database) -> None:
    row = {"title": "first", "domain": "", "status": "current", "replaced_by": "", "confidence": "high"}
    with database.writing() as connection:
        twins = [{"number": "X 1", **row}, {"number": "X 1", **row, "title": "second"}]
        assert replace_standards(connection, twins) == 1
        assert connection.scalar(select(StandardRecord.title)) == "first"


@pytest.mark.parametrize("name, key", CATALOGUES.items())
def test_a_catalogue_reads_as_its_file_says(library: Reference, name: str, key: str) -> None:
    written = reference._yaml(reference.DIRECTORY / f"{name}.yaml")
    rows = written.pop("rows")
    assert list(library.catalogue(name)) == rows
    assert library.particulars(name) == written
    assert len({str(r[key]) for r in rows}) == len(rows)


def test_every_allowance_and_year_reaches_the_law(database: Database) -> None:
    law = LawBook(database).current()
    assert len(law.allowances) == count(database, AllowanceRecord) > 30
    assert {a.name for a in law.allowances} >= {"acceptance", "decision", "delivery", "certificate_validity"}
    assert law.calendar.settled(date(2025, 1, 20), date(2025, 12, 20))


def test_a_change_of_the_law_is_seen_when_its_revision_grows(database: Database) -> None:
    laws = LawBook(database)
    first = laws.current()
    with database.writing() as connection:
        connection.execute(AllowanceRecord.__table__.delete())  # type: ignore[attr-defined]
    laws.forget()
    assert laws.current() is first  # nobody said that anything changed
    with database.writing() as connection:
        put_setting(connection, "law_revision", {"revision": 99})
    laws.forget()
    assert laws.current().allowances == ()


def test_a_law_asked_for_inside_a_transaction_needs_no_second_connection(database: Database) -> None:
    laws = LawBook(database)
    with database.writing() as connection:
        checked_out = database.engine.pool.checkedout()  # type: ignore[attr-defined]
        laws.current(connection)
        assert database.engine.pool.checkedout() == checked_out == 1  # type: ignore[attr-defined]


def test_a_setting_is_replaced_whole(library: Reference, database: Database) -> None:
    assert library.setting("nothing") is None
    library.put_setting("bureau", {"name": "甲"})
    library.put_setting("bureau", {"authority_code": "01"})
    assert library.setting("bureau") == {"authority_code": "01"}
    with database.reading() as connection:
        same = select(func.count()).select_from(SettingRecord).where(SettingRecord.name == "bureau")
        assert connection.scalar(same) == 1


def test_the_notice_in_force_is_the_newest(library: Reference) -> None:
    versions = reference._yaml(reference.DIRECTORY / "commitment_notice.yaml")["versions"]
    assert library.commitment_notice() == versions[-1]


def test_a_seed_that_fails_leaves_nothing_half_loaded(empty_database_url: str, tmp_path: Path) -> None:
    migrate(empty_database_url)
    database = Database(empty_database_url)
    with pytest.raises(FileNotFoundError):
        seed(database, tmp_path)  # an empty directory
    assert count(database, SettingRecord) == 0
    assert count(database, AuditRecord) == 0
    database.close()


def test_reference_content_is_json_on_both_databases(library: Reference) -> None:
    for name in CATALOGUES:
        json.dumps(library.catalogue(name))
