from __future__ import annotations

from pathlib import Path

import pytest

from support.config_world import Loaded, load_rest, said
from tiergate.core.catalog import EachBudget, OnStoreFailure


def each(folder: Path, rest: str) -> tuple[list[tuple[str, int, str]], Loaded]:
    loaded = load_rest(folder, rest)
    assert loaded.draft is not None
    return [brief(budget) for budget in loaded.draft.each_budgets], loaded


def brief(budget: EachBudget) -> tuple[str, int, str]:
    return budget.scope.value, budget.limit, budget.period


def test_the_cap_of_each_ticket(tmp_path: Path) -> None:
    found, loaded = each(
        tmp_path,
        "general_settings: {ticket_budget: {budget_limit: 2.5, time_period: weekly, "
        "on_store_failure: refuse}}\n",
    )

    assert found == [("ticket", 2_500_000_000, "calendar:week")]
    assert loaded.findings == ()
    assert loaded.settings is not None
    assert loaded.settings.each_budgets[0].on_store_failure is OnStoreFailure.REFUSE
    assert loaded.settings.each_budgets[0].rule("T-1").name == "T-1"


def test_a_ticket_without_a_window_has_a_total_and_nothing_is_said_of_it(tmp_path: Path) -> None:
    found, loaded = each(tmp_path, "general_settings: {ticket_budget: {budget_limit: 2}}\n")

    assert found == [("ticket", 2_000_000_000, "none")]
    assert loaded.findings == ()


@pytest.mark.parametrize(
    ("rest", "period"),
    [
        ("max_end_user_budget_duration: 7d", "rolling:604800"),
        ("budget_duration: monthly", "calendar:month"),
        ("budget_duration: monthly, max_end_user_budget_duration: daily", "calendar:day"),
    ],
)
def test_the_cap_of_each_end_user_has_its_own_window_or_that_of_the_gateway(
    tmp_path: Path, rest: str, period: str
) -> None:
    found, _ = each(tmp_path, f"litellm_settings: {{max_end_user_budget: 0.002, {rest}}}\n")

    assert found == [("end_user", 2_000_000, period)]


def test_an_end_user_without_a_window_is_said(tmp_path: Path) -> None:
    found, loaded = each(tmp_path, "litellm_settings: {max_end_user_budget: 1}\n")

    assert found == [("end_user", 1_000_000_000, "none")]
    assert len(said(loaded, "no-window")) == 1


def test_they_are_in_the_report(tmp_path: Path) -> None:
    _, loaded = each(
        tmp_path,
        "litellm_settings: {max_end_user_budget: 1, budget_duration: 1d}\n"
        "general_settings: {ticket_budget: {budget_limit: 2}, on_store_failure: allow}\n",
    )

    rows = {row.path: row.value for row in loaded.report}

    assert rows["budget of each end user"] == "1 USD, one calendar day; store down: allow"
    assert rows["budget of each ticket"] == "2 USD, no end; store down: allow"


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("general_settings: {ticket_budget: 5}\n", "wrong-type"),
        ("general_settings: {ticket_budget: {budget_limit: 5, window: 1d}}\n", "unknown-key"),
        ("general_settings: {ticket_budget: {budget_limit: -1}}\n", "wrong-type"),
        ("litellm_settings: {max_end_user_budget: 1, max_end_user_budget_id: x}\n", "refused-key"),
    ],
)
def test_a_cap_that_is_not_understood_stops_the_start(
    tmp_path: Path, rest: str, code: str
) -> None:
    _, loaded = each(tmp_path, rest)

    assert loaded.settings is None
    assert code in [finding.code for finding in loaded.findings]
