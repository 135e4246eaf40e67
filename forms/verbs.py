"""The forms of the verbs that any procedure may borrow: whom, on which ground, and why.

Persons, departments and grounds to choose from come from whoever lays out the form; what was not offered is refused.
"""
from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import RadioField, SelectMultipleField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from forms.acting import ActionForm, offered
from workflow.commands import Command
from workflow.verb_commands import (
    AddSigner,
    Advise,
    Comment,
    Consult,
    CopyTo,
    Recall,
    RemoveSigner,
    Resume,
    Return,
    Suspend,
    Transfer,
)
from workflow.vocabulary import N_, Message, Refusal

Choices = Sequence[tuple[str, str]]


def _why(rows: int = 3, description: Any = "") -> TextAreaField:
    return TextAreaField(_l("Reason"), description=description, render_kw={"rows": rows})


def _not_offered(field: str) -> Refusal:
    return Refusal("malformed", Message(N_("This choice is not offered here; reload the page.")), field=field)


class ReturnForm(ActionForm):
    """`straight_back` tells whether the case can come straight back; otherwise only the usual order is offered."""

    command = Return

    reason = _why(4, _l("What is to be done; whoever gets the case reads it word for word."))
    way = RadioField(_l("How the case comes back"), validate_choice=False, choices=[])

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, straight_back: bool = False,
                 **rest: Any) -> None:
        super().__init__(formdata, **{"way": "in_order", **rest})
        ways = {"in_order": _l("In order: every later step is taken again"),
                "straight_back": _l("Straight back to me, once this step is done again")}
        self.way.choices = offered({k: v for k, v in ways.items() if straight_back or k == "in_order"})

    def to_command(self) -> Return:
        return Return(note=self.note_text(), reason=self.reason.data or "", way=self.way.data or "")


class RecallForm(ActionForm):
    command = Recall

    reason = _why()

    def to_command(self) -> Recall:
        return Recall(note=self.note_text(), reason=self.reason.data or "")


class _PersonForm(ActionForm):
    """`persons` are those that may be chosen: (person id, name)."""

    person = RadioField(_l("To whom"), validate_choice=False, choices=[])

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, persons: Choices = (), **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self._persons = dict(persons)
        self.person.choices = offered(self._persons)

    def chosen(self) -> str:
        person = self.person.data or ""
        if person and person not in self._persons:
            raise _not_offered("person")
        return person


class TransferForm(_PersonForm):
    command = Transfer

    reason = _why()

    def to_command(self) -> Transfer:
        return Transfer(note=self.note_text(), person=self.chosen(), reason=self.reason.data or "")


class ConsultForm(_PersonForm):
    """A choice names the person and the role in which they answer: `role/person id`."""

    command = Consult

    question = TextAreaField(_l("Question"), render_kw={"rows": 4}, description=_l(
        "Until it is answered this step waits for the person asked."))

    def to_command(self) -> Command:
        role, _, person = self.chosen().partition("/")
        return Consult(note=self.note_text(), person=person, role=role or "none", question=self.question.data or "")


class AdviseForm(ActionForm):
    command = Advise

    advice = TextAreaField(_l("Advice"), render_kw={"rows": 5}, description=_l("Read by whoever asked."))

    def to_command(self) -> Advise:
        return Advise(note=self.note_text(), advice=self.advice.data or "")


class _DepartmentForm(ActionForm):
    """`departments` are those that may be chosen: (key, name)."""

    department = RadioField(_l("Department"), validate_choice=False, choices=[])

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, departments: Choices = (),
                 **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self._departments = dict(departments)
        self.department.choices = offered(self._departments)

    def chosen(self) -> str:
        department = self.department.data or ""
        if department and department not in self._departments:
            raise _not_offered("department")
        return department


class AddSignerForm(_DepartmentForm):
    command = AddSigner

    place = RadioField(_l("When this department signs"), validate_choice=False, choices=offered({
        "before": _l("Before the others"), "beside": _l("Beside the others"), "after": _l("After the others")}))
    reason = _why()

    def __init__(self, formdata: MultiDict[str, str] | None = None, **rest: Any) -> None:
        super().__init__(formdata, **{"place": "beside", **rest})

    def to_command(self) -> AddSigner:
        return AddSigner(note=self.note_text(), department=self.chosen(), place=self.place.data or "",
                         reason=self.reason.data or "")


class RemoveSignerForm(_DepartmentForm):
    command = RemoveSigner

    reason = _why()

    def to_command(self) -> RemoveSigner:
        return RemoveSigner(note=self.note_text(), department=self.chosen(), reason=self.reason.data or "")


class SuspendForm(ActionForm):
    """`grounds` are those of the definition: (name, words with the article)."""

    command = Suspend

    ground = RadioField(_l("Ground"), validate_choice=False, choices=[])
    reason = _why(4, _l("The facts that show the ground; the applicant reads them."))

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, grounds: Choices = (), **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self.ground.choices = offered(dict(grounds))

    def to_command(self) -> Suspend:
        return Suspend(note=self.note_text(), ground=self.ground.data or "", reason=self.reason.data or "")


class ResumeForm(ActionForm):
    command = Resume

    reason = _why(3, _l("Why the ground has fallen away."))

    def to_command(self) -> Resume:
        return Resume(note=self.note_text(), reason=self.reason.data or "")


class CopyToForm(ActionForm):
    command = CopyTo

    persons = SelectMultipleField(_l("To whom"), validate_choice=False, choices=[],
                                  widget=ListWidget(prefix_label=False), option_widget=CheckboxInput())

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, persons: Choices = (), **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self._persons = dict(persons)
        self.persons.choices = offered(self._persons)

    def to_command(self) -> CopyTo:
        if set(self.persons.data or ()) - self._persons.keys():
            raise _not_offered("persons")
        return CopyTo(note=self.note_text(), persons=tuple(self.persons.data or ()))


class CommentForm(ActionForm):
    command = Comment

    text = TextAreaField(_l("Comment"), render_kw={"rows": 4}, description=_l(
        "Everybody who may see this case reads it, the applicant included."))

    def to_command(self) -> Comment:
        return Comment(note=self.note_text(), text=self.text.data or "")


VERB_FORMS: tuple[type[ActionForm], ...] = (
    ReturnForm, RecallForm, TransferForm, ConsultForm, AdviseForm, AddSignerForm, RemoveSignerForm, SuspendForm,
    ResumeForm, CopyToForm, CommentForm)
