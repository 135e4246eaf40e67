"""The composition root: opens what an installation has, and puts it into the application or the command line."""
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

from flask import Flask
from jinja2 import StrictUndefined

import configuration
import web
from configuration import ROOT, Settings
from jobs import worker
from store.accounts import AccountStore, SignInPolicy
from store.cases import CaseStore
from store.database import Clock, Database
from store.files import FileStore
from store.law import LawBook
from store.passwords import Passwords
from store.reference import Reference
from store.sessions import SessionLimits, SessionStore
from store.throttles import ThrottleStore
from web import access, context, errors, language, observability, security
from web.commands import Installation, command_line
from web.context import House
from web.sessions import ServerSessions
from workflow import dossiers


def open_house(settings: Settings, *, clock: Clock | None = None, passwords: Passwords | None = None) -> House:
    """Open the stores of an installation. Nothing is read yet; the schema is there after `wujian migrate`.

    A test or a rehearsal brings its own clock, and passwords that are quicker to check.
    """
    database = Database(settings.database, clock)
    laws = LawBook(database)
    return House(
        settings=settings, database=database, laws=laws, cases=CaseStore(database, laws),
        accounts=AccountStore(
            database, passwords=passwords, identity_key=settings.secret,
            policy=SignInPolicy(settings.sign_in_failures, timedelta(minutes=settings.sign_in_rest_minutes))),
        sessions=SessionStore(database, SessionLimits(
            timedelta(minutes=settings.session_idle_minutes),
            timedelta(minutes=settings.administrator_idle_minutes), timedelta(hours=settings.session_hours))),
        throttles=ThrottleStore(database), files=FileStore(settings.file_store, **settings.file_store_options),
        reference=Reference(database))


def create_app(settings: Settings | None = None, *, clock: Clock | None = None,
               passwords: Passwords | None = None) -> Flask:
    """The web application over an opened house.

    Raises ConfigurationRefused, and AccessIncomplete where an endpoint has no access rule.
    """
    settings = settings or configuration.load()
    app = Flask("wujian", root_path=str(ROOT))
    house = open_house(settings, clock=clock, passwords=passwords)
    app.extensions["wujian"] = house
    app.debug = settings.debug
    app.config.update(BUREAU_NAME=settings.bureau_name, TEMPLATES_AUTO_RELOAD=settings.debug)
    app.session_interface = ServerSessions(house.sessions, secure=settings.origin.startswith("https://"))
    app.jinja_env.undefined = StrictUndefined
    observability.register(app)
    security.register(app, settings)
    errors.register(app)
    language.register(app)
    context.register(app)
    for name in web.BLUEPRINTS:
        module = import_module(name)
        register = getattr(module, "register", None)
        register(app) if register else app.register_blueprint(module.bp)
    access.require_complete(app)
    dossiers.every()  # a wrong file is refused now, with its line, and not on somebody's page
    return app


def start_worker(house: House) -> Callable[[], None]:
    """Run the jobs in threads of this process; what is returned stops them."""
    return worker.start(house)


def run_worker(house: House, name: str, once: bool) -> int:
    """Run the jobs until SIGTERM, or, with `once`, until there are none; how many `once` did."""
    return worker.run(house, name, once=once)


def work_off(house: House) -> list[str]:
    """Do every job that is due now; what is returned are the reasons of those that failed for good."""
    from jobs import worker

    return worker.work_off(house)


def main() -> None:
    """The console entry `wujian`."""
    command_line()(obj=Installation(open_house, create_app, start_worker, run_worker, work_off))


if __name__ == "__main__":
    main()
