"""The duties of a worker over time limits, and what people read about them: each once, whoever works, however late."""

from datetime import date

import pytest
from sqlalchemy import select

from jobs.documents import COMPOSED
from jobs.worker import Worker
from pdf.values import NoticeKind
from store.case_documents import CaseDocuments
from store.records.audit import AuditRecord
from tests.jobs.test_notices import account, postman, to  # noqa: F401, fixtures asked for by name
from tests.store import factories
from workflow.commands import Decide
from workflow.vocabulary import Role


def entries(database, case_id, *names):
    with database.reading() as connection:
        found = connection.scalars(select(AuditRecord.action).where(AuditRecord.case_id == case_id))
        return [name for name in found if name in names]


def mails(mailbox, words):
    return [message for message in mailbox.messages if words in message["Subject"]]


def test_after_days_of_silence_every_duty_over_limits_is_done_exactly_once(cma_case, make_workshop, clock, database):
    due, near, unharmed = cma_case("submitted"), cma_case("granted"), cma_case("draft")
    clock.move_to(date(2026, 3, 20))
    for number in range(3):  # three workers come up one after another, each a process of its own
        Worker(make_workshop(), f"worker-{number}", kinds=()).turn()
        clock.move(seconds=120)
    assert entries(database, due.id, "deem_accepted") == ["deem_accepted"]
    assert entries(database, near.id, "near_due", "overdue") == ["overdue"]
    assert entries(database, unharmed.id, "near_due", "overdue", "deem_accepted") == []


def test_who_has_the_case_is_reminded_and_the_leader_hears_when_it_is_over(
    cma_case, account, postman, mailbox, clock, database  # noqa: F811
):
    account("clerk", Role.ISSUING_CLERK)
    account("leader", Role.LEADER, language="en")
    agency_id = factories.agency(database)
    account("applicant", Role.APPLICANT, agency_id=agency_id)
    cma_case("granted", agency_id=agency_id)
    postman.drain()
    mailbox.messages.clear()
    clock.move_to(date(2026, 3, 9))
    postman.drain()
    [reminder] = mails(mailbox, "期限临近")
    assert reminder["To"] == "clerk@agency.example"
    assert "制证送达期限：2026-03-11" in reminder.get_content()
    mailbox.messages.clear()
    clock.move_to(date(2026, 3, 12))
    postman.drain()
    assert to(mailbox) == ["clerk@agency.example", "leader@agency.example"]
    [told] = mails(mailbox, "escalated")
    assert told["To"] == "leader@agency.example" and "Certificate: 2026-03-11" in told.get_content()


def test_an_applicant_is_reminded_of_a_limit_of_its_own(
    cma_case, account, postman, mailbox, clock, database  # noqa: F811
):
    agency_id = factories.agency(database)
    account("applicant", Role.APPLICANT, agency_id=agency_id)
    hand = cma_case("rectification_ordered", agency_id=agency_id)
    postman.drain()
    mailbox.messages.clear()
    due = next(c.due_on for c in hand.file.case.clocks if c.name == "rectification")
    clock.move_to(due)
    postman.drain()
    [reminder] = mails(mailbox, "期限临近")
    assert reminder["To"] == "applicant@agency.example" and f"整改期限：{due}" in reminder.get_content()


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
def test_an_extension_is_told_to_the_applicant_with_its_reason(
    cma_case, account, postman, mailbox, database, language  # noqa: F811
):
    agency_id = factories.agency(database)
    account("applicant", Role.APPLICANT, agency_id=agency_id, language=language)
    hand = cma_case("awaiting_decision", agency_id=agency_id)
    postman.drain()
    mailbox.messages.clear()
    hand.take("extend_decision", Decide(grounds="须向外地调查取证"))
    postman.drain()
    [mail] = mailbox.messages
    text = mail.get_content()
    assert "须向外地调查取证" in text and "《行政许可法》第四十二条第一款" in text
    assert ("10 个工作日" if language == "zh_Hans_CN" else "10 working days") in text


def test_the_notice_of_an_extension_says_reason_article_and_new_day(cma_case, cases, database):
    hand = cma_case("awaiting_decision")
    done = hand.take("extend_decision", Decide(grounds="须向外地调查取证"))
    facts = CaseDocuments(database).facts(hand.id, done.version)
    notice = COMPOSED["extension_notice"](facts, cases.laws.current().allowances)
    clock = next(c for c in hand.file.case.clocks if c.name == "decision")
    assert notice.kind is NoticeKind.EXTENSION
    assert notice.reasons == ("须向外地调查取证",) and notice.due_on == clock.due_on
    assert notice.basis == ("《行政许可法》第四十二条第一款",)
    assert ("延长", "10个工作日") in notice.facts
