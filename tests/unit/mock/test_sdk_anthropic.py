"""The official `anthropic` SDK, sync and async, takes everything the scripted provider sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import anthropic
import pytest
import pytest_asyncio
from anthropic import Anthropic, AsyncAnthropic, DefaultAsyncHttpxClient
from anthropic.types import Message, TextBlock, ThinkingBlock, ToolParam, ToolUseBlock
from pydantic import BaseModel

from tiergate.mock.anthropic import signature_of
from tiergate.mock.rules import Cut, Fail, Hang, Reply, Rule, StreamFail, ToolCall
from tiergate.mock.server import MockServer

HELLO = 'Scripted Anthropic provider, model claude-x, answering: "hello"'
WEATHER: ToolParam = {
    "name": "weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
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
async def client(server: MockServer) -> AsyncIterator[AsyncAnthropic]:
    # Loading certificates for each client would take longer than the tests.
    http = DefaultAsyncHttpxClient(verify=False)
    async with AsyncAnthropic(
        base_url=server.url, api_key="sk-1", max_retries=0, timeout=5, http_client=http
    ) as made:
        yield made


@pytest.fixture
def blocking(server: MockServer) -> Iterator[Anthropic]:
    with Anthropic(base_url=server.url, api_key="sk-1", max_retries=0, timeout=5) as made:
        yield made


async def plain(client: AsyncAnthropic, question: str, model: str = "claude-x") -> Message:
    return await client.messages.create(
        model=model, max_tokens=100, messages=[{"role": "user", "content": question}]
    )


async def streamed(client: AsyncAnthropic, question: str) -> Message:
    async with client.messages.stream(
        model="claude-x", max_tokens=100, messages=[{"role": "user", "content": question}]
    ) as stream:
        return await stream.get_final_message()


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if isinstance(block, TextBlock))


async def test_a_plain_answer(client: AsyncAnthropic) -> None:
    answer = await plain(client, "hello")
    assert text_of(answer) == HELLO
    assert (answer.stop_reason, answer.model) == ("end_turn", "claude-x")
    assert answer._request_id is not None
    assert answer._request_id.startswith("req_01")


async def test_a_stream_gives_the_same_message(client: AsyncAnthropic) -> None:
    answer = await streamed(client, "hello")
    assert text_of(answer) == HELLO
    assert answer.usage.output_tokens == (await plain(client, "hello")).usage.output_tokens


async def test_the_sync_client(blocking: Anthropic) -> None:
    def work() -> tuple[str, str]:
        answer = blocking.messages.create(
            model="claude-x", max_tokens=100, messages=[{"role": "user", "content": "hello"}]
        )
        with blocking.messages.stream(
            model="claude-x", max_tokens=100, messages=[{"role": "user", "content": "hello"}]
        ) as stream:
            return text_of(answer), "".join(stream.text_stream)

    assert await asyncio.to_thread(work) == (HELLO, HELLO)


async def test_a_streamed_tool_call_is_put_together(client: AsyncAnthropic) -> None:
    async with client.messages.stream(
        model="claude-x",
        max_tokens=100,
        messages=[{"role": "user", "content": "mock:tool"}],
        tools=[WEATHER],
    ) as stream:
        answer = await stream.get_final_message()
    (block,) = answer.content
    assert isinstance(block, ToolUseBlock)
    assert (block.name, block.input) == ("weather", {"city": "sample"})
    assert answer.stop_reason == "tool_use"


async def test_a_conversation_with_a_tool_comes_to_its_answer(client: AsyncAnthropic) -> None:
    first = await client.messages.create(
        model="claude-x",
        max_tokens=100,
        messages=[{"role": "user", "content": "mock:tool"}],
        tools=[WEATHER],
    )
    (block,) = first.content
    assert isinstance(block, ToolUseBlock)
    second = await client.messages.create(
        model="claude-x",
        max_tokens=100,
        messages=[
            {"role": "user", "content": "mock:tool"},
            {"role": "assistant", "content": first.content},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": block.id, "content": "sunny"}],
            },
        ],
        tools=[WEATHER],
    )
    assert text_of(second).endswith("the tool's result has arrived.")


async def test_thinking_comes_first_and_is_signed(
    server: MockServer, client: AsyncAnthropic
) -> None:
    reply = Reply(text="done", thinking="step by step", tool_calls=(ToolCall("t", {"a": [1]}),))
    server.use([Rule((reply,))])
    for answer in (await plain(client, "x"), await streamed(client, "x")):
        thinking, text, tool = answer.content
        assert isinstance(thinking, ThinkingBlock)
        assert thinking.thinking == "step by step"
        assert thinking.signature == signature_of("step by step")
        assert isinstance(text, TextBlock)
        assert isinstance(tool, ToolUseBlock)
        assert tool.input == {"a": [1]}


async def test_enabled_thinking_is_answered_with_thinking(client: AsyncAnthropic) -> None:
    answer = await client.messages.create(
        model="claude-x",
        max_tokens=2_000,
        thinking={"type": "enabled", "budget_tokens": 1_024},
        messages=[{"role": "user", "content": "hello"}],
    )
    assert [block.type for block in answer.content] == ["thinking", "text"]


async def test_a_marked_prompt_is_written_to_the_cache_and_then_read(
    client: AsyncAnthropic,
) -> None:
    usages = []
    for question in ("one", "two"):
        answer = await client.messages.create(
            model="claude-x",
            max_tokens=100,
            system=[{"type": "text", "text": "s" * 400, "cache_control": {"type": "ephemeral"}}],
            messages=[{"role": "user", "content": question}],
        )
        usages.append(answer.usage)
    first, second = usages
    assert (first.cache_creation_input_tokens or 0) > 100
    assert first.cache_creation is not None
    assert first.cache_creation.ephemeral_5m_input_tokens == first.cache_creation_input_tokens
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.cache_creation_input_tokens == 0
    assert second.input_tokens < 100


async def test_structured_output_is_parsed(client: AsyncAnthropic) -> None:
    answer = await client.messages.parse(
        model="claude-x",
        max_tokens=100,
        messages=[{"role": "user", "content": "where"}],
        output_format=Point,
    )
    assert answer.parsed_output == Point(x=1, label="where")


async def test_tokens_are_counted_as_they_are_charged(client: AsyncAnthropic) -> None:
    counted = await client.messages.count_tokens(
        model="claude-x", messages=[{"role": "user", "content": "hello"}]
    )
    assert counted.input_tokens == (await plain(client, "hello")).usage.input_tokens


async def test_models_are_listed_and_shown(client: AsyncAnthropic) -> None:
    names = [model.id async for model in client.models.list()]
    assert names == ["mock-small", "mock-large"]
    assert (await client.models.retrieve("any")).display_name == "any"


@pytest.mark.parametrize(
    ("word", "kind", "error_type"),
    [
        ("400", anthropic.BadRequestError, "invalid_request_error"),
        ("401", anthropic.AuthenticationError, "authentication_error"),
        ("403", anthropic.PermissionDeniedError, "permission_error"),
        ("404", anthropic.NotFoundError, "not_found_error"),
        ("413", anthropic.APIStatusError, "request_too_large"),
        ("429", anthropic.RateLimitError, "rate_limit_error"),
        ("500", anthropic.InternalServerError, "api_error"),
        ("529", anthropic.APIStatusError, "overloaded_error"),
        ("overflow", anthropic.BadRequestError, "invalid_request_error"),
        ("refusal", anthropic.BadRequestError, "invalid_request_error"),
    ],
)
async def test_each_failure_raises_the_sdks_error(
    client: AsyncAnthropic, word: str, kind: type[anthropic.APIStatusError], error_type: str
) -> None:
    with pytest.raises(kind) as caught:
        await plain(client, f"mock:{word}")
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"]["type"] == error_type
    assert caught.value.request_id == caught.value.body["request_id"]


async def test_an_overflow_is_told_as_agents_expect(client: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 210000 tokens"):
        await streamed(client, "mock:overflow")


async def test_a_refusal_in_the_answer_has_its_stop_reason(client: AsyncAnthropic) -> None:
    answer = await plain(client, "x", "mock:filter")
    assert answer.stop_reason == "refusal"
    assert answer.stop_details is not None


async def test_a_dropped_connection_is_a_connection_error(
    server: MockServer, client: AsyncAnthropic
) -> None:
    server.use([Rule((Cut(),))])
    with pytest.raises(anthropic.APIConnectionError):
        await plain(client, "x")


async def test_a_hanging_provider_is_a_timeout(server: MockServer, client: AsyncAnthropic) -> None:
    server.use([Rule((Hang(30.0),))])
    with pytest.raises(anthropic.APITimeoutError):
        await plain(client.with_options(timeout=0.2), "x")


async def test_a_stream_that_fails_raises_in_the_middle(
    server: MockServer, client: AsyncAnthropic
) -> None:
    server.use([Rule((StreamFail(4),))])
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        await streamed(client, "x")


async def test_the_sdk_tries_again_where_told(server: MockServer, client: AsyncAnthropic) -> None:
    server.use([Rule((Fail(529, headers={"retry-after-ms": "10"}), Reply(text="at last")))])
    assert text_of(await plain(client.with_options(max_retries=1), "x")) == "at last"
    assert [call.status for call in server.calls] == [529, 200]
