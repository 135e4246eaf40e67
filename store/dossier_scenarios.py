"""Dossiers made from a file: what is known already, the facts that follow, what is missing, what a decision changes.

The file (workflow.dossiers) says what is asked; nothing here knows any procedure by name.
"""
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from store.dossier_values import Agency, Faults, Sections
from store.eligibility import Criterion, Eligibility
from store.records.certificates import AnnexRowRecord, AnnexSignatoryRecord, CertificateRecord
from store.records.reference import SettingRecord
from store.reference import SWITCH
from store.registers.amendments import fold, folded
from workflow import dossiers, procedures
from workflow.dossiers import Dossier, FieldSpec, RouteSpec, ScenarioSpec, SectionSpec
from workflow.procedure import Procedure
from workflow.vocabulary import N_, Message, Refusal


def sheet_of(procedure: Procedure) -> Dossier | None:
    """The file that makes this procedure's dossier; None where it is the official form with its tables."""
    found = dossiers.find(procedure.name, procedure.version)
    return found if found is not None and found.spec.form == "sections" else None


@dataclass(frozen=True, slots=True)
class Held:
    """The certificate that an application is about, as far as its facts need it."""

    id: int
    number: str
    agency_name: str
    agency_address: str


@dataclass(frozen=True, slots=True)
class SheetHoldings:
    """What a dossier made from a file holds, as far as its facts are concerned."""

    agency: Agency
    sections: Sections
    material_codes: frozenset[str]
    corrections_open: int
    track: str
    certificate: Held | None
    switches: Mapping[str, str]
    unknown_standards: tuple[str, ...] = ()
    unknown_signatories: tuple[str, ...] = ()


def held_certificate(connection: Connection, sheet: Dossier, agency_id: int, number: str = "") -> Held | None:
    """The agency's certificate in force of the kind that this dossier is opened from: the named one, or its newest."""
    if sheet.spec.certificates_of is None:
        return None
    c = CertificateRecord
    wanted = (c.agency_id == agency_id, c.status.in_(("valid", "suspended")), c.replaced_by_id.is_(None),
              func.coalesce(c.kind, dossiers.tabular().spec.procedure) == sheet.spec.certificates_of)
    named = [c.number == number] if number else []
    row = connection.execute(select(c.id, c.number, c.agency_name, c.agency_address).where(*wanted, *named)
                             .order_by(c.id.desc()).limit(1)).first()
    return Held(*row) if row else None


def switches(connection: Connection) -> dict[str, str]:
    """The rule table: switch -> the value in force."""
    rows = connection.execute(select(SettingRecord.name, SettingRecord.content).where(
        SettingRecord.name.like(f"{SWITCH}%")))
    return {row.name.removeprefix(SWITCH): str(row.content["value"]) for row in rows}


def known_values(sheet: Dossier, agency: Agency, certificate: Held | None, types: Sequence[str],
                 today: date) -> dict[str, dict[str, Any]]:
    """What the registers know, put where the file asks for it, so that nobody types it again."""
    known = {f"agency.{name}": getattr(agency, name) for name in
             ("name", "uscc", "address", "legal_person", "phone", "email")} | {"today": today.isoformat()}
    if certificate:
        known |= {f"certificate.{name}": getattr(certificate, name) for name in
                  ("number", "agency_name", "agency_address")}
    found: dict[str, dict[str, Any]] = {
        section.name: {f.name: known[f.known] for f in section.fields if f.known and known.get(f.known)}
        for section in sheet.spec.sections}
    if sheet.section(dossiers.MATTER) is not None:
        found[dossiers.MATTER]["types"] = list(types)
    return {name: values for name, values in found.items() if values}


def sections_of(sheet: Dossier, sections: Sections) -> tuple[SectionSpec, ...]:
    return sheet.asked(sheet.types(sections))


def materials_of(sheet: Dossier, sections: Sections, track: str) -> tuple[dict[str, Any], ...]:
    """The materials of this application, in the shape of the catalogue's rows."""
    types = set(sheet.types(sections))
    return tuple(
        m.model_dump() for m in sheet.spec.materials
        if (not m.types or types & set(m.types)) and (not m.tracks or track in m.tracks)
        and (m.when_field is None or _meets(_value(sections, m.when_field), m.when_values)))


def _meets(value: Any, wanted: Iterable[str]) -> bool:
    values = value if isinstance(value, (list, tuple)) else [value]
    return bool({str(v) for v in values} & set(wanted))


def _value(sections: Sections, place: str) -> Any:
    section, _, name = place.partition(".")
    return sections.get(section, {}).get(name)


def sheet_facts(held: SheetHoldings, sheet: Dossier, faults: Faults) -> dict[str, Any]:
    """Every fact that an edit of the dossier can change."""
    types = sheet.types(held.sections)
    scenarios = [s for s in sheet.spec.scenarios if s.key in types]
    own = {f.fact: _value(held.sections, f"{s.name}.{f.name}") or "" for s in sections_of(sheet, held.sections)
           for f in s.fields if f.fact}
    facts = {
        "application_types": list(types),
        "agency_name": held.agency.name,
        "agency_address": held.agency.address,
        **own,
        "departments": list(dict.fromkeys(_departments(sheet, held.sections))),
        "dossier_gaps": _gaps(held, sheet, faults),
        "corrections_open": held.corrections_open,
        "commitment_bars": judged(sheet, {**own}).bars,
    }
    if sheet.spec.certificates_of:
        facts |= {"certificate_held": held.certificate.number if held.certificate else "",
                  "route": _strictest(sheet, scenarios, held),
                  "amendments": _amendments(scenarios, held.sections)}
        if held.certificate:
            facts |= {"agency_name": held.certificate.agency_name, "agency_address": held.certificate.agency_address}
    return facts


def judged(sheet: Dossier, facts: Mapping[str, Any]) -> Eligibility:
    """Whether the commitment track is open, as the file says."""
    bars = sheet.spec.commitment.bars if sheet.spec.commitment else ()
    found = []
    for bar in bars:
        closed = _meets(facts.get(bar.fact), bar.values)
        found.append(Criterion(bar.fact, Message(bar.why.en, zh=bar.why.zh), bar.article, not closed,
                               Message(N_("Applies to this application.")) if closed else None))
    return Eligibility(tuple(found))


def _departments(sheet: Dossier, sections: Sections) -> Iterable[str]:
    yield from sheet.spec.departments.always
    for place, calls in sheet.spec.departments.by.items():
        value = _value(sections, place)
        for chosen in value if isinstance(value, (list, tuple)) else [value]:
            yield from calls.get(str(chosen), ())


def _strictest(sheet: Dossier, scenarios: Sequence[ScenarioSpec], held: SheetHoldings) -> str:
    """The route of the whole application: the last of the file's order that any of its scenarios takes."""
    taken = [_route(s.route, held) for s in scenarios if s.route]
    known = [r for r in taken if r in sheet.spec.routes]
    return max(known, key=sheet.spec.routes.index) if known else ""


def _route(route: RouteSpec, held: SheetHoldings) -> str:
    if route.always:
        return route.always
    if route.switch:
        return held.switches.get(route.switch, "")
    return route.values.get(str(_value(held.sections, route.field or "")), "")


def _amendments(scenarios: Sequence[ScenarioSpec], sections: Sections) -> dict[str, dict[str, Any]]:
    """What the decision writes into the registers: kind of change -> target -> value; lines as lists of cells."""
    found: dict[str, dict[str, Any]] = {}
    for amend in (a for s in scenarios for a in s.amends):
        for target, place in amend.values.items():
            value = _value(sections, place)
            if isinstance(value, list):
                value = [line.split("\t") for line in value] if amend.what != "rows" else [int(v) for v in value]
            if value not in (None, "", []):
                found.setdefault(amend.what, {})[target] = value
    return found


def _gaps(held: SheetHoldings, sheet: Dossier, faults: Faults) -> list[str]:
    """Short English labels of what is missing; `dossiers.in_chinese` knows them in Chinese."""
    gaps = [s.title.en for s in sections_of(sheet, held.sections)
            if faults(s.name, held.sections.get(s.name, {}), held.sections, sheet)]
    gaps += [s.title.en for s in sheet.spec.scenarios
             if s.key in sheet.types(held.sections) and s.amends and not _amendments([s], held.sections)
             and not {x.title.en for x in sheet.asked([s.key]) if s.key in x.types} & set(gaps)]
    if sheet.spec.certificates_of and held.certificate is None:
        gaps.append(NO_CERTIFICATE)
    gaps += [UNKNOWN_STANDARD for _ in held.unknown_standards[:1]]
    gaps += [UNKNOWN_SIGNATORY for _ in held.unknown_signatories[:1]]
    gaps += [str(row["en"]) for row in materials_of(sheet, held.sections, held.track)
             if row["source"] == "upload" and row["need"] == "submission" and row["key"] not in held.material_codes]
    return gaps


NO_CERTIFICATE = N_("A certificate in force")
UNKNOWN_STANDARD = N_("Standards exactly as they stand in the annex")
UNKNOWN_SIGNATORY = N_("Signatories as they stand in the annex")


def unknown_in_annex(connection: Connection, certificate: Held | None, sheet: Dossier,
                     sections: Sections) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(standards, signatories) that the application names and the annex in force does not hold."""
    if certificate is None:
        return (), ()
    asked = _amendments([s for s in sheet.spec.scenarios if s.key in sheet.types(sections)], sections)
    wanted = {str(line[0]) for line in asked.get("standards", {}).get("changed", ())}
    row, one = AnnexRowRecord, AnnexSignatoryRecord
    there = set(connection.scalars(select(folded(row.standard_text)).where(
        row.certificate_id == certificate.id, row.until_version.is_(None),
        folded(row.standard_text).in_([fold(w) for w in wanted])).distinct())) if wanted else set()
    gone = {str(line[0]) for line in asked.get("signatories", {}).get("removed", ())}
    signing = set(connection.scalars(select(one.name).where(
        one.certificate_id == certificate.id, one.until_version.is_(None), one.name.in_(gone)))) if gone else set()
    return (tuple(sorted(w for w in wanted if fold(w) not in there)), tuple(sorted(gone - signing)))


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the official form: the files with what was answered in their sections."""

    files: tuple[Dossier, ...]
    sections: Sections
    material_codes: frozenset[str]
    track: str

    def parts(self) -> tuple[tuple[Dossier, SectionSpec], ...]:
        """Every section that is asked, with the file it stands in."""
        return tuple((file, section) for file in self.files for section in sections_of(file, self.sections))

    def materials(self) -> tuple[dict[str, Any], ...]:
        return tuple(row for file in self.files for row in materials_of(file, self.sections, self.track))

    def subject(self) -> str:
        """What the case is about, as queues show it, in Chinese: the matter and what is applied for together."""
        head = self.files[0]
        field = head.field_at(head.spec.joins or "")
        words = {o.key: o.zh for o in field.choices} if field else {}
        chosen = "、".join(words[name] for name in head.joined(self.sections))
        matter = head.spec.subject.zh if head.spec.subject else ""
        return f"{matter}（{chosen}）" if matter and chosen else matter or chosen


def beside(procedure: Procedure, sections: Sections, codes: frozenset[str] = frozenset(), track: str = "") -> Beside:
    """The files beside the official form of a procedure; none for most."""
    found = dossiers.find(procedure.name, procedure.version)
    return Beside(dossiers.added(found, sections) if found else (), sections, codes, track)


def facts_beside(held: Beside, sectors_called: Iterable[str], faults: Faults) -> dict[str, Any]:
    """The facts that the sections beside the official form make, and what is missing there as `dossier_gaps`.

    `sectors_called` are the departments that the rows of the capability table call for: each licence of a department
    that is applied for needs at least one row of its own.
    """
    head = held.files[0]
    facts: dict[str, Any] = {
        f.fact: _value(held.sections, f"{s.name}.{f.name}") or ([] if f.kind == "choices" else "")
        for _, s in held.parts() for f in s.fields if f.fact}
    gaps = [s.title.en for file, s in held.parts()
            if faults(s.name, held.sections.get(s.name, {}), held.sections, file)]
    gaps += [str(row["en"]) for row in held.materials()
             if row["source"] == "upload" and row["need"] == "submission" and row["key"] not in held.material_codes]
    if head.spec.joins:
        joined = head.joined(held.sections)
        departments = [d for name in joined if (d := procedures.latest(name).spec.department)]
        facts |= {"licences": list(joined), "deciding_departments": list(dict.fromkeys(departments))}
        gaps += [NO_ROWS_FOR_A_LICENCE for _ in [d for d in departments if d not in set(sectors_called)][:1]]
        gaps += [NOT_IN_FORCE for _ in [name for name in joined if not _can_be_opened(name)][:1]]
    return facts | {"dossier_gaps": gaps}


def _can_be_opened(name: str) -> bool:
    try:
        procedures.current(name)
    except Refusal:
        return False
    return True


NO_ROWS_FOR_A_LICENCE = N_("Annex 1, rows for every licence applied for")
NOT_IN_FORCE = N_("Only licences that can be applied for at present")


def subject_words(sheet: Dossier, types: Sequence[str]) -> str:
    """What the case is about, as queues show it, in Chinese."""
    titles = [s.title.zh for s in sheet.spec.scenarios if s.key in types]
    if sheet.section(dossiers.MATTER) is not None and titles:
        return "、".join(titles)
    return sheet.spec.subject.zh if sheet.spec.subject else "、".join(titles)


def field_of_rows(sheet: Dossier) -> tuple[str, FieldSpec] | None:
    """(section, field) where rows of the annex are chosen, if the file has one."""
    return next(((s.name, f) for s in sheet.spec.sections for f in s.fields if f.kind == "annex_rows"), None)
