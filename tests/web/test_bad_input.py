"""Nonsense over HTTP, in every address and every field of every form: refused in words, nothing lost, never a 5xx.

The forms are taken from the pages themselves, as each account of the world is shown them, so a new page is asked too.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import escape
from werkzeug.test import TestResponse

from tests.web.browsers import Browser
from tests.web.pageforms import PageForm, encoded, forms_of
from tests.web.test_access_matrix import VIEWERS, Addresses, Viewer
from tests.web.world import World, built_world, the_clock, the_settings, the_world  # noqa: F401
from web.cast import PASSWORD

LONG = "长" * 10_000
NONSENSE: Mapping[str, str] = {
    "nothing": "", "blanks": "  \t ", "too long": LONG, "a null": "a\x00b", "bidi controls": "a\u202eb\u2066c",
    "2^63": str(2**63), "negative": "-1", "a fraction": "1.5", "exponent": "1e400", "not a number": "NaN",
    "other digits": "\u0661\u0662", "SQL": "' OR 1=1; DROP TABLE \"case\"; --", "HTML": "<script>alert(1)</script>",
    "a template": "{{ 7*7 }}${7*7}%s%(x)s", "a path": "../../../etc/passwd", "no such day": "2026-02-30",
    "a far day": "99999-01-01", "a list": "[1, 2]", "an emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "unassigned": "\U000e0fff\ufffe", "line ends": "a\r\nSet-Cookie: b=c\r\n\r\n<html>",
}
PARAMETERS = ("after", "search", "q", "show", "standing", "warned", "table", "severity", "code", "state", "role",
              "next", "on", "lang", "procedure", "track", "overdue", "check", "status")
ASKING = tuple(v for v in VIEWERS if v.login not in ("north.colleague", "south", "pingshen2", "nobody",
                                                     "bumen.public-security"))
CHINESE = re.compile(r"[\u4e00-\u9fff]{4}")


@dataclass(frozen=True)
class Found:
    """A form as one account is shown it on one page."""

    page: str
    form: PageForm

    @property
    def address(self) -> str:
        """The address with what names an object left out, so that the same form of two cases is one."""
        return re.sub(r"/[A-Za-z0-9_-]{22}(?=/|$)", "/*", urlsplit(self.form.action).path)


Signed = Callable[[Viewer], Browser]


@pytest.fixture
def signed(app: Flask) -> Signed:
    """A browser of an account; the anonymous one has none."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.testing = False  # what goes wrong is answered as in service, not raised into the test

    def make(viewer: Viewer) -> Browser:
        browser = app.test_client()
        assert isinstance(browser, Browser)
        if viewer.login:
            assert browser.sign_in(viewer.login, PASSWORD).status_code == 303
        return browser
    return make


def pages(app: Flask, world: World) -> Iterator[str]:
    seen = set()
    for visit in Addresses(app, world):
        if visit.method == "GET" and not visit.missing and visit.path not in seen:
            seen.add(visit.path)
            yield visit.path
    for name in ("north.submitted", "north.correction_requested", "north.rectification_ordered",
                 "north.awaiting_decision", "north.granted", "north.commitment_draft"):
        thing = world.things[name]
        for act in ("request_correction", "refuse_to_accept", "grant", "refuse", "print_certificate",
                    "organise_review"):
            yield f"/cases/{thing.public_id}/actions/{act}"
        for page in ("corrections", "rectification", "commitment", "track", "retraction"):
            yield f"/applications/{thing.public_id}/{page}"


def forms_shown(app: Flask, world: World, browser: Browser) -> list[Found]:
    """Every kind of form that this account is shown anywhere, once."""
    found: dict[tuple[str, tuple[str, ...]], Found] = {}
    for page in pages(app, world):
        answer = browser.get(page)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for form in forms_of(answer.text, page):
                if form.method == "post" and "sign-out" not in form.action:
                    each = Found(page, form)
                    found.setdefault((each.address, tuple(sorted(form.names))), each)
        answer.close()
    by_address: dict[str, Found] = {}
    for each in found.values():  # of variants of one form the one with the most fields
        kept = by_address.get(each.address)
        if kept is None or len(each.form.names) > len(kept.form.names):
            by_address[each.address] = each
    return list(by_address.values())


def wrong_with(answer: TestResponse, about: Any) -> list[Any]:
    """What an answer to nonsense must not be: an error of ours, or a refusal without words."""
    if answer.status_code >= 500:
        return [(about, answer.status_code)]
    if 400 <= answer.status_code < 500 and answer.mimetype == "text/html":
        words = re.sub(r"<[^>]+>", " ", answer.text)
        if not CHINESE.search(words):
            return [(about, answer.status_code, "says nothing in the reader's language")]
        if "<script>alert(1)" in answer.text:
            return [(about, "the text came back as markup")]
    return []


def send(browser: Browser, found: Found, changes: Mapping[str, Any]) -> TestResponse:
    body, media_type = encoded(found.form.with_(changes))
    return browser.post(found.form.action, data=body, content_type=media_type)


@pytest.mark.parametrize("viewer", ASKING, ids=str)
def test_nonsense_in_any_field_of_any_form_is_refused_in_words_and_kept(
        viewer: Viewer, app: Flask, world: World, signed: Signed) -> None:
    browser, wrong, asked = signed(viewer), [], 0
    for found in forms_shown(app, world, browser):
        for name in found.form.names:
            if name == "csrf_token" or name in found.form.files or found.form.names.index(name) > 30:
                continue
            for kind, value in NONSENSE.items():
                if "password" in found.address and kind == "too long":
                    continue  # refused by its length; asked once elsewhere
                answer = send(browser, found, {name: value})
                asked += 1
                about = (found.address, name, kind)
                wrong += wrong_with(answer, about)
                if (answer.status_code == 422 and _is_typed(found, name) and kind in ("SQL", "HTML", "a template")
                        and str(escape(value)) not in answer.text):
                    wrong.append((about, "what was typed is not on the page any more"))
                answer.close()
                if answer.status_code == 401 or answer.status_code == 429:
                    browser = signed(viewer)
    assert not wrong, "\n".join(map(str, wrong[:40]))
    assert asked or viewer.login in ("guanli",)


def _is_typed(found: Found, name: str) -> bool:
    """A field in which people write, and not one that only carries a value along."""
    hidden = ("password", "command_id", "expected_version", "revision", "next", "old", "new", "again", "press",
              "notice_version", "text_sha256", "login", "lines-", "selection")
    return name not in found.form.choices and not any(word in name for word in hidden)


@pytest.mark.parametrize("viewer", ASKING, ids=str)
def test_nonsense_in_any_address_is_no_such_page(viewer: Viewer, app: Flask, world: World, signed: Signed) -> None:
    browser, wrong = signed(viewer), []
    with app.test_request_context("/"):
        rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.arguments]
    thing = world.things["north.under_review" if viewer.kind != "applicant" else "north.draft"]
    for rule in rules:
        for name in rule.arguments:
            for kind, value in NONSENSE.items():
                path = re.sub(r"<(?:[^:<>]*:)?([a-z_]+)>", lambda m, n=name, v=value: (
                    quote(v[:2000] or " ", safe="") if m[1] == n else
                    {"public_id": thing.public_id, "version": "1", "ordinal": "1"}.get(m[1], "capability")), rule.rule)
                answer = browser.get(path)
                wrong += wrong_with(answer, (rule.endpoint, name, kind))
                if answer.status_code == 200 and kind in ("2^63", "negative", "SQL", "a null"):
                    wrong.append(((rule.endpoint, name, kind), "found"))
                answer.close()
    assert not wrong, "\n".join(map(str, wrong[:40]))


@pytest.mark.parametrize("viewer", [ASKING[1], ASKING[2], ASKING[-3]], ids=str)
def test_nonsense_in_the_query_of_any_page_is_borne(
        viewer: Viewer, app: Flask, world: World, signed: Signed) -> None:
    browser, wrong = signed(viewer), []
    kinds = list(NONSENSE.items())
    for number, page in enumerate(pages(app, world)):
        for offset, parameter in enumerate(PARAMETERS):
            kind, value = kinds[(number + offset * 5) % len(kinds)]
            answer = browser.get(f"{page}?{parameter}={quote(value[:2000])}")
            wrong += wrong_with(answer, (page, parameter, kind))
            answer.close()
        if number > 120:
            break
    assert not wrong, "\n".join(map(str, wrong[:40]))


@pytest.mark.parametrize("viewer", [ASKING[1], ASKING[2], ASKING[5]], ids=str)
def test_what_is_no_form_at_all_is_refused(viewer: Viewer, app: Flask, world: World, signed: Signed) -> None:
    browser, wrong = signed(viewer), []
    token = browser.csrf
    boundary = "multipart/form-data; boundary=x"
    bodies: list[tuple[str, bytes, str]] = [
        ("JSON", b'{"login": ["a"], "note": {"a": 1}}', "application/json"), ("bad JSON", b"{", "application/json"),
        ("bad multipart", b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nabc', boundary),
        ("no boundary", b"abc", "multipart/form-data"), ("empty multipart", b"", boundary),
        ("not UTF-8", f"csrf_token={token}&note=%ff%fe%00".encode(), "application/x-www-form-urlencoded"),
        ("surrogates", f"csrf_token={token}&note=%ed%a0%80".encode(), "application/x-www-form-urlencoded"),
        ("another type", b"abc", "text/plain"), ("many fields", b"&".join(b"a%d=1" % n for n in range(6000)),
                                                 "application/x-www-form-urlencoded"),
    ]
    for found in forms_shown(app, world, browser):
        for kind, body, media_type in bodies:
            for headers in ({}, {"X-CSRFToken": token}):
                answer = browser.post(found.form.action, data=body, content_type=media_type, headers=headers)
                wrong += wrong_with(answer, (found.address, kind, bool(headers)))
                answer.close()
        every = {name: ["1", "2", "<b>"] for name in found.form.names if name != "csrf_token"}
        answer = send(browser, found, every)
        wrong += wrong_with(answer, (found.address, "every field three times"))
        answer.close()
    assert not wrong, "\n".join(map(str, wrong[:40]))


COLUMNS = ("state", "track", "round", "version", "agency_id", "agency_name", "subject", "facts", "acts", "clocks",
           "due_on", "number", "procedure", "parent_id", "opened_at", "submitted_at", "closed_at", "role", "roles",
           "owner_id", "person_id", "is_admin", "department", "active", "standing", "sha256", "status", "uscc_",
           "public_id", "id")


def test_fields_that_a_form_does_not_have_change_nothing(app: Flask, world: World, signed: Signed) -> None:
    """The same form is sent with and without them; the case, the account and the agency come out alike."""
    house = app.extensions["wujian"]
    extra = {name: "planted" if name not in ("version", "id", "agency_id", "parent_id") else "77" for name in COLUMNS}
    outcomes = []
    with house.database.reading() as connection:
        watched = {table: connection.exec_driver_sql(f'SELECT * FROM "{table}" LIMIT 0').keys()
                   for table in ("case", "account", "account_role", "agency", "person", "certificate")}
    for viewer in ASKING:
        browser = signed(viewer)
        for found in forms_shown(app, world, browser):
            if "sessions/end" in found.address or "account" in found.address:
                continue
            answer = send(browser, found, {name: v for name, v in extra.items() if name not in found.form.names})
            outcomes.append(answer.status_code)
            assert answer.status_code < 500, found
            answer.close()
    with house.database.reading() as connection:
        for table, names in watched.items():
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"'):
                planted = [name for name, value in zip(names, row, strict=True) if value == "planted" or value == 77]
                assert not planted, (table, planted)
    assert len(outcomes) > 30


def test_random_text_in_random_fields_never_breaks_a_page(app: Flask, world: World, signed: Signed) -> None:
    offered = []
    for viewer in ASKING[:7]:
        browser = signed(viewer)
        offered += [(browser, found) for found in forms_shown(app, world, browser) if "password" not in found.address
                    and "confirm" not in found.address and "sign-in" not in found.address]
    text = st.text(st.characters(), max_size=200) | st.sampled_from(sorted(NONSENSE.values())) | st.dates().map(str)

    @settings(max_examples=400, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        browser, found = data.draw(st.sampled_from(offered))
        names = [name for name in found.form.names if name not in found.form.files and name != "csrf_token"]
        chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)) if names else []
        changes = {name: data.draw(st.lists(text, min_size=1, max_size=2)) for name in chosen}
        try:
            answer = send(browser, found, changes)
        except UnicodeEncodeError:
            return  # half a surrogate pair cannot even be sent
        assert not wrong_with(answer, (found.address, changes))
        answer.close()
    ask()
