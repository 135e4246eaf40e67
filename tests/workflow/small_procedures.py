"""Small sound procedures, every one another, and the ways to spoil one."""

import copy
import random
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

Raw = dict[str, Any]


def words(name: str) -> dict[str, str]:
    return {"en": name.replace("_", " ").capitalize(), "zh": f"步骤 {name}"}


def act(name: str, source: list[str] | str, to: str | None, who: str, **more: Any) -> Raw:
    sources = [source] if isinstance(source, str) else source
    found = {"label": words(name), "done": words(name), "from": sources, "who": who, **more}
    return found | ({"to": to} if to else {})


def state(name: str, *roles: str, **more: Any) -> Raw:
    return {"label": words(name), **({"duties": [{"role": r} for r in roles]} if roles else {}), **more}


def when(fact: str, **test: Any) -> Raw:
    return {"fact": fact, **test, "otherwise": {"en": f"{fact} is not as it must be.", "zh": f"{fact} 不符合要求。"}}


def clock(*runs_in: str, **more: Any) -> Raw:
    return {"label": words("limit"), "allowance": "a_limit", "runs_in": list(runs_in), **more}


def small_procedure(chance: random.Random) -> Raw:
    """A sound procedure: filed, perhaps corrected, perhaps reviewed and signed off, decided, perhaps signed, closed."""
    states = {
        "draft": state("draft", "applicant", editable=True),
        "submitted": state("submitted", "window_officer"),
        "awaiting_decision": state("awaiting_decision", "leader"),
        "closed": state("closed", final=True, outcome="granted"),
        "refused": state("refused", final=True, outcome="refused"),
    }
    complete = chance.sample([when("dossier_gaps", empty=True), when("rows_total", at_least=1)], chance.randint(0, 2))
    actions = {"submit": act("submit", "draft", "submitted", "is_the_applicant", guards=complete)}
    clocks: Raw = {}
    before = "submitted"  # where the case stands before what comes next
    if chance.random() < 0.6:
        states["correction"] = state("correction", "applicant", editable=True)
        actions["request_correction"] = act(
            "request_correction", "submitted", "correction", "window_officer", command="RequestCorrection",
            guards=["correction_is_the_first"], effects=["count_correction"], registers=["open_correction_items"])
        actions["resubmit"] = act("resubmit", "correction", "submitted", "is_the_applicant",
                                  guards=[when("corrections_open", **{"is": 0}), *complete])
    if chance.random() < 0.7:
        states["retracted"] = state("retracted", final=True, outcome="retracted")
        actions["retract"] = act("retract", [s for s in states if not states[s].get("final")], "retracted",
                                 "is_the_applicant", irreversible=True)
    following = "awaiting_decision"
    reviewed, signed_off, lapses = chance.random() < 0.5, chance.random() < 0.6, chance.random() < 0.5
    if signed_off:
        following = "sign_off"
        actions |= _sign_off(states, chance)
    if reviewed:
        following_review, following = following, "under_review"
        states["under_review"] = state("under_review", "team_leader")
        states["under_review"]["duties"] = [{"role": "team_leader", "person": "team_leader"}]
        states["accepted"] = state("accepted", "review_organiser")
        actions["organise"] = act("organise", "accepted", "under_review", "review_organiser", command="OrganiseReview",
                                  effects=["seat_team"])
        actions["record_findings"] = act("record_findings", "under_review", None, "is_on_the_team",
                                         command="RecordFindings", registers=["record_findings"])
        actions["conclude"] = act(
            "conclude", "under_review", following_review, "leads_the_team",
            guards=[when("findings_open", **{"is": 0})], effects=[{"set": {"conclusion": "meets"}}])
        actions["fail"] = act("fail", "under_review", "awaiting_decision", "leads_the_team", command="Decide",
                              effects=[{"set": {"conclusion": "fails"}}])
        following = "accepted"
    actions["accept"] = act("accept", before, following, "window_officer")
    if lapses:
        clocks["acceptance"] = clock("submitted", on_lapse="deem_accepted")
        if "correction" in states:
            clocks["acceptance"]["rests_in"] = {"correction": words("correcting")}
        actions["deem_accepted"] = act("deem_accepted", "submitted", following, "is_the_system")
    actions |= _decision(states, chance, clocks, reviewed, signed_off)
    return {
        "name": "small", "version": 1, "title": words("small"), "basis": words("basis"), "initial": "draft",
        "tracks": {"general": words("general")}, "states": states, "clocks": clocks, "actions": actions,
        **({"numbers": {"team_at_least": 2}, "number_articles": {"team_at_least": "an article"}} if reviewed else {}),
    }  # fmt: skip


def _sign_off(states: Raw, chance: random.Random) -> Raw:
    by_rule = chance.random() < 0.5
    duty = {"role": "department_officer", **({"signers": True} if by_rule else {"each": "departments"})}
    states["sign_off"] = {"label": words("sign_off"), "duties": [duty]}
    if by_rule:
        states["sign_off"]["sign_off"] = chance.choice([
            {"all": {"each": "departments"}}, {"any": {"each": "departments"}}, {"all": ["d1", "d2"]},
            {"at_least": 1, "of": ["d1", "d2"]}])
    return {
        "answer": act("answer", "sign_off", None, "answers_for_a_department_asked", command="RecordSignOff",
                      guards=["department_still_owes_an_answer"], effects=["record_sign_off"], side_by_side=True),
        "join": act("join", "sign_off", "awaiting_decision", "is_the_system", automatic=True,
                    guards=["sign_off_is_settled" if by_rule else "every_department_answered"]),
    }  # fmt: skip


def _decision(states: Raw, chance: random.Random, clocks: Raw, reviewed: bool, signed_off: bool) -> Raw:
    guards: list[Any] = [when("conclusion", **{"is": "meets"})] if reviewed else []
    if signed_off and not reviewed:
        guards.append("sign_off_is_agreed" if "sign_off" in states["sign_off"] else "no_department_objected")
    found: Raw = {
        "refuse": act("refuse", "awaiting_decision", "refused", "leader", command="Refuse", reauthenticate=True,
                      irreversible=True, documents=["refusal_decision"],
                      effects=[{"keep": {"refusal_reasons": "reasons"}}])}  # fmt: skip
    two_hands = chance.random() < 0.4
    last = "closed"
    if chance.random() < 0.5:
        last = "granted"
        states["granted"] = state("granted", "issuing_clerk")
        rendered = chance.random() < 0.5
        found["deliver"] = act("deliver", "granted", "closed", "issuing_clerk",
                               guards=[when("certificate_rendered", **{"is": True})] if rendered else [])
        clocks["delivery"] = clock("granted")
        if rendered:
            found["record_rendering"] = act("record_rendering", "granted", None, "is_the_system",
                                            effects=[{"set": {"certificate_rendered": True}}])
    writes: Raw = {}
    if "record_rendering" in found:
        writes = {"registers": ["issue_certificate"], "jobs": ["render_certificate"]}
    if two_hands:
        states["decided"] = state("decided", "administrator")
        found["grant"] = act("grant", "awaiting_decision", "decided", "leader", command="Decide", irreversible=True,
                             guards=guards)
        found["sign"] = act("sign", "decided", last, "administrator", reauthenticate=True, apart_from=["grant"],
                            **writes)
    else:
        found["grant"] = act("grant", "awaiting_decision", last, "leader", command="Decide", irreversible=True,
                             reauthenticate=True, guards=guards, **writes)
    if chance.random() < 0.4:
        clocks["decision"] = clock("awaiting_decision")
    return found


def as_yaml(raw: Mapping[str, Any]) -> bytes:
    out = StringIO()
    writer = YAML()
    writer.allow_unicode = True
    writer.dump(copy.deepcopy(dict(raw)), out)
    return out.getvalue().encode()


# -- how to spoil one ------------------------------------------------------------------------------------------


def drop_an_action(raw: Raw, chance: random.Random) -> str:
    name = chance.choice(list(raw["actions"]))
    del raw["actions"][name]
    for action in raw["actions"].values():
        action["apart_from"] = [a for a in action.get("apart_from", ()) if a != name]
    for limit in raw["clocks"].values():
        if limit.get("on_lapse") == name:
            del limit["on_lapse"]
    return name


def retarget(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, a in raw["actions"].items() if a.get("to")])
    raw["actions"][name]["to"] = chance.choice(list(raw["states"]))
    return name


def drop_a_guard(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, a in raw["actions"].items() if a.get("guards")] or [""])
    if name:
        guards = list(raw["actions"][name]["guards"])
        guards.pop(chance.randrange(len(guards)))
        raw["actions"][name]["guards"] = guards
    return name


def ask_for_the_impossible(raw: Raw, chance: random.Random) -> str:
    """A guard on a fact that nobody ever writes."""
    name = chance.choice(list(raw["actions"]))
    raw["actions"][name]["guards"] = [*raw["actions"][name].get("guards", ()), when("never_written", present=True)]
    return name


def turn_a_guard(raw: Raw, chance: random.Random) -> str:
    actions = raw["actions"].items()
    found = [(n, i) for n, a in actions for i, g in enumerate(a.get("guards", ())) if isinstance(g, dict)]
    if not found:
        return ""
    name, place = chance.choice(found)
    guards = list(raw["actions"][name]["guards"])
    guard = dict(guards[place])
    for one, other in (("is", "is_not"), ("is_not", "is"), ("empty", "present"), ("present", "empty")):
        if one in guard:
            guard[other] = guard.pop(one)
            break
    guards[place] = guard
    raw["actions"][name]["guards"] = guards
    return name


def swap_a_rule(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, a in raw["actions"].items() if not a.get("automatic")])
    if raw["actions"][name].get("command") != "RecordSignOff":
        raw["actions"][name]["who"] = chance.choice(
            ["is_the_applicant", "window_officer", "leader", "inspector", "is_the_system", "leads_the_team"])
    return name


def remove_a_duty(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, s in raw["states"].items() if s.get("duties")])
    del raw["states"][name]["duties"]
    return name


def give_a_duty_to_somebody_else(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, s in raw["states"].items() if s.get("duties")])
    raw["states"][name]["duties"] = [{"role": chance.choice(["inspector", "leader", "applicant", "window_officer"])}]
    return name


def remove_a_lapse(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, c in raw["clocks"].items() if c.get("on_lapse")] or [""])
    if name:
        del raw["clocks"][name]["on_lapse"]
    return name


def let_a_clock_run_on(raw: Raw, chance: random.Random) -> str:
    name = chance.choice(list(raw["clocks"]) or [""])
    if name and not raw["clocks"][name].get("on_lapse"):
        raw["clocks"][name]["runs_in"] = [*raw["clocks"][name]["runs_in"], chance.choice(["closed", "refused"])]
    return name


def drop_a_signature(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, a in raw["actions"].items() if a.get("reauthenticate")] or [""])
    if name:
        del raw["actions"][name]["reauthenticate"]
    return name


def decide_lightly(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, a in raw["actions"].items() if a.get("command") in ("Decide", "Refuse")] or [""])
    if name:
        raw["actions"][name]["command"] = "Plain"
        raw["actions"][name]["effects"] = [e for e in raw["actions"][name].get("effects", ()) if "keep" not in e]
    return name


def drop_an_effect(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, a in raw["actions"].items() if a.get("effects")] or [""])
    if name:
        raw["actions"][name]["effects"] = list(raw["actions"][name]["effects"])[1:]
    return name


def drop_what_is_written(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, a in raw["actions"].items() if a.get("registers") or a.get("jobs")] or [""])
    if name:
        raw["actions"][name][chance.choice(["registers", "jobs"])] = []
    return name


def raise_the_quorum(raw: Raw, chance: random.Random) -> str:
    for name, spec in raw["states"].items():
        if spec.get("sign_off"):
            signers = next((v for k, v in spec["sign_off"].items() if k in ("all", "any", "of")), ["d1", "d2"])
            spec["sign_off"] = {"at_least": chance.randint(2, 3), "of": signers}
            return name
    return ""


def drop_a_source(raw: Raw, chance: random.Random) -> str:
    name = chance.choice([n for n, a in raw["actions"].items() if len(a["from"]) > 1] or [""])
    if name:
        raw["actions"][name]["from"] = list(raw["actions"][name]["from"])[1:]
    return name


def go_by_itself(raw: Raw, chance: random.Random) -> str:
    """A step of a person becomes the system's, taken as soon as it may be."""
    name = chance.choice([n for n, a in raw["actions"].items() if a.get("command", "Plain") == "Plain"
                          and n not in {c.get("on_lapse") for c in raw["clocks"].values()}])  # fmt: skip
    raw["actions"][name] |= {"who": "is_the_system", "automatic": True}
    return name


def lose_an_article(raw: Raw, chance: random.Random) -> str:
    raw.pop("number_articles", None)
    return "number_articles"


def skip_ahead(raw: Raw, chance: random.Random) -> str:
    """A step that was not meant: from anywhere open to anywhere."""
    open_states = [s for s, spec in raw["states"].items() if not spec.get("final")]
    raw["actions"]["skip"] = act("skip", chance.choice(open_states), chance.choice(list(raw["states"])),
                                 chance.choice(["window_officer", "leader", "is_the_applicant"]))
    return "skip"


MUTATIONS: tuple[Callable[[Raw, random.Random], str], ...] = (
    drop_an_action, retarget, drop_a_guard, ask_for_the_impossible, turn_a_guard, swap_a_rule, remove_a_duty,
    give_a_duty_to_somebody_else, remove_a_lapse, let_a_clock_run_on, drop_a_signature, decide_lightly, drop_an_effect,
    drop_what_is_written, raise_the_quorum, drop_a_source, go_by_itself, lose_an_article, skip_ahead)  # fmt: skip


def mutated(raw: Raw, chance: random.Random) -> tuple[Raw, str]:
    """The definition with one or two things spoilt, and what was done to it."""
    spoilt, done = copy.deepcopy(raw), []
    for mutation in chance.sample(MUTATIONS, chance.choice([1, 1, 1, 2])):
        done.append(f"{mutation.__name__} {mutation(spoilt, chance)}".strip())
    return spoilt, ", ".join(done)
