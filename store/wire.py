"""The driver's own words to PostgreSQL: statements prepared once, asked by number, answered in binary.

A step asks two statements. Through a cursor these cost the client a third of the whole step; libpq itself takes them
as they are. Every statement is a transaction of its own, unless the connection is in one already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from json import JSONDecoder, JSONEncoder
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Integer, LargeBinary, String
from sqlalchemy.types import TypeEngine

MOST = 200  # statements kept prepared on one connection; a technical bound
_DONE, _ROWS, _FAILED = 1, 2, 7  # how libpq says that a statement went: PGRES_COMMAND_OK and so on
_BINARY, _SQLSTATE = 1, ord("C")
_FORGOTTEN = b"26000"  # there is no prepared statement of that name
_DAY_ZERO, _MOMENT_ZERO = date(2000, 1, 1).toordinal(), datetime(2000, 1, 1, tzinfo=UTC)
_JSONB = 3802  # the type's number: its binary form has one byte more in front


class NoWords(ValueError):
    """A value that cannot be said to the server in this way; nothing was sent."""


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # a datetime is one as well
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no value of a row")


# A value of a row as JSON, without spaces; days and moments as ISO 8601.
in_json = JSONEncoder(check_circular=False, ensure_ascii=False, separators=(",", ":"), default=_plain).encode


@lru_cache(maxsize=64)
def _day_or_moment(value: date) -> bytes:
    return value.isoformat().encode()


def _structure(value: Any) -> bytes:
    return in_json(value).encode()


# No function of Python's own for the kinds that every step has by the dozen.
_SAID: dict[type, Callable[[Any], bytes]] = {
    str: str.encode,
    int: b"%d".__mod__,
    datetime: _day_or_moment,
    date: _day_or_moment,
    dict: _structure,
    list: _structure,
    bytes: lambda value: b"\\x" + value.hex().encode(),
    bool: {True: b"t", False: b"f"}.__getitem__,
}


@dataclass
class Prepared:
    """The statements that a connection knows, by their words, and how many it was ever told."""

    names: dict[str, bytes] = field(default_factory=dict)
    made: int = 0


class Wire:
    """One connection, as libpq has it. What is prepared on it lives as long as it does."""

    def __init__(self, driver: Any, prepared: Prepared) -> None:
        self.driver, self._server, self._prepared = driver, driver.pgconn, prepared

    def ask(self, words: str, values: Sequence[Any]) -> Any:
        """Send a statement with $1, $2 ...; the answer as libpq gives it. Raises the driver's errors, and NoWords."""
        name = self._prepared.names.get(words) or self._prepare(words)
        said = [None if value is None else _SAID[type(value)](value) for value in values]
        if b"\0" in b"".join(filter(None, said)):  # libpq would end the text there
            raise NoWords("a text with a NUL")
        answer = self._server.exec_prepared(name, said, None, _BINARY)
        if answer.status == _FAILED and answer.error_field(_SQLSTATE) == _FORGOTTEN:
            # With its own, the driver throws away all that is prepared; nothing was done, so it is said again.
            self._prepared.names.clear()
            answer = self._server.exec_prepared(self._prepare(words), said, None, _BINARY)
        return self._right(answer)

    def _prepare(self, words: str) -> bytes:
        known = self._prepared
        if len(known.names) >= MOST:
            oldest = next(iter(known.names))
            self._right(self._server.exec_(b"DEALLOCATE " + known.names.pop(oldest)))
        known.made += 1
        name = b"wujian_%d" % known.made
        self._right(self._server.prepare(name, words.encode()))
        known.names[words] = name
        return name

    def _right(self, answer: Any) -> Any:
        if answer.status in (_ROWS, _DONE):
            return answer
        from psycopg import OperationalError, errors, pq

        if self._server.status != pq.ConnStatus.OK:
            raise OperationalError("the connection is lost")
        raise errors.error_from_result(answer)


_read_json = JSONDecoder().raw_decode


def readers(types: Sequence[TypeEngine[Any]], answer: Any) -> list[Callable[[bytes], Any]]:
    """How each column of an answer is read, by the type that the statement gives it."""
    return [_reader(kind, answer.ftype(place)) for place, kind in enumerate(types)]


def rows(answer: Any, how: Sequence[Callable[[bytes], Any]]) -> list[list[Any]]:
    """The rows of an answer, its values as SQLAlchemy gives them."""
    value = answer.get_value
    places = list(enumerate(how))
    return [
        [None if (said := value(row, place)) is None else read(said) for place, read in places]
        for row in range(answer.ntuples)
    ]


def _reader(kind: Any, number: int) -> Callable[[bytes], Any]:
    plain = getattr(kind, "impl", kind)  # what a decorated type is made of
    if isinstance(plain, Integer):
        return lambda said: int.from_bytes(said, "big", signed=True)
    if isinstance(plain, String):
        return bytes.decode
    if isinstance(plain, DateTime):
        return lambda said: _MOMENT_ZERO + timedelta(microseconds=int.from_bytes(said, "big", signed=True))
    if isinstance(plain, Date):
        return lambda said: date.fromordinal(_DAY_ZERO + int.from_bytes(said, "big", signed=True))
    if isinstance(plain, Boolean):
        return lambda said: said == b"\x01"
    if isinstance(plain, LargeBinary):
        return bytes.hex
    if number == _JSONB:
        return lambda said: _read_json(said[1:].decode())[0]
    return lambda said: _read_json(said.decode())[0]
