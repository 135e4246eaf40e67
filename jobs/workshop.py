"""What a job works with, and how it says that it cannot be done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from configuration import Settings
from pdf.contained import ContainedRenderer
from store.case_documents import CaseDocuments
from store.cases import CaseStore
from store.certificate_documents import CertificateDocuments
from store.database import Database
from store.files import FileStore
from store.jobs import Job, JobQueue
from store.sessions import SessionStore
from store.throttles import ThrottleStore


class Opened(Protocol):
    """An installation whose parts have been opened; the web's House is one."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> Database: ...
    @property
    def cases(self) -> CaseStore: ...
    @property
    def files(self) -> FileStore: ...
    @property
    def sessions(self) -> SessionStore: ...
    @property
    def throttles(self) -> ThrottleStore: ...


@dataclass(frozen=True, slots=True)
class Workshop:
    """The tools on the bench, shared by all workers of a process."""

    settings: Settings
    database: Database
    cases: CaseStore
    files: FileStore
    queue: JobQueue
    certificates: CertificateDocuments
    documents: CaseDocuments
    sessions: SessionStore
    throttles: ThrottleStore

    @classmethod
    def of(cls, opened: Opened) -> "Workshop":
        database = opened.database
        return cls(
            settings=opened.settings,
            database=database,
            cases=opened.cases,
            files=opened.files,
            queue=JobQueue(database),
            certificates=CertificateDocuments(database),
            documents=CaseDocuments(database),
            sessions=opened.sessions,
            throttles=opened.throttles,
        )


class CannotBeDone(Exception):
    """Trying again would not help: the administrator must look. The text says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a job ended well: a note for the administrator, and a result for whoever waits for it."""

    note: str = ""
    result: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Bench:
    """One worker's own place: the workshop, and a guarded child that is kept warm between documents."""

    workshop: Workshop
    renderer: ContainedRenderer = field(default_factory=ContainedRenderer)


Work = Callable[[Bench, Job], Done]
