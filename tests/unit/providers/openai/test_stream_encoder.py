"""Stream events as a streamed chat completion."""

from __future__ import annotations

import msgspec
import pytest

from tiergate.base.chat import (
    BlockEnded,
    Broken,
    CitationDelta,
    Ended,
    Finished,
    Opaque,
    OpaqueBlock,
    Pinged,
    RedactedBlock,
    RefusalDelta,
    SignatureDelta,
    Started,
    Stop,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    UsageSeen,
)
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.openai import StreamEncoder
from tiergate.providers.sse import SseSplitter

FAILURE = Failure(FailureClass.UPSTREAM, 502, "gone", type="server_error", code="x")


def _encoder(include_usage: bool = False) -> StreamEncoder:
    return StreamEncoder(model="cheap", include_usage=include_usage, id="chatcmpl-1", created=7)


def _write(*events: StreamEvent, include_usage: bool = False) -> bytes:
    encoder = _encoder(include_usage)
    return b"".join(encoder.feed(event) for event in events)


def _chunks(raw: bytes) -> list[JsonObject]:
    found: list[JsonObject] = []
    for event in SseSplitter().feed(raw):
        if event.data != b"[DONE]":
            chunk: Json = msgspec.json.decode(event.data)
            assert isinstance(chunk, dict)
            found.append(chunk)
    return found


def _deltas(raw: bytes) -> list[Json]:
    deltas: list[Json] = []
    for chunk in _chunks(raw):
        choices = chunk["choices"]
        assert isinstance(choices, list)
        for choice in choices:
            assert isinstance(choice, dict)
            deltas.append(choice["delta"])
    return deltas


START = Started("msg_1", "claude")
END = (Finished(Stop.END), Ended())
ROLE: JsonObject = {"role": "assistant", "content": ""}


def test_the_bytes_of_a_plain_stream() -> None:
    head = '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"cheap",'
    head += '"choices":[{"index":0,"delta":'
    expected = [
        head + '{"role":"assistant","content":""},"finish_reason":null}]}',
        head + '{"content":"hé\\n"},"finish_reason":null}]}',
        head + '{},"finish_reason":"stop"}]}',
        "[DONE]",
    ]
    raw = _write(START, TextDelta(0, "hé\n"), BlockEnded(0), *END)
    assert raw.decode() == "".join(f"data: {line}\n\n" for line in expected)


def test_the_role_comes_first_whatever_is_said_first() -> None:
    firsts: tuple[StreamEvent, ...] = (
        TextDelta(0, "a"),
        ThinkingDelta(0, "a"),
        ToolStarted(0, "t", "f"),
        RefusalDelta(0, "a"),
        RedactedBlock(0, "a"),
        Finished(Stop.END),
        Ended(),
    )
    for first in firsts:
        assert _deltas(_write(first))[0] == ROLE


def test_usage_comes_once_last_and_only_if_asked_for() -> None:
    seen = UsageSeen(Usage(10, 5, cache_read=0))
    events = (START, UsageSeen(Usage(10, 1)), TextDelta(0, "a"), Finished(Stop.END), seen, Ended())
    assert b"usage" not in _write(*events)
    chunks = _chunks(_write(*events, include_usage=True))
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 0},
    }


def test_usage_that_nobody_told_is_not_made_up() -> None:
    raw = _write(START, *END, include_usage=True)
    assert all(chunk["choices"] for chunk in _chunks(raw))
    started = Started("m", "m", usage=Usage(3, 0))
    assert _chunks(_write(started, *END, include_usage=True))[-1]["choices"] == []


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (Stop.END, "stop"),
        (Stop.SEQUENCE, "stop"),
        (Stop.LENGTH, "length"),
        (Stop.TOOLS, "tool_calls"),
        (Stop.REFUSED, "content_filter"),
        (Stop.PAUSE, "stop"),
        (Stop.CONTEXT, "length"),
    ],
)
def test_there_is_exactly_one_finish_reason_in_the_last_choice(stop: Stop, reason: str) -> None:
    raw = _write(START, Finished(stop), Finished(stop), Ended(), Ended())
    assert raw.count(f'"finish_reason":"{reason}"'.encode()) == 1
    assert raw.count(b"[DONE]") == 1


def test_parallel_calls_have_their_own_index() -> None:
    raw = _write(
        START,
        ToolStarted(0, "a", "f"),
        ToolDelta(0, '{"x":1}'),
        BlockEnded(0),
        ToolStarted(3, "b", "g"),
        ToolDelta(3, ""),
        BlockEnded(3),
    )

    def call(index: int, arguments: str) -> JsonObject:
        return {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}

    def begin(index: int, identity: str, name: str) -> JsonObject:
        function: JsonObject = {"name": name, "arguments": ""}
        entry: JsonObject = {"index": index, "id": identity, "type": "function"}
        return {"tool_calls": [{**entry, "function": function}]}

    assert _deltas(raw)[1:] == [
        begin(0, "a", "f"),
        call(0, '{"x":1}'),
        begin(1, "b", "g"),
        call(1, "{}"),
    ]


def test_signed_thinking_is_said_whole_at_its_end() -> None:
    raw = _write(
        START,
        ThinkingDelta(0, "Let "),
        ThinkingDelta(0, "me"),
        SignatureDelta(0, "sig"),
        BlockEnded(0),
        RedactedBlock(1, "x"),
        BlockEnded(1),
        ThinkingDelta(2, "unsigned"),
        BlockEnded(2),
    )
    first: JsonObject = {"index": 0, "type": "thinking", "thinking": "Let me", "signature": "sig"}
    hidden: JsonObject = {"index": 1, "type": "redacted_thinking", "data": "x"}
    assert _deltas(raw)[1:] == [
        {"reasoning_content": "Let "},
        {"reasoning_content": "me"},
        {"thinking_blocks": [first]},
        {"thinking_blocks": [hidden]},
        {"reasoning_content": "unsigned"},
    ]


def test_citations_come_once_before_the_end_with_their_places() -> None:
    web: JsonObject = {"type": "web_search_result_location", "url": "u", "title": "T"}
    raw = _write(
        START,
        TextDelta(0, "One. "),
        BlockEnded(0),
        TextDelta(1, "Two."),
        CitationDelta(1, web),
        BlockEnded(1),
        TextDelta(2, "3"),
        CitationDelta(2, web),
        *END,
    )

    def note(start: int, end: int) -> JsonObject:
        place: JsonObject = {"start_index": start, "end_index": end, "url": "u", "title": "T"}
        return {"type": "url_citation", "url_citation": place}

    assert _deltas(raw)[-2] == {
        "annotations": [note(5, 9), note(9, 10)],
        "provider_specific_fields": {"citations": [web, web]},
    }


def test_blocks_without_a_field_are_told_before_the_end() -> None:
    block: JsonObject = {"type": "server_tool_use"}
    raw = _write(
        START,
        OpaqueBlock(0, Opaque(Dialect.ANTHROPIC, "server_tool_use", block)),
        BlockEnded(0),
        OpaqueBlock(1, Opaque(Dialect.OPENAI, "audio", {"id": "au"})),
        *END,
    )
    assert _deltas(raw)[1:3] == [
        {"audio": {"id": "au"}},
        {"provider_specific_fields": {"blocks": [block]}},
    ]


def test_a_refusal_in_words_ends_with_stop() -> None:
    raw = _write(START, RefusalDelta(0, "No."), Finished(Stop.REFUSED), Ended())
    assert {"refusal": "No."} in _deltas(raw)
    assert b'"finish_reason":"stop"' in raw


def test_nothing_follows_an_error_frame() -> None:
    encoder = _encoder()
    encoder.feed(START)
    frame = encoder.feed(Broken(FAILURE))
    assert frame == (
        b'data: {"error":{"message":"gone","type":"server_error","param":null,"code":"x"}}\n\n'
    )
    after = (TextDelta(0, "a"), *END, Pinged(), UsageSeen(Usage()))
    assert b"".join(encoder.feed(event) for event in after) == b""
    assert encoder.error(FAILURE) == b""


def test_a_keep_alive_is_a_comment_that_clients_ignore() -> None:
    assert SseSplitter().feed(_write(Pinged())) == []
    assert _write(Pinged()).startswith(b":")


def test_a_fragment_of_an_unknown_call_says_nothing() -> None:
    assert _write(ToolDelta(5, "{")) == b""
