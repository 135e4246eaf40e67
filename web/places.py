"""Where a case stands: its procedure drawn, with the way it has gone lit."""

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from store.casework import Casework
from store.values import CaseFile
from web.access import STAFF, grant_access
from web.casepages import case_frame
from web.context import case_store, current_actor, database, language
from web.versionfaces import places, way_gone
from workflow.bpmn import bpmn

bp = Blueprint("places", __name__, url_prefix="/cases/<public_id>/place")
for _name in ("show", "drawing"):
    grant_access(f"places.{_name}", roles=STAFF)
LOOKED_AT = 2000  # entries of the history; a case has some dozens


def _way(public_id: str) -> tuple[CaseFile, list[str], list[tuple[str, str]]]:
    file = case_store().get(public_id, current_actor())
    visited, taken = way_gone(file.procedure, Casework(database()).timeline(file, limit=LOOKED_AT))
    return file, [state for state in visited if state != file.case.state], taken


@bp.get("")
def show(public_id: str) -> str:
    """The drawing with the current state marked, and the same in words."""
    file, visited, taken = _way(public_id)
    return render_template("cases/place.html", file=file, tab="place", frame=case_frame(file, "place"),
                           places=places(file.procedure, visited, file.case.state, taken))


@bp.get("/drawing.bpmn")
def drawing(public_id: str) -> Response:
    """The model with the case's way in it, for the viewer on the page or any other tool."""
    file, visited, taken = _way(public_id)
    drawn = bpmn(file.procedure, "en" if language() == "en" else "zh", visited, file.case.state, taken)
    return Response(drawn, mimetype="application/xml")
