"""People with browsers that go to the web processes in turn, as behind a proxy that shares the load out."""

import http.client
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.web.pageforms import encoded, form_to, forms_of
from web.cast import PASSWORD


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes
    port: int

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def said(self) -> str:
        """The page without its tags, for a message about what went wrong."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.text))[:1500]


@dataclass
class Visitor:
    """One browser. Pages and forms each go to the next of `ports`, so that every pair of page and form is met both
    ways; cookies are those of the site, as in a real one."""

    ports: list[int]
    cookies: dict[str, str] = field(default_factory=dict)
    _turns: Counter[str] = field(default_factory=Counter)

    def ask(self, method: str, path: str, body: bytes = b"", media_type: str = "", port: int = 0) -> Answer:
        to = port or self._next(method)
        connection = http.client.HTTPConnection("127.0.0.1", to, timeout=120)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), "Accept": "text/html",
                   "Accept-Language": "zh-CN", "Sec-Fetch-Site": "same-origin"}
        if method != "GET":
            headers["Content-Type"] = media_type
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, content, to)

    def _next(self, method: str) -> int:
        """Pages alternate; of the forms the first two go to one, the next two to the other."""
        self._turns[method] += 1
        turn = self._turns[method] if method == "GET" else self._turns[method] // 2
        return self.ports[turn % len(self.ports)]

    def get(self, path: str, port: int = 0) -> Answer:
        """A page, after at most five moves."""
        for _ in range(5):
            answer = self.ask("GET", path, port=port)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            parts = urlsplit(answer.location)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
        raise AssertionError(f"{path} leads nowhere")

    def send(self, page: str, action: str, files: Iterable[tuple[str, str, bytes]] = (), **changes: object) -> Answer:
        """Open a page, fill in its form that goes to an address ending in `action`, and send it.

        A field that the page does not have is a mistake of the test. Raises AssertionError with what the page says
        when the answer is no move to another page.
        """
        shown = self.get(page)
        assert shown.status == 200, (page, shown.status, shown.said)
        form = form_to(shown.text, action, page)
        missing = set(changes) - set(form.names)
        assert not missing, f"{page} has no field {missing}; it has {form.names}"
        sure = {"sure": "y"} if "sure" in form.names else {}  # the box of what cannot be undone
        body, media_type = encoded(form.with_({**sure, **changes}), files)
        answer = self.ask("POST", form.action, body, media_type)
        assert answer.status in (302, 303), (page, action, answer.status, answer.said)
        return answer

    def forms(self, page: str) -> list[str]:
        """The addresses of the forms of a page."""
        return [form.action for form in forms_of(self.get(page).text, page) if form.method == "post"]

    def sign_in(self, login: str, password: str = PASSWORD) -> "Visitor":
        self.send("/sign-in", "/sign-in", login=login, password=password)
        return self
