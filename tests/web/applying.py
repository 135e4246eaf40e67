"""A browser of an applicant, and what one does with it."""
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.web.browsers import Browser
from workflow.vocabulary import Role

CORPUS = Path(__file__).parent.parent / "corpus"
PAGES = ("", "/form", "/tables", "/tables/capability", "/tables/staff", "/problems", "/problems.xlsx", "/materials",
         "/track", "/preview")
DECLARATION = {"declared": ["lawful", "criteria", "truthful"], "signer": "高原", "capacity": "legal_person",
               "signed_on": "2026-03-02"}


@dataclass
class Desk:
    """A browser of the applicant with an application begun; `base` is its address."""

    browser: Browser
    base: str

    @property
    def public_id(self) -> str:
        return self.base.rpartition("/")[2]

    def get(self, page: str = "", **options: Any) -> TestResponse:
        return self.browser.get(self.base + page, **options)

    def send(self, page: str, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        return self.browser.send(self.base + page, headers, **fields)

    def upload(self, package: str = "P01") -> TestResponse:
        return self.send("/tables", files=[(io.BytesIO(p.read_bytes()), p.name)
                                           for p in sorted((CORPUS / package).glob("*.xls*"))])

    def hidden(self, page: str, *names: str) -> dict[str, str]:
        text = self.get(page).text
        found = {n: re.search(rf'name="{n}"[^>]*value="([^"]*)"', text) for n in names}
        return {n: match[1] if match else "" for n, match in found.items()}

    def save(self, section: str, **fields: Any) -> TestResponse:
        """Save a section as its form on the page would: every value there, with these changed."""
        text = self.get("/form").text
        form = re.search(rf'<form id="{section}".*?</form>', text, re.S)
        assert form
        revision = re.search(r'name="revision"[^>]*value="(\d+)"', form[0])
        values = {**_values(form[0]), **fields}
        return self.send(f"/form/{section}", revision=revision[1] if revision else "", **values)

    def material(self, code: str, name: str, content: bytes, **fields: Any) -> TestResponse:
        return self.send(f"/materials/{code}", **{f"{code}-file": (io.BytesIO(content), name), **fields})

    def complete(self) -> None:
        self.upload()
        self.save("resources", site_right="owned", equipment_right="owned")
        self.save("declaration", **DECLARATION)
        files = CORPUS / "P01" / "materials"
        for code, name in (("typical_report", "05典型检验检测报告.pdf"), ("site_right", "03固定场所文件.pdf")):
            assert self.material(code, name, (files / name).read_bytes()).status_code == 303

    def submit(self) -> TestResponse:
        return self.send("/submit", sure="y", **self.hidden("/preview", "command_id", "expected_version"))


def _values(form: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        pairs = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if pairs.get("type") in ("checkbox", "radio"):
            if " checked" in tag:
                found.setdefault(pairs["name"], []).append(pairs["value"])
        elif pairs.get("type") not in ("hidden", "file"):
            found[pairs["name"]] = pairs.get("value", "")
    for name, text in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\s*(.*?)</textarea>', form, re.S):
        found[name] = text
    return found


@pytest.fixture
def desk(client_of: Callable[..., Browser]) -> Desk:
    return begun(client_of(Role.APPLICANT))


def begun(browser: Browser) -> Desk:
    answer = browser.send("/applications/new")
    assert answer.status_code == 303
    return Desk(browser, answer.location.removesuffix("/form"))
