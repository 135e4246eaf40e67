"""What may be asked for: of every kind of command one specimen for each thing that guards and effects tell apart."""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

from workflow import commands as c
from workflow import joint_commands as j
from workflow import verb_commands as v
from workflow.case import Case
from workflow.joint_licences import FAILED_LICENCES, LICENCES, TOOK_PART
from workflow.procedure import Action, Procedure
from workflow.stories import STORY_DAY
from workflow.surroundings import Staff, most_asked
from workflow.verbs.facts import ADDED_SIGNERS
from workflow.vocabulary import Actor, Role, Verdict

TEXT = "x"


class NoSpecimen(LookupError):
    """Nobody has said what a command of this kind may ask for, so what it leads to cannot be explored."""


def specimens(
    procedure: Procedure,
    action: Action,
    case: Case,
    actor: Actor,
    staff: Staff,
    alike: Callable[[Actor], Any],
) -> Iterator[c.Command]:
    """Commands of the action's kind. Raises NoSpecimen."""
    kind = action.command
    if kind in FIXED:
        yield from FIXED[kind]
    elif kind is j.Inform:
        yield from _tellings(procedure, action, case)
    elif kind in _MADE:
        yield from _MADE[kind](procedure, case, actor, staff, alike)
    else:
        raise NoSpecimen(kind.__name__)


def _teams(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    for team in staff.teams(max(1, procedure.numbers.get("team_at_least", 1)), alike):
        for mode in c.OrganiseReview.MODES[:2]:  # a remote review is one on site as far as anything can tell
            yield c.OrganiseReview(mode=mode, leader=team[0], members=team, planned_on=STORY_DAY)


def _askings_again(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    several = staff.departments[: most_asked(procedure)]
    for size in range(len(several) + 1):
        for named in combinations(several, size):
            yield c.AskAgain(departments=named, grounds=TEXT)


def _transfers(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    """To one other person of the same role and department; to whom makes no difference, all being able."""
    other = next((p for p in staff.people if _is_a_colleague(p, actor)), None)
    if other is not None:
        yield v.Transfer(person=other.person_id, reason=TEXT)


def _is_a_colleague(other: Actor, actor: Actor) -> bool:
    return bool(
        other.person_id != actor.person_id
        and other.roles & actor.roles
        and other.department == actor.department
    )


def _consultations(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    verbs = procedure.spec.verbs
    among: tuple[Role, ...] = verbs.consult.among if verbs and verbs.consult else ()
    asked = next(
        ((p, r) for r in among for p in staff.people if r in p.roles and p.person_id != actor.person_id), None
    )
    if asked is not None:
        yield v.Consult(person=asked[0].person_id, role=asked[1].value, question=TEXT)


def _added_signers(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    """The first department that is not asked yet, up to as many as are enough to see all that a sign-off can do."""
    asked = procedure.asked(case.facts)
    new = next((d for d in staff.departments if d not in asked), None)
    if new is not None and len(asked) < most_asked(procedure):
        yield from (v.AddSigner(department=new, place=place, reason=TEXT) for place in v.AddSigner.PLACES)


def _removed_signers(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    yield from (v.RemoveSigner(department=d, reason=TEXT) for d in case.fact(ADDED_SIGNERS) or ())


def _suspensions(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    verbs = procedure.spec.verbs
    grounds = verbs.suspend.grounds if verbs and verbs.suspend else ()
    yield from (v.Suspend(ground=ground, reason=TEXT) for ground in grounds)


def _copies(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    other = next(
        (p for p in staff.people if p.person_id != actor.person_id and Role.APPLICANT not in p.roles), None
    )
    if other is not None:
        yield v.CopyTo(persons=(other.person_id,))


def _separations(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    yield from (j.DecideSeparately(licence=name, grounds=TEXT) for name in case.fact(LICENCES) or ())


def _nominations(
    procedure: Procedure, case: Case, actor: Actor, staff: Staff, alike: Callable[[Actor], Any]
) -> Iterator[c.Command]:
    """Everybody of some team that may be seated, so that such a team has a nominee of every department."""
    teams = staff.teams(max(1, procedure.numbers.get("team_at_least", 1)), alike)
    yield from (j.NominateExperts(experts=team) for team in teams[:1])


def _tellings(procedure: Procedure, action: Action, case: Case) -> Iterator[c.Command]:
    """What the other cases of the application may tell: a child its result, of whatever kind; the parent its review,
    in which this licence's own lines meet or do not. Whether and when they tell it, nobody knows."""
    if "take_review" in action.spec.effects:
        for conclusion in ("meets", "does_not_meet"):
            for failed in ((), (procedure.name,)):
                told = {"review_conclusion": conclusion, FAILED_LICENCES: failed, TOOK_PART: ()}
                yield j.Inform(licence=TEXT, state=TEXT, facts=told)
    elif any(word in action.spec.guards for word in ("result_is_new", "separation_is_new")):
        for licence in case.fact(LICENCES) or ():
            yield j.Inform(licence=licence, state=TEXT, outcome="granted")
    else:
        yield j.Inform(licence=TEXT, state=TEXT)


Maker = Callable[[Procedure, Case, Actor, Staff, Callable[[Actor], Any]], Iterator[c.Command]]
_MADE: Mapping[type[c.Command], Maker] = {
    c.OrganiseReview: _teams,
    c.AskAgain: _askings_again,
    v.Transfer: _transfers,
    v.Consult: _consultations,
    v.AddSigner: _added_signers,
    v.RemoveSigner: _removed_signers,
    v.Suspend: _suspensions,
    v.CopyTo: _copies,
    j.DecideSeparately: _separations,
    j.NominateExperts: _nominations,
}
FIXED: Mapping[type[c.Command], tuple[c.Command, ...]] = {
    c.Plain: (c.Plain(note=TEXT),),
    c.RequestCorrection: tuple(
        c.RequestCorrection(items=(c.CorrectionItem(TEXT, TEXT, TEXT),), from_corrected_material=late)
        for late in (False, True)
    ),
    c.Refuse: (c.Refuse(reasons=(TEXT,), basis=TEXT, remedy=TEXT),),
    c.RecordSignOff: tuple(c.RecordSignOff(verdict=verdict, opinion=TEXT) for verdict in Verdict),
    c.Decide: (c.Decide(grounds=TEXT),),
    c.ExtendWithApproval: (c.ExtendWithApproval(grounds=TEXT, approved_by=TEXT, approval_number=TEXT),),
    c.SignCommitment: (c.SignCommitment(notice_version="1", text_sha256="ab" * 32, signer=TEXT),),
    c.ConfirmRows: (c.ConfirmRows(every=True, ways=(TEXT,)),),
    c.RecordFindings: (c.RecordFindings(lines=((TEXT, "meets", ""),)),),
    c.Annul: (c.Annul(grounds=TEXT, basis=TEXT),),
    v.Return: tuple(v.Return(reason=TEXT, way=way) for way in v.Return.WAYS),
    v.Recall: (v.Recall(reason=TEXT),),
    v.Advise: (v.Advise(advice=TEXT),),
    v.Resume: (v.Resume(reason=TEXT),),
    v.Comment: (v.Comment(text=TEXT),),
}
KNOWN = frozenset(FIXED) | frozenset(_MADE) | {j.Inform}
