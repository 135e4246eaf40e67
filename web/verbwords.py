"""What the history says of a verb beside its reason: to whom, which department, on which ground, by which way."""
from collections.abc import Mapping
from typing import Any

from web.context import say
from web.language import beside
from workflow.procedure import Procedure
from workflow.vocabulary import N_, Message

PLACES = {"before": N_("before the others"), "beside": N_("beside the others"), "after": N_("after the others")}
WAYS = {"in_order": N_("goes on in order"), "straight_back": N_("comes straight back")}


def verb_words(procedure: Procedure, action: str, payload: Mapping[str, Any], names: Mapping[str, str],
               departments: Mapping[str, Message]) -> list[str]:
    """The parts in the reader's language; nothing for an act that is no verb."""
    found = procedure.by_name.get(action)
    if found is None or found.spec.verb is None:
        return []
    persons = [payload["person"]] if payload.get("person") else payload.get("persons") or []
    parts = ["、".join(str(names.get(p, p)) for p in persons)] if persons else []
    if department := payload.get("department"):
        said = departments.get(str(department), Message(str(department)))
        parts.append(beside(said, PLACES[payload["place"]]) if payload.get("place") else say(said))
    if payload.get("ground") in procedure.spec.grounds:
        ground = procedure.spec.grounds[str(payload["ground"])]
        parts.append(beside(ground.label.message(), ground.article))
    if payload.get("way"):
        parts.append(say(Message(WAYS[str(payload["way"])])))
    return parts
