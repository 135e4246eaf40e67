"""Reference data a bureau may replace: standards, calendar years, allowances and small catalogues."""

from datetime import date
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.records.columns import Record, big_id


class StandardRecord(Record):
    __tablename__ = "standard"
    number: Mapped[str] = mapped_column(String(120), primary_key=True)  # full number as catalogued
    title: Mapped[str]
    domain: Mapped[str] = mapped_column(String(60))  # sector/section
    status: Mapped[str] = mapped_column(String(20))
    replaced_by: Mapped[str]
    confidence: Mapped[str] = mapped_column(String(20))


class CalendarYearRecord(Record):
    __tablename__ = "calendar_year"
    year: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]


class AllowanceRecord(Record):
    __tablename__ = "allowance"
    id: Mapped[int] = big_id()
    name: Mapped[str] = mapped_column(String(60))
    valid_from: Mapped[date]
    content: Mapped[dict[str, Any]]
    __table_args__ = (Index("ix_allowance_name", "name", "valid_from", unique=True),)


class CatalogueEntryRecord(Record):
    """An entry of a small catalogue (departments, fields, exclusions, materials, checklist ...)."""

    __tablename__ = "catalogue_entry"
    catalogue: Mapped[str] = mapped_column(String(40), primary_key=True)
    code: Mapped[str] = mapped_column(String(80), primary_key=True)
    ordinal: Mapped[int]
    content: Mapped[dict[str, Any]]


class SettingRecord(Record):
    """What the installation knows about itself: the bureau, the seeded versions, the demo mark."""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    content: Mapped[dict[str, Any]]
