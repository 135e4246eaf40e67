"""The sections of the application: what they refuse, what they keep, what they ask for."""
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from forms.applications import SECTION_FORMS, Choices, faults, section_form, typed

COVER = {"types": ["renewal"], "certificate_held": "241605341739", "applied_on": "2026-07-29"}
OVERVIEW = {
    "name": "示范检测有限公司", "legal_setting": "independent", "legal_kind": "enterprise", "address": "示范路 1 号",
    "lab_address": "示范路 2 号", "postcode": "710000", "email": "a@agency.example", "legal_person": "高原",
    "responsible_person": "李敏", "contact": "王宁", "contact_phone": "029-12345678", "premises": ["fixed"]}
PARENT = {"unit": "示范集团", "uscc": "91610100MA6U00005J", "address": "示范路 3 号"}
RESOURCES = {"sites": "示范路 2 号\n示范路 4 号", "site_right": "owned", "equipment_right": "rented"}
DECLARATION = {"declared": ["lawful", "criteria", "truthful"], "signer": "高原", "capacity": "legal_person",
               "signed_on": "2026-07-29"}
COMPLETE: dict[str, dict[str, Any]] = {
    "cover": COVER, "overview": OVERVIEW, "parent": PARENT, "resources": RESOURCES, "declaration": DECLARATION}
OFFERED = Choices([("first", "首次"), ("renewal", "复查"), ("extension", "扩项")], [("34", "其他")])


@pytest.mark.parametrize("section", COMPLETE)
def test_a_section_filled_as_the_form_asks_is_complete(section: str) -> None:
    assert faults(section, COMPLETE[section], {}) == ()


@pytest.mark.parametrize("section", COMPLETE)
def test_an_empty_section_is_not_complete(section: str) -> None:
    assert faults(section, {}, {})


@pytest.mark.parametrize(("section", "field", "value"), [
    ("cover", "types", []), ("cover", "types", ["first", "renewal"]), ("cover", "certificate_held", ""),
    ("cover", "certificate_held", "24160534173"), ("cover", "certificate_held", "249905341739"),
    ("cover", "applied_on", "2026-02-30"), ("cover", "applied_on", "昨天"), ("cover", "hoped_on", "2026-07-28"),
    ("overview", "name", " "), ("overview", "name", "检" * 121), ("overview", "name", "甲\u202e乙"),
    ("overview", "name", "甲\x07乙"), ("overview", "postcode", "71000"), ("overview", "email", "a@b"),
    ("overview", "contact_phone", "12345"), ("overview", "contact_mobile", "2380000000"),
    ("overview", "premises", []), ("overview", "fax", "无"), ("parent", "uscc", "91610100MA6U00005K"),
    ("resources", "sites", "\n"), ("resources", "fixed_assets", "一百"), ("resources", "fixed_assets", "1.2.3"),
    ("resources", "site_right", ""), ("declaration", "declared", ["lawful", "criteria"]),
    ("declaration", "signed_on", "")])
def test_a_field_that_is_wrong_is_named(section: str, field: str, value: Any) -> None:
    assert faults(section, {**COMPLETE[section], field: value}, {}) == (field,)


def test_a_first_application_needs_no_certificate() -> None:
    assert faults("cover", {"types": ["first"], "applied_on": "2026-07-29"}, {}) == ()


@pytest.mark.parametrize("number", ["０２９—12345678", "+86 13800000000", "400-800-1234"])
def test_phones_are_taken_as_people_write_them(number: str) -> None:
    assert faults("overview", {**OVERVIEW, "contact_phone": number}, {}) == ()


def test_what_looks_alike_is_kept_alike() -> None:
    form = SECTION_FORMS["overview"](MultiDict({
        "postcode": "３５０５００", "name": "秦岭\u200b检测\r\n公司", "email": "ａ@b.example"}))
    kept = form.to_section()
    assert (kept["postcode"], kept["name"], kept["email"]) == ("350500", "秦岭检测 公司", "a@b.example")


def test_what_was_typed_is_kept_even_where_it_is_wrong() -> None:
    form = SECTION_FORMS["overview"](MultiDict({"postcode": " 71-00 ", "email": "无"}))
    assert not form.validate()
    assert form.to_section()["postcode"] == "71-00" and form.to_section()["email"] == "无"


def test_a_code_that_was_not_offered_is_left_out() -> None:
    form = SECTION_FORMS["cover"](MultiDict([("types", "renewal"), ("types", "admin"), ("industry", "99")]),
                                  choices=OFFERED)
    assert form.to_section()["types"] == ["renewal"] and form.to_section()["industry"] == ""


@pytest.mark.parametrize("section", COMPLETE)
def test_a_section_comes_back_as_it_was_kept(section: str) -> None:
    form = section_form(section, COMPLETE[section], revision=3, choices=OFFERED)
    again = {name: value for name, value in form.to_section().items() if value}
    assert again == COMPLETE[section] and form.seen_revision() == 3


@pytest.mark.parametrize("damaged", ["", "-1", "x", "9" * 12, "１"])
def test_a_damaged_revision_is_never_current(damaged: str) -> None:
    assert SECTION_FORMS["cover"](typed({"revision": damaged})).seen_revision() == -1
