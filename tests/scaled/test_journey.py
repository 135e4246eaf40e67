"""The journey of a whole application over HTTP, each request to the other of two web processes."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from intake.standards import Catalogue
from pdf.reading import annex_differences, embedded_record
from store.database import Database
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord
from store.records.certificates import CertificateVersionRecord
from store.records.columns import table_of
from store.records.jobs import JobRecord
from tests.scaled.installation import until
from tests.scaled.visitors import Visitor
from tests.services.smtp import Mailbox
from tests.web.command_line import CORPUS, ROOT
from web.cast import PASSWORD
from web.context import House
from web.rehearsal.package import Package, stand_in

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.xdist_group("scaled")]
VisitorOf = Callable[..., Visitor]


def state_of(database: Database, public_id: str) -> Any:
    with database.reading() as connection:
        return connection.execute(
            select(table_of(CaseRecord)).where(CaseRecord.public_id == public_id)).mappings().one()


class Journey:
    """P01 from registration to delivery; every step is a page that is opened, filled in and sent."""

    def __init__(self, visitor: VisitorOf, house: House) -> None:
        self.visitor, self.house = visitor, house
        self.package = Package.open(CORPUS / "P01", Catalogue.from_csv(ROOT / "reference" / "standards.csv"))
        self.applicant = visitor()
        self.case = ""

    @property
    def case_now(self) -> Any:
        return state_of(self.house.database, self.case)

    def register(self) -> None:
        facts = self.package.facts
        self.applicant.send(
            "/register", "/register", uscc=facts.uscc, agency_name=facts.name,
            division=facts.region_code or facts.uscc[2:8], address=facts.registered_address or facts.address,
            legal_person=facts.legal_person, name=facts.contact or facts.legal_person,
            phone=facts.phone or facts.mobile, email="agency@agency.example", login="shenqing", password=PASSWORD,
            again=PASSWORD)

    def fill_in(self) -> None:
        applicant = self.applicant
        started = applicant.send("/applications/new/cma", "/applications/new")
        self.case = started.location.split("/")[2]
        home = f"/applications/{self.case}"
        applicant.send(f"{home}/tables", "/tables", [("files", t.name, t.content) for t in self.package.tables])
        until(lambda: not self._jobs("read_upload"), "the tables to be read")
        for name, given in self._answers().items():
            applicant.send(f"{home}/form", f"/form/{name}", **given)
        for action in {a for a in applicant.forms(f"{home}/materials") if "/materials/" in a}:
            code = action.rpartition("/")[2]
            paper = stand_in(code)
            applicant.send(f"{home}/materials", f"/materials/{code}", [(f"{code}-file", paper.name, paper.content)])

    def _jobs(self, kind: str) -> int:
        """How many are due; a mail waits on while the act that it tells of can be recalled."""
        with self.house.database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table_of(JobRecord)).where(
                JobRecord.kind == kind, JobRecord.status == "waiting",
                JobRecord.available_at <= self.house.database.clock.now())) or 0

    def _answers(self) -> dict[str, dict[str, Any]]:
        facts = self.package.facts
        today = self.house.database.clock.today().isoformat()
        return {
            "cover": {"applied_on": today},
            "overview": {"legal_setting": "independent", "legal_kind": "enterprise", "premises": ["fixed"],
                         "contact": facts.contact, "contact_phone": facts.phone or facts.mobile},
            "resources": {"sites": facts.address or facts.registered_address, "site_right": "rented",
                          "equipment_right": "owned"},
            "declaration": {"declared": ["lawful", "criteria", "truthful"], "signer": facts.legal_person,
                            "capacity": "legal_person", "signed_on": today},
        }

    def act(self, login: str, action: str, **fields: Any) -> None:
        page = f"/cases/{self.case}/actions/{action}"
        self.visitor(login).send(page, f"/actions/{action}", **fields)

    def to_the_grant(self) -> None:
        self.applicant.send(f"/applications/{self.case}/preview", "/submit")
        self.act("chuangkou", "accept")
        cast = {name: self.house.accounts.find(name) for name in ("zuzhang", "pingshen1")}
        people = [account.person_id for account in cast.values() if account]
        planned = self.house.laws.current().calendar.nth_after(self.house.database.clock.today(), 5)
        self.act("zuzhi", "organise_review", mode="on_site", members=people, leader=people[0],
                 planned_on=planned.isoformat())
        head = self.visitor("zuzhang")
        head.send(f"/cases/{self.case}/findings", "/findings", rest="y")
        self.visitor("pingshen1").send(f"/cases/{self.case}/rows", "/rows", press="confirm_every",
                                       ways=["site_test", "records"])
        self.act("zuzhang", "conclude_meets")
        for department in self.case_now["facts"]["departments"]:
            self.act(f"bumen.{department.replace('_', '-')}", "sign_off", verdict="agree", opinion="同意")
        self.act("lingdao", "grant", grounds="申请材料齐全，评审符合，准予许可。", password=PASSWORD)

    def to_the_end(self) -> None:
        until(lambda: self.case_now["facts"].get("certificate_rendered"), "the certificate to be rendered")
        self.act("zhizheng", "print_certificate")
        self.act("zhizheng", "deliver")


@pytest.fixture(scope="module")
def journey(visitor: VisitorOf, house: House) -> Journey:
    made = Journey(visitor, house)
    made.register()
    made.fill_in()
    made.to_the_grant()
    made.to_the_end()
    return made


def test_an_application_goes_from_registration_to_delivery_through_two_web_processes(journey: Journey) -> None:
    case = journey.case_now
    assert (case["state"], case["closed_at"] is not None) == ("closed", True)
    progress = journey.applicant.get(f"/applications/{journey.case}")
    assert progress.status == 200


def test_a_session_is_valid_at_both_and_its_end_too(visitor: VisitorOf, processes: SimpleNamespace) -> None:
    ports = [processes.first.port, processes.second.port]
    browser = visitor("lingdao")
    assert [browser.ask("GET", "/account", port=port).status for port in ports] == [200, 200]
    kept = dict(browser.cookies)
    browser.send("/account", "/sign-out")
    browser.cookies = kept  # a copy that somebody took
    assert [browser.ask("GET", "/account", port=port).status for port in ports] == [302, 302]


def test_the_certificate_that_a_worker_rendered_is_the_same_at_both(
        journey: Journey, house: House, processes: SimpleNamespace) -> None:
    with house.database.reading() as connection:
        [digest] = connection.scalars(select(CertificateVersionRecord.sha256).where(
            CertificateVersionRecord.case_id == journey.case_now["id"])).all()
    address = f"/applications/{journey.case}/certificate"
    answers = [journey.applicant.get(address, port=p) for p in (processes.first.port, processes.second.port)]
    assert [a.status for a in answers] == [200, 200]
    assert answers[0].content == answers[1].content == house.files.get(digest)
    printed, annex = embedded_record(answers[0].content)
    assert printed.verify_url.startswith("https://cma.bureau.example/v/")
    assert annex_differences(answers[0].content, annex.rows) == [] and len(annex.rows) == 30
    code = printed.verify_url.rpartition("/")[2]
    public = Visitor([processes.first.port, processes.second.port])
    pages = [public.get(f"/v/{code}") for _ in range(2)]
    assert {p.port for p in pages} == {processes.first.port, processes.second.port}
    assert all(p.status == 200 and printed.number in p.text for p in pages)


def test_everybody_concerned_was_told_once_by_each_notice(journey: Journey, house: House, letters: Mailbox) -> None:
    until(lambda: not journey._jobs("notify"), "the mails to leave")
    marks = [str(message["Message-ID"]) for message in letters.messages]
    assert marks and len(marks) == len(set(marks))
    assert any("agency@agency.example" in str(message["To"]) for message in letters.messages)


def test_each_step_is_in_the_audit_once(journey: Journey, house: House) -> None:
    with house.database.reading() as connection:
        entries = connection.execute(
            select(AuditRecord.action, func.count()).where(AuditRecord.case_id == journey.case_now["id"])
            .group_by(AuditRecord.action)).all()
    told = {entry[0]: entry[1] for entry in entries}
    once = {"submit", "accept", "organise_review", "conclude_meets", "grant", "record_rendering",
            "print_certificate", "deliver"}
    assert {name: told.get(name) for name in once} == dict.fromkeys(once, 1)


def test_each_process_says_how_it_is(
        journey: Journey, processes: SimpleNamespace, visitor: VisitorOf) -> None:
    browser = visitor()
    for web in (processes.first, processes.second):
        assert browser.get("/healthz", port=web.port).status == 200
        assert browser.get("/verify", port=web.port).status == 200
        ready = browser.get("/readyz", port=web.port)
        assert ready.status == 200, ready.text
        metrics = browser.get("/metrics", port=web.port).text
        assert 'wujian_requests_total{endpoint="verify.show"' in metrics  # what this very process answered
    for process in vars(processes).values():
        assert "Traceback" not in process.told(), process.told()[-3000:]
