"""Standing delegations: one's own, given and received, and the administrator's list of all."""
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from forms.delegations import KINDS, DelegationForm
from store.delegations import DelegationStore, Official, Standing
from web import context
from web.access import STAFF, grant_access
from web.language import say
from workflow import procedures
from workflow.delegation import NOT_LENT
from workflow.procedure import Action
from workflow.rules import APPLICANT_SIDE
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("delegations", __name__, url_prefix="/delegations")
for _name in ("index", "make", "revoke"):
    grant_access(f"delegations.{_name}", roles=STAFF)

STATES = {"in_force": (N_("In force"), "good"), "coming": (N_("Not yet begun"), "neutral"),
          "over": (N_("Over"), "closed"), "revoked": (N_("Revoked"), "closed")}


def _store() -> DelegationStore:
    return DelegationStore(context.database())


def _administers() -> bool:
    return Role.ADMINISTRATOR in context.current_actor().roles


@bp.get("")
def index() -> str:
    """Who stands in for me and for whom I stand in; for an administrator all delegations, the newest first."""
    return _page(_form(formdata=None))


@bp.post("")
def make() -> Response | tuple[str, int]:
    form, who = _form(), context.current_actor()
    try:
        asked = form.to_command()
        _store().make(
            who, principal_id=asked.principal or who.account_id, delegate_id=asked.delegate, from_on=asked.from_on,
            until_on=asked.until_on, procedure=asked.procedure, verbs=asked.verbs, without=asked.without,
            reason=asked.reason)
    except Refusal as refusal:
        form.refuse(refusal, say(refusal.reason))
        return _page(form), 422
    context.tell(Message(N_("The delegation is made. It can be revoked at any time, at once.")))
    return redirect(url_for("delegations.index"), 303)


@bp.post("/<public_id>/revoke")
def revoke(public_id: str) -> Response:
    """End it at once; either side may, and an administrator."""
    _store().revoke(public_id, context.current_actor())
    context.tell(Message(N_("The delegation is revoked.")))
    return redirect(url_for("delegations.index"), 303)


def _page(form: DelegationForm) -> str:
    return (_page_of_all if _administers() else _own_page)(form)


def _own_page(form: DelegationForm) -> str:
    actor, store = context.current_actor(), _store()
    return render_template("delegations/index.html", form=form, given=_faces(store.given(actor)),
                           received=_faces(store.received(actor)), done=_done(store))


def _page_of_all(form: DelegationForm) -> str:
    after = request.args.get("after", "")
    page = _store().every(int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None)
    return render_template("delegations/every.html", form=form, lines=_faces(page.lines), after=page.after)


def _done(store: DelegationStore) -> list[dict[str, Any]]:
    found = []
    for act in store.done_for(context.current_actor()):
        action = procedures.find(act.procedure, act.procedure_version).by_name.get(act.action)
        found.append({"act": act, "done": action.done if action else act.action})
    return found


def _faces(lines: tuple[Standing, ...]) -> list[dict[str, Any]]:
    steps, titles = dict(_steps(None)), dict(_titles())
    faces = []
    for line in lines:
        label, tone = STATES[line.state]
        terms = line.terms
        faces.append({
            "line": line, "state": Message(label), "tone": tone, "revocable": line.state in ("in_force", "coming"),
            "procedure": titles.get(terms.procedure, terms.procedure),
            "verbs": _verb_words(terms.verbs, steps), "without": _verb_words(terms.without, steps)})
    return faces


def _verb_words(verbs: frozenset[str], steps: dict[str, str]) -> list[str]:
    """Kinds first, in their order, then single steps by name."""
    named = sorted(verbs - KINDS.keys())
    return [str(words) for kind, words in KINDS.items() if kind in verbs] + [steps.get(name, name) for name in named]


def _form(**options: Any) -> DelegationForm:
    """An administrator chooses whose work; everybody else's is their own."""
    who, everybody = context.current_actor(), _store().officials()
    others = [official for official in everybody if _administers() or official.account_id != who.account_id]
    today = context.today()
    return DelegationForm(
        officials=[(official.account_id, official_words(official)) for official in others], procedures=_titles(),
        steps=_steps(None if _administers() else who.roles), choose_principal=_administers(),
        data={"from_on": today, "until_on": today, "kinds": list(KINDS)[:1], "scope": ""}, **options)


def official_words(official: Official) -> str:
    """Name, place and sign-in name: two people of one name are told apart."""
    place = context.department_label(official.department) or context.role_labels(official.roles)
    return f"{official.name} · {place} · {official.login}"


def _titles() -> list[tuple[str, str]]:
    return [(name, say(p.spec.title.message())) for name, p in sorted({p.name: p for p in procedures.every()}.items())]


def _steps(roles: frozenset[Role] | None) -> list[tuple[str, str]]:
    """(action, label) of what may be delegated: the steps of these roles, or of every official."""
    found: dict[str, str] = {}
    for procedure in {p.name: p for p in procedures.every()}.values():
        for action in procedure.actions:
            if _delegable(action) and (roles is None or _may_be_theirs(action, roles)):
                found.setdefault(action.name, say(action.label))
    return list(found.items())


def _delegable(action: Action) -> bool:
    return not action.automatic and action.spec.who not in APPLICANT_SIDE | {"is_the_system"} | {*NOT_LENT}


def _may_be_theirs(action: Action, roles: frozenset[Role]) -> bool:
    """Whether somebody with these roles could ever take it; a rule that is no role is left to the engine."""
    who = action.spec.who
    return Role(who) in roles if who in set(Role) else True
