"""Licences applied for together, with a worker behind them: what is told, printed and found on the public page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from sqlalchemy import select

from jobs.worker import WORK, Worker
from jobs.workshop import Workshop
from store.certificates import CertificateStore
from store.records.certificates import CertificateRecord, CertificateVersionRecord
from store.records.columns import table_of
from tests.store.factories import ISSUING_CLERK, LEADER, MovableClock
from tests.store.joint import DEPARTMENT, LICENCES, Joint, department_leader, joint_application
from workflow.vocabulary import Refusal


class Worked(Joint):
    """A hand on a joint application whose jobs a worker does."""

    worker: Worker

    def tell(self, perform: Callable[..., Any] | None = None) -> None:
        self.worker.drain()


@pytest.fixture
def one(workshop: Workshop, worker: Worker) -> Worked:
    """Accepted and reviewed: three licences await their decisions."""
    hand = joint_application(workshop.cases)
    worked = Worked(workshop.cases, hand.public_id, hand.id, hand.agency_id)
    worked.worker = worker
    worked.accept().review()
    return worked


def decided(one: Worked, licence: str) -> str:
    """Grant a licence, have its certificate made and printed; its number."""
    child = one.child(licence)
    child.take("grant", by=department_leader(DEPARTMENT[licence]) if licence in DEPARTMENT else LEADER)
    one.worker.drain()
    child.take("print_certificate", by=ISSUING_CLERK)
    one.worker.drain()
    return str(child.file.case.fact("certificate_number"))


def words_of(workshop: Workshop, number: str) -> str:
    """The text of the newest bytes of a certificate, without spaces."""
    version, certificate = table_of(CertificateVersionRecord), table_of(CertificateRecord)
    with workshop.database.reading() as connection:
        digest = connection.scalar(select(version.c.sha256).join(
            certificate, certificate.c.id == version.c.certificate_id).where(certificate.c.number == number))
    assert digest
    document = pypdfium2.PdfDocument(workshop.files.get(digest))
    try:
        return "".join("".join(page.get_textpage().get_text_bounded().split()) for page in document)
    finally:
        document.close()


def test_each_authority_seals_its_own_certificate_with_the_rows_of_its_sector(one: Worked, workshop: Workshop) -> None:
    numbers = {name: decided(one, name) for name in LICENCES}
    assert [line.error for line in workshop.queue.list_("failed").lines] == []
    texts = {name: words_of(workshop, number) for name, number in numbers.items()}
    for name, said, unsaid in (
        ("joint_cma", ("示例省市场监督管理局", "水和废水", "饲料", "建筑材料"), ()),
        ("agricultural_testing",
         ("农产品质量安全检测机构考核合格证书", "示例省农业农村厅", "种植业产品", "考核合格项目表", "饲料", "参数2",
          "参数5"),
         ("建筑材料", "水和废水", "参数1", "市场监督管理局")),
        ("construction_testing",
         ("建设工程质量检测机构资质证书", "示例省住房和城乡建设厅", "专项资质", "检测项目表", "参数3", "参数6"),
         ("饲料", "参数4")),
    ):
        assert [word for word in (*said, numbers[name]) if word not in texts[name]] == [], name
        assert [word for word in unsaid if word in texts[name]] == [], name
    one.take("deliver_together")
    one.worker.drain()
    assert one.states() == dict.fromkeys(LICENCES, "closed")


def test_each_certificate_is_found_by_the_public(one: Worked, workshop: Workshop) -> None:
    number = decided(one, "agricultural_testing")
    store = CertificateStore(workshop.database)
    found = store.find(number=number)
    assert found is not None and found == store.find(code=found.verify_code)
    assert found.standing(workshop.database.clock.today()) == "valid"
    assert [row.section for row in store.annex(found.id).rows] == ["饲料", "饲料"]


def test_what_a_killed_worker_told_by_half_another_one_tells_to_the_end(
        workshop: Workshop, worker: Worker, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = joint_application(workshop.cases).accept()
    hand.take("retract")
    whole, told = workshop.cases.perform_as_system, 0

    def dies(*arguments: Any, **options: Any) -> Any:
        nonlocal told
        told += 1
        if told == 2:
            raise SystemExit
        return whole(*arguments, **options)

    lost = Worker(workshop, "lost")
    [job] = workshop.queue.claim(lost.name, ("inform",), timedelta(seconds=60))
    with monkeypatch.context() as fault:
        fault.setattr(workshop.cases, "perform_as_system", dies)
        with pytest.raises(SystemExit):
            WORK["inform"](lost.bench, job)  # and nobody says that it failed
    assert sorted(hand.states().values()) == ["awaiting_review", "awaiting_review", "retracted"]
    worker.drain()
    assert sorted(hand.states().values())[0] == "awaiting_review"  # the lease still holds
    clock.move(seconds=61)
    worker.drain()
    assert set(hand.states().values()) == {"retracted"}
    assert [hand.child(name).version for name in LICENCES] == [2, 2, 2]


def test_a_case_that_cannot_be_told_now_is_told_later(
        workshop: Workshop, worker: Worker, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = joint_application(workshop.cases).accept()
    hand.take("retract")
    whole, busy = workshop.cases.perform_as_system, {hand.child("joint_cma").id}

    def locked(case_id: int, *arguments: Any, **options: Any) -> Any:
        if case_id in busy:
            raise TimeoutError("the database is busy")
        return whole(case_id, *arguments, **options)

    with monkeypatch.context() as fault:
        fault.setattr(workshop.cases, "perform_as_system", locked)
        worker.drain()
    assert hand.states()["joint_cma"] == "awaiting_review"
    clock.move(hours=1)
    worker.drain()
    assert set(hand.states().values()) == {"retracted"}
    with pytest.raises(Refusal):
        hand.take("deliver_together")
