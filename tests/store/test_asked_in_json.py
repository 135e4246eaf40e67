"""A request in JSON goes through the same door as a page: same steps, same refusals, carried out once."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from store.cases import CaseStore
from tests.store.factories import ADMINISTRATOR, LEADER, WINDOW_OFFICER, CaseHand
from workflow.asking import Asked
from workflow.vocabulary import Refusal


def request(action: str, seen: int, command_id: str = "one", **command: Any) -> Asked:
    said = {"action": action, "command": command, "command_id": command_id, "expected_version": seen}
    return Asked.from_json(json.dumps(said, ensure_ascii=False))


def refused(cases: CaseStore, *arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        cases.perform_asked(*arguments)
    return caught.value


def test_a_request_takes_the_step_and_a_repeat_gets_the_first_answer(
    cases: CaseStore, cma_case: Callable[..., CaseHand]
) -> None:
    hand = cma_case("submitted")
    items = [{"subject": "平面图", "reason": "缺比例尺"}]
    asked = request("request_correction", hand.version, items=items)
    done = cases.perform_asked(hand.public_id, asked, WINDOW_OFFICER)
    assert done.state == hand.state == "correction_requested"
    again = cases.perform_asked(hand.public_id, asked, WINDOW_OFFICER)
    assert again.version == done.version and again.replayed
    entry = cases.timeline(hand.public_id, WINDOW_OFFICER)[0]
    assert entry.payload["items"] == [{**items[0], "basis": ""}]


def test_a_request_on_an_older_version_is_told_who_changed_it(
    cases: CaseStore, cma_case: Callable[..., CaseHand]
) -> None:
    hand = cma_case("submitted")
    seen = hand.version
    hand.take("request_correction")
    refusal = refused(cases, hand.public_id, request("accept", seen), WINDOW_OFFICER)
    assert refusal.code in ("stale", "unavailable") and "window-officer" in str(refusal.reason)


def test_what_is_wrong_is_said_in_the_order_of_the_door(cases: CaseStore, cma_case: Callable[..., CaseHand]) -> None:
    hand = cma_case("awaiting_decision")
    grant = request("grant", hand.version)
    assert refused(cases, hand.public_id, grant, ADMINISTRATOR).code == "unknown", "no case of theirs"
    assert refused(cases, hand.public_id, grant, WINDOW_OFFICER).code == "forbidden"
    wrong = refused(cases, hand.public_id, grant, LEADER)
    assert (wrong.code, wrong.field) == ("malformed", "grounds")
    misspelt = refused(cases, hand.public_id, request("grant", hand.version, ground="符合"), LEADER)
    assert (misspelt.code, misspelt.field) == ("malformed", "ground")
    unsure = refused(cases, hand.public_id, request("grant", hand.version, grounds="符合"), LEADER)
    assert (unsure.code, unsure.field) == ("forbidden", "password")
    assert refused(cases, hand.public_id, request("fly", hand.version), LEADER).code == "unknown"
    assert hand.state == "awaiting_decision"
