"""Shipped procedures are proved, their verbs by twos; over a thousand small ones two opinions agree and every story
replays; over hundreds of spoilt shipped ones the exploration with its reductions says what it says without them."""

from collections.abc import Iterator
from time import process_time
from typing import Any

from tests.workflow.test_exploration import two_opinions
from tests.workflow.test_joint_definitions import joint_opinions
from tests.workflow.test_reduction import compared, raw_of, spoilt
from workflow import procedures
from workflow.exploration import prove as explore
from workflow.proofs import Verdict

MUTATED = 1000
TELLING = 300
SPOILT = ("cma.v1", "cma_change.v1", "industrial_product.v1")


def prove() -> Iterator[dict[str, Any]]:
    """What was seen of each shipped procedure, and of the mutations."""
    for procedure in procedures.shipped():
        begun = process_time()
        proof = explore(procedure, pairs=True)
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
    for name in SPOILT:
        tried, wrong = compared(spoilt(raw_of(name)))
        yield {
            "claim": f"{name}, spoilt in one place: the reduced exploration says what the whole one says",
            "tries": tried,
            "unexpected": len(wrong),
            "note": "; ".join(wrong[:3]) or "same properties, same verdicts, stories of the same length",
        }
    stories, wrong = joint_opinions(range(TELLING))
    yield {
        "claim": "two opinions agree on spoilt definitions of cases that tell each other, and every story replays",
        "tries": TELLING,
        "unexpected": len(wrong),
        "note": f"{stories} stories lived again; {'; '.join(wrong[:3]) or 'no disagreement'}",
    }
