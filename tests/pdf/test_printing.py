"""A batch for the printer shows the issued pages, in one small file."""

from __future__ import annotations

import io

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops

from pdf.certificate import Renderer
from pdf.printing import NotOurs, merge_for_printing
from pdf.reading import printed_rows
from pdf.values import Annex
from tests.pdf.conftest import make_certificate, make_row

NAMES = "泓稷澜度鉴析衡准量格标验检测诚信恒通𬭚㑇"


@pytest.fixture(scope="module")
def issued(renderer: Renderer) -> list[bytes]:
    return [
        renderer.certificate(
            make_certificate(
                number=f"26171205{n:04}", agency_name=f"{NAMES[n % 17]}{NAMES[n % 13]}检测有限公司"
            ),
            Annex(rows=(make_row(parameter=NAMES[n % 19]),)) if n % 5 == 0 else None,
        ).pdf
        for n in range(40)
    ]


def pictures(pdf: bytes) -> list[Image.Image]:
    document = pypdfium2.PdfDocument(pdf)
    seen = [page.render(scale=0.6).to_pil() for page in document]
    document.close()
    return seen


def looks_alike(one: Image.Image, other: Image.Image) -> bool:
    """Equal but for one step in 255, by which rounding may differ inside a shared drawing."""
    if one.size != other.size:
        return False
    return all(high <= 1 for _, high in ImageChops.difference(one, other).getextrema())


def test_the_batch_shows_exactly_the_issued_pages(renderer: Renderer, issued: list[bytes]) -> None:
    batch = merge_for_printing(issued, renderer.faces)
    single = [picture for pdf in issued for picture in pictures(pdf)]
    printed = pictures(batch)
    assert len(printed) == len(single)
    assert all(map(looks_alike, printed, single))
    assert not looks_alike(printed[0], printed[3]), "two certificates differ"
    assert [row.parameter for row in printed_rows(batch)] == [NAMES[n % 19] for n in range(0, 40, 5)]


def test_the_batch_is_much_smaller_than_its_parts(renderer: Renderer, issued: list[bytes]) -> None:
    batch = merge_for_printing(issued, renderer.faces)
    assert len(batch) < sum(map(len, issued)) / 5
    assert merge_for_printing(issued, renderer.faces) == batch


def test_the_batch_carries_no_record(renderer: Renderer, issued: list[bytes]) -> None:
    with pikepdf.open(io.BytesIO(merge_for_printing(issued[:2]))) as batch:
        assert len(batch.attachments) == 0


def test_a_foreign_document_is_not_merged() -> None:
    from weasyprint import HTML

    foreign = HTML(string="<p style='font-family:DejaVu Sans, sans-serif'>x").write_pdf()
    with pytest.raises(NotOurs):
        merge_for_printing([foreign])
