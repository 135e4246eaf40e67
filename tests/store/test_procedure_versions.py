"""A version of a procedure lives: drafted, proved, scheduled, in force, retired; once settled it never changes.

New cases open on what is in force on that day, and a case goes on by the very text it was opened under.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DatabaseError

from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from store.procedure_versions import OWN_FROM, ProcedureVersions
from store.records.procedures import ProcedureVersionRecord
from store.version_values import VersionLine
from tests.store.factories import MovableClock
from workflow import procedures
from workflow.procedure import DefinitionError
from workflow.vocabulary import Actor, Refusal, Role

pytestmark = pytest.mark.usefixtures("shelf")

ADMINISTRATOR = Actor(7, "person-7", "管理员甲", frozenset({Role.ADMINISTRATOR}))
NAME = "cma"


@pytest.fixture
def versions(database: Database, laws: LawBook) -> ProcedureVersions:
    return ProcedureVersions(database, laws)


def newest() -> int:
    return max(p.version for p in procedures.shipped() if p.name == NAME)


def passed(line: VersionLine) -> dict[str, Any]:
    return {"digest": line.digest, "verdict": "proved", "may_activate": True, "states_visited": 12}


def drafted(versions: ProcedureVersions, change: tuple[str, str] = ("部门并联会签中", "部门会签中")) -> VersionLine:
    number = versions.begin(NAME, newest(), ADMINISTRATOR)
    found = versions.get(NAME, number)
    assert change[0] in found.definition
    return versions.save(NAME, number, found.definition.replace(*change), found.line.edition, ADMINISTRATOR)


def proved(versions: ProcedureVersions) -> VersionLine:
    line = drafted(versions)
    return versions.keep_proof(NAME, line.version, passed(line), ADMINISTRATOR)


def activated(versions: ProcedureVersions) -> VersionLine:
    line = proved(versions)
    return versions.activate(NAME, line.version, line.edition, "试行新版", ADMINISTRATOR)


def refusal(code: str) -> Any:
    return pytest.raises(Refusal, check=lambda refused: refused.code == code)


# -- what ships ----------------------------------------------------------------------------------------------------


def test_a_seeded_database_holds_every_shipped_version_and_the_newest_are_active(versions: ProcedureVersions) -> None:
    lines = {(line.name, line.version): line for line in versions.lines()}
    assert {(p.name, p.version): p.digest for p in procedures.shipped()} == {k: v.digest for k, v in lines.items()}
    for procedure in procedures.shipped():
        last = max(p.version for p in procedures.shipped() if p.name == procedure.name)
        status = lines[procedure.name, procedure.version].status
        assert status == ("active" if procedure.version == last else "retired")


def test_entering_what_ships_again_changes_nothing(versions: ProcedureVersions) -> None:
    before = versions.lines()
    assert versions.enter_shipped() == []
    assert versions.lines() == before


def test_what_was_proved_at_release_is_kept_with_its_version(versions: ProcedureVersions) -> None:
    lines = {(line.name, line.version): line for line in versions.lines()}
    assert procedures.proofs_at_release()
    for key, proof in procedures.proofs_at_release().items():
        line = lines[key]
        assert line.was_proved_at_release and line.proof["properties"] == proof["properties"]
        assert not line.is_proved, "the people of this bureau were not looked at"
        first = versions.changes(line)[-1]
        assert first.payload["proof"] == {
            "digest": line.digest, "verdict": "proved", "states_visited": proof["states_visited"],
            "checker": proof["checker"], "by": "release"}


def test_an_installation_that_had_no_proof_is_given_the_one_of_the_release_once(
    database: Database, versions: ProcedureVersions
) -> None:
    _put_proof(database, {})
    assert versions.enter_shipped() == []
    line = versions.get(NAME, newest()).line
    assert line.was_proved_at_release and versions.changes(line)[0].action == "prove"
    assert versions.enter_shipped() == [] and versions.get(NAME, newest()).line == line


def test_a_proof_of_the_release_gives_way_to_a_newer_one_and_to_the_bureaus_own(
    database: Database, versions: ProcedureVersions
) -> None:
    line = versions.get(NAME, newest()).line
    _put_proof(database, {**line.proof, "checker": 0})
    versions.enter_shipped()
    assert versions.get(NAME, newest()).line.proof == line.proof
    own = passed(line)
    versions.keep_proof(NAME, newest(), own, ADMINISTRATOR)
    versions.enter_shipped()
    kept = versions.get(NAME, newest()).line
    assert kept.proof == own and kept.is_proved and kept.status == "active"


def _put_proof(database: Database, proof: dict[str, Any]) -> None:
    with database.writing() as connection:
        connection.execute(
            update(ProcedureVersionRecord)
            .where(ProcedureVersionRecord.name == NAME, ProcedureVersionRecord.version == newest())
            .values(proof=proof)
        )


def test_a_bureaus_own_version_in_force_is_not_put_aside_by_what_ships(versions: ProcedureVersions) -> None:
    mine = activated(versions)
    versions.enter_shipped()
    assert [line.version for line in versions.lines(NAME) if line.status == "active"] == [mine.version]


# -- drafts ----------------------------------------------------------------------------------------------------------


def test_a_draft_begins_with_the_text_of_another_version_under_a_number_of_the_bureaus_own(
    versions: ProcedureVersions,
) -> None:
    number = versions.begin(NAME, newest(), ADMINISTRATOR)
    assert number >= OWN_FROM
    found = versions.get(NAME, number)
    assert found.line.status == "draft" and found.line.based_on == newest()
    assert found.procedure().version == number
    assert found.procedure().states == procedures.find(NAME, newest()).states


def test_a_draft_is_kept_also_while_it_is_wrong(versions: ProcedureVersions) -> None:
    number = versions.begin(NAME, newest(), ADMINISTRATOR)
    line = versions.save(NAME, number, "name: [half", 1, ADMINISTRATOR)
    found = versions.get(NAME, number)
    assert found.definition == "name: [half" and line.status == "draft"
    with pytest.raises(DefinitionError):
        found.procedure()


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(versions: ProcedureVersions) -> None:
    line = drafted(versions)
    with refusal("stale"):
        versions.save(NAME, line.version, "another text", line.edition - 1, ADMINISTRATOR)
    assert versions.get(NAME, line.version).line == line


def test_a_change_takes_the_proof_away(versions: ProcedureVersions) -> None:
    line = proved(versions)
    assert line.status == "proved" and line.is_proved
    changed = versions.save(NAME, line.version, versions.get(NAME, line.version).definition + "\n# more\n",
                            line.edition, ADMINISTRATOR)  # fmt: skip
    assert changed.status == "draft" and not changed.is_proved


def test_a_proof_of_another_text_is_refused(versions: ProcedureVersions) -> None:
    line = drafted(versions)
    with refusal("stale"):
        versions.keep_proof(NAME, line.version, passed(line) | {"digest": "0" * 64}, ADMINISTRATOR)


def test_a_draft_says_of_itself_what_it_is_kept_as(versions: ProcedureVersions) -> None:
    number = versions.begin(NAME, newest(), ADMINISTRATOR)
    text_ = versions.get(NAME, number).definition.replace(f"version: {number}", "version: 3")
    versions.save(NAME, number, text_, 1, ADMINISTRATOR)
    with pytest.raises(DefinitionError, match="version 3") as caught:
        versions.get(NAME, number).procedure()
    assert text_.splitlines()[caught.value.found[0].line - 1] == "version: 3"


# -- coming into force -----------------------------------------------------------------------------------------------


def test_what_is_not_proved_is_neither_activated_nor_scheduled(versions: ProcedureVersions) -> None:
    line = drafted(versions)
    with refusal("unmet"):
        versions.activate(NAME, line.version, line.edition, "试行", ADMINISTRATOR)
    failed = versions.keep_proof(NAME, line.version, passed(line) | {"may_activate": False}, ADMINISTRATOR)
    assert failed.status == "draft"
    with refusal("unmet"):
        versions.schedule(NAME, line.version, failed.edition, date(2026, 4, 1), "试行", ADMINISTRATOR)


def test_an_activated_version_takes_the_place_of_the_one_before(versions: ProcedureVersions, laws: LawBook) -> None:
    line = activated(versions)
    assert {v.version: v.status for v in versions.lines(NAME)}[newest()] == "retired"
    laws.current()
    assert procedures.current(NAME).version == line.version
    assert procedures.current(NAME).states["awaiting_sign_off"].label.zh == "部门会签中"


def test_a_reason_is_asked_for(versions: ProcedureVersions) -> None:
    line = proved(versions)
    with refusal("malformed"):
        versions.activate(NAME, line.version, line.edition, "  ", ADMINISTRATOR)


def test_new_cases_open_on_the_scheduled_version_from_its_day_on_also_when_no_sweep_came_by(
    versions: ProcedureVersions, laws: LawBook, clock: MovableClock
) -> None:
    line = proved(versions)
    day = versions.database.clock.today() + timedelta(days=7)
    versions.schedule(NAME, line.version, line.edition, day, "四月起施行", ADMINISTRATOR)
    laws.current()
    assert procedures.current(NAME, day - timedelta(days=1)).version == newest()
    assert procedures.current(NAME, day).version == line.version


def test_a_scheduled_version_becomes_active_on_its_day_exactly_once(
    versions: ProcedureVersions, clock: MovableClock
) -> None:
    line = proved(versions)
    day = versions.database.clock.today() + timedelta(days=7)
    versions.schedule(NAME, line.version, line.edition, day, "四月起施行", ADMINISTRATOR)
    assert versions.take_effect() == 0
    clock.move(days=7)
    assert versions.take_effect() == 1
    assert versions.take_effect() == 0
    found = versions.get(NAME, line.version)
    assert found.line.status == "active" and found.line.effective_on == day
    assert [c.action for c in versions.changes(found.line)].count("activate") == 1


def test_a_scheduled_version_that_no_longer_passes_is_taken_off_the_schedule(
    versions: ProcedureVersions, clock: MovableClock
) -> None:
    line = proved(versions)
    day = versions.database.clock.today() + timedelta(days=7)
    line = versions.schedule(NAME, line.version, line.edition, day, "四月起施行", ADMINISTRATOR)
    line = versions.keep_proof(NAME, line.version, passed(line) | {"may_activate": False}, ADMINISTRATOR)
    assert line.status == "draft" and line.effective_on is None
    clock.move(days=7)
    assert versions.take_effect() == 0


def test_of_workers_that_look_at_once_one_puts_it_into_force(
    versions: ProcedureVersions, clock: MovableClock, seeded_url: str
) -> None:
    line = proved(versions)
    day = versions.database.clock.today() + timedelta(days=7)
    versions.schedule(NAME, line.version, line.edition, day, "四月起施行", ADMINISTRATOR)
    clock.move(days=7)
    houses = [Database(seeded_url, clock) for _ in range(4)]
    with ThreadPoolExecutor(len(houses)) as pool:
        begun = list(pool.map(lambda house: ProcedureVersions(house, LawBook(house)).take_effect(), houses))
    for house in houses:
        house.close()
    assert sum(begun) == 1
    assert [c.action for c in versions.changes(versions.get(NAME, line.version).line)].count("activate") == 1


def test_a_version_is_scheduled_for_a_day_to_come_only_and_taken_back_before_it(versions: ProcedureVersions) -> None:
    line, today = proved(versions), versions.database.clock.today()
    with refusal("malformed"):
        versions.schedule(NAME, line.version, line.edition, today, "施行", ADMINISTRATOR)
    line = versions.schedule(NAME, line.version, line.edition, today + timedelta(days=1), "施行", ADMINISTRATOR)
    line = versions.unschedule(NAME, line.version, line.edition, "推迟", ADMINISTRATOR)
    assert line.status == "proved" and line.effective_on is None


def test_a_procedure_whose_cases_others_open_is_not_left_without_a_version(versions: ProcedureVersions) -> None:
    line = next(v for v in versions.lines("cma_verification") if v.status == "active")
    with refusal("unmet"):
        versions.retire(line.name, line.version, line.edition, "不再使用", ADMINISTRATOR)


def test_a_retired_procedure_opens_no_case(versions: ProcedureVersions, laws: LawBook) -> None:
    line = next(v for v in versions.lines(NAME) if v.status == "active")
    versions.retire(NAME, line.version, line.edition, "停用", ADMINISTRATOR)
    laws.current()
    with refusal("unmet"):
        procedures.current(NAME)


def test_a_retired_version_comes_back_only_with_its_own_proof(versions: ProcedureVersions) -> None:
    activated(versions)
    old = versions.get(NAME, newest()).line
    with refusal("unmet"):
        versions.activate(NAME, old.version, old.edition, "恢复旧版", ADMINISTRATOR)
    old = versions.keep_proof(NAME, old.version, passed(old), ADMINISTRATOR)
    assert old.status == "retired"
    assert versions.activate(NAME, old.version, old.edition, "恢复旧版", ADMINISTRATOR).status == "active"


def test_every_change_is_told_with_who_made_it_and_why(versions: ProcedureVersions) -> None:
    line = activated(versions)
    told = versions.changes(line)
    assert [c.action for c in told] == ["activate", "prove", "save_definition", "enter_version"]
    assert {c.actor_name for c in told} == {ADMINISTRATOR.name}
    assert told[0].payload["reason"] == "试行新版"


# -- settled is settled ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", [
    "UPDATE procedure_version SET definition = 'name: other' WHERE status IN ('active', 'retired')",
    "UPDATE procedure_version SET digest = 'x' WHERE status = 'retired'",
    "UPDATE procedure_version SET name = 'other' WHERE status = 'active'",
    "UPDATE procedure_version SET version = version + 5000 WHERE status = 'active'",
    "UPDATE procedure_version SET status = 'draft' WHERE status = 'active'",
    "UPDATE procedure_version SET status = 'proved' WHERE status = 'active'",
    "DELETE FROM procedure_version",
])  # fmt: skip
def test_the_database_itself_keeps_a_version_on_which_cases_may_run(
    versions: ProcedureVersions, database: Database, statement: str
) -> None:
    activated(versions)
    before = versions.lines()
    with pytest.raises(DatabaseError, match="never changes"), database.writing() as connection:
        connection.execute(text(statement))
    assert versions.lines() == before


def test_the_table_of_versions_is_not_emptied_at_one_stroke(versions: ProcedureVersions, database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite knows no TRUNCATE; what it does instead is refused above")
    activated(versions)
    before = versions.lines()
    with pytest.raises(DatabaseError, match="are kept"), database.writing() as connection:
        connection.execute(text("TRUNCATE procedure_version"))
    assert versions.lines() == before


def test_the_database_itself_knows_one_active_version_of_a_procedure(
    versions: ProcedureVersions, database: Database
) -> None:
    activated(versions)
    with pytest.raises(DatabaseError), database.writing() as connection:
        connection.execute(text("UPDATE procedure_version SET status = 'active' WHERE name = 'cma'"))


def test_a_draft_may_be_changed_and_thrown_away(versions: ProcedureVersions) -> None:
    line = drafted(versions)
    versions.discard(NAME, line.version, line.edition, ADMINISTRATOR)
    with refusal("unknown"):
        versions.get(NAME, line.version)
    again = drafted(versions)
    assert [c.action for c in versions.changes(again)] == ["save_definition", "enter_version"]


def test_a_settled_version_is_not_saved_over(versions: ProcedureVersions) -> None:
    line = activated(versions)
    with refusal("unavailable"):
        versions.save(NAME, line.version, "name: other", line.edition, ADMINISTRATOR)


# -- several processes ---------------------------------------------------------------------------------------------


def test_another_process_sees_a_new_version_when_it_next_looks(
    versions: ProcedureVersions, seeded_url: str, clock: MovableClock
) -> None:
    line = activated(versions)
    procedures.forget()  # as a process that has never heard of it
    other = Database(seeded_url, clock)
    LawBook(other).current()
    assert procedures.current(NAME).version == line.version
    assert procedures.find(NAME, line.version).digest == line.digest
    other.close()


def test_a_version_that_is_not_held_yet_is_looked_up(versions: ProcedureVersions, laws: LawBook) -> None:
    laws.current()
    line = activated(versions)
    assert procedures.find(NAME, line.version).digest == line.digest


# -- a case and its text ---------------------------------------------------------------------------------------------


def test_a_case_goes_on_by_the_text_it_was_opened_under(
    versions: ProcedureVersions, cases: CaseStore, cma_case: Any
) -> None:
    hand = cma_case("submitted")
    activated(versions)
    cases.laws.current()
    file = cases.get(hand.public_id, Actor(0, "system", "系统", frozenset({Role.SYSTEM})))
    assert file.procedure.version == newest()


def test_a_case_whose_text_is_not_here_is_refused_loudly(
    versions: ProcedureVersions, cases: CaseStore, cma_case: Any, database: Database
) -> None:
    hand = cma_case("submitted")
    with database.writing() as connection:
        connection.execute(text("UPDATE \"case\" SET procedure_digest = :digest"), {"digest": "f" * 64})
    with refusal("unmet"):
        cases.get(hand.public_id, Actor(0, "system", "系统", frozenset({Role.SYSTEM})))
    with refusal("unmet"):
        hand.take("accept")
