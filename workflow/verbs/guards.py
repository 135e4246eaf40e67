"""When a verb may be used. Like every guard: None when it is met, else the reason in words."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from workflow.case import Case
from workflow.parsing import Command
from workflow.rounds import changed_for
from workflow.verb_commands import AddSigner, Consult, CopyTo, RemoveSigner, Return, Suspend, Transfer
from workflow.verbs import facts as f
from workflow.vocabulary import N_, OF_A_DEPARTMENT, Actor, Message, Role, Verdict

if TYPE_CHECKING:
    from workflow.procedure import Procedure

Guard = Callable[["Procedure", Case, Actor, Command | None], Message | None]


def duty_is_open(role: Role) -> Guard:
    """Only work that is there can be passed on: not an answer that was given, nor one whose turn has not come."""

    def guard(procedure: "Procedure", case: Case, actor: Actor, command: Command | None) -> Message | None:
        holder = f"department:{actor.department}" if role in OF_A_DEPARTMENT else ""
        if f.duty_key(role, holder) not in {duty.key for duty in procedure.open_duties(case)}:
            return Message(N_("You have no work on this step that could be passed on."))
        return None

    guard.__name__ = f"duty_is_open_as_{role.value}"
    return guard


def duty_is_at_hand(role: Role) -> Guard:
    """A duty that was transferred is done by that person, one on which advice is asked waits for it."""

    def guard(procedure: "Procedure", case: Case, actor: Actor, command: Command | None) -> Message | None:
        key = f.duty_key(role, f"department:{actor.department}" if role in OF_A_DEPARTMENT else "")
        if asked := f.consultation(case, key):
            return Message(
                N_("%(person)s was asked for advice; this step waits until it is given or the question taken back."),
                {"person": f.name_of(case, asked["person"])},
            )
        person = f.assigned(case, key)
        if person is not None and person != actor.person_id:
            return Message(N_("This work was transferred to %(person)s."), {"person": f.name_of(case, person)})
        return None

    guard.__name__ = f"duty_is_at_hand_as_{role.value}"
    return guard


def straight_back_is_possible(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """Only where the definition says by which act the work of the earlier step is handed back."""
    if isinstance(command, Return) and command.way == "straight_back":
        return Message(N_("From this step the case cannot come straight back; choose that it goes on in order."))
    return None


def it_was_your_own_act(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    if actor.person_id not in (case.fact(f.LAST_ACT) or {}).get("persons", ()):
        return Message(N_("Only the person who took the last step can recall it."))
    return None


def person_is_another(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    if isinstance(command, Transfer | Consult) and command.person == actor.person_id:
        return Message(N_("Choose somebody other than yourself."))
    return None


def person_is_apart(role: Role) -> Guard:
    """Nobody gets work that the separation of duties would keep them from doing."""

    def guard(procedure: "Procedure", case: Case, actor: Actor, command: Command | None) -> Message | None:
        if not isinstance(command, Transfer):
            return None
        mine = [a for a in procedure.leaving(case.state) if a.spec.verb is None and f.role_of(a.spec.who) == role.value]
        barred = [a for a in mine if a.spec.apart_from and command.person in case.persons_who(*a.spec.apart_from)]
        if barred:
            return Message(N_("This person already took another part in this case; choose somebody else."))
        return None

    guard.__name__ = f"person_is_apart_as_{role.value}"
    return guard


def role_may_be_asked(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    verbs = procedure.spec.verbs
    among = verbs.consult.among if verbs and verbs.consult else ()
    if isinstance(command, Consult) and command.role not in among:
        return Message(N_("This person cannot be asked for advice on this step."))
    return None


def advice_is_asked_by_you(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    if not any(asked["by"] == actor.person_id for asked in f.consultations(case).values()):
        return Message(N_("You have not asked anybody for advice on this step."))
    return None


def signer_is_new(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    if isinstance(command, AddSigner) and command.department in procedure.asked(case.facts):
        return Message(N_("%(departments)s is asked already."), {"departments": [command.department]})
    return None


def signer_was_added(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """Only who was added may be taken off again; those whom the law asks stay."""
    if isinstance(command, RemoveSigner) and command.department not in (case.fact(f.ADDED_SIGNERS) or {}):
        return Message(
            N_("%(departments)s was not added; whoever is asked by the procedure cannot be taken off."),
            {"departments": [command.department]},
        )
    return None


def signer_has_not_answered(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    if isinstance(command, RemoveSigner) and command.department in case.answered():
        return Message(
            N_("%(departments)s has answered already; an answer is not taken off."),
            {"departments": [command.department]},
        )
    return None


def signer_has_the_turn(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """Departments added before or after the others answer in that order."""
    added = case.fact(f.ADDED_SIGNERS) or {}
    if not added or actor.department is None:
        return None
    owing = [d for d in procedure.asked(case.facts) if d not in case.answered()]
    if f.waits_its_turn(actor.department, added, owing):
        first = [d for d in owing if d != actor.department and added.get(d) == "before"]
        others = first or [d for d in owing if d != actor.department]
        return Message(N_("%(departments)s signs before your department."), {"departments": others})
    return None


def answers_still_stand(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """A case that came straight back has passed the departments by: nothing they answered on may have changed."""
    known = procedure.asked(case.facts)
    fallen = [s.department for s in case.current_sign_offs() if s.department in known and s.verdict != Verdict.RECUSED
              and changed_for(procedure, s, case.facts)]  # fmt: skip
    if fallen:
        return Message(
            N_("What %(departments)s answered on has changed since: ask the departments again."),
            {"departments": fallen},
        )
    return None


def every_added_signer_answered(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """An added signer joins the rule as mandatory: it is not settled before they have answered."""
    pending = [d for d in case.fact(f.ADDED_SIGNERS) or {} if d not in case.answered()]
    if pending:
        return Message(N_("Waiting for %(departments)s."), {"departments": pending})
    return None


def not_reminded_today(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """At most one reminder a day for each duty."""
    today = case.on.isoformat() if case.on else ""
    reminded = case.fact(f.REMINDED) or {}
    if all(reminded.get(f.reminded_key(d.key)) == today for d in procedure.open_duties(case)):
        return Message(N_("Everybody who has work here was reminded today; the next reminder is possible tomorrow."))
    return None


def grounds_open(procedure: "Procedure", case: Case) -> tuple[str, ...]:
    """The grounds on which the case may be suspended here: those on which every limit that runs now would rest."""
    verbs = procedure.spec.verbs
    running = [procedure.spec.clocks[c.name] for c in case.clocks if c.is_running]
    return tuple(
        ground
        for ground in (verbs.suspend.grounds if verbs and verbs.suspend else ())
        if all(ground in spec.rests_for for spec in running if spec.until is None)
    )


def ground_is_open(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    """No time runs out on a case that nobody may work on."""
    grounds = grounds_open(procedure, case)
    if not grounds:
        return Message(N_("There is no ground on which the time limits that run now would rest."))
    if isinstance(command, Suspend) and command.ground not in grounds:
        return Message(N_("On this ground the case cannot be suspended here; choose another."))
    return None


def copy_is_new(
    procedure: "Procedure", case: Case, actor: Actor, command: Command | None
) -> Message | None:
    if isinstance(command, CopyTo) and set(command.persons) <= set(case.fact(f.COPIES) or ()):
        return Message(N_("The persons chosen have a copy already."))
    return None


NAMED: dict[str, Guard] = {
    g.__name__: g
    for g in (
        straight_back_is_possible,
        it_was_your_own_act,
        person_is_another,
        role_may_be_asked,
        advice_is_asked_by_you,
        signer_is_new,
        signer_was_added,
        signer_has_not_answered,
        signer_has_the_turn,
        every_added_signer_answered,
        answers_still_stand,
        not_reminded_today,
        ground_is_open,
        copy_is_new,
        *(make(role) for role in Role for make in (duty_is_open, duty_is_at_hand, person_is_apart)),
    )
}

READS_SIGN_OFFS = frozenset(
    {
        "duty_is_open_as_department_officer",
        "answers_still_stand",
        "signer_has_not_answered",
        "signer_has_the_turn",
        "every_added_signer_answered",
    }
)
