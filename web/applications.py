"""An applicant's own pages: start an application, fill it, sign, submit, follow it, correct it."""
from typing import Any
from uuid import uuid4

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from forms.actions import PlainForm
from forms.applications import AnswerForm
from store.casework import Casework
from store.dossier_values import Dossier
from web import acts
from web.access import grant_access
from web.applicationfaces import (
    WORDS,
    applications,
    continue_at,
    frame,
    parts,
    section_forms,
    sent_form,
    titles_of,
    wants_json,
)
from web.casefaces import clock_faces, history, progress, state_face, track_label
from web.context import case_store, current_actor, database, files, laws, now, say, tell, today
from web.errors import STATUS
from web.language import hour
from web.offers import holdings_of, limits_of, offers_open, times_compared
from workflow import dossiers, procedures
from workflow.allowances import in_force
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("applications", __name__, url_prefix="/applications")
for _name in ("index", "offered", "begin", "start", "show", "form", "save_section", "take_over", "track",
              "choose_track", "commitment", "sign", "preview", "submit", "receipt", "corrections", "answer", "resubmit",
              "rectification", "submit_rectification", "retraction", "retract", "certificate"):
    grant_access(f"applications.{_name}", roles=[Role.APPLICANT])

PREVIEWED = 100    # capability rows on the preview; a display choice
HEADINGS = tuple("一二三四五")    # how the parts of the letter are numbered



def page(template: str, dossier: Dossier, entry: str, status: int = 200, **values: Any) -> Response:
    """A page of an application, with its head and tabs."""
    body = render_template(f"applications/{template}.html", dossier=dossier, frame=frame(dossier, entry), **WORDS,
                           **values)
    return Response(body, status, mimetype="text/html")


def dossier_of(public_id: str) -> Dossier:
    return applications().get(public_id, current_actor())


@bp.get("", strict_slashes=False)
def index() -> str:
    """The agency's applications, newest first."""
    found = applications().list_(current_actor(), after=request.args.get("after"))
    faces = []
    for line in found.lines:
        procedure = procedures.find(line.procedure, line.procedure_version)
        faces.append((line, *state_face(procedure, line.state), track_label(procedure, line.track),
                      procedure.spec.title.message()))
    return render_template("applications/index.html", faces=faces, after=found.after)


@bp.get("/new")
def offered() -> str:
    """What can be applied for: each with its basis, its limits, its materials and what it costs."""
    return render_template("applications/offered.html", offers=offers_open(),
                           holds=bool(holdings_of(current_actor())))


@bp.get("/new/<procedure>")
def begin(procedure: str) -> str:
    """What will be needed for one of them, before anything is begun."""
    offer = next((o for o in offers_open() if o.procedure.name == procedure), None)
    if offer is None:
        raise Refusal("unknown", Message(N_("There is nothing of that name to apply for.")))
    return render_template("applications/begin.html", offer=offer)


@bp.post("/new")
def start() -> Response:
    """Begin an application: of the official form, or of the procedure, types and certificate that are sent."""
    asked = request.form.get("procedure") or None
    if asked is not None and asked not in (*dossiers.openable("list"), *dossiers.openable("certificate")):
        raise Refusal("unknown", Message(N_("There is nothing of that name to apply for.")))
    public_id = applications().start(current_actor(), asked, types=request.form.getlist("types"),
                                     certificate=request.form.get("certificate", ""))
    tell(Message(N_("The application is open. Everything you enter is saved as you go; you may stop at any time.")))
    return redirect(url_for("applications.form", public_id=public_id), 303)


@bp.get("/<public_id>")
def show(public_id: str) -> Response:
    """While it is filled in: what is still missing. Afterwards: who has it, what comes next, until when."""
    dossier, casework = dossier_of(public_id), Casework(database())
    entries = casework.timeline(dossier.file)
    words, url = continue_at(dossier)
    return page("show", dossier, "show", parts=parts(dossier), next_words=words, next_url=url,
                steps=progress(dossier.file, entries), entries=_without_repeats(history(dossier.file, entries))[:8],
                clocks=clock_faces(dossier.file), papers=applications().documents(public_id, current_actor()),
                issued=applications().certificate(public_id, current_actor()), offers=_offered(dossier))


def _without_repeats(entries: list[Any]) -> list[Any]:
    """The history with every run of the same act by the same person told once, at its latest."""
    kept: list[Any] = []
    for entry in entries:
        if not kept or (str(kept[-1].text), kept[-1].actor) != (str(entry.text), entry.actor):
            kept.append(entry)
    return kept


def _offered(dossier: Dossier) -> dict[str, Any]:
    """Action name -> the offer, for what the applicant may do here. An act that leads a returned case straight back
    stands under the name of the act that it is."""
    found = case_store().offers(dossier.file, current_actor())
    return {offer.action.spec.instead_of or offer.action.name: offer for offer in found}


# -- the form ------------------------------------------------------------------------------------------------


@bp.get("/<public_id>/form")
def form(public_id: str) -> Response:
    dossier = dossier_of(public_id)
    return _form_page(dossier, section_forms(dossier, judged=request.args.getlist("check")))


def _form_page(dossier: Dossier, forms: Any, status: int = 200, **values: Any) -> Response:
    if not dossier.is_editable:
        return redirect(url_for("applications.preview", public_id=dossier.public_id))
    return page("form", dossier, "form", status, forms=forms, titles=titles_of(dossier),
                **{"refused": None, "stale": None, **values})


@bp.post("/<public_id>/form/<section>")
def save_section(public_id: str, section: str) -> Response:
    """Keep a section as typed. Incomplete is no fault while one types; on a press of the button it is told."""
    dossier = dossier_of(public_id)
    sent = sent_form(dossier, section, request.form)
    try:
        revision = applications().save_section(public_id, current_actor(), section, sent.to_section(),
                                               sent.seen_revision())
    except Refusal as refusal:
        return _section_refused(dossier, section, sent, refusal)
    if wants_json():
        return jsonify(saved_at=hour(now()), fields={"revision": str(revision)})
    return _after_saving(public_id, section, sent.validate())


def _after_saving(public_id: str, section: str, complete: bool) -> Response:
    dossier = dossier_of(public_id)
    told = {"section": titles_of(dossier)[section]}
    if not complete:
        tell(Message(N_("“%(section)s” is saved as typed; the marked fields still need you."), told), "warning")
        return _form_page(dossier, section_forms(dossier, judged=[section]), 422, refused=section)
    tell(Message(N_("“%(section)s” is saved and complete."), told))
    left = next((name for name, state in dossier.sections.items() if state.asked and state.faults), None)
    target = "applications.form" if left else "uploads.materials" if dossier.sheet else "uploads.tables"
    return redirect(url_for(target, public_id=public_id, _anchor=left), 303)


def _section_refused(dossier: Dossier, section: str, sent: Any, refusal: Refusal) -> Response:
    """What was typed stays; beside it stands what was saved meanwhile. A second press saves over it."""
    status = STATUS[refusal.code]
    if refusal.code in ("unknown", "forbidden") or not dossier.is_editable:
        raise refusal
    if wants_json():
        answer: Response = jsonify(error=refusal.code, message=say(refusal.reason))
        answer.status_code = status
        return answer
    forms = section_forms(dossier)
    sent.validate()
    sent.revision.data = str(dossier.sections[section].revision)
    stale = (section, refusal.reason, forms[section]) if refusal.code == "stale" and section in forms else None
    forms[section] = sent
    return _form_page(dossier, forms, status, refused=section, stale=stale)


@bp.post("/<public_id>/form/take-over")
def take_over(public_id: str) -> Response:
    """Take values of the uploaded form in place of what was typed."""
    count = applications().take_over(public_id, current_actor(), request.form.getlist("field"))
    tell(Message(N_("%(count)s values were taken from the uploaded form."), {"count": count}),
         "success" if count else "info")
    return redirect(url_for("applications.form", public_id=public_id), 303)


# -- the track -----------------------------------------------------------------------------------------------


@bp.get("/<public_id>/track")
def track(public_id: str) -> Response:
    dossier = dossier_of(public_id)
    if dossier.sheet:
        return page("tracks", dossier, "track", offers=_offered(dossier), command_id=str(uuid4()),
                    limits=limits_of(dossier.procedure))
    return page("track", dossier, "track", offers=_offered(dossier), times=times_compared(),
                command_id=str(uuid4()), window=in_force(laws().current().allowances, "renewal_window", today()))


@bp.post("/<public_id>/track")
def choose_track(public_id: str) -> Response:
    """Choose the commitment track, or return to the general one."""
    name = "choose_commitment_track" if request.form.get("track") == "commitment" else "return_to_general_track"
    _perform_plain(public_id, name)
    applications().renew(public_id, current_actor())
    return redirect(url_for("applications.track", public_id=public_id), 303)


def _perform_plain(public_id: str, name: str) -> None:
    """An act without a form of its own, with the identifier and the version that the page carried."""
    sheet = acts.lay_out(public_id, name, request.form)
    acts.announce(sheet, acts.carry_out(sheet))


@bp.get("/<public_id>/commitment")
def commitment(public_id: str) -> Response:
    """The notice in full and the place to sign."""
    dossier = dossier_of(public_id)
    version, text, digest = applications().commitment_text(dossier.file)
    sheet = acts.lay_out(public_id, "sign_commitment")
    sheet.form.notice_version.data, sheet.form.text_sha256.data = version, digest
    sheet.form.signer.data = _legal_person(dossier)
    return _commitment_page(sheet, text=text)


def _legal_person(dossier: Dossier) -> str:
    overview = dossier.sections.get("overview")
    return str(overview.values.get("legal_person", "") if overview else dossier.agency.legal_person)


def _commitment_page(sheet: acts.ActSheet, status: int = 200, **values: Any) -> Response:
    dossier = dossier_of(sheet.file.public_id)
    version, text, digest = applications().commitment_text(dossier.file)
    return page("commitment", dossier, "track", status, form=sheet.form, version=version, digest=digest,
                **{"refusal": None, **values, "text": [(line, line[:1] in HEADINGS) for line in text.splitlines()]})


@bp.post("/<public_id>/commitment")
def sign(public_id: str) -> Response:
    """Sign: the very text is kept, its digest goes into the case with who signed."""
    dossier = dossier_of(public_id)
    version, text, digest = applications().commitment_text(dossier.file)
    sheet = acts.lay_out(public_id, "sign_commitment", request.form)
    try:
        if (sheet.form.text_sha256.data, sheet.form.notice_version.data) != (digest, version):
            raise Refusal("malformed", Message(N_("The commitment text has changed; please read and sign it again.")))
        applications().keep_commitment(text)
        acts.announce(sheet, acts.carry_out(sheet))
    except Refusal as refusal:
        sheet.form.text_sha256.data, sheet.form.notice_version.data = digest, version
        return acts.refused(sheet, refusal, _commitment_page)
    return redirect(url_for("applications.preview", public_id=public_id), 303)


# -- submitting and afterwards -------------------------------------------------------------------------------


@bp.get("/<public_id>/preview")
def preview(public_id: str) -> Response:
    """The whole application on one page, as it will be read, and the button that submits it."""
    return _preview_page(dossier_of(public_id))


def _preview_page(dossier: Dossier, status: int = 200, reason: Message | None = None) -> Response:
    actor, store, public_id = current_actor(), applications(), dossier.public_id
    offers = _offered(dossier)
    name = next((n for n in ("submit", "submit_on_commitment", "resubmit") if n in offers), None)
    return page("preview", dossier, "preview", status, titles=titles_of(dossier), forms=_kept_forms(dossier),
                rows=store.rows(public_id, actor, limit=PREVIEWED), reason=reason,
                signatories=store.table_rows(public_id, actor, "signatories", limit=200),
                offer=offers.get(name) if name else None, act=name, command_id=str(uuid4()))


def _kept_forms(dossier: Dossier) -> dict[str, Any]:
    return section_forms(dossier)


@bp.post("/<public_id>/submit")
def submit(public_id: str) -> Response:
    """Submit on the track chosen. A second press of the same page gets the first answer."""
    dossier = dossier_of(public_id)
    offers = _offered(dossier)
    return _filed(dossier, next((name for name in ("submit", "submit_on_commitment") if name in offers), "submit"))


@bp.post("/<public_id>/resubmit")
def resubmit(public_id: str) -> Response:
    return _filed(dossier_of(public_id), "resubmit")


def _filed(dossier: Dossier, act: str) -> Response:
    offer = _offered(dossier).get(act)
    name = offer.action.name if offer else act
    form = PlainForm(request.form, irreversible=dossier.procedure.by_name[name].spec.irreversible)
    try:
        case_store().perform(dossier.public_id, name, current_actor(), form.read(), command_id=form.act_id(),
                             expected_version=form.seen_version())
    except Refusal as refusal:
        if refusal.code in ("unknown", "forbidden"):
            raise
        return _preview_page(dossier_of(dossier.public_id), STATUS[refusal.code], refusal.reason)
    return redirect(url_for("applications.receipt", public_id=dossier.public_id), 303)


@bp.get("/<public_id>/receipt")
def receipt(public_id: str) -> Response:
    """That it arrived, when, what exactly, and what comes next. For paper too."""
    dossier = dossier_of(public_id)
    if dossier.file.submitted_at is None:
        return redirect(url_for("applications.show", public_id=public_id))
    return page("receipt", dossier, "show", clocks=clock_faces(dossier.file))


@bp.get("/<public_id>/corrections")
def corrections(public_id: str) -> Response:
    dossier = dossier_of(public_id)
    return _corrections_page(dossier, None)


def _corrections_page(dossier: Dossier, refused: tuple[int, AnswerForm] | None, status: int = 200) -> Response:
    forms = {item.ordinal: AnswerForm(data={"answer": item.answer}, prefix=f"item{item.ordinal}-")
             for item in dossier.corrections}
    if refused:
        forms[refused[0]] = refused[1]
    return page("corrections", dossier, "show", status, forms=forms, offers=_offered(dossier),
                clocks=clock_faces(dossier.file))


@bp.post("/<public_id>/corrections/<int:ordinal>")
def answer(public_id: str, ordinal: int) -> Response:
    """Answer one item. The others stay as they are."""
    form = AnswerForm(request.form, prefix=f"item{ordinal}-")
    if not form.validate():
        return _corrections_page(dossier_of(public_id), (ordinal, form), 422)
    applications().answer_correction(public_id, current_actor(), min(ordinal, 2**31), form.answer.data)
    tell(Message(N_("Item %(number)s is answered."), {"number": ordinal}))
    return redirect(url_for("applications.corrections", public_id=public_id), 303)


@bp.get("/<public_id>/rectification")
def rectification(public_id: str) -> Response:
    return _rectification_page(acts.lay_out(public_id, "submit_rectification"))


def _rectification_page(sheet: acts.ActSheet, status: int = 200, **values: Any) -> Response:
    dossier = dossier_of(sheet.file.public_id)
    return page("rectification", dossier, "show", status, form=sheet.form, clocks=clock_faces(dossier.file),
                proofs=applications().proofs(dossier.public_id, current_actor()), **{"refusal": None, **values})


@bp.post("/<public_id>/rectification")
def submit_rectification(public_id: str) -> Response:
    return _acted(public_id, "submit_rectification", _rectification_page)


@bp.get("/<public_id>/retraction")
def retraction(public_id: str) -> Response:
    return _retraction_page(acts.lay_out(public_id, "retract"))


def _retraction_page(sheet: acts.ActSheet, status: int = 200, **values: Any) -> Response:
    dossier = dossier_of(sheet.file.public_id)
    return page("retraction", dossier, "show", status, form=sheet.form, **{"refusal": None, **values})


@bp.post("/<public_id>/retraction")
def retract(public_id: str) -> Response:
    return _acted(public_id, "retract", _retraction_page)


def _acted(public_id: str, name: str, draw: Any) -> Response:
    sheet = acts.lay_out(public_id, name, request.form)
    try:
        acts.announce(sheet, acts.carry_out(sheet))
    except Refusal as refusal:
        return acts.refused(sheet, refusal, draw)
    return redirect(url_for("applications.show", public_id=public_id), 303)


@bp.get("/<public_id>/certificate")
def certificate(public_id: str) -> Response:
    """The certificate of a case that is delivered."""
    dossier, issued = dossier_of(public_id), applications().certificate(public_id, current_actor())
    if issued is None or dossier.procedure.states[dossier.case.state].outcome != "granted":
        raise Refusal("unknown", Message(N_("The certificate is not there yet; it comes with the delivery.")))
    answer = Response(files().get(issued.sha256), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{issued.public_id}-{issued.version}.pdf"'
    answer.headers["Content-Security-Policy"] = "sandbox"
    return answer


