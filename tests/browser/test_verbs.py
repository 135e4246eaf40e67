"""What officers and applicants may do besides the course of a procedure, each from the page of the case."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from store.jobs import JobQueue
from tests.browser import deciding
from tests.browser.conftest import Enter
from tests.browser.looking import examined, picture
from tests.browser.offices import Bureau, Person
from tests.store import factories
from tests.store.factories import CaseHand
from web.cast import PASSWORD
from workflow.commands import OrganiseReview
from workflow.vocabulary import Role

pytestmark = pytest.mark.browser
MEETS, BACK, RETURN = "评审结论：符合", "评审结论：符合（直接送回）", "退回至：技术评审中"
ON_THE_TEAM = ("zuzhang", "pingshen1")


@pytest.fixture
def database_url(sqlite_database_url: str) -> str:
    """What people type meets the same code on every database: one will do."""
    return sqlite_database_url


@pytest.fixture
def agency(bureau: Bureau) -> int:
    """The agency behind the account `north`."""
    accounts = bureau.house.accounts
    accounts.register_agency(
        uscc="91610100MA6U00005J", agency_name="北岭检测有限公司", division="420100", address="示范路 1 号",
        legal_person="高原", phone="13800000000", email="a@agency.example", login="north", password=PASSWORD,
        name="高原")  # fmt: skip
    account = accounts.find("north")
    assert account is not None and account.agency_id is not None
    return account.agency_id


@pytest.fixture
def second_leader(bureau: Bureau) -> str:
    bureau.house.accounts.add_account("lingdao2", PASSWORD, name="章远谋", roles=[Role.LEADER])
    return "章远谋"


def case_in(bureau: Bureau, agency: int, state: str) -> CaseHand:
    """A case of the agency, reviewed by the people of the cast: under_review, awaiting_sign_off, awaiting_decision."""
    cast = bureau.cast
    hand = factories.cma_case(bureau.house.cases, "accepted", departments=["ecology", "health"], agency_id=agency)
    team = tuple(cast.actor(login).person_id for login in ON_THE_TEAM)
    hand.take("organise_review", OrganiseReview(
        mode="on_site", leader=team[0], members=team,
        planned_on=bureau.house.database.clock.today() + timedelta(days=2)), by=cast.actor("zuzhi"))  # fmt: skip
    hand.take("record_findings", by=cast.actor("pingshen1"))
    hand.take("confirm_rows", by=cast.actor("pingshen1"))
    if state != "under_review":
        hand.take("conclude_meets", by=cast.actor("zuzhang"))
    if state == "awaiting_decision":
        hand.walk(["ask"])
    assert hand.state == state
    return hand


def choose(person: Person, field: str, words: str) -> None:
    """Tick the choice that begins with these words."""
    person.page.locator(f"#{field} label", has_text=words).first.click()


def done(person: Person, case: str, label: str, **fields: str) -> None:
    """Take an action whose form has only texts."""
    deciding.act(person, case, label)
    for name, text in fields.items():
        person.page.fill(f"#{name}", text)
    deciding.send(person, label)


def buttons(person: Person, case: str) -> list[str]:
    """What can be done now on the page of the case."""
    person.go(case)
    return person.page.locator(".wj-actions li:not(.is-unmet) a").all_inner_texts()


def test_a_return_comes_straight_back_or_goes_through_everybody_again(
    bureau: Bureau, enter: Enter, agency: int
) -> None:
    hand = case_in(bureau, agency, "awaiting_decision")
    case, leader, head = f"/cases/{hand.public_id}", enter("lingdao"), enter("zuzhang")
    deciding.act(leader, case, RETURN)
    leader.press(RETURN)
    expect(leader.page.locator("#error-summary")).to_be_focused()  # without a reason nothing happens
    leader.page.fill("#reason", "第3行依据的标准已作废，请核实")
    choose(leader, "way", "直接")
    examined(leader, "verb-return")
    deciding.send(leader, RETURN)
    assert hand.state == "under_review"
    assert [label for label in buttons(head, case) if label.startswith(MEETS)] == [BACK]
    head.sees("第3行依据的标准已作废，请核实")
    picture(head, "verb-returned")
    done(head, case, BACK)
    assert hand.state == "awaiting_decision", "nobody in between is asked again"

    deciding.act(leader, case, RETURN)
    leader.page.fill("#reason", "请补充现场记录")
    choose(leader, "way", "逐级办理")
    deciding.send(leader, RETURN)
    rounds = hand.file.case.round
    done(head, case, MEETS)
    assert hand.file.case.round == rounds + 1, "the departments come next; their answers stand, for nothing changed"
    leader.go(f"{case}/timeline")
    leader.sees("第1轮答复继续有效")
    picture(leader, "verb-answers-stand")


def test_an_act_is_taken_back_within_its_minutes_and_not_after_them(bureau: Bureau, enter: Enter, agency: int) -> None:
    hand = case_in(bureau, agency, "under_review")
    case, head, recall = f"/cases/{hand.public_id}", enter("zuzhang"), f"收回：{MEETS}"
    done(head, case, MEETS)
    assert recall in buttons(head, case)
    picture(head, "verb-recall-bar")
    done(head, case, recall, reason="结论有误")
    assert hand.state == "under_review"
    head.go(f"{case}/timeline")
    head.sees("收回了：评审结论：符合")
    head.sees("结论有误")
    done(head, case, MEETS)
    bureau.clock.go_to(bureau.house.database.clock.today() + timedelta(days=1))  # type: ignore[attr-defined]
    while not JobQueue(bureau.house.database).is_settled(hand.id):  # the worker tells who is concerned
        head.page.wait_for_timeout(200)
    head.sign_in("zuzhang")
    deciding.act(head, case, recall)
    head.page.fill("#reason", "又改了主意")
    head.press(recall)
    head.sees("这一步的通知已经发出，不能收回")
    assert hand.state == "awaiting_sign_off" and head.page.input_value("#reason") == "又改了主意"
    picture(head, "verb-recall-over")


def test_work_is_passed_on_advice_is_asked_and_given(
    bureau: Bureau, enter: Enter, agency: int, second_leader: str
) -> None:
    hand = case_in(bureau, agency, "awaiting_decision")
    case, first, second, window = f"/cases/{hand.public_id}", enter("lingdao"), enter("lingdao2"), enter("chuangkou")
    deciding.act(first, case, "转办")
    choose(first, "person", second_leader)
    first.page.fill("#reason", "出差")
    picture(first, "verb-transfer")
    deciding.send(first, "转办")
    first.sees(f"下一步由{second_leader}（审批领导）办理")
    expect(first.page.locator(".is-unmet", has_text="准予许可")).to_contain_text(f"已转办给{second_leader}")
    first.sees("离岗交接")
    examined(first, "verb-transferred")

    assert deciding.open_case(second, "leader", "示例检测有限公司") == case
    deciding.act(second, case, "委派征询")
    choose(second, "person", "程一鸣")
    second.page.fill("#question", "受理时是否核对过场所证明？")
    deciding.send(second, "委派征询")
    assert "准予许可" not in buttons(second, case), "the decision waits for the advice"
    done(window, case, "答复征询", advice="已核对，与申请一致")
    assert "准予许可" in buttons(second, case)
    second.sees("已核对，与申请一致")
    picture(second, "verb-advised")


def test_a_department_is_added_before_the_others_and_taken_off_again(
    bureau: Bureau, enter: Enter, agency: int
) -> None:
    hand = case_in(bureau, agency, "awaiting_sign_off")
    case, organiser, ecology = f"/cases/{hand.public_id}", enter("zuzhi"), enter("bumen.ecology")
    sign = hand.file.procedure.by_name["sign_off"].label.zh or ""
    assert sign in buttons(ecology, case)
    deciding.act(organiser, case, "加签")
    choose(organiser, "department", "交通")
    choose(organiser, "place", "先于其他部门")
    organiser.page.fill("#reason", "涉及机动车检验")
    picture(organiser, "verb-add-signer")
    deciding.send(organiser, "加签")
    organiser.sees("交通")
    assert sign not in buttons(ecology, case), "whoever was put before the others answers first"
    deciding.act(organiser, case, "减签")
    choose(organiser, "department", "交通")
    organiser.page.fill("#reason", "核实后不涉及")
    deciding.send(organiser, "减签")
    assert sign in buttons(ecology, case)
    picture(ecology, "verb-signer-removed")


def test_a_case_is_reminded_of_copied_commented_on_suspended_and_resumed(
    bureau: Bureau, enter: Enter, agency: int
) -> None:
    hand = case_in(bureau, agency, "awaiting_decision")
    case, own = f"/cases/{hand.public_id}", f"/applications/{hand.public_id}"
    applicant, leader, window = enter("north"), enter("lingdao"), enter("chuangkou")
    applicant.go(own)
    applicant.follow("催办")
    applicant.press("催办")
    applicant.sees("已办理：催办")
    applicant.go(own)
    picture(applicant, "verb-reminded")
    assert "催办" not in buttons(window, case), "once a day is enough"

    deciding.act(window, case, "抄送")
    choose(window, "persons", "严明理")
    deciding.send(window, "抄送")
    done(window, case, "留言", text="已电话联系申请人，材料今日寄出")
    applicant.go(own)
    applicant.follow("留言")
    applicant.page.fill("#text", "材料已寄出")
    applicant.press("留言")
    leader.go(case)
    leader.sees("材料已寄出")

    deciding.act(leader, case, "中止办理")
    choose(leader, "ground", "听证")
    leader.page.fill("#reason", "申请人要求听证")
    picture(leader, "verb-suspend")
    deciding.send(leader, "中止办理")
    banner = leader.page.locator(".wj-suspended")
    expect(banner).to_contain_text("听证")
    expect(banner).to_contain_text("决定期限")
    assert "准予许可" not in buttons(leader, case)
    examined(leader, "suspended-official")
    applicant.go(own)
    expect(applicant.page.locator(".wj-suspended")).to_contain_text("审批领导")
    examined(applicant, "suspended-applicant")
    done(leader, case, "恢复办理", reason="听证已结束")
    assert leader.page.locator(".wj-suspended").count() == 0
    assert "准予许可" in buttons(leader, case)
