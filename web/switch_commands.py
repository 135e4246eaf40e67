"""The rule table by the command line: which way a matter takes where the sources disagree."""
import click

from web.commands import Installation, installation, wujian
from workflow.vocabulary import Refusal


@wujian.group()
def switch() -> None:
    """Show and turn the switches of the rule table (reference/switches.yaml)."""


@switch.command("list")
@installation
def list_(place: Installation) -> None:
    """Every switch: its name, the value in force, the values there are, and what it is about."""
    for row in place.house().reference.switches():
        click.echo("\t".join((row["key"], row["value"], ",".join(row["values"]), row["zh"])))


@switch.command()
@click.argument("name")
@click.argument("value")
@installation
def turn(place: Installation, name: str, value: str) -> None:
    """Decide it otherwise from now on; applications take the new way when they are next saved."""
    try:
        before = place.house().reference.turn_switch(name, value)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.reason} `wujian switch list` shows all.") from refusal
    click.echo(f"{name}: {before} -> {value}")
