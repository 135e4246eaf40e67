"""Two acts at the same instant: one is done, the other told why not, and nothing is torn between them."""

import pytest

from store.cases import CaseStore
from store.database import Database
from tests.store.duels import DUELS, colleagues, fight
from tests.store.factories import cma_case
from workflow.vocabulary import Refusal


@pytest.mark.parametrize("name", DUELS)
def test_of_two_acts_at_the_same_instant_one_is_done(cases: CaseStore, database: Database, name: str) -> None:
    colleagues(database)
    outcome = fight(cases, DUELS[name], 50)
    assert outcome.wrong == {} and sum(outcome.won.values()) == 50


def test_a_grant_and_a_retraction_never_both_happen(cases: CaseStore) -> None:
    """The same with a certificate at stake, one after the other on what both had seen."""
    for first, second in (("grant", "retract"), ("retract", "grant")):
        hand = cma_case(cases, "awaiting_decision")
        seen = hand.version
        hand.take(first)
        with pytest.raises(Refusal) as caught:
            hand.take(second, version=seen)
        assert caught.value.code == "stale"
        assert ("certificate_number" in hand.file.case.facts) == (first == "grant")


def test_a_judge_sees_a_second_act(cases: CaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: where the version is not looked at, both sides of a transfer and an answer are carried out."""
    from store import cases as store_of_cases

    colleagues(cases.database)
    monkeypatch.setattr(store_of_cases, "_stands", lambda *_: True)
    monkeypatch.setattr("store.at_once.perform", lambda *_: None)
    outcome = fight(cases, DUELS["sign against return"], 25)
    assert outcome.wrong["carried out otherwise than once"]


