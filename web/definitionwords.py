"""What is wrong with a definition, in the reader's language; words that only a programmer meets stay English."""

import re
from dataclasses import dataclass

from workflow.faults import Fault
from workflow.vocabulary import N_, Message

_PLACE = re.compile(r"^(?:([\w.]+): |(\w+(?:\.\w+)+) )(.*)$", re.S)
_FOUND = re.compile(r" \(found .*\)$", re.S)
_UNKNOWN = {
    "rule": N_("There is no rule called %(name)s"), "command": N_("There is no command called %(name)s"),
    "guard": N_("There is no guard called %(name)s"), "effect": N_("There is no effect called %(name)s"),
    "state": N_("There is no state called %(name)s"), "action": N_("There is no step called %(name)s"),
    "track": N_("There is no track called %(name)s"), "clock": N_("There is no clock called %(name)s"),
    "stage": N_("There is no stage called %(name)s"),
}
_SAID = (
    (r"there is no (?P<kind>\w+) called (?P<name>\S+)$", ""),
    (r"cannot be reached$", N_("Cannot be reached")),
    (r"can never finish$", N_("Can never come to an end")),
    (r"waits for nobody$", N_("Waits for nobody")),
    (r"is final and needs an outcome$", N_("Ends the case and needs an outcome")),
    (r"leaves the final state (?P<name>\S+)$", N_("Leaves the state %(name)s, which ends the case")),
    (r"is automatic but leads nowhere.*$", N_("Is automatic but leads nowhere")),
    (r"automatic steps lead round in a circle: (?P<name>.*)$", N_("Automatic steps lead round in a circle: %(name)s")),
    (r"needs its article in number_articles$", N_("Needs its article in number_articles")),
    (r"Field required$", N_("Something is missing here that has to be given")),
    (r"Extra inputs are not permitted$", N_("The grammar knows no such word here")),
    (r"this draft is .*$", N_("The draft says another name or number than the one it is kept under")),
)


@dataclass(frozen=True, slots=True)
class FaultFace:
    """`raw` is the reader's own sentence, in English, where there is no other."""

    line: int
    place: str
    what: Message | None
    raw: str
    why: str
    instead: str


def fault_face(fault: Fault) -> FaultFace:
    found = _PLACE.match(fault.what)
    place, said = (found[1] or found[2], found[3]) if found else ("", fault.what)
    said = _FOUND.sub("", said)
    return FaultFace(fault.line, place, _message(said), said, fault.why, fault.instead)


def _message(said: str) -> Message | None:
    for pattern, words in _SAID:
        if found := re.search(pattern, said):
            values = found.groupdict()
            words = _UNKNOWN.get(values.get("kind", ""), "") if "kind" in values else words
            return Message(words, values) if words else None
    return None
