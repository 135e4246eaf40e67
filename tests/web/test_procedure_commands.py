"""Procedures by the command line: proved or refused with their story, and lived again over past cases."""

import json
from pathlib import Path

import pytest

from tests.web.command_line import wujian
from workflow import procedures


def test_a_shipped_procedure_is_proved_by_the_command_line(tmp_path: Path) -> None:
    done = wujian("procedure", "prove", "cma_verification.v1", "--alone", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plain = json.loads(done.stdout)
    assert plain["verdict"] == "proved" and plain["may_activate"] is False and plain["seconds"] >= 0
    assert plain["digest"] == procedures.find("cma_verification", 1).digest


def test_verbs_are_proved_by_twos_when_asked(tmp_path: Path) -> None:
    done = wujian("procedure", "prove", "industrial_product.v1", "--alone", "--pairs", cwd=tmp_path)
    assert done.returncode == 0 and "any two families of them on a case" in done.stdout


def test_a_file_that_is_not_sound_is_refused_with_its_story(tmp_path: Path) -> None:
    text = (procedures.HERE / "cma_verification.v1.yaml").read_text("utf-8")
    unsound = tmp_path / "draft.yaml"
    unsound.write_text(text.replace("duties: [{role: inspector}]", "duties: [{role: administrator}]"), "utf-8")
    done = wujian("procedure", "prove", unsound, "--alone", cwd=tmp_path)
    assert done.returncode == 1
    assert "“Opened, inspectors to be named” waits for an administrator" in done.stdout.split("The shortest story:")[1]


@pytest.mark.parametrize("which", ["nothing_of_that_name", "nothing.yaml"])
def test_what_is_not_there_is_said(tmp_path: Path, which: str) -> None:
    done = wujian("procedure", "prove", which, "--alone", cwd=tmp_path)
    assert done.returncode == 1 and f"there is no file and no procedure called {which}" in done.stderr


def test_nothing_has_ended_yet(tmp_path: Path) -> None:
    settings = {"database_url": f"sqlite:///{tmp_path / 'a.sqlite3'}"}
    assert wujian("migrate", cwd=tmp_path, **settings).returncode == 0
    assert wujian("seed", cwd=tmp_path, **settings).returncode == 0
    done = wujian("procedure", "whatif", "cma", "1", "--json", cwd=tmp_path, **settings)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cases"] == []
