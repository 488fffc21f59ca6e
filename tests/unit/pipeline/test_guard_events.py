"""Events of both dialects, understood and written again."""

from __future__ import annotations

import json

import pytest

from support import anthropic_wire, openai_wire
from tiergate.base.values import Dialect
from tiergate.pipeline.guard_events import Frame, read_frame
from tiergate.pipeline.guard_texts import Fixed
from tiergate.ports.guarding import Place
from tiergate.providers.sse import SseSplitter

OPENAI, ANTHROPIC = Dialect.OPENAI, Dialect.ANTHROPIC


def frame(event: bytes, dialect: Dialect) -> Frame:
    (found,) = SseSplitter().feed(event)
    return read_frame(found, dialect)


def chunk(delta, **more) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
    return b"data: " + json.dumps({"id": "x", "choices": [choice]}).encode() + b"\n\n"


def data(written: bytes):
    return json.loads(written.partition(b"data: ")[2])


def test_a_chunk_brings_pieces_of_texts_and_fragments_of_arguments():
    call = {"index": 1, "id": "c", "function": {"name": "f", "arguments": '{"a'}}
    found = frame(
        chunk({"content": "hi", "reasoning_content": "hm", "tool_calls": [call]}), OPENAI
    )
    said = {(piece.channel, piece.text, piece.place) for piece in found.pieces}
    assert said == {
        ((0, "delta.content"), "hi", Place.ASSISTANT),
        ((0, "delta.reasoning_content"), "hm", Place.REASONING),
    }
    (fragment,) = found.fragments
    assert (fragment.channel, fragment.text) == ((0, "tool_calls.1"), '{"a')
    assert found.tools == {(0, "tool_calls.1"): "f"}


def test_a_piece_in_a_list_belongs_to_one_text_wherever_it_stands():
    one = frame(chunk({"reasoning_details": [{"type": "t", "text": "a"}]}), OPENAI)
    two = frame(chunk({"reasoning_details": [{"x": 1}, {"type": "t", "text": "b"}]}), OPENAI)
    assert one.pieces[0].channel == two.pieces[0].channel


def test_the_end_of_a_choice_and_of_a_stream_is_seen():
    assert frame(chunk({}, finish_reason="stop"), OPENAI).ends == (0,)
    assert frame(b"data: [DONE]\n\n", OPENAI).all_over
    assert frame(b'data: {"error": {"message": "x"}}\n\n', OPENAI).all_over
    assert frame(anthropic_wire.block_stop(3), ANTHROPIC).ends == (3,)
    assert frame(anthropic_wire.message_delta(), ANTHROPIC).all_over
    assert frame(anthropic_wire.error_event(), ANTHROPIC).all_over


@pytest.mark.parametrize(
    ("event", "channel", "fixed"),
    [
        (anthropic_wire.text_delta(2, "hi"), (2, "text"), None),
        (anthropic_wire.thinking_delta(1, "hi"), (1, "thinking"), Fixed.BLOCK),
    ],
)
def test_deltas_of_messages_are_pieces(event: bytes, channel, fixed):
    found = frame(event, ANTHROPIC)
    (piece,) = found.pieces
    assert (piece.channel, piece.text, piece.fixed) == (channel, "hi", fixed)
    assert found.lone


def test_a_block_that_comes_whole_is_a_text_that_is_complete():
    block = {"type": "web_search_tool_result", "content": [{"title": "found", "url": "http://x"}]}
    found = frame(anthropic_wire.block_start(0, block), ANTHROPIC)
    assert [part.passage.text for part in found.whole] == ["found", "http://x"]


def test_the_arguments_of_a_tool_block_come_in_fragments_or_whole():
    opened = frame(anthropic_wire.block_start(0, anthropic_wire.tool_block("f", {})), ANTHROPIC)
    assert (opened.tools, opened.whole) == ({(0, "input"): "f"}, [])
    whole = anthropic_wire.tool_block("f", {"q": "x"})
    found = frame(anthropic_wire.block_start(0, whole), ANTHROPIC)
    assert [part.passage.text for part in found.whole] == ["", "x"]
    (fragment,) = frame(anthropic_wire.input_delta(0, '{"q'), ANTHROPIC).fragments
    assert fragment.channel == (0, "input")


def test_an_event_is_written_with_its_own_bytes_where_nothing_differs():
    event = anthropic_wire.text_delta(0, "hi")
    found = frame(event, ANTHROPIC)
    path = found.pieces[0].path
    assert found.written({path: "hi"}, plain=True) == event
    assert data(found.written({path: "ho"}, plain=True))["delta"]["text"] == "ho"


def test_probabilities_are_left_out_where_they_would_tell_the_text():
    event = chunk({"content": "a"}, logprobs={"content": [{"token": "a"}]})
    found = frame(event, OPENAI)
    assert data(found.written({}, plain=True))["choices"][0]["logprobs"] is None
    assert found.written({}, plain=False) == event


def test_a_text_of_its_own_says_nothing_twice():
    call = {"index": 1, "id": "c", "type": "function", "function": {"name": "f", "arguments": "x"}}
    event = chunk(
        {"role": "assistant", "content": "hi", "tool_calls": [call]}, finish_reason="stop"
    )
    found = frame(event, OPENAI)
    alone = data(found.alone(found.pieces[0], "rest"))["choices"][0]
    assert (alone["delta"], alone["finish_reason"]) == ({"content": "rest"}, None)
    alone = data(found.alone(found.fragments[0], "{}"))["choices"][0]
    assert alone["delta"] == {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}


def test_the_older_function_call_is_understood():
    found = frame(chunk({"function_call": {"name": "f", "arguments": "{"}}), OPENAI)
    (fragment,) = found.fragments
    alone = data(found.alone(fragment, "{}"))["choices"][0]["delta"]
    assert alone == {"function_call": {"arguments": "{}"}}


def test_completions_are_understood():
    event = b'data: {"choices": [{"index": 0, "text": "hi", "finish_reason": null}]}\n\n'
    (piece,) = frame(event, OPENAI).pieces
    assert (piece.channel, piece.text) == ((0, "text"), "hi")


@pytest.mark.parametrize("event", [b"data: nonsense\n\n", b"data: [1]\n\n"])
def test_what_is_no_event_of_a_model_says_nothing(event: bytes):
    found = frame(event, OPENAI)
    assert (found.value, found.pieces, found.all_over) == (None, [], False)


def test_the_events_of_the_tests_are_those_of_providers():
    assert all(frame(each, OPENAI) for each in openai_wire.text_events("x"))
