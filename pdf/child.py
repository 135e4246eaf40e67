"""The process that renders for pdf.contained. Started as a file, isolated, with its limits as the only argument.

Reads "<length>\\n<JSON>" from standard input and answers "<JSON header>\\n<PDF bytes>" on standard output, until the
input ends. Limits come first, then imports, then a guard that refuses sockets and processes, then the first value.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

_REFUSED = (
    "socket.", "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn",
    "urllib.Request", "http.client", "ftplib.", "smtplib.", "ctypes.dlopen", "pty.spawn",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
)  # fmt: skip


class Forbidden(BaseException):
    """Something in the child reached for the world outside. A BaseException, so that no library swallows it."""


def limit(settings: dict[str, int]) -> None:
    """Hard limits for the rest of this process."""
    for kind, amount in (
        (resource.RLIMIT_AS, settings["memory"]),
        (resource.RLIMIT_CPU, settings["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, settings["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            amount = min(amount, hard)
        # Processor time: the soft limit tells us why by its own signal, the hard one kills two seconds later.
        ceiling = amount + 2 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else amount
        resource.setrlimit(kind, (amount, ceiling))


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: refuse network, processes, and changes to the file system."""
    if event.startswith(_REFUSED):
        raise Forbidden(event)
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(flags & 0o3)
        if writes:
            raise Forbidden(f"open {arguments[0]!r} for writing")


def answer(out: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    """One answer: header line, then the document."""
    out.write(json.dumps(head | {"bytes": len(body)}).encode("ascii") + b"\n" + body)
    out.flush()


def serve(source: BinaryIO, out: BinaryIO) -> None:
    """Render what comes in until nothing more comes."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from pdf.certificate import Renderer
    from pdf.faces import MissingGlyph
    from pdf.licences import licence_from_json
    from pdf.values import InvalidValue, annex_from_json, certificate_from_json, notice_from_json

    with Renderer() as renderer:
        sys.addaudithook(guard)
        while length := source.readline(32):
            try:
                asked = json.loads(source.read(int(length)).decode("utf-8", "surrogatepass"))
                annex = annex_from_json(asked["annex"]) if asked.get("annex") else None
                if "licence" in asked:
                    done = renderer.licence(licence_from_json(asked["licence"]), annex)
                elif "notice" in asked:
                    done = renderer.notice(notice_from_json(asked["notice"]))
                else:
                    done = renderer.certificate(certificate_from_json(asked["certificate"]), annex)
                answer(out, {"sha256": done.sha256, "pages": done.pages}, done.pdf)
            except MissingGlyph as missing:
                refusals = [[r.character, r.code_point, r.where, r.reason] for r in missing.refusals[:200]]
                answer(out, {"missing": refusals})
            except InvalidValue as invalid:
                answer(out, {"invalid": str(invalid)})
            except BaseException as error:
                answer(out, {"failed": type(error).__name__, "detail": str(error)[:2000]})
                raise


if __name__ == "__main__":
    limit(json.loads(sys.argv[1]))
    serve(sys.stdin.buffer, sys.stdout.buffer)
