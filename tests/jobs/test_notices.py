"""Mail about a case: each person concerned once, in their language, with no way into a header."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

import jobs.notices
from jobs.documents import COMPOSED
from jobs.notices import LANGUAGES, TEMPLATES, compose, one_line
from jobs.worker import WORK, Worker
from store.case_documents import Addressee, NoticeFacts
from store.case_migrations import CaseMigrations
from store.delegations import DelegationStore
from store.hand_overs import Chosen, HandOvers
from store.procedure_versions import ProcedureVersions
from store.records.jobs import JobRecord, MailRecord
from store.records.people import AccountRecord, AccountRoleRecord, PersonRecord
from tests.store import factories
from tests.store.factories import count
from workflow import procedures
from workflow.commands import OrganiseReview
from workflow.migration import Plan
from workflow.notes import NOTES
from workflow.vocabulary import Role

NOTIFY = ("notify",)


@pytest.fixture
def account(database):
    """`account(login, role, email=..., agency_id=..., department=..., language=...)`: one that can be written to."""

    def make(login, role, **columns):
        with database.writing() as connection:
            connection.execute(insert(PersonRecord), {"id": login, "name": f"姓名 {login}"})
            account_id = connection.execute(
                insert(AccountRecord).returning(AccountRecord.id),
                {"login": login, "password_hash": "x", "person_id": login, "name": f"姓名 {login}",
                 "email": f"{login}@agency.example", "language": "zh_Hans_CN", "active": True, "failures": 0,
                 "created_at": database.clock.now(), **columns},
            ).scalar_one()
            connection.execute(insert(AccountRoleRecord), {"account_id": account_id, "role": role.value})
        return account_id

    return make


@pytest.fixture
def postman(make_workshop, mailbox):
    """A worker that only sends mail, to the test server."""
    workshop = make_workshop(smtp_url=mailbox.url, mail_from="no-reply@bureau.example")
    return Worker(workshop, "postman", kinds=NOTIFY)


def to(mailbox):
    return sorted(message["To"] for message in mailbox.messages)


def test_a_step_is_told_to_the_agency_and_to_whoever_got_the_work_each_once(
    cma_case, account, postman, mailbox, database
):
    agency_id = factories.agency(database)
    account("applicant", Role.APPLICANT, agency_id=agency_id)
    account("stranger", Role.APPLICANT, agency_id=factories.agency(database))
    account("window", Role.WINDOW_OFFICER, language="en")
    account("leader", Role.LEADER)
    cma_case("submitted", agency_id=agency_id)
    postman.drain()
    assert to(mailbox) == ["applicant@agency.example", "window@agency.example"]
    by_name = {message["To"].partition("@")[0]: message for message in mailbox.messages}
    assert "申请已提交" in by_name["applicant"]["Subject"] and "A case waits" in by_name["window"]["Subject"]
    assert "https://cma.bureau.example/cases/" in by_name["applicant"].get_content()
    assert postman.drain() == 0
    assert count(database, MailRecord) == 2


def test_a_job_that_runs_again_sends_nothing_again(cma_case, account, postman, mailbox, database):
    agency_id = factories.agency(database)
    account("applicant", Role.APPLICANT, agency_id=agency_id)
    cma_case("submitted", agency_id=agency_id)
    postman.drain()
    with database.writing() as connection:
        table = JobRecord.__table__
        connection.execute(table.update().where(table.c.kind == "notify").values(status="waiting", leased_until=None))
    assert postman.drain() > 0
    assert to(mailbox) == ["applicant@agency.example"]


def test_only_the_departments_that_are_asked_are_written_to(cma_case, account, postman, mailbox, database, clock):
    for department in ("ecology", "transport", "public_security"):
        account(department, Role.DEPARTMENT_OFFICER, department=department)
    hand = cma_case("under_review", departments=("ecology", "transport"))
    postman.drain()
    hand.walk(("record_findings", "confirm_rows", "conclude_meets"))
    mailbox.messages.clear()
    postman.drain()
    assert to(mailbox) == []  # for these minutes the team leader may still take the conclusion back
    clock.move(minutes=15)
    postman.drain()
    assert to(mailbox) == ["ecology@agency.example", "transport@agency.example"]


def test_a_server_that_refuses_for_now_is_asked_again_and_for_good_is_not(
    cma_case, account, postman, mailbox, database, clock
):
    agency_id = factories.agency(database)
    account("applicant", Role.APPLICANT, agency_id=agency_id)
    cma_case("submitted", agency_id=agency_id)
    mailbox.refusals.append("451 try later")
    postman.drain()
    assert mailbox.messages == [] and postman.queue.counts().waiting >= 1
    clock.move(seconds=6)
    postman.drain()
    assert to(mailbox) == ["applicant@agency.example"]


def test_an_address_that_is_none_is_noted_and_the_others_are_told(cma_case, account, postman, mailbox, database):
    agency_id = factories.agency(database)
    account("odd", Role.APPLICANT, agency_id=agency_id, email="nobody at all")
    account("sly", Role.APPLICANT, agency_id=agency_id, email="a@b.example\r\nBcc: everyone@evil.example")
    account("good", Role.APPLICANT, agency_id=agency_id)
    cma_case("submitted", agency_id=agency_id)
    postman.drain()
    assert to(mailbox) == ["good@agency.example"]
    [done] = [job for job in postman.queue.list_("done").lines if job.payload["notice"] == "submitted"]
    assert "nobody at all" in done.error


def test_without_a_mail_server_the_job_is_done_with_a_note(cma_case, workshop):
    cma_case("submitted")
    Worker(workshop, "test", kinds=NOTIFY).drain()
    [done] = workshop.queue.list_("done").lines
    assert done.error == "No mail server is configured: nothing was sent."


ADMINISTRATIVE = {"handed_over", "procedure_changed"}  # acts of the administration, which no definition names
OFFICIAL = {"duty", "told"}  # what those who are concerned by their office get, whatever the notice
FACTS = NoticeFacts(
    "public-id", "2026-000001", procedures.current("cma"), "accepted", "示例检测", "首次申请", "示例市市场监督管理局",
    date(2026, 3, 9), ())  # fmt: skip


@pytest.mark.parametrize("poison", [
    "a\r\nBcc: all@evil.example", "a\nSubject: x", "a\rb", "a\x00b", "a\u2028Bcc: x", "a\x85b", "\r\n\r\nbody",
    "a\x1cb", "a" * 5000,
])  # fmt: skip
def test_no_value_can_add_a_header_or_a_body(poison, make_workshop):
    settings = make_workshop(bureau_name="示例市市场监督管理局").settings
    facts = NoticeFacts("id", poison, FACTS.procedure, "accepted", poison, poison, poison, None, ())
    reader = Addressee("a@agency.example", poison, "en", "applicant")
    message = compose(facts, reader, {"notice": "accepted"}, "job", settings)
    headers = message.as_bytes().partition(b"\n\n")[0].decode()
    assert message["To"] == "a@agency.example"
    names = [line.partition(":")[0].lower() for line in headers.splitlines() if line[:1] not in " \t"]
    assert sorted(names) == sorted(set(names)) and "bcc" not in names and "cc" not in names
    assert "\n" not in one_line(poison) and len(one_line(poison)) <= 200


def test_every_notice_of_every_procedure_has_its_template_in_both_languages():
    named = {n for p in procedures.every() for a in p.actions for n in a.spec.notify}
    named |= OFFICIAL | set(NOTES) | ADMINISTRATIVE
    for language in LANGUAGES:
        there = {path.stem for path in (TEMPLATES / language).glob("*.txt")}
        assert there == named, language


def test_every_document_and_every_job_of_every_procedure_has_its_maker():
    documents = {n for p in procedures.every() for a in p.actions for n in a.spec.documents}
    kinds = {n for p in procedures.every() for a in p.actions for n in a.spec.jobs}
    assert documents == set(COMPOSED)
    assert kinds | {"render_document", "notify"} <= set(WORK)


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.txt")), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_template_is_a_whole_mail(template: Path, make_workshop):
    settings = make_workshop().settings
    why = template.stem if template.stem in OFFICIAL else "applicant"
    reader = Addressee("a@agency.example", "李四", template.parent.name, why)
    payload = {"notice": template.stem, "action": "accept"}
    message = compose(FACTS, reader, payload, "job", settings)
    assert "2026-000001" in message["Subject"] and len(message["Subject"]) < 80
    body = message.get_content()
    assert "示例检测" in body and "2026-03-09" in body and "{" not in body and "&" not in body
    assert jobs.notices.one_line(body.splitlines()[0])


def test_whoever_stands_in_is_told_as_well_and_only_while_standing_in(cma_case, account, postman, mailbox, database):
    agency_id = factories.agency(database)
    window, deputy = account("window", Role.WINDOW_OFFICER), account("deputy", Role.INSPECTOR)
    store, today = DelegationStore(database), database.clock.today()
    for procedure, first in (("cma_verification", today), ("cma", today + timedelta(days=9)), ("cma", today)):
        cma_case("submitted", agency_id=agency_id)
        postman.drain()
        assert "deputy@agency.example" not in to(mailbox), (procedure, first)
        by = factories.person("administrator", Role.ADMINISTRATOR, account_id=window)
        key = store.make(by, principal_id=window, delegate_id=deputy, from_on=first,
                         until_on=first, procedure=procedure, verbs=["@review"])
    cma_case("submitted", agency_id=agency_id)
    postman.drain()
    assert "deputy@agency.example" in to(mailbox)
    mailbox.messages.clear()
    store.revoke(key, by)
    cma_case("submitted", agency_id=agency_id)
    postman.drain()
    assert "deputy@agency.example" not in to(mailbox)


@pytest.mark.parametrize(("language", "words"), [
    ("zh_Hans_CN", ["承担的工作已交接给您，原因：调离", "leaver"]), ("en", ["now goes to you: 调离", "leaver"])])
def test_whoever_gets_a_leavers_work_is_told_once_and_in_their_language(
    cma_case, account, postman, mailbox, database, clock, language, words
):
    keys = {name: account(name, Role.TEAM_LEADER, language=language) for name in ("leaver", "successor")}
    agency_id = factories.agency(database)
    account("applicant", Role.APPLICANT, agency_id=agency_id)
    account("reviewer", Role.REVIEWER)
    case = cma_case("accepted", agency_id=agency_id)
    case.take("organise_review", OrganiseReview(mode="remote", leader="leaver", members=("leaver", "reviewer"),
                                                planned_on=database.clock.today() + timedelta(days=3)))
    clock.move(minutes=20)
    postman.drain()
    mailbox.messages.clear()
    chosen = [Chosen(case.public_id, case.version, "hand-over")]
    store, by = HandOvers(database, case.cases.laws), factories.person("guanli", Role.ADMINISTRATOR)
    for _ in range(2):
        [moved] = store.carry_out(by, keys["leaver"], [keys["successor"]], chosen, "调离")
        assert moved.successor
    postman.drain()
    assert to(mailbox) == ["successor@agency.example"]
    text = mailbox.messages[0].get_content()
    assert [word for word in words if word not in text] == [] and case.file.number in text


def test_an_applicant_is_told_what_another_version_changes_for_them_and_of_nothing_else(
    cma_case, account, postman, mailbox, database, clock, shelf
):
    agency_id = factories.agency(database)
    account("applicant", Role.APPLICANT, agency_id=agency_id)
    account("english", Role.APPLICANT, agency_id=agency_id, language="en")
    account("leader", Role.LEADER)
    case = cma_case("awaiting_decision", agency_id=agency_id)
    versions, migrations = (made(database, case.cases.laws) for made in (ProcedureVersions, CaseMigrations))
    versions.enter_shipped()
    source = procedures.current("cma").version
    plain, other = (_in_force(versions, source, *change) for change in ((), ("待决定", "待审批决定")))
    for target, told in ((plain, []), (other, ["applicant@agency.example", "english@agency.example"])):
        clock.move(minutes=20)
        postman.drain()
        mailbox.messages.clear()
        public_id = migrations.look("cma", case.file.case.procedure_version, target, Plan(), factories.ADMINISTRATOR)
        while migrations.advance(public_id):
            pass
        migrations.proceed(public_id, "新办法施行", factories.ADMINISTRATOR)
        while migrations.advance(public_id):
            pass
        assert case.file.case.procedure_version == target
        postman.drain()
        assert to(mailbox) == told
    text = {message["To"]: message.get_content() for message in mailbox.messages}
    assert "案件状态由“待决定”变为“待审批决定”。" in text[told[0]] and "新办法施行" in text[told[0]]
    assert "The case stands at Awaiting decision instead of" in text[told[1]]


def _in_force(versions, source, *change):
    """A version of the bureau's own with some words changed, active; its number."""
    number = versions.begin("cma", source, factories.ADMINISTRATOR)
    found = versions.get("cma", number)
    line = found.line
    if change:
        line = versions.save("cma", number, found.definition.replace(*change), line.edition, factories.ADMINISTRATOR)
    line = versions.keep_proof("cma", number, {"digest": line.digest, "may_activate": True}, factories.ADMINISTRATOR)
    versions.activate("cma", number, line.edition, "试行", factories.ADMINISTRATOR)
    versions.laws.current()
    return number
