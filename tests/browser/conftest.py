"""An open bureau on both databases, and people with a browser each."""
import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.offices import Bureau, Person, furnish, opened

Enter = Callable[..., Person]
FAILED = pytest.StashKey[bool]()
PICTURES = Path("build/screens/failed")


@pytest.fixture
def bureau(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Bureau]:
    """A bureau in the province that the module names by DIVISION, Hubei where it names none; on each database in
    turn."""
    division = getattr(request.module, "DIVISION", "420000")
    with opened(furnish(database_url, tmp_path / "var", division)) as place:
        yield place


@pytest.fixture
def enter(request: pytest.FixtureRequest, browser: Browser, bureau: Bureau) -> Iterator[Enter]:
    """`enter()` is somebody at a browser of their own; `enter("lingdao")` is signed in. An error that any browser
    noted fails the test at its end; what everybody saw when a test failed is kept in build/screens/failed."""
    people: list[Person] = []

    def come(login: str = "", **options: object) -> Person:
        people.append(Person.at(browser, bureau.origin, **options))
        return people[-1].sign_in(login) if login else people[-1]

    yield come
    if request.node.stash.get(FAILED, False):
        name = re.sub(r"[^a-z0-9_]+", "-", request.node.name)
        for number, person in enumerate(people):
            PICTURES.mkdir(parents=True, exist_ok=True)
            person.page.screenshot(path=PICTURES / f"{name}-{number}.png", full_page=True)
            print(person.page.url, person.page.locator("body").inner_text()[:4000], sep="\n")
    for person in people:
        person.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, so that what its people saw can be kept."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report
