"""A pytest plug-in that writes the outcome of each proof test into the ledger."""
import pytest

from proof.ledger import Result, keep

#: Properties of `record_property` that say how often a promise was tried.
COUNTS = ("tries", "races", "examples", "requests", "kills", "issues", "rows")


def result_of(report: pytest.TestReport) -> Result:
    """What one test's report says; a test that counts nothing was tried once."""
    properties = {name: value for name, value in report.user_properties if name != "unexpected"}
    tries = next((int(str(properties.pop(name))) for name in COUNTS if name in properties), 1)
    note = ", ".join(f"{name} {value}" for name, value in properties.items())
    path, _, promise = report.nodeid.partition("::")
    claim = promise.removeprefix("test_").replace("_", " ")
    return Result(path.removeprefix("tests/").removesuffix(".py"), claim, tries, int(report.failed), note)


class Recording:
    """Collects while tests run and keeps everything at the end, also when the run is broken off."""

    def __init__(self) -> None:
        self.results: list[Result] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test counts once: when it was called, or when its set-up failed."""
        if report.when == "call" and not report.skipped or report.when == "setup" and report.failed:
            self.results.append(result_of(report))

    def pytest_sessionfinish(self) -> None:
        """Write down what was seen."""
        keep(self.results)
