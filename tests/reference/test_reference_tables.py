"""The reference tables agree with each other, with the sample packages, and say how sure they are."""

import csv
import gzip
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from workflow.deadlines import Allowance, proofread

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference"
PACKAGES = sorted((ROOT / "tests" / "corpus").glob("P*"))


def table(name: str):
    return YAML(typ="safe").load((REFERENCE / name).read_text(encoding="utf-8"))


def rows(name: str):
    return table(name)["rows"]


def keys(name: str, key: str = "key") -> list[str]:
    return [row[key] for row in rows(name)]


def records(package: Path) -> list[dict[str, str]]:
    with gzip.open(package / "expected_records.csv.gz", "rt", encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def called_for(package: Path) -> set[str]:
    by_section = {row["section"]: row["departments"] for row in rows("department_calls.yaml")}
    return {name for record in records(package) for name in by_section[record["section"]]}


@pytest.mark.parametrize(
    ("name", "key", "count"),
    [
        ("authorities.yaml", "code", 32),
        ("fields.yaml", "code", 22),
        ("industries.yaml", "code", 35),
        ("checklist.yaml", "no", 22),
        ("confirmation_ways.yaml", "key", 8),
        ("departments.yaml", "key", 18),
        ("application_types.yaml", "key", 12),
        ("materials.yaml", "key", 18),
        ("department_calls.yaml", "section", 47),
    ],
)
def test_a_table_is_complete_and_names_nothing_twice(name, key, count):
    found = keys(name, key)
    assert len(found) == len(set(found)) == count


@pytest.mark.parametrize("name", sorted(path.name for path in REFERENCE.glob("*.yaml")))
def test_a_table_has_both_languages_and_a_source(name):
    content = table(name)
    text = (REFERENCE / name).read_text(encoding="utf-8")
    assert any(word in text for word in ("source:", "basis:")), "where does it come from?"
    assert "confidence" in text, "how sure is it?"
    for row in content.get("rows", ()):
        if "zh" in row or "en" in row:
            assert row["zh"] and row["en"], row


def test_every_allowance_has_a_label_and_every_label_an_allowance():
    content = table("allowances.yaml")
    found = proofread(Allowance.from_plain(row) for row in content["rows"])
    assert {row.name for row in found} == set(content["names"])
    assert all(row["confidence"] in ("high", "medium", "low") for row in content["rows"])


def test_what_replaces_an_allowance_begins_the_day_after():
    found = proofread(Allowance.from_plain(row) for row in rows("allowances.yaml"))
    for earlier, later in zip(found, found[1:], strict=False):
        if earlier.name == later.name:
            assert (later.valid_from - earlier.valid_to).days == 1


def test_our_own_promises_are_never_called_law():
    for row in rows("allowances.yaml"):
        assert (row["basis"] == "promise") == ("非法定" in row["article"])


def test_authorities_belong_to_the_31_provinces():
    with (REFERENCE / "divisions.csv").open(encoding="utf-8", newline="") as text:
        known = {row["code"]: row["name"] for row in csv.DictReader(text)}
    for row in rows("authorities.yaml"):
        if row["division"]:
            assert row["zh"].startswith(known[row["division"]])
    assert [row["code"] for row in rows("authorities.yaml")] == [f"{n:02}" for n in range(32)]


def test_every_division_but_a_province_lies_in_another():
    with (REFERENCE / "divisions.csv").open(encoding="utf-8", newline="") as text:
        found = list(csv.DictReader(text))
    codes = {row["code"] for row in found}
    assert len(codes) == len(found)
    assert {row["code"] for row in found if not row["parent"]} == {c for c in codes if c.endswith("0000")}
    assert all(row["parent"] in codes for row in found if row["parent"])
    assert {
        json.loads((p / "expected.json").read_text("utf-8"))["agency"]["region_code"] for p in PACKAGES
    } <= codes


def test_calls_name_known_fields_and_departments():
    content = table("department_calls.yaml")
    fields, departments = set(keys("fields.yaml", "code")), set(keys("departments.yaml"))
    for row in (*content["rows"], *content["keywords"], content["fallback"]):
        assert row["field"] in fields
        assert set(row["departments"]) <= departments
    assert {content["food_field"], content["several"]} <= fields


def test_every_sector_of_the_catalogue_is_called_for():
    with (REFERENCE / "standards.csv").open(encoding="utf-8-sig", newline="") as text:
        catalogue = {row["domain"] for row in csv.DictReader(text)}
    assert {f"{row['sector']}/{row['section']}" for row in rows("department_calls.yaml")} == catalogue


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_sample_package_calls_at_least_one_department(package):
    assert called_for(package)


def test_food_is_always_field_00_and_nothing_else_is():
    for row in rows("department_calls.yaml"):
        assert (row["field"] == "00") == (row["sector"] == "食品")


def test_the_water_package_calls_three_departments():
    assert called_for(ROOT / "tests/corpus/P01") == {"ecology", "water", "health"}


def test_the_vehicle_package_calls_three_departments():
    assert called_for(ROOT / "tests/corpus/P05") == {"public_security", "ecology", "transport"}


def test_the_commitment_track_covers_exactly_four_types():
    allowed = {row["key"] for row in rows("application_types.yaml") if row["commitment"]}
    assert allowed == {"first", "renewal", "extension", "site_change"}


def test_materials_speak_of_known_types_tracks_and_kinds():
    content = table("materials.yaml")
    types = set(keys("application_types.yaml"))
    kinds = {"pdf", "ofd", "jpeg", "png", "docx", "zip"}
    for row in content["rows"]:
        assert set(row.get("types", types)) <= types
        assert set(row.get("tracks", [])) <= {"general", "commitment"}
        assert row.get("legal_person", "independent") in ("independent", "dependent")
        assert set(row.get("accepts", content["accepts_default"])) <= kinds
        assert row["source"] in ("upload", "shared", "generated")
        assert row["need"] in ("submission", "review", "if_any")
        assert row["per"] in ("application", "category", "site")


def demanded(kind: str, legal_person: str, track: str) -> set[str]:
    return {
        row["key"]
        for row in rows("materials.yaml")
        if kind in row.get("types", [kind])
        and row.get("legal_person", legal_person) == legal_person
        and track in row.get("tracks", [track])
        and row["source"] == "upload"
        and row["need"] != "if_any"
    }


def test_fewer_materials_are_demanded_than_the_form_of_2021_and_the_list_before():
    assert demanded("first", "independent", "general") == {
        "typical_report", "quality_manual", "procedure_documents", "site_right",
    }  # fmt: skip
    assert demanded("renewal", "independent", "general") == {"typical_report", "site_right"}
    assert len(demanded("first", "dependent", "general")) == 7
    assert table("materials.yaml")["no_longer_asked"]["count_before"] == 16


def test_every_file_of_the_sample_packages_suggests_one_material_first():
    hints = [(row["key"], hint) for row in rows("materials.yaml") for hint in row.get("file_hints", ())]
    expected = {
        "01营业执照.pdf": "legal_person_certificate",
        "02法定代表人证明.jpg": "legal_representative_proof",
        "03固定场所文件.pdf": "site_right",
        "04实验室平面图.png": "site_plan",
        "05典型检验检测报告.pdf": "typical_report",
    }
    for name, material in expected.items():
        assert {key for key, hint in hints if hint in name} == {material}


def test_the_checklist_leaves_key_items_to_the_bureau():
    assert {row["is_key"] for row in rows("checklist.yaml")} == {None}


def test_the_commitment_has_five_parts_notified_and_six_committed():
    (version,) = table("commitment_notice.yaml")["versions"]
    assert (len(version["notified"]), len(version["committed"])) == (5, 6)


def test_the_excluded_fields_name_their_basis_and_first_day():
    for row in rows("commitment_exclusions.yaml"):
        assert row["basis"] and row["from"] and row["keywords"]
    assert {"特殊食品", "医疗器械", "中药材"} == {row["zh"] for row in rows("commitment_exclusions.yaml")}
