"""What a caller is told when a budget refuses a call."""

from __future__ import annotations

import pytest

from tiergate.base.money import nano_from_usd
from tiergate.base.values import NanoUsd, Position
from tiergate.core.budget import Budget, Standing
from tiergate.core.catalog import BudgetRule, ScopeKind
from tiergate.core.window import Span, Total
from tiergate.pipeline.overspent import named, refusal, utc_text

DECEMBER = 1_796_083_200
"""2026-12-01T00:00:00Z"""


def rule(
    scope=ScopeKind.ALIAS, name="frontier", usd=300, window="monthly", period="calendar:month"
):
    return BudgetRule(
        scope=scope,
        name=name,
        limit=nano_from_usd(usd),
        window=window,
        period=period,
        source=Position("config.yaml", 1),
    )


def refused(settled, held, amount, *, end=DECEMBER, now=DECEMBER - 86_400, of=None):
    standing = Standing(
        Budget(of or rule(), Total()),
        nano_from_usd(settled),
        nano_from_usd(held),
        Span(DECEMBER - 30 * 86_400, end),
    )
    return refusal(standing, nano_from_usd(amount), now)


@pytest.mark.parametrize(
    ("budget", "name"),
    [
        (rule(), "the budget of alias frontier (300 USD monthly)"),
        (rule(window="1m"), "the budget of alias frontier (300 USD per 1m)"),
        (
            rule(ScopeKind.GATEWAY, "gateway", 0.5, "none", "none"),
            "the budget of the gateway (0.5 USD in total)",
        ),
        (
            rule(ScopeKind.PROVIDER, "anthropic", 1000, "30d", "rolling:2592000"),
            "the budget of provider anthropic (1000 USD per 30d)",
        ),
    ],
)
def test_a_budget_is_named_with_scope_limit_and_window(budget, name):
    assert named(budget) == name


def test_instants_are_written_in_utc():
    assert utc_text(DECEMBER) == "2026-12-01T00:00:00Z"


def test_the_sentence_says_amounts_and_reset():
    assert refused("299.81", "0.3", "0.45").message == (
        "The budget of alias frontier (300 USD monthly) is used up: 299.81 spent, 0.3 held; this "
        "call may cost up to 0.45. It resets at 2026-12-01T00:00:00Z."
    )


def test_where_something_is_left_it_says_how_a_call_may_fit():
    message = refused("299", "0", "1.5").message

    assert "has no room for this call" in message
    assert message.endswith("A lower max_tokens makes a call hold less.")


def test_callers_in_either_dialect_and_programs_are_told_the_same():
    told = refused("300", "0", "0.45")

    assert (told.status, told.code) == (429, "budget_exceeded")
    assert told.type == told.anthropic_type == "budget_exceeded"
    assert dict(told.details) == {
        "scope": "alias",
        "name": "frontier",
        "limit_usd": 300.0,
        "spent_usd": 300.0,
        "held_usd": 0.0,
        "resets_at": "2026-12-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("seconds", "header"), [(3600, None), (3599.5, "3600"), (40, "40"), (0.2, "1")]
)
def test_only_a_reset_within_the_hour_is_told_as_retry_after(seconds, header):
    headers = dict(refused("300", "0", "1", now=DECEMBER - seconds).headers)

    assert headers.get("retry-after") == header
    assert headers["x-should-retry"] == "false"


def test_a_budget_without_an_end_names_no_reset():
    told = refused("300", "0", "1", end=None, of=rule(window="none", period="none"))

    assert "resets" not in told.message
    assert dict(told.details)["resets_at"] is None
    assert dict(told.headers) == {"x-should-retry": "false"}


def test_a_window_that_has_not_begun_names_no_reset():
    standing = Standing(Budget(rule(), Total()), NanoUsd(0), NanoUsd(0), None)

    assert "resets" not in refusal(standing, 1, 0.0).message
