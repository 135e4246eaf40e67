"""What counts as noticing that something is gone, and a run of tests in a child process that has one word off."""

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest


class Noticing:
    """Whether some test notices; `noticed` names it, `otherwise` those that broke without having noticed."""

    def __init__(self, keep: Path) -> None:
        self.keep = keep
        self.noticed: list[str] = []
        self.otherwise: list[str] = []
        self.tried = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if call.when == "call":
            self.tried += 1
        if call.excinfo is not None and report.failed:
            if is_a_promise(call.excinfo.value):
                self.noticed.append(item.nodeid)
                item.session.shouldstop = "noticed"
            else:
                self.otherwise.append(f"{item.nodeid}: {call.excinfo.exconly()[:200]}")
        return report

    def pytest_sessionfinish(self) -> None:
        seen = {"noticed": self.noticed, "otherwise": self.otherwise, "tried": self.tried}
        self.keep.write_text(json.dumps(seen, ensure_ascii=False), "utf-8")


def is_a_promise(failure: BaseException) -> bool:
    """An assertion that does not hold, a refusal that does not come, or one that comes where none may."""
    from workflow.vocabulary import Refusal

    return isinstance(failure, AssertionError | pytest.fail.Exception | Refusal)


def in_a_child(tests: Iterable[str], off: Callable[[], None], keep: Path, templates: Mapping[str, Path]) -> Any:
    """Run tests in a fork of this process, in which everything is imported already, after `off` was called.

    `templates`: databases made beforehand, by the name of what prepares them. Raises RuntimeError when it broke.
    """
    keep.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        code = 1
        try:
            off()
            code = _run(list(tests), keep, templates)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if status or not keep.exists():
        said = keep.with_suffix(".log").read_text("utf-8", "replace").strip().splitlines()
        raise RuntimeError(f"the tests broke off with {status}: {said[-1] if said else 'nothing was said'}")
    return json.loads(keep.read_text("utf-8"))


def _run(tests: list[str], keep: Path, templates: Mapping[str, Path]) -> int:
    from tests.services import databases

    log = os.open(keep.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    made = databases.sqlite_template

    def copied(path: Path, prepare: Callable[[str], None]) -> Path:
        if prepare.__name__ not in templates:
            return made(path, prepare)
        path.write_bytes(templates[prepare.__name__].read_bytes())
        return path

    databases.sqlite_template = copied
    noticing, quietly = Noticing(keep), ["-q", "--tb=line", "-p", "no:cacheprovider"]
    ended = pytest.main([*quietly, *tests], plugins=[noticing])
    if ended == pytest.ExitCode.USAGE_ERROR:  # a test of that name is gone: the others are asked
        files = dict.fromkeys(test.partition("::")[0] for test in tests)
        ended = pytest.main([*quietly, *files], plugins=[noticing, Chosen(tests)])
    return 0 if ended in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED) else 1


class Chosen:
    """Only these tests, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self.place = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self.place), key=lambda i: self.place[i.nodeid])
