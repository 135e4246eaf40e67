"""The application with one account for every role, and browsers that are signed in."""
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

import app as root
import configuration
from store.people import Account
from tests.services import databases
from tests.store import factories
from tests.store.factories import MovableClock
from tests.web.applying import desk  # noqa: F401  # a fixture of the applicant's tests
from tests.web.browsers import PASSWORD, Browser, quick_passwords
from web.context import House
from workflow.vocabulary import OF_A_DEPARTMENT, Role

ROLES = tuple(role for role in Role if role is not Role.SYSTEM)
SECRET = "the key of a test, long enough and of no use elsewhere"
AGENCIES = {"applicant": "91610100MA6U00005J", "applicant.other": "91610100MA6U00013D"}


def login_of(role: Role) -> str:
    return role.value.replace("_", ".")


def settle(url: str) -> None:
    """Reference data, two agencies with an applicant each, and one official for every role."""
    factories.seeded(url)
    settings = configuration.Settings(database_url=url, secret_key=SECRET, var=Path(url.rpartition("/")[0][10:]))
    house = root.open_house(settings, clock=MovableClock(), passwords=quick_passwords())
    for login, uscc in AGENCIES.items():
        house.accounts.register_agency(
            uscc=uscc, agency_name=f"云岭检测 {login}", division="610102", address="示范路 1 号", legal_person="高原",
            phone="13800000000", email="a@agency.example", login=login, password=PASSWORD, name=f"经办 {login}")
    for role in ROLES:
        if role is not Role.APPLICANT:
            house.accounts.add_account(
                login_of(role), PASSWORD, name=f"官员 {role.value}", roles=[role],
                department="ecology" if role in OF_A_DEPARTMENT else None)
    house.database.close()


@pytest.fixture
def clock() -> MovableClock:
    """Monday, 2 March 2026, nine in the morning; it moves only when told."""
    return MovableClock()


@pytest.fixture(scope="session")
def _peopled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.sqlite_template(tmp_path_factory.mktemp("peopled") / "peopled.sqlite3", settle)


@pytest.fixture
def settings(tmp_path: Path, _peopled: Path) -> configuration.Settings:
    """Settings of an installation of this test alone, its database with an account for every role."""
    return configuration.load(
        var=tmp_path, database_url=databases.sqlite_copy(_peopled, tmp_path / "web.sqlite3"), secret_key=SECRET,
        embedded_worker=False)


@pytest.fixture
def app(settings: configuration.Settings, clock: MovableClock) -> Any:
    """The whole application under the movable clock; passwords are checked quickly."""
    made = root.create_app(settings, clock=clock, passwords=quick_passwords())
    made.test_client_class = Browser
    yield made
    made.extensions["wujian"].database.close()


@pytest.fixture
def house(app: Flask) -> House:
    """The stores behind the application."""
    found: House = app.extensions["wujian"]
    return found


@pytest.fixture
def accounts(house: House) -> dict[str, Account]:
    """Every account by its sign-in name: window.officer, leader, ..., applicant, applicant.other."""
    return {account.login: account for account in house.accounts.list_()}


@pytest.fixture
def client(app: Flask) -> Browser:
    """A browser that is not signed in."""
    browser = app.test_client()
    assert isinstance(browser, Browser)
    return browser


@pytest.fixture
def client_of(app: Flask) -> Callable[[Role | str], Browser]:
    """`client_of(Role.LEADER)` or `client_of("applicant.other")`: a new browser, signed in by the page."""
    def sign_in(who: Role | str) -> Browser:
        browser = app.test_client()
        assert isinstance(browser, Browser)
        answer: TestResponse = browser.sign_in(login_of(who) if isinstance(who, Role) else who)
        assert answer.status_code == 303, answer.text
        return browser
    return sign_in
