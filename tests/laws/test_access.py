"""Every address of the application: who may knock, what a forged form meets, what an answer carries."""
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule as Address
from werkzeug.test import TestResponse

from tests.web.browsers import Browser
from web import access
from web.context import House
from web.security import HEADERS
from workflow.vocabulary import Role

ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
PASSING = frozenset({"session", "throttle"})  # tables that a mere visit may write
ClientOf = Callable[[Role | str], Browser]


def addresses(app: Flask, *, safe: bool) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, path) of every address, its variables filled with what fits their converter."""
    with app.test_request_context("/"):
        for rule in app.url_map.iter_rules():
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                if (method in access.SAFE) == safe:
                    yield rule.endpoint, method, _filled(app, rule)


def _filled(app: Flask, rule: Address) -> str:
    fitting = {"IntegerConverter": 1, "UUIDConverter": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "FloatConverter": 1.0}
    values: dict[str, Any] = {
        name: fitting.get(type(converter).__name__, "x") for name, converter in rule._converters.items()}
    for name, converter in rule._converters.items():
        if type(converter).__name__ == "AnyConverter":
            values[name] = sorted(converter.items)[0]  # type: ignore[attr-defined]
    if rule.endpoint == "static":
        values["filename"] = "css/tokens.css"
    built = app.url_map.bind("localhost").build(rule.endpoint, values, append_unknown=False)
    return str(built)


def digest(house: House) -> dict[str, str]:
    """Table -> a digest of its rows, but for those that a visit may write."""
    found = {}
    with house.database.reading() as connection:
        names = [row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            if name not in PASSING:
                rows = sorted(map(repr, connection.exec_driver_sql(f'SELECT * FROM "{name}"')))
                found[name] = hashlib.sha256("".join(rows).encode()).hexdigest()
    return found


def turned_away(answer: TestResponse) -> bool:
    """To the sign-in page, or told to sign in, or forbidden."""
    answer.close()
    return answer.status_code in (401, 403) or "/sign-in" in answer.headers.get("Location", "")


# -- the table -----------------------------------------------------------------------------------------------


def test_every_endpoint_has_a_rule_and_every_rule_an_endpoint(app: Flask) -> None:
    assert set(app.view_functions) <= set(access.ACCESS)
    ours = {endpoint for endpoint in access.ACCESS if endpoint.partition(".")[0] in app.blueprints}
    assert ours <= set(app.view_functions)


def test_no_endpoint_both_reads_and_changes(app: Flask) -> None:
    for endpoint, methods in access.methods_of(app).items():
        assert methods <= access.SAFE or not methods & access.SAFE, endpoint


@pytest.mark.parametrize(("methods", "granted"), [(["GET"], False), (["GET", "POST"], True)])
def test_an_application_that_breaks_the_table_does_not_start(
        methods: list[str], granted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Flask("planted")
    monkeypatch.setattr(access, "ACCESS", {"static": access.Rule(public=True)})
    access.require_complete(app)
    app.add_url_rule("/planted", "planted", lambda: "x", methods=methods)
    if granted:
        access.grant_access("planted", public=True)
    with pytest.raises(access.AccessIncomplete, match="planted"):
        access.require_complete(app)


def test_an_endpoint_that_slipped_in_later_is_closed_to_all(app: Flask, client_of: ClientOf, client: Browser) -> None:
    app.add_url_rule("/planted", "planted", lambda: "opened")
    for browser in (client, client_of(Role.LEADER), client_of(Role.ADMINISTRATOR)):
        assert turned_away(browser.get("/planted"))


@pytest.mark.parametrize("grant", [
    {}, {"public": True, "signed_in": True}, {"roles": [Role.LEADER], "public": True}, {"roles": []}])
def test_a_rule_says_one_thing(grant: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "ACCESS", {})
    with pytest.raises(access.AccessIncomplete):
        access.grant_access("planted", **grant)


def test_two_different_rules_for_one_endpoint_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "ACCESS", {})
    access.grant_access("planted", signed_in=True)
    access.grant_access("planted", signed_in=True)
    with pytest.raises(access.AccessIncomplete):
        access.grant_access("planted", public=True)


# -- who knocks ----------------------------------------------------------------------------------------------


def test_nobody_gets_past_a_door_that_is_not_public(app: Flask, client: Browser) -> None:
    tried = 0
    for endpoint, method, path in [*addresses(app, safe=True), *addresses(app, safe=False)]:
        if not access.ACCESS[endpoint].public:
            tried += 1
            answer = client.open(path, method=method)
            assert turned_away(answer), (endpoint, answer.status_code)
    assert tried


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_past_no_door_of_others(role: Role, app: Flask, client_of: ClientOf) -> None:
    browser, token = client_of(role), None
    for safe in (True, False):
        for endpoint, method, path in addresses(app, safe=safe):
            if access.allowed(access.ACCESS[endpoint], frozenset({role})):
                continue
            token = token or browser.csrf
            answer = browser.open(path, method=method, data=None if safe else {"csrf_token": token})
            assert answer.status_code == 403, (endpoint, role, answer.status_code)


def test_an_account_without_a_role_gets_past_no_door_that_asks_for_one(
        app: Flask, client_of: ClientOf, house: House, accounts: dict[str, Any]) -> None:
    browser = client_of(Role.LEADER)
    house.accounts.set_roles(accounts["leader"].id, [])
    for endpoint, method, path in addresses(app, safe=True):
        if access.ACCESS[endpoint].roles:
            answer = browser.open(path, method=method)
            assert answer.status_code == 403, endpoint


# -- what reading does ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [None, *ROLES])
def test_no_address_that_is_read_changes_anything(
        role: Role | None, app: Flask, client: Browser, client_of: ClientOf, house: House) -> None:
    browser = client_of(role) if role else client
    before = digest(house)
    for endpoint, method, path in addresses(app, safe=True):
        for asked in (method, "HEAD"):
            answer = browser.open(path, method=asked)
            answer.close()
            assert answer.status_code < 500, (endpoint, answer.status_code)
    assert digest(house) == before


# -- forged forms --------------------------------------------------------------------------------------------


def _doors(app: Flask, role: Role) -> list[tuple[str, str, str]]:
    return [door for door in addresses(app, safe=False)
            if access.allowed(access.ACCESS[door[0]], frozenset({role}))]


@pytest.mark.parametrize("role", ROLES)
def test_no_form_is_taken_without_the_token_of_its_session(
        role: Role, app: Flask, client: Browser, client_of: ClientOf, house: House) -> None:
    browser, foreign = client_of(role), client.csrf
    before = digest(house)
    for endpoint, method, path in _doors(app, role):
        for data in ({}, {"csrf_token": ""}, {"csrf_token": foreign}, {"csrf_token": "x" * 5000}):
            answer = browser.open(path, method=method, data=data)
            assert answer.status_code == 400, (endpoint, data, answer.status_code)
        assert browser.open(path, method=method, json={"csrf_token": foreign}).status_code == 400
    assert digest(house) == before


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost.evil.example"}])
def test_no_form_is_taken_from_another_site_even_with_the_token(
        headers: dict[str, str], app: Flask, client_of: ClientOf, house: House) -> None:
    browser = client_of(Role.LEADER)
    token, before = browser.csrf, digest(house)
    for endpoint, method, path in _doors(app, Role.LEADER):
        answer = browser.open(path, method=method, data={"csrf_token": token}, headers=headers)
        assert answer.status_code == 403, endpoint
    assert digest(house) == before


def test_the_token_of_before_signing_in_is_worth_nothing_after(client: Browser) -> None:
    before = client.csrf
    client.sign_in("leader")
    assert client.post("/account/sessions/end", data={"csrf_token": before}).status_code == 400


# -- what every answer carries -------------------------------------------------------------------------------


def test_every_answer_carries_the_headers(app: Flask, client: Browser, client_of: ClientOf) -> None:
    leader = client_of(Role.LEADER)
    doors = [(method, path) for safe in (True, False) for _endpoint, method, path in addresses(app, safe=safe)]
    doors += [("GET", "/nowhere"), ("DELETE", "/sign-in"), ("GET", "/static/nowhere.css"), ("POST", "/nowhere")]
    for browser in (client, leader):
        for method, path in doors:
            answer = browser.open(path, method=method)
            answer.close()
            where = (method, path, answer.status_code)
            assert answer.headers["X-Content-Type-Options"] == "nosniff", where
            if path.startswith("/static/") and answer.status_code == 200:
                continue
            for name in HEADERS:
                assert name in answer.headers, (*where, name)
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy and "frame-ancestors" in policy, where
            assert answer.headers["X-Request-ID"], where
            if not path.startswith("/static/"):
                kept = answer.headers["Cache-Control"]
                assert "no-store" in kept or "private" in kept, where


def test_no_page_holds_script_or_style_in_its_text(app: Flask, client: Browser, client_of: ClientOf) -> None:
    for browser in (client, client_of(Role.LEADER), client_of(Role.ADMINISTRATOR), client_of(Role.APPLICANT)):
        for _endpoint, method, path in addresses(app, safe=True):
            answer = browser.open(path, method=method)
            if answer.mimetype == "text/html":
                page = answer.text
                for inline in ("<style", " style=", " onclick=", " onload=", "javascript:"):
                    assert inline not in page, (path, inline)
            answer.close()
