"""What an applicant is spared by applying for several licences at once: counted from the dossier files, never told.

Each licence's file says what an application for it alone would ask (`apart`, beside its own block and its own
materials); the joint application asks every such thing once. The five reductions 五减 are counted: nobody wrote the
numbers down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from workflow.grammar import Name, _Strict

if TYPE_CHECKING:
    from workflow.dossiers import Dossier


class ApartSpec(_Strict):
    """What an application for this licence alone would ask beside its own block: places of the joint application,
    which asks each once for all. `fields` are section.field; `visits` how often somebody comes to look."""

    basis: str
    status: str = "demo default"
    fields: tuple[str, ...] = ()
    tables: tuple[Name, ...] = ()
    materials: tuple[Name, ...] = ()
    visits: int = Field(default=1, ge=0)


@dataclass(frozen=True, slots=True)
class Savings:
    """Counts of what is asked: `apart` in applications one by one, `together` in the joint one. `materials` are those
    the applicant has to hand in; `tables` those of the official form; `statuses` how sure the files are of it."""

    licences: tuple[str, ...]
    fields_apart: int
    fields_together: int
    tables_apart: int
    tables_together: int
    materials_apart: int
    materials_together: int
    visits_apart: int
    visits_together: int
    applications_apart: int
    applications_together: int = 1
    statuses: tuple[str, ...] = ()


def savings(joint: "Dossier", *licences: "Dossier") -> Savings:
    """What these licences ask one by one and together. A licence whose file says nothing of what it would ask alone
    is counted with its own block only, and so spares nothing."""
    asked = [file.spec.apart or ApartSpec(basis="") for file in licences]
    fields, tables, materials = ([getattr(a, what) for a in asked] for what in ("fields", "tables", "materials"))
    own_fields = sum(len(section.fields) for file in licences for section in file.spec.sections)
    own_materials = sum(_handed_in(file) for file in licences)
    choice = sum(len(section.fields) for section in joint.spec.sections)  # asked only because they come together
    return Savings(
        licences=tuple(file.spec.procedure for file in licences),
        fields_apart=_all(fields) + own_fields,
        fields_together=_once(fields) + own_fields + choice,
        tables_apart=_all(tables),
        tables_together=_once(tables),
        materials_apart=_all(materials) + own_materials,
        materials_together=_once(materials) + own_materials + _handed_in(joint),
        visits_apart=sum(a.visits for a in asked),
        visits_together=max((a.visits for a in asked), default=0),
        applications_apart=len(licences),
        statuses=tuple(dict.fromkeys(a.status for a in asked)),
    )


def _all(lists: Sequence[Sequence[str]]) -> int:
    return sum(len(names) for names in lists)


def _once(lists: Sequence[Sequence[str]]) -> int:
    return len({name for names in lists for name in names})


def _handed_in(file: "Dossier") -> int:
    return sum(m.source == "upload" and m.need != "if_any" for m in file.spec.materials)
