"""Time limits on screen: extended by the leader, explained to everybody, escalated into a queue, said to the public."""

from datetime import date
from typing import Any

from sqlalchemy import insert, update

from store.limits import Limits
from store.records.certificates import CertificateRecord
from store.records.columns import table_of
from tests.web.browsers import PASSWORD
from tests.web.test_cases import act, case_in  # noqa: F401, a fixture asked for by name
from workflow.vocabulary import Role

REASON = "须向外地调查取证"


def test_the_leader_extends_on_the_page_and_everybody_reads_why(case_in, client_of):  # noqa: F811
    case, leader = case_in("awaiting_decision"), client_of(Role.LEADER)
    unreasoned = act(leader, case, "extend_decision", sure="y", password=PASSWORD)
    assert unreasoned.status_code == 422
    assert act(leader, case, "extend_decision", grounds=REASON, sure="y", password="wrong").status_code == 422
    done = act(leader, case, "extend_decision", grounds=REASON, sure="y", password=PASSWORD)
    assert done.status_code == 302
    for browser, address in (
        (leader, f"/cases/{case.public_id}/limits?lang=en"),
        (client_of("applicant"), f"/applications/{case.public_id}?lang=en"),
    ):
        page = browser.get(address).text
        assert "Extended by 10 working days" in page and REASON in page and "by the extension" in page
        assert "《行政许可法》第四十二条第一款" in page
    again = leader.get(f"/cases/{case.public_id}?lang=en").text
    assert "already extended; that is possible only once" in again


def test_a_restarted_limit_says_from_when_it_first_ran(case_in, client_of, clock):  # noqa: F811
    case = case_in("correction_requested")
    page = client_of(Role.WINDOW_OFFICER).get(f"/cases/{case.public_id}/limits?lang=en").text
    assert "Rests since 2026-03-02: the applicant is correcting" in page
    assert "《行政许可法》第三十二条第一款第四项" in page
    clock.move_to(date(2026, 3, 5))
    case.learn(corrections_open=0)
    case.walk(("resubmit",))
    page = client_of(Role.WINDOW_OFFICER).get(f"/cases/{case.public_id}/limits?lang=en").text
    assert "Started anew on 2026-03-05; first started on 2026-03-02" in page
    assert "3 calendar days since it was filed" in page


def test_an_overdue_case_lies_with_the_leader_and_its_history_says_so(case_in, client_of, house, clock):  # noqa: F811
    case, leader = case_in("granted"), client_of(Role.LEADER)
    assert case.public_id not in leader.get("/desk/leader").text
    clock.move_to(date(2026, 3, 12))
    assert Limits(house.database, house.laws).sound_alarms() == 1
    leader = client_of(Role.LEADER)
    assert case.public_id in leader.get("/desk/leader").text
    history = leader.get(f"/cases/{case.public_id}/timeline?lang=en").text
    assert "escalated: a time limit is over" in history and "Certificate 2026-03-11" in history


def certificate(house: Any, agency_id: int) -> str:
    with house.database.writing() as connection:
        connection.execute(insert(table_of(CertificateRecord)), {
            "public_id": "p" * 22, "number": "210013061568", "agency_id": agency_id, "agency_name": "示例检测有限公司",
            "agency_address": "示例路1号", "authority_code": "21", "authority_name": "示例局", "status": "valid",
            "issued_on": date(2020, 9, 1), "valid_from": date(2020, 9, 1), "valid_to": date(2026, 8, 31),
            "annex_version": 1, "verify_code": "v" * 22, "imported": True,
        })  # fmt: skip
    return "210013061568"


def test_the_public_reads_that_a_certificate_is_deemed_renewed(
    case_in, client_of, client, house, clock, accounts  # noqa: F811
):
    number = certificate(house, accounts["applicant"].agency_id)
    case = case_in("under_review", types=("renewal",), certificate_held=number, certificate_expires_on="2026-08-31")
    clock.move_to(date(2026, 9, 1))
    assert "Genuine, but expired" in client.get(f"/v/{'v' * 22}?lang=en").text
    assert house.cases.lapse() >= 1
    page = client.get(f"/v/{'v' * 22}?lang=en").text
    assert "genuine and deemed renewed" in page and "《行政许可法》第五十条第二款" in page
    assert "视为准予延续" in client.get(f"/v/{'v' * 22}?lang=zh").text
    leader = client_of(Role.LEADER).get(f"/cases/{case.public_id}/limits?lang=en").text
    assert "the law acted: Deemed renewed" in leader
    with house.database.writing() as connection:  # an act upon it weighs more
        connection.execute(update(table_of(CertificateRecord)).values(status="annulled"))
    assert "Not in force: annulled" in client.get(f"/v/{'v' * 22}?lang=en").text
