"""The issuing clerk prints many certificates as one file, delivers them, and prints again; nobody else does."""

import hashlib
import io
import re

import pytest
from pikepdf import Pdf

from jobs.worker import Worker
from jobs.workshop import Workshop
from store.records.audit import AuditRecord
from store.records.jobs import JobRecord
from tests.store import factories
from tests.store.factories import count
from workflow.vocabulary import Role

ACT = "5f0c1f7e-6f0e-4a55-9d0f-0d6a5f1f7c11"


@pytest.fixture
def worker(house):
    """A worker for certificates alone: their notices and mails are other tests' business."""
    return Worker(Workshop.of(house), "test", kinds=("render_certificate", "merge_certificates"))


@pytest.fixture
def clerk(client_of):
    return client_of(Role.ISSUING_CLERK)


def granted(house, worker, number=1, state="granted"):
    hands = [factories.cma_case(house.cases, state) for _ in range(number)]
    worker.drain()
    return hands


def ticks(page):
    return re.findall(r'name="case"[^>]* value="([^"]+)"', page.text)


def send(browser, url, cases, act=ACT):
    return browser.send(url, command_id=act, case=cases)


def test_what_is_ticked_becomes_one_file_with_the_pages_of_all(house, worker, clerk):
    hands = granted(house, worker, 3)
    cases = ticks(clerk.get("/certificates"))
    assert len(cases) == 3
    answer = send(clerk, "/certificates/print", cases)
    assert answer.status_code == 303
    assert "/certificates/batches/" in answer.location
    assert clerk.get(answer.location + ".pdf").status_code == 409  # not made yet
    worker.drain()
    assert {hand.state for hand in hands} == {"printed"}
    merged = clerk.get(answer.location + ".pdf")
    assert merged.headers["Content-Disposition"].startswith("attachment")
    assert merged.headers["X-Content-Type-Options"] == "nosniff"
    printed = Workshop.of(house).certificates.printable(factories.ISSUING_CLERK, "printed").lines
    pages = sum(line.pages for line in printed)
    with Pdf.open(io.BytesIO(merged.data)) as pdf:
        assert len(pdf.pages) == pages
    assert clerk.get(answer.location).status_code == 200


def test_a_repeated_send_prints_nothing_twice(house, worker, clerk):
    granted(house, worker, 2)
    cases = ticks(clerk.get("/certificates"))
    first, again = (send(clerk, "/certificates/print", cases) for _ in range(2))
    assert first.location == again.location
    assert count(house.database, JobRecord, JobRecord.kind == "merge_certificates") == 1
    assert count(house.database, AuditRecord, AuditRecord.action == "print_certificate") == 2


def test_a_case_that_changed_since_it_was_shown_is_left_out_and_named(house, worker, clerk):
    first, second = granted(house, worker, 2)
    cases = ticks(clerk.get("/certificates"))
    second.take("print_certificate")
    answer = send(clerk, "/certificates/print", cases)
    page = clerk.get(answer.location).text
    assert second.file.case.fact("certificate_number") in page
    assert first.state == "printed"
    [job] = [j for j in Workshop.of(house).queue.list_("waiting").lines if j.kind == "merge_certificates"]
    assert len(job.payload["sha256"]) == 1 and len(job.payload["refused"]) == 1


def test_delivery_closes_every_ticked_case(house, worker, clerk):
    hands = granted(house, worker, 2, "granted")
    for hand in hands:
        hand.take("print_certificate")
    answer = send(clerk, "/certificates/deliver", ticks(clerk.get("/certificates?state=printed")))
    assert answer.status_code == 303
    assert {hand.state for hand in hands} == {"closed"}


def test_printing_again_is_allowed_and_recorded_once_per_act(house, worker, clerk):
    [hand] = granted(house, worker)
    hand.walk(("print_certificate", "deliver"))
    cases = ticks(clerk.get("/certificates?state=closed"))
    for _ in range(2):
        assert send(clerk, "/certificates/print-again", cases).status_code == 303
    stream = f"certificate:{hand.file.case.fact('certificate_number')}"
    assert count(house.database, AuditRecord, AuditRecord.stream == stream) == 1
    assert hand.state == "closed"


def test_an_annulled_certificate_is_not_printed(house, worker, clerk):
    hand = factories.cma_case(house.cases, "granted", track="commitment")
    worker.drain()
    [child] = hand.children()
    cases = [f"{hand.public_id}:{hand.version}"]
    child.walk(factories.VERIFICATION_WAYS["annulled"])
    assert ticks(clerk.get("/certificates")) == []
    assert send(clerk, "/certificates/print", cases).status_code == 303
    assert hand.state == "granted"


@pytest.mark.parametrize("cases", [[], ["nonsense"], ["x:-1"], ["a" * 50 + ":1"], [f"c{n}:1" for n in range(201)]])
def test_a_choice_that_makes_no_sense_is_refused(clerk, cases):
    assert send(clerk, "/certificates/print", cases).status_code == 422


def test_a_download_is_byte_for_byte_what_the_register_says(house, worker, clerk):
    granted(house, worker)
    [line] = Workshop.of(house).certificates.printable(factories.ISSUING_CLERK, "granted").lines
    answer = clerk.get(f"/certificates/{line.certificate_public_id}/{line.version}.pdf")
    assert hashlib.sha256(answer.data).hexdigest() == line.sha256
    assert answer.headers["Content-Security-Policy"] == "sandbox"


def test_a_damaged_file_never_leaves_the_house(house, worker, clerk, tmp_path):
    granted(house, worker)
    [line] = Workshop.of(house).certificates.printable(factories.ISSUING_CLERK, "granted").lines
    [path] = list(tmp_path.rglob(line.sha256))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert clerk.get(f"/certificates/{line.certificate_public_id}/1.pdf").status_code == 409


def test_an_applicant_downloads_the_own_certificate_and_no_other(house, worker, client_of, accounts):
    own = factories.cma_case(house.cases, "granted", agency_id=accounts["applicant"].agency_id)
    worker.drain()
    [line] = Workshop.of(house).certificates.printables(factories.ISSUING_CLERK, [own.public_id])
    url = f"/certificates/{line.certificate_public_id}/1.pdf"
    assert client_of("applicant").get(url).status_code == 200
    assert client_of("applicant.other").get(url).status_code == 404
    assert client_of("applicant").get("/certificates").status_code == 403
