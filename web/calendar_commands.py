"""The working calendar by the command line: what is known, and publishing a year from a file."""

from pathlib import Path

import click

from store.calendars import LARGEST, Calendars, read_year
from store.limits import Limits
from web.commands import Installation, installation, wujian
from workflow.vocabulary import SYSTEM


@wujian.group()
def calendar() -> None:
    """Years of the working calendar."""


@calendar.command("list")
@installation
def list_(place: Installation) -> None:
    """Every year known: whether it is published, and on which source."""
    for known in Calendars(place.house().database, place.house().laws).years():
        state = "published" if known.year.confirmed else "provisional"
        click.echo(f"{known.year.year}\t{state}\t{known.year.source or '-'}")


@calendar.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="say what it would do, and do nothing")
@installation
def import_(place: Installation, file: Path, dry_run: bool) -> None:
    """Publish the year of a FILE and count open cases anew, each with a note where a due date moves.

    The file is YAML like reference/calendar/CN-2026.yaml, or the JSON of the holiday-cn tables. The same file may be
    given again: it changes nothing, and goes on where an interrupted run stopped.
    """
    house = place.house()
    with file.open("rb") as stream:
        year = read_year(stream.read(LARGEST + 1))
    calendars, limits = Calendars(house.database, house.laws), Limits(house.database, house.laws)
    seen = calendars.preview(year)
    counted = f"the first {seen.moves.looked_at}" if seen.moves.more else str(seen.moves.looked_at)
    click.echo(f"{year.year}: {len(seen.changes)} days change; of {counted} open cases with a limit "
               f"{seen.moves.cases} get another due date and {seen.moves.settled} are no longer provisional.")
    if dry_run:
        return
    published = calendars.publish(year, SYSTEM)
    click.echo(f"{year.year} is published." if published else f"{year.year} was published before.")
    total = 0
    while done := limits.recount():
        total += done
    click.echo(f"{total} cases were counted anew.")
