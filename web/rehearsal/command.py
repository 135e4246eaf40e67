"""`wujian rehearse` and `wujian intake check`."""

import json
import logging
import sys
import tempfile
from pathlib import Path

import click

from intake.check import check as check_files
from intake.check import in_words, read_files
from web.commands import Installation, installation, wujian
from web.rehearsal.package import PackageRefused
from web.rehearsal.perform import rehearse as perform
from web.rehearsal.report import Report


@wujian.command()
@click.argument("package_dir", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--track", type=click.Choice(["general", "commitment"]), default="general", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), help="an empty or new directory for the PDF and the report"
)
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON instead of in words")
@installation
def rehearse(place: Installation, package_dir: Path, track: str, out: Path | None, as_json: bool) -> None:
    """Take the application package in PACKAGE_DIR through the whole chain, with demo actors and a moving clock.

    Nothing of this installation is touched: the rehearsal has a database and files of its own under --out. The exit
    code is 0 when the certificate was issued and every check holds, 1 otherwise.
    """
    target = out or Path(tempfile.mkdtemp(prefix="wujian-rehearsal-"))
    if target.exists() and any(target.iterdir()):
        raise click.ClickException(f"{target} is not empty; name a new directory, a rehearsal starts afresh")
    target.mkdir(parents=True, exist_ok=True)
    logging.getLogger("wujian.jobs").setLevel(logging.WARNING)  # the report tells what was done
    try:
        report = perform(package_dir, track, target, place.open_house, place.work_off, place.settings)
    except PackageRefused as error:
        raise click.ClickException(str(error)) from error
    text = json.dumps(report.to_json(), ensure_ascii=False, indent=2)
    (target / "report.json").write_text(text + "\n", "utf-8")
    click.echo(text if as_json else _told(report, target))
    if not report.succeeded:
        raise click.exceptions.Exit(1)


def _told(report: Report, target: Path) -> str:
    lines = [
        f"{report.package}, {report.track} track: {report.agency.get('name', '')}",
        f"rows: {report.rows}; problems: {report.problems}",
    ]
    lines += [f"  {s.at}  {s.label_zh} ({s.action})  {s.actor}  -> {s.state}" for s in report.steps]
    if report.certificate:
        lines += [
            f"certificate {report.certificate['number']}, {report.certificate['pages']} pages, "
            f"{report.certificate['annex_rows']} rows",
            report.verification_address,
        ]
    lines += [f"{'ok  ' if held else 'FAIL'}  {name}" for name, held in report.checks.items()]
    if report.stopped:
        lines.append(f"Stopped: {report.stopped}")
    return "\n".join([*lines, f"Everything is in {target}"])


@wujian.group()
def intake() -> None:
    """Reading the tables of an application."""


@intake.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="print one JSON object instead of words")
@click.option(
    "--standards",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="a catalogue of standards as CSV; without it the installed one is used",
)
def check(files: tuple[Path, ...], as_json: bool, standards: Path | None) -> None:
    """Read the FILES of one package together, without a database, and say what was found.

    The exit code is 0 whatever was found in the files, and 1 when a file cannot be opened at all.
    """
    try:
        if as_json:
            json.dump(check_files(files, standards), sys.stdout, ensure_ascii=False, indent=1)
            click.echo()
        else:
            click.echo(in_words(read_files(files, standards)))
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
