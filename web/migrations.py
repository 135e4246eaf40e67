"""The administrator moves the open cases of one version of a procedure to another: looks first, then carries out."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from forms.versions import MAPPED, TargetForm, plan_of
from store.case_migrations import CaseMigrations, Migration
from web.access import grant_access
from web.casefaces import state_face
from web.context import current_actor, database, laws, tell
from web.procedures import versions
from workflow import procedures
from workflow.migration import Plan
from workflow.vocabulary import N_, Message, Refusal, Role

bp = Blueprint("migrations", __name__, url_prefix="/procedures/<string:name>/migrations")
for _name in ("index", "look", "show", "look_again", "proceed", "give_up"):
    grant_access(f"migrations.{_name}", roles=[Role.ADMINISTRATOR])

STANDINGS = {
    "can": (N_("Can go over"), "good"), "mapping": (N_("Needs a mapping"), "attention"),
    "cannot": (N_("Cannot go over"), "bad"), "moved": (N_("Went over"), "good"), "left": (N_("Stayed"), "attention"),
}
STATUSES = {
    "looking": (N_("Being looked at"), "active"), "looked": (N_("Looked at, nothing moved yet"), "waiting"),
    "moving": (N_("Being carried out"), "active"), "moved": (N_("Carried out"), "good"),
    "given_up": (N_("Given up"), "closed"),
}
PARTS = {"states": N_("State"), "tracks": N_("Track"), "clocks": N_("Time limit"), "acts": N_("Step taken before"),
         "facts": N_("Fact")}


def _migrations() -> CaseMigrations:
    return CaseMigrations(database(), laws())


@bp.get("")
def index(name: str) -> str:
    """Migrations of a procedure, and the form to begin one."""
    numbers = _settled(name)
    form = TargetForm(None, numbers, target=numbers[0], source=numbers[min(1, len(numbers) - 1)])
    return render_template("procedures/migrations.html", name=name, form=form, title=_title(name),
                           found=_migrations().recent(name), statuses=STATUSES, standings=STANDINGS)


def _settled(name: str) -> list[int]:
    """Versions on which cases may run. Raises Refusal("unknown")."""
    numbers = [line.version for line in versions().lines(name) if not line.is_open]
    if not numbers:
        raise Refusal("unknown", Message(N_("There is no procedure called %(name)s."), {"name": name}))
    return numbers


def _title(name: str) -> Message:
    return procedures.find(name, _settled(name)[0]).spec.title.message()


@bp.post("")
def look(name: str) -> Response:
    """Begin to look at every open case of a version."""
    form = TargetForm(request.form, _settled(name))
    if not form.validate():
        raise Refusal("malformed", Message(N_("Choose two versions of this procedure.")))
    begun = _migrations().look(name, form.source.data, form.target.data, Plan(), current_actor())
    return redirect(url_for("migrations.show", name=name, migration=begun), 303)


@bp.get("/<string:migration>")
def show(name: str, migration: str) -> str:
    """How far it is, how many cases can go, and the cases one by one."""
    store, standing = _migrations(), request.args.get("standing", "")
    found = _of(store, name, migration)
    chosen = standing if standing in STANDINGS else next((s for s in STANDINGS if found.counts.get(s)), "can")
    page = store.lines(migration, chosen, request.args.get("after"))
    lines = [(line, state_face(procedures.find(name, line.version), line.state)) for line in page.lines]
    return render_template(
        "procedures/migration.html", name=name, found=found, lines=lines, after=page.after, standing=chosen,
        standings=STANDINGS, statuses=STATUSES, title=_title(name), needed=_needed(store, found), parts=PARTS)


def _of(store: CaseMigrations, name: str, public_id: str) -> Migration:
    found = store.get(public_id)
    if found.procedure != name:
        raise Refusal("unknown", Message(N_("There is no such migration.")))
    return found


def _needed(store: CaseMigrations, found: Migration) -> list[dict[str, Any]]:
    """What a plan still has to settle, with the names it may choose from."""
    if found.status != "looked":
        return []
    old, new = (procedures.find(found.procedure, v) for v in (found.source, found.target))
    choices = {
        "states": [(n, s.label.message()) for n, s in new.states.items() if not s.final],
        "tracks": [(n, label.message()) for n, label in new.spec.tracks.items()],
        "clocks": [(n, c.label.message()) for n, c in new.spec.clocks.items()],
        "acts": [(a.name, a.label) for a in new.actions], "facts": []}
    labels = {**{n: s.label.message() for n, s in old.states.items()}, **{a.name: a.label for a in old.actions},
              **{n: c.label.message() for n, c in old.spec.clocks.items()}}
    return [{"part": part, "name": key, "label": labels.get(key, key), "choices": choices[part]}
            for part, key in store.needed(found.public_id) if part in MAPPED]


@bp.post("/<string:migration>/again")
def look_again(name: str, migration: str) -> Response:
    """Look once more with what has been settled now."""
    store = _migrations()
    found = _of(store, name, migration)
    plan = plan_of(request.form.to_dict(), found.plan)
    begun = store.look(name, found.source, found.target, plan, current_actor())
    return redirect(url_for("migrations.show", name=name, migration=begun), 303)


@bp.post("/<string:migration>/proceed")
def proceed(name: str, migration: str) -> Response:
    """Carry over the cases that can go."""
    store = _migrations()
    _of(store, name, migration)
    store.proceed(migration, request.form.get("reason", ""), current_actor())
    return redirect(url_for("migrations.show", name=name, migration=migration), 303)


@bp.post("/<string:migration>/give-up")
def give_up(name: str, migration: str) -> Response:
    """Nothing is carried over."""
    store = _migrations()
    _of(store, name, migration)
    store.give_up(migration, current_actor())
    tell(Message(N_("Nothing was moved.")))
    return redirect(url_for("migrations.index", name=name), 303)
