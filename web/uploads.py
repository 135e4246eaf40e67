"""Files of an application: tables and materials in, problems and own files out."""
import io
import threading
import unicodedata
from typing import Any
from urllib.parse import quote

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from forms.applications import MaterialForm, TablesForm
from intake.child import check_material_in_child, read_in_child
from intake.problem_workbook import problem_workbook
from intake.problems import Problem
from intake.readings import PackageReading, TableReading
from intake.standards import Catalogue
from store.applications import Received
from store.dossier_readings import REFUSED_ROWS
from store.dossier_values import TABLE_TITLES, Dossier, Reader
from web.access import grant_access
from web.applicationfaces import applications, problem_faces, problem_of, refusal_words
from web.applications import dossier_of, page
from web.context import current_actor, house, language, reference, say, tell
from web.errors import STATUS
from web.problemwords import code_words
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("uploads", __name__, url_prefix="/applications")
for _name in ("tables", "receive", "reading", "rows", "problems", "workbook", "materials", "hand_in",
              "remove", "prove"):
    grant_access(f"uploads.{_name}", roles=[Role.APPLICANT])
grant_access("uploads.download", signed_in=True)  # officials who see the case read its files too

AT_ONCE = 400_000        # bytes of tables that are read while the browser waits (about a second); more behind the page
MOST_FILES = 12          # files of one sending
NAME_LIMIT = 180         # characters of a file's name that are kept
_room = threading.BoundedSemaphore(2)   # files read at once in this process; others wait for a worker


class FileTooLarge(Refusal):
    """A file over the limit of the installation."""

    def __init__(self, name: str, limit: int) -> None:
        super().__init__("malformed", Message(
            N_("“%(name)s” is larger than %(limit)s MB. Divide it, or leave out pictures, and send it again."),
            {"name": name, "limit": limit}), field="files")


def read_in(storage: FileStorage) -> Received:
    """The file, read no further than the limit. Its name loses paths, control and hidden characters.

    Raises FileTooLarge.
    """
    limit, parts, size = house().settings.upload_limit_mb, [], 0
    name = clean_name(storage.filename or "")
    while chunk := storage.stream.read(1 << 20):
        size += len(chunk)
        if size > limit << 20:
            raise FileTooLarge(name, limit)
        parts.append(chunk)
    return Received(name, b"".join(parts), (storage.mimetype or "application/octet-stream")[:120])


def clean_name(name: str) -> str:
    """A file's name as text to show: no path, nothing invisible, not too long."""
    bare = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    shown = "".join(c for c in bare if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")).strip()
    if len(shown) > NAME_LIMIT:
        stem, dot, suffix = shown.rpartition(".")
        shown = f"{stem[:NAME_LIMIT - 12]}….{suffix[:10]}" if dot else shown[:NAME_LIMIT]
    return shown or say(N_("unnamed"))


def reader() -> Reader:
    """Reads files in a contained child, against the catalogue of standards in force."""
    catalogue = Catalogue.from_rows(reference().standards())
    return lambda given: read_in_child(given, catalogue).tables


# -- tables --------------------------------------------------------------------------------------------------


@bp.get("/<public_id>/tables", endpoint="tables")
def tables(public_id: str) -> Response:
    return _tables_page(dossier_of(public_id))


def _tables_page(dossier: Dossier, status: int = 200, reason: Message | None = None) -> Response:
    form = TablesForm()
    if reason:
        form.files.errors = [say(reason)]
    return page("tables", dossier, "tables", status, form=form, titles=TABLE_TITLES,
                limit=house().settings.upload_limit_mb,
                refused=[(upload, *refusal_words(upload)) for upload in dossier.refused])


@bp.post("/<public_id>/tables")
def receive(public_id: str) -> Response:
    """Several tables at once, recognised by their content. Small ones are read at once, large ones behind the page."""
    dossier_of(public_id)
    try:
        received = _received()
        case_id = applications().receive_tables(public_id, current_actor(), received)
    except Refusal as refusal:
        if refusal.code in ("unknown", "forbidden", "unavailable"):
            raise
        return _tables_page(dossier_of(public_id), STATUS[refusal.code], refusal.reason)
    if sum(len(file.content) for file in received) <= AT_ONCE and _room.acquire(blocking=False):
        try:
            _say_read(applications().read_waiting(case_id, reader()), len(received))
        finally:
            _room.release()
    return redirect(url_for("uploads.tables", public_id=public_id), 303)


def _received() -> list[Received]:
    sent = [storage for storage in request.files.getlist("files") if storage.filename]
    if not sent:
        raise Refusal("malformed", Message(N_("Choose the tables to send first.")), field="files")
    if len(sent) > MOST_FILES:
        raise Refusal("malformed", Message(N_("At most %(limit)s files at once."), {"limit": MOST_FILES}),
                      field="files")
    return [read_in(storage) for storage in sent]


def _say_read(usable: int, sent: int) -> None:
    if usable == sent:
        tell(Message(N_("%(count)s tables were read."), {"count": usable}))
    else:
        tell(Message(N_("%(count)s of %(sent)s files were read; see below why the others were not."),
                     {"count": usable, "sent": sent}), "warning")


@bp.get("/<public_id>/tables/reading")
def reading(public_id: str) -> Response:
    """The list of tables while files are being read; the page asks for it every second or two."""
    dossier = dossier_of(public_id)
    if not request.headers.get("HX-Request"):
        return redirect(url_for("uploads.tables", public_id=public_id))
    return Response(render_template("applications/table_states.html", dossier=dossier, titles=TABLE_TITLES,
                                    refused=[(upload, *refusal_words(upload)) for upload in dossier.refused]),
                    mimetype="text/html")


@bp.get("/<public_id>/tables/<table>")
def rows(public_id: str, table: str) -> Response:
    """The rows that were read, searched and page by page; `refused` shows those of 附表1 that were not accepted."""
    dossier, store, actor = dossier_of(public_id), applications(), current_actor()
    wanted, after = request.args.get("show", ""), request.args.get("after")
    search = request.args.get("q", "").strip()
    if table not in TABLE_TITLES:
        abort(404)
    if table == "capability" and wanted != "refused":
        found: Any = store.rows(public_id, actor, search=search, warned=wanted == "warned", after=after)
    else:
        found = store.table_rows(public_id, actor, REFUSED_ROWS if table == "capability" else table, after=after)
    return page("rows", dossier, "tables", table=table, title=TABLE_TITLES[table], found=found, search=search,
                wanted=wanted, state=dossier.tables[table])


@bp.get("/<public_id>/problems")
def problems(public_id: str) -> Response:
    """Every problem by sheet, row and column; by table, gravity and kind; page by page."""
    dossier, store, actor = dossier_of(public_id), applications(), current_actor()
    wanted = {name: request.args.get(name, "") for name in ("table", "severity", "code")}
    found = store.problems(public_id, actor, table=wanted["table"], severity=wanted["severity"], code=wanted["code"],
                           after=request.args.get("after"))
    counts = store.problem_counts(public_id, actor)
    return page("problems", dossier, "tables", counts=counts, wanted=wanted, after=found.after,
                faces=problem_faces(found.lines), titles=TABLE_TITLES, code_words=code_words,
                total=sum(n for t, s, c, n in counts if wanted["table"] in ("", t) and wanted["severity"] in ("", s)
                          and wanted["code"] in ("", c)))


@bp.get("/<public_id>/problems.xlsx")
def workbook(public_id: str) -> Response:
    """The same list as a workbook to work through offline."""
    dossier, store, actor = dossier_of(public_id), applications(), current_actor()
    readings = []
    for name, state in dossier.tables.items():
        if state.upload is None:
            continue
        lines = store.problems(public_id, actor, table=name, limit=100_000).lines
        readings.append(TableReading(name, state.upload.name, state.outcome or "", state.data_rows, state.accepted,
                                     state.refused_rows, tuple(problem_of(line) for line in lines)))
    content = problem_workbook(PackageReading(tuple(readings)), language())
    return sent_file(say(N_("List of problems")) + ".xlsx", content,
                     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


# -- materials -----------------------------------------------------------------------------------------------


@bp.get("/<public_id>/materials")
def materials(public_id: str) -> Response:
    return _materials_page(dossier_of(public_id))


def _materials_page(dossier: Dossier, status: int = 200, code: str = "", reason: str = "") -> Response:
    forms = {material.code: MaterialForm(prefix=f"{material.code}-") for material in dossier.materials}
    if code in forms:
        forms[code].file.errors = [reason]
    return page("materials", dossier, "materials", status, forms=forms, refusal_words=refusal_words,
                limit=house().settings.upload_limit_mb,
                no_longer=None if dossier.sheet else reference().particulars("materials").get("no_longer_asked"))


@bp.post("/<public_id>/materials/<code>")
def hand_in(public_id: str, code: str) -> Response:
    """Hand in a material. Its content is judged in a contained child, whatever its name says."""
    dossier_of(public_id)  # nobody else's file is even looked at
    try:
        received, refusal = _judged_file(f"{code}-file")
        applications().hand_in(public_id, current_actor(), code, received, refusal,
                               request.form.get(f"{code}-replaces") or None)
    except Refusal as refused:
        if refused.code in ("unknown", "forbidden", "unavailable"):
            raise
        return _materials_page(dossier_of(public_id), STATUS[refused.code], code, say(refused.reason))
    if refusal:
        return _materials_page(dossier_of(public_id), 422, code,
                               say(N_("This file was not taken; the reason stands above.")))
    tell(Message(N_("“%(name)s” is in the dossier."), {"name": received.name}))
    return redirect(url_for("uploads.materials", public_id=public_id, _anchor=code), 303)


def _judged_file(field: str) -> tuple[Received, dict[str, Any] | None]:
    storage = request.files.get(field)
    if storage is None or not storage.filename:
        raise Refusal("malformed", Message(N_("Choose a file first.")), field="file")
    received = read_in(storage)
    return received, judged(received)


def judged(received: Received) -> dict[str, Any] | None:
    """Why a material cannot be taken, as code and detail; None when it can."""
    found = check_material_in_child(received.name, received.content)
    if found.outcome == "ok":
        return None
    problem = found.problems[0]
    return {"code": problem.code, "detail": {name: str(value) for name, value in problem.detail.items()}}


def _words(refusal: dict[str, Any]) -> tuple[str, str]:
    problem = Problem.of(refusal["code"], **refusal["detail"])
    return problem.statement(language()), problem.advice(language())


@bp.post("/<public_id>/files/<upload>/remove")
def remove(public_id: str, upload: str) -> Response:
    """Take a file out of the dossier again."""
    applications().remove_file(public_id, current_actor(), upload)
    tell(Message(N_("The file is out of the dossier.")))
    target = "tables" if request.form.get("back") == "tables" else "materials"
    return redirect(url_for(f"uploads.{target}", public_id=public_id), 303)


@bp.post("/<public_id>/rectification/files")
def prove(public_id: str) -> Response:
    """A proof of rectification."""
    dossier_of(public_id)
    received, refusal = _judged_file("file")
    applications().hand_in_rectification(public_id, current_actor(), received, refusal)
    if refusal:
        tell(Message(N_("“%(name)s” was not taken: %(why)s"),
                     {"name": received.name, "why": " ".join(_words(refusal))}), "error")
    return redirect(url_for("applications.rectification", public_id=public_id), 303)


@bp.get("/<public_id>/files/<upload>")
def download(public_id: str, upload: str) -> Response:
    """A file of the dossier as it came in: a download, never shown in our own page."""
    found, content = applications().file(public_id, current_actor(), upload)
    return sent_file(found.name, content, "application/octet-stream")


def sent_file(name: str, content: bytes, media_type: str) -> Response:
    """An answer that can only be saved: attachment, no sniffing, no rights if it is opened all the same."""
    answer = Response(io.BytesIO(content).getvalue(), mimetype=media_type)
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    answer.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "no-store"
    return answer
