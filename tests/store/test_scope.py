"""Who may see a case has two faces, one for lists and one for values: here they are held equal."""
import itertools
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from store.database import Database
from store.locked import parties
from store.records.cases import CasePartyRecord, CaseRecord
from store.records.columns import table_of
from store.scope import sees, visible_to
from store.tokens import new_token
from tests.store import factories
from workflow.delegation import Delegation
from workflow.vocabulary import SYSTEM, Actor, Principal, Role

DEPARTMENTS = ("ecology", "health")
PERSONS = ("p1", "p2")
STATES = ("draft", "submitted", "under_review", "closed")

PROCEDURES = ("cma", "cma_verification")

themselves = st.builds(
    Actor, account_id=st.just(1), person_id=st.sampled_from(PERSONS), name=st.just("某人"),
    roles=st.frozensets(st.sampled_from(list(Role)), max_size=4),
    department=st.sampled_from((None, *DEPARTMENTS)), agency_id=st.sampled_from((None, 1, 2)),
    affiliations=st.frozensets(st.sampled_from((1, 2))))


def in_stead_of(principal: Actor, procedure: str) -> Actor:
    """A delegate of somebody, for one procedure or (empty) for all."""
    day = date(2026, 3, 2)
    terms = Delegation(1, principal.person_id, "p3", day, day + timedelta(days=7), procedure)
    return Actor(9, "p3", "代办人", frozenset({Role.WINDOW_OFFICER})).standing_in(Principal(
        1, principal.person_id, principal.name, principal.roles, terms, principal.department))


actors = themselves | st.builds(in_stead_of, themselves, st.sampled_from(("", *PROCEDURES)))


@pytest.fixture
def world(database: Database) -> list[tuple[int, int, bool, frozenset[str], str]]:
    """Every combination of agency, state, filing, parties and procedure as a case; (id, agency, filed, parties,
    procedure) of each."""
    agencies = [factories.agency(database) for _ in range(2)]
    assert agencies == [1, 2]
    holders = [frozenset(), frozenset({"department:ecology"}), frozenset({"person:p1"}),
               frozenset({"department:health", "person:p2"})]
    found = []
    at, table = database.clock.now(), table_of(CaseRecord)
    with database.writing() as connection:
        for agency, state, filed_before, held, procedure in itertools.product(
                (1, 2), STATES, (False, True), holders, PROCEDURES):
            key = connection.execute(insert(table).returning(table.c.id), {
                "public_id": new_token(), "procedure": procedure, "procedure_version": 1, "procedure_digest": "0" * 64,
                "state": state, "track": "general", "round": 1, "version": 1, "agency_id": agency,
                "agency_name": "示例", "subject": "首次", "facts": {}, "acts": [], "clocks": [],
                "due_on": date(9999, 12, 31), "lapses_on": date(9999, 12, 31), "audit_hash": "0" * 64,
                "opened_at": at, "changed_at": at, "submitted_at": at if filed_before else None}).scalar_one()
            if held:
                connection.execute(insert(table_of(CasePartyRecord)), [
                    {"case_id": key, "holder": holder} for holder in sorted(held)])
            found.append((key, agency, filed_before, held, procedure))
    return found


def listed(database: Database, actor: Actor) -> set[int]:
    with database.reading() as connection:
        return set(connection.scalars(select(CaseRecord.id).where(visible_to(actor))))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actor=actors)
def test_the_list_and_the_value_agree_for_everybody(database, world, actor):
    by_value = {key for key, agency, filed, held, procedure in world
                if sees(actor, agency_id=agency, filed=filed, parties=held, procedure=procedure)}
    assert listed(database, actor) == by_value


def test_nobody_without_a_role_sees_anything(database, world):
    assert listed(database, Actor(1, "p1", "某人", frozenset(), "ecology", 1)) == set()


def test_the_system_sees_everything(database, world):
    assert listed(database, SYSTEM) == {key for key, *_ in world}


def test_an_unfiled_draft_is_its_applicants_alone(database, world):
    drafts = {key for key, _, filed, *_ in world if not filed}
    assert drafts
    for role in set(Role) - {Role.APPLICANT, Role.SYSTEM}:
        assert not listed(database, factories.person("p1", role, department="ecology", agency_id=1)) & drafts, role


def test_a_case_enters_the_parties_it_names(cma_case):
    case = cma_case("under_review", departments=["ecology"])
    known = {"department:ecology", "person:team-leader", "person:reviewer"}
    assert parties(case.file.procedure, case.file.case) == known
    assert case.cases.get(case.public_id, factories.STAFF["leads_the_team"]).public_id == case.public_id
