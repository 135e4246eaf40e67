"""The administrator's view of what runs behind the pages: jobs that gave up, jobs that wait, workers that live."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from store.jobs import JobQueue
from web.access import grant_access
from web.context import current_actor, database, tell
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("jobs", __name__, url_prefix="/jobs")
for _endpoint in ("index", "retry"):
    grant_access(f"jobs.{_endpoint}", roles=[Role.ADMINISTRATOR])

STATUSES = {"failed": N_("Gave up"), "waiting": N_("Waiting"), "done": N_("Done")}
KINDS = {
    "render_certificate": N_("Produce a certificate"),
    "render_document": N_("Produce a notice"),
    "notify": N_("Send a notice by mail"),
    "merge_certificates": N_("Merge certificates for printing"),
    "read_upload": N_("Read uploaded tables"),
    "migrate_cases": N_("Migrate open cases"),
    "prove_procedure": N_("Prove a procedure"),
    "replay_cases": N_("Replay past cases"),
    "inform": N_("Tell the other cases of an application"),
}


@bp.get("")
def index() -> str:
    """The jobs of one status, newest first."""
    status = request.args.get("status", "failed")
    if status not in STATUSES:
        raise Refusal("unknown", Message(N_("There is no such list.")))
    queue = JobQueue(database())
    return render_template(
        "jobs/index.html", status=status, statuses=STATUSES, kinds=KINDS, counts=queue.counts(),
        workers=queue.workers(), page=queue.list_(status, request.args.get("after")))


@bp.post("/<job_id>/retry")
def retry(job_id: str) -> Response:
    """Let a job that gave up start over."""
    JobQueue(database()).retry(job_id, current_actor())
    tell(Message(N_("The job starts over; look again in a moment.")))
    return redirect(url_for("jobs.index"), 303)
