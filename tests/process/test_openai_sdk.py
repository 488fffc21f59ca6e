"""The official `openai` SDK works through the gateway, whichever dialect serves the alias."""

from __future__ import annotations

import asyncio
import json

import pytest
from openai import AsyncOpenAI
from openai.types.chat import (
    ChatCompletionMessageParam,
    ChatCompletionMessageToolCallUnion,
    ChatCompletionToolParam,
)

from support.clients import PIXEL, Front, Point, sync_openai
from support.stage import ALIASES, ANTHROPIC_ALIAS, EMBEDDING_ALIAS, OPENAI_ALIAS, OPENAI_MODEL
from tiergate.mock.rules import Finish, Reply, ToolCall, Usage

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]

WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
CITIES = (
    ToolCall("weather", {"city": "Köln"}, "call_a"),
    ToolCall("weather", {"city": 'a "quoted" one'}, "call_b"),
)
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
SAID = "Grüße, 世界 🌍"

both = pytest.mark.parametrize("alias", ALIASES)


def arguments_of(calls: list[ChatCompletionMessageToolCallUnion] | None) -> list[object]:
    found: list[object] = []
    for call in calls or []:
        assert call.type == "function"
        assert call.function.name == "weather"
        found.append(json.loads(call.function.arguments))
    return found


@both
async def test_a_plain_answer_names_the_alias(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    front.play(Reply(text=SAID, usage=Usage(input=11, output=7)))
    answer = await openai_client.chat.completions.create(model=alias, messages=HELLO)
    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == (SAID, "stop")
    assert answer.model == alias
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 7)


@both
async def test_a_stream_gives_the_same_text_and_ends_with_usage(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    front.play(Reply(text=SAID, usage=Usage(input=11, output=7)))
    stream = await openai_client.chat.completions.create(
        model=alias, messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    async with stream:
        chunks = [chunk async for chunk in stream]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == SAID
    assert {chunk.model for chunk in chunks} == {alias}
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 7)


@both
async def test_usage_that_was_not_asked_for_does_not_come(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    stream = await openai_client.chat.completions.create(model=alias, messages=HELLO, stream=True)
    async with stream:
        chunks = [chunk async for chunk in stream]
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


@both
async def test_the_sync_client(front: Front, alias: str) -> None:
    front.play(Reply(text=SAID))

    def work() -> tuple[str | None, str]:
        with sync_openai(front.gateway) as client:
            plain = client.chat.completions.create(model=alias, messages=HELLO)
            stream = client.chat.completions.create(model=alias, messages=HELLO, stream=True)
            with stream:
                streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        return plain.choices[0].message.content, streamed

    assert await asyncio.to_thread(work) == (SAID, SAID)


@both
async def test_a_tool_conversation_with_parallel_calls(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    front.play(Reply(tool_calls=CITIES), Reply(text="mild"))
    first = await openai_client.chat.completions.create(
        model=alias, messages=HELLO, tools=[WEATHER], tool_choice="required"
    )
    said = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert arguments_of(said.tool_calls) == [call.arguments for call in CITIES]
    results: list[ChatCompletionMessageParam] = [
        {"role": "tool", "tool_call_id": call.id, "content": f"{number} degrees"}
        for number, call in enumerate(said.tool_calls or [])
    ]
    echoed: ChatCompletionMessageParam = said.model_dump(exclude_none=True)  # type: ignore[assignment]
    second = await openai_client.chat.completions.create(
        model=alias, messages=[*HELLO, echoed, *results], tools=[WEATHER]
    )
    assert second.choices[0].message.content == "mild"
    assert json.dumps(front.sent["messages"]).count("degrees") == 2


@both
async def test_streamed_parallel_tool_calls_are_put_together(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    front.play(Reply(text="Let me see.", tool_calls=CITIES))
    async with openai_client.chat.completions.stream(
        model=alias, messages=HELLO, tools=[WEATHER]
    ) as stream:
        answer = await stream.get_final_completion()
    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == ("Let me see.", "tool_calls")
    calls = choice.message.tool_calls or []
    assert [json.loads(call.function.arguments) for call in calls] == [
        call.arguments for call in CITIES
    ]
    assert len({call.id for call in calls}) == 2


@both
async def test_structured_output_is_parsed(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    answer = await openai_client.chat.completions.parse(
        model=alias, messages=[{"role": "user", "content": "where"}], response_format=Point
    )
    assert answer.choices[0].message.parsed == Point(x=1, label="where")


@both
async def test_structured_output_is_parsed_from_a_stream(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    async with openai_client.chat.completions.stream(
        model=alias, messages=[{"role": "user", "content": "where"}], response_format=Point
    ) as stream:
        answer = await stream.get_final_completion()
    assert answer.choices[0].message.parsed == Point(x=1, label="where")


@both
async def test_an_image_reaches_the_provider(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    url = f"data:image/png;base64,{PIXEL}"
    await openai_client.chat.completions.create(
        model=alias,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is it?"},
                    {"type": "image_url", "image_url": {"url": url}},
                ],
            }
        ],
    )
    sent = json.dumps(front.sent["messages"])
    assert PIXEL in sent
    assert ('"media_type": "image/png"' in sent) == (alias == ANTHROPIC_ALIAS)


async def test_reasoning_effort_becomes_the_other_dialects_thinking(
    front: Front, openai_client: AsyncOpenAI
) -> None:
    front.play(Reply(text="done", thinking="step by step"))
    answer = await openai_client.chat.completions.create(
        model=ANTHROPIC_ALIAS, messages=HELLO, reasoning_effort="high"
    )
    assert isinstance(front.sent["thinking"], dict)
    assert (answer.choices[0].message.model_extra or {})["reasoning_content"] == "step by step"
    assert answer.choices[0].message.content == "done"


async def test_reasoning_effort_reaches_a_provider_of_the_same_dialect(
    front: Front, openai_client: AsyncOpenAI
) -> None:
    await openai_client.chat.completions.create(
        model=OPENAI_ALIAS, messages=HELLO, reasoning_effort="high"
    )
    assert front.sent["reasoning_effort"] == "high"


@both
async def test_cached_tokens_are_told_in_openais_words(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    front.play(Reply(text="x", usage=Usage(input=100, output=20, cache_read=40)))
    answer = await openai_client.chat.completions.create(model=alias, messages=HELLO)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 140
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 40


@both
@pytest.mark.parametrize(
    ("finish", "reason"),
    [(Finish.LENGTH, "length"), (Finish.CONTENT_FILTER, "content_filter")],
)
async def test_the_finish_reason_is_openais(
    front: Front, openai_client: AsyncOpenAI, alias: str, finish: Finish, reason: str
) -> None:
    front.play(Reply(text="so far", finish=finish))
    answer = await openai_client.chat.completions.create(model=alias, messages=HELLO)
    assert answer.choices[0].finish_reason == reason


async def test_embeddings_keep_order_and_dimensions(
    front: Front, openai_client: AsyncOpenAI
) -> None:
    answer = await openai_client.embeddings.create(
        model=EMBEDDING_ALIAS, input=["a b", "a b", "c"], dimensions=64
    )
    vectors = [row.embedding for row in answer.data]
    assert answer.model == EMBEDDING_ALIAS
    assert vectors[0] == vectors[1] != vectors[2]
    assert {len(vector) for vector in vectors} == {64}


async def test_the_old_completions_route(front: Front, openai_client: AsyncOpenAI) -> None:
    front.play(Reply(text=SAID))
    plain = await openai_client.completions.create(model=OPENAI_ALIAS, prompt="hello")
    stream = await openai_client.completions.create(
        model=OPENAI_ALIAS, prompt="hello", stream=True
    )
    async with stream:
        streamed = "".join([chunk.choices[0].text async for chunk in stream])
    assert (plain.choices[0].text, streamed) == (SAID, SAID)


async def test_models_are_the_aliases(front: Front, openai_client: AsyncOpenAI) -> None:
    names = [model.id async for model in openai_client.models.list()]
    assert names == [ANTHROPIC_ALIAS, OPENAI_ALIAS, EMBEDDING_ALIAS]
    assert (await openai_client.models.retrieve(OPENAI_ALIAS)).owned_by == "tiergate"
    assert front.mock.calls == ()


@both
async def test_raw_headers_tell_who_served_and_what_it_cost(
    front: Front, openai_client: AsyncOpenAI, alias: str
) -> None:
    raw = await openai_client.chat.completions.with_raw_response.create(
        model=alias, messages=HELLO, extra_headers={"x-litellm-call-id": "my-own-id"}
    )
    assert raw.parse().model == alias
    assert raw.headers["x-litellm-call-id"] == "my-own-id"
    assert raw.headers["x-litellm-model-group"] == alias
    assert raw.headers["x-litellm-attempted-retries"] == "0"
    assert float(raw.headers["x-litellm-response-cost"]) > 0
    assert raw.headers["x-tiergate-served"].startswith(f"{alias}/")


async def test_a_request_keeps_what_the_gateway_does_not_know(
    front: Front, openai_client: AsyncOpenAI
) -> None:
    await openai_client.chat.completions.create(
        model=OPENAI_ALIAS, messages=HELLO, extra_body={"field_of_tomorrow": {"a": [1, None]}}
    )
    assert front.sent["field_of_tomorrow"] == {"a": [1, None]}
    assert front.sent["model"] == OPENAI_MODEL
