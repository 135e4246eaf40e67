"""Materials are judged by what they contain, not by what they are called."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from intake.child import check_material_in_child
from intake.materials import MAX_PIXELS, check_material, check_materials

CORPUS = Path(__file__).parents[2] / "tests" / "corpus"


def pdf(change: Callable[[PdfWriter], object] | None = None, password: str = "") -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if change:
        change(writer)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (20, 20)) -> bytes:
    target = io.BytesIO()
    Image.effect_noise(size, 50).save(target, kind)
    return target.getvalue()


def run_script(writer: PdfWriter) -> None:
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    )
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(action)


def launch(writer: PdfWriter) -> None:
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("calc.exe")}
    )
    writer.root_object[NameObject("/OpenAction")] = action


def pixel_flood() -> bytes:
    made = bytearray(picture())
    made[16:24] = (60_000).to_bytes(4, "big") * 2
    import zlib

    made[29:33] = zlib.crc32(bytes(made[12:29])).to_bytes(4, "big")
    return bytes(made)


def code_of(content: bytes, name: str) -> str | None:
    reading = check_material(name, content)
    return reading.problems[0].code if reading.problems else None


def test_all_sample_materials_are_good() -> None:
    for number in range(1, 15):
        folder = CORPUS / f"P{number:02d}"
        wanted = json.loads((folder / "expected.json").read_text("utf-8"))["materials"]
        readings = check_materials([(entry["path"], folder / entry["path"]) for entry in wanted])
        shown = [reading.to_json() for reading in readings]
        assert [{key: entry[key] for key in wanted[0]} for entry in shown] == wanted


@pytest.mark.parametrize(
    ("name", "kind", "make"),
    [("a.pdf", "pdf", pdf), ("a.PNG", "png", picture), ("a.jpg", "jpeg", lambda: picture("JPEG")),
     ("a.jpeg", "jpeg", lambda: picture("JPEG"))],
)  # fmt: skip
def test_good_materials_are_recognised(name: str, kind: str, make: Callable[[], bytes]) -> None:
    reading = check_material(name, make())
    assert (reading.kind, reading.outcome, reading.problems) == (kind, "ok", ())


@pytest.mark.parametrize(
    ("make", "name", "code"),
    [
        (lambda: b"", "a.pdf", "MATERIAL_EMPTY"),
        (picture, "a.pdf", "MATERIAL_TYPE_MISMATCH"),
        (pdf, "a.jpg", "MATERIAL_TYPE_MISMATCH"),
        (lambda: picture("JPEG"), "a.png", "MATERIAL_TYPE_MISMATCH"),
        (lambda: b"<html><script>1</script></html>", "a.pdf", "MATERIAL_TYPE_MISMATCH"),
        (lambda: b"MZ" + b"\0" * 200, "a.exe", "MATERIAL_TYPE_NOT_ALLOWED"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "MATERIAL_TYPE_NOT_ALLOWED"),
        (lambda: b"hello", "a.txt", "MATERIAL_TYPE_NOT_ALLOWED"),
        (lambda: pdf()[:200], "a.pdf", "MATERIAL_UNREADABLE"),
        (lambda: picture(size=(200, 200))[:3000], "a.png", "MATERIAL_UNREADABLE"),
        (lambda: picture("JPEG", (200, 200))[:1500], "a.jpg", "MATERIAL_UNREADABLE"),
        (lambda: pdf(password="x"), "a.pdf", "MATERIAL_UNREADABLE"),
        (lambda: random.Random(1).randbytes(900), "a.pdf", "MATERIAL_UNREADABLE"),
        (pixel_flood, "a.png", "MATERIAL_UNREADABLE"),
        (lambda: pdf(run_script), "a.pdf", "MATERIAL_TYPE_NOT_ALLOWED"),
        (lambda: pdf(launch), "a.pdf", "MATERIAL_TYPE_NOT_ALLOWED"),
        (lambda: pdf(lambda w: w.add_attachment("x.exe", b"MZ")), "a.pdf", "MATERIAL_TYPE_NOT_ALLOWED"),
        (lambda: picture() + b"<script>alert(1)</script>", "a.png", "MATERIAL_TYPE_NOT_ALLOWED"),
    ],
)  # fmt: skip
def test_bad_materials_are_refused_with_their_reason(make: Callable[[], bytes], name: str, code: str) -> None:
    reading = check_material(name, make())
    assert reading.outcome == "reject"
    assert [problem.code for problem in reading.problems] == [code]
    assert "{" not in reading.problems[0].message("zh")


def test_forbidden_objects_are_found_inside_compressed_streams() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(run_script))))
    writer.compress_identical_objects()
    target = io.BytesIO()
    writer.write(target)
    import pikepdf

    packed = io.BytesIO()
    with pikepdf.open(io.BytesIO(target.getvalue())) as document:
        document.save(packed, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"/JavaScript" not in packed.getvalue()
    assert code_of(packed.getvalue(), "a.pdf") == "MATERIAL_TYPE_NOT_ALLOWED"


def test_the_same_content_twice_is_told_at_the_second() -> None:
    readings = check_materials([("a.png", picture()), ("b.pdf", pdf()), ("c.png", picture(size=(9, 9)))])
    assert [reading.problems for reading in readings] == [(), (), ()]
    same = pdf()
    first, second = check_materials([("a.pdf", same), ("b.pdf", same)])
    assert first.problems == ()
    assert [(p.code, p.detail["first"], p.severity) for p in second.problems] == [
        ("MATERIAL_DUPLICATE_CONTENT", "a.pdf", "warning")
    ]
    assert second.outcome == "ok"


@pytest.mark.parametrize("seed", range(40))
def test_mutated_materials_never_break_the_judge(seed: int) -> None:
    source = random.Random(seed)
    name, made = (("a.pdf", pdf()), ("a.png", picture()), ("a.jpg", picture("JPEG")))[seed % 3]
    content = bytearray(made)
    for _ in range(source.choice((1, 4, 30))):
        content[source.randrange(len(content))] = source.randrange(256)
    assert check_material(name, bytes(content)).outcome in ("ok", "reject")


def test_the_contained_judge_agrees() -> None:
    made = pdf()
    assert check_material_in_child("a.pdf", made) == check_material("a.pdf", made)
    assert check_material_in_child("a.png", pixel_flood()).problems[0].code == "MATERIAL_UNREADABLE"
    assert MAX_PIXELS < 60_000 * 60_000
