"""Cross-dialect streams: where the commit point is, and how each ends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import anthropic_wire, openai_wire
from tiergate.base.errors import FailureClass
from tiergate.providers import anthropic, openai
from tiergate.providers.translated import TranslatedStream


def to_anthropic(renames=None) -> TranslatedStream:
    """An OpenAI upstream for an Anthropic caller."""
    writer = anthropic.StreamEncoder(model="cheap", include_usage=True, id="msg_1", created=0)
    return TranslatedStream(openai.StreamDecoder(), writer, renames or {})


def to_openai(renames=None, *, include_usage: bool = True) -> TranslatedStream:
    """An Anthropic upstream for an OpenAI caller."""
    writer = openai.StreamEncoder(
        model="cheap", include_usage=include_usage, id="chatcmpl-1", created=0
    )
    return TranslatedStream(anthropic.StreamDecoder(), writer, renames or {})


def run(stream: TranslatedStream, pieces) -> bytes:
    out = b""
    for piece in pieces:
        out += stream.feed(piece)
        if stream.ended or stream.failure is not None:
            break
    if not stream.ended and stream.failure is None:
        out += stream.eof()
    return out


def events(data: bytes) -> list[dict]:
    lines = [line[6:] for line in data.split(b"\n") if line.startswith(b"data: {")]
    return [json.loads(line) for line in lines]


CASES = {
    "chat text": (to_anthropic, openai_wire.text_events("héllo 😀")),
    "chat tool": (to_anthropic, openai_wire.tool_events("look", {"q": "x"})),
    "messages text": (to_openai, anthropic_wire.text_events("héllo 😀")),
    "messages tool": (to_openai, anthropic_wire.tool_events("look", {"q": "x"})),
}


@pytest.mark.parametrize("name", CASES)
def test_a_whole_stream_ends_well_with_its_usage(name):
    make, pieces = CASES[name]
    stream = make()

    out = run(stream, pieces)

    assert stream.ended
    assert stream.content
    assert stream.failure is None
    assert not stream.refused
    assert (stream.usage.input, stream.usage.output) == (10, 5)
    last = b"message_stop" if make is to_anthropic else b"[DONE]"
    assert out.count(last) == (2 if make is to_anthropic else 1)
    assert b"upstream" not in out


def test_the_text_is_the_text():
    said = events(run(to_anthropic(), openai_wire.text_events("héllo 😀")))
    text = "".join(e["delta"].get("text", "") for e in said if e["type"] == "content_block_delta")
    assert text == "héllo 😀"

    chunks = events(run(to_openai(), anthropic_wire.text_events("héllo 😀")))
    assert (
        "".join(c["delta"].get("content") or "" for e in chunks for c in e["choices"])
        == "héllo 😀"
    )


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_any_split_of_the_bytes_gives_the_same(name, data):
    make, pieces = CASES[name]
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=6)))
    split = [whole[i:j] for i, j in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    assert run(make(), split) == run(make(), [whole])


@pytest.mark.parametrize("name", CASES)
def test_a_stream_cut_anywhere_ends_or_breaks_never_both_never_neither(name):
    make, pieces = CASES[name]
    for cut in range(len(pieces)):
        stream = make()
        run(stream, pieces[:cut])
        assert stream.ended is (stream.failure is None)


@pytest.mark.parametrize("name", CASES)
def test_content_begins_with_the_first_event_that_says_something(name):
    make, pieces = CASES[name]
    stream = make()
    seen = []
    for piece in pieces:
        stream.feed(piece)
        seen.append(stream.content)

    assert seen == sorted(seen), "it never goes back"
    assert not seen[0], "an opening is no content"
    assert seen[-1]


@pytest.mark.parametrize(
    "pieces",
    [
        [anthropic_wire.message_start(), anthropic_wire.ping()],
        [
            anthropic_wire.message_start(),
            anthropic_wire.block_start(0, anthropic_wire.text_block("")),
            anthropic_wire.text_delta(0, ""),
        ],
    ],
)
def test_openings_pings_and_empty_text_are_no_content(pieces):
    stream = to_openai()
    for piece in pieces:
        stream.feed(piece)
    assert not stream.content


@pytest.mark.parametrize(
    ("make", "pieces"),
    [
        (to_openai, [anthropic_wire.message_start(), anthropic_wire.message_delta("refusal")]),
        (to_anthropic, [openai_wire.role_chunk(), openai_wire.finish_chunk("content_filter")]),
    ],
)
def test_a_refusal_is_content_and_is_noted(make, pieces):
    stream = make()
    for piece in pieces:
        stream.feed(piece)
    assert stream.content
    assert stream.refused


@pytest.mark.parametrize(
    ("make", "error"),
    [(to_openai, anthropic_wire.error_event()), (to_anthropic, openai_wire.error_event())],
)
def test_an_error_event_is_a_failure_and_nothing_follows_it(make, error):
    stream = make()
    stream.feed(error + b"data: [DONE]\n\n" + anthropic_wire.message_stop())

    assert stream.failure.kind is FailureClass.UPSTREAM
    assert not stream.ended
    assert stream.eof() == b""


@pytest.mark.parametrize("make", [to_openai, to_anthropic])
@pytest.mark.parametrize(
    "body", [b"<html>\n\n", b'{"id":"x"}', b"data: nonsense\n\n", b"x" * (20 << 20)]
)
def test_what_is_no_stream_is_an_upstreams_fault(make, body):
    stream = make()
    out = run(stream, [body])

    assert out == b""
    assert stream.failure.kind in (FailureClass.UPSTREAM, FailureClass.CONNECTION)
    assert not stream.content


@pytest.mark.parametrize("make", [to_openai, to_anthropic])
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_make_it_raise(make, pieces):
    stream = make()
    run(stream, pieces)
    assert stream.ended is (stream.failure is None)


def test_a_tool_gets_the_name_back_that_its_caller_knows():
    renames = {"look": "a/very/long name"}
    for make, pieces in (
        (to_openai, anthropic_wire.tool_events("look", {})),
        (to_anthropic, openai_wire.tool_events("look", {})),
    ):
        out = run(make(renames), pieces)
        assert b'"a/very/long name"' in out
        assert b'"look"' not in out


def test_the_error_frame_is_the_callers():
    failure = to_openai().failure
    assert failure is None
    broken = to_openai()
    run(broken, [anthropic_wire.message_start()])

    assert to_anthropic().error(broken.failure).startswith(b"event: error\ndata: ")
    assert json.loads(to_openai().error(broken.failure)[6:])["error"]["message"]


def test_nothing_is_written_after_the_end():
    stream = to_anthropic()
    run(stream, openai_wire.text_events("x"))
    assert stream.eof() == b""


def test_an_end_without_a_blank_line_is_read_all_the_same():
    pieces = openai_wire.text_events("x")
    stream = to_anthropic()
    out = run(stream, [b"".join(pieces).rstrip(b"\n")])
    assert stream.ended
    assert out.count(b"event: message_stop") == 1


# ------------------------------------------------------------------ how much was said


def fed(stream: TranslatedStream, pieces) -> tuple[int, int, bool]:
    for piece in pieces:
        stream.feed(piece)
    return stream.said_pieces, stream.said_bytes, stream.metered


def test_text_and_thoughts_are_counted_as_they_come():
    chunks = [
        openai_wire.role_chunk(),
        openai_wire.text_chunk("héllo"),
        openai_wire.text_chunk("!"),
    ]

    assert fed(to_anthropic(), chunks) == (2, 7, False)
    assert fed(to_anthropic(), [openai_wire.reasoning_chunk("hmm")]) == (1, 3, False)


def test_a_tool_s_name_and_arguments_are_counted():
    chunks = [
        openai_wire.tool_chunk(0, name="look"),
        openai_wire.tool_chunk(0, arguments='{"q":1}'),
    ]

    assert fed(to_anthropic(), chunks) == (2, 4 + 7, False)


def test_the_end_of_either_dialect_meters_the_stream():
    openai_end = [*openai_wire.text_events("hello")]
    messages = anthropic_wire.text_events("hello")
    upto = next(n for n, each in enumerate(messages) if b"message_delta" in each)

    assert fed(to_anthropic(), openai_end)[2]
    assert fed(to_openai(), messages[:upto]) == (2, 5, False)
    assert fed(to_openai(), messages)[2]
