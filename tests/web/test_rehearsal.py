"""`wujian rehearse` takes a package through the whole chain, as a command of its own process."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pdf.reading import embedded_record
from tests.web.command_line import CORPUS, wujian

# Order 163 and the number rule: year, licensing authority, field, industry or serial; twelve digits.
NUMBER = re.compile(r"\d{12}")
Run = tuple["subprocess.CompletedProcess[str]", dict[str, Any], Path]


def rehearsed(package: str, track: str, place: Path) -> Run:
    out = place / "out"
    done = wujian("rehearse", CORPUS / package, "--track", track, "--out", out, "--json", cwd=place, var=place / "var")
    assert done.stdout, done.stderr
    return done, json.loads(done.stdout), out


@pytest.fixture(scope="module")
def general(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """P01 on the general track."""
    return rehearsed("P01", "general", tmp_path_factory.mktemp("general"))


@pytest.fixture(scope="module")
def on_commitment(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """P05 on the commitment track."""
    return rehearsed("P05", "commitment", tmp_path_factory.mktemp("commitment"))


@pytest.fixture(scope="module", params=["general", "on_commitment"])
def run(request: pytest.FixtureRequest) -> Run:
    """Both of them in turn."""
    found: Run = request.getfixturevalue(request.param)
    return found


def test_a_rehearsal_succeeds_with_every_check_held(run: Run) -> None:
    done, report, _ = run
    assert done.returncode == 0, done.stderr
    assert report["succeeded"] is True and report["stopped"] == ""
    assert len(report["checks"]) >= 4 and all(value is True for value in report["checks"].values())


def test_the_certificate_lies_beside_the_report_and_is_the_one_it_names(run: Run) -> None:
    _, report, out = run
    certificate = report["certificate"]
    assert NUMBER.fullmatch(certificate["number"])
    content = (out / certificate["pdf"]).read_bytes()
    assert content.startswith(b"%PDF-") and len(content) == certificate["bytes"]
    printed, annex = embedded_record(content)
    assert printed.number == certificate["number"] and printed.agency_name == report["agency"]["name"]
    assert len(annex.rows) == certificate["annex_rows"] == report["rows"]["accepted"]
    assert report["verification_address"] == printed.verify_url
    assert json.loads((out / "report.json").read_text("utf-8")) == report


def test_what_is_printed_is_json_and_nothing_else(run: Run) -> None:
    done, _, _ = run
    assert done.stdout.startswith("{") and done.stdout.rstrip().endswith("}")


def test_every_step_has_its_actor_moment_state_and_what_runs_after_it(run: Run) -> None:
    _, report, _ = run
    moments = [step["at"] for step in report["steps"]]
    assert moments == sorted(moments) and len(moments) >= 8
    assert all(step["actor"] and step["state"] and step["label_zh"] for step in report["steps"])
    limits = [limit for step in report["steps"] for limit in step["deadlines"]]
    assert limits and all(limit["article"] and limit["due_on"] for limit in limits)


def test_every_department_that_the_application_calls_for_answers(general: Run) -> None:
    _, report, _ = general
    answered = [step["department"] for step in report["steps"] if step["action"] == "sign_off"]
    assert sorted(answered) == sorted(report["application"]["departments"]) and answered


def test_a_grant_on_commitment_is_verified_on_site(on_commitment: Run) -> None:
    _, report, _ = on_commitment
    last = report["steps"][-1]
    assert (last["procedure"], last["state"]) == ("cma_verification", "found_true")


def test_a_rehearsal_leaves_the_installation_it_was_called_from_untouched(general: Run) -> None:
    _, _, out = general
    assert not (out.parent / "var").exists()


def test_a_package_not_eligible_for_the_commitment_track_is_refused_with_the_reason(tmp_path: Path) -> None:
    done, report, _ = rehearsed("P03", "commitment", tmp_path)
    assert done.returncode == 1
    assert report["succeeded"] is False and report["certificate"] == {} and report["steps"] == []
    [unmet] = [each for each in report["eligibility"] if not each["met"]]
    assert "Special food" in unmet["why"] and unmet["article"]
    assert unmet["why"] in report["stopped"]


def test_a_directory_that_is_no_package_is_refused_in_one_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "nothing"
    empty.mkdir()
    (empty / "letter.txt").write_text("not a table")
    done = wujian("rehearse", empty, "--json", "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert "holds no spreadsheet" in done.stderr and "Traceback" not in done.stderr


def test_a_package_without_its_application_form_is_refused_in_one_sentence(tmp_path: Path) -> None:
    package = tmp_path / "half"
    package.mkdir()
    table = next(path for path in (CORPUS / "P05").iterdir() if path.name.startswith("附表1"))
    (package / table.name).write_bytes(table.read_bytes())
    done = wujian("rehearse", package, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "申请书基本信息 is missing" in done.stderr and "Traceback" not in done.stderr


def test_a_package_that_is_not_there_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    done = wujian("rehearse", tmp_path / "nowhere", cwd=tmp_path)
    assert done.returncode == 2 and "does not exist" in done.stderr


def test_nothing_is_written_into_a_directory_that_holds_something(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    done = wujian("rehearse", CORPUS / "P05", "--out", out, cwd=tmp_path)
    assert done.returncode == 1 and "is not empty" in done.stderr
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_a_track_that_is_none_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    done = wujian("rehearse", CORPUS / "P05", "--track", "quick", cwd=tmp_path)
    assert done.returncode == 2 and "general" in done.stderr
