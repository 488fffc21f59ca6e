"""Turns as chat messages."""

from __future__ import annotations

import pytest

from tiergate.base.chat import (
    Bytes64,
    CacheMark,
    Image,
    Opaque,
    Part,
    RedactedThinking,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)
from tiergate.base.errors import Untranslatable
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.losses import Losses
from tiergate.providers.openai.messages import EMPTY_RESULT, SEE_NEXT, MessageWriter
from tiergate.providers.openai.role_order import BRIDGE
from tiergate.providers.quirks import Quirk

MARK = CacheMark({"type": "ephemeral"})
PIXEL = Image(Bytes64("image/png", "AAAA"))
PIXEL_PART: JsonObject = {
    "type": "image_url",
    "image_url": {"url": "data:image/png;base64,AAAA"},
}
HI = Turn(Role.USER, (Text("hi"),))


def _user(*parts: Part) -> Turn:
    return Turn(Role.USER, parts)


def _assistant(*parts: Part) -> Turn:
    return Turn(Role.ASSISTANT, parts)


def _write(*turns: Turn, quirks: tuple[Quirk, ...] = ()) -> tuple[list[Json], tuple[str, ...]]:
    losses = Losses(lenient=False)
    return MessageWriter(frozenset(quirks), losses).write(turns), losses.words


def _call(identity: str, name: str = "f", arguments: str = "{}") -> JsonObject:
    function: JsonObject = {"name": name, "arguments": arguments}
    return {"id": identity, "type": "function", "function": function}


def _tool(identity: str, content: Json) -> JsonObject:
    return {"role": "tool", "tool_call_id": identity, "content": content}


def test_several_results_are_tool_messages_directly_after_the_calls() -> None:
    messages, lost = _write(
        HI,
        _assistant(Text("look"), ToolUse("a", "f", "{}"), ToolUse("b", "f", '{"x":1}')),
        _user(ToolResult("b", (Text("B"),)), ToolResult("a", (Text("A"),)), Text("and now?")),
    )
    assert messages[1:] == [
        {
            "role": "assistant",
            "content": "look",
            "tool_calls": [_call("a"), _call("b", arguments='{"x":1}')],
        },
        _tool("b", "B"),
        _tool("a", "A"),
        {"role": "user", "content": "and now?"},
    ]
    assert lost == ()


def test_pictures_of_a_result_follow_in_a_user_message_in_order() -> None:
    messages, _ = _write(
        HI,
        _assistant(ToolUse("a", "f", "{}"), ToolUse("b", "f", "{}")),
        _user(ToolResult("a", (Text("two"), PIXEL, Text("more"))), ToolResult("b", (PIXEL,))),
    )
    assert messages[2:] == [
        _tool("a", "two\nmore"),
        _tool("b", SEE_NEXT),
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Returned by tool call a:"},
                PIXEL_PART,
                {"type": "text", "text": "Returned by tool call b:"},
                PIXEL_PART,
            ],
        },
    ]


def test_results_in_turns_of_their_own_still_stand_together() -> None:
    messages, _ = _write(
        HI,
        _assistant(ToolUse("a", "f", "{}"), ToolUse("b", "f", "{}")),
        _user(ToolResult("a", (PIXEL,))),
        _user(ToolResult("b", (Text("B"),))),
        _user(Text("next")),
    )
    roles = [message["role"] for message in messages if isinstance(message, dict)]
    assert roles == ["user", "assistant", "tool", "tool", "user", "user"]


@pytest.mark.parametrize(
    ("result", "content"),
    [
        (ToolResult("a", ()), EMPTY_RESULT),
        (ToolResult("a", (Text("gone"),), is_error=True), "Error: gone"),
        (ToolResult("a", (Text("error 5"),), is_error=True), "error 5"),
    ],
)
def test_empty_and_failed_results_say_so_in_words(result: ToolResult, content: str) -> None:
    messages, lost = _write(HI, _assistant(ToolUse("a", "f", "{}")), _user(result))
    assert messages[-1] == _tool("a", content)
    assert lost == ()


def test_a_mark_on_a_result_goes_to_hosts_that_pass_it_on() -> None:
    turns = (
        HI,
        _assistant(ToolUse("a", "f", "{}")),
        _user(ToolResult("a", (Text("A"),), cache=MARK)),
    )
    messages, _ = _write(*turns, quirks=(Quirk.CACHE_CONTROL,))
    assert messages[-1] == _tool(
        "a", [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}]
    )
    assert _write(*turns)[1] == ("cache_control",)


def test_thinking_of_earlier_turns_is_a_loss() -> None:
    messages, lost = _write(
        HI, _assistant(Thinking("hm", "sig"), RedactedThinking("x"), Text("yes")), HI
    )
    assert messages[1] == {"role": "assistant", "content": "yes"}
    assert lost == ("thinking",)


def test_hosts_that_want_their_reasoning_back_get_it() -> None:
    messages, lost = _write(
        HI, _assistant(Thinking("hm"), Text("yes")), HI, quirks=(Quirk.REASONING_BACK,)
    )
    assert messages[1] == {"role": "assistant", "content": "yes", "reasoning_content": "hm"}
    assert lost == ()


def test_an_assistant_turn_of_which_nothing_is_left_is_left_out() -> None:
    messages, _ = _write(HI, _assistant(Thinking("hm", "sig")), HI)
    assert messages == [{"role": "user", "content": "hi"}] * 2


def test_text_cut_by_citations_is_joined_without_a_gap() -> None:
    messages, lost = _write(HI, _assistant(Text("The sky"), Text(" is blue", citations=({},))), HI)
    assert messages[1] == {"role": "assistant", "content": "The sky is blue"}
    assert lost == ("citations",)


def test_server_tools_of_earlier_turns_are_a_loss_and_their_text_stays() -> None:
    use = Opaque(Dialect.ANTHROPIC, "server_tool_use", {"type": "server_tool_use"})
    result = Opaque(Dialect.ANTHROPIC, "web_search_tool_result", {})
    messages, lost = _write(HI, _assistant(use, result, Text("found it")), HI)
    assert messages[1] == {"role": "assistant", "content": "found it"}
    assert lost == ("server_tool_use", "web_search_tool_result")


@pytest.mark.parametrize(
    "turn",
    [
        _user(Opaque(Dialect.ANTHROPIC, "hologram", {})),
        _assistant(Opaque(Dialect.ANTHROPIC, "compaction", {})),
        _assistant(PIXEL),
        Turn(Role.SYSTEM, (PIXEL,)),
    ],
)
def test_what_has_no_place_is_refused(turn: Turn) -> None:
    with pytest.raises(Untranslatable):
        _write(HI, turn)


@pytest.mark.parametrize(
    "turns",
    [(), (_user(),), (_user(Text("")),), (_assistant(Text("hi")),), (Turn(Role.SYSTEM, ()),)],
)
def test_a_conversation_without_user_or_system_text_is_refused(turns: tuple[Turn, ...]) -> None:
    with pytest.raises(Untranslatable, match="Nothing is left"):
        _write(*turns)


def test_system_and_developer_text_keep_place_and_role() -> None:
    turns = (
        Turn(Role.SYSTEM, (Text("one"), Text("two"))),
        HI,
        Turn(Role.DEVELOPER, (Text("three"),)),
        HI,
    )
    messages, lost = _write(*turns)
    assert messages[0] == {
        "role": "system",
        "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
    }
    assert messages[2] == {"role": "developer", "content": "three"}
    assert lost == ()
    assert _write(*turns, quirks=(Quirk.NO_DEVELOPER_ROLE,))[0][2] == {
        "role": "system",
        "content": "three",
    }


def test_hosts_with_one_system_message_get_all_rules_first() -> None:
    messages, lost = _write(
        Turn(Role.SYSTEM, (Text("one"),)),
        HI,
        Turn(Role.SYSTEM, (Text("two"),)),
        HI,
        quirks=(Quirk.SYSTEM_FIRST_ONLY, Quirk.ALTERNATING_ROLES, Quirk.STRING_CONTENT_ONLY),
    )
    assert messages == [
        {"role": "system", "content": "one\n\ntwo"},
        {"role": "user", "content": "hi\n\nhi"},
    ]
    assert lost == ("system.position",)


def test_rules_that_stand_first_already_have_not_moved() -> None:
    turns = (Turn(Role.SYSTEM, (Text("one"),)), Turn(Role.SYSTEM, (Text("two"),)), HI)
    assert _write(*turns, quirks=(Quirk.SYSTEM_FIRST_ONLY,))[1] == ()
    assert _write(HI, quirks=(Quirk.SYSTEM_FIRST_ONLY,))[0] == [{"role": "user", "content": "hi"}]


def test_mistral_gets_its_ids_its_bridge_and_no_names() -> None:
    messages, lost = _write(
        Turn(Role.USER, (Text("hi"),), name="ann"),
        _assistant(ToolUse("toolu_01", "f", "{}")),
        _user(ToolResult("toolu_01", (Text("A"),)), Text("next")),
        quirks=(Quirk.SHORT_TOOL_IDS, Quirk.ASSISTANT_AFTER_TOOL, Quirk.KNOWN_FIELDS_ONLY),
    )
    call, tool = messages[1], messages[2]
    assert isinstance(call, dict)
    assert isinstance(tool, dict)
    assert isinstance(calls := call["tool_calls"], list)
    assert isinstance(first := calls[0], dict)
    assert first["id"] == tool["tool_call_id"]
    assert len(str(first["id"])) == 9
    assert messages[3:] == [
        {"role": "assistant", "content": BRIDGE},
        {"role": "user", "content": "next"},
    ]
    assert lost == ("name",)


def test_a_long_tool_name_is_shortened_and_can_be_given_back() -> None:
    losses = Losses(lenient=False)
    writer = MessageWriter(frozenset(), losses)
    name = "mcp__" + "long" * 30
    sent = writer.tool_name(name)
    assert len(sent) <= 64
    assert writer.renames == {sent: name}
    messages = writer.write([HI, _assistant(ToolUse("a", name, "")), HI])
    assert messages[1] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [_call("a", name=sent)],
    }


def test_refusals_audio_and_custom_calls_go_back_as_they_came() -> None:
    custom: JsonObject = {"id": "c", "type": "custom", "custom": {"name": "n", "input": "x"}}
    messages, _ = _write(
        HI,
        _assistant(
            Refusal("No."),
            Opaque(Dialect.OPENAI, "audio", {"id": "au"}),
            Opaque(Dialect.OPENAI, "custom tool call", custom),
        ),
        HI,
    )
    assert messages[1] == {
        "role": "assistant",
        "content": None,
        "refusal": "No.",
        "audio": {"id": "au"},
        "tool_calls": [custom],
    }


def test_a_mark_on_a_call_is_a_loss() -> None:
    assert _write(HI, _assistant(ToolUse("a", "f", "{}", MARK)), HI)[1] == ("cache_control",)
