"""What a caller is told when a budget refuses: enough to know what to do."""

from __future__ import annotations

import pytest

from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, Standing
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.window import Span, Total
from tiergate.pipeline.overspent import named, refusal, utc_text

NOW = 1_790_000_000.0


def standing(
    *, spent: int = 0, held: int = 0, limit: int = 10**9, ends: int | None = None, **more
) -> Standing:
    rule = BudgetRule(
        scope=more.get("scope", ScopeKind.ALIAS),
        name=more.get("name", "frontier"),
        limit=NanoUsd(limit),
        window=more.get("window", "monthly"),
        period=more.get("period", "calendar:month"),
        source=Position("c.yaml", 1),
    )
    budget = Budget(rule, Total())
    return Standing(budget, NanoUsd(spent), NanoUsd(held), Span(0, ends))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "the budget of alias frontier (1 USD monthly)"),
        ({"window": "30d"}, "the budget of alias frontier (1 USD per 30d)"),
        ({"window": "none", "period": "none"}, "the budget of alias frontier (1 USD in total)"),
        (
            {"scope": ScopeKind.GATEWAY, "name": "gateway"},
            "the budget of the gateway (1 USD monthly)",
        ),
        ({"limit": 1_500_000}, "the budget of alias frontier (0.0015 USD monthly)"),
    ],
)
def test_a_budget_has_a_name_with_its_limit(more, told):
    assert named(standing(**more).budget.rule) == told


def test_times_are_iso_8601_in_utc():
    assert utc_text(1_790_000_000) == "2026-09-21T14:13:20Z"


def test_the_refusal_says_what_is_spent_held_and_needed():
    refused = refusal(standing(spent=900_000_000, held=50_000_000), 70_000_000, NOW)

    assert (refused.status, refused.code, refused.type) == (
        429,
        "budget_exceeded",
        "budget_exceeded",
    )
    assert refused.anthropic_type == "budget_exceeded"
    assert refused.message == (
        "The budget of alias frontier (1 USD monthly) has no room for this call: 0.9 spent, "
        "0.05 held; this call may cost up to 0.07. A lower max_tokens makes a call hold less."
    )
    assert dict(refused.details) == {
        "scope": "alias",
        "name": "frontier",
        "limit_usd": 1.0,
        "spent_usd": 0.9,
        "held_usd": 0.05,
        "resets_at": None,
    }
    assert ("x-should-retry", "false") in refused.headers


def test_a_budget_that_is_used_up_offers_no_smaller_call():
    refused = refusal(standing(spent=10**9), 1, NOW)
    assert "is used up" in refused.message
    assert "max_tokens" not in refused.message


@pytest.mark.parametrize(
    ("seconds", "header"),
    [(0.4, "1"), (59.5, "60"), (3599, "3599"), (3600, None), (86_400, None)],
)
def test_only_a_reset_within_the_hour_is_worth_waiting_for(seconds, header):
    ends = int(NOW) + 4000
    refused = refusal(standing(spent=10**9, ends=ends), 1, ends - seconds)

    assert dict(refused.headers).get("retry-after") == header
    assert f"It resets at {utc_text(ends)}." in refused.message
