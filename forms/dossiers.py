"""Forms made from a dossier file: every section a WTForms form, with the same checks as the official form's."""
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import LazyString, get_locale
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import EmailField, Field, SelectMultipleField, StringField, TelField, TextAreaField
from wtforms.fields.core import UnboundField
from wtforms.validators import StopValidation

from forms import identifiers
from forms.applications import (
    PARAGRAPH,
    SectionForm,
    _Code,
    _Day,
    _Email,
    _line,
    _Needed,
    _Number,
    _one_of,
    _Plain,
    _some_of,
    typed,
)
from forms.applications import faults as official_faults
from workflow.dossiers import MATTER, Column, Dossier, FieldSpec, SectionSpec
from workflow.procedure import Label

MOST_LINES = 200  # lines of one table typed by hand; a technical bound
CELL = 300  # characters of one cell; a technical bound
SPARE = 2  # empty lines offered below those that are filled in


def words(label: Label | Column) -> LazyString:
    """A text of the file in the reader's language, when it is shown."""
    return LazyString(lambda: label.zh if str(get_locale() or "zh").startswith("zh") else label.en)


class LinesField(Field):  # type: ignore[misc]
    """A small table typed by hand. `data` is a list of lines, cells joined by tabs; empty lines are left out.

    A browser sends one input per cell, named field.column; kept values come back as the joined lines.
    """

    def __init__(self, label: Any, columns: Sequence[Column], validators: Sequence[Any], **options: Any) -> None:
        super().__init__(label, validators, **options)
        self.columns = columns

    def process(self, formdata: MultiDict[str, str] | None, data: Any = (), extra_filters: Any = None) -> None:
        self.process_errors: list[str] = []
        self.data: list[str] = []
        if formdata is None:
            return
        cells = [formdata.getlist(f"{self.name}.{column.name}") for column in self.columns]
        if any(cells):
            longest = max(map(len, cells))
            lines = ["\t".join(_cell(column, n) for column in cells) for n in range(min(longest, MOST_LINES))]
        else:
            lines = [str(line) for line in formdata.getlist(self.name)][:MOST_LINES]
        self.data = [line for line in lines if line.strip()]

    def pre_validate(self, form: Any) -> None:
        for number, line in enumerate(self.data, 1):
            for column, cell in zip(self.columns, line.split("\t"), strict=False):
                if column.needed and not cell:
                    raise StopValidation(
                        _l("Line %(number)s: “%(column)s” is empty.", number=number, column=words(column)))
                _Plain(CELL)(form, _Cell(cell))

    def rows(self) -> list[list[str]]:
        """The lines as cells, with a few empty ones to go on."""
        width = len(self.columns)
        filled = [(line.split("\t") + [""] * width)[:width] for line in self.data]
        return filled + [[""] * width for _ in range(SPARE if filled else SPARE + 1)]

    def titles(self) -> list[LazyString]:
        return [words(column) for column in self.columns]


class _Cell:
    def __init__(self, data: str) -> None:
        self.data = data


def _cell(column: Sequence[str], number: int) -> str:
    return " ".join(column[number].split()) if number < len(column) else ""


class RowsField(SelectMultipleField):  # type: ignore[misc]
    """Rows of an annex by their ordinals; chosen on a page of their own, carried along here."""

    def __init__(self, label: Any, validators: Sequence[Any], **options: Any) -> None:
        super().__init__(label, validators, choices=[], validate_choice=False, **options)


class _OptionalField:
    """Nothing is owed: neither in this scenario nor under this condition."""

    def __call__(self, form: Any, field: Any) -> None:
        if not field.data:
            field.errors = []
            raise StopValidation()


class _Every:
    """Each statement of a declaration is needed."""

    def __call__(self, form: Any, field: Any) -> None:
        if len(field.data or ()) < len(field.choices):
            raise StopValidation(_l("Every statement is needed."))


class _AtLeast:
    """So many of the choices, or it is not worth this form."""

    def __init__(self, least: int) -> None:
        self.least = least

    def __call__(self, form: Any, field: Any) -> None:
        if len(field.data or ()) < self.least:
            raise StopValidation(_l("Choose at least %(least)s.", least=self.least))


class _When:
    """Owed only when another field of the section says so; otherwise whatever is there is let be."""

    def __init__(self, field: str, values: Sequence[str]) -> None:
        self.field, self.values = field, values

    def __call__(self, form: Any, field: Any) -> None:
        chosen = form[self.field].data
        if not set(chosen if isinstance(chosen, list) else [chosen]) & set(self.values):
            field.errors = []
            raise StopValidation()


class _Together:
    """What stands alone cannot stand beside another."""

    def __init__(self, alone: Mapping[str, Label]) -> None:
        self.alone = alone

    def __call__(self, form: Any, field: Any) -> None:
        for key in field.data or ():
            if key in self.alone and len(field.data) > 1:
                raise StopValidation(_l("“%(type)s” is applied for alone.", type=words(self.alone[key])))


_CODES = {"phone": identifiers.parse_phone, "mobile": identifiers.parse_mobile, "uscc": identifiers.parse_uscc,
          "postcode": identifiers.parse_postcode}
_KINDS: dict[str, type[StringField]] = {"paragraph": TextAreaField, "phone": TelField, "mobile": TelField,
                                        "email": EmailField}
_CHECKS: dict[str, Any] = {"date": _Day, "number": _Number, "email": _Email}


def _made(spec: FieldSpec, more: Sequence[Any] = ()) -> Any:
    """The unbound field of one thing that is asked; `more` are checks beyond those of its kind."""
    label = words(spec.label)
    options: dict[str, Any] = {"description": words(spec.hint)} if spec.hint else {}
    before = [_When(spec.when.field, spec.when.values)] if spec.when else []
    offered = [(o.key, words(o)) for o in spec.choices]
    owed = _Needed() if spec.needed else _OptionalField()
    if spec.kind == "lines":
        return LinesField(label, spec.columns, [*before, owed], **options)
    if spec.kind == "annex_rows":
        return RowsField(label, [*before, owed], **options)
    if spec.kind == "choice":
        field = _one_of(label, offered, **options)
    elif spec.kind in ("choices", "declaration"):
        field = _some_of(label, offered, **options)
    else:
        checks = [_Code(_CODES[spec.kind])] if spec.kind in _CODES else []
        checks += [_CHECKS[spec.kind]()] if spec.kind in _CHECKS else []
        attributes = {"date": {"type": "date"}, "paragraph": {"rows": 4}}.get(spec.kind)
        if attributes:
            options["render_kw"] = attributes
        most = spec.most or (PARAGRAPH if spec.kind == "paragraph" else 200)
        field = _line(label, *checks, needed=spec.needed, most=most, kind=_KINDS.get(spec.kind, StringField), **options)
    validators = list(field.kwargs.get("validators") or field.args[1])
    if not spec.needed and spec.choices:
        validators = [_OptionalField(), *validators[1:]]
    if spec.kind == "declaration":
        validators.append(_Every())
    elif spec.kind == "choices" and spec.least > 1:
        validators.append(_AtLeast(spec.least))
    given = {k: v for k, v in field.kwargs.items() if k != "validators"}
    return UnboundField(field.field_class, field.args[0], [*before, *validators, *more], **given)


_classes: dict[tuple[str, str], type[SectionForm]] = {}  # by digest of the file and section


def _form_class(sheet: Dossier, name: str) -> type[SectionForm]:
    section = sheet.section(name)
    if section is None:
        raise KeyError(name)
    if (sheet.digest, name) not in _classes:
        alone = _Together({s.key: s.title for s in sheet.spec.scenarios if s.alone})
        fields = {f.name: _made(f, [alone] if (name, f.name) == (MATTER, "types") else ()) for f in section.fields}
        title = f"{name.title().replace('_', '')}SheetForm"
        _classes[sheet.digest, name] = type(title, (SheetForm,), {"section": name, "spec": section, **fields})
    return _classes[sheet.digest, name]


class SheetForm(SectionForm):
    """A section of a dossier file. Fields stand in the order of the file."""

    section = ""
    spec: SectionSpec


def sheet_form(sheet: Dossier, section: str, formdata: MultiDict[str, str] | None = None, *,
               others: Mapping[str, Mapping[str, Any]] | None = None) -> SectionForm:
    """The form of a section. Raises KeyError for what is no section of the file."""
    return _form_class(sheet, section)(formdata, others=others)


def kept_form(sheet: Dossier, section: str, values: Mapping[str, Any], *, revision: int = 0,
              others: Mapping[str, Mapping[str, Any]] | None = None) -> SectionForm:
    """The form of a section filled with values kept earlier."""
    form = sheet_form(sheet, section, typed(values), others=others)
    form.revision.data = str(revision)
    return form


def faults(section: str, values: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]],
           sheet: Dossier | None = None) -> tuple[str, ...]:
    """The names of the fields of a section that still need attention; () when it is complete.

    Without `sheet` the section is one of the official form.
    """
    if sheet is None:
        return official_faults(section, values, others)
    form = kept_form(sheet, section, values, others=others)
    form.validate()
    return tuple(name for name, field in form._fields.items() if field.errors)


def sheet_labels(sheet: Dossier, section: str, names: Sequence[str]) -> list[LazyString]:
    """What fields are called, in the order given; unknown ones are left out."""
    spec = sheet.section(section)
    found = [spec.field(name) for name in names] if spec else []
    return [words(field.label) for field in found if field]
