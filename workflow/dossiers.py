"""What an applicant is asked for, per procedure: sections with typed fields, materials, checklist, certificate.

A dossier is one file of `reference/dossiers/`, named `<procedure>.v<version>.yaml`. It serves its procedure from that
version on, until a later file takes over. `load` refuses a wrong file with its name, the place, what and why.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from workflow.dossier_proofreading import MATTER as MATTER
from workflow.dossier_proofreading import proofread
from workflow.faults import fault_of_yaml, located, said_of
from workflow.grammar import Label, Name, _Strict
from workflow.procedure import DefinitionError
from workflow.savings import ApartSpec

HERE = Path(__file__).parent.parent / "reference" / "dossiers"

Kind = Literal[
    "line", "paragraph", "date", "number", "choice", "choices", "declaration", "phone", "mobile", "email", "uscc",
    "postcode", "lines", "annex_rows",
]  # fmt: skip
CHOSEN = frozenset({"choice", "choices", "declaration"})
Known = Literal[
    "agency.name", "agency.uscc", "agency.address", "agency.legal_person", "agency.phone", "agency.email",
    "certificate.number", "certificate.agency_name", "certificate.agency_address", "today",
]  # fmt: skip
Source = Literal["upload", "shared", "generated"]
What = Literal["holder", "signatories", "standards", "rows", "end", "agency"]


class Option(Label):
    key: Name


class Column(Label):
    name: Name
    needed: bool = True


class Condition(_Strict):
    """Holds when the field of the same section has one of these values."""

    field: Name
    values: tuple[str, ...] = Field(min_length=1)


class FieldSpec(_Strict):
    """One thing that is asked. `known` fills it in from a register; `fact` puts it on the case under that name; of
    `choices` at least `least` must be ticked."""

    name: Name
    kind: Kind
    label: Label
    hint: Label | None = None
    needed: bool = True
    most: int | None = Field(default=None, ge=1, le=4000)
    least: int = Field(default=1, ge=1)
    choices: tuple[Option, ...] = ()
    columns: tuple[Column, ...] = ()
    known: Known | None = None
    fact: Name | None = None
    when: Condition | None = None

    @model_validator(mode="after")
    def suits_its_kind(self) -> "FieldSpec":
        if (self.kind in CHOSEN) != bool(self.choices):
            raise ValueError(f"{self.name}: choices belong to {', '.join(sorted(CHOSEN))}, and these need them")
        if (self.kind == "lines") != bool(self.columns):
            raise ValueError(f"{self.name}: columns belong to lines, and lines need them")
        return self


class SectionSpec(_Strict):
    """A part of the form. With `types` it is asked only in these scenarios."""

    name: Name
    title: Label
    intro: Label | None = None
    types: tuple[Name, ...] = ()
    fields: tuple[FieldSpec, ...] = Field(min_length=1)

    def field(self, name: str) -> FieldSpec | None:
        return next((f for f in self.fields if f.name == name), None)


class RouteSpec(_Strict):
    """Which way a scenario takes: always the same, by a field, or by a switch of the bureau's rule table."""

    always: Name | None = None
    field: str | None = None
    values: dict[str, Name] = {}
    switch: Name | None = None

    @model_validator(mode="after")
    def one_way(self) -> "RouteSpec":
        if sum(bool(x) for x in (self.always, self.field, self.switch)) != 1 or bool(self.field) != bool(self.values):
            raise ValueError("a route is exactly one of always, field (with values) or switch")
        return self


class AmendSpec(_Strict):
    """What a decision writes into a register: the kind of change, and where its values stand in the dossier."""

    what: What
    values: dict[Name, str] = {}


class ScenarioSpec(_Strict):
    """A kind of application. `alone`: it cannot stand beside another in one application."""

    key: Name
    title: Label
    effect: Label
    basis: str
    confidence: str = "high"
    alone: bool = False
    route: RouteSpec | None = None
    amends: tuple[AmendSpec, ...] = ()


class MaterialSpec(_Strict):
    """A paper. `when` names a field as section.field; every condition given must hold."""

    key: Name
    zh: str
    en: str
    source: Source
    need: Literal["submission", "review", "if_any"] = "submission"
    per: Literal["application", "category", "site"] = "application"
    types: tuple[Name, ...] = ()
    tracks: tuple[Name, ...] = ()
    when_field: str | None = None
    when_values: tuple[str, ...] = ()
    basis: str
    confidence: str
    file_hints: tuple[str, ...] = ()


class ChecklistLine(_Strict):
    no: str
    zh: str
    en: str
    ask_zh: str
    ask: str
    basis: str = ""


class BarSpec(_Strict):
    """Why the commitment track is closed: the fact that closes it, with the reason and the article."""

    fact: Name
    values: tuple[str, ...]
    why: Label
    article: str


class CommitmentSpec(_Strict):
    """The notice and commitment that is shown and signed, as one version of its text."""

    version: str
    title: Label
    notified_heading: Label
    notified: tuple[Label, ...] = Field(min_length=1)
    committed_heading: Label
    committed: tuple[Label, ...] = Field(min_length=1)
    signature: Label
    status: str = "demo default"
    bars: tuple[BarSpec, ...] = ()

    def notice(self) -> dict[str, Any]:
        """In the shape of a version of the catalogue `commitment_notice`."""
        return self.model_dump(exclude={"bars", "status"})


class ShownSpec(_Strict):
    """A line of the certificate: what it is called and where its text stands, as section.field."""

    label: Label
    source: str


class AnnexSpec(_Strict):
    """A table after the certificate: its title and the `lines` field it lists, as section.field; or the capability
    rows that were confirmed, all of them or those that call for the department whose licence it is."""

    title: Label
    source: str = ""
    rows: Literal["every", "of_the_department"] | None = None

    @model_validator(mode="after")
    def from_one_place(self) -> "AnnexSpec":
        if bool(self.source) == bool(self.rows):
            raise ValueError("an annex lists either a field (source) or the confirmed rows (rows)")
        return self


class NumberSpec(_Strict):
    """A number by rule. The pattern may name {year}, {yy}, {authority}, {serial} and facts of the case.

    `restarts` tells with what the serial begins anew.
    """

    pattern: str
    digits: int = Field(ge=1, le=9)
    restarts: Literal["never", "year"] = "year"
    note: str = ""


class CertificateSpec(_Strict):
    """`issued_by`: the organ that seals it, where that is not the bureau and the bureau has entered no other name."""

    title: Label
    statement: Label
    issued_by: Label | None = None
    number: NumberSpec
    validity: Name  # the allowance that says how long
    shown: tuple[ShownSpec, ...] = ()
    annex: AnnexSpec | None = None


class DepartmentsSpec(_Strict):
    """Who is consulted: always these, and those that a chosen value calls for (section.field -> value -> keys)."""

    always: tuple[Name, ...] = ()
    by: dict[str, dict[str, tuple[Name, ...]]] = {}


class DossierSpec(_Strict):
    """`form`: `tables` is the official form with its uploaded tables, and the sections of this file beside it;
    `sections` is made from this file alone; `none` has no form of its own: its sections are a block of another one.

    `opens`: from the list of what can be applied for, from a certificate of the named procedure, or never. `joins`
    names the field (section.field) in which procedures are chosen that are applied for together: the sections and
    materials of their files are asked as well. `issues`: of which procedure's kind its certificates are.
    """

    procedure: Name
    version: int = Field(ge=1)
    form: Literal["tables", "sections", "none"]
    opens: Literal["list", "certificate", "never"]
    certificates_of: Name | None = None
    status: str = ""
    summary: Label | None = None
    prepare: tuple[Label, ...] = ()
    fees: Label | None = None
    fees_basis: str = ""
    subject: Label | None = None
    routes: tuple[Name, ...] = ()
    scenarios: tuple[ScenarioSpec, ...] = ()
    sections: tuple[SectionSpec, ...] = ()
    materials: tuple[MaterialSpec, ...] = ()
    checklist: tuple[ChecklistLine, ...] = ()
    departments: DepartmentsSpec = DepartmentsSpec()
    commitment: CommitmentSpec | None = None
    certificate: CertificateSpec | None = None
    joins: str | None = None
    issues: Name | None = None
    apart: ApartSpec | None = None

    def field_at(self, place: str) -> FieldSpec | None:
        """The field that `section.field` names."""
        section, _, name = place.partition(".")
        found = next((s for s in self.sections if s.name == section), None)
        return found.field(name) if found else None


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier as written. `digest` is the SHA-256 of its file."""

    spec: DossierSpec
    digest: str

    @property
    def has_tables(self) -> bool:
        return self.spec.form == "tables"

    def scenario(self, key: str) -> ScenarioSpec | None:
        return next((s for s in self.spec.scenarios if s.key == key), None)

    def section(self, name: str) -> SectionSpec | None:
        return next((s for s in self.spec.sections if s.name == name), None)

    def field_at(self, place: str) -> FieldSpec | None:
        """The field that `section.field` names."""
        return self.spec.field_at(place)

    def asked(self, types: Sequence[str]) -> tuple[SectionSpec, ...]:
        """The sections of an application of these types."""
        return tuple(s for s in self.spec.sections if not s.types or set(s.types) & set(types))

    def types(self, sections: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
        """What is applied for: what was ticked, in the order of the file, or the only thing there is."""
        known = [s.key for s in self.spec.scenarios]
        if self.section(MATTER) is None:
            return tuple(known[:1])
        ticked = sections.get(MATTER, {}).get("types") or ()
        return tuple(k for k in known if k in ticked)

    def joined(self, sections: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
        """The procedures that are applied for together here, as they were chosen, in the order of the file."""
        section, _, name = (self.spec.joins or "").partition(".")
        field, chosen = self.spec.field_at(self.spec.joins or ""), sections.get(section, {}).get(name) or ()
        return tuple(o.key for o in field.choices if o.key in chosen) if field else ()


def load(path: Path) -> Dossier:
    """Read, validate and proof-read one file. Raises DefinitionError with file, line, place, what and why."""
    text = path.read_bytes()
    try:
        spec = DossierSpec.model_validate(YAML(typ="safe", pure=True).load(text))
    except YAMLError as error:
        raise DefinitionError(path.name, [fault_of_yaml(error)]) from error
    except ValidationError as error:
        raise DefinitionError(path.name, located(text, said_of(error.errors()))) from error
    if faults := list(proofread(spec, path.stem)):
        raise DefinitionError(path.name, located(text, faults))
    return Dossier(spec, hashlib.sha256(text).hexdigest())


@cache
def every() -> tuple[Dossier, ...]:
    return tuple(load(path) for path in sorted(HERE.glob("*.yaml")))


def find(procedure: str, version: int) -> Dossier | None:
    """The dossier of a procedure at a version: the newest file that is not newer; None when it has none."""
    found = [d for d in every() if d.spec.procedure == procedure and d.spec.version <= version]
    return max(found, key=lambda d: d.spec.version) if found else None


def tabular() -> Dossier:
    """The dossier of the official form with nothing beside it; certificates kept before this register are its."""
    return next(d for d in every() if d.has_tables and not d.spec.sections)


def newest(procedure: str) -> Dossier | None:
    return find(procedure, max((d.spec.version for d in every() if d.spec.procedure == procedure), default=0))


def added(dossier: Dossier, sections: Mapping[str, Mapping[str, Any]]) -> tuple[Dossier, ...]:
    """The files whose sections stand beside the official form: its own, then those of what is applied for together."""
    if not dossier.has_tables or not dossier.spec.sections:
        return ()
    return (dossier, *(found for name in dossier.joined(sections) if (found := newest(name))))


def kind_of(procedure: str, version: int) -> str:
    """Of which procedure's kind the certificates are that this one issues."""
    found = find(procedure, version)
    return found.spec.issues or procedure if found else procedure


def openable(opens: str) -> tuple[str, ...]:
    """The procedures whose newest dossier opens that way."""
    newest: dict[str, Dossier] = {}
    for dossier in sorted(every(), key=lambda d: d.spec.version):
        newest[dossier.spec.procedure] = dossier
    return tuple(name for name, d in newest.items() if d.spec.opens == opens)


def checklist_of(procedure: str, version: int) -> dict[str, dict[str, str]]:
    """The checklist of a procedure's own dossier by line number, in the shape of the catalogue; {} without one."""
    dossier = find(procedure, version)
    return {line.no: line.model_dump() for line in dossier.spec.checklist} if dossier else {}


@cache
def _chinese() -> dict[str, str]:
    found: dict[str, str] = {}
    for dossier in every():
        spec = dossier.spec
        for label in (*(s.title for s in spec.sections), *(s.title for s in spec.scenarios)):
            found.setdefault(label.en, label.zh)
        found |= {m.en: m.zh for m in spec.materials}
        found |= {f.label.en: f.label.zh for s in spec.sections for f in s.fields}
    return found


def in_chinese(text: str) -> str | None:
    """The Chinese of a title that stands in a dossier file, by its English, or None."""
    return _chinese().get(text)
