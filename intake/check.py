"""Read the files of one package without a database and print what was found, as `files[]` of the sample packages."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from intake.child import Limits, read_in_child
from intake.reader import read_package
from intake.readings import PackageReading
from intake.standards import Catalogue

INSTALLED_STANDARDS = Path(__file__).resolve().parent.parent / "reference" / "standards.csv"


def table_files(paths: Sequence[str | Path]) -> list[Path]:
    """The files meant by the arguments, in the order given; a directory stands for the spreadsheets in it, by name."""
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            files += sorted(
                p for p in path.iterdir() if p.is_file() and p.suffix.lower() in (".xlsx", ".xls", ".xlsm")
            )
        else:
            files.append(path)
    return files


def read_files(
    paths: Sequence[str | Path], standards_csv: str | Path | None = None, *, contained: bool = True
) -> PackageReading:
    """Read the files (or directories) of one package together, in a contained child unless told otherwise.

    Raises OSError when a file cannot be read, ValueError when the catalogue is no catalogue.
    """
    catalogue = Catalogue.from_csv(standards_csv or INSTALLED_STANDARDS)
    files: list[tuple[str, bytes | Path]] = [(path.name, path) for path in table_files(paths)]
    return read_in_child(files, catalogue, Limits()) if contained else read_package(files, catalogue)


def check(
    files: Sequence[str | Path], standards_csv: str | Path | None = None, *, contained: bool = True
) -> dict[str, Any]:
    """`{"files": [...]}` in the shape of expected.json. Raises as `read_files` does."""
    return read_files(files, standards_csv, contained=contained).to_json()


def in_words(reading: PackageReading, language: str = "en") -> str:
    """The same for people: one line per file, one per problem."""
    lines = []
    for table in reading.tables:
        lines.append(
            f"{table.path}: {table.outcome}, {table.data_rows} rows, "
            f"{table.accepted} accepted, {table.rejected} refused"
        )
        lines += [
            f"  {problem.severity} {problem.code}: {problem.message(language)}" for problem in table.problems
        ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m intake.check FILE... [--json] [--standards CSV]`; 0 when everything could be read, 2 on misuse."""
    parser = argparse.ArgumentParser(prog="intake check", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a table, or a directory with tables")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--standards", metavar="CSV", help="catalogue of standards in place of the installed one"
    )
    parser.add_argument("--language", default="en", help="language of the messages (en, zh)")
    asked = parser.parse_args(argv)
    try:
        reading = read_files(asked.files, asked.standards)
    except (OSError, ValueError) as unusable:
        print(unusable, file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(reading.to_json(), ensure_ascii=False))
    else:
        print(in_words(reading, asked.language))
    return 0


if __name__ == "__main__":
    sys.exit(main())
