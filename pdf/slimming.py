"""Makes a finished PDF small without touching what it shows: bare CFF fonts, object streams."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import uharfbuzz as hb  # type: ignore[import-untyped]
from pikepdf import Dictionary, Name, Pdf


def slim(written: bytes) -> bytes:
    """The same document, smaller; still PDF/A-3b, and the same bytes for the same input."""
    with Pdf.open(io.BytesIO(written)) as document:
        for font in _composite_fonts(document):
            bare_cff(document, font)
        out = io.BytesIO()
        document.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
            compress_streams=True,
        )
    return out.getvalue()


def _composite_fonts(document: Pdf) -> list[Any]:
    return [
        each for each in document.objects
        if isinstance(each, Dictionary) and each.get("/Type") == Name.Font and each.get("/Subtype") == Name.Type0
    ]  # fmt: skip


def bare_cff(document: Pdf, font: Any) -> None:
    """Replace an embedded OpenType wrapper by its CFF table, which is all that a reader uses."""
    inner = font.DescendantFonts[0]
    descriptor = inner.FontDescriptor
    file = descriptor.get("/FontFile3")
    if file is None or file.get("/Subtype") != Name.OpenType:
        return
    table = hb.Face(hb.Blob(file.read_bytes())).reference_table("CFF ")
    stream = document.make_stream(bytes(table.data))
    stream.Subtype = Name.CIDFontType0C
    descriptor.FontFile3 = stream
    if "/CIDToGIDMap" in inner:
        del inner["/CIDToGIDMap"]
