"""Finished chat completions."""

from __future__ import annotations

import pytest

from tiergate.base.chat import (
    Opaque,
    Part,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolUse,
)
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Usage
from tiergate.providers.failures import UnreadableAnswerError
from tiergate.providers.openai import decode_answer
from tiergate.providers.openai.answer_decoder import made_id


def _body(message: JsonObject, reason: Json = "stop", **more: Json) -> JsonObject:
    choice: JsonObject = {"index": 0, "message": message, "finish_reason": reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt-4o-2024-08-06",
        "choices": [choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
        **more,
    }


def test_all_fields_of_an_answer_are_read() -> None:
    answer = decode_answer(
        _body(
            {"role": "assistant", "content": "hi"},
            service_tier="default",
            system_fingerprint="fp_1",
        )
    )
    assert (answer.id, answer.model, answer.created) == (
        "chatcmpl-1",
        "gpt-4o-2024-08-06",
        1700000000,
    )
    assert answer.parts == (Text("hi"),)
    assert (answer.stop, answer.stop_raw, answer.usage) == (Stop.END, "stop", Usage(10, 5))
    assert (answer.service_tier, answer.extras) == ("default", {"system_fingerprint": "fp_1"})


@pytest.mark.parametrize(
    ("message", "parts", "stop"),
    [
        ({"content": None}, (), Stop.END),
        ({"content": "", "tool_calls": []}, (), Stop.END),
        ({"content": "a", "tool_calls": None}, (Text("a"),), Stop.END),
        (
            {"content": None, "tool_calls": [{"id": "c", "function": {"name": "f"}}]},
            (ToolUse("c", "f", "{}"),),
            Stop.TOOLS,
        ),
        (
            {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}]},
            (ToolUse("c", "f", '{"a":1}'),),
            Stop.TOOLS,
        ),
        (
            {"tool_calls": [{"function": {"name": "f", "arguments": ""}}]},
            (ToolUse("call_chatcmpl1_0", "f", "{}"),),
            Stop.TOOLS,
        ),
        (
            {"function_call": {"name": "f", "arguments": '{"a":1}'}},
            (ToolUse("call_chatcmpl1_0", "f", '{"a":1}'),),
            Stop.TOOLS,
        ),
        ({"content": None, "refusal": "No."}, (Refusal("No."),), Stop.REFUSED),
        (
            {"content": "a", "reasoning_content": "hm"},
            (Thinking("hm"), Text("a")),
            Stop.END,
        ),
        ({"content": "a", "reasoning": "hm"}, (Thinking("hm"), Text("a")), Stop.END),
        (
            {
                "content": "a",
                "reasoning_content": "hm",
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "redacted_thinking", "data": "x"},
                    {"type": "redacted_thinking"},
                    {},
                    3,
                ],
            },
            (Thinking("hm", "s"), RedactedThinking("x"), Text("a")),
            Stop.END,
        ),
        # Mistral's reasoning models
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "a"},
                    "b",
                    4,
                ]
            },
            (Thinking("hm"), Text("a"), Text("b")),
            Stop.END,
        ),
        ({"content": [{"type": "thinking", "thinking": "hm"}]}, (Thinking("hm"),), Stop.END),
        (
            {"content": "a", "annotations": [{"type": "url_citation"}]},
            (Text("a", citations=({"type": "url_citation"},)),),
            Stop.END,
        ),
        (
            {"audio": {"id": "au"}},
            (Opaque(Dialect.OPENAI, "audio", {"id": "au"}),),
            Stop.END,
        ),
        (
            {"tool_calls": [{"type": "custom", "id": "c"}, 5]},
            (Opaque(Dialect.OPENAI, "custom tool call", {"type": "custom", "id": "c"}),),
            Stop.END,
        ),
    ],
)
def test_every_kind_of_message_is_read(
    message: JsonObject, parts: tuple[Part, ...], stop: Stop
) -> None:
    answer = decode_answer(_body(message))
    assert answer.parts == parts
    assert answer.stop is stop


def test_only_the_first_choice_is_read() -> None:
    body = _body({"content": "zero"})
    one: JsonObject = {"index": 1, "message": {"content": "one"}, "finish_reason": "stop"}
    assert isinstance(choices := body["choices"], list)
    assert decode_answer({**body, "choices": [one, *choices]}).parts == (Text("zero"),)
    assert decode_answer({**body, "choices": [one]}).parts == (Text("one"),)


def test_an_answer_without_usage_says_so() -> None:
    assert decode_answer(_body({"content": "a"}, usage=None)).usage == Usage(estimated=True)


@pytest.mark.parametrize(
    "body",
    [{}, {"choices": None}, {"choices": []}, {"choices": [3]}, {"choices": [{"index": 0}]}],
)
def test_what_is_no_chat_completion_is_refused(body: JsonObject) -> None:
    with pytest.raises(UnreadableAnswerError, match="not a chat completion"):
        decode_answer(body)


def test_a_made_id_has_letters_and_digits_only() -> None:
    assert made_id("chatcmpl-ü/9", 2) == "call_chatcmpl9_2"
