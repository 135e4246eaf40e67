"""A seeded database of each kind, the pen on it, and a clock that tests may move."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from tests.services import databases
from tests.services.fixtures import BOTH
from tests.services.postgres import Postgres
from tests.store import factories
from tests.store.dossiers import applicant, store  # noqa: F401  # fixtures of the dossier's tests
from tests.store.factories import CaseHand, MovableClock
from tests.store.joint import joint_case  # noqa: F401  # of the tests of joint licences


@pytest.fixture
def clock() -> MovableClock:
    """Monday, 2 March 2026, nine in the morning; it moves only when told."""
    return MovableClock()


@pytest.fixture(scope="session")
def _seeded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.sqlite_template(tmp_path_factory.mktemp("seeded") / "seeded.sqlite3", factories.seeded)


@pytest.fixture
def sqlite_seeded_url(tmp_path: Path, _seeded_sqlite: Path) -> str:
    return databases.sqlite_copy(_seeded_sqlite, tmp_path / "seeded.sqlite3")


@pytest.fixture
def postgresql_seeded_url(postgres: Postgres) -> Iterator[str]:
    url = postgres.create_prepared(factories.seeded)
    yield url
    postgres.drop(url)


@pytest.fixture(params=BOTH)
def seeded_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database with the reference data and a bureau, of both kinds in turn."""
    return str(request.getfixturevalue(f"{request.param}_seeded_url"))


@pytest.fixture
def database(seeded_url: str, clock: MovableClock) -> Iterator[Database]:
    """A seeded database under the movable clock; the test runs once on SQLite and once on PostgreSQL."""
    opened = Database(seeded_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def laws(database: Database) -> LawBook:
    return LawBook(database)


@pytest.fixture
def cases(database: Database, laws: LawBook) -> CaseStore:
    return CaseStore(database, laws)


@pytest.fixture
def cma_case(cases: CaseStore) -> Callable[..., CaseHand]:
    """`cma_case(state, track=..., departments=..., rows=..., types=..., **facts)`: see factories.cma_case."""

    def make(*arguments: Any, **options: Any) -> CaseHand:
        return factories.cma_case(cases, *arguments, **options)

    return make


@pytest.fixture
def verification_case(cases: CaseStore) -> Callable[..., CaseHand]:
    """`verification_case(state, **options)`: opened by a grant on commitment, brought to the state."""

    def make(*arguments: Any, **options: Any) -> CaseHand:
        return factories.verification_case(cases, *arguments, **options)

    return make
