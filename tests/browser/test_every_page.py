"""Every page that a role comes to, at a desk and on a telephone: for those who see badly, use no mouse, or have a
small screen; in both languages; without an error in the browser."""
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.exceptions import HTTPException

import app as root
import configuration
from store.database import Clock, migrate
from store.reference import seed
from tests.browser.looking import problems
from tests.browser.offices import SECRET, Bureau, Person, opened, quick_passwords
from web.cast import APPLICANTS
from web.commands import Installation
from web.demonstration import demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PICTURES = Path("build/screens/pages")  # for people to look at; not kept with the code
PHONE = {"width": 390, "height": 844}
# Who has what to show in the demonstration: a draft, a correction, a delivered certificate, a full desk of each kind.
VISITORS = ("", APPLICANTS[7], APPLICANTS[5], APPLICANTS[0], APPLICANTS[8], "chuangkou", "zuzhi", "zuzhang",
            "pingshen1", "bumen.water", "fuze.construction", "lingdao", "zhizheng", "hecha", "guanli")
DOORS = ("/", "/verify", "/verify/file", "/v/nonsense", "/nowhere", "/register", "/sign-in", "/design")
FILES = frozenset({"static", "uploads.download", "rows.export", "documents.download", "applications.certificate",
                   "desks.start"})  # and every address that ends as a file does
CHINESE = r"""() => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    for (let node; (node = walk.nextNode());)
        if (/[\u4e00-\u9fff]/.test(node.data)
            && !node.parentElement.closest('[lang^=zh], .wj-who, .wj-bureau, .wj-foot, option'))
            found.push(node.data.trim());
    return found }"""
SEEN: set[str] = set()  # a page that looks alike for everybody is looked at once


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """The bureau that `wujian demo` makes, open."""
    settings = configuration.load(var=tmp_path_factory.mktemp("demonstration"), secret_key=SECRET)
    migrate(settings.database)

    def open_house(*given: object, **options: object):  # type: ignore[no-untyped-def]
        return root.open_house(*given, **{"passwords": quick_passwords(), **options})  # type: ignore[arg-type]

    place = Installation(open_house, root.create_app, root.start_worker, root.run_worker, root.work_off)
    place._settings = settings
    seed(place.house().database)
    place.house().reference.put_setting("bureau", settings.bureau)
    demo.main([], obj=place, standalone_mode=False)
    place.close()
    with opened(settings, Clock()) as bureau:
        yield bureau


@pytest.fixture
def visit(browser: Browser, demonstration: Bureau) -> Iterator[Person]:
    person = Person.at(browser, demonstration.origin)
    yield person
    person.close()


def kind_of(bureau: Bureau, url: str, login: str) -> str | None:
    """What page an address leads to, and whose where it differs from person to person; None for a file."""
    parts = urlsplit(url)
    if "." in parts.path.rpartition("/")[2]:
        return None
    try:
        endpoint, values = bureau.addresses.match(parts.path, method="GET")
    except HTTPException:
        return "missing"
    if endpoint in FILES:
        return None
    detail = [str(values[name]) for name in ("name", "table", "role") if name in values]
    own = endpoint in ("cases.show", "findings.show") or endpoint.startswith(("applications.", "joint.", "uploads."))
    return ".".join([endpoint, *detail, *([login] if own else [])])


def pages_of(bureau: Bureau, person: Person, login: str) -> Iterator[str]:
    """The addresses this person comes to by following links, one for each kind of page."""
    waiting = list(DOORS) if not login else ["/desk", "/account"]
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(bureau, bureau.origin + path, login)
        if path != "/desk" and (kind is None or kind in SEEN):
            continue
        SEEN.add(kind or "")
        person.go(path)
        yield path
        hrefs: list[str] = person.page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
        waiting += [urlsplit(href).path for href in hrefs if href.startswith(bureau.origin) and "after=" not in href]


@pytest.mark.parametrize("login", VISITORS, ids=lambda login: login or "public")
def test_each_page_serves_everybody(demonstration: Bureau, visit: Person, login: str) -> None:
    """No grave finding of axe, nothing wider than a telephone, reachable by keyboard, one heading, no error."""
    if login:
        visit.sign_in(login)
    phone = visit.another_window().page
    phone.set_viewport_size(PHONE)
    found, count = [], 0
    for path in pages_of(demonstration, visit, login):
        count += 1
        phone.goto(visit.page.url)
        phone.wait_for_selector("body[data-ready]")
        for page, width in ((visit.page, "desk"), (phone, "phone")):
            found += [f"{path} ({width}): {problem}" for problem in problems(page)]
            _keep_picture(page, f"{login or 'public'}{path.replace('/', '_')[:60]}-{width}")
    assert count
    assert not found, "\n".join(found)


def _keep_picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.mark.parametrize("login, path", [
    ("", "/sign-in"), ("", "/verify"), ("chuangkou", "/desk"), ("lingdao", "/desk"), (APPLICANTS[7], "/applications")])
def test_the_main_thing_is_reached_by_keys_alone(visit: Person, login: str, path: str) -> None:
    """The skip link comes first and leads past the letterhead; focus is always seen; Enter does the main thing."""
    if login:
        visit.sign_in(login)
    page = visit.go(path)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    wanted = page.locator("main table[data-queue] a, main .btn-primary, main form .btn").first.element_handle()
    for _ in range(40):
        page.keyboard.press("Tab")
        ring = page.evaluate("""() => { const look = getComputedStyle(document.activeElement);
            return look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2 || look.boxShadow !== 'none' }""")
        assert ring, page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("one => one === document.activeElement", wanted):
            break
    else:
        raise AssertionError("forty steps of the Tab key did not come to the main thing")


def test_a_queue_is_walked_by_letters(visit: Person) -> None:
    page = visit.sign_in("chuangkou").go("/desk")
    page.keyboard.press("j")
    expect(page.locator("table[data-queue] tbody tr a").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#wj-keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()


@pytest.mark.parametrize("login, paths", [
    ("", DOORS), ("chuangkou", ("/desk",)), ("lingdao", ("/desk",)), (APPLICANTS[7], ("/applications",))])
def test_the_english_pages_are_english(visit: Person, login: str, paths: tuple[str, ...]) -> None:
    """What is not marked as Chinese by its language is not Chinese: names of people and agencies are."""
    if login:
        visit.sign_in(login)
    for path in paths:
        page = visit.go(f"{path}?lang=en")
        assert page.get_attribute("html", "lang") == "en"
        links = page.locator("main table a")
        addresses = [page.url] + ([links.first.get_attribute("href")] if links.count() else [])
        for address in addresses:
            page = visit.go(address or "")
            chinese = page.evaluate(CHINESE)
            if not path.startswith("/design"):
                assert chinese == [], address
