"""What the store hands out and takes in about an application's dossier: frozen values, never records."""
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from store.eligibility import Eligibility
from store.values import CaseFile
from workflow.case import Case
from workflow.dossiers import Dossier as Sheet
from workflow.procedure import Procedure
from workflow.vocabulary import N_, Message

SECTIONS = ("cover", "overview", "parent", "resources", "declaration")
SECTION_TITLES = {
    "cover": N_("Application type"),
    "overview": N_("Overview of the agency"),
    "parent": N_("Parent legal person"),
    "resources": N_("Resources and sites"),
    "declaration": N_("Declaration"),
}
TABLES = ("basic", "capability", "signatories", "staff", "equipment", "standard_change")
TABLE_TITLES = {
    "basic": N_("Application form, basic details"),
    "capability": N_("Annex 1, capabilities"),
    "signatories": N_("Annex 2, authorised signatories"),
    "staff": N_("Annex 4, staff"),
    "equipment": N_("Annex 5, equipment"),
    "standard_change": N_("Changes of standards"),
}

Sections = Mapping[str, Mapping[str, Any]]
# (section, its values, every section, and the file of a dossier made from one) -> the names of the fields that still
# need attention
Faults = Callable[..., Sequence[str]]


class Found(Protocol):
    """A problem of a reading, as the intake tells it."""

    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def sheet(self) -> str | None: ...
    @property
    def row(self) -> int | None: ...
    @property
    def column(self) -> str | None: ...
    @property
    def cell(self) -> str | None: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...


class Reading(Protocol):
    """One file as the intake read it. The store knows the shape, not the intake."""

    @property
    def table(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def data_rows(self) -> int: ...
    @property
    def accepted(self) -> int: ...
    @property
    def problems(self) -> Sequence[Found]: ...
    @property
    def problem_counts(self) -> Mapping[str, int]: ...
    @property
    def sheets_imported(self) -> Sequence[str]: ...
    @property
    def sheets_ignored(self) -> Sequence[tuple[str, str]]: ...
    @property
    def reject_code(self) -> str | None: ...
    @property
    def records(self) -> Sequence[Any]: ...


# The files of one package, name and bytes, to their readings in the same order
Reader = Callable[[Sequence[tuple[str, bytes]]], Sequence[Reading]]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a dossier. `purpose` is table:NAME, material:CODE or rectification, `status` checking, clean or
    refused."""

    public_id: str
    purpose: str
    name: str
    size: int
    media_type: str
    sha256: str
    status: str
    refusal: Mapping[str, Any] | None
    created_at: datetime
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class TableState:
    """Where one table stands: what was read of it, or None while nothing was."""

    name: str
    asked: bool
    upload: Upload | None = None
    outcome: str | None = None
    data_rows: int = 0
    accepted: int = 0
    errors: int = 0
    warnings: int = 0
    summary: Mapping[str, Any] = field(default_factory=dict)
    read_at: datetime | None = None

    @property
    def refused_rows(self) -> int:
        return self.data_rows - self.accepted


@dataclass(frozen=True, slots=True)
class SectionState:
    """A section: its values as typed, its revision, and the fields that still need attention."""

    name: str
    values: Mapping[str, Any]
    revision: int
    asked: bool
    faults: tuple[str, ...]
    saved_at: str | None = None
    saved_by: str = ""
    from_table: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return not self.asked or not self.faults


@dataclass(frozen=True, slots=True)
class MaterialState:
    """A material of the scenario. `row` is its entry in the catalogue; `files` what was handed in so far."""

    code: str
    row: Mapping[str, Any]
    files: tuple[Upload, ...] = ()

    @property
    def name(self) -> Message:
        return Message(self.row["en"], zh=self.row["zh"])

    @property
    def clean(self) -> tuple[Upload, ...]:
        return tuple(f for f in self.files if f.status == "clean")

    @property
    def takes_several(self) -> bool:
        return self.row.get("per") in ("category", "site")

    @property
    def is_missing(self) -> bool:
        return self.row["source"] == "upload" and self.row["need"] == "submission" and not self.clean


@dataclass(frozen=True, slots=True)
class Difference:
    """A field where the uploaded form says one thing and the section another."""

    section: str
    field: str
    typed: Any
    in_table: Any


@dataclass(frozen=True, slots=True)
class Correction:
    """One item of the correction notice in force."""

    ordinal: int
    subject: str
    reason: str
    basis: str
    answer: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Agency:
    """What the register of agencies knows, so that it is not asked again."""

    id: int
    name: str
    uscc: str
    division: str
    address: str
    legal_person: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """An application as its applicant sees it. `gaps` says in words what is still missing."""

    file: CaseFile
    agency: Agency
    sections: Mapping[str, SectionState]
    tables: Mapping[str, TableState]
    materials: tuple[MaterialState, ...]
    differences: tuple[Difference, ...]
    corrections: tuple[Correction, ...]
    eligibility: Eligibility
    waiting: tuple[Upload, ...]
    refused: tuple[Upload, ...]
    certificate_valid_to: date | None = None
    sheet: Sheet | None = None  # the file that the dossier is made from; None: the official form with its tables
    added: tuple[Sheet, ...] = ()  # the files whose sections stand beside the official form

    def file_of(self, section: str) -> Sheet | None:
        """The file that a section's form is made from; None for a section of the official form."""
        return self.sheet or next((file for file in self.added if file.section(section)), None)

    @property
    def case(self) -> Case:
        return self.file.case

    @property
    def public_id(self) -> str:
        return self.file.public_id

    @property
    def procedure(self) -> Procedure:
        return self.file.procedure

    @property
    def is_editable(self) -> bool:
        return self.file.procedure.states[self.file.case.state].editable

    @property
    def gaps(self) -> tuple[str, ...]:
        return tuple(self.case.fact("dossier_gaps") or ())


@dataclass(frozen=True, slots=True)
class ProblemLine:
    """One problem of a reading with its place in the file."""

    id: int
    table: str
    code: str
    severity: str
    sheet: str | None
    row: int | None
    cell: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CapabilityLine:
    """One applied-for row of 附表1 as it stands."""

    ordinal: int
    sheet: str
    sheet_row: int
    site: str
    section: str
    category: str
    object: str
    parameter: str
    standard_text: str
    limit_text: str
    note: str
    warned: bool
    standing: str
    reason: str


@dataclass(frozen=True, slots=True)
class Issued:
    """Something the authority made for the applicant: a notice, a decision, the certificate."""

    public_id: str
    kind: str
    version: int
    sha256: str
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """One line of "my applications"."""

    public_id: str
    number: str | None
    state: str
    track: str
    subject: str
    procedure: str
    procedure_version: int
    opened_at: datetime
    submitted_at: datetime | None
    changed_at: datetime
    due_on: date | None
    key: int
