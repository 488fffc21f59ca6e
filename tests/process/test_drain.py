"""A gateway that is told to stop says so first, lets calls end, and cuts the rest with a word."""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from support import dialects
from support.exchange import Gate, hanging_reply, stream_reply
from support.gateway import KEY, Gateway
from support.http_client import Answer, fetch
from support.servers import RedisServer
from support.shapes import CHAT, DOORS, MESSAGES, minimal
from support.stage import (
    ANTHROPIC_ALIAS,
    OPENAI_ALIAS,
    Providers,
    gateway_of,
    usual,
    with_settings,
)
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

TWO = ("--num_workers", "2")
FLEETS = pytest.mark.parametrize("arguments", [(), TWO], ids=["one process", "two workers"])
READY = "/health/readiness"


def drained(providers: Providers, **general: object) -> JsonObject:
    """The usual configuration with other words about the end."""
    return with_settings(usual(providers), general_settings=dict(general))  # pyright: ignore[reportArgumentType]


def held_stream(providers: Providers) -> Gate:
    """Let the next stream stand still after its first content."""
    providers.reset()
    gate = Gate()
    events = dialects.text_events(ANTHROPIC_ALIAS, "from the provider")
    content = dialects.first_content(events)
    providers.anthropic.script(stream_reply(*events[:content], gate, *events[content:]))
    return gate


def is_closed(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return True
    return False


async def until_closed(port: int, seconds: float = 5.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not is_closed(port):
        assert asyncio.get_running_loop().time() < deadline, "it still listens"
        await asyncio.sleep(0.02)


async def unready(gateway: Gateway, seconds: float = 5.0) -> Answer:
    """The first answer of the readiness route that is no 200."""
    deadline = asyncio.get_running_loop().time() + seconds
    while (answer := await gateway.get(READY, key=None)).status == 200:
        assert asyncio.get_running_loop().time() < deadline, "it stays ready"
        await asyncio.sleep(0.01)
    return answer


# ------------------------------------------------------------------ the order of things


@FLEETS
async def test_readiness_flips_first_then_the_port_closes_and_the_stream_comes_to_its_end(
    providers: Providers, folder: Path, arguments: tuple[str, ...]
) -> None:
    gate = held_stream(providers)
    gateway = gateway_of(drained(providers, drain_delay="1.5s"), folder, arguments=arguments)
    await gateway.start()
    body = minimal(MESSAGES, ANTHROPIC_ALIAS, stream=True)
    async with gateway.posting(MESSAGES, body) as exchange:
        await exchange.head()
        gateway.signal(signal.SIGTERM)
        told = await unready(gateway)
        assert (told.status, told.json["status"], told.json["draining"]) == (
            503, "unhealthy", True,
        )  # fmt: skip
        assert told.json["unready"] == ["the gateway is about to stop"]
        assert (await gateway.get("/health/liveliness", key=None)).status == 200
        served = await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
        assert (served.status, served.header("connection")) == (200, "close")
        await until_closed(gateway.port)
        gate.open()
        answer = await exchange.rest()
    assert answer.complete
    assert dialects.ends_well(answer, MESSAGES)
    assert await gateway.ended() == 0


@FLEETS
async def test_without_a_delay_new_work_is_refused_at_once(
    providers: Providers, folder: Path, arguments: tuple[str, ...]
) -> None:
    gate = held_stream(providers)
    gateway = gateway_of(drained(providers), folder, arguments=arguments)
    await gateway.start()
    body = minimal(MESSAGES, ANTHROPIC_ALIAS, stream=True)
    async with gateway.posting(MESSAGES, body) as exchange:
        await exchange.head()
        gateway.signal(signal.SIGTERM)
        await gateway.said("draining")
        await until_closed(gateway.port)
        gate.open()
        assert dialects.ends_well(await exchange.rest(), MESSAGES)
    assert await gateway.ended() == 0


# ------------------------------------------------------------------ the end of patience


@FLEETS
@pytest.mark.parametrize("path", DOORS)
async def test_a_stream_that_does_not_end_in_time_ends_in_an_error_event_and_is_in_the_books(
    providers: Providers, folder: Path, path: str, arguments: tuple[str, ...]
) -> None:
    held_stream(providers)
    state = str(folder / "books")
    config = drained(providers, drain_timeout=0.3, state_dir=state)
    gateway = gateway_of(config, folder, arguments=arguments)
    await gateway.start()
    body = minimal(path, ANTHROPIC_ALIAS, stream=True)
    async with gateway.posting(path, body) as exchange:
        await exchange.head()
        recorded = await providers.anthropic.received()
        gateway.signal(signal.SIGTERM)
        answer = await exchange.rest()
    assert answer.complete, "the framing tells a proper end; the event tells that it is none"
    assert dialects.ends_in_error(answer, path)
    assert not dialects.ends_well(answer, path)
    assert "The gateway is stopping" in answer.text
    await recorded.ended()
    assert recorded.gone is not None, "nothing more is paid for"
    assert await gateway.ended() == 0
    assert "Traceback" not in gateway.output

    await gateway.start()
    try:
        (record,) = (await gateway.get("/ledger")).json["records"]
        assert record["status"] == "cancelled"
        assert record["cost_usd"] > 0
        assert (await gateway.get("/spend")).json["spend"] == pytest.approx(record["cost_usd"])
    finally:
        await gateway.stop()


@FLEETS
@pytest.mark.parametrize("path", DOORS)
async def test_a_plain_call_that_does_not_end_in_time_is_told_to_come_again(
    providers: Providers, folder: Path, path: str, arguments: tuple[str, ...]
) -> None:
    providers.reset()
    providers.anthropic.script(hanging_reply())
    gateway = gateway_of(drained(providers, drain_timeout=0.3), folder, arguments=arguments)
    await gateway.start()
    call = asyncio.ensure_future(gateway.post(path, minimal(path, ANTHROPIC_ALIAS)))
    await providers.anthropic.received()
    gateway.signal(signal.SIGTERM)
    answer = await call
    assert answer.status == 503
    assert "Send it again" in answer.error["message"]
    assert await gateway.ended() == 0
    assert "Traceback" not in gateway.output


async def test_a_second_signal_ends_one_process_at_once(
    providers: Providers, folder: Path
) -> None:
    held_stream(providers)
    gateway = gateway_of(drained(providers), folder)
    await gateway.start()
    body = minimal(MESSAGES, ANTHROPIC_ALIAS, stream=True)
    async with gateway.posting(MESSAGES, body) as exchange:
        await exchange.head()
        gateway.signal(signal.SIGTERM)
        await gateway.said("draining")
        begun = asyncio.get_running_loop().time()
        gateway.signal(signal.SIGINT)
        assert await gateway.ended() == 1
        assert asyncio.get_running_loop().time() - begun < 2
    assert "told twice" in gateway.output
    assert "Traceback" not in gateway.output


@FLEETS
async def test_a_reload_changes_how_long_the_end_may_take(
    providers: Providers, folder: Path, arguments: tuple[str, ...]
) -> None:
    held_stream(providers)
    gateway = gateway_of(drained(providers, drain_timeout="1h"), folder, arguments=arguments)
    await gateway.start()
    gateway.reload(drained(providers, drain_timeout=0.2))
    for _ in range(500):
        if gateway.output.count("info reloaded") == (2 if arguments else 1):
            break
        await asyncio.sleep(0.01)
    body = minimal(MESSAGES, ANTHROPIC_ALIAS, stream=True)
    async with gateway.posting(MESSAGES, body) as exchange:
        await exchange.head()
        gateway.signal(signal.SIGTERM)
        assert dialects.ends_in_error(await exchange.rest(), MESSAGES)
    assert await gateway.ended() == 0


# ------------------------------------------------------------------ replicas


async def test_replicas_are_restarted_one_by_one_and_no_call_is_lost(
    providers: Providers, folder: Path, tmp_path: Path
) -> None:
    """The balancer asks for readiness, as Kubernetes does, and sends calls to who is ready."""
    providers.reset()
    config = drained(providers, drain_delay=0.6)
    replicas = [gateway_of(config, folder), gateway_of(config, tmp_path / "second")]
    for each in replicas:
        await each.start()
    ready = {each.port for each in replicas}
    over = asyncio.Event()
    statuses: list[int] = []

    async def probe(port: int) -> None:
        while not over.is_set():
            try:
                found = (await fetch(port, "GET", READY, timeout=2)).status == 200
            except (OSError, EOFError, TimeoutError):
                found = False
            (ready.add if found else ready.discard)(port)
            await asyncio.sleep(0.1)

    async def load(number: int) -> None:
        body = minimal(CHAT, OPENAI_ALIAS)
        heads = (("authorization", f"Bearer {KEY}"),)
        while not over.is_set():
            ports = sorted(ready)
            port = ports[(number + len(statuses)) % len(ports)]
            statuses.append((await fetch(port, "POST", CHAT, body=body, headers=heads)).status)

    async def roll() -> None:
        for each in replicas:
            await each.restart()
            while each.port not in ready:
                await asyncio.sleep(0.02)
        over.set()

    try:
        ports = [each.port for each in replicas]
        await asyncio.gather(*map(probe, ports), *map(load, range(3)), roll())
    finally:
        over.set()
        for each in replicas:
            await each.stop()
    assert set(statuses) == {200}
    assert len(statuses) > 20


# ------------------------------------------------------------------ what it may need


async def test_it_is_unready_while_no_provider_can_be_called_if_it_was_told_to(
    providers: Providers, folder: Path
) -> None:
    providers.reset()
    broken = "http://127.0.0.1:9"  # nobody listens there
    config = drained(providers, unready_when=["providers"])
    config["model_list"] = [
        {
            "model_name": ANTHROPIC_ALIAS,
            "litellm_params": {
                "model": "anthropic/claude-haiku-4-5", "api_base": broken, "api_key": "k-012345",
            },
        }
    ]  # fmt: skip
    config["router_settings"] = {"num_retries": 0, "allowed_fails": 0, "cooldown_time": 1.5}
    async with gateway_of(config, folder) as gateway:
        assert (await gateway.get(READY)).status == 200
        assert (await gateway.post(CHAT, minimal(CHAT, ANTHROPIC_ALIAS))).status == 502
        told = await unready(gateway)
        assert told.json["unready"] == ["no deployment of any alias can be called now"]
        detail = await gateway.get("/health/readiness/details")
        assert (detail.status, detail.json["aliases"]) == (503, {ANTHROPIC_ALIAS: {"cooling": 1}})
        (sick,) = (await gateway.get("/health")).json["unhealthy_endpoints"]
        assert "connection" in sick["error"]

        async with asyncio.timeout(5):  # a cooldown that is over lets calls in again
            while (await gateway.get(READY)).status != 200:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("needs", "status", "word"), [([], 200, "degraded"), (["stores"], 503, "unhealthy")]
)
async def test_a_store_that_is_down_makes_it_unready_only_if_it_was_told_to(
    providers: Providers, folder: Path, tmp_path: Path, needs: list[str], status: int, word: str
) -> None:
    providers.reset()
    redis = RedisServer(tmp_path / "redis")
    redis.start()
    config = drained(providers, unready_when=needs)
    config["router_settings"] = {
        **config["router_settings"], "redis_host": "127.0.0.1", "redis_port": redis.port,
    }  # fmt: skip
    config["model_max_budget"] = {ANTHROPIC_ALIAS: {"budget_limit": 5, "time_period": "monthly"}}
    try:
        async with gateway_of(config, folder) as gateway:
            assert (await gateway.get(READY)).json["status"] == "healthy"
            redis.kill()
            async with asyncio.timeout(10):
                while (told := await gateway.get(READY)).json["status"] == "healthy":
                    await asyncio.sleep(0.05)
            assert (told.status, told.json["status"]) == (status, word)
            assert any("store" in fault for fault in told.json["faults"])
            assert (await gateway.get("/health/liveliness")).status == 200
            redis.start()
            async with asyncio.timeout(15):
                while (told := await gateway.get(READY)).json["status"] != "healthy":
                    await asyncio.sleep(0.05)
            assert told.status == 200
    finally:
        redis.kill()
