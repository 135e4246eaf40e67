"""One scaled installation for the tests of this room: two web processes, two workers, a cast of officials."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import app as root
import configuration
from store.passwords import Passwords
from tests.scaled.installation import Installation
from tests.scaled.visitors import Visitor
from tests.services.postgres import Postgres
from tests.services.s3 import S3Server
from tests.services.smtp import Mailbox
from web.cast import Cast
from web.context import House

SECRET = "the key of a test, long enough and of no use elsewhere"
LEASE = 4  # seconds


@pytest.fixture(scope="module")
def letters() -> Iterator[Mailbox]:
    """The mail server of this installation."""
    with Mailbox() as server:
        yield server


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, s3: S3Server,
                 letters: Mailbox) -> Iterator[Installation]:
    """Migrated, seeded and peopled by the product's commands; nothing serves yet."""
    directory = tmp_path_factory.mktemp("scaled")
    url = postgres.create()
    made = Installation(directory, {
        "var": directory / "var", "secret_key": SECRET, "database_url": url, "smtp_url": letters.url,
        "mail_from": "no-reply@bureau.example", "public_origin": "https://cma.bureau.example",
        "bureau_division": "420000", "bureau_authority": "17", "bureau_name": "湖北省市场监督管理局",
        "embedded_worker": False, "lease_seconds": LEASE, "log_format": "json", **s3.settings()})
    try:
        for command in ("migrate", "seed"):
            done = made.run(command)
            assert done.returncode == 0, done.stderr
        yield made
    finally:
        made.close()
        postgres.drop(url)


@pytest.fixture(scope="module")
def house(installation: Installation) -> Iterator[House]:
    """A third process' view of the installation: the stores, opened with the very same settings."""
    given = {name: value for name, value in installation.settings.items() if name != "log_format"}
    opened = root.open_house(configuration.load(**given), passwords=Passwords(memory_kib=8, passes=1))
    Cast(opened.accounts, opened.reference).assemble()
    yield opened
    opened.database.close()


@pytest.fixture(scope="module")
def processes(installation: Installation, house: House) -> SimpleNamespace:
    """`first` and `second` web process, `one` and `two` as workers; all of them answer."""
    workers = [installation.worker(name) for name in ("one", "two")]
    webs = [installation.web(name) for name in ("first", "second")]
    return SimpleNamespace(first=webs[0], second=webs[1], one=workers[0], two=workers[1])


@pytest.fixture(scope="module")
def visitor(processes: SimpleNamespace) -> Callable[..., Visitor]:
    """`visitor("lingdao")`: a browser signed in, whose requests alternate between the two web processes."""
    def make(login: str = "", **_: Any) -> Visitor:
        browser = Visitor([processes.first.port, processes.second.port])
        return browser.sign_in(login) if login else browser
    return make
