"""What the store hands out about cases: frozen values, never records."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from workflow.case import Case
from workflow.deadlines import Clock
from workflow.engine import Step
from workflow.procedure import Procedure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with what its page shows around it."""

    public_id: str
    number: str | None
    procedure: Procedure
    case: Case
    agency_name: str
    subject: str
    opened_at: datetime
    changed_at: datetime
    submitted_at: datetime | None
    closed_at: datetime | None
    due_on: date | None
    parent_public_id: str | None = None


@dataclass(frozen=True, slots=True)
class Performed:
    """What `perform` did. `replayed` tells that the same command had already been carried out."""

    public_id: str
    version: int
    state: str
    steps: tuple[Step, ...] = ()
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One audit entry as people read it."""

    at: datetime
    action: str
    actor_name: str
    role: str
    department: str | None
    source: str | None
    target: str | None
    payload: dict[str, object]
    hash: str


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One open task in a queue."""

    task_id: int
    public_id: str
    number: str | None
    procedure: str
    procedure_version: int
    state: str
    track: str
    agency_name: str
    subject: str
    due_on: date | None
    opened_at: datetime
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A bounded page of a longer list; `after` is the key to continue with, None at the end."""

    lines: tuple[T, ...]
    after: str | None
