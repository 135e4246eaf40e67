"""The typed rows that come out of the tables. Texts are tidied; standards are canonical numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class CapabilityRow:
    """One data row of 附表1. `standards` holds canonical numbers such as GB/T5009.35-2016, in order."""

    sheet: str
    row: int
    site: str
    section: str
    category: str
    object: str
    parameter: str
    standards: tuple[str, ...]
    standard_text: str
    limit: str
    note: str
    approved_on: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One person of 附表4. `age` and `years` (of experience) are None where no whole number was given."""

    sheet: str
    row: int
    site: str
    name: str
    sex: str
    age: int | None
    education: str
    post: str
    title: str
    major: str
    years: int | None
    department_post: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class SignatoryRow:
    """One authorised signatory of 附表2."""

    sheet: str
    row: int
    site: str
    name: str
    post: str
    title: str
    field: str
    note: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class EquipmentRow:
    """One piece of equipment or reference material of 附表5; `valid_to` is None where no date could be read."""

    sheet: str
    row: int
    site: str
    category: str
    parameter: str
    standards: tuple[str, ...]
    standard_text: str
    name: str
    model: str
    measuring_range: str
    traceability: str
    valid_to: date | None
    valid_to_text: str
    confirmation: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class StandardChangeRow:
    """One line of 标准（方法）变更审批表: what was approved and what shall take its place."""

    sheet: str
    row: int
    category: str
    parameter: str
    old_standards: tuple[str, ...]
    old_text: str
    new_standards: tuple[str, ...]
    new_text: str
    content: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class ApplicationFacts:
    """申请书基本信息, one value for the whole file. `uscc` is folded and upper-case; '' means not given."""

    sheet: str
    name: str
    uscc: str
    registered_address: str
    address: str
    region_code: str
    postcode: str
    legal_person: str
    responsible_person: str
    contact: str
    phone: str
    mobile: str
    email: str
    legal_setting: str
    legal_kind: str
    application_type: str
    certificate_number: str
    applied_on: date | None
    items_declared: int | None
    accepted: bool


Row = CapabilityRow | StaffRow | SignatoryRow | EquipmentRow | StandardChangeRow | ApplicationFacts
