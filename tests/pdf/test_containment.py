"""The guarded child gives the same document, and whatever breaks in it stays in it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import pdf.contained
from pdf.contained import ContainedRenderer, Limits, RenderFailed, render_in_child, render_notice_in_child
from pdf.faces import MissingGlyph
from pdf.values import Annex, InvalidValue, NoticeKind
from tests.pdf.conftest import corpus_annex, make_certificate, make_notice, make_row

CHILD = Path(pdf.contained.__file__).with_name("child.py")


def test_the_child_gives_the_same_bytes(p01) -> None:
    certificate, annex, expected = p01
    done = render_in_child(certificate, annex)
    assert done.pdf == expected
    assert done.pages == 5


def test_one_child_renders_many_documents(renderer) -> None:
    with ContainedRenderer() as child:
        for number in range(5):
            certificate = make_certificate(number=f"26171205{number:04}")
            assert child.certificate(certificate) == renderer.certificate(certificate)
        notice = make_notice(NoticeKind.ACCEPTANCE)
        assert child.notice(notice) == renderer.notice(notice)
    assert render_notice_in_child(notice).pdf == renderer.notice(notice).pdf


def test_refusals_come_back_with_their_place_and_the_child_lives_on() -> None:
    with ContainedRenderer() as child:
        with pytest.raises(MissingGlyph) as refused:
            child.certificate(make_certificate(agency_name="\ue000"))
        assert refused.value.refusals[0].where == "agency_name"
        with pytest.raises(InvalidValue, match="too many"):
            child.certificate(make_certificate(agency_name="长" * 301))
        running = child._child
        assert child.certificate(make_certificate()).pages == 1
        assert child._child is running


def huge() -> Annex:
    _, annex = corpus_annex("P13")
    return Annex(rows=annex.rows * 8)


@pytest.mark.parametrize(
    ("limits", "reasons"),
    [
        (Limits(cpu_seconds=1), {"out_of_time"}),
        (Limits(wall_seconds=0.3), {"timed_out"}),
        (Limits(memory=220 << 20), {"out_of_memory", "crashed"}),
        (Limits(input_bytes=100_000), {"too_large"}),
        (Limits(output_bytes=100_000), {"too_large"}),
    ],
    ids=["processor time", "time", "memory", "input", "output"],
)
def test_a_huge_input_is_stopped_and_the_next_one_served(limits: Limits, reasons: set[str]) -> None:
    with ContainedRenderer(limits) as child:
        with pytest.raises(RenderFailed) as failed:
            child.certificate(make_certificate(), huge())
        assert failed.value.reason in reasons
        assert child._child is None
        child.limits = Limits()
        assert child.certificate(make_certificate()).pages == 1


def test_an_endless_child_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    endless = tmp_path / "endless.py"
    endless.write_text("while True: pass")
    monkeypatch.setattr("pdf.contained._CHILD", endless)
    with pytest.raises(RenderFailed) as failed:
        render_in_child(make_certificate(), limits=Limits(wall_seconds=0.5))
    assert failed.value.reason == "timed_out"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise SystemExit(3)", "crashed"),
        ("import os; os.kill(os.getpid(), 11)", "crashed"),
        ('import os; os.write(1, b\'{"sha256": "00", "pages": 1, "bytes": 4}\\n%PDF\')', "crashed"),
        ("import os\nwhile True: os.write(1, b'x' * 65536)", "too_large"),
    ],
    ids=["exit", "signal", "damaged answer", "flood"],
)
def test_a_broken_child_is_a_failure_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str, reason: str
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text(body)
    monkeypatch.setattr("pdf.contained._CHILD", broken)
    with pytest.raises(RenderFailed) as failed:
        render_in_child(make_certificate(), limits=Limits(output_bytes=2 << 20))
    assert failed.value.reason == reason


@pytest.mark.parametrize(
    "deed",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.getaddrinfo('example.org', 80)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
        "import os; os.posix_spawn('/bin/true', ['true'], {})",
        "open('planted', 'w')",
        "import os; os.open('planted', os.O_WRONLY | os.O_CREAT)",
        "import os; os.remove('kept')",
        "import os; os.rename('kept', 'moved')",
        "x = bytearray(2 << 30)",
    ],
)
def test_the_child_may_do_nothing_but_render(tmp_path: Path, deed: str) -> None:
    (tmp_path / "kept").write_text("kept")
    program = f"""
import sys; sys.path.insert(0, {str(CHILD.parent)!r})
import child
child.limit({{"memory": 1 << 30, "cpu_seconds": 5, "file_bytes": 0}})
sys.addaudithook(child.guard)
try:
    exec({deed!r})
except (child.Forbidden, MemoryError) as refused:
    print("refused", type(refused).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-B", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout.startswith("refused"), done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]


def test_the_child_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WUJIAN_SECRET", "CANARYWORD42")
    teller = tmp_path / "teller.py"
    teller.write_text("import os, sys; sys.exit(str(dict(os.environ)) + os.getcwd())")
    monkeypatch.setattr("pdf.contained._CHILD", teller)
    with pytest.raises(RenderFailed) as failed:
        render_in_child(make_certificate())
    assert "CANARYWORD42" not in failed.value.detail
    assert "PATH" not in failed.value.detail


@pytest.mark.proof
def test_twenty_thousand_rows_fit_the_limits() -> None:
    certificate, annex = corpus_annex("P14")
    assert render_in_child(certificate, annex).pages > 800


def test_limits_are_what_they_say(p01) -> None:
    certificate, annex, _ = p01
    tight = replace(Limits(), memory=600 << 20, cpu_seconds=20)
    assert render_in_child(certificate, annex, tight).pages == 5
    assert make_row().cells()[0] == "一场所"
