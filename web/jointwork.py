"""What the forms of joint handling show beside their fields: a department's pool, and what parting brings about."""
from dataclasses import dataclass
from typing import Any

from store.reviews import ReviewStore
from store.values import CaseFile
from web.context import current_actor, database, say
from web.departments import department_name
from web.jointfaces import LicenceFace, joint_face
from workflow.joint_licences import DECIDING, NOMINATED, undecided
from workflow.vocabulary import N_, Message


@dataclass(frozen=True, slots=True)
class Parting:
    """One licence that can be let go, and what follows if it is."""

    face: LicenceFace
    follows: tuple[Message, ...]

    @property
    def licence(self) -> str:
        return self.face.licence

    @property
    def title(self) -> Message:
        return self.face.title


def nomination(file: CaseFile) -> dict[str, Any]:
    """The pool of the department, whom it named already, and the sectors of the application."""
    department = current_actor().seat.department or ""
    named = frozenset((file.case.fact(NOMINATED) or {}).get(department) or ())
    return {"pool": ReviewStore(database()).nominees(file, current_actor()), "named": named,
            "department": department_name(department), "sectors": [str(s) for s in file.case.fact("sectors") or ()]}


def nominations(file: CaseFile) -> dict[str, Any]:
    """Who was named by which department for a joint review, and which of those that decide a licence named nobody."""
    named: dict[str, list[str]] = file.case.fact(NOMINATED) or {}
    return {"named_by": {person: department_name(d) for d, persons in named.items() for person in persons},
            "unnamed": [department_name(d) for d in file.case.fact(DECIDING) or () if not named.get(d)]}


def separation(file: CaseFile) -> dict[str, Any]:
    """Each licence that is still waited for, with what would follow if it were let go."""
    joint, waiting = joint_face(file), undecided(file.case)
    assert joint is not None  # only a joint application lets a licence go
    return {"open": [Parting(line, _follows(line, [o for o in joint.lines if o.licence in waiting and o is not line]))
                     for line in joint.lines if line.licence in waiting],
            "settled": [line for line in joint.lines if line.licence not in waiting]}


def _follows(line: LicenceFace, others: list[LicenceFace]) -> tuple[Message, ...]:
    own = Message(N_("%(who)s reviews, decides and delivers it by itself; its own limits go on."), {"who": line.who})
    if line.reviewed:
        own = Message(N_("%(who)s decides it on the joint review, which stands; it is delivered by itself."),
                      {"who": line.who})
    if line.result:
        own = Message(N_("%(who)s has granted it; the certificate is delivered by itself."), {"who": line.who})
    rest = Message(N_("The others have their results and go to the delivery at once."))
    if others:
        rest = Message(N_("The others go on together; still waited for: %(names)s."),
                       {"names": [say(other.title) for other in others]})
    return own, rest, Message(N_("The applicant is told in writing and hands in nothing again."))
