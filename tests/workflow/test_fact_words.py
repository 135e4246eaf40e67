"""Stories call the facts of a case by what they are, in both languages."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from workflow.fact_words import WORDS, told
from workflow.procedures import HERE

NAMING = {"fact", "each", "person", "persons", "unless", "apart_from_persons"}
GATHERING = {"set", "keep", "copies", "carries"}


def facts_named(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(facts_named, part))
    if not isinstance(part, dict):
        return set()
    found = {value for key, value in part.items() if key in NAMING and isinstance(value, str)}
    found |= {name for key, value in part.items() if key in GATHERING and value for name in value}
    return found.union(*map(facts_named, part.values()))


@pytest.mark.parametrize("path", sorted(HERE.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_fact_of_a_shipped_definition_has_a_name_for_people(path: Any) -> None:
    named = facts_named(YAML(typ="safe", pure=True).load(path.read_bytes()))
    assert named
    assert not named - set(WORDS)


def test_no_name_stands_for_a_fact_that_no_definition_has() -> None:
    named = set().union(
        *(facts_named(YAML(typ="safe", pure=True).load(p.read_bytes())) for p in HERE.glob("*.yaml"))
    )
    assert not set(WORDS) - named


def test_facts_are_told_in_both_languages() -> None:
    message = told(
        {"rows_open": 0, "dossier_gaps": [], "review_conclusion": "does_not_meet", "risk_of_ours": True}
    )
    assert message.text == (
        "what is missing in the application: none, conclusion of the review: does not meet, risk_of_ours: yes, "
        "capability rows not yet confirmed: 0"
    )
    assert message.zh == "申请材料所缺内容：无，评审结论：不符合，risk_of_ours：是，未确认的能力行：0"
