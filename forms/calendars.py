"""What an administrator gives to publish a calendar year: the file, and then a word that it was checked."""

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, Form, HiddenField
from wtforms.validators import InputRequired, ValidationError


class CalendarFileForm(Form):  # type: ignore[misc]
    """The file of a year, to be looked at before anything happens."""

    file = FileField(
        _l("File of the year"),
        description=_l(
            "YAML as this program ships it, or the JSON of the holiday-cn tables; it names the State Council's notice."
        ),
    )

    def validate_file(self, field: FileField) -> None:
        if not field.data or not field.data.filename:
            raise ValidationError(_l("Choose the file of the calendar year."))


class PublishForm(Form):  # type: ignore[misc]
    """What was looked at, carried back, and the word of whoever publishes it."""

    content = HiddenField()
    sure = BooleanField(
        _l("I have compared the days with the notice of the State Council."),
        [InputRequired(_l("Tick this box if you are sure."))],
    )

    def __init__(self, formdata: Any = None, *, content: str = "") -> None:
        super().__init__(formdata, data={"content": content} if formdata is None else None)
