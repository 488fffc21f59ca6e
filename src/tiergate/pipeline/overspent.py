"""What a caller is told when a budget refuses a call."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from tiergate.base.errors import Refused
from tiergate.base.money import NANO, format_usd
from tiergate.core.budget import Standing
from tiergate.core.catalog import BudgetRule, ScopeKind

SOON_SECONDS = 3600
"""Only a reset that is nearer than this is worth a `Retry-After`."""

_SPOKEN = frozenset({"hourly", "daily", "weekly", "monthly", "yearly"})


def named(rule: BudgetRule) -> str:
    """Name a budget with its limit: `the budget of alias frontier (300 USD monthly)`."""
    whose = _whose(rule)
    if rule.window in _SPOKEN:
        window = rule.window
    else:
        window = "in total" if rule.period == "none" else f"per {rule.window}"
    return f"the budget of {whose} ({format_usd(rule.limit)} USD {window})"


def _whose(rule: BudgetRule) -> str:
    match rule.scope:
        case ScopeKind.GATEWAY:
            return "the gateway"
        case ScopeKind.KEY:
            return "this key"
        case _:
            return f"{rule.scope.value.replace('_', ' ')} {rule.name}"


def unreachable(rule: BudgetRule) -> Refused:
    """Return the 503 for a call that a budget cannot decide, because its store is down."""
    return Refused(
        503,
        f"T{named(rule)[1:]} cannot be checked: its store does not answer, and what this worker "
        "had leased of it is spent. Try again soon. (`on_store_failure: allow` lets calls through "
        "meanwhile.)",
        code="budget_store_unavailable",
        type="api_error",
        headers=(("retry-after", "1"),),
        details=(("scope", rule.scope.value), ("name", rule.name)),
    )


def utc_text(instant: int) -> str:
    """Write Unix seconds as ISO 8601 in UTC: `2026-12-01T00:00:00Z`."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def refusal(standing: Standing, amount: int, now: float) -> Refused:
    """Return the 429 for a call that a budget cannot bear.

    The type and code are LiteLLM's `budget_exceeded`. `x-should-retry: false` keeps the official
    SDKs, which obey it, from trying again.

    Args:
        standing: The budget that refuses.
        amount: The most that the call can cost, nano-USD.
        now: Unix seconds.
    """
    rule = standing.budget.rule
    ends = standing.span.end if standing.span is not None else None
    state = "is used up" if standing.left <= 0 else "has no room for this call"
    amounts = (
        f"{format_usd(standing.settled)} spent, {format_usd(standing.held)} held; "
        f"this call may cost up to {format_usd(amount)}"
    )
    sentences = [f"T{named(rule)[1:]} {state}: {amounts}."]
    if ends is not None:
        sentences.append(f"It resets at {utc_text(ends)}.")
    if standing.left > 0:
        sentences.append("A lower max_tokens makes a call hold less.")
    headers = [("x-should-retry", "false")]
    if ends is not None and ends - now < SOON_SECONDS:
        headers.append(("retry-after", str(max(1, math.ceil(ends - now)))))
    return Refused(
        429,
        " ".join(sentences),
        code="budget_exceeded",
        type="budget_exceeded",
        anthropic_type="budget_exceeded",
        headers=tuple(headers),
        details=(
            ("scope", rule.scope.value),
            ("name", rule.name),
            ("limit_usd", rule.limit / NANO),
            ("spent_usd", standing.settled / NANO),
            ("held_usd", standing.held / NANO),
            ("resets_at", utc_text(ends) if ends is not None else None),
        ),
    )
