"""Accounts by the command line: each command does to the account that is named what it says."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

import configuration
from store.accounts import SignInRefused
from tests.store.factories import MovableClock
from tests.web.browsers import PASSWORD
from web.commands import Installation, command_line
from web.context import House

Run = Callable[..., Result]
OTHER = "Another-Horse-8"


@pytest.fixture
def run(settings: configuration.Settings, house: House, clock: MovableClock) -> Run:
    """`run("unlock", "leader")`: one command on accounts, in the installation that `house` is open on."""

    def nothing(*_: object) -> None:
        raise AssertionError("no command on accounts serves or works")

    place = Installation(lambda _: house, nothing, nothing, nothing, nothing, _settings=settings)  # type: ignore[arg-type]
    return lambda *arguments, **more: CliRunner().invoke(command_line(), ["account", *arguments], obj=place, **more)


def signs_in(house: House, login: str, password: str = PASSWORD) -> bool:
    try:
        house.accounts.authenticate(login, password)
    except SignInRefused:
        return False
    return True


def test_an_account_is_added_and_listed(run: Run, house: House) -> None:
    done = run("add", "new.leader", "--name", "新领导", "--role", "leader", "--password", OTHER)
    assert done.exit_code == 0, done.output
    assert signs_in(house, "new.leader", OTHER)
    lines = {line.split("\t")[0]: line.split("\t") for line in run("list", "--role", "leader").output.splitlines()}
    assert set(lines) == {"leader", "new.leader"} and lines["new.leader"][1:3] == ["新领导", "leader"]


def test_a_closed_account_is_opened_again(run: Run, house: House) -> None:
    assert run("close", "leader").exit_code == 0 and not signs_in(house, "leader")
    assert "leader\t官员 leader\tleader\t-\t-\tclosed" in run("list").output
    assert run("reopen", "leader").exit_code == 0 and signs_in(house, "leader")


def test_another_password_is_the_only_one(run: Run, house: House) -> None:
    assert run("password", "leader", "--password", OTHER).exit_code == 0
    assert signs_in(house, "leader", OTHER) and not signs_in(house, "leader")


def test_a_locked_account_is_unlocked(run: Run, house: House) -> None:
    while not ((found := house.accounts.find("leader")) and found.locked_until):
        signs_in(house, "leader", "wrong")
    assert not signs_in(house, "leader") and "resting" in run("list", "--role", "leader").output
    assert run("unlock", "leader").exit_code == 0 and signs_in(house, "leader")


def test_roles_are_set(run: Run, house: House) -> None:
    assert run("roles", "leader", "--role", "inspector", "--role", "issuing_clerk").exit_code == 0
    found = house.accounts.find("leader")
    assert found is not None and set(found.roles) == {"inspector", "issuing_clerk"}


@pytest.mark.parametrize("command", [["unlock"], ["close"], ["reopen"], ["roles"], ["password", "--password", OTHER]])
def test_an_account_that_is_not_there_is_said(run: Run, command: list[str]) -> None:
    done = run(command[0], "nobody", *command[1:])
    assert done.exit_code == 1 and "there is no account nobody" in done.output
