"""When a budget's window begins and ends, in Unix seconds.

Calendar windows follow the wall of a time zone, daylight saving included; rolling windows are
grids of a fixed length from the first use; a total has no end. What is spent in a window is not
known here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import Enum
from typing import assert_never

HOUR_SECONDS = 3600


class Unit(Enum):
    """A calendar window's length."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A window that ends with the hour, day, week (on Monday), month or year of a time zone.

    Hours are those of UTC in every zone, so that a zone whose clocks move by half an hour has
    hours of one length.
    """

    unit: Unit
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Rolling:
    """Windows of a fixed length in seconds, one after the other from the first use."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Total:
    """One window without an end."""


Period = Calendar | Rolling | Total


@dataclass(frozen=True, slots=True)
class Span:
    """One window: from `start` up to, not including, `end`, in Unix seconds.

    `end` is None where the window never ends; it is also when the budget resets.
    """

    start: int
    end: int | None


def read_period(text: str, zone: tzinfo) -> Period:
    """Return the period that `core.catalog.BudgetRule.period` names.

    Args:
        text: `calendar:month|week|day|hour|year`, `rolling:SECONDS`, or `none`.
        zone: The time zone of calendar windows.

    Raises:
        ValueError: The text names no period.
    """
    kind, _, what = text.partition(":")
    if kind == "calendar":
        return Calendar(Unit(what), zone)
    if kind == "rolling":
        seconds = int(what)
        if seconds < 1:
            raise ValueError(f"{text!r} is a window of no length")
        return Rolling(seconds)
    if text == "none":
        return Total()
    raise ValueError(f"{text!r} is not a budget period")


def span_at(period: Period, at: float, grid: int | None = None) -> Span:
    """Return the window in which an instant lies.

    Args:
        period: The budget's period.
        at: Unix seconds.
        grid: Where a rolling grid has one of its beginnings (Unix seconds); None lets it begin at
            the second of `at`.
    """
    match period:
        case Calendar(Unit.HOUR, _):
            start = math.floor(at) // HOUR_SECONDS * HOUR_SECONDS
            return Span(start, start + HOUR_SECONDS)
        case Calendar(unit, zone):
            return _dates(unit, zone, at)
        case Rolling(seconds):
            second = math.floor(at)
            start = second if grid is None else second - (second - grid) % seconds
            return Span(start, start + seconds)
        case Total():
            return Span(math.floor(at), None)
        case _:
            assert_never(period)


def next_span(period: Period, current: Span, at: float) -> Span:
    """Return the window that `at` belongs to, seen from the window that was open last.

    A clock that goes back never opens a window again whose money is spent: up to one window's
    length behind the current window's start, the current window stays. A clock further back than
    that must have been wrong before; the window then begins where the clock now is, and its owner
    carries over what was spent (`went_back`).
    """
    if current.end is None or current.start <= at < current.end:
        return current
    if at < current.start and not went_back(current, at):
        return current
    return span_at(period, at, current.start)


def went_back(current: Span, at: float) -> bool:
    """Tell whether the clock stands more than a window's length before the current window."""
    return current.end is not None and at < current.start - (current.end - current.start)


def _dates(unit: Unit, zone: tzinfo, at: float) -> Span:
    # Whole seconds: a fraction near the next one would be rounded up, across midnight at worst.
    first = _first_day(unit, datetime.fromtimestamp(math.floor(at), zone).date())
    following = _following(unit, first)
    start, end = _midnight(first, zone), _midnight(following, zone)
    if at >= end:
        # Clocks that go back across midnight repeat the old day's last hour after the new day
        # has begun. That hour belongs to the new day: no window is entered twice.
        start, end = end, _midnight(_following(unit, following), zone)
    return Span(start, end)


def _first_day(unit: Unit, day: date) -> date:
    if unit is Unit.WEEK:
        return day - timedelta(days=day.weekday())
    if unit is Unit.MONTH:
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit is Unit.YEAR else day


def _following(unit: Unit, first: date) -> date:
    if unit is Unit.DAY:
        return first + timedelta(days=1)
    if unit is Unit.WEEK:
        return first + timedelta(days=7)
    if unit is Unit.MONTH:
        return (first + timedelta(days=32)).replace(day=1)
    return first.replace(year=first.year + 1)


def _midnight(day: date, zone: tzinfo) -> int:
    """Return when a day begins; where clocks jump over midnight, the instant of the jump."""
    return math.floor(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
