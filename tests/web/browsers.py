"""A test client that behaves like a browser with our pages: it takes the token of its form along."""
import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from store.passwords import Passwords

PASSWORD = "Correct-Horse-7"
_TOKEN = re.compile(r'name="csrf_token"[^>]*?value="([^"]+)"')


def quick_passwords() -> Passwords:
    """Argon2id with the least memory: the same code, without the waiting."""
    return Passwords(memory_kib=8, passes=1)


class Browser(FlaskClient):
    """`send` posts a form with its token; `cookie` is the identifier of its session."""

    name = "session"

    @property
    def cookie(self) -> str | None:
        found = self.get_cookie(self.name)
        return found.value if found else None

    @property
    def csrf(self) -> str:
        """The token in the form that this browser would be shown."""
        for page in ("/account/password", "/sign-in"):
            if found := _TOKEN.search(self.get(page).text):
                return found[1]
        raise AssertionError("no form with a token")

    def send(self, url: str, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        return self.post(url, data={"csrf_token": self.csrf, **fields}, headers=headers)

    def sign_in(self, login: str, password: str = PASSWORD, **fields: Any) -> TestResponse:
        return self.send("/sign-in", login=login, password=password, **fields)
