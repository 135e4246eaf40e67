"""A record lived again under its own version differs in nothing; under a draft the first difference is told."""

from collections.abc import Callable

import pytest
from ruamel.yaml import YAML

from store.cases import CaseStore
from store.past_cases import PastCases
from tests.store.factories import CaseHand
from tests.workflow.small_procedures import Raw, as_yaml
from workflow import procedures
from workflow.procedure import Procedure, parse
from workflow.stories import spoken
from workflow.whatif import Kind, what_if


def draft_of(procedure: Procedure, change: Callable[[Raw], object]) -> Procedure:
    path = procedures.HERE / f"{procedure.name}.v{procedure.version}.yaml"
    raw = dict(YAML(typ="safe", pure=True).load(path.read_text("utf-8")))
    change(raw)
    raw["version"] += 1
    return parse(as_yaml(raw), "draft.yaml")


@pytest.mark.parametrize(
    ("state", "track"),
    [("closed", "general"), ("refused", "general"), ("not_accepted", "general"), ("retracted", "general"),
     ("closed", "commitment"), ("refused", "commitment")])  # fmt: skip
def test_the_same_version_gives_no_difference(
    cases: CaseStore, cma_case: Callable[..., CaseHand], state: str, track: str
) -> None:
    cma_case(state, track=track)
    [past] = PastCases(cases.database).ended("cma")
    found = what_if(past, past.procedure, cases.laws.current())
    assert found.kind is Kind.SAME and found.first_difference is None and found.at is None
    assert found.days[0] == found.days[1] is not None or state == "retracted"
    assert found.steps[0] == found.steps[1] >= 2 and found.papers[0] == found.papers[1]


def test_a_step_that_is_no_more_is_where_it_sticks(cases: CaseStore, cma_case: Callable[..., CaseHand]) -> None:
    cma_case("closed")
    [past] = PastCases(cases.database).ended("cma")

    def rename(raw: Raw) -> None:
        raw["actions"]["take_in"] = raw["actions"].pop("accept")
        for action in raw["actions"].values():
            action["apart_from"] = ["take_in" if a == "accept" else a for a in action.get("apart_from", ())]

    found = what_if(past, draft_of(past.procedure, rename), cases.laws.current())
    assert found.kind is Kind.STUCK and found.days[0] is not None and found.days[1] is None
    assert found.first_difference is not None
    assert spoken(found.first_difference, "en") == "There is no “Accept” any more."


def test_a_decision_that_is_not_possible_is_another_decision(
    cases: CaseStore, cma_case: Callable[..., CaseHand]
) -> None:
    cma_case("closed")
    [past] = PastCases(cases.database).ended("cma")

    def ask_more(raw: Raw) -> None:
        guard = {"fact": "never_written", "present": True, "otherwise": {"en": "More is wanted.", "zh": "尚缺材料。"}}
        raw["actions"]["grant"]["guards"] = [*raw["actions"]["grant"]["guards"], guard]

    found = what_if(past, draft_of(past.procedure, ask_more), cases.laws.current())
    assert found.kind is Kind.OTHER_DECISION and found.first_difference is not None
    assert "More is wanted." in spoken(found.first_difference, "en")


def test_an_end_that_comes_earlier_is_faster(
    cases: CaseStore, cma_case: Callable[..., CaseHand], clock: object
) -> None:
    hand = cma_case("printed")
    clock.move(days=3)  # type: ignore[attr-defined]
    hand.take("deliver")
    [past] = PastCases(cases.database).ended("cma")

    def deliver_at_once(raw: Raw) -> None:
        raw["actions"]["print_certificate"]["to"] = "closed"
        raw["actions"]["print_certificate"]["irreversible"] = True
        for part in (raw["states"], raw["actions"]):
            part.pop("printed", None), part.pop("deliver", None)
        for limit in raw["clocks"].values():
            limit["runs_in"] = [s for s in limit["runs_in"] if s != "printed"]
        if "verbs" in raw:
            del raw["verbs"]

    found = what_if(past, draft_of(past.procedure, deliver_at_once), cases.laws.current())
    assert found.kind is Kind.FASTER
    assert found.days[1] is not None and found.days[0] is not None and found.days[1] < found.days[0]
