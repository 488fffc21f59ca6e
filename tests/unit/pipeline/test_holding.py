"""What accounts give for an attempt, and what a budget that stops it tells."""

from __future__ import annotations

from datetime import UTC

import pytest

from support.attempts import deployment
from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, Standing
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.cost import PLAIN
from tiergate.core.slice import Unreachable
from tiergate.core.window import Span, read_period
from tiergate.pipeline.holding import Holding, nothing_special, ours, stopped, unknown

RULE = BudgetRule(
    scope=ScopeKind.ALIAS,
    name="cheap",
    limit=NanoUsd(10),
    window="daily",
    period="calendar:day",
    source=Position("config.yaml", 1),
)
BUDGET = Budget(RULE, read_period("calendar:day", UTC))


def test_a_used_up_budget_stops_a_call_with_its_figures():
    stop = stopped(Standing(BUDGET, NanoUsd(7), NanoUsd(2), Span(0, 86_400)), 5, 10.0)

    assert stop.scope is ScopeKind.ALIAS
    assert stop.refusal.status == 429
    assert stop.refusal.code == "budget_exceeded"
    assert dict(stop.refusal.details)["name"] == "cheap"


def test_a_budget_whose_store_is_away_says_so():
    stop = stopped(Unreachable(BUDGET), 5, 10.0)

    assert (stop.refusal.status, stop.refusal.code) == (503, "budget_store_unavailable")
    assert stop.scope is ScopeKind.ALIAS


def test_a_token_of_others_is_not_taken_for_a_hold():
    holding = Holding(None, 0, 1.0)
    assert ours(holding) is holding
    assert ours(None) is None
    with pytest.raises(TypeError, match="is not a hold of these accounts"):
        ours("elsewhere")


def test_what_is_not_said_changes_nothing():
    assert unknown(deployment("cheap", "a")) is None
    assert nothing_special(None, deployment("cheap", "a")) is PLAIN  # type: ignore[arg-type] - it looks at nothing
