"""What the official SDKs send reaches a provider of their dialect byte for byte but the model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import anthropic
import openai
import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from support import recordings
from support.clients import PIXEL, Point
from support.gateway import KEY
from support.relay import Relay
from support.stage import (
    ANTHROPIC_ALIAS,
    ANTHROPIC_MODEL,
    EMBEDDING_ALIAS,
    OPENAI_ALIAS,
    OPENAI_MODEL,
    Stage,
)

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

OpenAICall: TypeAlias = Callable[[AsyncOpenAI], Awaitable[object]]
AnthropicCall: TypeAlias = Callable[[AsyncAnthropic], Awaitable[object]]

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Name of the city, e.g. Köln"}},
    "required": ["city"],
}


@pytest_asyncio.fixture(loop_scope="module")
async def relay(stage: Stage) -> AsyncIterator[Relay]:
    async with Relay(stage.gateway.port) as running:
        yield running


async def chat_with_tools(client: AsyncOpenAI) -> object:
    return await client.chat.completions.create(
        model=OPENAI_ALIAS,
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "Weather in Köln and Paris? “Both”, please 🌦"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": f"call_{number}",
                        "type": "function",
                        "function": {"name": "weather", "arguments": f'{{"city":"{city}"}}'},
                    }
                    for number, city in enumerate(("Köln", "Paris"))
                ],
            },
            {"role": "tool", "tool_call_id": "call_0", "content": "mild"},
            {"role": "tool", "tool_call_id": "call_1", "content": "wet"},
        ],
        tools=[
            {
                "type": "function",
                "function": {"name": "weather", "parameters": PARAMETERS, "strict": False},
            }
        ],
        tool_choice="auto",
        parallel_tool_calls=True,
        temperature=0.2,
        max_completion_tokens=256,
        stop=["END"],
        user="someone",
    )


async def chat_stream(client: AsyncOpenAI) -> object:
    stream = await client.chat.completions.create(
        model=OPENAI_ALIAS,
        messages=[{"role": "user", "content": "hello"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    async with stream:
        return [chunk async for chunk in stream]


async def chat_parse(client: AsyncOpenAI) -> object:
    # The scripted answer is no Point; what was sent is all that matters here.
    with pytest.raises(ValueError, match="JSON"):
        await client.chat.completions.parse(
            model=OPENAI_ALIAS,
            messages=[{"role": "user", "content": "where?"}],
            response_format=Point,
            reasoning_effort="low",
        )
    return None


async def chat_image(client: AsyncOpenAI) -> object:
    url = f"data:image/png;base64,{PIXEL}"
    return await client.chat.completions.create(
        model=OPENAI_ALIAS,
        messages=[
            {"role": "system", "content": "Look."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is it?"},
                    {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
                ],
            },
        ],
    )


async def embeddings(client: AsyncOpenAI) -> object:
    return await client.embeddings.create(
        model=EMBEDDING_ALIAS, input=["one", "two"], encoding_format="float"
    )


async def messages_with_tools(client: AsyncAnthropic) -> object:
    return await client.messages.create(
        model=ANTHROPIC_ALIAS,
        max_tokens=4_000,
        system=[
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
        ],
        thinking={"type": "enabled", "budget_tokens": 2_000},
        messages=[
            {"role": "user", "content": "Weather in Köln? “Please” 🌦"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "A tool helps.", "signature": "c2lnbmVk"},
                    {
                        "type": "tool_use",
                        "id": "toolu_1",
                        "name": "weather",
                        "input": {"city": "Köln"},
                    },
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "content": [{"type": "text", "text": "mild"}],
                    },
                    {"type": "text", "text": "and tomorrow?"},
                ],
            },
        ],
        tools=[
            {"name": "weather", "description": "Tells.", "input_schema": PARAMETERS},
        ],
        tool_choice={"type": "auto"},
        stop_sequences=["END"],
        metadata={"user_id": "someone"},
    )


async def messages_stream(client: AsyncAnthropic) -> object:
    async with client.messages.stream(
        model=ANTHROPIC_ALIAS,
        max_tokens=100,
        messages=[{"role": "user", "content": "hello"}],
    ) as stream:
        return await stream.get_final_message()


async def messages_parse(client: AsyncAnthropic) -> object:
    with pytest.raises(ValueError, match="JSON"):
        await client.messages.parse(
            model=ANTHROPIC_ALIAS,
            max_tokens=100,
            messages=[{"role": "user", "content": "where?"}],
            output_format=Point,
        )
    return None


async def messages_documents(client: AsyncAnthropic) -> object:
    return await client.messages.create(
        model=ANTHROPIC_ALIAS,
        max_tokens=100,
        messages=[
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                    },
                    {
                        "type": "document",
                        "source": {
                            "type": "text",
                            "media_type": "text/plain",
                            "data": "lorem ipsum",
                        },
                        "title": "Lorem",
                        "citations": {"enabled": False},
                    },
                    {"type": "text", "text": "what are they?"},
                ],
            }
        ],
    )


async def count_tokens(client: AsyncAnthropic) -> object:
    return await client.messages.count_tokens(
        model=ANTHROPIC_ALIAS, messages=[{"role": "user", "content": "hello"}], system="Be brief."
    )


OPENAI_CALLS: list[tuple[str, OpenAICall]] = [
    ("openai-chat-tools", chat_with_tools),
    ("openai-chat-stream", chat_stream),
    ("openai-chat-parse", chat_parse),
    ("openai-chat-image", chat_image),
    ("openai-embeddings", embeddings),
]
ANTHROPIC_CALLS: list[tuple[str, AnthropicCall]] = [
    ("anthropic-messages-tools", messages_with_tools),
    ("anthropic-messages-stream", messages_stream),
    ("anthropic-messages-parse", messages_parse),
    ("anthropic-messages-documents", messages_documents),
    ("anthropic-count-tokens", count_tokens),
]
MODELS = {
    ANTHROPIC_ALIAS: ANTHROPIC_MODEL,
    OPENAI_ALIAS: OPENAI_MODEL,
    EMBEDDING_ALIAS: "text-embedding-3-small",
}


def assert_equal_but_for_the_model(relay: Relay, received: bytes) -> None:
    (sent,) = relay.requests
    for alias, model in MODELS.items():
        asked = f'"model":"{alias}"'.encode()
        if asked in sent.body:
            assert received == sent.body.replace(asked, f'"model":"{model}"'.encode(), 1)
            return
    raise AssertionError(f"no alias in {sent.body!r}")


@pytest.mark.parametrize(("name", "call"), OPENAI_CALLS)
async def test_openais_client(stage: Stage, relay: Relay, name: str, call: OpenAICall) -> None:
    async with AsyncOpenAI(
        base_url=f"{relay.url}/v1",
        api_key=KEY,
        max_retries=0,
        timeout=10,
        http_client=openai.DefaultAsyncHttpxClient(verify=False),
    ) as client:
        await call(client)
    assert_equal_but_for_the_model(relay, stage.providers.openai.last.body)
    recordings.record(name, f"openai {openai.__version__}", relay.requests[0])


@pytest.mark.parametrize(("name", "call"), ANTHROPIC_CALLS)
async def test_anthropics_client(
    stage: Stage, relay: Relay, name: str, call: AnthropicCall
) -> None:
    async with AsyncAnthropic(
        base_url=relay.url,
        api_key=KEY,
        max_retries=0,
        timeout=10,
        http_client=anthropic.DefaultAsyncHttpxClient(verify=False),
    ) as client:
        await call(client)
    assert_equal_but_for_the_model(relay, stage.providers.anthropic.last.body)
    recordings.record(name, f"anthropic {anthropic.__version__}", relay.requests[0])
