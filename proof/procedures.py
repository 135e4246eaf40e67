"""Shipped procedures are proved; over a thousand small ones two opinions agree and every story replays."""

from collections.abc import Iterator
from time import process_time
from typing import Any

from tests.workflow.test_exploration import two_opinions
from workflow import procedures
from workflow.exploration import prove as explore
from workflow.proofs import Verdict

MUTATED = 1000


def prove() -> Iterator[dict[str, Any]]:
    """What was seen of each shipped procedure, and of the mutations."""
    for procedure in procedures.shipped():
        begun = process_time()
        proof = explore(procedure)
        seconds = process_time() - begun
        shown = "" if proof.story is None else " / ".join(proof.story.lines())
        yield {
            "claim": f"{procedure.name}.v{procedure.version} is sound",
            "tries": proof.transitions,
            "unexpected": int(proof.verdict is not Verdict.PROVED),
            "note": f"{proof.verdict.value}: {proof.states_visited} situations, {seconds:.1f} s of processor time "
            + shown,
        }
    tried, stories, wrong = two_opinions(range(MUTATED))
    yield {
        "claim": "two opinions agree on small procedures, three in four of them spoilt, and every story replays",
        "tries": tried,
        "unexpected": len(wrong),
        "note": f"{stories} stories lived again; {'; '.join(wrong[:3]) or 'no disagreement'}",
    }
