"""Pairs of verbs through the real store do what the published table says; `./run proof verb-pairs` tries them all."""

import random

import pytest

from store.database import Database
from tests.store.pairs import PAIRS, VERBS, Stage, published, starts
from workflow.verb_pairs import Answer

SEED, SAMPLE = 20261122, 25


def sample() -> list[tuple[str, str]]:
    return random.Random(SEED).sample([pair for pair in PAIRS if starts(pair[0])], SAMPLE)


def test_every_verb_can_be_the_first_somewhere() -> None:
    assert [verb for verb in VERBS if not starts(verb)] == []


def test_the_page_speaks_of_every_pair() -> None:
    assert set(published()) == set(PAIRS)
    sometimes = [cell for cell in published().values() if cell.answer is Answer.SOMETIMES]
    assert sometimes and all(cell.where | cell.not_where | cell.depends for cell in sometimes)


def test_a_sample_of_pairs_goes_through_the_store_as_published(database: Database) -> None:
    stage, wrong = Stage(database), []
    for first, second in sample():
        chance = random.Random(f"{SEED} {first} {second}")
        wrong += stage.faults(first, second, chance.choice(starts(first)), chance)
    assert wrong == [], f"seed {SEED}"


def test_a_table_that_says_otherwise_is_noticed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted fault: the table is turned round for one pair that is always there and one that never is."""
    stage, table = Stage(database), dict(published())
    table["suspend", "resume"], table["retract", "comment"] = table["retract", "comment"], table["suspend", "resume"]
    monkeypatch.setattr("tests.store.pairs.published", lambda: table)
    for first, second in (("suspend", "resume"), ("retract", "comment")):
        [said] = stage.faults(first, second, starts(first)[0], random.Random(SEED))
        assert "the page says" in said
