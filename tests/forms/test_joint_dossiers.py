"""Files that are asked together: their parts fit beside the official form, and what is spared is really asked twice."""

import itertools
from collections import Counter

import pytest

from forms.applications import SECTION_FORMS
from forms.dossiers import faults
from store.dossier_values import TABLE_TITLES
from store.reference import DIRECTORY, read_catalogue_file
from workflow import dossiers, procedures
from workflow.dossiers import Dossier
from workflow.savings import savings

JOINT = [d for d in dossiers.every() if d.spec.joins]
OFFICIAL = {f"{name}.{field}" for name, form in SECTION_FORMS.items() for field in form()._fields} - {
    f"{name}.revision" for name in SECTION_FORMS}


def licences(joint: Dossier) -> list[Dossier]:
    place = joint.field_at(joint.spec.joins or "")
    assert place is not None
    return [found for option in place.choices if (found := dossiers.newest(option.key))]


@pytest.fixture(params=JOINT, ids=lambda d: d.spec.procedure)
def joint(request: pytest.FixtureRequest) -> Dossier:
    found: Dossier = request.param
    return found


def test_what_can_be_chosen_is_what_the_procedure_opens(joint: Dossier) -> None:
    place = joint.field_at(joint.spec.joins or "")
    assert place is not None and place.fact == "licences"
    offered = {option.key for option in place.choices}
    procedure = procedures.current(joint.spec.procedure)
    for opens in (a.spec.opens for a in procedure.actions if a.spec.opens):
        assert set(opens.procedures) == offered
    assert offered == {d.spec.procedure for d in licences(joint)}


def test_no_two_files_that_are_asked_together_use_one_name(joint: Dossier) -> None:
    files = [joint, *licences(joint)]
    catalogues = {row["key"] for row in read_catalogue_file(DIRECTORY, "materials")}
    lines = {row["no"] for row in read_catalogue_file(DIRECTORY, "checklist")}
    for taken, names in (
        (set(SECTION_FORMS), [s.name for f in files for s in f.spec.sections]),
        (catalogues, [m.key for f in files for m in f.spec.materials]),
        (lines, [line.no for f in files for line in f.spec.checklist]),
        (set(), [field.fact for f in files for s in f.spec.sections for field in s.fields if field.fact]),
    ):
        assert [name for name, times in Counter([*taken, *names]).items() if times > 1] == []


def test_what_would_be_asked_twice_is_asked_by_the_official_form(joint: Dossier) -> None:
    materials = {row["key"] for row in read_catalogue_file(DIRECTORY, "materials") if row["source"] == "upload"}
    for file in licences(joint):
        assert (apart := file.spec.apart) is not None, file.spec.procedure
        assert set(apart.fields) <= OFFICIAL and set(apart.tables) <= set(TABLE_TITLES)
        assert set(apart.materials) <= materials and apart.basis
        for names in (apart.fields, apart.tables, apart.materials):
            assert len(set(names)) == len(names)
        if file.spec.issues:  # the official form is its own: nothing of it may be missing, the parent's part excepted
            assert set(apart.fields) == {place for place in OFFICIAL if not place.startswith("parent.")}


def test_what_is_spared_is_counted_from_the_files(joint: Dossier) -> None:
    found = licences(joint)
    for size in range(2, len(found) + 1):
        for chosen in itertools.combinations(found, size):
            spared = savings(joint, *chosen)
            assert spared.applications_apart == size and spared.visits_together == 1
            assert spared.fields_together < spared.fields_apart and spared.materials_together < spared.materials_apart
            asked = {place for d in chosen if d.spec.apart for place in d.spec.apart.fields}
            own = sum(len(s.fields) for d in (joint, *chosen) for s in d.spec.sections)
            assert spared.fields_together == len(asked) + own
    alone = savings(joint, found[0])
    assert (alone.fields_apart, alone.materials_apart) == (alone.fields_together - 1, alone.materials_together)


def test_one_licence_alone_is_not_applied_for_together(joint: Dossier) -> None:
    section, _, field = (joint.spec.joins or "").partition(".")
    place = joint.field_at(joint.spec.joins or "")
    assert place is not None
    keys = [option.key for option in place.choices]
    assert faults(section, {field: keys[:1]}, {}, joint) == (field,)
    assert faults(section, {field: keys[:2]}, {}, joint) == ()
