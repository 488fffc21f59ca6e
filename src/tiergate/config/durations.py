"""Reads lengths of time and budget windows; decides what `1m` means where.

Two questions are answered. `seconds` says how long something may take (`30`, `30s`, `5min`).
`window` says when a budget starts anew: calendar windows (`monthly`, `1mo`, `1d`) end with the
month, week, day, hour or year, all others (`30d`, `24h`, `60s`) are grids of a fixed length from
the first use. What is not understood raises `BadDuration`; there is no default.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SECONDS = {
    "s": 1,
    "sec": 1,
    "m": 60,
    "min": 60,
    "h": 3600,
    "d": 86_400,
    "w": 604_800,
}
"""Seconds of the units that have a fixed length."""

_CALENDAR_UNITS = {"h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_WORDS = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "yearly": "year",
}
_SPELLINGS = {
    "second": "1s",
    "minute": "1min",
    "hour": "hourly",
    "day": "daily",
    "week": "weekly",
    "month": "monthly",
    "year": "yearly",
    "annually": "yearly",
    "quarterly": "90d",
    "never": "none",
}
_UNIT_SPELLINGS = {
    "seconds": "s",
    "second": "s",
    "secs": "s",
    "minutes": "min",
    "minute": "min",
    "mins": "min",
    "hours": "h",
    "hour": "h",
    "hrs": "h",
    "hr": "h",
    "days": "d",
    "day": "d",
    "weeks": "w",
    "week": "w",
    "months": "mo",
    "month": "mo",
    "mon": "mo",
    "mos": "mo",
    "years": "y",
    "year": "y",
    "yr": "y",
}
_AMOUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(s|sec|min|mo|m|h|d|w|y)")
_LOOSE = re.compile(r"\s*([0-9]{1,9})\s*([A-Za-z]+)\s*")

LONGEST_SECONDS = 100 * 366 * 86_400
"""A hundred years. A longer time is a mistake."""

WINDOW_FORMS = "30s, 5min, 24h, 30d, 1mo, 1y, or hourly, daily, weekly, monthly, yearly"
SECONDS_FORMS = "a number of seconds, or a text such as 30s, 5min, 1h"


class BadDuration(ValueError):  # noqa: N818 - it speaks of the text, not of a fault
    """A text that is not a length of time; the message says why, `advice` what to write."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Window:
    """When a budget starts anew.

    Attributes:
        text: The words of the file.
        period: `calendar:UNIT`, `rolling:SECONDS` or `none`.
        month_by_m: `1m` was read as a calendar month.
        minute_by_m: `Nm` was read as minutes, which budgets rarely mean.
    """

    text: str
    period: str
    month_by_m: bool = False
    minute_by_m: bool = False

    @property
    def meaning(self) -> str:
        """The window in plain words: `one calendar month`, `30 days from the first use`."""
        kind, _, what = self.period.partition(":")
        if kind == "calendar":
            return f"one calendar {what}"
        return f"{show_seconds(int(what))} from the first use" if kind == "rolling" else "no end"


NO_WINDOW = Window("none", "none")
"""A total that never starts anew."""


def seconds(text: str) -> float:
    """Return the seconds that a text means: `30`, `0.5s`, `5min`, `1m`, `1h`, `1d`, `1w`.

    Raises:
        BadDuration: Months, years and words have no fixed length; other texts mean nothing.
    """
    match = _AMOUNT.fullmatch(text)
    if match and match[2] in SECONDS:
        return _bounded(float(match[1]) * SECONDS[match[2]], text)
    if re.fullmatch(r"[0-9]{1,10}(?:\.[0-9]{1,6})?", text):
        return _bounded(float(text), text)
    if match or text.lower() in _WORDS:
        raise BadDuration("has no fixed length in seconds", f"Write {SECONDS_FORMS}.")
    raise BadDuration("is not a length of time", _nearest(text) or f"Write {SECONDS_FORMS}.")


def window(value: str | float, *, m_is_month: bool = False) -> Window:
    """Return the budget window that a value means.

    Args:
        value: A text, or a number of seconds.
        m_is_month: True at the page's own (top-level) place, where `1m` means one calendar
            month. Elsewhere `m` is minutes, as LiteLLM reads it.

    Raises:
        BadDuration: The value is not understood, or is ambiguous at this place.
    """
    if not isinstance(value, str):
        whole = int(_bounded(value, str(value)))
        if whole != value or whole < 1:
            raise BadDuration("is not a whole number of seconds above 0", f"Write {WINDOW_FORMS}.")
        return Window(str(whole), f"rolling:{whole}")
    word = _WORDS.get(value.lower())
    if word:
        return Window(value, f"calendar:{word}")
    if value.lower() == "none":
        return Window(value, "none")
    match = _AMOUNT.fullmatch(value)
    if match is None or "." in match[1]:
        advice = _nearest(value) or f"Write {WINDOW_FORMS}."
        raise BadDuration("is not a budget window", advice)
    return _counted(value, int(match[1]), match[2], m_is_month=m_is_month)


def _counted(text: str, count: int, unit: str, *, m_is_month: bool) -> Window:
    if count == 0:
        raise BadDuration("is a window of no length", f"Write {WINDOW_FORMS}.")
    if unit == "m" and m_is_month:
        if count == 1:
            return Window(text, "calendar:month", month_by_m=True)
        raise BadDuration(
            "may mean months or minutes at this place", f"Write {count}min, or days such as 60d."
        )
    if count == 1 and unit in _CALENDAR_UNITS:
        return Window(text, f"calendar:{_CALENDAR_UNITS[unit]}")
    if unit not in SECONDS:
        raise BadDuration(
            "is several calendar months or years, and only one can be counted",
            "Write 1mo or 1y, or days such as 90d.",
        )
    length = int(_bounded(count * SECONDS[unit], text))
    return Window(text, f"rolling:{length}", minute_by_m=unit == "m")


def _bounded(length: float, text: str) -> float:
    if not 0 <= length <= LONGEST_SECONDS:  # also false for NaN
        raise BadDuration(f"{text[:20]} is out of range", f"Write {SECONDS_FORMS}.")
    return length


def _nearest(text: str) -> str:
    """Return the advice for a text that is nearly right, or an empty text."""
    lowered = text.strip().lower()
    if re.fullmatch(r"[0-9]+", lowered):
        return f"A unit is missing: write {lowered}s for seconds, {lowered}d for days."
    known = _SPELLINGS.get(lowered)
    if known:
        return f"Write {known}."
    match = _LOOSE.fullmatch(text)
    if match is None:
        return ""
    number, unit = match[1], match[2]
    if unit == "M":
        return f"Write {number}mo for months or {number}min for minutes."
    short = _UNIT_SPELLINGS.get(unit.lower(), unit.lower())
    return f"Write {number}{short}." if _AMOUNT.fullmatch(f"{number}{short}") else ""


def show_seconds(length: float) -> str:
    """Return a number of seconds in the largest unit that divides it: `2 hours`, `90 seconds`."""
    if length != int(length):
        return f"{length:g} seconds"
    for name, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if length and length % size == 0:
            count = int(length) // size
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "1 second" if length == 1 else f"{int(length)} seconds"
