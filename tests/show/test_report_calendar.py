"""Days, weeks and months end at the accounts' own midnights."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.show.reports.periods.calendar import (
    Days,
    PeriodKind,
    is_over,
    last_complete,
    period_of,
)

NEW_YORK, TOKYO, CAIRO = (
    ZoneInfo(name) for name in ("America/New_York", "Asia/Tokyo", "Africa/Cairo")
)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(DAYS, st.sampled_from(PeriodKind))
def test_periods_follow_each_other_without_a_gap_and_hold_their_days(day, kind):
    period = period_of(kind, day)

    assert day in period.days
    assert period.previous.days.last + timedelta(days=1) == period.days.first
    assert period_of(kind, period.days.first) == period_of(kind, period.days.last) == period


@given(DAYS, st.sampled_from(PeriodKind))
def test_what_is_compared_ends_right_before_the_other_begins(day, kind):
    period = period_of(kind, day)

    assert period.former.last + timedelta(days=1) == period.compared.first
    assert period.compared.last == period.days.last
    if kind is not PeriodKind.MONTHLY:
        assert period.former.count == period.compared.count == 7


@given(DAYS, DAYS, st.sampled_from(PeriodKind))
def test_the_names_of_periods_sort_as_the_periods_do(one, other, kind):
    first, second = period_of(kind, one), period_of(kind, other)

    assert (first.days.first < second.days.first) == (first.key < second.key)


@pytest.mark.parametrize(
    ("kind", "day", "key"),
    [
        (PeriodKind.WEEKLY, date(2027, 1, 1), "2026-W53"),
        (PeriodKind.WEEKLY, date(2024, 12, 30), "2025-W01"),
        (PeriodKind.DAILY, date(2026, 5, 21), "2026-05-21"),
        (PeriodKind.MONTHLY, date(2028, 2, 29), "2028-02"),
    ],
)
def test_weeks_are_iso_weeks_and_years_turn_with_them(kind, day, key):
    assert period_of(kind, day).key == key


@pytest.mark.parametrize(
    ("day", "zone", "starts_at", "hours"),
    [
        (date(2026, 3, 8), NEW_YORK, "2026-03-08T05:00:00+00:00", 23),
        (date(2026, 11, 1), NEW_YORK, "2026-11-01T04:00:00+00:00", 25),
        # There is no midnight in Cairo on this day: the clock goes from 00:00 to 01:00.
        (date(2026, 4, 24), CAIRO, "2026-04-23T22:00:00+00:00", 23),
        (date(2026, 5, 17), TOKYO, "2026-05-16T15:00:00+00:00", 24),
    ],
)
def test_nights_in_which_the_clock_changes_are_as_long_as_they_are(day, zone, starts_at, hours):
    one = Days(day, day)

    assert one.starts_at(zone).isoformat() == starts_at
    assert one.ends_at(zone) - one.starts_at(zone) == timedelta(hours=hours)


def test_a_week_is_over_when_it_is_over_for_every_account():
    week = period_of(PeriodKind.WEEKLY, date(2026, 5, 17))
    monday_in_tokyo = datetime(2026, 5, 17, 15, 0, tzinfo=UTC)
    monday_in_new_york = datetime(2026, 5, 18, 4, 0, tzinfo=UTC)

    assert is_over(week, [TOKYO], monday_in_tokyo)
    assert not is_over(week, [TOKYO, NEW_YORK], monday_in_new_york - timedelta(seconds=1))
    assert is_over(week, [TOKYO, NEW_YORK], monday_in_new_york)
    assert last_complete(PeriodKind.WEEKLY, [TOKYO], monday_in_tokyo) == week
    assert last_complete(PeriodKind.WEEKLY, [TOKYO, NEW_YORK], monday_in_tokyo) == week.previous
    assert last_complete(PeriodKind.WEEKLY, [TOKYO, NEW_YORK], monday_in_new_york) == week


@given(
    st.integers(1_577_836_800, 1_893_456_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
    st.lists(st.sampled_from([NEW_YORK, TOKYO, CAIRO]), min_size=1, max_size=3),
    st.sampled_from(PeriodKind),
)
def test_the_newest_period_is_over_and_the_next_one_is_not(now, zones, kind):
    newest = last_complete(kind, zones, now)
    following = period_of(kind, newest.days.last + timedelta(days=1))

    assert is_over(newest, zones, now)
    assert not is_over(following, zones, now)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 5, 17), date(2026, 5, 17), "17 May 2026"),
        (date(2026, 5, 11), date(2026, 5, 17), "11–17 May 2026"),
        (date(2026, 4, 27), date(2026, 5, 3), "27 Apr – 3 May 2026"),
        (date(2026, 12, 28), date(2027, 1, 3), "28 Dec 2026 – 3 Jan 2027"),
    ],
)
def test_days_are_written_as_people_write_them(first, last, words):
    assert Days(first, last).words == words
