"""Guards that one usual walk does not meet: for each a case in which exactly it stands in the way.

The guards that are made for one role each are tried for every role and every shipped definition that names them.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from tests.store.factories import person
from tests.workflow.test_live_sign_off import FACTS_2, refusal_of, step
from tests.workflow.verb_walk import APPLICANT, FACTS, MONDAY, Walk, law_for, walk_to
from workflow import procedures, sign_offs
from workflow import verb_commands as v
from workflow.case import Act, Case, SignOff
from workflow.commands import Decide, Plain
from workflow.engine import fire, offers
from workflow.procedure import Action, Duty, Procedure
from workflow.verbs import facts as f
from workflow.verbs.guards import NAMED, grounds_open
from workflow.vocabulary import Actor, Refusal, Role, Verdict

CMA = procedures.find("cma", 2)
HAND_OVER = v.Transfer(person="taker", reason="出差")


def newest() -> Iterator[Procedure]:
    for procedure in procedures.every():
        if procedure is procedures.find(procedure.name, max(
                p.version for p in procedures.every() if p.name == procedure.name)):  # fmt: skip
            yield procedure


PASSED_ON = [
    pytest.param(procedure, action, Role(action.spec.who), id=f"{procedure.name}-{action.name}")
    for procedure in newest()
    for action in procedure.actions
    if action.spec.verb == "transfer"
]
at_every_desk = pytest.mark.parametrize(("procedure", "action", "role"), PASSED_ON)


def officer(role: Role) -> Actor:
    departments = (Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_LEADER)
    return person("officer", role, department="ecology" if role in departments else None)


def at(procedure: Procedure, action: Action, **facts: Any) -> Case:
    """A case of an agency nobody here belongs to, in the first state in which the work may be passed on."""
    known = {**FACTS, "departments": ["ecology"], "deciding_departments": ["ecology"], **facts}
    return Case(1, procedure.name, procedure.version, action.sources[0], next(iter(procedure.spec.tracks)), 7,
                facts=known, on=MONDAY)  # fmt: skip


def key_of(procedure: Procedure, case: Case, role: Role) -> str:
    """How the open duty of the role is called in what the verbs remember."""
    [key] = {duty.key for duty in procedure.open_duties(case) if duty.role is role}
    return key


def tried(procedure: Procedure, case: Case, action: Action, by: Actor, command: Any = HAND_OVER) -> Refusal | None:
    try:
        fire(procedure, case, action.name, by, command, MONDAY, law_for(procedure))
    except Refusal as refusal:
        return refusal
    return None


def with_action(procedure: Procedure, action: Action, **spec: Any) -> Procedure:
    """The definition with one action written otherwise."""
    other = replace(action, spec=action.spec.model_copy(update=spec))
    actions = tuple(other if a.name == action.name else a for a in procedure.actions)
    return replace(procedure, actions=actions, digest=f"{procedure.digest}-{action.name}-{sorted(spec)}")


@at_every_desk
def test_whoever_has_the_work_passes_it_on(procedure: Procedure, action: Action, role: Role) -> None:
    """The control of those below: nothing else stands in the way, and the work is that person's from then on."""
    case, law = at(procedure, action), law_for(procedure)
    after = fire(procedure, case, action.name, officer(role), HAND_OVER, MONDAY, law)[0].after
    assert Duty(role, "person:taker") in procedure.open_duties(after).values()


@at_every_desk
def test_nobody_else_passes_it_on(procedure: Procedure, action: Action, role: Role) -> None:
    others = [person("officer", *(r for r in Role if r not in (role, Role.SYSTEM)), department="ecology")]
    others += [replace(officer(role), department="transport")] if officer(role).department else []
    case = at(procedure, action)
    assert [tried(procedure, case, action, other) is not None for other in others] == [True] * len(others)


ASKED = [
    pytest.param(procedure, action, Role(action.spec.who), id=f"{procedure.name}-{action.name}")
    for procedure in newest()
    for action in procedure.actions
    if action.spec.verb == "consult"
]


@pytest.mark.parametrize(("procedure", "action", "role"), ASKED)
def test_a_question_lies_with_whom_it_was_put_to(procedure: Procedure, action: Action, role: Role) -> None:
    assert procedure.spec.verbs is not None and procedure.spec.verbs.consult is not None
    adviser = procedure.spec.verbs.consult.among[0]
    question, case = v.Consult(person="adviser", role=adviser, question="？"), at(procedure, action)
    after = fire(procedure, case, action.name, officer(role), question, MONDAY, law_for(procedure))[0].after
    assert Duty(Role(adviser), "person:adviser") in procedure.open_duties(after).values()
    said = tried(procedure, after, action, officer(role), question)
    assert said is not None and "asked for advice" in said.reason.text


@at_every_desk
def test_work_that_is_not_there_is_not_passed_on(procedure: Procedure, action: Action, role: Role) -> None:
    """Also where a definition lets it be tried in a state in which the role has nothing to do."""
    idle = next(s for s, spec in procedure.states.items() if not any(d.role is role for d in spec.duties))
    procedure = with_action(procedure, action, from_=(*action.sources, idle))
    said = tried(procedure, replace(at(procedure, action), state=idle), procedure.by_name[action.name], officer(role))
    assert said is not None and said.code == "unmet" and "no work on this step" in said.reason.text


@at_every_desk
def test_work_on_which_advice_is_asked_waits_for_it(procedure: Procedure, action: Action, role: Role) -> None:
    case = at(procedure, action)
    asked = {"person": "adviser", "role": "leader", "by": "officer", "question": "？"}
    waiting = case.with_facts(**{f.CONSULTATIONS: {case.state: {key_of(procedure, case, role): asked}}})
    said = tried(procedure, waiting, action, officer(role))
    assert said is not None and said.code == "unmet" and "asked for advice" in said.reason.text


@at_every_desk
def test_work_that_was_passed_on_is_that_persons_to_pass_on(procedure: Procedure, action: Action, role: Role) -> None:
    case = at(procedure, action)
    given = case.with_facts(**{f.ASSIGNMENTS: {case.state: {key_of(procedure, case, role): "other"}}})
    said = tried(procedure, given, action, officer(role))
    assert said is not None and said.code == "unmet" and "transferred to" in said.reason.text
    assert tried(procedure, given, action, replace(officer(role), person_id="other")) is None


@at_every_desk
def test_nobody_gets_work_that_separation_of_duties_would_keep_them_from(
    procedure: Procedure, action: Action, role: Role
) -> None:
    own = next(a for a in procedure.leaving(action.sources[0])
               if a.spec.verb is None and f.role_of(a.spec.who) == role.value)  # fmt: skip
    apart = with_action(procedure, own, apart_from=("an_earlier_step",))
    case = replace(at(procedure, action), acts=(Act("an_earlier_step", "taker"),))
    said = tried(apart, case, action, officer(role))
    assert said is not None and said.code == "unmet" and "another part" in said.reason.text
    assert tried(apart, case, action, officer(role), v.Transfer(person="somebody-else", reason="x")) is None


def test_no_guard_that_is_made_for_a_role_is_forgotten() -> None:
    named = {str(g) for p in newest() for a in p.actions for g in a.spec.guards if isinstance(g, str)}
    made = {f"{family}_as_{role.value}" for family, role in product(
        ("duty_is_open", "duty_is_at_hand", "person_is_apart"), (parameters.values[2] for parameters in PASSED_ON))}  # type: ignore[attr-defined]  # fmt: skip
    assert {g for g in named & set(NAMED) if "_as_" in g} <= made


# -- sign-off -------------------------------------------------------------------------------------------------------


def test_a_leader_never_closes_the_sign_off_over_a_mandatory_signer() -> None:
    """Though the time for the answers is over."""
    rule = sign_offs.All.model_validate({"all": ["ecology", "fire"], "mandatory": ["fire"]})
    states = {**CMA.states, "awaiting_sign_off": CMA.states["awaiting_sign_off"].model_copy(update={"sign_off": rule})}
    procedure = replace(CMA, spec=CMA.spec.model_copy(update={"states": states}), digest=f"{CMA.digest}-mandatory")
    facts = {**FACTS_2, "sign_off_silence": 1}
    case = Case(1, "cma", 2, "awaiting_sign_off", "general", 7, facts=facts)
    leader = person("leader", Role.LEADER)
    said = refusal_of(procedure, case, "close_sign_off", leader, Decide(grounds="x"))
    assert said.code == "unmet" and "must be heard" in said.reason.text
    heard = replace(case, sign_offs=(SignOff("fire", Verdict.AGREE, 1, "officer-fire"),))
    assert step(procedure, heard, "close_sign_off", leader, Decide(grounds="x"))[0].after.state == "awaiting_decision"


# -- the commitment track -------------------------------------------------------------------------------------------


def test_a_commitment_is_retracted_with_its_reason() -> None:
    """Order 163 art. 12; a draft was never filed, and on the general track no reason is owed."""
    draft = replace(walk_to("draft").case, track="commitment")
    filed = replace(draft, state="submitted")
    walk = Walk(filed)
    with pytest.raises(Refusal) as caught:
        walk.take("retract", APPLICANT, Plain())
    assert caught.value.code == "unmet" and "why you retract" in caught.value.reason.text
    assert Walk(filed).take("retract", APPLICANT, Plain(note="改按一般程序申请")).case.state == "retracted"
    assert Walk(replace(filed, track="general")).take("retract", APPLICANT, Plain()).case.state == "retracted"


# -- suspension -----------------------------------------------------------------------------------------------------


def test_a_case_is_not_suspended_while_a_limit_runs_that_rests_on_no_ground() -> None:
    walk = walk_to("awaiting_decision")
    running = next(c.name for c in walk.case.clocks if c.is_running)
    clocks = CMA.spec.clocks | {running: CMA.spec.clocks[running].model_copy(update={"rests_for": ()})}
    procedure = replace(CMA, spec=CMA.spec.model_copy(update={"clocks": clocks}), digest=f"{CMA.digest}-restless")
    assert grounds_open(CMA, walk.case) and not grounds_open(procedure, walk.case)
    leader = person("leader", Role.LEADER)
    [offer] = [o for o in offers(procedure, walk.case, leader) if o.action.name == "suspend"]
    assert offer.unmet is not None and "no ground on which" in offer.unmet.text


# -- more time ------------------------------------------------------------------------------------------------------

EXTENDING = next(a for a in CMA.actions if a.spec.extends)


def why_not_extended(case: Case) -> str:
    """What the button of more time says to whoever it belongs to; '' when it would work."""
    [offer] = [o for o in offers(CMA, case, Walk(case).usual_actor(EXTENDING.name)) if o.action is EXTENDING]
    return str(offer.unmet.text) if offer.unmet else ""


def test_more_time_is_offered_once_and_only_for_a_limit_that_runs() -> None:
    walk = walk_to("awaiting_decision")
    assert EXTENDING.name and walk.case.state in EXTENDING.sources and why_not_extended(walk.case) == ""
    assert "does not run" in why_not_extended(replace(walk.case, clocks=()))
    walk.take(EXTENDING.name)
    assert "already extended" in why_not_extended(walk.case)
