"""The rule-books themselves, for staff: a definition as BPMN 2.0, to open in any modelling tool."""
from flask import Blueprint
from werkzeug.wrappers import Response

from web.access import STAFF, grant_access
from web.language import current as language
from workflow import procedures
from workflow.bpmn import bpmn

bp = Blueprint("procedures", __name__, url_prefix="/procedures")
grant_access("procedures.model", roles=STAFF)


@bp.get("/<string:name>/<int(max=9999):version>.bpmn")
def model(name: str, version: int) -> Response:
    """The definition drawn from the very file that runs."""
    procedure = procedures.find(name, version)
    drawn = bpmn(procedure, "en" if language() == "en" else "zh")
    answer = Response(drawn, mimetype="application/xml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.v{version}.bpmn"'
    return answer
