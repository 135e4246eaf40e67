"""One page for what was applied for together: each licence with its standing, its papers and its certificate."""
from dataclasses import dataclass

from flask import Blueprint, url_for
from werkzeug.wrappers import Response

from store.dossier_values import Issued
from web.access import grant_access
from web.applicationfaces import applications
from web.applications import dossier_of, page
from web.casefaces import clock_faces
from web.context import case_store, current_actor
from web.jointfaces import LicenceFace, joint_face
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("joint", __name__, url_prefix="/applications/<public_id>/licences")
grant_access("joint.show", roles=[Role.APPLICANT])


@dataclass(frozen=True, slots=True)
class Place:
    """One licence on its applicant's page: what was written about it, and where it can be taken back."""

    face: LicenceFace
    papers: tuple[Issued, ...]
    retract_url: str | None


@bp.get("")
def show(public_id: str) -> Response:
    """Every licence of the application; what can still be taken back can be taken back one by one, or as a whole."""
    dossier = dossier_of(public_id)
    joint = joint_face(dossier.file)
    if joint is None:
        raise Refusal("unknown", Message(N_("This application does not ask for several licences.")))
    places = [_place(line) for line in joint.lines]
    return page("licences", dossier, "licences", joint=joint, clocks=clock_faces(dossier.file), places=places,
                whole=_retraction(public_id) is not None)


def _place(line: LicenceFace) -> Place:
    if line.public_id is None:
        return Place(line, (), None)
    papers = applications().documents(line.public_id, current_actor())
    name = _retraction(line.public_id) if line.result is None else None
    return Place(line, tuple(papers), url_for("cases.act", public_id=line.public_id, name=name) if name else None)


def _retraction(public_id: str) -> str | None:
    """The action by which the applicant takes this case back now, if there is one."""
    file = case_store().get(public_id, current_actor())
    return next((offer.action.name for offer in case_store().offers(file, current_actor()) if offer.unmet is None
                 and offer.action.target and file.procedure.states[offer.action.target].outcome == "retracted"), None)
