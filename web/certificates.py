"""The issuing clerk: print many certificates as one file, print again, deliver; and the download of a certificate."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from forms.certificates import ChoiceForm, Chosen
from store.certificate_documents import CertificateDocuments
from store.certificate_values import Printable
from store.certificates import CertificateStore
from store.files import FileMissing
from store.jobs import JobLine, JobQueue
from web.access import grant_access
from web.casefaces import pressing
from web.certificate_faces import STANDINGS
from web.context import case_store, current_actor, database, files, say, tell
from workflow.commands import Plain
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("certificates", __name__, url_prefix="/certificates")
for _endpoint in ("index", "print_", "print_again", "deliver", "batch", "batch_file"):
    grant_access(f"certificates.{_endpoint}", roles=[Role.ISSUING_CLERK])
grant_access("certificates.download", signed_in=True)

STATES = {"granted": N_("To print"), "printed": N_("To deliver"), "closed": N_("Delivered")}
PAGE = 200  # lines; as many as one act takes
TOLD = 20  # refusals that are told one by one


@bp.get("")
def index() -> str:
    """The certificates in one state of their cases."""
    state = request.args.get("state", "granted")
    if state not in STATES:
        raise Refusal("unknown", Message(N_("There is no such list.")))
    actor, documents = current_actor(), CertificateDocuments(database())
    page = documents.printable(actor, state, after=request.args.get("after"), limit=PAGE)
    ready = [line for line in page.lines if line.may_leave and not (line.together and state == "printed")]
    return render_template(
        "certificates/index.html", state=state, states=STATES, form=ChoiceForm(), after=page.after,
        counts=documents.count_printable(actor, STATES), ready=ready,
        lines=[(line, pressing(line.clocks)) for line in page.lines], standings=STANDINGS)


@bp.post("/print")
def print_() -> Response:
    """Print the ticked ones: each case moves by itself, and those that moved become one file."""
    form = ChoiceForm(request.form)
    done, refused = _perform(form.chosen(), "print_certificate")
    return _to_batch(form, done, refused)


@bp.post("/print-again")
def print_again() -> Response:
    """Print once more what was printed before; audited with each certificate."""
    form = ChoiceForm(request.form)
    chosen, actor, documents = form.chosen(), current_actor(), CertificateDocuments(database())
    lines = documents.printables(actor, [one.public_id for one in chosen])
    done = [line for line in lines if line.state != "granted" and line.may_leave]
    documents.record_printing(actor, done, form.act_id())
    return _to_batch(form, done, [_not_printed(line) for line in lines if line not in done])


@bp.post("/deliver")
def deliver() -> Response:
    """Note the ticked ones as delivered; each case by itself."""
    done, refused = _perform(ChoiceForm(request.form).chosen(), "deliver")
    if done:
        tell(Message(N_("%(count)s certificates are delivered and their cases closed."), {"count": len(done)}))
    _tell_refused(refused)
    return redirect(url_for("certificates.index", state="printed"), 303)


def _tell_refused(refused: list[dict[str, str]]) -> None:
    for line in refused[:TOLD]:
        tell(Message(N_("Certificate %(number)s: %(reason)s"), line), "error")
    if len(refused) > TOLD:
        tell(Message(N_("and %(count)s more were not done"), {"count": len(refused) - TOLD}), "error")


def _perform(chosen: tuple[Chosen, ...], action: str) -> tuple[list[Printable], list[dict[str, str]]]:
    """Take an action on each case; those done, and for the others the reason in words."""
    actor, cases, done, refused = current_actor(), case_store(), [], []
    lines = {line.case_public_id: line for line in CertificateDocuments(database()).printables(
        actor, [one.public_id for one in chosen])}
    for one in chosen:
        line = lines.get(one.public_id)
        if line and line.sha256 and not line.may_leave and action == "print_certificate":
            refused.append({"number": line.number, "reason": say(Message(N_("It is no longer in force.")))})
            continue
        try:
            cases.perform(one.public_id, action, actor, Plain(), command_id=one.command_id, expected_version=one.seen)
        except Refusal as refusal:
            refused.append({"number": line.number if line else "—", "reason": say(refusal.reason)})
        else:
            if line:
                done.append(line)
    return sorted(done, key=lambda line: line.number), refused


def _not_printed(line: Printable) -> dict[str, str]:
    why = N_("It has not been printed yet.") if line.state == "granted" else N_("It is no longer in force.")
    return {"number": line.number, "reason": say(Message(why))}


def _to_batch(form: ChoiceForm, done: list[Printable], refused: list[dict[str, str]]) -> Response:
    """Leave the merging to a worker and go where its progress is shown; a repeated send finds the same batch."""
    if not done:
        _tell_refused(refused)
        return redirect(url_for("certificates.index"), 303)
    payload = {
        "sha256": [line.sha256 for line in done], "refused": refused,
        "certificates": [{"number": line.number, "agency": line.agency_name, "pages": line.pages,
                          "public_id": line.certificate_public_id, "version": line.version} for line in done]}
    job_id = form.act_id().replace("-", "")[:22]
    JobQueue(database()).add("merge_certificates", payload, job_id=job_id)
    return redirect(url_for("certificates.batch", job_id=job_id), 303)


@bp.get("/batches/<job_id>")
def batch(job_id: str) -> str:
    """What became of each certificate of a batch, and the file once it is made."""
    job = _job(job_id)
    pages = sum(one["pages"] or 0 for one in job.payload["certificates"])
    return render_template("certificates/batch.html", job=job, payload=job.payload, pages=pages)


@bp.get("/batches/<job_id>.pdf")
def batch_file(job_id: str) -> Response:
    """The merged file."""
    result = _job(job_id).payload.get("result")
    if not result:
        raise Refusal("unmet", Message(N_("The file is still being put together; try again in a moment.")))
    return _pdf(str(result["sha256"]), f"certificates-{job_id[:8]}.pdf")


def _job(job_id: str) -> JobLine:
    job = JobQueue(database()).find(job_id)
    if job is None or "certificates" not in job.payload:
        raise Refusal("unknown", Message(N_("There is no such batch.")))
    return job


@bp.get("/<public_id>/<int(max=999999):version>.pdf")
def download(public_id: str, version: int) -> Response:
    """One version of a certificate, for its agency and the bureau."""
    held = CertificateStore(database()).get_for(current_actor(), public_id)
    edition = next((e for e in CertificateDocuments(database()).editions(held.id) if e.version == version), None)
    if edition is None or edition.sha256 is None:
        raise Refusal("unknown", Message(N_("There is no electronic document of this version in the register.")))
    return _pdf(edition.sha256, f"{held.number}-{version}.pdf")


def _pdf(sha256: str, name: str) -> Response:
    """Bytes that are what the register says, as a download that no browser runs."""
    try:
        content = files().get(sha256)  # checked against the hash as it is read
    except FileMissing as error:
        raise Refusal("unmet", Message(N_(
            "The file is missing or damaged in the file store; the administrator must restore it."))) from error
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Content-Security-Policy"] = "sandbox"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer

