"""Accounts by the command line: the way in that no lock-out and no lost password can close."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from store.people import Account
from web.commands import Installation, installation, wujian
from workflow.vocabulary import Role

ROLES = click.Choice([role.value for role in Role if role is not Role.SYSTEM])


@wujian.group()
def account() -> None:
    """Add, list, unlock and close accounts."""


def _named(place: Installation, login: str) -> Account:
    found = place.house().accounts.find(login)
    if found is None:
        raise click.ClickException(f"there is no account {login}: `wujian account list` shows all")
    return found


def _on_one(work: Callable[..., None]) -> click.Command:
    """A command on one account, which is named first: `work` gets the installation, the account and its own options."""

    @account.command()
    @click.argument("login")
    @installation
    @wraps(work)
    def command(place: Installation, login: str, **asked: Any) -> None:
        work(place, _named(place, login), **asked)

    return command


@account.command("list")
@click.option("--role", type=ROLES)
@installation
def list_(place: Installation, role: str | None) -> None:
    """Every account: sign-in name, person, roles, and whether it is closed or resting."""
    at = place.house().database.clock.now()
    for one in place.house().accounts.list_(role=Role(role) if role else None):
        state = "closed" if not one.active else "resting" if one.locked_until and one.locked_until > at else "open"
        click.echo("\t".join((one.login, one.name, ",".join(sorted(one.roles)), one.department or "-",
                              one.agency_name or "-", state)))


@account.command()
@click.argument("login")
@click.option("--name", required=True, help="the person's name")
@click.option("--role", "roles", type=ROLES, multiple=True, required=True, help="may be given several times")
@click.option("--department", help="the key of the department, for its officers, leaders and experts")
@click.option("--email")
@click.password_option(help="asked for when not given")
@installation
def add(place: Installation, login: str, name: str, roles: tuple[str, ...], department: str | None,
        email: str | None, password: str) -> None:
    """Add an official's account. Agencies register themselves."""
    place.house().accounts.add_account(login, password, name=name, roles=[Role(role) for role in roles],
                                       department=department, email=email)
    click.echo(f"{login} can sign in.")


@_on_one
def unlock(place: Installation, named: Account) -> None:
    """End the rest after wrong passwords."""
    place.house().accounts.unlock(named.id)
    click.echo(f"{named.login} can try again.")


@_on_one
@click.password_option()
def password(place: Installation, named: Account, password: str) -> None:
    """Give an account another password; its sessions end."""
    place.house().accounts.set_password(named.id, password)
    click.echo(f"{named.login} has another password and was signed out everywhere.")


@_on_one
def close(place: Installation, named: Account) -> None:
    """Close an account; its sessions end, what it did stays."""
    place.house().accounts.deactivate(named.id)
    click.echo(f"{named.login} is closed.")


@_on_one
def reopen(place: Installation, named: Account) -> None:
    """Open a closed account again."""
    place.house().accounts.reactivate(named.id)
    click.echo(f"{named.login} can sign in again.")


@_on_one
@click.option("--role", "roles", type=ROLES, multiple=True, help="every role it is to hold")
def roles(place: Installation, named: Account, roles: tuple[str, ...]) -> None:
    """Set the roles of an account; they hold from its next request on."""
    place.house().accounts.set_roles(named.id, [Role(role) for role in roles])
    click.echo(f"{named.login}: {', '.join(roles) or 'no role'}")
