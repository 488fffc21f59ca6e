"""Finished answers, read and written."""

from __future__ import annotations

import json

import msgspec
import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.chat import (
    Answer,
    Audio,
    Opaque,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolUse,
)
from tiergate.base.errors import FailureClass
from tiergate.base.values import Dialect, Usage
from tiergate.providers.anthropic import decode_answer, encode_answer
from tiergate.providers.failures import UnreadableAnswerError

WIRE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "xx"},
        {"type": "text", "text": "cited", "citations": [{"type": "char_location"}]},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}},
        {"type": "tool_use", "id": "t", "name": "look", "input": {"a": 1}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 0, "output_tokens": 5},
}


def write(*parts, stop=Stop.END, **more):
    answer = Answer(id="a1", model="up", parts=parts, stop=stop, usage=Usage(1, 2), **more)
    return json.loads(encode_answer(answer, model="cheap", created=0))


def test_an_answer_is_read_whole():
    answer = decode_answer(WIRE)

    assert answer.parts == (
        Thinking("hm", "sig"),
        RedactedThinking("xx"),
        Text("cited", citations=({"type": "char_location"},)),
        Opaque(
            Dialect.ANTHROPIC,
            "server_tool_use",
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}},
        ),
        ToolUse("t", "look", '{"a":1}'),
    )
    assert (answer.id, answer.model) == ("msg_1", "claude-x")
    assert (answer.stop, answer.stop_raw) == (Stop.TOOLS, "tool_use")
    assert answer.usage == Usage(10, 5, cache_read=0)


def test_an_answer_survives_both_ways_but_for_its_model():
    written = json.loads(encode_answer(decode_answer(WIRE), model="cheap", created=0))

    assert written == {**WIRE, "model": "cheap"}


def test_a_stop_sequence_and_tier_are_read():
    answer = decode_answer(
        {
            "content": [],
            "stop_reason": "stop_sequence",
            "stop_sequence": "END",
            "usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": "priority"},
            "stop_details": {"type": "refusal"},
        }
    )

    assert (answer.stop, answer.stop_sequence) == (Stop.SEQUENCE, "END")
    assert answer.service_tier == "priority"
    assert answer.extras == {"stop_details": {"type": "refusal"}}


def test_an_answer_without_counts_says_that_they_are_not_the_providers():
    assert decode_answer({"content": []}).usage == Usage(estimated=True)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "no list `content`"),
        ({"content": "hi"}, "no list `content`"),
        ({"content": [5]}, "content.0: expected an object"),
        ({"content": [{"type": "text"}]}, "content.0.text: this field is required"),
        ({"content": [{"type": "tool_use", "id": "t"}]}, "content.0.name"),
    ],
)
def test_a_body_that_is_no_answer_is_an_upstream_fault(body, why):
    with pytest.raises(UnreadableAnswerError, match=why) as raised:
        decode_answer(body)

    assert raised.value.failure.kind is FailureClass.UPSTREAM
    assert isinstance(raised.value, msgspec.MsgspecError)


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Text("hi"), {"type": "text", "text": "hi"}),
        (Refusal("I will not."), {"type": "text", "text": "I will not."}),
        (Thinking("hm"), {"type": "thinking", "thinking": "hm", "signature": ""}),
        (ToolUse("c", "n", ""), {"type": "tool_use", "id": "c", "name": "n", "input": {}}),
        (
            ToolUse("c", "n", '{"a": '),
            {"type": "tool_use", "id": "c", "name": "n", "input": {"raw_arguments": '{"a": '}},
        ),
        (
            Text(
                "see the",
                citations=(
                    {
                        "type": "url_citation",
                        "url_citation": {"url": "u", "start_index": 4, "end_index": 7},
                    },
                ),
            ),
            {
                "type": "text",
                "text": "see the",
                "citations": [
                    {
                        "type": "web_search_result_location",
                        "cited_text": "the",
                        "encrypted_index": "",
                        "title": None,
                        "url": "u",
                    }
                ],
            },
        ),
    ],
)
def test_an_openai_answers_parts_have_their_blocks(part, block):
    assert write(part)["content"] == [block]


@pytest.mark.parametrize(
    "part",
    [Text(""), Refusal(""), Opaque(Dialect.OPENAI, "audio", {}), Audio("AA", "wav")],
)
def test_what_has_no_block_is_left_out(part):
    assert write(part, Text("hi"))["content"] == [{"type": "text", "text": "hi"}]


def test_an_answer_with_calls_ends_for_them_whatever_the_host_said():
    assert write(ToolUse("c", "n", "{}"))["stop_reason"] == "tool_use"
    assert write(ToolUse("c", "n", "{}"), stop=Stop.LENGTH)["stop_reason"] == "max_tokens"


def test_an_empty_answer_is_an_answer():
    assert write()["content"] == []


def test_an_id_is_never_empty():
    answer = Answer(id="", model="up", parts=(), stop=Stop.END, usage=Usage())

    assert json.loads(encode_answer(answer, model="cheap", created=0))["id"]


answer_parts = st.one_of(
    st.builds(Text, st.text(max_size=9)),
    st.builds(Refusal, st.text(max_size=9)),
    st.builds(Thinking, st.text(max_size=9), st.none() | st.text(max_size=5)),
    st.builds(RedactedThinking, st.text(max_size=5)),
    st.builds(ToolUse, st.text(max_size=5), st.text(max_size=5), st.text(max_size=9)),
)


@given(st.lists(answer_parts, max_size=5), st.sampled_from(list(Stop)))
def test_any_answer_is_one_for_the_official_sdk(parts, stop):
    body = write(*parts, stop=stop)

    message = Message.model_validate(body, strict=True)

    assert message.to_dict()["usage"]["output_tokens"] == 2
    assert message.stop_reason == body["stop_reason"]


@given(
    st.dictionaries(
        st.sampled_from(["content", "stop_reason", "usage", "id"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=4),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["type", "text", "id"]),
                    inner | st.just("text"),
                    max_size=3,
                )
            ),
            max_leaves=8,
        ),
    )
)
def test_any_json_is_read_or_unreadable(body):
    found: Answer | UnreadableAnswerError
    try:
        found = decode_answer(body)
    except UnreadableAnswerError as exc:
        found = exc
    assert isinstance(found, Answer) or found.failure.status == 502
