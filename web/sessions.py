"""Server-side sessions as Flask's session: the cookie holds a random identifier and nothing else.

A browser gets a row, and so a cookie, only when something is kept for it: an anonymous visitor of a page
without a form has neither. The row is read once per request, and not at all when nothing asks for it.
"""
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin

from store.database import Busy
from store.people import Account
from store.sessions import KeptSession, SessionStore

TOUCH_AFTER = timedelta(seconds=60)  # reading a page writes the row at most once a minute


class WebSession(SessionMixin):
    """The values of one browser. Ending, signing in and renewing the identifier take effect at once."""

    accessed = False
    modified = False

    def __init__(self, store: SessionStore, token: str | None) -> None:
        self._store = store
        self._token = token
        self._loaded = False
        self._kept: KeptSession | None = None
        self._values: dict[str, Any] = {}
        self.cookie: str | None = None  # what the answer sets; "" removes it

    # -- the mapping -----------------------------------------------------------------------------------

    def _load(self) -> dict[str, Any]:
        self.accessed = True
        if not self._loaded:
            self._loaded = True
            self._kept = self._store.find(self._token) if self._token else None
            self._values = dict(self._kept.values) if self._kept else {}
            if self._token and self._kept is None:
                self.cookie = ""
        return self._values

    def __getitem__(self, key: str) -> Any:
        return self._load()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._load()[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._load()[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())

    # -- who -------------------------------------------------------------------------------------------

    @property
    def account(self) -> Account | None:
        """Whose session it is, as the account stands at this request."""
        self._load()
        return self._kept.account if self._kept else None

    @property
    def reauthenticated_at(self) -> datetime | None:
        self._load()
        return self._kept.reauthenticated_at if self._kept else None

    @property
    def id_hash(self) -> str | None:
        """Which row is this browser's, for the list of one's own sessions."""
        self._load()
        return self._kept.id_hash if self._kept else None

    def sign_in(self, account_id: int) -> None:
        """Begin a new session for the account. Nothing of the anonymous one is taken over."""
        self._load()
        self._begin(self._store.create({}, account_id, replaces=self.id_hash))

    def rotate(self, *, reauthenticated: bool = False) -> bool:
        """Go on under a new identifier; False when the session was ended meanwhile."""
        self._load()
        if self._kept is None:
            return False
        token = self._store.rotate(self._kept, _plain(self._values), reauthenticated=reauthenticated)
        if token is None:
            self._forget()
            return False
        self._begin(token)
        return True

    def end(self) -> None:
        """Sign out: the row goes, and with it every copy of the cookie."""
        if (id_hash := self.id_hash) is not None:
            self._store.end(id_hash)
        self._forget()

    def _begin(self, token: str) -> None:
        self._token, self.cookie, self._loaded = token, token, False
        self._load()
        self.cookie, self.modified = token, False

    def _forget(self) -> None:
        self._token, self._kept, self._values, self._loaded = None, None, {}, True
        self.cookie, self.modified = "", False

    # -- at the end of the request -----------------------------------------------------------------------

    def keep(self, at: datetime) -> None:
        """Write what changed; note the use of a session at most once in `TOUCH_AFTER`."""
        if self._kept is None:
            if self.modified and self._values:
                self._token = self.cookie = self._store.create(_plain(self._values))
        elif self.modified:
            self._store.write(self._kept.id_hash, _plain(self._values))
        elif at - self._kept.seen_at >= TOUCH_AFTER:
            try:
                self._store.touch(self._kept.id_hash)
            except Busy:
                return  # the page is worth more than the note; the next request makes it


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Translated words are lazy: what is kept is their text."""
    return dict(json.loads(json.dumps(values, default=str)))


class ServerSessions(SessionInterface):
    """Flask's door to the above. On https the cookie is `__Host-session`, which no neighbouring host can set."""

    def __init__(self, store: SessionStore, *, secure: bool) -> None:
        self._store = store
        self._secure = secure
        self.cookie_name = "__Host-session" if secure else "session"

    def open_session(self, app: Flask, request: Request) -> WebSession:
        return WebSession(self._store, request.cookies.get(self.cookie_name))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, WebSession)
        if not session.accessed:
            return
        session.keep(self._store.database.clock.now())
        response.vary.add("Cookie")
        if session.cookie:
            response.set_cookie(self.cookie_name, session.cookie, httponly=True, secure=self._secure,
                                samesite="Lax", path="/")
        elif session.cookie == "":
            response.delete_cookie(self.cookie_name, httponly=True, secure=self._secure, samesite="Lax", path="/")
