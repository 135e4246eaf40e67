"""Many issued documents as one file for the printer, showing exactly their issued pages.

Every document of ours carries its own small cut of the same typefaces, and the codes in its pages are glyph numbers
of the whole typeface. So the batch needs each typeface once: the glyphs of all documents together.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf
from weasyprint.text.fonts import FontConfiguration

from pdf.faces import FAMILIES, Faces, cut
from pdf.ornament import BORDER
from pdf.slimming import bare_cff

_BFCHAR = re.compile(rb"<([0-9a-f]{4})> <([0-9a-f]+)>")


class NotOurs(ValueError):
    """A document in the batch was not made here, so its typefaces cannot be shared."""


class _Shared:
    """One typeface of the batch: what all documents use of it."""

    def __init__(self, font: Any) -> None:
        self.font = font
        self.texts: dict[int, bytes] = {}
        self.widths: dict[int, Any] = {}

    def add(self, font: Any) -> None:
        for code, text in _BFCHAR.findall(font.ToUnicode.read_bytes()):
            self.texts.setdefault(int(code, 16), text)
        widths = list(font.DescendantFonts[0].W)
        for first, run in zip(widths[::2], widths[1::2], strict=True):
            for offset, width in enumerate(run):
                self.widths.setdefault(int(first) + offset, width)


def merge_for_printing(documents: Iterable[bytes], faces: Faces | None = None) -> bytes:
    """All pages of the issued documents in order, as one small PDF without their attachments and outlines.

    A working copy for the printer, not a legal original. Raises NotOurs for a foreign PDF.
    """
    faces = faces or Faces(FontConfiguration())
    names = {_base_name(font.name.decode("ascii")): key for key, font in faces.opened.items()}
    shared: dict[str, _Shared] = {}
    batch = Pdf.new()
    for document in documents:
        with Pdf.open(io.BytesIO(document)) as opened:
            own: dict[Any, str] = {}
            start = len(batch.pages)
            batch.pages.extend(opened.pages)
            for page in batch.pages[start:]:
                fonts = page.obj.Resources.get("/Font", Dictionary())
                if fonts.objgen != (0, 0) and fonts.objgen in own:
                    continue
                own[fonts.objgen] = ""
                for name in list(fonts.keys()):
                    font = fonts[name]
                    base = str(font.BaseFont)[1:]
                    if base not in shared:
                        shared[base] = _Shared(font)
                    shared[base].add(font)
                    fonts[name] = shared[base].font
    _share_the_border(batch)
    _share_colour_profiles(batch)
    for base, one in shared.items():
        _embed(batch, one, base, faces, names)
    batch.remove_unreferenced_resources()
    out = io.BytesIO()
    batch.save(
        out,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        deterministic_id=True,
        compress_streams=True,
    )
    return out.getvalue()


def _share_the_border(batch: Pdf) -> None:
    """Draw the ornament once for all certificate pages."""
    form = None
    for page in batch.pages:
        content = page.obj.Contents.read_bytes()
        if BORDER not in content:
            continue
        if form is None:
            form = batch.make_stream(BORDER)
            form.Type, form.Subtype = Name.XObject, Name.Form
            form.BBox = Array([0, 0, *map(float, page.mediabox[2:])])
            form.Resources = Dictionary()
        resources = page.obj.Resources
        if "/XObject" not in resources:
            resources.XObject = Dictionary()
        resources.XObject["/Border"] = form
        page.obj.Contents = batch.make_stream(content.replace(BORDER, b"/Border Do"))


def _share_colour_profiles(batch: Pdf) -> None:
    """Keep one copy of each colour profile."""
    known: dict[bytes, Any] = {}
    for page in batch.pages:
        spaces = page.obj.Resources.get("/ColorSpace", Dictionary())
        for name in list(spaces.keys()):
            space = spaces[name]
            if isinstance(space, Array) and len(space) == 2 and space[0] == Name.ICCBased:
                spaces[name] = Array([Name.ICCBased, known.setdefault(space[1].read_raw_bytes(), space[1])])


def _base_name(name: str) -> str:
    return name.lstrip("/").partition("+")[2]


def _embed(batch: Pdf, one: _Shared, base: str, faces: Faces, names: dict[str, int]) -> None:
    """Cut the typeface once for the whole batch."""
    key = names.get(_base_name(base))
    for family in FAMILIES[1:]:
        if key is None:  # a rarer family, not opened yet
            faces.open_family(family)
            names |= {_base_name(font.name.decode("ascii")): number for number, font in faces.opened.items()}
            key = names.get(_base_name(base))
    if key is None:
        raise NotOurs(f"typeface {base} is not one of ours")
    inner = one.font.DescendantFonts[0]
    file = cut(faces.opened[key].face, one.texts)
    stream = batch.make_stream(file)
    descriptor = inner.FontDescriptor
    for old in ("/FontFile2", "/FontFile3"):
        if old in descriptor:
            del descriptor[old]
    if file[:4] == b"OTTO":
        stream.Subtype = Name.OpenType
        descriptor.FontFile3 = stream
    else:
        stream.Length1 = len(file)
        descriptor.FontFile2 = stream
    bare_cff(batch, one.font)
    widths = Array()
    for code in sorted(one.widths):
        widths.append(code)
        widths.append(Array([one.widths[code]]))
    inner.W = widths
    one.font.ToUnicode = batch.make_stream(_to_unicode(one.texts))


def _to_unicode(texts: dict[int, bytes]) -> bytes:
    lines = [
        "/CIDInit /ProcSet findresource begin", "12 dict begin", "begincmap", "/CIDSystemInfo",
        "<< /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def", "/CMapName /Adobe-Identity-UCS def",
        "/CMapType 2 def", "1 begincodespacerange", "<0000> <ffff>", "endcodespacerange",
    ]  # fmt: skip
    items = sorted(texts.items())
    for start in range(0, len(items), 100):
        part = items[start : start + 100]
        lines += [f"{len(part)} beginbfchar"]
        lines += [f"<{code:04x}> <{text.decode('ascii')}>" for code, text in part]
        lines += ["endbfchar"]
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines).encode("ascii")
