"""Every address x every account x every kind of object: who is let in, who is told "no such page", what may change.

What is expected stands here, in a table of its own made from what the roles are for. It never asks web/access.py
or store/scope.py, so a grant that is wrong there is found here.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.routing import Rule as Address
from werkzeug.test import TestResponse

from store import scope
from store.backup import table_digests
from tests.web.browsers import Browser
from tests.web.world import Thing, World, built_world, the_clock, the_settings, the_world  # noqa: F401
from web import access
from web.access import Rule
from web.cast import PASSWORD
from web.context import House
from workflow import procedures
from workflow.vocabulary import Role

# -- who is who ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Viewer:
    """An account of the world, by what it is. `agency` for applicants."""

    login: str
    kind: str
    agency: str = ""

    def __str__(self) -> str:
        return self.login or "anonymous"


VIEWERS = (
    Viewer("", "anonymous"),
    Viewer("north", "applicant", "north"),
    Viewer("north.colleague", "applicant", "north"),
    Viewer("south", "applicant", "south"),
    Viewer("chuangkou", "window_officer"),
    Viewer("zuzhi", "review_organiser"),
    Viewer("zuzhang", "reviewer"),         # leads the team of every case that has one
    Viewer("pingshen1", "reviewer"),       # is on it
    Viewer("pingshen2", "reviewer"),       # is not
    Viewer("bumen.ecology", "department"),         # named by every hand-made case
    Viewer("bumen.public-security", "department"),  # by none of them
    Viewer("fuze.construction", "department leader"),  # of a department that every hand-made case names
    Viewer("lingdao", "leader"),
    Viewer("zhizheng", "issuing_clerk"),
    Viewer("hecha", "inspector"),
    Viewer("guanli", "administrator"),
    Viewer("nobody", "no role"),
)
OFFICIALS = frozenset({"window_officer", "review_organiser", "reviewer", "department", "department leader", "leader",
                       "issuing_clerk", "inspector", "administrator"})
SEES_EVERYTHING_FILED = frozenset({"window_officer", "review_organiser", "leader", "issuing_clerk", "inspector"})
EVERYBODY = frozenset(viewer.kind for viewer in VIEWERS)
SIGNED_IN = EVERYBODY - {"anonymous"}

# -- which door is for whom ----------------------------------------------------------------------------------

DOORS: Mapping[str, frozenset[str]] = {
    "static": EVERYBODY, "design": EVERYBODY, "home": EVERYBODY, "observability": EVERYBODY, "verify": EVERYBODY,
    "accounts": SIGNED_IN, "accounts.sign_in": EVERYBODY, "accounts.enter": EVERYBODY,
    "accounts.register": EVERYBODY, "accounts.enrol": EVERYBODY,
    "desks": SIGNED_IN, "documents": SIGNED_IN,
    "cases": OFFICIALS, "cases.act": SIGNED_IN, "cases.send": SIGNED_IN, "rows": OFFICIALS, "findings": OFFICIALS,
    "applications": frozenset({"applicant"}), "uploads": frozenset({"applicant"}), "uploads.download": SIGNED_IN,
    "joint": frozenset({"applicant"}), "holdings": frozenset({"applicant"}), "annexes": frozenset({"applicant"}),
    "certificates": frozenset({"issuing_clerk"}), "certificates.download": SIGNED_IN,
    "administration": frozenset({"administrator"}), "calendars": frozenset({"administrator"}),
     "jobs": frozenset({"administrator"}),
    "procedures": OFFICIALS, "delegations": OFFICIALS,
    "bulk": OFFICIALS,
    "hand_overs": frozenset({"administrator", "review_organiser"}), "places": OFFICIALS,
    "drafts": frozenset({"administrator"}), "migrations": frozenset({"administrator"}),
    "replays": frozenset({"administrator"}), "stories": OFFICIALS,
}
APPLICANT_PAGES = frozenset({"applications", "joint", "uploads", "annexes"})
ABOUT_A_CASE = frozenset({"cases", "places", "rows", "findings", "documents", "applications", "joint", "uploads",
                          "annexes"})

# Which pages answer a visible case otherwise than with 200, and how. Everything else must be 200.
MOVED, NOT_NOW = frozenset({200, 302}), frozenset({200, 302, 409})
ELSEWHERE: Mapping[str, frozenset[int]] = {
    "cases.act": frozenset({200, 302, 403, 404, 409}),  # 404: no such action in this procedure
    "rows.show": frozenset({200, 403, 404, 409}),
    "rows.export": frozenset({200, 403, 404}),
    "findings.show": frozenset({200, 404}),
    "applications.form": MOVED, "applications.receipt": MOVED, "uploads.reading": MOVED,
    "applications.commitment": NOT_NOW, "applications.rectification": NOT_NOW, "applications.retraction": NOT_NOW,
    "applications.certificate": frozenset({200, 404}),  # 404: before the delivery
    "joint.show": frozenset({404}),  # 404: only where several licences are applied for together
    "annexes.rows": frozenset({404}),  # rows of an annex are chosen only where a dossier file asks for them
    "procedures.model": frozenset({200, 404}),  # 404: no procedure of that name
}
REFUSED = frozenset({403, 404, 409, 422})  # 422: a file that is not even there to be judged

# The acts, and who takes them: "team" is whoever is on the team of the case, "head" who leads it, "asked" the
# departments that it asks.
ACTS: Mapping[str, str] = {
    **dict.fromkeys(("choose_commitment_track", "return_to_general_track", "sign_commitment", "submit",
                     "submit_on_commitment", "resubmit", "retract", "submit_rectification"), "applicant"),
    **dict.fromkeys(("accept", "pass_formal_check", "request_correction", "refuse_to_accept"), "window_officer"),
    **dict.fromkeys(("record_findings", "confirm_rows"), "team"),
    **dict.fromkeys(("conclude_meets", "conclude_with_rectification", "conclude_does_not_meet", "find_true",
                     "find_basically_true", "find_untrue", "confirm_rectification", "reject_rectification",
                     "except_what_was_not_rectified"), "head"),
    **dict.fromkeys(("grant", "grant_on_commitment", "refuse", "ask_departments_again", "annul", "do_not_annul",
                     "close_without_certificate"), "leader"),
    **dict.fromkeys(("print_certificate", "deliver"), "issuing_clerk"),
    **dict.fromkeys(("record_rendering", "deem_accepted", "deem_accepted_on_commitment", "join_sign_offs",
                     "fail_rectification_by_lapse"), "the system"),
    "organise_review": "review_organiser", "organise_verification": "inspector", "sign_off": "asked",
    "no_such_act": "nobody at all",
    # the verbs, and what the other procedures know besides
    **dict.fromkeys(("remind_by_applicant", "comment_by_applicant", "resubmit_back_to_accepted"), "applicant"),
    **dict.fromkeys(("remind_by_officer", "comment_by_officer", "copy"), "officials"),
    **dict.fromkeys(("pass_formal_check_back_to_awaiting_decision", "transfer_by_window_officer",
                     "consult_by_window_officer", "stop_consulting_by_window_officer"), "window_officer"),
    **dict.fromkeys(("add_signer", "remove_signer", "return_to_accepted", "return_to_correction_requested",
                     "return_to_under_review_by_review_organiser", "transfer_by_review_organiser",
                     "consult_by_review_organiser", "stop_consulting_by_review_organiser"), "review_organiser"),
    **dict.fromkeys(("transfer_by_department_officer", "consult_by_department_officer",
                     "stop_consulting_by_department_officer"), "department"),
    **dict.fromkeys(("close_sign_off", "extend_decision", "grant_cancellation", "suspend", "resume",
                     "return_to_submitted", "return_to_under_review", "return_to_under_review_by_leader",
                     "transfer_by_leader", "consult_by_leader", "stop_consulting_by_leader"), "leader"),
    **dict.fromkeys(("conclude_meets_back_to_awaiting_sign_off", "conclude_meets_back_to_awaiting_decision",
                     "conclude_does_not_meet_back_to_awaiting_decision", "recall_conclude_meets",
                     "recall_conclude_does_not_meet", "recall_confirm_rectification", "recall_reject_rectification",
                     "recall_except_what_was_not_rectified"), "head"),
    **dict.fromkeys(("decide_on_documents", "deem_renewed", "file_directly", "note_silence", "take_commitment",
                     "take_checked_commitment"), "the system"),
    "transfer_by_issuing_clerk": "issuing_clerk", "advise": "whoever was asked",
    # licences that are applied for together; who decides one is told by tests/web/test_joint_licences.py
    **dict.fromkeys(("take_review", "go_alone", "fall_with_the_application", "deliver_with_the_others",
                     "leave_the_common_delivery", "note_the_time_for_naming_is_over", "release_undecided",
                     "note_result", "note_separation", "results_come_together", "nothing_is_left_to_review"),
                    "the system"),
    **dict.fromkeys(("review_alone", "conclude_alone", "conclude_alone_does_not_meet", "recall_conclude_alone",
                     "recall_conclude_alone_does_not_meet"), "review_organiser"),
    **dict.fromkeys(("transfer_by_department_leader", "consult_by_department_leader",
                     "stop_consulting_by_department_leader"), "department leader"),
    **dict.fromkeys(("decide_separately", "extend_joint_handling", "return_to_reviewing_alone"), "leader"),
    "nominate_experts": "department", "deliver_together": "issuing_clerk",
}
CASES = ("north.draft", "north.filed", "north.under_review", "north.awaiting_sign_off", "north.closed",
         "north.verification", "south.draft", "south.under_review", "south.closed")


def audience(endpoint: str) -> frozenset[str]:
    """The kinds of account that may knock. Raises AssertionError for a door that nobody has thought about."""
    found = DOORS.get(endpoint, DOORS.get(endpoint.partition(".")[0]))
    assert found is not None, f"{endpoint}: say in DOORS of this test for whom the page is"
    return found


def sees(viewer: Viewer, thing: Thing) -> bool:
    """Whether a case exists for this account."""
    if viewer.kind == "applicant":
        return viewer.agency == thing.agency
    return thing.filed and (viewer.kind in SEES_EVERYTHING_FILED or viewer.login in thing.parts)


def may_act(viewer: Viewer, thing: Thing, who: str) -> bool:
    if who == "applicant":
        return viewer.kind == "applicant" and viewer.agency == thing.agency
    if who == "head":
        return viewer.login == "zuzhang" and viewer.login in thing.parts
    if who in ("team", "asked"):
        return viewer.kind == ("reviewer" if who == "team" else "department") and viewer.login in thing.parts
    if who == "officials":
        return viewer.kind in OFFICIALS
    return viewer.kind == who


# -- addresses -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """One address with its variables filled in, and which case it is about, if any."""

    endpoint: str
    method: str
    path: str
    thing: Thing | None = None
    act: str = ""
    missing: bool = False  # something in the address does not exist, or belongs to another case


NONE_SUCH = Thing("none such", "nobody", False, "AAAAAAAAAAAAAAAAAAAAAA", None, "", 1, frozenset(), True, (), (), ())


class Addresses:
    """Fills every rule of the map with every object of the world that it can be about."""

    def __init__(self, app: Flask, world: World) -> None:
        self.app, self.world = app, world
        self.things = (*(world.things[name] for name in CASES), NONE_SUCH)

    def __iter__(self) -> Iterator[Visit]:
        with self.app.test_request_context("/"):
            for rule in self.app.url_map.iter_rules():
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                    yield from self._filled(rule, method)

    def _filled(self, rule: Address, method: str) -> Iterator[Visit]:
        family = rule.endpoint.partition(".")[0]
        for values, thing, missing in self._objects(rule, family):
            acts = ACTS if rule.endpoint == "cases.send" else ("accept", "sign_off", "confirm_rows", "no_such_act")
            for act in acts if "name" in rule.arguments and rule.endpoint in ("cases.send", "cases.act") else ("",):
                filled = {**{name: self._fitting(rule, name) for name in rule.arguments}, **values,
                          **({"name": act} if act else {})}
                yield Visit(rule.endpoint, method, _build(rule, filled), thing, act, missing)

    def _objects(self, rule: Address, family: str) -> Iterator[tuple[dict[str, Any], Thing | None, bool]]:
        if rule.endpoint == "holdings.show":
            for thing in self.things:
                for public_id, _, _ in thing.certificates:
                    yield {"public_id": public_id}, thing, False
            yield {"public_id": NONE_SUCH.public_id}, NONE_SUCH, False
        elif rule.endpoint == "certificates.download":
            for thing in self.things:
                for public_id, _, _ in thing.certificates:
                    yield {"public_id": public_id, "version": 1}, thing, False
            yield {"public_id": NONE_SUCH.public_id, "version": 1}, NONE_SUCH, False
        elif family == "documents":
            for thing in self.things:
                for public_id in thing.documents or (NONE_SUCH.public_id,):
                    yield {"public_id": public_id}, thing, not thing.documents
        elif "upload" in rule.arguments:
            foreign = self.world.things["south.draft"].uploads[0]
            for thing in self.things:
                for upload in (*thing.uploads[:2], "AAAAAAAAAAAAAAAAAAAAAA", foreign):
                    yield {"public_id": thing.public_id, "upload": upload}, thing, upload not in thing.uploads
        elif "public_id" in rule.arguments:
            for thing in self.things:
                yield {"public_id": thing.public_id}, thing, False
        elif family == "verify" and "code" in rule.arguments:
            yield {"code": self.world.things["south.closed"].certificates[0][2]}, None, False
            yield {"code": NONE_SUCH.public_id}, None, True
        elif family == "migrations" and "migration" in rule.arguments:
            yield {"migration": NONE_SUCH.public_id}, None, True
        elif family == "stories":
            yield {}, None, True
        elif family == "replays" and "replay" in rule.arguments:
            yield {"replay": NONE_SUCH.public_id}, None, True
        elif "role" in rule.arguments:
            for role in Role:
                yield {"role": role.value.replace("_", "-")}, None, False
        else:
            yield {}, None, False

    def _fitting(self, rule: Address, name: str) -> Any:
        """Something that exists, for the variables that name no object."""
        known = {"public_id": NONE_SUCH.public_id, "section": "overview", "table": "capability", "name": "equipment",
                 "code": "site_documents", "ordinal": 1, "version": 1, "job_id": self.world.batch,
                 "filename": "css/tokens.css", "upload": NONE_SUCH.public_id, "role": "leader", "verb": "schedule",
                 "migration": NONE_SUCH.public_id, "replay": NONE_SUCH.public_id, "key": "none_such",
                 "procedure": "cma", "year": 2026}
        if rule.endpoint.startswith(("procedures.", "drafts.", "migrations.", "replays.", "stories.")):
            known["name"] = "cma"
        assert name in known, f"{rule.endpoint}: say in _fitting of this test what fits <{name}>"
        return known[name]


def _build(rule: Address, values: Mapping[str, Any]) -> str:
    built = rule.build(values, append_unknown=False)
    assert built is not None, (rule.endpoint, values)
    return str(built[1])


# -- what is expected ----------------------------------------------------------------------------------------


def expected_reading(viewer: Viewer, visit: Visit) -> frozenset[int]:
    """The statuses that a page may answer this account with."""
    family = visit.endpoint.partition(".")[0]
    if viewer.kind not in audience(visit.endpoint):
        return frozenset({302} if viewer.kind == "anonymous" else {403})
    if visit.endpoint in ("certificates.download", "holdings.show"):
        allowed = visit.thing is not NONE_SUCH and visit.thing is not None and (
            viewer.kind in OFFICIALS or viewer.kind == "applicant" and viewer.agency == visit.thing.agency)
        return frozenset({200} if allowed else {404})
    if family in ABOUT_A_CASE and visit.thing is not None:
        if visit.missing or not sees(viewer, visit.thing):
            return frozenset({404})
        if family in APPLICANT_PAGES and not visit.thing.is_application:
            return frozenset({200, 302, 404, 409})
        return ELSEWHERE.get(visit.endpoint, frozenset({200}))
    if visit.endpoint in ("desks.show", "bulk.show"):
        return frozenset({200, 404})
    if visit.endpoint == "desks.start":
        return frozenset({403} if viewer.kind == "no role" else {302})
    if visit.endpoint in ("accounts.sign_in", "accounts.register", "home.show"):
        return frozenset({200} if viewer.kind == "anonymous" else {302})
    if visit.missing:
        return frozenset({404})
    return frozenset({200})


def entitled(viewer: Viewer, visit: Visit) -> bool:
    """Whether this account might change something here: then the answer is told elsewhere, by the tests of acts."""
    family, thing = visit.endpoint.partition(".")[0], visit.thing
    if viewer.kind not in audience(visit.endpoint):
        return False
    if thing is None:
        return True
    if visit.missing or not sees(viewer, thing):
        return False
    if family in APPLICANT_PAGES:
        return True
    if family == "delegations":  # the addresses of cases lead to no delegation
        return False
    if family in ("rows", "findings"):
        return may_act(viewer, thing, "team")
    return may_act(viewer, thing, ACTS[visit.act])


# -- looking at the database ---------------------------------------------------------------------------------


class Watch:
    """Says whether any row changed since it was last asked, sessions and counters of visits aside.

    SQLite's own mark of a foreign write is asked first; only where it moved are the tables compared.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self._raw = sqlite3.connect(house.settings.database.removeprefix("sqlite:///"))
        self._mark, self._digests = self._moved(), self._tables()

    def _moved(self) -> int:
        return int(self._raw.execute("PRAGMA data_version").fetchone()[0])

    def _tables(self) -> dict[str, Any]:
        with self.house.database.reading() as connection:
            return table_digests(connection)

    def changed(self) -> list[str]:
        mark = self._moved()
        if mark == self._mark:
            return []
        before, self._digests, self._mark = self._digests, self._tables(), mark
        return [name for name, found in self._digests.items() if found != before[name]]

    def close(self) -> None:
        self._raw.close()


@pytest.fixture
def watch(house: House) -> Iterator[Watch]:
    made = Watch(house)
    yield made
    made.close()


BrowserOf = Callable[[Viewer], Browser]


@pytest.fixture
def browser_of(app: Flask) -> BrowserOf:
    """A browser, signed in by the page unless it is to be anonymous."""
    def make(viewer: Viewer) -> Browser:
        browser = app.test_client()
        assert isinstance(browser, Browser)
        if viewer.login:
            answer = browser.sign_in(viewer.login, PASSWORD)
            assert answer.status_code == 303, answer.text
        return browser
    return make


def leaks(viewer: Viewer, answer: TestResponse, world: World) -> list[str]:
    """What this account can read of an agency that it must not know."""
    hidden = {agency for agency in world.canaries if agency != viewer.agency}
    if viewer.kind not in ("applicant", "no role"):
        return []
    body = answer.get_data()
    return [text for agency in hidden for text in world.canaries[agency] if text.encode() in body]


def unexpected_readings(viewer: Viewer, browser: Browser, visits: Iterator[Visit], world: World,
                        watch: Watch) -> tuple[int, list[Any]]:
    """How many addresses were read, and which answers were not those of the table."""
    tried, wrong = 0, []
    watch.changed()
    for visit in visits:
        if visit.method != "GET":
            continue
        answer = browser.open(visit.path)
        tried += 1
        where = (visit.endpoint, visit.thing.name if visit.thing else "", visit.act or visit.path)
        if answer.status_code not in expected_reading(viewer, visit):
            wrong.append((*where, answer.status_code, "expected", sorted(expected_reading(viewer, visit))))
        if DOORS.get(visit.endpoint.partition(".")[0]) is not EVERYBODY and (told := leaks(viewer, answer, world)):
            wrong.append((*where, "tells", told))
        if changed := watch.changed():
            wrong.append((*where, "changed", changed))
        answer.close()
    return tried, wrong


# -- the matrix ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewer", VIEWERS, ids=str)
def test_every_page_answers_every_account_as_the_table_says_and_changes_nothing(
        viewer: Viewer, app: Flask, world: World, browser_of: BrowserOf, watch: Watch) -> None:
    tried, wrong = unexpected_readings(viewer, browser_of(viewer), iter(Addresses(app, world)), world, watch)
    assert not wrong, "\n".join(map(str, wrong[:40]))
    assert tried > 250


@pytest.mark.parametrize("viewer", VIEWERS, ids=str)
def test_nobody_changes_what_is_not_theirs_to_change(
        viewer: Viewer, app: Flask, world: World, browser_of: BrowserOf, watch: Watch) -> None:
    browser, tried, wrong = browser_of(viewer), 0, []
    token = browser.csrf
    watch.changed()
    for visit in Addresses(app, world):
        if visit.method == "GET" or entitled(viewer, visit):
            continue
        seen = visit.thing.version if visit.thing else 1
        answer = browser.open(visit.path, method=visit.method, data={
            "csrf_token": token, "command_id": str(uuid4()), "expected_version": str(seen), "sure": "y",
            "password": PASSWORD, "verdict": "agree", "press": "confirm_every"})
        tried += 1
        where = (visit.endpoint, visit.thing.name if visit.thing else "", visit.act, answer.status_code)
        if viewer.kind == "anonymous":
            right = frozenset({401})
        elif viewer.kind not in audience(visit.endpoint):
            right = frozenset({403})
        elif visit.thing and not sees(viewer, visit.thing):
            right = frozenset({404})
        else:
            right = REFUSED
        if answer.status_code not in right:
            wrong.append((*where, "expected", sorted(right)))
        if changed := watch.changed():
            wrong.append((*where, "changed", changed))
        if told := leaks(viewer, answer, world):
            wrong.append((*where, "tells", told))
    assert not wrong, "\n".join(map(str, wrong[:40]))
    assert tried > 30


@pytest.mark.parametrize("viewer", [v for v in VIEWERS if v.kind != "anonymous"], ids=str)
def test_no_door_of_an_account_takes_a_form_without_the_token_of_its_session(
        viewer: Viewer, app: Flask, world: World, browser_of: BrowserOf, watch: Watch) -> None:
    browser, other = browser_of(viewer), browser_of(VIEWERS[0])
    foreign, seen = other.csrf, set()
    watch.changed()
    for visit in Addresses(app, world):
        if visit.method == "GET" or viewer.kind not in audience(visit.endpoint) or visit.endpoint in seen:
            continue
        seen.add(visit.endpoint)
        for fields in ({}, {"csrf_token": foreign}):
            answer = browser.open(visit.path, method=visit.method, data=fields)
            assert answer.status_code == 400, (visit.endpoint, fields, answer.status_code)
    assert watch.changed() == [] and seen


# -- the table itself ----------------------------------------------------------------------------------------


def test_every_door_has_been_thought_about(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        assert audience(rule.endpoint)


def test_a_door_that_nobody_thought_about_is_found(app: Flask) -> None:
    with pytest.raises(AssertionError, match="for whom the page is"):
        audience("planted.show")


def test_an_endpoint_without_an_access_rule_fails_the_start(app: Flask) -> None:
    app.view_functions["planted.show"] = lambda: ""
    with pytest.raises(access.AccessIncomplete, match=r"planted\.show"):
        access.require_complete(app)


def test_every_act_of_the_procedures_is_in_the_table() -> None:
    assert {action.name for procedure in procedures.every() for action in procedure.actions} <= set(ACTS)


def test_a_grant_to_the_wrong_people_is_found(
        app: Flask, world: World, browser_of: BrowserOf, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(access.ACCESS, "certificates.index", Rule(signed_in=True))
    viewer = VIEWERS[3]
    visits = (v for v in Addresses(app, world) if v.endpoint == "certificates.index")
    _, wrong = unexpected_readings(viewer, browser_of(viewer), visits, world, watch)
    assert wrong


def test_a_case_shown_to_people_without_a_part_in_it_is_found(
        app: Flask, world: World, browser_of: BrowserOf, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import true

    from store import cases, casework

    def everything(_actor: Any) -> Any:
        return true()
    for module in (scope, cases, casework):
        if hasattr(module, "visible_to"):
            monkeypatch.setattr(module, "visible_to", everything)
    viewer = next(v for v in VIEWERS if v.login == "pingshen2")  # on no team
    visits = (v for v in Addresses(app, world) if v.endpoint == "documents.download")
    _, wrong = unexpected_readings(viewer, browser_of(viewer), visits, world, watch)
    assert any("expected" in each for each in wrong)


def test_a_page_that_changes_something_is_found(
        app: Flask, world: World, browser_of: BrowserOf, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    from store.jobs import JobQueue

    house: House = app.extensions["wujian"]

    def planted(**_: Any) -> str:
        JobQueue(house.database).add("planted", {})
        return "read"
    monkeypatch.setitem(app.view_functions, "cases.timeline", planted)
    viewer = VIEWERS[4]
    visits = (v for v in Addresses(app, world)
              if v.endpoint == "cases.timeline" and v.thing and v.thing.filed)
    _, wrong = unexpected_readings(viewer, browser_of(viewer), visits, world, watch)
    assert any("changed" in each for each in wrong)


# -- what is taken away is gone ------------------------------------------------------------------------------

OWN_PAGE = {"issuing_clerk": "/certificates"}


@pytest.mark.parametrize("viewer", [v for v in VIEWERS if v.kind in OFFICIALS], ids=str)
def test_a_role_taken_away_is_gone_at_the_next_request(
        viewer: Viewer, app: Flask, world: World, browser_of: BrowserOf, house: House, watch: Watch) -> None:
    browser = browser_of(viewer)
    token = browser.csrf
    thing = next((t for t in world.things.values() if sees(viewer, t)), None)
    account = house.accounts.find(viewer.login)
    assert account is not None
    [desk] = {f"/desk/{role.value.replace('_', '-')}" for role in sorted(account.roles)[:1]}
    own = OWN_PAGE.get(viewer.kind, desk)
    assert browser.get(own).status_code == 200
    if thing:
        assert browser.get(f"/cases/{thing.public_id}").status_code == 200
    house.accounts.set_roles(account.id, [])
    watch.changed()
    assert browser.get(own).status_code in (403, 404)
    assert browser.get("/desk").status_code == 403
    if thing:
        assert browser.get(f"/cases/{thing.public_id}").status_code == 403
        for act in ACTS:
            fields = {"csrf_token": token, "command_id": str(uuid4()), "expected_version": str(thing.version)}
            assert browser.post(f"/cases/{thing.public_id}/actions/{act}", data=fields).status_code == 404
    assert watch.changed() == []


@pytest.mark.parametrize("viewer", [v for v in VIEWERS if v.login and v.kind != "no role"], ids=str)
def test_a_closed_account_is_out_at_the_next_request(
        viewer: Viewer, app: Flask, world: World, browser_of: BrowserOf, house: House, watch: Watch) -> None:
    browser = browser_of(viewer)
    token, account = browser.csrf, house.accounts.find(viewer.login)
    assert account is not None and browser.get("/account").status_code == 200
    house.accounts.deactivate(account.id)
    watch.changed()
    for visit in Addresses(app, world):
        if visit.thing is world.things["north.under_review"] or visit.thing is None:
            if audience(visit.endpoint) is EVERYBODY:
                continue
            answer = browser.open(visit.path, method=visit.method, data={"csrf_token": token} if visit.method == "POST"
                                  else None)
            assert answer.status_code == (302 if visit.method == "GET" else 401), visit
    assert watch.changed() == []
