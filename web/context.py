"""What every view asks for: who is there, the stores, the language, the moment."""
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from flask import Flask, current_app, flash, g, has_request_context, request
from flask import session as flask_session

from configuration import Settings
from store.accounts import AccountStore
from store.cases import CaseStore
from store.database import Database
from store.delegations import DelegationStore
from store.files import FileStore
from store.law import LawBook
from store.people import Account
from store.reference import Reference
from store.sessions import SessionStore
from store.throttles import ThrottleStore
from web.language import current as language
from web.language import say
from web.sessions import WebSession
from workflow.vocabulary import N_, Actor, Message, Principal, Role

__all__ = [
    "ROLE_LABELS", "House", "Me", "accounts", "address", "case_store", "confirm_identity", "current_actor",
    "database", "department_label", "files", "house", "language", "laws", "now", "principals", "reauthenticated",
    "reference", "role_labels", "say", "sessions", "tell", "throttles", "today", "visitor", "web_session",
]

# Where one may stand in for somebody: these pages read `?stead=` and carry it along in every address they make.
IN_STEAD = frozenset({"cases", "rows", "findings", "documents", "desks", "bulk"})


@dataclass(frozen=True, slots=True)
class House:
    """Everything an installation has opened, in app.extensions["wujian"]."""

    settings: Settings
    database: Database
    laws: LawBook
    cases: CaseStore
    accounts: AccountStore
    sessions: SessionStore
    throttles: ThrottleStore
    files: FileStore
    reference: Reference


@dataclass(frozen=True, slots=True)
class Me:
    """Who is signed in, for templates: `{{ me.name }}`, `{% if me.holds("leader") %}`. None when nobody is."""

    account: Account

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def login(self) -> str:
        return self.account.login

    @property
    def agency_name(self) -> str | None:
        return self.account.agency_name

    @property
    def department(self) -> str | None:
        """What the department is called, in the reader's language."""
        return department_label(self.account.department) or None

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(sorted(self.account.roles))

    def holds(self, *roles: str) -> bool:
        return any(role in self.account.roles for role in roles)


def register(app: Flask) -> None:
    """Give every template `me`."""
    app.context_processor(_me)
    app.url_defaults(_carry_the_stead)
    app.jinja_env.globals.update(department_label=department_label, role_labels=role_labels)


def _me() -> dict[str, Any]:
    account = web_session().account if has_request_context() else None
    return {"me": Me(account) if account else None, "acting_for": _acting_for, "stead": stead}


def _acting_for() -> Principal | None:
    """In whose place this page stands, once a view has asked; an error page never asks."""
    return g.stead[1] if has_request_context() and "stead" in g else None


def house() -> House:
    return cast(House, current_app.extensions["wujian"])


def case_store() -> CaseStore:
    return house().cases


def database() -> Database:
    return house().database


def laws() -> LawBook:
    return house().laws


def files() -> FileStore:
    return house().files


def accounts() -> AccountStore:
    return house().accounts


def sessions() -> SessionStore:
    return house().sessions


def throttles() -> ThrottleStore:
    return house().throttles


def reference() -> Reference:
    return house().reference


def now() -> datetime:
    """The present moment, aware, UTC, from the one clock of the house."""
    return house().database.clock.now()


def today() -> date:
    """The local date in Shanghai."""
    return cast(date, house().database.clock.today())


def web_session() -> WebSession:
    """This browser's session, with what Flask's own type does not know: the account and signing in."""
    return cast(WebSession, flask_session._get_current_object())  # type: ignore[attr-defined]


def address() -> str:
    """Where the request came from, as far as the configured proxies are believed."""
    return request.remote_addr or ""


def visitor() -> Actor | None:
    """Who is signed in, with the roles of this moment; None when nobody is."""
    account = web_session().account
    if account is None:
        return None
    g.account_id = account.id  # for the log
    return account.actor(address())


def current_actor() -> Actor:
    """Who is signed in, in a view that is not public; on pages where one may stand in for somebody and the address
    says so, in that place. Raises LookupError on a public page, Refusal("forbidden") when the delegation is over."""
    found = visitor()
    if found is None:
        raise LookupError("nobody is signed in: this endpoint should not be public")
    key = stead()
    if not key:
        return found
    if g.get("stead", (None, None))[0] != key:
        g.stead = key, DelegationStore(database()).principal(found, key)
    return found.standing_in(g.stead[1])


def stead() -> str:
    """The delegation by which this page stands in for somebody; empty for oneself."""
    return request.args.get("stead", "") if request.blueprint in IN_STEAD else ""


def principals() -> tuple[tuple[str, Principal], ...]:
    """(delegation, principal) of everybody for whom whoever is signed in may act today; read once per request."""
    if "principals" not in g:
        who = visitor()
        g.principals = DelegationStore(database()).principals(who) if who and who.agency_id is None else ()
    return cast(tuple[tuple[str, Principal], ...], g.principals)


def _carry_the_stead(endpoint: str, values: dict[str, Any]) -> None:
    """Every address on a page that stands in for somebody keeps doing so, unless it says `stead=none`."""
    if has_request_context() and (key := stead()) and endpoint.partition(".")[0] in IN_STEAD:
        values.setdefault("stead", key)


def reauthenticated() -> bool:
    """Whether the password was confirmed within the last minutes (setting `reauthentication_minutes`).

    Signing in does not count: an act under one's own name is confirmed for itself.
    """
    at = web_session().reauthenticated_at
    minutes = house().settings.reauthentication_minutes
    return at is not None and (now() - at).total_seconds() < minutes * 60


def confirm_identity(password: str) -> bool:
    """Check the password of whoever is signed in; if it is theirs the session gets a new identifier and
    `reauthenticated()` holds. False when it is not. Raises SignInRefused after too many tries."""
    who = current_actor()
    if not password or not accounts().confirm(who.account_id, password, who.ip):
        return False
    return web_session().rotate(reauthenticated=True)


def tell(message: Message | str, category: str = "success") -> None:
    """A line on the next page, in the reader's language; category: success, info, warning, error."""
    flash(say(message) if isinstance(message, Message) else str(message), category)


ROLE_LABELS = {
    Role.APPLICANT: N_("Applicant"), Role.WINDOW_OFFICER: N_("Window officer"),
    Role.REVIEW_ORGANISER: N_("Review organiser"), Role.TEAM_LEADER: N_("Review team leader"),
    Role.REVIEWER: N_("Reviewer"), Role.DEPARTMENT_OFFICER: N_("Department officer"),
    Role.DEPARTMENT_LEADER: N_("Department leader"), Role.LEADER: N_("Leader"),
    Role.ISSUING_CLERK: N_("Issuing clerk"), Role.INSPECTOR: N_("Inspector"),
    Role.ADMINISTRATOR: N_("Administrator"), Role.SYSTEM: N_("The system"),
}


def role_labels(roles: Iterable[Role]) -> str:
    """The roles as people call them, in a fixed order."""
    return ("、" if language() == "zh" else ", ").join(say(ROLE_LABELS[role]) for role in Role if role in set(roles))


def department_label(code: str | None) -> str:
    """What a department is called in the reader's language; its code where the reference data has none."""
    if not code:
        return ""
    for row in reference().catalogue("departments"):
        if row["key"] == code:
            return str(row["short"] if language() == "zh" else row["en"])
    return code
