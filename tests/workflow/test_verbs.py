"""What each verb promises, walked through the engine on CMA version 2."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.store.factories import person, with_affiliation
from tests.workflow.verb_walk import (
    AGENCY,
    APPLICANT,
    CMA,
    LEADER,
    REVIEW_ORGANISER,
    SECOND_LEADER,
    SHELF,
    TEAM_LEADER,
    THIRD_LEADER,
    WINDOW_OFFICER,
    Walk,
    department_officer,
    walk_to,
)
from workflow import procedures
from workflow import verb_commands as v
from workflow.commands import Command, RecordSignOff
from workflow.deadlines import Outcome
from workflow.procedure import Action, Duty, Procedure
from workflow.verbs import facts as f
from workflow.verbs.facts import RESERVED
from workflow.verbs.guards import NAMED as GUARDS
from workflow.vocabulary import Actor, Refusal, Role

STRAIGHT = v.Return(reason="请补充评审记录", way="straight_back")
REVIEWED = ("record_findings", "confirm_rows")


def refusal(walk: Walk, name: str, by: Actor | None = None, command: Command | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        walk.take(name, by, command)
    return caught.value


# -- return ---------------------------------------------------------------------------------------------------------


def test_a_returned_case_is_the_work_of_the_earlier_step_again() -> None:
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader")
    assert walk.case.state == "under_review"
    assert walk.duties() == {Duty(Role.TEAM_LEADER, "person:team-leader"), Duty(Role.REVIEWER, "person:reviewer")}
    assert walk.case.fact(f.RETURN_REASON) == "第3行的依据标准已作废"
    assert walk.steps[-1].command.payload()["reason"] == "第3行的依据标准已作废"


def test_in_order_every_later_step_is_taken_again() -> None:
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader")
    assert "conclude_meets" in walk.offered(TEAM_LEADER)
    assert "conclude_meets_back_to_awaiting_decision" not in walk.offered(TEAM_LEADER, now=False)
    walk.take("conclude_meets")
    assert walk.case.fact(f.RETURN_REASON) == ""
    # nothing the departments answered on has changed: their answers stand, and the sign-off joins at once
    assert walk.case.state == "awaiting_decision"
    assert walk.case.round == 2 and {s.carried_from for s in walk.case.current_sign_offs()} == {1}


def test_straight_back_leads_to_the_person_who_returned_it_and_to_nobody_else() -> None:
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader", LEADER, STRAIGHT)
    assert "conclude_meets" not in walk.offered(TEAM_LEADER, now=False)
    walk.take("conclude_meets_back_to_awaiting_decision", TEAM_LEADER)
    assert walk.case.state == "awaiting_decision"
    assert walk.duties() == {Duty(Role.LEADER, "person:leader")}
    assert "grant" in walk.offered(LEADER)
    assert "grant" not in walk.offered(SECOND_LEADER)
    assert refusal(walk, "grant", SECOND_LEADER).code == "unmet"


def test_what_hands_the_case_back_asks_all_that_the_step_itself_asks() -> None:
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader", LEADER, STRAIGHT)
    walk.case = walk.case.with_facts(rows_open=1)
    assert refusal(walk, "conclude_meets_back_to_awaiting_decision", TEAM_LEADER).code == "unmet"
    assert refusal(walk, "conclude_meets_back_to_awaiting_decision", WINDOW_OFFICER).code == "forbidden"


def test_who_handed_the_case_straight_back_has_taken_that_step() -> None:
    both = person("team-leader", Role.TEAM_LEADER, Role.LEADER)
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader")
    walk.case = replace(walk.case, acts=())
    walk.case = walk.case.with_facts(**{f.RETURN_TO: {"under_review": "awaiting_decision"}})
    walk.take("conclude_meets_back_to_awaiting_decision", TEAM_LEADER)
    assert refusal(walk, "grant", both).code == "forbidden"


def test_straight_back_is_offered_only_where_the_definition_says_by_which_act() -> None:
    walk = walk_to("under_review")
    assert refusal(walk, "return_to_accepted", REVIEW_ORGANISER, STRAIGHT).code == "unmet"
    assert walk.take("return_to_accepted").case.state == "accepted"


def test_a_grant_after_a_straight_return_rests_on_answers_that_still_stand() -> None:
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader", LEADER, STRAIGHT)
    walk.case = walk.case.with_facts(application_types=["first", "extension"])
    walk.take("conclude_meets_back_to_awaiting_decision", TEAM_LEADER)
    said = refusal(walk, "grant", LEADER)
    assert said.code == "unmet" and said.reason.values["departments"] == ["ecology", "construction"]
    assert "ask_departments_again" in walk.offered(LEADER)


def test_a_return_to_the_applicant_opens_the_application_and_leads_back_where_it_was() -> None:
    walk = walk_to("accepted").take("return_to_correction_requested", REVIEW_ORGANISER, STRAIGHT)
    assert CMA.states[walk.case.state].editable
    assert walk.duties() == {Duty(Role.APPLICANT, f"agency:{AGENCY}")}
    assert walk.take("resubmit_back_to_accepted").case.state == "accepted"
    assert walk.duties() == {Duty(Role.REVIEW_ORGANISER, "person:review-organiser")}


def test_a_straight_return_is_over_once_the_step_is_left_another_way() -> None:
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader", LEADER, STRAIGHT)
    walk.take("conclude_with_rectification").take("submit_rectification")
    assert walk.case.fact(f.RETURN_TO) == {}
    walk.take("confirm_rectification")
    assert walk.case.state == "awaiting_decision"


def test_a_sign_off_returned_to_the_experts_asks_again_only_whom_the_change_touches() -> None:
    walk = walk_to("awaiting_sign_off").take("sign_off", department_officer("ecology"))
    walk.take("return_to_under_review_by_review_organiser").take("conclude_meets")
    assert walk.case.state == "awaiting_sign_off"
    assert walk.duties() == {Duty(Role.DEPARTMENT_OFFICER, "department:construction")}
    walk.take("return_to_under_review_by_review_organiser")
    walk.case = walk.case.with_facts(application_types=["extension"])
    walk.take("conclude_meets")
    assert walk.duties() == {Duty(Role.DEPARTMENT_OFFICER, f"department:{d}") for d in ("ecology", "construction")}


def test_two_returns_inside_each_other_lead_back_one_after_the_other() -> None:
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader", LEADER, STRAIGHT)
    walk.take("return_to_accepted", REVIEW_ORGANISER).take("organise_review")
    walk.take("conclude_meets_back_to_awaiting_decision", TEAM_LEADER)
    assert (walk.case.state, walk.case.fact(f.RETURN_TO)) == ("awaiting_decision", {})


# -- clocks of a case that goes backwards ---------------------------------------------------------------------------


def test_the_decision_limit_rests_while_the_experts_look_again_and_is_not_begun_anew() -> None:
    walk = walk_to("awaiting_decision")
    due = walk.clock("decision").due_on
    assert due is not None
    walk.after(2).take("return_to_under_review_by_leader")
    held = walk.clock("decision")
    assert held.is_resting and held.rests[-1].ground == "expert_examination"
    walk.after(7).take("conclude_meets")
    again = walk.clock("decision")
    assert again.is_running and again.started_on == held.started_on
    assert (due, again.due_on) == (date(2026, 3, 30), date(2026, 4, 7))  # six working days were not counted


def test_a_limit_that_had_been_met_is_taken_up_where_it_stopped() -> None:
    walk = walk_to("awaiting_decision")
    review = walk.clock("review")
    assert review.outcome is Outcome.MET and review.due_on is not None
    walk.after(14).take("return_to_under_review_by_leader")
    again = walk.clock("review")
    assert again.is_running and again.started_on == review.started_on
    assert again.due_on == review.due_on + timedelta(days=14)


def test_without_a_ground_the_limit_runs_on_through_a_return() -> None:
    walk = walk_to("awaiting_decision")
    section = CMA.by_name["return_to_under_review_by_leader"].spec
    bare = replace(CMA.by_name["return_to_under_review_by_leader"], spec=section.model_copy(update={"rests": None}))
    walk.procedure = _with(bare)
    due = walk.clock("decision").due_on
    walk.after(2).take("return_to_under_review_by_leader")
    assert walk.clock("decision").due_on == due
    assert walk.after(7).take("conclude_meets").clock("decision").due_on == due


def test_there_and_back_on_one_day_gives_the_authority_no_extra_day() -> None:
    walk = walk_to("awaiting_decision")
    due = walk.clock("decision").due_on
    for _ in range(3):
        walk.take("return_to_under_review_by_leader").take("conclude_meets")
    assert walk.clock("decision").due_on == due and walk.clock("decision").rests == ()


def test_a_limit_that_restarts_begins_anew_after_a_return() -> None:
    walk = walk_to("accepted").after(3).take("return_to_correction_requested", REVIEW_ORGANISER)
    assert walk.after(3).take("resubmit").clock("acceptance").started_on == walk.day


def test_no_limit_is_lost_on_the_way_back_and_none_is_left_at_the_end() -> None:
    walk = walk_to("awaiting_decision")
    before = {c.name for c in walk.case.clocks}
    walk.take("return_to_under_review_by_leader").after(1).take("conclude_with_rectification").after(1)
    assert {c.name for c in walk.case.clocks} >= before
    assert walk.clock("decision").is_resting
    walk.take("submit_rectification").take("confirm_rectification")
    assert walk.clock("decision").is_running
    walk.walk(("grant", "print_certificate", "deliver"))
    assert walk.case.state == "closed" and all(c.is_stopped for c in walk.case.clocks) and not walk.duties()
    assert walk.case.fact(f.HELD_CLOCKS) == {}


def test_a_retraction_after_a_return_drops_the_limits_that_were_held() -> None:
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader").after(1).take("retract")
    assert walk.clock("decision").outcome is Outcome.DROPPED


# -- recall ---------------------------------------------------------------------------------------------------------


def test_a_recall_puts_everything_back_as_it_was() -> None:
    walk = walk_to("under_review").walk(REVIEWED)
    before, due = walk.case, walk.clock("review").due_on
    walk.after(1).take("conclude_meets")
    assert walk.case.fact("review_conclusion") == "meets"
    walk.take("recall_conclude_meets", TEAM_LEADER)
    assert walk.case.state == "under_review" and walk.case.fact("review_conclusion") is None
    assert walk.clock("review").due_on == due and walk.clock("review").is_running
    assert {c.name for c in walk.case.clocks} == {c.name for c in before.clocks}
    assert walk.duties() == {Duty(Role.TEAM_LEADER, "person:team-leader"), Duty(Role.REVIEWER, "person:reviewer")}
    assert "conclude_meets" in walk.offered(TEAM_LEADER)


def test_only_ones_own_act_can_be_recalled() -> None:
    walk = walk_to("awaiting_sign_off")
    other = person("other-lead", Role.TEAM_LEADER)
    walk.case = walk.case.with_facts(team_leader="other-lead")
    assert refusal(walk, "recall_conclude_meets", other).code == "unmet"


def test_nobody_recalls_what_somebody_has_acted_on() -> None:
    walk = walk_to("awaiting_sign_off")
    assert "recall_conclude_meets" in walk.offered(TEAM_LEADER)
    walk.take("sign_off")
    assert "recall_conclude_meets" not in walk.offered(TEAM_LEADER, now=False)
    assert refusal(walk, "recall_conclude_meets", TEAM_LEADER).code == "unavailable"


@pytest.mark.parametrize("verb", ["comment_by_officer", "copy", "remind_by_officer"])
def test_a_remark_does_not_stand_in_the_way_of_a_recall(verb: str) -> None:
    walk = walk_to("awaiting_sign_off").take(verb)
    assert "recall_conclude_meets" in walk.offered(TEAM_LEADER)


def test_after_a_return_a_recall_keeps_the_limit_that_is_held() -> None:
    walk = walk_to("awaiting_decision").take("return_to_under_review_by_leader")
    walk.case = walk.case.with_facts(departments=["ecology", "construction", "transport"])
    walk.after(1).take("conclude_meets")
    assert walk.case.state == "awaiting_sign_off" and walk.clock("decision").is_running
    walk.take("recall_conclude_meets", TEAM_LEADER)
    assert walk.clock("decision").is_resting and list(walk.case.fact(f.HELD_CLOCKS)) == ["decision"]
    assert walk.after(1).take("conclude_meets").clock("decision").is_running


# -- transfer and consult -------------------------------------------------------------------------------------------


def test_a_transferred_duty_is_that_persons_alone() -> None:
    walk = walk_to("awaiting_decision").take("transfer_by_leader", LEADER)
    assert walk.duties() == {Duty(Role.LEADER, "person:second-leader")}
    assert "refuse" in walk.offered(SECOND_LEADER)
    for name in ("refuse", "grant", "transfer_by_leader", "return_to_under_review_by_leader", "ask_departments_again"):
        assert name not in walk.offered(LEADER), name
    onward = v.Transfer(person="third-leader", reason="休假")
    assert walk.take("transfer_by_leader", SECOND_LEADER, onward).duties() == {Duty(Role.LEADER, "person:third-leader")}
    assert walk.take("refuse", THIRD_LEADER).case.state == "refused"


def test_a_transfer_ends_with_the_step() -> None:
    walk = walk_to("submitted")
    walk.take("transfer_by_window_officer", None, v.Transfer(person="second-window", reason="调休"))
    second = person("second-window", Role.WINDOW_OFFICER)
    walk.take("request_correction", second).take("resubmit")
    assert walk.duties() == {Duty(Role.WINDOW_OFFICER, "")}
    assert walk.case.fact(f.ASSIGNMENTS) == {}


def test_nobody_transfers_to_oneself_nor_to_whom_the_separation_of_duties_keeps_away() -> None:
    walk = walk_to("awaiting_decision")
    assert refusal(walk, "transfer_by_leader", LEADER, v.Transfer(person="leader", reason="x")).code == "unmet"
    said = refusal(walk, "transfer_by_leader", LEADER, v.Transfer(person="team-leader", reason="x"))
    assert said.code == "unmet" and "another part" in said.reason.text


def test_a_department_transfers_its_own_answer_only() -> None:
    walk = walk_to("awaiting_sign_off")
    ecology, colleague = department_officer("ecology"), department_officer("ecology", "colleague")
    walk.take("transfer_by_department_officer", ecology, v.Transfer(person="colleague", reason="出差"))
    assert walk.duties() == {Duty(Role.DEPARTMENT_OFFICER, "person:colleague"),
                             Duty(Role.DEPARTMENT_OFFICER, "department:construction")}  # fmt: skip
    assert refusal(walk, "sign_off", ecology).code == "unmet"
    walk.take("sign_off", department_officer("construction")).take("sign_off", colleague)
    assert walk.case.state == "awaiting_decision"


def test_a_department_that_has_answered_has_nothing_to_pass_on() -> None:
    walk = walk_to("awaiting_sign_off").take("sign_off", department_officer("ecology"))
    for name in ("transfer_by_department_officer", "consult_by_department_officer"):
        assert refusal(walk, name, department_officer("ecology")).code == "unmet", name
        assert name in walk.offered(department_officer("construction"))


def test_advice_comes_back_to_whoever_asked() -> None:
    walk = walk_to("awaiting_decision").take("consult_by_leader", LEADER)
    assert walk.duties() == {Duty(Role.REVIEW_ORGANISER, "person:review-organiser")}
    assert refusal(walk, "grant", LEADER).code == "unmet"
    assert "advise" in walk.offered(REVIEW_ORGANISER)
    assert "advise" not in walk.offered(person("other-organiser", Role.REVIEW_ORGANISER), now=False)
    walk.take("advise", REVIEW_ORGANISER)
    assert walk.duties() == {Duty(Role.LEADER, "person:leader")}
    assert "grant" in walk.offered(LEADER)


def test_a_question_can_be_taken_back_by_whoever_asked() -> None:
    walk = walk_to("awaiting_decision").take("consult_by_leader", LEADER)
    assert "stop_consulting_by_leader" not in walk.offered(SECOND_LEADER)
    walk.take("stop_consulting_by_leader", LEADER)
    assert walk.duties() == {Duty(Role.LEADER, "person:leader")}
    assert "advise" not in walk.offered(REVIEW_ORGANISER, now=False)


def test_only_the_roles_of_the_definition_are_asked_for_advice() -> None:
    walk = walk_to("awaiting_decision")
    asked = v.Consult(person="issuing-clerk", role="issuing_clerk", question="x")
    assert refusal(walk, "consult_by_leader", LEADER, asked).code == "unmet"
    me = v.Consult(person="leader", role="leader", question="x")
    assert refusal(walk, "consult_by_leader", LEADER, me).code == "unmet"


# -- added signers --------------------------------------------------------------------------------------------------


def added(place: str) -> Walk:
    asked = v.AddSigner(department="transport", place=place, reason="x")
    return walk_to("awaiting_sign_off").take("add_signer", None, asked)


def owing(walk: Walk) -> set[str]:
    return {duty.holder.removeprefix("department:") for duty in walk.duties()}


def test_an_added_signer_must_answer_before_the_sign_off_is_joined() -> None:
    walk = added("beside")
    assert owing(walk) == {"ecology", "construction", "transport"}
    walk.take("sign_off", department_officer("ecology")).take("sign_off", department_officer("construction"))
    assert walk.case.state == "awaiting_sign_off"
    assert walk.take("sign_off", department_officer("transport")).case.state == "awaiting_decision"


def test_who_was_added_before_the_others_answers_first() -> None:
    walk = added("before")
    assert owing(walk) == {"transport"}
    assert refusal(walk, "sign_off", department_officer("ecology")).code == "unmet"
    walk.take("sign_off", department_officer("transport"))
    assert owing(walk) == {"ecology", "construction"}


def test_who_was_added_after_the_others_answers_last() -> None:
    walk = added("after")
    assert owing(walk) == {"ecology", "construction"}
    assert refusal(walk, "sign_off", department_officer("transport")).code == "unmet"
    walk.take("sign_off", department_officer("ecology")).take("sign_off", department_officer("construction"))
    assert owing(walk) == {"transport"}
    assert walk.take("sign_off", department_officer("transport")).case.state == "awaiting_decision"


def test_an_objection_does_not_pass_an_added_signer_by() -> None:
    """An added signer joins the rule as mandatory: settled or not, they are heard."""
    walk = added("beside")
    walk.take("sign_off", department_officer("ecology"), RecordSignOff(verdict="object", opinion="不同意"))  # type: ignore[arg-type]
    assert walk.case.state == "awaiting_sign_off"
    walk.take("sign_off", department_officer("transport"))
    assert walk.case.state == "awaiting_decision"


def test_an_added_signer_can_be_taken_off_until_they_have_answered() -> None:
    walk = added("beside").take("remove_signer")
    assert owing(walk) == {"ecology", "construction"} and walk.case.fact(f.ADDED_SIGNERS) == {}
    walk = added("beside").take("sign_off", department_officer("transport"))
    assert refusal(walk, "remove_signer").code == "unmet"


def test_taking_off_the_last_one_asked_joins_the_sign_off() -> None:
    walk = added("after")
    walk.take("sign_off", department_officer("ecology")).take("sign_off", department_officer("construction"))
    assert walk.take("remove_signer").case.state == "awaiting_decision"


def test_whom_the_procedure_asks_is_neither_added_twice_nor_taken_off() -> None:
    walk = added("beside")
    again = v.AddSigner(department="transport", place="beside", reason="x")
    assert refusal(walk, "add_signer", None, again).code == "unmet"
    assert refusal(walk, "remove_signer", None, v.RemoveSigner(department="ecology", reason="x")).code == "unmet"


def test_an_application_that_goes_back_to_the_applicant_loses_its_added_signers() -> None:
    walk = walk_to("accepted")
    walk.case = walk.case.with_facts(departments=["ecology", "transport"], **{f.ADDED_SIGNERS: {"transport": "beside"}})
    walk.take("return_to_correction_requested")
    assert (walk.case.fact("departments"), walk.case.fact(f.ADDED_SIGNERS)) == (["ecology"], {})


# -- remind, suspend, copy, comment ---------------------------------------------------------------------------------


def test_there_is_one_reminder_a_day_for_each_duty() -> None:
    walk = walk_to("awaiting_decision").take("remind_by_applicant", APPLICANT)
    assert "remind_by_applicant" not in walk.offered(APPLICANT)
    assert refusal(walk, "remind_by_officer", WINDOW_OFFICER).code == "unmet"
    assert walk.after(1).take("remind_by_officer", WINDOW_OFFICER).case.fact(f.REMINDED) == {"*": "2026-03-03"}


def test_work_that_somebody_else_got_since_may_be_reminded_of() -> None:
    walk = walk_to("awaiting_decision").take("remind_by_applicant").take("transfer_by_leader", LEADER)
    assert "remind_by_applicant" in walk.offered(APPLICANT)


def test_a_suspended_case_offers_only_resume_comment_copy_and_retract() -> None:
    for state in CMA.spec.verbs.suspend.from_:  # type: ignore[union-attr]
        ground = "applicant_cause" if state in ("accepted", "under_review", "rectified") else "hearing"
        walk = walk_to(state).take("suspend", LEADER, v.Suspend(ground=ground, reason="x"))
        people = (LEADER, APPLICANT, WINDOW_OFFICER, TEAM_LEADER, REVIEW_ORGANISER, department_officer("ecology"))
        offered = {name for actor in people for name in walk.offered(actor, now=False)}
        assert offered == {"resume", "comment_by_officer", "comment_by_applicant", "copy", "retract"}, state
        assert walk.duties() == {Duty(Role.LEADER, "")}
        assert all(not c.is_running for c in walk.case.clocks), state


def test_resumed_the_limits_run_on_and_the_duties_are_back() -> None:
    walk = walk_to("awaiting_sign_off").take("sign_off", department_officer("ecology"))
    due, duties = walk.clock("decision").due_on, walk.duties()
    assert due is not None
    walk.after(1).take("suspend").after(6).take("resume")
    # the first day of a rest is not counted, nor is the day on which it ends
    assert walk.clock("decision").due_on == due + timedelta(days=7)
    assert walk.duties() == duties and walk.case.fact(f.SUSPENDED_ON) == ""
    assert [s.department for s in walk.case.current_sign_offs()] == ["ecology"]


def test_a_case_is_suspended_only_on_a_ground_on_which_every_limit_rests() -> None:
    walk = walk_to("under_review")
    assert refusal(walk, "suspend", LEADER, v.Suspend(ground="hearing", reason="x")).code == "unmet"
    assert refusal(walk, "suspend", LEADER, v.Suspend(ground="correction", reason="x")).code == "unmet"
    assert walk.take("suspend", LEADER, v.Suspend(ground="applicant_cause", reason="x")).clock("review").is_resting


def test_a_case_retracted_while_suspended_is_no_longer_suspended() -> None:
    walk = walk_to("awaiting_decision").take("suspend").after(3).take("retract")
    assert not walk.case.fact("suspended_for") and all(c.is_stopped for c in walk.case.clocks)


def test_a_copy_is_given_once_and_lets_the_person_comment() -> None:
    reader = person("reader", Role.ADMINISTRATOR)
    walk = walk_to("awaiting_decision")
    assert "comment_by_officer" not in walk.offered(reader)
    walk.take("copy", None, v.CopyTo(persons=("reader",)))
    assert "comment_by_officer" in walk.offered(reader)
    assert refusal(walk, "copy", None, v.CopyTo(persons=("reader",))).code == "unmet"


def test_a_comment_changes_nothing_but_the_history() -> None:
    walk = walk_to("awaiting_decision")
    before = walk.case
    walk.take("comment_by_applicant", APPLICANT)
    assert replace(walk.case, version=before.version, acts=before.acts) == before


def test_people_of_the_applicant_use_no_verb_of_the_authority() -> None:
    walk = walk_to("awaiting_decision")
    inside = with_affiliation(LEADER, AGENCY)
    for name in ("suspend", "transfer_by_leader", "comment_by_officer", "return_to_under_review_by_leader"):
        assert refusal(walk, name, inside).code == "forbidden", name


# -- the definition -------------------------------------------------------------------------------------------------


def test_every_fact_that_a_verb_writes_has_a_reserved_name() -> None:
    walk = walk_to("awaiting_sign_off")
    known = set(walk.case.facts) | set(RESERVED)
    walk.take("add_signer").take("remind_by_officer").take("copy").take("suspend").take("resume").take("remove_signer")
    walk.walk(("ask",)).take("transfer_by_leader", LEADER)
    walk.take("consult_by_leader", SECOND_LEADER).take("advise", REVIEW_ORGANISER)
    walk.take("return_to_under_review_by_leader", SECOND_LEADER, STRAIGHT)
    assert set(walk.case.facts) <= known


def test_a_definition_without_verbs_has_no_action_of_any() -> None:
    assert not [a.name for a in procedures.find("cma", 1).actions if a.spec.verb or a.spec.occasion]


# -- every guard is needed ------------------------------------------------------------------------------------------

# guard -> a promise that breaks without it
NEEDED = {
    "straight_back_is_possible": test_straight_back_is_offered_only_where_the_definition_says_by_which_act,
    "it_was_your_own_act": test_only_ones_own_act_can_be_recalled,
    "person_is_another": test_nobody_transfers_to_oneself_nor_to_whom_the_separation_of_duties_keeps_away,
    "person_is_apart_as_leader": test_nobody_transfers_to_oneself_nor_to_whom_the_separation_of_duties_keeps_away,
    "role_may_be_asked": test_only_the_roles_of_the_definition_are_asked_for_advice,
    "advice_is_asked_by_you": test_a_question_can_be_taken_back_by_whoever_asked,
    "signer_is_new": test_whom_the_procedure_asks_is_neither_added_twice_nor_taken_off,
    "signer_was_added": test_whom_the_procedure_asks_is_neither_added_twice_nor_taken_off,
    "signer_has_not_answered": test_an_added_signer_can_be_taken_off_until_they_have_answered,
    "signer_has_the_turn": test_who_was_added_before_the_others_answers_first,
    "every_added_signer_answered": test_an_objection_does_not_pass_an_added_signer_by,
    "answers_still_stand": test_a_grant_after_a_straight_return_rests_on_answers_that_still_stand,
    "not_reminded_today": test_there_is_one_reminder_a_day_for_each_duty,
    "ground_is_open": test_a_case_is_suspended_only_on_a_ground_on_which_every_limit_rests,
    "copy_is_new": test_a_copy_is_given_once_and_lets_the_person_comment,
    "duty_is_open_as_department_officer": test_a_department_that_has_answered_has_nothing_to_pass_on,
    "duty_is_at_hand_as_leader": test_a_transferred_duty_is_that_persons_alone,
    "duty_is_at_hand_as_department_officer": test_a_department_transfers_its_own_answer_only,
}


@pytest.mark.parametrize("guard", NEEDED)
def test_every_guard_of_a_verb_is_missed_when_it_is_gone(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    NEEDED[guard]()
    assert any(g.__name__ == guard for a in CMA.actions for g in a.guards)
    bare = [replace(a, guards=tuple(g for g in a.guards if g.__name__ != guard)) for a in CMA.actions]
    monkeypatch.setitem(SHELF, "cma", replace(CMA, actions=tuple(bare), digest=f"{CMA.digest}-without-{guard}"))
    with pytest.raises((AssertionError, pytest.fail.Exception, Refusal)):
        NEEDED[guard]()


def test_no_guard_of_a_verb_is_forgotten_above() -> None:
    """The guards made for one role each are the same function; one role stands for all."""
    families = ("duty_is_open_as_", "duty_is_at_hand_as_", "person_is_apart_as_")
    used = {g.__name__ for a in CMA.actions for g in a.guards} & set(GUARDS)
    assert {g for g in used if not g.startswith(families)} <= set(NEEDED)


@pytest.mark.parametrize("occasion", ["back_to", "in_order", "last_act", "suspended", "signers_added", "consulted"])
def test_every_occasion_of_a_verb_is_missed_when_it_is_gone(occasion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    promises = {
        "back_to": test_in_order_every_later_step_is_taken_again,
        "in_order": test_straight_back_leads_to_the_person_who_returned_it_and_to_nobody_else,
        "last_act": test_nobody_recalls_what_somebody_has_acted_on,
        "suspended": test_a_suspended_case_offers_only_resume_comment_copy_and_retract,
        "signers_added": lambda: _absent("awaiting_sign_off", "remove_signer", REVIEW_ORGANISER),
        "consulted": lambda: _absent("awaiting_decision", "stop_consulting_by_leader", LEADER),
    }
    promises[occasion]()
    bare = [_without(a, occasion) for a in CMA.actions]
    monkeypatch.setitem(SHELF, "cma", replace(CMA, actions=tuple(bare), digest=f"{CMA.digest}-without-{occasion}"))
    with pytest.raises((AssertionError, pytest.fail.Exception, Refusal, TypeError)):
        promises[occasion]()


def _absent(state: str, name: str, actor: Actor) -> None:
    assert name not in walk_to(state).offered(actor, now=False)


def _without(action: Action, occasion: str) -> Action:
    left = {name: said for name, said in action.spec.occasion.items() if name != occasion}
    return replace(action, spec=action.spec.model_copy(update={"occasion": left}))


def _with(action: Action) -> Procedure:
    actions = tuple(action if a.name == action.name else a for a in CMA.actions)
    return replace(CMA, actions=actions, digest=f"{CMA.digest}-{action.name}")
