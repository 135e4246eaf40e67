"""Signing in, registering and changing a password, as pages."""
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from werkzeug.test import TestResponse

import configuration
from app import create_app
from store.database import Busy
from store.people import Account
from tests.store.factories import MovableClock
from tests.web.browsers import PASSWORD, Browser, quick_passwords
from web.access import safe_target
from web.context import House
from web.observability import configure_logging
from workflow.vocabulary import Role

ClientOf = Callable[[Role | str], Browser]
TYPED = {
    "uscc": "91610100ma6u 000218", "agency_name": "秦岭建材检验有限公司", "division": "610102",
    "address": "长安路 9 号", "legal_person": "高原", "name": "程一鸣", "phone": "029-88886666",
    "email": "cheng@agency.example", "login": "Qinling", "password": PASSWORD, "again": PASSWORD}


def without_token(answer: TestResponse) -> str:
    return re.sub(r'value="[^"]{40,}"', "", answer.text)


# -- signing in ----------------------------------------------------------------------------------------------


def test_signing_in_leads_back_to_the_page_that_was_asked_for(client: Browser) -> None:
    asked = client.get("/account/password?x=1&y=二")
    assert asked.status_code == 302
    page = client.get(asked.headers["Location"]).text
    target = unescape(re.search(r'name="next"[^>]*value="([^"]*)"', page)[1])  # type: ignore[index]
    assert client.sign_in("leader", next=target).headers["Location"] == "/account/password?x=1&y=%E4%BA%8C"


@pytest.mark.parametrize("target", [
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "javascript:alert(1)", "evil.example", "", "/\n//evil.example", "http:evil", "///evil.example", "\x00/",
    " //evil.example", "/%09/\t"])
def test_nobody_is_sent_to_another_site(target: str, client: Browser) -> None:
    assert safe_target(target) is None
    answer = client.sign_in("leader", next=target)
    assert answer.status_code in (303, 400)  # a null character is refused before anything
    assert answer.status_code == 400 or answer.headers["Location"] == "/"


def test_a_path_of_ours_is_a_target() -> None:
    assert safe_target("/cases/abc?tab=2#row-7") == "/cases/abc?tab=2#row-7"


def test_every_failed_sign_in_gives_the_same_page_and_status(
        client: Browser, house: House, accounts: dict[str, Account]) -> None:
    house.accounts.deactivate(accounts["inspector"].id)
    pages = set()
    for login, password in (("nobody", PASSWORD), ("leader", "wrong"), ("inspector", PASSWORD)):
        answer = client.sign_in(login, password)
        assert answer.status_code == 422
        pages.add(without_token(answer).replace(f'value="{login}"', ""))
    assert len(pages) == 1


def test_a_resting_account_looks_like_any_other_failure(client: Browser) -> None:
    first = without_token(client.sign_in("leader", "wrong"))
    for _ in range(4):
        client.sign_in("leader", "wrong")
    resting = client.sign_in("leader", PASSWORD)
    assert resting.status_code == 422 and without_token(resting) == first


def test_an_address_that_guesses_is_asked_to_wait(client: Browser, clock: MovableClock) -> None:
    for turn in range(20):
        client.sign_in(f"guess{turn}", "wrong")
    known, unknown = client.sign_in("leader"), client.sign_in("nobody")
    assert known.status_code == unknown.status_code == 429
    clock.move(minutes=10)
    assert client.sign_in("leader").status_code == 303


def test_the_name_typed_stays_and_the_password_does_not(client: Browser) -> None:
    page = client.sign_in("lead<er", "Secret-Password-1").text
    assert 'value="lead&lt;er"' in page and "Secret-Password-1" not in page


def test_whoever_is_signed_in_is_not_asked_again(client_of: ClientOf) -> None:
    browser = client_of(Role.LEADER)
    assert browser.get("/sign-in?next=/account").headers["Location"] == "/account"
    assert browser.get("/sign-in?next=//evil.example").headers["Location"] == "/"
    assert browser.get("/register").status_code == 302


def test_the_pages_speak_both_languages(client: Browser) -> None:
    assert "<h1>Sign in</h1>" in client.get("/sign-in?lang=en").text
    assert "<h1>登录</h1>" in client.get("/sign-in?lang=zh").text


# -- registering ---------------------------------------------------------------------------------------------


def test_an_agency_registers_and_is_signed_in(client: Browser, house: House) -> None:
    answer = client.send("/register", **TYPED)
    assert answer.status_code == 303
    made = house.accounts.find("qinling")
    assert made and made.roles == {Role.APPLICANT} and made.agency_name == "秦岭建材检验有限公司"
    assert "秦岭建材检验有限公司" in client.get("/account").text
    with house.database.reading() as connection:
        kept = connection.exec_driver_sql(
            "SELECT uscc, division, phone FROM agency WHERE id = " + str(made.agency_id)).one()
    assert tuple(kept) == ("91610100MA6U000218", "610102", "029-88886666")


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "check digit": ({"uscc": "91610100MA6U000219"}, "uscc"),
    "too short": ({"uscc": "123"}, "uscc"),
    "registered already": ({"uscc": "91610100MA6U00005J"}, "uscc"),
    "another province": ({"division": "110101"}, "division"),
    "no division": ({"division": ""}, "division"),
    "phone": ({"phone": "12"}, "phone"),
    "e-mail": ({"email": "nobody"}, "email"),
    "blank name": ({"name": "   "}, "name"),
    "long name": ({"agency_name": "长" * 121}, "agency_name"),
    "taken login": ({"login": "leader"}, "login"),
    "login with blanks": ({"login": "a b c"}, "login"),
    "weak password": ({"password": "short", "again": "short"}, "password"),
    "passwords differ": ({"again": "Another-Horse-8"}, "again"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_refused_registration_says_where_and_keeps_what_was_typed(
        case: str, client: Browser, house: House) -> None:
    changes, field = WRONG[case]
    answer = client.send("/register", **{**TYPED, **changes})
    assert answer.status_code == 422
    page = answer.text
    assert f'id="{field}-error"' in page and f'href="#{field}"' in page
    assert page.count('-error"') >= 1 and "秦岭建材检验有限公司" in page or field == "agency_name"
    assert 'value="长安路 9 号"' in page and PASSWORD not in page
    if field != "division":
        assert re.search(r'<option selected value="610102"', page)
    assert house.accounts.find("qinling") is None


def test_a_registered_code_tells_nothing_about_its_agency(client: Browser) -> None:
    page = client.send("/register?lang=en", **{**TYPED, "uscc": "91610100MA6U00005J"}).text
    assert "Ask the colleague who keeps its account" in page
    assert "云岭检测" not in page and "经办 applicant" not in page


def test_probing_codes_by_registering_is_slowed_down(client: Browser) -> None:
    for _ in range(10):
        assert client.send("/register", **{**TYPED, "uscc": "91610100MA6U00005J"}).status_code == 422
    assert client.send("/register", **TYPED).status_code == 429


def test_nobody_registers_more_than_was_asked(client: Browser, house: House) -> None:
    answer = client.send("/register", **TYPED, roles="leader", role="administrator", agency_id="1", active="0",
                         department="ecology", person_id="p1", is_admin="1")
    assert answer.status_code == 303
    made = house.accounts.find("qinling")
    assert made and made.roles == {Role.APPLICANT} and made.department is None and made.active
    assert made.agency_id not in (None, 1)


# -- changing the password -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new", "again", "field"), [
    ("wrong", "Another-Horse-8", "Another-Horse-8", "old"), (PASSWORD, "weak", "weak", "new"),
    (PASSWORD, PASSWORD, PASSWORD, "new"), (PASSWORD, "Another-Horse-8", "Another-Horse-9", "again"),
    (PASSWORD, "", "", "new")])
def test_a_refused_change_says_which_field(old: str, new: str, again: str, field: str, client_of: ClientOf) -> None:
    browser = client_of(Role.LEADER)
    answer = browser.send("/account/password", old=old, new=new, again=again)
    assert answer.status_code == 422 and f'id="{field}-error"' in answer.text
    assert browser.get("/account").status_code == 200


# -- what every visitor may meet -----------------------------------------------------------------------------

NONSENSE: list[dict[str, Any]] = [
    {}, {"login": "x" * 100_000, "password": "y" * 100_000}, {"login": "\ud7ff", "password": "\U0001f600" * 50},
    {"login": ["a", "b"], "password": ["c", "d"]}, {"login": "' OR 1=1 --", "password": "' OR 1=1 --"}]


@pytest.mark.parametrize("fields", NONSENSE)
@pytest.mark.parametrize("url", ["/sign-in", "/register"])
def test_nonsense_is_refused_politely(url: str, fields: dict[str, Any], client: Browser) -> None:
    assert client.send(url, **fields).status_code == 422


def test_a_null_character_is_refused_wherever_it_stands(client: Browser) -> None:
    assert client.send("/sign-in", login="a\x00", password="b").status_code == 400
    assert client.get("/sign-in?next=%00").status_code == 400
    assert client.get("/sign-in?%00=1").status_code == 400


@pytest.fixture
def log(settings: configuration.Settings) -> Iterator[Callable[[], list[Any]]]:
    """What the application logged since the last question, as the JSON that it writes."""
    root, level = logging.getLogger(), logging.getLogger().level
    configure_logging(settings.model_copy(update={"log_format": "json"}))
    ours, paper = root.handlers[0], io.StringIO()
    assert isinstance(ours, logging.StreamHandler)
    ours.setStream(paper)
    named = logging.getLogger("wujian")  # here nobody who sets up the root logger meanwhile takes it away
    root.removeHandler(ours)
    named.addHandler(ours)
    named.setLevel(logging.INFO)

    def read() -> list[Any]:
        lines = [json.loads(line) for line in paper.getvalue().splitlines()]
        paper.seek(0)
        paper.truncate()
        return lines
    yield read
    named.removeHandler(ours)
    named.setLevel(logging.NOTSET)
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_error_page_shows_no_trace_and_a_number_that_is_in_the_log(
        client: Browser, log: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the secret inside")
    token = client.csrf
    log()
    monkeypatch.setattr("web.accounts.context.accounts", fail)
    answer = client.post("/sign-in", data={"csrf_token": token, "login": "leader", "password": PASSWORD})
    assert answer.status_code == 500 and "the secret inside" not in answer.text and "Traceback" not in answer.text
    number = re.search(r"<code>([0-9a-f]{16})</code>", answer.text)
    lines = log()
    assert number and number[1] == answer.headers["X-Request-ID"]
    told = [line for line in lines if line["event"] == "unexpected"]
    assert [line["request_id"] for line in told] == [number[1]] and "the secret inside" in told[0]["exception"]
    assert PASSWORD not in str(lines)


def test_the_log_names_the_request_and_nothing_that_was_typed(
        client: Browser, log: Callable[[], list[Any]], accounts: dict[str, Account]) -> None:
    log()
    client.sign_in("leader")
    client.get("/account?search=typed-by-a-person")
    lines = log()
    last = [line for line in lines if line["event"] == "request"][-1]
    assert last["endpoint"] == "accounts.show" and last["status"] == 200 and last["ip"] == "127.0.0.1"
    assert last["account"] == accounts["leader"].id and last["level"] == "info" and last["timestamp"].endswith("Z")
    for typed in (PASSWORD, "typed-by-a-person", client.cookie or "?", "csrf_token"):
        assert typed not in str(lines)


# -- for those who run it ------------------------------------------------------------------------------------


def test_a_sick_database_makes_us_unready_and_leaves_us_alive(
        client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").status_code == 200

    def gone(_database: object) -> None:
        raise OSError("no answer from 10.0.0.7")
    monkeypatch.setattr("web.observability.ping", gone)
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json and answer.json["checks"]["database"] == "OSError"
    assert "10.0.0.7" not in answer.text and client.get("/healthz").status_code == 200


def test_figures_are_for_loopback_or_for_the_bearer_of_the_token(
        client: Browser, settings: configuration.Settings, clock: MovableClock) -> None:
    client.sign_in("leader", "wrong")
    figures = client.get("/metrics").text
    assert 'wujian_sign_ins_total{outcome="refused"} 1.0' in figures and "wujian_request_seconds_bucket" in figures
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "192.0.2.1"}).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 403  # by a proxy beside us
    guarded = create_app(settings.model_copy(update={"metrics_token": SecretStr("a-token")}), clock=clock,
                         passwords=quick_passwords())
    browser = guarded.test_client()
    assert browser.get("/metrics").status_code == 403
    assert browser.get("/metrics", headers={"Authorization": "Bearer a-token"}).status_code == 200
    guarded.extensions["wujian"].database.close()


def test_a_busy_database_asks_to_come_again(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_args: object, **_kwargs: object) -> None:
        raise Busy("locked")
    token = client.csrf
    monkeypatch.setattr("web.accounts.context.accounts", busy)
    answer = client.post("/sign-in", data={"csrf_token": token, "login": "leader", "password": PASSWORD})
    assert answer.status_code == 503 and answer.headers["Retry-After"]


def test_an_untrusted_host_gets_no_page(client: Browser) -> None:
    answer = client.get("/sign-in", headers={"Host": "evil.example"})
    assert answer.status_code == 400 and "evil" not in answer.text and "href" not in answer.text


def test_what_is_too_large_is_refused(client: Browser) -> None:
    token = client.csrf
    answer = client.post("/sign-in", data={"csrf_token": token, "login": "x" * (3 * 1024 * 1024)})
    assert answer.status_code == 413


def test_programs_and_page_parts_get_their_own_kind_of_refusal(client: Browser) -> None:
    told = client.get("/nowhere", headers={"Accept": "application/json"})
    assert told.status_code == 404 and told.json and told.json["error"] == 404 and told.json["reference"]
    part = client.get("/account", headers={"HX-Request": "true"})
    assert part.status_code == 401 and "<html" not in part.text and "wj-notice" in part.text


@pytest.mark.parametrize("typed, kept", [
    ("秦岭\u202e建材\u200b检验有限公司", "秦岭建材检验有限公司"), ("秦岭建材\r\nBcc: a@b.c", "秦岭建材 Bcc: a@b.c"),
    ("\u3164\u200b", None), ("秦岭😀检验", None), ("秦岭\uf06d检验", None)])
def test_the_name_of_an_agency_is_what_one_sees(client: Browser, house: House, typed: str, kept: str | None) -> None:
    """Nothing hidden, and nothing that could not be printed on its certificate."""
    answer = client.send("/register", **{**TYPED, "agency_name": typed})
    assert answer.status_code == (303 if kept else 422)
    if kept:
        assert house.accounts.find("qinling").agency_name == kept  # type: ignore[union-attr]


def test_an_expired_form_gives_back_what_was_typed_without_secrets(client: Browser) -> None:
    answer = client.post("/register", data={**TYPED, "csrf_token": "stale"})
    assert answer.status_code == 400 and "秦岭建材检验有限公司" in answer.text and PASSWORD not in answer.text
