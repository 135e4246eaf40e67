"""Joint licences 一网受理、联合评审、统一发证: what the cases of one application remember of each other.

One application is one case, the parent; each licence it asks for is a case of its own on the procedure of the
department that decides it, a child. They tell each other what matters (`informs` in a definition, `Inform` as the
command) and never look into each other. What is told may come late, twice or out of order: every effect here leaves a
case as it is when it hears something for the second time. Licensing Law arts. 26 and 42(2).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from workflow.case import Case
from workflow.commands import Command, OrganiseReview
from workflow.joint_commands import DecideSeparately, Inform, NominateExperts
from workflow.vocabulary import N_, Actor, Message

if TYPE_CHECKING:
    from workflow.effects import Effect
    from workflow.guards import Guard
    from workflow.procedure import Procedure

# Facts of the parent
LICENCES = "licences"  # the procedures applied for, from the dossier
SEPARATED = "separated"  # those of them that go their own way
RESULTS = "results"  # procedure -> granted, refused or retracted
NOMINATED = "nominations"  # department -> the persons it sends into the review
NOMINATIONS_CLOSED = "nominations_closed"  # the time for nominating is over
FAILED_LICENCES = "failed_licences"  # those whose own lines of the checklist do not meet
# Facts of a child
PART_OF = "part_of"  # the public id of the parent
ALONE = "alone"  # it goes its own way
REVIEWED_ALONE = "reviewed_alone"  # the conclusion is its own department's, not the joint review's
TOOK_PART = "took_part"  # persons who took part in the application before: none of them decides
# Facts of both
DECIDING = "deciding_departments"  # parent: of all licences, from a register; child: its own, from the pen

RESERVED = (LICENCES, SEPARATED, RESULTS, NOMINATED, NOMINATIONS_CLOSED, PART_OF, ALONE, REVIEWED_ALONE, DECIDING)
ENDS = frozenset({"granted", "refused", "retracted"})


def undecided(case: Case) -> tuple[str, ...]:
    """The licences that are still handled together and have no result, in the order applied for."""
    gone = {*(case.fact(SEPARATED) or ()), *(case.fact(RESULTS) or {})}
    return tuple(name for name in case.fact(LICENCES) or () if name not in gone)


# -- when it may -----------------------------------------------------------------------------------------------------


def results_are_in(procedure: "Procedure", case: Case, actor: Actor, command: Command | None) -> Message | None:
    """Nothing is waited for any longer: each licence has its result or goes its own way."""
    if waiting := undecided(case):
        return Message(N_("Not yet decided: %(licences)s."), {"licences": list(waiting)})
    return None


def every_licence_has_its_result(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """Nothing is left to look at: each licence was decided by itself or retracted before the joint review was over."""
    results = case.fact(RESULTS) or {}
    if waiting := [name for name in case.fact(LICENCES) or () if name not in results]:
        return Message(N_("Not yet decided: %(licences)s."), {"licences": waiting})
    return None


def licence_can_be_separated(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """Only what is still waited for can be let go its own way."""
    waiting = undecided(case)
    if not waiting:
        return Message(N_("Every licence has its result or already goes its own way."))
    if isinstance(command, DecideSeparately) and command.licence not in waiting:
        return Message(
            N_("%(licence)s has its result, already goes its own way, or was not applied for."),
            {"licence": command.licence},
        )
    return None


def result_is_new(procedure: "Procedure", case: Case, actor: Actor, command: Command | None) -> Message | None:
    """The first result of a licence of this application; a second one of the same changes nothing."""
    if not isinstance(command, Inform):
        return None
    if command.licence not in (case.fact(LICENCES) or ()) or command.outcome not in ENDS:
        return Message(N_("%(licence)s is no licence of this application."), {"licence": command.licence})
    if command.licence in (case.fact(RESULTS) or {}):
        return Message(N_("The result of %(licence)s is known already."), {"licence": command.licence})
    return None


def separation_is_new(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    if not isinstance(command, Inform):
        return None
    if command.licence not in (case.fact(LICENCES) or ()):
        return Message(N_("%(licence)s is no licence of this application."), {"licence": command.licence})
    if command.licence in (case.fact(SEPARATED) or ()):
        return Message(N_("%(licence)s already goes its own way."), {"licence": command.licence})
    return None


def every_department_has_its_expert(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """Each department that decides a licence has one of its nominees on the joint team. Once the time for naming is
    over, one that named nobody sends nobody, and the organiser says in the note why the nominees of one cannot come."""
    named, closed = case.fact(NOMINATED) or {}, bool(case.fact(NOMINATIONS_CLOSED))
    departments = [d for d in case.fact(DECIDING) or () if named.get(d) or not closed]
    if missing := [d for d in departments if not named.get(d)]:
        return Message(
            N_("%(departments)s has not yet named its experts, and still has time to."), {"departments": missing}
        )
    if not isinstance(command, OrganiseReview) or closed and command.note:
        return None
    if without := [d for d in departments if not set(named[d]) & set(command.members)]:
        return Message(
            N_("Nobody on the team was named by %(departments)s: each department that decides a licence sends one. "
               "Once the time for naming is over, the note may say why none of them can come."),
            {"departments": without},
        )  # fmt: skip
    return None


# -- what follows ----------------------------------------------------------------------------------------------------


def note_result(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, Inform)
    return case.with_facts(**{RESULTS: {command.licence: command.outcome, **(case.fact(RESULTS) or {})}})


def note_separation(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, Inform)
    return _separated(case, [command.licence])


def separate_licence(case: Case, actor: Actor, command: Command) -> Case:
    assert isinstance(command, DecideSeparately)
    return _separated(case, [command.licence])


def release_undecided(case: Case, actor: Actor, command: Command) -> Case:
    """The time for joint handling is over: whatever has no result goes its own way and holds nobody up."""
    return _separated(case, undecided(case))


def _separated(case: Case, names: Iterable[str]) -> Case:
    return case.with_facts(**{SEPARATED: sorted({*(case.fact(SEPARATED) or ()), *names})})


def note_experts(case: Case, actor: Actor, command: Command) -> Case:
    """A department's latest word on whom it sends."""
    assert isinstance(command, NominateExperts) and actor.department is not None
    named = {**(case.fact(NOMINATED) or {}), actor.department: list(command.experts)}
    return case.with_facts(**{NOMINATED: {d: named[d] for d in sorted(named)}})


def close_nominations(case: Case, actor: Actor, command: Command) -> Case:
    return case.with_facts(**{NOMINATIONS_CLOSED: True})


def take_review(case: Case, actor: Actor, command: Command) -> Case:
    """The joint review as it is for this licence: it does not meet if its own lines do not, whatever the rest says."""
    assert isinstance(command, Inform)
    told: dict[str, Any] = dict(command.facts)
    if case.procedure in (told.pop(FAILED_LICENCES, None) or ()):
        told["review_conclusion"] = "does_not_meet"
    return case.with_facts(**told)


def go_alone(case: Case, actor: Actor, command: Command) -> Case:
    return case.with_facts(**{ALONE: True})


GUARDS: dict[str, "Guard"] = {
    g.__name__: g
    for g in (
        results_are_in,
        every_licence_has_its_result,
        licence_can_be_separated,
        result_is_new,
        separation_is_new,
        every_department_has_its_expert,
    )
}
EFFECTS: dict[str, "Effect"] = {
    e.__name__: e
    for e in (
        note_result,
        note_separation,
        separate_licence,
        release_undecided,
        note_experts,
        close_nominations,
        take_review,
        go_alone,
    )
}
# What each of these effects writes, for whoever asks where a fact comes from
WRITES: dict[str, tuple[str, ...]] = {
    "note_result": (RESULTS,),
    "note_separation": (SEPARATED,),
    "separate_licence": (SEPARATED,),
    "release_undecided": (SEPARATED,),
    "note_experts": (NOMINATED,),
    "close_nominations": (NOMINATIONS_CLOSED,),
    "take_review": ("review_conclusion",),
    "go_alone": (ALONE,),
}
