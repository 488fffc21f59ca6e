"""Calendar steps in SQL are the windows of budgets, whatever clocks do."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.core.ledger import Bucket
from tiergate.core.window import Calendar, Unit, span_at
from tiergate.stores.sql_session import SqlKind
from tiergate.stores.sql_steps import calendar_steps

YEAR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "Asia/Beirut",
    "America/Asuncion",
    "Pacific/Apia",
)


def evaluated(sql: str, booked: float) -> int:
    connection = sqlite3.connect(":memory:")
    try:
        return connection.execute(f"SELECT {sql} FROM (SELECT ? AS booked)", (booked,)).fetchone()[
            0
        ]
    finally:
        connection.close()


@given(
    st.floats(YEAR - 3e8, YEAR + 3e7, allow_nan=False),
    st.floats(0, 4e7, allow_nan=False),
    st.floats(0, 1),
    st.sampled_from(Bucket),
    st.sampled_from(ZONES),
)
def test_an_instant_falls_into_the_window_that_a_budget_would_give_it(
    since, more, part, bucket, zone
):
    at = since + more * part
    steps = calendar_steps(since, since + more, bucket, zone, SqlKind.SQLITE)

    start = steps.starts[evaluated(steps.sql, at)]

    assert start == span_at(Calendar(Unit(bucket.value), ZoneInfo(zone)), at).start


@pytest.mark.parametrize("zone", ZONES)
def test_every_boundary_of_a_year_is_exact(zone):
    steps = calendar_steps(YEAR, YEAR + 366 * 86_400, Bucket.DAY, zone, SqlKind.SQLITE)
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE instants (booked REAL)")
    days = steps.starts[1:]
    connection.executemany(
        "INSERT INTO instants VALUES (?)", [(day + off,) for day in days for off in (-1e-6, 0.0)]
    )

    found = [
        row[0] for row in connection.execute(f"SELECT {steps.sql} FROM instants ORDER BY rowid")
    ]

    connection.close()
    assert found == [number for n in range(len(days)) for number in (n, n + 1)]


def test_a_year_is_a_few_cases_not_hundreds():
    steps = calendar_steps(
        YEAR, YEAR + 365 * 86_400, Bucket.MONTH, "Europe/Berlin", SqlKind.SQLITE
    )

    assert steps.sql.count("WHEN") == 5
    assert len(set(steps.starts)) == 13


def test_postgres_rounds_down_before_it_casts():
    steps = calendar_steps(YEAR, YEAR, Bucket.DAY, "UTC", SqlKind.POSTGRES)

    assert steps.sql == (
        "CASE WHEN booked < 1767312000 THEN 0 + "
        "CAST(FLOOR((booked - 1767225600) / 86400.0) AS BIGINT) END"
    )
    assert steps.starts == [1767225600]


def test_there_must_be_such_a_time_zone():
    with pytest.raises(KeyError):
        calendar_steps(0, 1, Bucket.DAY, "Mars/Olympus", SqlKind.SQLITE)
