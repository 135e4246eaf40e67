"""Certificate numbers have no gap and no duplicate, whatever happens around them.

The register `issue_certificate` runs in real transactions of eight threads. The cases are bare: what a step
checks before it reaches the register is not looked at here.
"""

import random
import threading
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from store import registers
from store.certificate_import import CertificateImport, OldCertificate
from store.certificates import CertificateStore
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord
from store.records.certificates import CertificateEventRecord, CertificateRecord
from store.registers.moment import Moment
from tests.store import factories
from tests.store.factories import ADMINISTRATOR, applicant_of, count
from workflow import procedures
from workflow.case import Case
from workflow.commands import Decide
from workflow.vocabulary import Refusal

ISSUES, THREADS, SEED = 1000, 8, 20260302
TODAY = factories.MONDAY.date()
OLD = {"number": "262713340500", "valid_from": TODAY, "valid_to": TODAY.replace(year=2032)}


class Undone(Exception):
    """The transaction is given up after the number was taken."""


def bare_cases(cases, number):
    """Cases with no history but the facts that a certificate needs; returns their ids and the agency's."""
    agency_id = factories.agency(cases.database)
    with cases.database.writing() as connection:
        for _ in range(number):
            cases.open(
                procedures.current("cma"), applicant_of(agency_id), agency_id=agency_id, agency_name="示例检测",
                subject="首次申请", facts={"application_types": ["first"], "field_code": "13", "industry_code": "34"},
                connection=connection)  # fmt: skip
        return list(connection.scalars(select(CaseRecord.id).order_by(CaseRecord.id))), agency_id


def issue(cases, case_id, agency_id, *, undo=False):
    """Issue a certificate in a transaction of its own, and perhaps give it up at the last moment."""
    facts = {"application_types": ["first"], "field_code": "13", "industry_code": "34"}
    case = Case(case_id, "cma", procedures.current("cma", cases.database.clock.today()).version, "awaiting_decision",
                "general", agency_id, facts=facts)  # fmt: skip
    step = SimpleNamespace(after=case, command=Decide(grounds="符合法定条件"))
    moment = Moment(cases.database.clock.now(), cases.database.clock.today(), cases.laws.current())
    with cases.database.writing() as connection:
        registers.REGISTERS["issue_certificate"](connection, step, moment)
        if undo:
            raise Undone


def serials(database):
    with database.reading() as connection:
        return sorted(int(number[8:]) for number in connection.scalars(select(CertificateRecord.number)))


def test_a_thousand_concurrent_issues_with_rollbacks_are_numbered_one_to_n(cases, database):
    case_ids, agency_id = bare_cases(cases, ISSUES)
    given_up = set(random.Random(SEED).sample(case_ids, ISSUES // 10))
    start, problems = threading.Barrier(THREADS), []

    def work(own):
        start.wait()
        for case_id in own:
            try:
                issue(cases, case_id, agency_id, undo=case_id in given_up)
            except Undone:
                pass
            except Exception as error:
                problems.append(error)

    threads = [threading.Thread(target=work, args=(case_ids[n::THREADS],)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    n = ISSUES - len(given_up)
    assert serials(database) == list(range(1, n + 1))
    assert count(database, CertificateEventRecord) == n


def test_the_number_is_made_of_year_authority_field_industry_and_serial(cases, database):
    [case_id], agency_id = bare_cases(cases, 1)
    issue(cases, case_id, agency_id)
    with database.reading() as connection:
        assert connection.scalar(select(CertificateRecord.number)) == "262713340001"


def test_own_numbers_go_on_after_the_highest_imported_one(cases, database):
    case_ids, agency_id = bare_cases(cases, 2)
    issue(cases, case_ids[0], agency_id)
    CertificateImport(database, cases.laws).import_certificate(ADMINISTRATOR, agency_id, OldCertificate(**OLD))
    issue(cases, case_ids[1], agency_id)
    assert serials(database) == [1, 500, 501]


@pytest.mark.parametrize("number", ["252713340500", "260113340500"])
def test_another_year_or_authority_does_not_move_our_numbers(cases, database, number):
    [case_id], agency_id = bare_cases(cases, 1)
    old = OldCertificate(**{**OLD, "number": number})
    CertificateImport(database, cases.laws).import_certificate(ADMINISTRATOR, agency_id, old)
    issue(cases, case_id, agency_id)
    assert 1 in serials(database)


def test_an_import_is_audited_and_has_its_place_in_the_history(cases, database):
    _, agency_id = bare_cases(cases, 1)
    rows = [("一号楼", "水和废水", "水质", "地表水", f"参数{n}", "GB 3838-2002", "", "") for n in range(3)]
    old = OldCertificate(**OLD, rows=rows, signatories=[("李四", "高工", "水质", "")])
    held = CertificateImport(database, cases.laws).import_certificate(ADMINISTRATOR, agency_id, old)
    store = CertificateStore(database)
    assert held.imported and [event.act for event in store.history(held.id)] == ["imported"]
    assert store.annex(held.id).total == 3 and store.signatories(held.id, version=1)[0][0] == "李四"
    assert count(database, AuditRecord, AuditRecord.action == "import_certificate") == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        *(({"number": number}, "number") for number in (
            "26271334050", "26271334050x", "２６２７１３３４０５００", "263213340500", "262722340500", "262713350500",
            "262713340000")),
        ({"valid_to": TODAY}, "valid_to"),
        ({"rows": [("一", "二")]}, "rows"),
        ({"rows": [("",) * 8]}, "rows"),
    ],
)  # fmt: skip
def test_an_import_that_makes_no_sense_is_refused_with_its_field(cases, database, changes, field):
    _, agency_id = bare_cases(cases, 1)
    with pytest.raises(Refusal) as refused:
        old = OldCertificate(**{**OLD, **changes})
        CertificateImport(database, cases.laws).import_certificate(ADMINISTRATOR, agency_id, old)
    assert (refused.value.code, refused.value.field) == ("malformed", field)
    assert count(database, CertificateRecord) == 0


def test_a_number_is_entered_once(cases, database):
    _, agency_id = bare_cases(cases, 1)
    for attempt in range(2):
        try:
            CertificateImport(database, cases.laws).import_certificate(ADMINISTRATOR, agency_id, OldCertificate(**OLD))
        except Refusal as refusal:
            assert attempt == 1 and refusal.code == "unmet"
    assert count(database, CertificateRecord) == 1
