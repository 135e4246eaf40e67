"""A pytest plug-in for `./run proof removals`: it watches what each test leans on, or takes one thing away.

Asked for by `-p tests.removals.plugin`, never loaded otherwise; the environment says what to do, since it must be done
before the first definition is read:

    REMOVALS_KEEP      the file that gets what was seen, as JSON
    REMOVALS_WITHOUT   `trigger:NAME`, or `each` (every test of a constraint,
                       or of a condition of a definition, runs without that very one); else the tests are only watched

Watching keeps for every test that did not fail how long it took, the words that made a difference in it and what the
database said when it refused. With a removal the run ends at the first test that fails by what it promises: an
assertion that does not hold, a refusal that does not come, or one that comes where none may. A test that breaks
otherwise has noticed nothing.
"""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.removals import words
from tests.removals.noticing import Noticing, is_a_promise

KEEP = Path(os.environ.get("REMOVALS_KEEP", os.devnull))
WITHOUT = os.environ.get("REMOVALS_WITHOUT", "")


class Watching:
    """Which test saw what."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = defaultdict(set)
        self.took: dict[str, float] = defaultdict(float)
        self.failed: set[str] = set()
        self.now = ""

    def note(self, what: str) -> None:
        if self.now:
            self.seen[self.now].add(what)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.now = nodeid

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.now = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.took[report.nodeid] += report.duration
        if report.outcome == "failed":
            self.failed.add(report.nodeid)
        if report.outcome == "skipped":
            self.note("skipped")

    def pytest_sessionfinish(self) -> None:
        kept = {
            name: {"took": round(took, 3), "seen": sorted(self.seen[name])}
            for name, took in self.took.items()
            if name not in self.failed
        }
        KEEP.write_text(json.dumps(kept, ensure_ascii=False), "utf-8")


class WithoutEach:
    """Every test that is about one constraint or condition runs without it; the others are not asked."""

    def __init__(self) -> None:
        self.noticed: list[str] = []
        self.survived: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        # Who takes the constraint away by itself asks for no connection, and has nothing to add here.
        named = ((i, set(getattr(i, "fixturenames", ()))) for i in items)
        items[:] = [i for i, names in named if "condition" in names or {"constraint", "connection"} <= names]

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Any:
        from tests.removals.schema import drop_constraint, looking_at_foreign_keys
        from tests.removals.words import unconditional

        if condition := pyfuncitem.funcargs.get("condition"):
            with unconditional(condition.action, condition.number):
                return (yield)
        connection, constraint = pyfuncitem.funcargs["connection"], pyfuncitem.funcargs["constraint"]
        # Without a primary key nothing can lean on it: PostgreSQL takes those foreign keys along, SQLite looks away.
        with looking_at_foreign_keys(connection, constraint.kind != "primary key"):
            drop_constraint(connection, constraint)
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if call.when == "call" or report.failed:
            noticed = call.excinfo is not None and is_a_promise(call.excinfo.value)
            said = "" if noticed or call.excinfo is None else f": {call.excinfo.exconly()[:300]}"
            (self.noticed if noticed else self.survived).append(f"{item.nodeid}{said}")
        return report

    def pytest_sessionfinish(self) -> None:
        KEEP.write_text(json.dumps(vars(self), ensure_ascii=False), "utf-8")


def _without_trigger(name: str) -> None:
    """Every database that a test migrates loses the trigger."""
    from alembic.script import ScriptDirectory

    from store import database
    from tests.removals.schema import drop_trigger

    migrate = database.migrate

    def migrate_without(url: str, revision: str = "head") -> None:
        migrate(url, revision)
        newest = ScriptDirectory.from_config(database.alembic_config(url)).get_current_head()
        if revision not in ("head", newest):
            return
        opened = database.Database(url)
        with opened.writing() as connection:
            drop_trigger(connection, name)
        opened.close()

    database.migrate = migrate_without


def _watched() -> Watching:
    from sqlalchemy import Engine, event

    watching = Watching()
    words.install(words.watching(watching.note))
    event.listen(Engine, "handle_error", lambda context: watching.note(f"said:{context.original_exception}"))
    return watching


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(WATCH)


if not WITHOUT:
    WATCH: Watching | Noticing | WithoutEach = _watched()
elif WITHOUT == "each":
    WATCH = WithoutEach()
else:
    WATCH = Noticing(KEEP)
    _without_trigger(WITHOUT.removeprefix("trigger:"))
