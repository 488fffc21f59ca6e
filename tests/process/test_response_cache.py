"""The response cache as callers meet it: official SDKs, a hundred at once, Redis gone and back."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from support.clients import Front, both_dialects
from support.gateway import KEY
from support.http_client import fetch
from support.servers import RedisServer
from support.stage import (
    ALIASES,
    ANTHROPIC_ALIAS,
    EMBEDDING_ALIAS,
    OPENAI_ALIAS,
    Providers,
    gateway_of,
    usual,
    with_settings,
)
from tiergate.base.jsontypes import JsonObject
from tiergate.mock.rules import Reply, ToolCall, Usage
from tiergate.mock.server import MockServer

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

LOCAL = {"cache": True, "cache_params": {"type": "local", "ttl": 300}}
CITY = ToolCall("weather", {"city": 'a "quoted" one'}, "toolu_a")
OPENAI_TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
ANTHROPIC_TOOL = {"name": "weather", "input_schema": {"type": "object", "properties": {}}}
both = pytest.mark.parametrize("alias", ALIASES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """A gateway with a cache in memory, in front of the mock server."""
    async with MockServer() as mock:
        config = with_settings(both_dialects(mock), litellm_settings=LOCAL)
        async with gateway_of(config, tmp_path_factory.mktemp("gateway")) as gateway:
            yield Front(gateway, mock)


# ------------------------------------------------------------------ the official clients


@both
@pytest.mark.parametrize("first", ["plain", "stream"])
async def test_the_openai_client_gets_the_same_message_again(
    front: Front, openai_client: AsyncOpenAI, alias: str, first: str
) -> None:
    front.play(Reply(text="Let me look.", tool_calls=(CITY,), usage=Usage(input=11, output=7)))
    asked = {
        "model": alias,
        "messages": [{"role": "user", "content": f"{first} of {alias}"}],
        "tools": [OPENAI_TOOL],
    }

    async def plain():
        return await openai_client.chat.completions.create(**asked)

    async def stream():
        manager = openai_client.chat.completions.stream(
            **asked, stream_options={"include_usage": True}
        )
        async with manager as events:
            return await events.get_final_completion()

    order = [plain, stream, plain] if first == "plain" else [stream, plain, stream]
    answers = [await get() for get in order]
    assert len(front.mock.calls) == 1
    for answer in answers:
        (choice,) = answer.choices
        (call,) = choice.message.tool_calls
        assert (choice.message.content, choice.finish_reason) == ("Let me look.", "tool_calls")
        assert (call.id, call.function.name) == ("toolu_a", "weather")
        assert json.loads(call.function.arguments) == {"city": 'a "quoted" one'}
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 7)
        assert (answer.model, answer.id) == (alias, answers[0].id)


@both
@pytest.mark.parametrize("first", ["plain", "stream"])
async def test_the_anthropic_client_gets_the_same_message_again(
    front: Front, anthropic_client: AsyncAnthropic, alias: str, first: str
) -> None:
    front.play(Reply(thinking="hm", text="Let me look.", tool_calls=(CITY,), usage=Usage(11, 7)))
    asked = {
        "model": alias,
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "messages": [{"role": "user", "content": f"{first} of {alias}"}],
        "tools": [ANTHROPIC_TOOL],
    }
    if alias == OPENAI_ALIAS:
        del asked["thinking"]

    async def plain():
        return await anthropic_client.messages.create(**asked)

    async def stream():
        async with anthropic_client.messages.stream(**asked) as events:
            return await events.get_final_message()

    order = [plain, stream, plain] if first == "plain" else [stream, plain, stream]
    answers = [await get() for get in order]
    assert len(front.mock.calls) == 1
    seen = [
        [block.model_dump(exclude_none=True) for block in answer.content] for answer in answers
    ]
    assert seen[1:] == seen[:1] * 2
    kinds = [block["type"] for block in seen[0]]
    assert kinds[-2:] == ["text", "tool_use"]
    assert ("thinking" in kinds) == (alias == ANTHROPIC_ALIAS or "thinking" in kinds)
    if alias == ANTHROPIC_ALIAS:
        assert seen[0][0]["signature"]
    for answer in answers:
        assert (answer.stop_reason, answer.model) == ("tool_use", alias)
        assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)


async def test_vectors_come_from_the_cache_too(front: Front, openai_client: AsyncOpenAI) -> None:
    first, again = [
        await openai_client.embeddings.create(model=EMBEDDING_ALIAS, input=["a", "b"])
        for _ in range(2)
    ]
    assert len(front.mock.calls) == 1
    assert [v.embedding for v in again.data] == [v.embedding for v in first.data]
    other = await openai_client.embeddings.create(model=EMBEDDING_ALIAS, input=["b", "a"])
    assert len(front.mock.calls) == 2
    assert other.data[0].embedding == first.data[1].embedding


# ------------------------------------------------------------------ a hundred at once


def body_of(alias: str, text: str, *, stream: bool) -> dict[str, object]:
    said = {"model": alias, "messages": [{"role": "user", "content": text}], "max_tokens": 50}
    return {**said, "stream": True} if stream else said


@dataclass(frozen=True)
class Got:
    """An answer with its headers by name."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def hit(self) -> bool:
        """Whether the cache gave it."""
        return self.headers.get("x-tiergate-cache") == "response"


async def ask(port: int, method: str, path: str, body: object = None, key: str = KEY) -> Got:
    login = [("authorization", f"Bearer {key}")]
    answer = await fetch(port, method, path, body=body, headers=login, timeout=30.0)
    assert answer.complete
    return Got(answer.status, dict(answer.headers), answer.body)


async def post(port: int, path: str, body: dict[str, object], key: str = KEY) -> Got:
    return await ask(port, "POST", path, body, key)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@both
async def test_a_hundred_equal_calls_are_one_call(
    front: Front, alias: str, path: str, stream: bool
) -> None:
    front.play(Reply(text="word " * 200))
    body = body_of(alias, f"a hundred of {path} {stream}", stream=stream)
    answers = await asyncio.gather(*(post(front.gateway.port, path, body) for _ in range(100)))
    assert len(front.mock.calls) == 1
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert answers[0].body.count(b"word") >= 1
    hits = [answer for answer in answers if answer.hit]
    assert len(hits) == 99
    assert {answer.headers["x-litellm-response-cost"] for answer in hits} == {"0"}


# ------------------------------------------------------------------ the books


async def test_ledger_metrics_and_routes_agree(tmp_path: Path) -> None:
    async with Providers() as providers:
        config = with_settings(usual(providers), litellm_settings=LOCAL)
        async with gateway_of(config, tmp_path / "gateway") as gateway:
            body = body_of(ANTHROPIC_ALIAS, "books", stream=False)
            answers = [await post(gateway.port, "/v1/messages", body) for _ in range(3)]
            costs = [float(answer.headers["x-litellm-response-cost"]) for answer in answers]
            assert costs[0] > 0 and costs[1:] == [0.0, 0.0]
            assert len(providers.anthropic.requests) == 1

            page = (await get(gateway.port, "/metrics")).decode()
            saved = [li for li in page.splitlines() if li.startswith("tiergate_cache_saved_usd_t")]
            assert float(saved[0].rpartition(" ")[2]) == pytest.approx(2 * costs[0])
            spent = [li for li in page.splitlines() if li.startswith("litellm_spend_metric_t")]
            assert float(spent[0].rpartition(" ")[2]) == pytest.approx(costs[0])

            ping = json.loads(await get(gateway.port, "/cache/ping"))
            assert (ping["status"], ping["cache_type"]) == ("healthy", "local")
            key = answers[1].headers["x-litellm-cache-key"]
            told = await post(gateway.port, "/cache/delete", {"keys": [key]})
            assert json.loads(told.body)["deleted"] == 1
            await post(gateway.port, "/v1/messages", body)
            assert len(providers.anthropic.requests) == 2
            told = await post(gateway.port, "/cache/flushall", {})
            assert json.loads(told.body)["deleted"] == 1

            async with asyncio.timeout(5):
                while True:
                    found = json.loads(await get(gateway.port, "/ledger"))["records"]
                    if len(found) == 4:
                        break
                    await asyncio.sleep(0.05)
            assert [record["cache"] for record in found] == [None, "response", "response", None]
            assert [record["cache_hit"] for record in found] == [False, True, True, False]
            assert found[1]["saving_usd"] == pytest.approx(costs[0])


async def get(port: int, path: str) -> bytes:
    answer = await ask(port, "GET", path)
    assert answer.status == 200, answer.body
    return answer.body


async def test_a_reload_switches_the_cache_on_and_off(tmp_path: Path) -> None:
    async with Providers() as providers:
        plain = usual(providers)
        cached = with_settings(plain, litellm_settings=LOCAL)
        async with gateway_of(plain, tmp_path / "gateway") as gateway:
            body = body_of(OPENAI_ALIAS, "reload", stream=False)

            async def hit_after(config: JsonObject, expected: bool) -> None:
                gateway.write_config(config)
                gateway.signal(signal.SIGHUP)
                async with asyncio.timeout(10):
                    while True:
                        await post(gateway.port, "/v1/chat/completions", body)
                        got = await post(gateway.port, "/v1/chat/completions", body)
                        if got.hit is expected:
                            return

            assert not (await post(gateway.port, "/v1/chat/completions", body)).hit
            await hit_after(cached, expected=True)
            await hit_after(plain, expected=False)
            refused = await ask(gateway.port, "GET", "/cache/ping")
            assert refused.status == 400
            assert b"no_cache" in refused.body


@pytest.mark.parametrize("cache", [{"nocache": True}, {"ttl": "soon"}, "no-cache"])
async def test_a_control_that_is_not_known_is_refused(front: Front, cache: object) -> None:
    body = {**body_of(ANTHROPIC_ALIAS, "controls", stream=False), "cache": cache}
    for path in ("/v1/messages", "/v1/chat/completions"):
        refused = await post(front.gateway.port, path, body)
        assert refused.status == 400
        assert b"cache" in refused.body
    assert not front.mock.calls


# ------------------------------------------------------------------ Redis goes and comes


@pytest.mark.parametrize("how", ["frozen", "killed"])
async def test_a_redis_that_goes_away_under_load_fails_no_request(
    tmp_path: Path, how: str
) -> None:
    server = RedisServer(tmp_path / "redis")
    server.start()
    place = {"type": "redis", "host": "127.0.0.1", "port": server.port, "ttl": 300}
    try:
        async with Providers() as providers:
            settings = {"cache": True, "cache_params": place}
            # Budgets are not what goes away here: they are kept in a file.
            config = with_settings(usual(providers), litellm_settings=settings)
            async with gateway_of(config, tmp_path / "gateway") as gateway:
                await play_outage(gateway.port, server, how)
    finally:
        server.kill()


async def play_outage(port: int, server: RedisServer, how: str) -> None:
    async def call(text: str) -> tuple[int, float, bool]:
        begun = time.monotonic()
        body = body_of(ANTHROPIC_ALIAS, text, stream=False)
        answer = await post(port, "/v1/messages", body)
        return answer.status, time.monotonic() - begun, answer.hit

    assert [(await call("warm"))[2] for _ in range(2)] == [False, True]
    if how == "frozen":
        server.freeze()
    else:
        server.kill()
    during = [await call(f"during {n}") for n in range(100)]
    assert {status for status, _, _ in during} == {200}
    assert max(seconds for _, seconds, _ in during) < 1.0
    ready = json.loads(await get(port, "/health/readiness"))
    assert ready["status"] == "degraded"
    assert any("cache" in fault for fault in ready["faults"])
    if how == "frozen":
        server.thaw()
    else:
        server.start()
    begun = time.monotonic()
    number = 0
    while True:
        number += 1
        await call(f"back {number}")
        if (await call(f"back {number}"))[2]:
            break
        assert time.monotonic() - begun < 5.0
    # On a busy machine one slow answer may open the circuit again; it is in use within the 5 s.
    while json.loads(await get(port, "/health/readiness"))["status"] != "healthy":
        assert time.monotonic() - begun < 5.0
        await call("again")


@pytest.mark.parametrize("how", ["frozen", "killed"])
async def test_a_redis_that_is_away_slows_no_request(tmp_path: Path, how: str) -> None:
    """Once it is known to be away, the slowest calls take at most 5 ms more than before."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    place = {"type": "redis", "host": "127.0.0.1", "port": server.port, "ttl": 300}
    try:
        async with Providers() as providers:
            settings = {"cache": True, "cache_params": place}
            config = with_settings(usual(providers), litellm_settings=settings)
            async with gateway_of(config, tmp_path / "gateway") as gateway:
                await missed(gateway.port, "warm", 100)
                added = [
                    await added_by_outage(gateway.port, server, how, number) for number in range(4)
                ]
    finally:
        server.kill()
    # A call that waited for the store would be late in every round; a busy machine is not.
    assert min(added) <= 0.005, added


async def added_by_outage(port: int, server: RedisServer, how: str, number: int) -> float:
    """What an outage adds to the 99th percentile of calls that find no answer, in seconds."""
    before = await missed(port, f"before {number}", 200)
    if how == "frozen":
        server.freeze()
    else:
        server.kill()
    await missed(port, f"first {number}", 8)
    during = await missed(port, f"during {number}", 200)
    ready = json.loads(await get(port, "/health/readiness"))
    assert ready["status"] == "degraded"
    if how == "frozen":
        server.thaw()
    else:
        server.start()
    end = time.monotonic() + 5.0
    while json.loads(await get(port, "/health/readiness"))["status"] != "healthy":
        assert time.monotonic() < end
        await missed(port, f"again {number} {end - time.monotonic()}", 1)
    return during - before


async def missed(port: int, text: str, count: int) -> float:
    """Make different calls, four at a time; returns the 99th percentile of their seconds."""
    seconds: list[float] = []

    async def one_after_the_other(first: int) -> None:
        for number in range(first, count, 4):
            begun = time.monotonic()
            body = body_of(ANTHROPIC_ALIAS, f"{text} {number}", stream=False)
            answer = await post(port, "/v1/messages", body)
            seconds.append(time.monotonic() - begun)
            assert (answer.status, answer.hit) == (200, False)

    await asyncio.gather(*map(one_after_the_other, range(4)))
    return sorted(seconds)[len(seconds) * 99 // 100 - 1 if len(seconds) > 1 else 0]


async def test_two_gateways_share_answers_and_keys_do_not(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    server.start()
    place = {"type": "redis", "host": "127.0.0.1", "port": server.port}
    try:
        async with Providers() as providers:
            settings = {"cache": True, "cache_params": place}
            config = with_settings(usual(providers), litellm_settings=settings)
            one = gateway_of(config, tmp_path / "one")
            two = gateway_of(config, tmp_path / "two")
            async with one, two:
                body = body_of(ANTHROPIC_ALIAS, "shared", stream=False)
                first = await post(one.port, "/v1/messages", body)
                again = await post(two.port, "/v1/messages", body)
                assert again.body == first.body
                assert again.hit
                keys = [
                    json.loads((await post(one.port, "/key/generate", {})).body)["key"]
                    for _ in range(2)
                ]
                hits = [
                    (await post(port, "/v1/messages", body, key)).hit
                    for port in (one.port, two.port)
                    for key in keys
                ]
                assert hits == [False, False, True, True]
                assert len(providers.anthropic.requests) == 3
    finally:
        server.kill()
