"""How an application's own contents look to an official: sections, tables, the agency, the ways of confirming."""
from collections.abc import Iterable, Mapping
from typing import Any

from forms.applications import SECTION_FORMS
from store.dossier_scenarios import beside, sheet_of
from store.dossier_values import SECTION_TITLES, SECTIONS, TABLE_TITLES
from web.context import reference, say
from workflow import dossiers
from workflow.dossiers import Dossier as Sheet
from workflow.dossiers import FieldSpec
from workflow.procedure import Procedure
from workflow.vocabulary import N_, Message

Line = tuple[int, list[Any]]  # ordinal and the values of the shown columns
AGENCY = {"name": N_("Name of the agency"), "uscc": N_("Unified social credit code"),
          "division": N_("Administrative division"), "address": N_("Address"),
          "legal_person": N_("Legal representative"), "phone": N_("Phone"),
          "email": N_("E-mail")}
# The columns of the tables that an application brings, in the order of the official forms.
COLUMNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "staff": (("name", N_("Name")), ("sex", N_("Sex")), ("age", N_("Age")), ("education", N_("Education")),
              ("post", N_("Post")), ("title", N_("Title")), ("major", N_("Major")),
              ("years", N_("Years of experience")), ("department_post", N_("Department and post"))),
    "signatories": (("name", N_("Name")), ("post", N_("Post")), ("title", N_("Title")),
                    ("field", N_("Field of signature")), ("note", N_("Remarks"))),
    "equipment": (("category", N_("Category")), ("parameter", N_("Parameter")), ("standard_text", N_("Standard")),
                  ("name", N_("Equipment")), ("model", N_("Model")), ("measuring_range", N_("Range")),
                  ("traceability", N_("Tracing")), ("valid_to", N_("Valid to")), ("confirmation", N_("Confirmation"))),
    "standard_change": (("category", N_("Category")), ("parameter", N_("Parameter")),
                        ("old_text", N_("Approved standard")), ("new_text", N_("New standard")),
                        ("content", N_("What changes"))),
    "basic": (),
}


def agency_faces(agency: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(term, agency[name]) for name, term in AGENCY.items()] if agency else []


def table_faces(name: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[list[str], list[Line]]:
    """(column labels, lines): the known columns that any row fills, then what we do not know by name."""
    kept = list(rows)
    columns = [(key, label) for key, label in COLUMNS.get(name, ()) if any(values.get(key) for _, values in kept)]
    if not columns and kept:
        columns = [(key, key) for key in kept[0][1] if key not in ("sheet", "row", "accepted")]
    return [label for _, label in columns], [(n, [values.get(key) for key, _ in columns]) for n, values in kept]


def section_faces(sections: Mapping[str, Any], procedure: Procedure) -> list[tuple[Any, list[tuple[Any, Any]]]]:
    """(title, lines) of each section that holds anything, with the words of its form."""
    if (sheet := sheet_of(procedure)) is not None:
        return _sheet_faces(sections, sheet)
    files = beside(procedure, sections).files
    found: list[tuple[Any, list[tuple[Any, Any]]]] = _sheet_faces(sections, files[0]) if files else []
    for name in SECTIONS:
        lines = _section_lines(name, sections.get(name, {}))
        if lines:
            found.append((SECTION_TITLES[name], lines))
    return found + [face for file in files[1:] for face in _sheet_faces(sections, file)]


def _sheet_faces(sections: Mapping[str, Any], sheet: Sheet) -> list[tuple[Any, list[tuple[Any, Any]]]]:
    """The same for a dossier made from a file: its sections and fields in the order of the file."""
    found: list[tuple[Any, list[tuple[Any, Any]]]] = []
    for section in sheet.asked(sheet.types(sections)):
        values = sections.get(section.name, {})
        lines = [(say(field.label.message()), _sheet_value(field, values[field.name])) for field in section.fields
                 if values.get(field.name) not in (None, "", [], {})]
        if lines:
            found.append((section.title.message(), lines))
    return found


def _sheet_value(field: FieldSpec, value: Any) -> str:
    words = {option.key: say(option.message()) for option in field.choices}
    if isinstance(value, list):
        joint = "；" if field.kind == "lines" else "、"
        return joint.join(words.get(str(v), str(v).replace("\t", " · ").strip(" ·")).rstrip("；;。.") for v in value)
    return str(words.get(str(value), value))


def _section_lines(name: str, values: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    form = SECTION_FORMS[name]() if name in SECTION_FORMS else None
    lines: list[tuple[Any, Any]] = []
    for key, value in values.items():
        field = form[key] if form is not None and key in form else None
        if value in (None, "", [], {}):
            continue
        words = type_words(value) if key == "types" else _plain_value(field, value)
        lines.append((field.label.text if field is not None else key, words))
    return lines


def _plain_value(field: Any, value: Any) -> Any:
    """A value in words: choices by their labels, lists on one line."""
    words = dict(_choices(getattr(field, "choices", None) or ()))
    if isinstance(value, list):
        return "、".join(str(words.get(str(each), each)).rstrip("；;。.") for each in value)
    return str(words.get(str(value), value)) if not isinstance(value, bool) else value


def _choices(choices: Any) -> Iterable[tuple[str, Any]]:
    """The (code, words) of a field's choices, in whichever of the three ways they were given."""
    if isinstance(choices, Mapping):
        return [(str(code), words) for code, words in choices.items()]
    return [(str(c[0]), c[1]) if isinstance(c, tuple) else (str(c.value), c.label) for c in choices]


def way_names() -> dict[str, Message]:
    """The eight ways of confirming a row, by key (table 7-2 of the review report)."""
    return {str(row["key"]): Message(str(row["en"]), {}, str(row["zh"]))
            for row in reference().catalogue("confirmation_ways")}


def type_words(types: Iterable[str], sheet: Sheet | None = None) -> str:
    """The names of application types, in the order of the dossier's file or of the catalogue."""
    wanted = set(types)
    if sheet is not None:
        return "、".join(say(s.title.message()) for s in sheet.spec.scenarios if s.key in wanted)
    return "、".join(say(Message(row["en"], {}, row["zh"])) for row in reference().catalogue("application_types")
                    if row["key"] in wanted)


def material_rows(procedure: Procedure) -> list[dict[str, Any]]:
    """Every material that an application of a procedure may hold, in the shape of the catalogue."""
    sheet = sheet_of(procedure)
    own, files = ([], [sheet]) if sheet else (list(reference().catalogue("materials")), files_beside(procedure))
    return own + [material.model_dump() for file in files for material in file.spec.materials]


def files_beside(procedure: Procedure) -> list[Sheet]:
    """The files whose sections may stand beside the official form, whatever is chosen there; none for most."""
    head = next(iter(beside(procedure, {}).files), None)
    field = head.field_at(head.spec.joins) if head and head.spec.joins else None
    joined = [dossiers.newest(option.key) for option in field.choices] if field else []
    return [file for file in (head, *joined) if file is not None]


def subjects_of(procedure: Procedure) -> list[str]:
    """What a correction may be about: sections, tables and materials by their names."""
    sheet = sheet_of(procedure)
    names = [] if sheet else [Message(title) for title in (*SECTION_TITLES.values(), *TABLE_TITLES.values())]
    names += [s.title.message() for file in ([sheet] if sheet else files_beside(procedure)) for s in file.spec.sections]
    return [say(name) for name in names] + [str(row["zh"]) for row in material_rows(procedure)]
