"""Rendering in a child process that may do nothing but render.

The child starts with an empty environment and hard limits on memory, processor time, file size and processes; every
fetch, socket and further process is refused; values go in and bytes come out as JSON and raw bytes over pipes. What
goes wrong in there ends as RenderFailed here and never takes the worker along.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from pdf.faces import MissingGlyph, Refusal
from pdf.licences import Licence, licence_json
from pdf.values import (
    Annex,
    Certificate,
    InvalidValue,
    Notice,
    Rendered,
    annex_json,
    certificate_json,
    notice_json,
)

_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use. Memory and files in bytes, time in seconds; processor time is for its whole life.

    The defaults leave a 20,000-row annex (about 2 s, 260 MB) room on a machine several times slower.
    """

    memory: int = 1 << 30
    cpu_seconds: int = 60
    wall_seconds: float = 90.0
    file_bytes: int = 0
    input_bytes: int = 64 << 20
    output_bytes: int = 64 << 20


#: For a child that renders many documents in a row.
BATCH = Limits(cpu_seconds=600)


class RenderFailed(RuntimeError):
    """The child gave no document; `reason` is one of too_large, timed_out, out_of_memory, out_of_time, crashed,
    refused; `detail` is for the operator's log."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"render failed: {reason}{': ' + detail if detail else ''}")


class ContainedRenderer:
    """A guarded child that renders documents one after another. Use as a context.

    `certificate` and `notice` raise MissingGlyph and InvalidValue as pdf.certificate.Renderer does, and RenderFailed
    when the child broke or was stopped; after that the next call starts a fresh child.
    """

    def __init__(self, limits: Limits = BATCH) -> None:
        self.limits = limits
        self._child: subprocess.Popen[bytes] | None = None
        self._complaints = b""

    def __enter__(self) -> ContainedRenderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            child.kill()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        child.wait()

    def certificate(self, certificate: Certificate, annex: Annex | None = None) -> Rendered:
        """Render one certificate with its annex."""
        values = {"certificate": certificate_json(certificate), "annex": annex_json(annex) if annex else None}
        return self._ask(values)

    def licence(self, licence: Licence, annex: Annex | None = None) -> Rendered:
        """Render one licence, with capability rows after it."""
        return self._ask({"licence": licence_json(licence), "annex": annex_json(annex) if annex else None})

    def notice(self, notice: Notice) -> Rendered:
        """Render one written notice."""
        return self._ask({"notice": notice_json(notice)})

    def _start(self) -> subprocess.Popen[bytes]:
        settings = json.dumps(
            {name: value for name, value in asdict(self.limits).items() if name != "wall_seconds"}
        )
        self._complaints = b""
        return subprocess.Popen(  # noqa: S603  - fixed arguments, our own interpreter and file
            [sys.executable, "-I", "-B", "-X", "utf8", str(_CHILD), settings],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={}, cwd="/", close_fds=True, start_new_session=True,
        )  # fmt: skip

    def _ask(self, values: dict[str, Any]) -> Rendered:
        question = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )
        if len(question) > self.limits.input_bytes:
            raise RenderFailed("too_large", f"{len(question)} bytes of input")
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = self._start()
        try:
            head, body = self._exchange(self._child, b"%d\n" % len(question) + question)
        except RenderFailed:
            self.close()
            raise
        return self._answer(head, body)

    def _answer(self, head: dict[str, Any], body: bytes) -> Rendered:
        if head.get("missing"):
            raise MissingGlyph(Refusal(*texts) for texts in head["missing"])
        if head.get("invalid"):
            raise InvalidValue(head["invalid"])
        if head.get("failed"):
            reason = "out_of_memory" if head["failed"] == "MemoryError" else "refused"
            self.close()
            raise RenderFailed(reason, f"{head['failed']}: {head.get('detail', '')}")
        digest = hashlib.sha256(body).hexdigest()
        if digest != head.get("sha256") or not body.startswith(b"%PDF-"):
            self.close()
            raise RenderFailed("crashed", "the answer is damaged")
        return Rendered(body, digest, int(head["pages"]))

    def _exchange(self, child: subprocess.Popen[bytes], question: bytes) -> tuple[dict[str, Any], bytes]:
        """Write the question and read the answer at once, until the deadline."""
        deadline = time.monotonic() + self.limits.wall_seconds
        assert child.stdin and child.stdout and child.stderr
        answer = bytearray()
        sent = 0
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdin, selectors.EVENT_WRITE)
            selector.register(child.stdout, selectors.EVENT_READ)
            selector.register(child.stderr, selectors.EVENT_READ)
            while (parted := _parted(answer)) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise RenderFailed("timed_out", f"no answer in {self.limits.wall_seconds:g} s")
                for key, _ in selector.select(left):
                    if key.fileobj is child.stdin:
                        sent += self._write(child.stdin, question[sent : sent + 65536])
                        if sent >= len(question):
                            selector.unregister(child.stdin)
                    elif key.fileobj is child.stderr:
                        if part := child.stderr.read1(4096):  # type: ignore[attr-defined]
                            self._complaints = (self._complaints + part)[-4096:]
                        else:
                            selector.unregister(child.stderr)
                    else:
                        part = child.stdout.read1(1 << 20)  # type: ignore[attr-defined]
                        if not part:
                            raise self._why_it_ended(child)
                        answer += part
                        if len(answer) > self.limits.output_bytes:
                            raise RenderFailed("too_large", "the document is larger than allowed")
        return parted

    def _write(self, pipe: IO[bytes], part: bytes) -> int:
        try:
            count = pipe.write(part)
            pipe.flush()
        except BrokenPipeError:
            return len(part)  # the child has ended; reading tells why
        return count

    def _why_it_ended(self, child: subprocess.Popen[bytes]) -> RenderFailed:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(5)
        complaint = self._complaints.decode("utf-8", "replace").strip().splitlines()
        last = complaint[-1] if complaint else ""
        if child.returncode == -signal.SIGXCPU:
            return RenderFailed("out_of_time", f"{self.limits.cpu_seconds} s of processor time used")
        if "MemoryError" in last or "alloc" in last.lower():
            return RenderFailed("out_of_memory", last)
        return RenderFailed("crashed", f"exit {child.returncode} {last}".strip())


def _parted(answer: bytearray) -> tuple[dict[str, Any], bytes] | None:
    """Header and body once both are complete."""
    end = answer.find(b"\n", 0, 1 << 20)
    if end < 0:
        return None
    head = json.loads(bytes(answer[:end]))
    length = int(head.get("bytes", 0))
    if len(answer) < end + 1 + length:
        return None
    return head, bytes(answer[end + 1 : end + 1 + length])


def render_in_child(
    certificate: Certificate, annex: Annex | None = None, limits: Limits | None = None
) -> Rendered:
    """Render one certificate in a guarded child of its own."""
    with ContainedRenderer(limits or Limits()) as renderer:
        return renderer.certificate(certificate, annex)


def render_notice_in_child(notice: Notice, limits: Limits | None = None) -> Rendered:
    """Render one written notice in a guarded child of its own."""
    with ContainedRenderer(limits or Limits()) as renderer:
        return renderer.notice(notice)
