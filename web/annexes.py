"""Rows of an annex that an application is about, ticked page by page."""
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from store.certificate_values import Certificate
from store.certificates import CertificateStore
from store.dossier_scenarios import field_of_rows
from store.dossier_values import Dossier
from web.access import grant_access
from web.applicationfaces import applications
from web.applications import dossier_of, page
from web.context import current_actor, database, tell
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("annexes", __name__)
for _name in ("rows", "choose"):
    grant_access(f"annexes.{_name}", roles=[Role.APPLICANT])

MOST_ROWS = 20_000  # rows given up in one application; more than any annex holds



@bp.get("/applications/<public_id>/annex")
def rows(public_id: str) -> Response:
    """The annex in force, to tick rows in; searched and page by page."""
    dossier = dossier_of(public_id)
    section, field, held = _about_rows(dossier)
    search = request.args.get("q", "").strip()
    found = CertificateStore(database()).annex(held.id, search=search, after=_after(request.args.get("after", "")))
    kept = dossier.sections[section].values.get(field) or []
    return page("annex", dossier, "form", found=found, search=search, certificate=held, section=section,
                chosen=frozenset(kept), revision=dossier.sections[section].revision)


@bp.post("/applications/<public_id>/annex")
def choose(public_id: str) -> Response:
    """Keep what is ticked of the rows that were shown; the choice on other pages stays."""
    dossier = dossier_of(public_id)
    section, field, _ = _about_rows(dossier)
    values: dict[str, Any] = dict(dossier.sections[section].values)
    shown, ticked = set(request.form.getlist("shown")), set(request.form.getlist("rows"))
    kept = {n for n in (set(values.get(field) or ()) - shown) | (ticked & shown) if n.isascii() and n.isdigit()}
    if len(kept) > MOST_ROWS:
        raise Refusal("malformed", Message(N_("At most %(limit)s rows at once."), {"limit": MOST_ROWS}))
    values[field] = sorted(kept, key=int)
    applications().save_section(public_id, current_actor(), section, values, dossier.sections[section].revision)
    tell(Message(N_("%(count)s rows are chosen."), {"count": len(kept)}))
    wanted: dict[str, Any] = {name: request.form[name] for name in ("q", "after") if request.form.get(name)}
    if request.form.get("done"):
        return redirect(url_for("applications.form", public_id=public_id, _anchor=section), 303)
    return redirect(url_for("annexes.rows", public_id=public_id, **wanted), 303)


def _about_rows(dossier: Dossier) -> tuple[str, str, Certificate]:
    """(section, field, certificate) of an application in which rows are chosen. Raises Refusal("unknown")."""
    found = field_of_rows(dossier.sheet) if dossier.sheet and dossier.is_editable else None
    held = CertificateStore(database()).find(number=str(dossier.case.fact("certificate_held") or "-"))
    if found is None or found[0] not in dossier.sections or held is None:
        raise Refusal("unknown", Message(N_("No rows are chosen in this application.")))
    return found[0], found[1].name, held


def _after(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
