"""Standing in for somebody through the application: making it, finding the work, acting, and being told of it."""
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from store.delegations import DelegationStore
from store.people import Account
from tests.store.factories import CaseHand, MovableClock
from tests.store.statements import counted
from tests.web.browsers import PASSWORD, Browser
from tests.web.test_desks import address, case_in  # noqa: F401  # a fixture
from web.context import House
from workflow.delegation import Group
from workflow.vocabulary import Role

TODAY = date(2026, 3, 2)
SUNDAY = TODAY + timedelta(days=6)


@pytest.fixture
def stand_in(house: House, accounts: dict[str, Account]) -> Callable[..., str]:
    """`stand_in("leader", "inspector")`: the inspector stands in for the leader this week; the delegation's id."""
    def make(principal: str, delegate: str, **terms: Any) -> str:
        given = {"from_on": TODAY, "until_on": SUNDAY, "verbs": frozenset(Group), **terms}
        return DelegationStore(house.database).make(
            accounts[principal].actor(), principal_id=accounts[principal].id, delegate_id=accounts[delegate].id,
            **given)
    return make


def ask(browser: Browser, accounts: dict[str, Account], whom: str, **fields: Any) -> Any:
    usual = {"delegate": str(accounts[whom].id), "from_on": TODAY.isoformat(), "until_on": SUNDAY.isoformat(),
             "procedure": "", "kinds": ["@review"], "scope": "", "reason": "休假"}
    return browser.send("/delegations", **{**usual, **fields})


def test_both_sides_and_the_administrator_see_a_delegation(client_of, accounts):
    assert ask(client_of(Role.LEADER), accounts, "inspector").status_code == 303
    for role, address_, words in ((Role.LEADER, "/delegations", "官员 inspector"),
                                  (Role.INSPECTOR, "/delegations", "官员 leader"),
                                  (Role.ADMINISTRATOR, "/delegations", "官员 inspector")):
        page = client_of(role).get(address_ + "?lang=en").text
        assert words in page and "In force" in page and "休假" in page, role
    assert "官员 inspector" not in client_of(Role.WINDOW_OFFICER).get("/delegations").text.partition("<form")[0]


def test_a_refused_delegation_says_why_and_keeps_what_was_typed(client_of, accounts, stand_in):
    stand_in("leader", "inspector")
    answer = ask(client_of(Role.INSPECTOR), accounts, "window.officer", reason="出差到月底", until_on="2026-03-31")
    assert answer.status_code == 422 and "代理不得转委托" in answer.text
    assert "出差到月底" in answer.text and "2026-03-31" in answer.text


@pytest.mark.parametrize(("fields", "words"), [
    ({"kinds": []}, "至少选择一项"), ({"from_on": "soon"}, "请填写日期"), ({"delegate": "999"}, "请选择人员"),
    ({"scope": "named"}, "请勾选所指的步骤"), ({"scope": "without", "steps": ["no_such"]}, "有一项不存在"),
    ({"procedure": "another"}, "没有这一许可事项"), ({"until_on": "2026-03-01"}, "早于起始日"),
])
def test_a_form_that_says_too_little_is_refused_at_its_field(client_of, accounts, fields, words):
    answer = ask(client_of(Role.LEADER), accounts, "inspector", **fields)
    assert answer.status_code == 422 and words in answer.text


def test_an_applicant_cannot_even_be_chosen(client_of, accounts):
    page = client_of(Role.LEADER).get("/delegations").text
    assert "经办 applicant" not in page and "官员 administrator" not in page
    assert ask(client_of(Role.LEADER), accounts, "applicant").status_code == 422


def test_nobody_delegates_the_work_of_another(client_of, accounts, house):
    answer = ask(client_of(Role.INSPECTOR), accounts, "window.officer", principal=str(accounts["leader"].id))
    assert answer.status_code == 303  # one's own: the field is not there for them
    assert [d.principal for d in DelegationStore(house.database).every().lines] == ["官员 inspector"]


def test_an_administrator_makes_one_for_somebody_who_is_away(client_of, accounts):
    browser = client_of(Role.ADMINISTRATOR)
    answer = ask(browser, accounts, "inspector", principal=str(accounts["leader"].id), scope="without", steps=["grant"],
                 kinds=list(Group))
    assert answer.status_code == 303
    page = browser.get("/delegations?lang=en").text
    assert "made by 官员 administrator" in page and "But not: Grant" in page


def test_the_desk_of_the_principal_is_on_the_rail_and_marked(client_of, case_in, stand_in):  # noqa: F811
    case = case_in("submitted")
    browser = client_of(Role.INSPECTOR)
    assert case.public_id not in browser.get(address(Role.INSPECTOR)).text
    key = stand_in("window.officer", "inspector")
    page = browser.get(address(Role.INSPECTOR) + "?lang=en").text
    lent = f"{address(Role.WINDOW_OFFICER)}?stead={key}"
    assert lent in page and "Window officer · for 官员 window_officer" in page
    desk = browser.get(f"{lent}&lang=en").text
    assert f"/cases/{case.public_id}?stead={key}" in desk and "You act for 官员 window_officer" in desk
    assert browser.get(address(Role.WINDOW_OFFICER)).status_code == 404  # the own desk it is not


def test_an_act_for_another_is_told_as_such(client_of, case_in, stand_in, accounts):  # noqa: F811
    case, key = case_in("submitted"), stand_in("window.officer", "inspector")
    browser = client_of(Role.INSPECTOR)
    own = browser.get(f"/cases/{case.public_id}?lang=en").text
    assert "For 官员 window_officer you could: " in own and f"/cases/{case.public_id}?stead={key}" in own
    page = browser.get(f"/cases/{case.public_id}/actions/accept?stead={key}&lang=en").text
    assert f'action="/cases/{case.public_id}/actions/accept?stead={key}"' in page
    answer = take(browser, case, "accept", key)
    assert answer.status_code == 302 and case.state == "accepted"
    both = {accounts[login].person_id for login in ("inspector", "window.officer")}
    assert case.file.case.persons_who("accept") == both
    for who in (Role.LEADER, Role.WINDOW_OFFICER):
        told = client_of(who).get(f"/cases/{case.public_id}/timeline?lang=en").text
        assert "官员 inspector for 官员 window_officer" in told
    assert "accepted the application" in client_of(Role.WINDOW_OFFICER).get("/delegations?lang=en").text


def take(browser: Browser, case: CaseHand, action: str, key: str, **fields: Any) -> Any:
    from uuid import uuid4

    return browser.send(f"/cases/{case.public_id}/actions/{action}?stead={key}", command_id=str(uuid4()),
                        expected_version=str(case.version), **fields)


def test_the_board_names_both(client_of, case_in, stand_in):  # noqa: F811
    case, key = case_in("awaiting_sign_off"), stand_in("department.officer", "inspector")
    answer = take(client_of(Role.INSPECTOR), case, "sign_off", key, verdict="agree", opinion="无意见")
    assert answer.status_code == 302
    page = client_of(Role.LEADER).get(f"/cases/{case.public_id}/departments?lang=en").text
    assert "官员 inspector for 官员 department_officer" in page


def test_what_was_not_delegated_is_not_offered_and_not_done(client_of, case_in, stand_in):  # noqa: F811
    case = case_in("awaiting_decision")
    key = stand_in("leader", "inspector", verbs=frozenset({Group.REVIEW}))
    browser = client_of(Role.INSPECTOR)
    page = browser.get(f"/cases/{case.public_id}?stead={key}").text
    assert "/actions/grant" not in page and "/actions/ask_departments_again" in page
    assert browser.get(f"/cases/{case.public_id}/actions/grant?stead={key}").status_code == 403
    assert take(browser, case, "grant", key, grounds="符合", sure="y", password=PASSWORD).status_code == 403


def test_a_revoked_delegation_opens_nothing_from_the_next_request_on(client_of, case_in, stand_in):  # noqa: F811
    case, key = case_in("submitted"), stand_in("window.officer", "inspector")
    browser = client_of(Role.INSPECTOR)
    assert browser.get(f"/cases/{case.public_id}?stead={key}").status_code == 200
    assert client_of(Role.WINDOW_OFFICER).send(f"/delegations/{key}/revoke").status_code == 303
    assert browser.get(f"/cases/{case.public_id}?stead={key}").status_code == 403
    assert take(browser, case, "accept", key).status_code == 403 and case.state == "submitted"


@pytest.mark.parametrize("key", ["made-up", "x" * 500, "'"])
def test_a_made_up_delegation_opens_nothing(client_of, case_in, key):  # noqa: F811
    assert client_of(Role.INSPECTOR).get(f"/cases/{case_in('submitted').public_id}", query_string={"stead": key}
                                         ).status_code == 403


def test_the_delegation_of_somebody_else_opens_nothing(client_of, case_in, stand_in):  # noqa: F811
    case, key = case_in("submitted"), stand_in("window.officer", "inspector")
    assert client_of(Role.ISSUING_CLERK).get(f"/cases/{case.public_id}?stead={key}").status_code == 403


def test_the_day_after_it_is_over(client_of, stand_in, clock: MovableClock):
    key = stand_in("window.officer", "inspector")
    clock.move_to(SUNDAY, hour=23)
    assert client_of(Role.INSPECTOR).get(f"{address(Role.WINDOW_OFFICER)}?stead={key}").status_code == 200
    clock.move_to(SUNDAY + timedelta(days=1), hour=0)
    assert client_of(Role.INSPECTOR).get(f"{address(Role.WINDOW_OFFICER)}?stead={key}").status_code == 403


def test_a_desk_in_the_place_of_another_asks_little_of_the_database(house, client_of, case_in, stand_in):  # noqa: F811
    for _ in range(3):
        case_in("submitted")
    key = stand_in("window.officer", "inspector", procedure="cma")
    browser = client_of(Role.INSPECTOR)
    browser.get(address(Role.INSPECTOR))
    with counted(house.database) as statements:
        page = browser.get(f"{address(Role.WINDOW_OFFICER)}?stead={key}")
    assert page.text.count("/cases/") >= 3 and len(statements) <= 18, statements


def test_a_link_leads_whoever_stands_in_to_the_case_in_that_place(client_of, case_in, stand_in):  # noqa: F811
    case = case_in("awaiting_sign_off")
    browser = client_of(Role.REVIEWER)
    assert browser.get(f"/cases/{case.public_id}").status_code == 404
    key = stand_in("department.officer", "reviewer")
    answer = browser.get(f"/cases/{case.public_id}")
    assert answer.status_code == 302 and answer.headers["Location"].endswith(f"/cases/{case.public_id}?stead={key}")
