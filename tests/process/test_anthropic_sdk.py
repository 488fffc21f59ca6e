"""The official `anthropic` SDK works through the gateway, whichever dialect serves the alias."""

from __future__ import annotations

import asyncio
import json

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import (
    Message,
    MessageParam,
    TextBlock,
    ThinkingBlock,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlock,
)

from support.clients import PIXEL, Front, Point, sync_anthropic
from support.stage import (
    ALIASES,
    ANTHROPIC_ALIAS,
    ANTHROPIC_MODEL,
    EMBEDDING_ALIAS,
    OPENAI_ALIAS,
)
from tiergate.mock.anthropic import signature_of
from tiergate.mock.rules import Finish, Reply, ToolCall, Usage

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

WEATHER: ToolParam = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
CITIES = (
    ToolCall("weather", {"city": "Köln"}, "toolu_a"),
    ToolCall("weather", {"city": 'a "quoted" one'}, "toolu_b"),
)
HELLO: list[MessageParam] = [{"role": "user", "content": "hello"}]
SAID = "Grüße, 世界 🌍"

both = pytest.mark.parametrize("alias", ALIASES)


async def plain(client: AsyncAnthropic, alias: str) -> Message:
    return await client.messages.create(model=alias, max_tokens=100, messages=HELLO)


async def streamed(client: AsyncAnthropic, alias: str) -> Message:
    async with client.messages.stream(model=alias, max_tokens=100, messages=HELLO) as stream:
        return await stream.get_final_message()


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if isinstance(block, TextBlock))


def calls_of(message: Message) -> list[ToolUseBlock]:
    return [block for block in message.content if isinstance(block, ToolUseBlock)]


@both
async def test_a_plain_answer_names_the_alias(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Reply(text=SAID, usage=Usage(input=11, output=7)))
    answer = await plain(anthropic_client, alias)
    assert text_of(answer) == SAID
    assert (answer.model, answer.stop_reason) == (alias, "end_turn")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)


@both
async def test_a_stream_gives_the_same_message(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Reply(text=SAID, usage=Usage(input=11, output=7)))
    answer = await streamed(anthropic_client, alias)
    assert text_of(answer) == SAID
    assert (answer.model, answer.stop_reason) == (alias, "end_turn")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)


@both
async def test_the_sync_client(front: Front, alias: str) -> None:
    front.play(Reply(text=SAID))

    def work() -> tuple[str, str]:
        with sync_anthropic(front.gateway) as client:
            answer = client.messages.create(model=alias, max_tokens=100, messages=HELLO)
            with client.messages.stream(model=alias, max_tokens=100, messages=HELLO) as stream:
                return text_of(answer), "".join(stream.text_stream)

    assert await asyncio.to_thread(work) == (SAID, SAID)


@both
async def test_a_tool_conversation_with_parallel_calls(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Reply(tool_calls=CITIES), Reply(text="mild"))
    first = await anthropic_client.messages.create(
        model=alias,
        max_tokens=100,
        messages=HELLO,
        tools=[WEATHER],
        tool_choice={"type": "any"},
    )
    assert first.stop_reason == "tool_use"
    calls = calls_of(first)
    assert [call.input for call in calls] == [city.arguments for city in CITIES]
    results: list[ToolResultBlockParam] = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"{number} degrees"}
        for number, call in enumerate(calls)
    ]
    second = await anthropic_client.messages.create(
        model=alias,
        max_tokens=100,
        messages=[
            *HELLO,
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": results},
        ],
        tools=[WEATHER],
    )
    assert text_of(second) == "mild"
    assert json.dumps(front.sent["messages"]).count("degrees") == 2


@both
async def test_streamed_parallel_tool_calls_are_put_together(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Reply(text="Let me see.", tool_calls=CITIES))
    answer = await streamed(anthropic_client, alias)
    assert text_of(answer) == "Let me see."
    assert [call.input for call in calls_of(answer)] == [city.arguments for city in CITIES]
    assert len({call.id for call in calls_of(answer)}) == 2
    assert answer.stop_reason == "tool_use"


@both
async def test_structured_output_is_parsed(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    answer = await anthropic_client.messages.parse(
        model=alias, max_tokens=100, messages=HELLO, output_format=Point
    )
    assert answer.parsed_output is not None
    assert answer.parsed_output.x == 1
    wanted = "output_config" if alias == ANTHROPIC_ALIAS else "response_format"
    assert wanted in front.sent


@both
async def test_structured_output_is_parsed_from_a_stream(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    async with anthropic_client.messages.stream(
        model=alias, max_tokens=100, messages=HELLO, output_format=Point
    ) as stream:
        answer = await stream.get_final_message()
    assert answer.parsed_output is not None
    assert answer.parsed_output.x == 1


@both
async def test_an_image_reaches_the_provider(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    await anthropic_client.messages.create(
        model=alias,
        max_tokens=100,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is it?"},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                    },
                ],
            }
        ],
    )
    sent = json.dumps(front.sent["messages"])
    assert PIXEL in sent
    assert (f"data:image/png;base64,{PIXEL}" in sent) == (alias == OPENAI_ALIAS)


async def test_thinking_keeps_its_signature_plain_and_streamed(
    front: Front, anthropic_client: AsyncAnthropic
) -> None:
    front.play(Reply(text="done", thinking="step by step"))
    for answer in (
        await plain(anthropic_client, ANTHROPIC_ALIAS),
        await streamed(anthropic_client, ANTHROPIC_ALIAS),
    ):
        thinking, text = answer.content
        assert isinstance(thinking, ThinkingBlock)
        assert thinking.thinking == "step by step"
        assert thinking.signature == signature_of("step by step")
        assert isinstance(text, TextBlock)


async def test_the_other_dialects_reasoning_becomes_thinking(
    front: Front, anthropic_client: AsyncAnthropic
) -> None:
    front.play(Reply(text="done", thinking="step by step"))
    for answer in (
        await plain(anthropic_client, OPENAI_ALIAS),
        await streamed(anthropic_client, OPENAI_ALIAS),
    ):
        thinking, text = answer.content
        assert isinstance(thinking, ThinkingBlock)
        assert thinking.thinking == "step by step"
        assert isinstance(text, TextBlock)
        assert text.text == "done"


@both
async def test_thinking_can_be_given_back(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Reply(thinking="step by step", tool_calls=CITIES[:1]), Reply(text="done"))
    first = await streamed(anthropic_client, alias)
    (call,) = calls_of(first)
    second = await anthropic_client.messages.create(
        model=alias,
        max_tokens=2_000,
        thinking={"type": "enabled", "budget_tokens": 1_024},
        messages=[
            *HELLO,
            {"role": "assistant", "content": first.content},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "mild"}],
            },
        ],
        tools=[WEATHER],
    )
    assert text_of(second) == "done"


@both
async def test_cached_tokens_are_told_in_anthropics_words(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    front.play(Reply(text="x", usage=Usage(input=100, output=20, cache_read=40)))
    for answer in (
        await plain(anthropic_client, alias),
        await streamed(anthropic_client, alias),
    ):
        usage = answer.usage
        assert (usage.input_tokens, usage.cache_read_input_tokens) == (100, 40)


@both
@pytest.mark.parametrize(
    ("finish", "reason"),
    [(Finish.MAX_TOKENS, "max_tokens"), (Finish.REFUSAL, "refusal")],
)
async def test_the_stop_reason_is_anthropics(
    front: Front, anthropic_client: AsyncAnthropic, alias: str, finish: Finish, reason: str
) -> None:
    front.play(Reply(text="so far", finish=finish))
    assert (await plain(anthropic_client, alias)).stop_reason == reason
    assert (await streamed(anthropic_client, alias)).stop_reason == reason


async def test_a_count_is_the_providers_where_it_counts(
    front: Front, anthropic_client: AsyncAnthropic
) -> None:
    counted = await anthropic_client.messages.count_tokens(model=ANTHROPIC_ALIAS, messages=HELLO)
    assert front.last.endpoint == "count_tokens"
    assert front.sent["model"] == ANTHROPIC_MODEL
    answer = await plain(anthropic_client, ANTHROPIC_ALIAS)
    assert counted.input_tokens == answer.usage.input_tokens


async def test_a_count_is_made_here_where_the_provider_has_none(
    front: Front, anthropic_client: AsyncAnthropic
) -> None:
    counted = await anthropic_client.messages.count_tokens(
        model=OPENAI_ALIAS, system="be brief " * 100, messages=HELLO
    )
    assert 200 <= counted.input_tokens < 300
    assert front.mock.calls == ()


async def test_models_are_the_aliases(front: Front, anthropic_client: AsyncAnthropic) -> None:
    names = [model.id async for model in anthropic_client.models.list()]
    assert names == [ANTHROPIC_ALIAS, OPENAI_ALIAS, EMBEDDING_ALIAS]
    assert (await anthropic_client.models.retrieve(OPENAI_ALIAS)).display_name == OPENAI_ALIAS
    assert front.mock.calls == ()


@both
async def test_raw_headers_tell_who_served_and_what_it_cost(
    front: Front, anthropic_client: AsyncAnthropic, alias: str
) -> None:
    raw = await anthropic_client.messages.with_raw_response.create(
        model=alias, max_tokens=100, messages=HELLO
    )
    assert (await raw.parse()).model == alias
    assert raw.headers["x-litellm-model-group"] == alias
    assert float(raw.headers["x-litellm-response-cost"]) > 0
    assert raw.headers["x-litellm-call-id"]
    assert raw.headers["x-tiergate-served"].startswith(f"{alias}/")


async def test_beta_flags_reach_a_provider_of_the_same_dialect(
    front: Front, anthropic_client: AsyncAnthropic
) -> None:
    await anthropic_client.beta.messages.create(
        model=ANTHROPIC_ALIAS,
        max_tokens=100,
        messages=[{"role": "user", "content": "hello"}],
        betas=["context-management-2025-06-27", "interleaved-thinking-2025-05-14"],
        extra_query={"beta": "true"},
        extra_headers={"anthropic-version": "2023-06-01"},
    )
    flags = front.last.headers["anthropic-beta"].replace(" ", "")
    assert flags == "context-management-2025-06-27,interleaved-thinking-2025-05-14"
    assert front.last.query == "beta=true"
    assert front.last.headers["anthropic-version"] == "2023-06-01"


async def test_cache_marks_reach_the_provider_of_either_client(
    front: Front, anthropic_client: AsyncAnthropic
) -> None:
    front.play(Reply())
    usages = [
        (
            await anthropic_client.messages.create(
                model=ANTHROPIC_ALIAS,
                max_tokens=100,
                system=[
                    {"type": "text", "text": "s" * 400, "cache_control": {"type": "ephemeral"}}
                ],
                messages=[{"role": "user", "content": question}],
            )
        ).usage
        for question in ("one", "two")
    ]
    assert usages[0].cache_creation_input_tokens
    assert usages[1].cache_read_input_tokens == usages[0].cache_creation_input_tokens
