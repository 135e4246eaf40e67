"""The script at the root says what it does, and refuses before it starts what cannot succeed."""
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments, cwd=ROOT, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WUJIAN_")}
    return subprocess.run([ROOT / "run", *arguments], cwd=cwd, env=kept | environment, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, check=False)


def test_help_works_from_any_directory_and_names_every_command(tmp_path):
    answer = run("help", cwd=tmp_path)
    known = re.findall(r"^([a-z]+)(?: \||\))", (ROOT / "run").read_text().split("case $command in")[1], re.M)
    assert answer.returncode == 0
    assert {"test", "check", "bench", "proof", "wujian", "setup"} <= set(known)
    assert [name for name in known if name != "serve" and f"./run {name}" not in answer.stdout] == []


def test_an_unknown_command_is_refused_with_what_there_is():
    answer = run("srve")
    assert answer.returncode == 1
    assert 'no command "srve"' in answer.stderr
    assert "./run test" in answer.stderr


def test_a_taken_port_is_said_before_anything_is_set_up():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = run(WUJIAN_PORT=str(port))
    assert answer.returncode == 1
    assert f"port {port}" in answer.stderr
    assert f"WUJIAN_PORT={port + 1} ./run" in answer.stderr
    assert answer.stdout == ""


@pytest.mark.parametrize("port", ["http", "99999", "123456", "-1", "50 01"])
def test_a_port_that_is_none_is_refused(port):
    answer = run(WUJIAN_PORT=port)
    assert answer.returncode == 1
    assert port in answer.stderr
    assert answer.stdout == ""


@pytest.mark.parametrize("script", ["run", ".ci/run", "requirements/lock.sh"])
def test_every_script_is_plain_posix_shell_and_can_be_executed(script):
    text = (ROOT / script).read_text()
    assert text.startswith("#!/bin/sh\n")
    assert script.endswith(".sh") or os.access(ROOT / script, os.X_OK)
    shell = shutil.which("dash") or "sh"
    assert subprocess.run([shell, "-n", ROOT / script], capture_output=True, check=False).returncode == 0
