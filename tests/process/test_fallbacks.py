"""Fallbacks, retries and cooldowns as callers see them on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support import anthropic_wire, dialects, openai_wire
from support.exchange import Reply, broken_reply, hanging_reply, stream_reply
from support.http_client import Answer
from support.shapes import CHAT, DOORS, minimal, told
from support.stage import Configure, Providers, Stage, gateway_of, usual
from tiergate.base.jsontypes import JsonObject

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

FIRST, SECOND = "cheap", "balanced"
DOWN = anthropic_wire.error_reply(503, "api_error", "The data centre is on fire.")

doors = pytest.mark.parametrize("path", DOORS)
kinds = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


def chained(providers: Providers) -> JsonObject:
    """`cheap` falls back to `balanced` of the other dialect, for every kind of failure."""
    config = usual(providers)
    config["router_settings"] = {
        "num_retries": 0,
        "disable_cooldowns": True,
        "fallbacks": [{FIRST: [SECOND]}],
        "context_window_fallbacks": [{FIRST: [SECOND]}],
        "content_policy_fallbacks": [{FIRST: [SECOND]}],
    }
    return config


@pytest.fixture(scope="module")
def configure() -> Configure:
    return chained


async def ask(stage: Stage, path: str, *, stream: bool = False, **more: object) -> Answer:
    body = minimal(path, FIRST, stream=stream, **more)
    return await stage.gateway.post(path, body)


OUTAGES: dict[str, Reply] = {
    "500": anthropic_wire.error_reply(500, "api_error", "Oh."),
    "503": DOWN,
    "529": anthropic_wire.error_reply(529, "overloaded_error", "Overloaded"),
    "429": anthropic_wire.error_reply(429, "rate_limit_error", "Slow down."),
    "401": anthropic_wire.error_reply(401, "authentication_error", "invalid x-api-key"),
    "404": anthropic_wire.error_reply(404, "not_found_error", "model: claude"),
    "reset": broken_reply(),
}
OTHERS: dict[str, Reply] = {
    "overflow": anthropic_wire.overflow_reply(),
    "refusal": anthropic_wire.refusal_reply(),
}


@doors
@kinds
@pytest.mark.parametrize("name", [*OUTAGES, *OTHERS])
async def test_the_next_alias_serves_and_headers_say_so(
    stage: Stage, path: str, stream: bool, name: str
) -> None:
    stage.of(FIRST).script((OUTAGES | OTHERS)[name])
    answer = await ask(stage, path, stream=stream)
    assert answer.status == 200
    assert dialects.said(answer) == "from openai"
    assert answer.header("x-litellm-attempted-fallbacks") == "1"
    assert answer.header("x-tiergate-served") == f"{SECOND}/openai/gpt-4o"
    assert answer.header("x-litellm-model-group") == SECOND
    assert f'"{FIRST}"' in answer.text
    assert len(stage.of(SECOND).requests) == 1


@doors
async def test_a_stream_that_fails_before_its_first_content_falls_back_unseen(
    stage: Stage, path: str
) -> None:
    events = dialects.text_events(FIRST, "never seen")
    count = dialects.first_content(events) - 1
    stage.of(FIRST).script(stream_reply(*events[:count], dialects.error_event(FIRST)))
    answer = await ask(stage, path, stream=True)
    assert answer.status == 200
    assert "msg_01Scripted" not in answer.text
    assert dialects.ends_well(answer, path)
    assert answer.header("x-litellm-attempted-fallbacks") == "1"


@doors
@kinds
async def test_the_callers_own_mistake_goes_nowhere(stage: Stage, path: str, stream: bool) -> None:
    mistake = anthropic_wire.error_reply(400, "invalid_request_error", "temperature: too warm")
    stage.of(FIRST).script(mistake)
    error = told(await ask(stage, path, stream=stream), path)
    assert (error.status, error.message) == (400, "temperature: too warm")
    assert stage.of(SECOND).requests == []


@doors
@kinds
async def test_when_all_fail_the_first_error_is_told(
    stage: Stage, path: str, stream: bool
) -> None:
    stage.of(FIRST).script(DOWN)
    stage.of(SECOND).script(openai_wire.error_reply(500, "server_error", "Also down."))
    answer = await ask(stage, path, stream=stream)
    error = told(answer, path)
    assert (error.status, error.message) == (503, "The data centre is on fire.")
    assert answer.header("x-litellm-attempted-fallbacks") == "1"
    assert SECOND in (answer.header("x-tiergate-why") or "")


@doors
async def test_a_request_may_forbid_fallbacks(stage: Stage, path: str) -> None:
    stage.of(FIRST).script(DOWN)
    error = told(await ask(stage, path, disable_fallbacks=True), path)
    assert error.status == 503
    assert stage.of(SECOND).requests == []


@doors
async def test_a_request_may_bring_its_own(stage: Stage, path: str) -> None:
    stage.of(SECOND).script(openai_wire.error_reply(500, "server_error", "Down."))
    body = minimal(path, SECOND, fallbacks=[FIRST])
    answer = await stage.gateway.post(path, body)
    assert answer.status == 200
    assert (answer.header("x-tiergate-served") or "").startswith(f"{FIRST}/anthropic/")
    assert "fallbacks" not in stage.of(FIRST).last.json


@doors
async def test_a_drill_fails_on_purpose_and_calls_only_the_fallback(
    stage: Stage, path: str
) -> None:
    answer = await ask(stage, path, mock_testing_fallbacks=True)
    assert answer.status == 200
    assert answer.header("x-litellm-model-group") == SECOND
    assert stage.of(FIRST).requests == []
    assert "mock_testing_fallbacks" not in stage.of(SECOND).last.json


@doors
async def test_a_drill_of_one_alias_alone_is_an_error(stage: Stage, path: str) -> None:
    answer = await ask(stage, path, mock_testing_fallbacks=True, disable_fallbacks=True)
    assert answer.status >= 400
    assert stage.calls == 0


@doors
async def test_time_that_runs_out_is_a_408_unless_another_serves(stage: Stage, path: str) -> None:
    stage.of(FIRST).script(hanging_reply())
    error = told(await ask(stage, path, timeout=0.2, disable_fallbacks=True), path)
    assert (error.status, error.kind) == (408, "timeout_error")
    await stage.of(FIRST).last.ended()


# What cools or waits has a gateway of its own.


def fragile(providers: Providers, **router: object) -> JsonObject:
    config = usual(providers)
    settings: JsonObject = {"num_retries": 0, "allowed_fails": 3, "cooldown_time": 60}
    settings.update(router)  # pyright: ignore[reportArgumentType, reportCallIssue]
    config["router_settings"] = settings
    return config


@pytest_asyncio.fixture(loop_scope="module")
async def cooling(providers: Providers, folder: Path) -> AsyncIterator[Stage]:
    """A gateway where the fourth failure starts a cooldown of two seconds."""
    providers.reset()
    async with gateway_of(fragile(providers, cooldown_time=2), folder) as gateway:
        yield Stage(gateway, providers)
    providers.reset()


async def test_the_fourth_failure_cools_and_one_probe_ends_it(cooling: Stage) -> None:
    upstream = cooling.of(FIRST)
    upstream.script(DOWN)
    for _ in range(4):
        assert (await ask(cooling, CHAT)).status == 503
    begun = asyncio.get_running_loop().time()
    answer = await ask(cooling, CHAT)
    assert told(answer, CHAT).status in (429, 503)
    assert int(answer.header("retry-after") or "0") in (1, 2)
    assert len(upstream.requests) == 4
    # The other alias is not concerned.
    other = await cooling.gateway.post(CHAT, minimal(CHAT, SECOND))
    assert other.status == 200
    upstream.script(anthropic_wire.text_reply("well again"))
    status = 0
    async with asyncio.timeout(6):
        while status != 200:
            await asyncio.sleep(0.1)
            status = (await ask(cooling, CHAT)).status
    assert asyncio.get_running_loop().time() - begun >= 1.5
    assert len(upstream.requests) == 5
    assert (await ask(cooling, CHAT)).status == 200


async def test_mistakes_of_the_caller_cool_nothing(cooling: Stage) -> None:
    mistake = anthropic_wire.error_reply(400, "invalid_request_error", "temperature: too warm")
    cooling.of(FIRST).script(mistake)
    for _ in range(8):
        assert (await ask(cooling, CHAT)).status == 400
    assert len(cooling.of(FIRST).requests) == 8


async def test_a_rate_limit_cools_as_long_as_it_says(cooling: Stage) -> None:
    limited = anthropic_wire.error_reply(
        429, "rate_limit_error", "Slow down.", headers={"retry-after": "33"}
    )
    cooling.of(FIRST).script(limited)
    answers = [await ask(cooling, CHAT) for _ in range(6)]
    assert {answer.status for answer in answers} == {429}
    waits = [int(answer.header("retry-after") or "0") for answer in answers]
    assert waits[0] == 33
    assert all(30 <= wait <= 33 for wait in waits)


async def test_retries_go_to_the_other_deployment_and_are_counted(
    providers: Providers, folder: Path
) -> None:
    providers.reset()
    config = fragile(providers, num_retries=2)
    config["model_list"] = [providers.at_anthropic(FIRST), providers.at_openai(FIRST)]
    providers.anthropic.script(DOWN)
    async with gateway_of(config, folder) as gateway:
        answers = [await gateway.post(CHAT, minimal(CHAT, FIRST)) for _ in range(8)]
    assert {answer.status for answer in answers} == {200}
    retried = [answer.header("x-litellm-attempted-retries") for answer in answers]
    assert set(retried) <= {"0", "1"}
    assert retried.count("1") == len(providers.anthropic.requests)


async def test_two_retries_are_three_calls_at_most(providers: Providers, folder: Path) -> None:
    providers.reset()
    providers.anthropic.script(DOWN)
    async with gateway_of(fragile(providers, num_retries=2), folder) as gateway:
        answer = await gateway.post(CHAT, minimal(CHAT, FIRST))
    assert told(answer, CHAT).status == 503
    assert answer.header("x-litellm-attempted-retries") == "2"
    assert len(providers.anthropic.requests) == 3
