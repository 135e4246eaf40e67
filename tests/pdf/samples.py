"""What the sample packages say, as values to print."""

import csv
import gzip
import json
from collections.abc import Mapping
from pathlib import Path

from pdf.values import AnnexRow

CORPUS = Path(__file__).parent.parent / "corpus"


def agency_of(package: str) -> Mapping[str, str]:
    """Name and address of the invented agency of a package."""
    expected = json.loads((CORPUS / package / "expected.json").read_text("utf-8"))
    found: Mapping[str, str] = expected["agency"]
    return found


def accepted_rows(package: str) -> tuple[AnnexRow, ...]:
    """The rows of a package that were accepted, as rows of an annex; its second sheet is the second site."""
    address = agency_of(package)["address"]
    sites = {"附表1(二场所)": f"第二场所：{address}"}
    with gzip.open(CORPUS / package / "expected_records.csv.gz", "rt", encoding="utf-8") as records:
        return tuple(
            AnnexRow(
                sites.get(row["sheet"], address),
                row["section"],
                "",
                row["object"],
                row["parameter"],
                row["standards"].replace("|", "；"),
                row["limit"],
                row["note"],
            )  # fmt: skip
            for row in csv.DictReader(records)
            if row["accepted"] == "1"
        )
