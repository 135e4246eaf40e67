"""When it may. A guard looks at the paperwork and answers None (met) or the unmet reason.

Most guards are written in the definition as a comparison on one fact (`FactGuard`). Only what needs more than
one fact is a named function here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workflow import rounds
from workflow.case import Case
from workflow.commands import AskAgain, Command, OrganiseReview, RecordSignOff, RequestCorrection
from workflow.sign_offs import Outcome, evaluate, in_one, never_heard, outcome
from workflow.vocabulary import N_, Actor, Message, Verdict

if TYPE_CHECKING:
    from workflow.procedure import Procedure

Guard = Callable[["Procedure", Case, Actor, Command | None], Message | None]


def department_still_owes_an_answer(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    if actor.department in case.answered():
        return Message(N_("Your department has already answered in this round."))
    if (
        procedure.sign_off_rule is None
        and isinstance(command, RecordSignOff)
        and command.verdict not in (Verdict.AGREE, Verdict.OBJECT)
    ):
        return Message(N_("In this version of the procedure a department agrees or objects."))
    return None


def sign_off_is_settled(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """The join: as soon as no further answer can change the outcome, also when some are still missing."""
    rule = procedure.sign_off_rule
    if rule is None or not procedure.asked(case.facts):
        return None
    if outcome(rule, case.facts, case.verdicts()) is not Outcome.OPEN:
        return None
    return Message(
        N_("The departments are still answering: %(standing)s."), {"standing": _standing(procedure, case)}
    )


def sign_off_is_agreed(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """The grant: agreed, or closed without the silent while nothing that was said stands against it."""
    rule = procedure.sign_off_rule
    if rule is None or not procedure.asked(case.facts):
        return None
    found = outcome(rule, case.facts, case.verdicts())
    if found is Outcome.AGREED or found is Outcome.OPEN and rounds.closed_without_the_silent(case):
        return None
    return Message(
        N_("The departments have not agreed: %(standing)s. Refuse, or ask the departments again."),
        {"standing": _standing(procedure, case)},
    )


def silence_may_be_passed_over(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """The leader need not wait for ever, but waits out the time, and never passes over a mandatory signer."""
    rule = procedure.sign_off_rule
    if rule is None:
        return None
    if case.fact(rounds.SILENCE) != case.round:
        return Message(N_("The departments still have time to answer; wait until their time limit is over."))
    if missing := never_heard(rule, case.facts, case.verdicts()):
        return Message(
            N_("%(departments)s must be heard in any case: urge an answer, or refuse."), {"departments": list(missing)}
        )
    return None


def somebody_is_asked_again(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """A round in which every answer stands would be over before it began."""
    if not isinstance(command, AskAgain):
        return None
    asked = procedure.asked(case.facts)
    if strangers := [d for d in command.departments if d not in asked]:
        return Message(N_("%(departments)s was not asked on this case."), {"departments": strangers})
    stand, _ = rounds.standing_answers(procedure, case, command.departments)
    if len(stand) == len(asked):
        return Message(N_("Every answer still stands: choose at least one department to ask again."))
    return None


def _standing(procedure: "Procedure", case: Case) -> Message:
    assert procedure.sign_off_rule is not None
    return in_one(evaluate(procedure.sign_off_rule, case.facts, case.verdicts()).explanation)


def every_department_answered(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    pending = [d for d in case.fact("departments", ()) if d not in case.answered()]
    if pending:
        return Message(N_("Waiting for %(departments)s."), {"departments": pending})
    return None


def no_department_objected(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    objecting = [s.department for s in case.current_sign_offs() if s.verdict is Verdict.OBJECT]
    if objecting:
        return Message(
            N_("%(departments)s objected: refuse, or ask the departments again."), {"departments": objecting}
        )
    return None


def correction_is_the_first(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """The notice may be sent once, unless the defect came with the corrected material (Licensing Law 32(4))."""
    if (
        case.fact("corrections", 0)
        and isinstance(command, RequestCorrection)
        and not command.from_corrected_material
    ):
        return Message(
            N_(
                "A correction was already requested once. A second notice is lawful only for defects "
                "that came with the corrected material: tick the box that says so, or accept or refuse."
            )
        )
    return None


def team_is_lawful(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """At least two assessors (Order 163 art. 24); the number is the definition's, not ours."""
    least = procedure.numbers.get("team_at_least", 0)
    if isinstance(command, OrganiseReview) and len(command.members) < least:
        return Message(N_("A review team has at least %(least)s members."), {"least": least})
    return None


VISITED = frozenset({"first", "site_change"})  # never on documents alone (review criteria arts. 15 and 16)


def mode_suits_the_application(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """A first application and a change of place are looked at; documents suffice for the others at most."""
    if (
        isinstance(command, OrganiseReview)
        and command.mode == "documentary"
        and VISITED & set(case.fact("application_types", ()))
    ):
        return Message(
            N_("A first application or a change of site is not reviewed on documents alone (criteria arts. 15, 16).")
        )
    return None


def a_verification_looks_at_the_place(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """The commitment is verified on site (measures of 2019; review criteria arts. 18 and 19)."""
    if isinstance(command, OrganiseReview) and command.mode == "documentary":
        return Message(N_("A commitment is verified on site, not on documents alone."))
    return None


def commitment_stands(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """On the commitment track what is handed in again is what was promised, and the track is still open."""
    if case.track != "commitment":
        return None
    if case.fact("commitment_bars"):
        return Message(
            N_("The commitment track is not open to the application as it is now: return to the general procedure.")
        )
    if not case.fact("commitment_text_sha256"):
        return Message(N_("The application has changed since the commitment was signed: read and sign it again."))
    return None


def retraction_of_a_commitment_gives_its_reason(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """Before the decision the applicant may withdraw a commitment, saying why (Order 163 art. 12)."""
    if (
        case.track == "commitment"
        and command is not None
        and case.state != procedure.spec.initial  # a draft was never filed
        and not command.note
    ):
        return Message(N_("Write in the note why you retract an application on the commitment track."))
    return None


NAMED: dict[str, Guard] = {
    g.__name__: g
    for g in (
        department_still_owes_an_answer,
        every_department_answered,
        no_department_objected,
        sign_off_is_settled,
        sign_off_is_agreed,
        silence_may_be_passed_over,
        somebody_is_asked_again,
        correction_is_the_first,
        team_is_lawful,
        mode_suits_the_application,
        a_verification_looks_at_the_place,
        commitment_stands,
        retraction_of_a_commitment_gives_its_reason,
    )
}

READS_SIGN_OFFS = frozenset(
    {
        "department_still_owes_an_answer",
        "every_department_answered",
        "no_department_objected",
        "sign_off_is_settled",
        "sign_off_is_agreed",
        "silence_may_be_passed_over",
        "somebody_is_asked_again",
    }
)


def fact_guard(fact: str, test: str, value: Any, otherwise: Message) -> Guard:
    """A comparison written in the definition: `is`, `is_not`, `at_least`, `empty`, `present`."""

    def holds(actual: Any) -> bool:
        if test == "is":
            return bool(actual == value)
        if test == "is_not":
            return bool(actual != value)
        if test == "at_least":
            return bool((actual or 0) >= value)
        return bool(actual) is (test == "present")

    def guard(procedure: "Procedure", case: Case, actor: Actor, command: Command | None) -> Message | None:
        return None if holds(case.fact(fact)) else Message(otherwise.text, dict(case.facts), otherwise.zh)

    guard.__name__ = f"{fact}_{test}"
    return guard
