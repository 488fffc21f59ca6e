"""What the control routes show, collected from the parts."""

from __future__ import annotations

import pytest

from support.attempts import deployment, settings
from support.engine import budget
from support.running import at, call, gateway
from tiergate.base.values import Secret
from tiergate.core.catalog import BudgetRule, NanoUsd, Position, ScopeKind
from tiergate.mock import MockServer

DEPLOYMENTS = (
    deployment(
        "cheap",
        "a",
        model="claude-haiku-4-5",
        api_key=Secret("sk-secret-a"),
        info={"mode": "chat", "id": "ignored"},
    ),
    deployment("cheap", "z", model="claude-haiku-4-5", off="another environment"),
)
MONTHLY = BudgetRule(
    scope=ScopeKind.PROVIDER,
    name="anthropic",
    limit=NanoUsd(10**12),
    window="monthly",
    period="calendar:month",
    source=Position("c.yaml", 1),
)
CHAT = {"model": "cheap", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
async def shown():
    async with MockServer() as mock:
        made = gateway(settings(at(mock, DEPLOYMENTS), budgets=(MONTHLY, budget(10**9))))
        await call(made, "/v1/messages", CHAT)
        yield made
        await made.aclose()


async def test_a_deployment_is_described_with_its_state_and_why_it_is_off(shown):
    first, second = (await call(shown, "/v1/model/info")).json["data"]

    assert first["model_name"] == "cheap"
    assert first["model_info"] == {"mode": "chat", "id": "a"}
    assert (first["provider"], first["model"]) == ("anthropic", "claude-haiku-4-5")
    assert (first["state"], first["off"]) == ("ready", None)
    assert (second["state"], second["off"]) == ("off", "another environment")
    assert "secret" not in str(first)


async def test_readiness_names_its_parts(shown):
    found = (await call(shown, "/health/readiness")).json
    assert (found["status"], found["budgets"]) == ("healthy", "memory")
    assert found["upstream_connections"] == 1


async def test_the_spend_is_in_usd_and_in_nano_usd(shown):
    found = (await call(shown, "/spend")).json
    assert found["spend_nano_usd"] > 0
    assert found["spend"] == found["spend_nano_usd"] / 1e9


async def test_provider_budgets_have_litellms_form(shown):
    (name, row), *others = (await call(shown, "/provider/budgets")).json["providers"].items()

    assert (name, others) == ("anthropic", [])
    assert (row["budget_limit"], row["time_period"]) == (1000.0, "monthly")
    assert row["spend"] > 0
    assert row["budget_reset_at"].endswith("01T00:00:00Z")


async def test_budgets_are_listed_with_what_is_left_of_them(shown):
    provider, whole = (await call(shown, "/budgets")).json["budgets"]

    assert list(provider) == [
        "scope", "name", "limit_usd", "spent_usd", "held_usd", "window", "resets_at",
        "forecast_usd", "on_store_failure",
    ]  # fmt: skip
    assert provider["forecast_usd"] >= provider["spent_usd"]
    assert (whole["scope"], whole["limit_usd"], whole["resets_at"]) == ("gateway", 1.0, None)
    assert whole["forecast_usd"] is None
