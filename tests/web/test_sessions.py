"""Sessions as browsers meet them: nothing planted, kept or copied opens anything (ASVS 7.2.4, 7.4.1-7.4.3)."""
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

import app as root
import configuration
from store.people import Account
from tests.store.factories import MovableClock
from tests.web.browsers import PASSWORD, Browser, quick_passwords
from web.context import House
from workflow.vocabulary import Role

OTHER = "Another-Horse-8"
ClientOf = Callable[[Role | str], Browser]


def copy_of(app: Flask, browser: Browser) -> Browser:
    """Another browser that has stolen the cookie."""
    thief = app.test_client()
    assert isinstance(thief, Browser) and browser.cookie
    thief.set_cookie("session", browser.cookie)
    return thief


def is_in(browser: Browser) -> bool:
    answer = browser.get("/account")
    assert answer.status_code in (200, 302)
    return answer.status_code == 200


def rows(house: House) -> int:
    with house.database.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM session").scalar() or 0)


def test_a_planted_identifier_is_not_signed_in_with(app: Flask, client: Browser) -> None:
    client.get("/sign-in")
    victim = copy_of(app, client)  # the attacker's anonymous session, planted in the victim's browser
    planted = victim.cookie
    assert victim.sign_in("leader").status_code == 303
    assert victim.cookie != planted and is_in(victim) and not is_in(client)


def test_an_identifier_of_one_s_own_making_is_never_taken(client: Browser) -> None:
    client.set_cookie("session", "A" * 43)
    assert not is_in(client)
    client.get("/sign-in")
    assert client.cookie != "A" * 43


def test_signing_out_ends_every_copy(app: Flask, client_of: ClientOf, house: House) -> None:
    mine = client_of(Role.LEADER)
    thief = copy_of(app, mine)
    answer = mine.send("/sign-out")
    assert answer.status_code == 303 and "session=;" in answer.headers["Set-Cookie"]
    assert not is_in(mine) and not is_in(thief)
    assert rows(house) == 0


Ending = Callable[[House, int], Any]
ENDINGS: dict[str, Ending] = {
    "deactivated": lambda house, one: house.accounts.deactivate(one),
    "password set by an administrator": lambda house, one: house.accounts.set_password(one, OTHER),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_session_ends_with_what_it_stood_on(
        ending: str, client_of: ClientOf, house: House, accounts: dict[str, Account]) -> None:
    browser = client_of(Role.LEADER)
    assert is_in(browser)
    ENDINGS[ending](house, accounts["leader"].id)
    assert not is_in(browser)


def test_changing_the_password_keeps_this_browser_under_a_new_identifier_and_no_other(
        app: Flask, client_of: ClientOf) -> None:
    mine, elsewhere = client_of(Role.LEADER), client_of(Role.LEADER)
    thief = copy_of(app, mine)
    answer = mine.send("/account/password", old=PASSWORD, new=OTHER, again=OTHER)
    assert answer.status_code == 303
    assert is_in(mine) and not is_in(thief) and not is_in(elsewhere)
    assert mine.send("/sign-out").status_code == 303
    assert mine.sign_in("leader", PASSWORD).status_code == 422
    assert mine.sign_in("leader", OTHER).status_code == 303


def test_a_role_taken_away_is_gone_at_the_next_request(
        client_of: ClientOf, house: House, accounts: dict[str, Account]) -> None:
    browser = client_of(Role.LEADER)
    assert "负责人" in browser.get("/account").text or "Leader" in browser.get("/account?lang=en").text
    house.accounts.set_roles(accounts["leader"].id, [])
    page = browser.get("/account?lang=en").text
    assert "Leader" not in page


def test_confirming_one_s_identity_changes_the_identifier(app: Flask, client_of: ClientOf, house: House) -> None:
    mine = client_of(Role.LEADER)
    thief, token = copy_of(app, mine), mine.csrf
    answer = mine.post("/account/confirm", data={"csrf_token": token, "password": PASSWORD, "next": "/account"})
    assert answer.status_code == 303 and answer.headers["Location"] == "/account"
    assert is_in(mine) and not is_in(thief)
    kept = house.sessions.find(mine.cookie or "")
    assert kept and kept.reauthenticated_at == house.database.clock.now()
    assert mine.csrf == token  # forms open in other windows can still be sent


def test_a_wrong_password_confirms_nothing(client_of: ClientOf, house: House) -> None:
    mine = client_of(Role.LEADER)
    before = mine.cookie
    assert mine.send("/account/confirm", password=OTHER).status_code == 422
    kept = house.sessions.find(mine.cookie or "")
    assert kept and mine.cookie == before and kept.reauthenticated_at is None


def test_a_confirmation_holds_five_minutes(client_of: ClientOf, app: Flask, clock: MovableClock) -> None:
    from web import context

    mine = client_of(Role.LEADER)

    def confirmed() -> bool:
        with app.test_request_context("/", headers={"Cookie": f"session={mine.cookie}"}):
            return context.reauthenticated()
    assert not confirmed()  # signing in is not confirming
    mine.send("/account/confirm", password=PASSWORD)
    assert confirmed()
    clock.move(minutes=4, seconds=59)
    assert confirmed()
    clock.move(seconds=1)
    assert not confirmed()


def test_five_wrong_confirmations_rest_the_account(
        client_of: ClientOf, house: House, accounts: dict[str, Account]) -> None:
    mine = client_of(Role.LEADER)
    for _ in range(5):
        assert mine.send("/account/confirm", password=OTHER).status_code == 422
    assert mine.send("/account/confirm", password=PASSWORD).status_code == 422
    assert house.accounts.get(accounts["leader"].id).locked_until is not None


def test_use_keeps_a_session_alive_and_rest_ends_it(client_of: ClientOf, clock: MovableClock) -> None:
    browser = client_of(Role.LEADER)
    for _ in range(4):
        clock.move(minutes=29)
        assert is_in(browser)
    clock.move(minutes=30)
    assert not is_in(browser)


def test_reading_pages_writes_the_row_once_a_minute(
        client_of: ClientOf, house: House, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, touched = client_of(Role.LEADER), []
    keep = house.sessions.touch
    monkeypatch.setattr(type(house.sessions), "touch", lambda _self, key: (touched.append(key), keep(key)))
    for _ in range(3):
        browser.get("/account")
    clock.move(seconds=60)
    for _ in range(3):
        browser.get("/account")
    assert len(touched) == 1


@pytest.mark.parametrize("path", [
    "/", "/healthz", "/readyz", "/metrics", "/nowhere", "/design", "/static/css/tokens.css"])
def test_whoever_only_reads_leaves_no_session(path: str, client: Browser, house: House) -> None:
    answer = client.get(path)
    answer.close()
    assert "Set-Cookie" not in answer.headers and rows(house) == 0


def test_an_expired_cookie_is_taken_away(client_of: ClientOf, clock: MovableClock) -> None:
    browser = client_of(Role.LEADER)
    clock.move(hours=9)
    browser.get("/account")
    assert browser.cookie is None


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Browser) -> None:
    client.get("/sign-in")
    kept = client.get_cookie("session")
    assert kept and kept.http_only and kept.same_site == "Lax" and kept.path == "/" and kept.origin_only
    assert kept.max_age is None and kept.expires is None  # gone with the browser


def test_on_https_the_cookie_is_bound_to_the_host(settings: configuration.Settings, clock: MovableClock) -> None:
    secure = root.create_app(settings.model_copy(update={"public_origin": "https://cma.example"}), clock=clock,
                             passwords=quick_passwords())
    answer = secure.test_client().get("/sign-in", base_url="https://cma.example")
    named = answer.headers["Set-Cookie"]
    assert named.startswith("__Host-session=") and "Secure" in named and "Domain" not in named
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    secure.extensions["wujian"].database.close()


def test_one_can_see_and_end_one_s_other_sessions(client_of: ClientOf) -> None:
    mine, elsewhere, somebody = client_of(Role.LEADER), client_of(Role.LEADER), client_of(Role.INSPECTOR)
    assert mine.get("/account").text.count("<li>") >= 2
    assert mine.send("/account/sessions/end").status_code == 303
    assert is_in(mine) and not is_in(elsewhere) and is_in(somebody)


def test_two_people_in_one_process_never_see_each_other(client_of: ClientOf) -> None:
    first, second = client_of("applicant"), client_of("applicant.other")
    for _ in range(3):
        assert "经办 applicant<" in first.get("/account").text.replace("\n", "")
        assert "经办 applicant.other" in second.get("/account").text
        assert "applicant.other" not in first.get("/account").text
