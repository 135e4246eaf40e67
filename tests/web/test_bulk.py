"""One act on many cases: looked at, confirmed, told one by one; nothing twice, nothing lost, bounded."""
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from store.bulk import AT_ONCE
from store.delegations import DelegationStore
from tests.store.factories import CaseHand
from tests.store.statements import counted
from tests.store.test_queues import TODAY
from tests.web.browsers import PASSWORD, Browser
from tests.web.pageforms import forms_of
from tests.web.test_desks import address, case_in  # noqa: F401  # a fixture
from workflow.delegation import Group
from workflow.verb_commands import Comment
from workflow.vocabulary import Role

TICK = re.compile(r'<input[^>]*type="checkbox"[^>]*name="case"[^>]*value="([^"]+)"[^>]*>')


def together(role: Role) -> str:
    return f"{address(role)}/together"


def look(browser: Browser, role: Role, cases: Sequence[CaseHand], action: str = "", **more: str) -> TestResponse:
    query = {"case": [c.public_id for c in cases], "lang": "en", **more, **({"action": action} if action else {})}
    return browser.get(together(role), query_string=query)


def send(browser: Browser, role: Role, cases: Sequence[CaseHand], action: str, *, seen: Sequence[int] = (),
         **fields: Any) -> TestResponse:
    keys = [f"{c.public_id}:{v}" for c, v in zip(cases, seen or [c.version for c in cases], strict=True)]
    return browser.send(f"{together(role)}/{action}?lang=en",
                        **{"case": keys, "command_id": str(uuid4()), "expected_version": "", **fields})


def test_a_desk_lets_lines_be_ticked(client_of, case_in):  # noqa: F811
    case = case_in("submitted")
    page = client_of(Role.WINDOW_OFFICER).get(address(Role.WINDOW_OFFICER)).text
    assert TICK.findall(page) == [case.public_id] and f'action="{together(Role.WINDOW_OFFICER)}"' in page


def test_what_is_offered_is_shown_with_how_many_pass(client_of, case_in):  # noqa: F811
    cases = [case_in("submitted"), case_in("submitted"), case_in("submitted", track="commitment")]
    page = look(client_of(Role.WINDOW_OFFICER), Role.WINDOW_OFFICER, cases).text
    assert re.search(r"action=accept\b.*?2 of 3", page, re.S) and re.search(r"action=pass_formal_check.*?1 of 3", page,
                                                                            re.S)
    assert "action=request_correction" not in page  # its words differ from case to case


def test_looking_says_what_is_skipped_and_why_and_changes_nothing(client_of, case_in, accounts):  # noqa: F811
    cases = [case_in("submitted"), case_in("submitted")]
    cases[1].take("accept", by=accounts["window.officer"].actor())
    before = [c.version for c in cases]
    page = look(client_of(Role.WINDOW_OFFICER), Role.WINDOW_OFFICER, cases, "accept").text
    assert "1 pass, 1 are skipped" in page and "the case has moved on" in page
    assert TICK.findall(page) == [f"{cases[0].public_id}:{before[0]}"]
    assert [c.version for c in cases] == before


def test_each_case_has_its_own_result(client_of, case_in, accounts):  # noqa: F811
    cases = [case_in("submitted") for _ in range(3)]
    seen = [c.version for c in cases]
    cases[1].take("request_correction", by=accounts["window.officer"].actor())
    page = send(client_of(Role.WINDOW_OFFICER), Role.WINDOW_OFFICER, cases, "accept", seen=seen)
    assert page.status_code == 200 and "2 done, 1 skipped, 0 left" in page.text
    assert "Meanwhile 官员 window_officer changed this case" in page.text
    assert [c.state for c in cases] == ["accepted", "correction_requested", "accepted"]


def test_the_same_send_twice_does_nothing_twice(client_of, case_in):  # noqa: F811
    cases, browser, act = [case_in("submitted") for _ in range(2)], client_of(Role.WINDOW_OFFICER), str(uuid4())
    seen = [c.version for c in cases]
    answers = [send(browser, Role.WINDOW_OFFICER, cases, "accept", seen=seen, command_id=act) for _ in range(2)]
    assert all("2 done, 0 skipped" in a.text for a in answers)
    assert [c.version for c in cases] == [v + 1 for v in seen]


def test_only_what_is_ticked_is_done(client_of, case_in):  # noqa: F811
    cases = [case_in("submitted") for _ in range(2)]
    send(client_of(Role.WINDOW_OFFICER), Role.WINDOW_OFFICER, cases[:1], "accept", skipped=[cases[1].public_id])
    assert [c.state for c in cases] == ["accepted", "submitted"]


def test_a_decision_asks_for_the_password_once_for_all(client_of, case_in):  # noqa: F811
    cases, browser = [case_in("awaiting_decision") for _ in range(2)], client_of(Role.LEADER)
    usual = {"grounds": "符合法定条件，准予许可", "sure": "y"}
    for password, words in (("", "Confirm your password"), ("wrong", "This is not your password")):
        answer = send(browser, Role.LEADER, cases, "grant", password=password, **usual)
        assert answer.status_code == 422 and words in answer.text and usual["grounds"] in answer.text
        assert {c.state for c in cases} == {"awaiting_decision"}
    answer = send(browser, Role.LEADER, cases, "grant", password=PASSWORD, **usual)
    assert "2 done" in answer.text and {c.state for c in cases} == {"granted"}


@pytest.mark.parametrize(("fields", "words"), [
    ({"grounds": ""}, "Please fill this in"), ({"sure": ""}, "Tick this box"), ({"case": []}, "Tick at least one case"),
    ({"command_id": "none"}, "form is damaged"),
])
def test_what_was_typed_stays_when_something_is_missing(client_of, case_in, fields, words):  # noqa: F811
    case = case_in("awaiting_decision")
    sent = {"grounds": "已核实全部材料", "sure": "y", "note": "第三批", "password": PASSWORD, **fields}
    answer = send(client_of(Role.LEADER), Role.LEADER, [case], "grant", skipped=[case.public_id], **sent)
    assert answer.status_code == 422 and words in answer.text and "第三批" in answer.text
    assert sent["grounds"] in answer.text and case.state == "awaiting_decision"


def test_when_all_have_changed_it_is_a_conflict_and_the_words_are_there_at_the_next_look(
    client_of, case_in, accounts,  # noqa: F811
):
    cases, browser = [case_in("submitted") for _ in range(2)], client_of(Role.WINDOW_OFFICER)
    seen = [case.version for case in cases]
    for case in cases:
        case.take("comment_by_officer", Comment(text="补充说明"), by=accounts["inspector"].actor())
    answer = send(browser, Role.WINDOW_OFFICER, cases, "accept", seen=seen, note="材料齐全")
    assert answer.status_code == 409 and "0 done, 2 skipped" in answer.text
    assert "Meanwhile 官员 inspector changed this case" in answer.text
    place = f"{together(Role.WINDOW_OFFICER)}/accept/again"
    form = next(f for f in forms_of(answer.text) if f.action.partition("?")[0] == place)
    page = browser.send(form.action, **form.filled.to_dict(flat=False))
    assert page.status_code == 200 and "材料齐全" in page.text
    form = next(f for f in forms_of(page.text) if f.action.partition("?")[0].endswith("/accept"))
    assert form.filled.getlist("case") == [f"{case.public_id}:{case.version}" for case in cases]
    answer = browser.send(form.action, **form.filled.to_dict(flat=False))
    assert answer.status_code == 200 and {case.state for case in cases} == {"accepted"}
    entry = cases[0].cases.timeline(cases[0].public_id, accounts["leader"].actor())[0]
    assert entry.payload["note"] == "材料齐全"


def test_departments_answer_for_many_cases_at_once(client_of, case_in):  # noqa: F811
    cases = [case_in("awaiting_sign_off") for _ in range(2)]
    answer = send(client_of(Role.DEPARTMENT_OFFICER), Role.DEPARTMENT_OFFICER, cases, "sign_off", verdict="agree")
    assert "2 done" in answer.text
    assert all("ecology" in c.file.case.answered() for c in cases)


def test_what_does_not_fit_into_one_request_is_left_and_goes_on(client_of, case_in, monkeypatch):  # noqa: F811
    monkeypatch.setattr("web.bulk.BUDGET", -1.0)
    cases, browser = [case_in("submitted") for _ in range(3)], client_of(Role.WINDOW_OFFICER)
    act, seen = str(uuid4()), [c.version for c in cases]
    page = send(browser, Role.WINDOW_OFFICER, cases, "accept", seen=seen, command_id=act, note="齐全").text
    assert "1 done, 0 skipped, 2 left" in page and 'value="齐全"' in page and f'value="{act}"' in page
    monkeypatch.setattr("web.bulk.BUDGET", 60.0)
    page = send(browser, Role.WINDOW_OFFICER, cases[1:], "accept", seen=seen[1:], command_id=act, note="齐全").text
    assert "2 done" in page and {c.state for c in cases} == {"accepted"}


def test_more_than_a_page_is_not_taken(client_of, case_in):  # noqa: F811
    case, browser = case_in("submitted"), client_of(Role.WINDOW_OFFICER)
    answer = browser.send(f"{together(Role.WINDOW_OFFICER)}/accept", command_id=str(uuid4()), expected_version="",
                          case=[*(f"made-up-{n}:1" for n in range(AT_ONCE)), f"{case.public_id}:{case.version}"],
                          skipped=[case.public_id])
    assert case.state == "submitted" and answer.status_code in (404, 409)


@pytest.mark.parametrize("name", ["organise_review", "confirm_rows", "no_such", "join_sign_offs"])
def test_what_is_not_for_many_is_not_there(client_of, case_in, name):  # noqa: F811
    case = case_in("accepted" if name == "organise_review" else "under_review")
    role = Role.REVIEW_ORGANISER
    assert look(client_of(role), role, [case], name).status_code in (403, 404) or name == "join_sign_offs"
    before = case.version
    assert send(client_of(role), role, [case], name).status_code in (404, 409) and case.version == before


def test_nobody_sees_or_takes_the_cases_of_others_this_way(client_of, case_in):  # noqa: F811
    case = case_in("awaiting_sign_off", departments=["water", "health"])
    browser = client_of(Role.DEPARTMENT_OFFICER)
    assert f"/cases/{case.public_id}" not in look(browser, Role.DEPARTMENT_OFFICER, [case]).text
    assert look(browser, Role.LEADER, [case]).status_code == 404  # no desk of theirs
    assert send(browser, Role.DEPARTMENT_OFFICER, [case], "sign_off", verdict="agree").status_code == 404
    assert client_of(Role.APPLICANT).get(together(Role.APPLICANT)).status_code == 403


def test_in_the_place_of_another_too(client_of, case_in, house, accounts):  # noqa: F811
    cases = [case_in("submitted") for _ in range(2)]
    window, inspector = accounts["window.officer"], accounts["inspector"]
    key = DelegationStore(house.database).make(
        window.actor(), principal_id=window.id, delegate_id=inspector.id, from_on=TODAY,
        until_on=TODAY + timedelta(days=1), verbs={Group.REVIEW})
    browser = client_of(Role.INSPECTOR)
    page = look(browser, Role.WINDOW_OFFICER, cases, stead=key).text
    assert "You act for 官员 window_officer" in page and "action=accept" in page
    assert "action=refuse_to_accept" not in page  # not delegated
    answer = browser.send(f"{together(Role.WINDOW_OFFICER)}/accept?stead={key}&lang=en", command_id=str(uuid4()),
                          expected_version="", case=[f"{c.public_id}:{c.version}" for c in cases])
    assert "2 done" in answer.text
    assert all(c.file.case.persons_who("accept") == {window.person_id, inspector.person_id} for c in cases)


def test_looking_costs_the_same_whatever_is_ticked(client_of, case_in, house):  # noqa: F811
    browser, cases = client_of(Role.LEADER), [case_in("awaiting_decision") for _ in range(6)]
    look(browser, Role.LEADER, cases, "grant")
    costs = []
    for some in (cases[:2], cases):
        with counted(house.database) as statements:
            look(browser, Role.LEADER, some, "grant")
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 14, costs


def test_each_case_more_costs_a_bounded_number_of_statements(client_of, case_in, house):  # noqa: F811
    browser, costs = client_of(Role.WINDOW_OFFICER), []
    for count in (1, 2, 5):
        cases = [case_in("submitted") for _ in range(count)]
        with counted(house.database) as statements:
            send(browser, Role.WINDOW_OFFICER, cases, "accept")
        costs.append(len(statements))
    assert (costs[2] - costs[1]) <= 3 * 14, costs
