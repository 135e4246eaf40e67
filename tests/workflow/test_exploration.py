"""Sound procedures are proved, spoilt ones refused with a story that the engine lives again."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.store.factories import department_officer, person
from tests.workflow.second_checker import Second
from tests.workflow.small_procedures import Raw, act, as_yaml, clock, mutated, small_procedure, state, when
from workflow import procedures
from workflow.commands import Plain
from workflow.exploration import prove
from workflow.procedure import DefinitionError, Procedure, load, parse
from workflow.proofs import Proof, Standing, Verdict
from workflow.stories import Kind, StoryBroken, replay
from workflow.vocabulary import Actor, Role

CMA = procedures.HERE / "cma.v1.yaml"
VERIFICATION = procedures.HERE / "cma_verification.v1.yaml"
BUREAU: tuple[Actor, ...] = (
    *(person(role.value, role) for role in Role if role not in (
        Role.APPLICANT, Role.SYSTEM, Role.DEPARTMENT_OFFICER, Role.REVIEWER)),
    person("reviewer", Role.REVIEWER, account_id=9001),
    department_officer("ecology"), department_officer("construction"),
)  # fmt: skip


def definition(raw: Raw) -> Procedure:
    return parse(as_yaml(raw), "small.yaml")


def raw_of(path: Path) -> Raw:
    return dict(YAML(typ="safe", pure=True).load(path.read_text("utf-8")))


def spoilt(path: Path, spoil: Callable[[Raw], object]) -> Procedure:
    raw = raw_of(path)
    spoil(raw)
    return definition(raw)


def refused(procedure: Procedure, key: str, **given: Any) -> tuple[Proof, list[str]]:
    """The proof, which fails this property, and its story in English; every story told is lived again."""
    proof = prove(procedure, **given)
    assert proof.verdict is Verdict.REFUSED and not proof.may_activate
    for found in proof.failing:
        if found.story:
            replay(found.story, procedure)
    failing = {p.key: p for p in proof.properties}[key]
    assert failing.standing is Standing.FAILS and failing.story is not None, proof.plain()
    return proof, list(failing.story.lines("en"))


# -- what is sound -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [VERIFICATION, CMA], ids=lambda p: p.stem)
def test_a_shipped_procedure_is_proved(path: Path) -> None:
    procedure = load(path)
    proof = prove(procedure, people=BUREAU, departments=["ecology", "construction"])
    assert proof.verdict is Verdict.PROVED, proof.plain()
    assert {p.key for p in proof.properties if p.standing is not Standing.HOLDS} == {"limits_have_articles"}
    assert proof.digest == procedure.digest and proof.states_visited > 10 and proof.transitions > 10
    assert not proof.may_activate, "the table of limits was not looked at"


def test_what_was_not_looked_at_is_not_proved() -> None:
    procedure = load(VERIFICATION)
    broken_off = prove(procedure, max_states=5)
    assert broken_off.verdict is Verdict.UNDECIDED and not broken_off.may_activate
    assert broken_off.states_visited == 0
    unasked = {p.key for p in prove(procedure).properties if p.standing is Standing.NOT_ASKED}
    assert unasked == {"limits_have_articles", "somebody_is_left"}


# -- planted faults ------------------------------------------------------------------------------------------


def test_a_lost_correction_path_is_told() -> None:
    def lose(raw: Raw) -> None:
        del raw["actions"]["resubmit"]

    _, story = refused(spoilt(CMA, lose), "finishes")
    assert story[0].startswith("the applicant: “Submit the application”")
    assert story[-2].startswith("a window officer: “Request correction”")
    assert story[-1].startswith("From “Awaiting correction by the applicant” a case may never be finished: "
                                "what can still be done only leads round or to its retraction.")


def test_an_unreachable_quorum_is_told() -> None:
    """Two have to agree, and an application may call for one department only: then nothing can be decided."""
    raw = _signed_off({"at_least": 2, "of": {"each": "departments"}})
    del raw["actions"]["refuse"], raw["states"]["refused"]
    _, story = refused(definition(raw), "finishes")
    assert story[0] == ("the applicant: “Submit” (with departments = —). The case is now “Sign off”.") or len(story) > 1
    assert story[-1].startswith("From “Awaiting decision” a case may never be finished: nothing more can happen there")


def test_a_quorum_beyond_its_signers_is_refused_at_load() -> None:
    with pytest.raises(DefinitionError, match="3 cannot agree when 2 are asked"):
        definition(_signed_off({"at_least": 3, "of": ["d1", "d2"]}))


def test_a_state_without_a_person_is_told() -> None:
    def empty(raw: Raw) -> None:
        raw["states"]["printed"]["duties"] = [{"role": "inspector"}]

    _, story = refused(spoilt(CMA, empty), "attended")
    assert story[-2] == "an issuing clerk: “Print the certificate”. The case is now “Printed, to be delivered”."
    assert story[-1] == ("“Printed, to be delivered” waits for an inspector, and nobody of them may take any step "
                         "there.")


def test_a_grant_that_skips_the_signature_is_told() -> None:
    def unsigned(raw: Raw) -> None:
        del raw["actions"]["grant"]["reauthenticate"]

    proof, story = refused(spoilt(CMA, unsigned), "grant_is_decided")
    assert "a leader: “Grant”" in "\n".join(story)
    assert story[-1] == "A grant is reached without a signature."
    assert proof.story is not None and proof.story.lines("zh")[-1] == "未经签署即准予许可。"


def test_a_way_round_the_decision_is_told() -> None:
    def shortcut(raw: Raw) -> None:
        raw["actions"]["quick"] = act("quick", "accepted", "printed", "review_organiser")

    _, story = refused(spoilt(CMA, shortcut), "grant_is_decided")
    assert "a review organiser: “Quick”" in "\n".join(story)
    assert story[-1] == "A grant is reached without a decision."


def test_what_was_decided_before_a_new_round_does_not_count() -> None:
    """Decided and signed, taken back, and granted by another door: the first signature is not one for the second."""
    raw = _decided()
    raw["actions"]["reopen"] = act("reopen", "granted", "awaiting_decision", "leader")
    raw["actions"]["wave_through"] = act(
        "wave_through", "awaiting_decision", "closed", "leader", guards=[when("decision_grounds", present=True)])
    raw["actions"]["grant"]["effects"] = [{"keep": {"decision_grounds": "grounds"}}]
    _, story = refused(definition(raw), "grant_is_decided")
    assert [line.split("“")[1].split("”")[0] for line in story[:-1]][-2:] == ["Reopen", "Wave through"]


def test_a_refusal_without_reasons_is_told() -> None:
    def curt(raw: Raw) -> None:
        raw["actions"]["refuse"] |= {"command": "Decide", "effects": []}

    _, story = refused(spoilt(CMA, curt), "refusal_has_reasons")
    assert story[-1] == "The application is refused without reasons and remedies in writing."


def test_a_clock_left_running_is_told() -> None:
    def leave(raw: Raw) -> None:
        raw["clocks"]["delivery"]["runs_in"] = ["granted", "printed", "closed"]

    _, story = refused(spoilt(CMA, leave), "leaves_nothing")
    assert story[-1] == "The case has ended with “Delivered and closed”, and still open is: Certificate."


def test_a_lapse_that_cannot_act_is_told() -> None:
    def hinder(raw: Raw) -> None:
        raw["actions"]["deem_accepted"]["guards"] = [when("commitment_bars", empty=True)]

    _, story = refused(spoilt(CMA, hinder), "lapses_act")
    assert story[-1].startswith("A limit runs out and “Deemed accepted” is refused, so the case stands still")
    assert "reasons against the commitment track" in "\n".join(story), "what makes it fail stands in the story"


def test_a_lapse_that_nobody_calls_for_is_told() -> None:
    def forget(raw: Raw) -> None:
        del raw["clocks"]["rectification"]["on_lapse"]

    proof = prove(spoilt(CMA, forget))
    finding = {p.key: p.plain()["finding"] for p in proof.failing}["no_dead_action"]
    assert finding["en"] == (
        "“Rectification not made in time” can never be taken: it is the system's, and no clock and no job calls for it."
    )


def test_a_case_that_goes_round_by_itself_is_told() -> None:
    raw = _decided()
    raw["states"]["waiting"] = state("waiting", "leader")
    raw["clocks"] = {"one": clock("awaiting_decision", on_lapse="wait"), "other": clock("waiting", on_lapse="go_on")}
    raw["actions"]["wait"] = act("wait", "awaiting_decision", "waiting", "is_the_system")
    raw["actions"]["go_on"] = act("go_on", "waiting", "awaiting_decision", "is_the_system")
    raw["actions"]["close"] = act("close", "waiting", "awaiting_decision", "leader")
    _, story = refused(definition(raw), "bounded")
    assert story[-1].startswith("The case goes round by itself, without anybody acting:")


def test_answers_without_end_are_told() -> None:
    raw = _signed_off({"all": {"each": "departments"}})
    raw["actions"]["answer"]["guards"] = []
    proof, story = refused(definition(raw), "bounded")
    assert story[-1].startswith("sign_offs grows without end by repeating “Answer”.")
    assert {p.standing for p in proof.properties if p.key == "finishes"} == {Standing.UNDECIDED}


def test_a_fact_that_nobody_writes_is_told() -> None:
    def ask(raw: Raw) -> None:
        raw["actions"]["deliver"]["guards"] = [when("never_written", present=True)]

    _, story = refused(spoilt(CMA, ask), "no_dead_action")
    assert story[-1] == ("“Deliver to the applicant” can never be taken: never_written is not as it must be.")


# -- with the people of the bureau -----------------------------------------------------------------------------

LEADER, CLERK = person("leader", Role.LEADER), person("clerk", Role.ISSUING_CLERK)


def test_a_bureau_without_a_clerk_never_delivers() -> None:
    _, story = refused(definition(_decided()), "somebody_is_left", people=[LEADER])
    assert story[-1] == ("From “Granted” a case may never be finished: it waits for an issuing clerk, and nobody of "
                         "them may act.")


def test_separation_of_duties_leaves_nobody() -> None:
    """The only leader also sits at the window: whoever accepts may not decide."""
    both = person("both", Role.LEADER, Role.WINDOW_OFFICER)
    proof, story = refused(definition(_accepted()), "somebody_is_left", people=[both, CLERK])
    assert story == [
        "the applicant: “Submit”. The case is now “Submitted”.",
        "both (a window officer): “Accept”. The case is now “Awaiting decision”.",
        "From “Awaiting decision” a case may never be finished: it waits for a leader, and nobody of them may act."]
    assert proof.people_digest is not None


def test_a_second_leader_is_enough() -> None:
    both = person("both", Role.LEADER, Role.WINDOW_OFFICER)
    proof = prove(definition(_accepted()), people=[both, LEADER, CLERK])
    assert {p.key: p.standing for p in proof.properties}["somebody_is_left"] is Standing.HOLDS
    assert proof.verdict is Verdict.PROVED


def test_two_leaders_who_both_sit_at_the_window_may_use_each_other_up() -> None:
    """One asks for a correction, the other accepts: neither may decide any more."""
    two = [person(n, Role.LEADER, Role.WINDOW_OFFICER) for n in ("one", "other")]
    _, story = refused(definition(_accepted()), "somebody_is_left", people=[*two, CLERK])
    assert [line.split(" (")[0].split(":")[0] for line in story[:-1]] == [
        "the applicant", "one", "the applicant", "other"] and "“Awaiting decision”" in story[-1]


def test_a_department_that_may_be_called_for_and_has_no_officer_is_told() -> None:
    people = [LEADER, CLERK, department_officer("ecology")]
    raw = _signed_off({"all": {"each": "departments"}})
    assert prove(definition(raw), people=people).verdict is Verdict.PROVED
    _, story = refused(definition(raw), "somebody_is_left", people=people, departments=["ecology", "transport"])
    assert "a department officer (transport)" in story[-1]


def test_who_withdrew_is_missing_when_the_department_is_asked_again() -> None:
    """The one officer of a department recuses, the leader asks the department anew: nobody of it may answer."""
    raw = _signed_off({"all": {"each": "departments"}})
    raw["actions"]["ask_again"] = act("ask_again", "awaiting_decision", "sign_off", "leader", command="AskAgain",
                                      guards=["somebody_is_asked_again"])
    people = [LEADER, CLERK, department_officer("ecology")]
    _, story = refused(definition(raw), "somebody_is_left", people=people)
    assert "“Ask again”" in story[-2] and "a department officer (ecology)" in story[-1]
    colleague = replace(department_officer("ecology", "colleague"), account_id=77)
    again = prove(definition(raw), people=[*people, colleague])
    assert {p.key: p.standing for p in again.properties}["somebody_is_left"] is Standing.FAILS, "both may withdraw"


def test_who_withdrew_holds_nobody_up_where_a_limit_passes_them_over() -> None:
    """The same, but when the time for the answers is over the leader may close the sign-off without them."""
    raw = _signed_off({"all": {"each": "departments"}})
    raw["clocks"] = {"opinion": clock("sign_off", on_lapse="note_silence")}
    raw["actions"] |= {
        "ask_again": act("ask_again", "awaiting_decision", "sign_off", "leader", command="AskAgain",
                         guards=["somebody_is_asked_again"]),
        "note_silence": act("note_silence", "sign_off", None, "is_the_system", effects=["note_silence"]),
        "close_sign_off": act("close_sign_off", "sign_off", "awaiting_decision", "leader",
                              guards=["silence_may_be_passed_over"], effects=["close_without_the_silent"])}
    people = [LEADER, CLERK, department_officer("ecology")]
    proof = prove(definition(raw), people=people)
    assert {p.key: p.standing for p in proof.properties}["somebody_is_left"] is Standing.HOLDS, proof.plain()["story"]
    several = [*people, replace(department_officer("ecology", "colleague"), account_id=77)]
    proof = prove(definition(raw), people=several)
    assert {p.key: p.standing for p in proof.properties}["somebody_is_left"] is Standing.HOLDS, "both may withdraw"
    del raw["actions"]["close_sign_off"]
    refused(definition(raw), "somebody_is_left", people=people)


# -- stories ---------------------------------------------------------------------------------------------------


def test_a_story_that_the_engine_does_not_allow_is_found_out() -> None:
    def lose(raw: Raw) -> None:
        del raw["actions"]["resubmit"]

    procedure = spoilt(CMA, lose)
    story = prove(procedure).story
    assert story is not None
    replay(story, procedure)
    first = story.steps[0]
    for wrong in (
        replace(first, to="accepted"),
        replace(first, actor=BUREAU[0]),
        replace(first, learned={**first.learned, "dossier_gaps": ["a gap"]}),
        replace(first, command=object.__new__(Plain.__mro__[1])),
        replace(first, kind=Kind.LAPSE),
    ):
        with pytest.raises(StoryBroken, match="step 1"):
            replay(replace(story, steps=(wrong, *story.steps[1:])), procedure)
    with pytest.raises(StoryBroken):
        replay(replace(story, state="closed"), procedure)


def test_a_story_is_the_shortest() -> None:
    raw = _decided()
    raw["actions"]["grant"].pop("reauthenticate")
    raw["actions"]["detour"] = act("detour", "draft", "draft", "is_the_applicant")
    story = prove(definition(raw)).story
    assert story is not None and [s.action for s in story.steps] == ["submit", "grant", "deliver"]


# -- two opinions ----------------------------------------------------------------------------------------------


def two_opinions(seeds: range) -> tuple[int, int, list[str]]:
    """(definitions, stories replayed, disagreements in words) over small procedures, three in four of them spoilt."""
    stories, wrong = 0, []
    for seed in seeds:
        chance = random.Random(seed)
        raw, what = small_procedure(chance), "nothing"
        if seed % 4:
            raw, what = mutated(raw, chance)
        second = Second(raw)
        try:
            procedure = parse(as_yaml(raw), "small.yaml")
        except DefinitionError as fault:
            if not second.faults:
                wrong.append(f"{seed} ({what}): refused at load, the second opinion finds nothing: {fault}")
            continue
        proof = prove(procedure)
        if (proof.verdict is Verdict.PROVED) != (not second.faults) or proof.verdict is Verdict.UNDECIDED:
            wrong.append(f"{seed} ({what}): {proof.verdict} against {second.faults[:3]}")
        if not seed % 4 and proof.verdict is not Verdict.PROVED:
            wrong.append(f"{seed}: a sound procedure was refused")
        for found in proof.failing:
            if found.story:
                stories += 1
                try:
                    replay(found.story, procedure)
                except StoryBroken as broken:
                    wrong.append(f"{seed} ({what}), {found.key}: {broken}")
    return len(seeds), stories, wrong


def test_two_opinions_agree_and_every_story_replays() -> None:
    tried, stories, wrong = two_opinions(range(100))
    assert wrong == [] and tried == 100 and stories > 20


def _decided() -> Raw:
    """Filed, granted or refused, delivered."""
    return {
        "name": "small", "version": 1, "title": {"en": "Small", "zh": "小"}, "basis": {"en": "None", "zh": "无"},
        "initial": "draft", "tracks": {"general": {"en": "General", "zh": "一般"}},
        "states": {
            "draft": state("draft", "applicant", editable=True),
            "awaiting_decision": state("awaiting_decision", "leader"),
            "granted": state("granted", "issuing_clerk"),
            "closed": state("closed", final=True, outcome="granted"),
            "refused": state("refused", final=True, outcome="refused")},
        "clocks": {},
        "actions": {
            "submit": act("submit", "draft", "awaiting_decision", "is_the_applicant"),
            "grant": act("grant", "awaiting_decision", "granted", "leader", command="Decide", irreversible=True,
                         reauthenticate=True),
            "refuse": act("refuse", "awaiting_decision", "refused", "leader", command="Refuse", irreversible=True,
                          reauthenticate=True),
            "deliver": act("deliver", "granted", "closed", "issuing_clerk")},
    }  # fmt: skip


def _accepted() -> Raw:
    """The same, accepted at the window first; whoever asked for a correction or accepted does not decide."""
    raw = _decided()
    raw["states"] |= {"submitted": state("submitted", "window_officer"),
                      "correction": state("correction", "applicant", editable=True)}
    raw["actions"]["submit"]["to"] = "submitted"
    raw["actions"] |= {
        "accept": act("accept", "submitted", "awaiting_decision", "window_officer"),
        "request_correction": act("request_correction", "submitted", "correction", "window_officer",
                                  command="RequestCorrection"),
        "resubmit": act("resubmit", "correction", "submitted", "is_the_applicant")}
    for decision in ("grant", "refuse"):
        raw["actions"][decision]["apart_from"] = ["accept", "request_correction"]
    return raw


def _signed_off(rule: dict[str, Any]) -> Raw:
    """The same with a sign-off before the decision, which has to be agreed for a grant."""
    raw = _decided()
    raw["states"]["sign_off"] = {
        "label": {"en": "Sign off", "zh": "会签"}, "sign_off": rule,
        "duties": [{"role": "department_officer", "signers": True}]}  # fmt: skip
    raw["actions"]["submit"]["to"] = "sign_off"
    raw["actions"] |= {
        "answer": act("answer", "sign_off", None, "answers_for_a_department_asked", command="RecordSignOff",
                      guards=["department_still_owes_an_answer"], effects=["record_sign_off"], side_by_side=True),
        "join": act("join", "sign_off", "awaiting_decision", "is_the_system", automatic=True,
                    guards=["sign_off_is_settled"])}  # fmt: skip
    raw["actions"]["grant"]["guards"] = ["sign_off_is_agreed"]
    return raw
