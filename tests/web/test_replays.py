"""What if, through the application: asked for, worked off, read, searched, stopped; administrators only."""

import re
from typing import Any

import pytest

import app as root
from store.procedure_versions import ProcedureVersions
from tests.web.test_desks import case_in  # noqa: F401  # a fixture
from workflow import procedures
from workflow.vocabulary import Role

pytestmark = pytest.mark.usefixtures("shelf")


@pytest.fixture
def administrator(client_of: Any) -> Any:
    return client_of(Role.ADMINISTRATOR)


def newest() -> int:
    return procedures.current("cma").version


def address(version: int) -> str:
    return f"/procedures/cma/{version}/replays"


def draft(browser: Any, house: Any) -> int:
    """A draft in which nothing is accepted any more under that name."""
    answer = browser.send(f"/procedures/cma/{newest()}/draft")
    number = int(answer.location.split("/")[-2])
    text = ProcedureVersions(house.database, house.laws).get("cma", number).definition
    text = text.replace("  accept:", "  take_in:").replace("[accept,", "[take_in,").replace("[accept]", "[take_in]")
    assert browser.send(f"/procedures/cma/{number}/edit", definition=text, edition="1").status_code == 303
    return number


def replayed(browser: Any, house: Any, version: int, **fields: str) -> str:
    answer = browser.send(address(version), since="", **fields)
    assert answer.status_code == 303, answer.text
    waiting = browser.get(answer.location + "?lang=en").text
    assert 'hx-trigger="every 2s"' in waiting and "0 of" in waiting
    assert root.work_off(house) == []
    return str(answer.location)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_version_in_force_differs_in_nothing(administrator, house, case_in, language):  # noqa: F811
    for state in ("closed", "not_accepted"):
        case_in(state)
    link = f'href="{address(newest())}"'
    assert link in administrator.get(f"/procedures/cma/{newest()}").text, "the button leads here"
    empty = administrator.get(f"{address(newest())}?lang={language}").text
    assert ("No past cases have been replayed" if language == "en" else "尚未") in empty
    page = administrator.get(replayed(administrator, house, newest()) + f"?lang={language}").text
    assert ("No difference at all" if language == "en" else "毫无差异") in page
    assert "hx-trigger" not in page and "→" not in page and "±0" in page
    assert not re.search(r"%\(\w+\)", page)


def test_a_draft_tells_where_each_case_first_differs_and_is_searched(administrator, house, case_in):  # noqa: F811
    numbers = [case_in("closed").file.number for _ in range(2)]
    case_in("not_accepted")
    place = replayed(administrator, house, draft(administrator, house))
    page = administrator.get(place + "?lang=en").text
    assert "2 cases would have gone otherwise" in page and all(n in page for n in numbers)
    assert "There is no “Accept” any more." in page and re.search(r"act \d+ of the record", page)
    assert "does not end" in page
    one = administrator.get(f"{place}?lang=en&verdict=stuck&search={numbers[1]}").text
    assert numbers[1] in one and numbers[0] not in one
    assert "No case fits" in administrator.get(f"{place}?lang=en&search=nowhere").text
    same = administrator.get(f"{place}?lang=en&verdict=same").text
    assert numbers[0] not in same and "aria-current" in same


def test_a_draft_that_is_not_sound_is_not_replayed(administrator, house, case_in):  # noqa: F811
    case_in("closed")
    number = draft(administrator, house)
    administrator.send(f"/procedures/cma/{number}/edit", definition="name: [half", edition="2")
    answer = administrator.send(address(number) + "?lang=en", since="")
    assert answer.status_code == 409 and "not a sound definition" in answer.text
    assert "<form class=\"wj-inline\"" not in administrator.get(address(number)).text


@pytest.mark.parametrize(("since", "status", "words"), [
    ("31-31-31", 422, "not a date"), ("2099-01-01", 409, "No case of this procedure was closed")])
def test_a_wrong_day_is_told_beside_its_field_and_kept(administrator, case_in, since, status, words):  # noqa: F811
    case_in("closed")
    answer = administrator.send(address(newest()) + "?lang=en", since=since)
    assert answer.status_code == status and words in answer.text
    assert f'value="{since}"' in answer.text and 'aria-invalid="true"' in answer.text


def test_a_running_replay_is_stopped_and_says_so(administrator, house, case_in):  # noqa: F811
    case_in("closed")
    place = administrator.send(address(newest()), since="").location
    assert administrator.send(f"{place}/stop").status_code == 303
    page = administrator.get(f"{place}?lang=en").text
    assert "Stopped" in page and "0 of 1 cases replayed" in page and "hx-trigger" not in page
    assert administrator.send(f"{place}/stop").status_code == 409
    assert root.work_off(house) == [], "the job finds nothing to do and ends well"


def test_the_result_outlives_the_draft(administrator, house, case_in):  # noqa: F811
    case_in("closed")
    number = draft(administrator, house)
    place = replayed(administrator, house, number)
    assert administrator.send(f"/procedures/cma/{number}/discard", edition="2", reason="x").status_code == 303
    assert "thrown away since" in administrator.get(f"{place}?lang=en").text


def test_nobody_else_comes_in_and_a_wrong_address_leads_nowhere(administrator, client_of, house, case_in):  # noqa: F811
    case_in("closed")
    place = replayed(administrator, house, newest())
    for who in ("leader", "window.officer", "applicant"):
        browser = client_of(who)
        for path in (address(newest()), place):
            assert browser.get(path).status_code == 403
        assert browser.send(address(newest()), since="").status_code == 403
    for path in (address(9998), place.replace(f"/cma/{newest()}/", "/cma/1/"), place + "x"):
        assert administrator.get(path).status_code == 404, path
