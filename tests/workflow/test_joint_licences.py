"""Joint licences: one application, a case of each licence, and nobody held up by anybody for ever."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.factories import department_leader, person
from tests.workflow.joint_world import (
    AGENCY,
    GRANT,
    LAW,
    LICENCES,
    MONDAY,
    PARENT,
    PEOPLE,
    REFUSE,
    TEAM,
    World,
    at,
    leader_of,
    officer_of,
)
from workflow import commands as c
from workflow import procedures
from workflow.competences import roles_of
from workflow.engine import offers, permit
from workflow.joint_commands import DecideSeparately, Inform, NominateExperts
from workflow.procedure import parse
from workflow.vocabulary import SYSTEM, Actor, Refusal, Role
from workflow.whatif import Kind, PastCase, what_if

FILES = {name: procedures.HERE / f"{name}.v1.yaml" for name in (PARENT, *LICENCES)}
DEPARTMENTAL = tuple(n for n in LICENCES if procedures.current(n).spec.department)


def refusal(world: World, name: str, action: str, actor: Actor, command: c.Command | None = None, **facts: Any
            ) -> Refusal:  # fmt: skip
    with pytest.raises(Refusal) as refused:
        world.act(name, action, actor, command, **facts)
    return refused.value


def separate(world: World, licence: str) -> None:
    world.act(PARENT, "decide_separately", PEOPLE["leader"], DecideSeparately(licence=licence, grounds="x"))


# -- one application -----------------------------------------------------------------------------------------


def test_one_acceptance_opens_a_case_of_each_licence_applied_for() -> None:
    world = World(licences=LICENCES[:2]).filed()
    assert set(world.cases) == {PARENT, *LICENCES[:2]}
    for name in LICENCES[:2]:
        department = procedures.current(name).spec.department
        assert world.cases[name].fact("part_of") == PARENT
        assert world.cases[name].fact("deciding_departments") == ([department] if department else [])
        assert world.cases[name].state == "awaiting_review"


def test_nothing_is_filed_without_a_licence() -> None:
    world = World()
    assert refusal(world, PARENT, "submit", PEOPLE["applicant"], licences=[]).code == "unmet"


def test_what_nobody_accepts_in_time_is_accepted_for_all_departments() -> None:
    world = World()
    world.act(PARENT, "submit", PEOPLE["applicant"])
    world.wait(8)
    assert world.parent.state == "accepted" and set(world.cases) == {PARENT, *LICENCES}


def test_the_application_falls_as_a_whole_before_the_conclusion() -> None:
    world = at("under_review")
    world.act(PARENT, "retract", PEOPLE["applicant"])
    world.all_told()
    assert {case.state for case in world.cases.values()} == {"retracted"}


def test_after_the_conclusion_a_single_licence_is_retracted_and_the_others_go_on() -> None:
    world = at("awaiting_results")
    assert refusal(world, PARENT, "retract", PEOPLE["applicant"]).code == "unavailable"
    world.act(LICENCES[0], "retract", PEOPLE["applicant"])
    world.all_told()
    assert world.parent.fact("results") == {LICENCES[0]: "retracted"} and world.parent.state == "awaiting_results"


def test_nothing_is_reviewed_when_every_licence_was_retracted() -> None:
    world = at("under_review")
    for name in LICENCES:
        world.act(name, "retract", PEOPLE["applicant"])
    world.all_told()
    assert world.parent.state == "ready_to_deliver"


# -- one review ----------------------------------------------------------------------------------------------


def test_every_department_that_decides_sends_an_expert() -> None:
    world = at("accepted")
    organiser, officer = PEOPLE["review_organiser"], PEOPLE["officer of agriculture"]
    assert "construction" in str(refusal(world, PARENT, "organise_review", organiser, TEAM).reason)
    for department in ("agriculture", "construction"):
        world.act(PARENT, "nominate_experts", PEOPLE[f"officer of {department}"], NominateExperts(experts=("expert",)))
    world.act(PARENT, "nominate_experts", officer, NominateExperts(experts=("somebody-else",)))
    unmet = refusal(world, PARENT, "organise_review", organiser, TEAM)
    assert unmet.code == "unmet" and unmet.reason.values["departments"] == ["agriculture"]
    world.act(PARENT, "nominate_experts", officer, NominateExperts(experts=("reviewer", "somebody-else")))
    world.act(PARENT, "organise_review", organiser, TEAM)
    assert world.parent.state == "under_review"


def test_a_department_that_names_nobody_in_time_sends_nobody() -> None:
    world = at("accepted")
    world.act(PARENT, "nominate_experts", PEOPLE["officer of construction"], NominateExperts(experts=("expert",)))
    world.wait(8)
    world.act(PARENT, "organise_review", PEOPLE["review_organiser"], TEAM)
    assert world.parent.state == "under_review"


def test_only_a_reason_in_writing_stands_in_for_a_nominee_who_cannot_come() -> None:
    world, organiser = at("accepted"), PEOPLE["review_organiser"]
    for department in ("agriculture", "construction"):
        world.act(PARENT, "nominate_experts", PEOPLE[f"officer of {department}"], NominateExperts(experts=("ill",)))
    noted = c.OrganiseReview(note="ill", mode=TEAM.mode, leader=TEAM.leader, members=TEAM.members,
                             planned_on=TEAM.planned_on)  # fmt: skip
    assert refusal(world, PARENT, "organise_review", organiser, noted).code == "unmet", "there is still time"
    world.wait(8)
    assert refusal(world, PARENT, "organise_review", organiser, TEAM).code == "unmet", "no reason"
    world.act(PARENT, "organise_review", organiser, noted)


def test_only_officers_of_the_deciding_departments_name_experts() -> None:
    world, command = at("accepted"), NominateExperts(experts=("expert",))
    for stranger in (person("eco", Role.DEPARTMENT_OFFICER, department="ecology"), PEOPLE["leader of agriculture"],
                     PEOPLE["leader"], PEOPLE["review_organiser"]):  # fmt: skip
        assert refusal(world, PARENT, "nominate_experts", stranger, command).code == "forbidden"


def test_the_duty_of_naming_is_over_for_whoever_has_named() -> None:
    world = at("accepted")
    procedure = procedures.current(PARENT)

    def owing() -> set[str]:
        return {d.holder for d in procedure.open_duties(world.parent) if d.role is Role.DEPARTMENT_OFFICER}

    assert owing() == {"department:agriculture", "department:construction"}
    world.act(PARENT, "nominate_experts", PEOPLE["officer of agriculture"], NominateExperts(experts=("expert",)))
    assert owing() == {"department:construction"}


@pytest.mark.parametrize("failed", [(), LICENCES[1:2], LICENCES[:1], LICENCES])
def test_each_licence_is_told_what_its_own_lines_say(failed: tuple[str, ...]) -> None:
    world = at("awaiting_results", failed=failed)
    for name in LICENCES:
        assert world.cases[name].state == "awaiting_decision"
        assert world.cases[name].fact("review_conclusion") == ("does_not_meet" if name in failed else "meets")
        assert "failed_licences" not in world.cases[name].facts, "what others fail in is not this case's"


def test_a_review_that_does_not_meet_meets_for_nobody() -> None:
    world = at("under_review")
    world.act(PARENT, "conclude_does_not_meet", PEOPLE["team_leader"], c.Decide(grounds="x"), failed_licences=[])
    world.all_told()
    assert {world.cases[n].fact("review_conclusion") for n in LICENCES} == {"does_not_meet"}


# -- each department its own ---------------------------------------------------------------------------------


@pytest.mark.parametrize("licence", LICENCES)
def test_a_department_decides_its_own_licence_and_no_other(licence: str) -> None:
    world = at("awaiting_results")
    mine = leader_of(licence)
    everybody = [*PEOPLE.values(), department_leader("ecology"), SYSTEM]
    for stranger in (a for a in everybody if a.person_id != mine.person_id):
        for action, command in (("grant", GRANT), ("refuse", REFUSE)):
            assert refusal(world, licence, action, stranger, command).code == "forbidden", stranger.name
    world.decide(licence)
    assert world.cases[licence].state == "printed"


def test_a_department_leader_never_passes_for_the_bureaus_own() -> None:
    world = at("awaiting_results")
    for department in ("agriculture", "construction"):
        leads = PEOPLE[f"leader of {department}"]
        assert not {o.action.name for o in offers(procedures.current(PARENT), world.parent, leads)} & {
            "decide_separately", "extend_joint_handling"}  # fmt: skip
        assert refusal(world, "joint_cma", "grant", leads, GRANT).code == "forbidden"


@pytest.mark.parametrize("licence", LICENCES)
def test_who_reviewed_the_application_decides_no_licence_of_it(licence: str) -> None:
    world = at("awaiting_results")
    mine = leader_of(licence)
    for role in ("team_leader", "review_organiser", "window_officer"):
        part = person(PEOPLE[role].person_id, *mine.roles, department=mine.department)
        assert refusal(world, licence, "grant", part, GRANT).code == "forbidden", role
    world.decide(licence)


@pytest.mark.parametrize("licence", LICENCES)
def test_a_licence_that_does_not_meet_is_not_granted(licence: str) -> None:
    world = at("awaiting_results", failed=(licence,))
    assert refusal(world, licence, "grant", leader_of(licence), GRANT).code == "unmet"
    world.decide(licence).all_told()
    assert world.cases[licence].state == "refused" and world.parent.fact("results") == {licence: "refused"}


@pytest.mark.parametrize("licence", LICENCES)
def test_a_department_may_review_by_itself_and_says_so(licence: str) -> None:
    world = at("under_review")
    world.act(licence, "review_alone", officer_of(licence), c.Decide(grounds="x"))
    world.all_told()
    assert world.parent.fact("separated") == [licence] and world.cases[licence].fact("alone")
    world.act(licence, "conclude_alone", officer_of(licence), c.Decide(grounds="x"))
    reviewer = person(officer_of(licence).person_id, *leader_of(licence).roles,
                      department=leader_of(licence).department)  # fmt: skip
    assert refusal(world, licence, "grant", reviewer, GRANT).code == "forbidden"
    world.reviewed().all_told()
    assert world.cases[licence].state == "awaiting_decision" and world.cases[licence].fact("reviewed_alone")
    world.decide(licence)
    world.act(licence, "deliver", PEOPLE["issuing_clerk"])
    assert world.cases[licence].state == "closed"


# -- results together ----------------------------------------------------------------------------------------


def test_what_was_decided_is_delivered_together() -> None:
    world = at("awaiting_results", failed=LICENCES[2:])
    for name in LICENCES:
        assert world.parent.state == "awaiting_results"
        world.decide(name).all_told()
    assert world.parent.state == "ready_to_deliver"
    assert refusal(world, LICENCES[0], "deliver", PEOPLE["issuing_clerk"]).code == "unmet"
    world.act(PARENT, "deliver_together", PEOPLE["issuing_clerk"])
    world.all_told()
    assert [world.cases[n].state for n in (PARENT, *LICENCES)] == ["closed", "closed", "closed", "refused"]


def test_the_leader_lets_a_slow_licence_go_its_own_way() -> None:
    world = at("awaiting_results")
    for name in LICENCES[:2]:
        world.decide(name)
    world.all_told()
    separate(world, LICENCES[2])
    assert world.parent.state == "ready_to_deliver"
    world.all_told()
    world.act(PARENT, "deliver_together", PEOPLE["issuing_clerk"])
    world.all_told()
    assert world.cases[LICENCES[2]].state == "awaiting_decision" and world.cases[LICENCES[2]].fact("alone")
    world.decide(LICENCES[2])
    world.act(LICENCES[2], "deliver", PEOPLE["issuing_clerk"])
    assert world.cases[LICENCES[2]].state == "closed"


@pytest.mark.parametrize("licence", ["certification_body", LICENCES[0]])
def test_only_what_is_waited_for_is_separated(licence: str) -> None:
    world = at("awaiting_results")
    world.decide(LICENCES[0]).all_told()
    command = DecideSeparately(licence=licence, grounds="x")
    assert refusal(world, PARENT, "decide_separately", PEOPLE["leader"], command).code == "unmet"


@pytest.mark.parametrize("state", ["accepted", "awaiting_results"])
def test_the_joint_limit_releases_whatever_is_undecided(state: str) -> None:
    world = at(state)
    due = next(clock.due_on for clock in world.parent.clocks if clock.name == "joint")
    assert due == world.today + timedelta(weeks=9), "45 working days in weeks without holidays"
    while world.today <= due:
        assert not world.parent.fact("separated")
        world.wait()
    assert world.parent.fact("separated") == sorted(LICENCES)
    world.all_told()
    assert all(world.cases[n].fact("alone") for n in LICENCES)


def test_the_joint_limit_rests_while_experts_examine_and_the_applicant_rectifies() -> None:
    world = at("under_review")
    world.wait(100)
    assert not world.parent.fact("separated")
    clock = next(clock for clock in world.parent.clocks if clock.name == "joint")
    assert clock.is_resting and clock.rests[-1].ground == "expert_examination"


def test_the_joint_limit_is_extended_once_with_the_approval_of_the_government() -> None:
    world = at("awaiting_results")
    command = c.ExtendWithApproval(grounds="x", approved_by="x", approval_number="1")
    before = next(clock.due_on for clock in world.parent.clocks if clock.name == "joint")
    world.act(PARENT, "extend_joint_handling", PEOPLE["leader"], command)
    after = next(clock.due_on for clock in world.parent.clocks if clock.name == "joint")
    assert before and after and after - before == timedelta(weeks=3), "15 working days"
    assert refusal(world, PARENT, "extend_joint_handling", PEOPLE["leader"], command).code == "unmet"


def test_a_granted_licence_waits_for_the_others_less_long_than_the_law_allows_for_its_delivery() -> None:
    for name in LICENCES:
        clocks = procedures.current(name).spec.clocks
        waits, lawful = (next(a for a in LAW.allowances if a.name == clocks[clock].allowance)
                         for clock in ("common_delivery", "delivery"))  # fmt: skip
        assert waits.unit == lawful.unit and waits.amount < lawful.amount
        assert clocks["common_delivery"].runs_in == clocks["delivery"].runs_in
    world = at("awaiting_results")
    world.decide(LICENCES[0]).all_told()
    world.wait(8)
    assert world.cases[LICENCES[0]].fact("alone")
    world.act(LICENCES[0], "deliver", PEOPLE["issuing_clerk"])
    for name in LICENCES[1:]:
        world.decide(name)
    world.all_told()
    world.act(PARENT, "deliver_together", PEOPLE["issuing_clerk"])
    world.all_told()
    assert {world.cases[n].state for n in (PARENT, *LICENCES)} == {"closed"}


# -- what is told ----------------------------------------------------------------------------------------------


def test_what_is_told_twice_is_heard_once() -> None:
    world = at("awaiting_results")
    world.decide(LICENCES[0]).all_told()
    before = world.parent
    for place in range(len(world.told)):
        world.repeat(place)
    assert world.parent == before


def test_a_separation_told_twice_is_heard_once() -> None:
    world = at("under_review")
    world.act(LICENCES[1], "review_alone", officer_of(LICENCES[1]), c.Decide(grounds="x"))
    world.all_told()
    before = world.parent
    for place in range(len(world.told)):
        world.repeat(place)
    assert world.parent == before and before.fact("separated") == [LICENCES[1]]


def test_what_was_not_applied_for_is_not_separated() -> None:
    world = World(licences=LICENCES[:2]).filed()
    told = Inform(licence=LICENCES[2], state="x")
    assert refusal(world, PARENT, "note_separation", SYSTEM, told).code == "unmet"


def test_nobody_is_asked_to_separate_what_goes_its_own_way_already() -> None:
    world, procedure = at("under_review"), procedures.current(PARENT)

    def shown() -> dict[str, bool]:
        found = offers(procedure, world.parent, PEOPLE["leader"])
        return {o.action.name: o.unmet is None for o in found}

    assert shown()["decide_separately"]
    for name in LICENCES:
        separate(world, name)
    assert not shown()["decide_separately"]


@pytest.mark.parametrize(("licence", "outcome"), [("certification_body", "granted"), (LICENCES[0], ""),
                                                  (LICENCES[0], "closed")])  # fmt: skip
def test_what_is_no_result_of_a_licence_applied_for_is_not_noted(licence: str, outcome: str) -> None:
    world = at("awaiting_results")
    told = Inform(licence=licence, state="x", outcome=outcome)
    assert refusal(world, PARENT, "note_result", SYSTEM, told).code == "unmet"


def test_nobody_but_the_system_tells_a_case_anything() -> None:
    for name, file in FILES.items():
        procedure = parse(file.read_bytes(), file.name)
        for action in (a for a in procedure.actions if a.command is Inform):
            world = at("awaiting_results")
            for actor in PEOPLE.values():
                with pytest.raises(Refusal) as refused:
                    permit(procedure, world.cases[name], action.name, actor)
                assert refused.value.code == "forbidden", (action.name, actor.name)


# -- every order, any silence ---------------------------------------------------------------------------------


ACTS = st.tuples(
    st.sampled_from(("decide", "refuse", "retract", "separate", "review_alone", "conclude_alone", "deliver_alone",
                     "step", "tell", "repeat", "wait")),
    st.integers(0, 30),
)  # fmt: skip


class Muddle:
    """A world in which people, messages and days come as they like."""

    def __init__(self, failed: tuple[str, ...], silent: str) -> None:
        self.world, self.silent = World(failed=failed).filed(), silent

    def take(self, what: str, number: int) -> None:
        world, licence = self.world, LICENCES[number % len(LICENCES)]
        if what == "tell" and world.underway:
            world.deliver(number)
        elif what == "repeat":
            world.repeat(number)
        elif what == "wait":
            world.wait(1 + number % 12)
        elif what == "step":
            self.step()
        elif what == "separate":
            self.attempt(lambda: separate(world, licence))
        elif what == "retract":
            self.attempt(lambda: world.act(licence, "retract", PEOPLE["applicant"]))
        elif what in ("decide", "refuse", "review_alone", "conclude_alone") and licence != self.silent:
            self.attempt(lambda: self.of_department(what, licence))
        elif what == "deliver_alone":
            self.attempt(lambda: world.act(licence, "deliver", PEOPLE["issuing_clerk"]))
        self.check()

    def of_department(self, what: str, licence: str) -> None:
        if what in ("decide", "refuse"):
            self.world.decide(licence, grant=what == "decide")
        else:
            self.world.act(licence, what, officer_of(licence), c.Decide(grounds="x"))

    def attempt(self, act: Callable[[], object]) -> None:
        with suppress(Refusal):
            act()

    def step(self) -> None:
        """The next thing that people of the bureau do for the application as a whole."""
        world = self.world
        if world.parent.state == "accepted":
            self.attempt(world.organised)
        elif world.parent.state == "under_review":
            world.reviewed()
        elif world.parent.state == "ready_to_deliver":
            world.act(PARENT, "deliver_together", PEOPLE["issuing_clerk"])

    def check(self) -> None:
        world = self.world
        for name in LICENCES:
            case, happened = world.cases[name], world.happened
            delivered = happened[name, "deliver"] + happened[name, "deliver_with_the_others"]
            assert delivered == (case.state == "closed"), "delivered once, and only what was granted"
            assert happened[name, "grant"] + happened[name, "refuse"] <= 1
            if case.fact("review_conclusion") and not case.fact("reviewed_alone"):
                assert (case.fact("review_conclusion") == "does_not_meet") == (name in world.failed)
            if happened[name, "grant"]:
                decided = {a.person_id for a in case.acts if a.action == "grant"}
                assert decided == {leader_of(name).person_id}

    def finish(self) -> None:
        """Everybody does what there is to do, but one department, which never does anything again."""
        world = self.world
        for _ in range(300):
            if all(world.is_over(name) for name in (PARENT, *LICENCES) if name != self.silent):
                return
            world.all_told()
            self.step()
            for licence in (n for n in LICENCES if n != self.silent):
                state = world.cases[licence].state
                if state == "awaiting_decision":
                    world.decide(licence)
                elif state == "reviewing_alone":
                    world.act(licence, "conclude_alone", officer_of(licence), c.Decide(grounds="x"))
                elif state == "printed" and world.cases[licence].fact("alone"):
                    world.act(licence, "deliver", PEOPLE["issuing_clerk"])
            self.check()
            world.wait()
        raise AssertionError({name: case.state for name, case in world.cases.items()})


@settings(max_examples=200, deadline=None)
@given(
    acts=st.lists(ACTS, max_size=30),
    failed=st.sets(st.sampled_from(LICENCES)).map(lambda found: tuple(sorted(found))),
    silent=st.sampled_from(("", *LICENCES)),
)
def test_a_joint_application_always_comes_to_its_end(
    acts: list[tuple[str, int]], failed: tuple[str, ...], silent: str
) -> None:
    muddle = Muddle(failed, silent)
    for what, number in acts:
        muddle.take(what, number)
    muddle.finish()
    world = muddle.world
    assert world.parent.state == "closed"
    if silent and not world.is_over(silent):
        assert world.cases[silent].fact("alone"), "nobody waits for it"
    joint = next(clock for clock in world.parent.clocks if clock.name == "joint")
    running = [s for s in joint.rests if s.until is None]
    assert joint.is_stopped and not running


@settings(max_examples=100, deadline=None)
@given(acts=st.lists(ACTS, max_size=15), order=st.lists(st.integers(0, 30), max_size=20))
def test_what_was_not_granted_before_falls_with_the_application_whatever_comes_first(
    acts: list[tuple[str, int]], order: list[int]
) -> None:
    muddle = Muddle((), "")
    world = muddle.world
    for what, number in acts:
        muddle.take(what, number)
    if world.parent.state not in ("accepted", "under_review"):
        return  # concluded: each licence has an end of its own from then on
    world.act(PARENT, "retract", PEOPLE["applicant"])
    for place in order:
        if world.underway:
            world.deliver(place)
    world.all_told()
    assert world.parent.state == "retracted"
    for name in LICENCES:
        case = world.cases[name]
        granted = bool(world.happened[name, "grant"])
        assert granted == (case.state in ("granted", "printed", "closed"))
        assert case.state in ("retracted", "refused") or case.fact("alone"), "nothing waits for what is retracted"


@pytest.mark.parametrize("silent", LICENCES)
def test_a_silent_department_holds_the_others_no_longer_than_the_joint_limit(silent: str) -> None:
    world = at("awaiting_results")
    due = next(clock.due_on for clock in world.parent.clocks if clock.name == "joint")
    for name in (n for n in LICENCES if n != silent):
        world.decide(name)
    while world.parent.state == "awaiting_results":
        world.all_told()
        world.wait()
        assert due is not None and world.today <= due + timedelta(days=1)
    assert world.parent.state == "ready_to_deliver" and world.parent.fact("separated").count(silent) == 1


def test_the_record_of_a_joint_application_lived_again_is_the_same() -> None:
    """Acts that were told, went alone and lapsed included: what another case told is in the record of this one."""
    world = at("awaiting_results", failed=LICENCES[2:])
    world.decide(LICENCES[0])
    separate(world, LICENCES[1])
    world.all_told().decide(LICENCES[1])
    world.act(LICENCES[1], "deliver", PEOPLE["issuing_clerk"])
    world.decide(LICENCES[2]).all_told()
    world.act(PARENT, "deliver_together", PEOPLE["issuing_clerk"])
    world.all_told()
    for name, case in world.cases.items():
        procedure = procedures.current(name)
        past = PastCase(name, procedure, AGENCY, MONDAY, case.facts, tuple(world.record[name]))
        found = what_if(past, procedure, LAW)
        assert (found.kind, found.first_difference) == (Kind.SAME, None), (name, str(found.first_difference))


# -- commands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [
    {"licence": ""}, {"licence": 1}, {"state": ""}, {"outcome": "lost"}, {"outcome": None}, {"facts": []},
    {"facts": {1: 2}}])  # fmt: skip
def test_what_no_case_could_tell_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        Inform(**{"licence": "x", "state": "y", "facts": {}, **wrong})
    assert refused.value.code == "malformed" and refused.value.field == next(iter(wrong))


@pytest.mark.parametrize(("make", "field"), [
    (lambda: DecideSeparately(licence="", grounds="x"), "licence"),
    (lambda: DecideSeparately(licence="x", grounds=" "), "grounds"),
    (lambda: NominateExperts(experts=()), "experts"), (lambda: NominateExperts(experts=("",)), "experts"),
    (lambda: NominateExperts(experts="expert"), "experts")])  # fmt: skip
def test_a_separation_and_a_nomination_say_what_they_mean(make: Callable[[], object], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        make()
    assert refused.value.code == "malformed" and refused.value.field == field


def test_experts_named_twice_are_named_once() -> None:
    assert NominateExperts(experts=("a", "b", "a")).experts == ("a", "b")




def test_a_department_leader_stands_in_the_table_only_where_a_department_decides() -> None:
    tables = {p.name: roles_of(p) for p in procedures.every()}
    assert {name for name, roles in tables.items() if Role.DEPARTMENT_LEADER in roles} == {PARENT, *DEPARTMENTAL}
