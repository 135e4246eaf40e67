"""Desks through the application: one per role, what waits, pages, filters, and what a desk costs."""
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from store.people import Account
from tests.store import factories
from tests.store.factories import CaseHand
from tests.store.statements import counted, counts_without_end
from tests.store.test_queues import TODAY, lay_out_tasks
from web.context import House
from workflow.vocabulary import Role

STAFF = [role for role in Role if role not in (Role.APPLICANT, Role.SYSTEM)]


def address(role: Role) -> str:
    return f"/desk/{role.value.replace('_', '-')}"


@pytest.fixture
def case_in(house: House, accounts: dict[str, Account]) -> Callable[..., CaseHand]:
    def make(state: str, **options: Any) -> CaseHand:
        options.setdefault("departments", ["ecology", "health"])
        return factories.cma_case(house.cases, state, agency_id=accounts["applicant"].agency_id, **options)
    return make


@pytest.mark.parametrize("role", STAFF)
def test_everybody_has_the_desk_of_their_role_and_no_other(client_of, role):
    browser = client_of(role)
    assert browser.get("/desk").headers["Location"].endswith(address(role))
    for other in STAFF:
        known = {role, Role.REVIEWER} if role is Role.TEAM_LEADER else {role}
        assert browser.get(address(other)).status_code == (200 if other in known else 404), other


def test_a_desk_shows_what_waits_and_when_it_is_due(case_in, client_of):
    case = case_in("submitted")
    page = client_of(Role.WINDOW_OFFICER).get(address(Role.WINDOW_OFFICER)).text
    assert f"/cases/{case.public_id}" in page
    assert "示例检测有限公司" in page and "还剩 5 个工作日" in page and "2026-03-09" in page


def test_an_empty_desk_says_what_will_come(client_of):
    assert "目前没有待办" in client_of(Role.LEADER).get(address(Role.LEADER)).text or \
        "Nothing waits" in client_of(Role.LEADER).get(address(Role.LEADER) + "?lang=en").text


def test_a_finished_task_leaves_the_desk_and_stands_under_done(house, case_in, client_of, accounts):
    case = case_in("submitted")
    case.take("accept", by=accounts["window.officer"].actor())
    page = client_of(Role.WINDOW_OFFICER).get(address(Role.WINDOW_OFFICER) + "?lang=en").text
    waiting, _, done = page.partition("Done by you lately")
    assert case.public_id not in waiting and case.public_id in done
    assert "accepted the application" in done


def test_the_pages_of_a_desk_follow_one_another(house, client_of):
    lay_out_tasks(house.database, 60)
    browser = client_of(Role.WINDOW_OFFICER)
    first = browser.get(address(Role.WINDOW_OFFICER)).text
    assert first.count('data-label="案件编号"') == 50
    _, _, rest = first.partition("?after=")
    key = rest.partition('"')[0]
    assert browser.get(f"{address(Role.WINDOW_OFFICER)}?after={key}").text.count('data-label="案件编号"') == 10


def test_a_damaged_page_key_is_a_message_and_not_a_fault(client_of):
    for key in ("x", "2026-03-02.99999999999999999999", "'; --", "2026-03-02.-5"):
        assert client_of(Role.LEADER).get(address(Role.LEADER), query_string={"after": key}).status_code == 422


def test_a_search_keeps_its_words_and_offers_the_way_back(house, client_of):
    lay_out_tasks(house.database, 3)
    page = client_of(Role.WINDOW_OFFICER).get(address(Role.WINDOW_OFFICER) + "?search=<b>无此机构").text
    assert "&lt;b&gt;无此机构" in page and "<b>无此机构" not in page
    assert f'href="{address(Role.WINDOW_OFFICER)}"' in page


def test_overdue_work_is_told_in_words(house, client_of):
    lay_out_tasks(house.database, 7, first_due=TODAY - timedelta(days=3))
    page = client_of(Role.WINDOW_OFFICER).get(address(Role.WINDOW_OFFICER) + "?lang=en").text
    assert "7 are overdue." in page


def test_the_administrator_sees_numbers_and_no_case(house, case_in, client_of):
    case = case_in("submitted")
    browser = client_of(Role.ADMINISTRATOR)
    page = browser.get(address(Role.ADMINISTRATOR)).text
    assert "待受理" in page and "示例检测有限公司" not in page
    assert browser.get(f"/cases/{case.public_id}").status_code == 404


@pytest.mark.parametrize("role", STAFF)
def test_every_desk_asks_little_of_the_database(house, client_of, role):
    browser = client_of(role)
    browser.get(address(role))
    with counted(house.database) as statements:
        assert browser.get(address(role)).status_code == 200
    assert len(statements) <= 10, (role, statements)
    assert [s for s in statements if counts_without_end(s)] == [], role


@pytest.mark.parametrize("tasks", [10, 1000])
def test_a_desk_asks_little_of_the_database_whatever_waits(house, client_of, tasks):
    lay_out_tasks(house.database, tasks)
    browser = client_of(Role.WINDOW_OFFICER)
    for query in ("", "?search=示例", "?overdue=1", "?track=general"):
        browser.get(address(Role.WINDOW_OFFICER) + query)
        with counted(house.database) as statements:
            assert browser.get(address(Role.WINDOW_OFFICER) + query).status_code == 200
        assert len(statements) <= 10, (query, statements)
