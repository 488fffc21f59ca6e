"""A webhook is told of every call, and one that hangs or fails slows nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from support import openai_wire
from support.exchange import Reply, hanging_reply, json_reply
from support.shapes import CHAT, MESSAGES, minimal
from support.stage import KEY, OPENAI_ALIAS, PROVIDER_KEY, Providers, gateway_of, usual
from support.upstream import Upstream
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

SECRET = "the caller's secret words"


@pytest_asyncio.fixture(loop_scope="module")
async def sink() -> AsyncIterator[Upstream]:
    """Where records go."""
    async with Upstream("sink") as running:
        running.script(json_reply({}))
        yield running


def telling(providers: Providers) -> JsonObject:
    return {**usual(providers), "litellm_settings": {"callbacks": ["generic_api"]}}


def environ(sink: Upstream) -> dict[str, str]:
    return {
        "GENERIC_LOGGER_ENDPOINT": f"{sink.url}/events?team=a",
        "GENERIC_LOGGER_HEADERS": "Authorization=Bearer of-the-sink,X-Team=blue",
    }


def records_of(sink: Upstream) -> list[JsonObject]:
    found: list[JsonObject] = []
    for request in sink.requests:
        batch = json.loads(request.body)
        assert isinstance(batch, list)
        found += batch
    return found


async def test_good_and_failed_calls_are_told_without_words_or_keys(
    providers: Providers, sink: Upstream, folder: Path
) -> None:
    providers.reset()
    async with gateway_of(telling(providers), folder, env=environ(sink)) as gateway:
        said = [{"role": "user", "content": SECRET}]
        tags = {"tags": ["nightly"]}
        good = await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS, messages=said, metadata=tags))
        await gateway.post(MESSAGES, minimal(MESSAGES, OPENAI_ALIAS, messages=said, stream=True))
        providers.openai.script(openai_wire.error_reply(500, "server_error", "Oh."))
        await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS, messages=said))
        async with asyncio.timeout(5):
            while len(records_of(sink)) < 3:
                await asyncio.sleep(0.02)
    plain, streamed, failed = records_of(sink)
    assert plain["id"] == good.header("x-litellm-call-id")
    assert (plain["status"], streamed["status"], failed["status"]) == (
        "success",
        "success",
        "failure",
    )
    nano = plain["response_cost_nano_usd"]
    assert isinstance(nano, int)
    assert Decimal(nano) / 10**9 == Decimal(good.header("x-litellm-response-cost") or "0")
    assert plain["request_tags"] == ["nightly"]
    assert (plain["model_group"], plain["prompt_tokens"]) == (OPENAI_ALIAS, 10)
    assert streamed["stream"] is True
    assert failed["status_code"] == 500
    sent = sink.last
    assert sent.target == "/events?team=a"
    assert sent.header("authorization") == "Bearer of-the-sink"
    assert sent.header("x-team") == "blue"
    bodies = b"".join(request.body for request in sink.requests).decode()
    for hidden in (SECRET, KEY, PROVIDER_KEY):
        assert hidden not in bodies
    assert "of-the-sink" not in gateway.output


async def test_what_waits_is_told_at_the_end(
    providers: Providers, sink: Upstream, folder: Path
) -> None:
    providers.reset()
    gateway = gateway_of(telling(providers), folder, env=environ(sink))
    async with gateway:
        for _ in range(5):
            await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
        assert await gateway.stop() == 0
    assert len(records_of(sink)) == 5


@pytest.mark.parametrize(
    "reply", [hanging_reply(), json_reply({}, 500)], ids=["hanging", "failing"]
)
async def test_a_sink_in_trouble_slows_no_call(
    providers: Providers, sink: Upstream, folder: Path, reply: Reply
) -> None:
    providers.reset()
    sink.script(reply)
    gateway = gateway_of(telling(providers), folder, env=environ(sink))
    async with gateway:
        await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
        await sink.received()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for _ in range(20):
            answer = await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))
            assert answer.status == 200
        assert loop.time() - begun < 5  # one try to tell the sink takes up to 10
        await gateway.kill()


async def test_a_sink_that_is_not_there_is_said_once(
    providers: Providers, sink: Upstream, folder: Path
) -> None:
    providers.reset()
    gone = {"GENERIC_LOGGER_ENDPOINT": "http://127.0.0.1:9/events"}
    async with gateway_of(telling(providers), folder, env=gone) as gateway:
        assert (await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))).status == 200
        await gateway.said("a callback does not take what it is told")
        assert (await gateway.post(CHAT, minimal(CHAT, OPENAI_ALIAS))).status == 200
