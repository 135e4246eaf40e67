"""A bureau that is open: the whole application behind a real server, its worker running, its people at their desks."""
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response, expect
from werkzeug.routing import MapAdapter
from werkzeug.serving import WSGIRequestHandler, make_server

import app as root
import configuration
from intake.check import INSTALLED_STANDARDS
from intake.standards import Catalogue
from jobs import worker
from store.database import BUREAU_ZONE, Clock
from store.jobs import JobQueue
from store.passwords import Passwords
from store.reference import DIRECTORY, Reference, read_catalogue_file, seed
from web.cast import PASSWORD, Cast
from web.context import House
from web.rehearsal.package import Package
from web.rehearsal.play import Play
from web.rehearsal.report import Report
from web.rehearsal.stage import JumpingClock, Stage

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
SECRET = "the key of a browser test, long enough and of no use elsewhere"
MONDAY = datetime(2026, 8, 3, 9, 0, tzinfo=BUREAU_ZONE)  # no holiday before 25 September
WAIT = 20_000  # milliseconds that a page may take on a busy machine


class RunningClock(JumpingClock):
    """Runs as the wall clock does, but from Monday, 3 August 2026, nine o'clock; days may be skipped."""

    def __init__(self) -> None:
        self._shift = MONDAY - Clock().now()

    def now(self) -> datetime:
        return Clock().now() + self._shift

    @property
    def at(self) -> datetime:
        return self.now()

    def go_to(self, on: date, hour: int = 9) -> None:
        """Let time pass until an hour of a day; never back."""
        ahead = datetime(on.year, on.month, on.day, hour, tzinfo=BUREAU_ZONE) - self.now()
        self._shift += max(ahead, timedelta())


@dataclass
class Bureau:
    """A bureau that is open at `origin`."""

    origin: str
    house: House
    clock: Clock
    cast: Cast
    addresses: MapAdapter  # what an address leads to

    def play(self, name: str, track: str, login: str) -> Play:
        """A package whose agency is registered and whose application is filled in on a track: by the commands that
        the screens use, for a test that begins later in the story."""
        assert isinstance(self.clock, RunningClock)
        stage = Stage(self.house, self.clock, self._wait_for_the_worker)
        play = Play(stage, self.package(name), Report(name, track), login)
        play.register()
        play.enter_old_certificate()
        play.fill_in(track)
        return play

    def _wait_for_the_worker(self, _house: House) -> list[str]:
        """Until the worker of this bureau has done what is due; the reasons of jobs that failed for good."""
        queue = JobQueue(self.house.database)
        pause = threading.Event()
        for _look in range(600):
            if not queue.list_("waiting").lines:
                break
            pause.wait(0.1)
        return [line.error or line.kind for line in queue.list_("failed").lines]

    def package(self, name: str) -> Package:
        """A package of the corpus, read."""
        return Package.open(CORPUS / name, Catalogue.from_csv(INSTALLED_STANDARDS))


def furnish(url: str, var: Path, division: str) -> configuration.Settings:
    """The settings of a bureau of the province of `division`, with reference data and cast in an already migrated
    database."""
    settings = configuration.load(
        var=var, database_url=url, secret_key=SECRET, **authority_of(division), bureau_phone="027-0000 0000")
    house = root.open_house(settings, clock=RunningClock(), passwords=quick_passwords())
    seed(house.database)
    house.reference.put_setting("bureau", settings.bureau)
    Cast(house.accounts, house.reference).assemble()
    house.database.close()
    return settings


def authority_of(division: str) -> dict[str, str]:
    """The settings of the provincial authority over a place."""
    rows = read_catalogue_file(DIRECTORY, "authorities")
    row = next(r for r in rows if r["division"][:2] == division[:2])
    return {"bureau_name": row["zh"], "bureau_authority": row["code"], "bureau_division": row["division"]}


def quick_passwords() -> Passwords:
    """Argon2id with the least memory: the same code, without the waiting."""
    return Passwords(memory_kib=8, passes=1)


@contextmanager
def opened(settings: configuration.Settings, clock: Clock | None = None) -> Iterator[Bureau]:
    """Serve, and run the jobs in the same process, as `wujian serve` does; by a RunningClock unless another is
    given."""
    server = make_server("127.0.0.1", 0, _wait_for_the_application, threaded=True, request_handler=_Quiet)
    origin = f"http://127.0.0.1:{server.server_port}"
    settings = settings.model_copy(update={"public_origin": origin, "port": server.server_port})
    clock = clock or RunningClock()
    application = root.create_app(settings, clock=clock, passwords=quick_passwords())
    server.app = application
    house: House = application.extensions["wujian"]
    stop_worker = worker.start(house)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Bureau(origin, house, clock, Cast(house.accounts, Reference(house.database)),
                     application.url_map.bind(f"127.0.0.1:{server.server_port}"))
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
        stop_worker()
        house.database.close()


class _Quiet(WSGIRequestHandler):
    """Does not note every request: the log of a test tells of the application."""

    protocol_version = "HTTP/1.1"  # connections are kept, as by the server of the product

    def log_request(self, *_: Any) -> None:
        pass


def _wait_for_the_application(_environ: Any, _start: Any) -> Any:
    raise RuntimeError("the server was asked before its application was there")


# -- people ----------------------------------------------------------------------------------------------------


@dataclass
class Person:
    """Somebody at a browser of their own. `complaints` are the errors that the browser noted meanwhile."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def at(cls, browser: Browser, origin: str, **options: Any) -> "Person":
        context: BrowserContext = browser.new_context(**{
            "locale": "zh-CN", "timezone_id": "Asia/Shanghai", "viewport": {"width": 1440, "height": 900},
            "base_url": origin, "accept_downloads": True, **options})
        context.set_default_timeout(WAIT)
        one = cls(context.new_page(), origin)
        context.on("page", lambda page: one._listen(page))
        one._listen(one.page)
        return one

    def _listen(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        # Chromium reports every answer of 4xx as an error of its own; the tests look at those answers themselves.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status}: {response.url}")

    def close(self) -> None:
        """Leave; raises AssertionError with every error that the browser noted."""
        self.page.context.close()
        assert not self.complaints, self.complaints

    # -- getting about

    def go(self, path: str) -> Page:
        """Open an address of the bureau and wait until its page is ready."""
        self.page.goto(path if "://" in path else self.origin + path)
        return self.ready()

    def ready(self) -> Page:
        self.page.wait_for_selector("body[data-ready]", timeout=WAIT)
        return self.page

    def press(self, name: str, role: Any = "button", exact: bool = True) -> Page:
        """Press the button, or follow the link, of that name, and wait for the page that comes."""
        return self.leave_by(self.page.get_by_role(role, name=name, exact=exact).first)

    def leave_by(self, place: Locator) -> Page:
        """Click there and wait until another page stands in the place of this one."""
        self.page.evaluate("document.body.dataset.left = ''")
        place.click()
        self.page.wait_for_selector("body[data-ready]:not([data-left])", timeout=WAIT)
        return self.page

    def another_window(self) -> "Person":
        """The same browser, a second window, at the same place."""
        second = Person(self.page.context.new_page(), self.origin, self.complaints)
        if self.page.url.startswith(self.origin):
            second.go(self.page.url)
        return second

    def follow(self, name: str, exact: bool = True) -> Page:
        return self.press(name, "link", exact)

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=False).first.fill(text)

    def sees(self, text: str) -> None:
        """The words stand on the page, or will within a moment."""
        expect(self.page.locator("main")).to_contain_text(text, timeout=WAIT)

    def reads(self, pattern: str) -> str:
        """The first group of a pattern in the text of the page."""
        found = re.search(pattern, self.page.locator("body").inner_text())
        assert found, f"{pattern} is not on {self.page.url}"
        return found[1]

    # -- one's own name

    def sign_in(self, login: str, password: str = PASSWORD) -> "Person":
        self.go("/sign-in")
        self.page.fill("#login", login)
        self.page.fill("#password", password)
        self.press("登录")
        assert "/sign-in" not in self.page.url, self.page.locator("main").inner_text()
        return self

    def confirm_identity(self) -> None:
        """The password once more, where a form asks for it."""
        asked = self.page.locator("form #password")
        if asked.count():
            asked.fill(PASSWORD)


