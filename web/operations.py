"""The administrator's commands: doctor, backup, restore."""

from pathlib import Path

import click

from configuration import Settings, check_at_start
from store.backup import BackupRefused, back_up, restore
from store.database import Database
from store.examination import Finding, examine
from store.files import FileStore
from store.law import LawBook

_MARK = {"well": "ok  ", "warning": "warn", "ill": "FAIL"}


def open_parts(settings: Settings) -> tuple[Database, FileStore]:
    """The database and the file store of an installation, without the web around them."""
    return Database(settings.database), FileStore(settings.file_store, **settings.file_store_options)


@click.command("doctor")
@click.pass_obj
def doctor_command(settings: Settings) -> None:
    """Look at everything that can be wrong; exit 1 if anything is."""
    database, files = open_parts(settings)
    findings = [Finding("settings", "ill", reason) for reason in check_at_start(settings)]
    findings += examine(database, files, LawBook(database))
    for finding in findings:
        click.echo(f"{_MARK[finding.state]}  {finding.name}: {finding.found}")
        if finding.what_to_do:
            click.echo(f"      {finding.what_to_do}")
    database.close()
    if any(finding.state == "ill" for finding in findings):
        raise click.exceptions.Exit(1)


@click.command("backup")
@click.argument("directory", type=click.Path(path_type=Path))
@click.pass_obj
def backup_command(settings: Settings, directory: Path) -> None:
    """Take a backup into the new DIRECTORY while the installation goes on working."""
    database, files = open_parts(settings)
    try:
        done = back_up(database, files, directory, lambda part: click.echo(f"taking the {part} ..."))
    except BackupRefused as error:
        raise click.ClickException(str(error)) from error
    finally:
        database.close()
    click.echo(f"Backup finished: {done}")


@click.command("restore")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.pass_obj
def restore_command(settings: Settings, directory: Path) -> None:
    """Put the backup in DIRECTORY into this installation's empty database, and check all of it."""
    files = FileStore(settings.file_store, **settings.file_store_options)
    try:
        found = restore(directory, settings.database, files, lambda part: click.echo(f"restoring the {part} ..."))
    except BackupRefused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Restored and checked: {sum(found.tables.values())} rows, {found.files} files, audit chain whole.")


COMMANDS = (doctor_command, backup_command, restore_command)
