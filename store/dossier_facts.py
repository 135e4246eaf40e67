"""The facts that follow from a dossier: what the guards of the procedure and the certificate number read."""
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from store.dossier_values import SECTION_TITLES, SECTIONS, TABLE_TITLES, Agency, Faults, Sections
from store.eligibility import Exclusion
from store.reference import Reference
from workflow.vocabulary import N_

# Which tables of the official form belong to which kind of application (form of 2021, annexes and change forms).
_FULL = ("capability", "signatories", "staff", "equipment")
TABLES_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    "first": _FULL, "renewal": _FULL, "extension": _FULL, "site_change": _FULL,
    "standard_change": ("capability", "standard_change"), "signatory_change": ("capability", "signatories", "staff"),
}
# Types that have a technical review and so run on this procedure; the others are changes approved on a form.
REVIEWED = tuple(TABLES_OF_TYPE)


@dataclass(frozen=True, slots=True)
class Catalogues:
    """The reference data that a dossier is judged by, read once per act."""

    types: tuple[dict[str, Any], ...]
    materials: tuple[dict[str, Any], ...]
    calls: tuple[dict[str, Any], ...]
    call_defaults: Mapping[str, Any]
    exclusions: tuple[Exclusion, ...]
    criteria: tuple[dict[str, Any], ...]
    industry: str
    notice: Mapping[str, Any]

    @classmethod
    def read(cls, reference: Reference) -> "Catalogues":
        return cls(
            reference.catalogue("application_types"), reference.catalogue("materials"),
            reference.catalogue("department_calls"), reference.particulars("department_calls"),
            tuple(Exclusion.from_row(r) for r in reference.catalogue("commitment_exclusions")),
            reference.catalogue("commitment_criteria"),
            str(reference.particulars("industries").get("default", "34")), reference.commitment_notice())

    def labels(self, types: Iterable[str]) -> list[str]:
        """The Chinese names of application types, in the order of the catalogue."""
        wanted = set(types)
        return [row["zh"] for row in self.types if row["key"] in wanted]


@dataclass(frozen=True, slots=True)
class Called:
    """What one section of the capability table calls for."""

    sector: str
    field: str
    departments: tuple[str, ...]


class Calls(Protocol):
    """Which section calls for whom: rows by name, and what holds for the others."""

    @property
    def calls(self) -> tuple[dict[str, Any], ...]: ...

    @property
    def call_defaults(self) -> Mapping[str, Any]: ...


def called_by(section: str, catalogues: Calls) -> Called:
    """Field and departments of a section: by its name, else by the words in it, else the fallback."""
    name = "".join(section.split())
    for row in catalogues.calls:
        if row["section"] == name:
            return Called(f"{row['sector']}/{row['section']}", row["field"], tuple(row["departments"]))
    for row in catalogues.call_defaults.get("keywords", ()):
        if any(word in name for word in row["contains"]):
            return Called(name, row["field"], tuple(row["departments"]))
    fallback = catalogues.call_defaults.get("fallback", {"field": "21", "departments": []})
    return Called(name or "—", fallback["field"], tuple(fallback["departments"]))


def field_of(fields: Iterable[str], defaults: Mapping[str, Any]) -> str:
    """FF of the certificate number: food anywhere, else the one field, else `several` (domain rules, 5.7)."""
    found = set(fields)
    food = str(defaults.get("food_field", "00"))
    if food in found:
        return food
    return next(iter(found)) if len(found) == 1 else str(defaults.get("several", "20"))


def types_of(sections: Sections) -> tuple[str, ...]:
    return tuple(str(t) for t in sections.get("cover", {}).get("types") or ())


def legal_setting(sections: Sections) -> str:
    return str(sections.get("overview", {}).get("legal_setting") or "independent")


def sections_asked(sections: Sections) -> tuple[str, ...]:
    """The sections of this application: the parent only where the agency is no legal person of its own."""
    return tuple(s for s in SECTIONS if s != "parent" or legal_setting(sections) == "dependent")


def tables_asked(types: Iterable[str]) -> tuple[str, ...]:
    """The tables without which an application of these types cannot be submitted."""
    wanted = {table for kind in types for table in TABLES_OF_TYPE.get(kind, ())} or set(_FULL)
    return tuple(t for t in TABLE_TITLES if t in wanted)


def materials_asked(
    materials: Iterable[Mapping[str, Any]], types: Iterable[str], setting: str, track: str
) -> tuple[Mapping[str, Any], ...]:
    """The materials of a scenario, in the order of the catalogue."""
    kinds = set(types)
    return tuple(
        row for row in materials
        if (not row.get("types") or kinds & set(row["types"]))
        and row.get("legal_person") in (None, setting)
        and (not row.get("tracks") or track in row["tracks"]))


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a dossier holds, as far as its facts are concerned."""

    agency: Agency
    sections: Sections
    summaries: Mapping[str, Mapping[str, Any]]      # table -> summary of its reading, usable tables only
    material_codes: frozenset[str]                  # with at least one clean file
    rows: Mapping[str, int]                         # rows_total, rows_open, ...
    corrections_open: int
    commitment_bars: Sequence[str]
    track: str


def facts_of(held: Holdings, catalogues: Catalogues, faults: Faults) -> dict[str, Any]:
    """Every fact that an edit of the dossier can change, from what the dossier holds now."""
    types = types_of(held.sections)
    cover, overview = held.sections.get("cover", {}), held.sections.get("overview", {})
    capability = held.summaries.get("capability", {})
    called = [called_by(section, catalogues) for section in capability.get("sections", {})]
    departments = dict.fromkeys(d for c in called for d in c.departments)
    return {
        "application_types": list(types),
        "certificate_held": "" if types == ("first",) else str(cover.get("certificate_held") or ""),
        "agency_name": str(overview.get("name") or held.agency.name),
        "agency_address": str(overview.get("lab_address") or overview.get("address") or held.agency.address),
        "sectors": list(dict.fromkeys(c.sector for c in called)),
        "field_code": field_of((c.field for c in called), catalogues.call_defaults) if called else "",
        "industry_code": str(cover.get("industry") or catalogues.industry),
        "departments": list(departments),
        "mandatory_standards": bool(capability.get("mandatory")),
        "sites": list(capability.get("sites") or ()),
        "dossier_gaps": _gaps(held, catalogues, faults),
        **held.rows,
        "corrections_open": held.corrections_open,
        "commitment_bars": list(held.commitment_bars),
    }


# The English names of the materials that may be missing, so that the catalogue of translations knows them; the names
# themselves come from reference/materials.yaml.
MATERIALS_NAMED = (
    N_("Typical report of each category"), N_("Approval of establishment"), N_("Authorisation by the parent"),
    N_("Appointment papers"), N_("Right to use each site"), N_("Proof that only the address was renamed"),
)


def _gaps(held: Holdings, catalogues: Catalogues, faults: Faults) -> list[str]:
    """Short labels of what is missing; each is a message id or the English name of a material."""
    gaps = [SECTION_TITLES[s] for s in sections_asked(held.sections)
            if faults(s, held.sections.get(s, {}), held.sections)]
    types = types_of(held.sections)
    gaps += [TABLE_TITLES[t] for t in tables_asked(types) if t not in held.summaries]
    asked = materials_asked(catalogues.materials, types, legal_setting(held.sections), held.track)
    gaps += [str(row["en"]) for row in asked
             if row["source"] == "upload" and row["need"] == "submission" and row["key"] not in held.material_codes]
    return gaps


def subject_of(types: Iterable[str], catalogues: Catalogues) -> str:
    """What the case is about, as queues show it: the kinds of application in Chinese."""
    return "、".join(catalogues.labels(types)) or "资质认定申请"
