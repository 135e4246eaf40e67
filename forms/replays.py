"""Which past cases an administrator has lived again."""

from datetime import date

from flask_babel import lazy_gettext as _l
from wtforms import DateField, Form
from wtforms.validators import Optional

from workflow.vocabulary import N_, Message, Refusal


class SinceForm(Form):  # type: ignore[misc]
    """The first day of closing that counts; left empty, all cases do."""

    since = DateField(_l("Only cases closed on this day or later"), validators=[Optional()])

    def day(self) -> date | None:
        """Raises Refusal("malformed")."""
        if not self.validate():
            raise Refusal("malformed", Message(N_("This is not a date; leave it empty to take every case.")),
                          field="since")
        found: date | None = self.since.data
        return found
