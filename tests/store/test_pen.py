"""The pen: one transaction writes a whole step, or nothing."""

from collections.abc import Callable

import pytest

from tests.store.factories import COMMITMENT_WAYS, GENERAL_WAYS, VERIFICATION_WAYS, CaseHand


@pytest.mark.parametrize("state", GENERAL_WAYS)
def test_a_general_case_reaches_every_state(cma_case: Callable[..., CaseHand], state: str) -> None:
    assert cma_case(state).state == state


@pytest.mark.parametrize("state", COMMITMENT_WAYS)
def test_a_commitment_case_reaches_every_state(cma_case: Callable[..., CaseHand], state: str) -> None:
    assert cma_case(state, track="commitment").state == state


@pytest.mark.parametrize("state", VERIFICATION_WAYS)
def test_a_verification_reaches_every_state(verification_case: Callable[..., CaseHand], state: str) -> None:
    assert verification_case(state).state == state
