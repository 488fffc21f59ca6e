"""Budgets as gauges in USD: those of the file, and those of keys, teams and users."""

from __future__ import annotations

import pytest

from support.metrics_page import shown
from tiergate.telemetry.budget_families import NO_WINDOW, BudgetRow, Holder, HolderRow
from tiergate.telemetry.metrics import Metrics
from tiergate.telemetry.page import Scene

KEY = HolderRow(Holder.KEY, ("ab" * 32, "bot"), 10.0, 4.0, 12.5)
TEAM = HolderRow(Holder.TEAM, ("t1", "core"), 100.0, 120.0, None)
USER = HolderRow(Holder.USER, ("u1",), 5.0, 0.0, 1.0)


def test_budgets_are_gauges_in_usd():
    row = BudgetRow("alias", "frontier", "monthly", 300.0, 1.5, 0.25, 45.0)
    found = shown(Metrics(), Scene(budgets=(row,)))
    values = {"limit": 300.0, "spent": 1.5, "held": 0.25, "forecast": 45.0}
    for kind, value in values.items():
        (sample,) = found[f"tiergate_budget_{kind}_usd"]
        assert sample.value == value
        assert sample.labels == {"scope": "alias", "name": "frontier", "window": "monthly"}


def test_a_budget_without_a_window_has_no_forecast_and_a_word_for_its_window():
    row = BudgetRow("alias", "frontier", "none", 300.0, 1.5, 0.25)
    found = shown(Metrics(), Scene(budgets=(row,)))
    assert found["tiergate_budget_limit_usd"][0].labels["window"] == NO_WINDOW
    assert "tiergate_budget_forecast_usd" not in found


def test_what_is_left_of_a_providers_budget_has_litellms_name():
    row = BudgetRow("provider", "anthropic", "monthly", 300.0, 100.0, 1.0)
    (sample,) = shown(Metrics(), Scene(budgets=(row,)))["litellm_provider_remaining_budget_metric"]
    assert (sample.value, sample.labels) == (200.0, {"api_provider": "anthropic"})


@pytest.mark.parametrize(
    ("row", "word", "labels"),
    [
        (KEY, "api_key", {"hashed_api_key": "ab" * 32, "api_key_alias": "bot"}),
        (TEAM, "team", {"team": "t1", "team_alias": "core"}),
        (USER, "user", {"user": "u1"}),
    ],
)
def test_the_budget_of_a_caller_has_litellms_names(row, word, labels):
    found = shown(Metrics(), Scene(holders=(KEY, TEAM, USER)))
    (left,) = found[f"litellm_remaining_{word}_budget_metric"]
    (most,) = found[f"litellm_{word}_max_budget_metric"]
    assert (left.value, left.labels) == (row.limit - row.spent, labels)
    assert (most.value, most.labels) == (row.limit, labels)
    hours = found.get(f"litellm_{word}_budget_remaining_hours_metric", [])
    assert [sample.value for sample in hours] == ([row.hours] if row.hours is not None else [])
