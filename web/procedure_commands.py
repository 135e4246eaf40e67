"""Procedures by the command line: `wujian procedure prove cma`, `wujian procedure prove draft.yaml --alone`."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from store.past_cases import PastCases
from web.commands import Installation, installation, wujian
from workflow import procedures
from workflow.exploration import prove as explore
from workflow.procedure import DefinitionError, Procedure, load
from workflow.proofs import Proof, Standing
from workflow.stories import spoken
from workflow.vocabulary import Refusal, Role
from workflow.whatif import PastCase, Totals, WhatIf, totals, what_if

_SIGNS = {Standing.HOLDS: "holds", Standing.FAILS: "FAILS", Standing.NOT_ASKED: "not asked"}


@wujian.group()
def procedure() -> None:
    """Definitions of procedures: whether they are sound, and what they would have made of past cases."""


@procedure.command()
@click.argument("which")
@click.option("--alone", is_flag=True, help="without the database: neither people nor limits are looked at")
@click.option("--pairs", is_flag=True, help="also every two families of verbs together: a minute where there are many")
@click.option("--json", "as_json", is_flag=True, help="the result for programs")
@click.option("--zh", "language", flag_value="zh", help="in Chinese")
@click.option("--en", "language", flag_value="en", default="en", hidden=True)
@installation
def prove(place: Installation, which: str, alone: bool, pairs: bool, as_json: bool, language: str) -> None:
    """Prove a definition: WHICH is a file, a name, or a name and version (cma, cma.v1).

    Ends with 1 when it is refused or could not be decided, with the shortest story of what goes wrong.
    """
    definition = definition_of(which)
    begun = perf_counter()
    proof = explore(definition, pairs=pairs, **({} if alone else _bureau(place))).timed(perf_counter() - begun)
    click.echo(json.dumps(proof.plain(), ensure_ascii=False, indent=2) if as_json else "\n".join(told(proof, language)))
    if proof.verdict.value != "proved":
        raise click.exceptions.Exit(1)


def definition_of(which: str) -> Procedure:
    """A file, or a procedure that is known here. Ends the program with every fault of a file that cannot be used."""
    path = Path(which)
    try:
        if path.suffix in (".yaml", ".yml") or path.is_file():
            return procedures.side_by_side(load(path), path.read_bytes(), path.name)
        name, _, version = which.partition(".v")
        return procedures.find(name, int(version)) if version else procedures.current(name)
    except DefinitionError as error:
        raise click.ClickException(str(error)) from error
    except (Refusal, LookupError, OSError, ValueError) as error:
        raise click.ClickException(f"there is no file and no procedure called {which}") from error


def _bureau(place: Installation) -> dict[str, Any]:
    house = place.house()
    return {
        "people": [a.actor() for a in house.accounts.list_() if a.active and Role.APPLICANT not in a.roles],
        "departments": [str(row["key"]) for row in house.reference.catalogue("departments")],
        "allowances": house.laws.current().allowances,
    }


def told(proof: Proof, language: str) -> Iterator[str]:
    """The proof in lines for people, `en` or `zh`."""
    plain = proof.plain()
    yield (f"{proof.procedure}.v{proof.version} {proof.verdict.value}: {proof.states_visited} situations, "
           f"{proof.transitions} transitions, {proof.seconds} s, digest {proof.digest[:12]}")
    for found, shown in zip(proof.properties, plain["properties"], strict=True):
        why = f": {shown['finding'][language]}" if shown["finding"] else ""
        yield f"  {_SIGNS.get(found.standing, found.standing.value):<10} {shown[language]}{why}"
    yield from (f"  within: {bound[language]}" for bound in plain["scope"])
    if proof.story:
        yield "The shortest story:" if language == "en" else "最短的失败经过："
        yield from (f"  {n}. {line}" for n, line in enumerate(proof.story.lines(language), 1))


@procedure.command("whatif")
@click.argument("name")
@click.argument("which")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="only cases that were closed on this day or later")
@click.option("--json", "as_json", is_flag=True, help="the result for programs")
@click.option("--zh", "language", flag_value="zh", help="in Chinese")
@click.option("--en", "language", flag_value="en", default="en", hidden=True)
@installation
def what_if_(place: Installation, name: str, which: str, since: datetime | None, as_json: bool, language: str) -> None:
    """Live the ended cases of NAME again under WHICH: a file, or a version (2, cma.v2)."""
    house = place.house()
    draft = definition_of(f"{name}.v{which}" if which.isdigit() else which)
    law = house.laws.current()
    ended = PastCases(house.database).ended(name, since.date() if since else None)
    found = [(p, what_if(p, draft, law)) for p in ended]
    together = totals([w for _, w in found])
    if as_json:
        click.echo(json.dumps({"cases": [_plain(p, w) for p, w in found], **_plain_totals(together)},
                              ensure_ascii=False, indent=2))
        return
    for past, one in found:
        if one.first_difference:
            click.echo(f"{past.public_id}  {one.kind.value}  {one.at}: {spoken(one.first_difference, language)}")
    click.echo(", ".join(f"{kind.value} {number}" for kind, number in together.kinds.items())
               + f"; working days {together.days[0]} -> {together.days[1]}, papers {together.papers[0]} -> "
               f"{together.papers[1]}")


def _plain(past: PastCase, one: WhatIf) -> dict[str, Any]:
    difference = one.first_difference
    return {
        "case": past.public_id, "kind": one.kind.value, "at": one.at, "days": one.days, "steps": one.steps,
        "papers": one.papers,
        "difference": None if difference is None else {n: spoken(difference, n) for n in ("en", "zh")},
    }  # fmt: skip


def _plain_totals(together: Totals) -> dict[str, Any]:
    return {"kinds": {k.value: n for k, n in together.kinds.items()}, "days": together.days,
            "papers": together.papers}
