"""Who may. A rule looks at the person and the parties of the case; it never looks at the paperwork."""

from collections.abc import Callable

from workflow import sign_offs
from workflow.case import Case
from workflow.verbs.facts import consultations, named_persons
from workflow.vocabulary import N_, Actor, Message, Role, Verdict

Rule = Callable[[Actor, Case], bool]


def has_role(role: Role) -> Rule:
    def rule(actor: Actor, case: Case) -> bool:
        return role in actor.roles

    rule.__name__ = role.value
    return rule


def is_the_applicant(actor: Actor, case: Case) -> bool:
    return Role.APPLICANT in actor.roles and actor.agency_id is not None and actor.agency_id == case.agency_id


def answers_for_a_department_asked(actor: Actor, case: Case) -> bool:
    return Role.DEPARTMENT_OFFICER in actor.roles and actor.department in case.fact("departments", ())


def asked_by(signs: sign_offs.Rule) -> Rule:
    """The same for a definition that writes its sign-off as a formula: whoever the formula asks."""

    def rule(actor: Actor, case: Case) -> bool:
        return Role.DEPARTMENT_OFFICER in actor.roles and actor.department in sign_offs.asked(signs, case.facts)

    rule.__name__ = answers_for_a_department_asked.__name__
    return rule


def decides_for_the_department(actor: Actor, case: Case) -> bool:
    """Whoever leads the department whose licence the case is about; nobody else's leader, the bureau's included."""
    return Role.DEPARTMENT_LEADER in actor.roles and actor.department in case.fact("deciding_departments", ())


def works_for_the_deciding_department(actor: Actor, case: Case) -> bool:
    return Role.DEPARTMENT_OFFICER in actor.roles and actor.department in case.fact("deciding_departments", ())


REVIEWERS = frozenset({Role.TEAM_LEADER, Role.REVIEWER})


def leads_the_team(actor: Actor, case: Case) -> bool:
    return Role.TEAM_LEADER in actor.roles and bool(actor.person_id == case.fact("team_leader"))


def is_on_the_team(actor: Actor, case: Case) -> bool:
    return bool(actor.roles & REVIEWERS) and actor.person_id in case.fact("team", ())


BUREAU = frozenset(
    {Role.WINDOW_OFFICER, Role.REVIEW_ORGANISER, Role.LEADER, Role.ISSUING_CLERK, Role.INSPECTOR}
)


def works_on_it(actor: Actor, case: Case) -> bool:
    """Anybody of the authority who may see the case: the bureau, whoever has a part in it, whoever got a copy."""
    return (
        bool(actor.roles & BUREAU)
        or answers_for_a_department_asked(actor, case)
        or decides_for_the_department(actor, case)
        or works_for_the_deciding_department(actor, case)
        or is_on_the_team(actor, case)
        or (Role.APPLICANT not in actor.roles and actor.person_id in named_persons(case.facts))
    )


def is_consulted(actor: Actor, case: Case) -> bool:
    return any(
        actor.person_id == asked["person"] and Role(asked["role"]) in actor.roles
        for asked in consultations(case).values()
    )


def is_the_system(actor: Actor, case: Case) -> bool:
    return Role.SYSTEM in actor.roles


RELATIONS: dict[str, Rule] = {
    r.__name__: r
    for r in (is_the_applicant, answers_for_a_department_asked, decides_for_the_department,
              works_for_the_deciding_department, leads_the_team, is_on_the_team, works_on_it, is_consulted,
              is_the_system)
}

RULES: dict[str, Rule] = {role.value: has_role(role) for role in Role} | RELATIONS

# Rules that only an applicant's own staff can satisfy; every other rule belongs to the authority's side.
APPLICANT_SIDE = frozenset({"applicant", "is_the_applicant"})


def conflict(case: Case, actor: Actor, apart_from: tuple[str, ...], applicant_side: bool) -> Message | None:
    """Separation of duties on persons: nobody decides on an agency they belong to, nor on their own earlier act.

    Who acts for somebody else is looked at together with that person: neither may be in the way.
    """
    if applicant_side or Role.SYSTEM in actor.roles:
        return None
    if case.agency_id is not None and case.agency_id in actor.affiliations:
        return Message(N_("You belong to the applicant and may not act for the authority on this case."))
    before = case.persons_who(*apart_from) if apart_from else frozenset()
    if actor.person_id in before:
        return Message(N_("You already took another part in this case; somebody else must take this step."))
    if (principal := actor.acting_for) is None:
        return None
    if case.agency_id is not None and case.agency_id in principal.affiliations:
        return Message(
            N_("%(principal)s, for whom you act, belongs to the applicant; nobody may act on this case in that place."),
            {"principal": principal.name},
        )
    if principal.person_id in before:
        return Message(
            N_("%(principal)s, for whom you act, already took another part in this case; somebody else must take "
               "this step."),
            {"principal": principal.name},
        )  # fmt: skip
    return None


def took_part_before(case: Case, actor: Actor, persons: str | None) -> Message | None:
    """Separation of duties across the cases of one application: `persons` is the fact that lists who took part."""
    if persons is None or Role.SYSTEM in actor.roles:
        return None
    if set(case.fact(persons) or ()) & set(actor.persons):
        return Message(
            N_("You, or whom you act for, already took another part in this application; somebody else must take "
               "this step.")
        )  # fmt: skip
    return None


def second_answer(case: Case, actor: Actor) -> Message | None:
    """One person answers once per round, whatever the departments: not for one's own and then for another's."""
    others = {s.person_id for s in case.current_sign_offs() if s.department != actor.department}
    if others & set(actor.persons):
        return Message(N_("You have already answered for another department in this round; one person answers once."))
    return None


def withdrew(case: Case, actor: Actor) -> Message | None:
    """Who has recused oneself stays out of the case, also when the department is asked again."""
    if {s.person_id for s in case.sign_offs if s.verdict is Verdict.RECUSED} & set(actor.persons):
        return Message(N_("You have recused yourself from this case; a colleague must answer for the department."))
    return None
