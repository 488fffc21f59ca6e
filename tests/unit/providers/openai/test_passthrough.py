"""What is counted of a chat stream on its way: content, pieces, bytes, usage.

That its bytes go on as they came is held in tests/unit/providers/test_passthrough.py.
"""

from __future__ import annotations

import json

import pytest

from tiergate.base.errors import Failure
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import ServiceTier, Usage
from tiergate.providers.openai import OpenAIPassthrough
from tiergate.providers.openai.passthrough import text_of_calls


def frame(failure: Failure) -> bytes:
    return failure.message.encode()


def chunk(delta: Json = None, **more: Json) -> bytes:
    choice: JsonObject = {"index": 0, "delta": delta, "finish_reason": None}
    body: JsonObject = {"id": "c", "model": "m", "choices": [choice], **more}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


def read(*pieces: bytes) -> OpenAIPassthrough:
    reader = OpenAIPassthrough("cheap", include_usage=False, error_frame=frame)
    for piece in pieces:
        reader.feed(piece)
    return reader


FIRST = chunk({"role": "assistant", "content": "four"})


def test_a_role_alone_says_nothing() -> None:
    reader = read(chunk({"role": "assistant", "content": ""}))

    assert (reader.content, reader.said_pieces, reader.said_bytes) == (False, 0, 0)


@pytest.mark.parametrize(
    ("delta", "size"),
    [
        ({"content": "five!"}, 5),
        ({"content": "h\u00e9"}, 3),
        ({"reasoning_content": "five!"}, 5),
        ({"reasoning": "five!", "reasoning_details": [{"text": "five!"}]}, 5),
        ({"refusal": "five!"}, 5),
        ({"content": ["x"]}, len("['x']")),
        ({"tool_calls": [{"index": 0, "function": {"name": "ab", "arguments": "{}"}}]}, 4),
    ],
)
def test_everything_that_is_said_after_the_first_content_is_counted(
    delta: JsonObject, size: int
) -> None:
    reader = read(FIRST, chunk(delta))

    assert (reader.said_pieces, reader.said_bytes) == (2, 4 + size)


@pytest.mark.parametrize("delta", [{}, None, {"content": None}, {"content": ""}, {"extra": 1}])
def test_an_empty_delta_adds_nothing(delta: Json) -> None:
    reader = read(FIRST, chunk(delta))

    assert (reader.said_pieces, reader.said_bytes) == (1, 4)


def test_a_completion_s_text_is_counted() -> None:
    first: JsonObject = {"choices": [{"text": "four"}]}
    reader = read(*[f"data: {json.dumps(first)}\n\n".encode()] * 2)

    assert reader.content
    assert (reader.said_pieces, reader.said_bytes) == (2, 8)


def test_a_stream_is_metered_from_its_first_usage_on() -> None:
    usage: JsonObject = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}

    assert not read(FIRST).metered
    assert not read(FIRST, chunk({}, usage=None)).metered
    reader = read(FIRST, chunk({}, usage=usage, service_tier="flex"))
    assert reader.metered
    assert reader.usage == Usage(3, 1, tier=ServiceTier.FLEX)


def test_groq_s_own_place_counts_where_there_is_no_other() -> None:
    own: JsonObject = {"id": "r", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    reader = read(FIRST, chunk({}, x_groq=own))

    assert (reader.usage, reader.metered) == (Usage(3, 1), True)
    assert not read(FIRST, chunk({}, x_groq={"id": "r"})).metered


@pytest.mark.parametrize("calls", [None, "x", [], [5], [{"function": 5}], [{"function": {}}]])
def test_calls_that_are_none_have_no_text(calls: object) -> None:
    assert text_of_calls(calls) == ""
