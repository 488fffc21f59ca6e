"""Streamed chat completions, as every host sends them."""

from __future__ import annotations

import msgspec
import pytest

from tiergate.base.chat import (
    BlockEnded,
    Broken,
    CitationDelta,
    Ended,
    Finished,
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
from tiergate.base.errors import FailureClass
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Usage
from tiergate.providers.openai import StreamDecoder
from tiergate.providers.sse import SseSplitter

STARTED = Started("cc-1", "m-o", created=7)
DONE = b"[DONE]"
COUNTS: JsonObject = {"prompt_tokens": 10, "completion_tokens": 5}


def _chunk(delta: JsonObject, reason: Json = None, **more: Json) -> JsonObject:
    choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "cc-1", "created": 7, "model": "m-o", "choices": [choice], **more}


def _tool(
    index: int | None, name: str = "", arguments: Json = "", identity: str = ""
) -> JsonObject:
    call: JsonObject = {} if index is None else {"index": index}
    if identity:
        call["id"] = identity
    function: JsonObject = {"arguments": arguments}
    if name:
        function["name"] = name
    return _chunk({"tool_calls": [{**call, "function": function}]})


def _read(*sent: JsonObject | bytes, name: bytes = b"") -> tuple[list[StreamEvent], StreamDecoder]:
    decoder = StreamDecoder()
    events: list[StreamEvent] = []
    head = b"event: " + name + b"\n" if name else b""
    for item in sent:
        data = item if isinstance(item, bytes) else msgspec.json.encode(item)
        for event in SseSplitter().feed(head + b"data: " + data + b"\n\n"):
            events += decoder.feed(event)
    events += decoder.eof()
    return events, decoder


ROLE = _chunk({"role": "assistant", "content": ""})
STOP = _chunk({}, "stop")


def test_a_plain_stream_is_text_stop_usage_end() -> None:
    usage: JsonObject = {"id": "cc-1", "choices": [], "usage": COUNTS}
    events, decoder = _read(
        ROLE, _chunk({"content": "a"}), _chunk({"content": "b"}), STOP, usage, DONE
    )
    assert events == [
        STARTED,
        TextDelta(0, "a"),
        TextDelta(0, "b"),
        BlockEnded(0),
        Finished(Stop.END, raw="stop"),
        UsageSeen(Usage(10, 5)),
        Ended(),
    ]
    assert (decoder.usage, decoder.stop, decoder.skipped) == (Usage(10, 5), Stop.END, 0)


def test_empty_tool_calls_and_nulls_beside_text_are_text() -> None:
    events, _ = _read(
        _chunk({"role": "assistant", "content": "", "tool_calls": []}),
        _chunk({"content": "ab", "tool_calls": []}),
        _chunk({"content": "cd", "tool_calls": None, "reasoning_content": None}),
        _chunk({"content": None, "tool_calls": []}),
        _chunk({"content": "", "tool_calls": []}),
        _chunk({"content": "ef", "tool_calls": [], "role": "assistant"}),
        STOP,
        DONE,
    )
    assert events[1:-2] == [
        TextDelta(0, "ab"),
        TextDelta(0, "cd"),
        TextDelta(0, "ef"),
        BlockEnded(0),
    ]


ALTERNATING = (
    _tool(0, "get_weather", "", "c1"),
    _tool(1, "get_time", "", "c2"),
    _tool(0, arguments='{"city":'),
    _tool(1, arguments='{"zone":'),
    _tool(0, arguments=' "Oslo"}'),
    _tool(1, arguments=' "CET"}'),
)


def _in_turn(index: int | None) -> tuple[JsonObject, ...]:
    return (
        _tool(index, "get_weather", "", "c1"),
        _tool(index, arguments='{"city":'),
        _tool(index, arguments=' "Oslo"}'),
        _tool(index, "get_time", "", "c2"),
        _tool(index, arguments='{"zone":'),
        _tool(index, arguments=' "CET"}'),
    )


@pytest.mark.parametrize("fragments", [ALTERNATING, _in_turn(0), _in_turn(None)])
def test_parallel_calls_become_separate_blocks_one_at_a_time(
    fragments: tuple[JsonObject, ...],
) -> None:
    events, decoder = _read(ROLE, *fragments, _chunk({}, "tool_calls"), DONE)
    assert events[1:] == [
        ToolStarted(0, "c1", "get_weather"),
        ToolDelta(0, '{"city":'),
        ToolDelta(0, ' "Oslo"}'),
        BlockEnded(0),
        ToolStarted(1, "c2", "get_time"),
        ToolDelta(1, '{"zone":'),
        ToolDelta(1, ' "CET"}'),
        BlockEnded(1),
        Finished(Stop.TOOLS, raw="tool_calls"),
        Ended(),
    ]
    assert decoder.skipped == 0


def test_a_call_without_arguments_has_the_empty_object() -> None:
    call: JsonObject = {"index": 0, "id": "c1", "function": {"name": "now"}}
    events, _ = _read(ROLE, _chunk({"tool_calls": [call]}), _chunk({}, "tool_calls"), DONE)
    assert events[1:4] == [ToolStarted(0, "c1", "now"), ToolDelta(0, "{}"), BlockEnded(0)]


def test_white_space_between_fragments_stays_white_space() -> None:
    events, _ = _read(_tool(0, "f", "{", "c"), _tool(0, arguments=" "), _tool(0, arguments="}"))
    fragments = [event.fragment for event in events if isinstance(event, ToolDelta)]
    assert "".join(fragments) == "{ }"


def test_arguments_as_an_object_and_a_legacy_call_are_read() -> None:
    events, _ = _read(_tool(0, "f", {"a": 1}, "c"), _chunk({}, "stop"))
    assert ToolDelta(0, '{"a":1}') in events
    assert Finished(Stop.TOOLS, raw="stop") in events
    events, _ = _read(
        _chunk({"function_call": {"name": "f", "arguments": ""}}),
        _chunk({"function_call": {"arguments": "{}"}}),
        _chunk({}, "function_call"),
    )
    assert events[1:4] == [ToolStarted(0, "call_cc1_0", "f"), ToolDelta(0, "{}"), BlockEnded(0)]


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_is_a_thinking_block_before_the_text(field: str) -> None:
    events, _ = _read(_chunk({field: "hm", "content": ""}), _chunk({"content": "a"}), STOP)
    assert events[1:5] == [
        ThinkingDelta(0, "hm"),
        BlockEnded(0),
        TextDelta(1, "a"),
        BlockEnded(1),
    ]


def test_reasoning_said_twice_in_one_chunk_is_read_once() -> None:
    events, _ = _read(_chunk({"reasoning": "hm", "reasoning_content": "hm"}), STOP)
    assert events.count(ThinkingDelta(0, "hm")) == 1


@pytest.mark.parametrize(
    "deltas",
    [
        # As LiteLLM sends it: pieces beside the text, then the signature alone.
        (
            {
                "reasoning_content": "hm",
                "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": None}],
            },
            {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "sig"}]},
        ),
        # As Tiergate sends it: the text, then the whole block.
        (
            {"reasoning_content": "hm"},
            {"thinking_blocks": [{"index": 0, "thinking": "hm", "signature": "sig"}]},
        ),
        # Without the bare text.
        ({"thinking_blocks": [{"thinking": "hm", "signature": "sig"}]},),
    ],
)
def test_a_signature_belongs_to_its_thinking(deltas: tuple[JsonObject, ...]) -> None:
    events, _ = _read(*(_chunk(delta) for delta in deltas), _chunk({"content": "a"}), STOP)
    assert events[1:5] == [
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "sig"),
        BlockEnded(0),
        TextDelta(1, "a"),
    ]


def test_thinking_after_a_signature_and_hidden_thinking_are_new_blocks() -> None:
    signed: JsonObject = {"thinking_blocks": [{"thinking": "", "signature": "s"}]}
    hidden: JsonObject = {"thinking_blocks": [{"type": "redacted_thinking", "data": "x"}, 5]}
    events, _ = _read(_chunk(signed), _chunk({"reasoning": "more"}), _chunk(hidden), STOP)
    assert events[1:8] == [
        SignatureDelta(0, "s"),
        BlockEnded(0),
        ThinkingDelta(1, "more"),
        BlockEnded(1),
        RedactedBlock(2, "x"),
        BlockEnded(2),
        Finished(Stop.END, raw="stop"),
    ]


def test_a_list_of_content_is_read_piece_by_piece() -> None:
    thought: JsonObject = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    events, _ = _read(
        _chunk({"content": [thought]}),
        _chunk({"content": [{"type": "text", "text": "a"}, {}]}),
        STOP,
    )
    assert events[1:4] == [ThinkingDelta(0, "hm"), BlockEnded(0), TextDelta(1, "a")]


def test_a_refusal_in_words_is_a_refusal() -> None:
    events, decoder = _read(_chunk({"refusal": "I "}), _chunk({"refusal": "won't"}), STOP)
    assert events[1:4] == [RefusalDelta(0, "I "), RefusalDelta(0, "won't"), BlockEnded(0)]
    assert decoder.stop is Stop.REFUSED


def test_annotations_belong_to_the_text_before_them() -> None:
    note: JsonObject = {"type": "url_citation"}
    events, _ = _read(_chunk({"content": "a"}), _chunk({"annotations": [note]}), STOP)
    assert events[2] == CitationDelta(0, note)
    events, _ = _read(_chunk({"annotations": [note]}), STOP)
    assert not any(isinstance(event, CitationDelta) for event in events)


def test_usage_beside_choices_and_on_every_chunk_is_seen() -> None:
    events, decoder = _read(
        _chunk({"content": "a"}, usage={"prompt_tokens": 10, "completion_tokens": 1}),
        _chunk({}, "stop", usage=COUNTS),
        DONE,
    )
    assert events[-3:] == [Finished(Stop.END, raw="stop"), UsageSeen(Usage(10, 5)), Ended()]
    assert decoder.usage == Usage(10, 5)


def test_usage_in_groqs_own_place_is_seen() -> None:
    _, decoder = _read(_chunk({}, "stop", x_groq={"id": "r", "usage": COUNTS}), DONE)
    assert decoder.usage == Usage(10, 5)


def test_a_missing_usage_is_none_not_zero() -> None:
    assert _read(ROLE, STOP, DONE)[1].usage is None


def test_only_choice_zero_is_read() -> None:
    other: JsonObject = {"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}
    both: JsonObject = {"choices": [other, {"index": 0, "delta": {"content": "yes"}}]}
    events, decoder = _read(both, STOP, DONE)
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["yes"]
    assert decoder.stop is Stop.END


def test_a_finish_reason_without_done_is_a_good_end() -> None:
    assert _read(ROLE, _chunk({"content": "a"}), STOP)[0][-1] == Ended()


def test_done_without_a_finish_reason_is_a_good_end() -> None:
    events, _ = _read(ROLE, _chunk({"content": "a"}), DONE)
    assert events[-3:] == [BlockEnded(0), Finished(Stop.END), Ended()]
    events, _ = _read(_tool(0, "f", "{}", "c"), DONE)
    assert events[-2:] == [Finished(Stop.TOOLS), Ended()]


@pytest.mark.parametrize("sent", [(), (ROLE,), (ROLE, _chunk({"content": "a"})), (DONE,)])
def test_a_stream_that_just_ends_is_broken(sent: tuple[JsonObject | bytes, ...]) -> None:
    last = _read(*sent)[0][-1]
    assert isinstance(last, Broken)
    assert last.failure.kind is FailureClass.CONNECTION
    assert last.failure.status == 502


def test_nothing_is_said_after_the_end() -> None:
    events, decoder = _read(ROLE, STOP, DONE, _chunk({"content": "late"}))
    assert events[-1] == Ended()
    assert decoder.eof() == []


def test_content_after_the_finish_reason_is_not_said() -> None:
    events, _ = _read(ROLE, STOP, _chunk({"content": "late"}), _chunk({}, "length"), DONE)
    assert events[1:] == [Finished(Stop.END, raw="stop"), Ended()]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"error": {"message": "slow down", "code": 429}}, FailureClass.RATE_LIMIT),
        ({"error": "gone"}, FailureClass.UPSTREAM),
        ({"object": "error", "message": "bad", "code": 500}, FailureClass.UPSTREAM),
        (
            {"choices": [{"index": 0, "delta": {}, "error": {"code": 502, "message": "x"}}]},
            FailureClass.UPSTREAM,
        ),
        (
            {"error": {"message": "too long", "code": "context_length_exceeded"}},
            FailureClass.CONTEXT_WINDOW,
        ),
    ],
)
def test_an_error_event_breaks_the_stream(sent: JsonObject, kind: FailureClass) -> None:
    events, _ = _read(ROLE, _chunk({"content": "a"}), sent, STOP, DONE)
    last = events[-1]
    assert isinstance(last, Broken)
    assert last.failure.kind is kind
    assert not any(isinstance(event, Finished) for event in events)


def test_an_event_named_error_breaks_the_stream() -> None:
    events, _ = _read({"message": "gone"}, name=b"error")
    assert isinstance(events[-1], Broken)
    assert events[-1].failure.message == "gone"


@pytest.mark.parametrize(
    "bad",
    [b'{"broken": ', b"", b"[]", b"3", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"id":"x"}'],
)
def test_a_malformed_event_is_skipped_and_counted(bad: bytes) -> None:
    events, decoder = _read(
        ROLE, _chunk({"content": "a"}), bad, _chunk({"content": "b"}), STOP, DONE
    )
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["a", "b"]
    assert decoder.skipped == 1
    assert events[-1] == Ended()


def test_odd_shapes_inside_a_chunk_are_passed_over() -> None:
    events, decoder = _read(
        {"id": 5, "model": [], "created": "x", "choices": ["x", {"delta": None}, {"index": 0}]},
        _chunk({"tool_calls": [3, {"index": 0}], "content": 5, "refusal": [], "annotations": "x"}),
        STOP,
        DONE,
    )
    assert events == [Started("", ""), Finished(Stop.END, raw="stop"), Ended()]
    assert decoder.skipped == 1
