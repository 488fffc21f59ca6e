"""Cut a stretch of time into calendar steps that SQL can tell apart.

Days of a time zone have 24 hours save where clocks are moved, so a few stretches of equal days
describe years. The days are those of budgets (`core.window`), and reports agree with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never
from zoneinfo import ZoneInfo

from tiergate.core.ledger import Bucket
from tiergate.core.window import Calendar, Unit, span_at
from tiergate.stores.sql_session import SqlKind

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Days of one length, one after the other; in Unix seconds."""

    first: int
    start: int
    end: int
    length: int


@dataclass(frozen=True, slots=True)
class Steps:
    """The days of a stretch of time.

    Attributes:
        sql: An expression over the column `booked` that gives a day's number.
        starts: Where the calendar step begins that a day belongs to, by the day's number.
    """

    sql: str
    starts: Sequence[int]


def calendar_steps(since: float, until: float, bucket: Bucket, zone: str, kind: SqlKind) -> Steps:
    """Return the days from one instant to another, both included.

    Args:
        since: Unix seconds.
        until: Unix seconds, not before `since`.
        bucket: The step whose beginnings are wanted.
        zone: The time zone's name.
        kind: Whose SQL.

    Raises:
        ZoneInfoNotFoundError: There is no such time zone (a `KeyError`).
    """
    place = ZoneInfo(zone)
    day = Calendar(Unit.DAY, place)
    unit = Calendar(_UNITS[bucket], place)
    stretches: list[_Stretch] = []
    starts: list[int] = []
    at = since
    while True:
        span = span_at(day, at)
        end = span.start + _DAY_SECONDS if span.end is None else span.end
        length = end - span.start
        last = stretches[-1] if stretches else None
        if last is not None and last.length == length and last.end == span.start:
            stretches[-1] = _Stretch(last.first, last.start, end, length)
        else:
            stretches.append(_Stretch(len(starts), span.start, end, length))
        starts.append(span_at(unit, span.start).start)
        if end > until:
            return Steps(_expression(stretches, kind), starts)
        at = end


_UNITS: Mapping[Bucket, Unit] = {
    Bucket.DAY: Unit.DAY,
    Bucket.WEEK: Unit.WEEK,
    Bucket.MONTH: Unit.MONTH,
}


def _expression(stretches: Sequence[_Stretch], kind: SqlKind) -> str:
    cases = " ".join(
        f"WHEN booked < {stretch.end} THEN {stretch.first} + {_days(stretch, kind)}"
        for stretch in stretches
    )
    return f"CASE {cases} END"


def _days(stretch: _Stretch, kind: SqlKind) -> str:
    """Count whole days; a cast rounds down in SQLite, and to the nearest in PostgreSQL."""
    days = f"(booked - {stretch.start}) / {stretch.length}.0"
    match kind:
        case SqlKind.SQLITE:
            return f"CAST({days} AS INTEGER)"
        case SqlKind.POSTGRES:
            return f"CAST(FLOOR({days}) AS BIGINT)"
        case _:
            assert_never(kind)
