"""Standing in for somebody, through the real pen: both persons named, revoked at once, guarded by the database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from store import audit
from store.accounts import AccountStore
from store.casework import Casework
from store.database import Database
from store.delegations import DelegationStore
from store.passwords import Passwords
from store.records.audit import AuditRecord
from store.records.columns import table_of
from store.tokens import new_token
from tests.store import factories
from tests.store.factories import MONDAY, CaseHand, MovableClock
from tests.store.statements import counted
from workflow.commands import Decide, Plain, RecordSignOff
from workflow.delegation import Group
from workflow.vocabulary import Actor, Refusal, Role

TODAY = MONDAY.date()
WEEK = {"from_on": TODAY, "until_on": TODAY + timedelta(days=6)}
Factory = Callable[..., CaseHand]


class Bureau:
    """Accounts of an authority, made as needed, and their delegations."""

    def __init__(self, database: Database) -> None:
        self.accounts = AccountStore(database, passwords=Passwords(memory_kib=8, passes=1))
        self.delegations = DelegationStore(database)
        self._ids: dict[str, int] = {}

    def account(self, name: str, *roles: Role, **more: Any) -> Actor:
        if name not in self._ids:
            self._ids[name] = self.accounts.add_account(name, "correct horse 7", name=name, roles=roles, **more)
        return self.accounts.get(self._ids[name]).actor()

    def delegate(self, principal: Actor, delegate: Actor, *, by: Actor | None = None, **terms: Any) -> str:
        given = {**WEEK, "verbs": frozenset(Group), **terms}
        return self.delegations.make(by or principal, principal_id=principal.account_id,
                                     delegate_id=delegate.account_id, **given)

    def in_stead(self, delegate: Actor, public_id: str) -> Actor:
        return delegate.standing_in(self.delegations.principal(delegate, public_id))


@pytest.fixture
def bureau(database: Database) -> Bureau:
    return Bureau(database)


@pytest.fixture
def leader(bureau: Bureau) -> Actor:
    return bureau.account("leader", Role.LEADER)


@pytest.fixture
def deputy(bureau: Bureau) -> Actor:
    return bureau.account("deputy", Role.INSPECTOR)


@pytest.fixture
def window(bureau: Bureau) -> Actor:
    return bureau.account("window", Role.WINDOW_OFFICER)


def entries(case: CaseHand) -> list[Any]:
    with case.cases.database.reading() as connection:
        return list(connection.execute(select(table_of(AuditRecord)).where(AuditRecord.case_id == case.id)
                                       .order_by(AuditRecord.seq)).mappings())


def test_an_act_in_stead_names_both_persons_and_the_chain_covers_it(cma_case, bureau, window, deputy, database):
    case, actor = cma_case("submitted"), bureau.in_stead(deputy, bureau.delegate(window, deputy))
    case.take("accept", by=actor)
    last = entries(case)[-1]
    assert (last["actor_name"], last["person_id"]) == ("deputy", deputy.person_id)
    assert last["payload"]["for"] == {"delegation": 1, "person": window.person_id, "name": "window"}
    assert case.file.case.persons_who("accept") == {window.person_id, deputy.person_id}
    assert factories.flaws(case) == []
    changed = dict(last) | {"payload": {**last["payload"], "for": {**last["payload"]["for"], "name": "another"}}}
    assert audit.chained("0" * 64, audit.entry_content(last)) != audit.chained("0" * 64, audit.entry_content(changed))


def test_revoked_means_at_once(cma_case, bureau, window, deputy):
    case, key = cma_case("submitted"), bureau.delegate(window, deputy)
    actor = bureau.in_stead(deputy, key)  # read before it was revoked
    bureau.delegations.revoke(key, window)
    with pytest.raises(Refusal) as caught:
        case.take("accept", by=actor)
    assert caught.value.code == "forbidden" and case.state == "submitted"
    with pytest.raises(Refusal):
        bureau.in_stead(deputy, key)


@pytest.mark.parametrize("how", ["revoked", "over", "of somebody else", "for somebody else", "made up"])
def test_the_database_refuses_an_entry_without_a_delegation_in_force(
    cma_case: Factory, bureau: Bureau, window: Actor, deputy: Actor, leader: Actor, clock: MovableClock, how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last line: with the question of the pen and of the engine taken away, the trigger still says no."""
    monkeypatch.setattr("store.cases.require_in_force", lambda *_: None)
    monkeypatch.setattr("workflow.engine.in_force", lambda *_: None)
    case, key = cma_case("submitted"), bureau.delegate(window, deputy)
    actor = bureau.in_stead(deputy, key)
    assert actor.acting_for
    if how == "revoked":
        bureau.delegations.revoke(key, window)
    elif how == "over":
        clock.move(days=1)  # the case is not moved by its clock on its own
        clock.move_to(TODAY + timedelta(days=7))
        monkeypatch.setattr("store.cases.lapsed", lambda *_: ())
    elif how == "of somebody else":
        actor = replace(actor, account_id=leader.account_id)
    elif how == "for somebody else":
        actor = replace(actor, acting_for=replace(actor.acting_for, person_id=leader.person_id))
    else:
        terms = replace(actor.acting_for.delegation, id=99)
        actor = replace(actor, acting_for=replace(actor.acting_for, delegation=terms))
    with pytest.raises(IntegrityError, match="no delegation in force"):
        case.take("accept", by=actor)
    assert case.state == "submitted"


def test_without_the_trigger_such_an_entry_would_be_written(cma_case, bureau, window, deputy, database, monkeypatch):
    """Planted fault: the refusals above come from the trigger and from nothing else."""
    monkeypatch.setattr("store.cases.require_in_force", lambda *_: None)
    case, key = cma_case("submitted"), bureau.delegate(window, deputy)
    actor = bureau.in_stead(deputy, key)
    bureau.delegations.revoke(key, window)
    with database.writing() as connection:
        connection.execute(text("DROP TRIGGER audit_entry_in_stead"
                                + ("" if database.is_sqlite else " ON audit_entry")))
    case.take("accept", by=actor)
    assert case.state == "accepted"


@pytest.mark.parametrize("statement", [
    "UPDATE delegation SET until_on = '2099-01-01', revoked_at = '2026-03-02 01:00:00', revoked_by = made_by",
    "UPDATE delegation SET reason = 'another'", "DELETE FROM delegation",
])
def test_a_delegation_is_never_changed_nor_removed(bureau, window, deputy, database, statement):
    bureau.delegate(window, deputy)
    with pytest.raises(DatabaseError), database.writing() as connection:
        connection.execute(text(statement))


def test_a_revoked_one_stays_revoked(bureau, window, deputy, database):
    bureau.delegations.revoke(bureau.delegate(window, deputy), window)
    with pytest.raises(DatabaseError), database.writing() as connection:
        connection.execute(text("UPDATE delegation SET revoked_at = NULL, revoked_by = NULL"))


def test_who_may_make_and_revoke(bureau, window, deputy, leader):
    administrator = bureau.account("administrator", Role.ADMINISTRATOR)
    with pytest.raises(Refusal) as caught:
        bureau.delegate(window, deputy, by=leader)
    assert caught.value.code == "forbidden"
    key = bureau.delegate(window, deputy, by=administrator)
    with pytest.raises(Refusal):
        bureau.delegations.revoke(key, leader)
    bureau.delegations.revoke(key, deputy)  # either side lays it down
    bureau.delegations.revoke(key, deputy)  # twice is once
    [kept] = bureau.delegations.given(window)
    assert (kept.state, kept.made_by, kept.revoked_by) == ("revoked", "administrator", "deputy")
    assert bureau.delegations.received(deputy) == (kept,) and bureau.delegations.every().lines == (kept,)


def test_no_applicant_no_chain_and_not_twice(bureau, window, deputy, leader, database):
    applicant = bureau.account("applicant", Role.APPLICANT, agency_id=factories.agency(database))
    bureau.delegate(window, deputy)
    for principal, delegate in ((window, applicant), (window, deputy), (deputy, window), (deputy, leader),
                                (leader, window)):
        with pytest.raises(Refusal) as caught:
            bureau.delegate(principal, delegate)
        assert caught.value.code == "malformed"


def test_days_and_closed_accounts_end_it(bureau, window, deputy, clock):
    bureau.delegate(window, deputy, from_on=TODAY + timedelta(days=1), until_on=TODAY + timedelta(days=2))
    held = [len(bureau.delegations.principals(deputy))]
    for _ in range(3):
        clock.move(days=1)
        held.append(len(bureau.delegations.principals(deputy)))
    assert held == [0, 1, 1, 0]
    clock.move_to(TODAY + timedelta(days=1))
    bureau.accounts.deactivate(window.account_id)
    assert bureau.delegations.principals(deputy) == ()


def test_the_roles_lent_are_those_of_this_moment(bureau, window, deputy):
    key = bureau.delegate(window, deputy)
    bureau.accounts.set_roles(window.account_id, [Role.ISSUING_CLERK])
    assert bureau.in_stead(deputy, key).roles == {Role.ISSUING_CLERK}


def test_a_delegate_sees_what_the_principal_sees_and_only_while_standing_in(cma_case, bureau, cases):
    officer = bureau.account("ecology", Role.DEPARTMENT_OFFICER, department="ecology")
    other = bureau.account("water", Role.DEPARTMENT_OFFICER, department="water")
    case = cma_case("awaiting_sign_off", departments=["ecology", "construction"])
    actor = bureau.in_stead(other, bureau.delegate(officer, other))
    assert cases.get(case.public_id, actor).public_id == case.public_id
    with pytest.raises(Refusal):
        cases.get(case.public_id, other)


def test_the_board_says_who_signed_for_whom(cma_case, bureau, database):
    officer = bureau.account("ecology", Role.DEPARTMENT_OFFICER, department="ecology")
    other = bureau.account("water", Role.DEPARTMENT_OFFICER, department="water")
    case = cma_case("awaiting_sign_off", departments=["ecology", "construction"])
    case.take("sign_off", RecordSignOff(verdict="agree"), by=bureau.in_stead(other, bureau.delegate(officer, other)))
    case.take("sign_off")
    answers = {a.department: (a.officer, a.principal) for a in Casework(database).answers(case.file)}
    assert answers["ecology"] == ("water", "ecology") and answers["construction"][1] == ""
    [line] = bureau.delegations.done_for(officer)
    assert (line.action, line.delegate, line.public_id) == ("sign_off", "water", case.public_id)
    assert bureau.delegations.done_for(other) == ()


def test_a_delegate_signs_with_their_own_password_only(cma_case, bureau, leader, deputy):
    case = cma_case("awaiting_decision")
    actor = bureau.in_stead(deputy, bureau.delegate(leader, deputy))
    with pytest.raises(Refusal) as caught:
        case.take("grant", Decide(grounds="符合"), by=actor, reauthenticated=False)
    assert caught.value.field == "password"
    assert case.take("grant", Decide(grounds="符合"), by=actor).state == "granted"


def test_standing_in_costs_one_statement_more_and_oneself_none(cma_case, bureau, window, deputy, database):
    key = bureau.delegate(window, deputy)
    sent = []
    for actor in (window, window, bureau.in_stead(deputy, key)):  # the first one reads the law besides
        case = cma_case("submitted")
        with counted(database) as statements:
            case.cases.perform(case.public_id, "accept", actor, Plain(), command_id=new_token(), expected_version=2)
        sent.append(len(statements))
    assert sent[2] <= sent[1] + 1  # where a step is taken at once it is looked up beside it, under the lock


def side_by_side(*acts: Callable[[], Any]) -> list[Any]:
    """What each act answered, all of them begun at the same instant; a refusal is an answer."""
    gate = threading.Barrier(len(acts))

    def take(act: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return act()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(take, act) for act in acts]]


def test_an_act_and_the_revocation_of_its_delegation_pass_one_after_the_other(cma_case, bureau, window, deputy):
    """Whoever is first: an act that was written was written while the delegation was in force."""
    outcomes = set()
    for _ in range(12):
        case, key = cma_case("submitted"), bureau.delegate(window, deputy)
        actor, seen = bureau.in_stead(deputy, key), case.version
        done, _ended = side_by_side(
            lambda c=case, a=actor, v=seen: c.take("accept", by=a, version=v),
            lambda k=key: bureau.delegations.revoke(k, window))
        [kept] = [d for d in bureau.delegations.given(window) if d.public_id == key]
        assert kept.revoked_at is not None
        if isinstance(done, Refusal):
            assert done.code == "forbidden" and case.state == "submitted"
        else:
            assert case.state == "accepted"
        outcomes.add(isinstance(done, Refusal))
        assert factories.flaws(case) == []
    assert outcomes


def test_two_delegations_that_would_make_a_chain_are_not_made_side_by_side(bureau, window, deputy, leader):
    for _ in range(8):
        made = side_by_side(lambda: bureau.delegate(window, deputy), lambda: bureau.delegate(deputy, leader))
        assert sum(isinstance(answer, Refusal) for answer in made) == 1
        for answer, owner in zip(made, (window, deputy), strict=True):
            if not isinstance(answer, Refusal):
                bureau.delegations.revoke(answer, owner)


def test_it_is_all_in_the_audit(bureau, window, deputy, database):
    bureau.delegations.revoke(bureau.delegate(window, deputy, reason="年休假"), window)
    with database.reading() as connection:
        told = connection.execute(select(AuditRecord.action, AuditRecord.payload)
                                  .where(AuditRecord.stream == "delegations").order_by(AuditRecord.seq)).all()
        assert audit.broken_links(connection, "delegations") == []
    assert [row.action for row in told] == ["make_delegation", "revoke_delegation"]
    assert told[0].payload["reason"] == "年休假" and told[0].payload["until_on"] == "2026-03-08"


def test_a_date_is_a_day_in_shanghai(cma_case, bureau, window, deputy, clock):
    """Late in the evening of the last day it still holds, although the day has ended in no other place yet."""
    key = bureau.delegate(window, deputy, until_on=date(2026, 3, 2))
    case = cma_case("submitted")
    clock.move_to(date(2026, 3, 2), hour=23)
    case.take("accept", by=bureau.in_stead(deputy, key))
    other = cma_case("submitted")
    clock.move_to(date(2026, 3, 3), hour=1)  # the second of March still, by universal time
    with pytest.raises(Refusal):
        other.take("accept", by=bureau.in_stead(deputy, key))
