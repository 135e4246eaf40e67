"""Entering the separation of duties of a definition, before the first case runs on it."""

from weakref import WeakKeyDictionary

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import Dialect

from store.records.separation import APPLICANT, ENTERED
from workflow.procedure import Procedure

_ENTER = text(
    "INSERT INTO separation (digest, action, earlier) VALUES (:digest, :action, :earlier) ON CONFLICT DO NOTHING"
)
_entered: WeakKeyDictionary[Dialect, set[str]] = WeakKeyDictionary()  # every engine has a dialect of its own


def rules_of(procedure: Procedure) -> set[tuple[str, str]]:
    """(action, earlier action) pairs that no one person may take on one case; see `store.records.separation`."""
    rules = {(ENTERED, ENTERED)}
    for action in procedure.actions:
        rules |= {(action.name, earlier) for earlier in action.spec.apart_from}
        if not action.on_applicant_side and action.spec.who != "is_the_system":
            rules.add((action.name, APPLICANT))
    return rules


def enter(connection: Connection, procedure: Procedure) -> None:
    """Make the rules of this very text known to the database. Asked at every step, done once per process."""
    entered = _entered.setdefault(connection.dialect, set())
    if procedure.digest in entered:
        return
    connection.execute(
        _ENTER, [{"digest": procedure.digest, "action": a, "earlier": e} for a, e in sorted(rules_of(procedure))]
    )
    # Known only when it is committed: what is rolled back was never entered.
    event.listen(connection, "commit", lambda _: entered.add(procedure.digest), once=True)
