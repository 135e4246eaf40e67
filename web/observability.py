"""What the house tells those who run it: structured logs, /healthz, /readyz and /metrics."""
import hmac
import logging
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, cast

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, g, has_request_context, jsonify, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from configuration import Settings
from store.database import ping
from web.access import grant_access
from web.context import address, house

bp = Blueprint("observability", __name__)
grant_access("observability.alive", public=True)
grant_access("observability.ready", public=True)
grant_access("observability.metrics", public=True)  # asks for its own token, or for the loopback address

LEAST_FREE = 200 * 1024 * 1024  # bytes left on the disk below which we say that we are not ready
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12)  # seconds
QUIET = frozenset({"observability.alive", "observability.ready", "observability.metrics"})
_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_LOOPBACK = frozenset({"127.0.0.1", "::1"})

log = structlog.get_logger("wujian.web")


class Meters:
    """The figures of one process. Several processes are several targets to whoever collects them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("wujian_requests", "Requests answered", ["endpoint", "method", "status"],
                                registry=self.registry)
        self.seconds = Histogram("wujian_request_seconds", "Time to answer", ["endpoint"], buckets=BUCKETS,
                                 registry=self.registry)
        self.sign_ins = Counter("wujian_sign_ins", "Tries to sign in", ["outcome"], registry=self.registry)
        self.running = Gauge("wujian_requests_running", "Requests being answered", registry=self.registry)
        ProcessCollector(registry=self.registry)


def configure_logging(settings: Settings) -> None:
    """One line per event on standard error: JSON with every field, or text for people.

    Nothing that people typed is logged: no form fields, no query, no password.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars, structlog.stdlib.add_logger_name, structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.StackInfoRenderer()]
    if settings.log_format == "json":
        drawn: list[Any] = [structlog.processors.format_exc_info,
                            structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        drawn = [structlog.dev.ConsoleRenderer(  # plain: the pretty one prints every variable, secrets too
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *drawn])
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared,
                    structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(), cache_logger_on_first_use=False)
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level)
    for loud in ("fontTools", "weasyprint", "alembic", "pikepdf", "PIL"):
        logging.getLogger(loud).setLevel(logging.WARNING)


def register(app: Flask) -> None:
    """Number each request, time it and log it once, when it is answered; and the three addresses below."""
    app.register_blueprint(bp)
    app.extensions["wujian.meters"] = Meters()
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_leave)


def meters() -> Meters:
    return cast(Meters, current_app.extensions["wujian.meters"])


def request_id() -> str:
    """The number of this request: on the page of an error, in the header X-Request-ID and in the log."""
    return str(g.get("request_id", "")) if has_request_context() else ""


def _begin() -> None:
    offered = request.headers.get("X-Request-ID", "")
    believed = bool(house().settings.trusted_proxies) and _PLAIN_ID.fullmatch(offered)
    g.request_id = offered if believed else secrets.token_hex(8)
    g.began = time.perf_counter()
    meters().running.inc()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    endpoint = request.endpoint or "none"
    spent = time.perf_counter() - g.get("began", time.perf_counter())
    meters().requests.labels(endpoint, request.method, str(response.status_code)).inc()
    meters().seconds.labels(endpoint).observe(spent)
    if endpoint not in QUIET:
        account = g.get("account_id")
        log.info("request", method=request.method, path=request.path, endpoint=endpoint,
                 status=response.status_code, ms=round(spent * 1000, 1), ip=address(),
                 **({"account": account} if account else {}))
    return response


def _leave(error: BaseException | None) -> None:
    if "began" in g:
        meters().running.dec()
    structlog.contextvars.clear_contextvars()


@bp.get("/healthz")
def alive() -> Response:
    """The process answers. Nothing else is asked, so a sick database does not get healthy processes killed."""
    return jsonify(status="ok")


@bp.get("/readyz")
def ready() -> tuple[Response, int]:
    """Whether to send requests here: the database answers, its schema is ours, there is room on the disk."""
    answers = {name: _answer(check) for name, check in _checks().items()}
    well = all(answer == "ok" for answer in answers.values())
    return jsonify(status="ok" if well else "not ready", checks=answers), 200 if well else 503


def _checks() -> dict[str, Callable[[], None]]:
    return {"database": lambda: ping(house().database), "law": lambda: _discard(house().laws.current()),
            "disk": _room}


def _discard(_found: object) -> None:
    """Only whether it could be read matters."""


def _room() -> None:
    free = shutil.disk_usage(house().settings.var).free
    if free < LEAST_FREE:
        raise OSError(f"only {free // 2**20} MiB left")


def _answer(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # whatever it is, the reader of /readyz wants its name and not a trace
        log.error("not_ready", exc_info=error)
        return type(error).__name__
    return "ok"


def _came_through_a_proxy() -> bool:
    """Whether a proxy that we were not told of stands before us: then its address is everybody's."""
    headers = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
    return not house().settings.trusted_proxies and any(name in request.headers for name in headers)


@bp.get("/metrics")
def metrics() -> Response:
    """Figures in the text format of Prometheus, for the bearer of `metrics_token`, else on loopback only."""
    token = house().settings.metrics_token.get_secret_value()
    offered = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token:
        if not hmac.compare_digest(token.encode(), offered.encode()):
            abort(403)
    elif address() not in _LOOPBACK or _came_through_a_proxy():
        abort(403)
    return Response(generate_latest(meters().registry), mimetype="text/plain; version=0.0.4")
