"""A joint application and the people around it, taken from one desk to the next through the real store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select

from jobs.informing import inform
from store.cases import CaseStore
from store.database import Database
from store.jobs import Job, JobQueue
from store.joint_cases import JointBoard, JointCases
from store.records.applications import ApplicationRecord, CapabilityRowRecord
from store.records.cases import CaseRecord
from store.records.certificates import AnnexRowRecord, CertificateRecord
from store.records.jobs import JobRecord
from store.records.people import PersonRecord
from store.reviews import ReviewStore
from tests.store import factories
from tests.store.factories import (
    ISSUING_CLERK,
    LEADER,
    REVIEW_ORGANISER,
    TEAM_LEADER,
    WINDOW_OFFICER,
    CaseHand,
    applicant_of,
    department_officer,
    person,
)
from workflow import commands as c
from workflow import procedures
from workflow.joint_commands import DecideSeparately, NominateExperts
from workflow.vocabulary import SYSTEM, Actor, Role

LICENCES = ("joint_cma", "agricultural_testing", "construction_testing")
DEPARTMENT = {"agricultural_testing": "agriculture", "construction_testing": "construction"}
SECTIONS = ("水和废水", "饲料", "建筑材料")  # of the capability table: nobody's, agriculture's, construction's
ANSWERS = {
    "licences": {"chosen": list(LICENCES)},
    "agriculture": {"products": ["crops"], "sampling_persons": "4"},
    "construction": {"grade": "special", "fields": ["materials"], "registered_engineers": "3"},
}


def department_leader(department: str) -> Actor:
    return person(f"leader-{department}"[:22], Role.DEPARTMENT_LEADER, department=department)


def expert_of(department: str) -> str:
    return f"expert-{department}"


def experts(database: Database) -> None:
    """The usual team, and a reviewer in the pool of each department that decides a licence."""
    factories.usual_pool(database)
    with database.writing() as connection:
        there = set(connection.scalars(select(PersonRecord.id)))
        for department in DEPARTMENT.values():
            if (name := expert_of(department)) not in there:
                factories.in_the_pool(connection, name, (Role.REVIEWER,), department=department)


def rows(database: Database, case_id: int, sections: Sequence[str], each: int) -> None:
    """Lay `each` open rows of every section into a case."""
    with database.writing() as connection:
        connection.execute(insert(CapabilityRowRecord), [
            {"case_id": case_id, "ordinal": n, "sheet": "1", "sheet_row": n + 6, "site": "示例市示例区1号",
             "section": sections[(n - 1) % len(sections)], "category": "", "object": "对象", "parameter": f"参数{n}",
             "standards": [], "standard_text": "GB 3838-2002", "limit_text": "", "note": "", "warned": False,
             "standing": "open", "ways": "", "reason": ""}
            for n in range(1, each * len(sections) + 1)])  # fmt: skip


@dataclass
class Joint(CaseHand):
    """A hand on a joint application; `told` keeps every job that was worked off."""

    told: list[Job] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.cases.database

    def child(self, licence: str) -> CaseHand:
        with self.database.reading() as connection:
            row = connection.execute(select(CaseRecord.id, CaseRecord.public_id).where(
                CaseRecord.parent_id == self.id, CaseRecord.procedure == licence)).one()  # fmt: skip
        return CaseHand(self.cases, row.public_id, row.id, self.agency_id)

    def states(self) -> dict[str, str]:
        with self.database.reading() as connection:
            found = connection.execute(select(CaseRecord.procedure, CaseRecord.state).where(
                CaseRecord.parent_id == self.id))  # fmt: skip
            return {row.procedure: row.state for row in found}

    def board(self, actor: Actor) -> JointBoard:
        found = JointCases(self.database).board(self.cases.get(self.public_id, actor), actor)
        assert found is not None
        return found

    # -- one step of the way after another ------------------------------------------------------------------

    def accept(self) -> "Joint":
        self.take("submit")
        self.take("accept", by=WINDOW_OFFICER)
        return self

    def review(self, failing: Iterable[str] = (), refused_rows: Sequence[int] = ()) -> "Joint":
        """Nominations, one team, one checklist, every row; and the conclusion of the leader, told to the children."""
        departments = list(self.file.case.fact("deciding_departments"))
        for department in departments:
            self.take("nominate_experts", NominateExperts(experts=(expert_of(department),)),
                      by=department_officer(department))  # fmt: skip
        members = ("team-leader", "reviewer", *(expert_of(d) for d in departments))
        self.take("organise_review", c.OrganiseReview(
            mode="on_site", leader="team-leader", members=members, planned_on=date(2026, 3, 9)))  # fmt: skip
        lines = [line.code for line in ReviewStore(self.database).checklist(self.file)]
        self.take("record_findings", c.RecordFindings(lines=tuple(
            (code, "does_not_meet", "不符合") if code in set(failing) else (code, "meets", "") for code in lines)))
        if refused_rows:
            self.take("confirm_rows", c.ConfirmRows(rows=tuple(refused_rows), confirmed=False, reason="不具备能力"))
        self.take("confirm_rows", c.ConfirmRows(every=True, ways=("site_test",)))
        self.take("conclude_meets", by=TEAM_LEADER)
        self.tell()
        return self

    def decide(self, licence: str, action: str = "grant") -> CaseHand:
        """The decision of the one who may, and the printing of what was granted; told to the parent."""
        child = self.child(licence)
        by = department_leader(DEPARTMENT[licence]) if licence in DEPARTMENT else LEADER
        child.take(action, by=by)
        if action == "grant":
            child.take("record_rendering", by=SYSTEM)
            child.take("print_certificate", by=ISSUING_CLERK)
        self.tell()
        return child

    def separate(self, licence: str) -> None:
        self.take("decide_separately", DecideSeparately(licence=licence, grounds="尚需补充核实"), by=LEADER)
        self.tell()

    def usual_actor(self, action: str) -> Actor:
        return {"organise_review": REVIEW_ORGANISER}.get(action) or super().usual_actor(action)

    # -- what the cases tell each other ---------------------------------------------------------------------

    def waiting(self) -> list[Job]:
        """What is to be told and nobody has told yet, oldest first."""
        with self.database.reading() as connection:
            found = connection.execute(select(JobRecord).where(
                JobRecord.kind == "inform", JobRecord.status == "waiting").order_by(JobRecord.created_at, JobRecord.id))
            return [Job(j.id, j.kind, j.case_id, j.payload, j.attempts + 1, j.created_at) for j in found]

    def tell(self, perform: Callable[..., Any] | None = None) -> None:
        """Do every job that tells, until none is left."""
        while jobs := JobQueue(self.database).claim("test", ("inform",), timedelta(seconds=60)):
            for job in jobs:
                self.inform(job, perform)
                JobQueue(self.database).finish(job, "test")

    def inform(self, job: Job, perform: Callable[..., Any] | None = None) -> str:
        """One job, as a worker does it; `perform` stands in the place of the store's. Its note."""
        cases: Any = self.cases if perform is None else SimpleNamespace(
            database=self.database, laws=self.cases.laws, get=self.cases.get, perform_as_system=perform)
        bench: Any = SimpleNamespace(workshop=SimpleNamespace(database=self.database, cases=cases))
        self.told.append(job)
        return inform(bench, job).note


def joint_application(
    cases: CaseStore, licences: Sequence[str] = LICENCES, *, each: int = 2, sections: Sequence[str] = SECTIONS,
    **facts: Any,
) -> Joint:
    """A joint application filled in and not yet submitted, with `each` rows of every section."""
    experts(cases.database)
    agency_id = factories.agency(cases.database)
    count = each * len(sections)
    known: Mapping[str, Any] = {
        "application_types": ["first"], "licences": list(licences),
        "deciding_departments": [DEPARTMENT[name] for name in licences if name in DEPARTMENT],
        "dossier_gaps": [], "commitment_bars": [], "sectors": ["生态环境"], "field_code": "13", "industry_code": "34",
        "rows_total": count, "rows_open": count, "corrections_open": 0, "agency_name": "示例检测有限公司",
        "agency_address": "示例市示例区1号",
    }  # fmt: skip
    public_id = cases.open(
        procedures.current("joint_testing"), applicant_of(agency_id), agency_id=agency_id,
        agency_name="示例检测有限公司", subject="检验检测机构联合许可", facts={**known, **facts})  # fmt: skip
    with cases.database.writing() as connection:
        case_id = connection.execute(select(CaseRecord.id).where(CaseRecord.public_id == public_id)).scalar_one()
        factories.signatories(connection, case_id, "李四", "王五")
        connection.execute(insert(ApplicationRecord), {
            "case_id": case_id, "sections": ANSWERS, "revision": 1, "saved_at": cases.database.clock.now()})
    rows(cases.database, case_id, sections, each)
    return Joint(cases, public_id, case_id, agency_id)


def annex(database: Database, number: str) -> list[tuple[str, str]]:
    """(section, parameter) of the rows of a certificate, in its order."""
    row, certificate = AnnexRowRecord, CertificateRecord
    with database.reading() as connection:
        return [tuple(found) for found in connection.execute(
            select(row.section, row.parameter).join(certificate, certificate.id == row.certificate_id)
            .where(certificate.number == number).order_by(row.ordinal))]


@pytest.fixture
def joint_case(cases: CaseStore) -> Callable[..., Joint]:
    """`joint_case(licences, each=2)`: a joint application filled in, not yet submitted."""

    def make(*arguments: Any, **options: Any) -> Joint:
        return joint_application(cases, *arguments, **options)

    return make
