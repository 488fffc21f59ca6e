"""Streams and answers as OpenAI's own client reads them."""

from __future__ import annotations

import httpx2
import openai
import pytest

from tiergate.base.chat import (
    Answer,
    BlockEnded,
    Broken,
    CitationDelta,
    Ended,
    Finished,
    RedactedBlock,
    SignatureDelta,
    Started,
    Stop,
    StreamEvent,
    Text,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    ToolUse,
    UsageSeen,
)
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import Usage
from tiergate.providers.openai import StreamEncoder, encode_answer


def _client(body: bytes, content_type: str) -> openai.OpenAI:
    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": content_type}, content=body)

    transport = httpx2.Client(transport=httpx2.MockTransport(reply))
    return openai.OpenAI(api_key="k", base_url="http://gateway.test/v1", http_client=transport)


def _streamed(*events: StreamEvent) -> openai.OpenAI:
    encoder = StreamEncoder(model="cheap", include_usage=True, id="chatcmpl-1", created=7)
    return _client(b"".join(encoder.feed(event) for event in events), "text/event-stream")


def test_its_accumulator_gives_back_what_was_said() -> None:
    client = _streamed(
        Started("msg", "claude"),
        ThinkingDelta(0, "Let me "),
        ThinkingDelta(0, "think."),
        SignatureDelta(0, "sig"),
        BlockEnded(0),
        RedactedBlock(1, "hidden"),
        BlockEnded(1),
        TextDelta(2, "I "),
        TextDelta(2, "look."),
        CitationDelta(2, {"type": "web_search_result_location", "url": "u", "title": "T"}),
        BlockEnded(2),
        ToolStarted(3, "t1", "get_weather"),
        ToolDelta(3, '{"city":'),
        ToolDelta(3, ' "Oslo"}'),
        BlockEnded(3),
        ToolStarted(4, "t2", "now"),
        BlockEnded(4),
        Finished(Stop.TOOLS),
        UsageSeen(Usage(10, 5, cache_read=0)),
        Ended(),
    )
    with client.chat.completions.stream(
        model="cheap", messages=[{"role": "user", "content": "weather?"}]
    ) as stream:
        final = stream.get_final_completion()
    choice = final.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "I look."
    assert [
        (call.id, call.function.name, call.function.arguments)
        for call in choice.message.tool_calls or []
    ] == [("t1", "get_weather", '{"city": "Oslo"}'), ("t2", "now", "{}")]
    extra = choice.message.model_extra or {}
    assert extra["reasoning_content"] == "Let me think."
    assert [block["type"] for block in extra["thinking_blocks"]] == [
        "thinking",
        "redacted_thinking",
    ]
    assert final.usage
    assert final.usage.prompt_tokens_details
    assert final.usage.prompt_tokens_details.cached_tokens == 0


def test_an_error_frame_raises_in_the_client() -> None:
    failure = Failure(FailureClass.UPSTREAM, 502, "The provider is gone.", type="api_error")
    client = _streamed(Started("msg", "m"), TextDelta(0, "half"), Broken(failure))
    with (
        pytest.raises(openai.APIError, match=r"The provider is gone\."),
        client.chat.completions.create(
            model="cheap", messages=[{"role": "user", "content": "x"}], stream=True
        ) as stream,
    ):
        for _ in stream:
            pass


def test_a_plain_answer_is_parsed() -> None:
    answer = Answer(
        id="msg",
        model="m",
        parts=(Text("hi"), ToolUse("t", "f", "{}")),
        stop=Stop.TOOLS,
        usage=Usage(1, 2),
    )
    client = _client(encode_answer(answer, model="cheap", created=7), "application/json")
    found = client.chat.completions.create(
        model="cheap", messages=[{"role": "user", "content": "x"}]
    )
    assert (found.model, found.created) == ("cheap", 7)
    assert found.choices[0].message.content == "hi"
