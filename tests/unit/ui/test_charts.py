"""A chart has every day, the dearest names, and sums that are the ledger's."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tiergate.core.ledger import SpendRow
from tiergate.ui.charts import MOST_DAYS, MOST_NAMES, NOBODY, OTHERS, by_day
from tiergate.ui.rendering import Moment

DAY = 86_400
MIDNIGHT = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp())
NOW = Moment(MIDNIGHT + 3600.0, UTC)


def row(key: str, start: int | None, cost: int) -> SpendRow:
    return SpendRow(
        keys=(key,), start=start, calls=1, failed=0, input=0, output=0, cached=0, written=0,
        cost=cost, saving=0, estimated=0,
    )  # fmt: skip


def test_days_without_calls_are_there_too():
    rows = [row("a", MIDNIGHT - 2 * DAY, 5), row("b", MIDNIGHT, 7)]
    chart = by_day("T", rows, MIDNIGHT - 2 * DAY, NOW, {"a": "Anna"})
    assert chart.days == ("2026-11-22", "2026-11-23", "2026-11-24")
    assert chart.names == ("b", "Anna")
    assert chart.amounts == {"b": (0, 0, 7), "Anna": (5, 0, 0)}
    assert chart.totals() == (5, 0, 7)
    assert not chart.empty


def test_what_the_script_draws_is_dollars():
    chart = by_day("T", [row("", MIDNIGHT, 500_000_000)], MIDNIGHT, NOW, {})
    assert json.loads(chart.numbers()) == {
        "days": ["2026-11-24"],
        "series": [{"name": NOBODY, "usd": [0.5]}],
    }


def test_many_names_become_the_dearest_and_others():
    rows = [row(f"n{number:02}", MIDNIGHT, 100 - number) for number in range(20)]
    chart = by_day("T", rows, MIDNIGHT, NOW, {})
    assert len(chart.names) == MOST_NAMES
    assert chart.names[-1] == OTHERS
    assert sum(chart.totals()) == sum(r.cost for r in rows)


def test_names_that_cost_nothing_have_no_colour():
    rows = [row("", MIDNIGHT, 0), row("a", MIDNIGHT, 1)]
    assert by_day("T", rows, MIDNIGHT, NOW, {}).names == ("a",)


def test_a_period_without_beginning_begins_with_the_first_row():
    assert by_day("T", [row("a", MIDNIGHT - DAY, 1)], None, NOW, {}).days[0] == "2026-11-23"
    empty = by_day("T", [], None, NOW, {})
    assert (empty.days, empty.totals(), empty.empty) == (("2026-11-24",), (0,), True)


def test_very_many_days_are_cut_to_the_last():
    chart = by_day("T", [row("a", 0, 9), row("a", MIDNIGHT, 1)], None, NOW, {})
    assert len(chart.days) == MOST_DAYS
    assert chart.totals()[-1] == 1
