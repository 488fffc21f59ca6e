"""Reads questions to the ledger from words: groups, filters, days and instants.

The command line and HTTP ask in the same words. What is summed is not decided here. A day begins
at midnight of the time zone that the question names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo

from tiergate.core.ledger import Group

GROUP_NAMES = ", ".join(group.value for group in Group)

_BACK = re.compile(r"(\d{1,5})([hdw])")
_BACK_SECONDS = {"h": 3600, "d": 86_400, "w": 604_800}
_YEAR = re.compile(r"\d{4}")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_KEY_START = "sk-"


class QueryError(ValueError):
    """A question to the ledger cannot be understood; the message says what would be."""


def read_group(text: str) -> Group:
    """Return the group of a name; `-` and `_` are one.

    Raises:
        QueryError: There is no such group.
    """
    try:
        return Group(text.strip().replace("-", "_"))
    except ValueError:
        raise QueryError(f"{text!r} is no group of spend; choose from {GROUP_NAMES}.") from None


def read_groups(text: str) -> tuple[Group, ...]:
    """Return the groups of a comma list, each once.

    Raises:
        QueryError: One of them does not exist.
    """
    return tuple(dict.fromkeys(read_group(part) for part in text.split(",") if part.strip()))


def read_where(conditions: Iterable[str]) -> tuple[tuple[Group, str], ...]:
    """Return the conditions of texts such as `alias=frontier`.

    Raises:
        QueryError: One has another form, or a group has two values (a record has one).
    """
    found: dict[Group, str] = {}
    for text in conditions:
        name, sign, value = text.partition("=")
        if not sign:
            raise QueryError(f"{text!r} is no condition; write GROUP=VALUE, as in alias=frontier.")
        group = read_group(name)
        value = condition_value(group, value)
        if found.setdefault(group, value) != value:
            raise QueryError(f"{group.value} has two values; give one condition for each group.")
    return tuple(found.items())


def condition_value(group: Group, value: str) -> str:
    """Return the value that a group's column must have.

    A virtual key may be given itself: the ledger only has its SHA-256.
    """
    if group is Group.KEY and value.startswith(_KEY_START):
        return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return value


def read_since(text: str, zone: tzinfo, now: float) -> float:
    """Return the first instant meant, in Unix seconds.

    Args:
        text: `2026`, `2026-11`, `2026-11-24`, an instant (`2026-11-24T10:00`, with or without an
            offset), or a time back from now (`24h`, `7d`, `2w`).
        zone: The zone of days, and of instants without an offset.
        now: Unix seconds.

    Raises:
        QueryError: The text is none of these.
    """
    first, _ = _span(text.strip(), zone, now)
    return first


def read_until(text: str, zone: tzinfo, now: float) -> float:
    """Return the first instant not meant any more; a year, month or day named is meant whole.

    Raises:
        QueryError: As `read_since`.
    """
    _, end = _span(text.strip(), zone, now)
    return end


def _span(text: str, zone: tzinfo, now: float) -> tuple[float, float]:
    """Return where a text begins and ends; an instant ends where it begins."""
    back = _BACK.fullmatch(text)
    if back is not None:
        instant = now - int(back[1]) * _BACK_SECONDS[back[2]]
        return instant, instant
    try:
        if _YEAR.fullmatch(text):
            year = int(text)
            return _days(date(year, 1, 1), date(year + 1, 1, 1), zone)
        month = _MONTH.fullmatch(text)
        if month is not None:
            first = date(int(month[1]), int(month[2]), 1)
            return _days(first, (first + timedelta(days=32)).replace(day=1), zone)
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            return _days(day, day + timedelta(days=1), zone)
        instant = _instant(text, zone)
    except (ValueError, OverflowError):
        raise QueryError(
            f"{text!r} is no time; write a day (2026-11-24), a month (2026-11), an instant "
            "(2026-11-24T10:00), or a time back from now (24h, 7d)."
        ) from None
    return instant, instant


def _days(first: date, following: date, zone: tzinfo) -> tuple[float, float]:
    return _midnight(first, zone), _midnight(following, zone)


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _instant(text: str, zone: tzinfo) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).timestamp()
