"""What the law says of a case, told as stories through the pen: deemed acceptance, commitment, rectification, scope."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from store.cases import CaseStore
from store.database import Database
from store.law import REVISION
from store.records.agencies import CommitmentBarRecord
from store.records.certificates import AnnexRowRecord, AnnexSignatoryRecord, CertificateRecord
from store.records.columns import table_of
from store.records.people import AccountRecord
from store.records.reference import AllowanceRecord, SettingRecord
from store.reference import put_setting
from tests.store.factories import (
    LEADER,
    TEAM_LEADER,
    WINDOW_OFFICER,
    CaseHand,
    MovableClock,
    agency,
    in_the_pool,
    person,
)
from workflow.commands import Annul, ConfirmRows, Decide, OrganiseReview, Plain, RecordFindings
from workflow.deadlines import Clock, Outcome
from workflow.vocabulary import Refusal, Role

Factory = Callable[..., CaseHand]
DAY = date(2026, 3, 9)


def clock_of(hand: CaseHand, name: str) -> Clock:
    return next(c for c in hand.file.case.clocks if c.name == name)


def refused(hand: CaseHand, action: str, command: Any = None, **options: Any) -> Refusal:
    state = hand.state
    with pytest.raises(Refusal) as caught:
        hand.take(action, command, **options)
    assert hand.state == state
    return caught.value


def register(database: Database, record: Any, **values: Any) -> None:
    with database.writing() as connection:
        connection.execute(insert(table_of(record)), values)


def bar(database: Database, agency_id: int, ground: str = "listed") -> None:
    register(database, CommitmentBarRecord, agency_id=agency_id, ground=ground, basis="示范决定",
             from_on=database.clock.today(), until_on=None, case_id=None)  # fmt: skip


def team(*members: str, mode: str = "on_site") -> OrganiseReview:
    return OrganiseReview(mode=mode, leader=members[0], members=members, planned_on=DAY)


# -- acceptance (Licensing Law art. 32) ----------------------------------------------------------------------------


def test_deemed_acceptance_counts_from_the_day_of_receipt(cma_case: Factory, clock: MovableClock) -> None:
    hand = cma_case("submitted")
    received = clock.today()
    clock.move(days=9)
    hand.cases.lapse()
    assert hand.state == "accepted"
    assert clock_of(hand, "review").started_on == received
    assert clock_of(hand, "acceptance").outcome is Outcome.MISSED


def test_after_a_correction_deemed_acceptance_counts_from_the_resubmission(
    cma_case: Factory, clock: MovableClock
) -> None:
    hand = cma_case("correction_requested")
    clock.move(days=30)
    hand.learn(corrections_open=0)
    hand.take("resubmit")
    again = clock.today()
    clock.move(days=9)
    hand.cases.lapse()
    assert clock_of(hand, "review").started_on == again


def test_silence_accepts_on_the_commitment_track_too(cma_case: Factory, clock: MovableClock) -> None:
    hand = cma_case("submitted", track="commitment")
    clock.move(days=9)
    hand.cases.lapse()
    assert hand.state == "awaiting_decision"
    assert hand.file.number
    hand.take("grant_on_commitment")


@pytest.mark.parametrize("state, action, became", [
    ("submitted", "request_correction", "accepted"), ("submitted", "refuse_to_accept", "accepted"),
    ("rectification_ordered", "submit_rectification", "rectified"),
])  # fmt: skip
def test_nobody_is_faster_than_a_limit_that_is_over(
    cma_case: Factory, clock: MovableClock, state: str, action: str, became: str
) -> None:
    hand = cma_case(state)
    clock.move(days=60)  # and no sweep has come by
    with pytest.raises(Refusal) as caught:
        hand.take(action)
    assert (caught.value.code, hand.state) == ("stale", became)


def test_a_limit_that_nobody_has_entered_is_a_refusal_and_no_failure(
    cma_case: Factory, clock: MovableClock, database: Database
) -> None:
    hand = cma_case("awaiting_decision")
    with database.writing() as connection:
        connection.execute(table_of(AllowanceRecord).delete().where(AllowanceRecord.name == "certificate_validity"))
        stamp = connection.scalar(select(SettingRecord.content).where(SettingRecord.name == REVISION))
        put_setting(connection, REVISION, {"revision": stamp["revision"] + 1})
    hand.cases.laws.forget()
    assert "certificate_validity" in str(refused(hand, "grant").reason)


def test_a_row_is_confirmed_in_one_of_the_known_ways(cma_case: Factory) -> None:
    hand = cma_case("under_review")
    assert refused(hand, "confirm_rows", ConfirmRows(every=True, ways=("telepathy",))).field == "ways"


# -- the commitment track ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state, action", [("draft", "submit_on_commitment"), ("correction_requested", "resubmit"),
                                           ("awaiting_decision", "grant_on_commitment")])  # fmt: skip
def test_a_bar_entered_since_the_last_edit_closes_the_track(
    cma_case: Factory, database: Database, state: str, action: str
) -> None:
    hand = cma_case(state, track="commitment")
    if state == "draft":
        hand.take("sign_commitment")
    hand.learn(corrections_open=0)
    bar(database, hand.agency_id)
    assert refused(hand, action).code == "unmet"


def test_a_corrected_application_is_promised_anew(cma_case: Factory) -> None:
    hand = cma_case("correction_requested", track="commitment")
    hand.learn(corrections_open=0, commitment_text_sha256="")
    assert refused(hand, "resubmit").code == "unmet"
    hand.take("sign_commitment")
    hand.take("resubmit")
    assert hand.state == "submitted"


def test_an_application_that_may_not_be_promised_goes_on_in_the_general_procedure(cma_case: Factory) -> None:
    hand = cma_case("correction_requested", track="commitment")
    hand.learn(corrections_open=0, commitment_bars=["excluded_field"])
    assert refused(hand, "resubmit").code == "unmet"
    hand.take("return_to_general_track")
    assert clock_of(hand, "commitment_decision").outcome is Outcome.DROPPED
    hand.take("resubmit")
    assert clock_of(hand, "acceptance").is_running
    hand.take("accept")
    assert hand.state == "accepted"


def test_a_commitment_is_retracted_with_its_reason(cma_case: Factory) -> None:
    hand = cma_case("submitted", track="commitment")
    assert refused(hand, "retract", Plain()).code == "unmet"
    hand.take("retract", Plain(note="设备未到位"))
    assert hand.state == "retracted"
    assert all(c.outcome for c in hand.file.case.clocks)


# -- rectification (Order 163 art. 26) -----------------------------------------------------------------------------


def test_a_late_rectification_costs_the_items_and_not_the_rest(cma_case: Factory, clock: MovableClock) -> None:
    hand = cma_case("rectification_ordered", rows=3)
    clock.move(days=60)
    hand.cases.lapse()
    assert hand.state == "rectified"
    assert refused(hand, "confirm_rectification").code == "unmet"
    assert refused(hand, "except_what_was_not_rectified").code == "unmet"
    hand.take("confirm_rows", ConfirmRows(rows=(2,), confirmed=False, reason="逾期未整改"), by=TEAM_LEADER)
    hand.take("except_what_was_not_rectified")
    assert (hand.state, hand.file.case.fact("rows_confirmed")) == ("awaiting_sign_off", 2)


def test_a_rectification_is_ordered_with_what_is_to_be_put_right(cma_case: Factory) -> None:
    hand = cma_case("rectification_ordered")
    assert hand.file.case.fact("rectification_demand")


# -- who (Order 163 arts. 24, 29) ----------------------------------------------------------------------------------


def test_a_team_is_seated_from_the_pool_and_never_from_the_applicant(cma_case: Factory, database: Database) -> None:
    hand = cma_case("accepted", sectors=["公路工程"])
    with database.writing() as connection:
        in_the_pool(connection, "insider", [Role.REVIEWER])
        in_the_pool(connection, "insider-at-home", [Role.APPLICANT], agency_id=hand.agency_id)
        in_the_pool(connection, "gone", [Role.REVIEWER], active=False)

        connection.execute(update(table_of(AccountRecord)).where(AccountRecord.person_id == "insider-at-home")
                           .values(person_id="insider"))  # fmt: skip
    for members in (("team-leader", "nobody"), ("team-leader", "gone"), ("team-leader", "insider"),
                    ("reviewer", "team-leader")):  # fmt: skip
        assert refused(hand, "organise_review", team(*members)).code == "malformed", members
    hand.take("organise_review", team("team-leader", "reviewer"))


def test_a_team_covers_every_sector_that_the_pool_can_cover(cma_case: Factory, database: Database) -> None:
    hand = cma_case("accepted", sectors=["公路工程", "谁也不会"])
    with database.writing() as connection:
        in_the_pool(connection, "road-builder", [Role.REVIEWER], sectors=["公路工程"])
    assert refused(hand, "organise_review", team("team-leader", "reviewer")).code == "unmet"
    hand.take("organise_review", team("team-leader", "road-builder"))


@pytest.mark.parametrize("types, lawful", [(("first",), False), (("renewal", "site_change"), False),
                                           (("extension",), True)])  # fmt: skip
def test_documents_alone_do_not_review_a_place(cma_case: Factory, types: tuple[str, ...], lawful: bool) -> None:
    hand = cma_case("accepted", types=types)
    command = team("team-leader", "reviewer", mode="documentary")
    if lawful:
        hand.take("organise_review", command)
    else:
        assert refused(hand, "organise_review", command).code == "unmet"


def test_a_commitment_is_verified_on_site(verification_case: Factory) -> None:
    hand = verification_case("opened")
    assert refused(hand, "organise_verification", team("team-leader", "reviewer", mode="documentary")).code == "unmet"


def test_whoever_concluded_against_an_agency_does_not_refuse_it_too(cma_case: Factory) -> None:
    both = person("team-leader", Role.TEAM_LEADER, Role.LEADER)
    hand = cma_case("under_review")
    hand.take("conclude_does_not_meet", by=both)
    assert refused(hand, "refuse", by=both).code == "forbidden"
    quick = cma_case("submitted", track="commitment")
    hat = person("window-officer", Role.WINDOW_OFFICER, Role.LEADER)
    quick.take("pass_formal_check", by=WINDOW_OFFICER)
    assert refused(quick, "refuse", by=hat).code == "forbidden"
    quick.take("refuse", by=LEADER)


def test_a_seat_on_the_team_ends_with_the_role(cma_case: Factory) -> None:
    hand = cma_case("under_review")
    former = person("team-leader", Role.WINDOW_OFFICER)
    assert refused(hand, "conclude_does_not_meet", by=former).code == "forbidden"


# -- certificates --------------------------------------------------------------------------------------------------


def held(hand: CaseHand) -> str:
    return str(hand.file.case.fact("certificate_number"))


def later(cma_case: Factory, first: CaseHand, kind: str, **more: Any) -> CaseHand:
    """A further application of the same agency that names its certificate, awaiting the decision."""
    return cma_case("awaiting_decision", types=(kind,), agency_id=first.agency_id, certificate_held=held(first), **more)


def test_a_renewal_renews_a_certificate_that_is_there(cma_case: Factory, database: Database) -> None:
    orphan = cma_case("awaiting_decision", types=("renewal",), certificate_held="999999999999")
    assert refused(orphan, "grant").code == "unmet"
    other = cma_case("granted")
    thief = cma_case("awaiting_decision", types=("renewal",), certificate_held=held(other))
    assert refused(thief, "grant").code == "unmet"


@pytest.mark.parametrize("values", [{"status": "annulled"}, {"valid_to": date(2026, 3, 1)}])
@pytest.mark.parametrize("kind", ["renewal", "extension"])
def test_what_is_no_longer_in_force_is_neither_renewed_nor_extended(
    cma_case: Factory, database: Database, kind: str, values: dict[str, Any]
) -> None:
    first = cma_case("granted")
    more = later(cma_case, first, kind)
    with database.writing() as connection:
        connection.execute(update(table_of(CertificateRecord)).values(**values))
    assert refused(more, "grant").code == "unmet"


def test_a_renewal_filed_in_time_is_granted_after_expiry(
    cma_case: Factory, database: Database, clock: MovableClock
) -> None:
    first = cma_case("granted")
    more = later(cma_case, first, "renewal")
    extension = later(cma_case, first, "extension")
    with database.writing() as connection:
        connection.execute(update(table_of(CertificateRecord)).values(valid_to=clock.today()))
    clock.move(days=1)
    assert refused(extension, "grant").code == "unmet"
    more.take("grant")
    assert more.state == "granted"


def test_a_certificate_is_renewed_once_and_not_extended_afterwards(cma_case: Factory) -> None:
    first = cma_case("granted")
    renewals = [later(cma_case, first, "renewal") for _ in range(2)]
    extension = later(cma_case, first, "extension")
    renewals[0].take("grant")
    assert refused(renewals[1], "grant").code == "unmet"
    assert refused(extension, "grant").code == "unmet"


def test_a_signatory_named_again_is_listed_once(cma_case: Factory, database: Database) -> None:
    first = cma_case("granted")
    later(cma_case, first, "extension").take("grant")
    with database.reading() as connection:
        standing = connection.scalars(
            select(AnnexSignatoryRecord.name).where(AnnexSignatoryRecord.until_version.is_(None))
        ).all()
    assert sorted(standing) == ["李四", "王五"]


def test_the_year_of_a_number_is_the_local_one(cma_case: Factory, clock: MovableClock) -> None:
    clock.at = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)
    hands = [cma_case("awaiting_decision") for _ in range(2)]
    hands[0].take("grant")
    clock.at = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)  # midnight in Shanghai
    hands[1].take("grant")
    assert [held(h)[:2] for h in hands] == ["26", "27"]


def test_a_certificate_of_the_leap_day_ends_on_the_last_of_february(
    cma_case: Factory, clock: MovableClock, database: Database
) -> None:
    clock.move_to(date(2028, 2, 29))
    cma_case("granted")
    with database.reading() as connection:
        assert connection.scalar(select(CertificateRecord.valid_to)) == date(2034, 2, 28)


# -- after the verification ----------------------------------------------------------------------------------------


def bars(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.scalars(select(CommitmentBarRecord.ground)))


def test_a_failed_rectification_costs_the_items_and_not_the_track(
    verification_case: Factory, database: Database
) -> None:
    hand = verification_case("rectified", rows=3)
    hand.take("reject_rectification")
    hand.take("annul", Annul(whole=False, rows=(1,), grounds="整改不合格", basis="《行政许可法》第六十九条"))
    assert (hand.state, bars(database)) == ("annulled", [])


def test_what_still_does_not_meet_is_not_confirmed(verification_case: Factory) -> None:
    hand = verification_case("rectified")
    hand.take("record_findings", RecordFindings(lines=((hand.checklist()[0], "does_not_meet", "未见授权文件"),)))
    assert refused(hand, "confirm_rectification").code == "unmet"


def test_a_commitment_for_an_extension_stakes_the_rows_that_it_added(
    cma_case: Factory, database: Database, clock: MovableClock
) -> None:
    first = cma_case("granted", rows=2)
    clock.move(days=10)
    more = cma_case("granted", track="commitment", rows=2, types=("extension",), agency_id=first.agency_id,
                    certificate_held=held(first))  # fmt: skip
    [check] = more.children()
    check.walk(("organise_verification", "record_findings", "find_untrue"))
    assert refused(check, "annul").code == "malformed"  # the whole certificate was granted on another application
    old = Annul(whole=False, rows=(1, 3), grounds="不实", basis="第六十九条")
    assert refused(check, "annul", old).code == "malformed"
    check.take("annul", Annul(whole=False, rows=(3, 4), grounds="不实", basis="第六十九条"))
    with database.reading() as connection:
        left = connection.scalars(select(AnnexRowRecord.ordinal).where(AnnexRowRecord.until_version.is_(None))).all()
    assert (sorted(left), bars(database)) == ([1, 2], ["false_commitment"])


def test_a_verification_whose_certificate_is_gone_can_be_closed_and_still_closes_the_track(
    verification_case: Factory, database: Database
) -> None:
    hand = verification_case("awaiting_annulment")
    assert refused(hand, "close_without_certificate").code == "unmet"
    with database.writing() as connection:
        connection.execute(update(table_of(CertificateRecord)).values(status="cancelled"))
    assert refused(hand, "annul").code == "unmet"
    hand.take("close_without_certificate")
    assert (hand.state, bars(database)) == ("without_certificate", ["false_commitment"])


def test_the_leader_may_find_that_there_is_no_ground_to_annul(verification_case: Factory, database: Database) -> None:
    hand = verification_case("awaiting_annulment")
    hand.take("do_not_annul", Decide(grounds="陈述申辩理由成立"))
    assert (hand.state, bars(database)) == ("not_annulled", [])


def test_the_visit_is_due_three_months_after_the_decision(verification_case: Factory, clock: MovableClock) -> None:
    assert clock_of(verification_case("opened"), "verification").due_on == date(2026, 6, 2)


def test_the_agency_sees_its_verification_and_another_does_not(verification_case: Factory, cases: CaseStore) -> None:
    hand = verification_case("opened")
    assert cases.get(hand.public_id, hand.applicant)
    with pytest.raises(Refusal):
        cases.get(hand.public_id, person("x", Role.APPLICANT, agency_id=agency(cases.database)))
