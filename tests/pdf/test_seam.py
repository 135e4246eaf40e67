"""What we rely on inside WeasyPrint 70. When an upgrade breaks this, it must be seen here, not in a certificate."""

from __future__ import annotations

import importlib
import inspect

import weasyprint
from weasyprint.document import Document, Page
from weasyprint.pdf.fonts import Font
from weasyprint.pdf.stream import Stream

from pdf.certificate import Renderer
from pdf.faces import SEAM, Shelf, plain_stream
from pdf.painting import PaintedPage


def test_the_version_is_the_one_that_was_examined() -> None:
    assert weasyprint.__version__.split(".")[0] == "70"


def test_the_names_we_lean_on_exist(renderer: Renderer) -> None:
    document = weasyprint.HTML(string="<p>检", url_fetcher=lambda url: None).render(
        font_config=renderer.font_config
    )
    font = next(iter(renderer.faces.opened.values()))
    examined = {Page: document.pages[0], Document: document, Font: font, Stream: plain_stream({})}
    for path, names in SEAM.items():
        module, _, name = path.rpartition(".")
        kind = getattr(importlib.import_module(module), name)
        for attribute in names:
            assert hasattr(examined[kind], attribute), f"{path}.{attribute} is gone: see pdf/faces.py"


def test_a_painted_page_has_what_a_page_has() -> None:
    for attribute in SEAM["weasyprint.document.Page"]:
        source = inspect.getsource(PaintedPage)
        assert f"self.{attribute}" in source or f"def {attribute}" in source, attribute


def test_pages_are_painted_from_the_upper_left_corner_in_points() -> None:
    source = inspect.getsource(importlib.import_module("weasyprint.pdf").generate_pdf)
    assert "stream.transform(d=-1, f=(page.height * scale))" in source
    assert "page.paint(stream, scale)" in source
    assert "scale = zoom * 0.75" in source


def test_fonts_are_looked_up_before_they_are_opened() -> None:
    """Shelf answers `key in fonts` itself, so that WeasyPrint never reads a font file again."""
    source = inspect.getsource(Stream.add_font)
    assert "if key not in self._fonts" in source
    assert Shelf.__contains__ is not dict.__contains__


def test_fonts_are_cut_through_the_method_we_replace() -> None:
    source = inspect.getsource(importlib.import_module("weasyprint.pdf.fonts").build_fonts_dictionary)
    assert "font.clean(to_unicode, options['hinting'])" in source
    assert "'Subtype': '/OpenType'" in source


def test_the_colour_profile_is_ours() -> None:
    source = inspect.getsource(importlib.import_module("weasyprint.pdf").generate_pdf)
    assert "if options['output_intent'] == 'srgb'" in source
    assert "color_profile.content" in source
