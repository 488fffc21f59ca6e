"""Budgets over crashes, restarts and stores that go away; with real servers."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from support.fleet import CALL, PRICES, Fleet, answer_in, fleet_of, statuses, store_of
from support.gateway import KEY, Gateway
from support.servers import running_redis
from support.stage import Providers, gateway_of
from tiergate.base.jsontypes import JsonObject

pytestmark = pytest.mark.process

TEN = 10 * CALL


def config_of(providers: Providers, cap: float, **sections: JsonObject) -> JsonObject:
    config: JsonObject = {
        "model_list": [
            providers.at_anthropic("cheap", **PRICES),
            providers.at_anthropic("balanced", **PRICES),
        ],
        "model_max_budget": {"cheap": {"budget_limit": cap, "time_period": "1d"}},
        "general_settings": {"master_key": KEY},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
    }
    config.update(sections)
    return config


async def cheap(fleet: Fleet, at: int = 0) -> JsonObject:
    return (await fleet.budgets(at))[("alias", "cheap")]


async def until(look, wanted, seconds: float = 15.0):
    """Wait until what is seen is what is wanted."""
    seen = None
    for _ in range(int(seconds / 0.1)):
        seen = await look()
        if wanted(seen):
            return seen
        await asyncio.sleep(0.1)
    raise AssertionError(seen)


async def verify(gateway: Gateway) -> str:
    """`tiergate ledger verify` against the running gateway; its output when it passes."""
    process = await asyncio.create_subprocess_exec(
        str(Path(gateway.command[0])),
        "ledger",
        "verify",
        "--config",
        str(gateway.config_path),
        "--url",
        gateway.url,
        "--key",
        KEY,
        env={"PATH": os.environ["PATH"], "HOME": str(gateway.folder)},
        cwd=gateway.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.mark.parametrize("name", ["redis", "postgres"])
async def test_a_gateway_killed_in_the_middle_overspends_nothing_and_loses_nothing(
    name: str, tmp_path: Path
):
    async with Providers() as providers:
        providers.anthropic.script(answer_in(0.5))
        config = config_of(providers, TEN)
        with store_of(name, tmp_path) as store:
            async with fleet_of(config, store, providers, tmp_path) as fleet:
                calling = asyncio.ensure_future(fleet.calls(200, "cheap"))
                await providers.anthropic.received(10)
                victim = fleet.gateways[-1]
                await victim.kill()
                answers = await calling
                told = statuses(answers)
                assert providers.calls == 10
                assert {status for status in told if isinstance(status, int)} <= {0, 200, 429}, (
                    told
                )
                assert told.get(200, 0) <= 10
                await victim.start()

                # Its journal is read at the start: what it held is charged, all else is settled.
                row = await until(lambda: cheap(fleet), lambda row: row["held_usd"] == 0)
                assert row["spent_usd"] == pytest.approx(TEN)
                assert (await fleet.call("cheap")).status == 429
                assert (await fleet.call("balanced")).status == 200
                for gateway in fleet.gateways:
                    await verify(gateway)


async def test_a_restart_changes_nothing(tmp_path: Path):
    async with Providers() as providers:
        providers.anthropic.script(answer_in(0.0))
        gateway = gateway_of(config_of(providers, TEN), tmp_path / "g")
        async with gateway:
            fleet = Fleet([gateway], providers)
            assert statuses(await fleet.calls(6, "cheap")) == {200: 6}
            await gateway.restart()
            assert (await cheap(fleet))["spent_usd"] == pytest.approx(6 * CALL)
            assert statuses(await fleet.calls(3, "cheap")) == {200: 3}
            await gateway.restart(crash=True)
            assert (await cheap(fleet))["spent_usd"] == pytest.approx(9 * CALL)
            assert statuses(await fleet.calls(5, "cheap")) == {200: 1, 429: 4}
            spend = (await gateway.get("/global/spend")).json
            assert spend["spend"] == pytest.approx(TEN)
            await verify(gateway)


async def test_a_crash_in_the_middle_of_a_call_charges_what_was_held(tmp_path: Path):
    async with Providers() as providers:
        providers.anthropic.script(answer_in(30.0))
        gateway = gateway_of(config_of(providers, TEN), tmp_path / "g")
        async with gateway:
            fleet = Fleet([gateway], providers)
            calling = asyncio.ensure_future(fleet.calls(3, "cheap"))
            await providers.anthropic.received(3)
            await gateway.restart(crash=True)
            assert 200 not in statuses(await calling)

            row = await cheap(fleet)
            assert row["spent_usd"] == pytest.approx(3 * CALL)
            assert row["held_usd"] == 0
            lost = (await gateway.get("/ledger")).json["records"]
            assert [entry["status"] for entry in lost] == ["lost"] * 3
            await verify(gateway)


FAILURES = [("refuse", {503}), ("allow_leased", {200, 503}), ("allow", {200})]


@pytest.mark.parametrize("way", ["stopped", "frozen"])
@pytest.mark.parametrize(("choice", "allowed"), FAILURES)
async def test_a_store_that_goes_away_does_what_the_budget_says(
    choice: str, allowed: set[int], way: str, tmp_path: Path
):
    async with Providers() as providers:
        providers.anthropic.script(answer_in(0.0))
        budget = {"budget_limit": 1.0, "time_period": "1d", "on_store_failure": choice}
        with running_redis(tmp_path / "redis") as server:
            config = config_of(
                providers,
                1.0,
                model_max_budget={"cheap": budget},
                router_settings={
                    "num_retries": 0,
                    "disable_cooldowns": True,
                    "redis_host": "127.0.0.1",
                    "redis_port": server.port,
                },
            )
            async with gateway_of(config, tmp_path / "g") as gateway:
                fleet = Fleet([gateway], providers)
                for _ in range(8):
                    assert statuses(await fleet.calls(20, "cheap")) == {200: 20}
                    await asyncio.sleep(0.05)
                server.freeze() if way == "frozen" else server.kill()
                await until(
                    lambda: gateway.get("/health/readiness"),
                    lambda answer: answer.json["status"] == "degraded",
                )
                answers = [a for _ in range(20) for a in await fleet.calls(20, "cheap")]
                assert set(statuses(answers)) == allowed
                for answer in answers:
                    if answer.status == 503:
                        assert answer.json["error"]["code"] == "budget_store_unavailable"

                server.thaw() if way == "frozen" else server.start()
                await until(
                    lambda: gateway.get("/health/readiness"),
                    lambda answer: answer.json["status"] == "healthy",
                )
                assert statuses(await fleet.calls(5, "cheap")) == {200: 5}
                row = await until(lambda: cheap(fleet), lambda row: row["held_usd"] == 0)
                # A Redis that was stopped has lost its data: the gateway remembers.
                assert row["spent_usd"] == pytest.approx(providers.calls * CALL)


async def test_a_dead_workers_calls_are_charged_by_its_siblings(tmp_path: Path):
    async with Providers() as providers:
        providers.anthropic.script(answer_in(1.0))
        with store_of("sqlite", tmp_path) as store:
            async with fleet_of(config_of(providers, TEN), store, providers, tmp_path) as fleet:
                calling = asyncio.ensure_future(fleet.calls(40, "cheap"))
                await providers.anthropic.received(10)
                workers = await workers_of(fleet.gateways[0])
                assert len(workers) == 4
                for pid in workers[:2]:
                    os.kill(pid, signal.SIGKILL)
                told = statuses(await calling)
                assert providers.calls == 10
                assert told.get(200, 0) <= 10
                row = await until(
                    lambda: cheap(fleet),
                    lambda row: row["held_usd"] == 0 and row["spent_usd"] > 0.0099,
                    seconds=20.0,
                )
                assert row["spent_usd"] == pytest.approx(TEN)
                await until(lambda: workers_of(fleet.gateways[0]), lambda found: len(found) == 4)
                await verify(fleet.gateways[0])


async def workers_of(gateway: Gateway) -> list[int]:
    """The pids of a gateway's workers."""
    children = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text()
    return [int(pid) for pid in children.split()]
