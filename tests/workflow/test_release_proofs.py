"""The proofs that come with the release are of what is released, and those that take a moment are made again here."""

from typing import Any

import pytest

from tests.workflow.test_every_procedure import drawing
from workflow import procedures
from workflow.procedure import Procedure
from workflow.proofs import CHECKER

DRAW = drawing()
A_MOMENT = 1.0  # seconds of processor time
RELEASED = [p for p in procedures.shipped() if DRAW.name_of(p) in DRAW.released()]
KEPT: dict[str, dict[str, Any]] = DRAW.kept_proofs()
AGAIN = "run `python docs/procedures/draw.py --prove`"


@pytest.mark.parametrize("procedure", RELEASED, ids=DRAW.name_of)
def test_what_is_released_comes_with_its_proof(procedure: Procedure) -> None:
    found = KEPT[DRAW.name_of(procedure)]
    assert DRAW.is_fresh(procedure, found), AGAIN
    assert (found["verdict"], found["checker"]) == ("proved", CHECKER)
    assert found["states_visited"] > 10 and found["seconds"] is not None and found["scope"]
    unasked = {p["key"] for p in found["properties"] if p["standing"] != "holds"}
    assert unasked == {"somebody_is_left"}, "the people of a bureau are its own to look at"
    assert procedures.proofs_at_release()[procedure.name, procedure.version] == found


def test_only_what_is_released_has_one() -> None:
    assert set(KEPT) == {DRAW.name_of(p) for p in RELEASED}, AGAIN


@pytest.mark.parametrize(
    "procedure", [p for p in RELEASED if KEPT[DRAW.name_of(p)]["seconds"] <= A_MOMENT], ids=DRAW.name_of)
def test_a_proof_that_takes_a_moment_finds_the_same_again(procedure: Procedure) -> None:
    again, kept = DRAW.proved(procedure), KEPT[DRAW.name_of(procedure)]
    why = f"where the checker looks at something else, raise CHECKER; then {AGAIN}"
    assert {**again, "seconds": 0} == {**kept, "seconds": 0}, why


def test_a_proof_of_another_text_is_not_taken_for_one_of_this(monkeypatch: pytest.MonkeyPatch) -> None:
    procedure = RELEASED[0]
    other = Procedure(procedure.spec, procedure.actions, "0" * 64)
    assert not DRAW.is_fresh(other, KEPT[DRAW.name_of(procedure)])
    monkeypatch.setattr(procedures, "shipped", lambda: (other,))
    procedures.proofs_at_release.cache_clear()
    try:
        assert procedures.proofs_at_release() == {}
    finally:
        procedures.proofs_at_release.cache_clear()
