"""How a dossier looks to its applicant: the parts and what each still needs, in words and addresses."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request, url_for
from werkzeug.datastructures import MultiDict

from forms.applications import SECTION_FORMS, Choices, SectionForm, labels, section_form
from forms.dossiers import faults, kept_form, sheet_form, sheet_labels
from intake.problems import Problem
from store.applications import ApplicationStore
from store.dossier_facts import REVIEWED
from store.dossier_uploads import TABLE_TWICE
from store.dossier_values import SECTION_TITLES, TABLE_TITLES, Dossier, MaterialState, ProblemLine, Upload
from web.casefaces import state_face
from web.context import case_store, files, language, reference, say
from web.suspensions import suspension_face
from workflow.vocabulary import N_, Message, Refusal

# Page -> (endpoint, what it is called)
ENTRIES = {
    "show": ("applications.show", N_("Where it stands")), "licences": ("joint.show", N_("Licences and results")),
    "form": ("applications.form", N_("Application form")),
    "tables": ("uploads.tables", N_("Tables")), "materials": ("uploads.materials", N_("Materials")),
    "track": ("applications.track", N_("Procedure")), "preview": ("applications.preview", N_("Preview and submit")),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the dossier on the overview: what it is, whether it is complete, where it is done."""

    label: str
    url: str
    open: int
    words: Message | str
    needed: bool = True

    @property
    def tone(self) -> str:
        return "good" if self.needed and not self.open else "attention" if self.open else "neutral"


def applications() -> ApplicationStore:
    return ApplicationStore(case_store(), files(), reference(), faults)


def choices() -> Choices:
    """Types that run on this procedure and the industry authorities, in the reader's language."""
    tongue = "zh" if language() == "zh" else "en"
    return Choices(
        [(row["key"], row[tongue]) for row in reference().catalogue("application_types") if row["key"] in REVIEWED],
        [(row["code"], f"{row['code']} {row[tongue]}") for row in reference().catalogue("industries")])


def others(dossier: Dossier) -> dict[str, Mapping[str, Any]]:
    return {name: state.values for name, state in dossier.sections.items()}


def section_forms(dossier: Dossier, *, judged: Sequence[str] = ()) -> dict[str, SectionForm]:
    """The forms of every section asked for, filled with what is kept; those in `judged` show their errors."""
    offered, every = None if dossier.sheet else choices(), others(dossier)
    found = {}
    for name, state in dossier.sections.items():
        if state.asked:
            sheet = dossier.file_of(name)
            found[name] = kept_form(
                sheet, name, state.values, revision=state.revision, others=every) if sheet else (
                section_form(name, state.values, revision=state.revision, choices=offered, others=every))
            if name in judged:
                found[name].validate()
    return found


def sent_form(dossier: Dossier, section: str, sent: MultiDict[str, str]) -> SectionForm:
    """The form of a section as it was sent. Raises Refusal("unknown") for what is no section of this application."""
    try:
        if sheet := dossier.file_of(section):
            asked = dossier.sections[section].name  # one that these types do not ask for is none
            return sheet_form(sheet, asked, sent, others=others(dossier))
        return SECTION_FORMS[section](sent, choices=choices(), others=others(dossier))
    except KeyError:
        raise Refusal("unknown", Message(N_("There is no such part of the application."))) from None


def titles_of(dossier: Dossier) -> dict[str, Message]:
    """What the sections are called."""
    own = {} if dossier.sheet else {name: Message(title) for name, title in SECTION_TITLES.items()}
    files = (dossier.sheet,) if dossier.sheet else dossier.added
    return own | {s.name: s.title.message() for file in files for s in file.spec.sections}


def has_choice_of_track(dossier: Dossier) -> bool:
    return len(dossier.procedure.spec.tracks) > 1 and "choose_commitment_track" in dossier.procedure.by_name


def frame(dossier: Dossier, entry: str) -> dict[str, Any]:
    """Head and tabs of an application, the same on each of its pages."""
    label, tone = state_face(dossier.procedure, dossier.case.state)
    counts = {"form": sum(len(s.faults) for s in dossier.sections.values()), "tables": _open_tables(dossier),
              "materials": sum(m.is_missing for m in dossier.materials)} if dossier.is_editable else {}
    return {"label": label, "tone": tone, "suspension": suspension_face(dossier.file), "tabs": [
        {"label": N_("The whole application") if name == "preview" and not dossier.is_editable else words,
         "url": url_for(endpoint, public_id=dossier.public_id), "current": name == entry, "entry": name,
         "count": counts.get(name) or None}
        for name, (endpoint, words) in ENTRIES.items() if _is_shown(dossier, name)]}


def _is_shown(dossier: Dossier, entry: str) -> bool:
    """Whether an application has this page now: no tables without tables, no choice of track without one."""
    if entry == "tables" and dossier.sheet or entry == "track" and not has_choice_of_track(dossier):
        return False
    if entry == "licences":
        return bool(dossier.case.fact("licences")) and dossier.file.submitted_at is not None
    return dossier.is_editable or entry not in ("form", "track")


def parts(dossier: Dossier) -> list[Part]:
    """What has to be done before the application can be submitted, in the order of the form."""
    titles = titles_of(dossier)
    found = [Part(say(titles[name]), _at("form", dossier, name), len(state.faults),
                  _fields_open(dossier, name, state.faults)) for name, state in dossier.sections.items() if state.asked]
    for name, table in dossier.tables.items():
        if table.asked:
            found.append(Part(say(TABLE_TITLES[name]), _at("tables", dossier), int(table.outcome is None),
                              _table_words(table)))
    for material in dossier.materials:
        if material.row["source"] == "upload" and material.row["need"] != "if_any":
            found.append(Part(say(material.name), _at("materials", dossier, material.code), int(material.is_missing),
                              _material_words(material), material.row["need"] == "submission"))
    return found


def _at(entry: str, dossier: Dossier, anchor: str | None = None) -> str:
    return url_for(ENTRIES[entry][0], public_id=dossier.public_id, _anchor=anchor)


def _open_tables(dossier: Dossier) -> int:
    return sum(t.asked and t.outcome is None for t in dossier.tables.values()) + len(dossier.waiting)


def _fields_open(dossier: Dossier, section: str, names: Sequence[str]) -> Message:
    if not names:
        return Message(N_("Complete"))
    sheet = dossier.file_of(section)
    found = sheet_labels(sheet, section, names) if sheet else labels(section, names)
    return Message(N_("To be filled in: %(fields)s"), {"fields": [str(label) for label in found]})


def _table_words(table: Any) -> Message:
    if table.outcome is None:
        return Message(N_("Not uploaded yet"))
    if table.refused_rows:
        return Message(N_("%(accepted)s rows accepted, %(refused)s refused"),
                       {"accepted": table.accepted, "refused": table.refused_rows})
    return Message(N_("%(accepted)s rows accepted"), {"accepted": table.accepted})


def _material_words(material: MaterialState) -> Message:
    if material.clean:
        return Message(N_("%(count)s files"), {"count": len(material.clean)})
    if material.row["need"] == "review":
        return Message(N_("May follow until the review starts"))
    return Message(N_("Not handed in yet"))


def continue_at(dossier: Dossier) -> tuple[str, str]:
    """(words, address) of the next thing to do."""
    for part in parts(dossier):
        if part.open:
            return say(Message(N_("Continue: %(part)s"), {"part": part.label})), part.url
    return say(N_("Preview and submit")), _at("preview", dossier)


# -- problems ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProblemFace:
    severity: str
    file: str | None
    sheet: str | None
    row: int | None
    column: str | None
    value: str | None
    message: str
    remedy: str


def problem_of(line: ProblemLine) -> Problem:
    detail = {name: value for name, value in line.detail.items() if name != "column"}
    return Problem(line.code, line.severity, line.sheet, line.row, line.detail.get("column"), line.cell, detail)


def problem_faces(lines: Sequence[ProblemLine]) -> list[ProblemFace]:
    """Each problem by sheet, row and column, with what is wrong and what to do, in the reader's language."""
    tongue, found = language(), []
    for line in lines:
        told = problem_of(line)
        value = next((str(told.detail[n]) for n in ("value", "number", "name", "title") if told.detail.get(n)), None)
        found.append(ProblemFace(line.severity, say(TABLE_TITLES.get(line.table, line.table)), line.sheet, line.row,
                                 told.column, value, told.statement(tongue), told.advice(tongue)))
    return found


def refusal_words(upload: Upload) -> tuple[str, str]:
    """Why a file was refused and what to do, in the reader's language."""
    told = dict(upload.refusal or {})
    if told.get("code") == TABLE_TWICE:
        title = say(TABLE_TITLES.get(str(told.get("detail", {}).get("table")), ""))
        return (say(Message(N_("Another file sent together with this one is “%(table)s” too."), {"table": title})),
                say(N_("Put all sites, food and non-food, on sheets of one workbook and send it alone.")))
    try:
        problem = Problem.of(str(told.get("code")), **{str(k): v for k, v in told.get("detail", {}).items()})
    except KeyError:
        return say(N_("The file could not be used.")), say(N_("Save it again and send it once more."))
    return problem.statement(language()), problem.advice(language())


def wants_json() -> bool:
    """Whether this is the quiet save of a form while somebody types."""
    return request.headers.get("X-Autosave") == "1"


# -- words for templates ---------------------------------------------------------------------------------------

# Columns of the tables as they are shown; 附表1 has a page of its own, its refused rows use these.
COLUMNS = {
    "capability": (("object", N_("Object")), ("parameter", N_("Parameter")), ("standard_text", N_("Standard"))),
    "signatories": (("name", N_("Name")), ("post", N_("Post")), ("title", N_("Title")),
                    ("field", N_("Field applied for")), ("note", N_("Remark"))),
    "staff": (("name", N_("Name")), ("sex", N_("Sex")), ("age", N_("Age")), ("education", N_("Education")),
              ("title", N_("Title")), ("major", N_("Major")), ("years", N_("Years in the field")),
              ("department_post", N_("Present post"))),
    "equipment": (("parameter", N_("Item")), ("name", N_("Equipment")), ("model", N_("Model")),
                  ("measuring_range", N_("Measuring range")), ("traceability", N_("Traced by")),
                  ("valid_to_text", N_("Valid to")), ("confirmation", N_("Result of confirmation"))),
    "standard_change": (("category", N_("Category")), ("parameter", N_("Item")), ("old_text", N_("Approved standard")),
                        ("new_text", N_("New standard")), ("content", N_("What changes"))),
    "basic": (),
}
PAPERS = {
    "receipt": N_("Receipt"), "commitment_letter": N_("Letter of commitment"),
    "acceptance_notice": N_("Notice of acceptance"), "correction_notice": N_("One-time correction notice"),
    "refusal_to_accept": N_("Refusal to accept"), "grant_decision": N_("Decision to grant"),
    "refusal_decision": N_("Decision to refuse"), "rectification_order": N_("Rectification order"),
}


def shown_value(forms: Mapping[str, SectionForm], section: str, name: str, value: Any) -> str:
    """A kept value as people read it: the words of a choice, lines joined."""
    form = forms.get(section)
    field = form._fields.get(name) if form is not None else None
    words = {str(choice.value): str(choice.label) for choice in getattr(field, "choices", None) or ()}
    joint = "、" if language() == "zh" else ", "
    if isinstance(value, (list, tuple)):
        return joint.join(words.get(str(v), str(v).replace("\t", " · ")).rstrip("；;。.") for v in value)
    text = words.get(str(value or ""), str(value or ""))
    return "；".join(text.splitlines()) or "—"


def saved_moment(at: str | None) -> datetime | None:
    return datetime.fromisoformat(at) if at else None


def columns_of(table: str) -> list[tuple[str, str]]:
    return [(name, say(words)) for name, words in COLUMNS[table]]


def other_columns(table: str) -> list[dict[str, str]]:
    return [{"label": say(N_("No.")), "kind": "number"}, *({"label": words} for _, words in columns_of(table)),
            {"label": say(N_("In the file")), "kind": "tight"}]


def codes_of(counts: Sequence[tuple[str, str, str, int]]) -> list[tuple[str, int]]:
    """Each kind of problem with how many there are, most frequent first."""
    totals: dict[str, int] = {}
    for _table, _severity, code, number in counts:
        totals[code] = totals.get(code, 0) + number
    return sorted(totals.items(), key=lambda pair: -pair[1])


def file_count(dossier: Dossier) -> int:
    return sum(1 for t in dossier.tables.values() if t.upload) + sum(len(m.clean) for m in dossier.materials)


def size_words(size: int) -> str:
    """A file's size as people read it."""
    return f"{max(1, round(size / 1024))} KB" if size < 1 << 20 else f"{size / (1 << 20):.1f} MB"


def paper_name(kind: str) -> str:
    return PAPERS.get(kind, kind)


WORDS = {f.__name__: f for f in (
    shown_value, saved_moment, columns_of, other_columns, codes_of, file_count, paper_name,
    size_words)}
