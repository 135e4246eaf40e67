"""Whose work goes to whom: the question of the dry run, and what was ticked when it is carried out."""
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectChoice, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import Length

from workflow.vocabulary import N_, Message, Refusal

REASON_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Ticked:
    """A ticked case as it was seen; its command id follows from the id of the whole send."""

    public_id: str
    seen: int
    command_id: str


class WhoForm(FlaskForm):  # type: ignore[misc]
    """`officials` are (account id, words). Sent by GET, so that a dry run has an address."""

    class Meta:
        csrf = False

    leaver = SelectField(_l("Who leaves"), validate_choice=False, choices=[])
    successors = SelectMultipleField(_l("Successors"), validate_choice=False, choices=[], description=_l(
        "Each case goes to the first of them who may take it."))

    def __init__(self, *args: Any, officials: Sequence[tuple[int, str]] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        people = [SelectChoice(str(key), words) for key, words in officials]
        self.leaver.choices = [SelectChoice("", _l("Please choose")), *people]
        self.successors.choices = people

    def who(self) -> tuple[int, list[int]] | None:
        """(leaver, successors) as account ids; None while nobody is chosen."""
        known = {choice.value for choice in self.successors.choices}
        if self.leaver.data not in known:
            return None
        return int(self.leaver.data), [int(key) for key in self.successors.data or () if key in known]


class CarryOutForm(FlaskForm):  # type: ignore[misc]
    """`cases` are the ticked ones as `public id:version`; what was typed stays on errors."""

    act = HiddenField()
    reason = TextAreaField(_l("Reason"), [Length(max=REASON_LIMIT)], render_kw={"rows": 2},
                           description=_l("Kept in the history of every case."))
    delegations = BooleanField(_l("End the delegations of the leaver as well"))

    def ticked(self, sent: Sequence[str]) -> list[Ticked]:
        """The ticked cases. Raises Refusal("malformed") when the form is damaged."""
        try:
            act = UUID(self.act.data or "")
            pairs = [value.rpartition(":") for value in sent]
            return [Ticked(key, int(seen), str(uuid5(act, key))) for key, _, seen in pairs if key]
        except ValueError:
            raise Refusal("malformed", Message(
                N_("This form is damaged; reload the page and send it again."))) from None

    def refuse(self, refusal: Refusal, words: str) -> None:
        field = self._fields.get(refusal.field or "")
        if field is not None:
            field.errors = [words]
        else:
            self.form_errors = [words]
