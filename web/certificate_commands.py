"""Old certificates by the command line: `wujian certificate import FILE.csv`."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click

from forms.identifiers import IdentifierError, parse_certificate_number, parse_uscc
from store.certificate_import import TEXTS, AgencyOnPaper, CertificateImport, OldCertificate
from web.commands import Installation, installation, wujian
from workflow.vocabulary import SYSTEM, Refusal

REQUIRED = ("number", "uscc", "agency_name", "valid_from", "valid_to")
SIGNATORY = ("name", "title", "field", "note")


@wujian.group()
def certificate() -> None:
    """Certificates that were in force before this system."""


@certificate.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@installation
def import_(place: Installation, file: Path) -> None:
    """Enter the certificates of a CSV file (UTF-8) as already in force.

    Columns: number, uscc, agency_name, agency_address, issued_on, valid_from, valid_to, authority_name, annex,
    signatories; dates as 2026-03-02. `annex` names a CSV beside the file with the columns site, section, category,
    object, parameter, standard_text, limit_text, note; `signatories` one with name, title, field, note. A line that is
    refused does not stop the others; the same file may be given again.
    """
    store = CertificateImport(place.house().database, place.house().laws)
    entered = refused = 0
    for line, row in enumerate(_rows(file, REQUIRED), 2):
        try:
            agency_id, old = _read(store, file.parent, row)
            store.import_certificate(SYSTEM, agency_id, old)
            entered += 1
        except (Refusal, IdentifierError, ValueError) as error:
            refused += 1
            click.echo(f"line {line}: {row.get('number', '')}: {error}", err=True)
    click.echo(f"{entered} certificates entered, {refused} refused.")
    if refused:
        raise click.exceptions.Exit(1)


def _read(store: CertificateImport, beside: Path, row: dict[str, str]) -> tuple[int, OldCertificate]:
    """A line as values; the agency is entered if it is not there yet. Raises ValueError or IdentifierError."""
    old = OldCertificate(
        number=parse_certificate_number(row["number"]).number,
        valid_from=_day(row, "valid_from"),
        valid_to=_day(row, "valid_to"),
        issued_on=_day(row, "issued_on") if row.get("issued_on") else None,
        agency_name=row["agency_name"],
        agency_address=row.get("agency_address", ""),
        authority_name=row.get("authority_name", ""),
        rows=[tuple(one.get(name, "") for name in TEXTS) for one in _beside(beside, row.get("annex", ""), TEXTS[:5])],
        signatories=[(one["name"], one.get("title", ""), one.get("field", ""), one.get("note", ""))
                     for one in _beside(beside, row.get("signatories", ""), SIGNATORY[:1])],
    )  # fmt: skip
    agency = AgencyOnPaper(parse_uscc(row["uscc"]), row["agency_name"], row.get("agency_address", ""))
    return store.agency_for(SYSTEM, agency), old


def _day(row: dict[str, str], name: str) -> date:
    try:
        return date.fromisoformat(row[name])
    except ValueError:
        raise ValueError(f"{name}: {row[name]!r} is not a date like 2026-03-02") from None


def _beside(directory: Path, name: str, required: tuple[str, ...]) -> Iterator[dict[str, str]]:
    if not name:
        return iter(())
    path = directory / name
    if Path(name).name != name or not path.is_file():
        raise ValueError(f"there is no file {name} beside the list")
    return _rows(path, required)


def _rows(path: Path, required: tuple[str, ...]) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in required if name not in (reader.fieldnames or ())]:
            raise click.ClickException(f"{path.name}: the column {', '.join(missing)} is missing")
        for row in reader:
            yield {name: (text or "").strip() for name, text in row.items() if name}
