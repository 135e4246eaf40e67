"""Proof before activation: every way a case can go under a procedure, looked at through the engine itself."""

from collections.abc import Collection, Iterable

from workflow.allowances import Allowance
from workflow.procedure import Procedure
from workflow.proofs import Proof, Property, Standing, Verdict
from workflow.stories import say
from workflow.vocabulary import Actor


def prove(
    procedure: Procedure,
    *,
    people: Iterable[Actor] | None = None,
    departments: Collection[str] | None = None,
    allowances: Iterable[Allowance] | None = None,
    max_states: int = 200_000,
) -> Proof:
    """Explore the procedure and say of each property whether it holds.

    `people`: everyone who works for the bureau today (active accounts, one Actor each); None leaves the property
    "somebody is left to act" unasked. `departments`: those that an application may call for. `allowances`: the
    rows in force; None leaves unasked whether every limit has its article. Pure; takes seconds.
    """
    unexplored = Property(
        "finishes", say("A case can always come to its end", "案件总能办结"), Standing.UNDECIDED,
        say("The exploration is not there yet.", "尚未进行穷举检验。"),
    )  # fmt: skip
    return Proof(Verdict.UNDECIDED, procedure.name, procedure.version, procedure.digest, (unexplored,))
