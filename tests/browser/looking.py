"""Looking at a page: keeping what people saw, and what would keep somebody from using it."""
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.offices import Person

PICTURES = os.environ.get("SCREENS", "")  # a directory that keeps what the people saw
SIZES = ((1280, 900), (390, 844))  # a desk and a telephone
GRAVE = ("serious", "critical")
UNREACHABLE = """() => [...document.querySelectorAll('main :is(a[href], button, input, select, textarea)')]
    .filter(one => one.type !== 'hidden' && one.checkVisibility() && one.tabIndex < 0).map(one => one.outerHTML)"""
RAW = r"""document.querySelector('main').innerText.match(/\b[a-z]+_[a-z_]+\b|\bNone\b|%\(\w+\)/g)"""


def picture(person: Person, name: str) -> None:
    """Keep what stands on the screen, on a desk and on a telephone, when that is asked for."""
    for width, height in SIZES if PICTURES else ():
        person.page.set_viewport_size({"width": width, "height": height})
        person.page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    person.page.set_viewport_size({"width": 1440, "height": 900})


def examined(person: Person, name: str) -> None:
    """The same, and nothing keeps anybody from using the page at either size."""
    for width, height in SIZES:
        person.page.set_viewport_size({"width": width, "height": height})
        found = list(problems(person.page))
        assert not found, f"{name} at {width}: {found}"
    picture(person, name)


def problems(page: Page) -> Iterator[str]:
    """What keeps somebody from using a page: grave findings of axe, things too wide or out of reach, raw words."""
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in GRAVE:
            yield f"{violation['id']}: {[node['target'] for node in violation['nodes']][:3]}"
    if (over := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
        yield f"{over} px wider than the window"
    if page.locator("h1").count() != 1:
        yield f"{page.locator('h1').count()} headings of the first rank"
    if lost := page.evaluate(UNREACHABLE):
        yield f"out of reach of the keyboard: {lost[:2]}"
    about_words = urlsplit(page.url).path.startswith(("/design", "/procedures"))  # whose own words stand there
    if not about_words and (raw := page.evaluate(RAW)):
        yield f"words of the code: {raw[:5]}"
