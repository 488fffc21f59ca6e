"""What is counted of a Messages stream on its way: content, pieces, bytes, usage.

That its bytes go on as they came is held in tests/unit/providers/test_passthrough.py.
"""

from __future__ import annotations

import json

import pytest

from tiergate.base.errors import Failure
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Usage
from tiergate.providers.anthropic import AnthropicPassthrough


def frame(failure: Failure) -> bytes:
    return failure.message.encode()


def event(kind: str, *, compact: bool = True, **body: Json) -> bytes:
    separators = (",", ":") if compact else (", ", ": ")
    text = json.dumps({"type": kind, **body}, ensure_ascii=False, separators=separators)
    return f"event: {kind}\ndata: {text}\n\n".encode()


def delta(kind: str, name: str, text: str, *, compact: bool = True) -> bytes:
    inner: JsonObject = {"type": kind, name: text}
    return event("content_block_delta", compact=compact, index=0, delta=inner)


def read(*pieces: bytes) -> AnthropicPassthrough:
    reader = AnthropicPassthrough("cheap", error_frame=frame)
    for piece in pieces:
        reader.feed(piece)
    return reader


START = event("message_start", message={"model": "m", "usage": {"input_tokens": 9}})


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("text_delta", "text"),
        ("thinking_delta", "thinking"),
        ("input_json_delta", "partial_json"),
    ],
)
def test_the_text_of_a_delta_is_counted_where_it_stands(
    kind: str, name: str, compact: bool
) -> None:
    reader = read(START, delta(kind, name, "h\u00e9llo", compact=compact))

    assert reader.content
    assert (reader.said_pieces, reader.said_bytes) == (1, 6)


@pytest.mark.parametrize("compact", [True, False])
def test_quotes_and_colons_in_a_text_do_not_mislead_the_count(compact: bool) -> None:
    text = '{"a":"b", "c": "d"}'
    reader = read(delta("text_delta", "text", text, compact=compact))

    escaped = json.dumps(text)[1:-1]
    assert reader.said_bytes == len(escaped)


def test_an_empty_text_is_counted_as_no_bytes() -> None:
    assert read(delta("text_delta", "text", "")).said_bytes == 0


@pytest.mark.parametrize("compact", [True, False])
def test_a_signature_is_no_output(compact: bool) -> None:
    reader = read(delta("signature_delta", "signature", "x" * 400, compact=compact))

    assert (reader.said_pieces, reader.said_bytes) == (0, 0)


def test_a_stream_is_metered_once_its_end_has_told_the_output() -> None:
    begun = read(START, delta("text_delta", "text", "hi"))
    assert (begun.usage, begun.metered) == (Usage(9, 0), False)

    stop: JsonObject = {"stop_reason": "end_turn"}
    told = read(START, event("message_delta", delta=stop, usage={"output_tokens": 4}))
    assert (told.usage, told.metered) == (Usage(9, 4), True)
    assert not read(START, event("message_delta", delta=stop)).metered
