"""The sections of the application after the official form (申请书 1 to 8): typed text in, plain values out.

A section is kept as typed, complete or not; `faults()` names the fields that still need attention. Page, interface
and import share these forms. Nothing here asks for what the registers already hold.
"""
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import (
    EmailField,
    FileField,
    Form,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from forms import identifiers
from workflow.characters import settled, unprintable
from workflow.vocabulary import Message

LINE, PARAGRAPH, MOST_SITES = 200, 4000, 200    # technical bounds: characters, characters, lines
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
HIDING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the reference data offers: (code, words) in the reader's language."""

    types: Sequence[tuple[str, Any]]
    industries: Sequence[tuple[str, Any]]


class _Needed:
    """Like InputRequired, but it also judges values that were saved earlier."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __init__(self, message: Any = None) -> None:
        self.message = message or _l("Please fill this in.")

    def __call__(self, form: Any, field: Any) -> None:
        if not field.data or (isinstance(field.data, str) and not field.data.strip()):
            field.errors = []
            raise StopValidation(self.message)


class _Optional:
    def __call__(self, form: Any, field: Any) -> None:
        if not field.data or not str(field.data).strip():
            raise StopValidation()


class _Plain:
    """No control characters, none that reverse or hide text or cannot be printed, no more than `most` characters."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, form: Any, field: Any) -> None:
        text = field.data or ""
        if len(text) > self.most:
            raise StopValidation(_l("This is too long: at most %(limit)s characters.", limit=self.most))
        if any((ord(c) < 32 and c not in "\t\r\n") or c in HIDING or 0xD800 <= ord(c) <= 0xDFFF for c in text):
            raise StopValidation(_l("This holds invisible control characters; please type it again."))
        if sign := unprintable(text):
            raise StopValidation(_l("“%(sign)s” cannot be printed; write it in words.", sign=sign))


class _Code:
    """What a parser of `identifiers` accepts; its reason otherwise."""

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self.parse = parse

    def __call__(self, form: Any, field: Any) -> None:
        try:
            self.parse(field.data or "")
        except identifiers.IdentifierError as error:
            raise StopValidation(_said(error.message)) from error


class _Day:
    def __call__(self, form: Any, field: Any) -> None:
        if _day(field.data) is None:
            raise StopValidation(_l("Write the date as year-month-day, for example 2026-07-05."))


class _Number:
    def __call__(self, form: Any, field: Any) -> None:
        text = (field.data or "").strip().replace(",", "").replace("，", "")
        if len(text) > 15 or not text.replace(".", "", 1).isdigit() or not text.isascii():
            raise StopValidation(_l("Write a number, for example 1250 or 86.5."))


class _Email:
    def __call__(self, form: Any, field: Any) -> None:
        name, at, domain = (field.data or "").strip().rpartition("@")
        if not at or not name or " " in name or "." not in domain or not all(domain.split(".")):
            raise StopValidation(_l("This is not an e-mail address, such as name@example.cn."))


def _said(message: Message) -> Any:
    return _l(message.text, **message.values) if message.values else _l(message.text)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        return None


def _line(label: Any, *checks: Any, needed: bool = True, most: int = LINE, kind: type[StringField] = StringField,
          **options: Any) -> StringField:
    narrow = any(isinstance(check, (_Code, _Number, _Email, _Day)) for check in checks)
    return kind(label, [_Needed() if needed else _Optional(), _Plain(most), *checks], filters=[
        _narrow if narrow else _seen if issubclass(kind, TextAreaField) else _one_line], **options)


def _seen(text: str | None) -> str | None:
    """What was typed, without what nobody sees; it would make two texts differ that look alike."""
    return settled(text) if isinstance(text, str) else text


def _one_line(text: str | None) -> str | None:
    return settled(text).replace("\n", " ") if isinstance(text, str) else text


def _narrow(text: str | None) -> str | None:
    """A code, a number or an address as a machine writes it: full-width letters and digits are the same ones."""
    return _one_line(text.translate(_WIDE) if isinstance(text, str) else text)


def _offered(choices: Sequence[tuple[str, Any]]) -> list[SelectChoice]:
    return [SelectChoice(value, words) for value, words in choices]


def _one_of(label: Any, choices: list[tuple[str, Any]], **options: Any) -> RadioField:
    return RadioField(label, [_Needed(_l("Please choose."))], choices=_offered(choices), validate_choice=False,
                      **options)


def _some_of(label: Any, choices: list[tuple[str, Any]], **options: Any) -> SelectMultipleField:
    return SelectMultipleField(label, [_Needed(_l("Please choose at least one."))], choices=_offered(choices),
                               validate_choice=False, widget=ListWidget(prefix_label=False),
                               option_widget=CheckboxInput(), **options)


class SectionForm(Form):  # type: ignore[misc]
    """A section. `others` holds the other sections, for what depends on them."""

    class Meta:
        csrf = False  # the token is checked for every unsafe request before any view runs
        locales = False

    section: ClassVar[str]
    revision = HiddenField()

    def __init__(self, formdata: MultiDict[str, str] | None = None, *, choices: Choices | None = None,
                 others: Mapping[str, Mapping[str, Any]] | None = None, **rest: Any) -> None:
        super().__init__(formdata, **rest)
        self.others = others or {}
        self.offer(choices)
        for field in self:  # several sections stand on one page, so an id is the section's
            field.id = field.label.field_id = f"{self.section}-{field.name}"

    def offer(self, choices: Choices | None) -> None:
        """Put in what the reference data offers; without it any code is taken as it is."""

    def to_section(self) -> dict[str, Any]:
        """The values as typed, trimmed: text, or a list of chosen codes. Unknown codes are left out."""
        found: dict[str, Any] = {}
        for name, field in self._fields.items():
            if name == "revision":
                continue
            known = [str(choice.value) for choice in getattr(field, "choices", None) or ()]
            if isinstance(field, SelectMultipleField):
                found[name] = [v for v in field.data or () if not known or v in known]
            elif isinstance(field, (RadioField, SelectField)):
                found[name] = field.data if field.data and (not known or field.data in known) else ""
            elif isinstance(field.data, list):  # lines typed by hand
                found[name] = list(field.data)
            else:
                found[name] = (field.data or "").strip()
        return found

    def seen_revision(self) -> int:
        """The revision that was on the screen; -1, which is never current, when the field is damaged."""
        text = self.revision.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


class CoverForm(SectionForm):
    section = "cover"
    types = _some_of(_l("What you apply for"), [], description=_l(
        "Several may be ticked, such as renewal with extension; the strictest decides the procedure."))
    certificate_held = StringField(_l("Certificate number held"), description=_l(
        "12 digits; not needed for a first application."))
    industry = SelectField(_l("Industry authority"), [_Optional()], choices=[], validate_choice=False,
                           description=_l("The authority over your agency, if there is one; it goes into the number."))
    applied_on = _line(_l("Date of application"), _Day(), render_kw={"type": "date"})
    hoped_on = _line(_l("Hoped-for date of the review"), _Day(), needed=False, render_kw={"type": "date"})

    def offer(self, choices: Choices | None) -> None:
        if choices is None:
            self.types.choices = _offered([(value, value) for value in self.types.data or ()])
            self.industry.choices = _offered([(self.industry.data or "", "")])
            return
        self.types.choices = _offered(choices.types)
        self.industry.choices = _offered([("", _l("None")), *choices.industries])

    def validate_types(self, field: Any) -> None:
        if "first" in field.data and len(field.data) > 1:
            raise StopValidation(
                _l("A first application stands alone: an agency with a certificate renews or extends it."))

    def validate_certificate_held(self, field: Any) -> None:
        if self.types.data == ["first"]:
            return
        if not (field.data or "").strip():
            raise StopValidation(_l("Write the number of the certificate that this application builds on."))
        _Code(identifiers.parse_certificate_number)(self, field)

    def validate_hoped_on(self, field: Any) -> None:
        applied, hoped = _day(self.applied_on.data), _day(field.data)
        if applied and hoped and hoped < applied:
            raise StopValidation(_l("The review cannot be before the application."))


class OverviewForm(SectionForm):
    section = "overview"
    name = _line(_l("Name of the agency"), most=120)
    legal_setting = _one_of(_l("Legal position"), [
        ("independent", _l("An independent legal person")), ("dependent", _l("Part of a legal person"))])
    legal_kind = _one_of(_l("Kind"), [
        ("enterprise", _l("Enterprise")), ("institution", _l("Public institution")),
        ("social", _l("Social organisation")), ("other", _l("Other kind"))])
    address = _line(_l("Registered address"))
    lab_address = _line(_l("Address of the laboratory"), description=_l(
        "Where the testing is done; as it shall stand on the certificate."))
    postcode = _line(_l("Postcode"), _Code(identifiers.parse_postcode))
    email = _line(_l("E-mail"), _Email(), kind=EmailField)
    fax = _line(_l("Fax"), _Code(identifiers.parse_phone), needed=False)
    legal_person = _line(_l("Legal representative"), most=60)
    responsible_person = _line(_l("Person in charge"), most=60)
    responsible_post = _line(_l("Post of the person in charge"), needed=False, most=60)
    responsible_phone = _line(_l("Phone of the person in charge"), _Code(identifiers.parse_phone), needed=False,
                              kind=TelField)
    contact = _line(_l("Contact person"), most=60)
    contact_phone = _line(_l("Phone of the contact person"), _Code(identifiers.parse_phone), kind=TelField)
    contact_mobile = _line(_l("Mobile of the contact person"), _Code(identifiers.parse_mobile), needed=False,
                           kind=TelField, description=_l("Notices are also sent here."))
    premises = _some_of(_l("Premises"), [
        ("fixed", _l("Fixed")), ("temporary", _l("Temporary")), ("mobile", _l("Mobile")),
        ("several", _l("Several sites"))])


class ParentForm(SectionForm):
    section = "parent"
    unit = _line(_l("Name of the legal person"))
    uscc = _line(_l("Unified social credit code"), _Code(identifiers.parse_uscc), most=40)
    address = _line(_l("Address"))
    person = _line(_l("Person responsible"), needed=False, most=60)
    post = _line(_l("Post"), needed=False, most=60)
    phone = _line(_l("Phone"), _Code(identifiers.parse_phone), needed=False, kind=TelField)


class ResourcesForm(SectionForm):
    """Staff and equipment are counted from their tables; only what no table says is asked."""

    section = "resources"
    sites = _line(_l("Sites applied for"), needed=True, most=PARAGRAPH, kind=TextAreaField,
                  description=_l("One address per line; every site in your tables is named here."),
                  render_kw={"rows": 3})
    site_right = _one_of(_l("Right to the sites"), [
        ("owned", _l("Owned")), ("rented", _l("Rented")), ("other", _l("Other right"))])
    equipment_right = _one_of(_l("Right to the equipment"), [
        ("owned", _l("Owned")), ("rented", _l("Rented")), ("joint", _l("Joint venture"))])
    fixed_assets = _line(_l("Fixed assets (10,000 yuan)"), _Number(), needed=False, most=15)
    area_test = _line(_l("Testing area (m²)"), _Number(), needed=False, most=15)
    area_thermostatic = _line(_l("Constant-temperature area (m²)"), _Number(), needed=False, most=15)
    area_outdoor = _line(_l("Outdoor area (m²)"), _Number(), needed=False, most=15)

    def validate_sites(self, field: Any) -> None:
        if len((field.data or "").splitlines()) > MOST_SITES:
            raise StopValidation(_l("At most %(limit)s sites.", limit=MOST_SITES))


class DeclarationForm(SectionForm):
    """The three declarations of the form (part 8) and who makes them."""

    section = "declaration"
    declared = _some_of(_l("We declare that"), [
        ("lawful", _l("we obey the laws and regulations and bear the responsibility for our results;")),
        ("criteria", _l("we meet the review criteria and accept review and supervision;")),
        ("truthful", _l("everything in this application is true, and our materials are genuine."))])
    signer = _line(_l("Name of who signs"), most=60)
    capacity = _one_of(_l("Signing as"), [
        ("legal_person", _l("Legal representative")), ("authorised", _l("Person authorised"))])
    signed_on = _line(_l("Date of the declaration"), _Day(), render_kw={"type": "date"})

    def validate_declared(self, field: Any) -> None:
        if len(field.data) < len(field.choices):
            raise StopValidation(_l("All three declarations are needed."))


SECTION_FORMS: dict[str, type[SectionForm]] = {form.section: form for form in (
    CoverForm, OverviewForm, ParentForm, ResourcesForm, DeclarationForm)}


def section_form(section: str, values: Mapping[str, Any], *, revision: int = 0, choices: Choices | None = None,
                 others: Mapping[str, Mapping[str, Any]] | None = None) -> SectionForm:
    """The form of a section filled with values kept earlier. Raises KeyError for what is no section."""
    form = SECTION_FORMS[section](typed(values), choices=choices, others=others)
    form.revision.data = str(revision)
    return form


def typed(values: Mapping[str, Any]) -> MultiDict[str, str]:
    """Kept values as a browser would send them."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        pairs += [(name, v) for v in value] if isinstance(value, (list, tuple)) else [(name, str(value))]
    return MultiDict(pairs)


def faults(section: str, values: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of the fields of a section that still need attention; () when it is complete."""
    form = section_form(section, values, others=others)
    form.validate()
    return tuple(name for name, field in form._fields.items() if field.errors)


def labels(section: str, names: Iterable[str]) -> list[Any]:
    """What fields are called, in the order given; unknown ones are left out."""
    form = SECTION_FORMS[section]()
    return [form._fields[name].label.text for name in names if name in form._fields]


class TablesForm(Form):  # type: ignore[misc]
    """Several tables at once, whatever their names and order."""

    class Meta:
        csrf = False
        locales = False

    files = MultipleFileField(_l("Tables of the application"))


class MaterialForm(Form):  # type: ignore[misc]
    class Meta:
        csrf = False
        locales = False

    file = FileField(_l("File"))
    replaces = HiddenField()


class AnswerForm(Form):  # type: ignore[misc]
    """The answer to one item of a correction notice."""

    class Meta:
        csrf = False
        locales = False

    answer = TextAreaField(_l("Your answer"), [_Needed(), _Plain(PARAGRAPH)], render_kw={"rows": 3}, description=_l(
        "What you corrected and where it is found."))
