"""Testing agencies 检验检测机构, as registered; one row per unified social credit code."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import Record, big_id, token


class AgencyRecord(Record):
    __tablename__ = "agency"
    id: Mapped[int] = big_id()
    public_id: Mapped[str] = token(unique=True)
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str]
    division: Mapped[str] = mapped_column(String(6))
    address: Mapped[str]
    legal_person: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str]
    particulars: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class CommitmentBarRecord(Record):
    """Why the commitment track is closed to an agency: a penalty, a false commitment, a listing, a retraction."""

    __tablename__ = "commitment_bar"
    id: Mapped[int] = big_id()
    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id"), index=True)
    ground: Mapped[str] = mapped_column(String(40))
    basis: Mapped[str]
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"))
