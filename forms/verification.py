"""What the public types to verify a certificate: a number, a name, a search within the scope, a file."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from werkzeug.datastructures import MultiDict
from wtforms import DateField, Form, SearchField, StringField
from wtforms.validators import Length, Optional, ValidationError

from forms.identifiers import IdentifierError, parse_certificate_number

NAME_LENGTH = 4  # characters of an agency's name asked for at least, so that nobody can leaf through the register


class LookUpForm(Form):  # type: ignore[misc]
    """One field of two kinds: a certificate number, or the beginning of an agency's name."""

    q = StringField(
        _l("Certificate number or name of the agency"),
        description=_l("The 12 digits on the certificate, or at least 4 characters of the agency's name."),
        render_kw={"autocomplete": "off", "maxlength": "100", "data-search": ""},
    )

    def __init__(self, formdata: MultiDict[str, str] | None, say: Callable[[object], str]) -> None:
        super().__init__(formdata)
        self._say = say

    @property
    def number(self) -> str | None:
        """The certificate number that was typed, None when it is a name. Raises IdentifierError."""
        text = (self.q.data or "").strip()
        digits = "".join(c for c in text if not c.isspace() and c not in "-—－")
        if not digits.isdigit():
            return None
        return parse_certificate_number(digits).number

    @property
    def name(self) -> str:
        return " ".join((self.q.data or "").split())[:100]

    def validate_q(self, field: Any) -> None:
        try:
            number = self.number
        except IdentifierError as error:
            raise ValidationError(self._say(error.message)) from error
        if number is None and len(self.name) < NAME_LENGTH:
            raise ValidationError(_l("Type all 12 digits, or at least 4 characters of the name."))


class ScopeForm(Form):  # type: ignore[misc]
    """Search within one annex, now or as it was on a day."""

    search = SearchField(_l("Search in the scope"), [Length(max=60)], render_kw={"maxlength": "60"})
    on = DateField(_l("As it was on"), [Optional()])

    def __init__(self, formdata: MultiDict[str, str], today: date) -> None:
        super().__init__(formdata)
        self._today = today

    def validate_on(self, field: DateField) -> None:
        if field.data and field.data > self._today:
            raise ValidationError(_l("This day is still to come."))


class CompareForm(Form):  # type: ignore[misc]
    """A file whose bytes are compared with the register."""

    file = FileField(
        _l("Certificate as a PDF file"),
        description=_l("Only its checksum is taken; the file is not kept."),
    )

    def validate_file(self, field: FileField) -> None:
        if not field.data or not field.data.filename:
            raise ValidationError(_l("Choose the PDF file of the certificate."))
