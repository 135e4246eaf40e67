"""The case page and acting on a case, as officials do it, through the application."""
import re
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from store.database import Busy
from store.people import Account
from tests.store import factories
from tests.store.factories import CaseHand, MovableClock
from tests.web.browsers import PASSWORD, Browser
from web.context import House
from workflow import commands as c
from workflow.vocabulary import Role

TABS = ("", "/dossier", "/capability", "/tables/staff", "/tables/signatories", "/materials", "/departments",
        "/limits", "/timeline")


@pytest.fixture
def case_in(house: House, accounts: dict[str, Account]) -> Callable[..., CaseHand]:
    """`case_in(state, track=..., rows=...)`: a case of the agency behind the account `applicant`."""
    def make(state: str, **options: Any) -> CaseHand:
        options.setdefault("departments", ["ecology", "health"])
        return factories.cma_case(house.cases, state, agency_id=accounts["applicant"].agency_id, **options)
    return make


def team_of(accounts: dict[str, Account]) -> c.OrganiseReview:
    leader, member = accounts["team.leader"].person_id, accounts["reviewer"].person_id
    return c.OrganiseReview(mode="on_site", leader=leader, members=(leader, member), planned_on=date(2026, 3, 9))


@pytest.fixture
def under_review(case_in: Callable[..., CaseHand], accounts: dict[str, Account]) -> Callable[..., CaseHand]:
    """A case whose team are the accounts team.leader and reviewer."""
    def make(**options: Any) -> CaseHand:
        case = case_in("accepted", **options)
        case.take("organise_review", team_of(accounts))
        return case
    return make


def fields_of(browser: Browser, url: str) -> dict[str, str]:
    """The hidden fields of the act on a page."""
    page = browser.get(url).text
    found = {name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
             for name in ("command_id", "expected_version")}
    return {name: match[1] for name, match in found.items() if match}


def act(browser: Browser, case: CaseHand, action: str, **fields: Any) -> Any:
    url = f"/cases/{case.public_id}/actions/{action}"
    return browser.send(url, **{**fields_of(browser, url), **fields})


def test_an_official_reads_every_part_of_a_case(case_in, client_of):
    case = case_in("submitted")
    browser = client_of(Role.WINDOW_OFFICER)
    for tab in TABS:
        answer = browser.get(f"/cases/{case.public_id}{tab}")
        assert answer.status_code == 200, tab
        assert "示例检测有限公司" in answer.text


def test_a_case_that_is_not_mine_does_not_exist(case_in, client_of):
    case = case_in("submitted")
    for who in (Role.REVIEWER, Role.ADMINISTRATOR):
        browser = client_of(who)
        for tab in (*TABS, "/rows", "/findings", "/actions/accept"):
            assert browser.get(f"/cases/{case.public_id}{tab}").status_code == 404, (who, tab)


def test_an_applicant_has_pages_of_their_own_and_acts_by_the_same_door(case_in, client_of):
    case = case_in("submitted")
    own, other = client_of("applicant"), client_of("applicant.other")
    for tab in (*TABS, "/rows", "/findings"):
        assert own.get(f"/cases/{case.public_id}{tab}").status_code == 403
    assert other.get(f"/cases/{case.public_id}/actions/retract").status_code == 404
    answer = act(own, case, "retract", sure="y")
    assert answer.headers["Location"].endswith(f"/applications/{case.public_id}") and case.state == "retracted"


def test_a_department_that_is_not_asked_does_not_see_the_case(case_in, client_of):
    asked, other = case_in("submitted"), case_in("submitted", departments=["transport"])
    browser = client_of(Role.DEPARTMENT_OFFICER)  # of ecology
    assert browser.get(f"/cases/{asked.public_id}").status_code == 200
    assert browser.get(f"/cases/{other.public_id}").status_code == 404


def test_the_window_accepts_and_hears_what_comes_next(case_in, client_of):
    case = case_in("submitted")
    browser = client_of(Role.WINDOW_OFFICER)
    answer = act(browser, case, "accept")
    assert answer.status_code == 302
    page = browser.get(answer.headers["Location"]).text
    assert case.state == "accepted"
    assert "已受理，待组织评审" in page and "2026-000001" in page


def test_the_window_requests_correction_in_several_items(case_in, client_of):
    case = case_in("submitted")
    browser = client_of(Role.WINDOW_OFFICER)
    answer = act(browser, case, "request_correction", **{
        "items-0-subject": "平面图", "items-0-reason": "缺少比例尺", "items-0-basis": "评审准则第十条",
        "items-1-subject": "附表2", "items-1-reason": "第 3 行缺职称"})
    assert answer.status_code == 302
    assert case.file.case.fact("corrections_open") == 2
    page = browser.get(f"/cases/{case.public_id}/dossier").text
    assert "缺少比例尺" in page and "第 3 行缺职称" in page


def test_a_row_is_added_without_script_and_nothing_is_sent(case_in, client_of):
    case = case_in("submitted")
    answer = act(client_of(Role.WINDOW_OFFICER), case, "request_correction", add_item="1",
                 **{"items-0-subject": "平面图", "items-1-subject": "", "items-2-subject": ""})
    assert answer.status_code == 200
    assert 'name="items-3-subject"' in answer.text and "平面图" in answer.text
    assert case.state == "submitted"


def test_an_incomplete_item_is_told_where_it_stands(case_in, client_of):
    case = case_in("submitted")
    answer = act(client_of(Role.WINDOW_OFFICER), case, "request_correction", **{"items-0-reason": "缺少比例尺"})
    assert answer.status_code == 422
    assert "items-0-subject-error" in answer.text and "缺少比例尺" in answer.text
    assert case.state == "submitted"


def test_a_refusal_is_prefilled_with_its_remedies_and_needs_reasons(case_in, client_of):
    case = case_in("submitted")
    browser = client_of(Role.WINDOW_OFFICER)
    page = browser.get(f"/cases/{case.public_id}/actions/refuse_to_accept").text
    assert "行政复议" in page and "第三十二条" in page
    answer = act(browser, case, "refuse_to_accept", reasons="", basis="第三十二条", remedy="行政复议", sure="y")
    assert answer.status_code == 422 and "reasons-error" in answer.text
    assert case.state == "submitted"


def test_an_emptied_suggestion_stays_empty(case_in, client_of):
    case = case_in("submitted")
    answer = act(client_of(Role.WINDOW_OFFICER), case, "refuse_to_accept", reasons="不属于", basis="", sure="y")
    assert answer.status_code == 422 and case.state == "submitted"


def test_an_irreversible_step_needs_its_tick(case_in, client_of):
    case = case_in("submitted")
    browser = client_of(Role.WINDOW_OFFICER)
    words = {"reasons": "不属于本机关职权范围", "basis": "第三十二条", "remedy": "行政复议"}
    assert act(browser, case, "refuse_to_accept", **words).status_code == 422
    assert case.state == "submitted"
    assert act(browser, case, "refuse_to_accept", **words, sure="y").status_code == 302
    assert case.state == "not_accepted"


def test_the_same_press_twice_acts_once(case_in, client_of):
    case = case_in("submitted")
    browser = client_of(Role.WINDOW_OFFICER)
    sent = fields_of(browser, f"/cases/{case.public_id}/actions/accept")
    url = f"/cases/{case.public_id}/actions/accept"
    assert [browser.send(url, **sent).status_code for _ in range(2)] == [302, 302]
    assert case.state == "accepted" and case.version == 3


def test_a_form_without_its_identifier_or_version_is_refused(case_in, client_of):
    case = case_in("submitted")
    browser, url = client_of(Role.WINDOW_OFFICER), f"/cases/{case.public_id}/actions/accept"
    for fields in ({}, {"command_id": "x", "expected_version": "2"}, {"command_id": str(uuid4())},
                   {"command_id": str(uuid4()), "expected_version": "-1"},
                   {"command_id": str(uuid4()), "expected_version": "9" * 30}):
        assert browser.send(url, **fields).status_code == 422, fields
    assert case.state == "submitted"


def test_a_stale_form_says_what_changed_and_keeps_the_text(under_review, client_of):
    case = under_review()
    browser = client_of(Role.TEAM_LEADER)
    url = f"/cases/{case.public_id}/actions/conclude_does_not_meet"
    sent = fields_of(browser, url)
    case.take("confirm_rows", c.ConfirmRows(rows=(1,), ways=("site_test",)), by=reviewer(case))
    answer = browser.send(url, **sent, grounds="设备未溯源，记录不完整。")
    assert answer.status_code == 409
    assert "设备未溯源，记录不完整。" in answer.text and "确认了检验检测能力" in answer.text
    assert case.state == "under_review"
    renewed = {name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', answer.text)[1] for name in sent}
    assert renewed["expected_version"] == str(case.version) and renewed["command_id"] != sent["command_id"]
    assert browser.send(url, **renewed, grounds="设备未溯源，记录不完整。").status_code == 302
    assert case.state == "awaiting_decision"


def reviewer(case: CaseHand) -> Any:
    others = case.file.case.fact("team_others")
    return factories.person(others[0], Role.REVIEWER)


def test_a_text_survives_a_case_that_has_moved_on(case_in, client_of):
    case = case_in("submitted")
    browser = client_of(Role.WINDOW_OFFICER)
    url = f"/cases/{case.public_id}/actions/request_correction"
    sent = fields_of(browser, url)
    case.take("accept")
    answer = browser.send(url, **sent, **{"items-0-subject": "平面图", "items-0-reason": "缺少比例尺"})
    assert answer.status_code == 409 and "缺少比例尺" in answer.text


def test_a_text_survives_a_session_that_has_ended(case_in, client_of):
    """What an officer wrote is on the page that asks to sign in again, which leads back to the form."""
    case = case_in("submitted")
    browser = client_of(Role.WINDOW_OFFICER)
    url = f"/cases/{case.public_id}/actions/request_correction"
    sent = fields_of(browser, url)
    browser.delete_cookie("session")
    answer = browser.send(url, headers={"Referer": f"http://localhost{url}"}, **sent,
                          **{"items-0-subject": "平面图", "items-0-reason": "缺少<b>比例尺"})
    assert answer.status_code == 401 and "缺少&lt;b&gt;比例尺" in answer.text and "<b>比例尺" not in answer.text
    assert f"next={quote(url)}" in answer.text
    assert sent["command_id"] not in answer.text


def test_whatever_goes_wrong_nobody_writes_it_twice(case_in, client_of, monkeypatch):
    case = case_in("submitted")
    browser, url = client_of(Role.WINDOW_OFFICER), f"/cases/{case.public_id}/actions/request_correction"
    sent = fields_of(browser, url)

    def busy(*_: Any, **__: Any) -> None:
        raise Busy("locked")

    monkeypatch.setattr("store.cases.CaseStore.perform", busy)
    typed = {"items-0-subject": "平面图", "items-0-reason": "缺少比例尺", "password": "secret-7"}
    answer = browser.send(url, **sent, **typed)
    assert answer.status_code == 503 and "缺少比例尺" in answer.text and "secret-7" not in answer.text
    assert "data-typed-into" in answer.text and "data-typed-into" not in browser.get("/cases/nonsense").text


@pytest.mark.parametrize("path, page", [
    ("/desk/window-officer/together/accept", "/desk/window-officer/together"), ("/sign-out", "/"),
    ("/applications/x/form/overview", "/applications/x/form"), ("/certificates/deliver", "/certificates")])
def test_an_address_that_only_takes_forms_leads_to_its_page(client_of, path, page):
    """Such as the language switch on a page that shows the faults of a form."""
    answer = client_of(Role.WINDOW_OFFICER).get(f"{path}?lang=en&after=1")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{page}?lang=en")


def test_a_greyed_button_says_why(case_in, client_of):
    case = case_in("awaiting_sign_off")
    case.take("sign_off", c.RecordSignOff(verdict="object", opinion="缺少补充要求"),
              by=factories.department_officer("health"))
    page = client_of(Role.LEADER).get(f"/cases/{case.public_id}").text
    why = page.partition('id="why-grant"')[2].partition("</span>")[0]
    assert "卫生健康" in why and "health" not in why


def test_an_action_that_is_not_mine_is_forbidden_and_one_not_now_conflicts(case_in, client_of):
    case = case_in("accepted")
    assert client_of(Role.LEADER).get(f"/cases/{case.public_id}/actions/accept").status_code == 403
    assert client_of(Role.WINDOW_OFFICER).get(f"/cases/{case.public_id}/actions/accept").status_code == 409
    assert client_of(Role.WINDOW_OFFICER).get(f"/cases/{case.public_id}/actions/fly").status_code == 404


def test_a_decision_needs_the_password_of_who_decides(case_in, client_of):
    case = case_in("awaiting_decision")
    browser = client_of(Role.LEADER)
    words = {"grounds": "符合法定条件", "sure": "y"}
    wrong = act(browser, case, "grant", **words, password="wrong")
    assert wrong.status_code == 422 and "password-error" in wrong.text
    assert act(browser, case, "grant", **words).status_code == 422
    assert case.state == "awaiting_decision"
    assert act(browser, case, "grant", **words, password=PASSWORD).status_code == 302
    assert case.state == "granted"


def test_what_the_leader_decides_on_is_beside_the_form(case_in, client_of):
    case = case_in("awaiting_decision")
    page = client_of(Role.LEADER).get(f"/cases/{case.public_id}/actions/grant").text
    for words in ("第三十八条第一款", "评审结论", "2 个同意", "不收费", "确认 3 项"):
        assert words in page, words


def test_a_department_answers_from_its_desk(case_in, client_of):
    case = case_in("awaiting_sign_off")
    browser = client_of(Role.DEPARTMENT_OFFICER)
    answer = act(browser, case, "sign_off", verdict="agree", opinion="符合要求")
    assert answer.status_code == 302
    assert {s.department for s in case.file.case.current_sign_offs()} == {"ecology"}
    page = browser.get(f"/cases/{case.public_id}/departments").text
    assert "符合要求" in page and "官员 department_officer" in page


def test_a_department_may_abstain_or_recuse_itself_and_the_first_version_knows_neither(case_in, client_of):
    browser, case = client_of(Role.DEPARTMENT_OFFICER), case_in("awaiting_sign_off")
    page = browser.get(f"/cases/{case.public_id}/actions/sign_off").text
    assert all(f'value="{verdict}"' in page for verdict in ("agree", "object", "abstain", "recused"))
    assert act(browser, case, "sign_off", verdict="recused").status_code == 422
    assert act(browser, case, "sign_off", verdict="abstain").status_code == 302
    board = browser.get(f"/cases/{case.public_id}").text
    assert "弃权" in board and "尚未答复：卫生健康" in board


def test_the_board_says_who_answered_when_and_how_it_stands(case_in, client_of):
    case = case_in("awaiting_sign_off")
    act(client_of(Role.DEPARTMENT_OFFICER), case, "sign_off", verdict="agree", opinion="符合要求")
    page = client_of(Role.LEADER).get(f"/cases/{case.public_id}").text
    board = page.partition('id="departments"')[2].partition("</section>")[0]
    assert "官员 department_officer" in board and "2026-03-02 09:00" in board
    assert "2个部门中1个同意，不得有反对" in board


def test_an_answer_that_stands_says_so_on_the_board_and_in_the_history(case_in, client_of):
    case = case_in("awaiting_sign_off")
    act(client_of(Role.DEPARTMENT_OFFICER), case, "sign_off", verdict="agree", opinion="符合要求")
    case.take("sign_off", c.RecordSignOff(verdict="object", opinion="缺少补充要求"),
              by=factories.department_officer("health"))
    leader = client_of(Role.LEADER)
    form = leader.get(f"/cases/{case.public_id}/actions/ask_departments_again").text
    assert re.search(r'value="health"[^>]*checked|checked[^>]*value="health"', form) and "卫生健康" in form
    nobody = act(leader, case, "ask_departments_again", grounds="须核实")
    assert nobody.status_code == 302 or "继续有效" in nobody.text
    if case.state == "awaiting_decision":
        assert act(leader, case, "ask_departments_again", grounds="须核实", departments="health").status_code == 302
    for tab in ("", "/departments", "/timeline"):
        page = leader.get(f"/cases/{case.public_id}{tab}").text
        assert "第1轮答复继续有效" in page, tab
    assert "官员 department_officer" in leader.get(f"/cases/{case.public_id}").text


def test_a_department_passed_over_is_not_said_to_owe_an_answer(case_in, client_of):
    case = case_in("awaiting_sign_off")
    case.take("sign_off", c.RecordSignOff(verdict="object", opinion="缺少补充要求"),
              by=factories.department_officer("health"))
    page = client_of(Role.LEADER).get(f"/cases/{case.public_id}").text
    assert "其他部门的答复已决定结果" in page


def test_an_objection_needs_its_opinion(case_in, client_of):
    case = case_in("awaiting_sign_off")
    answer = act(client_of(Role.DEPARTMENT_OFFICER), case, "sign_off", verdict="object", opinion="")
    assert answer.status_code == 422 and "opinion-error" in answer.text


def test_a_team_is_seated_from_the_pool_with_its_coverage(case_in, client_of, house, accounts):
    house.accounts.set_expertise(accounts["reviewer"].person_id, ["生态环境"])
    case = case_in("accepted", sectors=["生态环境", "食品"])
    browser = client_of(Role.REVIEW_ORGANISER)
    page = browser.get(f"/cases/{case.public_id}/actions/organise_review").text
    assert "官员 reviewer" in page and "食品" in page
    leader, member = accounts["team.leader"].person_id, accounts["reviewer"].person_id
    answer = act(browser, case, "organise_review", mode="on_site", members=[leader, member], leader=leader,
                 planned_on="2026-03-09")
    assert answer.status_code == 302
    assert case.state == "under_review" and case.file.case.fact("team_leader") == leader


def test_whoever_belongs_to_the_applicant_cannot_be_seated(case_in, client_of, house, accounts):
    case = case_in("accepted")
    house.accounts.add_account("second.hat", PASSWORD, name="两顶帽子", roles=[Role.APPLICANT],
                               agency_id=accounts["applicant"].agency_id, person_id=accounts["reviewer"].person_id)
    browser, leader = client_of(Role.REVIEW_ORGANISER), accounts["team.leader"].person_id
    page = browser.get(f"/cases/{case.public_id}/actions/organise_review").text
    assert f'value="{accounts["reviewer"].person_id}"' not in page and "官员 reviewer" in page
    answer = act(browser, case, "organise_review", mode="on_site", leader=leader, planned_on="2026-03-09",
                 members=[leader, accounts["reviewer"].person_id])
    assert answer.status_code == 422 and case.state == "accepted"


def test_a_due_date_is_explained_line_by_line(case_in, client_of, clock: MovableClock):
    clock.move_to(date(2026, 4, 2))
    case = case_in("submitted")
    page = client_of(Role.WINDOW_OFFICER).get(f"/cases/{case.public_id}/limits").text
    assert "清明" in page and "第三十二条" in page and "5 个工作日" in page


def test_parent_and_child_lead_to_each_other(house, client_of):
    child = factories.verification_case(house.cases, "opened")
    browser = client_of(Role.LEADER)
    page = browser.get(f"/cases/{child.public_id}").text
    parent = house.cases.get(child.public_id, factories.SYSTEM).parent_public_id
    assert f"/cases/{parent}" in page
    assert f"/cases/{child.public_id}" in browser.get(f"/cases/{parent}").text


def test_rows_of_an_annex_are_annulled_by_name(house, client_of):
    case = factories.verification_case(house.cases, "awaiting_annulment", rows=5)
    browser = client_of(Role.LEADER)
    page = browser.get(f"/cases/{case.public_id}/actions/annul").text
    assert "第六十九条" in page and "参数5" in page
    answer = act(browser, case, "annul", whole="no", rows=["2", "4"], grounds="不具备能力", basis="第六十九条",
                 sure="y", password=PASSWORD)
    assert answer.status_code == 302 and case.state == "annulled"
    assert case.file.case.fact("annulled_rows") == 2


@pytest.mark.parametrize("state", ["submitted", "under_review", "awaiting_sign_off", "closed"])
def test_a_case_page_asks_little_of_the_database(case_in, client_of, house, state):
    from tests.store.statements import counted, counts_without_end

    case = case_in(state, rows=300)
    browser = client_of(Role.LEADER)
    browser.get(f"/cases/{case.public_id}")
    for tab in (*TABS, "/findings"):
        with counted(house.database) as statements:
            browser.get(f"/cases/{case.public_id}{tab}")
        assert len(statements) <= 10, (tab, len(statements), statements)
        assert [s for s in statements if counts_without_end(s)] == [], tab


def test_english_pages_speak_english(case_in, client_of):
    case = case_in("awaiting_decision")
    browser = client_of(Role.LEADER)
    page = browser.get(f"/cases/{case.public_id}?lang=en").text
    assert "Awaiting decision" in page and "What you can do now" in page
