"""Desks: one for each role a person holds, each a queue of what waits for exactly that person."""
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from store.oversight import Oversight
from store.queues import CAP, Filter, QueueStore, desks_of
from web.access import grant_access
from web.casefaces import queue_faces, state_face, track_label
from web.context import ROLE_LABELS, current_actor, database, principals, say, stead, today, visitor
from web.faces import link_to
from workflow import procedures
from workflow.vocabulary import N_, Actor, Message, Refusal, Role

bp = Blueprint("desks", __name__, url_prefix="/desk")
grant_access("desks.start", signed_in=True)
grant_access("desks.show", signed_in=True)


class Rail:
    """The desks beside every page: asked for only when a page draws them, so an error page needs no database."""

    def __init__(self) -> None:
        self._found: list[dict[str, Any]] | None = None

    def __bool__(self) -> bool:
        return visitor() is not None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._found is None:
            self._found = _rail()
        return iter(self._found)


def _rail() -> list[dict[str, Any]]:
    actor = visitor()
    if actor is None:
        return []
    lent = [(key, actor.standing_in(principal)) for key, principal in principals()]
    places = [("", actor, role) for role in desks_of(actor)]
    places += [(key, other, role) for key, other in lent for role in desks_of(other)]
    counted = [(other, role) for _, other, role in places if role is not Role.ADMINISTRATOR]
    counts = iter(QueueStore(database()).counts_of(counted))
    here = (request.view_args or {}).get("role") if request.endpoint == "desks.show" else None
    return [{"label": desk_label(other, role), "url": address_of(role, key), "in_stead": bool(key),
             "current": here == kebab(role) and key == stead(),
             "count": next(counts).waiting if role is not Role.ADMINISTRATOR else None}
            for key, other, role in places]


def desk_label(actor: Actor, role: Role) -> Message:
    """What a desk is called, and whose it is when it is not one's own."""
    if actor.acting_for is None:
        return Message(ROLE_LABELS[role])
    return Message(N_("%(desk)s · for %(principal)s"), {"desk": say(ROLE_LABELS[role]),
                                                         "principal": actor.acting_for.name})


def kebab(role: Role) -> str:
    return role.value.replace("_", "-")


def address_of(role: Role, key: str | None = None) -> str:
    """Where the work of a role lies; the applicant's own pages, if they are there, are its desk. `key` is the
    delegation by which somebody else's desk is meant, "" for one's own; without it the page's own is kept."""
    own = link_to("applications.index") if role is Role.APPLICANT else None
    place: dict[str, Any] = {} if key is None else {"stead": key or None}
    return own or url_for("desks.show", role=kebab(role), **place)


@bp.app_context_processor
def _beside() -> dict[str, Any]:
    return {"desks": Rail()}


@bp.get("")
def start() -> Response:
    """To the first desk of whoever is signed in."""
    roles = desks_of(current_actor())
    if not roles:
        raise Refusal("forbidden", Message(N_("Your account holds no role yet; ask your administrator.")))
    return redirect(address_of(roles[0]))


@bp.get("/<role>")
def show(role: str) -> str:
    """The queue of one desk, or the overview of an administrator."""
    actor, desk = current_actor(), desk_of(role)
    if desk is Role.ADMINISTRATOR:
        return render_template("desks/overview.html", role=desk, **_overview())
    queues, wanted = QueueStore(database()), _wanted()
    page = queues.queue(actor, desk, wanted, after=request.args.get("after"))
    count = queues.counts(actor, [desk])[desk]
    return render_template(
        "desks/show.html", role=desk, label=desk_label(actor, desk), lines=queue_faces(page.lines), after=page.after,
        count=count, cap=CAP, wanted=wanted, recent=_recent(), choices=_choices(), today=today())


def desk_of(role: str) -> Role:
    """The desk of an address, if it is one of the actor's. Raises Refusal("unknown")."""
    actor = current_actor()
    found = next((each for each in desks_of(actor) if kebab(each) == role), None)
    if found is None:
        raise Refusal("unknown", Message(N_("There is no such desk, or it is not yours.")))
    return found


def _wanted() -> Filter:
    args = request.args
    return Filter(search=args.get("search", "").strip(), procedure=args.get("procedure", ""),
                  track=args.get("track", ""), overdue=args.get("overdue") == "1")


def _choices() -> dict[str, list[tuple[str, Message]]]:
    """What the filter offers: each procedure and track by its newest definition."""
    newest = {p.name: p for p in procedures.every()}
    tracks = {name: track_label(p, name) for p in newest.values() for name in p.spec.tracks if len(p.spec.tracks) > 1}
    return {"procedures": [(name, p.spec.title.message()) for name, p in newest.items()],
            "tracks": list(tracks.items())}


def _recent() -> list[dict[str, Any]]:
    """What this person did lately, with where each case stands now."""
    found = []
    for act in QueueStore(database()).recent(current_actor()):
        procedure = procedures.find(act.procedure, act.procedure_version)
        action, (label, tone) = procedure.by_name.get(act.action), state_face(procedure, act.state)
        found.append({"act": act, "done": action.done if action else act.action, "state": label, "tone": tone})
    return found


def _overview() -> dict[str, Any]:
    overview = Oversight(database()).overview()
    tables = []
    for procedure in procedures.every():
        states = [(*state_face(procedure, state), overview.states[procedure.name, procedure.version, state])
                  for state in procedure.states]
        tables.append({"procedure": procedure, "title": procedure.spec.title.message(),
                       "basis": procedure.spec.basis.message(), "states": states})
    return {"overview": overview, "tables": tables, "cap": CAP, "year": today().year,
            "unsettled": [y for y in overview.years if y.year >= today().year and not y.confirmed]}
