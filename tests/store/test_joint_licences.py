"""Licences applied for together: accepted once, reviewed once, decided by each authority, delivered together."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from store.case_documents import CaseDocuments
from store.cases import CaseStore
from store.certificate_documents import CertificateDocuments
from store.certificates import CertificateStore
from store.database import Database
from store.joint_cases import JointCases
from store.joint_steps import to_open
from store.locked import moment_of
from store.pen import open_case
from store.procedure_versions import ProcedureVersions
from store.queues import QueueStore
from store.records.people import AccountRecord
from store.records.procedures import ProcedureVersionRecord
from store.reviews import ReviewStore
from tests.store.dossiers import refused
from tests.store.factories import LEADER, SYSTEM, MovableClock, department_officer, flaws, person
from tests.store.joint import LICENCES, Joint, annex, department_leader, expert_of
from tests.store.statements import counted
from workflow import procedures
from workflow.commands import Decide
from workflow.joint_commands import NominateExperts
from workflow.vocabulary import Refusal, Role

Begin = Callable[..., Joint]


# -- from one application to one delivery -------------------------------------------------------------------------


def test_three_licences_from_one_application_to_one_delivery(joint_case: Begin, database: Database) -> None:
    one = joint_case().accept()
    assert one.states() == dict.fromkeys(LICENCES, "awaiting_review")
    one.review(refused_rows=(4,))
    assert one.states() == dict.fromkeys(LICENCES, "awaiting_decision")
    children = {name: one.decide(name) for name in LICENCES}
    assert one.state == "ready_to_deliver" and one.file.case.fact("results") == dict.fromkeys(LICENCES, "granted")
    one.take("deliver_together")
    one.tell()
    assert one.state == "closed" and one.states() == dict.fromkeys(LICENCES, "closed")
    assert [flaws(hand) for hand in (one, *children.values())] == [[], [], [], []]
    numbers = {name: hand.file.case.fact("certificate_number") for name, hand in children.items()}
    found = {name: CertificateStore(database).find(number=number) for name, number in numbers.items()}
    assert {name: (c.kind, c.authority_name) for name, c in found.items() if c} == {
        "joint_cma": ("cma", "示例省市场监督管理局"),
        "agricultural_testing": ("agricultural_testing", "示例省农业农村厅"),
        "construction_testing": ("construction_testing", "示例省住房和城乡建设厅")}
    assert len(numbers["joint_cma"]) == 12 and numbers["agricultural_testing"] == "NZJ-27-2026-0001"


def test_the_list_of_a_sector_is_the_list_of_the_accreditation(joint_case: Begin, database: Database) -> None:
    one = joint_case(each=3).accept().review(refused_rows=(5,))  # row 5 is one of agriculture's
    listed = {name: annex(database, one.decide(name).file.case.fact("certificate_number")) for name in LICENCES}
    assert len(listed["joint_cma"]) == 8
    for name, section in (("agricultural_testing", "饲料"), ("construction_testing", "建筑材料")):
        assert listed[name] == [row for row in listed["joint_cma"] if row[0] == section]
    assert [len(listed[name]) for name in LICENCES] == [8, 2, 3]


def test_what_a_certificate_shows_comes_from_the_block_of_its_licence(joint_case: Begin, database: Database) -> None:
    one = joint_case().accept().review()
    number = one.decide("construction_testing").file.case.fact("certificate_number")
    found = CertificateStore(database).find(number=number)
    assert found is not None
    [edition] = CertificateDocuments(database).editions(found.id)
    assert edition.content is not None and edition.annex_rows == 2
    assert edition.content["shown"][0][1] == "专项资质" and edition.content["annex"]["in_register"]
    wanted = CertificateDocuments(database).to_render(one.child("construction_testing").id)
    assert wanted is not None and [row[1] for row in wanted.rows] == ["建筑材料", "建筑材料"]


def test_granting_asks_as_much_of_the_database_for_two_rows_as_for_two_hundred(
        joint_case: Begin, database: Database) -> None:
    asked = []
    for each in (2, 200):
        one = joint_case(each=each).accept().review()
        with counted(database) as statements:
            one.child("agricultural_testing").take("grant", by=department_leader("agriculture"))
        asked.append(len(statements))
    assert asked[0] == asked[1]


# -- opening ------------------------------------------------------------------------------------------------------


def test_a_case_of_each_licence_is_opened_with_what_it_needs(joint_case: Begin) -> None:
    one = joint_case(("joint_cma", "construction_testing")).accept()
    assert set(one.states()) == {"joint_cma", "construction_testing"}
    facts = one.child("construction_testing").file.case.facts
    assert facts["part_of"] == one.public_id and facts["deciding_departments"] == ["construction"]
    assert facts["agency_name"] == "示例检测有限公司"
    child = one.child("construction_testing").file
    assert child.number == f"{one.file.number}-2" and child.subject == "建设工程质量检测机构资质"
    assert one.child("joint_cma").file.case.fact("deciding_departments") == []
    assert one.child("joint_cma").file.submitted_at is not None  # filed at once


def test_a_licence_under_way_is_not_opened_again(joint_case: Begin, cases: CaseStore, database: Database) -> None:
    one = joint_case().accept()
    opens = one.file.procedure.by_name["accept"].spec.opens
    assert opens is not None
    one.child("construction_testing").take("retract")
    moment = moment_of(database.clock, cases.laws.current())
    with database.writing() as connection:
        again = to_open(connection, one.file.case, one.public_id, opens, moment)
    assert [(o.procedure.name, o.number) for o in again] == [("construction_testing", f"{one.file.number}-4")]


def test_a_licence_of_which_nothing_is_in_force_stops_the_whole_step(
        joint_case: Begin, cases: CaseStore, database: Database) -> None:
    one = joint_case()
    one.take("submit")
    with database.writing() as connection:
        connection.execute(update(ProcedureVersionRecord).where(
            ProcedureVersionRecord.name == "construction_testing").values(status="retired"))
    procedures.put_in_force([], ("construction_testing",))
    try:
        with pytest.raises(Refusal) as refusal:
            one.take("accept")
    finally:
        procedures.forget()
        cases.laws.forget()
    assert refusal.value.code == "unmet" and "Ask the administrator" in str(refusal.value)
    assert one.state == "submitted" and one.states() == {}


def test_a_procedure_that_others_open_is_not_retired_under_them(cases: CaseStore, database: Database) -> None:
    versions = ProcedureVersions(database, cases.laws)
    line = next(v for v in versions.lines("construction_testing") if v.status == "active")
    with pytest.raises(Refusal) as refusal:
        versions.retire(line.name, line.version, line.edition, "试", person("admin", Role.ADMINISTRATOR))
    assert refusal.value.reason.values["procedures"] == ["joint_testing.v1"]


def test_what_the_law_deems_accepted_is_opened_as_well(
        joint_case: Begin, cases: CaseStore, clock: MovableClock) -> None:
    one = joint_case()
    one.take("submit")
    [limit] = one.file.case.clocks
    clock.move_to(limit.due_on)
    clock.move(days=1)
    cases.lapse()
    assert one.state == "accepted" and one.states() == dict.fromkeys(LICENCES, "awaiting_review")


# -- the joint review ---------------------------------------------------------------------------------------------


def test_every_line_says_whose_licence_it_is_about(joint_case: Begin, database: Database) -> None:
    one = joint_case().accept().review()
    lines = ReviewStore(database).checklist(one.file)
    assert [line.code for line in lines if line.licence == "agricultural_testing"] == ["A1", "A2", "A3", "A4"]
    assert [line.entry["zh"] for line in lines if line.licence == "construction_testing"] == [
        "技术人员", "见证取样", "信息管理"]
    assert len([line for line in lines if not line.licence]) == 22
    seen = ReviewStore(database).checklist(one.child("construction_testing").file)
    assert {line.licence for line in seen} == {"", "construction_testing"} and len(seen) == 25


def test_a_licence_sees_the_rows_of_its_sector(joint_case: Begin, database: Database) -> None:
    one = joint_case().accept()
    store = ReviewStore(database)
    assert [row.section for row in store.rows(one.child("agricultural_testing").file).lines] == ["饲料", "饲料"]
    assert len(store.rows(one.child("joint_cma").file).lines) == len(store.rows(one.file).lines) == 6


def test_one_refused_by_its_own_lines_leaves_the_others_granted(joint_case: Begin) -> None:
    one = joint_case().accept().review(failing=("C2",))
    assert one.file.case.fact("failed_licences") == ["construction_testing"]
    assert one.file.case.fact("findings_failed") == 0
    child = one.child("construction_testing")
    assert child.file.case.fact("review_conclusion") == "does_not_meet"
    assert refused(lambda: child.take("grant", by=department_leader("construction"))) == "unmet"
    one.decide("construction_testing", "refuse")
    one.decide("joint_cma")
    one.decide("agricultural_testing")
    assert one.state == "ready_to_deliver"
    assert one.file.case.fact("results") == {
        "joint_cma": "granted", "agricultural_testing": "granted", "construction_testing": "refused"}
    one.take("deliver_together")
    one.tell()
    assert one.states() == {"joint_cma": "closed", "agricultural_testing": "closed", "construction_testing": "refused"}


def test_a_department_names_experts_of_its_own_pool(joint_case: Begin, database: Database) -> None:
    one = joint_case().accept()
    pool = ReviewStore(database).nominees(one.file, department_officer("agriculture"))
    assert [candidate.person_id for candidate in pool] == [expert_of("agriculture")]
    stranger = NominateExperts(experts=(expert_of("construction"),))
    assert refused(lambda: one.take("nominate_experts", stranger, by=department_officer("agriculture"))) == "malformed"


def test_whoever_belongs_to_the_applicant_is_sent_by_no_department(joint_case: Begin, database: Database) -> None:
    one = joint_case().accept()
    with database.writing() as connection:  # the expert also holds an account with the agency
        connection.execute(AccountRecord.__table__.insert(), {
            "login": "moonlighting", "password_hash": "-", "person_id": expert_of("agriculture"), "name": "兼职",
            "agency_id": one.agency_id, "created_at": database.clock.now()})
    command = NominateExperts(experts=(expert_of("agriculture"),))
    assert refused(lambda: one.take("nominate_experts", command, by=department_officer("agriculture"))) == "malformed"
    pool = ReviewStore(database).nominees(one.file, department_officer("agriculture"))
    assert [candidate.conflicted for candidate in pool] == [True]


def test_a_refusal_tells_what_failed_for_this_licence(joint_case: Begin, database: Database) -> None:
    one = joint_case().accept().review(failing=("C2",), refused_rows=(2,))
    child = one.decide("construction_testing", "refuse")
    facts = CaseDocuments(database).facts(child.id, child.version)
    assert facts is not None and [found for found, _ in facts.failed_findings] == ["见证取样"]
    spared = CaseDocuments(database).facts(one.child("agricultural_testing").id, 1)
    assert spared is not None and spared.failed_findings == () and spared.refused_total == 1


# -- who sees and decides what ------------------------------------------------------------------------------------


def test_a_departments_leader_sees_and_decides_that_licence_alone(joint_case: Begin, cases: CaseStore) -> None:
    one = joint_case().accept().review()
    leader = department_leader("agriculture")
    own, other = one.child("agricultural_testing"), one.child("construction_testing")
    assert cases.get(own.public_id, leader).case.state == "awaiting_decision"
    assert cases.get(one.public_id, leader).public_id == one.public_id
    for hand in (other, one.child("joint_cma")):
        assert refused(lambda hand=hand: cases.get(hand.public_id, leader)) == "unknown"
        assert refused(lambda hand=hand: hand.take("grant", Decide(grounds="同意"), by=leader)) == "unknown"
    assert refused(lambda: own.take("grant", Decide(grounds="同意"), by=LEADER)) == "forbidden"
    assert cases.get(own.public_id, department_officer("agriculture")).public_id == own.public_id
    assert cases.get(own.public_id, one.applicant).public_id == own.public_id


def test_the_board_shows_every_licence_and_opens_only_what_is_ones_own(joint_case: Begin) -> None:
    one = joint_case().accept()
    lines = {line.licence: line for line in one.board(department_leader("agriculture")).lines}
    assert lines["agricultural_testing"].public_id == one.child("agricultural_testing").public_id
    assert [lines[name].public_id for name in ("joint_cma", "construction_testing")] == [None, None]
    assert lines["construction_testing"].state == "awaiting_review" and not lines["construction_testing"].clocks
    own = one.board(one.applicant)
    assert [line.licence for line in own.lines] == list(LICENCES) and all(line.public_id for line in own.lines)
    assert [line.department for line in own.lines] == ["", "agriculture", "construction"]
    assert [clock.name for clock in own.parent.clocks if clock.is_running].count("joint") == 1


def test_the_board_is_the_same_from_the_application_and_from_a_licence_and_asks_once(
        joint_case: Begin, cases: CaseStore, database: Database) -> None:
    one = joint_case().accept().review()
    child, asked = one.child("agricultural_testing").file, []
    assert JointCases(database).board(child, SYSTEM) == one.board(SYSTEM)
    for _ in range(2):
        with counted(database) as statements:
            JointCases(database).board(child, SYSTEM)
        asked.append(len(statements))
        with database.writing() as connection:  # a family of ten
            for _ in range(7):
                open_case(connection, procedures.current("construction_testing"), SYSTEM, agency_id=one.agency_id,
                          agency_name="示例", subject="示例", facts={"part_of": one.public_id},
                          moment=moment_of(database.clock, cases.laws.current()), parent_id=one.id)
    assert asked == [1, 1]


def test_a_decided_licence_stands_on_the_board_with_its_certificate(joint_case: Begin) -> None:
    one = joint_case().accept().review()
    child = one.decide("agricultural_testing")
    line = next(x for x in one.board(one.applicant).lines if x.licence == "agricultural_testing")
    assert (line.outcome, line.certificate_number) == ("granted", child.file.case.fact("certificate_number"))
    assert line.verify_code and line.certificate_version == 1 and line.decided_on is not None
    hidden = next(x for x in one.board(department_leader("construction")).lines if x.licence == "agricultural_testing")
    assert hidden.outcome == "granted" and hidden.certificate_public_id is None


def test_what_waits_for_a_department_waits_at_its_own_desk(joint_case: Begin, database: Database) -> None:
    one = joint_case().accept()
    queues, officer = QueueStore(database), department_officer("agriculture")
    waiting = {line.public_id for line in queues.queue(officer, Role.DEPARTMENT_OFFICER).lines}
    assert waiting == {one.public_id, one.child("agricultural_testing").public_id}
    leader = department_leader("agriculture")
    assert queues.queue(leader, Role.DEPARTMENT_LEADER).lines == ()
    one.review()
    [line] = queues.queue(leader, Role.DEPARTMENT_LEADER).lines
    assert line.public_id == one.child("agricultural_testing").public_id
    assert queues.counts(leader)[Role.DEPARTMENT_LEADER].waiting == 1
    assert queues.queue(department_leader("ecology"), Role.DEPARTMENT_LEADER).lines == ()
