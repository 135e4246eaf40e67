"""Uploaded materials judged by their content: really a PDF or a picture, readable, free of scripts, not twice."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from intake.content_type import UNKNOWN, content_type
from intake.problems import Problem

MAX_PIXELS = 60_000_000
MAX_PAGES = 5_000
MAX_OBJECTS = 200_000
_SUFFIXES = {".pdf": "pdf", ".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}
_FORBIDDEN_IN_PDF = {
    "/JavaScript": "JavaScript", "/JS": "JavaScript", "/Launch": "Launch", "/EmbeddedFile": "EmbeddedFile",
    "/EmbeddedFiles": "EmbeddedFile", "/RichMedia": "RichMedia", "/SubmitForm": "SubmitForm",
    "/ImportData": "ImportData",
    "/XFA": "XFA",
}  # fmt: skip
_HTML = re.compile(rb"<\s*(script|html|svg|\?php)", re.IGNORECASE)
_EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"


@dataclass(frozen=True, slots=True)
class MaterialReading:
    """One material. `kind` is pdf, jpeg, png, or what the content was taken for; `outcome` ok or reject."""

    path: str
    kind: str
    outcome: str
    problems: tuple[Problem, ...] = ()
    sha256: str = field(default="")

    @classmethod
    def refused(cls, path: str, kind: str, problem: Problem, sha256: str = "") -> MaterialReading:
        return cls(path, kind, "reject", (problem,), sha256)

    def to_json(self) -> dict[str, Any]:
        """One entry of `materials[]`."""
        return {
            "path": self.path,
            "kind": self.kind,
            "outcome": self.outcome,
            "problems": [problem.to_json() for problem in self.problems],
            "sha256": self.sha256,
        }

    @classmethod
    def from_json(cls, shown: Mapping[str, Any]) -> MaterialReading:
        problems = tuple(Problem.from_json(problem) for problem in shown["problems"])
        return cls(shown["path"], shown["kind"], shown["outcome"], problems, shown.get("sha256", ""))


def check_material(
    name: str, content: bytes | Path, seen: Mapping[str, str] | None = None
) -> MaterialReading:
    """Judge one file by its content. `seen` maps the sha256 of earlier materials to their names.

    Problems: MATERIAL_EMPTY, MATERIAL_TYPE_NOT_ALLOWED, MATERIAL_TYPE_MISMATCH, MATERIAL_UNREADABLE refuse it;
    MATERIAL_DUPLICATE_CONTENT is a warning.
    """
    content = content.read_bytes() if isinstance(content, Path) else content
    digest = hashlib.sha256(content).hexdigest()
    suffix = PurePath(name).suffix.lower()
    named = _SUFFIXES.get(suffix, "")

    def refuse(code: str, kind: str, **detail: Any) -> MaterialReading:
        return MaterialReading.refused(name, kind, Problem.of(code, **detail), digest)

    if not content:
        return refuse("MATERIAL_EMPTY", named)
    actual = _sniff(content)
    if not named:
        return refuse("MATERIAL_TYPE_NOT_ALLOWED", actual, actual=suffix or actual)
    if actual != named:
        # a truncated file of the right kind may have no recognisable beginning left
        if actual == "unknown":
            return refuse("MATERIAL_UNREADABLE", named, reason="unknown content")
        return refuse("MATERIAL_TYPE_MISMATCH", actual, named=suffix, actual=actual)
    if _EICAR in content:
        return refuse("MATERIAL_TYPE_NOT_ALLOWED", actual, actual="EICAR")
    judge = _judge_pdf if actual == "pdf" else _judge_picture
    problem = judge(content, actual)
    if problem is not None:
        return MaterialReading.refused(name, actual, problem, digest)
    first = (seen or {}).get(digest)
    if first is not None:
        return MaterialReading(
            name, actual, "ok", (Problem.of("MATERIAL_DUPLICATE_CONTENT", first=first),), digest
        )
    return MaterialReading(name, actual, "ok", (), digest)


def check_materials(
    files: Sequence[tuple[str, bytes | Path]],
    check: Callable[[str, bytes | Path], MaterialReading] = check_material,
) -> list[MaterialReading]:
    """Judge several materials together, in order; each after the first with the same content is reported."""
    seen: dict[str, str] = {}
    readings = []
    for name, content in files:
        reading = check(name, content)
        first = seen.setdefault(reading.sha256, name) if reading.sha256 else name
        if first != name and reading.outcome == "ok":
            duplicate = Problem.of("MATERIAL_DUPLICATE_CONTENT", first=first)
            reading = replace(reading, problems=(*reading.problems, duplicate))
        readings.append(reading)
    return readings


def _sniff(content: bytes) -> str:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if b"%PDF-" in content[:1024]:
        # the format allows some bytes before the mark, but not another document
        return "pdf" if not _HTML.search(content[:1024]) else "html"
    actual = content_type(content)
    return "unknown" if actual == UNKNOWN else actual


def _judge_picture(content: bytes, kind: str) -> Problem | None:
    from PIL import Image, ImageFile, UnidentifiedImageError

    tail = content[-4096:]
    if _HTML.search(tail) or b"%PDF-" in content[:4096] or b"PK\x05\x06" in tail:
        return Problem.of("MATERIAL_TYPE_NOT_ALLOWED", actual="polyglot")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False  # WeasyPrint allows them
        try:
            with Image.open(io.BytesIO(content), formats=[kind.upper()]) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    return Problem.of("MATERIAL_UNREADABLE", reason=f"{width} × {height} > {MAX_PIXELS} px")
                if getattr(picture, "n_frames", 1) > 1:
                    return Problem.of("MATERIAL_TYPE_NOT_ALLOWED", actual="animation")
                picture.load()
        except (
            UnidentifiedImageError,
            Image.DecompressionBombError,
            OSError,
            SyntaxError,
            ValueError,
        ) as broken:
            return Problem.of("MATERIAL_UNREADABLE", reason=str(broken)[:120])
        except (MemoryError, EOFError, IndexError, TypeError, OverflowError, ZeroDivisionError) as broken:
            return Problem.of("MATERIAL_UNREADABLE", reason=type(broken).__name__)
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = lenient
    return None


def _judge_pdf(content: bytes, _: str) -> Problem | None:
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            return Problem.of("MATERIAL_UNREADABLE", reason="password")
        pages = len(reader.pages)
        if not 0 < pages <= MAX_PAGES:
            return Problem.of("MATERIAL_UNREADABLE", reason=f"{pages} pages")
        for page in reader.pages[:50]:
            page.get_object()
        found = _forbidden(reader)
    except (PyPdfError, RecursionError, OSError, MemoryError) as broken:
        return Problem.of("MATERIAL_UNREADABLE", reason=type(broken).__name__)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError) as broken:
        return Problem.of("MATERIAL_UNREADABLE", reason=type(broken).__name__)
    except Exception as broken:
        return Problem.of("MATERIAL_UNREADABLE", reason=type(broken).__name__)
    return Problem.of("MATERIAL_TYPE_NOT_ALLOWED", actual=found) if found else None


def _forbidden(reader: Any) -> str | None:
    """The first forbidden feature in any object reachable from the trailer, or None."""
    from pypdf.generic import IndirectObject

    waiting: list[Any] = [reader.trailer]
    visited: set[tuple[int, int]] = set()
    steps = 0
    while waiting:
        thing = waiting.pop()
        steps += 1
        if steps > MAX_OBJECTS * 20 or len(visited) > MAX_OBJECTS:
            return "too many objects"
        if isinstance(thing, IndirectObject):
            key = (thing.idnum, thing.generation)
            if key in visited:
                continue
            visited.add(key)
            thing = thing.get_object()
        if isinstance(thing, dict):
            for name in _names(thing):
                if name in _FORBIDDEN_IN_PDF:
                    return _FORBIDDEN_IN_PDF[name]
            waiting += dict.values(thing)
        elif isinstance(thing, list):
            waiting += list.__iter__(thing)
    return None


def _names(dictionary: dict[Any, Any]) -> Iterable[str]:
    for key, value in dict.items(dictionary):
        yield str(key)
        if str(key) in ("/S", "/Type", "/Subtype") and isinstance(value, str):
            yield str(value)
