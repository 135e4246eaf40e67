"""The fixtures of the test servers. Each starts at the first test that asks for it, once per test process."""
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services import chromium, databases
from tests.services.postgres import Postgres
from tests.services.s3 import S3Server
from tests.services.smtp import Mailbox

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]

# --- databases ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; `postgres.create()` makes an empty database. TEST_DATABASE_URL names another."""
    with Postgres(os.environ.get("TEST_DATABASE_URL", "")) as server:
        yield server


@pytest.fixture(scope="session")
def prepare() -> Callable[[str], None]:
    """What turns an empty database into a migrated one."""
    return databases.migrate


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory, prepare: Callable[[str], None]) -> Path:
    return databases.sqlite_template(tmp_path_factory.mktemp("template") / "migrated.sqlite3", prepare)


@pytest.fixture
def sqlite_database_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """The URL of a migrated, empty SQLite database of this test alone."""
    return databases.sqlite_copy(_sqlite_template, tmp_path / "wujian.sqlite3")


@pytest.fixture
def postgresql_database_url(postgres: Postgres, prepare: Callable[[str], None]) -> Iterator[str]:
    """The URL of a migrated, empty PostgreSQL database of this test alone."""
    url = postgres.create_prepared(prepare)
    yield url
    postgres.drop(url)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database; the test runs once on SQLite and once on PostgreSQL."""
    return request.getfixturevalue(f"{request.param}_database_url")  # type: ignore[no-any-return]


@pytest.fixture(params=BOTH)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a single table, of both kinds in turn: for migrations themselves."""
    if request.param == "sqlite":
        yield databases.sqlite_url(tmp_path / "empty.sqlite3")
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def shelf() -> Iterator[None]:
    """The shelf of procedure versions is the process's own: a test that asks for this leaves nothing on it."""
    from workflow import procedures

    procedures.forget()
    yield
    procedures.forget()


# --- files and mail -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 server; `s3.settings()` gives the settings for a fresh bucket."""
    with S3Server() as server:
        yield server


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server that keeps what this test sends; `mailbox.url` is the `smtp_url` setting."""
    with Mailbox() as server:
        yield server


# --- the browser --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch Debian's Chromium instead of a downloaded one."""
    return {**browser_type_launch_args, "executable_path": chromium.executable(),
            "args": list(chromium.ARGUMENTS)}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A desk in Shanghai: Chinese first, local time, a common screen."""
    return {**browser_context_args, "locale": "zh-CN", "timezone_id": "Asia/Shanghai",
            "viewport": {"width": 1440, "height": 900}}


# --- markers and groups -------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by what a test asks for; a file of browser tests stays on one worker and starts one site."""
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        if "postgres" in asked:
            item.add_marker(pytest.mark.postgres)
        if "page" in asked or "context" in asked:
            item.add_marker(pytest.mark.browser)
        if item.get_closest_marker("browser") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(f"browser {item.path.name}"))
