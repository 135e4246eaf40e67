"""What the history says of joint handling beside its reasons: which licence, with which result, on which conclusion."""
from collections.abc import Mapping
from typing import Any

from web.context import say
from web.departments import licence_name
from workflow.case import Case
from workflow.joint_licences import LICENCES
from workflow.vocabulary import N_, Message

RESULTS = {"granted": N_("Granted"), "refused": N_("Refused"), "retracted": N_("Retracted")}
CONCLUSIONS = {"meets": N_("Meets the criteria"), "does_not_meet": N_("Does not meet the criteria")}


def joint_words(case: Case, payload: Mapping[str, Any]) -> list[str]:
    """The parts in the reader's language; nothing for an act that is about no licence. On the joint application: which
    licence, and what has come of it. On a licence: what the review concluded for it when it was told."""
    if not payload.get("licence"):
        return []
    if payload["licence"] in (case.fact(LICENCES) or ()):
        parts = [say(licence_name(str(payload["licence"])))]
        outcome = str(payload.get("outcome") or "")
        return ["：".join([*parts, say(Message(RESULTS[outcome]))])] if outcome in RESULTS else parts
    told = payload.get("facts") or {}
    if "review_conclusion" not in told:
        return []
    failed = case.procedure in (told.get("failed_licences") or ())
    concluded = "does_not_meet" if failed else str(told["review_conclusion"])
    return [say(Message(CONCLUSIONS[concluded]))] if concluded in CONCLUSIONS else []
