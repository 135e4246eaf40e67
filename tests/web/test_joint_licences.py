"""Licences applied for together, through HTTP: who sees what of them, who may do what, and what each page says."""
import html
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask

import app as root
import configuration
from intake.standards import Catalogue
from store.database import migrate
from store.jobs import JobQueue
from store.joint_cases import JointLine
from store.passwords import Passwords
from store.reference import seed
from store.reviews import ReviewStore
from tests.services import databases
from tests.store.factories import MovableClock
from tests.web.browsers import Browser
from tests.web.command_line import CORPUS, ROOT
from tests.web.world import SECRET
from web.cast import PASSWORD, Cast
from web.context import House
from web.rehearsal.package import Package
from web.rehearsal.report import Report
from web.rehearsal.stage import JumpingClock, Stage
from web.rehearsal.together import JointPlay
from workflow import dossiers
from workflow.savings import savings

BEGIN = date(2026, 3, 2)
CMA, FIELDS, WORKS = "joint_cma", "agricultural_testing", "construction_testing"
Enter = Callable[[str], Browser]


@dataclass
class Shelf:
    """Joint applications of one agency: `accepted`, `reviewing`, and `decided`, where one licence is granted and one
    has a line of its own that does not meet. `lines` of the last, by licence."""

    directory: Path
    later: date = BEGIN
    accepted: str = ""
    reviewing: str = ""
    decided: str = ""
    first: str = ""  # the agriculture case of `accepted`
    lines: dict[str, JointLine] | None = None

    def child(self, licence: str) -> str:
        assert self.lines is not None
        return self.lines[licence].public_id or ""


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Built once per test process; tests get copies of its database."""
    logging.getLogger("wujian").setLevel(logging.WARNING)
    made = Shelf(tmp_path_factory.mktemp("joint"))
    settings = configuration.load(var=made.directory, secret_key=SECRET, embedded_worker=False)
    migrate(settings.database)
    clock = JumpingClock(BEGIN)
    house = root.open_house(settings, clock=clock, passwords=Passwords(memory_kib=8, passes=1))
    seed(house.database)
    house.reference.put_setting("bureau", settings.bureau)
    stage = Stage(house, clock, root.work_off)
    package = Package.open(CORPUS / "P12", Catalogue.from_csv(ROOT / "reference" / "standards.csv"))
    play = JointPlay(stage, package, Report("P12", "general"), "yidu")
    play.register()
    for name in ("accepted", "reviewing", "decided"):
        play.fill_in("general")
        play.submit()
        play.accept()
        setattr(made, name, play.case)
        if name != "accepted":
            play.nominate()
            play.organise()
        else:
            made.first = next(line.public_id or "" for line in play.lines() if line.licence == FIELDS)
    play.review()
    play.fail_own_line(WORKS)
    play.conclude()
    play.grant_licence(FIELDS)
    made.lines = {line.licence: line for line in play.lines()}
    made.later = clock.today()
    stage.close()
    connection = sqlite3.connect(made.directory / "wujian.sqlite3")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return made


@pytest.fixture
def settings(tmp_path: Path, shelf: Shelf) -> configuration.Settings:
    return configuration.load(
        var=tmp_path, secret_key=SECRET, embedded_worker=False,
        database_url=databases.sqlite_copy(shelf.directory / "wujian.sqlite3", tmp_path / "joint.sqlite3"),
        file_store_url=(shelf.directory / "files").as_uri())


@pytest.fixture
def clock(shelf: Shelf) -> MovableClock:
    made = MovableClock()
    made.move_to(shelf.later + timedelta(days=1))
    return made


@pytest.fixture
def enter(app: Flask) -> Iterator[Enter]:
    """`enter("lingdao")`: a new browser with that member of the cast signed in."""
    def come(login: str) -> Browser:
        browser = app.test_client()
        assert isinstance(browser, Browser)
        assert browser.sign_in(login, PASSWORD).status_code == 303
        return browser
    yield come


def told(text: str) -> str:
    """The words of a page, without tags and space."""
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]+>", "", text.partition("<main")[2])))


def version_of(house: House, public_id: str) -> str:
    return str(house.cases.get(public_id, Cast(house.accounts, house.reference).actor("lingdao")).case.version)


def act(browser: Browser, house: House, public_id: str, name: str, **fields: object):  # type: ignore[no-untyped-def]
    return browser.send(f"/cases/{public_id}/actions/{name}", command_id=str(uuid4()),
                        expected_version=version_of(house, public_id), **fields)


# -- what it spares --------------------------------------------------------------------------------------------


def test_what_it_spares_is_counted_from_the_forms(enter: Enter) -> None:
    joint = dossiers.newest("joint_testing")
    files = [dossiers.newest(name) for name in (CMA, FIELDS, WORKS)]
    assert joint and all(files)
    counted = savings(joint, *[file for file in files if file])
    page = enter("yidu").get("/applications/new").text
    section = page[page.index('id="joint_testing"'):]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>', section)
    found = {words: (int(apart), int(together)) for words, apart, together, _ in rows}
    assert found["需提交的材料"] == (counted.materials_apart, counted.materials_together)
    assert found["需填写的栏目"] == (counted.fields_apart, counted.fields_together)
    assert found["现场评审"] == (counted.visits_apart, counted.visits_together) == (3, 1)
    assert 'class="wj-spared"' not in page[:page.index('id="joint_testing"')]  # the others spare nothing


# -- the applicant ---------------------------------------------------------------------------------------------


def test_the_applicant_sees_every_licence_on_one_page(enter: Enter, shelf: Shelf) -> None:
    browser = enter("yidu")
    answer = browser.get(f"/applications/{shelf.decided}/licences")
    assert answer.status_code == 200
    assert f'href="/applications/{shelf.decided}/licences"' in browser.get(f"/applications/{shelf.decided}").text
    words = told(answer.text)
    for said in ("检验检测机构资质认定（联合办理）", "农产品质量安全检测机构考核", "准予许可", "待决定",
                 "证书将随统一送达一并发放", "决定机关：住建"):
        assert said in words, said
    assert ".pdf" not in answer.text  # nothing to open before it is delivered
    assert "/cases/" + shelf.child(FIELDS) not in answer.text  # officials' pages are not the applicant's


def test_what_is_decided_cannot_be_retracted_and_the_rest_can_one_by_one(
        enter: Enter, shelf: Shelf, house: House) -> None:
    browser = enter("yidu")
    page = browser.get(f"/applications/{shelf.decided}/licences").text
    assert f"/cases/{shelf.child(WORKS)}/actions/retract" in page
    assert f"/cases/{shelf.child(FIELDS)}/actions/retract" not in page
    assert f"/applications/{shelf.decided}/retraction" not in page  # too late for the whole
    assert f"/applications/{shelf.accepted}/retraction" in browser.get(f"/applications/{shelf.accepted}/licences").text
    form = browser.get(f"/cases/{shelf.child(WORKS)}/actions/retract")
    assert form.status_code == 200
    assert "联合评审情况" not in form.text  # what the review wrote is not shown to the applicant
    done = act(browser, house, shelf.child(WORKS), "retract", sure="y")
    assert (done.status_code, done.location) == (302, f"/applications/{shelf.decided}/licences")
    root.work_off(house)
    assert "已撤回" in told(browser.get(done.location).text)
    assert "收到部门办理结果" in told(enter("lingdao").get(f"/cases/{shelf.decided}").text)


def test_retracting_the_whole_says_that_every_licence_falls_and_then_they_do(
        enter: Enter, shelf: Shelf, house: House) -> None:
    browser = enter("yidu")
    page = browser.get(f"/applications/{shelf.accepted}/retraction").text
    assert "申请的各项许可将一并撤回" in page
    assert f'href="/applications/{shelf.accepted}/licences"' in page
    done = browser.send(f"/applications/{shelf.accepted}/retraction", command_id=str(uuid4()), sure="y",
                        expected_version=version_of(house, shelf.accepted))
    assert done.status_code == 303
    root.work_off(house)
    assert told(browser.get(f"/applications/{shelf.accepted}/licences").text).count("已撤回") >= 3
    assert "申请人已撤回" in told(enter("bumen.agriculture").get(f"/cases/{shelf.first}").text)


def test_a_licence_has_no_page_of_its_own_for_the_applicant(enter: Enter, shelf: Shelf) -> None:
    browser = enter("yidu")
    assert browser.get(f"/applications/{shelf.child(CMA)}").status_code == 404
    assert browser.get(f"/cases/{shelf.child(CMA)}").status_code == 403


# -- officials -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["lingdao", "chuangkou", "zhizheng"])
def test_the_board_stands_on_the_whole_and_on_each_licence(enter: Enter, shelf: Shelf, login: str) -> None:
    browser = enter(login)
    for public_id in (shelf.decided, shelf.child(CMA), shelf.child(FIELDS)):
        page = browser.get(f"/cases/{public_id}").text
        panel = page[page.index('id="joint"'):]
        for name in ("检验检测机构资质认定（联合办理）", "农产品质量安全检测机构考核", "建设工程质量检测机构资质"):
            assert name in panel
        others = {shelf.child(n) for n in (CMA, FIELDS, WORKS)} - {public_id}
        assert all(f'href="/cases/{other}"' in panel for other in others)
    assert f'href="/cases/{shelf.decided}"' in page


def test_a_department_leader_reads_how_the_others_stand_and_opens_only_its_own(enter: Enter, shelf: Shelf) -> None:
    browser = enter("fuze.construction")
    page = browser.get(f"/cases/{shelf.child(WORKS)}").text
    assert "准予许可" in told(page)
    assert f'href="/cases/{shelf.child(FIELDS)}"' not in page
    assert browser.get(f"/cases/{shelf.child(FIELDS)}").status_code == 404
    assert browser.get(f"/cases/{shelf.decided}").status_code == 200
    assert shelf.child(WORKS) in browser.get("/desk/department-leader").text


def test_the_decision_page_shows_the_evidence_of_this_licence(enter: Enter, shelf: Shelf) -> None:
    page = enter("fuze.construction").get(f"/cases/{shelf.child(WORKS)}/actions/refuse").text
    assert page.index('id="evidence"') < page.index("<h2>概要")  # the evidence first
    assert "对本项许可的结论：不符合" in told(page)
    assert "现场未见相应记录" in told(page)
    assert "对本项许可的结论：符合" in told(enter("lingdao").get(f"/cases/{shelf.child(CMA)}/actions/grant").text)


@pytest.mark.parametrize("login, licence, action", [
    ("lingdao", WORKS, "grant"), ("fuze.agriculture", WORKS, "grant"), ("fuze.construction", CMA, "grant"),
    ("bumen.construction", WORKS, "refuse"), ("zuzhang", WORKS, "refuse")])
def test_each_authority_decides_its_own_licence_only(
        enter: Enter, shelf: Shelf, login: str, licence: str, action: str) -> None:
    assert enter(login).get(f"/cases/{shelf.child(licence)}/actions/{action}").status_code in (403, 404)


# -- the review ------------------------------------------------------------------------------------------------


def lines_of(page: str) -> list[str]:
    return re.findall(r'name="lines-\d+-code"[^>]*value="([^"]+)"', page)


def test_the_checklist_is_kept_to_one_licence(enter: Enter, shelf: Shelf, house: House) -> None:
    browser = enter("zuzhang")
    file = house.cases.get(shelf.reviewing, Cast(house.accounts, house.reference).actor("zuzhang"))
    lines = ReviewStore(house.database).checklist(file)
    own = [line.code for line in lines if line.licence == WORKS]
    assert own
    every = browser.get(f"/cases/{shelf.reviewing}/findings").text
    assert lines_of(every) == [line.code for line in lines]
    assert lines_of(browser.get(f"/cases/{shelf.reviewing}/findings?licence={WORKS}").text) == own
    assert lines_of(browser.get(f"/cases/{shelf.reviewing}/findings?licence=common").text) == [
        line.code for line in lines if not line.licence]
    sent = browser.send(
        f"/cases/{shelf.reviewing}/findings?licence={WORKS}", command_id=str(uuid4()), rest="y",
        expected_version=version_of(house, shelf.reviewing),
        **{f"lines-{number}-code": code for number, code in enumerate(own)})
    assert (sent.status_code, sent.location) == (302, f"/cases/{shelf.reviewing}/findings?licence={WORKS}")
    answered = {line.code for line in ReviewStore(house.database).checklist(file) if line.result}
    assert answered == set(own)  # "everything not answered" means what stood on the page


def test_a_licence_reads_the_lines_that_concern_it(enter: Enter, shelf: Shelf) -> None:
    page = enter("fuze.construction").get(f"/cases/{shelf.child(WORKS)}/findings").text
    assert "建设工程质量检测机构资质" in page
    assert "各项许可共同适用" in page
    assert f"licence={FIELDS}" not in page


# -- naming experts, letting go, delivering -----------------------------------------------------------------------


def test_a_department_names_experts_out_of_its_own_pool(enter: Enter, shelf: Shelf, house: House) -> None:
    cast = Cast(house.accounts, house.reference)
    mine, other = cast.expert_of("agriculture").person_id, cast.expert_of("construction").person_id
    browser = enter("bumen.agriculture")
    page = browser.get(f"/cases/{shelf.accepted}/actions/nominate_experts").text
    assert mine in page
    assert other not in page
    assert act(browser, house, shelf.accepted, "nominate_experts", experts=other).status_code == 422
    assert act(browser, house, shelf.accepted, "nominate_experts").status_code == 422
    assert act(browser, house, shelf.accepted, "nominate_experts", experts=mine).status_code == 302
    page = told(enter("zuzhi").get(f"/cases/{shelf.accepted}/actions/organise_review").text)
    assert "农业农村推荐" in page  # beside the name of whom it named
    assert "尚未推荐专家的部门：住建" in page
    assert enter("bumen.ecology").get(f"/cases/{shelf.accepted}/actions/nominate_experts").status_code in (403, 404)


def test_letting_a_licence_go_says_first_what_follows(enter: Enter, shelf: Shelf, house: House) -> None:
    browser = enter("lingdao")
    page = told(browser.get(f"/cases/{shelf.decided}/actions/decide_separately").text)
    assert "联合评审结论继续有效，由住建据此决定，单独送达" in page
    assert "书面告知申请人，申请人无需重新提交材料" in page
    fields = {"grounds": "其他许可不再等待。"}
    assert act(browser, house, shelf.decided, "decide_separately", **fields).status_code == 422
    assert act(browser, house, shelf.decided, "decide_separately", licence="cma", **fields).status_code == 422
    assert act(browser, house, shelf.decided, "decide_separately", licence=WORKS, grounds="").status_code == 422
    assert act(browser, house, shelf.decided, "decide_separately", licence=WORKS, **fields).status_code == 302
    root.work_off(house)
    assert "已分开办理：单独评审、决定和送达" in told(browser.get(f"/cases/{shelf.child(WORKS)}").text)
    again = told(browser.get(f"/cases/{shelf.decided}/actions/decide_separately").text)
    assert "不受影响：建设工程质量检测机构资质" in again


def test_a_certificate_that_waits_for_the_others_has_no_box_to_deliver_it(
        enter: Enter, shelf: Shelf, house: House) -> None:
    clerk = enter("zhizheng")
    done = act(clerk, house, shelf.child(FIELDS), "print_certificate")
    assert done.status_code == 302, told(done.text)
    page = clerk.get("/certificates?state=printed").text
    assert "与其他许可统一送达" in page
    assert f'value="{shelf.child(FIELDS)}:' not in page
    refused = act(clerk, house, shelf.child(FIELDS), "deliver", sure="y")
    assert refused.status_code == 409
    assert "统一送达" in told(refused.text)


def test_nobody_says_for_another_case_what_has_come_of_it(enter: Enter, shelf: Shelf, house: House) -> None:
    """What cases tell each other is the system's alone: no page, and no forged form."""
    for login in ("lingdao", "zhizheng", "fuze.construction", "yidu"):
        browser = enter(login)
        assert browser.get(f"/cases/{shelf.decided}/actions/note_result").status_code in (403, 404, 409)
        sent = act(browser, house, shelf.decided, "note_result", licence=WORKS, state="granted", outcome="granted")
        assert sent.status_code in (403, 404, 409)
    assert JobQueue(house.database).list_("failed").lines == ()
