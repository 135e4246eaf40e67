"""One place where what went wrong becomes an answer: a page, a fragment or JSON; never a trace."""
from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from flask import Flask, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from store.accounts import SignInRefused
from store.database import Busy
from web.access import SAFE, safe_target
from web.language import say
from web.observability import request_id
from workflow.vocabulary import N_, Message, Refusal

STATUS = {"unknown": 404, "forbidden": 403, "unavailable": 409, "unmet": 409, "stale": 409, "malformed": 422}
PAGES = frozenset({400, 401, 403, 404, 409, 413, 422, 429, 500, 503})
RETRY_AFTER = "5"  # seconds until a database that was busy is worth another try
SHOWN = 20_000  # characters of what was typed that are given back

WORDS = {
    400: N_("This request cannot be understood. Reload the page and send it again."),
    401: N_("You are signed out. Sign in again; what you typed is kept on this page."),
    403: N_("Your account may not do this."),
    404: N_("There is no such page, or it is not open to you."),
    405: N_("This address does not answer that kind of request."),
    409: N_("This is not possible now. Reload the page to see where things stand."),
    413: N_("What you sent is too large. Nothing was stored."),
    422: N_("Something in the form is not right. Nothing was changed."),
    429: N_("Too many requests came from your address. Wait a minute and try again."),
    500: N_("Something went wrong on our side. It has been recorded."),
    503: N_("The system is busy. Nothing was lost; try again in a moment."),
}

log = structlog.get_logger("wujian.errors")


def register(app: Flask) -> None:
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(SignInRefused, _crowd)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def problem(status: int, reason: Message | str | None = None, **values: Any) -> Response:
    """The answer for something that went wrong: JSON, a fragment or a page, by what was asked for.

    `reason` is said to people in their language; `values` go to the page.
    """
    known = status if status in PAGES else (400 if status < 500 else 500)
    words = say(reason) if reason else _(WORDS.get(status, WORDS[known]))
    if _wants_json():
        body = {"error": values.pop("code", status), "message": words, "reference": request_id(), **values}
        response = _json(body)
    elif request.headers.get("HX-Request"):
        response = Response(_rendered("accounts/problem_fragment.html", words=words, status=status),
                            mimetype="text/html")
    else:
        template = values.pop("template", f"errors/{known}.html")
        page = _rendered(template, reason=reason, reference=request_id() if status >= 500 else None,
                         **{"typed": _typed(), "form_path": request.path, **values})
        response = Response(page or words, mimetype="text/html" if page else "text/plain")
    response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = f'Form realm="wujian", uri="{url_for("accounts.sign_in")}"'
    return response


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    return request.is_json or accepted.best_match(["text/html", "application/json"]) == "application/json"


def _json(body: dict[str, Any]) -> Response:
    return Response(current_app.json.dumps(body), mimetype="application/json")


def _rendered(template: str, **values: Any) -> str:
    """The page, or nothing if it cannot be drawn either: then the bare words are sent."""
    try:
        return render_template(template, **values)
    except TemplateNotFound:
        return ""
    except Exception:
        log.exception("error_page_failed", template=template)
        return ""


def _refusal(refusal: Refusal) -> Response:
    return problem(STATUS[refusal.code], refusal.reason, code=refusal.code)


def _crowd(refused: SignInRefused) -> Response:
    return problem(429 if refused.crowded else 403, refused.reason)


def _busy(busy: Busy) -> Response:
    log.warning("database_busy", error=str(busy))
    response = problem(503)
    response.headers["Retry-After"] = RETRY_AFTER
    return response


def _forged(error: CSRFError) -> Response:
    """Mostly a page that was open longer than its session: what was typed is shown, to be copied."""
    log.info("csrf_refused", why=error.description)
    return problem(400, Message(N_("This page was open longer than your session lasts, so it was not sent.")),
                   template="accounts/expired.html")


def _typed() -> list[tuple[str, str]]:
    """What people wrote, without secrets and what the page itself put there: whatever went wrong, nobody has to
    write it twice."""
    if request.method in SAFE or request.endpoint is None:
        return []
    try:
        lists = list(request.form.lists())
    except HTTPException:  # larger than any form of ours, or no form at all
        return []
    hidden = ("password", "csrf", "command_id", "expected_version", "token", "old", "new", "again")
    left, found = SHOWN, []
    for name, values in lists:
        for value in values:
            if value.strip() and not any(word in name.lower() for word in hidden) and left > 0:
                found.append((name, value[:left]))
                left -= len(value)
    return found


def _to_come_back() -> dict[str, Any]:
    """For somebody whose session ended while they wrote: the way back to where it was."""
    if request.method in SAFE:
        return {}
    source = urlsplit(request.referrer or "")
    back = safe_target(source.path) if source.netloc == request.host else None
    return {"back": back or _page_above()}


def _page_above() -> str | None:
    """The nearest page over an address that only takes what is sent to it. Whoever asks for such an address in words
    switched the language of a form with faults, signed in again, or opened an old tab."""
    routes, parts = current_app.create_url_adapter(request), request.path.rstrip("/").split("/")
    for end in range(len(parts) - 1, 0, -1):
        path = "/".join(parts[:end]) or "/"
        try:
            assert routes is not None
            routes.match(path, method="GET")
        except HTTPException:
            continue
        kept = {name: request.args[name] for name in ("lang", "stead") if name in request.args}
        return f"{path}?{urlencode(kept)}" if kept else path
    return None


def _foreign_host(_error: SecurityError) -> Response:
    """A name that is not ours: nothing about the address can be trusted, so no page with links is drawn."""
    return Response(_(WORDS[400]), status=400, mimetype="text/plain")


def _http(error: HTTPException) -> Response:
    if error.response is not None:  # an answer of its own, such as the redirect that adds a slash
        return error.response  # type: ignore[return-value]  # Werkzeug names its older class
    code = error.code or 500
    if code in (301, 302, 303, 307, 308):
        return error.get_response()
    if code == 405 and request.method in SAFE and (page := _page_above()):
        return redirect(page)
    response = problem(code, **_to_come_back() if code == 401 else {})
    for name in ("Allow", "Retry-After"):
        if value := error.get_response().headers.get(name):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    log.error("unexpected", exc_info=error, path=request.path, endpoint=request.endpoint)
    return problem(500)
