"""An agency's own certificates: what each covers, what happened to it, and what can be changed about it."""
from flask import Blueprint, render_template

from store.certificate_documents import CertificateDocuments
from store.certificate_values import Certificate
from store.certificates import CertificateStore
from web.access import grant_access
from web.certificate_faces import acts, standing_face
from web.context import current_actor, database, today
from web.offers import holdings_of, limits_once
from workflow import dossiers, procedures
from workflow.dossiers import Dossier as Sheet
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("holdings", __name__)
for _name in ("index", "show"):
    grant_access(f"holdings.{_name}", roles=[Role.APPLICANT])


@bp.get("/my/certificates")
def index() -> str:
    """Every certificate of the agency, newest first."""
    faces = [(each, procedures.current(each.kind).spec.title.message(), standing_face(each.standing(today())))
             for each in holdings_of(current_actor())]
    return render_template("holdings/index.html", faces=faces)


@bp.get("/my/certificates/<public_id>")
def show(public_id: str) -> str:
    """One certificate, and the changes that can be applied for."""
    held = _own(public_id)
    store, editions = CertificateStore(database()), CertificateDocuments(database()).editions(held.id)
    changes = [(sheet, limits_once(procedures.current(sheet.spec.procedure))) for sheet in _changes_of(held)]
    content = editions[0].content if editions and editions[0].is_licence else None
    return render_template(
        "holdings/show.html", certificate=held, face=standing_face(held.standing(today())),
        title=procedures.current(held.kind).spec.title.message(), acts=acts(store.history(held.id)),
        editions=editions, changes=changes, content=content,
        rows=store.annex(held.id, limit=1).total, signatories=store.signatories(held.id, version=held.version))


def _own(public_id: str) -> Certificate:
    """The certificate if it is the agency's own. Raises Refusal("unknown")."""
    actor = current_actor()
    held = CertificateStore(database()).get_for(actor, public_id)
    if held.agency_id != actor.agency_id:
        raise Refusal("unknown", Message(N_("There is no such certificate, or it is not open to you.")))
    return held


def _changes_of(held: Certificate) -> list[Sheet]:
    """The dossiers that are opened from a certificate of this kind, while it is in force."""
    if held.standing(today()) not in ("valid", "suspended"):
        return []
    found = [dossiers.find(name, procedures.current(name).version) for name in dossiers.openable("certificate")]
    return [sheet for sheet in found if sheet and sheet.spec.certificates_of == held.kind]
