"""Handing over a leaver's work: choose, look at what would move, tick, confirm with a reason, read the results."""
from typing import Any
from uuid import uuid4

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from forms.hand_overs import CarryOutForm, WhoForm
from store.delegations import DelegationStore
from store.hand_overs import BATCH, Chosen, HandOvers, Look, Moved
from web import context
from web.access import grant_access
from web.casefaces import state_face
from web.delegations import official_words
from web.language import say
from workflow.vocabulary import Refusal, Role

bp = Blueprint("hand_overs", __name__, url_prefix="/hand-overs")
for _name in ("index", "carry_out"):
    grant_access(f"hand_overs.{_name}", roles=[Role.ADMINISTRATOR, Role.REVIEW_ORGANISER])


def _store() -> HandOvers:
    return HandOvers(context.database(), context.laws())


@bp.get("")
def index() -> str:
    """Who leaves and who takes over; once both are chosen, everything that would move and what cannot."""
    return _draw(_who(), CarryOutForm(formdata=None, data={"act": str(uuid4())}))


@bp.post("")
def carry_out() -> Response | tuple[str, int] | str:
    """Move the ticked cases, a batch at a time; the page says of each what became of it and shows what is left."""
    who, form, actor = _who(), CarryOutForm(), context.current_actor()
    chosen = who.who()
    try:
        done = _store().carry_out(
            actor, *(chosen or (0, [])), [Chosen(t.public_id, t.seen, t.command_id) for t in _ticked(form)],
            form.reason.data or "", delegations_id="yes" if form.delegations.data else "")
    except Refusal as refusal:
        form.refuse(refusal, say(refusal.reason))
        return _draw(who, form), 422
    fresh = CarryOutForm(formdata=None, data={"act": str(uuid4()), "reason": form.reason.data})
    return _draw(who, fresh, done)


def _ticked(form: CarryOutForm) -> list[Any]:
    return form.ticked(request.form.getlist("case"))


def _who() -> WhoForm:
    officials = [(o.account_id, official_words(o)) for o in DelegationStore(context.database()).officials()]
    return WhoForm(formdata=request.args, officials=officials)


def _draw(who: WhoForm, form: CarryOutForm, done: tuple[Moved, ...] = ()) -> str:
    chosen, look, kept = who.who(), None, set(request.form.getlist("case"))
    if chosen:
        after = request.args.get("after", "")
        begin = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
        look = _store().look(context.current_actor(), *chosen, begin)
    return render_template(
        "hand_overs/index.html", who=who, chosen=[key for key in who.successors.data or () if key],
        form=form, look=look, done=done, batch=BATCH,
        lines=_faces(look, kept) if look else [], organiser=Role.ADMINISTRATOR not in context.current_actor().roles)


def _faces(look: Look, kept: set[str]) -> list[dict[str, Any]]:
    """The lines of a dry run; the first ones that can move are ticked, or those that were before."""
    faces, free = [], BATCH
    for line in look.lines:
        label, tone = state_face(line.procedure, line.state)
        key, can = f"{line.public_id}:{line.version}", bool(line.successor)
        faces.append({"line": line, "state": label, "tone": tone, "title": line.procedure.spec.title.message(),
                      "key": key, "can": can, "ticked": can and (key in kept if kept else free > 0)})
        free -= can
    return faces
