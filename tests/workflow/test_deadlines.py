"""A deadline falls where the law and the State Council's notices put it, and explains itself."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.workflow import oracle_calendar as oracle
from workflow import deadlines
from workflow.deadlines import (
    Allowance,
    AllowanceError,
    Basis,
    Calendar,
    CalendarError,
    CalendarYear,
    Clock,
    ClockError,
    NoAllowance,
    Outcome,
    Rest,
    SegmentKind,
    Standing,
    Unit,
    Why,
    due,
    expiry,
    in_force,
    proofread,
    renewal_window,
    shift_months,
)

REFERENCE = Path(__file__).parents[2] / "reference"


def read(path: Path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


CALENDAR = Calendar.of(
    CalendarYear.from_plain(read(path)) for path in sorted((REFERENCE / "calendar").glob("CN-*.yaml"))
)
ALLOWANCES = proofread(Allowance.from_plain(row) for row in read(REFERENCE / "allowances.yaml")["rows"])


def working_days(amount: int, name: str = "trial") -> Allowance:
    return Allowance(name, amount, Unit.WORKING_DAYS, "an article", date(2015, 1, 1))


def day(text: str) -> date:
    return date.fromisoformat(text)


# ---- the calendar


def days_between(spans: str) -> set[date]:
    found = set()
    for span in spans.split():
        first, _, last = span.partition("..")
        at = day(first)
        while at <= day(last or first):
            found.add(at)
            at += timedelta(days=1)
    return found


# Written down from the State Council's notices, not from the files under test.
NOTICES = {
    2025: (
        "2025-01-01 2025-01-28..2025-02-04 2025-04-04..2025-04-06 2025-05-01..2025-05-05"
        " 2025-05-31..2025-06-02 2025-10-01..2025-10-08",
        "2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11",
    ),
    2026: (
        "2026-01-01..2026-01-03 2026-02-15..2026-02-23 2026-04-04..2026-04-06 2026-05-01..2026-05-05"
        " 2026-06-19..2026-06-21 2026-09-25..2026-09-27 2026-10-01..2026-10-07",
        "2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10",
    ),
}


@pytest.mark.parametrize("year", NOTICES)
def test_every_day_of_a_year_is_as_the_notice_says(year):
    off, make_up = (days_between(spans) for spans in NOTICES[year])
    for number in range(366 if year % 4 == 0 else 365):
        at = date(year, 1, 1) + timedelta(days=number)
        expected = at in make_up or (at not in off and at.isoweekday() < 6)
        assert CALENDAR.is_working(at) is expected, at


def test_2026_has_248_working_days():
    assert CALENDAR.count(date(2025, 12, 31), date(2026, 12, 31)) == 248


def test_only_years_with_a_notice_are_confirmed():
    assert [year for year in range(2015, 2036) if CALENDAR.confirmed(year)] == list(range(2019, 2027))
    assert CALENDAR.confirmed_until == date(2026, 12, 31)


def test_an_unconfirmed_year_still_knows_its_statutory_days():
    assert not CALENDAR.is_working(date(2027, 10, 1))
    assert CALENDAR.name(date(2027, 10, 1)) == "国庆节"


def test_counting_days_equals_the_oracle_both_ways():
    after = date(2019, 3, 1)
    for length in range(0, 4000, 37):
        until = after + timedelta(days=length)
        assert CALENDAR.count(after, until) == oracle.working_between(after, until)
        assert CALENDAR.count(until, after) == -CALENDAR.count(after, until)


def test_counting_back_undoes_counting_forward():
    for number in range(0, 900, 13):
        start = date(2025, 6, 1) + timedelta(days=number)
        ahead = CALENDAR.nth_after(start, 1)
        for amount in (1, 5, 20, 300):
            reached = CALENDAR.nth_after(ahead, amount)
            assert CALENDAR.nth_before(reached, amount) == ahead
            assert CALENDAR.count(ahead, reached) == amount


def test_a_year_that_contradicts_itself_is_refused():
    saturday, sunday_off = date(2026, 2, 14), {date(2026, 2, 14): "春节"}
    with pytest.raises(CalendarError, match="2026-02-14 is both"):
        CalendarYear(2026, sunday_off, {saturday: "调休"}, True)
    with pytest.raises(CalendarError, match="not on a weekend"):
        CalendarYear(2026, {}, {date(2026, 2, 13): "调休"}, True)
    with pytest.raises(CalendarError, match="another year"):
        CalendarYear(2026, {date(2025, 1, 1): "元旦"}, {}, True)
    with pytest.raises(CalendarError, match="twice"):
        Calendar.of([CalendarYear(2026, {}, {}, True), CalendarYear(2026, {}, {}, True)])
    with pytest.raises(CalendarError, match="not a date"):
        CalendarYear.from_plain({"year": 2026, "confirmed": True, "off": [{"date": "2026-02-30"}]})
    with pytest.raises(CalendarError, match="listed twice"):
        CalendarYear.from_plain({"year": 2026, "confirmed": True, "off": [{"date": "2026-01-01"}] * 2})
    with pytest.raises(CalendarError, match="confirmed"):
        CalendarYear.from_plain({"year": 2026})


def test_a_calendar_changes_its_version_with_its_content_only():
    again = Calendar.of(reversed(CALENDAR.years))
    assert (again, again.version) == (CALENDAR, CALENDAR.version)
    swapped = CALENDAR.with_year(CalendarYear(2027, {}, {date(2027, 2, 14): "调休"}, True))
    assert swapped.version != CALENDAR.version
    assert swapped.confirmed(2027)
    assert swapped.is_working(date(2027, 2, 14))


# ---- the due day


@pytest.mark.parametrize(
    ("started_on", "amount", "expected"),
    [
        ("2026-02-10", 5, "2026-02-24"),
        ("2026-09-18", 10, "2026-10-09"),
        ("2026-04-28", 5, "2026-05-08"),
        ("2026-01-01", 5, "2026-01-08"),
    ],
)
def test_the_known_vectors_hold(started_on, amount, expected):
    reckoned = due(day(started_on), working_days(amount), CALENDAR)
    assert (reckoned.on, reckoned.provisional) == (day(expected), False)


@pytest.mark.parametrize("amount", [1, 5, 10, 20, 45])
def test_every_day_from_2020_to_2035_equals_the_oracle(amount):
    allowance = working_days(amount)
    start, end = date(2020, 1, 1), date(2035, 12, 31)
    differences, computed = [], 0
    while start <= end:
        reckoned = due(start, allowance, CALENDAR)
        if (reckoned.on, reckoned.provisional) != oracle.due(start, amount):
            differences.append((start, reckoned.on))
        start += timedelta(days=1)
        computed += 1
    assert differences == []
    assert computed == 5844  # x 5 amounts = 29,220


def test_a_deadline_that_reaches_past_the_last_notice_is_provisional():
    assert not due(date(2026, 12, 30), working_days(1), CALENDAR).provisional
    assert due(date(2026, 12, 30), working_days(2), CALENDAR).provisional
    assert due(date(2018, 12, 3), working_days(1), CALENDAR).provisional  # before the first year we hold


def test_a_year_confirmed_later_settles_the_deadline():
    notice = CalendarYear(2027, {date(2027, 1, 1): "元旦"}, {date(2027, 1, 3): "调休"}, True)
    reckoned = due(date(2026, 12, 30), working_days(2), CALENDAR.with_year(notice))
    assert (reckoned.on, reckoned.provisional) == (date(2027, 1, 3), False)


rests_in_2026 = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 40)).map(
        lambda pair: (
            date(2026, 1, 1) + timedelta(days=pair[0]),
            date(2026, 1, 1) + timedelta(days=sum(pair)),
        )
    ),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(st.dates(date(2026, 1, 1), date(2026, 7, 1)), st.integers(0, 45), rests_in_2026)
def test_with_any_rests_the_due_day_equals_the_oracle(started_on, amount, rests):
    reckoned = due(started_on, working_days(amount), CALENDAR, [Rest(*rest, "补正") for rest in rests])
    expected, provisional = oracle.due(started_on, amount, tuple(rests))
    if amount:
        assert (reckoned.on, reckoned.provisional) == (expected, provisional)
    lines = reckoned.lines
    assert sum(line.counted for line in lines) == lines[-1].total == amount
    for earlier, later in zip(lines, lines[1:], strict=False):
        assert later.since == earlier.until + timedelta(days=1)
        assert later.total == earlier.total + later.counted
    assert lines[0].since == started_on
    assert lines[-1].until == reckoned.on


def test_the_explanation_can_be_followed_line_by_line():
    rests = [Rest(day("2026-02-12"), day("2026-02-13"), "补正")]
    lines = due(day("2026-02-10"), working_days(5), CALENDAR, rests).lines
    told = [(str(line.since)[5:], str(line.until)[5:], line.why, line.counted, line.note) for line in lines]
    assert told == [
        ("02-10", "02-10", Why.EVENT_DAY, 0, ""),
        ("02-11", "02-11", Why.WORKING, 1, ""),
        ("02-12", "02-13", Why.RESTING, 0, "补正"),
        ("02-14", "02-14", Why.MAKE_UP, 1, "调休上班（换 2026-02-20 休息）"),
        ("02-15", "02-15", Why.WEEKEND, 0, ""),
        ("02-16", "02-16", Why.HOLIDAY, 0, "农历除夕"),
        ("02-17", "02-19", Why.HOLIDAY, 0, "春节"),
        ("02-20", "02-20", Why.HOLIDAY, 0, "休息日（由 2026-02-14 调休）"),
        ("02-21", "02-22", Why.WEEKEND, 0, ""),
        ("02-23", "02-23", Why.HOLIDAY, 0, "休息日（由 2026-02-28 调休）"),
        ("02-24", "02-26", Why.WORKING, 3, ""),
    ]


def test_the_explanation_marks_days_of_an_unconfirmed_year():
    lines = due(date(2026, 12, 30), working_days(3), CALENDAR).lines
    assert [line.settled for line in lines] == [True, True] + [False] * (len(lines) - 2)
    assert len(lines) > 2


def test_an_open_rest_leaves_the_due_day_open_and_keeps_what_is_unspent():
    rests = [Rest(day("2026-06-03"), None, "技术评审")]
    reckoned = due(day("2026-06-01"), working_days(10), CALENDAR, rests)
    assert (reckoned.on, reckoned.unspent) == (None, 9)
    assert [line.why for line in reckoned.lines] == [Why.EVENT_DAY, Why.WORKING, Why.RESTING]


def test_a_rest_that_begins_after_the_time_ran_out_changes_nothing():
    rests = [Rest(day("2026-06-30"), None, "补正")]
    assert due(day("2026-06-01"), working_days(5), CALENDAR, rests).on == day("2026-06-08")


def test_a_rest_cannot_end_before_it_begins():
    with pytest.raises(ValueError, match="cannot end"):
        Rest(day("2026-06-03"), day("2026-06-02"), "补正")


def test_holidays_do_not_move_calendar_limits_but_rests_do():
    months = Allowance("verification", 3, Unit.MONTHS, "an article", date(2019, 12, 1))
    assert due(day("2026-07-01"), months, CALENDAR).on == day("2026-10-01")  # a holiday, and still the day
    rested = due(
        day("2026-07-01"), months, CALENDAR, [Rest(day("2026-07-10"), day("2026-07-14"), "不可抗力")]
    )
    assert rested.on == day("2026-10-06")
    assert not rested.provisional
    assert [line.counted for line in rested.lines] == [0, 8, 0, 84]
    days = Allowance("reconsideration", 60, Unit.CALENDAR_DAYS, "an article", date(2024, 1, 1))
    assert due(day("2026-07-01"), days, CALENDAR).on == day("2026-08-30")


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2026-08-31", 3, "2026-11-30"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2023-11-30", 3, "2024-02-29"),
        ("2027-05-31", -3, "2027-02-28"),
        ("2026-01-15", -3, "2025-10-15"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_months_end_on_the_corresponding_day_or_the_last(start, months, expected):
    assert shift_months(day(start), months) == day(expected)


@pytest.mark.parametrize(
    ("issued_on", "expected"),
    [
        ("2016-03-23", "2022-03-22"),
        ("2021-12-01", "2027-11-30"),
        ("2024-02-29", "2030-02-28"),
        ("2026-01-01", "2031-12-31"),
    ],
)
def test_a_certificate_expires_on_the_eve_of_its_anniversary(issued_on, expected):
    allowance = in_force(ALLOWANCES, "certificate_validity", day(issued_on))
    assert expiry(day(issued_on), allowance) == day(expected)


def test_renewal_is_applied_for_three_months_before_expiry():
    allowance = in_force(ALLOWANCES, "renewal_window", day("2026-06-01"))
    assert renewal_window(day("2027-11-30"), allowance) == day("2027-08-30")
    assert renewal_window(day("2027-05-31"), allowance) == day("2027-02-28")


def test_a_commitment_is_verified_within_three_months_of_the_decision():
    allowance = in_force(ALLOWANCES, "commitment_verification", day("2026-11-30"))
    assert deadlines.commitment_verification_due(day("2026-11-30"), allowance) == day("2027-02-28")


def test_lengths_in_the_wrong_unit_are_refused():
    for reckon in (expiry, renewal_window, deadlines.commitment_verification_due):
        with pytest.raises(ValueError, match="working_days"):
            reckon(date(2026, 1, 1), working_days(5))


def test_notice_before_an_event_is_counted_back():
    notice = in_force(ALLOWANCES, "hearing_notice", day("2026-10-12"))
    assert deadlines.no_later_than(day("2026-10-12"), notice, CALENDAR) == day("2026-09-24")


# ---- allowances


@pytest.mark.parametrize(
    ("name", "on", "amount", "basis"),
    [
        ("decision", "2019-11-30", 20, Basis.LAW),
        ("decision", "2019-12-01", 15, Basis.POLICY),
        ("decision", "2021-05-31", 15, Basis.POLICY),
        ("decision", "2021-06-01", 10, Basis.LAW),
        ("delivery", "2018-01-01", 10, Basis.LAW),
        ("delivery", "2026-01-01", 7, Basis.LAW),
        ("technical_review", "2021-05-31", 45, Basis.LAW),
        ("technical_review", "2021-06-01", 30, Basis.LAW),
        ("acceptance", "2026-01-01", 5, Basis.LAW),
        ("joint_handling", "2026-01-01", 45, Basis.LAW),
        ("joint_handling_extension", "2026-01-01", 15, Basis.LAW),
        ("department_opinion", "2026-01-01", 5, Basis.PROMISE),
    ],
)
def test_the_allowance_of_the_day_applies(name, on, amount, basis):
    found = in_force(ALLOWANCES, name, day(on))
    assert (found.amount, found.basis) == (amount, basis)
    assert found.article


def test_nothing_in_force_is_said_with_name_and_day():
    with pytest.raises(NoAllowance, match="'commitment_decision' is in force on 2018-01-01"):
        in_force(ALLOWANCES, "commitment_decision", day("2018-01-01"))


def test_two_rows_for_one_day_are_refused():
    rows = [working_days(5), working_days(7)]
    with pytest.raises(AllowanceError, match="overlap"):
        proofread(rows)
    with pytest.raises(AllowanceError, match="two allowances"):
        in_force(rows, "trial", day("2026-01-01"))


@pytest.mark.parametrize(
    "spoilt",
    [{"amount": "five"}, {"amount": True}, {"amount": -1}, {"unit": "fortnights"}, {"article": ""},
     {"valid_from": "soon"}, {"valid_to": "2014-01-01"}, {"basis": "hearsay"}, {"name": ""}],
)  # fmt: skip
def test_a_malformed_row_is_refused(spoilt):
    with pytest.raises(AllowanceError):
        Allowance.from_plain({**working_days(5).plain(), **spoilt})


def test_an_allowance_survives_being_written_down():
    for row in ALLOWANCES:
        assert Allowance.from_plain(json.loads(json.dumps(row.plain()))) == row


# ---- clocks


@pytest.fixture
def running_clock() -> Clock:
    """Ten working days from Monday 2026-06-01: due 2026-06-15."""
    return deadlines.start("decision", working_days(10, "decision"), day("2026-06-01"), CALENDAR)


def test_a_clock_starts_the_day_after_the_event(running_clock):
    assert running_clock.due_on == day("2026-06-15")
    assert deadlines.days_left(running_clock, day("2026-06-01"), CALENDAR) == 10


@pytest.mark.parametrize(
    ("today", "standing", "left"),
    [
        ("2026-06-01", Standing.RUNNING, 10),
        ("2026-06-10", Standing.RUNNING, 3),
        ("2026-06-11", Standing.NEAR, 2),
        ("2026-06-13", Standing.NEAR, 1),
        ("2026-06-15", Standing.DUE_TODAY, 0),
        ("2026-06-16", Standing.OVERDUE, -1),
        ("2026-06-18", Standing.OVERDUE, -3),
    ],
)
def test_a_clock_tells_how_it_stands(running_clock, today, standing, left):
    assert deadlines.standing(running_clock, day(today), CALENDAR) is standing
    assert deadlines.days_left(running_clock, day(today), CALENDAR) == left
    assert deadlines.has_lapsed(running_clock, day(today)) is (left < 0)


def test_a_clock_overdue_since_friday_is_overdue_on_saturday():
    clock = deadlines.start("acceptance", working_days(4), day("2026-06-08"), CALENDAR)
    assert clock.due_on == day("2026-06-12")
    assert deadlines.days_left(clock, day("2026-06-13"), CALENDAR) == -1


def test_days_of_rest_do_not_count(running_clock):
    rested = deadlines.rest(running_clock, day("2026-06-03"), "技术评审", CALENDAR)
    assert rested.due_on is None
    assert rested.is_resting
    assert deadlines.standing(rested, day("2026-09-01"), CALENDAR) is Standing.RESTING
    assert deadlines.days_left(rested, day("2026-09-01"), CALENDAR) == 9
    assert not deadlines.has_lapsed(rested, day("2026-09-01"))
    resumed = deadlines.resume(rested, day("2026-06-10"), CALENDAR)
    assert resumed.due_on == day("2026-06-24")  # nine days after 10 June; 19 June is a holiday
    assert [(s.kind, s.since, s.until) for s in deadlines.segments(resumed)] == [
        (SegmentKind.RUNNING, day("2026-06-01"), day("2026-06-02")),
        (SegmentKind.RESTING, day("2026-06-03"), day("2026-06-10")),
        (SegmentKind.RUNNING, day("2026-06-11"), None),
    ]
    assert deadlines.segments(rested)[-1].kind is SegmentKind.RESTING


def test_a_clock_paused_on_its_last_day_still_has_that_day(running_clock):
    rested = deadlines.rest(running_clock, day("2026-06-15"), "听证", CALENDAR)
    assert deadlines.days_left(rested, day("2026-06-30"), CALENDAR) == 1
    assert deadlines.resume(rested, day("2026-06-30"), CALENDAR).due_on == day("2026-07-01")


def test_a_rest_cannot_revive_a_clock_that_ran_out(running_clock):
    late = deadlines.rest(running_clock, day("2026-06-20"), "补正", CALENDAR)
    assert late.due_on == day("2026-06-15")
    assert deadlines.standing(late, day("2026-06-21"), CALENDAR) is Standing.OVERDUE
    assert deadlines.resume(late, day("2026-06-25"), CALENDAR).due_on == day("2026-06-15")


def test_an_extension_is_granted_once(running_clock):
    more = in_force(ALLOWANCES, "decision_extension", day("2026-06-10"))
    extended = deadlines.extend(running_clock, more, day("2026-06-10"), "案情复杂", CALENDAR)
    assert (extended.amount, extended.due_on) == (20, day("2026-06-30"))
    with pytest.raises(ClockError, match="already extended"):
        deadlines.extend(extended, more, day("2026-06-11"), "再延", CALENDAR)
    months = in_force(ALLOWANCES, "renewal_window", day("2026-06-10"))
    with pytest.raises(ClockError, match="not months"):
        deadlines.extend(running_clock, months, day("2026-06-10"), "", CALENDAR)


def test_a_duty_is_met_on_its_last_day_and_missed_on_the_next(running_clock):
    met = deadlines.stop(running_clock, day("2026-06-15"), CALENDAR)
    assert (met.outcome, met.stopped_on) == (Outcome.MET, day("2026-06-15"))
    assert deadlines.standing(met, day("2026-09-01"), CALENDAR) is Standing.MET
    assert deadlines.days_left(met, day("2026-09-01"), CALENDAR) == 0
    assert deadlines.stop(running_clock, day("2026-06-16"), CALENDAR).outcome is Outcome.MISSED
    dropped = deadlines.stop(running_clock, day("2026-06-16"), CALENDAR, Outcome.DROPPED)
    assert deadlines.standing(dropped, day("2026-06-16"), CALENDAR) is Standing.DROPPED
    assert deadlines.segments(met)[-1].until == day("2026-06-15")


def test_a_resting_clock_can_be_stopped(running_clock):
    rested = deadlines.rest(running_clock, day("2026-06-03"), "补正", CALENDAR)
    stopped = deadlines.stop(rested, day("2026-08-03"), CALENDAR)
    assert (stopped.outcome, stopped.rests[-1].until) == (Outcome.MET, day("2026-08-03"))


def test_a_clock_does_not_do_what_its_state_forbids(running_clock):
    rested = deadlines.rest(running_clock, day("2026-06-03"), "补正", CALENDAR)
    stopped = deadlines.stop(running_clock, day("2026-06-05"), CALENDAR)
    with pytest.raises(ClockError, match="already rests"):
        deadlines.rest(rested, day("2026-06-04"), "补正", CALENDAR)
    with pytest.raises(ClockError, match="does not rest"):
        deadlines.resume(running_clock, day("2026-06-04"), CALENDAR)
    with pytest.raises(ClockError, match="lies before"):
        deadlines.resume(rested, day("2026-06-02"), CALENDAR)
    with pytest.raises(ClockError, match="lies before"):
        deadlines.stop(running_clock, day("2026-05-31"), CALENDAR)
    with pytest.raises(ClockError, match="stopped on"):
        deadlines.rest(stopped, day("2026-06-06"), "补正", CALENDAR)


def test_a_clock_keeps_the_law_it_started_under():
    old = in_force(ALLOWANCES, "decision", day("2021-05-20"))
    clock = deadlines.start("decision", old, day("2021-05-20"), CALENDAR)
    assert clock.amount == 15
    assert clock.due_on == day("2021-06-10")


def test_a_provisional_clock_settles_when_the_notice_is_in():
    clock = deadlines.start("decision", working_days(10), day("2026-12-28"), CALENDAR)
    assert clock.provisional
    notice = CalendarYear(2027, {date(2027, 1, 1): "元旦"}, {date(2027, 1, 3): "调休"}, True)
    settled = deadlines.reckon(clock, CALENDAR.with_year(notice))
    assert not settled.provisional
    assert (clock.due_on, settled.due_on) == (day("2027-01-12"), day("2027-01-11"))
    assert settled.calendar_version != clock.calendar_version
    stopped = deadlines.stop(clock, day("2026-12-30"), CALENDAR)
    assert deadlines.reckon(stopped, CALENDAR.with_year(notice)) == stopped


def test_a_clock_survives_being_written_down(running_clock):
    clock = deadlines.rest(running_clock, day("2026-06-03"), "补正", CALENDAR)
    clock = deadlines.resume(clock, day("2026-06-05"), CALENDAR)
    clock = deadlines.extend(clock, working_days(10, "more"), day("2026-06-08"), "案情复杂", CALENDAR)
    for stage in (running_clock, clock, deadlines.stop(clock, day("2026-06-09"), CALENDAR)):
        assert Clock.from_plain(json.loads(json.dumps(stage.plain()))) == stage


@settings(max_examples=200, deadline=None)
@given(
    st.dates(date(2026, 1, 1), date(2026, 5, 1)),
    st.integers(1, 45),
    st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=4),
)
def test_pausing_and_resuming_step_by_step_equals_the_whole_at_once(started_on, amount, steps):
    clock = deadlines.start("trial", working_days(amount), started_on, CALENDAR)
    at = started_on
    for ahead, length in steps:
        at += timedelta(days=ahead)
        clock = deadlines.rest(clock, at, "补正", CALENDAR)
        at += timedelta(days=length)
        clock = deadlines.resume(clock, at, CALENDAR)
    expected, _ = oracle.due(started_on, amount, tuple((r.since, r.until) for r in clock.rests))
    assert clock.due_on == expected
    assert deadlines.reckoning(clock, CALENDAR).lines[-1].total == amount
