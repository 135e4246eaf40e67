"""Every pair of verbs goes through the real store as the published table says; and the page that publishes it.

python -m proof.verb_pairs     write docs/procedures/verb-pairs.md
"""

import random
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.store.factories import COMMITMENT_WAYS, GENERAL_WAYS, ISSUING_CLERK, LEADER, usual_command
from tests.workflow.verb_walk import (
    APPLICANT,
    CMA,
    FACTS,
    LAW,
    MONDAY,
    REVIEW_ORGANISER,
    REVIEWER,
    SECOND_LEADER,
    SECOND_ORGANISER,
    SECOND_WINDOW,
    TEAM_LEADER,
    WINDOW_OFFICER,
    Walk,
    department_officer,
)
from workflow import verb_commands as v
from workflow.case import Case
from workflow.commands import Command
from workflow.procedure import Action
from workflow.verb_pairs import Answer, Cell, Trial, afterwards, cell, situations, verbs_of

PAGE = Path(__file__).parents[1] / "docs/procedures/verb-pairs.md"
SIGNS = {Answer.ALLOWED: "✓", Answer.SOMETIMES: "◐", Answer.REFUSED: "✗", Answer.ABSENT: "·", Answer.UNUSED: " "}
PEOPLE = (
    APPLICANT, WINDOW_OFFICER, SECOND_WINDOW, REVIEW_ORGANISER, SECOND_ORGANISER, TEAM_LEADER, REVIEWER,
    department_officer("ecology"), department_officer("construction"), department_officer("transport"),
    department_officer("ecology", "second-leader"), LEADER, SECOND_LEADER, ISSUING_CLERK,
)  # fmt: skip
TAKERS = {
    "window_officer": ("second-window", "window-officer"), "review_organiser": ("second-organiser", "review-organiser"),
    "leader": ("second-leader", "leader"),
}  # fmt: skip
OPEN = ("submitted", "correction_requested", "accepted", "under_review", "rectification_ordered", "rectified",
        "awaiting_sign_off", "awaiting_decision", "granted", "printed")  # fmt: skip


def asks(action: Action) -> Iterable[Command]:
    """The commands that somebody might send with an action; of a verb one for each thing that guards tell apart."""
    if action.command is v.Return:
        return [v.Return(reason="x", way=way) for way in v.Return.WAYS]
    if action.command is v.Transfer:
        takers = TAKERS.get(action.spec.who, ("third", "second-leader"))
        return [v.Transfer(person=taker, reason="x") for taker in takers]
    if action.command is v.Suspend:
        return [v.Suspend(ground=ground, reason="x") for ground in ("hearing", "applicant_cause")]
    if action.command is v.AddSigner:
        return [v.AddSigner(department="transport", place=place, reason="x") for place in v.AddSigner.PLACES]
    return [usual_command(action.name.partition("_back_to_")[0], action.command, ("8(1)",))]


TRIAL = Trial(CMA, PEOPLE, asks, MONDAY, LAW)


def starts() -> list[Case]:
    """A case in every open state, brought there by its usual way on either track; one with the first answer given."""
    found = []
    for track, ways in (("general", GENERAL_WAYS), ("commitment", COMMITMENT_WAYS)):
        for state in OPEN:
            if state in ways:
                draft = Case(1, CMA.name, CMA.version, CMA.spec.initial, "general", APPLICANT.agency_id or 0,
                             facts=dict(FACTS))  # fmt: skip
                found.append(Walk(draft).walk(ways[state]).case)
                if track == "general" and state == "awaiting_sign_off":
                    found.append(Walk(found[-1]).take("sign_off", department_officer("ecology")).case)
    for act, state in (("conclude_does_not_meet", "under_review"), ("reject_rectification", "rectified")):
        draft = Case(1, CMA.name, CMA.version, CMA.spec.initial, "general", APPLICANT.agency_id or 0, facts=dict(FACTS))
        found.append(Walk(draft).walk((*GENERAL_WAYS[state], act)).case)
    return found


@cache
def known() -> tuple[Case, ...]:
    return situations(TRIAL, starts())


@cache
def led_to(first: str) -> tuple[Case, ...]:
    return afterwards(TRIAL, known(), first)


@cache
def found(first: str, second: str) -> Cell:
    return cell(TRIAL, led_to(first), first, second)


def page() -> str:
    """The page: the table, then every pair that is not simply allowed or absent, with what is said."""
    verbs = verbs_of(CMA)
    table = {(a, b): found(a, b) for a in verbs for b in verbs}
    lines = [
        "# Every pair of verbs",
        "",
        "What happens when the second verb (column) is tried right after the first (row), by anybody, in every",
        "situation of CMA version 2 in which the first can be used. Found by trying it in the engine:",
        "`python -m proof.verb_pairs` writes this page; `tests/workflow/test_verb_pairs.py` tries every cell again.",
        "`tests/store/test_verb_pairs.py` takes a sample through the real store, `./run proof verb-pairs` every pair.",
        "",
        "✓ allowed · ◐ allowed in some situations · ✗ refused, with the reason below · `·` the action is not there",
        "",
        "| | " + " | ".join(verbs) + " |", "|---|" + "---|" * len(verbs),
    ]  # fmt: skip
    lines += ["| **" + a + "** | " + " | ".join(SIGNS[table[a, b].answer] for b in verbs) + " |" for a in verbs]
    lines += ["", "## Where it depends, and why it is refused", ""]
    for (a, b), said in table.items():
        if said.answer in (Answer.SOMETIMES, Answer.REFUSED):
            lines.append(f"- **{a} → {b}**: {_told(said)}")
    return "\n".join(lines) + "\n"


def _told(said: Cell) -> str:
    always = [s for s in said.where if s not in said.not_where]
    depends = [s for s in said.where if s in said.not_where]
    never = [s for s in said.not_where if s not in said.where]
    parts = [f"allowed in {', '.join(always)}"] if always else []
    parts += [f"in {', '.join(depends)} it depends on what went before"] if depends else []
    parts += [f"not in {', '.join(never)}"] if never else []
    parts += ["refused with " + " / ".join(f"“{reason.text}”" for reason in said.reasons)] if said.reasons else []
    return "; ".join(parts)


SEED, STARTS = 20261122, 4  # of each pair so many starts are tried, taken at random


def prove() -> Iterator[dict[str, Any]]:
    """Every pair, on each database."""
    from proof.races import both
    from store.database import Database
    from tests.store.factories import MovableClock
    from tests.store.pairs import PAIRS, Stage, starts

    with both() as urls:
        for name, url in urls.items():
            database, tried, wrong = Database(url, MovableClock()), 0, list[str]()
            stage = Stage(database)
            for first, second in PAIRS:
                chance = random.Random(f"{SEED} {first} {second}")
                for start in chance.sample(starts(first), min(STARTS, len(starts(first)))):
                    wrong += stage.faults(first, second, start, chance)
                    tried += 1
            database.close()
            yield {
                "claim": f"every pair of verbs goes through the store on {name} as the table says",
                "tries": tried,
                "unexpected": len(wrong),
                "note": f"{len(PAIRS)} pairs, seed {SEED}" + "".join(f"; {w}" for w in wrong[:3]),
            }


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
