"""The official `openai` SDK, sync and async, takes everything the scripted provider sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, OpenAI
from openai.types.chat import ChatCompletionToolParam
from pydantic import BaseModel

from tiergate.mock.rules import Cut, Fail, Hang, Reply, Rule, StreamFail, ToolCall, Usage
from tiergate.mock.server import MockServer

HELLO = 'Scripted OpenAI provider, model gpt-x, answering: "hello"'
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


class Point(BaseModel):
    """What structured output is parsed into."""

    x: int
    label: str


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MockServer]:
    async with MockServer() as running:
        yield running


@pytest_asyncio.fixture
async def client(server: MockServer) -> AsyncIterator[AsyncOpenAI]:
    # Loading certificates for each client would take longer than the tests.
    http = DefaultAsyncHttpxClient(verify=False)
    url = f"{server.url}/v1"
    async with AsyncOpenAI(
        base_url=url, api_key="sk-1", max_retries=0, timeout=5, http_client=http
    ) as made:
        yield made


@pytest.fixture
def blocking(server: MockServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.url}/v1", api_key="sk-1", max_retries=0, timeout=5) as made:
        yield made


async def text_of(client: AsyncOpenAI, question: str) -> str:
    stream = await client.chat.completions.create(
        model="gpt-x", messages=[{"role": "user", "content": question}], stream=True
    )
    async with stream:
        return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])


async def test_a_plain_answer(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="gpt-x", messages=[{"role": "user", "content": "hello"}]
    )
    assert answer.choices[0].message.content == HELLO
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer._request_id is not None
    assert answer._request_id.startswith("req_")


async def test_a_stream(client: AsyncOpenAI) -> None:
    assert await text_of(client, "hello") == HELLO


async def test_the_sync_client(blocking: OpenAI) -> None:
    def work() -> tuple[str | None, str]:
        plain = blocking.chat.completions.create(
            model="gpt-x", messages=[{"role": "user", "content": "hello"}]
        )
        stream = blocking.chat.completions.create(
            model="gpt-x", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        with stream:
            streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        return plain.choices[0].message.content, streamed

    assert await asyncio.to_thread(work) == (HELLO, HELLO)


async def test_a_streamed_tool_call_is_put_together(client: AsyncOpenAI) -> None:
    async with client.chat.completions.stream(
        model="gpt-x", messages=[{"role": "user", "content": "mock:tool"}], tools=[WEATHER]
    ) as stream:
        answer = await stream.get_final_completion()
    (call,) = answer.choices[0].message.tool_calls or []
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"sample"}')
    assert answer.choices[0].finish_reason == "tool_calls"


async def test_a_conversation_with_a_tool_comes_to_its_answer(client: AsyncOpenAI) -> None:
    asked = {"role": "user", "content": "mock:tool"}
    first = await client.chat.completions.create(
        model="gpt-x",
        messages=[asked],
        tools=[WEATHER],  # type: ignore[list-item]
    )
    said = first.choices[0].message
    assert said.tool_calls is not None
    result = {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "sunny"}
    second = await client.chat.completions.create(
        model="gpt-x",
        messages=[asked, said.model_dump(exclude_none=True), result],  # type: ignore[list-item]
        tools=[WEATHER],
    )
    assert (second.choices[0].message.content or "").endswith("the tool's result has arrived.")


async def test_several_scripted_tools_and_their_usage(
    server: MockServer, client: AsyncOpenAI
) -> None:
    calls = (ToolCall("a", {"n": 1}), ToolCall("b", {}))
    usage = Usage(input=100, output=20, cache_read=40, reasoning=5)
    server.use([Rule((Reply(tool_calls=calls, usage=usage),))])
    async with client.chat.completions.stream(
        model="gpt-x",
        messages=[{"role": "user", "content": "x"}],
        stream_options={"include_usage": True},
    ) as stream:
        answer = await stream.get_final_completion()
    names = [call.function.name for call in answer.choices[0].message.tool_calls or []]
    assert names == ["a", "b"]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (140, 20)
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 40


async def test_structured_output_is_parsed(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(
        model="gpt-x", messages=[{"role": "user", "content": "where"}], response_format=Point
    )
    assert answer.choices[0].message.parsed == Point(x=1, label="where")


async def test_reasoning_content_is_passed_on(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="mock:thinking", messages=[{"role": "user", "content": "x"}]
    )
    assert "think" in (answer.choices[0].message.model_extra or {})["reasoning_content"]


async def test_the_old_completions_route(client: AsyncOpenAI) -> None:
    plain = await client.completions.create(model="gpt-x", prompt="hello")
    assert plain.choices[0].text == HELLO
    stream = await client.completions.create(model="gpt-x", prompt="hello", stream=True)
    async with stream:
        assert "".join([chunk.choices[0].text async for chunk in stream]) == HELLO


async def test_embeddings_come_as_unit_vectors(client: AsyncOpenAI) -> None:
    answer = await client.embeddings.create(model="e", input=["a b", "a b", "c"], dimensions=64)
    vectors = [row.embedding for row in answer.data]
    assert vectors[0] == vectors[1] != vectors[2]
    assert sum(value * value for value in vectors[0]) == pytest.approx(1.0, abs=1e-4)


async def test_models_are_listed_and_shown(client: AsyncOpenAI) -> None:
    names = [model.id async for model in client.models.list()]
    assert names == ["mock-small", "mock-large"]
    assert (await client.models.retrieve("any")).id == "any"


@pytest.mark.parametrize(
    ("word", "kind", "code"),
    [
        ("400", openai.BadRequestError, None),
        ("401", openai.AuthenticationError, "invalid_api_key"),
        ("403", openai.PermissionDeniedError, None),
        ("404", openai.NotFoundError, "model_not_found"),
        ("422", openai.UnprocessableEntityError, None),
        ("429", openai.RateLimitError, "rate_limit_exceeded"),
        ("500", openai.InternalServerError, None),
        ("529", openai.InternalServerError, None),
        ("overflow", openai.BadRequestError, "context_length_exceeded"),
        ("refusal", openai.BadRequestError, "invalid_prompt"),
    ],
)
async def test_each_failure_raises_the_sdks_error(
    client: AsyncOpenAI, word: str, kind: type[openai.APIStatusError], code: str | None
) -> None:
    with pytest.raises(kind) as caught:
        await text_of(client, f"mock:{word}")
    assert caught.value.code == code
    assert caught.value.request_id is not None
    assert caught.value.request_id.startswith("req_")


async def test_a_filtered_answer_says_so(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="mock:filter", messages=[{"role": "user", "content": "x"}]
    )
    assert answer.choices[0].finish_reason == "content_filter"


async def test_a_dropped_connection_is_a_connection_error(
    server: MockServer, client: AsyncOpenAI
) -> None:
    server.use([Rule((Cut(),))])
    with pytest.raises(openai.APIConnectionError):
        await text_of(client, "x")


async def test_a_hanging_provider_is_a_timeout(server: MockServer, client: AsyncOpenAI) -> None:
    server.use([Rule((Hang(30.0),))])
    with pytest.raises(openai.APITimeoutError):
        await text_of(client.with_options(timeout=0.2), "x")


async def test_a_stream_that_fails_raises_in_the_middle(
    server: MockServer, client: AsyncOpenAI
) -> None:
    server.use([Rule((StreamFail(3, Fail(503, message="gone")),))])
    with pytest.raises(openai.APIError, match="gone"):
        await text_of(client, "x")


async def test_the_sdk_tries_again_where_told(server: MockServer, client: AsyncOpenAI) -> None:
    server.use([Rule((Fail(429, headers={"retry-after-ms": "10"}), Reply(text="at last")))])
    assert await text_of(client.with_options(max_retries=1), "x") == "at last"
    assert [call.status for call in server.calls] == [429, 200]
