"""A Messages stream as stream events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    SignatureDelta,
    Started,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    UsageSeen,
)
from tiergate.base.errors import FailureClass
from tiergate.base.values import Dialect, Usage
from tiergate.providers.anthropic import StreamDecoder
from tiergate.providers.sse import SseSplitter


def events(raw: str):
    return SseSplitter().feed(raw.encode())


def wire(*bodies) -> str:
    return "".join(f"event: {b['type']}\ndata: {json.dumps(b)}\n\n" for b in bodies)


def read(raw: str, *, eof=True):
    """Decode a stream; return the events and the decoder."""
    decoder = StreamDecoder()
    found = [event for sse in events(raw) for event in decoder.feed(sse)]
    if eof:
        found += decoder.eof()
    return found, decoder


START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "model": "claude-x",
        "content": [],
        "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 3},
    },
}
END = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 5},
}
STOP = {"type": "message_stop"}


def begin(index, **block):
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index, **values):
    return {"type": "content_block_delta", "index": index, "delta": values}


def end(index):
    return {"type": "content_block_stop", "index": index}


WHOLE = """\
event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",\
"content":[],"model":"claude-x","stop_reason":null,"stop_sequence":null,\
"usage":{"input_tokens":10,"cache_read_input_tokens":3,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me "}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"hé"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"type":"char_location"}}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t1","name":"look","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\\"a\\": "}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":5}}

event: message_stop
data: {"type":"message_stop"}

"""  # noqa: E501 - the wire as it comes


def test_a_whole_stream_is_read_event_by_event():
    found, decoder = read(WHOLE)

    assert found == [
        Started("msg_1", "claude-x", Usage(10, 1, cache_read=3)),
        Pinged(),
        ThinkingDelta(0, "Let me "),
        SignatureDelta(0, "c2ln"),
        BlockEnded(0),
        TextDelta(1, "hé"),
        CitationDelta(1, {"type": "char_location"}),
        BlockEnded(1),
        ToolStarted(2, "t1", "look"),
        ToolDelta(2, '{"a": '),
        ToolDelta(2, "1}"),
        BlockEnded(2),
        Finished(Stop.TOOLS, None, "tool_use"),
        UsageSeen(Usage(10, 5, cache_read=3)),
        Ended(),
    ]
    assert (decoder.skipped, decoder.stop) == (0, Stop.TOOLS)
    assert decoder.usage == Usage(10, 5, cache_read=3)


@pytest.mark.parametrize("given_input", [{}, {"a": 1}])
def test_a_call_without_fragments_still_has_its_arguments(given_input):
    found, _ = read(
        wire(
            START,
            begin(0, type="tool_use", id="t", name="n", input=given_input),
            end(0),
            END,
            STOP,
        )
    )

    fragments = [event.fragment for event in found if isinstance(event, ToolDelta)]
    assert json.loads("".join(fragments)) == given_input


def test_a_hidden_thought_and_blocks_of_this_dialect_alone_come_whole():
    found, _ = read(
        wire(
            START,
            begin(0, type="redacted_thinking", data="xx"),
            end(0),
            begin(1, type="server_tool_use", id="s", name="web_search", input={}),
            delta(1, type="input_json_delta", partial_json='{"q":'),
            delta(1, type="input_json_delta", partial_json='"x"}'),
            end(1),
            begin(2, type="web_search_tool_result", tool_use_id="s", content=[]),
            end(2),
            END,
            STOP,
        )
    )

    assert [e for e in found if isinstance(e, RedactedBlock)] == [RedactedBlock(0, "xx")]
    assert [e.part for e in found if isinstance(e, OpaqueBlock)] == [
        Opaque(
            Dialect.ANTHROPIC,
            "server_tool_use",
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}},
        ),
        Opaque(
            Dialect.ANTHROPIC,
            "web_search_tool_result",
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        ),
    ]


def test_text_that_stands_in_the_start_of_a_block_is_not_lost():
    found, _ = read(
        wire(
            START,
            begin(0, type="thinking", thinking="hm", signature="sig"),
            begin(1, type="text", text="hi", citations=[{"type": "char_location"}]),
            END,
            STOP,
        )
    )

    assert found[1:6] == [
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "sig"),
        TextDelta(1, "hi"),
        CitationDelta(1, {"type": "char_location"}),
        BlockEnded(0),
    ]


def test_blocks_are_numbered_by_appearance_whatever_the_host_counts():
    found, _ = read(
        wire(
            START,
            begin(7, type="text", text=""),
            delta(7, type="text_delta", text="a"),
            end(7),
            begin(7, type="text", text=""),
            delta(7, type="text_delta", text="b"),
            end(7),
            END,
            STOP,
        )
    )

    assert [e for e in found if isinstance(e, TextDelta)] == [TextDelta(0, "a"), TextDelta(1, "b")]


def test_a_host_that_leaves_out_starts_is_understood():
    found, _ = read(wire(delta(0, type="text_delta", text="a"), END, STOP))

    assert found[:3] == [Started("", ""), TextDelta(0, "a"), BlockEnded(0)]
    assert isinstance(found[-1], Ended)


@pytest.mark.parametrize(
    "bad",
    ['data: {"broken": \n\n', "data: 5\n\n", "event: x\ndata: \xff\n\n", "data: [[[\n\n"],
)
def test_a_malformed_event_is_skipped_and_counted(bad):
    found, decoder = read(
        wire(START, begin(0, type="text", text=""), delta(0, type="text_delta", text="a"))
        + bad
        + wire(delta(0, type="text_delta", text="b"), end(0), END, STOP)
    )

    assert [e.text for e in found if isinstance(e, TextDelta)] == ["a", "b"]
    assert isinstance(found[-1], Ended)
    assert decoder.skipped == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "content_block_delta"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta"}},
        {"type": "content_block_start", "index": "x"},
    ],
)
def test_an_event_of_a_wrong_shape_is_skipped_and_counted(bad):
    found, decoder = read(wire(START, bad, END, STOP))

    assert isinstance(found[-1], Ended)
    assert decoder.skipped == 1


def test_new_event_and_delta_types_are_passed_over():
    found, decoder = read(
        wire(
            START,
            {"type": "fanfare", "x": 1},
            begin(0, type="text", text=""),
            delta(0, type="sparkle_delta", x=1),
            end(0),
            END,
            STOP,
        )
        + "data: [DONE]\n\n"
    )

    assert decoder.skipped == 0
    assert isinstance(found[-1], Ended)


def test_an_error_event_breaks_the_stream_and_nothing_follows():
    found, _ = read(
        wire(
            START,
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            STOP,
        )
    )

    broken = found[-1]
    assert isinstance(broken, Broken)
    assert (broken.failure.status, broken.failure.message) == (529, "Overloaded")
    assert broken.failure.kind is FailureClass.UPSTREAM


def test_an_error_of_a_foreign_shape_breaks_the_stream():
    found, _ = read('data: {"error":{"message":"no","code":429}}\n\n')

    assert isinstance(found[-1], Broken)
    assert found[-1].failure.kind is FailureClass.RATE_LIMIT


def test_an_end_after_the_stop_reason_is_an_end():
    found, _ = read(wire(START, END))

    assert found[-1] == Ended()
    assert Finished(Stop.END, None, "end_turn") in found


def test_an_end_before_the_stop_reason_is_a_break():
    found, _ = read(
        wire(START, begin(0, type="text", text=""), delta(0, type="text_delta", text="a"))
    )

    assert isinstance(found[-1], Broken)
    assert found[-1].failure.kind is FailureClass.CONNECTION
    assert found[-1].failure.code == "stream_cut"


@pytest.mark.parametrize("raw", ["", "data: nonsense\n\n", wire(STOP), wire({"type": "ping"})])
def test_a_stream_without_an_answer_is_a_break(raw):
    found, _ = read(raw)

    assert isinstance(found[-1], Broken)


def test_the_dialects_end_mark_ends_an_answer_without_a_reason():
    found, decoder = read(wire(START, STOP))

    assert found[1:] == [Finished(Stop.END), Ended()]
    assert decoder.stop is Stop.END


def test_a_stream_cut_at_any_event_ends_or_breaks_once():
    sse = events(WHOLE)
    for cut in range(len(sse) + 1):
        decoder = StreamDecoder()
        found = [event for one in sse[:cut] for event in decoder.feed(one)]
        found += decoder.eof()
        found += decoder.eof()
        ends = [event for event in found if isinstance(event, Ended | Broken)]

        assert len(ends) == 1
        assert found[-1] is ends[0]
        whole = cut >= len(sse) - 1
        assert isinstance(ends[0], Ended) is whole


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "index",
                    "delta",
                    "content_block",
                    "message",
                    "usage",
                    "text",
                    "error",
                    "id",
                ]
            ),
            inner
            | st.sampled_from(
                ["content_block_start", "content_block_delta", "text", "tool_use", "text_delta"]
            ),
            max_size=4,
        )
    ),
    max_leaves=8,
)
chunks = st.one_of(
    json_values.map(lambda value: f"data: {json.dumps(value)}\n\n"),
    st.sampled_from([wire(START), wire(END), wire(STOP), wire(begin(0, type="text"))]),
    st.text(max_size=12).map(lambda text: f"data: {text}\n\n"),
)


@given(st.lists(chunks, max_size=6))
def test_any_stream_ends_or_breaks_and_never_both(pieces):
    decoder = StreamDecoder()
    splitter = SseSplitter()
    found = []
    for piece in pieces:
        for sse in splitter.feed(piece.encode("utf-8", "replace")):
            found += decoder.feed(sse)
    found += decoder.eof()

    assert len([event for event in found if isinstance(event, Ended | Broken)]) == 1
    assert isinstance(found[-1], Ended | Broken)
