"""Anyone may ask whether a certificate is genuine, and is told clearly, now, without an account; nobody can leaf."""

import io
from datetime import date

import pytest

from jobs.worker import Worker
from jobs.workshop import Workshop
from store.certificate_import import CertificateImport, OldCertificate
from store.certificates import CertificateStore
from store.records.people import SessionRecord
from tests.store import factories
from tests.store.factories import ADMINISTRATOR, count
from tests.store.joint import joint_application
from workflow.commands import Annul

OLD = "202713340777"


@pytest.fixture
def worker(house):
    return Worker(Workshop.of(house), "test", kinds=("render_certificate",))


@pytest.fixture
def granted(house):
    """`granted(**options)`: a granted case and its certificate."""

    def make(**options):
        hand = factories.cma_case(house.cases, "granted", **options)
        return hand, CertificateStore(house.database).find(number=hand.file.case.fact("certificate_number"))

    return make


def annul(hand, **scope):
    [child] = hand.children()
    child.walk(factories.VERIFICATION_WAYS["awaiting_annulment"])
    child.take("annul", Annul(grounds="承诺严重不实", basis="《行政许可法》第六十九条", **scope))


def old_certificate(house, **changes):
    old = {"number": OLD, "valid_from": date(2020, 5, 6), "valid_to": date(2026, 5, 5)} | changes
    agency_id = factories.agency(house.database)
    old_one = CertificateImport(house.database, house.laws).import_certificate(
        ADMINISTRATOR, agency_id, OldCertificate(**old))
    return agency_id, old_one


def page_of(client, certificate, query=""):
    return client.get(f"/v/{certificate.verify_code}{query}")


def test_a_certificate_in_force_is_said_to_be_genuine_with_holder_scope_and_dates(client, granted):
    _, certificate = granted(rows=7)
    page = page_of(client, certificate, "?lang=en")
    assert page.status_code == 200
    for said in ("genuine and in force", certificate.number, certificate.agency_name, "7 rows", "参数7", "GB 3838-2002",
                 "李四", "1 Mar 2032", "as of 2026-03-02 09:00"):
        assert said in page.text


def test_the_number_leads_to_the_page_of_the_qr_code(client, granted):
    _, certificate = granted()
    spaced = f"{certificate.number[:4]} {certificate.number[4:8]} {certificate.number[8:]}"
    answer = client.get("/verify", query_string={"q": spaced})
    assert answer.status_code == 303 and answer.location == f"/v/{certificate.verify_code}"


def test_an_annulled_certificate_fails_loudly(client, granted):
    hand, certificate = granted(track="commitment")
    assert "genuine and in force" in page_of(client, certificate, "?lang=en").text
    annul(hand)
    page = page_of(client, certificate, "?lang=en").text
    assert "Not in force: annulled" in page and "wj-verdict tone-bad" in page
    assert "《行政许可法》第六十九条" in page
    assert "genuine and in force" not in page and "Scope in force" not in page


def test_annulled_rows_leave_the_scope_and_are_told_about(client, granted, clock):
    hand, certificate = granted(track="commitment", rows=5)
    clock.move(days=7)
    annul(hand, whole=False, rows=(2, 4))
    page = page_of(client, certificate, "?lang=en").text
    assert "genuine and in force" in page and "2 rows of the scope were annulled" in page
    assert "参数1<" in page and "参数2<" not in page and "参数4<" not in page
    before = page_of(client, certificate, "?lang=en&on=2026-03-05").text
    assert "参数2<" in before and "Scope as it was on 5 Mar 2026" in before


def test_a_replaced_certificate_leads_to_the_one_in_force(client, house, clock):
    agency_id, old = old_certificate(house)
    hand = factories.cma_case(house.cases, "granted", agency_id=agency_id, types=("renewal",), certificate_held=OLD)
    newer = CertificateStore(house.database).find(number=hand.file.case.fact("certificate_number"))
    page = page_of(client, old, "?lang=en").text
    assert "replaced by a newer certificate" in page and f"/v/{newer.verify_code}" in page
    assert f"/v/{old.verify_code}" in page_of(client, newer).text


@pytest.mark.parametrize(("changes", "said"), [
    ({"valid_to": date(2026, 3, 1)}, "Genuine, but expired"),
    ({"valid_to": date(2026, 3, 2)}, "genuine and in force"),
    ({"valid_from": date(2026, 3, 2)}, "genuine and in force"),
    ({"valid_from": date(2026, 3, 3)}, "Genuine, but not yet in force"),
])
def test_validity_begins_and_ends_on_its_days(client, house, changes, said):
    _, old = old_certificate(house, **changes)
    assert said in page_of(client, old, "?lang=en").text


@pytest.mark.parametrize("path", [
    "/v/aaaaaaaaaaaaaaaaaaaaaa", "/v/x", "/v/%00", "/v/..%2F..%2Fetc", "/verify?q=262713349999",
    "/verify?q=%E4%BA%91%E5%B2%AD%E6%B5%8B%E8%AF%95"])
def test_what_is_not_in_the_register_is_said_to_be_unknown(client, path):
    answer = client.get(path)
    assert answer.status_code in (400, 404)
    assert "in force" not in answer.text


@pytest.mark.parametrize("q", ["", "  ", "示例", "abc", "12345", "2627133499991", "993299990001", "%", "____"])
def test_a_question_that_cannot_be_answered_says_what_to_type(client, granted, q):
    granted()
    answer = client.get("/verify", query_string={"q": q})
    assert answer.status_code in (404, 422)
    assert "/v/" not in answer.text


def test_a_name_is_asked_from_its_beginning_and_answers_are_bounded(client, house):
    for _ in range(22):
        factories.cma_case(house.cases, "granted", rows=1)
    found = client.get("/verify", query_string={"q": "示例检测有限"})
    assert found.status_code == 200 and found.text.count('href="/v/') == 20
    assert client.get("/verify", query_string={"q": "检测有限公司"}).status_code == 404


def test_the_thirty_first_wrong_guess_in_a_minute_is_not_answered(client, granted, clock):
    _, certificate = granted()
    for n in range(30):
        assert client.get(f"/v/{n:022d}").status_code == 404
    refused = page_of(client, certificate)
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "60"
    assert client.get("/verify").status_code == 429
    clock.move(seconds=61)
    assert page_of(client, certificate).status_code == 200


def test_right_look_ups_are_not_counted(client, granted):
    _, certificate = granted()
    assert {page_of(client, certificate).status_code for _ in range(40)} == {200}


def test_the_scope_is_paged_and_searched_within_this_certificate_only(client, granted):
    _, certificate = granted(rows=120)
    granted(rows=3)
    first = page_of(client, certificate, "?lang=en").text
    assert "参数50<" in first and "参数51<" not in first
    assert "参数51<" in page_of(client, certificate, "?after=50").text
    found = page_of(client, certificate, "?lang=en&search=参数11").text
    assert "11 of 120 rows match" in found and "参数115<" in found
    assert "Nothing in the scope matches" in page_of(client, certificate, "?lang=en&search=%25").text


@pytest.mark.parametrize("query", ["?on=2099-01-01", "?on=31.12.2026", "?search=" + "长" * 61])
def test_a_wrong_search_is_refused_with_words_and_the_page_still_answers(client, granted, query):
    _, certificate = granted()
    answer = page_of(client, certificate, query)
    assert answer.status_code == 422 and certificate.number in answer.text


@pytest.mark.parametrize("query", ["?after=-1", "?after=99999999999999", "?after=x"])
def test_a_page_key_that_is_none_changes_nothing(client, granted, query):
    _, certificate = granted()
    assert page_of(client, certificate, query).status_code == 200


def compare(browser, content, name="certificate.pdf"):
    return browser.send("/verify/file?lang=en", file=(io.BytesIO(content), name))


def test_the_issued_bytes_are_recognised_and_a_changed_bit_is_not(client, house, worker, granted):
    _, certificate = granted()
    worker.drain()
    workshop = worker.bench.workshop
    [edition] = workshop.certificates.editions(certificate.id)
    pdf = workshop.files.get(edition.sha256)
    same = compare(client, pdf)
    assert same.status_code == 200 and "the file that was issued" in same.text and certificate.number in same.text
    changed = bytearray(pdf)
    changed[len(pdf) // 2] ^= 1
    for forged in (bytes(changed), pdf + b"\n%%EOF", pdf[:-1], b""):
        assert "was not issued in this form" in compare(client, forged).text
    assert list(workshop.files.digests()).count(edition.sha256) == 1


def test_nothing_of_a_compared_file_is_kept(client, house):
    before = set(Workshop.of(house).files.digests())
    compare(client, b"%PDF-1.7 a forgery")
    assert set(Workshop.of(house).files.digests()) == before


def test_no_file_is_refused_with_words(client):
    assert client.send("/verify/file").status_code == 422


def test_looking_up_leaves_no_session_behind(client, house, granted):
    _, certificate = granted()
    page_of(client, certificate)
    client.get("/verify")
    assert count(house.database, SessionRecord) == 0


def test_what_an_agency_is_called_is_printed_as_text(client, granted):
    _, certificate = granted(agency_name="<script>alert(1)</script>检测")
    assert "<script>alert" not in page_of(client, certificate).text
    assert "&lt;script&gt;alert(1)" in page_of(client, certificate).text


def test_a_licence_of_a_department_shows_its_organ_and_the_rows_of_its_sector(client, house):
    one = joint_application(house.cases).accept().review()
    number = one.decide("agricultural_testing").file.case.fact("certificate_number")
    page = page_of(client, CertificateStore(house.database).find(number=number))
    assert page.status_code == 200
    for said in (number, "农产品质量安全检测机构考核合格证书", "示例省农业农村厅", "种植业产品", "参数2", "参数5"):
        assert said in page.text, said
    for unsaid in ("参数1<", "参数3<", "李四"):
        assert unsaid not in page.text, unsaid
