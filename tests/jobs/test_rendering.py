"""What a grant leaves behind becomes documents: once, with exactly the confirmed rows, readable by a machine."""

import io
import json

import pytest
from pikepdf import Pdf

from pdf.reading import annex_differences, embedded_record
from store.casework import Casework
from store.certificates import CertificateStore
from store.records.applications import DocumentRecord
from store.records.audit import AuditRecord
from store.records.certificates import CertificateVersionRecord
from store.records.jobs import JobRecord
from store.reference import Reference
from tests.store.factories import ISSUING_CLERK, count
from workflow.commands import Annul, ConfirmRows, SignCommitment
from workflow.vocabulary import Refusal


def held_by(hand, database):
    return CertificateStore(database).find(number=hand.file.case.fact("certificate_number"))


def test_a_grant_becomes_a_certificate_that_says_what_the_register_says(cma_case, worker, workshop, database):
    hand = cma_case("granted")
    worker.drain()
    certificate = held_by(hand, database)
    [edition] = workshop.certificates.editions(certificate.id)
    pdf = workshop.files.get(edition.sha256)
    printed, annex = embedded_record(pdf)
    assert printed.number == certificate.number
    assert printed.verify_url == f"https://cma.bureau.example/v/{certificate.verify_code}"
    assert (printed.valid_from, printed.valid_to) == (certificate.valid_from, certificate.valid_to)
    assert len(annex.rows) == 3 and len(annex.signatories) == 2
    assert annex_differences(pdf, annex.rows) == []
    assert hand.file.case.fact("certificate_rendered") is True


def test_only_confirmed_rows_reach_the_annex(cma_case, worker, workshop, database):
    hand = cma_case("under_review", rows=4)
    hand.take("confirm_rows", ConfirmRows(rows=(2,), confirmed=False, reason="未提供能力验证证明"))
    hand.take("confirm_rows")
    hand.walk(("record_findings", "conclude_meets", "ask", "grant"))
    worker.drain()
    certificate = held_by(hand, database)
    [edition] = workshop.certificates.editions(certificate.id)
    _, annex = embedded_record(workshop.files.get(edition.sha256))
    assert [row.parameter for row in annex.rows] == ["参数1", "参数3", "参数4"]


def test_a_case_is_printed_only_after_its_certificate_is_rendered(cma_case, worker):
    hand = cma_case("granted")
    with pytest.raises(Refusal) as refused:
        hand.take("print_certificate")
    assert refused.value.code == "unmet"
    worker.drain()
    assert hand.take("print_certificate", by=ISSUING_CLERK).state == "printed"


def test_rendering_twice_leaves_one_file_one_hash_and_one_audit_entry(cma_case, worker, workshop, database):
    hand = cma_case("granted")
    worker.drain()
    workshop.queue.add("render_certificate", {}, hand.id)
    worker.drain()
    told = count(database, AuditRecord, AuditRecord.case_id == hand.id, AuditRecord.action == "record_rendering")
    assert told == 1
    assert count(database, CertificateVersionRecord, CertificateVersionRecord.sha256.is_not(None)) == 1


def test_a_character_without_a_glyph_is_a_failed_job_that_names_it(cma_case, worker, workshop):
    hand = cma_case("granted", agency_name="示例\U000f1234检测有限公司")
    worker.drain()
    failed = [job for job in workshop.queue.list_("failed").lines if job.kind == "render_certificate"]
    assert len(failed) == 1
    assert "U+F1234" in failed[0].error and "agency_name" in failed[0].error
    assert not hand.file.case.fact("certificate_rendered")


@pytest.mark.parametrize(
    "state", ["not_accepted", "correction_requested", "rectification_ordered", "refused", "granted"]
)
def test_every_document_of_a_case_is_rendered_once_with_its_bytes_in_the_store(
    cma_case, worker, workshop, database, state
):
    hand = cma_case(state)
    asked = count(database, JobRecord, JobRecord.case_id == hand.id, JobRecord.kind == "render_document")
    worker.drain()
    assert workshop.queue.counts().failed == 0, workshop.queue.list_("failed").lines
    assert count(database, DocumentRecord, DocumentRecord.case_id == hand.id) == asked > 0


def test_an_annulment_of_rows_is_rendered_as_a_new_version_without_them(
    verification_case, worker, workshop, database, clock
):
    hand = verification_case("awaiting_annulment", rows=5)
    worker.drain()
    hand.take("annul", Annul(whole=False, rows=(2, 4), grounds="两项能力不实", basis="《行政许可法》第六十九条"))
    clock.move(minutes=2)  # no step names this rendering: a duty of the workers finds it
    worker.drain()
    gave_up = [job.payload["document"] for job in workshop.queue.list_("failed").lines]
    assert gave_up in ([], ["commitment_letter"])  # the factory signs a version that is not in the reference data
    newest = workshop.certificates.editions(held_by(hand, database).id)[0]
    _, annex = embedded_record(workshop.files.get(newest.sha256))
    assert newest.version == 2 and [row.parameter for row in annex.rows] == ["参数1", "参数3", "参数5"]


def test_the_commitment_letter_holds_the_text_that_was_signed(cma_case, worker, workshop, database):
    notice = Reference(database).commitment_notice()
    hand = cma_case("draft", track="commitment")
    hand.take("sign_commitment", SignCommitment(notice_version=notice["version"], text_sha256="ab" * 32, signer="高原"))
    hand.take("submit_on_commitment")
    worker.drain()
    [letter] = [d for d in Casework(database).documents(hand.file) if d.kind == "commitment_letter"]
    with Pdf.open(io.BytesIO(workshop.files.get(letter.sha256))) as pdf:
        stored = json.loads(pdf.attachments["notice.json"].get_file().read_bytes())
    assert stored["signed_by"] == "高原" and stored["text_sha256"] == "ab" * 32
    assert stored["committed"] == [part["zh"] for part in notice["committed"]]
