"""Same-dialect streams: every event goes on as it came, but for the model's name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.errors import Failure, FailureClass
from tiergate.providers.anthropic import AnthropicPassthrough
from tiergate.providers.openai import OpenAIPassthrough


def frame(failure: Failure) -> bytes:
    return failure.message.encode()


def chunk(delta=None, finish=None, **more) -> bytes:
    choices = more.pop("choices", [{"index": 0, "delta": delta or {}, "finish_reason": finish}])
    body = {"id": "c", "model": "m-o", "choices": choices, **more}
    return f"data: {json.dumps(body)}\n\n".encode()


def event(kind: str, **body) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **body})}\n\n".encode()


USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
TEXT = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "héllo 日本 😀"}),
    chunk({"content": '"model": "m-o" is text'}),
    chunk({}, "stop"),
]
USED = chunk(choices=[], usage=USAGE)
DONE = b"data: [DONE]\n\n"

START = {
    "id": "msg",
    "model": "m-a",
    "content": [],
    "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 3},
}
MESSAGES = [
    event("message_start", message=START),
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("ping"),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "héllo 😀"}),
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 7}),
    event("message_stop"),
]


def openai(include_usage: bool = False) -> OpenAIPassthrough:
    return OpenAIPassthrough("cheap", include_usage=include_usage, error_frame=frame)


def run(reader, pieces) -> bytes:
    out = b"".join(reader.feed(piece) for piece in pieces)
    return out + (reader.eof() if not reader.ended and reader.failure is None else b"")


@given(st.data())
def test_any_split_gives_the_same_openai_stream(data):
    whole = b"".join([*TEXT, USED, DONE])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=8)))
    pieces = [whole[i:j] for i, j in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    reader = openai(include_usage=True)

    out = run(reader, pieces)

    assert out == whole.replace(b'"model": "m-o", "choices"', b'"model": "cheap", "choices"')
    assert reader.ended and reader.failure is None
    assert (reader.usage.input, reader.usage.output) == (10, 5)


@given(st.data())
def test_any_split_gives_the_same_messages_stream(data):
    whole = b"".join(MESSAGES)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=8)))
    pieces = [whole[i:j] for i, j in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    reader = AnthropicPassthrough("cheap", error_frame=frame)

    out = run(reader, pieces)

    assert out == whole.replace(b'"model": "m-a"', b'"model": "cheap"')
    assert reader.ended
    assert (reader.usage.input, reader.usage.output, reader.usage.cache_read) == (10, 7, 3)


def test_content_is_seen_at_the_first_delta_and_not_before():
    reader = openai()
    for piece, seen in zip(TEXT, (False, True, True, True), strict=True):
        reader.feed(piece)
        assert reader.content is seen

    reader = AnthropicPassthrough("cheap", error_frame=frame)
    for piece, seen in zip(MESSAGES[:4], (False, False, False, True), strict=True):
        reader.feed(piece)
        assert reader.content is seen


@pytest.mark.parametrize(
    "delta",
    [
        {"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}]},
        {"reasoning_content": "hm"},
        {"refusal": "no"},
        {"some_new_thing": {"a": 1}},
    ],
)
def test_a_delta_that_says_anything_is_content(delta):
    reader = openai()
    reader.feed(chunk({"role": "assistant", **delta}))

    assert reader.content


def test_usage_goes_on_only_if_it_was_asked_for():
    without = run(openai(), [*TEXT, USED, DONE])
    asked = run(openai(include_usage=True), [*TEXT, USED, DONE])

    assert b"prompt_tokens" not in without
    assert asked.count(b"prompt_tokens") == 1


@pytest.mark.parametrize("include", [True, False])
def test_usage_beside_choices_becomes_a_chunk_of_its_own(include):
    finish = chunk({}, "stop", usage=USAGE)
    reader = openai(include_usage=include)

    out = run(reader, [*TEXT[:2], finish, DONE])

    bodies = [json.loads(e[6:]) for e in out.split(b"\n\n") if e.startswith(b"data: {")]
    with_usage = [b for b in bodies if b.get("usage")]
    assert [b["choices"] for b in with_usage] == ([[]] if include else [])
    assert bodies[2]["choices"][0]["finish_reason"] == "stop"
    assert reader.usage.output == 5


def test_an_end_without_its_marks_is_a_failure():
    for reader, pieces in (
        (openai(), TEXT[:2]),
        (AnthropicPassthrough("cheap", error_frame=frame), MESSAGES[:4]),
    ):
        out = run(reader, pieces)
        assert reader.failure is not None and not reader.ended
        assert b"[DONE]" not in out and b"message_stop" not in out


def test_a_finished_answer_without_the_end_mark_gets_one():
    reader = openai()
    assert run(reader, TEXT).endswith(b"data: [DONE]\n\n")
    assert reader.ended

    messages = AnthropicPassthrough("cheap", error_frame=frame)
    assert b"message_stop" in run(messages, MESSAGES[:6])
    assert messages.ended


def test_a_broken_event_is_skipped_and_counted():
    reader = openai()

    out = run(reader, [TEXT[0], b'data: {"broken": \n\n', *TEXT[1:], DONE])

    assert reader.skipped == 1 and reader.ended
    assert b"broken" not in out


def test_an_error_event_is_a_failure_of_its_class():
    reader = AnthropicPassthrough("cheap", error_frame=frame)
    out = reader.feed(event("error", error={"type": "overloaded_error", "message": "busy"}))

    assert out == b""
    assert reader.failure.kind is FailureClass.UPSTREAM
    assert reader.failure.message == "busy"

    chat = openai()
    chat.feed(b'data: {"error": {"message": "busy", "type": "server_error", "code": 503}}\n\n')
    assert chat.failure.message == "busy"


def test_what_is_no_stream_at_all_is_a_failure():
    reader = openai()
    run(reader, [b"<html>not a stream</html>"])

    assert reader.failure is not None


def test_content_filter_and_refusal_are_noticed():
    reader = openai()
    run(reader, [chunk({}, "content_filter"), DONE])
    assert reader.refused

    messages = AnthropicPassthrough("cheap", error_frame=frame)
    messages.feed(event("message_delta", delta={"stop_reason": "refusal"}, usage={}))
    assert messages.refused


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_random_bytes_never_raise(pieces):
    for reader in (openai(), AnthropicPassthrough("cheap", error_frame=frame)):
        run(reader, pieces)
        assert reader.ended or reader.failure is not None
