"""Running cases go over to another version: looked at first, then moved one by one, each once, each told why."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from store import case_migrations
from store.case_migrations import CaseMigrations
from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from store.procedure_versions import ProcedureVersions
from store.records.cases import TaskRecord
from tests.store.factories import CaseHand
from tests.store.test_procedure_versions import ADMINISTRATOR, NAME, newest, passed
from workflow import dossiers, procedures
from workflow.migration import Plan
from workflow.vocabulary import SYSTEM, Refusal

pytestmark = pytest.mark.usefixtures("shelf")

Factory = Callable[..., CaseHand]


@pytest.fixture
def versions(database: Database, laws: LawBook) -> ProcedureVersions:
    return ProcedureVersions(database, laws)


@pytest.fixture
def migrations(cases: CaseStore) -> CaseMigrations:
    return CaseMigrations(cases.database, cases.laws)


def in_force(versions: ProcedureVersions, *changes: tuple[str, str]) -> int:
    """A version of the bureau's own with some words changed, active; its number."""
    number = versions.begin(NAME, newest(), ADMINISTRATOR)
    found = versions.get(NAME, number)
    text = found.definition
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    line = versions.save(NAME, number, text, found.line.edition, ADMINISTRATOR)
    if line.digest == found.line.digest:
        line = found.line
    line = versions.keep_proof(NAME, number, passed(line), ADMINISTRATOR)
    versions.activate(NAME, number, line.edition, "试行", ADMINISTRATOR)
    versions.laws.current()
    return number


def all_of(migrations: CaseMigrations, public_id: str) -> None:
    while migrations.advance(public_id):
        pass


RENAMED = ("awaiting_decision", "to_be_decided")


def test_every_open_case_of_the_version_is_looked_at_and_nothing_else_happens(
    versions: ProcedureVersions, migrations: CaseMigrations, cma_case: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_migrations, "BATCH", 2)
    hands = [cma_case("submitted"), cma_case("awaiting_decision"), cma_case("submitted"), cma_case("closed")]
    target = in_force(versions, RENAMED)
    before = [hand.file for hand in hands]
    public_id = migrations.look(NAME, newest(), target, Plan(), ADMINISTRATOR)
    all_of(migrations, public_id)
    found = migrations.get(public_id)
    assert found.status == "looked" and found.counts == {"can": 2, "mapping": 1}
    assert [line.public_id for line in migrations.lines(public_id, "mapping").lines] == [hands[1].public_id]
    assert [hand.file for hand in hands] == before


def test_the_list_is_read_page_by_page(
    versions: ProcedureVersions, migrations: CaseMigrations, cma_case: Factory
) -> None:
    hands = [cma_case("submitted") for _ in range(3)]
    public_id = migrations.look(NAME, newest(), in_force(versions), Plan(), ADMINISTRATOR)
    all_of(migrations, public_id)
    first = migrations.lines(public_id, "can", limit=2)
    second = migrations.lines(public_id, "can", first.after, limit=2)
    assert [line.public_id for page in (first, second) for line in page.lines] == [h.public_id for h in hands]
    assert second.after is None


def test_cases_go_over_with_state_clocks_tasks_and_the_reason_in_their_audit(
    versions: ProcedureVersions, migrations: CaseMigrations, cma_case: Factory, database: Database
) -> None:
    hand = cma_case("awaiting_decision")
    target = in_force(versions, RENAMED)
    before = hand.file.case
    public_id = migrations.look(NAME, newest(), target, Plan(states=dict([RENAMED])), ADMINISTRATOR)
    all_of(migrations, public_id)
    migrations.proceed(public_id, "新版施行", ADMINISTRATOR)
    all_of(migrations, public_id)
    file = hand.file
    assert file.procedure.version == target and file.procedure.digest == procedures.find(NAME, target).digest
    facts = {name: value for name, value in before.facts.items() if name != "last_act"}  # no recall across texts
    assert file.case == replace(before, procedure_version=target, state="to_be_decided", version=before.version + 1,
                                facts=facts)  # fmt: skip
    with database.reading() as connection:
        tasks = connection.scalars(select(TaskRecord.role).where(TaskRecord.case_id == hand.id)).all()
    assert tasks == ["leader"]
    entry = hand.cases.timeline(hand.public_id, SYSTEM)[0]
    assert (entry.action, entry.actor_name) == ("migrate_version", ADMINISTRATOR.name)
    assert entry.payload["reason"] == "新版施行" and entry.payload["migration"] == public_id
    assert migrations.get(public_id).counts == {"moved": 1}
    hand.take("grant")
    assert hand.state == "granted"


def test_a_case_that_moved_on_meanwhile_is_judged_as_it_is_now(
    versions: ProcedureVersions, migrations: CaseMigrations, cma_case: Factory
) -> None:
    hand, other = cma_case("submitted"), cma_case("submitted")
    public_id = migrations.look(NAME, newest(), in_force(versions), Plan(), ADMINISTRATOR)
    all_of(migrations, public_id)
    hand.take("refuse_to_accept")
    migrations.proceed(public_id, "新版施行", ADMINISTRATOR)
    all_of(migrations, public_id)
    assert migrations.get(public_id).counts == {"moved": 1, "left": 1}
    assert hand.file.procedure.version == newest()
    assert other.file.procedure.version != newest()


def test_a_worker_that_takes_over_moves_no_case_twice(
    versions: ProcedureVersions, migrations: CaseMigrations, cma_case: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_migrations, "BATCH", 2)
    hands = [cma_case("submitted") for _ in range(3)]
    public_id = migrations.look(NAME, newest(), in_force(versions), Plan(), ADMINISTRATOR)
    all_of(migrations, public_id)
    migrations.proceed(public_id, "新版施行", ADMINISTRATOR)
    moved: list[Any] = []

    def dies(*arguments: Any) -> None:
        if len(moved) == 1:
            raise KeyboardInterrupt
        moved.append(arguments)
        real(*arguments)

    real = case_migrations.carry_over
    monkeypatch.setattr(case_migrations, "carry_over", dies)
    with pytest.raises(KeyboardInterrupt):
        migrations.advance(public_id)
    monkeypatch.setattr(case_migrations, "carry_over", real)
    all_of(migrations, public_id)
    assert migrations.get(public_id).status == "moved"
    for hand in hands:
        told = [e.action for e in hand.cases.timeline(hand.public_id, SYSTEM)]
        assert told.count("migrate_version") == 1


def test_nothing_is_carried_out_without_a_reason_or_twice(
    versions: ProcedureVersions, migrations: CaseMigrations
) -> None:
    public_id = migrations.look(NAME, newest(), in_force(versions), Plan(), ADMINISTRATOR)
    with pytest.raises(Refusal):
        migrations.proceed(public_id, "too early", ADMINISTRATOR)
    all_of(migrations, public_id)
    with pytest.raises(Refusal):
        migrations.proceed(public_id, " ", ADMINISTRATOR)
    migrations.proceed(public_id, "新版施行", ADMINISTRATOR)
    with pytest.raises(Refusal):
        migrations.proceed(public_id, "again", ADMINISTRATOR)


def test_the_audit_of_a_carried_case_holds(
    versions: ProcedureVersions, migrations: CaseMigrations, cma_case: Factory, database: Database
) -> None:
    from store.audit import broken_links

    cma_case("awaiting_decision")
    public_id = migrations.look(NAME, newest(), in_force(versions), Plan(), ADMINISTRATOR)
    all_of(migrations, public_id)
    migrations.proceed(public_id, "新版施行", ADMINISTRATOR)
    all_of(migrations, public_id)
    with database.reading() as connection:
        assert broken_links(connection) == []


def test_a_case_opened_says_what_it_is_pinned_to(cma_case: Factory, laws: LawBook) -> None:
    hand = cma_case("submitted")
    opened = hand.cases.timeline(hand.public_id, SYSTEM)[-1]
    assert opened.action == "open"
    asked = dossiers.find(NAME, hand.file.procedure.version)
    assert asked is not None
    pins = {"procedure": hand.file.procedure.digest, "dossier": asked.digest, **laws.current().pins}
    assert opened.payload["pins"] == pins and set(pins) == {"procedure", "dossier", "form", "rules", "calendar"}
    assert {len(digest) for digest in pins.values()} == {64}
