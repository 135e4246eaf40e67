"""Handing over through the application: the dry run, the confirmation, each result, and who may."""
from datetime import timedelta
from uuid import uuid4

import pytest

from store.delegations import DelegationStore
from tests.store.test_queues import TODAY
from tests.web.browsers import PASSWORD
from tests.web.test_desks import case_in  # noqa: F401  # a fixture
from web.context import House
from workflow.delegation import Group
from workflow.verb_commands import Transfer
from workflow.vocabulary import Role


@pytest.fixture
def successor(house: House) -> int:
    return house.accounts.add_account("next", PASSWORD, name="接任者", roles=[Role.TEAM_LEADER, Role.REVIEWER])


def address(leaver: int, *successors: int) -> str:
    return "/hand-overs?" + "&".join([f"leaver={leaver}", *(f"successors={key}" for key in successors)])


def test_a_dry_run_shows_what_would_move_and_changes_nothing(client_of, case_in, house, successor):  # noqa: F811
    case = case_in("under_review")
    leaver = house.accounts.find("pool.team-leader").id
    browser = client_of(Role.ADMINISTRATOR)
    page = browser.get(address(leaver, successor) + "&lang=en").text
    assert "Leads the review team" in page and f"{case.public_id}:{case.version}" in page and "接任者" in page
    assert "示例检测有限公司" not in page  # an administrator sees no case from inside
    assert case.file.case.fact("team_leader") == "team-leader"
    assert "Choose a successor above." in browser.get(address(leaver) + "&lang=en").text


def test_it_is_carried_out_told_in_the_case_and_then_nothing_is_left(client_of, case_in, house, successor):  # noqa: F811
    case = case_in("under_review")
    leaver = house.accounts.find("pool.team-leader").id
    browser = client_of(Role.ADMINISTRATOR)
    answer = browser.send(address(leaver, successor) + "&lang=en", act=str(uuid4()), reason="调离",
                          case=[f"{case.public_id}:{case.version}"])
    assert answer.status_code == 200 and "to 接任者" in answer.text
    assert case.file.case.fact("team_leader") == house.accounts.get(successor).person_id
    told = client_of(Role.LEADER).get(f"/cases/{case.public_id}/timeline?lang=en").text
    assert "handed over the work of team-leader to 接任者" in told and "调离" in told
    assert "Nothing stands under this name" in browser.get(address(leaver, successor) + "&lang=en").text


@pytest.mark.parametrize(("fields", "words"), [
    ({"reason": ""}, "请写明原因"), ({"act": "no id"}, "表单已损坏"), ({"case": ["x:y"]}, "表单已损坏"),
])
def test_a_refused_hand_over_keeps_what_was_typed(client_of, case_in, house, successor, fields, words):  # noqa: F811
    case = case_in("under_review")
    leaver = house.accounts.find("pool.team-leader").id
    sent = {"act": str(uuid4()), "reason": "因调动离岗", "case": [f"{case.public_id}:{case.version}"], **fields}
    answer = client_of(Role.ADMINISTRATOR).send(address(leaver, successor), **sent)
    assert answer.status_code == 422
    assert sent["reason"] in answer.text and case.file.case.fact("team_leader") == "team-leader"


def test_an_organiser_replaces_a_reviewer(client_of, case_in, house, successor):  # noqa: F811
    case = case_in("under_review")
    leaver = house.accounts.find("pool.team-leader").id
    answer = client_of(Role.REVIEW_ORGANISER).send(
        address(leaver, successor), act=str(uuid4()), reason="生病", case=[f"{case.public_id}:{case.version}"])
    assert answer.status_code == 200
    assert case.file.case.fact("team_leader") == house.accounts.get(successor).person_id


def test_delegations_of_the_leaver_are_shown_and_end(client_of, house, accounts, successor):
    store, leader = DelegationStore(house.database), accounts["leader"]
    store.make(leader.actor(), principal_id=leader.id, delegate_id=successor, from_on=TODAY,
               until_on=TODAY + timedelta(days=3), verbs=Group)
    browser = client_of(Role.ADMINISTRATOR)
    assert "接任者 stands in for 官员 leader" in browser.get(address(leader.id, successor) + "&lang=en").text
    browser.send(address(leader.id, successor), act=str(uuid4()), reason="退休", delegations="y")
    assert [d.state for d in store.every().lines] == ["revoked"]


def test_what_nobody_else_can_do_is_said(client_of, accounts, successor):
    page = client_of(Role.ADMINISTRATOR).get(address(accounts["leader"].id, successor) + "&lang=en").text
    assert "Nobody but 官员 leader holds: Leader" in page


def test_work_that_stands_under_the_name_of_somebody_absent_is_passed_on(client_of, case_in, house):  # noqa: F811
    people = {name: house.accounts.add_account(name, PASSWORD, name=f"领导{name}", roles=[Role.LEADER])
              for name in ("absent", "present")}
    case = case_in("awaiting_decision")
    person = {name: house.accounts.get(key).person_id for name, key in people.items()}
    case.take("transfer_by_leader", Transfer(person=person["absent"], reason="出差"))
    present = client_of("present")
    assert "已转办给领导absent" in present.get(f"/cases/{case.public_id}").text
    administrator = client_of(Role.ADMINISTRATOR)
    assert 'href="/hand-overs"' in administrator.get("/desk/administrator").text
    page = administrator.get(address(people["absent"], people["present"]) + "&lang=en").text
    assert "Work that was transferred" in page
    answer = administrator.send(address(people["absent"], people["present"]) + "&lang=en", act=str(uuid4()),
                                reason="临时离岗", case=[f"{case.public_id}:{case.version}"])
    assert "to 领导present" in answer.text
    assert "/actions/grant" in present.get(f"/cases/{case.public_id}").text
