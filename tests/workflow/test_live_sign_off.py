"""The sign-off formula at work: who is asked, when the join comes, what the grant needs, what stands in a new round."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.store.factories import LEADER, department_officer, person
from tests.workflow.test_clocks import LAW_OF_ALL as LAW
from tests.workflow.test_engine import FACTS, MONDAY
from tests.workflow.test_procedure_grammar import written
from tests.workflow.test_sign_offs import VERDICTS, by_force, people, written_rule
from workflow import effects, engine, guards, procedures, rounds, sign_offs
from workflow.case import Act, Case, SignOff
from workflow.commands import AskAgain, Decide, Plain, RecordSignOff
from workflow.engine import Step, fire
from workflow.procedure import DefinitionError, Procedure, duties, load
from workflow.vocabulary import SYSTEM, Actor, Message, Refusal, Role, Verdict

CMA = procedures.find("cma", 2)
V1 = procedures.find("cma", 1)
ASKED = ("ecology", "construction", "transport")
FACTS_2 = {**FACTS[1], "departments": list(ASKED)}
T = {"en": "x", "zh": "某"}
Loader = Callable[..., Procedure]


def small(sign_off: dict[str, Any], **state: Any) -> dict[str, Any]:
    """A definition that is little more than a sign-off with this rule."""
    act = {"label": T, "done": T}
    signing = {"label": T, "duties": [{"role": "department_officer", "signers": True}], "sign_off": sign_off, **state}
    return {
        "name": "small", "version": 1, "title": T, "basis": T, "initial": "prepared", "tracks": {"general": T},
        "states": {
            "prepared": {"label": T, "duties": [{"role": "leader"}]}, "signing": signing,
            "decided": {"label": T, "duties": [{"role": "leader"}]},
            "done": {"label": T, "final": True, "outcome": "granted"},
        },
        "actions": {
            "ask": {**act, "from": ["prepared"], "to": "signing", "who": "leader"},
            "sign_off": {**act, "from": ["signing"], "who": "answers_for_a_department_asked", "side_by_side": True,
                         "command": "RecordSignOff", "guards": ["department_still_owes_an_answer"],
                         "effects": ["record_sign_off"]},
            "join": {**act, "from": ["signing"], "to": "decided", "who": "is_the_system", "automatic": True,
                     "guards": ["sign_off_is_settled"]},
            "back": {**act, "from": ["signing", "decided"], "to": "prepared", "who": "leader"},
            "again": {**act, "from": ["decided"], "to": "signing", "who": "leader", "command": "AskAgain",
                      "guards": ["somebody_is_asked_again"]},
            "grant": {**act, "from": ["decided"], "to": "done", "who": "leader", "guards": ["sign_off_is_agreed"]},
        },
    }  # fmt: skip


@pytest.fixture
def loaded(tmp_path: Path) -> Loader:
    """`loaded(rule, **state)`: the small definition with this rule, through the grammar and the proof-reading."""
    return lambda rule, **state: load(written(tmp_path, small(rule, **state)))


def case_at(procedure: Procedure, state: str, **more: Any) -> Case:
    facts = FACTS_2 if procedure.name == "cma" else {}
    return Case(1, procedure.name, procedure.version, state, "general", 7, **{"facts": facts, **more})


def step(procedure: Procedure, case: Case, name: str, actor: Actor = LEADER, command: Any = None) -> list[Step]:
    return fire(procedure, case, name, actor, command or Plain(), MONDAY, LAW)


def answered(procedure: Procedure, case: Case, department: str, verdict: str = "agree", by: str = "") -> Case:
    command = RecordSignOff(verdict=verdict, opinion="意见")  # type: ignore[arg-type]
    return step(procedure, case, "sign_off", department_officer(department, by), command)[-1].after


def refusal_of(procedure: Procedure, case: Case, name: str, actor: Actor = LEADER, command: Any = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        step(procedure, case, name, actor, command)
    return caught.value


def open_to(procedure: Procedure, case: Case) -> list[str]:
    """The departments that have an open duty."""
    found = duties(procedure, case.state, case.agency_id, case.facts, case.answered())
    return sorted(d.holder.removeprefix("department:") for d in found if d.holder)


def plain(reason: Message, language: str = "en") -> str:
    return sign_offs.spoken([reason], language, {"ecology": "Ecology", "transport": "Transport", "fire": "Fire"})


# -- the formula against force ---------------------------------------------------------------------------------


def histories(procedure: Procedure, written_: dict[str, Any], rng: random.Random) -> Iterator[str]:
    """Where the engine and the second reading part, over random orders and verdicts."""
    everyone = people(written_)
    for _ in range(12):
        case, said = step(procedure, case_at(procedure, "prepared"), "ask")[-1].after, {}
        for department in rng.sample(everyone, len(everyone)):
            verdict = rng.choice(VERDICTS)
            said[department] = verdict
            if case.state == "signing":
                case = answered(procedure, case, department, verdict)
            found = by_force(written_, said)
            if (case.state == "signing") != (found == "open"):
                yield f"{written_} {said}: {case.state}, by force {found}"
            if case.state == "signing" and open_to(procedure, case) != sorted(set(everyone) - set(said)):
                yield f"{written_} {said}: duties {open_to(procedure, case)}"
            if case.state == "decided":
                may = all(offer.unmet is None for offer in engine.offers(procedure, case, LEADER)
                          if offer.action.name == "grant")  # fmt: skip
                if may != (found == "agreed"):
                    yield f"{written_} {said}: grant {may}, by force {found}"
                break


@pytest.mark.parametrize("seed", range(24))
def test_the_join_comes_as_soon_as_no_answer_can_change_the_outcome_and_no_earlier(loaded: Loader, seed: int) -> None:
    rng = random.Random(seed)  # not a secret
    rule = written_rule(rng, list("abcde"), 2)
    assert list(histories(loaded(rule), rule, rng)) == []


def test_a_join_that_waits_for_everybody_is_noticed(loaded: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above is known to be able to fail."""
    procedure = loaded({"any": ["a", "b"]})
    late = replace(procedure.by_name["join"], guards=(guards.NAMED["every_department_answered"],))
    slow = Procedure(procedure.spec, tuple(late if a.name == "join" else a for a in procedure.actions), "slow")
    case = step(slow, case_at(slow, "prepared", facts={"departments": ["a", "b"]}), "ask")[-1].after
    assert answered(slow, case, "a").state == "signing"


# -- version 2 of CMA --------------------------------------------------------------------------------------------


def test_an_objection_settles_the_sign_off_and_closes_the_duties_of_the_others() -> None:
    case = answered(CMA, case_at(CMA, "awaiting_sign_off"), "ecology")
    assert open_to(CMA, case) == ["construction", "transport"]
    case = answered(CMA, case, "transport", "object")
    assert (case.state, open_to(CMA, case)) == ("awaiting_decision", [])
    officer = department_officer("construction")
    assert refusal_of(CMA, case, "sign_off", officer, RecordSignOff()).code == "unavailable"


def test_an_agreement_waits_for_everybody_who_may_still_object() -> None:
    case = case_at(CMA, "awaiting_sign_off")
    for department, verdict in (("ecology", "agree"), ("construction", "abstain")):
        case = answered(CMA, case, department, verdict)
        assert case.state == "awaiting_sign_off"
    case = answered(CMA, case, "transport", "recused")
    assert case.state == "awaiting_decision"
    assert step(CMA, case, "grant", LEADER, Decide(grounds="x"))[-1].after.state == "granted"


def test_a_grant_without_agreement_is_refused_in_words_in_both_languages() -> None:
    case = answered(CMA, answered(CMA, case_at(CMA, "awaiting_sign_off"), "ecology"), "transport", "object")
    reason = refusal_of(CMA, case, "grant", LEADER, Decide(grounds="x")).reason
    assert "1 of 3 departments agree, none may object; Objected: Transport; Not answered yet: construction" in plain(
        reason
    )
    assert "反对：Transport" in plain(reason.values["standing"], "zh")


def test_what_is_missing_is_said_with_the_veto_that_waits(loaded: Loader) -> None:
    rule = {"at_least": 2, "of": ["ecology", "fire", "transport"], "veto": ["fire"]}
    procedure = loaded(rule)
    case = answered(procedure, answered(procedure, case_at(procedure, "signing"), "ecology"), "transport")
    unmet = guards.sign_off_is_settled(procedure, case, SYSTEM, None)
    assert unmet is not None
    assert "2 of 3 departments agree, 2 needed; Fire has a veto and has not answered" in plain(unmet)


def test_nobody_asked_is_nobody_to_wait_for() -> None:
    concluded = case_at(CMA, "under_review", facts={**FACTS_2, "departments": []})
    leader_of_team = person("team-leader", Role.TEAM_LEADER)
    case = step(CMA, concluded, "conclude_meets", leader_of_team)[-1].after
    assert case.state == "awaiting_decision"
    assert step(CMA, case, "grant", LEADER, Decide(grounds="x"))[-1].after.state == "granted"


def test_the_first_version_knows_only_yes_and_no() -> None:
    case = Case(1, "cma", 1, "awaiting_sign_off", "general", 7, facts=FACTS_2)
    for verdict in ("abstain", "recused"):
        command = RecordSignOff(verdict=verdict, opinion="理由")  # type: ignore[arg-type]
        assert refusal_of(V1, case, "sign_off", department_officer("ecology"), command).code == "unmet"
    assert answered(V1, case, "ecology", "object").state == "awaiting_sign_off"


# -- a new round -------------------------------------------------------------------------------------------------


def through(case: Case, **verdicts: str) -> Case:
    for department, verdict in verdicts.items():
        case = answered(CMA, case, department, verdict)
    return case


def reopened(case: Case, *departments: str, **facts: Any) -> list[Step]:
    changed = case.with_facts(**facts)
    return step(CMA, changed, "ask_departments_again", LEADER, AskAgain(departments=departments, grounds="须核实"))


def test_asking_one_department_again_leaves_the_other_answers_standing() -> None:
    before = through(case_at(CMA, "awaiting_sign_off"), ecology="agree", construction="agree", transport="object")
    [asked_again] = reopened(before, "transport")
    case = asked_again.after
    assert (case.state, case.round, open_to(CMA, case)) == ("awaiting_sign_off", 2, ["transport"])
    assert {s.department: s.carried_from for s in case.current_sign_offs()} == {"ecology": 1, "construction": 1}
    assert asked_again.record == {
        "round": 2, "stand": {"ecology": 1, "construction": 1}, "changed": {}, "again": ["transport"]
    }  # fmt: skip
    done = answered(CMA, case, "transport")
    assert done.state == "awaiting_decision"
    assert step(CMA, done, "grant", LEADER, Decide(grounds="x"))[-1].after.state == "granted"


def test_only_the_answers_whose_subjects_changed_lose_force() -> None:
    before = through(case_at(CMA, "awaiting_sign_off"), ecology="agree", construction="agree", transport="agree")
    [again] = reopened(before, asked_about={"ecology": "other rows"})
    assert open_to(CMA, again.after) == ["ecology"]
    assert again.record["changed"] == {"ecology": ["asked_about.ecology"]}
    [again] = reopened(before, agency_address="新址")
    assert open_to(CMA, again.after) == sorted(ASKED)
    assert set(again.record["changed"]) == set(ASKED)


def test_what_changed_before_an_answer_was_given_does_not_touch_it() -> None:
    case = answered(CMA, case_at(CMA, "awaiting_sign_off"), "ecology").with_facts(agency_address="新址")
    case = answered(CMA, answered(CMA, case, "construction"), "transport", "object")
    assert open_to(CMA, reopened(case, "transport")[-1].after) == ["ecology", "transport"]


def test_an_answer_that_stands_twice_names_the_round_in_which_it_was_given() -> None:
    case = through(case_at(CMA, "awaiting_sign_off"), ecology="agree", construction="agree", transport="object")
    for number in (2, 3):
        case = answered(CMA, reopened(case, "transport")[-1].after, "transport", "object")
        assert case.round == number
    assert {s.department: s.carried_from for s in case.current_sign_offs()} == {
        "ecology": 1, "construction": 1, "transport": None}  # fmt: skip


def test_a_return_to_the_review_and_back_is_a_new_round_that_asks_only_whom_it_touches(loaded: Loader) -> None:
    procedure = loaded({"all": ["a", "b", "c"]}, subjects={"each": ["site"], "b": ["scope"]})
    facts = {"site": "one", "scope": "all"}
    case = step(procedure, case_at(procedure, "prepared", facts=facts), "ask")[-1].after
    case = answered(procedure, answered(procedure, case, "a"), "b")
    case = step(procedure, case, "back")[-1].after.with_facts(site="two")
    [entered] = step(procedure, case, "ask")
    assert (entered.after.round, open_to(procedure, entered.after)) == (2, ["a", "c"])
    assert entered.record["stand"] == {"b": 1}


def test_a_definition_that_names_no_subjects_asks_everybody_again(loaded: Loader) -> None:
    procedure = loaded({"all": ["a", "b"]})
    case = answered(procedure, case_at(procedure, "signing"), "a")
    case = step(procedure, case, "back")[-1].after
    [entered] = step(procedure, case, "ask")
    assert (entered.after.round, open_to(procedure, entered.after)) == (2, ["a", "b"])


def test_the_first_entry_opens_no_second_round() -> None:
    concluded = case_at(CMA, "under_review", facts={**FACTS_2, "sign_off_silence": 0})
    [entered] = step(CMA, concluded, "conclude_meets", person("team-leader", Role.TEAM_LEADER))
    assert (entered.after.round, entered.record) == (1, {})


def test_a_round_in_which_every_answer_stands_is_not_opened() -> None:
    case = through(case_at(CMA, "awaiting_sign_off"), ecology="agree", construction="agree", transport="agree")
    command = AskAgain(grounds="x")
    assert refusal_of(CMA, case, "ask_departments_again", LEADER, command).code == "unmet"
    stranger = AskAgain(departments=("meteorology",), grounds="x")
    assert refusal_of(CMA, case, "ask_departments_again", LEADER, stranger).code == "unmet"


def test_who_has_recused_oneself_stays_out_and_a_colleague_answers() -> None:
    case = answered(CMA, case_at(CMA, "awaiting_sign_off"), "ecology", "recused", by="conflicted")
    case = answered(CMA, case, "construction", "object")
    again = reopened(case, "ecology", "construction")[-1].after
    officer = department_officer("ecology", "conflicted")
    assert refusal_of(CMA, again, "sign_off", officer, RecordSignOff()).code == "forbidden"
    assert answered(CMA, again, "ecology", by="colleague").answered() == {"ecology"}


def test_one_person_does_not_answer_for_two_departments_in_a_round() -> None:
    case = answered(CMA, case_at(CMA, "awaiting_sign_off"), "ecology", by="two-hats")
    officer = department_officer("transport", "two-hats")
    assert refusal_of(CMA, case, "sign_off", officer, RecordSignOff()).code == "forbidden"


# -- silence -----------------------------------------------------------------------------------------------------


def silent(case: Case) -> Case:
    return step(CMA, case, "note_silence", SYSTEM)[-1].after


def test_a_leader_waits_out_the_time_and_then_decides_without_the_silent() -> None:
    case = answered(CMA, case_at(CMA, "awaiting_sign_off", facts={**FACTS_2, "sign_off_silence": 0}), "ecology")
    decision = Decide(grounds="期限届满，交通部门未答复")
    assert refusal_of(CMA, case, "close_sign_off", LEADER, decision).code == "unmet"
    assert refusal_of(CMA, silent(case), "close_sign_off", LEADER, Plain()).code == "malformed"
    closed = step(CMA, silent(case), "close_sign_off", LEADER, decision)[-1].after
    assert closed.fact("sign_off_closing_grounds") == decision.grounds
    assert (closed.state, open_to(CMA, closed)) == ("awaiting_decision", [])
    assert step(CMA, closed, "grant", LEADER, Decide(grounds="x"))[-1].after.state == "granted"


def test_silence_in_one_round_closes_no_other() -> None:
    case = silent(answered(CMA, case_at(CMA, "awaiting_sign_off"), "ecology"))
    closed = step(CMA, case, "close_sign_off", LEADER, Decide(grounds="x"))[-1].after
    again = reopened(closed, "transport")[-1].after
    assert open_to(CMA, again) == ["construction", "transport"]
    assert refusal_of(CMA, again, "close_sign_off", LEADER, Decide(grounds="x")).code == "unmet"
    for department in ("construction", "transport"):
        again = answered(CMA, again, department, "object" if department == "transport" else "agree")
    assert refusal_of(CMA, again, "grant", LEADER, Decide(grounds="x")).code == "unmet"


def test_a_silent_department_may_be_asked_again_though_nobody_has_answered() -> None:
    closed = step(
        CMA, silent(case_at(CMA, "awaiting_sign_off")), "close_sign_off", LEADER, Decide(grounds="x")
    )[-1].after
    assert reopened(closed)[-1].after.round == 2


def test_a_mandatory_signer_is_never_passed_over() -> None:
    rule = sign_offs.All.model_validate({"all": ["ecology", "fire"], "mandatory": ["fire"]})
    states = {**CMA.states, "awaiting_sign_off": CMA.states["awaiting_sign_off"].model_copy(update={"sign_off": rule})}
    procedure = Procedure(CMA.spec.model_copy(update={"states": states}), CMA.actions, "mandatory")
    case = case_at(procedure, "awaiting_sign_off", facts={**FACTS_2, "sign_off_silence": 1})
    unmet = guards.silence_may_be_passed_over(procedure, case, LEADER, None)
    assert unmet is not None and plain(unmet).startswith("Fire must be heard")
    heard = replace(case, sign_offs=(SignOff("fire", Verdict.AGREE, 1, "officer-fire"),))
    assert guards.silence_may_be_passed_over(procedure, heard, LEADER, None) is None


def test_who_has_answered_does_not_close_the_sign_off() -> None:
    case = replace(silent(case_at(CMA, "awaiting_sign_off")), acts=(Act("sign_off", LEADER.person_id),))
    assert refusal_of(CMA, case, "close_sign_off", LEADER, Decide(grounds="x")).code == "forbidden"


@pytest.mark.parametrize("verdicts", list(product((None, *VERDICTS), repeat=3)))
def test_a_leader_is_never_without_a_lawful_way_forward(verdicts: tuple[str | None, ...]) -> None:
    """Whatever was answered: the case is granted, or refused, or comes to a grant by asking again."""
    case = case_at(CMA, "awaiting_sign_off")
    for department, verdict in zip(ASKED, verdicts, strict=True):
        if verdict and case.state == "awaiting_sign_off":
            case = answered(CMA, case, department, verdict)
    if case.state == "awaiting_sign_off":
        case = step(CMA, silent(case), "close_sign_off", LEADER, Decide(grounds="x"))[-1].after
    possible = {o.action.name for o in engine.offers(CMA, case, LEADER) if o.unmet is None}
    assert "refuse" in possible
    if "grant" not in possible:
        case = reopened(case, *ASKED)[-1].after
        for department in ASKED:
            case = answered(CMA, case, department, by=f"colleague-{department}")
        assert "grant" in {o.action.name for o in engine.offers(CMA, case, LEADER) if o.unmet is None}


# -- guards and effects removed one at a time ----------------------------------------------------------------------

PROMISES: dict[str, Callable[[], None]] = {
    "sign_off_is_agreed": test_a_grant_without_agreement_is_refused_in_words_in_both_languages,
    "sign_off_is_settled": test_an_agreement_waits_for_everybody_who_may_still_object,
    "silence_may_be_passed_over": test_a_leader_waits_out_the_time_and_then_decides_without_the_silent,
    "somebody_is_asked_again": test_a_round_in_which_every_answer_stands_is_not_opened,
    "department_still_owes_an_answer": test_the_first_version_knows_only_yes_and_no,
}


@pytest.mark.parametrize("guard", PROMISES)
def test_every_guard_of_the_sign_off_is_missed_when_it_is_gone(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for procedure in (CMA, V1):
        lax = [replace(a, guards=tuple(g for g in a.guards if g.__name__ != guard)) for a in procedure.actions]
        monkeypatch.setitem(procedure.__dict__, "_leaving", {
            s: tuple(a for a in lax if s in a.sources) for s in procedure.states})  # fmt: skip
        monkeypatch.setitem(procedure.__dict__, "by_name", {a.name: a for a in lax})
    with pytest.raises((AssertionError, pytest.fail.Exception, Refusal)):
        PROMISES[guard]()


@pytest.mark.parametrize("rule", ["second_answer", "withdrew"])
def test_every_rule_about_who_answers_is_missed_when_it_is_gone(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    promise = {"second_answer": test_one_person_does_not_answer_for_two_departments_in_a_round,
               "withdrew": test_who_has_recused_oneself_stays_out_and_a_colleague_answers}[rule]  # fmt: skip
    monkeypatch.setattr(engine, rule, lambda *_: None)
    with pytest.raises(pytest.fail.Exception):
        promise()


def test_answers_that_never_rest_on_anything_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "changed_for", lambda *_: ())
    with pytest.raises((AssertionError, Refusal)):
        test_only_the_answers_whose_subjects_changed_lose_force()


# -- the grammar ---------------------------------------------------------------------------------------------------


def drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(definition: dict[str, Any]) -> None:
        place = definition
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return change


def second_sign_off(definition: dict[str, Any]) -> None:
    definition["states"]["decided"]["sign_off"] = {"all": ["a"]}
    definition["states"]["decided"]["duties"] = [{"role": "department_officer", "signers": True}]


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(definition: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place = definition
        for key in way:
            place = place[key]
        place[last] = value

    return change


@pytest.mark.parametrize(
    "change, place, what",
    [
        (second_sign_off, "states.signing.sign_off", "has one sign-off state"),
        (put("states.signing.duties", [{"role": "leader"}]), "states.signing.duties", "nobody is told to answer"),
        (drop("states", "signing", "sign_off"), "states.signing", "need a sign_off"),
        (put("actions.join.guards", []), "states.signing", "no automatic action leads on"),
        (put("actions.sign_off.effects", []), "states.signing", "no action records an answer"),
        (put("states.signing.on_silence", "patience"), "states.signing.on_silence", "no clock called patience"),
        (put("states.signing.sign_off", {"at_least": 3, "of": ["a", "b"]}), "states.signing.sign_off",
         "3 cannot agree"),
        (put("states.signing.sign_off", {"most": ["a"]}), "states.signing.sign_off", "a sign-off rule is one of"),
        (put("states.signing.subjects", {"each": ["Not a fact"]}), "states.signing.subjects", "pattern"),
    ],
)  # fmt: skip
def test_a_sign_off_that_cannot_work_is_refused_at_its_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], place: str, what: str
) -> None:
    definition = small({"all": ["a", "b"]})
    change(definition)
    with pytest.raises(DefinitionError) as caught:
        load(written(tmp_path, definition))
    assert any(fault.startswith(place) and what in fault for fault in caught.value.faults), caught.value.faults


def test_a_lapse_that_nobody_notes_or_follows_is_refused(tmp_path: Path) -> None:
    definition = small({"all": ["a", "b"]}, on_silence="opinion")
    definition["clocks"] = {"opinion": {"label": T, "allowance": "department_opinion", "runs_in": ["signing"]}}
    with pytest.raises(DefinitionError) as caught:
        load(written(tmp_path, definition))
    assert any("the lapse must be noted" in fault for fault in caught.value.faults)
    assert any("no action passes over the silence" in fault for fault in caught.value.faults)


def test_every_department_that_a_definition_names_is_in_the_catalogue() -> None:
    catalogue = YAML(typ="safe", pure=True).load(
        (Path(__file__).parents[2] / "reference" / "departments.yaml").read_text("utf-8")
    )
    known = {row["key"] for row in catalogue["rows"]}
    for procedure in procedures.every():
        named = set(sign_offs.named_by(procedure.sign_off_rule)) if procedure.sign_off_rule else set()
        for state in procedure.states.values():
            named |= set(state.subjects) - {"each"}
        assert named <= known, procedure.name


def test_the_first_version_has_no_formula_and_its_departments_are_a_fact() -> None:
    assert V1.sign_off_rule is None and V1.sign_off_state is None and V1.entering_sign_off == frozenset()
    assert V1.asked({"departments": ["a"]}) == ("a",)
    assert set(effects.NAMED) >= {"open_new_round", "record_sign_off"}


def test_every_order_of_the_same_answers_comes_to_the_same_end() -> None:
    for verdicts in product(VERDICTS, repeat=3):
        ends = set()
        for order in permutations(zip(ASKED, verdicts, strict=True)):
            case = case_at(CMA, "awaiting_sign_off")
            for department, verdict in order:
                if case.state == "awaiting_sign_off":
                    case = answered(CMA, case, department, verdict)
            ends.add((case.state, guards.sign_off_is_agreed(CMA, case, LEADER, None) is None))
        assert len(ends) == 1, verdicts
