"""CaseDocuments: what a written notice of a case is made from, and the register of its bytes.

The facts are those of the step that asked for the document, taken from its audit entry, so a document that is
rendered late still says what was decided then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select

from store.database import BUREAU_ZONE, Database
from store.delegations import delegates_of
from store.locked import pinned_to
from store.records.applications import (
    CapabilityRowRecord,
    ChecklistLineRecord,
    DocumentRecord,
    UploadRecord,
)
from store.records.audit import AuditRecord
from store.records.cases import CaseRecord, TaskRecord
from store.records.columns import table_of
from store.records.people import AccountRecord, AccountRoleRecord
from store.records.reference import CatalogueEntryRecord, SettingRecord
from store.reviews import lines_of_licences
from store.tokens import new_token
from workflow import dossiers
from workflow.deadlines import Clock
from workflow.joint_licences import PART_OF
from workflow.notes import NOTES, RECOUNTED
from workflow.procedure import Procedure

ROWS_LISTED = 300  # refused rows that a decision lists one by one; beyond that it gives their number
_CASE = table_of(CaseRecord)


@dataclass(frozen=True, slots=True)
class WrittenFacts:
    """Everything a notice may say. Texts are those of the bureau's language, Chinese.

    `command` is what the acting person sent; `facts` is what the case knows now; `uploads` are (purpose, name,
    SHA-256) as they stood at the moment of the step; `refused_rows` are (row in words, reason).
    """

    case_id: int
    public_id: str
    number: str | None
    procedure: Procedure
    subject: str
    agency_name: str
    facts: Mapping[str, Any]
    command: Mapping[str, Any]
    at: datetime
    clocks: tuple[Clock, ...]
    bureau: Mapping[str, Any]
    type_names: tuple[str, ...]
    uploads: tuple[tuple[str, str, str], ...] = ()
    refused_rows: tuple[tuple[str, str], ...] = ()
    refused_total: int = 0
    failed_findings: tuple[tuple[str, str], ...] = ()  # (checklist line in words, the facts found)
    notice: Mapping[str, Any] | None = None  # the version of the commitment notice that was signed
    signed_at: datetime | None = None

    @property
    def on(self) -> date:
        """The local date of the step."""
        return self.at.astimezone(BUREAU_ZONE).date()

    def clock(self, *names: str) -> Clock | None:
        """The first of these clocks that the case has."""
        return next((c for name in names for c in self.clocks if c.name == name), None)


@dataclass(frozen=True, slots=True)
class Addressee:
    """Someone to be told: why ("applicant", "duty", or "told": to know of it) and in which language."""

    email: str
    name: str
    language: str
    why: str


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What a mail about a case may say, and to whom it goes."""

    public_id: str
    number: str | None
    procedure: Procedure
    state: str
    agency_name: str
    subject: str
    bureau_name: str
    due_on: date | None
    addressees: tuple[Addressee, ...]
    clocks: tuple[Clock, ...] = ()


class CaseDocuments:
    def __init__(self, database: Database) -> None:
        self.database = database

    def facts(self, case_id: int, version: int) -> WrittenFacts | None:
        """What the step that made `version` of a case gives a document to say; None for an unknown step."""
        with self.database.reading() as connection:
            case = connection.execute(select(_CASE).where(_CASE.c.id == case_id)).mappings().first()
            step = connection.execute(
                select(AuditRecord.at, AuditRecord.payload).where(
                    AuditRecord.case_id == case_id, AuditRecord.version == version
                )
            ).first()
            if case is None or step is None:
                return None
            facts = case["facts"]
            evidence = case["parent_id"] if facts.get(PART_OF) else case_id  # what was reviewed, and whose papers
            refused, total = _refused(connection, evidence)
            return WrittenFacts(
                case_id=case_id,
                public_id=case["public_id"],
                number=case["number"],
                procedure=pinned_to(case),
                subject=case["subject"],
                agency_name=case["agency_name"],
                facts=facts,
                command=step.payload,
                at=step.at,
                clocks=tuple(Clock.from_plain(c) for c in case["clocks"]),
                bureau=_setting(connection, "bureau"),
                type_names=_own_types(case["procedure"], case["procedure_version"], facts)
                or _type_names(connection, facts.get("application_types") or ()),
                uploads=_uploads(connection, evidence, step.at),
                refused_rows=refused,
                refused_total=total,
                failed_findings=_failed_findings(
                    connection,
                    evidence,
                    dossiers.checklist_of(case["procedure"], case["procedure_version"]),
                    ("", case["procedure"]) if facts.get(PART_OF) else (),
                ),
                notice=_own_notice(case["procedure"], case["procedure_version"], facts)
                or _notice(connection, str(facts.get("commitment_notice_version") or "")),
                signed_at=connection.scalar(
                    select(AuditRecord.at)
                    .where(AuditRecord.case_id == case_id, AuditRecord.action == "sign_commitment")
                    .order_by(AuditRecord.seq.desc())
                    .limit(1)
                ),
            )

    def has(self, case_id: int, kind: str, version: int) -> bool:
        """Whether that document of the case is already in the register."""
        with self.database.reading() as connection:
            return _find(connection, case_id, kind, version) is not None

    def put(self, case_id: int, kind: str, version: int, *, sha256: str, size: int) -> bool:
        """Enter a document, once; False when it was entered before."""
        with self.database.writing() as connection:
            connection.execute(select(_CASE.c.id).where(_CASE.c.id == case_id).with_for_update())
            if _find(connection, case_id, kind, version) is not None:
                return False
            connection.execute(
                insert(table_of(DocumentRecord)),
                {
                    "public_id": new_token(),
                    "case_id": case_id,
                    "kind": kind,
                    "version": version,
                    "sha256": sha256,
                    "size": size,
                    "created_at": self.database.clock.now(),
                },
            )
            return True

    def notice(
        self, case_id: int, opened_at: datetime, payload: Mapping[str, Any] = MappingProxyType({})
    ) -> NoticeFacts | None:
        """Whom to tell about a step: the agency's accounts, who got something to do by that very step, and the roles
        that its `payload` names. A note of the system goes to whoever has the case; of the agency's accounts only to
        those that have something to do themselves, unless due days have moved."""
        name = str(payload.get("notice", ""))
        with self.database.reading() as connection:
            case = connection.execute(select(_CASE).where(_CASE.c.id == case_id)).mappings().first()
            if case is None:
                return None
            task = TaskRecord
            open_tasks = select(task.role, task.holder).where(task.case_id == case_id)
            if name not in NOTES:
                open_tasks = open_tasks.where(task.opened_at == opened_at)
            tasks = connection.execute(open_tasks).all()
            found: dict[str, Addressee] = {}
            wanted: list[tuple[str, Any]] = []
            concerned = name not in (NOTES - {RECOUNTED}) or any(t.holder.startswith("agency:") for t in tasks)
            if case["agency_id"] is not None and concerned and not payload.get("inside"):
                agency = and_(AccountRecord.agency_id == case["agency_id"], _acts_as("applicant"))
                wanted.append(("applicant", agency))
            why = "told" if name in NOTES else "duty"
            named = [(name, _holding(role, holder)) for role, holder in payload.get("holders", ())]
            wanted += [(notice, clause) for notice, clause in named if clause is not None]
            wanted += [(why, clause) for t in tasks if (clause := _holding(t.role, t.holder)) is not None]
            wanted += [("told", _acts_as(str(role))) for role in payload.get("roles", ())]
            officials: dict[int, str] = {}
            for why, clause in wanted:
                rows = connection.execute(
                    select(AccountRecord.id, AccountRecord.email, AccountRecord.name, AccountRecord.language)
                    .where(clause, AccountRecord.active.is_(True))
                    .order_by(AccountRecord.id)
                    .limit(200)
                )
                for row in rows:
                    officials |= {row.id: why} if why != "applicant" else {}
                    if row.email and row.email.strip():
                        found.setdefault(
                            row.email.strip().lower(),
                            Addressee(row.email.strip(), row.name, row.language, why),
                        )
            today = self.database.clock.today()
            for row in connection.execute(delegates_of(officials, case["procedure"], today)) if officials else ():
                addressee = Addressee(row.email.strip(), row.name, row.language, next(iter(officials.values())))
                found.setdefault(row.email.strip().lower(), addressee)
            clocks = [Clock.from_plain(c) for c in case["clocks"]]
            return NoticeFacts(
                public_id=case["public_id"],
                number=case["number"],
                procedure=pinned_to(case),
                state=case["state"],
                agency_name=case["agency_name"],
                subject=case["subject"],
                bureau_name=str(_setting(connection, "bureau").get("name", "")),
                due_on=min((c.due_on for c in clocks if c.is_running and c.due_on), default=None),
                clocks=tuple(clocks),
                addressees=tuple(found.values()),
            )


def _acts_as(role: str) -> Any:
    holds = AccountRoleRecord
    return select(holds.account_id).where(holds.account_id == AccountRecord.id, holds.role == role).exists()


def _holding(role: str, holder: str) -> Any:
    """Which accounts a task's holder means; the applicant's own are told anyway."""
    kind, _, name = holder.partition(":")
    if kind == "person":
        return AccountRecord.person_id == name
    if kind == "department":
        return and_(AccountRecord.department == name, _acts_as(role))
    return None if kind == "agency" else _acts_as(role)


def _find(connection: Connection, case_id: int, kind: str, version: int) -> Any:
    document = DocumentRecord
    return connection.execute(
        select(document.id).where(
            document.case_id == case_id, document.kind == kind, document.version == version
        )
    ).first()


def _setting(connection: Connection, name: str) -> Mapping[str, Any]:
    return connection.scalar(select(SettingRecord.content).where(SettingRecord.name == name)) or {}


def _notice(connection: Connection, version: str) -> Mapping[str, Any] | None:
    versions = _setting(connection, "catalogue:commitment_notice").get("versions") or ()
    return next((v for v in versions if str(v.get("version")) == version), None)


def _type_names(connection: Connection, keys: Any) -> tuple[str, ...]:
    entry = CatalogueEntryRecord
    rows = connection.execute(
        select(entry.content)
        .where(entry.catalogue == "application_types", entry.code.in_([str(k) for k in keys]))
        .order_by(entry.ordinal)
    )
    return tuple(str(row.content.get("zh") or "") for row in rows)


def _uploads(connection: Connection, case_id: int, at: datetime) -> tuple[tuple[str, str, str], ...]:
    upload = UploadRecord
    rows = connection.execute(
        select(upload.purpose, upload.name, upload.sha256)
        .where(
            upload.case_id == case_id,
            upload.status == "clean",
            upload.created_at <= at,
            or_(upload.replaced_at.is_(None), upload.replaced_at > at),
        )
        .order_by(upload.id)
        .limit(500)
    )
    return tuple((r.purpose, r.name, r.sha256) for r in rows)


def _own_notice(procedure: str, version: int, facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The commitment of the procedure's own dossier file, if that is what was signed."""
    found = dossiers.find(procedure, version)
    own = found.spec.commitment if found else None
    return own.notice() if own and own.version == facts.get("commitment_notice_version") else None


def _own_types(procedure: str, version: int, facts: Mapping[str, Any]) -> tuple[str, ...]:
    found = dossiers.find(procedure, version)
    wanted = set(facts.get("application_types") or ())
    return tuple(s.title.zh for s in found.spec.scenarios if s.key in wanted) if found else ()


def _failed_findings(
    connection: Connection, case_id: int, own: Mapping[str, Mapping[str, Any]], licences: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """(line in words, facts found); with `licences` only of those. Lines tagged with a licence are in its own file."""
    line, entry = ChecklistLineRecord, CatalogueEntryRecord
    rows = connection.execute(
        select(line.code, line.explanation, entry.content, line.licence)
        .outerjoin(entry, and_(entry.catalogue == "checklist", entry.code == line.code))
        .where(
            line.case_id == case_id,
            line.result == "does_not_meet",
            *([line.licence.in_(licences)] if licences else []),
        )
        .order_by(line.ordinal)
    ).all()
    if any(r.licence for r in rows):
        own = {**own, **lines_of_licences(connection, case_id)}
    return tuple(
        (str((own.get(r.code) or r.content or {}).get("zh") or r.code), r.explanation) for r in rows
    )


def _refused(connection: Connection, case_id: int) -> tuple[tuple[tuple[str, str], ...], int]:
    row = CapabilityRowRecord
    rows = connection.execute(
        select(row.object, row.parameter, row.standard_text, row.reason)
        .where(row.case_id == case_id, row.standing == "refused")
        .order_by(row.ordinal)
    ).all()
    listed = tuple(
        ("／".join(part for part in (r.object, r.parameter, r.standard_text) if part), r.reason)
        for r in rows[:ROWS_LISTED]
    )
    return listed, len(rows)
