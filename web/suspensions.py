"""What a suspended case says of itself on each of its pages: on which ground, since when, who resumes, what rests."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from store.values import CaseFile
from web.context import ROLE_LABELS, say
from workflow.suspension import suspended_for
from workflow.verbs.facts import SUSPENDED_ON, role_of
from workflow.vocabulary import Message, Role


@dataclass(frozen=True, slots=True)
class SuspensionFace:
    """`grounds`: (label, article). `rests` and `runs`: labels of the time limits that stand still and that go on."""

    grounds: tuple[tuple[Message, str], ...]
    since: date | None
    who: tuple[str, ...]
    rests: tuple[Message, ...]
    runs: tuple[Message, ...]


def suspension_face(file: CaseFile) -> SuspensionFace | None:
    """None while the case goes its way."""
    grounds = suspended_for(file.case)
    if not grounds or file.closed_at:
        return None
    spec, clocks = file.procedure.spec, file.case.clocks
    resting = [clock for clock in clocks if clock.is_resting and clock.rests[-1].ground in grounds]
    noted = str(file.case.fact(SUSPENDED_ON) or "")
    return SuspensionFace(
        tuple((spec.grounds[g].label.message(), spec.grounds[g].article) if g in spec.grounds else (Message(g), "")
              for g in grounds),
        date.fromisoformat(noted) if noted else min((c.rests[-1].since for c in resting), default=None),
        tuple(dict.fromkeys(_resumers(file))),
        tuple(spec.clocks[clock.name].label.message() for clock in resting),
        tuple(spec.clocks[clock.name].label.message() for clock in clocks if clock.is_running))


def _resumers(file: CaseFile) -> Iterable[str]:
    """Whoever may let the case go on, by the rules of its definition."""
    for action in file.procedure.leaving(file.case.state):
        if action.spec.verb == "resume":
            role = role_of(action.spec.who)
            yield say(ROLE_LABELS[Role(role)]) if role else say(action.label)
