"""JointCases: licences applied for together: the case that was applied for, and one line for each licence.

Reads only. `board` takes a `CaseFile`, which only `CaseStore.get` hands out, of the joint application or of any licence
in it. Who may see the application learns how every licence stands; what lies behind a line (its number, its limits, the
way to it) is shown to those who see that case itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import case as either
from sqlalchemy import or_, select

from store.database import BUREAU_ZONE, Database
from store.records.cases import CaseRecord
from store.records.certificates import CertificateRecord, CertificateVersionRecord
from store.records.columns import NEVER, table_of
from store.scope import visible_to
from store.values import CaseFile
from workflow import procedures
from workflow.deadlines import Clock
from workflow.procedure import Procedure
from workflow.vocabulary import Actor

_CASE, _ISSUED = table_of(CaseRecord), table_of(CertificateVersionRecord)
_CERTIFICATE = table_of(CertificateRecord)
_COLUMNS = tuple(_CASE.c[name] for name in (
    "id", "public_id", "number", "procedure", "procedure_version", "state", "facts", "clocks", "parent_id", "opened_at",
    "due_on", "closed_at"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class JointParent:
    """The joint application. `visible`: whether this actor may open it."""

    public_id: str
    number: str | None
    procedure: Procedure
    state: str
    clocks: tuple[Clock, ...]
    opened_at: datetime
    due_on: date | None
    closed_at: datetime | None
    visible: bool


@dataclass(frozen=True, slots=True)
class JointLine:
    """One licence. `outcome` is '' while it is open, else granted, refused or retracted; `department` '' for the
    bureau's own. `public_id` is None before the case is opened, and for whoever does not see it; such a line has no
    number, no clocks and no due day either. `failed`: the review found that its own criteria are not met."""

    licence: str
    procedure: Procedure
    department: str
    public_id: str | None
    number: str | None
    state: str | None
    outcome: str
    clocks: tuple[Clock, ...]
    due_on: date | None
    decided_on: date | None
    certificate_number: str | None
    certificate_public_id: str | None
    certificate_version: int | None
    verify_code: str | None
    alone: bool
    separated: bool
    failed: bool


@dataclass(frozen=True, slots=True)
class JointBoard:
    """A joint application with its licences, in the order in which they were chosen."""

    parent: JointParent
    lines: tuple[JointLine, ...]


class JointCases:
    def __init__(self, database: Database) -> None:
        self.database = database

    def board(self, file: CaseFile, actor: Actor) -> JointBoard | None:
        """The joint application that a case is, or is part of; None for any other. One statement, however many
        licences there are."""
        facts = file.case.facts
        if not facts.get("licences") and not facts.get("part_of"):
            return None
        root: Any = file.case.id
        if facts.get("part_of"):
            root = select(_CASE.c.parent_id).where(_CASE.c.id == file.case.id).scalar_subquery()
        seen = either((visible_to(actor), 1), else_=0).label("seen")
        family = (
            select(*_COLUMNS, seen, _CERTIFICATE.c.number.label("certificate_number"),
                   _CERTIFICATE.c.public_id.label("certificate_public_id"), _CERTIFICATE.c.verify_code,
                   _ISSUED.c.version.label("certificate_version"), _ISSUED.c.issued_on)
            .outerjoin(_ISSUED, _ISSUED.c.case_id == _CASE.c.id)
            .outerjoin(_CERTIFICATE, _CERTIFICATE.c.id == _ISSUED.c.certificate_id)
            .where(or_(_CASE.c.id == root, _CASE.c.parent_id == root))
            .order_by(_CASE.c.id)
        )  # fmt: skip
        with self.database.reading() as connection:
            rows = connection.execute(family).mappings().all()
        parent = next(row for row in rows if not row["facts"].get("part_of"))
        # of a licence that was asked for again after its case was closed, the newest case counts
        children = {row["procedure"]: row for row in rows if row["parent_id"] == parent["id"]}
        return JointBoard(_parent(parent), tuple(
            _line(name, children.get(name), parent["facts"]) for name in parent["facts"]["licences"]))

    def told(self, case_id: int, payload: Mapping[str, Any]) -> tuple[tuple[int, str], ...]:
        """(id, public id) of the cases that a job of kind `inform` is for, in the order in which they were opened."""
        found = select(_CASE.c.id, _CASE.c.public_id).order_by(_CASE.c.id)
        if payload["to"] == "parent":
            found = found.where(_CASE.c.id == select(_CASE.c.parent_id).where(_CASE.c.id == case_id).scalar_subquery())
        else:
            found = found.where(_CASE.c.parent_id == case_id)
        if payload["which"] is not None:
            found = found.where(_CASE.c.procedure.in_(payload["which"]))
        with self.database.reading() as connection:
            return tuple((row.id, row.public_id) for row in connection.execute(found))


def _parent(row: Mapping[Any, Any]) -> JointParent:
    return JointParent(
        row["public_id"], row["number"], procedures.find(row["procedure"], row["procedure_version"]), row["state"],
        _clocks(row), row["opened_at"], _due(row), row["closed_at"], bool(row["seen"]))  # fmt: skip


def _line(name: str, row: Mapping[Any, Any] | None, joint: Mapping[str, Any]) -> JointLine:
    procedure = procedures.find(name, row["procedure_version"]) if row else procedures.latest(name)
    state = procedure.states[row["state"]] if row else None
    told = str((joint.get("results") or {}).get(name) or "")
    seen = bool(row and row["seen"])
    return JointLine(
        licence=name,
        procedure=procedure,
        department=procedure.spec.department or "",
        public_id=row["public_id"] if row and seen else None,
        number=row["number"] if row and seen else None,
        state=row["state"] if row else None,
        outcome=(state.outcome if state and state.outcome in ("refused", "retracted") else "")
        or ("granted" if row and row["certificate_number"] else told),
        clocks=_clocks(row) if row and seen else (),
        due_on=_due(row) if row and seen else None,
        decided_on=_decided_on(row) if row else None,
        certificate_number=row["certificate_number"] if row else None,
        certificate_public_id=row["certificate_public_id"] if row and seen else None,
        certificate_version=row["certificate_version"] if row and seen else None,
        verify_code=row["verify_code"] if row else None,
        alone=bool(row and row["facts"].get("alone")),
        separated=name in (joint.get("separated") or ()),
        failed=name in (joint.get("failed_licences") or ()),
    )


def _decided_on(row: Mapping[Any, Any]) -> date | None:
    """The day of the certificate, else of the end without one."""
    if row["issued_on"]:
        return row["issued_on"]  # type: ignore[no-any-return]
    return row["closed_at"].astimezone(BUREAU_ZONE).date() if row["closed_at"] else None


def _clocks(row: Mapping[Any, Any]) -> tuple[Clock, ...]:
    return tuple(Clock.from_plain(clock) for clock in row["clocks"])


def _due(row: Mapping[Any, Any]) -> date | None:
    return None if row["due_on"] == NEVER else row["due_on"]
