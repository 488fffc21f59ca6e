"""Messages of both dialects have the form of OpenTelemetry's GenAI conventions."""

from __future__ import annotations

import json

import pytest

from tiergate.telemetry.genai_messages import input_messages, output_messages


def asked(value: object) -> list:
    text = input_messages(json.dumps(value).encode())
    assert text is not None
    return json.loads(text)


def answered(value: object) -> list:
    text = output_messages(json.dumps(value).encode())
    assert text is not None
    return json.loads(text)


def test_a_conversation_of_openais_dialect():
    found = asked(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image_url"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "function": {"name": "now", "arguments": "{}"},
                        "type": "function",
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "noon"},
        ]
    )
    assert found == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {
            "role": "user",
            "parts": [{"type": "text", "content": "Look"}, {"type": "image_url"}],
        },
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c1", "name": "now", "arguments": "{}"}],
        },
        {
            "role": "tool",
            "parts": [{"type": "tool_call_response", "id": "c1", "response": "noon"}],
        },
    ]


def test_a_conversation_of_anthropics_dialect():
    found = asked(
        [
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}],
            },
        ]
    )
    assert found[0]["parts"] == [
        {"type": "tool_call", "id": "t", "name": "n", "arguments": {"a": 1}}
    ]
    assert found[1]["parts"] == [{"type": "tool_call_response", "id": "t", "response": "ok"}]


def test_prompts_are_messages_of_a_user():
    assert asked("Once") == [{"role": "user", "parts": [{"type": "text", "content": "Once"}]}]
    assert [message["parts"][0]["content"] for message in asked(["a", "b"])] == ["a", "b"]


def test_answers_of_both_dialects():
    of_openai = answered(
        {
            "choices": [
                {
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "reasoning_content": "Hm.", "content": "Hi."},
                },
                {"finish_reason": "length", "text": "more"},
            ]
        }
    )
    assert of_openai[0] == {
        "role": "assistant",
        "parts": [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Hi."}],
        "finish_reason": "stop",
    }
    assert of_openai[1]["parts"] == [{"type": "text", "content": "more"}]
    of_anthropic = answered(
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi."}],
            "stop_reason": "end_turn",
        }
    )
    assert of_anthropic == [{**of_openai[0], "finish_reason": "end_turn"}]


@pytest.mark.parametrize("text", [b"", b"{", b"3", b"null"])
def test_what_cannot_be_read_is_left_out(text: bytes):
    assert input_messages(text) is None
    assert output_messages(text) is None
