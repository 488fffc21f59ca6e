"""The page's own budgets, with prices so high that a test can spend them; the real program."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from support import anthropic_wire
from support.exchange import json_reply
from support.gateway import KEY
from support.stage import Providers, gateway_of
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

PAGE = """
model_list:
  - model_name: cheap
    litellm_params:
      model: anthropic/claude-haiku-4-5
      api_key: os.environ/ANTHROPIC_API_KEY
  - model_name: balanced
    litellm_params:
      model: anthropic/claude-sonnet-4-6
      api_key: os.environ/ANTHROPIC_API_KEY
  - model_name: frontier
    litellm_params:
      model: anthropic/claude-opus-4-1
      api_key: os.environ/ANTHROPIC_API_KEY
router_settings:
  routing_strategy: simple-shuffle
  fallbacks:
    - cheap: [balanced, frontier]
    - balanced: [frontier]
litellm_settings:
  budget_duration: monthly
  max_budget: 1200
model_max_budget:
  frontier: 300
  balanced: 600
  cheap: 300
provider_budget_config:
  anthropic:
    budget_limit: 1000
    time_period: 1m
  openai:
    budget_limit: 200
    time_period: 1m
"""

CALL_USD = 50
"""Of every call: 2 tokens out at 25 USD each, nothing for the prompt."""


def page(providers: Providers, **more: JsonObject) -> JsonObject:
    config: JsonObject = yaml.safe_load(PAGE)
    config["general_settings"] = {"master_key": KEY}
    for entry in config["model_list"]:
        params = entry["litellm_params"]
        params["api_base"] = providers.anthropic.url
        params["input_cost_per_token"] = 0
        params["output_cost_per_token"] = CALL_USD / 2
    config.update(more)
    return config


def two_tokens(providers: Providers) -> None:
    counts = {"input_tokens": 10, "output_tokens": 2}
    body = anthropic_wire.message([anthropic_wire.text_block("hi")], counts=counts)
    providers.anthropic.script(json_reply(body))


async def call(gateway, alias: str):
    body = {
        "model": alias,
        "max_tokens": 2,
        "messages": [{"role": "user", "content": "hi"}],
    }
    return await gateway.post("/v1/messages", body)


async def spend(gateway, alias: str, usd: int) -> None:
    """Spend so much in an alias; every call is served there."""
    for _ in range(usd // CALL_USD):
        answer = await call(gateway, alias)
        assert answer.status == 200, answer.body
        assert answer.header("x-litellm-model-group") == alias


async def refused_by(gateway, alias: str) -> tuple[str, str]:
    """Scope and name of the budget that refuses a call."""
    answer = await call(gateway, alias)
    assert answer.status == 429, answer.body
    error = answer.json["error"]
    assert error["type"] == "budget_exceeded"
    assert answer.header("x-should-retry") == "false"
    return error["scope"], error["name"]


async def test_the_pages_budgets_stop_what_they_say_and_nothing_else(tmp_path: Path):
    env = {"ANTHROPIC_API_KEY": "sk-ant-provider-0123456789"}
    async with Providers() as providers:
        two_tokens(providers)
        gateway = gateway_of(page(providers), tmp_path / "g", env=env)
        async with gateway:
            await spend(gateway, "frontier", 300)
            assert await refused_by(gateway, "frontier") == ("alias", "frontier")
            await spend(gateway, "balanced", 100)

            await gateway.restart()
            assert await refused_by(gateway, "frontier") == ("alias", "frontier")
            await spend(gateway, "balanced", 500)
            assert await refused_by(gateway, "balanced") == ("alias", "balanced")

            await spend(gateway, "cheap", 100)
            before = providers.calls
            for alias in ("cheap", "balanced", "frontier"):
                scope, name = await refused_by(gateway, alias)
                assert (scope, name) in {("provider", "anthropic"), ("alias", alias)}
            assert await refused_by(gateway, "cheap") == ("provider", "anthropic")
            assert providers.calls == before

            rows = (await gateway.get("/budgets")).json["budgets"]
            spent = {(row["scope"], row["name"]): row["spent_usd"] for row in rows}
            assert spent == {
                ("gateway", "gateway"): 1000,
                ("alias", "frontier"): 300,
                ("alias", "balanced"): 600,
                ("alias", "cheap"): 100,
                ("provider", "anthropic"): 1000,
                ("provider", "openai"): 0,
            }
            now = datetime.now(UTC)
            month = (now.year + now.month // 12, now.month % 12 + 1)
            for row in rows:
                assert row["resets_at"] == f"{month[0]}-{month[1]:02}-01T00:00:00Z"


async def test_an_exhausted_alias_moves_to_a_dearer_one_only_where_the_file_says_so(
    tmp_path: Path,
):
    env = {"ANTHROPIC_API_KEY": "sk-ant-provider-0123456789"}
    async with Providers() as providers:
        two_tokens(providers)
        gateway = gateway_of(page(providers), tmp_path / "g", env=env)
        async with gateway:
            await spend(gateway, "cheap", 300)
            for _ in range(3):
                assert await refused_by(gateway, "cheap") == ("alias", "cheap")

            config = page(providers)
            config["router_settings"]["budget_fallbacks"] = [{"cheap": ["balanced"]}]
            said = len(gateway.output)
            gateway.reload(config)
            await gateway.said("reloaded")
            assert "reload refused" not in gateway.output[said:]
            answer = await call(gateway, "cheap")
            assert answer.status == 200
            assert answer.header("x-litellm-model-group") == "balanced"
            assert "budget" in answer.header("x-tiergate-why")
