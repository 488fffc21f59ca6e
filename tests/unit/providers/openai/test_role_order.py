"""The order of roles that stricter hosts demand."""

from __future__ import annotations

from tiergate.base.jsontypes import JsonObject
from tiergate.providers.openai.role_order import BRIDGE, bridged, merged


def test_an_assistant_message_stands_between_tool_and_user() -> None:
    messages: list[JsonObject] = [
        {"role": "tool", "tool_call_id": "a", "content": "x"},
        {"role": "tool", "tool_call_id": "b", "content": "y"},
        {"role": "user", "content": "next"},
    ]
    assert bridged(messages) == [
        *messages[:2],
        {"role": "assistant", "content": BRIDGE},
        messages[2],
    ]


def test_nothing_is_bridged_where_the_assistant_answered() -> None:
    messages: list[JsonObject] = [
        {"role": "tool", "tool_call_id": "a", "content": "x"},
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": "next"},
    ]
    assert bridged(messages) == messages


def test_neighbours_of_one_role_become_one_message() -> None:
    part: JsonObject = {"type": "image_url", "image_url": {"url": "u"}}
    assert merged(
        [
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "user", "content": [part]},
            {"role": "assistant", "content": "c"},
        ]
    ) == [
        {"role": "user", "content": [{"type": "text", "text": "a\n\nb"}, part]},
        {"role": "assistant", "content": "c"},
    ]


def test_messages_with_calls_or_other_roles_are_not_merged() -> None:
    messages: list[JsonObject] = [
        {"role": "system", "content": "a"},
        {"role": "system", "content": "b"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "assistant", "content": "c"},
    ]
    assert merged(messages) == messages
