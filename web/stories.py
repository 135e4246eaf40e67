"""A failing story of a proof, walked step by step: what happens, where the case then stands, the way lit."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from store.version_values import Version
from web.access import STAFF, grant_access
from web.context import language
from web.procedures import version_shown
from web.versionfaces import in_words, places, read, version_frame
from workflow.bpmn import bpmn
from workflow.procedure import Procedure
from workflow.vocabulary import N_, Message, Refusal

bp = Blueprint("stories", __name__, url_prefix="/procedures/<string:name>/<int(max=9999):version>/stories/<string:key>")
for _name in ("show", "drawing"):
    grant_access(f"stories.{_name}", roles=STAFF)


@dataclass(frozen=True, slots=True)
class Walk:
    """A story as far as it has been walked. `at` is how many of its steps have happened, 0 to all of them."""

    title: str
    steps: tuple[dict[str, Any], ...]
    ending: str
    at: int
    visited: tuple[str, ...]
    current: str
    taken: tuple[tuple[str, str], ...]

    @property
    def is_over(self) -> bool:
        return self.at == len(self.steps)


def _walk(name: str, version: int, key: str) -> tuple[Version, Procedure, Walk]:
    """Raises Refusal("unknown") when no such story is kept for the text as it stands."""
    found = version_shown(name, version)
    procedure, _ = read(found)
    told = next((p for p in found.line.proof.get("properties", ()) if p["key"] == key and p.get("story")), None)
    if procedure is None or told is None or found.line.proof.get("digest") != found.line.digest:
        raise Refusal("unknown", Message(N_("There is no such story: the text was changed or proved again.")))
    steps = tuple(told["story"]["steps"])
    at = min(max(request.args.get("step", 0, int), 0), len(steps))
    states = [procedure.spec.initial, *(step["to"] for step in steps[:at])]
    known = {(s, a.name) for a in procedure.actions for s in a.sources}
    taken = tuple(pair for s, step in zip(states, steps, strict=False) if (pair := (s, step["action"])) in known)
    visited = tuple(s for s in dict.fromkeys(states) if s != states[-1])
    return found, procedure, Walk(in_words(told), steps, in_words(told["story"]), at, visited, states[-1], taken[:at])


@bp.get("")
def show(name: str, version: int, key: str) -> str:
    """The story with the steps that have happened so far."""
    found, procedure, walk = _walk(name, version, key)
    labels = {state: spec.label.message() for state, spec in procedure.states.items()}
    return render_template(
        "procedures/story.html", line=found.line, walk=walk, key=key, labels=labels, in_words=in_words,
        frame=version_frame(found.line, procedure, "proof"),
        places=places(procedure, walk.visited, walk.current, walk.taken))


@bp.get("/drawing.bpmn")
def drawing(name: str, version: int, key: str) -> Response:
    """The model with the way of the story in it."""
    _, procedure, walk = _walk(name, version, key)
    drawn = bpmn(procedure, "en" if language() == "en" else "zh", walk.visited, walk.current, walk.taken)
    return Response(drawn, mimetype="application/xml")
