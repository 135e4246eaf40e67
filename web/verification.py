"""Public verification: is this certificate genuine, what does it cover, until when; for anyone, without an account.

Whoever asks is told nothing that is not on the certificate or on the public list (Order 163 art. 22): no person
beyond the signatories named in the annex. Wrong look-ups are counted per address.
"""

import hashlib
from datetime import timedelta
from typing import IO, Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from forms.verification import CompareForm, LookUpForm, ScopeForm
from store.certificate_documents import CertificateDocuments
from store.certificate_values import Certificate
from store.certificates import CertificateStore
from store.throttles import address_key
from web.access import grant_access
from web.certificate_faces import acts, standing_face
from web.context import address, database, house, now, say, throttles, today
from web.errors import problem
from workflow import procedures

bp = Blueprint("verify", __name__)
for _endpoint in ("show", "certificate", "file", "compare"):
    grant_access(f"verify.{_endpoint}", public=True)

WRONG = 30  # look-ups that find nothing, per address and minute (guarantee 16)
MINUTE = timedelta(minutes=1)
LARGEST = 64 * 1024 * 1024  # bytes of a file that is compared; the largest document a renderer may give
CHUNK = 1 << 20


@bp.before_request
def _not_too_often() -> Response | None:
    """Whoever guessed wrong too often waits, whatever is asked next; else a right guess would still be told."""
    if not throttles().full(address_key("verify", address()), WRONG, MINUTE):
        return None
    answer = problem(429)
    answer.headers["Retry-After"] = str(int(MINUTE.total_seconds()))
    return answer


def _count_wrong() -> None:
    throttles().add(address_key("verify", address()), MINUTE)


@bp.get("/verify")
def show() -> Response | str | tuple[str, int]:
    """Look a certificate up by its number, or by the beginning of its holder's name."""
    form = LookUpForm(request.args, say)
    if "q" not in request.args:
        return _search_page(form)
    if not form.validate():
        return _search_page(form), 422
    store = CertificateStore(database())
    number = form.number
    if one := store.find(number=number or form.name.upper()):
        return redirect(url_for("verify.certificate", code=one.verify_code), 303)
    found = () if number else store.find_by_agency(form.name)
    if not found:
        _count_wrong()
    faces = [(each, standing_face(each.standing(today()))) for each in found]
    return _search_page(form, found=faces, number=number), 200 if found else 404


def _search_page(form: LookUpForm, **found: Any) -> str:
    return render_template(
        "verification/show.html", form=form, origin=house().settings.origin, **{"found": None, "number": None, **found})


@bp.get("/v/<code>")
def certificate(code: str) -> str | tuple[str, int]:
    """Where the QR code leads: the certificate as the register has it at this moment."""
    store = CertificateStore(database())
    one = store.find(code=code) if len(code) == 22 else None
    if one is None:
        _count_wrong()
        return render_template("verification/unknown.html", moment=now()), 404
    form = ScopeForm(request.args, today())
    well = form.validate()
    on, search = (form.on.data, form.search.data or "") if well else (None, "")
    page = render_template(
        "verification/certificate.html", certificate=one, face=standing_face(one.standing(today())), form=form, on=on,
        search=search, annex=store.annex(one.id, on=on, search=search, after=_after()), moment=now(),
        **_surroundings(store, one))
    return page, 200 if well else 422


def _surroundings(store: CertificateStore, one: Certificate) -> dict[str, Any]:
    """What stands around the scope: kind, signatories, acts, the document and what it says."""
    edition = next(iter(CertificateDocuments(database()).editions(one.id)), None)
    return {"title": procedures.current(one.kind).spec.title.message(), "edition": edition,
            "content": edition.content if edition and edition.is_licence else None,
            "signatories": store.signatories(one.id, version=one.version), "acts": acts(store.history(one.id)),
            "annulled": store.rows_ended(one.id)}


def _after() -> int:
    text = request.args.get("after", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


@bp.get("/verify/file")
def file() -> str:
    """Choose a file to compare with the register."""
    return render_template("verification/file.html", form=CompareForm(), outcome=None)


@bp.post("/verify/file")
def compare() -> tuple[str, int]:
    """Say whether these very bytes were issued; nothing of the file is kept."""
    form = CompareForm(request.files)
    if not form.validate():
        return render_template("verification/file.html", form=form, outcome=None), 422
    digest = _digest(form.file.data.stream)
    found = CertificateDocuments(database()).edition_by_hash(digest)
    if found is None:
        _count_wrong()
    face = standing_face(found[0].standing(today())) if found else None
    outcome = {"found": found, "digest": digest, "face": face}
    return render_template("verification/file.html", form=form, outcome=outcome, moment=now()), 200


def _digest(stream: IO[bytes]) -> str:
    """The SHA-256 of a file read piece by piece; a file larger than any of ours is refused."""
    whole, read = hashlib.sha256(), 0
    while part := stream.read(CHUNK):
        read += len(part)
        if read > LARGEST:
            abort(413)
        whole.update(part)
    return whole.hexdigest()
