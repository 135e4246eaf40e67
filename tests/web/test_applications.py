"""An applicant's pages through HTTP: the whole way, what others see of it, and every kind of bad input."""
import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.web.applying import CORPUS, PAGES, Desk, begun
from tests.web.browsers import PASSWORD, Browser
from web.context import House
from workflow.commands import (
    ConfirmRows,
    CorrectionItem,
    Decide,
    OrganiseReview,
    Plain,
    RecordFindings,
    RequestCorrection,
)
from workflow.vocabulary import Role

# -- the whole way ---------------------------------------------------------------------------------------------


def test_an_application_goes_from_its_start_to_the_receipt(desk: Desk, house: House) -> None:
    assert desk.upload().status_code == 303
    for page in PAGES:
        assert desk.get(page).status_code == 200, page
    assert "附表1_检验检测能力申请表.xlsx" in desk.get("/tables").text
    assert "还缺" in desk.get("/preview").text
    desk.complete()
    answer = desk.submit()
    assert answer.status_code == 303 and answer.location.endswith("/receipt")
    receipt = desk.get("/receipt").text
    assert desk.public_id in receipt and "最迟" in receipt
    case = house.cases.get(desk.public_id, house.accounts.actor_for(house.accounts.find("applicant").id)).case
    assert case.state == "submitted" and case.fact("rows_total") == 30 and case.fact("application_digest")
    for page in ("", "/tables", "/materials", "/preview"):
        assert desk.get(page).status_code == 200
    assert desk.get("/form").status_code == 302  # read-only now


def test_a_second_press_of_submit_gets_the_first_answer(desk: Desk) -> None:
    desk.complete()
    fields = {"sure": "y", **desk.hidden("/preview", "command_id", "expected_version")}
    assert [desk.send("/submit", **fields).status_code for _ in range(2)] == [303, 303]


def test_a_preview_that_is_no_longer_true_is_not_submitted(desk: Desk) -> None:
    desk.complete()
    fields = {"sure": "y", **desk.hidden("/preview", "command_id", "expected_version")}
    desk.save("overview", name="改名检测有限公司")
    answer = desk.send("/submit", **fields)
    assert answer.status_code == 409 and "改名检测有限公司" in answer.text


def test_submission_asks_whether_one_is_sure(desk: Desk) -> None:
    desk.complete()
    answer = desk.send("/submit", **desk.hidden("/preview", "command_id", "expected_version"))
    assert answer.status_code == 422 and desk.get("/form").status_code == 200


def test_the_commitment_is_read_signed_and_kept(desk: Desk, house: House) -> None:
    desk.complete()
    assert desk.send("/track", track="commitment",
                     **desk.hidden("/track", "command_id", "expected_version")).status_code == 303
    page = desk.get("/commitment")
    assert "资质认定部门告知" in page.text and page.status_code == 200
    names = ("command_id", "expected_version", "notice_version", "text_sha256")
    fields = {**desk.hidden("/commitment", *names), "signer": "高原"}
    assert desk.send("/commitment", **fields, password="wrong").status_code == 422
    assert desk.send("/commitment", **{**fields, "text_sha256": "0" * 64}, password=PASSWORD).status_code == 422
    assert desk.send("/commitment", **fields, password=PASSWORD).status_code == 303
    assert "资质认定部门告知" in house.files.get(fields["text_sha256"]).decode()
    assert desk.submit().location.endswith("/receipt")


def test_corrections_are_answered_on_their_page_and_sent_back(desk: Desk, house: House) -> None:
    desk.complete()
    desk.submit()
    officer = house.accounts.actor_for(house.accounts.find("window.officer").id)
    version = house.cases.get(desk.public_id, officer).case.version
    house.cases.perform(desk.public_id, "request_correction", officer, RequestCorrection(
        items=(CorrectionItem("平面图", "缺少比例尺", "评审准则第十条"),)), command_id="correct-1",
        expected_version=version)
    assert "平面图" in desk.get("/corrections").text and "受理机关要求补正" in desk.get().text
    assert desk.send("/corrections/1", **{"item1-answer": " "}).status_code == 422
    assert desk.send("/corrections/9", **{"item9-answer": "多余"}).status_code == 404
    assert desk.send("/corrections/1", **{"item1-answer": "已重新绘制"}).status_code == 303
    fields = desk.hidden("/preview", "command_id", "expected_version")
    assert desk.send("/resubmit", **fields).location.endswith("/receipt")


def test_whoever_confirmed_the_password_just_now_is_not_asked_again(desk: Desk) -> None:
    desk.complete()
    desk.send("/track", track="commitment", **desk.hidden("/track", "command_id", "expected_version"))
    names = ("command_id", "expected_version", "notice_version", "text_sha256")
    fields = {**desk.hidden("/commitment", *names), "signer": "高原"}
    assert desk.send("/commitment", **fields, password=PASSWORD).status_code == 303
    page = desk.get("/commitment")
    assert page.status_code == 200 and 'name="password"' not in page.text


def test_a_rectification_is_proved_and_sent(desk: Desk, house: House) -> None:
    desk.complete()
    desk.submit()
    for login in ("window.officer", "review.organiser", "team.leader", "reviewer"):
        assert house.accounts.find(login)

    def act(login: str, name: str, command: Any) -> None:
        actor = house.accounts.actor_for(house.accounts.find(login).id)
        assert actor
        house.cases.perform(desk.public_id, name, actor, command, command_id=name, expected_version=None)

    team = {n: house.accounts.actor_for(house.accounts.find(n).id).person_id for n in ("team.leader", "reviewer")}
    for person in team.values():
        house.accounts.set_expertise(person, ["生态环境/水和废水"])
    act("window.officer", "accept", Plain())
    act("review.organiser", "organise_review", OrganiseReview(
        mode="on_site", leader=team["team.leader"], members=tuple(team.values()), planned_on=date(2026, 3, 9)))
    codes = [str(row["no"]) for row in house.reference.catalogue("checklist")]
    act("team.leader", "record_findings", RecordFindings(lines=tuple((code, "meets", "") for code in codes)))
    act("team.leader", "confirm_rows", ConfirmRows(every=True, ways=("site_test",)))
    act("team.leader", "conclude_with_rectification", Decide(grounds="补充两份溯源证书"))
    assert "补充两份溯源证书" in desk.get("/rectification").text and "评审组要求整改" in desk.get().text
    photo = (CORPUS / "P01" / "materials" / "04实验室平面图.png").read_bytes()
    assert desk.send("/rectification/files", file=(io.BytesIO(photo), "照片.png")).status_code == 303
    assert desk.send("/rectification/files", file=(io.BytesIO(b"MZ"), "x.png")).status_code == 303
    page = desk.get("/rectification").text
    assert "照片.png" in page and "未采用" in page
    fields = desk.hidden("/rectification", "command_id", "expected_version")
    assert desk.send("/rectification", **fields, grounds=" ").status_code == 422
    assert desk.send("/rectification", **fields, grounds="证书已补充").status_code == 303
    assert desk.get("/rectification").status_code == 409  # sent; the page is over


def test_an_application_is_retracted_only_after_a_tick(desk: Desk) -> None:
    fields = {**desk.hidden("/retraction", "command_id", "expected_version"), "note": "暂缓"}
    refused = desk.send("/retraction", **fields)
    assert refused.status_code == 422 and "暂缓" in refused.text
    assert desk.send("/retraction", **fields, sure="y").status_code == 303
    assert desk.get("/materials").status_code == 200


# -- scope -----------------------------------------------------------------------------------------------------


def test_another_agency_gets_nothing_but_not_found(desk: Desk, client_of: Callable[..., Browser]) -> None:
    desk.complete()
    file = re.search(r"/files/([\w-]{22})", desk.get("/tables").text)
    assert file
    stranger = Desk(client_of("applicant.other"), desk.base)
    canary = ("恩施土家族苗族泓检环境检测有限公司", "戴喆轩", "云岭检测 applicant<", "典型检验检测报告.pdf")
    for page in (*PAGES, "/receipt", "/corrections", "/rectification", "/retraction", "/commitment", "/certificate",
                 "/tables/reading", f"/files/{file[1]}"):
        answer = stranger.get(page)
        assert answer.status_code == 404 and not any(word in answer.text for word in canary), page
    for page in ("/form/overview", "/form/take-over", "/track", "/commitment", "/submit", "/resubmit", "/retraction",
                 "/rectification", "/corrections/1", "/tables", "/materials/site_right", "/rectification/files",
                 f"/files/{file[1]}/remove"):
        fields: dict[str, Any] = {"command_id": "0" * 32, "expected_version": "1", "item1-answer": "x",
                                  "files": (io.BytesIO(b"x"), "x.xlsx"), "file": (io.BytesIO(b"%PDF-"), "x.pdf"),
                                  "site_right-file": (io.BytesIO(b"%PDF-"), "x.pdf"), "signer": "x"}
        assert stranger.send(page, **fields).status_code == 404, page
    assert desk.public_id not in stranger.browser.get("/applications").text


def test_an_upload_of_another_application_is_not_found_under_ones_own(
        desk: Desk, client_of: Callable[..., Browser]) -> None:
    desk.upload()
    file = re.search(r"/files/([\w-]{22})", desk.get("/tables").text)
    other = begun(client_of("applicant.other"))
    assert file and other.get(f"/files/{file[1]}").status_code == 404


@pytest.mark.parametrize("role", [Role.WINDOW_OFFICER, Role.LEADER, Role.ADMINISTRATOR])
def test_officials_have_no_business_on_the_applicants_pages(
        desk: Desk, client_of: Callable[..., Browser], role: Role) -> None:
    official = Desk(client_of(role), desk.base)
    assert {official.get(page).status_code for page in PAGES} == {403}


# -- saving while one types --------------------------------------------------------------------------------------


def test_typing_is_saved_quietly_complete_or_not(desk: Desk) -> None:
    revision = desk.hidden("/form", "revision")["revision"]
    answer = desk.send("/form/cover", {"X-Autosave": "1"}, revision=revision, types="renewal", applied_on="2026-")
    told = answer.get_json()
    assert answer.status_code == 200 and re.fullmatch(r"\d\d:\d\d", told["saved_at"])
    again = desk.send("/form/cover", {"X-Autosave": "1"}, revision=told["fields"]["revision"], types="renewal",
                      applied_on="2026-03-02")
    assert again.status_code == 200 and 'value="2026-03-02"' in desk.get("/form").text


def test_a_second_window_is_told_and_keeps_what_was_typed(desk: Desk) -> None:
    desk.send("/form/overview", revision="0", name="第一个窗口的名称")
    quiet = desk.send("/form/overview", {"X-Autosave": "1"}, revision="0", name="第二个窗口的名称")
    assert quiet.status_code == 409 and "经办" in quiet.get_json()["message"]
    page = desk.send("/form/overview", revision="0", name="第二个窗口的名称")
    assert page.status_code == 409
    assert "第二个窗口的名称" in page.text and "第一个窗口的名称" in page.text
    revision = re.search(r'<form id="overview".*?name="revision"[^>]*value="(\d+)"', page.text, re.S)
    assert revision and revision[1] == "1"  # looked at, a second press saves over it
    desk.send("/form/overview", revision="1", name="第二个窗口的名称")
    assert "第二个窗口的名称" in desk.get("/form").text


def test_a_press_on_an_incomplete_section_saves_it_and_says_what_is_missing(desk: Desk) -> None:
    page = desk.save("overview", postcode="71", email="不是邮箱", contact="赵钱孙")
    assert page.status_code == 422 and "赵钱孙" in page.text and 'aria-invalid="true"' in page.text
    assert "赵钱孙" in desk.get("/form").text


@pytest.mark.parametrize("fields", [
    {"revision": "x"}, {"revision": "0", "name": "x" * 90_000}, {"revision": "0", "state": "granted", "name": "甲"}])
def test_a_damaged_form_is_refused_and_nothing_else_is_written(desk: Desk, fields: dict[str, str]) -> None:
    answer = desk.send("/form/overview", **fields)
    assert answer.status_code in (303, 409, 422)
    assert "填报中" in desk.get().text


def test_a_section_that_does_not_exist_is_not_found(desk: Desk) -> None:
    assert desk.send("/form/secrets", revision="0").status_code == 404
    assert desk.get("/tables/secrets").status_code == 404
