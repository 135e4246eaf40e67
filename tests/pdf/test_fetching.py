"""No value reaches for the world outside: nothing is fetched, whatever stands in the fields."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError

from pdf.certificate import Renderer
from pdf.contained import ContainedRenderer
from pdf.faces import refuse_fetch
from pdf.values import Annex, Notice, NoticeItem, NoticeKind, Signatory
from tests.pdf.conftest import make_certificate, make_notice, make_row

VECTORS = (
    '<img src="{url}">',
    '<img srcset="{url} 2x">',
    '<link rel="stylesheet" href="{url}">',
    '<link rel="attachment" href="{url}">',
    '<a rel="attachment" href="{url}">x</a>',
    "<style>@import url({url});</style>",
    "<style>@font-face{{font-family:x;src:url({url})}}*{{font-family:x}}</style>",
    '<p style="background:url({url})">x</p>',
    '<p style="list-style-image:url({url});display:list-item">x</p>',
    '<p style="content:url({url})">x</p>',
    '<object data="{url}"></object>',
    '<embed src="{url}">',
    '<iframe src="{url}"></iframe>',
    '<svg><image href="{url}" width="9" height="9"/></svg>',
    '<svg><use href="{url}#a"/></svg>',
    '<svg><style>@import "{url}";</style></svg>',
    '<base href="{url}"><img src="x">',
    '<meta http-equiv="refresh" content="0;url={url}">',
    '<input type="image" src="{url}">',
    '<script src="{url}"></script>',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]>&e;',
    '"><img src={url}>',
    "'><img src={url}>",
    "{{{{ ''.__class__ }}}}{{% include '{url}' %}}",
    "url({url})",
)


class Canary:
    """A server on the loopback that counts who comes, and a file with a word that must not appear."""

    def __init__(self, folder: Path) -> None:
        self.visits = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.secret = folder / "secret.txt"
        self.secret.write_text("CANARYWORD42", "ascii")
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._server.accept()
            except OSError:
                return
            self.visits += 1
            visitor.recv(65_536)  # closing with the request unread would reset the connection
            visitor.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nCANARYWORD42")
            visitor.close()

    def addresses(self) -> tuple[str, ...]:
        return (f"http://127.0.0.1:{self.port}/x", self.secret.as_uri(), "data:text/plain,CANARYWORD42")

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    server = Canary(tmp_path)
    yield server
    server.close()


def everywhere(said: str) -> tuple[object, Annex, Notice]:
    """The same text in every field of every document."""
    certificate = make_certificate(
        agency_name=said,
        agency_address=said,
        liability_bearer=said,
        authority_name=said[:60],
        verify_code=said[:64],
    )
    row = make_row(
        site=said, section=said, category=said, object=said, parameter=said, standard_text=said, limit=said
    )
    item = NoticeItem(said, said, said)
    notice = make_notice(
        NoticeKind.CORRECTION, document_number=said, addressee=said, authority_name=said[:60], matter=said,
        case_number=said, items=(item,), basis=(said,), reasons=(said,), contact=said, allowance=said,
    )  # fmt: skip
    return certificate, Annex((Signatory(said, said, said, said),), (row,)), notice


def streams(pdf: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        kept = [
            o for o in opened.objects if isinstance(o, pikepdf.Stream) and o.get("/Type") != "/EmbeddedFile"
        ]
        return b"".join(o.read_bytes() for o in kept)


@pytest.mark.parametrize("vector", VECTORS)
def test_no_field_makes_the_renderer_fetch(renderer: Renderer, canary: Canary, vector: str) -> None:
    for address in canary.addresses():
        certificate, annex, notice = everywhere(vector.format(url=address))
        for pdf in (renderer.certificate(certificate, annex).pdf, renderer.notice(notice).pdf):
            held = streams(pdf)
            if not address.startswith("data:"):
                assert b"CANARYWORD42" not in held
            with pikepdf.open(io.BytesIO(pdf)) as opened:
                assert len(opened.attachments) == 1
    assert canary.visits == 0


def test_the_guarded_child_does_not_fetch_either(canary: Canary) -> None:
    with ContainedRenderer() as child:
        for vector in VECTORS[:6]:
            certificate, annex, notice = everywhere(vector.format(url=canary.addresses()[0]))
            child.certificate(certificate, annex)
            child.notice(notice)
    assert canary.visits == 0


def test_the_canary_would_be_noticed(canary: Canary) -> None:
    """The check can fail: the same mark-up, believed and allowed to fetch, is seen."""
    HTML(string=VECTORS[0].format(url=canary.addresses()[0])).write_pdf()
    assert canary.visits == 1


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v.startswith(("<img src=", "<link", '<p style="back', "<svg><im"))]
)
def test_even_believed_mark_up_is_refused_its_fetch(canary: Canary, vector: str) -> None:
    for address in canary.addresses():
        page = HTML(string=vector.format(url=address), url_fetcher=refuse_fetch)
        try:
            held = streams(page.write_pdf())
        except FatalURLFetchingError:
            continue
        assert "<svg" in vector, "only inside a drawing does WeasyPrint go on without the file"
        assert b"CANARYWORD42" not in held
    assert canary.visits == 0
