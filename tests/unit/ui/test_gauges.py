"""A budget is drawn to scale, and its state is said in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from support.ui_world import USD, budget
from tiergate.ui.gauges import gauges, nearest


def one(**given):
    return gauges([budget(**given)])[0]


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, "fine"),
        ({"spent": 80 * USD}, "near"),
        ({"spent": 70 * USD, "held": 10 * USD}, "near"),
        ({"spent": 100 * USD}, "over"),
        ({"spent": 0, "limit": 0}, "over"),
        ({"forecast": 101 * USD}, "tight"),
        ({"forecast": 101 * USD, "spent": 9 * USD}, "fine"),
        ({"forecast": None}, "fine"),
    ],
)
def test_the_state_is_what_stands_nearest(given, state):
    found = one(**given)
    assert found.state == state
    assert found.words


def test_parts_are_of_the_limit():
    found = one(held=10 * USD)
    assert (found.used, found.spent, found.held, found.limit, found.forecast) == (
        0.5, 40.0, 50.0, 100.0, 50.0,
    )  # fmt: skip


def test_what_is_above_the_limit_makes_the_bar_longer():
    found = one(forecast=125 * USD)
    assert (found.limit, found.forecast, found.spent) == (80.0, 100.0, 32.0)


def test_a_far_forecast_does_not_squeeze_the_rest():
    found = one(forecast=10_000 * USD)
    assert (found.limit, found.forecast) == (66.67, 100.0)


def test_a_budget_of_nothing_is_drawn_all_the_same():
    found = one(limit=0, spent=0, forecast=0)
    assert found.used is None
    assert found.spent == 0.0


def test_the_reset_is_an_instant():
    assert one().resets == datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    assert one(resets_at=None).resets is None


def test_scopes_have_an_order_and_the_gateway_is_for_all_calls():
    rows = [budget("tag", "x"), budget("provider", "p"), budget("gateway", "gateway"), budget()]
    assert [found.row.scope for found in gauges(rows)] == ["gateway", "alias", "provider", "tag"]
    assert gauges(rows)[0].name == "all calls"


def test_the_nearest_come_first():
    rows = [budget(name="a"), budget(name="b", spent=90 * USD), budget(name="c", spent=100 * USD),
            budget(name="d", spent=60 * USD), budget(name="e", forecast=200 * USD)]  # fmt: skip
    assert [found.name for found in nearest(gauges(rows), 4)] == ["c", "b", "e", "d"]
