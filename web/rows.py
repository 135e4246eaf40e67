"""Row-by-row confirmation of the capability table (table 7-2 of the review report): accept all, then except."""
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from intake.decision_sheet import LIMIT, Decided, read_back, written
from intake.messages import wording
from intake.problems import Rejection
from store.reviews import CapabilityRow, ReviewStore, RowFilter
from store.values import CaseFile
from web import acts
from web.access import STAFF, grant_access
from web.casepages import case_frame, rows_words
from web.context import case_store, current_actor, database, language, reference, say, tell
from web.dossierfaces import way_names
from web.uploads import FileTooLarge, clean_name
from workflow.commands import ConfirmRows
from workflow.procedure import Action
from workflow.vocabulary import N_, Message, Refusal

bp = Blueprint("rows", __name__, url_prefix="/cases/<public_id>/rows")
for _name in ("show", "confirm", "export", "bring_back"):
    grant_access(f"rows.{_name}", roles=STAFF)

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
GROUPS = 200  # differently decided groups that one workbook may carry


def confirming(file: CaseFile) -> Action:
    """The action of this procedure that confirms rows. Raises Refusal("unknown")."""
    found = next((a for a in file.procedure.actions if a.spec.form == "rows"), None)
    if found is None:
        raise Refusal("unknown", Message(N_("This procedure confirms no capability rows.")))
    return found


def _sheet(public_id: str, sent: MultiDict[str, str] | None = None) -> acts.ActSheet:
    file = case_store().get(public_id, current_actor())
    return acts.lay_out(public_id, confirming(file).name, sent)


def wanted() -> RowFilter:
    """The filter in the address; the form sends it along in its own address."""
    args = request.args
    return RowFilter(args.get("standing", ""), args.get("warned") == "1", args.get("search", "").strip())


def _draw(sheet: acts.ActSheet, status: int = 200, **more: Any) -> Response:
    page = ReviewStore(database()).rows(sheet.file, wanted(), after=request.args.get("after"))
    values: dict[str, Any] = {"changes": (), "blocked": None, "refusal": None, **more}
    return Response(render_template(
        "rows/show.html", file=sheet.file, frame=case_frame(sheet.file, "rows"), tab="rows", form=sheet.form,
        page=page, wanted=wanted(), ways=way_names(), action=sheet.action, **values), status, mimetype="text/html")


@bp.get("")
def show(public_id: str) -> Response:
    """The table, a hundred rows at a time, with the ways of confirming and the acts upon rows."""
    return _draw(_sheet(public_id))


@bp.post("")
def confirm(public_id: str) -> Response:
    """Confirm or refuse the chosen rows, or confirm every row still open."""
    sheet = _sheet(public_id, _with_found_rows(public_id))
    try:
        acts.carry_out(sheet)
    except Refusal as refusal:
        return acts.refused(sheet, refusal, _draw)
    _tell_progress(public_id)
    query: dict[str, Any] = request.args.to_dict()
    return redirect(url_for("rows.show", **{**query, "public_id": public_id}))


def _with_found_rows(public_id: str) -> MultiDict[str, str]:
    """The form as sent; "every row found" becomes the numbers of the rows that the filter finds."""
    sent = MultiDict(request.form)
    press, _, scope = sent.get("press", "").partition(":")
    sent["press"] = press
    if scope == "found":
        file = case_store().get(public_id, current_actor())
        sent.setlist("rows", [str(n) for n in ReviewStore(database()).matching(file, wanted())])
    return sent


def _tell_progress(public_id: str) -> None:
    facts = case_store().get(public_id, current_actor()).case.facts
    tell(Message(N_("Saved. Capability rows: %(count)s."), {"count": say(rows_words(facts))}))


@bp.get("/workbook")
def export(public_id: str) -> Response:
    """The whole table as a workbook; the review team may fill in its last columns and bring it back."""
    file = case_store().get(public_id, current_actor())
    names = {str(row["key"]): f"{row['no']} {row['zh']}" for row in reference().catalogue("confirmation_ways")}
    answer = Response(written(ReviewStore(database()).every_row(file), names), mimetype=WORKBOOK)
    answer.headers["Content-Disposition"] = f'attachment; filename="rows-{file.number or file.public_id}.xlsx"'
    return answer


@bp.post("/workbook")
def bring_back(public_id: str) -> Response:
    """Take the decisions out of a filled-in workbook: one act for each group of rows decided alike."""
    sheet = _sheet(public_id, request.form)
    act_id, seen = sheet.form.act_id(), sheet.form.seen_version()
    try:
        brought = _brought(sheet.file)
    except Refusal as refusal:
        tell(refusal.reason, "error")
        return redirect(url_for("rows.show", public_id=public_id), 303)
    for number, group in enumerate(brought):
        command = ConfirmRows(rows=group.rows, confirmed=group.confirmed, ways=group.ways, reason=group.reason)
        case_store().perform(public_id, sheet.action.name, current_actor(), command,
                             command_id=f"{act_id[:-3]}{number:03x}", expected_version=seen + number)
    _tell_progress(public_id)
    return redirect(url_for("rows.show", public_id=public_id))


def _brought(file: CaseFile) -> list[Decided]:
    """The groups that change something. Raises Refusal("malformed") with every line that cannot be read."""
    upload = request.files.get("workbook")
    if upload is None or not upload.filename:
        raise Refusal("malformed", Message(N_("Choose the workbook that you filled in.")))
    numbers = {str(row["no"]): str(row["key"]) for row in reference().catalogue("confirmation_ways")}
    content = upload.stream.read(LIMIT + 1)
    if len(content) > LIMIT:
        raise FileTooLarge(clean_name(upload.filename), LIMIT >> 20)
    rows = list(ReviewStore(database()).every_row(file))
    try:
        groups, wrong = read_back(upload.filename, content, numbers, rows)
    except Rejection as rejection:
        raise Refusal("malformed", Message(wording(rejection.code, rejection.detail, language())[0])) from None
    if wrong:
        lines = [f"{line.row}: {line.zh if language() == 'zh' else line.en}" for line in wrong[:20]]
        raise Refusal("malformed", Message(
            N_("Nothing was taken over. Rows of the sheet that need attention: %(lines)s."), {"lines": lines}))
    changed = list(_changed(rows, groups))
    if len(changed) > GROUPS:
        raise Refusal("malformed", Message(N_("The workbook decides rows in more than %(most)s different ways."),
                                           {"most": GROUPS}))
    return changed


def _changed(all_rows: list[CapabilityRow], groups: list[Decided]) -> Iterator[Decided]:
    """The groups without the rows that already stand as decided."""
    known = {row.ordinal: row for row in all_rows}
    for group in groups:
        standing = "confirmed" if group.confirmed else "refused"
        rows = tuple(n for n in group.rows if n not in known or (
            known[n].standing, known[n].ways, known[n].reason) != (standing, group.ways, group.reason))
        if rows:
            yield Decided(rows, group.confirmed, group.ways, group.reason)
