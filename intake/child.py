"""Reading in a contained child process: limits on memory, processor time and wall time; its death harms nothing.

The parent sends a JSON header and the raw bytes on standard input; the answer is JSON. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from intake.headers import table_by_name
from intake.materials import MaterialReading, check_material
from intake.problems import Problem, Rejection
from intake.reader import read_package, read_table
from intake.readings import PackageReading, TableReading
from intake.rows import StaffRow
from intake.standards import Catalogue
from intake.workbook import MAX_FILE

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use: bytes of address space, seconds of processor, seconds until it is killed."""

    memory: int = 512 * 1024 * 1024
    cpu_seconds: int = 10
    seconds: float = 30.0


DEFAULT_LIMITS = Limits()


class _ChildDied(Exception):
    """The child gave no answer; `why` is memory, time or crash."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def read_in_child(
    files: Sequence[tuple[str, bytes | Path]], standards: Catalogue | None, limits: Limits = DEFAULT_LIMITS
) -> PackageReading:
    """`read_package` in a contained child.

    Should the child die, each file is read in a child of its own, so that only the guilty one is refused: as
    FILE_TOO_LARGE_UNCOMPRESSED when it ran out of memory or time, else as FILE_CORRUPT. The checks across files then
    rest. Raises OSError when a path cannot be read or no process can be started.
    """
    contents = [
        (name, content.read_bytes() if isinstance(content, Path) else content) for name, content in files
    ]
    request = {"do": "package", "standards": standards.rows() if standards is not None else None}
    try:
        return PackageReading.from_wire(_ask(request, contents, limits))
    except _ChildDied as died:
        if len(contents) == 1:
            return PackageReading((_refusal(contents[0][0], died.why, limits),))
    return PackageReading(tuple(read_in_child([single], standards, limits).tables[0] for single in contents))


def read_table_in_child(
    name: str,
    content: bytes | Path,
    standards: Catalogue | None,
    *,
    table: str | None = None,
    applied_on: date | None = None,
    staff: Sequence[StaffRow] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> TableReading:
    """`read_table` in a contained child; a dead child becomes a refusal as in `read_in_child`."""
    content = content.read_bytes() if isinstance(content, Path) else content
    request = {
        "do": "table",
        "standards": standards.rows() if standards is not None else None,
        "table": table,
        "applied_on": applied_on.isoformat() if applied_on else None,
        "staff": [person.name for person in staff] if staff is not None else None,
    }
    try:
        return TableReading.from_wire(_ask(request, [(name, content)], limits))
    except _ChildDied as died:
        return _refusal(name, died.why, limits, table)


def check_material_in_child(
    name: str, content: bytes | Path, limits: Limits = DEFAULT_LIMITS
) -> MaterialReading:
    """`check_material` in a contained child; a dead child means MATERIAL_UNREADABLE."""
    content = content.read_bytes() if isinstance(content, Path) else content
    try:
        return MaterialReading.from_json(_ask({"do": "material"}, [(name, content)], limits))
    except _ChildDied as died:
        return MaterialReading.refused(name, "", Problem.of("MATERIAL_UNREADABLE", reason=died.why))


def _refusal(name: str, why: str, limits: Limits, table: str | None = None) -> TableReading:
    path = name.replace("\\", "/").rpartition("/")[2]
    if why in ("memory", "time"):
        limit = f"{limits.memory >> 20} MB" if why == "memory" else f"{limits.cpu_seconds} s"
        refused = Rejection("FILE_TOO_LARGE_UNCOMPRESSED", size=f"> {limit}", limit=limit)
    else:
        refused = Rejection("FILE_CORRUPT", reason=why)
    return TableReading.refused(path, table or table_by_name(path), refused.problem)


def _ask(request: dict[str, Any], files: list[tuple[str, bytes]], limits: Limits) -> Any:
    request["files"] = [[name, len(content)] for name, content in files]
    request["limits"] = [limits.memory, limits.cpu_seconds]
    header = json.dumps(request, ensure_ascii=True).encode()
    with tempfile.TemporaryFile() as question:
        question.write(len(header).to_bytes(8, "big") + header)
        for _, content in files:
            question.write(content)
        question.seek(0)
        # a file, not a pipe: the answer of 20,000 rows is megabytes and must not block either side
        with tempfile.TemporaryFile() as answer:
            _run(question, answer, limits)
            answer.seek(0)
            try:
                return json.load(answer)
            except ValueError as cut:
                raise _ChildDied("crash") from cut


def _run(question: BinaryIO, answer: BinaryIO, limits: Limits) -> None:
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if "MAGIC" in os.environ:
        environment["MAGIC"] = os.environ["MAGIC"]
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "intake.child"],
            stdin=question,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env=environment,
            timeout=limits.seconds,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise _ChildDied("time") from late
    if ended.returncode == _OUT_OF_MEMORY:
        raise _ChildDied("memory")
    if ended.returncode in (-24, -9):  # SIGXCPU, SIGKILL: processor time ran out, or the system's memory
        raise _ChildDied("time" if ended.returncode == -24 else "memory")
    if ended.returncode:
        # the reader's Rust code aborts when it is refused memory
        raise _ChildDied("memory" if ended.returncode == -6 else "crash")


_OUT_OF_MEMORY = 77


def _answer(question: BinaryIO, answer: BinaryIO) -> None:
    request = json.loads(question.read(int.from_bytes(question.read(8), "big")))
    memory, cpu_seconds = request["limits"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (512 * 1024 * 1024, 512 * 1024 * 1024))
    files = [(name, question.read(size)) for name, size in request["files"]]
    standards = Catalogue.from_rows(request["standards"]) if request.get("standards") is not None else None
    shown: Any
    if request["do"] == "package":
        shown = read_package(files, standards).to_wire()
    elif request["do"] == "table":
        applied_on = date.fromisoformat(request["applied_on"]) if request["applied_on"] else None
        staff = [_named(name) for name in request["staff"]] if request["staff"] is not None else None
        shown = read_table(
            *files[0], standards, table=request["table"], applied_on=applied_on, staff=staff
        ).to_wire()
    else:
        shown = check_material(*files[0]).to_json()
    answer.write(json.dumps(shown, ensure_ascii=True, separators=(",", ":")).encode())
    answer.flush()


def _named(name: str) -> StaffRow:
    return StaffRow("", 0, "", name, "", None, "", "", "", "", None, "", True)


def main() -> None:
    """Answer one question from standard input on standard output."""
    try:
        _answer(sys.stdin.buffer, sys.stdout.buffer)
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)


__all__ = [
    "DEFAULT_LIMITS", "MAX_FILE", "Limits", "check_material_in_child", "read_in_child", "read_table_in_child",
]  # fmt: skip

if __name__ == "__main__":
    main()
