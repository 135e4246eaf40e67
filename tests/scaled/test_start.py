"""Starting the embedded shape, and what refuses to start: every reason at once, before anything is opened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scaled.installation import Installation, until
from tests.scaled.visitors import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scaled")]
SECRET = "the key of a test, long enough and of no use elsewhere"


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Installation]:
    """An installation in one directory, with nothing set but where that is."""
    made = Installation(tmp_path, {"var": tmp_path / "var", "secret_key": SECRET})
    yield made
    made.close()


def test_one_process_on_sqlite_serves_and_does_its_jobs_and_stops_in_order(embedded: Installation) -> None:
    for command in ("migrate", "seed"):
        assert embedded.run(command).returncode == 0
    web = embedded.web("web")
    browser = Visitor([web.port])
    assert browser.get("/healthz").status == 200
    ready = until(lambda: (found := browser.get("/readyz")).status == 200 and found, "the process to be ready")
    assert '"status":"ok"' in ready.text.replace(" ", "").replace("\n", "")
    metrics = browser.get("/metrics")
    assert metrics.status == 200 and "wujian_requests_total" in metrics.text
    assert web.stop() == 0 and "Traceback" not in web.told()


def test_everything_that_is_wrong_is_said_at_once(embedded: Installation) -> None:
    done = embedded.run("serve", port=0, profile="live", threads="many", no_such_setting="1")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    for name in ("port", "profile", "threads", "WUJIAN_NO_SUCH_SETTING"):
        assert name in done.stderr, done.stderr


def test_production_refuses_every_unsafe_setting_at_once(embedded: Installation) -> None:
    done = embedded.run("serve", profile="production", debug=True, secret_key="short",
                        database_url="mysql://127.0.0.1/x", public_origin="http://cma.bureau.example")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    for name in ("debug", "secret_key", "database_url", "public_origin", "bureau_name", "mail_from"):
        assert f"{name}:" in done.stderr, done.stderr


def test_several_processes_on_sqlite_are_refused(embedded: Installation) -> None:
    done = embedded.run("serve", "--processes", "2", embedded_worker=False)
    assert done.returncode == 1 and "PostgreSQL" in done.stderr


def test_several_processes_that_would_each_run_jobs_are_refused(embedded: Installation) -> None:
    done = embedded.run("serve", "--processes", "2", database_url="postgresql://127.0.0.1/none")
    assert done.returncode == 1 and "WUJIAN_EMBEDDED_WORKER=false" in done.stderr
