"""The dossier after the form: materials, answers to corrections, the commitment and what closes it."""
from collections.abc import Callable
from typing import Any

from store.applications import Received
from store.database import Database
from store.records.agencies import CommitmentBarRecord
from tests.store.dossiers import PDF, Applicant, refused
from tests.store.factories import WINDOW_OFFICER
from workflow.commands import CorrectionItem, Plain, RequestCorrection, SignCommitment

# -- materials, corrections, commitment ----------------------------------------------------------------------------


def test_a_material_is_replaced_only_on_request_and_never_sent_twice(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    hand_in = mine.store.hand_in

    def send(content: bytes, replaces: str | None = None, code: str = "quality_manual") -> Any:
        return hand_in(mine.public_id, mine.actor, code, Received("m.pdf", content), None, replaces)

    first = send(PDF)
    assert refused(lambda: send(PDF + b"2")) == "unmet"
    second = send(PDF + b"2", first.public_id)
    manual = next(m for m in mine.dossier.materials if m.code == "quality_manual")
    assert [u.public_id for u in manual.files] == [second.public_id]
    assert refused(lambda: send(PDF + b"2")) == "unmet"
    send(PDF, code="typical_report")
    send(PDF + b"3", code="typical_report")  # one for each category
    assert refused(lambda: send(PDF, code="commitment_letter")) == "unknown"


def test_a_refused_material_does_not_count_and_cannot_be_fetched(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    upload = mine.store.hand_in(mine.public_id, mine.actor, "typical_report", Received("a.pdf", b"<html>"),
                                {"code": "MATERIAL_TYPE_MISMATCH", "detail": {}})
    assert "Typical report of each category" in mine.dossier.gaps
    assert refused(lambda: mine.store.file(mine.public_id, mine.actor, upload.public_id)) == "unknown"


def test_corrections_are_answered_one_by_one_before_the_application_returns(
        applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    mine.complete()
    mine.perform("submit")
    items = (CorrectionItem("平面图", "缺少比例尺"), CorrectionItem("附表2", "签名不清"))
    mine.perform("request_correction", RequestCorrection(items=items), WINDOW_OFFICER)
    assert mine.facts["corrections_open"] == 2
    assert refused(lambda: mine.perform("resubmit")) == "unmet"
    for ordinal in (1, 2):
        mine.store.answer_correction(mine.public_id, mine.actor, ordinal, "已补正")
    assert mine.facts["corrections_open"] == 0
    mine.store.answer_correction(mine.public_id, mine.actor, 2, " ")
    assert mine.facts["corrections_open"] == 1
    assert refused(lambda: mine.store.answer_correction(mine.public_id, mine.actor, 3, "多余")) == "unknown"
    mine.store.answer_correction(mine.public_id, mine.actor, 2, "已重签")
    mine.perform("resubmit")
    assert mine.dossier.case.state == "submitted"


def test_a_signature_falls_when_the_text_signed_no_longer_applies(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P05")
    mine.complete()
    mine.perform("choose_commitment_track")
    mine.store.renew(mine.public_id, mine.actor)
    version, text, digest = mine.store.commitment_text(mine.dossier.file)
    assert "平顶山澜鉴机动车检测有限公司" in text and mine.store.keep_commitment(text) == digest
    mine.perform("sign_commitment", SignCommitment(notice_version=version, text_sha256=digest, signer="赵娜勇"),
                 reauthenticated=True)
    mine.save("overview")
    assert mine.facts["commitment_text_sha256"] == digest
    mine.save("overview", name="另一家机构")
    assert mine.facts["commitment_text_sha256"] == ""
    assert refused(lambda: mine.perform("submit_on_commitment")) == "unmet"


def test_a_registered_bar_and_a_retraction_close_the_commitment_track(
        applicant: Callable[..., Applicant], database: Database) -> None:
    mine = applicant("P05")
    mine.complete()
    mine.perform("choose_commitment_track")
    version, _text, digest = mine.store.commitment_text(mine.dossier.file)
    mine.perform("sign_commitment", SignCommitment(notice_version=version, text_sha256=digest, signer="赵娜勇"),
                 reauthenticated=True)
    mine.perform("submit_on_commitment")
    mine.perform("retract", Plain(note="改按一般程序"))
    again = Applicant(mine.store, mine.actor, mine.store.start(mine.actor), "P05")
    again.upload("申请书")
    assert again.facts["commitment_bars"] == ["retraction"]
    with database.writing() as connection:
        connection.execute(CommitmentBarRecord.__table__.insert(), {
            "agency_id": mine.actor.agency_id, "ground": "listed", "basis": "示范决定", "from_on":
            database.clock.today(), "until_on": None, "case_id": None})
    again.store.renew(again.public_id, again.actor)
    assert again.facts["commitment_bars"] == ["listed", "retraction"]
