"""What an administrator types about versions of procedures: a draft, what becomes of a version, a migration."""

from collections.abc import Iterable, Mapping
from datetime import date

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import DateField, Form, HiddenField, SelectChoice, SelectField, TextAreaField
from wtforms.validators import InputRequired

from workflow.migration import Plan
from workflow.vocabulary import N_, Message, Refusal

VERBS = ("schedule", "unschedule", "activate", "retire", "discard")
MAPPED = ("states", "tracks", "clocks", "acts", "facts")
ENDS = "-"  # of a clock: it ends with the migration
WORDS = {"true": True, "false": False}


class DraftForm(Form):  # type: ignore[misc]
    """The text of a draft; `edition` is the one it was made from."""

    edition = HiddenField()
    definition = TextAreaField(_l("Definition"))

    def seen(self) -> int:
        """Raises Refusal("malformed") when the form is damaged."""
        return whole(self.edition.data)


class TurnForm(Form):  # type: ignore[misc]
    """One of VERBS with its reason; `on` is asked for by schedule alone."""

    edition = HiddenField()
    on = DateField(_l("In force from"))
    reason = TextAreaField(_l("Reason"), validators=[InputRequired(_l("Write down why: the reason is kept with the "
                                                                      "change."))], render_kw={"rows": 2})

    def seen(self) -> int:
        """Raises Refusal("malformed") when the form is damaged."""
        return whole(self.edition.data)

    def day(self) -> date:
        """Raises Refusal("malformed")."""
        if self.on.data is None:
            raise Refusal("malformed", Message(N_("Give the day on which it comes into force.")), field="on")
        found: date = self.on.data
        return found


class TargetForm(Form):  # type: ignore[misc]
    """From which version to which."""

    source = SelectField(_l("Open cases of version"), coerce=int)
    target = SelectField(_l("go over to version"), coerce=int)

    def __init__(self, formdata: MultiDict[str, str] | None, versions: Iterable[int], **data: int) -> None:
        super().__init__(formdata, data=data)
        choices = [SelectChoice(v, str(v)) for v in versions]
        self.source.choices = self.target.choices = choices


def plan_of(fields: Mapping[str, str], known: Plan) -> Plan:
    """A plan as typed, on top of what was settled before: fields are named part:name, an empty one is not settled."""
    plain = known.plain()
    for field, typed in fields.items():
        part, _, name = field.partition(":")
        value = typed.strip()
        if part in MAPPED and name and value:
            given = WORDS.get(value, value) if part == "facts" else "" if value == ENDS and part == "clocks" else value
            plain[part][name[:60]] = given[:200] if isinstance(given, str) else given
    return Plan.from_plain(plain)


def whole(typed: str | None) -> int:
    """A number that the page wrote itself. Raises Refusal("malformed") when it is none any more."""
    if not typed or not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        raise Refusal("malformed", Message(N_("This form is damaged; reload the page and send it again.")))
    return int(typed)
