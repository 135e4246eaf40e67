"""The register of certificates: found exactly, standing on any day, its annex as it is and as it was."""

from datetime import date, timedelta

import pytest

from store.certificate_documents import CertificateDocuments
from store.certificate_import import CertificateImport, OldCertificate
from store.certificate_values import signatories_once
from store.certificates import CertificateStore
from store.records.certificates import AnnexRowRecord, CertificateEventRecord
from tests.store import factories
from tests.store.factories import ADMINISTRATOR, ISSUING_CLERK, LEADER, applicant_of, count, person
from workflow.commands import Annul
from workflow.vocabulary import Refusal, Role

OLD = "202713340777"
ROW = ("一号楼", "水和废水", "水质", "地表水")


@pytest.fixture
def store(database):
    return CertificateStore(database)


@pytest.fixture
def documents(database):
    return CertificateDocuments(database)


@pytest.fixture
def old_certificate(database, laws):
    """`old_certificate(rows, name=..., **columns)`: one entered as already in force; returns it with its agency."""

    def make(rows=(), name="示例检测有限公司", number=OLD, **columns):
        agency_id = factories.agency(database, name)
        old = {"valid_from": date(2025, 3, 1), "valid_to": date(2031, 2, 28), **columns}
        return CertificateImport(database, laws).import_certificate(
            ADMINISTRATOR, agency_id, OldCertificate(number=number, rows=rows, **old))

    return make


def rows_of(*parameters, standard="GB 3838-2002"):
    return [(*ROW, parameter, standard, "", "") for parameter in parameters]


def held_by(store, hand):
    return store.find(number=hand.file.case.fact("certificate_number"))


def test_a_certificate_is_found_by_number_code_and_public_id_and_by_nothing_less(store, old_certificate):
    one = old_certificate()
    assert store.find(number=OLD) == store.find(code=one.verify_code) == store.find(public_id=one.public_id) == one
    for wrong in ({"number": OLD[:-1]}, {"number": OLD[:-1] + "_"}, {"code": one.verify_code[:-1]}, {"code": "%"}, {}):
        assert store.find(**wrong) is None


@pytest.mark.parametrize(("on", "standing"), [
    (date(2025, 2, 28), "not_yet_valid"), (date(2025, 3, 1), "valid"), (date(2031, 2, 28), "valid"),
    (date(2031, 3, 1), "expired"),
])  # fmt: skip
def test_a_certificate_is_in_force_from_its_first_to_its_last_day(old_certificate, on, standing):
    assert old_certificate().standing(on) == standing


def test_an_annulment_weighs_more_than_any_date(store, verification_case):
    hand = verification_case("annulled")
    assert held_by(store, hand).standing(date(2026, 3, 2)) == "annulled"
    assert held_by(store, hand).standing(date(2099, 1, 1)) == "annulled"


def test_a_renewal_replaces_the_certificate_it_names(store, cma_case, old_certificate):
    old = old_certificate()
    newer = held_by(store, cma_case("granted", agency_id=old.agency_id, types=("renewal",), certificate_held=OLD))
    old = store.find(number=OLD)
    assert old.replaced_by == (newer.number, newer.verify_code) and newer.replaces == (OLD, old.verify_code)
    assert (old.standing(date(2026, 3, 2)), newer.standing(date(2026, 3, 2))) == ("replaced", "valid")


def test_an_extension_keeps_the_number_and_adds_to_the_annex(store, cma_case, old_certificate):
    old = old_certificate(rows_of("甲", "乙"))
    hand = cma_case("granted", agency_id=old.agency_id, types=("extension",), certificate_held=OLD, rows=3)
    extended = held_by(store, hand)
    assert (extended.number, extended.version, extended.valid_to) == (OLD, 2, old.valid_to)
    parameters = [row.parameter for row in store.annex(old.id).rows]
    assert parameters == ["甲", "乙", "参数1", "参数2", "参数3"]
    assert [event.act for event in store.history(old.id)] == ["extended", "imported"]


def test_the_annex_is_rebuilt_for_any_past_day(store, verification_case, clock):
    hand = verification_case("awaiting_annulment", rows=4)
    granted_on = clock.now().date()
    clock.move(days=10)
    annul = {"grounds": "不实", "basis": "《行政许可法》第六十九条"}
    hand.take("annul", Annul(whole=False, rows=(1, 3), **annul))
    held = held_by(store, hand)

    def ordinals(on=None):
        return [row.ordinal for row in store.annex(held.id, on=on).rows]

    assert ordinals() == ordinals(granted_on + timedelta(days=10)) == [2, 4]
    assert ordinals(granted_on) == ordinals(granted_on + timedelta(days=9)) == [1, 2, 3, 4]
    assert ordinals(granted_on - timedelta(days=1)) == []
    assert store.rows_ended(held.id) == 2


def test_every_page_of_an_annex_together_is_the_annex(store, old_certificate):
    names = [f"参数{n}" for n in range(1, 124)]
    one = old_certificate(rows_of(*names))
    old_certificate(rows_of("别家的"), number="202713340778")
    seen, after = [], 0
    while after is not None:
        page = store.annex(one.id, after=after, limit=50)
        seen += [row.parameter for row in page.rows]
        assert (page.total, page.found) == (123, 123)
        after = page.after
    assert seen == names


EVERY = ["铅", "100%_纯度", "back\\slash"]


@pytest.mark.parametrize(("search", "found"), [
    ("铅", ["铅"]), ("地表", EVERY), ("GB 3838", EVERY), ("gb 3838", EVERY), ("%", EVERY[1:2]), ("_", EVERY[1:2]),
    ("\\", EVERY[2:]), ("' OR 1=1 --", []), ("  铅  ", ["铅"]), ("没有", []),
])  # fmt: skip
def test_a_search_means_what_was_typed(store, old_certificate, search, found):
    one = old_certificate(rows_of(*EVERY))
    page = store.annex(one.id, search=search)
    assert [row.parameter for row in page.rows] == found
    assert (page.found, page.total) == (len(found), 3)


def test_a_public_search_by_name_is_bounded_and_begins_at_the_beginning(store, old_certificate):
    for n in range(25):
        old_certificate(name="示例检测有限公司", number=f"2027133400{n + 10}")
    assert len(store.find_by_agency("示例检测")) == 20
    assert store.find_by_agency("示例检") == store.find_by_agency("检测有限公司") == store.find_by_agency("____") == ()


def test_only_the_agency_and_the_bureau_get_a_certificate_by_its_public_id(store, old_certificate):
    one = old_certificate()
    for actor in (applicant_of(one.agency_id), ISSUING_CLERK, LEADER):
        assert store.get_for(actor, one.public_id).number == OLD
    for stranger in (applicant_of(one.agency_id + 1), person("nobody"), person("no-agency", Role.APPLICANT)):
        with pytest.raises(Refusal) as refused:
            store.get_for(stranger, one.public_id)
        assert refused.value.code == "unknown"


def test_the_clerks_list_holds_what_is_granted_oldest_first_and_pages_without_loss(cma_case, documents):
    hands = [cma_case("granted", rows=1) for _ in range(7)]
    seen, after = [], None
    while True:
        page = documents.printable(ISSUING_CLERK, "granted", after=after, limit=3)
        seen += [line.case_public_id for line in page.lines]
        if (after := page.after) is None:
            break
    assert seen == [hand.public_id for hand in hands]
    assert documents.count_printable(ISSUING_CLERK, ["granted", "printed"]) == {"granted": 7, "printed": 0}
    assert documents.printable(applicant_of(hands[-1].agency_id + 1), "granted").lines == ()


def test_bytes_are_entered_once_and_found_by_their_hash(cma_case, store, documents):
    hand = cma_case("granted")
    held = held_by(store, hand)
    digest = "ab" * 32
    assert documents.edition_by_hash(digest) is None
    assert documents.record_rendering(held.id, 1, sha256=digest, size=10, pages=4)
    assert not documents.record_rendering(held.id, 1, sha256="cd" * 32, size=11, pages=5)
    found, edition = documents.edition_by_hash(digest)
    assert (found.number, edition.version, edition.size, edition.pages) == (held.number, 1, 10, 4)


def test_a_version_without_bytes_and_without_a_job_is_found_once_asked_for_no_more(
    verification_case, documents, store, database
):
    hand = verification_case("awaiting_annulment", rows=3)
    assert documents.cases_without_rendering() == ()
    hand.take("annul", Annul(whole=False, rows=(1,), grounds="不实", basis="《行政许可法》第六十九条"))
    assert documents.cases_without_rendering() == (hand.id,)


def test_signatories_that_an_extension_lists_again_stand_once():
    one, two = ("李四", "高工", "水质", ""), ("王五", "", "空气", "")
    assert signatories_once([one, two, one]) == (one, two)


def test_the_history_of_a_certificate_cannot_be_rewritten(database, old_certificate):
    old_certificate()
    for statement in ("UPDATE certificate_event SET act = 'revoked'", "DELETE FROM certificate_event"):
        with pytest.raises(Exception, match="append-only"), database.writing() as connection:
            connection.exec_driver_sql(statement)
    assert count(database, CertificateEventRecord) == 1
    assert count(database, AnnexRowRecord) == 0
