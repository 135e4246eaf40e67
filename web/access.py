"""Who may call which endpoint: one table, and nothing is open that is not in it.

    grant_access("cases.show", roles=[Role.LEADER])     # accounts that hold one of the roles
    grant_access("accounts.show", signed_in=True)        # every account
    grant_access("verify.show", public=True)             # anyone

The table says who may knock. Which cases they see is the store's `visible_to`, and what they may do to one
is the engine's `permit`: an endpoint open to a role opens no case.
"""
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from web.context import visitor
from workflow.vocabulary import Role

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
STAFF = frozenset(Role) - {Role.APPLICANT, Role.SYSTEM}


@dataclass(frozen=True, slots=True)
class Rule:
    """Open to anyone (`public`), to whoever is signed in, or to the holders of one of `roles`."""

    roles: frozenset[Role] = frozenset()
    public: bool = False
    signed_in: bool = False


ACCESS: dict[str, Rule] = {}


class AccessIncomplete(RuntimeError):
    """An endpoint without a rule, or one that both reads and changes. The message names each."""


def grant_access(endpoint: str, *, roles: Iterable[Role] = (), public: bool = False,
                 signed_in: bool = False) -> None:
    """Enter an endpoint in the table; exactly one of the three must be given. Raises AccessIncomplete."""
    rule = Rule(frozenset(roles), public, signed_in)
    if bool(rule.roles) + public + signed_in != 1:
        raise AccessIncomplete(f"{endpoint}: grant roles, signed_in or public, and only one of them")
    if ACCESS.setdefault(endpoint, rule) != rule:
        raise AccessIncomplete(f"{endpoint}: two different rules; keep one")


grant_access("static", public=True)
grant_access("design.show", public=True)  # every component with invented samples
grant_access("design.paper", public=True)


def require_complete(app: Flask) -> None:
    """Refuse to start with an endpoint that has no rule, or that answers both safe and unsafe methods."""
    problems = [f"{endpoint}: no access rule; call grant_access in the module of its view"
                for endpoint in sorted(app.view_functions) if endpoint not in ACCESS]
    for endpoint, methods in sorted(methods_of(app).items()):
        if methods & SAFE and methods - SAFE:
            problems.append(f"{endpoint}: answers {', '.join(sorted(methods))}; make the reading and the changing "
                            "view two endpoints on the same address")
    if problems:
        raise AccessIncomplete("\n".join(problems))


def methods_of(app: Flask) -> dict[str, frozenset[str]]:
    """Every endpoint with all methods that any of its addresses answers."""
    found: dict[str, frozenset[str]] = {}
    for rule in app.url_map.iter_rules():
        found[rule.endpoint] = found.get(rule.endpoint, frozenset()) | frozenset(rule.methods or ())
    return found


def allowed(rule: Rule | None, roles: frozenset[Role] | None) -> bool:
    """Whether someone with these roles (None: not signed in) may call an endpoint with this rule."""
    if rule is None:
        return False
    if rule.public:
        return True
    return roles is not None and (rule.signed_in or bool(rule.roles & roles))


def enforce() -> Response | None:
    """Before every request. An address that leads nowhere is left to its 404."""
    if request.endpoint is None:
        return None
    rule = ACCESS.get(request.endpoint)
    if rule is not None and rule.public:
        return None
    actor = visitor()
    if allowed(rule, actor.roles if actor else None):
        return None
    if actor is None:
        return ask_to_sign_in()
    abort(403)


def ask_to_sign_in() -> Response:
    """To the sign-in page and back again; what was sent by a script or a form gets 401 and stays where it is."""
    if request.method not in SAFE or request.headers.get("HX-Request"):
        abort(401)
    target = request.full_path.rstrip("?")
    values: dict[str, Any] = {} if target == "/" else {"next": target}
    return redirect(f"{url_for('accounts.sign_in')}{'?' + urlencode(values) if values else ''}")


def safe_target(target: str | None) -> str | None:
    """The target if it is a path on this site, else None: nobody is sent elsewhere from our sign-in page.

    Browsers read a backslash as a slash and drop control characters, so `/\\evil`, `//evil` and `/<tab>/evil`
    all lead away.
    """
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return None
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target
