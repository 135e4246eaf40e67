"""The review checklist, saved as often as one likes. In a joint review each line says whose licence it is about."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from store.reviews import ChecklistLine, ReviewStore
from store.values import CaseFile
from web import acts
from web.access import STAFF, grant_access
from web.casepages import case_frame
from web.context import case_store, current_actor, database, tell
from web.departments import licence_name
from workflow.engine import permit
from workflow.procedure import Action
from workflow.vocabulary import N_, Message, Refusal

bp = Blueprint("findings", __name__, url_prefix="/cases/<public_id>/findings")
for _name in ("show", "record"):
    grant_access(f"findings.{_name}", roles=STAFF)

COMMON = "common"  # the filter that keeps what concerns every licence


@dataclass(frozen=True, slots=True)
class Group:
    """The lines that concern one licence, or all of them. `wanted` is its filter, `open` counts what is unanswered."""

    wanted: str
    label: Message | str
    lines: tuple[ChecklistLine, ...]

    @property
    def open(self) -> int:
        return sum(not line.result for line in self.lines)


def groups_of(lines: Sequence[ChecklistLine]) -> list[Group]:
    """The lines by licence, those common to all first; one group without a choice where no line names a licence."""
    names = sorted(dict.fromkeys(line.licence for line in lines), key=bool)
    return [Group(name or COMMON, licence_name(name) if name else Message(N_("Common to every licence")),
                  tuple(line for line in lines if line.licence == name)) for name in names]


def _shown(lines: Sequence[ChecklistLine]) -> tuple[ChecklistLine, ...]:
    """Those that the filter of the address keeps; all of them when it names no group."""
    wanted = request.args.get("licence", "")
    return next((group.lines for group in groups_of(lines) if group.wanted == wanted), tuple(lines))


def recording(file: CaseFile) -> Action:
    """The action of this procedure that fills in the checklist. Raises Refusal("unknown")."""
    found = next((a for a in file.procedure.actions if a.spec.form == "findings"), None)
    if found is None:
        raise Refusal("unknown", Message(N_("This procedure has no checklist.")))
    return found


@bp.get("")
def show(public_id: str) -> Response:
    """The checklist: to fill in for the team while the review lasts, to read for everyone else."""
    file = case_store().get(public_id, current_actor())
    lines = ReviewStore(database()).checklist(file)
    if _may_fill(file):
        sheet = acts.lay_out(public_id, recording(file).name, answers=_as_kept(_shown(lines)))
        return _draw(sheet, lines=lines)
    return Response(render_template("findings/read.html", file=file, frame=case_frame(file, "findings"),
                                    tab="findings", lines=_shown(lines), **_around(lines)), mimetype="text/html")


def _may_fill(file: CaseFile) -> bool:
    try:
        permit(file.procedure, file.case, recording(file).name, current_actor())
    except Refusal:
        return False
    return True


def _as_kept(lines: Sequence[ChecklistLine]) -> list[dict[str, str]]:
    return [{"code": line.code, "result": line.result, "explanation": line.explanation} for line in lines]


def _around(lines: Sequence[ChecklistLine]) -> dict[str, Any]:
    """The choice of licences above the list, and what each line is headed by."""
    groups = groups_of(lines)
    return {"groups": groups if len(groups) > 1 else (), "total": len(lines),
            "heads": {group.lines[0].code: group for group in groups} if len(groups) > 1 else {},
            "wanted": request.args.get("licence", "")}


def _draw(sheet: acts.ActSheet, status: int = 200, *, lines: tuple[ChecklistLine, ...] | None = None,
          **more: Any) -> Response:
    kept = lines if lines is not None else ReviewStore(database()).checklist(sheet.file)
    values: dict[str, Any] = {"changes": (), "blocked": None, "refusal": None, **_around(kept), **more}
    return Response(render_template(
        "findings/show.html", file=sheet.file, frame=case_frame(sheet.file, "findings"), tab="findings",
        form=sheet.form, kept={line.code: line for line in kept}, action=sheet.action, **values),
        status, mimetype="text/html")


@bp.post("")
def record(public_id: str) -> Response:
    """Save the answered lines; what is not answered stays open."""
    file = case_store().get(public_id, current_actor())
    sheet = acts.lay_out(public_id, recording(file).name, MultiDict(request.form))
    try:
        acts.carry_out(sheet)
    except Refusal as refusal:
        return acts.refused(sheet, refusal, _draw)
    facts = case_store().get(public_id, current_actor()).case.facts
    tell(Message(N_("Saved. %(open)s lines are still open, %(failed)s do not meet."), {
        "open": facts.get("findings_open", 0), "failed": facts.get("findings_failed", 0)}))
    return redirect(url_for("findings.show", public_id=public_id, licence=request.args.get("licence") or None))
