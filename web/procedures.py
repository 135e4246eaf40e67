"""The rule-books themselves: which versions there are, what each says, how two differ. Staff read; who changes a
version is in web/drafts.py."""
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from store.jobs import JobQueue
from store.procedure_versions import ProcedureVersions
from store.version_values import Version
from web.access import STAFF, grant_access
from web.context import database, language, laws
from web.versionfaces import (
    KINDS,
    PARTS,
    STANDINGS,
    STATUSES,
    change_faces,
    clock_rows,
    difference_groups,
    in_words,
    is_administrator,
    places,
    read,
    role_table,
    title_of,
    version_frame,
)
from workflow.bpmn import bpmn
from workflow.comparison import differences
from workflow.procedures import shipped
from workflow.vocabulary import N_, Message, Refusal

bp = Blueprint("procedures", __name__, url_prefix="/procedures")
for _name in ("index", "show", "compare", "model"):
    grant_access(f"procedures.{_name}", roles=STAFF)


def versions() -> ProcedureVersions:
    return ProcedureVersions(database(), laws())


def version_shown(name: str, version: int) -> Version:
    """The version, if whoever asks may read it: drafts are the administrator's. Raises Refusal("unknown")."""
    found = versions().get(name, version)
    if found.line.is_open and not is_administrator():
        raise Refusal("unknown", Message(N_("There is no procedure %(name)s version %(version)s."),
                                         {"name": name, "version": version}))
    return found


@bp.get("")
def index() -> str:
    """Every procedure with its versions, the newest first."""
    lines = [line for line in versions().lines() if not line.is_open or is_administrator()]
    groups = {name: {"lines": found, "title": title_of(found)}
              for name in dict.fromkeys(line.name for line in lines)
              if (found := [line for line in lines if line.name == name])}
    return render_template("procedures/index.html", groups=groups, statuses=STATUSES, administers=is_administrator())


@bp.get("/<string:name>/<int(max=9999):version>")
def show(name: str, version: int) -> str:
    """One version: its particulars, drawing, states, limits, the table of roles, its proof, its text."""
    found, part = version_shown(name, version), request.args.get("part", "overview")
    if part not in PARTS:
        raise Refusal("unknown", Message(N_("There is no such page.")))
    procedure, faults = read(found)
    part = part if procedure or part in ("proof", "text") else "overview"
    others = [line for line in versions().lines(name) if line.version != version]
    return render_template(
        f"procedures/{part}.html", version=found, line=found.line, procedure=procedure, faults=faults,
        others=others, standings=STANDINGS, frame=version_frame(found.line, procedure, part),
        in_words=in_words, **_of(part, found, procedure))


def _of(part: str, found: Version, procedure: Any) -> dict[str, Any]:
    """What the page of one part needs beyond the version."""
    if part == "proof":
        return {"waiting": _waiting(found)}
    if part == "overview":
        return {"changes": change_faces(versions().changes(found.line)), "differs": _differs(found)}
    if procedure is None or part not in ("states", "drawing", "clocks", "roles"):
        return {}
    return {"clocks": lambda: {"clocks": clock_rows(procedure)}, "roles": lambda: role_table(procedure),
            }.get(part, lambda: {"places": places(procedure)})()


def _differs(found: Version) -> bool:
    """Whether this release ships another text under the same name and number; what is kept here goes on."""
    line = found.line
    return any((p.name, p.version) == (line.name, line.version) and p.digest != line.digest for p in shipped())


def _waiting(found: Version) -> str | None:
    """How the proof that was asked for stands: waiting, failed, or None when none is. One that was done after the
    version was read is still waited for: it is there at the next look."""
    job = found.line.proof.get("job")
    if not job or found.line.proof.get("asked") != found.line.digest:
        return None
    line = JobQueue(database()).find(job)
    return "failed" if line is None or line.status == "failed" else "waiting"


@bp.get("/<string:name>/compare")
def compare(name: str) -> str:
    """What differs between two versions."""
    lines = [line for line in versions().lines(name) if not line.is_open or is_administrator()]
    if not lines:
        raise Refusal("unknown", Message(N_("There is no procedure called %(name)s."), {"name": name}))
    numbers = [line.version for line in lines]
    after = request.args.get("after", numbers[0], int)
    before = request.args.get("before", numbers[min(1, len(numbers) - 1)], int)
    (old, old_faults), (new, new_faults) = (read(version_shown(name, v)) for v in (before, after))
    groups = difference_groups(differences(old, new)) if old and new else []
    return render_template("procedures/compare.html", name=name, numbers=numbers, before=before, after=after, old=old,
                           new=new, faults=[*old_faults, *new_faults], groups=groups, kinds=KINDS)


@bp.get("/<string:name>/<int(max=9999):version>.bpmn")
def model(name: str, version: int) -> Response:
    """The definition drawn from the very text that runs."""
    procedure, _ = read(version_shown(name, version))
    if procedure is None:
        raise Refusal("unmet", Message(N_("The text of this version is not a sound definition yet.")))
    drawn = bpmn(procedure, "en" if language() == "en" else "zh")
    answer = Response(drawn, mimetype="application/xml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.v{version}.bpmn"'
    return answer
