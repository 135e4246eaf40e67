"""Codes that people type are accepted in any spelling, and refused with the reason."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.identifiers import (
    USCC_ALPHABET,
    IdentifierError,
    PhoneKind,
    Sex,
    UnknownDivision,
    WrongCharacter,
    WrongCheckCharacter,
    WrongDate,
    WrongLength,
    WrongOrganisationCheck,
    WrongShape,
    doubt_about_uscc,
    normalise,
    organisation_check,
    parse_certificate_number,
    parse_division,
    parse_id_card,
    parse_mobile,
    parse_phone,
    parse_postcode,
    parse_uscc,
)

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 3, 2)
REAL_USCCS = (
    "9144030071526726XG",
    "91110000802100433B",
    "914403001922038216",
    "91330100799655058B",
    "11100000MB0143028R",
)
ID_CARD = "11010519491231002X"


@pytest.fixture(scope="session")
def divisions() -> frozenset[str]:
    with (ROOT / "reference" / "divisions.csv").open(encoding="utf-8", newline="") as rows:
        return frozenset(row["code"] for row in csv.DictReader(rows))


def agencies() -> list[dict[str, str]]:
    return [
        json.loads(path.read_text(encoding="utf-8"))["agency"]
        for path in sorted((ROOT / "tests" / "corpus").glob("P*/expected.json"))
    ]


@pytest.mark.parametrize("code", REAL_USCCS)
def test_a_real_credit_code_is_accepted(code):
    assert parse_uscc(code) == code


@pytest.mark.parametrize(
    "typed", [" 9144030071526726xg\n", "９１４４０３００７１５２６７２６ＸＧ", "9144 0300 7152 6726 XG\u200b"]
)
def test_a_credit_code_is_accepted_in_any_spelling(typed):
    assert parse_uscc(typed) == "9144030071526726XG"


@given(st.sampled_from(REAL_USCCS), st.integers(0, 17), st.characters())
def test_a_credit_code_with_any_one_character_changed_is_refused(code, place, character):
    changed = code[:place] + character + code[place + 1 :]
    if normalise(changed) == code:
        assert parse_uscc(changed) == code
        return
    with pytest.raises(IdentifierError):
        parse_uscc(changed)


@pytest.mark.parametrize("code", REAL_USCCS)
def test_each_of_the_other_30_characters_at_each_place_is_refused(code):
    for place in range(18):
        for other in set(USCC_ALPHABET) - {code[place]}:
            with pytest.raises(IdentifierError):
                parse_uscc(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", WrongLength),
        ("9144030071526726X", WrongLength),
        ("9144030071526726XG0", WrongLength),
        ("9144030O71526726XG", WrongCharacter),
        ("91440300715267261G", WrongOrganisationCheck),
        ("9144030071526726XH", WrongCheckCharacter),
    ],
)
def test_a_refused_credit_code_says_why(typed, reason):
    with pytest.raises(reason) as refused:
        parse_uscc(typed)
    assert "unified social credit code" in str(refused.value)


def test_a_wrong_character_is_named_with_its_place():
    with pytest.raises(WrongCharacter, match="“O” at position 8"):
        parse_uscc("9144030O71526726XG")


def test_an_organisation_code_may_end_in_x():
    assert organisation_check("71526726") == "X"


def test_the_sample_agencies_have_good_codes_in_known_divisions(divisions):
    found = agencies()
    assert len(found) == 14
    for agency in found:
        assert parse_uscc(agency["uscc"]) == agency["uscc"]
        assert parse_division(agency["region_code"], divisions) == agency["region_code"]
        assert doubt_about_uscc(agency["uscc"], divisions) is None


def test_a_code_from_an_unlisted_division_is_doubted_not_refused(divisions):
    assert doubt_about_uscc("91110000802100433B", divisions) is None
    assert doubt_about_uscc("11100000MB0143028R", divisions) is None  # registered by a national authority
    assert "999999" in str(doubt_about_uscc("919999990000000000", divisions))


@pytest.mark.parametrize("typed", ["13812345678", "+86 147 1234 5678", "１６６12345678", "0086-19912345678"])
def test_a_mobile_number_of_every_operator_is_accepted(typed):
    phone = parse_mobile(typed)
    assert phone.kind is PhoneKind.MOBILE
    assert phone.warning is None
    assert len(phone.number) == 11


def test_a_sample_mobile_number_is_accepted_with_a_warning():
    phone = parse_mobile("10083505548")
    assert phone.kind is PhoneKind.UNISSUED
    assert "100" in str(phone.warning)


@pytest.mark.parametrize(
    "typed", ["", "1381234567", "138123456789", "23812345678", "1381234567a", "٠1381234567"]
)
def test_what_is_no_mobile_number_is_refused(typed):
    with pytest.raises(WrongShape):
        parse_mobile(typed)


@pytest.mark.parametrize(
    ("typed", "number", "kind"),
    [
        ("0649-85334307", "0649-85334307", PhoneKind.LANDLINE),
        ("(010)12345678", "010-12345678", PhoneKind.LANDLINE),
        ("029－87654321转801", "029-87654321-801", PhoneKind.LANDLINE),
        ("02987654321", "029-87654321", PhoneKind.LANDLINE),
        ("400 123 4567", "400-123-4567", PhoneKind.HOTLINE),
        ("13812345678", "13812345678", PhoneKind.MOBILE),
    ],
)
def test_a_phone_number_is_brought_to_one_form(typed, number, kind):
    phone = parse_phone(typed)
    assert (phone.number, phone.kind) == (number, kind)


@pytest.mark.parametrize("typed", ["87654321", "110", "电话", "029-123", "010-123456789"])
def test_a_phone_number_without_area_code_or_sense_is_refused(typed):
    with pytest.raises(WrongShape):
        parse_phone(typed)


def test_an_identity_number_tells_birth_date_sex_and_division():
    card = parse_id_card("11010519491231002x", TODAY)
    assert (card.number, card.division, card.born_on, card.sex) == (
        ID_CARD,
        "110105",
        date(1949, 12, 31),
        Sex.FEMALE,
    )
    assert card.age(date(2026, 12, 30)) == 76
    assert card.age(date(2026, 12, 31)) == 77


@given(st.integers(0, 17), st.characters())
def test_an_identity_number_with_any_one_character_changed_is_refused(place, character):
    changed = ID_CARD[:place] + character + ID_CARD[place + 1 :]
    if normalise(changed) == ID_CARD:
        assert parse_id_card(changed, TODAY).number == ID_CARD
        return
    with pytest.raises(IdentifierError):
        parse_id_card(changed, TODAY)


def identity(body: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


@pytest.mark.parametrize("body", ["11010519490231002", "11010520260303002", "11010500000101002"])
def test_an_identity_number_without_a_possible_birth_date_is_refused(body):
    with pytest.raises(WrongDate):
        parse_id_card(identity(body), TODAY)


def test_an_identity_number_of_a_county_that_is_newer_than_any_list_is_accepted():
    assert parse_id_card(identity("13062919900101001"), TODAY).division == "130629"


def test_postcodes_have_six_digits():
    assert parse_postcode(" ７１００００ ") == "710000"
    for typed in ("71000", "7100000", "71000A", "910000", ""):
        with pytest.raises(WrongShape):
            parse_postcode(typed)


def test_a_division_must_be_known(divisions):
    assert parse_division("610722", divisions) == "610722"
    with pytest.raises(UnknownDivision, match="619999"):
        parse_division("619999", divisions)
    with pytest.raises(WrongShape):
        parse_division("6107", divisions)


@pytest.mark.parametrize("number", ["152701060345", "210013061568"])
def test_a_certificate_number_is_taken_apart(number):
    parsed = parse_certificate_number(number)
    assert parsed.year + parsed.authority + parsed.field + parsed.industry + parsed.serial == number
    assert len(parsed.serial) == 4


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("15270106034", WrongLength),
        ("1527010603456", WrongLength),
        ("153201060345", WrongShape),
        ("152722060345", WrongShape),
        ("152701350345", WrongShape),
        ("152701060000", WrongShape),
        ("15270106034A", WrongShape),
    ],
)
def test_a_certificate_number_outside_the_lists_is_refused(number, reason):
    with pytest.raises(reason):
        parse_certificate_number(number)
