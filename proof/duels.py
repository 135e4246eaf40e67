"""Two acts on one case at the same instant: decide and retract, sign and return, transfer and sign, twice the same."""

from collections.abc import Iterator
from typing import Any

from proof.races import both
from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from tests.store.duels import DUELS, colleagues, fight
from tests.store.factories import MovableClock

FIGHTS = 1000  # of each kind, on each database


def prove(fights: int = FIGHTS) -> Iterator[dict[str, Any]]:
    with both() as urls:
        for name, url in urls.items():
            database = Database(url, MovableClock())
            colleagues(database)
            cases = CaseStore(database, LawBook(database))
            for what, duel in DUELS.items():
                outcome = fight(cases, duel, fights)
                wrong = "; ".join(f"{fault}: {n}" for fault, n in outcome.wrong.items())
                yield {
                    "claim": f"{what} on {name}: one is carried out, the other told why not, nothing is torn",
                    "tries": fights,
                    "unexpected": outcome.wrong.total(),
                    "note": wrong or ", ".join(f"{act} {n}" for act, n in outcome.won.items()),
                }
            database.close()
