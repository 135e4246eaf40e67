"""One act on a case, from the form to its outcome: what `cases.act` and `cases.send` do for every action."""
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flask import render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from forms.actions import FORMS, ActionForm
from forms.wording import suggested
from store.casework import Casework
from store.reviews import ReviewStore
from store.values import CaseFile, Performed
from web.boards import department_board, standing_words
from web.casefaces import history
from web.casepages import brief, case_frame
from web.context import (
    ROLE_LABELS,
    case_store,
    confirm_identity,
    current_actor,
    database,
    reauthenticated,
    reference,
    say,
    tell,
)
from web.departments import department_name, with_names
from web.dossierfaces import subjects_of
from web.errors import STATUS
from web.faces import link_to
from web.jointfaces import evidence_of, joint_face
from web.jointwork import nomination, nominations, separation
from web.turns import whose_turn
from web.verbchoices import verb_choices
from workflow.case import Case
from workflow.commands import (
    Annul,
    AskAgain,
    Command,
    ConfirmRows,
    OrganiseReview,
    RecordSignOff,
    RequestCorrection,
)
from workflow.engine import permit
from workflow.joint_commands import DecideSeparately, NominateExperts
from workflow.procedure import Action
from workflow.vocabulary import N_, Message, Refusal, Verdict

# Where an act has a page of its own: the definition's `form` -> the endpoint.
PAGES = {"rows": "rows.show", "findings": "findings.show", "commitment": "applications.commitment"}
CHANGES_TOLD = 10


@dataclass
class ActSheet:
    """A case, an action and its form, with what the page shows beside it."""

    file: CaseFile
    action: Action
    form: ActionForm
    around: dict[str, Any] = field(default_factory=dict)


def lay_out(public_id: str, name: str, sent: MultiDict[str, str] | None = None, *,
            answers: list[dict[str, str]] | None = None) -> ActSheet:
    """The sheet for an action. Without `sent` the action must be possible now; a sent form is kept either way.
    `answers` are checklist lines as they stand.

    Raises Refusal: unknown, forbidden; and, without `sent`, unavailable or unmet.
    """
    actor, file = current_actor(), case_store().get(public_id, current_actor())
    action = file.procedure.by_name.get(name)
    if action is None or sent is None or not action.who(actor.seat, file.case):
        action = permit(file.procedure, file.case, name, actor)
    around = _around(file, action)
    prefill: dict[str, Any] = {}
    wording = suggested(file.procedure.name, name)
    if sent is None:
        prefill = {"expected_version": str(file.case.version), "departments": around.get("objecting", ()), **wording,
                   **({"lines": answers} if answers else {})}
    form = FORMS[action.command](
        sent, reauthenticate=action.spec.reauthenticate and not reauthenticated(),
        irreversible=action.spec.irreversible,
        **{**prefill, **_choices(action.command, around, wording), **verb_choices(file, action)})
    return ActSheet(file, action, form, around)


def _around(file: CaseFile, action: Action) -> dict[str, Any]:
    """What a form needs beside its fields."""
    if action.command is OrganiseReview:
        return _pool(file)
    if action.command is NominateExperts:
        return nomination(file)
    if action.command is DecideSeparately:
        return separation(file)
    if action.command is ConfirmRows:
        return {"ways": reference().catalogue("confirmation_ways")}
    if action.command is RequestCorrection:
        return {"subjects": subjects_of(file.procedure)}
    if action.command is RecordSignOff:
        return {"verdicts": tuple(Verdict) if file.procedure.sign_off_rule else (Verdict.AGREE, Verdict.OBJECT)}
    if action.command is AskAgain:
        return {"asked": [(d, department_name(d)) for d in file.procedure.asked(file.case.facts)],
                "objecting": [s.department for s in file.case.current_sign_offs() if s.verdict is Verdict.OBJECT],
                "board": department_board(file, Casework(database()).answers(file)),
                "standing": standing_words(file)}
    if action.command is Annul:
        search = request.args.get("search", "").strip()
        casework = Casework(database())
        return {"search": search, "annex": casework.annex(file, search=search, after=request.args.get("after")),
                "certificate": casework.certificate(file)}
    return {}


def _pool(file: CaseFile) -> dict[str, Any]:
    """Who may review, and which sectors of the application nobody covers."""
    pool = ReviewStore(database()).candidates(file)
    sectors = [str(sector) for sector in file.case.fact("sectors") or ()]
    covered = frozenset().union(*(person.sectors for person in pool if not person.conflicted)) if pool else frozenset()
    return {**nominations(file), "pool": pool, "sectors": sectors,
            "columns": [{"label": s.rpartition("/")[2]} for s in sectors],
            "bare": [sector for sector in sectors if sector not in covered]}


def _choices(command: type[Command], around: dict[str, Any], wording: dict[str, str]) -> dict[str, Any]:
    if command is OrganiseReview:
        free = [person for person in around["pool"] if not person.conflicted]
        return {"pool": [(p.person_id, p.name) for p in free], "leaders": [p.person_id for p in free if p.may_lead]}
    if command is NominateExperts:
        return {"pool": [(p.person_id, p.name) for p in around["pool"] if not p.conflicted]}
    if command is DecideSeparately:
        return {"licences": [(each.licence, say(each.title)) for each in around["open"]]}
    if command is ConfirmRows:
        return {"ways": [(row["key"], row["zh"]) for row in around["ways"]]}
    if command is RequestCorrection:
        return {"basis": wording.get("basis", "")}
    if command is RecordSignOff:
        return {"verdicts": around["verdicts"]}
    if command is AskAgain:
        return {"asked": around["asked"]}
    return {}


def carry_out(sheet: ActSheet) -> Performed:
    """Read the form, confirm who it is, perform. Raises Refusal."""
    command, act_id, seen = sheet.form.read(), sheet.form.act_id(), sheet.form.seen_version()
    if "password" in sheet.form:
        _confirm(sheet)
    return case_store().perform(sheet.file.public_id, sheet.action.name, current_actor(), command, command_id=act_id,
                                expected_version=seen, reauthenticated=reauthenticated())


def _confirm(sheet: ActSheet) -> None:
    # Asked before the password is checked: a step that is not possible needs no proof of who asks.
    if _blocked(sheet):
        return  # performing will say so; and a repeat of what was already done gets its first answer
    if not sheet.form.password.data:
        raise Refusal("malformed", Message(N_("Confirm your password to take this step.")), field="password")
    if not confirm_identity(sheet.form.password.data):
        raise Refusal("malformed", Message(N_("This is not your password.")), field="password")
    del sheet.form.password


def show(sheet: ActSheet, status: int = 200, **more: Any) -> Response:
    """The page of the act."""
    joint = joint_face(sheet.file)
    page = render_template(
        ["cases/forms/" + sheet.action.command.__name__ + ".html", "cases/act.html"], file=sheet.file,
        action=sheet.action, form=sheet.form, frame=case_frame(sheet.file, ""), tab="", brief=brief(sheet.file),
        joint=joint, evidence=evidence_of(sheet.file, joint),
        **{"changes": (), "blocked": None, "refusal": None, **sheet.around, **more})
    return Response(page, status, mimetype="text/html")


def refused(sheet: ActSheet, refusal: Refusal, draw: Callable[..., Response] = show) -> Response:
    """The same page with what was typed and why it was not done: 422 on the fields, 409 with what changed meanwhile."""
    if refusal.code in ("unknown", "forbidden"):
        raise refusal
    sheet.form.refuse(refusal, say(with_names(refusal.reason)))
    if refusal.code == "malformed":
        return draw(sheet, STATUS[refusal.code])
    now = case_store().get(sheet.file.public_id, current_actor())
    changes = _changes(sheet, now)
    sheet.file = now
    blocked = _blocked(sheet)
    sheet.form.renew(now.case.version)
    return draw(sheet, STATUS[refusal.code], changes=changes, blocked=blocked, refusal=refusal)


def _changes(sheet: ActSheet, now: CaseFile) -> Any:
    """What happened to the case after the version that was on the screen."""
    missed = now.case.version - sheet.form.seen_version()
    if missed <= 0:
        return ()
    return history(now, Casework(database()).timeline(now, limit=min(missed, CHANGES_TOLD)))


def _blocked(sheet: ActSheet) -> Message | None:
    """Why the form cannot be sent again, or None if it can."""
    try:
        permit(sheet.file.procedure, sheet.file.case, sheet.action.name, current_actor())
    except Refusal as refusal:
        return with_names(refusal.reason)
    return None


def announce(sheet: ActSheet, done: Performed) -> None:
    """Say what was done and what comes next."""
    label = sheet.file.procedure.states[done.state].label.message()
    if sheet.file.procedure.states[done.state].final:
        tell(Message(N_("Done: %(what)s. The case is closed: %(state)s."),
                     {"what": sheet.action.label, "state": label}))
        return
    tell(Message(N_("Done: %(what)s. Now: %(state)s. Next: %(who)s."),
                 {"what": sheet.action.label, "state": label, "who": _next(sheet.file, done)}))


def _next(file: CaseFile, done: Performed) -> list[str]:
    """Whose turn it is after the act."""
    if not done.steps:
        return [say(ROLE_LABELS[duty.role]) for duty in file.procedure.states[done.state].duties]
    return whose_turn(file.procedure, _as_kept(file, done))


def _as_kept(file: CaseFile, done: Performed) -> Case:
    """The case after the act; of a verb with what registers wrote beside it, as the names of those it went to."""
    if done.steps[0].action.spec.verb:
        with suppress(Refusal):  # whoever passed a case on may see it no more
            return case_store().get(file.public_id, current_actor()).case
    return done.steps[-1].after


def address(file: CaseFile, action: Action) -> str:
    """Where an act is done: the page of its own that the definition names, else the general one."""
    own = PAGES.get(action.spec.form or "")
    return (link_to(own, public_id=file.public_id) if own else None) or url_for(
        "cases.act", public_id=file.public_id, name=action.name)
