"""Past cases lived again in the background: the same version differs in nothing, a draft says where it first does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from store.procedure_versions import ProcedureVersions
from store.records.replays import ReplayCaseRecord
from store.replays import DIFFERING, KINDS, Replays
from store.version_values import Version
from tests.store.factories import ADMINISTRATOR, CaseHand, MovableClock, in_the_pool, person
from tests.store.joint import LICENCES, Joint
from workflow import procedures
from workflow import verb_commands as v
from workflow.stories import spoken
from workflow.vocabulary import Refusal, Role

pytestmark = pytest.mark.usefixtures("shelf")


@pytest.fixture
def replays(database: Database, laws: LawBook) -> Replays:
    return Replays(database, laws)


@pytest.fixture
def versions(database: Database, laws: LawBook) -> ProcedureVersions:
    return ProcedureVersions(database, laws)


def current(versions: ProcedureVersions) -> Version:
    versions.enter_shipped()
    return versions.get("cma", procedures.current("cma").version)


def without_acceptance(versions: ProcedureVersions) -> Version:
    """A draft in which the acceptance is called otherwise."""
    number = versions.begin("cma", current(versions).line.version, ADMINISTRATOR)
    found = versions.get("cma", number)
    versions.save("cma", number, found.definition.replace("  accept:", "  take_in:").replace(
        "[accept,", "[take_in,").replace("[accept]", "[take_in]"), found.line.edition, ADMINISTRATOR)
    return versions.get("cma", number)


def run(replays: Replays, public_id: str) -> Any:
    while replays.advance(public_id):
        pass
    return replays.get(public_id)


def test_the_same_version_differs_in_nothing(
    replays: Replays, versions: ProcedureVersions, cma_case: Callable[..., CaseHand]
) -> None:
    for state in ("closed", "refused", "not_accepted", "retracted"):
        cma_case(state)
    cma_case("accepted")  # still open: not a past case
    found = run(replays, replays.begin(current(versions), None, ADMINISTRATOR))
    assert found.status == "done" and found.expected == 4
    assert found.totals.kinds == {"same": 4} and found.totals.differing == 0
    for before, now in (found.totals.days, found.totals.steps, found.totals.papers, found.totals.materials):
        assert before == now
    assert found.totals.steps[0] > 8
    assert replays.lines(found, DIFFERING).lines == ()
    assert all(line.found.difference is None for line in replays.lines(found, "same").lines)


def test_a_draft_says_where_each_case_first_differs(
    replays: Replays, versions: ProcedureVersions, cma_case: Callable[..., CaseHand]
) -> None:
    cma_case("closed"), cma_case("not_accepted")
    found = run(replays, replays.begin(without_acceptance(versions), None, ADMINISTRATOR))
    assert found.totals.kinds == {"stuck": 1, "same": 1} and found.totals.differing == 1
    [line] = replays.lines(found, "stuck").lines
    assert line.found.difference is not None and line.found.at is not None
    assert spoken(line.found.difference, "en") == "There is no “Accept” any more."
    assert line.found.days[1] is None and line.number
    assert found.totals.ended == 1 and found.totals.steps[0] == found.totals.steps[1], "compared where both end"


def test_lines_are_turned_over_by_key_and_searched(
    replays: Replays, versions: ProcedureVersions, cma_case: Callable[..., CaseHand]
) -> None:
    numbers = [cma_case("closed").file.number or "" for _ in range(5)]
    found = run(replays, replays.begin(current(versions), None, ADMINISTRATOR))
    seen, after = [], None
    for _ in range(3):
        page = replays.lines(found, "same", after=after, limit=2)
        seen += [line.number for line in page.lines]
        after = page.after
    assert seen == numbers and after is None
    assert [line.number for line in replays.lines(found, "same", numbers[3]).lines] == [numbers[3]]
    assert len(replays.lines(found, "same", "检测").lines) == 5
    assert replays.lines(found, "same", "100%_").lines == ()
    with pytest.raises(Refusal) as refused:
        replays.lines(found, "same", after="x'")
    assert refused.value.code == "malformed"


def test_a_worker_that_takes_over_counts_nothing_twice(
    database: Database, replays: Replays, versions: ProcedureVersions, cma_case: Callable[..., CaseHand],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("store.replays.BATCH", 2)
    for _ in range(3):
        cma_case("closed")
    public_id = replays.begin(current(versions), None, ADMINISTRATOR)
    assert replays.begin(current(versions), None, ADMINISTRATOR) == public_id, "asked for twice it runs once"
    real = replays._materials

    def overtaken(case_ids: Any) -> Any:
        monkeypatch.setattr(replays, "_materials", real)
        assert replays.advance(public_id)  # another worker does the batch meanwhile
        return real(case_ids)

    monkeypatch.setattr(replays, "_materials", overtaken)
    found = run(replays, public_id)
    assert found.totals.kinds == {"same": 3} and found.status == "done"
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(ReplayCaseRecord)) == 3


def test_it_can_be_stopped_and_keeps_what_was_found(
    replays: Replays, versions: ProcedureVersions, cma_case: Callable[..., CaseHand],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("store.replays.BATCH", 1)
    cma_case("closed"), cma_case("closed")
    public_id = replays.begin(current(versions), None, ADMINISTRATOR)
    assert replays.advance(public_id)
    replays.stop(public_id, ADMINISTRATOR)
    assert not replays.advance(public_id)
    assert replays.get(public_id).totals.looked == 1 and replays.get(public_id).status == "stopped"
    with pytest.raises(Refusal) as refused:
        replays.stop(public_id, ADMINISTRATOR)
    assert refused.value.code == "unavailable"


def test_only_cases_closed_since_a_day_are_looked_at(
    replays: Replays, versions: ProcedureVersions, cma_case: Callable[..., CaseHand], clock: MovableClock
) -> None:
    cma_case("closed")
    clock.move(days=30)
    later = cma_case("closed").file.number
    day = clock.today() - timedelta(days=5)
    found = run(replays, replays.begin(current(versions), day, ADMINISTRATOR))
    assert [line.number for line in replays.lines(found, "same").lines] == [later]
    with pytest.raises(Refusal) as refused:
        replays.begin(current(versions), clock.today() + timedelta(days=1), ADMINISTRATOR)
    assert (refused.value.code, refused.value.field) == ("unmet", "since")


def test_the_text_is_kept_as_it_was_asked_for(
    replays: Replays, versions: ProcedureVersions, cases: CaseStore, cma_case: Callable[..., CaseHand]
) -> None:
    cma_case("closed")
    draft = without_acceptance(versions)
    public_id = replays.begin(draft, None, ADMINISTRATOR)
    versions.discard("cma", draft.line.version, draft.line.edition, ADMINISTRATOR)
    found = run(replays, public_id)
    assert found.totals.kinds == {"stuck": 1} and found.digest == draft.line.digest
    assert set(found.totals.kinds) <= set(KINDS)


@pytest.mark.parametrize("name", ["joint_testing", *LICENCES])
def test_cases_of_one_application_differ_in_nothing_either(
    replays: Replays, versions: ProcedureVersions, joint_case: Callable[..., Joint], name: str
) -> None:
    """What other cases told a case is lived again like any other act."""
    one = joint_case().accept()
    one.review()
    for licence in LICENCES:
        one.decide(licence)
    one.take("deliver_together")
    one.tell()
    assert one.state == "closed"
    versions.enter_shipped()
    version = versions.get(name, procedures.current(name).version)
    found = run(replays, replays.begin(version, None, ADMINISTRATOR))
    lines = [line for kind in KINDS for line in replays.lines(found, kind).lines]
    assert [(line.kind, line.found.difference) for line in lines] == [("same", None)]


def test_whatever_the_verbs_did_to_a_case_the_same_version_differs_in_nothing(
    replays: Replays, versions: ProcedureVersions, cma_case: Callable[..., CaseHand], database: Database
) -> None:
    with database.writing() as connection:
        for name, role in (("second-leader", Role.LEADER), ("review-organiser", Role.REVIEW_ORGANISER),
                           ("inspector", Role.INSPECTOR)):  # fmt: skip
            in_the_pool(connection, name, [role])
    second = person("second-leader", Role.LEADER)
    one = cma_case("awaiting_sign_off")
    one.take("recall_conclude_meets", v.Recall(reason="有误"))
    one.walk(["conclude_meets", "ask"])
    one.take("return_to_under_review_by_leader", v.Return(reason="请核实", way="straight_back"))
    one.take("conclude_meets_back_to_awaiting_decision")
    one.take("return_to_under_review_by_leader", v.Return(reason="请补充"))
    one.take("conclude_meets")  # the departments' answers stand: nothing changed that they rest on
    one.take("suspend", v.Suspend(ground="hearing", reason="听证"))
    one.take("comment_by_officer", v.Comment(text="已通知"))
    one.take("resume", v.Resume(reason="结束"))
    one.take("copy", v.CopyTo(persons=("inspector",)))
    one.take("remind_by_officer")
    one.take("transfer_by_leader", v.Transfer(person="second-leader", reason="出差"))
    consult = v.Consult(person="review-organiser", role="review_organiser", question="？")
    one.take("consult_by_leader", consult, by=second)
    one.take("advise", v.Advise(advice="可以"))
    one.take("grant", by=second)
    one.walk(["record_rendering", "print_certificate", "deliver"])
    assert one.state == "closed"
    found = run(replays, replays.begin(current(versions), None, ADMINISTRATOR))
    [line] = [line for kind in KINDS for line in replays.lines(found, kind).lines]
    assert (line.kind, line.found.difference and spoken(line.found.difference, "en")) == ("same", None)
    assert line.found.steps[0] == line.found.steps[1] and line.found.days[0] == line.found.days[1]
