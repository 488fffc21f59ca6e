"""A cap worth ten calls admits ten, whoever keeps it and however many ask at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.fleet import CALL, PRICES, STORES, Fleet, answer_in, fleet_of, statuses, store_of
from support.gateway import KEY
from support.stage import Providers
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

TEN = 10 * CALL
MANY = 200


def config_of(providers: Providers, **sections: JsonObject) -> JsonObject:
    """Aliases that all cost the same, at one scripted provider."""
    config: JsonObject = {
        "model_list": [
            providers.at_anthropic(name, **PRICES)
            for name in ("plain", "capped", "tagged", "ticketed", "keyed")
        ]
        + [providers.at_anthropic("deployed", max_budget=TEN, budget_duration="1d", **PRICES)],
        "general_settings": {"master_key": KEY},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }
    config.update(sections)
    return config


async def settled(fleet: Fleet, key: tuple[str, str], spent: float) -> None:
    """Every gateway shows the sum, and nothing held, within a second."""
    for _ in range(20):
        rows = [(await fleet.budgets(at))[key] for at in range(len(fleet.gateways))]
        if all(abs(row["spent_usd"] - spent) < 1e-12 and row["held_usd"] == 0 for row in rows):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(rows)


@pytest.mark.parametrize("name", STORES)
async def test_ten_of_two_hundred_are_admitted_for_each_scope(name: str, tmp_path: Path):
    async with Providers() as providers:
        providers.anthropic.script(answer_in(0.3))
        config = config_of(
            providers,
            model_max_budget={"capped": {"budget_limit": TEN, "time_period": "1d"}},
            litellm_settings={
                "tag_budget_config": {"team-a": {"max_budget": TEN, "budget_duration": "1d"}}
            },
        )
        general = config["general_settings"]
        assert isinstance(general, dict)
        general["ticket_budget"] = {"budget_limit": TEN, "time_period": "1d"}
        with store_of(name, tmp_path) as store:
            async with fleet_of(config, store, providers, tmp_path) as fleet:
                for scope, alias, more in (
                    ("alias", "capped", {}),
                    ("deployment", "deployed", {}),
                    ("tag", "tagged", {"metadata": {"tags": ["team-a"]}}),
                    ("ticket", "ticketed", {"metadata": {"ticket_id": "T-1"}}),
                ):
                    providers.reset()
                    providers.anthropic.script(answer_in(0.3))
                    answers = await fleet.calls(MANY, alias, **more)
                    assert statuses(answers) == {200: 10, 429: MANY - 10}, scope
                    assert providers.calls == 10, scope
                    refused = [a for a in answers if a.status == 429]
                    assert all(a.json["error"]["type"] == "budget_exceeded" for a in refused)
                    assert all(a.json["error"]["scope"] == scope for a in refused)
                await settled(fleet, ("alias", "capped"), TEN)
                other = await fleet.call("ticketed", metadata={"ticket_id": "T-2"})
                assert other.status == 200


@pytest.mark.parametrize("name", STORES)
async def test_ten_of_two_hundred_are_admitted_for_gateway_and_provider(name: str, tmp_path: Path):
    async with Providers() as providers:
        providers.anthropic.script(answer_in(0.3))
        config = config_of(
            providers,
            litellm_settings={"max_budget": 2 * TEN, "budget_duration": "1d"},
            provider_budget_config={"anthropic": {"budget_limit": TEN, "time_period": "1d"}},
        )
        with store_of(name, tmp_path) as store:
            async with fleet_of(config, store, providers, tmp_path) as fleet:
                answers = await fleet.calls(MANY, "plain")
                assert statuses(answers) == {200: 10, 429: MANY - 10}
                assert providers.calls == 10
                await settled(fleet, ("provider", "anthropic"), TEN)
                await settled(fleet, ("gateway", "gateway"), TEN)
