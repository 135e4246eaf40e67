"""The administrator's commands: doctor, backup, restore."""

from pathlib import Path

import click

from configuration import check_at_start
from store.backup import BackupRefused, back_up
from store.backup import restore as put_back
from store.examination import Finding, examine
from store.files import FileStore
from web.commands import Installation, installation, wujian

_MARK = {"well": "ok  ", "warning": "warn", "ill": "FAIL"}


@wujian.command()
@installation
def doctor(place: Installation) -> None:
    """Look at everything that can be wrong; exit 1 if anything is."""
    house = place.house(any_schema=True)
    findings = [Finding("settings", "ill", reason) for reason in check_at_start(place.settings)]
    findings += examine(house.database, house.files, house.laws)
    for finding in findings:
        click.echo(f"{_MARK[finding.state]}  {finding.name}: {finding.found}")
        if finding.what_to_do:
            click.echo(f"      {finding.what_to_do}")
    if any(finding.state == "ill" for finding in findings):
        raise click.exceptions.Exit(1)


@wujian.command()
@click.argument("directory", type=click.Path(path_type=Path))
@installation
def backup(place: Installation, directory: Path) -> None:
    """Take a backup into the new DIRECTORY while the installation goes on working."""
    house = place.house()
    try:
        done = back_up(house.database, house.files, directory, lambda part: click.echo(f"taking the {part} ..."))
    except BackupRefused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Backup finished: {done}")


@wujian.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@installation
def restore(place: Installation, directory: Path) -> None:
    """Put the backup in DIRECTORY into this installation's empty database, and check all of it."""
    settings = place.settings
    files = FileStore(settings.file_store, **settings.file_store_options)
    try:
        found = put_back(directory, settings.database, files, lambda part: click.echo(f"restoring the {part} ..."))
    except BackupRefused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Restored and checked: {sum(found.tables.values())} rows, {found.files} files, audit chain whole.")
