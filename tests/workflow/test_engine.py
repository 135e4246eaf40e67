"""The one door: what is offered is what is permitted is what fires, and nothing else moves a case."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.factories import (
    DEPARTMENTS,
    STAFF,
    applicant_of,
    department_leader,
    department_officer,
    person,
    usual_command,
    with_affiliation,
)
from tests.workflow.test_clocks import LAW_OF_ALL as LAW
from workflow import engine, procedures, rounds
from workflow.case import Act, Case, SignOff
from workflow.commands import (
    AskAgain,
    CorrectionItem,
    Decide,
    OrganiseReview,
    Plain,
    RecordSignOff,
    RequestCorrection,
)
from workflow.deadlines import Clock, in_force, start
from workflow.engine import fire, offers, permit
from workflow.joint_commands import DecideSeparately, Inform
from workflow.procedure import Action, Procedure, duties
from workflow.vocabulary import SYSTEM, Actor, Refusal, Role, Verdict

MONDAY = date(2026, 3, 2)
AGENCY = 7
CMA = procedures.current("cma")
V1 = procedures.find("cma", 1)
ACTORS: tuple[Actor, ...] = (
    applicant_of(AGENCY),
    applicant_of(AGENCY + 1),
    *STAFF.values(),
    *(department_officer(d) for d in DEPARTMENTS[:2]),
    department_leader("construction"),
    with_affiliation(STAFF["leader"], AGENCY),
    person("everything", *(r for r in Role if r is not Role.SYSTEM), department="ecology", agency_id=AGENCY),
    person("nobody"),
)
FACTS: tuple[dict[str, Any], ...] = (
    {},
    {"dossier_gaps": [], "commitment_bars": [], "application_types": ["first"], "rows_total": 3, "rows_open": 0,
     "rows_confirmed": 3, "rows_refused": 1, "findings_open": 0, "findings_failed": 0, "corrections_open": 0,
     "certificate_rendered": True, "review_conclusion": "meets", "commitment_text_sha256": "ab",
     "departments": ["ecology", "construction"], "sign_off_silence": 1,
     "licences": ["joint_cma", "agricultural_testing"], "deciding_departments": ["ecology", "construction"],
     "nominations": {"ecology": ["reviewer"]}, "nominations_closed": True,
     "team": ["team-leader", "reviewer"], "team_leader": "team-leader"},
    {"dossier_gaps": ["x"], "commitment_bars": ["y"], "application_types": ["first"], "rows_total": 0, "rows_open": 2,
     "rows_confirmed": 0, "findings_open": 1, "findings_failed": 1, "departments": ["ecology"], "corrections": 1,
     "review_conclusion": "does_not_meet", "team": ["team-leader"], "team_leader": "team-leader"},
)  # fmt: skip
OBJECTION = (SignOff("ecology", Verdict.OBJECT, 1, "officer-ecology", "不同意"),)
AGREED = tuple(
    SignOff(d, Verdict.AGREE, 1, f"officer-{d}", rests_on=rounds.digests(CMA, d, FACTS[1]))
    for d in ("ecology", "construction")
)


# verbs that follow another one; tests/workflow/test_verbs.py walks them
ON_THEIR_OCCASION = {"recall", "hand_back", "resume", "advise", "stop_consulting", "remove_signer"}


LOOKED_INTO = (RequestCorrection, OrganiseReview, AskAgain, DecideSeparately, Inform)


def case_in(procedure: Procedure, state: str, track: str = "general", **more: Any) -> Case:
    return Case(1, procedure.name, procedure.version, state, track, AGENCY, **more)


def every_case(procedure: Procedure) -> Iterator[Case]:
    """Every state, track, and set of facts, with and without answers and an earlier act of the leader."""
    parts = (), (Act("accept", "leader"), Act("find_untrue", "leader"))
    for state, track, facts in product(procedure.states, procedure.spec.tracks, (*FACTS, *wanted_facts(procedure))):
        for answers, acts in product(((), OBJECTION, AGREED), parts):
            yield case_in(
                procedure, state, track, facts=facts, sign_offs=answers, acts=acts, clocks=extendable(procedure, state)
            )


def extendable(procedure: Procedure, state: str) -> tuple[Clock, ...]:
    """The clocks that run here and that some action extends."""
    named = {a.spec.extends.clock for a in procedure.actions if a.spec.extends}
    running = {n: c for n, c in procedure.spec.clocks.items() if n in named and state in c.runs_in}
    return tuple(
        start(name, in_force(LAW.allowances, clock.allowance, MONDAY), MONDAY, LAW.calendar)
        for name, clock in running.items()
    )


def wanted_facts(procedure: Procedure) -> list[dict[str, Any]]:
    """The usual facts with another word, or yes, in one of them, where a guard of the definition waits for it."""
    guards = (g for a in procedure.actions for g in a.spec.guards if not isinstance(g, str))
    words = {(g.fact, g.is_) for g in guards if isinstance(g.is_, str | bool) and FACTS[1].get(g.fact) != g.is_}
    return [{**FACTS[1], fact: word} for fact, word in sorted(words, key=repr)]


def outcome(procedure: Procedure, case: Case, action: Action, actor: Actor) -> str:
    try:
        permit(procedure, case, action.name, actor)
    except Refusal as refusal:
        return refusal.code
    return "permitted"


def refusal_of(case: Case, name: str, actor: Actor, command: Any = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        fire(of(case), case, name, actor, command or Plain(), MONDAY, LAW)
    return caught.value


def of(case: Case) -> Procedure:
    return procedures.find(case.procedure, case.procedure_version)


def disagreements(procedure: Procedure) -> list[str]:
    """Where a button and the door behind it would say different things."""
    found = []
    for case, actor in product(every_case(procedure), ACTORS):
        offered = {offer.action.name: offer.unmet for offer in offers(procedure, case, actor)}
        for action in procedure.actions:
            said = outcome(procedure, case, action, actor)
            if action.automatic:
                agrees = action.name not in offered
            elif action.name not in offered:
                agrees = said in ("forbidden", "unavailable")
            elif offered[action.name] is None:
                agrees = said == "permitted"
            else:
                agrees = said in ("unmet", "forbidden")
            if not agrees:
                found.append(f"{case.state} {case.track} {actor.name} {action.name}: {said}")
    return found


@pytest.mark.parametrize("procedure", procedures.every(), ids=lambda p: p.name)
def test_what_is_offered_is_what_is_permitted(procedure: Procedure) -> None:
    assert disagreements(procedure) == []


def test_a_permit_that_forgets_a_guard_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above is known to be able to fail."""
    monkeypatch.setattr(engine, "_obstacle", lambda *_: None)
    assert disagreements(CMA)


@pytest.mark.parametrize("procedure", procedures.every(), ids=lambda p: p.name)
def test_what_is_permitted_fires_and_leads_where_the_definition_says(procedure: Procedure) -> None:
    fired = set()
    for case, actor in product(every_case(procedure), ACTORS):
        for offer in offers(procedure, case, actor):
            if offer.unmet is not None:
                continue
            action = offer.action
            command = usual_command(action.name, action.command, ("8(1)",))
            try:
                steps = fire(procedure, case, action.name, actor, command, MONDAY, LAW)
            except Refusal as refusal:  # guards that look into the command
                looks = action.spec.verb or action.command in LOOKED_INTO
                assert refusal.code == "unmet" and looks
                continue
            fired.add(action.name)
            assert steps[0].before == case
            assert steps[0].after.state == (action.target or case.state)
            assert [s.after.version for s in steps] == list(range(1, len(steps) + 1))
            assert all(later.before == earlier.after for earlier, later in zip(steps, steps[1:], strict=False))
            assert all(s.action.automatic and s.actor is SYSTEM for s in steps[1:])
    assert fired == {a.name for a in procedure.actions if not a.automatic and a.spec.verb not in ON_THEIR_OCCASION}


def test_a_final_state_offers_nothing_to_anybody() -> None:
    for procedure in procedures.every():
        for state, spec in procedure.states.items():
            if spec.final:
                assert all(offers(procedure, case_in(procedure, state, facts=FACTS[1]), a) == [] for a in ACTORS)


# -- refusals ------------------------------------------------------------------------------------------------


def test_each_refusal_has_its_code() -> None:
    draft, leader, applicant = case_in(CMA, "draft"), STAFF["leader"], applicant_of(AGENCY)
    decided = case_in(CMA, "awaiting_decision", facts=FACTS[1], sign_offs=AGREED)
    assert refusal_of(draft, "fly", applicant).code == "unknown"
    assert refusal_of(draft, "submit", leader).code == "forbidden"
    assert refusal_of(draft, "submit", applicant_of(AGENCY + 1)).code == "forbidden"
    assert refusal_of(draft, "resubmit", applicant).code == "unavailable"
    assert refusal_of(draft, "submit_on_commitment", applicant).code == "unavailable"
    assert refusal_of(case_in(CMA, "draft", facts=FACTS[2]), "submit", applicant).code == "unmet"
    assert refusal_of(decided, "grant", leader, Plain()).code == "malformed"


def test_nobody_but_the_system_takes_an_automatic_or_a_clock_action() -> None:
    everybody = person("everything", *(r for r in Role if r is not Role.SYSTEM), department="ecology")
    owed = {
        "join_sign_offs": "awaiting_sign_off",
        "deem_accepted": "submitted",
        "fail_rectification_by_lapse": "rectification_ordered",
        "record_rendering": "granted",
    }
    for name, state in owed.items():
        assert refusal_of(case_in(CMA, state), name, everybody).code == "forbidden"


def test_a_command_of_another_kind_is_malformed_even_when_it_is_a_richer_one() -> None:
    decided = case_in(CMA, "awaiting_decision", facts=FACTS[1], sign_offs=AGREED)
    assert refusal_of(decided, "grant", STAFF["leader"], RecordSignOff()).code == "malformed"

    class Grander(Decide):
        pass

    assert refusal_of(decided, "grant", STAFF["leader"], Grander(grounds="x")).code == "malformed"


def test_an_unmet_reason_speaks_both_languages_and_names_the_facts() -> None:
    incomplete = case_in(CMA, "draft", facts={"dossier_gaps": ["平面图"]})
    reason = refusal_of(incomplete, "submit", applicant_of(AGENCY)).reason
    assert str(reason) == "Still missing: ['平面图']."
    assert reason.zh == "还缺：%(dossier_gaps)s。"


# -- the parallel sign-off -------------------------------------------------------------------------------------

ASKED = {"departments": list(DEPARTMENTS[:3])}


def answered(case: Case, *departments: str, verdict: str = "agree") -> Case:
    for department in departments:
        command = RecordSignOff(verdict=verdict, opinion="意见")  # type: ignore[arg-type]
        case = fire(of(case), case, "sign_off", department_officer(department), command, MONDAY, LAW)[-1].after
    return case


def test_the_last_answer_joins_the_sign_offs_and_no_earlier_one() -> None:
    case = case_in(CMA, "awaiting_sign_off", facts=ASKED)
    for department in DEPARTMENTS[:2]:
        case = answered(case, department)
        assert case.state == "awaiting_sign_off"
    steps = fire(CMA, case, "sign_off", department_officer(DEPARTMENTS[2]), RecordSignOff(), MONDAY, LAW)
    assert [s.action.name for s in steps] == ["sign_off", "join_sign_offs"]
    assert steps[-1].after.state == "awaiting_decision"


def test_a_department_answers_once_per_round() -> None:
    case = answered(case_in(CMA, "awaiting_sign_off", facts=ASKED), "ecology")
    assert refusal_of(case, "sign_off", department_officer("ecology"), RecordSignOff()).code == "unmet"
    colleague = department_officer("ecology", "a-colleague")
    assert refusal_of(case, "sign_off", colleague, RecordSignOff()).code == "unmet"


def test_a_department_that_was_not_asked_does_not_answer() -> None:
    case = case_in(CMA, "awaiting_sign_off", facts=ASKED)
    assert refusal_of(case, "sign_off", department_officer("meteorology"), RecordSignOff()).code == "forbidden"


def test_no_department_asked_means_none_to_wait_for() -> None:
    case = case_in(CMA, "under_review", facts={**FACTS[1], "departments": []})
    steps = fire(CMA, case, "conclude_meets", STAFF["leads_the_team"], Plain(), MONDAY, LAW)
    assert steps[-1].after.state == "awaiting_decision"


def test_in_the_first_version_an_objection_bars_the_grant_until_all_departments_are_asked_again() -> None:
    case = case_in(V1, "awaiting_sign_off", facts={**FACTS[1], "departments": ["ecology", "construction"]})
    case = answered(answered(case, "ecology", verdict="object"), "construction")
    leader = STAFF["leader"]
    assert refusal_of(case, "grant", leader, Decide(grounds="x")).code == "unmet"
    again = fire(V1, case, "ask_departments_again", leader, Decide(grounds="x"), MONDAY, LAW)[-1].after
    assert (again.state, again.round, again.answered()) == ("awaiting_sign_off", 2, frozenset())
    done = answered(again, "ecology", "construction")
    assert done.state == "awaiting_decision"
    assert fire(V1, done, "grant", leader, Decide(grounds="x"), MONDAY, LAW)[-1].after.state == "granted"


@settings(max_examples=60, deadline=None)
@given(order=st.permutations(DEPARTMENTS),
       verdicts=st.lists(st.sampled_from((Verdict.AGREE, Verdict.OBJECT)), min_size=5, max_size=5))
def test_in_the_first_version_every_department_answers_in_whatever_order(
    order: list[str], verdicts: list[Verdict]
) -> None:
    case = case_in(V1, "awaiting_sign_off", facts={"departments": list(DEPARTMENTS)})
    for index, department in enumerate(order):
        assert case.state == "awaiting_sign_off"
        open_duties = duties(V1, case.state, AGENCY, case.facts, case.answered())
        assert {d.holder for d in open_duties} == {f"department:{d}" for d in order[index:]}
        case = answered(case, department, verdict=verdicts[index].value)
    assert case.state == "awaiting_decision"


# -- separation of duties --------------------------------------------------------------------------------------


def test_nobody_acts_for_the_authority_on_an_agency_they_belong_to() -> None:
    for name, actor in STAFF.items():
        if actor is SYSTEM:
            continue
        insider = with_affiliation(actor, AGENCY)
        for case in every_case(CMA):
            assert all(o.unmet for o in offers(CMA, case, insider) if not o.action.on_applicant_side), name


def test_who_took_part_does_not_decide_even_with_another_account() -> None:
    decided = case_in(
        CMA, "awaiting_decision", facts=FACTS[1], sign_offs=AGREED, acts=(Act("accept", "two-hats"),)
    )
    other_account = replace(person("two-hats", Role.LEADER), account_id=999)
    assert refusal_of(decided, "grant", other_account, Decide(grounds="x")).code == "forbidden"
    assert fire(CMA, decided, "grant", STAFF["leader"], Decide(grounds="x"), MONDAY, LAW)


def test_removing_the_separation_of_duties_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "conflict", lambda *_: None)
    with pytest.raises(AssertionError):
        test_nobody_acts_for_the_authority_on_an_agency_they_belong_to()
    with pytest.raises(pytest.fail.Exception):
        test_who_took_part_does_not_decide_even_with_another_account()


# -- tracks, corrections, teams ----------------------------------------------------------------------------------


def test_a_track_is_taken_by_its_action_and_opens_only_its_own_steps() -> None:
    applicant = applicant_of(AGENCY)
    draft = case_in(CMA, "draft", facts={**FACTS[1], "commitment_text_sha256": ""})
    names = {o.action.name for o in offers(CMA, draft, applicant)}
    assert {"submit", "choose_commitment_track"} <= names and "submit_on_commitment" not in names
    quick = fire(CMA, draft, "choose_commitment_track", applicant, Plain(), MONDAY, LAW)[-1].after
    assert (quick.state, quick.track) == ("draft", "commitment")
    names = {o.action.name for o in offers(CMA, quick, applicant)}
    assert {"submit_on_commitment", "return_to_general_track"} <= names and "submit" not in names
    assert refusal_of(quick, "submit_on_commitment", applicant).code == "unmet"
    back = fire(CMA, quick, "return_to_general_track", applicant, Plain(), MONDAY, LAW)[-1].after
    assert back.track == "general"


def test_a_second_correction_is_lawful_only_for_what_came_with_the_first() -> None:
    case = case_in(CMA, "submitted", facts={"corrections": 1})
    items = (CorrectionItem("平面图", "缺比例尺"),)
    second = RequestCorrection(items=items)
    assert refusal_of(case, "request_correction", STAFF["window_officer"], second).code == "unmet"
    from_it = RequestCorrection(items=items, from_corrected_material=True)
    steps = fire(CMA, case, "request_correction", STAFF["window_officer"], from_it, MONDAY, LAW)
    assert steps[-1].after.fact("corrections") == 2


def test_a_team_of_one_is_not_lawful() -> None:
    case = case_in(CMA, "accepted")
    alone = OrganiseReview(mode="remote", leader="a", members=("a",), planned_on=MONDAY)
    assert refusal_of(case, "organise_review", STAFF["review_organiser"], alone).code == "unmet"


# -- the machine -------------------------------------------------------------------------------------------------


def test_the_machine_knows_no_way_around_the_actions_and_keeps_no_case() -> None:
    for procedure in procedures.every():
        machine = engine.machine_for(procedure)
        assert set(machine.events) == {a.name for a in procedure.actions}
        assert machine.models == []
        assert engine.machine_for(procedure) is machine


def test_firing_changes_nothing_but_what_it_returns() -> None:
    case = case_in(CMA, "draft", facts=dict(FACTS[1]))
    copy = replace(case, facts=dict(case.facts))
    after = fire(CMA, case, "submit", applicant_of(AGENCY), Plain(), MONDAY, LAW)[-1].after
    assert case == copy
    assert after.acts == (Act("submit", f"applicant-{AGENCY}"),)
    assert after.version == case.version + 1


def test_an_act_is_remembered_once_for_each_person() -> None:
    case = case_in(CMA, "under_review", facts=FACTS[1])
    for _ in range(3):
        command = usual_command("confirm_rows", CMA.by_name["confirm_rows"].command)
        case = fire(CMA, case, "confirm_rows", STAFF["is_on_the_team"], command, MONDAY, LAW)[-1].after
    assert case.acts == (Act("confirm_rows", "reviewer"),)
    assert case.version == 3
