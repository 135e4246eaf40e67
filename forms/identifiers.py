"""Codes people type: normalised, checked, and refused with the reason and the place.

Each ``parse_...`` takes what was typed, gives the normal form and raises IdentifierError. Text is
normalised first: NFKC, upper case, and neither white space nor invisible characters count. What is well
formed but doubtful (a number that no operator issues, a division newer than our list) is accepted with
a warning: a bureau cannot turn people away because its own tables are old.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from stdnum.cn import ric, uscc

from workflow.vocabulary import N_, Message

USCC_LENGTH = 18
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I, O, S, V, Z
ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714-1997
NATIONAL_REGISTRY = "100000"  # stands in a USCC where a national authority registered; not in GB/T 2260

_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+")
_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_UNISSUED = re.compile(r"1[0-2][0-9]{9}", re.ASCII)
_LANDLINE = re.compile(
    r"\(?(010|02[0-9]|0[3-9][0-9]{2})\)?-?([1-9][0-9]{6,7})(?:[-转X]([0-9]{1,6}))?", re.ASCII
)
_HOTLINE = re.compile(r"[48]00-?[0-9]{3}-?[0-9]{4}", re.ASCII)
_POSTCODE = re.compile(r"[0-8][0-9]{5}", re.ASCII)
# YY year, AA authority 00-31, FF field 00-21, DD industry 00-34, SSSS serial
_CERTIFICATE = re.compile(
    r"([0-9]{2})(0[0-9]|[12][0-9]|3[01])(0[0-9]|1[0-9]|2[01])(0[0-9]|[12][0-9]|3[0-4])([0-9]{4})", re.ASCII
)


class IdentifierError(ValueError):
    """What was typed is not such a code. ``message`` says why; each reason is a class of its own."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class WrongLength(IdentifierError):
    """Too few or too many characters."""


class WrongCharacter(IdentifierError):
    """A character that the code's alphabet does not have."""


class WrongOrganisationCheck(IdentifierError):
    """The check character of the organisation code inside (GB 11714) does not fit."""


class WrongCheckCharacter(IdentifierError):
    """The last, the check character does not fit: most likely a typing error."""


class WrongDate(IdentifierError):
    """The birth date inside does not exist or lies ahead."""


class WrongShape(IdentifierError):
    """Not built like such a code at all."""


class UnknownDivision(IdentifierError):
    """Six digits, but no division that we know."""


def normalise(text: str) -> str:
    """NFKC, upper case, without white space and invisible characters."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).upper()


def parse_uscc(text: str) -> str:
    """A unified social credit code (GB 32100-2015), both its check characters verified.

    Raises WrongLength, WrongCharacter, WrongOrganisationCheck or WrongCheckCharacter.
    """
    code = normalise(text)
    for place, character in enumerate(code, start=1):
        if character not in USCC_ALPHABET:
            raise WrongCharacter(
                Message(
                    N_(
                        "The unified social credit code has “%(character)s” at position %(place)s. It holds"
                        " digits and capital letters without I, O, S, V and Z."
                    ),
                    {"character": character, "place": place},
                )
            )
    if len(code) != USCC_LENGTH:
        raise WrongLength(
            Message(
                N_("The unified social credit code has %(length)s characters; it must have 18."),
                {"length": len(code)},
            )
        )
    if not code[2:8].isdigit():
        raise WrongCharacter(
            Message(N_("Positions 3 to 8 of the unified social credit code are digits (the division)."))
        )
    if code[16] != organisation_check(code[8:16]):
        raise WrongOrganisationCheck(
            Message(
                N_(
                    "The organisation code inside the unified social credit code (positions 9 to 17) does not"
                    " fit its check character. Compare it with the certificate of registration."
                )
            )
        )
    if code[17] != uscc.calc_check_digit(code):
        raise WrongCheckCharacter(
            Message(
                N_(
                    "The unified social credit code does not fit its check character (the last one). Compare"
                    " it with the certificate of registration."
                )
            )
        )
    return code


def organisation_check(body: str) -> str:
    """The check character of an eight-character organisation code (GB 11714-1997)."""
    total = sum(
        ORGANISATION_ALPHABET.index(character) * weight
        for character, weight in zip(body, ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X"[(11 - total % 11) % 11]


def doubt_about_uscc(code: str, divisions: Container[str]) -> Message | None:
    """A warning where the registering division (positions 3 to 8) is in no list of ours."""
    division = code[2:8]
    if division == NATIONAL_REGISTRY or division in divisions:
        return None
    return Message(
        N_("The division %(division)s in the unified social credit code is not in the list."),
        {"division": division},
    )


class PhoneKind(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    HOTLINE = "hotline"
    UNISSUED = "unissued"  # built like a mobile number, but no operator issues it


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number in its normal form; ``warning`` where it is accepted with a doubt."""

    number: str
    kind: PhoneKind
    warning: Message | None = None


def parse_mobile(text: str) -> Phone:
    """A mobile number of the mainland, for text messages. Raises WrongShape.

    Numbers from 10 to 12 exist only in samples and rehearsals: accepted, with a warning that no message
    can reach them.
    """
    number = _without_country(normalise(text))
    if _MOBILE.fullmatch(number):
        return Phone(number, PhoneKind.MOBILE)
    if _UNISSUED.fullmatch(number):
        return Phone(
            number,
            PhoneKind.UNISSUED,
            Message(
                N_("No operator issues mobile numbers beginning with %(prefix)s; no message can reach it."),
                {"prefix": number[:3]},
            ),
        )
    raise WrongShape(
        Message(N_("A mobile number has 11 digits and begins with 13 to 19, for example 13800000000."))
    )


def parse_phone(text: str) -> Phone:
    """A mobile, landline (with area code) or 400/800 number. Raises WrongShape."""
    number = _without_country(normalise(text).replace("―", "-").replace("—", "-").replace("–", "-"))
    if match := _LANDLINE.fullmatch(number):
        area, line, extension = match.groups()
        return Phone(f"{area}-{line}" + (f"-{extension}" if extension else ""), PhoneKind.LANDLINE)
    if _HOTLINE.fullmatch(number):
        digits = number.replace("-", "")
        return Phone(f"{digits[:3]}-{digits[3:6]}-{digits[6:]}", PhoneKind.HOTLINE)
    try:
        return parse_mobile(number)
    except WrongShape as error:
        raise WrongShape(
            Message(
                N_(
                    "A phone number is a mobile number of 11 digits or a landline with its area code, for"
                    " example 029-12345678 or 029-12345678-801."
                )
            )
        ) from error


def _without_country(number: str) -> str:
    return re.sub(r"^(\+|00)86-?", "", number)


class Sex(StrEnum):
    MALE = "male"
    FEMALE = "female"


@dataclass(frozen=True, slots=True)
class IdCard:
    """A resident identity number (GB 11643-1999) and what it says."""

    number: str
    division: str
    born_on: date
    sex: Sex

    def age(self, on: date) -> int:
        """Completed years on that day."""
        return on.year - self.born_on.year - ((on.month, on.day) < (self.born_on.month, self.born_on.day))


def parse_id_card(text: str, on: date) -> IdCard:
    """A resident identity number of 18 characters; ``on`` is today, which no birth date may exceed.

    Raises WrongLength, WrongCharacter, WrongCheckCharacter or WrongDate. The division is not looked up:
    numbers keep the codes of counties that no longer exist.
    """
    number = normalise(text)
    if len(number) != 18:
        raise WrongLength(
            Message(
                N_("The identity number has %(length)s characters; it must have 18."), {"length": len(number)}
            )
        )
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise WrongCharacter(Message(N_("The identity number has 17 digits and then a digit or X.")))
    if number[17] != ric.calc_check_digit(number):
        raise WrongCheckCharacter(
            Message(N_("The identity number does not fit its check character (the last one)."))
        )
    try:
        born_on = date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError as error:
        raise WrongDate(
            Message(N_("The identity number holds no real birth date (positions 7 to 14)."))
        ) from error
    if born_on > on:
        raise WrongDate(
            Message(
                N_("The birth date %(day)s in the identity number lies ahead."), {"day": born_on.isoformat()}
            )
        )
    return IdCard(number, number[:6], born_on, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def parse_postcode(text: str) -> str:
    """A postcode of six digits. Raises WrongShape."""
    code = normalise(text)
    if not _POSTCODE.fullmatch(code):
        raise WrongShape(Message(N_("A postcode has six digits, for example 710000.")))
    return code


def parse_division(text: str, divisions: Container[str]) -> str:
    """A division code (GB/T 2260) that is in the list. Raises WrongShape or UnknownDivision."""
    code = normalise(text)
    if not re.fullmatch(r"[1-9][0-9]{5}", code):
        raise WrongShape(Message(N_("A division code has six digits, for example 610100.")))
    if code not in divisions:
        raise UnknownDivision(
            Message(N_("The division code %(code)s is not in the list (GB/T 2260)."), {"code": code})
        )
    return code


@dataclass(frozen=True, slots=True)
class CertificateNumber:
    """The twelve digits ``YY AA FF DD SSSS``, taken apart; each part is text with its leading zeros."""

    number: str
    year: str
    authority: str
    field: str
    industry: str
    serial: str


def parse_certificate_number(text: str) -> CertificateNumber:
    """A certificate number; each pair must be in its list's range. There is no check digit.

    Raises WrongLength or WrongShape.
    """
    number = normalise(text)
    if len(number) != 12:
        raise WrongLength(
            Message(
                N_("The certificate number has %(length)s characters; it must have 12 digits."),
                {"length": len(number)},
            )
        )
    match = _CERTIFICATE.fullmatch(number)
    if match is None or match.group(5) == "0000":
        raise WrongShape(
            Message(
                N_(
                    "A certificate number is twelve digits: year, authority (00 to 31), field (00 to 21),"
                    " industry (00 to 34) and a serial number from 0001."
                )
            )
        )
    return CertificateNumber(number, *match.groups())
