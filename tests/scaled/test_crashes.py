"""What a scaled installation loses when its processes are killed with -9: nothing that was acknowledged."""

import os
import signal
import threading
from collections import Counter
from http.client import HTTPException
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from store.backup import named_files
from store.records.applications import UploadRecord
from store.records.audit import AuditRecord
from store.records.certificates import CertificateVersionRecord
from store.records.columns import table_of
from store.records.jobs import JobRecord, WorkerRecord
from tests.scaled.installation import Installation, children, command_of, until
from tests.scaled.visitors import Answer, Visitor
from tests.services.smtp import Mailbox
from tests.store.factories import cma_case
from tests.web.pageforms import encoded, form_to
from web.cast import PASSWORD
from web.context import House
from web.rehearsal.package import stand_in

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.xdist_group("scaled")]
ROWS = 6000  # an annex that takes some seconds to render
AGENCY = "91610100MA6U000218"


@pytest.fixture(scope="module")
def agency(house: House) -> int:
    """An agency with one applicant, `qinling`, who has an e-mail address."""
    house.accounts.register_agency(
        uscc=AGENCY, agency_name="秦岭建材检验有限公司", division="420102", address="长安路 9 号", legal_person="高原",
        phone="13800000000", email="qinling@agency.example", login="qinling", password=PASSWORD, name="程一鸣")
    account = house.accounts.find("qinling")
    assert account is not None and account.agency_id is not None
    return account.agency_id


def job_of(house: House, case_id: int, kind: str) -> Any:
    with house.database.reading() as connection:
        return connection.execute(select(table_of(JobRecord)).where(
            JobRecord.case_id == case_id, JobRecord.kind == kind)).mappings().one()


def settled(house: House, case_id: int) -> bool:
    with house.database.reading() as connection:
        return not connection.scalar(select(func.count()).select_from(table_of(JobRecord)).where(
            JobRecord.case_id == case_id, JobRecord.status == "waiting",
            JobRecord.available_at <= house.database.clock.now()))  # a mail may wait while its act can be recalled


def test_a_worker_killed_in_mid_render_loses_and_doubles_nothing(
        agency: int, house: House, installation: Installation, processes: SimpleNamespace, letters: Mailbox) -> None:
    hand = cma_case(house.cases, "granted", rows=ROWS, agency_id=agency)
    held = until(lambda: job_of(house, hand.id, "render_certificate")["leased_by"], "a worker to take the job")
    victim = next(w for w in (processes.one, processes.two) if f":{w.pid}:" in held)
    child = until(lambda: [c for c in children(victim.pid) if "pdf" in command_of(c)], "the rendering child")[0]
    assert job_of(house, hand.id, "render_certificate")["status"] == "waiting"
    os.kill(victim.pid, signal.SIGKILL)
    victim.process.wait(timeout=30)

    until(lambda: settled(house, hand.id), "the other worker to take over and finish")
    job = job_of(house, hand.id, "render_certificate")
    survivor = processes.two if victim is processes.one else processes.one
    assert (job["status"], job["attempts"]) == ("done", 2) and f":{survivor.pid}:" in job["leased_by"]
    until(lambda: not command_of(child), "the orphaned child to end")

    with house.database.reading() as connection:
        [digest] = connection.scalars(select(CertificateVersionRecord.sha256).where(
            CertificateVersionRecord.case_id == hand.id)).all()
        told = connection.scalar(select(func.count()).where(
            AuditRecord.case_id == hand.id, AuditRecord.action == "record_rendering"))
        named = named_files(connection)
    assert digest and told == 1 and house.files.get(digest).startswith(b"%PDF-")
    kept = Counter(house.files.digests())
    assert kept[digest] == 1 and set(kept) == named
    marks = [(str(m["To"]), str(m["Message-ID"])) for m in letters.messages if "qinling@" in str(m["To"])]
    assert marks and len(marks) == len(set(marks))
    if victim.name in installation.running:
        setattr(processes, victim.name, installation.worker(victim.name))


def test_a_web_process_killed_amid_uploads_loses_nothing_that_it_acknowledged(
        agency: int, house: House, installation: Installation, processes: SimpleNamespace) -> None:
    doomed = installation.web("doomed")
    browser = Visitor([processes.first.port]).sign_in("qinling")
    case = browser.send("/applications/new/cma", "/applications/new").location.split("/")[2]
    browser.send(f"/applications/{case}/form", "/form/cover", types=["first"], applied_on="2026-11-02")
    page, code = f"/applications/{case}/materials", "typical_report"  # takes as many files as there are categories
    shown = browser.get(page).text
    form = form_to(shown, f"/materials/{code}", page)
    acknowledged: list[str] = []
    others: list[str] = []
    enough = threading.Event()

    def hand_in(number: int) -> None:
        mine = Visitor([doomed.port], dict(browser.cookies))
        for turn in range(200):
            name = f"{number}-{turn}.pdf"
            body, media_type = encoded(form.with_({}), [(f"{code}-file", name, stand_in(name).content)])
            try:
                answer: Answer = mine.ask("POST", form.action, body, media_type)
            except OSError:
                return  # the process is gone: whether this one arrived is not known to its sender
            except HTTPException:
                return
            if answer.status == 303:
                acknowledged.append(name)
            else:
                others.append(f"{answer.status}: {answer.said}")
            if len(acknowledged) >= 3:
                enough.set()
    hands = [threading.Thread(target=hand_in, args=(n,)) for n in range(3)]
    for hand in hands:
        hand.start()
    assert enough.wait(180), others[:2]
    doomed.kill()
    for hand in hands:
        hand.join()

    with house.database.reading() as connection:
        rows = {row.name: row for row in connection.execute(
            select(UploadRecord.name, UploadRecord.sha256, UploadRecord.status).where(
                UploadRecord.name.in_([f"{n}-{t}.pdf" for n in range(3) for t in range(200)])))}
    assert len(acknowledged) >= 3 and set(acknowledged) <= set(rows)
    for row in rows.values():  # also of those that were written and not yet acknowledged
        assert row.status == "clean" and house.files.get(row.sha256).startswith(b"%PDF-")
    assert Visitor([processes.second.port], dict(browser.cookies)).get(page).status == 200


def test_a_worker_told_to_stop_finishes_and_signs_off(
        house: House, installation: Installation, processes: SimpleNamespace) -> None:
    spare = installation.worker("spare")

    def names() -> list[str]:
        with house.database.reading() as connection:
            return list(connection.scalars(select(WorkerRecord.name).where(WorkerRecord.name.like("spare%"))))
    until(names, "the spare worker's sign of life")
    assert spare.stop() == 0
    assert names() == []


def test_a_backup_under_load_restores_identical_into_another_database_and_bucket(
        agency: int, house: House, installation: Installation, processes: SimpleNamespace, postgres: Any, s3: Any,
        tmp_path: Any) -> None:
    stop, made = threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            made.append(cma_case(house.cases, "granted", agency_id=agency).public_id)
    load = threading.Thread(target=work)
    load.start()
    try:
        until(lambda: len(made) >= 2, "the first cases")
        done = installation.run("backup", str(tmp_path / "backup"))
        seen = len(made)
        until(lambda: len(made) > seen, "work to have gone on")
    finally:
        stop.set()
        load.join()
    assert done.returncode == 0, done.stderr
    url = postgres.create()
    elsewhere = {"database_url": url, **s3.settings()}
    back = installation.run("restore", str(tmp_path / "backup"), **elsewhere)
    assert back.returncode == 0, back.stderr  # it compares every table with the manifest, and walks the audit chain
    assert "audit chain whole" in back.stdout
    well = installation.run("doctor", **elsewhere)
    ill = [line for line in well.stdout.splitlines() if line.startswith("FAIL")]
    assert not [line for line in ill if "worker" not in line], well.stdout
    again = installation.run("restore", str(tmp_path / "backup"), **elsewhere)
    assert again.returncode == 1 and "never overwrites" in again.stderr
    postgres.drop(url)
