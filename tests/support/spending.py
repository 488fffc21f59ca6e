"""Calls and budgets for tests of money: a price of one USD for a thousand output tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from tiergate.base.jsontypes import Json
from tiergate.base.money import nano_from_usd
from tiergate.base.values import (
    AliasName,
    DeploymentId,
    Dialect,
    NanoUsd,
    Operation,
    Position,
)
from tiergate.core.catalog import BudgetRule, Deployment, ScopeKind
from tiergate.core.cost import Price, Rates
from tiergate.ports import Inbound
from tiergate.wire.members import Members

USD = 1_000_000_000
PRICE = Price(Rates.of(0, 1000 * USD))
"""0.001 USD for an output token; input is free, so that a call's hold is its `max_tokens`."""

PERIODS: Mapping[str, str] = {
    "monthly": "calendar:month",
    "daily": "calendar:day",
    "1m": "calendar:month",
    "60s": "rolling:60",
    "none": "none",
}


def deployment(alias: str, provider: str = "anthropic", name: str = "", **fields: object) -> Deployment:
    """A deployment of an alias; further fields by name."""
    plain = Deployment(
        id=DeploymentId(name or f"{alias}-1"),
        alias=AliasName(alias),
        provider=provider,
        dialect=Dialect.ANTHROPIC if provider == "anthropic" else Dialect.OPENAI,
        model=f"model-of-{alias}",
        api_base="https://provider.test",
    )
    return replace(plain, **fields)


def rule(scope: ScopeKind, name: str, usd: str, window: str = "monthly") -> BudgetRule:
    """A budget in USD with a window of `PERIODS`."""
    return BudgetRule(
        scope=scope,
        name=name,
        limit=NanoUsd(nano_from_usd(Decimal(usd))),
        window=window,
        period=PERIODS[window],
        source=Position("config.yaml", 1),
    )


def inbound(
    members: Mapping[str, Json] | None = None, operation: Operation = Operation.CHAT
) -> Inbound:
    """A chat call with these top-level members beside model and messages."""
    body: dict[str, Json] = {"model": "cheap", "messages": [], **(members or {})}
    return Inbound(
        call_id="call-1",
        received=0.0,
        wall=0.0,
        dialect=Dialect.OPENAI,
        operation=operation,
        asked="cheap",
        alias=AliasName("cheap"),
        stream=False,
        include_usage=False,
        members=Members.read(json.dumps(body).encode()),
    )
