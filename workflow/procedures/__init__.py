"""One file per procedure version; `find` is the only way in. A released version never changes."""
from functools import cache
from pathlib import Path

from workflow.procedure import Procedure, load
from workflow.vocabulary import N_, Message, Refusal

HERE = Path(__file__).parent


@cache
def every() -> tuple[Procedure, ...]:
    return tuple(load(path) for path in sorted(HERE.glob("*.yaml")))


@cache
def find(name: str, version: int) -> Procedure:
    for procedure in every():
        if (procedure.name, procedure.version) == (name, version):
            return procedure
    raise Refusal("unknown", Message(N_("There is no procedure %(name)s version %(version)s."),
                                     {"name": name, "version": version}))


@cache
def current(name: str) -> Procedure:
    """The newest version of a procedure."""
    versions = [p for p in every() if p.name == name]
    if not versions:
        raise Refusal("unknown", Message(N_("There is no procedure called %(name)s."), {"name": name}))
    return max(versions, key=lambda p: p.version)
