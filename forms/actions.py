"""One form per command: what was typed becomes what was meant, and `to_command()` is the only way out.

The command judges its own content, so a page, the JSON interface and a script are refused alike and in the same
words; a form only reads. A refusal that names a field goes back onto that field by `refuse`.
"""
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from forms.acting import ActionForm as ActionForm
from forms.acting import offered
from forms.joint import JOINT_FORMS
from forms.verbs import VERB_FORMS
from workflow.commands import (
    Annul,
    AskAgain,
    Command,
    ConfirmRows,
    CorrectionItem,
    Decide,
    ExtendWithApproval,
    OrganiseReview,
    Plain,
    RecordFindings,
    RecordSignOff,
    Refuse,
    RequestCorrection,
    SignCommitment,
)
from workflow.vocabulary import N_, Message, Refusal, Verdict

VERDICT_WORDS = {
    Verdict.AGREE: _l("Agrees"), Verdict.OBJECT: _l("Objects"), Verdict.ABSTAIN: _l("Abstains"),
    Verdict.RECUSED: _l("Recuses itself")}
CORRECTION_ROWS = 3      # empty rows a correction form starts with
CORRECTION_LIMIT = 60    # rows a form grows to
LINES_LIMIT = 200        # checklist lines one form may carry


class OrdinalsField(Field):  # type: ignore[misc]
    """Row numbers, one per value sent. What is not a number refuses the whole form."""

    widget = HiddenInput()

    def _value(self) -> str:
        return ""

    def process_formdata(self, values: list[str]) -> None:
        if not all(v.isascii() and v.isdigit() and len(v) < 19 for v in values):
            raise ValueError(_l("One of the chosen rows does not exist."))
        self.data = tuple(int(v) for v in values)


class PlainForm(ActionForm):
    command = Plain

    def to_command(self) -> Plain:
        return Plain(note=self.note_text())


class CorrectionItemForm(Form):  # type: ignore[misc]
    """One row of a correction notice."""

    subject = StringField(_l("What"), render_kw={"list": "correction-subjects", "autocomplete": "off"})
    reason = TextAreaField(_l("What is to be put right"), render_kw={"rows": 2})
    basis = StringField(_l("Legal basis"))


class RequestCorrectionForm(ActionForm):
    """Rows without subject and reason are left out; "add a row" works without script."""

    command = RequestCorrection

    items = FieldList(FormField(CorrectionItemForm), label=_l("Things to correct"))
    from_corrected_material = BooleanField(_l("These defects came with the corrected material"), description=_l(
        "A second notice is lawful only for defects that the correction itself brought."))

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, basis: str = "", **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self._basis, self._asked = basis, bool(formdata and formdata.get("add_item"))
        while len(self.items) < CORRECTION_ROWS:
            self._add()
        if self._asked and len(self.items) < CORRECTION_LIMIT:
            self._add()

    def _add(self) -> None:
        self.items.append_entry({"basis": self._basis})

    def wants_another_row(self) -> bool:
        return self._asked

    def to_command(self) -> RequestCorrection:
        filled = [row for row in self.items if (row.subject.data or "").strip() or (row.reason.data or "").strip()]
        for row in filled:
            for field in (row.subject, row.reason):
                if not (field.data or "").strip():
                    field.errors = [_l("Please fill this in.")]
                    raise Refusal("malformed", Message(N_("Each thing to correct needs what it is and what is wrong.")),
                                  field="items")
        return RequestCorrection(
            note=self.note_text(), from_corrected_material=bool(self.from_corrected_material.data),
            items=tuple(CorrectionItem(row.subject.data or "", row.reason.data or "", row.basis.data or "")
                        for row in filled))


class RefuseForm(ActionForm):
    command = Refuse

    reasons = TextAreaField(_l("Reasons"), render_kw={"rows": 5}, description=_l(
        "One reason per line; the applicant reads them word for word."))
    basis = TextAreaField(_l("Legal basis"), render_kw={"rows": 2})
    remedy = TextAreaField(_l("Remedies"), description=_l("How and until when the applicant may object."),
                           render_kw={"rows": 4})

    def to_command(self) -> Refuse:
        return Refuse(note=self.note_text(), reasons=tuple((self.reasons.data or "").splitlines()),
                      basis=self.basis.data or "", remedy=self.remedy.data or "")


class OrganiseReviewForm(ActionForm):
    """`pool` holds the person ids that may be seated, `leaders` those that may lead; others are refused."""

    command = OrganiseReview

    mode = RadioField(_l("How to review"), validate_choice=False, choices=offered({
        "on_site": _l("On site"), "documentary": _l("On documents"), "remote": _l("Remotely")}))
    members = SelectMultipleField(_l("Team"), validate_choice=False, choices=[], widget=ListWidget(prefix_label=False),
                                  option_widget=CheckboxInput())
    leader = RadioField(_l("Team leader"), validate_choice=False, choices=[])
    planned_on = DateField(_l("Planned date"))

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, pool: Sequence[tuple[str, str]] = (),
                 leaders: Iterable[str] = (), **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self._pool, self._leaders = dict(pool), frozenset(leaders)
        self.members.choices = offered(self._pool)
        self.leader.choices = offered({key: name for key, name in self._pool.items() if key in self._leaders})

    def read(self) -> Command:
        self.planned_on.process_errors = []  # the command says what is wrong with a date that could not be read
        return super().read()

    def to_command(self) -> OrganiseReview:
        members, leader = tuple(self.members.data or ()), self.leader.data or ""
        if set(members) - self._pool.keys():
            raise Refusal("malformed", Message(N_("One of the chosen persons cannot review this case.")),
                          field="members")
        if leader and leader not in self._leaders:
            raise Refusal("malformed", Message(N_("This person cannot lead the team.")), field="leader")
        if not leader:
            raise Refusal("malformed", Message(N_("Choose who leads the team.")), field="leader")
        planned: date | None = self.planned_on.data
        return OrganiseReview(note=self.note_text(), mode=self.mode.data or "", leader=leader, members=members,
                              planned_on=planned)


class RecordSignOffForm(ActionForm):
    command = RecordSignOff

    verdict = RadioField(_l("Answer of the department"), validate_choice=False, choices=[])
    opinion = TextAreaField(_l("Opinion"), render_kw={"rows": 4}, description=_l(
        "Required when the department objects or recuses itself."))

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, verdicts: Iterable[str] = tuple(Verdict),
                 **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self.verdict.choices = offered({v: VERDICT_WORDS[Verdict(v)] for v in verdicts})

    def to_command(self) -> RecordSignOff:
        return RecordSignOff(note=self.note_text(), verdict=self.verdict.data or "",  # type: ignore[arg-type]
                             opinion=self.opinion.data or "")


class AskAgainForm(ActionForm):
    """`asked` are the departments that may be asked again: key and name; others are refused."""

    command = AskAgain

    departments = SelectMultipleField(
        _l("Ask again"), validate_choice=False, choices=[], widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(), description=_l(
            "Departments whose matters have changed, and those that have not answered, are asked in any case."))
    grounds = TextAreaField(_l("Grounds"), description=_l("The departments read why they are asked again."),
                            render_kw={"rows": 4})

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, asked: Sequence[tuple[str, str]] = (),
                 **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self.departments.choices = offered(dict(asked))

    def to_command(self) -> AskAgain:
        return AskAgain(note=self.note_text(), departments=tuple(self.departments.data or ()),
                        grounds=self.grounds.data or "")


class DecideForm(ActionForm):
    command = Decide

    grounds = TextAreaField(_l("Grounds"), description=_l("Facts and law; this text goes into the document."),
                            render_kw={"rows": 6})

    def to_command(self) -> Decide:
        return Decide(note=self.note_text(), grounds=self.grounds.data or "")


class ExtendWithApprovalForm(DecideForm):
    """An extension that somebody above the authority has approved."""

    command = ExtendWithApproval

    approved_by = StringField(_l("Approved by"), description=_l("The person who approved it, with the office held."))
    approval_number = StringField(_l("Number of the approval"))

    def to_command(self) -> ExtendWithApproval:
        return ExtendWithApproval(
            note=self.note_text(), grounds=self.grounds.data or "", approved_by=self.approved_by.data or "",
            approval_number=self.approval_number.data or "")


class SignCommitmentForm(ActionForm):
    """Carries which notice was on the screen and the digest of its very text."""

    command = SignCommitment

    notice_version = HiddenField()
    text_sha256 = HiddenField()
    signer = StringField(_l("Name of who signs"), description=_l("The legal representative or the person authorised."))

    def to_command(self) -> SignCommitment:
        return SignCommitment(note=self.note_text(), notice_version=self.notice_version.data or "",
                              text_sha256=self.text_sha256.data or "", signer=self.signer.data or "")


class ConfirmRowsForm(ActionForm):
    """`press` says which button: confirm or refuse the ticked rows, or confirm every row still open.

    `selection=all` with `except` stands for every row that the page's filter finds, less the unticked ones;
    the view turns it into row numbers before `to_command` is asked."""

    command = ConfirmRows

    press = HiddenField()
    rows = OrdinalsField()
    ways = SelectMultipleField(_l("Ways of confirming"), validate_choice=False, choices=[],
                               widget=ListWidget(prefix_label=False), option_widget=CheckboxInput())
    reason = TextAreaField(_l("Reason for not confirming"), render_kw={"rows": 2})

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, ways: Sequence[tuple[str, str]] = (),
                 **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self._ways = dict(ways)
        self.ways.choices = offered(self._ways)

    def to_command(self) -> ConfirmRows:
        refused = self.press.data == "refuse"
        if set(self.ways.data or ()) - self._ways.keys():
            raise Refusal("malformed", Message(N_("There is no such way of confirming a row.")), field="ways")
        return ConfirmRows(
            note=self.note_text(), every=self.press.data == "confirm_every", rows=tuple(self.rows.data or ()),
            confirmed=not refused, ways=() if refused else tuple(self.ways.data or ()),
            reason=(self.reason.data or "") if refused else "")


class FindingForm(Form):  # type: ignore[misc]
    """One checklist line."""

    code = HiddenField()
    result = RadioField(_l("Result"), validate_choice=False, choices=offered({
        "meets": _l("Meets"), "does_not_meet": _l("Does not meet"), "not_applicable": _l("Not applicable")}))
    explanation = TextAreaField(_l("Facts"), render_kw={"rows": 1})


class RecordFindingsForm(ActionForm):
    """Lines without a result are left as they are; `rest=meets` answers them all with "meets"."""

    command = RecordFindings

    lines = FieldList(FormField(FindingForm), label=_l("Checklist"), max_entries=LINES_LIMIT)
    rest = BooleanField(_l("All lines not yet answered meet the criteria"))

    def to_command(self) -> RecordFindings:
        default = "meets" if self.rest.data else ""
        found = []
        for line in self.lines:
            result = line.result.data or default
            if result == "does_not_meet" and not (line.explanation.data or "").strip():
                line.explanation.errors = [_l("Describe the facts.")]
            if result:
                found.append((line.code.data or "", result, line.explanation.data or ""))
        return RecordFindings(note=self.note_text(), lines=tuple(found))


class AnnulForm(ActionForm):
    """`whole` names the scope: yes for the certificate, no for the ticked rows of its annex."""

    command = Annul

    whole = RadioField(_l("What is annulled"), validate_choice=False, choices=offered({
        "yes": _l("The whole certificate"), "no": _l("Only the rows chosen below")}))
    rows = OrdinalsField()
    grounds = TextAreaField(_l("Grounds"), description=_l("Facts and law; this text goes into the document."),
                            render_kw={"rows": 5})
    basis = TextAreaField(_l("Legal basis"), render_kw={"rows": 2})
    public_safety = BooleanField(_l("Public safety is affected"))

    def to_command(self) -> Annul:
        if self.whole.data not in ("yes", "no"):
            raise Refusal("malformed", Message(N_("Choose what is annulled.")), field="whole")
        whole = self.whole.data == "yes"
        return Annul(note=self.note_text(), whole=whole, rows=() if whole else tuple(self.rows.data or ()),
                     grounds=self.grounds.data or "", basis=self.basis.data or "",
                     public_safety=bool(self.public_safety.data))


_FORMS: tuple[type[ActionForm], ...] = (
    PlainForm, RequestCorrectionForm, RefuseForm, OrganiseReviewForm, RecordSignOffForm, AskAgainForm, DecideForm,
    ExtendWithApprovalForm, SignCommitmentForm, ConfirmRowsForm, RecordFindingsForm, AnnulForm, *JOINT_FORMS,
    *VERB_FORMS)
FORMS: dict[type[Command], type[ActionForm]] = {form.command: form for form in _FORMS}
