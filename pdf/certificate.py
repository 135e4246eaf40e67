"""The certificate and its annex: one page laid out by WeasyPrint, the annex painted page by page.

PDF/A-3b with the same data as an embedded JSON record; the same values always give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from weasyprint import CSS, HTML, Attachment, Document
from weasyprint.css import ColorProfile
from weasyprint.pdf.stream import Stream
from weasyprint.text.fonts import FontConfiguration

from pdf.faces import Faces, MissingGlyph, Shelf, refuse_fetch
from pdf.licences import Licence, licence_json
from pdf.lines import Breaker
from pdf.ornament import BORDER
from pdf.pages import GridPage, annex_pages
from pdf.painting import Margins, PaintedPage, Runs
from pdf.slimming import slim
from pdf.tables import SIZE
from pdf.values import (
    Annex,
    Certificate,
    InvalidValue,
    Notice,
    Rendered,
    annex_json,
    certificate_json,
    notice_json,
    texts_of,
)

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates/pdf"
RECORD = "certificate.json"
NOTICE_RECORD = "notice.json"
LICENCE_RECORD = "licence.json"
SCHEMA = "wujian-certificate-1"
LICENCE_SCHEMA = "wujian-licence-1"
VARIANT = "pdf/a-3b"
LONGEST = {
    "site": 400,
    "section": 1000,
    "number": 40,
    "agency_name": 300,
    "agency_address": 300,
    "liability_bearer": 300,
    "authority_name": 60,
    "verify_url": 200,
    "verify_code": 64,
}
LONGEST_TEXT = 20_000  # characters of any other text
_DENSITIES = ("roomy", "close", "dense", "densest")
_LINE_BREAKS = frozenset({"reasons", "basis", "remedies", "facts", "items", "notified", "committed"})


def cn_date(day: date) -> str:
    """2026-11-21 as 2026年11月21日."""
    return f"{day.year}年{day.month}月{day.day}日"


class _Profile(ColorProfile):  # type: ignore[misc]
    """The colour profile as its file has it: WeasyPrint leaves the file open, and writes it differently each time."""

    content = (files("weasyprint.pdf") / "sRGB2014.icc").read_bytes()

    def __init__(self) -> None:
        super().__init__(
            io.BytesIO(self.content), "sRGB2014.icc", "relative-colorimetric", (["r"], ["g"], ["b"])
        )


class BorderedPage:
    """A WeasyPrint page with the ornament painted under it."""

    def __init__(self, page: Any) -> None:
        self._page = page
        for name in ("width", "height", "bleed", "bookmarks", "links", "anchors", "forms"):
            setattr(self, name, getattr(page, name))

    def paint(self, stream: Stream, scale: float = 1) -> None:
        """Ornament first, then the text over it."""
        stream.stream.append(BORDER)
        self._page.paint(stream, scale)


class Renderer:
    """Everything that is worth keeping warm between documents: typefaces, templates, style sheets.

    Use as a context; not for several threads at once. `certificate` and `notice` give a Rendered document.
    Raises MissingGlyph before anything is drawn when a text cannot be shown, InvalidValue when it is too long.
    """

    def __init__(self) -> None:
        self.font_config = FontConfiguration()
        self.faces = Faces(self.font_config)
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, auto_reload=False,
            trim_blocks=True,
        )  # fmt: skip
        self._templates.filters["cn_date"] = cn_date
        self._styles: dict[str, CSS] = {}
        mark = (ROOT / "static/img/cma-mark.svg").read_text("utf-8")
        self._mark = Markup(mark)  # noqa: S704  - our own file, no user text
        self._srgb = _Profile()
        self._breaker = Breaker(lambda character: self.faces.advance(character), SIZE)
        self._bold = Breaker(lambda character: self.faces.advance(character, True), SIZE)

    def __enter__(self) -> Renderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._styles.clear()

    def check(self, value: object, name: str) -> None:
        """Refuse what cannot be printed as given; raises MissingGlyph or InvalidValue."""
        if isinstance(value, Annex) and self._rows_are_plain(value):
            value = replace(value, rows=())
        texts = [(where, text) for where, text in texts_of(value) if text]
        if refusals := self.faces.refusals(texts, _LINE_BREAKS if isinstance(value, Notice) else frozenset()):
            raise MissingGlyph(refusals)
        for where, text in texts:
            if len(text) > LONGEST.get(where.rpartition(".")[2], LONGEST_TEXT):
                raise InvalidValue(f"{name}: {where} has {len(text)} characters, too many to print")

    def _rows_are_plain(self, annex: Annex) -> bool:
        """Look at all rows at once; only when something is wrong is the place of it searched for."""
        texts: set[str] = set()
        for row in annex.rows:
            texts.update(
                (row.section, row.category, row.object, row.parameter, row.standard_text, row.limit, row.note)
            )
        sites = {row.site for row in annex.rows}
        longest = max(map(len, texts), default=0)
        return (
            longest <= LONGEST["section"]
            and max(map(len, sites), default=0) <= LONGEST["site"]
            and not self.faces.refusals([("rows", "".join(texts | sites))])
        )

    def certificate(self, certificate: Certificate, annex: Annex | None = None) -> Rendered:
        """The certificate with its annex (none when `annex` is None or empty)."""
        self.check(certificate, certificate.number)
        if annex is not None and not annex.rows and not annex.signatories:
            annex = None
        grids = self._grids(annex, certificate.number)
        place = _verify_place(certificate)
        front = self._front(certificate, annex, len(grids) + 1, place)
        shelf = self.faces.shelf()
        painted = self._painted(grids, certificate, certificate.agency_name, place, shelf)
        document = front.copy([BorderedPage(front.pages[0]), *front.pages[1:], *painted])
        record: dict[str, Any] = {"schema": SCHEMA, "certificate": certificate_json(certificate)}
        record["annex"] = annex_json(annex or Annex())
        return self._finish(document, shelf, record, RECORD, certificate.issued_on)

    def _grids(self, annex: Annex | None, number: str, titled: str = "") -> list[GridPage]:
        if annex is None:
            return []
        self.check(annex, number)
        return annex_pages(annex, self._breaker, self._bold, titled)

    def _painted(
        self, grids: list[GridPage], document: Certificate | Licence, holder: str, place: str, shelf: Shelf
    ) -> list[PaintedPage]:
        """The pages of the annex, numbered after the one that they belong to."""
        runs, total = Runs(self.faces, shelf), len(grids) + 1
        margins = Margins(document.number, holder, place, document.verify_code, total, document.specimen)
        return [PaintedPage(grid, number, margins, runs) for number, grid in enumerate(grids, 2)]

    def _front(self, certificate: Certificate, annex: Annex | None, total: int, place: str) -> Document:
        """Certificate page and annex cover, in the roomiest setting that keeps each on one page."""
        counts = None
        if annex is not None:
            counts = {
                "signatories": len(annex.signatories),
                "rows": len(annex.rows),
                "sites": len(annex.sites()),
            }
        wanted = 1 if annex is None else 2
        for density in _DENSITIES:
            document = self._lay_out(
                "certificate.html", "certificate.css", c=certificate, annex=counts, total=total, density=density,
                mark=self._mark, qr=qr(certificate.verify_url), verify_place=place,
            )  # fmt: skip
            if len(document.pages) == wanted:
                return document
        raise InvalidValue(f"certificate {certificate.number}: name and address are too long for one page")

    def licence(self, licence: Licence, annex: Annex | None = None) -> Rendered:
        """The licence of any procedure: one page, and its table on the pages after it; or `annex`, capability rows as
        the certificate of accreditation lists them."""
        self.check(licence, licence.number)
        if annex is not None and licence.rows:
            raise InvalidValue(f"licence {licence.number}: it has a table of its own and capability rows besides")
        grids = self._grids(annex, licence.number, licence.annex_title)
        place = _verify_place(licence)
        for density in _DENSITIES:
            document = self._lay_out(
                "licence.html", "licence.css", c=licence, density=density, qr=qr(licence.verify_url),
                verify_place=place, annexed=bool(grids or licence.rows),
            )  # fmt: skip
            if _front_pages(document) == 1:
                break
        else:
            raise InvalidValue(f"licence {licence.number}: its lines are too long for one page")
        shelf = self.faces.shelf()
        painted = self._painted(grids, licence, licence.holder, place, shelf)
        document = document.copy([BorderedPage(document.pages[0]), *document.pages[1:], *painted])
        record: dict[str, Any] = {"schema": LICENCE_SCHEMA, "licence": licence_json(licence)}
        if annex is not None:
            record["annex"] = annex_json(annex)
        return self._finish(document, shelf, record, LICENCE_RECORD, licence.issued_on)

    def notice(self, notice: Notice) -> Rendered:
        """One written notice."""
        self.check(notice, notice.document_number)
        document = self._lay_out(
            f"notices/{notice.kind.value}.html", "notice.css", n=notice,
            qr=qr(notice.verify_url) if notice.verify_url else None,
        )  # fmt: skip
        shelf = self.faces.shelf()
        document = document.copy()
        return self._finish(document, shelf, notice_json(notice), NOTICE_RECORD, notice.issued_on)

    def _lay_out(self, template: str, style: str, **context: Any) -> Document:
        html = self._templates.get_template(template).render(**context)
        css = self._styles.get(style)
        if css is None:
            css = self._styles[style] = CSS(
                string=(TEMPLATES / style).read_text("utf-8"),
                font_config=self.font_config,
                url_fetcher=refuse_fetch,
            )
        source = HTML(string=html, url_fetcher=refuse_fetch, encoding="utf-8")
        return source.render(font_config=self.font_config, stylesheets=[css], pdf_variant=VARIANT)

    def _finish(
        self, document: Document, shelf: Any, record: dict[str, Any], name: str, issued_on: date
    ) -> Rendered:
        document.fonts = shelf
        document.color_profiles, document.output_intent = {"srgb": self._srgb}, "srgb"
        stamp = datetime(issued_on.year, issued_on.month, issued_on.day, tzinfo=UTC)
        stored = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        attachment = Attachment(
            string=stored, name=name, description="机器可读数据", relationship="Data", created=stamp, modified=stamp,
            url_fetcher=refuse_fetch,
        )  # fmt: skip
        written = document.write_pdf(pdf_variant=VARIANT, output_intent="given", attachments=[attachment])
        if strangers := shelf.strangers():
            raise MissingGlyph(strangers)
        pdf = slim(written)
        return Rendered(pdf, hashlib.sha256(pdf).hexdigest(), len(document.pages))


def _front_pages(document: Document) -> int:
    """Pages before the table, which begins with its own heading."""
    for number, page in enumerate(document.pages):
        if any(label and level == 1 for level, label, *_ in page.bookmarks) and number:
            return number
    return len(document.pages)


def _verify_place(certificate: Certificate | Licence) -> str:
    """The verification address as people type it: without the code, which is printed beside it."""
    split = urlsplit(certificate.verify_url)
    path = split.path.replace(certificate.verify_code, "") if certificate.verify_code else split.path
    return f"{split.scheme}://{split.netloc}{path}".rstrip("/")


def qr(address: str) -> Markup:
    """A QR code as SVG, level M with its quiet zone of four modules."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False, boost_error=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, svgclass=None, lineclass=None
    )
    return Markup(out.getvalue().decode("ascii"))  # noqa: S704  - path data made from module positions


def render_certificate(certificate: Certificate, annex: Annex | None = None) -> Rendered:
    """Render one certificate in this process; see Renderer for many, pdf.contained for a guarded child."""
    with Renderer() as renderer:
        return renderer.certificate(certificate, annex)


def render_licence(licence: Licence) -> Rendered:
    """Render one licence in this process."""
    with Renderer() as renderer:
        return renderer.licence(licence)


def render_notice(notice: Notice) -> Rendered:
    """Render one written notice in this process."""
    with Renderer() as renderer:
        return renderer.notice(notice)
