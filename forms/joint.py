"""Forms of joint handling: whom a department sends into the common review, and which licence goes its own way."""
from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import RadioField, SelectMultipleField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from forms.acting import ActionForm, offered
from workflow.joint_commands import DecideSeparately, NominateExperts
from workflow.vocabulary import N_, Message, Refusal

Choices = Sequence[tuple[str, str]]


class NominateExpertsForm(ActionForm):
    """`pool` are those whom the department may send: (person id, name); others are refused."""

    command = NominateExperts

    experts = SelectMultipleField(
        _l("Experts of your department"), validate_choice=False, choices=[], widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(), description=_l(
            "At least one of them joins the common team; a later nomination takes the place of this one."))

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, pool: Choices = (), **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self._pool = dict(pool)
        self.experts.choices = offered(self._pool)

    def to_command(self) -> NominateExperts:
        experts = tuple(self.experts.data or ())
        if set(experts) - self._pool.keys():
            raise Refusal("malformed", Message(N_("One of the chosen persons is not of your department's pool.")),
                          field="experts")
        if not experts:
            raise Refusal("malformed", Message(N_("Choose at least one expert.")), field="experts")
        return NominateExperts(note=self.note_text(), experts=experts)


class DecideSeparatelyForm(ActionForm):
    """`licences` are those that are still waited for: (name, what it is called)."""

    command = DecideSeparately

    licence = RadioField(_l("Which licence goes its own way"), validate_choice=False, choices=[])
    grounds = TextAreaField(_l("Grounds"), render_kw={"rows": 4}, description=_l(
        "The applicant and the department read why it is no longer handled together."))

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, licences: Choices = (), **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self.licence.choices = offered(dict(licences))

    def to_command(self) -> DecideSeparately:
        licence = self.licence.data or ""
        if licence not in {choice.value for choice in self.licence.choices}:
            raise Refusal("malformed", Message(N_("Choose the licence that is to be decided separately.")),
                          field="licence")
        return DecideSeparately(note=self.note_text(), licence=licence, grounds=self.grounds.data or "")


JOINT_FORMS: tuple[type[ActionForm], ...] = (NominateExpertsForm, DecideSeparatelyForm)
