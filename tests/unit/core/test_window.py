"""Windows begin and end at the right instants, whatever the clocks do."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.window import (
    Calendar,
    Rolling,
    Span,
    Total,
    Unit,
    next_span,
    read_period,
    span_at,
    went_back,
)

BERLIN = ZoneInfo("Europe/Berlin")


def at(text, zone=UTC):
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def shown(span, zone=UTC):
    return tuple(
        datetime.fromtimestamp(each, zone).strftime("%Y-%m-%d %H:%M")
        for each in (span.start, span.end)
    )


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("calendar:month", Calendar(Unit.MONTH, UTC)),
        ("calendar:hour", Calendar(Unit.HOUR, UTC)),
        ("rolling:60", Rolling(60)),
        ("none", Total()),
    ],
)
def test_a_period_is_read(text, period):
    assert read_period(text, UTC) == period


@pytest.mark.parametrize("text", ["", "calendar:quarter", "rolling:0", "rolling:x", "monthly"])
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError):
        read_period(text, UTC)


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        (Unit.HOUR, "2026-11-25 14:00", "2026-11-25 15:00"),
        (Unit.DAY, "2026-11-25 00:00", "2026-11-26 00:00"),
        (Unit.WEEK, "2026-11-23 00:00", "2026-11-30 00:00"),
        (Unit.MONTH, "2026-11-01 00:00", "2026-12-01 00:00"),
        (Unit.YEAR, "2026-01-01 00:00", "2027-01-01 00:00"),
    ],
)
def test_calendar_windows_begin_with_their_unit(unit, start, end):
    assert shown(span_at(Calendar(unit, UTC), at("2026-11-25 14:35"))) == (start, end)


def test_a_month_ends_with_its_last_day_in_december_and_in_leap_years():
    month = Calendar(Unit.MONTH, UTC)

    assert shown(span_at(month, at("2026-12-31 23:59"))) == (
        "2026-12-01 00:00",
        "2027-01-01 00:00",
    )
    assert shown(span_at(month, at("2028-02-29 12:00"))) == (
        "2028-02-01 00:00",
        "2028-03-01 00:00",
    )


def test_the_end_of_a_window_belongs_to_the_next():
    month = Calendar(Unit.MONTH, UTC)
    turn = at("2026-12-01 00:00")

    assert span_at(month, turn - 0.001).end == turn
    assert span_at(month, turn).start == turn


def test_calendar_windows_follow_the_wall_of_their_zone():
    span = span_at(Calendar(Unit.MONTH, BERLIN), at("2026-11-30 23:30"))

    assert shown(span, BERLIN) == ("2026-12-01 00:00", "2027-01-01 00:00")


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)]
)
def test_a_day_is_as_long_as_daylight_saving_makes_it(day, hours):
    span = span_at(Calendar(Unit.DAY, BERLIN), at(f"{day} 12:00", BERLIN))

    assert span.end - span.start == hours * 3600


def test_where_clocks_jump_over_midnight_the_day_begins_with_the_jump():
    cairo = ZoneInfo("Africa/Cairo")
    span = span_at(Calendar(Unit.DAY, cairo), at("2024-04-26 12:00", cairo))

    assert shown(span, cairo) == ("2024-04-26 01:00", "2024-04-27 00:00")


def test_an_hour_that_is_repeated_across_midnight_enters_no_window_twice():
    johns = ZoneInfo("America/St_Johns")
    day = Calendar(Unit.DAY, johns)
    first = datetime(2006, 10, 29, 0, 0, 30, tzinfo=johns).timestamp()
    again = first + 60  # clocks went from 00:01 back to 23:01 of the day before

    assert datetime.fromtimestamp(again, johns).day == 28
    assert span_at(day, again) == span_at(day, first)


def test_rolling_windows_are_a_grid_from_the_first_use():
    minute = Rolling(60)
    first = span_at(minute, 1000.7)

    assert first == Span(1000, 1060)
    assert span_at(minute, 1059.9, first.start) == first
    assert span_at(minute, 1060, first.start) == Span(1060, 1120)
    assert span_at(minute, 1207, first.start) == Span(1180, 1240)


def test_a_total_never_ends():
    span = span_at(Total(), 1000)

    assert span == Span(1000, None)
    assert next_span(Total(), span, 10**12) is span
    assert next_span(Total(), span, 0) is span


def test_a_window_stays_until_its_end():
    span = Span(1000, 1060)

    assert next_span(Rolling(60), span, 1059.99) is span
    assert next_span(Rolling(60), span, 1060) == Span(1060, 1120)


def test_a_clock_that_goes_back_a_little_opens_no_closed_window():
    span = Span(1000, 1060)

    assert next_span(Rolling(60), span, 999) is span
    assert next_span(Rolling(60), span, 940) is span
    assert not went_back(span, 940)


def test_a_clock_that_was_far_ahead_does_not_keep_a_window_open_for_years():
    month = Calendar(Unit.MONTH, UTC)
    wrong = span_at(month, at("2035-01-10 00:00"))
    now = at("2026-11-25 00:00")

    assert went_back(wrong, now)
    assert shown(next_span(month, wrong, now)) == ("2026-11-01 00:00", "2026-12-01 00:00")


def test_the_last_moment_of_a_day_belongs_to_it():
    midnight = at("2015-01-01 00:00")

    assert span_at(Calendar(Unit.DAY, UTC), midnight - 0.0000004).end == midnight


ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Asia/Beirut",
    ]
).map(ZoneInfo)
INSTANTS = st.floats(at("1995-01-01"), at("2060-01-01"))


@given(st.sampled_from(Unit), ZONES, INSTANTS)
def test_every_instant_lies_in_one_window_and_windows_join(unit, zone, instant):
    period = Calendar(unit, zone)
    span = span_at(period, instant)

    assert span.start <= instant < span.end
    assert span_at(period, span.start) == span
    assert span_at(period, span.end - 1) == span
    assert span_at(period, span.end).start == span.end


@given(st.integers(1, 10**7), INSTANTS, INSTANTS)
def test_every_instant_lies_in_one_cell_of_a_rolling_grid(seconds, first, instant):
    grid = span_at(Rolling(seconds), first).start
    span = span_at(Rolling(seconds), instant, grid)

    assert span.start <= instant < span.end
    assert (span.start - grid) % seconds == 0
