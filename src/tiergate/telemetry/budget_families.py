"""The Prometheus families of budgets: ours for all of them, LiteLLM's for those of callers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tiergate.telemetry.exposition import Family, gauge


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget as the gauges show it, in USD; `forecast` is None where no window ends."""

    scope: str
    name: str
    window: str
    limit: float
    spent: float
    held: float
    forecast: float | None = None


class Holder(Enum):
    """Whose budget it is, in LiteLLM's words."""

    KEY = "api_key"
    TEAM = "team"
    USER = "user"


@dataclass(frozen=True, slots=True)
class HolderRow:
    """The budget of a key, a team or a user.

    Attributes:
        holder: Whose.
        values: The label values: hash and alias of a key, id and alias of a team, id of a user.
        limit: USD.
        spent: USD.
        hours: Until it is reset; None where it never is.
    """

    holder: Holder
    values: tuple[str, ...]
    limit: float
    spent: float
    hours: float | None


_LABELS: Final = {
    Holder.KEY: ("hashed_api_key", "api_key_alias"),
    Holder.TEAM: ("team", "team_alias"),
    Holder.USER: ("user",),
}
_WORDS: Final = {Holder.KEY: "an API key", Holder.TEAM: "a team", Holder.USER: "a user"}
_BUDGET: Final = ("scope", "name", "window")
NO_WINDOW: Final = "total"
"""How a budget without a window is shown: labels are never a word for nothing."""


def budget_families(rows: Iterable[BudgetRow]) -> Iterator[Family]:
    """Yield the budgets of the configuration."""
    limit = gauge("tiergate_budget_limit_usd", "What may be spent in the window, USD", _BUDGET)
    spent = gauge(
        "tiergate_budget_spent_usd", "What is spent and settled in the window, USD", _BUDGET
    )
    held = gauge("tiergate_budget_held_usd", "What is set aside for calls under way, USD", _BUDGET)
    forecast = gauge(
        "tiergate_budget_forecast_usd",
        "What will be spent by the window's end at this pace, USD",
        _BUDGET,
    )
    provider = gauge(
        "litellm_provider_remaining_budget_metric",
        "What may still be spent at a provider, USD",
        ("api_provider",),
    )
    for row in rows:
        values = (row.scope, row.name, NO_WINDOW if row.window == "none" else row.window)
        limit.numbers[values] = row.limit
        spent.numbers[values] = row.spent
        held.numbers[values] = row.held
        if row.forecast is not None:
            forecast.numbers[values] = row.forecast
        if row.scope == "provider":
            provider.numbers[(row.name,)] = row.limit - row.spent
    yield from (limit, spent, held, forecast, provider)


def holder_families(rows: Iterable[HolderRow]) -> Iterator[Family]:
    """Yield the budgets of keys, teams and users that have one."""
    kept = list(rows)
    for holder in Holder:
        names, whose, word = _LABELS[holder], _WORDS[holder], holder.value
        remaining = gauge(
            f"litellm_remaining_{word}_budget_metric", f"What {whose} may still spend, USD", names
        )
        most = gauge(
            f"litellm_{word}_max_budget_metric", f"What {whose} may spend in all, USD", names
        )
        hours = gauge(
            f"litellm_{word}_budget_remaining_hours_metric",
            f"Hours until the budget of {whose} is reset",
            names,
        )
        for row in kept:
            if row.holder is holder:
                remaining.numbers[row.values] = row.limit - row.spent
                most.numbers[row.values] = row.limit
                if row.hours is not None:
                    hours.numbers[row.values] = row.hours
        yield from (remaining, most, hours)
