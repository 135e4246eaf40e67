"""The declarative root of every record, its column types and its naming convention."""

from datetime import UTC, date, datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NEVER = date(9999, 12, 31)  # sorts after every due date, so a queue needs no NULLS LAST


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite, which knows no zone, keeps it naive. Refuses naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)



class HexDigest(TypeDecorator[str]):
    """A SHA-256 as 64 hexadecimal digits, kept as its 32 bytes. What is no digest (tampering) is shown as it is."""

    impl = LargeBinary(32)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return value.hex() if isinstance(value, bytes) else value


Json = JSON().with_variant(JSONB(), "postgresql")
# On PostgreSQL the text as it was written: what a step reads and writes whole, and no query looks into.
PlainJson = JSON()
BigId = BigInteger().with_variant(Integer(), "sqlite")  # SQLite autoincrements INTEGER only


class Record(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UtcDateTime(),
        date: Date(),
        dict[str, Any]: Json,
        list[Any]: Json,
        str: Text(),
    }


def big_id() -> Any:
    return mapped_column(BigId, primary_key=True, autoincrement=True)


def token(length: int = 22, **options: Any) -> Any:
    """An opaque public identifier (132 bits of randomness in 22 URL-safe characters)."""
    return mapped_column(String(length), **options)


def table_of(record: type[Record]) -> Table:
    """The Core table of a record; SQLAlchemy types `__table__` more loosely than it is."""
    return cast(Table, record.__table__)
