"""What if: the administrator has past cases lived again under a version, and reads what would have gone otherwise."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from forms.replays import SinceForm
from store.jobs import JobQueue
from store.replays import DIFFERING, KINDS, Replay, Replays, Totals
from store.version_values import Version
from web.access import grant_access
from web.context import current_actor, database, laws, say, tell
from web.errors import STATUS
from web.procedures import versions
from web.versionfaces import read, title_of, version_frame
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("replays", __name__, url_prefix="/procedures/<string:name>/<int(max=9999):version>/replays")
for _name in ("begin", "start", "show", "stop"):
    grant_access(f"replays.{_name}", roles=[Role.ADMINISTRATOR])

VERDICTS = {
    "same": (N_("Same"), "good"), "faster": (N_("Faster"), "good"), "slower": (N_("Slower"), "attention"),
    "stuck": (N_("Stuck"), "bad"), "other_decision": (N_("Needs another decision"), "bad"),
    "unread": (N_("Could not be replayed"), "neutral"),
}
MEANINGS = {
    "same": N_("ends on the same day with the same outcome"), "faster": N_("ends on an earlier day"),
    "slower": N_("more has to be done before it ends"), "stuck": N_("a step that was taken is not possible"),
    "other_decision": N_("ends otherwise, or cannot be decided as it was"),
    "unread": N_("its definition or a time limit is not here"),
}
STATUSES = {"running": (N_("Running"), "active"), "done": (N_("Done"), "good"), "stopped": (N_("Stopped"), "closed")}


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the totals: then, now, and by how much it grew."""

    label: str
    then: int
    now: int

    @property
    def grew(self) -> int:
        return self.now - self.then

    @property
    def in_signs(self) -> str:
        return f"{'+' if self.grew > 0 else '−' if self.grew else '±'}{abs(self.grew)}"


def _replays() -> Replays:
    return Replays(database(), laws())


@bp.get("")
def begin(name: str, version: int) -> Response:
    """Which past cases, and the replays there have been under this version."""
    return _asked(versions().get(name, version), SinceForm(request.args))


def _asked(found: Version, form: SinceForm, status: int = 200, refusal: Refusal | None = None) -> Response:
    line, (procedure, faults) = found.line, read(found)
    page = render_template(
        "procedures/replays.html", line=line, procedure=procedure, faults=faults, form=form, refusal=refusal,
        frame=version_frame(line, procedure, ""), found=_replays().recent(line.name, line.version),
        statuses=STATUSES, verdicts=VERDICTS)
    return Response(page, status, mimetype="text/html")


@bp.post("")
def start(name: str, version: int) -> Response:
    """Leave it to a worker; the page of the replay waits for it."""
    form, found = SinceForm(request.form), versions().get(name, version)
    procedure, faults = read(found)
    try:
        if procedure is None:
            raise Refusal("unmet", Message(N_("This text is not a sound definition yet: %(count)s faults."),
                                           {"count": len(faults)}))
        begun = _replays().begin(found, form.day(), current_actor())
    except Refusal as refusal:
        return _refused(found, form, refusal)
    return redirect(url_for("replays.show", name=name, version=version, replay=begun), 303)


def _refused(found: Version, form: SinceForm, refusal: Refusal) -> Response:
    if refusal.field:
        form.since.errors = [say(refusal.reason)]
    return _asked(found, form, STATUS[refusal.code], None if refusal.field else refusal)


@bp.get("/<string:replay>")
def show(name: str, version: int, replay: str) -> str:
    """How far it has come, the totals, and the cases one by one with where each first differs."""
    store, search = _replays(), request.args.get("search", "").strip()
    found = _of(store, name, version, replay)
    wanted = _wanted(found, request.args.get("verdict", ""))
    page = store.lines(found, wanted, search, request.args.get("after"))
    lines = versions().lines(name)
    return render_template(
        "procedures/replay.html", name=name, version=version, found=found, page=page, wanted=wanted, search=search,
        title=title_of(lines), line=next((line for line in lines if line.version == version), None),
        lists=_lists(found.totals), verdicts=VERDICTS, meanings=MEANINGS, statuses=STATUSES,
        measures=_measures(found.totals), job=_job(found))


def _of(store: Replays, name: str, version: int, public_id: str) -> Replay:
    found = store.get(public_id)
    if (found.procedure, found.version) != (name, version):
        raise Refusal("unknown", Message(N_("There is no such replay.")))
    return found


def _wanted(found: Replay, asked: str) -> str:
    """The list that is asked for, else what differs, else the first that holds anything."""
    if asked in (DIFFERING, *KINDS):
        return asked
    held = [kind for kind in KINDS if found.totals.kinds.get(kind)]
    return DIFFERING if found.totals.differing or not held else held[0]


def _lists(totals: Totals) -> list[dict[str, Any]]:
    """The lists that hold anything: all that differ first."""
    found = [{"name": DIFFERING, "label": N_("All that differ"), "count": totals.differing}] if totals.differing else []
    return found + [{"name": kind, "label": VERDICTS[kind][0], "count": totals.kinds[kind]}
                    for kind in KINDS if totals.kinds.get(kind)]


def _measures(totals: Totals) -> list[Measure]:
    return [
        Measure(N_("Working days from filing to the end"), *totals.days),
        Measure(N_("Steps taken"), *totals.steps),
        Measure(N_("Materials that applicants hand in"), *totals.materials),
        Measure(N_("Documents issued"), *totals.papers)]


def _job(found: Replay) -> str:
    """How the work behind a running replay stands: waiting, failed or lost; empty when there is none to do. A job
    that was done after the replay was read is still waited for: the next look shows its end."""
    if not found.is_running:
        return ""
    job = JobQueue(database()).find(found.public_id)
    return "lost" if job is None else "failed" if job.status == "failed" else "waiting"


@bp.post("/<string:replay>/stop")
def stop(name: str, version: int, replay: str) -> Response:
    """Look at no further case; what was found stays."""
    store = _replays()
    _of(store, name, version, replay)
    store.stop(replay, current_actor())
    tell(Message(N_("Stopped. What was found until now is kept.")))
    return redirect(url_for("replays.show", name=name, version=version, replay=replay), 303)
