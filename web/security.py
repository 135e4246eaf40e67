"""What holds for every answer and every request: headers, hosts, proxies, forgery, size, static files."""
import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from configuration import Settings
from web import access

csrf = CSRFProtect()

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
          "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"
FORM_MEMORY = 2 * 1024 * 1024  # bytes of typed text in one form
FORM_PARTS = 5000  # fields and files in one form
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
YEAR = 31_536_000


def register(app: Flask, settings: Settings) -> None:
    """Set the limits, then the gate that every request passes: who may knock, then whether the form is ours."""
    app.config.update(
        SECRET_KEY=settings.secret,
        SECRET_KEY_FALLBACKS=[key.get_secret_value() for key in settings.previous_secret_keys],
        MAX_CONTENT_LENGTH=settings.upload_limit_mb * 1024 * 1024 + FORM_MEMORY,
        MAX_FORM_MEMORY_SIZE=FORM_MEMORY, MAX_FORM_PARTS=FORM_PARTS,
        TRUSTED_HOSTS=_trusted_hosts(settings), PROVIDE_AUTOMATIC_OPTIONS=False,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as its session
        WTF_CSRF_CHECK_DEFAULT=False,  # _gate asks, after the access rule has been asked
    )
    csrf.init_app(app)
    app.before_request(_gate)
    app.after_request(_headers(settings.origin.startswith("https://")))
    app.url_defaults(_with_version(Path(app.static_folder or "static")))
    app.wsgi_app = _Shelf(app, autorefresh=settings.debug)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]


def _trusted_hosts(settings: Settings) -> list[str] | None:
    """Names we answer to; None, any, only for a demo that was told to listen on every address."""
    if settings.host in ("0.0.0.0", "::") and not settings.is_production:  # noqa: S104, compared and not bound
        return None
    named = urlsplit(settings.origin).hostname
    return sorted({*LOOPBACK, settings.host, *([named] if named else [])})


def _gate() -> Any:
    if (refused := access.enforce()) is not None:
        return refused
    if request.endpoint is None:
        return None
    if request.method not in access.SAFE:
        if request.mimetype != "multipart/form-data":  # nothing but a form with files may be as large as a file
            request.max_content_length = FORM_MEMORY
        _same_site()
        csrf.protect()
    _no_null_characters()
    return None


def _same_site() -> None:
    """Browsers say where a form came from; one from another site is refused before its token is looked at."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.host:
        abort(403)


def _no_null_characters() -> None:
    """No field of ours holds U+0000 or half a surrogate pair, and PostgreSQL stores neither."""
    texts: list[str] = [request.path]
    for many in (request.args, request.form):
        for key, values in many.lists():
            texts += [key, *values]
    texts += [file.filename or "" for file in request.files.values()]
    if any("\x00" in text or not _encodes(text) for text in texts):
        abort(400)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _headers(https: bool) -> Callable[[Response], Response]:
    def put(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)  # a download may be stricter about itself
        if https:
            response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
        return response
    return put


# -- static files --------------------------------------------------------------------------------------------


def _with_version(folder: Path) -> Callable[[str, dict[str, Any]], None]:
    """Addresses of static files carry a digest of their content, so that they may be kept for ever."""
    def add(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint != "static" or "v" in values:
            return
        path = folder / str(values.get("filename", ""))
        try:
            values["v"] = _digest(path, path.stat().st_mtime_ns)
        except OSError:
            return  # there is no such file: its address says so by itself
    return add


@lru_cache(maxsize=1024)
def _digest(path: Path, changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


class _Shelf:
    """WhiteNoise in front of the application. With a version in the address a file never changes; without one
    (a module imported by another) the browser asks again and mostly hears 304."""

    def __init__(self, app: Flask, *, autorefresh: bool) -> None:
        def put(headers: Any, path: str, url: str) -> None:
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            headers["Cache-Control"] = "public, max-age=0, must-revalidate"
        self._files = WhiteNoise(app.wsgi_app, root=app.static_folder, prefix="static/", autorefresh=autorefresh,
                                 allow_all_origins=False, add_headers_function=put)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        versioned = environ.get("PATH_INFO", "").startswith("/static/") and "v=" in environ.get("QUERY_STRING", "")
        if not versioned:
            return self._files(environ, start_response)  # type: ignore[no-any-return]

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if status[:3] in ("200", "206", "304"):
                headers = [pair for pair in headers if pair[0].lower() != "cache-control"]
                headers.append(("Cache-Control", f"public, max-age={YEAR}, immutable"))
            return start_response(status, headers, *rest)
        return self._files(environ, start)  # type: ignore[no-any-return]
