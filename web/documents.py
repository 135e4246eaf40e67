"""Notices and decisions, as PDF: the bytes that were rendered and registered, and no others."""
from flask import Blueprint
from werkzeug.wrappers import Response

from store.casework import Casework
from web.access import grant_access
from web.context import current_actor, database, files

bp = Blueprint("documents", __name__, url_prefix="/documents")
grant_access("documents.download", signed_in=True)


@bp.get("/<public_id>")
def download(public_id: str) -> Response:
    """A document of a case one may see. Never shown in our own page: a download, sandboxed."""
    paper = Casework(database()).document(public_id, current_actor())
    answer = Response(files().get(paper.sha256), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{paper.kind}-{paper.version}.pdf"'
    answer.headers["Content-Security-Policy"] = "sandbox"
    return answer
