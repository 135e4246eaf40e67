"""A standing delegation as it is asked for: who, until when, what may be done and what may not."""
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, RadioField, SelectChoice, SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from workflow.delegation import Group
from workflow.vocabulary import N_, Message, Refusal

REASON_LIMIT = 500
KINDS = {
    Group.REVIEW.value: _l("Handle and review: every step that can still be put right"),
    Group.ANSWER.value: _l("Answer for the department"),
    Group.FINAL.value: _l("Take steps that cannot be undone, such as refusing to accept or delivering"),
    Group.SIGN.value: _l("Sign decisions: steps that ask for the password"),
}
NAMED_ONLY = "named"


@dataclass(frozen=True, slots=True)
class MakeDelegation:
    """Account ids, both days included; `verbs` and `without` as in `workflow.delegation.Delegation`."""

    principal: int | None
    delegate: int
    from_on: date
    until_on: date
    procedure: str
    verbs: frozenset[str]
    without: frozenset[str]
    reason: str


class DelegationForm(FlaskForm):  # type: ignore[misc]
    """`officials` are (account id, words), `procedures` (name, title), `steps` (action, label).

    Without `choose_principal` one's own work is delegated."""

    principal = SelectField(_l("Whose work"), validate_choice=False, choices=[])
    delegate = SelectField(_l("Who stands in"), validate_choice=False, choices=[])
    from_on = DateField(_l("From"))
    until_on = DateField(_l("Until and including"))
    procedure = SelectField(_l("Licensing matter"), validate_choice=False, choices=[])
    kinds = SelectMultipleField(_l("May"), validate_choice=False,
                                choices=[SelectChoice(key, words) for key, words in KINDS.items()],
                                widget=ListWidget(prefix_label=False), option_widget=CheckboxInput())
    scope = RadioField(_l("Single steps"), validate_choice=False, default="", choices=[
        SelectChoice("", _l("No difference")),
        SelectChoice("without", _l("All of the above, but not the steps ticked here")),
        SelectChoice(NAMED_ONLY, _l("Only the steps ticked here"))])
    steps = SelectMultipleField(_l("Steps"), validate_choice=False, choices=[],
                                widget=ListWidget(prefix_label=False), option_widget=CheckboxInput())
    reason = TextAreaField(_l("Reason"), [Length(max=REASON_LIMIT)], render_kw={"rows": 2},
                           description=_l("For example leave or a journey; kept in the audit."))

    def __init__(self, *args: Any, officials: Sequence[tuple[int, str]] = (),
                 procedures: Sequence[tuple[str, str]] = (), steps: Iterable[tuple[str, str]] = (),
                 choose_principal: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        people = [SelectChoice("", _l("Please choose")), *(SelectChoice(str(key), words) for key, words in officials)]
        self.principal.choices = self.delegate.choices = people
        self.procedure.choices = [SelectChoice("", _l("Every licensing matter")),
                                  *(SelectChoice(key, words) for key, words in procedures)]
        self.steps.choices = [SelectChoice(key, words) for key, words in steps]
        if not choose_principal:
            del self.principal

    def to_command(self) -> MakeDelegation:
        """What is asked for. Raises Refusal("malformed") with the field."""
        ticked = frozenset(self.steps.data or ())
        if ticked - {choice.value for choice in self.steps.choices}:
            raise _wrong("steps", N_("One of the steps does not exist."))
        if self.procedure.data not in {choice.value for choice in self.procedure.choices}:
            raise _wrong("procedure", N_("There is no such licensing matter."))
        if self.scope.data in (NAMED_ONLY, "without") and not ticked:
            raise _wrong("steps", N_("Tick the steps that you mean."))
        named = self.scope.data == NAMED_ONLY
        kinds = frozenset(self.kinds.data or ()) & set(KINDS)
        if not named and not kinds:
            raise _wrong("kinds", N_("Choose at least one thing that may be done."))
        return MakeDelegation(
            principal=self._account("principal") if "principal" in self._fields else None,
            delegate=self._account("delegate"), from_on=self._day("from_on"), until_on=self._day("until_on"),
            procedure=self.procedure.data or "", verbs=ticked if named else kinds,
            without=ticked if self.scope.data == "without" else frozenset(), reason=(self.reason.data or "").strip())

    def _account(self, name: str) -> int:
        text = self._fields[name].data or ""
        if text not in {choice.value for choice in self.delegate.choices} or not text:
            raise _wrong(name, N_("Choose a person."))
        return int(text)

    def _day(self, name: str) -> date:
        day: date | None = self._fields[name].data
        if day is None:
            raise _wrong(name, N_("Give a day."))
        return day

    def refuse(self, refusal: Refusal, words: str) -> None:
        """Put a refusal, said in the reader's language, onto its field (or onto the form)."""
        if refusal.field and refusal.field in self._fields:
            self._fields[refusal.field].process_errors = []
            self._fields[refusal.field].errors = [words]
        else:
            self.form_errors = [words]


def _wrong(name: str, words: str) -> Refusal:
    return Refusal("malformed", Message(words), field=name)
