"""The case page and the two views that serve every action of every procedure."""
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from store.casework import Casework
from store.dossier_values import TABLE_TITLES
from store.reviews import ReviewStore, RowFilter
from store.values import CaseFile
from web import acts
from web.access import STAFF, grant_access
from web.boards import department_board, rounds, standing_words
from web.casefaces import clock_faces, history, pins, progress
from web.casepages import (
    action_faces,
    brief,
    case_frame,
    home_of,
    related_faces,
    seen_in_stead,
    stead_offers,
)
from web.clockfaces import elapsed_days
from web.context import case_store, current_actor, database
from web.departments import department_name
from web.dossierfaces import agency_faces, material_rows, section_faces, table_faces, way_names
from web.jointfaces import evidence_of, joint_face
from workflow.vocabulary import N_, Message, Refusal

PAPERS = {
    "receipt": N_("Receipt"), "acceptance_notice": N_("Notice of acceptance"),
    "correction_notice": N_("Correction notice"), "refusal_to_accept": N_("Decision not to accept"),
    "commitment_letter": N_("Letter of commitment"), "grant_decision": N_("Decision to grant"),
    "refusal_decision": N_("Decision to refuse"), "annulment_decision": N_("Decision to annul"),
    "rectification_order": N_("Rectification order"),
    "material": N_("Material"), "rectification": N_("Rectification"), "table": N_("Table")}

bp = Blueprint("cases", __name__, url_prefix="/cases")
# Officials read here; applicants have pages of their own, without opinions and notes from inside. Both act here.
for _name in ("show", "dossier", "capability", "table", "materials", "departments", "timeline", "limits"):
    grant_access(f"cases.{_name}", roles=STAFF)
for _name in ("act", "send"):
    grant_access(f"cases.{_name}", signed_in=True)


def _file(public_id: str) -> CaseFile:
    return case_store().get(public_id, current_actor())


def _page(template: str, file: CaseFile, tab: str, **values: Any) -> str:
    return render_template(f"cases/{template}.html", file=file, tab=tab, frame=case_frame(file, tab), **values)


@bp.get("/<public_id>")
def show(public_id: str) -> str | Response:
    """The overview: where the case stands, what can be done, who has answered, until when."""
    try:
        file, casework = _file(public_id), Casework(database())
    except Refusal as refusal:
        return redirect(seen_in_stead(public_id, refusal))
    entries, joint = casework.timeline(file), joint_face(file)
    return _page("show", file, "show", offers=action_faces(file, case_store().offers(file, current_actor())),
                 address=lambda name: acts.address(file, file.procedure.by_name[name]), brief=brief(file),
                 steps=progress(file, entries), entries=history(file, entries[:6]), clocks=clock_faces(file),
                 board=department_board(file, casework.answers(file)), standing=standing_words(file),
                 in_stead=stead_offers(file), joint=joint, evidence=evidence_of(file, joint),
                 related=() if joint else related_faces(casework.related(file, current_actor())))


@bp.get("/<public_id>/dossier")
def dossier(public_id: str) -> str:
    """The application as filled in, read-only, with the agency as registered."""
    file, casework = _file(public_id), Casework(database())
    filled = casework.dossier(file)
    return _page("dossier", file, "dossier", dossier=filled,
                 sections=section_faces(filled.sections, file.procedure),
                 agency=agency_faces(casework.agency(file)), corrections=casework.corrections(file))


@bp.get("/<public_id>/capability")
def capability(public_id: str) -> str:
    """The capability table with what the review said of each row."""
    file, args = _file(public_id), request.args
    wanted = RowFilter(args.get("standing", ""), args.get("warned") == "1", args.get("search", "").strip())
    return _page("capability", file, "capability", wanted=wanted,
                 page=ReviewStore(database()).rows(file, wanted, after=args.get("after")),
                 ways=way_names())


@bp.get("/<public_id>/tables/<name>")
def table(public_id: str, name: str) -> str:
    """Another table of the application, as it was read."""
    file = _file(public_id)
    if name not in TABLE_TITLES:
        raise Refusal("unknown", Message(N_("There is no such table.")))
    page = Casework(database()).table(file, name, after=request.args.get("after"))
    columns, lines = table_faces(name, page.lines)
    return _page("table", file, name, title=TABLE_TITLES[name], columns=columns, lines=lines, after=page.after)


@bp.get("/<public_id>/materials")
def materials(public_id: str) -> str:
    """Files that came in and documents that went out."""
    file, casework = _file(public_id), Casework(database())
    return _page("materials", file, "materials", uploads=casework.uploads(file), readings=casework.readings(file),
                 papers=casework.documents(file), titles=TABLE_TITLES, kinds=PAPERS,
                 names={row["key"]: Message(row["en"], {}, row["zh"]) for row in material_rows(file.procedure)})


@bp.get("/<public_id>/departments")
def departments(public_id: str) -> str:
    """Every department's answer, round by round."""
    file = _file(public_id)
    return _page("departments", file, "departments",
                 rounds=rounds(file, Casework(database()).answers(file)), standing=standing_words(file),
                 asked=[department_name(d) for d in file.procedure.asked(file.case.facts)])


@bp.get("/<public_id>/timeline")
def timeline(public_id: str) -> str:
    """Everything that happened, newest first."""
    file = _file(public_id)
    entries = Casework(database()).timeline(file)
    return _page("timeline", file, "timeline", entries=history(file, entries), pins=pins(entries))


@bp.get("/<public_id>/limits")
def limits(public_id: str) -> str:
    """Every clock of the case and how its due date was counted, day by day."""
    file = _file(public_id)
    return _page("limits", file, "limits", clocks=clock_faces(file), elapsed=elapsed_days(file))


@bp.get("/<public_id>/actions/<name>")
def act(public_id: str, name: str) -> Response:
    """The form of one action, or the page of its own that the definition names."""
    sheet = acts.lay_out(public_id, name)
    own = acts.address(sheet.file, sheet.action)
    return acts.show(sheet) if own.partition("?")[0] == request.path else redirect(own)


@bp.post("/<public_id>/actions/<name>")
def send(public_id: str, name: str) -> Response:
    """Take one action. Every action of every procedure comes through here or through its own page's form."""
    sheet = acts.lay_out(public_id, name, request.form)
    if sheet.form.wants_another_row():
        return acts.show(sheet)
    try:
        done = acts.carry_out(sheet)
    except Refusal as refusal:
        return acts.refused(sheet, refusal)
    acts.announce(sheet, done)
    return redirect(home_of(sheet.file))
