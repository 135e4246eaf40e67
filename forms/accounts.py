"""Registering an agency, signing in, confirming and changing a password."""
import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, SelectField, StringField, TelField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from forms import identifiers
from workflow.characters import settled, unprintable
from workflow.vocabulary import Message

DIVISIONS = Path(__file__).parent.parent / "reference" / "divisions.csv"
_HIDING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LONGEST_PASSWORD = 256  # characters that are read at all; how long one may be is said by the store


@dataclass(frozen=True, slots=True)
class SignIn:
    login: str
    password: str
    target: str


@dataclass(frozen=True, slots=True)
class RegisterAgency:
    """An agency, the person who registers it, and that person's sign-in name."""

    uscc: str
    agency_name: str
    division: str
    address: str
    legal_person: str
    phone: str
    email: str
    name: str
    login: str
    password: str


@dataclass(frozen=True, slots=True)
class ChangePassword:
    old: str
    new: str


class _EmailShape:
    """An e-mail address by its shape; whether its domain answers is not asked."""

    def __init__(self, message: Any) -> None:
        self.message = message

    def __call__(self, form: Any, field: Any) -> None:
        value = field.data or ""
        name, at, domain = value.rpartition("@")
        labels = domain.split(".")
        if not at or not name or len(labels) < 2 or not all(labels) or any(c.isspace() for c in value):
            raise ValidationError(self.message)


def _one_line(value: str | None) -> str | None:
    """Without blanks around it, line ends and what nobody sees: it stands on certificates and in lists."""
    return " ".join(_HIDING.sub("", settled(value)).split()) if value else value


class _Printable:
    """No sign that a certificate cannot show."""

    def __call__(self, form: Any, field: Any) -> None:
        if sign := unprintable(field.data or ""):
            raise ValidationError(_("“%(sign)s” cannot be printed; write it in words.", sign=sign))


def _text(label: Any, *, most: int, kind: type[StringField] = StringField, required: Any = None,
          checks: tuple[Any, ...] = (), **options: Any) -> StringField:
    """A line of text that must be given, without blanks around it."""
    return kind(label, [DataRequired(required or _l("Please fill this in.")),
                        Length(max=most, message=_l("At most %(max)d characters.", max=most)), _Printable(), *checks],
                filters=[_one_line], **options)


def _secret(label: Any, autocomplete: str) -> PasswordField:
    return PasswordField(
        label, [InputRequired(_l("Please fill this in.")),
                Length(max=LONGEST_PASSWORD, message=_l("At most %(max)d characters.", max=LONGEST_PASSWORD))],
        render_kw={"autocomplete": autocomplete})


class SignInForm(FlaskForm):  # type: ignore[misc]
    login = _text(_l("Sign-in name"), most=80,
                  render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"})
    password = _secret(_l("Password"), "current-password")
    next = HiddenField()

    def to_command(self) -> SignIn:
        return SignIn(self.login.data, self.password.data, self.next.data or "")


class ConfirmIdentityForm(FlaskForm):  # type: ignore[misc]
    """The password once more, before an act under one's own name."""

    password = _secret(_l("Your password"), "current-password")
    next = HiddenField()


class ChangePasswordForm(FlaskForm):  # type: ignore[misc]
    old = _secret(_l("Present password"), "current-password")
    new = _secret(_l("New password"), "new-password")
    again = _secret(_l("New password once more"), "new-password")

    def validate_again(self, field: Any) -> None:
        if field.data != self.new.data:
            raise ValidationError(_("The two new passwords differ."))

    def to_command(self) -> ChangePassword:
        return ChangePassword(self.old.data, self.new.data)


class RegisterAgencyForm(FlaskForm):  # type: ignore[misc]
    """`divisions` are those of the bureau's province, grouped by city: see `division_choices`.

    `say` turns a Message into the reader's words; it is handed in, since how to speak is the web's business.
    """

    uscc = _text(_l("Unified social credit code"), most=40,
                 description=_l("18 characters, from the business licence or the certificate of a legal person."))
    agency_name = _text(_l("Name of the agency"), most=120,
                        description=_l("In full, as on the certificate of registration."))
    division = SelectField(_l("County or district"), [InputRequired(_l("Please choose."))],
                           validate_choice=True)
    address = _text(_l("Registered address"), most=200)
    legal_person = _text(_l("Legal representative"), most=60)
    name = _text(_l("Your name"), most=60, description=_l("Who registers and will keep the agency's account."),
                 render_kw={"autocomplete": "name"})
    phone = _text(_l("Phone"), most=40, kind=TelField,
                  description=_l("A mobile number, or a landline with its area code."),
                  render_kw={"autocomplete": "tel"})
    email = _text(_l("E-mail"), most=254, kind=EmailField,
                  checks=(_EmailShape(_l("This is not an e-mail address, such as name@example.cn.")),),
                  render_kw={"autocomplete": "email"})
    login = _text(_l("Sign-in name"), most=80,
                  description=_l("3 to 80 characters: letters a to z, digits, and . _ @ -"),
                  render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"})
    password = _secret(_l("Password"), "new-password")
    again = _secret(_l("Password once more"), "new-password")

    def __init__(self, *args: Any, province: str, say: Callable[[Message], str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._say = say
        self.division.choices = {"": [("", _("Please choose"))], **division_choices(province)}
        self.password.description = _(
            "At least 10 characters, mixing three of: lower case, upper case, digits, others.")

    def validate_uscc(self, field: Any) -> None:
        field.data = self._parsed(identifiers.parse_uscc, field.data)

    def validate_phone(self, field: Any) -> None:
        field.data = self._parsed(identifiers.parse_phone, field.data).number

    def validate_again(self, field: Any) -> None:
        if field.data != self.password.data:
            raise ValidationError(_("The two passwords differ."))

    def _parsed(self, parse: Callable[[str], Any], text: str) -> Any:
        try:
            return parse(text)
        except identifiers.IdentifierError as error:
            raise ValidationError(self._say(error.message)) from error

    def to_command(self) -> RegisterAgency:
        return RegisterAgency(
            uscc=self.uscc.data, agency_name=self.agency_name.data, division=self.division.data,
            address=self.address.data, legal_person=self.legal_person.data, phone=self.phone.data,
            email=self.email.data, name=self.name.data, login=self.login.data, password=self.password.data)


@lru_cache(maxsize=4)
def division_choices(province: str) -> dict[str, list[tuple[str, str]]]:
    """City -> [(code, name)] of the counties of a province; `province` is any code that lies in it.

    A city without counties (such as 东莞市) is its own choice. Source: reference/divisions.csv (GB/T 2260).
    """
    with DIVISIONS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["code"][:2] == province[:2]]
    names = {row["code"]: row["name"] for row in rows}
    parents = {row["parent"] for row in rows}
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        if row["code"] in parents or row["code"].endswith("0000"):
            continue
        group = names.get(row["parent"]) or row["name"]
        found.setdefault(group, []).append((row["code"], row["name"]))
    return found
