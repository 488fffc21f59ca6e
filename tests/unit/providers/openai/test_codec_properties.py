"""What holds of the chat codec for every input."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.chat import (
    Answer,
    Ask,
    BlockEnded,
    Broken,
    CitationDelta,
    Ended,
    Finished,
    Started,
    Stop,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
)
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json
from tiergate.providers.failures import UnreadableAnswerError
from tiergate.providers.openai import (
    StreamDecoder,
    StreamEncoder,
    decode_answer,
    decode_ask,
    usage_from,
)
from tiergate.providers.sse import SseEvent, SseSplitter

# ----------------------------------------------------------------------------- any JSON

words = st.sampled_from(
    [
        "role", "content", "type", "text", "image_url", "url", "tool_calls", "function", "name",
        "arguments", "id", "messages", "model", "tools", "choices", "delta", "message", "index",
        "usage", "finish_reason", "user", "assistant", "system", "tool", "tool_call_id", "error",
        "thinking_blocks", "thinking", "tool_choice", "response_format", "cache_control", "stop",
        "reasoning_content", "annotations", "data", "source", "file", "input_audio", "tool_result",
    ]
)  # fmt: skip
scalars = st.none() | st.booleans() | st.integers() | st.just(1.5) | words
anything: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=10,
)
objects = st.dictionaries(words | st.text(max_size=3), anything, max_size=5)


def _asked(raw: dict[str, Json]) -> Ask | Refused:
    try:
        return decode_ask(raw)
    except Refused as refused:
        return refused


def _answered(raw: dict[str, Json]) -> Answer | UnreadableAnswerError:
    try:
        return decode_answer(raw)
    except UnreadableAnswerError as unreadable:
        return unreadable


@given(objects, st.lists(objects, max_size=4))
def test_any_json_is_an_ask_or_a_refusal(body: dict[str, Json], messages: list[Json]) -> None:
    for raw in (body, {"model": "m", **body}, {"model": "m", "messages": messages}):
        found = _asked(raw)
        assert isinstance(found, Ask) or (found.status == 400 and found.param is not None)


@given(objects, objects)
def test_any_json_is_an_answer_or_unreadable(
    body: dict[str, Json], message: dict[str, Json]
) -> None:
    usage_from(body)
    for raw in (body, {"choices": [{"message": message}]}):
        found = _answered(raw)
        assert isinstance(found, Answer) or found.failure.status == 502


def _kinds(events: list[StreamEvent]) -> None:
    """Check that blocks come one at a time and that there is exactly one end, the last event."""
    assert isinstance(events[-1], Ended | Broken)
    assert sum(isinstance(event, Ended | Broken) for event in events) == 1
    assert sum(isinstance(event, Finished) for event in events) <= 1
    if isinstance(events[-1], Ended):
        assert any(isinstance(event, Finished) for event in events)
    assert sum(isinstance(event, Started) for event in events) <= 1
    open_block, last = None, -1
    for event in events:
        number = getattr(event, "block", None)
        if number is None:
            continue
        if open_block is None:
            assert number == last + 1
            open_block = last = number
        assert number == open_block
        if isinstance(event, BlockEnded):
            open_block = None


def _stream(events_sent: list[bytes]) -> list[StreamEvent]:
    decoder = StreamDecoder()
    events: list[StreamEvent] = []
    for data in events_sent:
        events += decoder.feed(SseEvent(b"", data, b""))
    return events + decoder.eof()


@given(st.lists(objects.map(msgspec.json.encode) | st.binary(max_size=20), max_size=6))
def test_any_events_have_one_end_and_never_raise(events_sent: list[bytes]) -> None:
    _kinds(_stream(events_sent))


calls = st.fixed_dictionaries(
    {},
    optional={
        "index": st.none() | st.integers(0, 2),
        "id": st.sampled_from(["", "a", "b"]) | st.none(),
        "function": st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["", "f", "g"]) | st.none(),
                "arguments": st.sampled_from(["", "{", "}", '{"x":1}', " "]) | st.none(),
            },
        ),
    },
)
deltas = st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant"),
        "content": st.sampled_from(["", "a", "b"]) | st.none(),
        "reasoning_content": st.sampled_from(["", "hm"]) | st.none(),
        "refusal": st.sampled_from(["", "no"]) | st.none(),
        "thinking_blocks": st.lists(
            st.fixed_dictionaries(
                {}, optional={"thinking": st.just("t"), "signature": st.just("s")}
            ),
            max_size=2,
        ),
        "tool_calls": st.none() | st.lists(calls, max_size=3),
    },
)
chunks = st.builds(
    lambda delta, reason: msgspec.json.encode(
        {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    ),
    deltas,
    st.sampled_from([None, None, None, "stop", "tool_calls"]),
)


@given(st.lists(chunks, max_size=10), st.booleans())
def test_blocks_of_any_stream_come_one_at_a_time(events_sent: list[bytes], done: bool) -> None:
    _kinds(_stream([*events_sent, b"[DONE]"] if done else events_sent))


@given(st.lists(chunks, max_size=8))
def test_no_text_of_a_stream_is_lost(events_sent: list[bytes]) -> None:
    """Up to the finish reason, all content is said, in order."""
    sent = ""
    for data in events_sent:
        choice = msgspec.json.decode(data)["choices"][0]
        sent += choice["delta"].get("content") or ""
        if choice["finish_reason"]:
            break
    events = _stream([*events_sent, b"[DONE]"])
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == sent


GOOD = [
    b'{"id":"c","choices":[{"index":0,"delta":{"role":"assistant"}}]}',
    b'{"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]}',
    b'{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"function":{"name":"f"}}]}}]}',
    b'{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
    b'{"id":"c","choices":[],"usage":{"prompt_tokens":1}}',
    b"[DONE]",
]


def test_a_stream_cut_at_any_event_is_broken_or_ended() -> None:
    for cut in range(len(GOOD) + 1):
        events = _stream(GOOD[:cut])
        _kinds(events)
        assert isinstance(events[-1], Ended) == (cut >= 4)


text = st.text(min_size=1, max_size=20)
json_text = st.sampled_from(["{}", '{"a": 1}', '{"b":[1,2]}'])
pieces = st.lists(
    st.tuples(st.just("text"), text)
    | st.tuples(st.just("think"), text)
    | st.tuples(st.just("tool"), json_text),
    max_size=5,
)


@given(pieces, st.booleans())
def test_a_stream_written_and_read_says_the_same(
    said: list[tuple[str, str]], include_usage: bool
) -> None:
    events: list[StreamEvent] = [Started("x", "y")]
    for number, (kind, value) in enumerate(said):
        if kind == "text":
            events += [TextDelta(number, value), CitationDelta(number, {"url": "u"})]
        elif kind == "think":
            events.append(ThinkingDelta(number, value))
        else:
            events += [ToolStarted(number, f"c{number}", "f"), ToolDelta(number, value)]
        events.append(BlockEnded(number))
    events += [Finished(Stop.END), Ended()]
    encoder = StreamEncoder(model="m", include_usage=include_usage, id="i", created=1)
    raw = b"".join(encoder.feed(event) for event in events)
    decoder = StreamDecoder()
    read = [event for sse in SseSplitter().feed(raw) for event in decoder.feed(sse)]
    read += decoder.eof()
    _kinds(read)
    assert decoder.skipped == 0

    def joined(kind: type, field: str, found: list[StreamEvent]) -> str:
        return "".join(getattr(event, field) for event in found if isinstance(event, kind))

    for kind, field in ((TextDelta, "text"), (ThinkingDelta, "text"), (ToolDelta, "fragment")):
        assert joined(kind, field, read) == joined(kind, field, events)
