"""An administrator publishes a calendar year after seeing what it would do; the same file by the command line."""

import html
import io
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import configuration
from store.calendars import Calendars, read_year, year_text
from store.limits import Limits
from tests.web.command_line import wujian
from tests.web.conftest import SECRET
from workflow.vocabulary import Refusal, Role

OURS = """
year: 2027
confirmed: true
source: 国办发明电〔2026〕0号（虚构）
off:
  - {date: 2027-01-01, name: 元旦}
  - {date: 2027-02-06, name: 春节}
make_up:
  - {date: 2027-01-02, name: 调休上班}
"""
TABLE = json.dumps({
    "year": 2027, "papers": ["https://www.example.gov.cn/notice"],
    "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": True},
             {"name": "元旦", "date": "2027-01-02", "isOffDay": False},
             {"name": "元旦", "date": "2026-12-31", "isOffDay": True}],
})  # fmt: skip


def sent(browser: Any, text: str, address: str = "/calendars/preview?lang=en") -> Any:
    return browser.send(address, file=(io.BytesIO(text.encode()), "CN-2027.yaml"))


def hidden(page: str) -> str:
    found = re.search(r'name="content"[^>]*value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found.group(1))


def test_a_year_is_previewed_published_and_shown(house: Any, client_of: Any) -> None:
    browser = client_of(Role.ADMINISTRATOR)
    assert "Provisional" in browser.get("/calendars/2027?lang=en").text
    preview = sent(browser, OURS)
    assert preview.status_code == 200
    assert "Nothing has happened yet" in preview.text and "国办发明电〔2026〕0号（虚构）" in preview.text
    assert not house.laws.current().calendar.confirmed(2027)
    form = {"content": hidden(preview.text)}
    unsure = browser.send("/calendars/publish?lang=en", **form)
    assert unsure.status_code == 422 and "Tick this box" in unsure.text
    assert not house.laws.current().calendar.confirmed(2027)
    assert browser.send("/calendars/publish", **form, sure="y").status_code == 303
    page = browser.get("/calendars/2027?lang=en").text
    assert "国办发明电〔2026〕0号（虚构）" in page and "not published yet" not in page
    calendar = house.laws.current().calendar
    assert calendar.confirmed(2027) and calendar.is_working(date(2027, 1, 2))
    assert browser.send("/calendars/publish", **form, sure="y").status_code == 303  # once more changes nothing


def test_both_shapes_of_file_are_understood_and_come_back_the_same() -> None:
    for text in (OURS, TABLE):
        year = read_year(text)
        assert (year.year, year.confirmed) == (2027, True)
        assert list(year.off)[0] == date(2027, 1, 1) and list(year.make_up) == [date(2027, 1, 2)]
        assert read_year(year_text(year)) == year


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no calendar file"),
        ("[1, 2]", "no calendar file"),
        ("a: [", "no calendar file"),
        ("year: 2027", "cannot be used"),
        ("year: 1027\nconfirmed: true", "cannot be used"),
        ("year: 2027\nconfirmed: true\noff: [{date: 2027-02-30}]", "day is out of range"),
        ("year: 2027\nconfirmed: true\nmake_up: [{date: 2027-01-01}]", "cannot be used"),
        ('{"year": 2027, "days": [3]}', "cannot be used"),
        ("x" * 200_001, "too large"),
        ("!!python/object/apply:os.system ['true']", "no calendar file"),
    ],
)
def test_a_file_that_is_no_calendar_is_refused_with_the_reason(text: str, said: str, client_of: Any) -> None:
    with pytest.raises(Refusal) as refused:
        read_year(text)
    assert said in str(refused.value.reason)
    answer = sent(client_of(Role.ADMINISTRATOR), text)
    assert answer.status_code == 422 and said in answer.text


@pytest.mark.parametrize(
    "change", [("confirmed: true", "confirmed: false"), ("source: 国办发明电〔2026〕0号（虚构）", "")]
)
def test_nothing_unconfirmed_is_published(change: tuple[str, str], house: Any, client_of: Any) -> None:
    browser = client_of(Role.ADMINISTRATOR)
    text = OURS.replace(*change)
    assert "not a publication" in sent(browser, text).text
    answer = browser.send("/calendars/publish", content=year_text(read_year(text)), sure="y")
    assert answer.status_code == 409
    assert not house.laws.current().calendar.confirmed(2027)


def test_nobody_else_sees_or_publishes_calendars(client_of: Any) -> None:
    for role in (Role.LEADER, Role.APPLICANT):
        browser = client_of(role)
        assert browser.get("/calendars").status_code == 403
        assert browser.send("/calendars/publish", content=OURS, sure="y").status_code == 403


def test_a_preview_of_a_known_year_has_nothing_to_publish(house: Any, client_of: Any) -> None:
    known = Calendars(house.database, house.laws).get(2026)
    page = sent(client_of(Role.ADMINISTRATOR), year_text(known.year)).text
    assert "this very year already" in page and 'name="sure"' not in page


def test_a_published_year_reaches_open_cases(house: Any, client_of: Any) -> None:
    assert Limits(house.database, house.laws).recount() == 0
    browser = client_of(Role.ADMINISTRATOR)
    browser.send("/calendars/publish", content=year_text(read_year(OURS)), sure="y")
    Limits(house.database, house.laws).recount()
    assert Limits(house.database, house.laws).recount() == 0


def test_the_command_line_publishes_the_same_file_and_may_be_repeated(
    settings: configuration.Settings, tmp_path: Path
) -> None:
    file = tmp_path / "CN-2027.yaml"
    file.write_text(OURS, encoding="utf-8")
    place = {"var": settings.var, "database_url": settings.database_url, "secret_key": SECRET}
    dry = wujian("calendar", "import", file, "--dry-run", cwd=tmp_path, **place)
    assert dry.returncode == 0 and "days change" in dry.stdout and "published" not in dry.stdout
    first = wujian("calendar", "import", file, cwd=tmp_path, **place)
    assert first.returncode == 0 and "2027 is published." in first.stdout
    again = wujian("calendar", "import", file, cwd=tmp_path, **place)
    assert "was published before" in again.stdout and "0 days change" in again.stdout
    listed = wujian("calendar", "list", cwd=tmp_path, **place).stdout
    assert "2027\tpublished\t国办发明电〔2026〕0号（虚构）" in listed
    file.write_text("year: 2027", encoding="utf-8")
    refused = wujian("calendar", "import", file, cwd=tmp_path, **place)
    assert refused.returncode == 1 and "cannot be used" in refused.stderr
