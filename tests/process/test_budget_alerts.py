"""Budgets tell a webhook when half, four fifths and all of them is spent: once, whoever spends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.exchange import hanging_reply, json_reply
from support.fleet import CALL, PRICES, Fleet, Store, answer_in, fleet_of, statuses, store_of
from support.gateway import KEY
from support.stage import Providers
from support.upstream import Upstream
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

TEN = 10 * CALL
STORES = ("sqlite", "redis")
"""Four workers of one machine, and three gateways."""


@pytest.fixture
async def sink() -> AsyncIterator[Upstream]:
    """Where alerts go."""
    async with Upstream("sink") as running:
        running.script(json_reply({}))
        yield running


def config_of(providers: Providers) -> JsonObject:
    return {
        "model_list": [providers.at_anthropic("cheap", **PRICES)],
        "model_max_budget": {"cheap": {"budget_limit": TEN, "time_period": "1d"}},
        "litellm_settings": {"callbacks": ["generic_api"]},
        "general_settings": {"master_key": KEY},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }


def telling(store: Store, sink: Upstream) -> Store:
    """The same store for gateways that tell the sink."""
    env = {**store.env, "GENERIC_LOGGER_ENDPOINT": f"{sink.url}/events"}
    return Store(store.name, store.config, env, store.gateways, store.arguments)


def alerts(sink: Upstream) -> list[JsonObject]:
    """What the sink was told of budgets; records of calls stand beside it."""
    return [
        item
        for request in sink.requests
        for item in json.loads(request.body)
        if "event_group" in item
    ]


def marks(sink: Upstream) -> list[object]:
    return [alert["threshold"] for alert in alerts(sink)]


async def told(sink: Upstream, wanted: list[object]) -> None:
    """Wait until these marks have been told; the order over several gateways is not fixed."""
    try:
        async with asyncio.timeout(15):
            while sorted(map(str, marks(sink))) != sorted(map(str, wanted)):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(marks(sink)) from None


async def settled(fleet: Fleet, spent: float) -> None:
    """Wait until the sum is known and nothing is under way."""
    async with asyncio.timeout(15):
        while True:
            row = (await fleet.budgets())[("alias", "cheap")]
            if row["held_usd"] == 0 and row["spent_usd"] == pytest.approx(spent):
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", STORES)
async def test_each_mark_is_told_once_over_all_workers_and_restarts(
    name: str, tmp_path: Path, sink: Upstream
):
    async with Providers() as providers:
        providers.anthropic.script(answer_in(0.0))
        with store_of(name, tmp_path) as store:
            async with fleet_of(
                config_of(providers), telling(store, sink), providers, tmp_path
            ) as fleet:
                assert statuses(await fleet.calls(4, "cheap")) == {200: 4}
                await settled(fleet, 4 * CALL)
                assert statuses(await fleet.calls(1, "cheap")) == {200: 1}
                await told(sink, [50])
                assert statuses(await fleet.calls(3, "cheap")) == {200: 3}
                await told(sink, [50, 80])

                for gateway in fleet.gateways:
                    await gateway.restart()
                assert statuses(await fleet.calls(30, "cheap")) == {200: 2, 429: 28}
                await told(sink, [50, 80, 100])

                # Whatever comes later tells nothing again: the records of these calls prove that
                # everything before them has been told.
                assert statuses(await fleet.calls(6, "cheap")) == {429: 6}
                for gateway in fleet.gateways:
                    assert await gateway.stop() == 0
                assert sorted(map(str, marks(sink))) == ["100", "50", "80"]
    half = next(alert for alert in alerts(sink) if alert["threshold"] == 50)
    assert (half["scope"], half["name"], half["window"]) == ("alias", "cheap", "1d")
    assert half["event"] == "threshold_crossed"
    assert half["max_budget"] == pytest.approx(TEN)
    assert half["spend"] == pytest.approx(5 * CALL)
    whole = next(alert for alert in alerts(sink) if alert["threshold"] == 100)
    assert (whole["event"], whole["spend"]) == ("budget_crossed", pytest.approx(TEN))


async def test_several_marks_that_are_passed_at_once_are_all_told(tmp_path: Path, sink: Upstream):
    async with Providers() as providers:
        providers.anthropic.script(answer_in(0.0))
        with store_of("sqlite", tmp_path) as store:
            async with fleet_of(
                config_of(providers), telling(store, sink), providers, tmp_path
            ) as fleet:
                assert statuses(await fleet.calls(40, "cheap")) == {200: 10, 429: 30}
                await told(sink, [50, 80, 100])


async def test_a_sink_that_hangs_holds_up_no_budget(tmp_path: Path, sink: Upstream):
    sink.script(hanging_reply())
    async with Providers() as providers:
        providers.anthropic.script(answer_in(0.0))
        with store_of("sqlite", tmp_path) as store:
            async with fleet_of(
                config_of(providers), telling(store, sink), providers, tmp_path
            ) as fleet:
                assert statuses(await fleet.calls(5, "cheap")) == {200: 5}
                await sink.received()
                assert statuses(await fleet.calls(20, "cheap")) == {200: 5, 429: 15}
                await settled(fleet, TEN)
                for gateway in fleet.gateways:
                    await gateway.kill()
