"""The 14 sample packages are read exactly as their expected results say."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from intake.reader import read_package
from intake.readings import PackageReading
from intake.rows import CapabilityRow
from intake.standards import Catalogue
from intake.wording import compact

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"
PACKAGES = [f"P{number:02d}" for number in range(1, 15)]


@cache
def expected(package: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads((CORPUS / package / "expected.json").read_text("utf-8"))
    return shown


@cache
def reading(package: str) -> PackageReading:
    folder = CORPUS / package
    files = [(entry["path"], folder / entry["path"]) for entry in expected(package)["files"]]
    return read_package(files, Catalogue.from_csv(ROOT / "reference" / "standards.csv"))


@pytest.mark.parametrize("package", PACKAGES)
def test_rows_are_accepted_and_refused_as_expected(package: str) -> None:
    shown = reading(package).to_json()["files"]
    wanted = expected(package)["files"]
    assert [entry["path"] for entry in shown] == [entry["path"] for entry in wanted]
    for ours, theirs in zip(shown, wanted, strict=True):
        for key in ("table", "outcome", "rows", "sheets_imported", "sheets_ignored"):
            assert ours[key] == theirs[key], (ours["path"], key)
        assert ours.get("layout") == theirs.get("layout")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_problem_is_found_at_its_row_and_none_is_invented(package: str) -> None:
    for ours, theirs in zip(reading(package).to_json()["files"], expected(package)["files"], strict=True):
        assert ours["problem_counts"] == theirs["problem_counts"]
        found = Counter(
            (p["code"], p["severity"], p.get("sheet"), p.get("row"), p.get("column"), p.get("cell"))
            for p in ours["problems"]
        )
        wanted = Counter(
            (p["code"], p["severity"], p.get("sheet"), p.get("row"), p.get("column"), p.get("cell"))
            for p in theirs["problems"]
        )
        assert found == wanted, ours["path"]


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_skipped_is_counted(package: str) -> None:
    for ours, theirs in zip(reading(package).to_json()["files"], expected(package)["files"], strict=True):
        assert ours.get("skipped") == theirs.get("skipped")


@pytest.mark.parametrize("package", PACKAGES)
def test_the_records_are_those_expected(package: str) -> None:
    table = reading(package).find("capability")
    assert table is not None
    ours = [
        (
            row.sheet, row.row, compact(row.section), compact(row.object), compact(row.parameter),
            "|".join(row.standards), compact(row.limit), compact(row.note), row.accepted,
        )
        for row in table.records
        if isinstance(row, CapabilityRow)
    ]  # fmt: skip
    with gzip.open(
        CORPUS / package / "expected_records.csv.gz", "rt", encoding="utf-8-sig", newline=""
    ) as file:
        theirs = [
            (
                row["sheet"], int(row["row"]), compact(row["section"]), compact(row["object"]),
                compact(row["parameter"]), row["standards"], compact(row["limit"]), compact(row["note"]),
                row["accepted"] == "1",
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip
    assert ours == theirs


@pytest.mark.parametrize("package", PACKAGES)
def test_the_application_facts_are_read(package: str) -> None:
    facts = reading(package).facts
    assert facts is not None
    agency, application = expected(package)["agency"], expected(package)["application"]
    assert facts.name == agency["name"]
    assert facts.uscc == agency["uscc"]
    assert facts.region_code == agency["region_code"]
    assert facts.legal_person == agency["legal_person"]
    assert facts.address == agency["address"]
    assert facts.application_type == application["type"]
    assert facts.applied_on is not None
    assert facts.applied_on.isoformat() == application["date"]
    assert facts.items_declared == application["items_declared"]
    assert facts.certificate_number == application["certificate"]


def test_each_site_has_the_address_of_its_sheet() -> None:
    table = reading("P10").find("capability")
    assert table is not None
    sites = {row.sheet: row.site for row in table.records if isinstance(row, CapabilityRow)}
    assert sites == {
        "附表1(一场所)": "福建省泉州市南安市虚拟大道767号11栋7层",
        "附表1(二场所)": "虚构第二场所",
    }


def test_a_reading_survives_the_wire() -> None:
    ours = reading("P12")
    assert PackageReading.from_wire(json.loads(json.dumps(ours.to_wire()))) == ours
