"""What holds of the chat codec for every input."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.chat import (
    Answer,
    Ask,
    Audio,
    BlockEnded,
    Broken,
    Bytes64,
    CacheMark,
    CitationDelta,
    Document,
    Ended,
    FileId,
    Finished,
    Image,
    Link,
    Opaque,
    ProviderTool,
    Reasoning,
    RedactedThinking,
    Refusal,
    ResponseFormat,
    Role,
    Started,
    Stop,
    StreamEvent,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    Tool,
    ToolChoice,
    ToolDelta,
    ToolMode,
    ToolResult,
    ToolStarted,
    ToolUse,
    Turn,
)
from tiergate.base.errors import Refused, Untranslatable
from tiergate.base.jsontypes import Json
from tiergate.base.values import Dialect, Usage
from tiergate.providers.facts import ModelFacts, ThinkingStyle, facts_for
from tiergate.providers.failures import UnreadableAnswerError
from tiergate.providers.openai import (
    StreamDecoder,
    StreamEncoder,
    decode_answer,
    decode_ask,
    encode_answer,
    encode_ask,
    usage_from,
)
from tiergate.providers.quirks import Quirk
from tiergate.providers.sse import SseEvent, SseSplitter
from tiergate.providers.target import EncodeTarget

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


@given(objects, st.lists(objects, max_size=4))
def test_any_json_is_an_ask_or_a_refusal(body: dict[str, Json], messages: list[Json]) -> None:
    for raw in (body, {"model": "m", **body}, {"model": "m", "messages": messages}):
        try:
            ask = decode_ask(raw)
        except Refused as refused:
            assert refused.status == 400
            assert refused.param is not None
        else:
            assert isinstance(ask, Ask)


@given(objects, objects)
def test_any_json_is_an_answer_or_unreadable(body: dict[str, Json], message: dict[str, Json]) -> None:
    usage_from(body)
    for raw in (body, {"choices": [{"message": message}]}):
        try:
            assert isinstance(decode_answer(raw), Answer)
        except UnreadableAnswerError as unreadable:
            assert unreadable.failure.status == 502


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


def _stream(datas: list[bytes]) -> list[StreamEvent]:
    decoder = StreamDecoder()
    events: list[StreamEvent] = []
    for data in datas:
        events += decoder.feed(SseEvent(b"", data, b""))
    return events + decoder.eof()


@given(st.lists(objects.map(msgspec.json.encode) | st.binary(max_size=20), max_size=6))
def test_any_events_have_one_end_and_never_raise(datas: list[bytes]) -> None:
    _kinds(_stream(datas))


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
            st.fixed_dictionaries({}, optional={"thinking": st.just("t"), "signature": st.just("s")}),
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
def test_blocks_of_any_stream_come_one_at_a_time(datas: list[bytes], done: bool) -> None:
    _kinds(_stream([*datas, b"[DONE]"] if done else datas))


@given(st.lists(chunks, max_size=8))
def test_no_text_of_a_stream_is_lost(datas: list[bytes]) -> None:
    """Up to the finish reason, all content is said, in order."""
    sent = ""
    for data in datas:
        choice = msgspec.json.decode(data)["choices"][0]
        sent += choice["delta"].get("content") or ""
        if choice["finish_reason"]:
            break
    events = _stream([*datas, b"[DONE]"])
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == sent


GOOD = [
    b'{"id":"c","choices":[{"index":0,"delta":{"role":"assistant"}}]}',
    b'{"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]}',
    b'{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t",'
    b'"function":{"name":"f","arguments":"{}"}}]}}]}',
    b'{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}',
    b'{"id":"c","choices":[],"usage":{"prompt_tokens":1}}',
    b"[DONE]",
]


def test_a_stream_cut_at_any_event_is_broken_or_ended() -> None:
    for cut in range(len(GOOD) + 1):
        events = _stream(GOOD[:cut])
        _kinds(events)
        assert isinstance(events[-1], Ended) == (cut >= 4)


# ----------------------------------------------------------------------------- conversations

marks = st.none() | st.just(CacheMark({"type": "ephemeral"}))
text = st.text(min_size=1, max_size=20)
json_text = st.sampled_from(["{}", '{"a": 1}', '{"b":[1,2]}'])
names = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
data64 = st.binary(max_size=8).map(lambda raw: Bytes64("image/png", raw.hex()))
texts = st.builds(Text, text, cache=marks)
images = st.builds(
    Image,
    data64 | text.map(lambda name: Link(f"https://i.example/{name}")),
    st.none() | st.sampled_from(["low", "high"]),
    marks,
)
documents = st.builds(
    Document,
    st.just(Bytes64("application/pdf", "JVBE")) | st.just(FileId("file-1", Dialect.OPENAI)),
    title=st.just("a.pdf"),
    cache=marks,
)
user_parts = texts | images | documents | st.builds(Audio, st.just("UklG"), st.just("wav"))
tool_uses = st.builds(ToolUse, names, names, json_text)
marked = frozenset({Quirk.CACHE_CONTROL, Quirk.REASONING_BACK, Quirk.TOP_K})
TARGET = EncodeTarget(
    "m",
    ModelFacts(
        thinking=ThinkingStyle.EFFORT,
        efforts=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
        max_completion_tokens=True,
    ),
    stream=True,
    quirks=marked,
)
plain_turns = st.builds(
    Turn,
    st.just(Role.USER),
    st.lists(user_parts, min_size=1, max_size=3).map(tuple),
    st.none() | names,
) | st.builds(
    Turn,
    st.sampled_from([Role.SYSTEM, Role.DEVELOPER]),
    st.lists(texts, min_size=1, max_size=2).map(tuple),
)
assistant_turns = st.builds(
    lambda thoughts, said, used: Turn(Role.ASSISTANT, (*thoughts, *said, *used)),
    st.lists(st.builds(Thinking, text), max_size=1),
    st.lists(st.builds(Text, text), min_size=1, max_size=1),
    st.lists(tool_uses, max_size=2),
)
result_turns = st.lists(
    st.builds(ToolResult, names, texts.map(lambda part: (replace(part, cache=None),)), cache=marks),
    min_size=1,
    max_size=3,
).map(lambda results: Turn(Role.USER, tuple(results)))


def _apart(turns: list[Turn]) -> tuple[Turn, ...]:
    """Begin with a user, and put an assistant between results, which would be one turn."""
    said = Turn(Role.ASSISTANT, (Text("ok"),))
    out = [Turn(Role.USER, (Text("hi"),))]
    for turn in turns:
        out += [turn, said] if turn.role is not Role.ASSISTANT else [turn]
    return (*out, Turn(Role.USER, (Text("bye"),)))


own_asks = st.builds(
    Ask,
    dialect=st.just(Dialect.OPENAI),
    model=st.just("m"),
    turns=st.lists(plain_turns | assistant_turns | result_turns, max_size=5).map(_apart),
    tools=st.lists(
        st.builds(
            Tool,
            names,
            st.none() | text,
            st.just({"type": "object", "properties": {"z": {}, "a": {}}}),
            st.none() | st.booleans(),
            marks,
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    tool_choice=st.none()
    | st.builds(
        ToolChoice,
        st.sampled_from([ToolMode.AUTO, ToolMode.NONE, ToolMode.ANY]),
        parallel=st.none() | st.booleans(),
    )
    | st.builds(ToolChoice, st.just(ToolMode.NAMED), names),
    max_tokens=st.none() | st.integers(1, 10**6),
    temperature=st.none() | st.integers(0, 2) | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(1, 50),
    stop=st.lists(text, max_size=3).map(tuple),
    stream=st.just(True),
    include_usage=st.just(True),
    reasoning=st.none() | st.sampled_from(["low", "high"]).map(Reasoning),
    response_format=st.none()
    | st.just(ResponseFormat(json=True))
    | st.builds(
        ResponseFormat,
        json=st.just(True),
        schema=st.just({"type": "object"}),
        name=names,
        description=st.none() | text,
        strict=st.none() | st.booleans(),
    ),
    seed=st.none() | st.integers(),
    user=st.none() | text,
    service_tier=st.none() | st.just("flex"),
    cache=marks,
    extras=st.dictionaries(st.sampled_from(["n", "logit_bias", "store"]), st.just(1)),
)


@given(own_asks)
def test_an_ask_written_and_read_in_its_own_dialect_keeps_its_meaning(ask: Ask) -> None:
    encoded = encode_ask(ask, TARGET)
    assert encoded.losses == ()
    again = decode_ask(msgspec.json.decode(encoded.body))
    assert again == ask
    assert encode_ask(again, TARGET).body == encoded.body


foreign = st.builds(
    Opaque,
    st.sampled_from(Dialect),
    st.sampled_from(["hologram", "server_tool_use", "audio", "custom tool call"]),
    objects,
)
any_parts = (
    user_parts
    | tool_uses
    | st.builds(Text, st.text(max_size=3), marks, st.just(({"type": "page_location"},)))
    | st.builds(Thinking, st.text(max_size=3), st.none() | st.just("sig"))
    | st.builds(RedactedThinking, text)
    | st.builds(Refusal, st.text(max_size=3))
    | st.builds(Image, st.just(FileId("f", Dialect.ANTHROPIC)))
    | st.builds(Document, st.none(), text=st.text(max_size=3), citations=st.booleans())
    | foreign
    | st.builds(
        ToolResult,
        st.text(max_size=60),
        st.lists(texts | images | foreign, max_size=2).map(tuple),
        st.booleans(),
        marks,
    )
)
any_asks = st.builds(
    Ask,
    dialect=st.sampled_from(Dialect),
    model=st.text(max_size=3),
    turns=st.lists(
        st.builds(Turn, st.sampled_from(Role), st.lists(any_parts, max_size=4).map(tuple)),
        max_size=5,
    ).map(tuple),
    tools=st.lists(
        st.builds(Tool, st.text(max_size=80), st.none(), objects)
        | st.builds(ProviderTool, st.sampled_from(Dialect), text, st.text(max_size=5), objects),
        max_size=2,
    ).map(tuple),
    tool_choice=st.none() | st.builds(ToolChoice, st.sampled_from(ToolMode), st.none() | text),
    max_tokens=st.none() | st.integers(0, 10**6),
    temperature=st.none() | st.floats(0, 2),
    stop=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    reasoning=st.none()
    | st.builds(
        Reasoning,
        st.none() | st.sampled_from(["low", "max", "odd"]),
        st.none() | st.integers(1, 99_999),
        st.none() | st.booleans(),
        st.booleans(),
    ),
    response_format=st.none()
    | st.builds(ResponseFormat, json=st.booleans(), schema=st.none() | objects),
    service_tier=st.none() | text,
    extras=objects,
)
targets = st.builds(
    EncodeTarget,
    st.just("m"),
    st.sampled_from(["gpt-4o", "gpt-5", "gpt-5.1", "llama", "deepseek-chat"]).map(
        lambda name: facts_for("openai", name)
    ),
    st.none() | st.integers(1, 9),
    st.booleans(),
    st.booleans(),
    st.frozensets(st.sampled_from(Quirk)),
)


@given(any_asks, targets)
def test_any_conversation_is_written_or_untranslatable(ask: Ask, target: EncodeTarget) -> None:
    try:
        encoded = encode_ask(ask, target)
    except Untranslatable as untranslatable:
        assert untranslatable.message
    else:
        body = msgspec.json.decode(encoded.body)
        assert {"user", "system", "developer"} & {m["role"] for m in body["messages"]}
        assert all(loss.isascii() and "\n" not in loss for loss in encoded.losses)
        assert encode_ask(ask, target) == encoded


@given(st.lists(any_parts, max_size=5), st.sampled_from(Stop))
def test_any_answer_is_written_as_json(parts: list[object], stop: Stop) -> None:
    answer = Answer(id="a", model="m", parts=tuple(parts), stop=stop, usage=Usage())  # type: ignore[arg-type]
    decode_answer(msgspec.json.decode(encode_answer(answer, model="m", created=1)))


# ----------------------------------------------------------------------------- stream and back

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
