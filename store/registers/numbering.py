"""Numbers without gap or duplicate: the counter's row is locked until the issuing transaction ends."""

from sqlalchemy import Connection, text

_TAKE = text(
    "INSERT INTO number_counter (scope, next) VALUES (:scope, 2) "
    "ON CONFLICT (scope) DO UPDATE SET next = number_counter.next + 1 RETURNING next - 1"
)
_RAISE = text(
    "INSERT INTO number_counter (scope, next) VALUES (:scope, :next) "
    "ON CONFLICT (scope) DO UPDATE SET next = :next WHERE number_counter.next < :next"
)


def take(connection: Connection, scope: str) -> int:
    """The next number of a scope, from 1. It is used exactly when the transaction commits."""
    return int(connection.execute(_TAKE, {"scope": scope}).scalar_one())


def raise_to(connection: Connection, scope: str, used: int) -> None:
    """Make sure that the next number comes after one already used elsewhere (imported certificates)."""
    connection.execute(_RAISE, {"scope": scope, "next": used + 1})
