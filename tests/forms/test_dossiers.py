"""Forms made from a dossier file: the same checks as the official form's, lines typed by hand, conditions."""
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from forms.dossiers import MOST_LINES, faults, kept_form, sheet_form, sheet_labels
from workflow import dossiers
from workflow.dossiers import Dossier

CHANGE, PRODUCT = dossiers.find("cma_change", 1), dossiers.find("industrial_product", 1)


@pytest.fixture
def change() -> Dossier:
    assert CHANGE is not None
    return CHANGE


@pytest.fixture
def product() -> Dossier:
    assert PRODUCT is not None
    return PRODUCT


def test_fields_stand_in_the_order_of_the_file(product: Dossier) -> None:
    for section in product.spec.sections:
        names = [field.name for field in sheet_form(product, section.name) if field.name != "revision"]
        assert names == [field.name for field in section.fields]


def test_lines_come_cell_by_cell_and_go_as_lines(product: Dossier) -> None:
    sent = MultiDict([("items.unit", "水泥"), ("items.model", " P·O  42.5 "), ("items.standard", "GB 175"),
                      ("items.unit", ""), ("items.model", ""), ("items.standard", "")])
    form = sheet_form(product, "products", sent)
    assert form.to_section()["items"] == ["水泥\tP·O 42.5\tGB 175"]
    again = kept_form(product, "products", form.to_section())
    assert again.to_section()["items"] == form.to_section()["items"]
    assert again._fields["items"].rows()[0] == ["水泥", "P·O 42.5", "GB 175"]


def test_a_needed_cell_that_is_empty_is_told(product: Dossier) -> None:
    assert "items" in faults("products", {"items": ["水泥\t\tGB 175"]}, {}, product)


def test_hidden_characters_and_endless_tables_are_not_kept(product: Dossier) -> None:
    assert "items" in faults("products", {"items": ["水\u202e泥\tx\ty"]}, {}, product)
    sent = MultiDict([(f"items.{n}", "x") for _ in range(MOST_LINES + 50) for n in ("unit", "model", "standard")])
    assert len(sheet_form(product, "products", sent).to_section()["items"]) == MOST_LINES


@pytest.mark.parametrize(("chosen", "owed"), [("none", False), ("some", True)])
def test_what_depends_on_a_choice_is_owed_only_then(product: Dossier, chosen: str, owed: bool) -> None:
    found = faults("products", {"group": "水泥", "items": ["a\tb\tc"], "outsourced": chosen}, {}, product)
    assert found == (("outsourced_steps",) if owed else ())


def test_every_statement_of_a_declaration_is_needed(change: Dossier) -> None:
    values: dict[str, Any] = {"signer": "高原", "signed_on": "2026-03-02"}
    assert "declared" in faults("declaration", {**values, "declared": ["truthful"]}, {}, change)
    assert faults("declaration", {**values, "declared": ["truthful", "conforms"]}, {}, change) == ()


@pytest.mark.parametrize(("types", "well"), [
    (["name_change", "address_name_change"], True), (["cancellation"], True), (["cancellation", "name_change"], False),
    (["personnel_filing", "signatory_change"], False), ([], False)])
def test_what_stands_alone_stands_alone(change: Dossier, types: list[str], well: bool) -> None:
    found = faults("matter", {"types": types, "contact": "高原", "contact_phone": "13800000000"}, {}, change)
    assert found == (() if well else ("types",))


@pytest.mark.parametrize(("kind", "value"), [
    ("contact_phone", "12"), ("contact", "x" * 61), ("contact", "a\u0007b")])
def test_each_kind_has_its_check(change: Dossier, kind: str, value: str) -> None:
    sound = {"types": ["name_change"], "contact": "高原", "contact_phone": "13800000000"}
    assert faults("matter", {**sound, kind: value}, {}, change) == (kind,)


def test_a_choice_that_is_not_offered_is_not_kept(change: Dossier) -> None:
    sent = MultiDict([("types", "name_change"), ("types", "no_such_type")])
    assert sheet_form(change, "matter", sent).to_section()["types"] == ["name_change"]


def test_what_is_no_section_is_none(change: Dossier) -> None:
    with pytest.raises(KeyError):
        sheet_form(change, "overview")


def test_without_a_file_the_official_form_judges() -> None:
    assert "types" in faults("cover", {}, {})


def test_labels_are_those_of_the_file(change: Dossier) -> None:
    assert len(sheet_labels(change, "matter", ("types", "contact", "no_such"))) == 2
