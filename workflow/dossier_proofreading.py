"""What a careful reader finds in a dossier file: names that point nowhere, twins, a number that cannot be unique."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow.dossiers import CertificateSpec, DossierSpec, ScenarioSpec, SectionSpec

MATTER = "matter"  # the section in which the applicant says what it is about; it is there when there is a choice


def proofread(spec: "DossierSpec", stem: str) -> Iterator[str]:
    """What a careful reader would find: names that point nowhere, twins, gaps."""
    if stem != f"{spec.procedure}.v{spec.version}":
        yield f"procedure: the file is called {stem}, but it is about {spec.procedure}.v{spec.version}"
    if spec.opens == "certificate" and not spec.certificates_of:
        yield "certificates_of: say whose certificates this is opened from"
    keys = [s.key for s in spec.scenarios]
    for what, names in (("scenarios", keys), ("sections", [s.name for s in spec.sections]),
                        ("materials", [m.key for m in spec.materials]), ("checklist", [c.no for c in spec.checklist])):
        yield from (f"{what}: {name} stands here twice" for name in dict.fromkeys(names) if names.count(name) > 1)
    for section in spec.sections:
        yield from _section_faults(section, keys)
    for scenario in spec.scenarios:
        yield from _scenario_faults(scenario, spec)
    for material in spec.materials:
        where = f"materials.{material.key}"
        yield from (f"{where}: there is no scenario called {t}" for t in material.types if t not in keys)
        if material.when_field and spec.field_at(material.when_field) is None:
            yield f"{where}.when_field: there is no field {material.when_field}"
    for place in spec.departments.by:
        if spec.field_at(place) is None:
            yield f"departments.by: there is no field {place}"
    if spec.joins and ((field := spec.field_at(spec.joins)) is None or field.kind != "choices"):
        yield f"joins: {spec.joins} is no field of choices"
    if spec.certificate:
        yield from _certificate_faults(spec, spec.certificate)


def _section_faults(section: "SectionSpec", keys: Sequence[str]) -> Iterator[str]:
    names = [f.name for f in section.fields]
    where = f"sections.{section.name}"
    yield from (f"{where}: {n} stands here twice" for n in dict.fromkeys(names) if names.count(n) > 1)
    yield from (f"{where}.types: there is no scenario called {t}" for t in section.types if t not in keys)
    yield from (f"{where}.{f.name}.when: there is no field called {f.when.field} in this section"
                for f in section.fields if f.when and f.when.field not in names)
    if section.name == MATTER:
        types = section.field("types")
        if types is None or {o.key for o in types.choices} != set(keys):
            yield f"{where}: needs a field called types whose choices are the scenarios"


def _scenario_faults(scenario: "ScenarioSpec", spec: "DossierSpec") -> Iterator[str]:
    where, route = f"scenarios.{scenario.key}", scenario.route
    named = {route.always, *route.values.values()} - {None} if route else set()
    yield from (f"{where}.route: {n} is not among routes" for n in sorted(map(str, named)) if n not in spec.routes)
    if route and route.field and spec.field_at(route.field) is None:
        yield f"{where}.route: there is no field {route.field}"
    for amend in scenario.amends:
        yield from (f"{where}.amends: there is no field {place}" for place in amend.values.values()
                    if spec.field_at(place) is None)


def _certificate_faults(spec: "DossierSpec", certificate: "CertificateSpec") -> Iterator[str]:
    for shown in certificate.shown:
        if spec.field_at(shown.source) is None:
            yield f"certificate.shown: there is no field {shown.source}"
    if certificate.annex and certificate.annex.source:
        found = spec.field_at(certificate.annex.source)
        if found is None or found.kind != "lines":
            yield f"certificate.annex: {certificate.annex.source} is not a field of lines"
    facts = {f.fact for s in spec.sections for f in s.fields if f.fact}
    known = dict.fromkeys(("year", "yy", "authority", "serial", *sorted(map(str, facts))), "0")
    try:
        if "{serial}" not in certificate.number.pattern:
            yield "certificate.number: the pattern holds no {serial}, so every certificate would bear one number"
        certificate.number.pattern.format(**known)
    except (KeyError, IndexError, ValueError) as error:
        yield f"certificate.number: this pattern cannot be filled in ({error!r})"
