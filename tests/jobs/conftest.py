"""A workshop on a seeded database of each kind, with files in a directory of this test alone."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import configuration
from jobs.worker import Worker
from jobs.workshop import Workshop
from store.cases import CaseStore
from store.files import FileStore
from store.sessions import SessionStore
from store.throttles import ThrottleStore
from tests.store.conftest import (  # noqa: F401, fixtures that these tests ask for by name
    _seeded_sqlite,
    cases,
    clock,
    cma_case,
    database,
    laws,
    postgresql_seeded_url,
    seeded_url,
    sqlite_seeded_url,
    verification_case,
)

ORIGIN = "https://cma.bureau.example"
SECRET = "the key of a test, long enough and of no use elsewhere"


@pytest.fixture
def make_workshop(cases: CaseStore, tmp_path: Any) -> Callable[..., Workshop]:  # noqa: F811
    """`make_workshop(smtp_url=..., files=...)`: the workshop over this test's database."""

    def make(files: FileStore | None = None, **settings: Any) -> Workshop:
        chosen = configuration.load(var=tmp_path, secret_key=SECRET, public_origin=ORIGIN, **settings)
        return Workshop.of(
            SimpleNamespace(
                settings=chosen,
                database=cases.database,
                cases=cases,
                files=files or FileStore(str(tmp_path / "files")),
                sessions=SessionStore(cases.database),
                throttles=ThrottleStore(cases.database),
            )
        )

    return make


@pytest.fixture
def workshop(make_workshop: Callable[..., Workshop]) -> Workshop:
    return make_workshop()


@pytest.fixture
def worker(workshop: Workshop) -> Worker:
    return Worker(workshop, "test")
