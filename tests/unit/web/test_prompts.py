"""Prompts of both dialects weigh the same where they say the same, and messages get roles."""

from __future__ import annotations

import pytest

from tiergate.base.values import Dialect, Operation
from tiergate.core.turns import Role
from tiergate.pricing import count_messages
from tiergate.web.prompts import countable, role_of

TEXT = "Which of these files has the fault that the tests found?"


def count(body, dialect=Dialect.OPENAI, operation=Operation.CHAT) -> int:
    return count_messages(countable(body, dialect, operation), "gpt-4o")


def test_a_messages_request_is_counted_as_it_is():
    body = {"system": "s", "messages": [{"role": "user", "content": "hi"}]}
    assert countable(body, Dialect.ANTHROPIC, Operation.CHAT) is body


def test_the_same_words_weigh_the_same_in_both_dialects():
    messages = [{"role": "user", "content": TEXT}, {"role": "assistant", "content": TEXT}]
    assert count({"messages": messages}) == count({"messages": messages}, Dialect.ANTHROPIC)


@pytest.mark.parametrize(
    "more",
    [
        {"content": [{"type": "text", "text": TEXT}, {"type": "text", "text": TEXT}]},
        {"content": None, "refusal": TEXT},
        {"content": None, "tool_calls": [{"function": {"name": "f", "arguments": TEXT}}]},
        {"content": None, "function_call": {"name": "f", "arguments": TEXT}},
        {"content": [{"type": "image_url", "image_url": {"url": "data:"}}]},
        {"content": [{"type": "file", "file": {"file_id": "x"}}]},
        {"content": [{"type": "input_audio", "input_audio": {"data": ""}}]},
    ],
)
def test_every_part_of_a_message_weighs_something(more):
    empty = count({"messages": [{"role": "user", "content": ""}]})
    assert count({"messages": [{"role": "user", **more}]}) > empty + 9


@pytest.mark.parametrize("name", ["tools", "functions"])
def test_tools_weigh_something(name):
    body = {"messages": [], name: [{"name": "look", "description": TEXT}]}
    assert count(body) > count({"messages": []}) + 10


@pytest.mark.parametrize(
    ("operation", "name"), [(Operation.COMPLETION, "prompt"), (Operation.EMBEDDING, "input")]
)
def test_texts_and_lists_of_texts_are_counted(operation, name):
    one = count({name: TEXT}, operation=operation)
    assert one > 10
    assert count({name: [TEXT, TEXT]}, operation=operation) > 1.5 * one
    assert count({name: list(range(100))}, operation=operation) > 90
    assert count({name: [list(range(100))]}, operation=operation) > 90


@pytest.mark.parametrize("messages", [None, "text", 5, [None], ["text"], [[]]])
def test_what_is_no_conversation_is_counted_as_nothing(messages):
    assert count({"messages": messages}) <= 21


RESULT = [{"type": "text", "text": "look"}, {"type": "tool_result", "tool_use_id": "t"}]


@pytest.mark.parametrize(
    ("message", "openai", "anthropic"),
    [
        ({"role": "user", "content": "x"}, Role.USER, Role.USER),
        ({"role": "user", "content": RESULT}, Role.USER, Role.RESULT),
        ({"role": "user", "content": [None]}, Role.USER, Role.USER),
        ({"role": "assistant"}, Role.ANSWER, Role.ANSWER),
        ({"role": "tool"}, Role.RESULT, Role.RESULT),
        ({"role": "function"}, Role.RESULT, Role.RESULT),
        ({"role": "system"}, Role.INSTRUCTION, Role.INSTRUCTION),
        ({"role": "developer"}, Role.INSTRUCTION, Role.INSTRUCTION),
        ({}, Role.INSTRUCTION, Role.INSTRUCTION),
        ("text", Role.INSTRUCTION, Role.INSTRUCTION),
    ],
)
def test_messages_have_their_roles(message, openai, anthropic):
    assert role_of(message, Dialect.OPENAI) is openai
    assert role_of(message, Dialect.ANTHROPIC) is anthropic
