"""The command line: `wujian migrate`, `seed`, `serve`, ... Other modules add theirs (see `web.COMMANDS`).

    from web.commands import installation, wujian

    @wujian.command()
    @installation
    def doctor(place: Installation) -> None:
        house = place.house()
"""
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import click
from flask import Flask

import configuration
import web
from configuration import ConfigurationRefused, Settings
from store import database as databases
from store.accounts import SignInRefused
from store.reference import seed as seed_reference
from web import serving
from web.cast import MARK, accounts_in_words
from web.context import House
from web.observability import configure_logging
from workflow.vocabulary import Refusal


@dataclass
class Installation:
    """What a command works on. The composition root hands in how a house is opened; nothing is opened until
    a command asks."""

    open_house: Callable[..., House]
    create_app: Callable[[Settings], Flask]
    start_worker: Callable[[House], Callable[[], None]]
    run_worker: Callable[[House, str, bool], int]
    work_off: Callable[[House], list[str]]
    _opened: list[House] = field(default_factory=list)
    _settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """The settings of this installation. Ends the program with every reason if they cannot be used."""
        if self._settings is None:
            try:
                self._settings = configuration.load()
            except ConfigurationRefused as refused:
                raise click.ClickException("these settings cannot be used:\n  " + "\n  ".join(refused.reasons)) \
                    from refused
            configure_logging(self._settings)
        return self._settings

    def house(self, *, any_schema: bool = False) -> House:
        """The stores, opened once; closed when the command ends. Ends the program on another schema than ours."""
        if not self._opened:
            self._opened.append(self.open_house(self.settings))
            if not any_schema and (problem := databases.schema_problem(self._opened[0].database)):
                raise click.ClickException(f"{problem}; run `./run wujian migrate` first")
        return self._opened[0]

    def close(self) -> None:
        while self._opened:
            self._opened.pop().database.close()


installation = click.make_pass_decorator(Installation)


class _Plainly(click.Group):
    """A refusal is one sentence for people and exit code 1, not a trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            raise click.ClickException(str(refusal.reason)) from refusal
        except (SignInRefused, databases.Busy) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Plainly)
@click.pass_obj
@click.pass_context
def wujian(ctx: click.Context, place: Installation) -> None:
    """Wujian 五减: qualification approval from application to certificate. Settings: docs/operations.md."""
    ctx.call_on_close(place.close)


def command_line() -> click.Group:
    """The whole command line, with what the other modules add: by `wujian.command`, or as a tuple `COMMANDS`
    of commands that want nothing but the settings."""
    for name in web.COMMANDS:
        for command in getattr(import_module(name), "COMMANDS", ()):
            if command.name not in wujian.commands:
                wujian.add_command(_given_settings(command))
    return wujian


def _given_settings(command: click.Command) -> click.Command:
    """The command with the settings where it looks for them: `click.pass_obj`."""
    inner = command.callback
    assert inner is not None

    def callback(*args: Any, **kwargs: Any) -> Any:
        context = click.get_current_context()
        context.obj = context.obj.settings
        return inner(*args, **kwargs)
    command.callback = callback
    return command


@wujian.command()
@installation
def migrate(place: Installation) -> None:
    """Bring the database to the newest schema."""
    databases.migrate(place.settings.database)
    click.echo("The database is at the newest schema.")


@wujian.command()
@installation
def seed(place: Installation) -> None:
    """Put the reference data in: calendars, allowances, divisions, standards. Can be repeated."""
    seed_reference(place.house().database)
    place.house().reference.put_setting("bureau", place.settings.bureau)
    place.house().laws.forget()
    click.echo("The reference data is in.")


@wujian.command()
@click.option("--port", type=click.IntRange(1, 65535), help="another port than the setting says")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True,
              help="web processes; more than one needs PostgreSQL and WUJIAN_EMBEDDED_WORKER=false")
@installation
def serve(place: Installation, port: int | None, processes: int) -> None:
    """Serve the pages, and run the jobs in the same process unless workers do."""
    settings = place.settings
    if port:
        settings = settings.model_copy(update={"port": port})
    if reasons := configuration.check_at_start(settings):
        raise click.ClickException("cannot start:\n  " + "\n  ".join(reasons))
    if processes > 1 and settings.database.startswith("sqlite"):
        raise click.ClickException("several processes need PostgreSQL: set WUJIAN_DATABASE_URL=postgresql://..., "
                                   "or serve with one process, whose threads answer side by side")
    if processes > 1 and settings.embedded_worker:
        raise click.ClickException("several processes would each run jobs: set WUJIAN_EMBEDDED_WORKER=false and "
                                   "start `wujian worker` beside them")
    serving.run(settings, place.create_app, place.start_worker, processes, _demonstration(place))


def _demonstration(place: Installation) -> str:
    """The accounts to try the demonstration with, if this installation has been given one."""
    shown = not place.settings.is_production and place.house().reference.setting(MARK) is not None
    place.close()  # no connection may cross the fork
    return accounts_in_words() if shown else ""


@wujian.command()
@click.option("--name", "--slot", "name", default="", help="how this worker is called in the list of workers")
@click.option("--once", is_flag=True, help="stop when no job is waiting")
@installation
def worker(place: Installation, name: str, once: bool) -> None:
    """Run jobs: render, notify, sweep the clock. Stops at SIGTERM after the job in hand."""
    done = place.run_worker(place.house(), name, once)
    if once:
        click.echo(f"{done} jobs done.")
