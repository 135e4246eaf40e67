"""Cases in a wanted state, made only through the engine; people of every role; a clock that can be moved."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select

from store import audit, reference
from store import database as databases
from store.cases import CaseStore
from store.database import Database
from store.locked import parties
from store.records import metadata
from store.records.agencies import AgencyRecord
from store.records.applications import ApplicationRecord, CapabilityRowRecord, DossierRowRecord
from store.records.cases import CasePartyRecord, CaseRecord, TaskRecord
from store.records.columns import NEVER, table_of
from store.records.people import AccountRecord, AccountRoleRecord, ExpertiseRecord, PersonRecord
from store.records.reference import CatalogueEntryRecord
from store.tokens import new_token
from store.values import CaseFile, Performed
from workflow import commands as c
from workflow import joint_commands as j
from workflow import procedures
from workflow import verb_commands as v
from workflow.alarms import escalations
from workflow.clocks import due_on, lapses_on
from workflow.procedure import duties
from workflow.vocabulary import SYSTEM, Actor, Role

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)  # an ordinary week: no holiday until 4 April
BUREAU = {"authority_code": "27", "name": "示例省市场监督管理局"}
DEPARTMENTS = ("ecology", "construction", "transport", "public_security", "food_safety")


class MovableClock(databases.Clock):
    """A clock that stands still until it is told to move."""

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at.astimezone(ZoneInfo("UTC"))

    def move(self, **delta: float) -> None:
        """Let time pass: the arguments of `timedelta`."""
        self.at += timedelta(**delta)

    def move_to(self, day: date, hour: int = 9) -> None:
        """To an hour of a local day."""
        self.at = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)


def seeded(url: str) -> None:
    """Migrate an empty database, load the reference data and name the bureau."""
    databases.migrate(url)
    database = Database(url)
    reference.seed(database)
    reference.Reference(database).put_setting("bureau", BUREAU)
    database.close()


def in_the_pool(
    connection: Connection, name: str, roles: Iterable[Role], *, sectors: Iterable[str] = (), **account: Any
) -> None:
    """A person of the reviewers' pool; the person id and the name are one, and the login tells where it is from."""
    connection.execute(insert(PersonRecord), {"id": name, "name": name})
    account_id = connection.execute(
        insert(AccountRecord).returning(AccountRecord.id),
        {"login": f"pool.{name}", "password_hash": "-", "person_id": name, "name": name, "created_at": MONDAY}
        | account,
    ).scalar_one()
    connection.execute(insert(AccountRoleRecord), [{"account_id": account_id, "role": r.value} for r in roles])
    for sector in sectors:
        connection.execute(insert(ExpertiseRecord), {"person_id": name, "sector": sector})


def usual_pool(database: Database) -> None:
    """Put the usual team leader and reviewer into the pool of reviewers, when they are not there yet."""
    with database.writing() as connection:
        there = set(connection.scalars(select(PersonRecord.id)))
        for name, roles in (("team-leader", (Role.TEAM_LEADER, Role.REVIEWER)), ("reviewer", (Role.REVIEWER,))):
            if name not in there:
                in_the_pool(connection, name, roles)


# -- people ------------------------------------------------------------------------------------------------


def person(name: str, *roles: Role, account_id: int = 0, **more: Any) -> Actor:
    """Somebody who acts; the person id is the name."""
    return Actor(account_id or sum(map(ord, name)), name, name, frozenset(roles), **more)


def applicant_of(agency_id: int) -> Actor:
    return person(f"applicant-{agency_id}", Role.APPLICANT, agency_id=agency_id, affiliations=frozenset({agency_id}))


def department_officer(department: str, name: str = "") -> Actor:
    return person(name or f"officer-{department}"[:22], Role.DEPARTMENT_OFFICER, department=department)


def department_leader(department: str, name: str = "") -> Actor:
    return person(name or f"leads-{department}"[:22], Role.DEPARTMENT_LEADER, department=department)


WINDOW_OFFICER = person("window-officer", Role.WINDOW_OFFICER)
REVIEW_ORGANISER = person("review-organiser", Role.REVIEW_ORGANISER)
TEAM_LEADER = person("team-leader", Role.TEAM_LEADER)
REVIEWER = person("reviewer", Role.REVIEWER)
LEADER = person("leader", Role.LEADER)
ISSUING_CLERK = person("issuing-clerk", Role.ISSUING_CLERK)
INSPECTOR = person("inspector", Role.INSPECTOR)
ADMINISTRATOR = person("administrator", Role.ADMINISTRATOR)

STAFF: Mapping[str, Actor] = {
    "window_officer": WINDOW_OFFICER,
    "review_organiser": REVIEW_ORGANISER,
    "leads_the_team": TEAM_LEADER,
    "is_on_the_team": REVIEWER,
    "leader": LEADER,
    "issuing_clerk": ISSUING_CLERK,
    "inspector": INSPECTOR,
    "is_the_system": SYSTEM,
    "works_on_it": WINDOW_OFFICER,
    "is_consulted": REVIEW_ORGANISER,
}

# -- what is asked for -------------------------------------------------------------------------------------

REFUSAL = c.Refuse(reasons=("不符合条件",), basis="《行政许可法》第三十八条", remedy="可在六十日内申请行政复议")


VERB_COMMANDS: Mapping[type[c.Command], c.Command] = {
    v.Return: v.Return(reason="第3行的依据标准已作废"),
    v.Recall: v.Recall(reason="结论有误"),
    v.Transfer: v.Transfer(person="second-leader", reason="出差"),
    v.Consult: v.Consult(person="review-organiser", role="review_organiser", question="评审组是否核实过场所？"),
    v.Advise: v.Advise(advice="已核实"),
    v.AddSigner: v.AddSigner(department="transport", place="beside", reason="涉及机动车检验"),
    v.RemoveSigner: v.RemoveSigner(department="transport", reason="不涉及"),
    v.Suspend: v.Suspend(ground="hearing", reason="申请人要求听证"),
    v.Resume: v.Resume(reason="听证结束"),
    v.CopyTo: v.CopyTo(persons=("inspector",)),
    v.Comment: v.Comment(text="已电话联系申请人"),
}


def usual_command(name: str, kind: type[c.Command], codes: Iterable[str] = ()) -> c.Command:
    """A lawful command for an action, when a test does not care which."""
    usual: dict[type[c.Command], c.Command] = {
        c.RequestCorrection: c.RequestCorrection(items=(c.CorrectionItem("平面图", "缺少比例尺", "评审准则第十条"),)),
        c.Refuse: REFUSAL,
        c.OrganiseReview: c.OrganiseReview(
            mode="on_site", leader="team-leader", members=("team-leader", "reviewer"), planned_on=date(2026, 3, 9)
        ),
        c.RecordSignOff: c.RecordSignOff(verdict="agree"),  # type: ignore[arg-type]
        c.AskAgain: c.AskAgain(grounds="须进一步核实"),
        c.Decide: c.Decide(grounds="符合法定条件"),
        c.ExtendWithApproval: c.ExtendWithApproval(
            grounds="须协调多个部门", approved_by="示例市副市长 张三", approval_number="示政函〔2026〕1号"
        ),
        c.SignCommitment: c.SignCommitment(notice_version="1", text_sha256="ab" * 32, signer="张三"),
        c.ConfirmRows: c.ConfirmRows(every=True, ways=("site_test",)),
        c.Annul: c.Annul(grounds="承诺严重不实", basis="《行政许可法》第六十九条"),
        j.DecideSeparately: j.DecideSeparately(licence="agricultural_testing", grounds="所涉项目须另行核查"),
        j.NominateExperts: j.NominateExperts(experts=("reviewer",)),
        j.Inform: j.Inform(
            licence="joint_cma", state="printed", outcome="granted",
            facts={"review_conclusion": "meets", "failed_licences": [], "took_part": []},
        ),
    }
    if kind in VERB_COMMANDS:
        return VERB_COMMANDS[kind]
    if kind is c.RecordFindings:
        return c.RecordFindings(lines=tuple((code, "meets", "") for code in codes))
    if name == "retract":
        return c.Plain(note="改按一般程序另行申请")
    return usual.get(kind) or kind()


# The usual way to a state, per track; "ask" stands for every department answering.
_SUBMITTED = ("submit",)
_REVIEWED = (*_SUBMITTED, "accept", "organise_review")
_CONCLUDED = (*_REVIEWED, "record_findings", "confirm_rows", "conclude_meets")
_DECIDED = (*_CONCLUDED, "ask", "grant")
_RECTIFY = (*_REVIEWED, "record_findings", "confirm_rows", "conclude_with_rectification")
GENERAL_WAYS: Mapping[str, tuple[str, ...]] = {
    "draft": (),
    "submitted": _SUBMITTED,
    "correction_requested": (*_SUBMITTED, "request_correction"),
    "not_accepted": (*_SUBMITTED, "refuse_to_accept"),
    "retracted": (*_SUBMITTED, "retract"),
    "accepted": (*_SUBMITTED, "accept"),
    "under_review": _REVIEWED,
    "rectification_ordered": _RECTIFY,
    "rectified": (*_RECTIFY, "submit_rectification"),
    "awaiting_sign_off": _CONCLUDED,
    "awaiting_decision": (*_CONCLUDED, "ask"),
    "refused": (*_CONCLUDED, "ask", "refuse"),
    "granted": _DECIDED,
    "printed": (*_DECIDED, "record_rendering", "print_certificate"),
    "closed": (*_DECIDED, "record_rendering", "print_certificate", "deliver"),
}
_PROMISED = ("choose_commitment_track", "sign_commitment", "submit_on_commitment")
_GRANTED = (*_PROMISED, "pass_formal_check", "grant_on_commitment")
COMMITMENT_WAYS: Mapping[str, tuple[str, ...]] = {
    "draft": ("choose_commitment_track",),
    "submitted": _PROMISED,
    "correction_requested": (*_PROMISED, "request_correction"),
    "awaiting_decision": (*_PROMISED, "pass_formal_check"),
    "refused": (*_PROMISED, "pass_formal_check", "refuse"),
    "granted": _GRANTED,
    "printed": (*_GRANTED, "record_rendering", "print_certificate"),
    "closed": (*_GRANTED, "record_rendering", "print_certificate", "deliver"),
}
_VISITED = ("organise_verification", "record_findings")
VERIFICATION_WAYS: Mapping[str, tuple[str, ...]] = {
    "opened": (),
    "under_verification": ("organise_verification",),
    "found_true": (*_VISITED, "find_true"),
    "rectification_ordered": (*_VISITED, "find_basically_true"),
    "rectified": (*_VISITED, "find_basically_true", "submit_rectification"),
    "rectified_and_true": (*_VISITED, "find_basically_true", "submit_rectification", "confirm_rectification"),
    "awaiting_annulment": (*_VISITED, "find_untrue"),
    "annulled": (*_VISITED, "find_untrue", "annul"),
    "not_annulled": (*_VISITED, "find_untrue", "do_not_annul"),
}


# -- cases -------------------------------------------------------------------------------------------------


@dataclass
class CaseHand:
    """A hand on one case: `take` performs an action as its usual person with its usual command."""

    cases: CaseStore
    public_id: str
    id: int
    agency_id: int
    taken: list[dict[str, Any]] = field(default_factory=list)

    @property
    def file(self) -> CaseFile:
        return self.cases.get(self.public_id, SYSTEM)

    @property
    def state(self) -> str:
        return self.file.case.state

    @property
    def version(self) -> int:
        return self.file.case.version

    @property
    def applicant(self) -> Actor:
        return applicant_of(self.agency_id)

    def usual_actor(self, action: str) -> Actor:
        who = self.file.procedure.by_name[action].spec.who
        if who == "is_the_applicant":
            return self.applicant
        if who == "answers_for_a_department_asked":
            case = self.file.case
            return department_officer(next(d for d in case.fact("departments") if d not in case.answered()))
        return STAFF[who]

    def usual(self, action: str) -> c.Command:
        file = self.file
        kind = file.procedure.by_name[action].command
        if kind is c.AskAgain:
            return c.AskAgain(departments=file.procedure.asked(file.case.facts), grounds="须进一步核实")
        return usual_command(action, kind, self.checklist() if kind is c.RecordFindings else ())

    def checklist(self) -> tuple[str, ...]:
        entry = CatalogueEntryRecord
        with self.cases.database.reading() as connection:
            return tuple(
                connection.scalars(select(entry.code).where(entry.catalogue == "checklist").order_by(entry.ordinal))
            )

    def take(
        self,
        action: str,
        command: c.Command | None = None,
        *,
        by: Actor | None = None,
        command_id: str = "",
        version: int | None = None,
        reauthenticated: bool = True,
    ) -> Performed:
        """Perform an action; what is not given is the usual. Every request is kept in `taken`."""
        actor = by or self.usual_actor(action)
        request = {
            "name": action,
            "actor": actor,
            "command": command or self.usual(action),
            "command_id": command_id or new_token(),
            "expected_version": self.version if version is None else version,
            "reauthenticated": reauthenticated,
        }
        self.taken.append(request)
        if actor is SYSTEM:
            return self.cases.perform_as_system(self.id, action, request["command"], command_id=request["command_id"])
        return self.cases.perform(self.public_id, **request)

    def walk(self, actions: Iterable[str]) -> "CaseHand":
        """Take actions one after another; "ask" has every department agree."""
        for action in actions:
            if action == "ask":
                while self.state == "awaiting_sign_off":
                    self.take("sign_off")
            else:
                self.take(action)
        return self

    def learn(self, **facts: Any) -> None:
        """Write facts as the dossier does while the application is with the applicant."""
        table = table_of(CaseRecord)
        with self.cases.database.writing() as connection:
            known = connection.scalar(select(table.c.facts).where(table.c.id == self.id))
            connection.execute(table.update().where(table.c.id == self.id).values(facts={**known, **facts}))

    def children(self) -> "list[CaseHand]":
        """The cases that this one opened."""
        table = table_of(CaseRecord)
        with self.cases.database.reading() as connection:
            found = connection.execute(
                select(table.c.public_id, table.c.id).where(table.c.parent_id == self.id).order_by(table.c.id)
            ).all()
        return [CaseHand(self.cases, row.public_id, row.id, self.agency_id) for row in found]


_serials = itertools.count(1)


def agency(database: Database, name: str = "示例检测有限公司") -> int:
    """A registered agency; returns its id."""
    serial = next(_serials)
    with database.writing() as connection:
        return connection.execute(
            insert(AgencyRecord).returning(AgencyRecord.id),
            {
                "public_id": new_token(),
                "uscc": f"91{serial:016d}",
                "name": name,
                "division": "610100",
                "address": "示例市示例区1号",
                "legal_person": "张三",
                "phone": "02900000000",
                "email": "lab@example.cn",
                "particulars": {},
                "created_at": database.clock.now(),
            },
        ).scalar_one()


def capability_rows(connection: Connection, case_id: int, count: int) -> None:
    """Lay `count` open rows of the capability table into a case, ordinals from 1."""
    rows = [
        {
            "case_id": case_id,
            "ordinal": n,
            "sheet": "1",
            "sheet_row": n + 6,
            "site": "示例市示例区1号",
            "section": "水和废水",
            "category": "水质",
            "object": "地表水",
            "parameter": f"参数{n}",
            "standards": [],
            "standard_text": "GB 3838-2002",
            "limit_text": "",
            "note": "",
            "warned": False,
            "standing": "open",
            "ways": "",
            "reason": "",
        }
        for n in range(1, count + 1)
    ]
    if rows:
        connection.execute(insert(CapabilityRowRecord), rows)


def signatories(connection: Connection, case_id: int, *names: str) -> None:
    connection.execute(
        insert(DossierRowRecord),
        [
            {
                "case_id": case_id,
                "table_name": "signatories",
                "ordinal": n,
                "values": {"name": name, "title": "高级工程师", "field": "水质", "note": ""},
            }
            for n, name in enumerate(names, 1)
        ],
    )


def cma_case(
    cases: CaseStore,
    state: str = "draft",
    *,
    track: str = "general",
    departments: Iterable[str] = DEPARTMENTS[:3],
    rows: int = 3,
    types: Iterable[str] = ("first",),
    agency_id: int | None = None,
    **facts: Any,
) -> CaseHand:
    """A CMA case brought to `state` by its usual way, with `rows` capability rows and these facts."""
    usual_pool(cases.database)
    agency_id = agency(cases.database) if agency_id is None else agency_id
    known = {
        "application_types": list(types),
        "departments": list(departments),
        "dossier_gaps": [],
        "commitment_bars": [],
        "sectors": ["生态环境"],
        "field_code": "13",
        "industry_code": "34",
        "rows_total": rows,
        "rows_open": rows,
        "corrections_open": 0,
        "agency_name": "示例检测有限公司",
    }
    applicant = applicant_of(agency_id)
    public_id = cases.open(
        procedures.current("cma"),
        applicant,
        agency_id=agency_id,
        agency_name="示例检测有限公司",
        subject="首次申请",
        facts=known | facts,
    )
    with cases.database.writing() as connection:
        case_id = connection.scalar(select(CaseRecord.id).where(CaseRecord.public_id == public_id))
        assert case_id is not None
        capability_rows(connection, case_id, rows)
        signatories(connection, case_id, "李四", "王五")
        connection.execute(
            insert(ApplicationRecord),
            {"case_id": case_id, "sections": {"agency": {"name": "示例检测有限公司"}}, "revision": 1,
             "saved_at": cases.database.clock.now()},
        )  # fmt: skip
    ways = GENERAL_WAYS if track == "general" else COMMITMENT_WAYS
    return CaseHand(cases, public_id, case_id, agency_id).walk(ways[state])


def verification_case(cases: CaseStore, state: str = "opened", **options: Any) -> CaseHand:
    """A verification case, opened by a grant on commitment and brought to `state`."""
    [child] = cma_case(cases, "granted", track="commitment", **options).children()
    return child.walk(VERIFICATION_WAYS[state])


def with_affiliation(actor: Actor, agency_id: int) -> Actor:
    """The same person, who also belongs to an agency."""
    return replace(actor, affiliations=actor.affiliations | {agency_id})


def count(database: Database, record: Any, *conditions: Any) -> int:
    """How many rows a table has, or how many meet the conditions."""
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table_of(record)).where(*conditions)) or 0


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that a step can touch, to compare before and after."""
    untouched = {"standard", "catalogue_entry", "calendar_year", "allowance"}
    with database.reading() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name not in untouched
        }


def flaws(hand: CaseHand) -> list[str]:
    """What the database says otherwise than the case: tasks, parties, dates, audit. Empty when all agree."""
    case, procedure, database = hand.file.case, hand.file.procedure, hand.cases.database
    with database.reading() as connection:
        row = connection.execute(select(table_of(CaseRecord)).where(CaseRecord.id == hand.id)).one()
        tasks = connection.execute(
            select(TaskRecord.role, TaskRecord.holder, TaskRecord.due_on).where(TaskRecord.case_id == hand.id)
        ).all()
        holders = set(connection.scalars(select(CasePartyRecord.holder).where(CasePartyRecord.case_id == hand.id)))
        broken = audit.broken_links(connection, f"case:{hand.id}")
    due = due_on(case.clocks) or NEVER
    open_duties = duties(procedure, case.state, case.agency_id, case.facts, case.answered())
    open_duties |= escalations(procedure, case.clocks)
    agreements = {
        "tasks": {(t.role, t.holder) for t in tasks} == {(d.role.value, d.holder) for d in open_duties},
        "due dates of tasks": {t.due_on for t in tasks} <= {due},
        "due date": row.due_on == due,
        "lapse date": row.lapses_on == (lapses_on(procedure, case.clocks) or NEVER),
        "parties": procedure.states[case.state].editable or holders >= parties(procedure, case),
        "audit": broken == [],
        "version": row.audit_seq == row.version,
        "closing": (row.closed_at is not None) == procedure.states[case.state].final,
    }
    return [name for name, holds in agreements.items() if not holds]
