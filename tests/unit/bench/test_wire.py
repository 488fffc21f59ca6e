import json

import pytest
from bench import wire
from bench.wire import Dialect, Stamp, StreamScript
from hypothesis import given
from hypothesis import strategies as st

SCRIPTS = st.builds(StreamScript, st.integers(0, 10**6), st.integers(0, 10**5))


def events_of(chunks):
    """The data of each event as JSON; `[DONE]` is left out."""
    lines = b"".join(chunks).decode().splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(text) for text in data if text != "[DONE]"]


@pytest.mark.parametrize("size", [600, 2_048, 9_999, 100_000, 400_000])
def test_a_request_has_exactly_the_size_asked_for(size):
    body = wire.chat_body("plain-openai", size)

    assert len(body) == size
    assert json.loads(body)["model"] == "plain-openai"


def test_a_long_request_has_many_turns_that_begin_and_end_with_the_user():
    messages = json.loads(wire.chat_body("plain-openai", 400_000))["messages"]

    assert len(messages) == 49
    assert [message["role"] for message in messages[::2]] == ["user"] * 25
    assert max(len(message["content"]) for message in messages) < 20_000


def test_a_size_too_small_for_a_request_is_refused():
    with pytest.raises(ValueError, match="at least"):
        wire.chat_body("plain-openai", 50)


@given(SCRIPTS, st.sampled_from(Dialect))
def test_a_script_survives_its_way_through_the_prompt(script, dialect):
    assert wire.script_of(wire.stream_body(dialect, "stream-openai", script)) == script


def test_a_body_without_a_script_has_none():
    assert wire.script_of(wire.chat_body("plain-openai", 2_048)) is None


@given(
    st.lists(st.builds(Stamp, st.integers(0, 10**6), st.integers(0, 2**62)), max_size=5),
    st.sampled_from(Dialect),
)
def test_stamps_are_found_in_the_chunks_of_both_dialects(stamps, dialect):
    text = b"".join(wire.content_chunk(dialect, stamp) for stamp in stamps)

    assert wire.stamps_in(text) == tuple(stamps)


@pytest.mark.parametrize("dialect", Dialect)
def test_the_plain_answer_is_one_kilobyte_and_carries_the_expected_text(dialect):
    answer = wire.plain_answer(dialect)

    assert 800 <= len(answer) <= 1_100
    assert wire.answer_text(dialect, answer) == wire.PLAIN_TEXT


@pytest.mark.parametrize("body", [b"", b"oops", b"[]", b'{"choices":[]}', b'{"content":[{}]}'])
@pytest.mark.parametrize("dialect", Dialect)
def test_another_body_has_no_answer_text(dialect, body):
    assert wire.answer_text(dialect, body) is None


def test_an_answer_in_the_other_dialect_has_no_text():
    assert wire.answer_text(Dialect.OPENAI, wire.plain_answer(Dialect.ANTHROPIC)) is None


def test_an_openai_stream_ends_with_a_reason_and_then_done():
    tail = wire.stream_tail(Dialect.OPENAI, 3, usage=False)

    assert tail[-1] == b"data: [DONE]\n\n"
    assert [event["choices"][0]["finish_reason"] for event in events_of(tail)] == ["stop"]


def test_an_openai_stream_counts_tokens_only_for_who_asks():
    counted = events_of(wire.stream_tail(Dialect.OPENAI, 3, usage=True))

    assert counted[-1]["choices"] == []
    assert counted[-1]["usage"]["completion_tokens"] == 3
    assert len(counted) == 1 + len(events_of(wire.stream_tail(Dialect.OPENAI, 3, usage=False)))


def test_an_anthropic_stream_has_its_events_in_order():
    content = [wire.content_chunk(Dialect.ANTHROPIC, Stamp(n, 0)) for n in range(2)]
    whole = [
        *wire.stream_head(Dialect.ANTHROPIC),
        *content,
        *wire.stream_tail(Dialect.ANTHROPIC, 2, usage=False),
    ]

    assert [event["type"] for event in events_of(whole)] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert all(f"event: {e['type']}\n".encode() in b"".join(whole) for e in events_of(whole))


@pytest.mark.parametrize("dialect", Dialect)
def test_only_the_tail_of_a_stream_carries_the_end_mark(dialect):
    mark = wire.end_mark(dialect)

    assert mark in b"".join(wire.stream_tail(dialect, 1, usage=True))
    assert mark not in b"".join(wire.stream_head(dialect))
    assert mark not in wire.content_chunk(dialect, Stamp(0, 1))


def test_the_token_count_is_asked_for_in_openai_streams():
    script = StreamScript(1, 1)

    assert wire.wants_usage(wire.stream_body(Dialect.OPENAI, "a", script))
    assert not wire.wants_usage(wire.stream_body(Dialect.ANTHROPIC, "a", script))


@pytest.mark.parametrize("dialect", Dialect)
def test_a_request_names_its_length_and_the_callers_key(dialect):
    head, _, body = wire.request(dialect, 80, b"{}").partition(b"\r\n\r\n")

    assert body == b"{}"
    assert b"content-length: 2" in head
    assert wire.CLIENT_KEY.encode() in head
    assert head.startswith(f"POST {dialect.value} HTTP/1.1\r\n".encode())


def test_a_script_lasts_as_long_as_its_chunks_are_apart():
    assert StreamScript(chunks=100, interval_ms=5).seconds == 0.5
