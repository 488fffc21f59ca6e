"""Messages of a chat request."""

from __future__ import annotations

import pytest

from tiergate.base.chat import (
    CacheMark,
    Opaque,
    RedactedThinking,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai.turns import decode_turns

MARK: JsonObject = {"type": "ephemeral"}


def _call(identity: str, arguments: Json = "{}") -> JsonObject:
    function: JsonObject = {"name": "f", "arguments": arguments}
    return {"id": identity, "type": "function", "function": function}


def test_system_text_keeps_its_place_and_role() -> None:
    turns = decode_turns(
        [
            {"role": "system", "content": "one"},
            {"role": "developer", "content": [{"type": "text", "text": "two"}]},
            {"role": "user", "content": "ask", "name": "ann"},
            {"role": "system", "content": "three"},
        ]
    )
    assert turns == (
        Turn(Role.SYSTEM, (Text("one"),)),
        Turn(Role.DEVELOPER, (Text("two"),)),
        Turn(Role.USER, (Text("ask"),), name="ann"),
        Turn(Role.SYSTEM, (Text("three"),)),
    )


def test_tool_messages_that_follow_each_other_are_one_user_turn() -> None:
    turns = decode_turns(
        [
            {"role": "assistant", "content": None, "tool_calls": [_call("a"), _call("b")]},
            {"role": "tool", "tool_call_id": "b", "content": "B"},
            {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "A"}]},
            {"role": "user", "content": "next"},
        ]
    )
    assert turns[0].parts == (ToolUse("a", "f", "{}"), ToolUse("b", "f", "{}"))
    assert turns[1] == Turn(
        Role.USER, (ToolResult("b", (Text("B"),)), ToolResult("a", (Text("A"),)))
    )
    assert turns[2] == Turn(Role.USER, (Text("next"),))


@pytest.mark.parametrize("arguments", ["", None, "  "])
def test_missing_arguments_are_the_empty_object(arguments: Json) -> None:
    message: JsonObject = {"role": "assistant", "tool_calls": [_call("a", arguments)]}
    assert decode_turns([message])[0].parts == (ToolUse("a", "f", "{}"),)


def test_signed_thinking_comes_back_before_text_and_calls() -> None:
    message: JsonObject = {
        "role": "assistant",
        "content": "text",
        "reasoning_content": "hm",
        "thinking_blocks": [
            {"index": 0, "type": "thinking", "thinking": "hm", "signature": "sig"},
            {"index": 1, "type": "redacted_thinking", "data": "xx"},
        ],
        "tool_calls": [_call("a")],
    }
    assert decode_turns([message])[0].parts == (
        Thinking("hm", "sig"),
        RedactedThinking("xx"),
        Text("text"),
        ToolUse("a", "f", "{}"),
    )


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_bare_reasoning_text_is_thinking_without_signature(field: str) -> None:
    message: JsonObject = {"role": "assistant", "content": "t", field: "hm"}
    assert decode_turns([message])[0].parts == (Thinking("hm"), Text("t"))


def test_refusal_audio_and_custom_calls_of_earlier_answers_are_kept() -> None:
    custom: JsonObject = {"id": "c", "type": "custom", "custom": {"name": "n", "input": "x"}}
    message: JsonObject = {
        "role": "assistant",
        "refusal": "No.",
        "audio": {"id": "au"},
        "tool_calls": [custom],
    }
    assert decode_turns([message])[0].parts == (
        Refusal("No."),
        Opaque(Dialect.OPENAI, "audio", {"id": "au"}),
        Opaque(Dialect.OPENAI, "custom tool call", custom),
    )


def test_a_legacy_function_call_and_its_result_share_a_made_id() -> None:
    messages: list[Json] = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "r"},
    ]
    turns = decode_turns(messages)
    use, result = turns[1].parts[0], turns[2].parts[0]
    assert isinstance(use, ToolUse)
    assert isinstance(result, ToolResult)
    assert use.id == result.tool_use_id
    assert turns == decode_turns(messages)


def test_a_message_mark_goes_to_its_last_part() -> None:
    content: Json = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    turn = decode_turns([{"role": "user", "content": content, "cache_control": MARK}])[0]
    assert turn.parts == (Text("a"), Text("b", CacheMark(MARK)))


def test_a_message_mark_skips_parts_that_carry_none() -> None:
    message: JsonObject = {
        "role": "assistant",
        "content": "a",
        "refusal": "no",
        "cache_control": MARK,
    }
    assert decode_turns([message])[0].parts == (Text("a", CacheMark(MARK)), Refusal("no"))
    empty: JsonObject = {"role": "user", "content": "", "cache_control": MARK}
    assert decode_turns([empty])[0].parts == ()


@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "tool_call_id": "a", "content": "x", "cache_control": MARK},
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": [{"type": "text", "text": "x"}],
            "cache_control": MARK,
        },
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": [{"type": "text", "text": "x", "cache_control": MARK}],
        },
    ],
)
def test_the_mark_of_a_tool_message_is_on_its_result(message: JsonObject) -> None:
    assert decode_turns([message])[0].parts == (
        ToolResult("a", (Text("x"),), cache=CacheMark(MARK)),
    )


def test_a_mark_on_a_tool_call_is_kept() -> None:
    call = {**_call("a"), "cache_control": MARK}
    assert decode_turns([{"role": "assistant", "tool_calls": [call]}])[0].parts == (
        ToolUse("a", "f", "{}", CacheMark(MARK)),
    )


def test_anthropic_blocks_of_an_editor_are_read() -> None:
    turns = decode_turns(
        [
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a"}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "one"}],
            },
        ]
    )
    assert turns[0].parts == (Text("I look."), ToolUse("t1", "read", '{"path":"a"}'))
    assert turns[1].parts == (ToolResult("t1", (Text("one"),)),)


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("hi", "messages.0"),
        ({"content": "x"}, "messages.0.role"),
        ({"role": "robot"}, "messages.0.role"),
        ({"role": "tool", "content": "x"}, "messages.0.tool_call_id"),
        ({"role": "function", "content": "x"}, "messages.0.name"),
        ({"role": "assistant", "tool_calls": {}}, "messages.0.tool_calls"),
        ({"role": "assistant", "tool_calls": [{"id": "a"}]}, "messages.0.tool_calls.0.function"),
        (
            {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]},
            "messages.0.tool_calls.0.id",
        ),
        (
            {"role": "user", "content": [{"type": "tool_use", "id": "a", "name": "f"}]},
            "messages.0",
        ),
        (
            {"role": "assistant", "content": [{"type": "tool_result", "tool_use_id": "a"}]},
            "messages.0",
        ),
        ({"role": "user", "content": [{"type": "thinking", "thinking": "x"}]}, "messages.0"),
    ],
)
def test_a_wrong_message_is_refused_at_its_place(message: Json, place: str) -> None:
    with pytest.raises(Refused) as caught:
        decode_turns([message])
    assert caught.value.param == place
