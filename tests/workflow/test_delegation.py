"""Standing delegation: what is lent, what is covered, and nobody acts in a place that was not given."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.factories import STAFF, department_officer, person
from tests.workflow.test_clocks import LAW
from tests.workflow.test_engine import FACTS, usual_command
from workflow import delegation as delegations
from workflow import procedures
from workflow.case import Act, Case, SignOff
from workflow.delegation import Delegation, Group, Party, covers, faults, group_of, lent
from workflow.engine import fire, offers, permit
from workflow.procedure import Action
from workflow.vocabulary import Actor, Principal, Refusal, Role, Verdict

MONDAY = date(2026, 3, 2)
AGENCY = 7
CMA = procedures.find("cma", 1)  # released: what the tests say of its actions stays true
READY = FACTS[1] | {"departments": ["ecology", "construction"]}


def days(first: int, last: int) -> tuple[date, date]:
    return MONDAY + timedelta(days=first), MONDAY + timedelta(days=last)


def delegation(principal: str, delegate: str, first: int = 0, last: int = 6, **terms: Any) -> Delegation:
    return Delegation(terms.pop("id", 1), principal, delegate, *days(first, last), **terms)


def in_stead(delegate: Actor, principal: Actor, **terms: Any) -> Actor:
    """The delegate in the place of the principal, as the store would hand it out."""
    return delegate.standing_in(Principal(
        principal.account_id, principal.person_id, principal.name, lent(principal.roles, delegate.roles),
        delegation(principal.person_id, delegate.person_id, **terms), principal.department, principal.affiliations))


def case_in(state: str, **more: Any) -> Case:
    return Case(1, "cma", CMA.version, state, more.pop("track", "general"), AGENCY, facts=READY, **more)


def refused(case: Case, name: str, actor: Actor) -> Refusal:
    with pytest.raises(Refusal) as caught:
        permit(CMA, case, name, actor)
    return caught.value


LEADER, CLERK, WINDOW = STAFF["leader"], STAFF["issuing_clerk"], STAFF["window_officer"]
DEPUTY = person("deputy", Role.INSPECTOR)


# -- in whose place ----------------------------------------------------------------------------------------


def test_a_delegate_acts_with_the_roles_of_the_principal_and_under_their_own_name() -> None:
    steps = fire(CMA, case_in("awaiting_decision"), "grant", in_stead(DEPUTY, LEADER),
                 usual_command("grant", CMA.by_name["grant"].command), MONDAY, LAW)
    assert steps[0].after.state == "granted"
    assert steps[0].actor.person_id == "deputy" and steps[0].actor.acting_for.person_id == "leader"


def test_an_act_counts_as_an_act_of_both_persons() -> None:
    step = fire(CMA, case_in("submitted"), "accept", in_stead(DEPUTY, WINDOW), usual_command("accept",
                CMA.by_name["accept"].command), MONDAY, LAW)[0]
    assert step.after.persons_who("accept") == {"deputy", "window-officer"}
    ready = replace(step.after, state="awaiting_decision", facts=READY)
    for person_id in ("deputy", "window-officer"):
        assert refused(ready, "grant", person(person_id, Role.LEADER)).code == "forbidden"


def test_an_own_role_does_not_come_along_into_the_place_of_another() -> None:
    actor = in_stead(person("clerk-too", Role.ISSUING_CLERK), WINDOW)
    assert refused(case_in("printed"), "deliver", actor).code == "forbidden"
    assert [o.action.name for o in offers(CMA, case_in("printed"), actor)] == []


def test_a_department_is_answered_for_by_the_delegate_of_its_officer() -> None:
    actor = in_stead(person("deputy", Role.DEPARTMENT_OFFICER, department="health"), department_officer("ecology"))
    command = usual_command("sign_off", CMA.by_name["sign_off"].command)
    after = fire(CMA, case_in("awaiting_sign_off"), "sign_off", actor, command, MONDAY, LAW)[0].after
    assert [(s.department, s.person_id) for s in after.sign_offs] == [("ecology", "deputy")]


def test_one_person_answers_once_in_a_round_whatever_the_departments() -> None:
    own = SignOff("construction", Verdict.AGREE, 1, "deputy")
    actor = in_stead(person("deputy", Role.DEPARTMENT_OFFICER, department="construction"),
                     department_officer("ecology"))
    assert refused(case_in("awaiting_sign_off", sign_offs=(own,)), "sign_off", actor).code == "forbidden"
    earlier = replace(own, round=1)
    assert permit(CMA, case_in("awaiting_sign_off", sign_offs=(earlier,), round=2), "sign_off", actor)


def test_a_seat_on_the_team_goes_only_to_a_reviewer() -> None:
    head = STAFF["leads_the_team"]
    clerk, reviewer = in_stead(CLERK, head), in_stead(STAFF["is_on_the_team"], head)
    assert refused(case_in("under_review"), "conclude_meets", clerk).code == "forbidden"
    assert "confirm_rows" in {o.action.name for o in offers(CMA, case_in("under_review"), reviewer)}
    assert refused(case_in("under_review"), "conclude_meets", reviewer).code == "forbidden"
    other = in_stead(person("other-head", Role.TEAM_LEADER), head)
    assert permit(CMA, case_in("under_review"), "conclude_meets", other)


@pytest.mark.parametrize("role", [Role.APPLICANT, Role.ADMINISTRATOR, Role.SYSTEM])
def test_administration_and_the_applicants_side_are_not_lent(role: Role) -> None:
    assert lent(frozenset({role, Role.LEADER}), frozenset(Role)) == {Role.LEADER}


def test_a_delegate_is_not_stood_in_for() -> None:
    with pytest.raises(ValueError, match="delegate"):
        in_stead(DEPUTY, LEADER).standing_in(in_stead(CLERK, WINDOW).acting_for)  # type: ignore[arg-type]


# -- who is in the way -------------------------------------------------------------------------------------


def test_neither_person_may_belong_to_the_applicant() -> None:
    ours = frozenset({AGENCY})
    conflicted = in_stead(replace(DEPUTY, affiliations=ours), LEADER)
    for_a_conflicted = in_stead(DEPUTY, replace(LEADER, affiliations=ours))
    assert "belong to the applicant" in str(refused(case_in("awaiting_decision"), "grant", conflicted).reason)
    assert "for whom you act" in str(refused(case_in("awaiting_decision"), "grant", for_a_conflicted).reason)


@pytest.mark.parametrize("who", ["deputy", "leader"])
def test_neither_person_may_have_taken_the_other_part(who: str) -> None:
    case = case_in("awaiting_decision", acts=(Act("accept", who),))
    assert refused(case, "grant", in_stead(DEPUTY, LEADER)).code == "forbidden"


# -- how far it goes ---------------------------------------------------------------------------------------


def test_may_review_may_not_sign() -> None:
    actor = in_stead(DEPUTY, LEADER, verbs=frozenset({Group.REVIEW}))
    case = case_in("awaiting_decision")
    assert [o.action.name for o in offers(CMA, case, actor)] == ["ask_departments_again"]
    assert "not delegated this step" in str(refused(case, "grant", actor).reason)


def test_what_is_taken_out_by_name_is_out() -> None:
    actor = in_stead(DEPUTY, WINDOW, without=frozenset({"refuse_to_accept"}))
    shown = {o.action.name for o in offers(CMA, case_in("submitted"), actor)}
    assert "accept" in shown and "refuse_to_accept" not in shown


def test_another_procedure_is_not_covered() -> None:
    actor = in_stead(DEPUTY, LEADER, procedure="cma_verification")
    assert offers(CMA, case_in("awaiting_decision"), actor) == []


@pytest.mark.parametrize(("on", "lawful"), [(-1, False), (0, True), (6, True), (7, False)])
def test_it_holds_on_its_first_and_last_day_and_on_no_other(on: int, lawful: bool) -> None:
    command = usual_command("accept", CMA.by_name["accept"].command)
    try:
        fire(CMA, case_in("submitted"), "accept", in_stead(DEPUTY, WINDOW), command, MONDAY + timedelta(days=on), LAW)
    except Refusal as refusal:
        assert not lawful and refusal.code == "forbidden"
    else:
        assert lawful


def test_revoked_is_over() -> None:
    assert refused(case_in("submitted"), "accept", in_stead(DEPUTY, WINDOW, revoked=True)).code == "forbidden"


def test_every_action_is_of_one_kind_and_decisions_are_signed() -> None:
    kinds = {a.name: group_of(a) for a in CMA.actions}
    assert (kinds["grant"], kinds["sign_off"], kinds["refuse_to_accept"], kinds["accept"]) == (
        Group.SIGN, Group.ANSWER, Group.FINAL, Group.REVIEW)


# -- what may be made --------------------------------------------------------------------------------------


def wrong(asked: Delegation, *standing: Delegation, principal: Party | None = None,
          delegate: Party | None = None) -> list[str]:
    usual = frozenset({Role.WINDOW_OFFICER})
    return [m.text for m in faults(asked, standing, principal or Party(asked.principal, "甲", usual),
                                   delegate or Party(asked.delegate, "乙", usual), MONDAY)]


def test_a_sound_delegation_has_no_fault() -> None:
    assert wrong(delegation("a", "b", id=0)) == []


def test_no_chain_no_circle_no_doubling_while_both_are_in_force() -> None:
    asked = delegation("a", "b", id=0)
    for other in (("a", "b"), ("b", "a"), ("c", "a"), ("b", "c")):
        assert len(wrong(asked, delegation(*other, id=5))) == 1, other
        assert wrong(asked, delegation(*other, 7, 9, id=5)) == []
        assert wrong(asked, delegation(*other, id=5, revoked=True)) == []
        assert wrong(replace(asked, procedure="cma"), delegation(*other, id=5, procedure="cma_verification")) == []


def test_one_person_may_stand_in_for_two_and_be_one_of_two() -> None:
    assert wrong(delegation("a", "b", id=0), delegation("c", "b", id=5)) == []
    assert wrong(delegation("a", "b", id=0), delegation("a", "c", id=5)) == []


@pytest.mark.parametrize("fault", [
    {"asked": delegation("a", "a", id=0)}, {"asked": delegation("a", "b", 3, 2, id=0)},
    {"asked": delegation("a", "b", -9, -1, id=0)}, {"asked": delegation("a", "b", id=0, verbs=frozenset())},
    {"delegate": Party("b", "乙", frozenset({Role.APPLICANT}))},
    {"delegate": Party("b", "乙", frozenset({Role.WINDOW_OFFICER}), active=False)},
    {"delegate": Party("b", "乙", frozenset())},
    {"principal": Party("a", "甲", frozenset({Role.REVIEWER}))},
    {"principal": Party("a", "甲", frozenset({Role.ADMINISTRATOR}))},
])  # fmt: skip
def test_each_thing_that_speaks_against_it_is_said(fault: dict[str, Any]) -> None:
    assert wrong(fault.pop("asked", delegation("a", "b", id=0)), **fault)


wishes = st.lists(st.tuples(
    st.permutations(("a", "b", "c", "d")).map(lambda order: order[:2]), st.integers(0, 6), st.integers(0, 6),
    st.sampled_from(("", "cma", "cma_verification")), st.sampled_from((None, None, 0, 1, 2))), max_size=14)


@settings(max_examples=300, deadline=None)
@given(wishes)
def test_whatever_is_asked_for_nobody_is_ever_away_and_standing_in_on_one_day(wanted: list[Any]) -> None:
    """Delegations are made and revoked at random; day by day and procedure by procedure the accepted ones are one
    hop: no chain, no circle, no pair twice."""
    standing: list[Delegation] = []
    for number, ((principal, delegate), first, length, procedure, ends) in enumerate(wanted, 1):
        asked = delegation(principal, delegate, first, first + length, id=number, procedure=procedure)
        if not wrong(asked, *standing):
            standing.append(asked)
        if ends is not None and ends < len(standing):
            standing[ends] = replace(standing[ends], revoked=True)
    for day in (MONDAY + timedelta(days=n) for n in range(14)):
        for procedure in ("cma", "cma_verification"):
            pairs = [(d.principal, d.delegate) for d in standing if not d.revoked
                     and d.from_on <= day <= d.until_on and d.procedure in ("", procedure)]
            assert not {p for p, _ in pairs} & {d for _, d in pairs}, pairs
            assert len(pairs) == len(set(pairs))


# -- nobody acts whom a second opinion forbids -------------------------------------------------------------

PEOPLE = ("p1", "p2", "p3")
ROLES = [r for r in Role if r not in (Role.SYSTEM, Role.APPLICANT)]
TRIED = [a for a in CMA.actions if not a.automatic and a.spec.who != "is_the_system"]
USUAL_ROLE = {"answers_for_a_department_asked": Role.DEPARTMENT_OFFICER, "leads_the_team": Role.TEAM_LEADER,
              "is_on_the_team": Role.REVIEWER, "is_the_applicant": Role.LEADER}


@st.composite
def situations(draw: st.DrawFn) -> tuple[Action, Case, Actor, Actor, dict[str, Any]]:
    """An act that somebody tries in the place of another: most often nearly lawful, so that each fault decides alone.

    (action, case, delegate, principal, terms)"""

    def mostly(usual: Any, otherwise: st.SearchStrategy[Any]) -> Any:
        return usual if draw(st.integers(0, 4)) else draw(otherwise)

    action = draw(st.sampled_from(TRIED))
    first, second = draw(st.permutations(PEOPLE))[:2]
    role = USUAL_ROLE.get(action.spec.who) or Role(action.spec.who)
    some_roles = st.frozensets(st.sampled_from(ROLES), max_size=3)
    department = st.sampled_from((None, "construction", "health"))
    affiliated = st.just(frozenset({AGENCY}))
    principal = person(first, *mostly(frozenset({role}), some_roles), department=mostly("ecology", department),
                       affiliations=mostly(frozenset(), affiliated))
    delegate = person(second, *mostly(frozenset({role}), some_roles), department=draw(department),
                      affiliations=mostly(frozenset(), affiliated))
    groups = st.frozensets(st.sampled_from([*Group, "grant", "accept", "sign_off"]), max_size=3)
    terms = {"first": mostly(0, st.integers(-1, 2)), "last": mostly(3, st.integers(-2, 3)),
             "procedure": mostly("cma", st.sampled_from(("", "other"))), "verbs": mostly(frozenset(Group), groups),
             "without": mostly(frozenset(), groups), "revoked": mostly(False, st.just(True))}
    acts = draw(st.frozensets(st.tuples(st.sampled_from(("accept", "organise_review", "confirm_rows")),
                                        st.sampled_from(PEOPLE)), max_size=1))
    answers = draw(st.dictionaries(st.just("construction"), st.sampled_from(PEOPLE)))
    team = mostly([first], st.lists(st.sampled_from(PEOPLE), unique=True, max_size=2))
    case = case_in(
        draw(st.sampled_from(action.sources)), track=action.spec.track or "general",
        acts=tuple(Act(a, p) for a, p in acts),
        sign_offs=tuple(SignOff(d, Verdict.AGREE, 1, p) for d, p in answers.items()))
    return action, case.with_facts(team=team, team_leader=next(iter(team), "")), delegate, principal, terms


def allowed(action: Action, case: Case, delegate: Actor, principal: Actor, given: dict[str, Any]) -> bool:
    """A second opinion in plain words, sharing nothing with the engine but the definition."""
    first, last = days(given["first"], given["last"])
    team = {Role.REVIEWER, Role.TEAM_LEADER}
    kind = "@sign" if action.spec.reauthenticate else "@answer" if action.name == "sign_off" else (
        "@final" if action.spec.irreversible else "@review")
    if given["revoked"] or not first <= MONDAY <= last or given["procedure"] == "other":
        return False
    if not {action.name, kind} & given["verbs"] or {action.name, kind} & given["without"]:
        return False
    who = action.spec.who
    if who == "answers_for_a_department_asked":
        place = Role.DEPARTMENT_OFFICER in principal.roles and principal.department in ("ecology", "construction")
    elif who == "leads_the_team":
        place = (case.fact("team_leader") == principal.person_id and Role.TEAM_LEADER in principal.roles
                 and Role.TEAM_LEADER in delegate.roles)
    elif who == "is_on_the_team":
        able = set(delegate.roles) & team
        place = principal.person_id in case.fact("team") and bool(set(principal.roles) & team) and bool(
            Role.TEAM_LEADER in able and set(principal.roles) & team or
            Role.REVIEWER in able and {Role.REVIEWER, Role.TEAM_LEADER} & set(principal.roles))
    elif who in ("is_the_applicant", "is_the_system"):
        place = False
    else:
        place = Role(who) in principal.roles
    both = {delegate.person_id, principal.person_id}
    before = {a.person_id for a in case.acts if a.action in action.spec.apart_from}
    elsewhere = {s.person_id for s in case.sign_offs if s.department != principal.department}
    return bool(place and not both & before
                and AGENCY not in delegate.affiliations | principal.affiliations
                and not (action.name == "sign_off" and both & elsewhere))


OUTCOMES: set[bool] = set()


@settings(max_examples=600, deadline=None)
@given(situation=situations())
def test_nobody_acts_in_anothers_place_whom_a_second_opinion_forbids(
    situation: tuple[Action, Case, Actor, Actor, dict[str, Any]]
) -> None:
    tried, case, delegate, principal, given_terms = situation
    actor, lawful = in_stead(delegate, principal, **given_terms), allowed(tried, case, delegate, principal, given_terms)
    OUTCOMES.add(lawful)
    try:
        fire(CMA, case, tried.name, actor, usual_command(tried.name, tried.command, ("1",)), MONDAY, LAW)
    except Refusal as refusal:
        if refusal.code == "forbidden":  # else the paperwork is not ready, which is no matter of persons
            assert not lawful, (tried.name, delegate, principal, given_terms)
    else:
        assert lawful, (tried.name, delegate, principal, given_terms)


def test_the_second_opinion_was_asked_for_both_answers() -> None:
    OUTCOMES.clear()
    test_nobody_acts_in_anothers_place_whom_a_second_opinion_forbids()
    assert {True, False} == OUTCOMES


def test_an_engine_that_forgets_the_delegation_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: without looking at its terms everything would be covered."""
    monkeypatch.setattr("workflow.engine.not_covered", lambda *_: None)
    monkeypatch.setattr("workflow.engine.in_force", lambda *_: None)
    with pytest.raises(AssertionError):
        test_nobody_acts_in_anothers_place_whom_a_second_opinion_forbids()


def test_dates_are_asked_for_only_where_they_are_known() -> None:
    terms, action = delegation("leader", "deputy", 3, 4), CMA.by_name["grant"]
    assert covers(terms, "cma", action) and not covers(terms, "cma", action, MONDAY)
    assert covers(terms, "cma", action, MONDAY + timedelta(days=3))
    assert delegations.over("甲").values == {"principal": "甲"}
