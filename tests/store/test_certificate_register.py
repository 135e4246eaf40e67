"""What a grant enters in the register of certificates, and what an annulment takes out of force."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select

from store.database import Database
from store.records.agencies import CommitmentBarRecord
from store.records.certificates import (
    AnnexRowRecord,
    AnnexSignatoryRecord,
    CertificateEventRecord,
    CertificateRecord,
    CertificateVersionRecord,
)
from store.records.columns import table_of
from store.records.jobs import JobRecord
from store.registers.certificate import rows_in_force
from store.tokens import new_token
from tests.store.factories import CaseHand, MovableClock, agency, count, everything
from workflow.commands import Annul, ConfirmRows
from workflow.vocabulary import Refusal

Factory = Callable[..., CaseHand]


def rows_of(database: Database, record: Any, *conditions: Any) -> list[Any]:
    table = table_of(record)
    with database.reading() as connection:
        return list(connection.execute(select(table).where(*conditions).order_by(*table.primary_key)))


def certificate(database: Database, number: str) -> Any:
    [found] = rows_of(database, CertificateRecord, CertificateRecord.number == number)
    return found


def number_of(hand: CaseHand) -> str:
    return str(hand.file.case.fact("certificate_number"))


def in_force(database: Database, number: str) -> int:
    found = certificate(database, number)
    with database.reading() as connection:
        return rows_in_force(connection, found.id, found.annex_version)


def test_a_first_certificate_is_numbered_by_the_twelve_digit_rule(cma_case: Factory, database: Database) -> None:
    hand = cma_case("granted", field_code="13", industry_code="34")
    assert number_of(hand) == "262713340001"  # year 26, authority 27, field 13, industry 34, serial 0001
    found = certificate(database, "262713340001")
    assert (found.status, found.annex_version, found.agency_name) == ("valid", 1, "示例检测有限公司")
    assert (found.valid_from, found.valid_to) == (date(2026, 3, 2), date(2032, 3, 1))
    assert len(found.verify_code) >= 22 and found.verify_code != found.public_id


def test_food_has_its_own_field_and_the_serial_runs_on(cma_case: Factory) -> None:
    numbers = [number_of(cma_case("granted", field_code=field)) for field in ("00", "13", "00")]
    assert numbers == ["262700340001", "262713340002", "262700340003"]


def test_serials_begin_anew_with_the_year(cma_case: Factory, clock: MovableClock) -> None:
    cma_case("granted")
    clock.move_to(date(2027, 1, 4))
    assert number_of(cma_case("granted")) == "272713340001"


def test_a_refused_grant_uses_no_number(cma_case: Factory) -> None:
    hand = cma_case("awaiting_decision", types=("extension",), certificate_held="999999999999")
    with pytest.raises(Refusal) as caught:
        hand.take("grant")
    assert caught.value.code == "unmet"
    assert number_of(cma_case("granted")).endswith("0001")


def test_the_annex_holds_exactly_the_confirmed_rows(cma_case: Factory, database: Database) -> None:
    hand = cma_case("under_review", rows=6)
    hand.take("confirm_rows")
    hand.take("confirm_rows", ConfirmRows(rows=(2, 5), confirmed=False, reason="设备不足"))
    hand.walk(["record_findings", "conclude_meets", "ask", "grant"])
    found = rows_of(database, AnnexRowRecord)
    assert [(r.ordinal, r.parameter) for r in found] == [(1, "参数1"), (2, "参数3"), (3, "参数4"), (4, "参数6")]
    assert {(r.from_version, r.until_version, r.from_on) for r in found} == {(1, None, date(2026, 3, 2))}
    assert [s.name for s in rows_of(database, AnnexSignatoryRecord)] == ["李四", "王五"]
    [version] = rows_of(database, CertificateVersionRecord)
    assert (version.version, version.annex_rows, version.case_id) == (1, 4, hand.id)
    [act] = rows_of(database, CertificateEventRecord)
    assert (act.act, act.grounds, act.detail) == ("issued", "符合法定条件", {"version": 1, "rows_added": 4})


def test_an_annex_row_that_nobody_confirmed_would_be_seen(cma_case: Factory, database: Database) -> None:
    """Planted fault: the comparison above sees a row too many."""
    hand = cma_case("granted", rows=2)
    with database.writing() as connection:
        row = {**rows_of(database, AnnexRowRecord)[0]._mapping, "ordinal": 99, "id": 10**6}
        connection.execute(insert(AnnexRowRecord), row)
    assert in_force(database, number_of(hand)) != hand.file.case.fact("rows_confirmed")


def test_an_extension_keeps_number_and_expiry_and_adds_its_rows(
    cma_case: Factory, database: Database, clock: MovableClock
) -> None:
    first = cma_case("granted", rows=3)
    before = certificate(database, number_of(first))
    clock.move(days=100)
    more = cma_case("granted", rows=2, types=("extension",), agency_id=first.agency_id, certificate_held=before.number)
    after = certificate(database, before.number)
    assert number_of(more) == before.number
    assert (after.valid_to, after.annex_version, after.id) == (before.valid_to, 2, before.id)
    assert in_force(database, before.number) == 5
    assert [r.ordinal for r in rows_of(database, AnnexRowRecord)] == [1, 2, 3, 4, 5]
    assert [e.act for e in rows_of(database, CertificateEventRecord)] == ["issued", "extended"]
    assert count(database, CertificateRecord) == 1


def test_a_renewal_gets_a_new_number_and_the_old_certificate_names_it(cma_case: Factory, database: Database) -> None:
    old = cma_case("granted")
    new = cma_case("granted", types=("renewal",), agency_id=old.agency_id, certificate_held=number_of(old))
    assert number_of(new) == "262713340002"
    assert certificate(database, number_of(old)).replaced_by_id == certificate(database, number_of(new)).id


def test_nobody_extends_a_certificate_of_another_agency(cma_case: Factory, database: Database) -> None:
    owner = cma_case("granted")
    thief = cma_case("awaiting_decision", types=("extension",), certificate_held=number_of(owner))
    before = everything(database)
    with pytest.raises(Refusal) as caught:
        thief.take("grant")
    assert caught.value.code == "unmet"
    assert everything(database) == before


def test_an_annulled_certificate_is_not_extended(cma_case: Factory, verification_case: Factory) -> None:
    gone = verification_case("annulled")
    held = str(gone.file.case.fact("certificate_number"))
    late = cma_case("awaiting_decision", types=("extension",), agency_id=gone.agency_id, certificate_held=held)
    with pytest.raises(Refusal) as caught:
        late.take("grant")
    assert caught.value.code == "unmet"


def test_annulling_the_whole_certificate_closes_the_commitment_track(
    verification_case: Factory, database: Database
) -> None:
    hand = verification_case("annulled")
    assert certificate(database, str(hand.file.case.fact("certificate_number"))).status == "annulled"
    [bar] = rows_of(database, CommitmentBarRecord)
    assert (bar.agency_id, bar.ground, bar.until_on) == (hand.agency_id, "false_commitment", None)
    event_ = rows_of(database, CertificateEventRecord)[-1]
    assert (event_.act, event_.basis, event_.case_id) == ("annulled", "《行政许可法》第六十九条", hand.id)


def test_annulling_rows_leaves_the_others_in_force(
    verification_case: Factory, database: Database, clock: MovableClock
) -> None:
    hand = verification_case("awaiting_annulment", rows=4)
    clock.move(days=3)
    hand.take("annul", Annul(whole=False, rows=(2, 3), grounds="部分不实", basis="《行政许可法》第六十九条"))
    found = certificate(database, str(hand.file.case.fact("certificate_number")))
    assert (found.status, found.annex_version) == ("valid", 2)
    ended = [(r.ordinal, r.until_version, r.until_on, r.ended_by) for r in rows_of(database, AnnexRowRecord)]
    day = clock.today()
    assert ended == [(1, None, None, None), (2, 2, day, "annulled"), (3, 2, day, "annulled"), (4, None, None, None)]
    with database.reading() as connection:
        assert [rows_in_force(connection, found.id, version) for version in (1, 2)] == [4, 2]


@pytest.mark.parametrize("rows", [(1, 99), (99,)])
def test_annulling_a_row_that_is_not_in_force_changes_nothing(
    verification_case: Factory, database: Database, rows: tuple[int, ...]
) -> None:
    hand = verification_case("awaiting_annulment", rows=2)
    before = everything(database)
    with pytest.raises(Refusal) as caught:
        hand.take("annul", Annul(whole=False, rows=rows, grounds="不实", basis="第六十九条"))
    assert (caught.value.code, caught.value.field) == ("malformed", "rows")
    assert everything(database) == before


@pytest.mark.slow
def test_an_annex_of_20075_rows_is_issued_in_a_few_statements(cma_case: Factory, database: Database) -> None:
    hand = cma_case("awaiting_decision", rows=20_075)
    said: list[str] = []

    def note(*arguments: Any) -> None:
        said.append(arguments[2])

    event.listen(database.engine, "before_cursor_execute", note)
    hand.take("grant", hand.usual("grant"), by=hand.usual_actor("grant"), version=hand.version)
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(said) < 40, said
    assert in_force(database, number_of(hand)) == 20_075
    with database.reading() as connection:
        assert connection.scalar(select(func.max(AnnexRowRecord.ordinal))) == 20_075


def test_a_number_is_never_given_twice_even_by_hand(cma_case: Factory, database: Database) -> None:
    found = certificate(database, number_of(cma_case("granted")))
    twin = {**found._mapping, "id": 10**6, "public_id": new_token(), "verify_code": new_token()}
    with pytest.raises(Exception, match="(?i)unique"), database.writing() as connection:
        connection.execute(insert(CertificateRecord), twin)


def test_the_certificate_is_rendered_after_the_grant_and_not_in_it(cma_case: Factory, database: Database) -> None:
    hand = cma_case("granted")
    kinds = {j.kind for j in rows_of(database, JobRecord, JobRecord.case_id == hand.id)}
    assert {"render_certificate", "render_document", "notify"} <= kinds
    assert hand.file.case.fact("certificate_rendered") is False
    with pytest.raises(Refusal, match="still being produced"):
        hand.take("print_certificate")
    assert agency(database) != hand.agency_id
