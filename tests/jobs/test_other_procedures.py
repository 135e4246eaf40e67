"""Procedures that are definitions and data only: each from its form to its certificate, and what it leaves behind."""
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from sqlalchemy import select

from jobs.worker import Worker
from jobs.workshop import Workshop
from store.applications import ApplicationStore
from store.certificate_values import Certificate
from store.certificates import CertificateStore
from store.database import Database
from store.records.agencies import AgencyRecord
from store.records.cases import CaseRecord
from store.records.certificates import CertificateVersionRecord
from store.records.columns import table_of
from tests.store.factories import CaseHand, MovableClock
from tests.store.sheets import SheetApplicant, registered, sheet_store
from workflow import dossiers
from workflow.commands import OrganiseReview, RecordFindings, Refuse
from workflow.vocabulary import Actor, Refusal

ROOT = Path(__file__).resolve().parents[2]
Case = Callable[..., CaseHand]


@pytest.fixture
def store(workshop: Workshop, tmp_path: Path) -> ApplicationStore:
    return sheet_store(workshop.cases, workshop.database, tmp_path)


@pytest.fixture
def actor(workshop: Workshop) -> Actor:
    return registered(workshop.database)


@pytest.fixture
def held(cma_case: Case, actor: Actor, workshop: Workshop) -> Certificate:
    """An accreditation in force of the actor's agency: six rows, two signatories."""
    cma_case("granted", agency_id=actor.agency_id, rows=6)
    [found] = CertificateStore(workshop.database).list_of(actor.agency_id or 0)
    return found


@pytest.fixture
def change(store: ApplicationStore, actor: Actor, held: Certificate) -> Callable[..., SheetApplicant]:
    """`change("name_change", name_change={...})`: a complete application for a change, not yet submitted."""
    def begin(*types: str, **values: Any) -> SheetApplicant:
        one = SheetApplicant(store, actor, "cma_change", types)
        one.complete(**values)
        assert one.facts["dossier_gaps"] == []
        return one
    return begin


def certificate(workshop: Workshop, number: str) -> Certificate:
    found = CertificateStore(workshop.database).find(number=number)
    assert found is not None
    return found


def words_of(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    try:
        return "".join("".join(page.get_textpage().get_text_bounded().split()) for page in document)
    finally:
        document.close()


def rendered(workshop: Workshop, worker: Worker, number: str) -> bytes:
    """The bytes of the newest version of a certificate, once the worker has done what is due."""
    worker.drain()
    assert [line.error for line in workshop.queue.list_("failed").lines] == []
    version = table_of(CertificateVersionRecord)
    with workshop.database.reading() as connection:
        digest = connection.scalar(select(version.c.sha256).where(
            version.c.certificate_id == certificate(workshop, number).id).order_by(version.c.version.desc()).limit(1))
    assert digest
    return workshop.files.get(digest)


def acts(workshop: Workshop, number: str) -> list[str]:
    return [e.act for e in CertificateStore(workshop.database).history(certificate(workshop, number).id)]


# -- licences ------------------------------------------------------------------------------------------------


def test_a_certification_body_is_approved_in_the_optimised_service(
        store: ApplicationStore, actor: Actor, workshop: Workshop, worker: Worker) -> None:
    one = SheetApplicant(store, actor, "certification_body")
    one.complete(scope={"sector": ["food", "environment"]})
    assert one.facts["departments"] == ["agriculture", "ecology"]
    assert one.walk("submit", "accept", "organise_review", "record_findings", "conclude_meets") == "awaiting_sign_off"
    assert len(one.lines()) == 6 and one.lines()[0].entry["zh"] == "法律地位"
    assert one.walk("sign_off", "sign_off", "grant") == "granted"
    number = one.facts["certificate_number"]
    assert number == "RZ-27-2026-0001"
    text = words_of(rendered(workshop, worker, number))
    for said in ("认证机构批准书", number, "示例检测有限公司", "产品认证", "批准的认证领域", "认证领域2"):
        assert said in text, said
    assert one.walk("print_certificate", "deliver") == "closed"
    assert certificate(workshop, number).kind == "certification_body"
    assert certificate(workshop, number).valid_to == date(2032, 3, 1)


def test_nobody_consulted_means_nobody_waited_for(store: ApplicationStore, actor: Actor) -> None:
    one = SheetApplicant(store, actor, "certification_body")
    one.complete(scope={"sector": []})
    assert one.facts["departments"] == []
    assert one.walk("submit", "accept", "organise_review", "record_findings", "conclude_meets") == "awaiting_decision"


def test_a_certification_body_on_commitment_is_decided_on_the_spot(
        store: ApplicationStore, actor: Actor) -> None:
    one = SheetApplicant(store, actor, "certification_body")
    one.complete()
    one.act("choose_commitment_track")
    one.store.renew(one.public_id, one.actor)
    one.sign()
    one.walk("submit_on_commitment", "pass_formal_check")
    [clock] = [c for c in one.dossier.case.clocks if c.name == "commitment_decision"]
    assert clock.due_on == date(2026, 3, 2)  # the very day
    assert one.walk("grant_on_commitment") == "granted"


def test_the_high_risk_list_closes_the_commitment_track(store: ApplicationStore, actor: Actor) -> None:
    one = SheetApplicant(store, actor, "certification_body")
    one.complete(scope={"risk": "high"})
    with pytest.raises(Refusal) as refusal:
        one.act("choose_commitment_track")
    assert refusal.value.code == "unmet" and not one.dossier.eligibility.is_open
    assert "high_risk_competence" in {m.code for m in one.dossier.materials}


def test_a_production_licence_comes_without_a_visit_and_is_looked_at_afterwards(
        store: ApplicationStore, actor: Actor, workshop: Workshop, worker: Worker) -> None:
    one = SheetApplicant(store, actor, "industrial_product")
    one.complete(producer={"plant": "示例市工业园八号"}, products={"items": ["水泥\tP·O 42.5\tGB 175-2023"]})
    with pytest.raises(Refusal):
        one.act("submit_on_commitment")  # not before the commitment is signed
    one.sign()
    one.walk("submit_on_commitment", "pass_formal_check", "grant_on_commitment")
    number = one.facts["certificate_number"]
    assert number == "XK-27-26-00001"
    text = words_of(rendered(workshop, worker, number))
    for said in ("全国工业产品生产许可证", number, "示例市工业园八号", "产品明细", "GB175-2023", "自行检验"):
        assert said in text, said
    child = _child(workshop.database, one.public_id)
    assert (child.procedure, child.state) == ("industrial_product_verification", "opened")
    assert child.facts["certificate_number"] == number
    assert one.walk("print_certificate", "deliver") == "closed"


def _child(database: Database, public_id: str) -> Any:
    case = table_of(CaseRecord)
    with database.reading() as connection:
        parent = connection.scalar(select(case.c.id).where(case.c.public_id == public_id))
        return connection.execute(select(case).where(case.c.parent_id == parent)).one()


def test_an_untrue_promise_costs_the_licence_and_nothing_else(
        store: ApplicationStore, actor: Actor, held: Certificate, workshop: Workshop) -> None:
    one = SheetApplicant(store, actor, "industrial_product")
    one.complete()
    one.sign()
    one.walk("submit_on_commitment", "pass_formal_check", "grant_on_commitment")
    number = one.facts["certificate_number"]
    child = CaseHand(workshop.cases, _child(workshop.database, one.public_id).public_id,
                     _child(workshop.database, one.public_id).id, actor.agency_id or 0)
    for name in ("organise_verification", "find_untrue", "annul"):
        child.take(name)
    assert child.state == "annulled" and certificate(workshop, number).status == "annulled"
    assert certificate(workshop, held.number).status == "valid"


def test_what_changes_after_signing_has_to_be_signed_again(store: ApplicationStore, actor: Actor) -> None:
    one = SheetApplicant(store, actor, "industrial_product")
    one.complete()
    one.sign()
    one.save("producer", plant="别处")
    assert one.facts["commitment_text_sha256"] == ""


def test_numbers_have_no_gap_and_begin_anew_with_the_year(
        store: ApplicationStore, actor: Actor, clock: MovableClock) -> None:
    numbers = []
    for day in (date(2026, 3, 2), date(2026, 3, 3), date(2027, 1, 11)):
        clock.move_to(day)
        one = SheetApplicant(store, actor, "industrial_product")
        one.complete()
        one.sign()
        one.walk("submit_on_commitment", "pass_formal_check", "grant_on_commitment")
        numbers.append(one.facts["certificate_number"])
    assert numbers == ["XK-27-26-00001", "XK-27-26-00002", "XK-27-27-00001"]


# -- changes -------------------------------------------------------------------------------------------------


def test_a_change_needs_a_certificate_of_that_kind(store: ApplicationStore, actor: Actor) -> None:
    one = SheetApplicant(store, actor, "industrial_product")  # another kind of certificate does not do
    one.complete()
    one.sign()
    one.walk("submit_on_commitment", "pass_formal_check", "grant_on_commitment")
    with pytest.raises(Refusal) as refusal:
        store.start(actor, "cma_change", types=["name_change"])
    assert refusal.value.code == "unmet"


def test_a_new_name_is_printed_under_the_same_number_and_expiry(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop, worker: Worker) -> None:
    one = change("name_change", name_change={"new_name": "新名称检测有限公司"})
    assert one.facts["route"] == "approval"
    assert one.walk("submit", "accept", "grant") == "granted"
    text = words_of(rendered(workshop, worker, held.number))
    assert "新名称检测有限公司" in text and held.number in text
    now = certificate(workshop, held.number)
    assert (now.agency_name, now.valid_from, now.valid_to) == ("新名称检测有限公司", held.valid_from, held.valid_to)
    assert now.version == held.version + 1 and acts(workshop, held.number)[0] == "reissued"
    with workshop.database.reading() as connection:
        assert connection.scalar(select(AgencyRecord.name).where(AgencyRecord.id == held.agency_id)) == now.agency_name
    assert one.walk("print_certificate", "deliver") == "closed"


def test_several_changes_make_one_new_version(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop, worker: Worker) -> None:
    one = change("name_change", "address_name_change", "legal_nature_change",
                 name_change={"new_name": "新名称检测有限公司"}, address_name_change={"new_address": "示例市新街一号"},
                 legal_nature_change={"liability_bearer": "示例集团有限公司"})
    one.walk("submit", "accept", "grant")
    text = words_of(rendered(workshop, worker, held.number))
    assert all(said in text for said in ("新名称检测有限公司", "示例市新街一号", "示例集团有限公司"))
    assert certificate(workshop, held.number).version == held.version + 1


def test_persons_are_filed_at_once_without_approval(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop) -> None:
    one = change("personnel_filing", personnel_filing={"legal_person": "新代表", "top_manager": "新经理"})
    assert one.walk("submit") == "filed" and one.dossier.file.number
    with workshop.database.reading() as connection:
        row = connection.execute(select(AgencyRecord.legal_person, AgencyRecord.particulars).where(
            AgencyRecord.id == held.agency_id)).one()
    assert row.legal_person == "新代表" and row.particulars["top_manager"] == "新经理"
    assert certificate(workshop, held.number).version == held.version
    assert acts(workshop, held.number)[0] == "filed"


def test_a_filing_and_a_cancellation_stand_alone(store: ApplicationStore, actor: Actor, held: Certificate) -> None:
    one = SheetApplicant(store, actor, "cma_change", ("name_change", "cancellation"))
    assert "types" in one.dossier.sections["matter"].faults


def test_signatories_are_approved_on_the_same_day_by_default(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop) -> None:
    before = CertificateStore(workshop.database).signatories(held.id, version=held.version)
    one = change("signatory_change", signatory_change={
        "added": ["赵六\t高级工程师\t水质\t"], "removed": [f"{before[0][0]}\t离职"]})
    assert one.facts["route"] == "commitment"
    assert one.walk("submit") == "awaiting_decision"  # nobody accepts it first
    assert one.dossier.case.track == "commitment"
    [clock] = [c for c in one.dossier.case.clocks if c.name == "same_day_decision"]
    assert clock.due_on == date(2026, 3, 2)
    one.walk("grant")
    after = CertificateStore(workshop.database).signatories(held.id, version=held.version + 1)
    assert {name for name, *_ in after} == {"赵六", before[1][0]}


def test_the_bureau_may_switch_signatories_to_approval(
        change: Callable[..., SheetApplicant], store: ApplicationStore) -> None:
    with pytest.raises(Refusal):
        store.reference.turn_switch("signatory_change_route", "anything")
    assert store.reference.turn_switch("signatory_change_route", "approval") == "commitment"
    one = change("signatory_change", signatory_change={"removed": []})
    assert one.facts["route"] == "approval" and one.walk("submit") == "submitted"


def test_a_signatory_that_the_annex_does_not_name_cannot_be_taken_out(
        store: ApplicationStore, actor: Actor, held: Certificate) -> None:
    one = SheetApplicant(store, actor, "cma_change", ("signatory_change",))
    one.complete(signatory_change={"removed": ["无此人\t离职"]})
    assert one.facts["dossier_gaps"] == ["Signatories as they stand in the annex"]


def test_a_standard_that_only_changes_its_year_is_approved_and_checked_afterwards(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop) -> None:
    rows = CertificateStore(workshop.database).annex(held.id).rows
    old = rows[0].standard_text
    under = sum(row.standard_text == old for row in rows)
    one = change("standard_change", standard_change={
        "path": "number_only", "changed": [f"{old}\tGB/T 9999-2026\t年代号"]})
    assert one.facts["route"] == "commitment_checked"
    assert one.walk("submit", "grant_on_commitment") == "granted"
    page = CertificateStore(workshop.database).annex(held.id)
    assert page.total == len(rows) and sum(r.standard_text == "GB/T 9999-2026" for r in page.rows) == under
    assert not any(r.standard_text == old for r in page.rows)
    assert _child(workshop.database, one.public_id).state == "opened"


def test_a_standard_that_changes_more_is_reviewed_by_experts(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop) -> None:
    old = CertificateStore(workshop.database).annex(held.id).rows[0].standard_text
    one = change("standard_change", standard_change={"path": "experts", "changed": [f"{old}\tGB/T 9999-2026\t方法"]})
    assert {m.code for m in one.dossier.materials} >= {"new_standard_comparison"}
    one.walk("submit", "accept")
    one.act("organise_review", OrganiseReview(mode="documentary", leader="team-leader",
                                              members=("team-leader", "reviewer"), planned_on=date(2026, 3, 9)))
    codes = [line.code for line in one.lines()]
    assert codes == ["S1", "S2", "S3"]
    one.act("record_findings", RecordFindings(lines=tuple((code, "meets", "") for code in codes)))
    assert one.walk("conclude_meets", "grant") == "granted"


def test_a_standard_that_the_annex_does_not_hold_is_told_before_submission(
        store: ApplicationStore, actor: Actor, held: Certificate) -> None:
    one = SheetApplicant(store, actor, "cma_change", ("standard_change",))
    one.complete(standard_change={"path": "number_only", "changed": ["GB 0000-1900\tGB 0000-2026\t年代号"]})
    assert one.facts["dossier_gaps"] == ["Standards exactly as they stand in the annex"]


def test_items_given_up_end_on_the_day_and_leave_the_annex(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop, worker: Worker) -> None:
    one = change("item_cancellation", item_cancellation={"rows": ["2", "5"]})
    one.walk("submit", "accept", "grant")
    page = CertificateStore(workshop.database).annex(held.id)
    assert [row.ordinal for row in page.rows] == [1, 3, 4, 6]
    was = CertificateStore(workshop.database).annex(held.id, on=date(2026, 3, 1))
    assert was.total == 0  # before the certificate
    assert rendered(workshop, worker, held.number).startswith(b"%PDF-")
    assert acts(workshop, held.number)[0] == "rows_given_up"


def test_a_row_that_is_gone_meanwhile_undoes_the_whole_step(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop) -> None:
    first = change("item_cancellation", item_cancellation={"rows": ["2"]})
    second = change("name_change", "item_cancellation", item_cancellation={"rows": ["2"]},
                    name_change={"new_name": "新名称检测有限公司"})
    first.walk("submit", "accept", "grant")
    second.walk("submit", "accept")
    with pytest.raises(Refusal) as refusal:
        second.act("grant")
    assert refusal.value.code == "unmet"
    assert certificate(workshop, held.number).agency_name == held.agency_name


def test_a_cancelled_certificate_is_published_and_takes_no_change_any_more(
        change: Callable[..., SheetApplicant], store: ApplicationStore, actor: Actor, held: Certificate,
        workshop: Workshop) -> None:
    one = change("cancellation", cancellation={"reason": "机构停止检验检测活动。"})
    assert one.walk("submit", "accept", "grant_cancellation") == "cancelled"
    now = certificate(workshop, held.number)
    assert now.status == "cancelled" and now.standing(date(2026, 3, 3)) == "cancelled"
    [event] = [e for e in CertificateStore(workshop.database).history(now.id) if e.act == "cancelled"]
    assert event.grounds == "机构停止检验检测活动。"
    with pytest.raises(Refusal):
        store.start(actor, "cma_change", types=["name_change"])


def test_a_change_begun_before_the_certificate_ended_is_not_handed_in_any_more(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop) -> None:
    late = change("name_change", name_change={"new_name": "新名称检测有限公司"})
    ending = change("cancellation", cancellation={"reason": "机构停止检验检测活动。"})
    ending.walk("submit", "accept", "grant_cancellation")
    with pytest.raises(Refusal) as refusal:
        late.act("submit")
    assert refusal.value.code == "unmet" and "in force" in refusal.value.reason.text
    assert certificate(workshop, held.number).agency_name == held.agency_name


def test_a_cancellation_declares_that_no_investigation_is_pending(
        store: ApplicationStore, actor: Actor, held: Certificate) -> None:
    one = SheetApplicant(store, actor, "cma_change", ("cancellation",))
    one.complete(cancellation={"no_investigation": ["no_reports"]})
    assert one.facts["dossier_gaps"] == ["Cancellation"]


def test_a_change_that_is_refused_leaves_the_certificate_alone(
        change: Callable[..., SheetApplicant], held: Certificate, workshop: Workshop) -> None:
    one = change("name_change")
    one.walk("submit", "accept")
    assert one.act("refuse", Refuse(reasons=("材料不实",), basis="法", remedy="复议")).state == "refused"
    assert certificate(workshop, held.number) == held


# -- laws ----------------------------------------------------------------------------------------------------

OURS = ("workflow", "store", "forms", "intake", "pdf", "web", "jobs")


def test_no_code_names_a_procedure_that_is_definition_and_data() -> None:
    names = {d.spec.procedure for d in dossiers.every() if not d.has_tables}
    assert {"cma_change", "certification_body", "industrial_product"} <= names
    pattern = re.compile("|".join(sorted(names)))
    named = [f"{path.relative_to(ROOT)}: {found[0]}" for room in OURS for path in (ROOT / room).rglob("*.py")
             if (found := pattern.search(path.read_text("utf-8")))]
    assert named == []
