"""What waits for whom: order, pages, filters, counts, and how little is asked of the database."""
from datetime import date, timedelta

import pytest
from sqlalchemy import insert

from store.database import Database
from store.queues import CAP, Filter, QueueStore, desks_of
from store.records.cases import CaseRecord, TaskRecord
from store.records.columns import table_of
from store.tokens import new_token
from tests.store import factories
from tests.store.factories import MONDAY, STAFF
from tests.store.statements import counted, counts_without_end
from workflow import procedures
from workflow.delegation import Delegation
from workflow.vocabulary import Actor, Principal, Refusal, Role

WINDOW = STAFF["window_officer"]
TODAY = MONDAY.date()


def lay_out_tasks(database: Database, count: int, *, name: str = "示例检测有限公司", number_from: int = 1,
                  first_due: date = TODAY, track: str = "general") -> None:
    """`count` submitted cases waiting at the window, due one after another in weeks of seven."""
    at = database.clock.now()
    rows = [{
        "public_id": new_token(), "number": f"2026-{number_from + n:06d}", "procedure": "cma", "procedure_version": 1,
        "procedure_digest": procedures.current("cma").digest, "state": "submitted", "track": track, "round": 1,
        "version": 1, "agency_name": name, "subject": "首次", "facts": {}, "acts": [], "clocks": [],
        "due_on": first_due + timedelta(days=n // 7), "lapses_on": date(9999, 12, 31), "audit_hash": "0" * 64,
        "opened_at": at, "changed_at": at, "submitted_at": at} for n in range(count)]
    case, task = table_of(CaseRecord), table_of(TaskRecord)
    with database.writing() as connection:
        ids = connection.scalars(insert(case).returning(case.c.id, sort_by_parameter_order=True), rows).all()
        connection.execute(insert(task), [
            {"case_id": key, "role": "window_officer", "holder": "", "due_on": row["due_on"], "opened_at": at}
            for key, row in zip(ids, rows, strict=True)])


@pytest.fixture
def queues(database: Database) -> QueueStore:
    return QueueStore(database)


def test_pages_hold_every_task_once_in_the_order_of_their_due_days(database, queues):
    lay_out_tasks(database, 120)
    seen, after = [], None
    while True:
        page = queues.queue(WINDOW, Role.WINDOW_OFFICER, after=after, limit=50)
        seen += page.lines
        after = page.after
        if after is None:
            break
    assert len({line.task_id for line in seen}) == len(seen) == 120
    assert [(line.due_on, line.task_id) for line in seen] == sorted((line.due_on, line.task_id) for line in seen)


def test_a_search_finds_part_of_a_name_and_the_start_of_a_number(database, queues):
    lay_out_tasks(database, 30)
    lay_out_tasks(database, 2, name="云岭100%环境_检测", number_from=900)
    def found(text: str) -> int:
        return len(queues.queue(WINDOW, Role.WINDOW_OFFICER, Filter(search=text)).lines)
    assert found("云岭") == 2 and found("2026-0009") == 2 and found("100%环境_") == 2
    assert found("%") == 2 and found("不存在") == 0


def test_a_case_number_typed_in_full_is_found_however_far_down_it_waits(database, queues, monkeypatch):
    monkeypatch.setattr("store.queues.SCAN", 5)
    lay_out_tasks(database, 30)
    page = queues.queue(WINDOW, Role.WINDOW_OFFICER, Filter(search="2026-000030"))
    assert ([line.number for line in page.lines], page.after) == (["2026-000030"], None)
    assert queues.queue(WINDOW, Role.WINDOW_OFFICER, Filter(search="2026-000030", track="commitment")).lines == ()
    assert queues.queue(STAFF["leader"], Role.LEADER, Filter(search="2026-000030")).lines == ()


def test_a_filter_keeps_a_track_and_what_is_overdue(database, queues):
    lay_out_tasks(database, 7, first_due=TODAY - timedelta(days=1))
    lay_out_tasks(database, 7, track="commitment", number_from=100)
    def kept(**wanted: object) -> list[str]:
        return [x.track for x in queues.queue(WINDOW, Role.WINDOW_OFFICER, Filter(**wanted)).lines]  # type: ignore[arg-type]
    assert kept(track="commitment") == ["commitment"] * 7
    assert kept(overdue=True) == ["general"] * 7
    assert kept(procedure="cma_verification") == []


def test_a_search_that_looked_far_enough_says_where_to_go_on(database, queues, monkeypatch):
    monkeypatch.setattr("store.queues.SCAN", 20)
    lay_out_tasks(database, 50)
    lay_out_tasks(database, 1, name="末位机构", number_from=900, first_due=TODAY + timedelta(days=99))
    after, looks = None, 0
    while not (page := queues.queue(WINDOW, Role.WINDOW_OFFICER, Filter(search="末位"), after=after)).lines:
        after, looks = page.after, looks + 1
        assert after is not None and looks < 10
    assert looks == 2


def test_counts_stop_at_a_thousand(database, queues):
    lay_out_tasks(database, CAP + 5, first_due=TODAY - timedelta(days=7))
    count = queues.counts(WINDOW)[Role.WINDOW_OFFICER]
    assert (count.waiting, count.more) == (CAP, True)
    assert count.overdue == 49


def test_a_department_sees_only_what_waits_for_it(cma_case, queues):
    cma_case("awaiting_sign_off", departments=["ecology", "health"])
    case = cma_case("awaiting_sign_off", departments=["ecology"])
    for department, waiting in (("ecology", 2), ("health", 1), ("transport", 0)):
        officer = factories.department_officer(department)
        assert len(queues.queue(officer, Role.DEPARTMENT_OFFICER).lines) == waiting, department
    case.take("sign_off")
    assert len(queues.queue(factories.department_officer("ecology"), Role.DEPARTMENT_OFFICER).lines) == 1


def test_a_reviewer_sees_only_the_reviews_assigned_to_them(cma_case, queues):
    cma_case("under_review")
    leader, member = STAFF["leads_the_team"], STAFF["is_on_the_team"]
    stranger = factories.person("stranger", Role.REVIEWER, Role.TEAM_LEADER)
    assert len(queues.queue(leader, Role.TEAM_LEADER).lines) == 1
    assert len(queues.queue(member, Role.REVIEWER).lines) == 1
    assert queues.queue(stranger, Role.TEAM_LEADER).lines == () == queues.queue(stranger, Role.REVIEWER).lines


def test_a_desk_that_is_not_mine_does_not_exist(queues):
    with pytest.raises(Refusal) as refused:
        queues.queue(WINDOW, Role.LEADER)
    assert refused.value.code == "unknown"


@pytest.mark.parametrize("after", ["x", "2026-03-02", "2026-03-02.x", "2026-13-01.1", "2026-03-02.-1",
                                   f"2026-03-02.{2**63}", "9999-12-31.-1"])
def test_a_damaged_page_key_is_refused(queues, after):
    with pytest.raises(Refusal) as refused:
        queues.queue(WINDOW, Role.WINDOW_OFFICER, after=after)
    assert refused.value.code == "malformed"


def test_what_i_did_lately_stands_newest_first(cma_case, queues):
    first, second = cma_case("accepted"), cma_case("accepted")
    done = queues.recent(WINDOW)
    assert [act.public_id for act in done] == [second.public_id, first.public_id]
    assert {act.action for act in done} == {"accept"}
    assert queues.recent(STAFF["leader"]) == ()


def test_who_may_lead_a_team_has_a_member_desk_too():
    assert desks_of(factories.person("x", Role.TEAM_LEADER)) == (Role.TEAM_LEADER, Role.REVIEWER)
    assert desks_of(factories.person("y", Role.REVIEWER)) == (Role.REVIEWER,)


@pytest.mark.parametrize("tasks", [10, 1000])
def test_a_queue_page_takes_the_same_few_statements_whatever_the_data(database, queues, tasks):
    lay_out_tasks(database, tasks)
    for wanted in (Filter(), Filter(search="示例"), Filter(search="不存在"), Filter(overdue=True)):
        with counted(database) as statements:
            queues.queue(WINDOW, Role.WINDOW_OFFICER, wanted)
            queues.counts(WINDOW)
            queues.recent(WINDOW)
        assert len(statements) <= 6, statements
        assert [s for s in statements if counts_without_end(s)] == []


def test_a_count_without_end_is_noticed():
    """Planted fault: what looks for one is known to see it."""
    assert counts_without_end("SELECT count(*) AS n FROM task WHERE role = 'x'")
    assert not counts_without_end("SELECT (SELECT count(*) FROM (SELECT 1 FROM task LIMIT 1001) AS t) AS n")


# -- in the place of somebody else ---------------------------------------------------------------------------


def in_stead_of_the_window(procedure: str = "") -> Actor:
    terms = Delegation(1, WINDOW.person_id, "deputy", TODAY, TODAY + timedelta(days=6), procedure)
    return factories.person("deputy", Role.INSPECTOR).standing_in(Principal(
        WINDOW.account_id, WINDOW.person_id, WINDOW.name, WINDOW.roles, terms))


def test_a_delegate_finds_the_queue_of_the_principal_page_by_page(database, queues):
    lay_out_tasks(database, 70)
    actor = in_stead_of_the_window()
    assert desks_of(actor) == (Role.WINDOW_OFFICER,)
    own, stead = [queues.queue(who, Role.WINDOW_OFFICER, limit=50) for who in (WINDOW, actor)]
    assert stead == own
    rest = queues.queue(actor, Role.WINDOW_OFFICER, after=stead.after, limit=50)
    assert len(rest.lines) == 20 and rest.after is None
    with pytest.raises(Refusal):
        queues.queue(actor, Role.INSPECTOR)  # the own desk is not the principal's


@pytest.mark.parametrize(("procedure", "found"), [("cma", 9), ("cma_verification", 0)])
def test_a_delegation_of_one_procedure_shows_no_other(database, queues, procedure, found):
    lay_out_tasks(database, 9)
    actor = in_stead_of_the_window(procedure)
    assert len(queues.queue(actor, Role.WINDOW_OFFICER).lines) == found
    assert queues.counts(actor)[Role.WINDOW_OFFICER].waiting == found
    assert queues.queue(actor, Role.WINDOW_OFFICER, Filter(procedure="another")).lines == ()


def test_own_and_lent_desks_are_counted_in_one_statement(database, queues):
    lay_out_tasks(database, 9)
    desks = [(WINDOW, Role.WINDOW_OFFICER), (in_stead_of_the_window(), Role.WINDOW_OFFICER),
             (in_stead_of_the_window("cma"), Role.WINDOW_OFFICER)]
    with counted(database) as statements:
        counts = queues.counts_of(desks)
    assert [c.waiting for c in counts] == [9, 9, 9] and len(statements) == 1
