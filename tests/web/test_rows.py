"""Row-by-row confirmation and the checklist, as a review team does them."""
import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from store.people import Account
from store.records.applications import CapabilityRowRecord
from store.reviews import ReviewStore, RowFilter
from tests.store import factories
from tests.store.factories import SYSTEM, CaseHand
from tests.store.statements import counted
from tests.web.browsers import Browser
from web.context import House
from workflow import commands as c
from workflow.vocabulary import Role


@pytest.fixture
def under_review(house: House, accounts: dict[str, Account]) -> Callable[..., CaseHand]:
    """A case whose team are the accounts team.leader and reviewer."""
    def make(rows: int = 3, **options: Any) -> CaseHand:
        case = factories.cma_case(house.cases, "accepted", rows=rows, agency_id=accounts["applicant"].agency_id,
                                  departments=["ecology"], **options)
        leader, member = accounts["team.leader"].person_id, accounts["reviewer"].person_id
        case.take("organise_review", c.OrganiseReview(
            mode="on_site", leader=leader, members=(leader, member), planned_on=date(2026, 3, 9)))
        return case
    return make


def press(browser: Browser, case: CaseHand, button: str, query: str = "", **fields: Any) -> Any:
    return browser.send(f"/cases/{case.public_id}/rows{query}", **{
        "command_id": str(uuid4()), "expected_version": str(case.version), "press": button, **fields})


def counts(case: CaseHand) -> tuple[int, int, int]:
    """open, confirmed, refused"""
    return tuple(case.file.case.fact(f"rows_{name}") for name in ("open", "confirmed", "refused"))  # type: ignore[return-value]


def rows_of(house: House, case: CaseHand, **wanted: Any) -> Any:
    return ReviewStore(house.database).rows(case.file, RowFilter(**wanted)).lines


def test_except_first_then_accept_everything_else(under_review, client_of, house):
    case, browser = under_review(rows=12), client_of(Role.TEAM_LEADER)
    assert press(browser, case, "refuse", rows=["3", "7"], reason="量程不覆盖").status_code == 302
    assert counts(case) == (10, 0, 2)
    assert press(browser, case, "confirm_every", ways=["site_test", "records"]).status_code == 302
    assert counts(case) == (0, 10, 2)
    refused = rows_of(house, case, standing="refused")
    assert [(row.ordinal, row.reason, row.person) for row in refused] == [
        (3, "量程不覆盖", "官员 team_leader"), (7, "量程不覆盖", "官员 team_leader")]
    assert {row.ways for row in rows_of(house, case, standing="confirmed")} == {("site_test", "records")}


def test_an_answer_may_be_changed_while_the_review_lasts(under_review, client_of):
    case, browser = under_review(), client_of(Role.REVIEWER)
    press(browser, case, "confirm", rows=["1"], ways=["site_test"])
    press(browser, case, "refuse", rows=["1"], reason="复核后不予确认")
    assert counts(case) == (2, 0, 1)


@pytest.mark.parametrize(("button", "fields", "field"), [
    ("confirm", {"rows": ["1"]}, "ways"), ("confirm", {"ways": ["site_test"]}, "rows"),
    ("confirm", {"rows": ["1"], "ways": ["telepathy"]}, "ways"), ("refuse", {"rows": ["1"]}, "reason"),
    ("confirm", {"rows": ["x"], "ways": ["site_test"]}, "rows"),
    ("confirm", {"rows": ["9" * 25], "ways": ["site_test"]}, "rows"),
    ("confirm", {"rows": ["99"], "ways": ["site_test"]}, "rows")])
def test_a_wrong_answer_changes_nothing_and_says_where(under_review, client_of, button, fields, field):
    case = under_review()
    answer = press(client_of(Role.TEAM_LEADER), case, button, **fields)
    assert answer.status_code == 422
    assert "wj-error" in answer.text and counts(case)[1:] == (None, None)


def test_every_row_found_means_what_the_filter_finds_and_no_other(under_review, client_of, house):
    case = under_review(rows=150)
    with house.database.writing() as connection:
        connection.execute(update(CapabilityRowRecord).where(
            CapabilityRowRecord.case_id == case.id, CapabilityRowRecord.ordinal > 20).values(object="土壤"))
    answer = press(client_of(Role.TEAM_LEADER), case, "confirm:found", "?search=土壤", ways=["records"])
    assert answer.status_code == 302 and "search=" in answer.headers["Location"]
    assert counts(case) == (20, 130, 0)


def test_the_table_is_paged_by_a_hundred_and_filtered(under_review, client_of, house):
    case, browser = under_review(rows=230), client_of(Role.TEAM_LEADER)
    def shown(query: str) -> list[int]:
        page = browser.get(f"/cases/{case.public_id}/rows{query}").text
        return [int(n) for n in re.findall(r'data-row name="rows" value="(\d+)"', page)]
    assert shown("") == list(range(1, 101))
    assert shown("?after=200") == list(range(201, 231))
    assert shown("?search=参数22") == [22, *range(220, 230)]
    assert shown("?standing=confirmed") == [] and shown("?standing=nonsense") == []


def test_only_the_team_confirms(under_review, client_of):
    case = under_review()
    assert client_of(Role.WINDOW_OFFICER).get(f"/cases/{case.public_id}/rows").status_code == 403
    answer = press(client_of(Role.LEADER), case, "confirm_every", ways=["site_test"])
    assert answer.status_code == 403 and counts(case)[1:] == (None, None)


def test_a_faster_colleague_is_named_and_nothing_is_overwritten(under_review, client_of):
    case, browser = under_review(), client_of(Role.TEAM_LEADER)
    seen = case.version
    case.take("confirm_rows", c.ConfirmRows(rows=(1,), confirmed=False, reason="不具备"),
              by=factories.person(case.file.case.fact("team_others")[0], Role.REVIEWER))
    answer = press(browser, case, "confirm_every", ways=["records"], expected_version=str(seen))
    assert answer.status_code == 409
    assert "不具备" in answer.text and 'value="records" checked' in answer.text
    assert counts(case) == (2, 0, 1)


def test_a_page_of_a_large_table_asks_little_of_the_database(under_review, client_of, house):
    case, browser = under_review(rows=3000), client_of(Role.TEAM_LEADER)
    for query in ("", "?after=2900", "?search=参数29"):
        browser.get(f"/cases/{case.public_id}/rows{query}")
        with counted(house.database) as statements:
            browser.get(f"/cases/{case.public_id}/rows{query}")
        assert len(statements) <= 12, statements


# -- the workbook out and back -------------------------------------------------------------------------------


def workbook_of(browser: Browser, case: CaseHand) -> list[list[Any]]:
    answer = browser.get(f"/cases/{case.public_id}/rows/workbook")
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].endswith('.xlsx"')
    return CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_name("能力确认").to_python()


def sent_back(browser: Browser, case: CaseHand, rows: list[list[Any]]) -> Any:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet("能力确认")
        for number, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                sheet.write(number, column, cell)
    buffer.seek(0)
    return browser.send(f"/cases/{case.public_id}/rows/workbook", command_id=str(uuid4()),
                        expected_version=str(case.version), workbook=(buffer, "rows.xlsx"))


def test_a_workbook_filled_in_offline_is_taken_over(under_review, client_of, house):
    case, browser = under_review(rows=5), client_of(Role.TEAM_LEADER)
    rows = workbook_of(browser, case)
    assert [row[0] for row in rows[2:]] == [1, 2, 3, 4, 5]
    for row, (answer, ways, reason) in zip(rows[2:], [
            ("是", "1、7", ""), ("是", "1,7", ""), ("否", "", "设备未校准"), ("", "", ""), ("是", 7, "")], strict=True):
        row[8:11] = [answer, ways, reason]
    assert sent_back(browser, case, rows).status_code == 302
    assert counts(case) == (1, 3, 1)
    assert [row.ways for row in rows_of(house, case)] == [
        ("site_test", "records"), ("site_test", "records"), (), (), ("records",)]


def test_bringing_back_what_did_not_change_is_no_act(under_review, client_of):
    case, browser = under_review(), client_of(Role.TEAM_LEADER)
    press(browser, case, "confirm_every", ways=["site_test"])
    before = case.version
    assert sent_back(browser, case, workbook_of(browser, case)).status_code == 302
    assert case.version == before


def test_a_workbook_with_a_wrong_line_is_taken_over_not_at_all(under_review, client_of):
    case, browser = under_review(), client_of(Role.TEAM_LEADER)
    rows = workbook_of(browser, case)
    rows[2][8:11] = ["是", "1", ""]
    rows[3][8:11] = ["否", "", ""]
    rows[4][8:11] = ["也许", "1", ""]
    assert sent_back(browser, case, rows).status_code == 303
    page = browser.get(f"/cases/{case.public_id}/rows").text
    assert "4: " in page and "5: " in page
    assert counts(case)[1:] == (None, None)


def test_the_workbook_of_another_case_decides_nothing(under_review, client_of):
    case, browser = under_review(), client_of(Role.TEAM_LEADER)
    rows = workbook_of(browser, case)
    rows[2][4], rows[3][4] = "别的参数", rows[2][4]
    for row in rows[2:5]:
        row[8:11] = ["是", "1", ""]
    rows += [[number, *rows[4][1:8], "否", "", "设备未校准"] for number in (rows[4][0], "²", "9" * 5000, -1)]
    sent_back(browser, case, rows)
    page = browser.get(f"/cases/{case.public_id}/rows").text
    assert counts(case)[1:] == (None, None)
    assert all(f"{n}: " in page for n in (3, 4, *range(len(rows) - 3, len(rows) + 1))) and "5: " not in page


def test_a_workbook_that_is_too_large_is_refused_with_words(under_review, client_of, monkeypatch):
    case, browser = under_review(), client_of(Role.TEAM_LEADER)
    monkeypatch.setattr("web.rows.LIMIT", 1 << 10)
    assert sent_back(browser, case, workbook_of(browser, case)).status_code == 303
    assert "rows.xlsx" in browser.get(f"/cases/{case.public_id}/rows").text


def test_something_that_is_no_workbook_is_refused_with_words(under_review, client_of):
    case, browser = under_review(), client_of(Role.TEAM_LEADER)
    for name, content in (("rows.xlsx", b"PK\x03\x04broken"), ("rows.xlsx", b""), ("rows.pdf", b"%PDF-1.7")):
        answer = browser.send(f"/cases/{case.public_id}/rows/workbook", command_id=str(uuid4()),
                              expected_version=str(case.version), workbook=(io.BytesIO(content), name))
        assert answer.status_code == 303, name
        assert "wj-notice is-bad" in browser.get(f"/cases/{case.public_id}/rows").text, name
    assert browser.send(f"/cases/{case.public_id}/rows/workbook", command_id=str(uuid4()),
                        expected_version=str(case.version)).status_code == 303
    assert "wj-notice is-bad" in browser.get(f"/cases/{case.public_id}/rows").text


def test_no_cell_of_the_workbook_is_a_formula(under_review, client_of, house):
    case = under_review()
    with house.database.writing() as connection:
        connection.execute(update(CapabilityRowRecord).where(CapabilityRowRecord.case_id == case.id)
                           .values(object="=1+1", parameter="@SUM(A1)", standard_text="https://example.cn"))
    answer = client_of(Role.TEAM_LEADER).get(f"/cases/{case.public_id}/rows/workbook")
    import zipfile

    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet and "hyperlink" not in sheet
        assert "=1+1" in sheet + packed.read("xl/sharedStrings.xml").decode() if "xl/sharedStrings.xml" in \
            packed.namelist() else "=1+1" in sheet


# -- the checklist -------------------------------------------------------------------------------------------


def answers(case: CaseHand, given: dict[int, tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for number, code in enumerate(case.checklist()):
        result, words = given.get(number, ("", ""))
        fields |= {f"lines-{number}-code": code, f"lines-{number}-explanation": words}
        if result:
            fields[f"lines-{number}-result"] = result
    return fields


def save(browser: Browser, case: CaseHand, given: dict[int, tuple[str, str]], **more: str) -> Any:
    return browser.send(f"/cases/{case.public_id}/findings", **{
        "command_id": str(uuid4()), "expected_version": str(case.version), **answers(case, given), **more})


def test_the_checklist_is_saved_bit_by_bit(under_review, client_of):
    case, browser = under_review(), client_of(Role.REVIEWER)
    assert save(browser, case, {0: ("meets", ""), 1: ("not_applicable", "无此活动")}).status_code == 302
    assert case.file.case.fact("findings_open") == 20
    page = browser.get(f"/cases/{case.public_id}/findings").text
    assert "无此活动" in page and "官员 reviewer" in page and "法律地位和责任" in page


def test_a_line_that_does_not_meet_needs_its_facts(under_review, client_of):
    case, browser = under_review(), client_of(Role.REVIEWER)
    answer = save(browser, case, {0: ("meets", ""), 2: ("does_not_meet", "")})
    assert answer.status_code == 422 and "lines-2-explanation-error" in answer.text
    assert case.file.case.fact("findings_open") == 22
    assert save(browser, case, {2: ("does_not_meet", "存在利益冲突")}).status_code == 302
    assert case.file.case.fact("findings_failed") == 1


def test_the_rest_may_be_answered_at_once(under_review, client_of):
    case, browser = under_review(), client_of(Role.TEAM_LEADER)
    assert save(browser, case, {4: ("does_not_meet", "一人在两家机构执业")}, rest="y").status_code == 302
    assert (case.file.case.fact("findings_open"), case.file.case.fact("findings_failed")) == (0, 1)


def test_the_checklist_is_read_by_whoever_sees_the_case_and_written_by_the_team(under_review, client_of):
    case = under_review()
    page = client_of(Role.LEADER).get(f"/cases/{case.public_id}/findings")
    assert page.status_code == 200 and "<form method=\"post\" action=\"/cases/" not in page.text
    assert save(client_of(Role.LEADER), case, {0: ("meets", "")}).status_code == 403
    assert client_of("applicant.other").get(f"/cases/{case.public_id}/findings").status_code == 403


def test_a_wrong_result_or_line_is_refused(under_review, client_of):
    case, browser = under_review(), client_of(Role.TEAM_LEADER)
    assert save(browser, case, {0: ("splendid", "")}).status_code == 422
    fields = {"lines-0-code": "99", "lines-0-result": "meets", "lines-0-explanation": ""}
    answer = browser.send(f"/cases/{case.public_id}/findings", command_id=str(uuid4()),
                          expected_version=str(case.version), **fields)
    assert answer.status_code == 422
    assert house_open(case) == 22


def house_open(case: CaseHand) -> int:
    return int(case.cases.get(case.public_id, SYSTEM).case.fact("findings_open"))
