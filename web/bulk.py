"""One act on many cases of a desk: ticked, looked at (what passes, what is skipped and why), confirmed, told singly.

Each case is written by the one door, with the version that was looked at and a command id of its own, so that a
repeated send does nothing twice. A request works for BUDGET seconds at most; what is then left is said to be left.
"""
from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID, uuid5

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from forms.acting import ActionForm
from forms.actions import FORMS
from forms.wording import suggested
from store.bulk import AT_ONCE, BulkStore
from store.values import CaseFile
from web.access import STAFF, grant_access
from web.casefaces import state_face
from web.clockfaces import pressing
from web.context import case_store, confirm_identity, current_actor, database, reauthenticated, say
from web.departments import with_names
from web.desks import desk_label, desk_of
from workflow.commands import Command, Decide, Plain, RecordSignOff, Refuse
from workflow.engine import offers, permit
from workflow.procedure import Action
from workflow.verb_commands import Comment, Resume, Return
from workflow.vocabulary import N_, Message, Refusal, Verdict

bp = Blueprint("bulk", __name__, url_prefix="/desk/<role>/together")
for _name in ("show", "send", "look_again"):
    grant_access(f"bulk.{_name}", roles=STAFF)

BUDGET = 4.0  # seconds one request may work before it says what is left; a technical bound
TOGETHER = frozenset({Plain, Refuse, RecordSignOff, Decide, Comment, Resume, Return})  # said once, it fits every case


@dataclass(frozen=True, slots=True)
class Line:
    """A case as it stands: `reason` is why the act cannot be taken on it; `key` what a tick sends."""

    file: CaseFile
    state: Message
    tone: str
    due: Any
    key: str
    reason: Message | None = None
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case: done, skipped with its reason, or left for the next send."""

    file: CaseFile
    state: Message
    tone: str
    outcome: str
    reason: Message | None = None


@bp.get("")
def show(role: str) -> str:
    """The ticked cases, what could be done with them, and, once an act is chosen, what passes and what does not."""
    files = BulkStore(database()).files(request.args.getlist("case"), current_actor())
    name = request.args.get("action", "")
    return _draw(role, files, name, _form(files, name) if name else None)


@bp.post("/<name>")
def send(role: str, name: str) -> Response | tuple[str, int] | str:
    """Take the act on every ticked case and say of each what became of it."""
    ticked = dict(_ticked(request.form.getlist("case")))
    files = BulkStore(database()).files([*ticked, *request.form.getlist("skipped")], current_actor())
    form = _form(files, name)
    try:
        command, act = _confirmed(form, files, name, ticked)
    except Refusal as refusal:
        form.refuse(refusal, say(refusal.reason))
        return _draw(role, files, name, form, ticked), 422
    results = [*_taken(files, name, command, act, ticked)]
    return _told(role, name, results), 409 if all(one.outcome == "skipped" for one in results) else 200


@bp.post("/<name>/again")
def look_again(role: str, name: str) -> str:
    """The skipped cases as they stand now, with the words that were typed before; a new act once it is confirmed."""
    files = BulkStore(database()).files(request.form.getlist("case"), current_actor())
    form = _form(files, name)
    form.renew(0)
    return _draw(role, files, name, form)


def _ticked(sent: Iterable[str]) -> Iterable[tuple[str, int]]:
    for value in list(sent)[:AT_ONCE]:
        key, _, seen = value.rpartition(":")
        if key and seen.isascii() and seen.isdigit() and len(seen) < 10:
            yield key, int(seen)


def _acts(files: Iterable[CaseFile]) -> dict[str, list[Action]]:
    """What is offered on these cases and can be said once for all: name -> the action of each case it works on."""
    found: dict[str, list[Action]] = {}
    for file in files:
        for offer in offers(file.procedure, file.case, current_actor()):
            if offer.action.command in TOGETHER and not offer.action.spec.form:
                found.setdefault(offer.action.name, [])
                found[offer.action.name] += [] if offer.unmet else [offer.action]
    return found


def _form(files: dict[str, CaseFile], name: str) -> ActionForm:
    """The form of the act, its words said once. Raises Refusal when nobody could do this together here."""
    known = [(file, action) for file in files.values() if (action := file.procedure.by_name.get(name))]
    usual = next((pair for pair in known if _obstacle(pair[0], name) is None), known[0] if known else None)
    if usual is None or usual[1].command not in TOGETHER or usual[1].spec.form:
        raise Refusal("unknown", Message(N_("This cannot be done with several cases at once.")))
    sent, (file, action) = request.form if request.method == "POST" else None, usual
    choices = {}
    if action.command is RecordSignOff:
        choices = {"verdicts": tuple(Verdict) if file.procedure.sign_off_rule else (Verdict.AGREE, Verdict.OBJECT)}
    return FORMS[action.command](
        sent, reauthenticate=any(a.spec.reauthenticate for _, a in known) and not reauthenticated(),
        irreversible=any(a.spec.irreversible for _, a in known),
        **(suggested(file.procedure.name, name) if sent is None else {}), **choices)


def _obstacle(file: CaseFile, name: str) -> Message | None:
    try:
        permit(file.procedure, file.case, name, current_actor())
    except Refusal as refusal:
        return with_names(refusal.reason)
    return None


def _confirmed(form: ActionForm, files: dict[str, CaseFile], name: str, ticked: dict[str, int]) -> tuple[Command, UUID]:
    """What is asked for and under which id, once the form is right and it is clear who asks. Raises Refusal."""
    command, act = form.read(), UUID(form.act_id())
    if not ticked:
        raise Refusal("malformed", Message(N_("Tick at least one case.")))
    if "password" in form and any(_obstacle(files[key], name) is None for key in ticked if key in files):
        if not form.password.data:
            raise Refusal("malformed", Message(N_("Confirm your password to take this step.")), field="password")
        if not confirm_identity(form.password.data):
            raise Refusal("malformed", Message(N_("This is not your password.")), field="password")
    return command, act


def _taken(
    files: dict[str, CaseFile], name: str, command: Command, act: UUID, ticked: dict[str, int]
) -> Iterable[Result]:
    """Take the act on one case after the other; the first is always tried, so that every send gets on."""
    actor, until = current_actor(), monotonic() + BUDGET
    for number, (key, file) in enumerate((k, f) for k, f in files.items() if k in ticked):
        if number and monotonic() > until:
            yield Result(file, *state_face(file.procedure, file.case.state), "left")
            continue
        try:
            done = case_store().perform(key, name, actor, command, command_id=str(uuid5(act, key)),
                                        expected_version=ticked[key], reauthenticated=reauthenticated())
        except Refusal as refusal:
            yield Result(file, *state_face(file.procedure, file.case.state), "skipped", with_names(refusal.reason))
        else:
            yield Result(file, *state_face(file.procedure, done.state), "done")


def _draw(role: str, files: dict[str, CaseFile], name: str, form: ActionForm | None,
          ticked: dict[str, int] | None = None) -> str:
    lines = [_line(file, name, ticked) for file in files.values()]
    acts = {key: (found[0] if found else None, len(found)) for key, found in _acts(files.values()).items()}
    return render_template(
        "bulk/show.html", role=role, desk=desk_label(current_actor(), desk_of(role)), lines=lines, form=form, name=name,
        acts=[(key, action.label, count) for key, (action, count) in acts.items() if action], most=AT_ONCE,
        action=next((action for key, (action, _) in acts.items() if key == name), None),
        passing=sum(line.reason is None for line in lines))


def _line(file: CaseFile, name: str, ticked: dict[str, int] | None) -> Line:
    reason = _obstacle(file, name) if name else None
    return Line(file, *state_face(file.procedure, file.case.state), pressing(file.case.clocks),
                f"{file.public_id}:{file.case.version}" if name else file.public_id, reason,
                reason is None and (ticked is None or file.public_id in ticked))


def _told(role: str, name: str, results: list[Result]) -> str:
    """The results. What is left goes on with the same words and ids; what was skipped can be looked at again."""
    by = {outcome: [one for one in results if one.outcome == outcome] for outcome in ("done", "skipped", "left")}
    carried = [(key, value) for key, value in request.form.items(multi=True)
               if key not in ("csrf_token", "case", "skipped", "password")]
    seen = dict(_ticked(request.form.getlist("case")))
    actions = [one.file.procedure.by_name[name] for one in results if name in one.file.procedure.by_name]
    return render_template(
        "bulk/done.html", role=role, desk=desk_label(current_actor(), desk_of(role)), name=name, results=results, by=by,
        label=actions[0].label if actions else name, carried=carried,
        left=[f"{one.file.public_id}:{seen[one.file.public_id]}" for one in by["left"]])
