"""Stream events as a Messages stream."""

from __future__ import annotations

import json

import pytest
from anthropic.lib.streaming._messages import accumulate_event
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
    RefusalDelta,
    SignatureDelta,
    Started,
    Stop,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
    UsageSeen,
)
from tiergate.base.errors import Failure, FailureClass
from tiergate.base.values import Dialect, Usage
from tiergate.providers.anthropic import StreamDecoder, StreamEncoder
from tiergate.providers.sse import SseSplitter

FAILURE = Failure(FailureClass.UPSTREAM, 529, "Overloaded")


def encoder() -> StreamEncoder:
    return StreamEncoder(model="cheap", include_usage=True, id="msg_1", created=0)


def write(*events) -> str:
    writer = encoder()
    return b"".join(writer.feed(event) for event in events).decode()


def bodies(raw: str):
    found = SseSplitter().feed(raw.encode())
    for event in found:
        assert json.loads(event.data)["type"] == event.name.decode()
    return [json.loads(event.data) for event in found]


def message(raw: str):
    """What the official SDK makes of a stream."""
    snapshot = None
    buffers: dict[int, bytes] = {}
    for body in bodies(raw):
        if body["type"] not in ("ping", "error"):
            snapshot = accumulate_event(event=body, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot


def test_a_whole_answer_is_written_frame_by_frame():
    raw = write(
        Started("up_1", "up", Usage(10, 0, cache_read=0)),
        TextDelta(0, "hé"),
        TextDelta(0, " there"),
        BlockEnded(0),
        Finished(Stop.SEQUENCE, "END"),
        UsageSeen(Usage(10, 5, cache_read=0)),
        Ended(),
    )

    assert raw == (
        "event: message_start\n"
        'data: {"type":"message_start","message":{"id":"msg_1","type":"message",'
        '"role":"assistant","model":"cheap","content":[],"stop_reason":null,'
        '"stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":0,'
        '"output_tokens":0}}}\n\n'
        "event: content_block_start\n"
        'data: {"type":"content_block_start","index":0,"content_block":{"type":"text",'
        '"text":""}}\n\n'
        "event: content_block_delta\n"
        'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
        '"text":"hé"}}\n\n'
        "event: content_block_delta\n"
        'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
        '"text":" there"}}\n\n'
        "event: content_block_stop\n"
        'data: {"type":"content_block_stop","index":0}\n\n'
        "event: message_delta\n"
        'data: {"type":"message_delta","delta":{"stop_reason":"stop_sequence",'
        '"stop_sequence":"END"},"usage":{"input_tokens":10,"cache_read_input_tokens":0,'
        '"output_tokens":5}}\n\n'
        "event: message_stop\n"
        'data: {"type":"message_stop"}\n\n'
    )


def test_every_kind_of_block_reaches_the_official_sdk():
    own = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}}
    cited = {"type": "char_location", "cited_text": "x"}

    found = message(
        write(
            Started("", ""),
            ThinkingDelta(0, "Let me "),
            ThinkingDelta(0, "think"),
            SignatureDelta(0, "sig"),
            BlockEnded(0),
            RedactedBlock(1, "xx"),
            BlockEnded(1),
            TextDelta(2, "said"),
            CitationDelta(2, cited),
            BlockEnded(2),
            OpaqueBlock(3, Opaque(Dialect.ANTHROPIC, "server_tool_use", own)),
            BlockEnded(3),
            ToolStarted(4, "t1", "look"),
            ToolDelta(4, '{"a": '),
            ToolDelta(4, "1}"),
            BlockEnded(4),
            Finished(Stop.TOOLS),
            UsageSeen(Usage(3, 9)),
            Ended(),
        )
    )

    thinking, hidden, text, server, tool = found.content
    assert (thinking.thinking, thinking.signature) == ("Let me think", "sig")
    assert hidden.data == "xx"
    assert text.text == "said"
    assert text.citations[0].cited_text == "x"
    assert server.input == {"q": "x"}
    assert (tool.id, tool.name, tool.input) == ("t1", "look", {"a": 1})
    assert found.stop_reason == "tool_use"
    assert (found.usage.input_tokens, found.usage.output_tokens) == (3, 9)


def test_a_signature_stands_in_its_block_before_its_stop():
    found = bodies(
        write(
            Started("", ""),
            ThinkingDelta(0, "a"),
            SignatureDelta(0, "s"),
            TextDelta(1, "b"),
            Ended(),
        )
    )

    kinds = [body.get("delta", body).get("type") for body in found]
    assert kinds[1:6] == [
        "content_block_start",
        "thinking_delta",
        "signature_delta",
        "content_block_stop",
        "content_block_start",
    ]


def test_a_signature_without_words_opens_its_block():
    found = message(write(Started("", ""), SignatureDelta(0, "s"), BlockEnded(0), Ended()))

    assert found.content[0].signature == "s"


def test_interleaved_calls_come_one_after_the_other_and_complete():
    raw = write(
        Started("", ""),
        ToolStarted(0, "c1", "look"),
        ToolStarted(1, "c2", "time"),
        ToolDelta(0, '{"a":'),
        ToolDelta(1, '{"z":'),
        ToolDelta(0, " 1}"),
        ToolDelta(1, " 2}"),
        BlockEnded(0),
        BlockEnded(1),
        TextDelta(2, "done"),
        Finished(Stop.TOOLS),
        Ended(),
    )

    starts = [b["index"] for b in bodies(raw) if b["type"] == "content_block_start"]
    assert starts == [0, 1, 2]
    found = message(raw).content
    assert [(b.id, b.name, b.input) for b in found[:2]] == [
        ("c1", "look", {"a": 1}),
        ("c2", "time", {"z": 2}),
    ]
    assert found[2].text == "done"


def test_blocks_that_never_end_are_written_at_the_end():
    found = message(
        write(
            Started("", ""),
            ToolStarted(0, "c1", "look"),
            ToolStarted(1, "c2", "time"),
            ToolDelta(1, '{"z": 2}'),
            TextDelta(2, "late"),
            Finished(Stop.TOOLS),
            Ended(),
        )
    ).content

    assert [block.type for block in found] == ["tool_use", "tool_use", "text"]
    assert found[1].input == {"z": 2}


def test_text_after_a_call_opens_a_new_block():
    found = message(
        write(
            Started("", ""),
            TextDelta(0, "a"),
            ToolStarted(1, "c", "n"),
            BlockEnded(1),
            TextDelta(0, "b"),
            Ended(),
        )
    ).content

    assert [getattr(block, "text", None) for block in found] == ["a", None, "b"]


def test_a_call_without_arguments_leaves_the_empty_object():
    found = message(write(Started("", ""), ToolStarted(0, "c", "now"), BlockEnded(0), Ended()))

    assert found.content[0].input == {}
    assert found.stop_reason == "tool_use"


def test_a_refusal_in_words_is_text():
    found = message(
        write(Started("", ""), RefusalDelta(0, "I will not."), Finished(Stop.REFUSED), Ended())
    )

    assert found.content[0].text == "I will not."
    assert found.stop_reason == "refusal"


def test_an_annotation_is_a_citation_of_a_web_result():
    found = bodies(
        write(
            Started("", ""),
            TextDelta(0, "a"),
            CitationDelta(0, {"type": "url_citation", "url_citation": {"url": "u", "title": "T"}}),
            CitationDelta(0, "nonsense"),
            Ended(),
        )
    )

    cited = [b["delta"]["citation"] for b in found if b.get("delta", {}).get("citation")]
    assert [(c["type"], c["url"]) for c in cited] == [("web_search_result_location", "u")]


def test_an_empty_answer_is_an_answer():
    raw = write(Started("", ""), Finished(Stop.END), Ended())

    assert [body["type"] for body in bodies(raw)] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]


def test_an_answer_that_never_started_starts_by_itself():
    assert bodies(write(TextDelta(0, "a")))[0]["type"] == "message_start"
    assert bodies(write(Ended()))[0]["type"] == "message_start"


def test_empty_pieces_and_foreign_blocks_say_nothing():
    writer = encoder()
    writer.feed(Started("", ""))

    for event in (
        TextDelta(0, ""),
        ToolDelta(3, "x"),
        BlockEnded(9),
        OpaqueBlock(1, Opaque(Dialect.OPENAI, "audio", {})),
    ):
        assert writer.feed(event) == b""


def test_a_ping_is_a_ping_once_the_answer_has_begun():
    writer = encoder()

    assert writer.feed(Pinged()) == b""
    writer.feed(Started("", ""))
    assert writer.feed(Pinged()) == b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize("how", ["feed", "error"])
def test_an_error_is_told_in_band_and_nothing_follows(how):
    writer = encoder()
    writer.feed(TextDelta(0, "a"))
    raw = writer.error(FAILURE) if how == "error" else writer.feed(Broken(FAILURE))

    assert raw == (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error",'
        b'"message":"Overloaded"}}\n\n'
    )
    assert writer.feed(TextDelta(0, "b")) == b""
    assert writer.feed(Ended()) == b""


def test_usage_at_the_end_is_the_latest_and_absent_counts_stay_absent():
    raw = write(
        Started("", ""),
        UsageSeen(Usage(1, 1)),
        Finished(Stop.END),
        UsageSeen(Usage(7, 8)),
        Ended(),
    )

    assert bodies(raw)[-2]["usage"] == {"input_tokens": 7, "output_tokens": 8}
    assert bodies(write(Started("", ""), Ended()))[-2]["usage"] == {"output_tokens": 0}


numbers = st.integers(0, 3)
words = st.text(max_size=4)
stream_events = st.one_of(
    st.builds(TextDelta, numbers, words),
    st.builds(ThinkingDelta, numbers, words),
    st.builds(SignatureDelta, numbers, words),
    st.builds(RefusalDelta, numbers, words),
    st.builds(RedactedBlock, numbers, words),
    st.builds(ToolStarted, numbers, words, words),
    st.builds(ToolDelta, numbers, st.sampled_from(["{}", "", '{"a":1}'])),
    st.builds(CitationDelta, numbers, st.just({"type": "char_location"})),
    st.builds(
        OpaqueBlock,
        numbers,
        st.builds(
            Opaque,
            st.sampled_from(list(Dialect)),
            st.just("container_upload"),
            st.just({"type": "container_upload", "file_id": "f"}),
        ),
    ),
    st.builds(BlockEnded, numbers),
    st.builds(Finished, st.sampled_from(list(Stop)), st.none() | words),
    st.builds(UsageSeen, st.builds(Usage, st.integers(0, 9), st.integers(0, 9))),
    st.builds(Pinged),
    st.builds(Started, words, words),
)


@given(st.lists(stream_events, max_size=15))
def test_any_events_make_a_stream_that_clients_can_read(events):
    raw = write(*events, Ended())
    found = bodies(raw)

    kinds = [body["type"] for body in found]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("message_start") == kinds.count("message_stop") == 1
    open_block = None
    following = 0
    for body in found:
        if body["type"] == "content_block_start":
            assert open_block is None
            assert body["index"] == following
            open_block, following = body["index"], following + 1
        elif body["type"] == "content_block_delta":
            assert body["index"] == open_block
        elif body["type"] == "content_block_stop":
            assert body["index"] == open_block
            open_block = None
    assert open_block is None
    told = "".join(e.text for e in events if isinstance(e, TextDelta | RefusalDelta))
    seen = "".join(b["delta"].get("text", "") for b in found if b["type"] == "content_block_delta")
    assert sorted(seen) == sorted(told)


@given(st.lists(stream_events, max_size=15))
def test_what_is_written_is_read_again(events):
    raw = write(*events, Ended())
    decoder = StreamDecoder()
    found = [e for sse in SseSplitter().feed(raw.encode()) for e in decoder.feed(sse)]

    assert isinstance(found[-1], Ended)
    assert decoder.skipped == 0
    again = bodies(write(*found))
    for kind in ("content_block_start", "message_delta"):
        first, second = (
            [body.get("content_block", body.get("delta")) for body in seen if body["type"] == kind]
            for seen in (bodies(raw), again)
        )
        assert first == second
