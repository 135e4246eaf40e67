"""What the store hands out about versions of procedures, and how a draft is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from workflow import procedures
from workflow.faults import Fault
from workflow.procedure import DefinitionError, Procedure, parse
from workflow.vocabulary import N_, Message


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version without its text. `edition` is what a form that changes it has to send back."""

    id: int
    name: str
    version: int
    digest: str
    status: str
    based_on: int | None
    proof: Mapping[str, Any]
    effective_on: date | None
    edition: int
    changed_at: datetime
    changed_by: str

    @property
    def is_open(self) -> bool:
        """Whether its text may still change."""
        return self.status in ("draft", "proved")

    @property
    def is_proved(self) -> bool:
        """Whether this very text has passed its proof."""
        return bool(self.proof.get("may_activate")) and self.proof.get("digest") == self.digest

    @property
    def was_proved_at_release(self) -> bool:
        """Whether this text passed its proof before it was released; the people here were not looked at."""
        passed = self.proof.get("verdict") == "proved" and self.proof.get("digest") == self.digest
        return bool(self.proof.get("at_release")) and passed


@dataclass(frozen=True, slots=True)
class Version:
    line: VersionLine
    definition: str

    def procedure(self) -> Procedure:
        """Raises `DefinitionError`."""
        return read_draft(self.definition, self.line.name, self.line.version)


@dataclass(frozen=True, slots=True)
class Change:
    """Who did what to a version, when."""

    at: datetime
    action: str
    actor_name: str
    payload: Mapping[str, Any]


LONGEST = 400_000  # characters of a definition; ten times the longest that is shipped


def too_long(definition: str) -> Message | None:
    """Why a text is not even read, if it is longer than any definition."""
    if len(definition) <= LONGEST:
        return None
    return Message(N_("A definition has at most %(count)s characters."), {"count": LONGEST})


def read_draft(definition: str, name: str, version: int) -> Procedure:
    """The definition, if it is sound and says of itself what it is kept as. Raises `DefinitionError`."""
    source = f"{name}.v{version}.yaml"
    procedure = parse(definition.encode(), source)
    if (procedure.name, procedure.version) != (name, version):
        why = N_("a case finds its definition by both; take another name or number by beginning another draft")
        said = f"name: this draft is {name} version {version}, the text says {procedure.name} version " \
               f"{procedure.version}"
        raise DefinitionError(source, [Fault(_line_of("version", definition), said, why)])
    return procedures.side_by_side(procedure, definition.encode(), source)


def _line_of(key: str, definition: str) -> int:
    lines = definition.splitlines()
    return next((n for n, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 1)
