"""The administrator changes versions of procedures: drafts, proofs, what is in force and what is retired."""

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from forms.versions import VERBS, DraftForm, TurnForm
from store.procedure_versions import ProcedureVersions
from store.version_values import Version, VersionLine, read_draft, too_long
from web.access import grant_access
from web.context import current_actor, now, say, tell
from web.definitionwords import FaultFace, fault_face
from web.errors import STATUS
from web.language import hour
from web.procedures import versions
from web.versionfaces import read, version_frame
from workflow.faults import Fault
from workflow.procedure import DefinitionError
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("drafts", __name__, url_prefix="/procedures/<string:name>/<int(max=9999):version>")
for _name in ("begin", "edit", "save", "check", "prove", "turn", "ask"):
    grant_access(f"drafts.{_name}", roles=[Role.ADMINISTRATOR])

DONE = {
    "schedule": N_("Scheduled: %(name)s version %(version)s comes into force on %(on)s."),
    "unschedule": N_("Taken off the schedule: %(name)s version %(version)s."),
    "activate": N_("In force: new cases open on %(name)s version %(version)s from now on."),
    "retire": N_("Retired: no new case opens on %(name)s version %(version)s."),
    "discard": N_("Thrown away: %(name)s version %(version)s."),
}
ASKED = {
    "schedule": N_("Schedule this version"), "unschedule": N_("Take this version off the schedule"),
    "activate": N_("Put this version into force"), "retire": N_("Retire this version"),
    "discard": N_("Throw this draft away"),
}
CONSEQUENCES = {
    "schedule": N_("From that day on new cases open on it; the version before it is retired. Open cases go on under "
                   "the version they were opened on. Until the day comes it can be taken off the schedule; its text "
                   "cannot be changed any more."),
    "unschedule": N_("It is a proved draft again and can be changed."),
    "activate": N_("New cases open on it at once; the version before it is retired. Open cases go on under the "
                   "version they were opened on. Its text can never be changed again."),
    "retire": N_("No new case can be opened on this procedure until another version is put into force. Open cases go "
                 "on under it."),
    "discard": N_("Its text is lost; that it existed stays in the audit."),
}


@bp.post("/draft")
def begin(name: str, version: int) -> Response:
    """A new draft with the text of this version."""
    number = versions().begin(name, version, current_actor())
    tell(Message(N_("Version %(version)s begins as a copy of version %(source)s."),
                 {"version": number, "source": version}))
    return redirect(url_for("drafts.edit", name=name, version=number), 303)


@bp.get("/edit")
def edit(name: str, version: int) -> Response:
    """The text of a draft; of a settled version the page says how to go on."""
    found = versions().get(name, version)
    form = DraftForm(data={"definition": found.definition, "edition": found.line.edition})
    return _editor(found, form)


def _editor(found: Version, form: DraftForm, status: int = 200, refusal: Refusal | None = None) -> Response:
    procedure, faults = read(found)
    if form.definition.data is not None and form.definition.data != found.definition:
        faults = _faults(form.definition.data, found.line)
    page = render_template("procedures/edit.html", line=found.line, form=form, faults=faults, refusal=refusal,
                           frame=version_frame(found.line, procedure, "text"), theirs=found.definition)
    return Response(page, status, mimetype="text/html")


@bp.post("/edit")
def save(name: str, version: int) -> Response:
    """Keep the draft as typed, sound or not. Whoever was slower gets their text back beside the one that is kept."""
    form, store = DraftForm(request.form), versions()
    try:
        line = store.save(name, version, form.definition.data or "", form.seen(), current_actor())
    except Refusal as refusal:
        return _not_saved(store, name, version, form, refusal)
    if request.headers.get("X-Autosave"):
        return jsonify(saved_at=hour(now()), fields={"edition": line.edition})
    tell(Message(N_("The draft is kept.")))
    return redirect(url_for("procedures.show", name=name, version=version), 303)


def _not_saved(store: ProcedureVersions, name: str, version: int, form: DraftForm, refusal: Refusal) -> Response:
    if refusal.code == "unknown" or request.headers.get("X-Autosave"):
        raise refusal
    found = store.get(name, version)
    if refusal.code == "stale":
        form.edition.data = str(found.line.edition)  # sending it again means: mine, knowingly
    return _editor(found, form, STATUS[refusal.code], refusal)


@bp.post("/check")
def check(name: str, version: int) -> str:
    """What is wrong with a text as it stands in the editor, as a part of its page. Nothing is kept."""
    line = versions().get(name, version).line
    return render_template("procedures/faults.html", faults=_faults(request.form.get("definition", ""), line))


def _faults(text: str, line: VersionLine) -> list[FaultFace]:
    if why := too_long(text):
        return [fault_face(Fault(0, say(why)))]
    try:
        read_draft(text.replace("\r\n", "\n"), line.name, line.version)
    except DefinitionError as error:
        return [fault_face(fault) for fault in error.found]
    return []


@bp.post("/prove")
def prove(name: str, version: int) -> Response:
    """Have a version proved by a worker; the page of the proof waits for it."""
    store = versions()
    procedure, faults = read(store.get(name, version))
    if procedure is None:
        raise Refusal("unmet", Message(N_("This text is not a sound definition yet: %(count)s faults."),
                                       {"count": len(faults)}))
    store.ask_proof(name, version, current_actor())
    return redirect(url_for("procedures.show", name=name, version=version, part="proof"), 303)


@bp.get("/<any(schedule, unschedule, activate, retire, discard):verb>")
def ask(name: str, version: int, verb: str) -> Response:
    """The page that asks once more, says what follows, and takes the reason."""
    line = versions().get(name, version).line
    return _asked(line, verb, TurnForm(data={"edition": line.edition}))


def _asked(line: VersionLine, verb: str, form: TurnForm, status: int = 200,
           refusal: Refusal | None = None) -> Response:
    procedure, _ = read(versions().get(line.name, line.version))
    page = render_template("procedures/turn.html", line=line, verb=verb, form=form, refusal=refusal, asked=ASKED,
                           consequences=CONSEQUENCES, frame=version_frame(line, procedure, ""))
    return Response(page, status, mimetype="text/html")


@bp.post("/<any(schedule, unschedule, activate, retire, discard):verb>")
def turn(name: str, version: int, verb: str) -> Response:
    """Do it, or say why not with everything that was typed."""
    form, store = TurnForm(request.form), versions()
    try:
        _carry_out(store, name, version, verb, form)
    except Refusal as refusal:
        return _refused(store, name, version, verb, form, refusal)
    tell(Message(DONE[verb], {"name": name, "version": version, "on": form.on.data}))
    if verb == "discard":
        return redirect(url_for("procedures.index"), 303)
    return redirect(url_for("procedures.show", name=name, version=version), 303)


def _carry_out(store: ProcedureVersions, name: str, version: int, verb: str, form: TurnForm) -> None:
    assert verb in VERBS
    actor, reason = current_actor(), (form.reason.data or "").strip()
    if verb == "discard":
        store.discard(name, version, form.seen(), actor)
    elif verb == "schedule":
        store.schedule(name, version, form.seen(), form.day(), reason, actor)
    else:
        {"unschedule": store.unschedule, "activate": store.activate, "retire": store.retire}[verb](
            name, version, form.seen(), reason, actor)


def _refused(store: ProcedureVersions, name: str, version: int, verb: str, form: TurnForm,
             refusal: Refusal) -> Response:
    if refusal.code == "unknown":
        raise refusal
    form.validate()  # what is missing in the fields, told beside them
    if refusal.field and refusal.field in form:
        form[refusal.field].errors = [say(refusal.reason)]
    line = store.get(name, version).line
    if refusal.code == "stale":
        form.edition.data = str(line.edition)
    return _asked(line, verb, form, STATUS[refusal.code], None if refusal.field else refusal)
