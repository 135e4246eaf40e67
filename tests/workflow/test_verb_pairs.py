"""Every cell of the published table of pairs, tried again; and what must hold of them whatever the table says."""

from dataclasses import replace
from itertools import product

import pytest

from proof import verb_pairs
from proof.verb_pairs import CMA, PAGE, SIGNS, TRIAL, found, known, led_to
from workflow.verb_pairs import Answer, Trial, cell, verbs_of

VERBS = verbs_of(CMA)
ANSWERS = {sign: answer for answer, sign in SIGNS.items()}
REMARKS = ("remind", "copy", "comment")


def published() -> dict[tuple[str, str], Answer]:
    """The table as the page shows it."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| **")]
    table = {}
    for row in rows:
        first, *cells = row.strip("|").split("|")
        for second, sign in zip(VERBS, cells, strict=True):
            table[first.strip(" *"), second] = ANSWERS[sign.strip() or " "]
    return table


PUBLISHED = published()


def test_the_page_has_every_pair() -> None:
    assert set(PUBLISHED) == set(product(VERBS, VERBS))
    assert set(VERBS) >= {a.spec.verb for a in CMA.actions if a.spec.verb}


@pytest.mark.parametrize(("first", "second"), list(product(VERBS, VERBS)), ids="-then-".join)
def test_a_pair_does_what_the_page_says(first: str, second: str) -> None:
    assert found(first, second).answer is PUBLISHED[first, second]


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == verb_pairs.page(), "run: python -m proof.verb_pairs"


def test_every_verb_was_used_somewhere() -> None:
    assert [v for v in VERBS if not led_to(v)] == []


# -- what must hold, whatever the table says -----------------------------------------------------------------------


def answers(first: str) -> dict[str, Answer]:
    return {second: found(first, second).answer for second in VERBS}


def test_after_a_retraction_nothing_is_there() -> None:
    assert set(answers("retract").values()) == {Answer.ABSENT}


def test_a_suspended_case_knows_five_verbs() -> None:
    assert {v for v, answer in answers("suspend").items() if answer is not Answer.ABSENT} == {
        "retract", "resume", "copy", "comment"}  # fmt: skip


def test_only_a_remark_leaves_a_recall_open() -> None:
    may = {first for first in VERBS if found(first, "recall").answer in (Answer.ALLOWED, Answer.SOMETIMES)}
    assert may == set(REMARKS)


def test_who_asked_for_advice_waits_for_it() -> None:
    for blocked in ("decide", "hand_back"):
        assert found("consult", blocked).answer is Answer.REFUSED, blocked
    assert found("consult", "advise").answer is found("consult", "stop_consulting").answer is Answer.ALLOWED


def test_a_decision_is_neither_returned_nor_recalled_nor_retracted() -> None:
    assert {found("decide", v).answer for v in ("return", "recall", "retract", "suspend", "sign")} == {Answer.ABSENT}


def test_nothing_is_reminded_of_twice_on_a_day() -> None:
    assert found("remind", "remind").answer is Answer.REFUSED


def test_a_remark_changes_no_answer() -> None:
    """After a comment everything is as it was before it."""
    for second in (v for v in VERBS if v not in REMARKS):
        before = cell(TRIAL, known(), "nothing", second)
        assert found("comment", second).answer is before.answer, second


def test_a_trial_in_which_a_guard_is_gone_gives_another_table() -> None:
    """Planted fault: the table is known to see a guard that does not guard."""
    action = CMA.by_name["grant"]
    bare = replace(action, guards=tuple(g for g in action.guards if not g.__name__.startswith("duty_is_at_hand")))
    broken = replace(CMA, actions=tuple(bare if a is action else a for a in CMA.actions), digest=f"{CMA.digest}-bare")
    trial = Trial(broken, TRIAL.people, TRIAL.asks, TRIAL.on, TRIAL.law)
    waiting = tuple(c for c in led_to("consult") if c.state == "awaiting_decision" and c.track == "general")
    assert cell(trial, waiting, "consult", "decide").answer is not Answer.REFUSED

