"""Workers of one machine and gateways of several: what one of them finds down, all leave alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support import anthropic_wire
from support.fleet import Fleet, answer_in, fleet_of, statuses, store_of
from support.gateway import KEY
from support.stage import Providers
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

DOWN = anthropic_wire.error_reply(503, "api_error", "down")
COOLDOWN = 4.0
HEARD = 1.0
"""Seconds after which everybody has heard."""


def config_of(providers: Providers) -> JsonObject:
    return {
        "model_list": [
            {**providers.at_anthropic("cheap"), "model_info": {"id": "haiku-1"}},
        ],
        "router_settings": {"num_retries": 0, "allowed_fails": 3, "cooldown_time": COOLDOWN},
        "general_settings": {"master_key": KEY},
    }


@pytest_asyncio.fixture(params=["sqlite", "redis", "postgres"])
async def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Fleet]:
    """Four workers of one gateway, or several gateways."""
    async with Providers() as providers:
        with store_of(request.param, tmp_path) as store:
            async with fleet_of(config_of(providers), store, providers, tmp_path) as made:
                yield made


async def cooled_down(fleet: Fleet) -> int:
    """How many cooldowns the metrics of all gateways have seen begin."""
    pages = [(await gateway.get("/metrics")).text for gateway in fleet.gateways]
    rows = [
        re.findall(r"^litellm_deployment_cooled_down_total\{.*\} ([\d.]+)$", page, re.MULTILINE)
        for page in pages
    ]
    return int(sum(float(value) for found in rows for value in found))


async def test_all_leave_a_deployment_alone_and_one_call_tries_it_again(fleet: Fleet) -> None:
    provider = fleet.providers.anthropic
    provider.script(DOWN)
    for _ in range(4):
        assert (await fleet.call("cheap")).status == 503
        await asyncio.sleep(0.05)
    assert len(provider.requests) == 4
    await asyncio.sleep(HEARD)

    refused = await fleet.calls(24, "cheap")
    assert statuses(refused) == {429: 24}
    waits = {r.header("retry-after") for r in refused if not isinstance(r, Exception)}
    assert waits <= {"1", "2", "3", "4"}
    assert len(provider.requests) == 4
    assert await cooled_down(fleet) == 1

    # The cooldown ends: of many calls at once, at whichever worker, one finds out.
    provider.script(answer_in(2.5))
    await asyncio.sleep(COOLDOWN - HEARD)
    tried = await fleet.calls(24, "cheap")
    assert statuses(tried) == {200: 1, 429: 23}
    assert len(provider.requests) == 5

    await asyncio.sleep(HEARD)
    provider.script(answer_in(0.0))
    assert statuses(await fleet.calls(24, "cheap")) == {200: 24}
