"""Turns as `system` and alternating messages."""

from __future__ import annotations

import json

import msgspec
import pytest

from tiergate.base.chat import (
    Ask,
    Audio,
    CacheMark,
    Image,
    Link,
    Role,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)
from tiergate.base.errors import Untranslatable
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.messages import OPENING, Conversation, MessageWriter
from tiergate.providers.anthropic.parts import PartWriter
from tiergate.providers.losses import Losses

S, D, U, A = Role.SYSTEM, Role.DEVELOPER, Role.USER, Role.ASSISTANT


def write(
    *turns: Turn, dialect=Dialect.OPENAI, prefill=True
) -> tuple[Conversation, tuple[str, ...]]:
    losses = Losses(lenient=False)
    ask = Ask(dialect=dialect, model="x", turns=turns)
    writer = MessageWriter(ask, PartWriter(dialect, losses), losses, prefill=prefill)
    return writer.write(), losses.words


def said(conversation: Conversation):
    return json.loads(msgspec.json.encode(conversation.messages))


def say(role: Role, *texts: str) -> Turn:
    return Turn(role, tuple(Text(text) for text in texts))


def call(*ids: str) -> Turn:
    return Turn(A, tuple(ToolUse(i, "look", "{}") for i in ids))


def result(name: str, *more) -> Turn:
    return Turn(U, (ToolResult(name, (Text(f"r-{name}"),)), *more))


def test_neighbouring_turns_of_one_speaker_become_one_message():
    conversation, losses = write(say(U, "a"), say(U, "b"), say(A, "c"), say(A, "d"), say(U, "e"))

    assert said(conversation) == [
        {"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]},
        {"role": "assistant", "content": [{"type": "text", "text": t} for t in "cd"]},
        {"role": "user", "content": "e"},
    ]
    assert losses == ()


def test_tool_results_stand_first_in_the_message_after_the_calls():
    conversation, _ = write(
        say(U, "go"),
        call("t1", "t2", "t3"),
        result("t2"),
        say(U, "meanwhile"),
        result("t1"),
        result("t3", Text("compare")),
    )

    blocks = said(conversation)[2]["content"]

    assert [b.get("tool_use_id") for b in blocks] == ["t2", "t1", "t3", None, None]
    assert [b["text"] for b in blocks[3:]] == ["meanwhile", "compare"]


def test_instructions_anywhere_go_to_system_in_their_order_and_one_block_each():
    mark = CacheMark({"type": "ephemeral"})
    conversation, losses = write(
        Turn(S, (Text("one", cache=mark), Text("two"))),
        say(D, "three"),
        say(U, "hi"),
        say(S, "four"),
        say(U, "ho"),
    )

    assert [block["text"] for block in conversation.system] == ["one", "two", "three", "four"]
    assert conversation.system[0]["cache_control"] == {"type": "ephemeral"}
    assert [m["role"] for m in said(conversation)] == ["user"]
    assert losses == ()


def test_instructions_between_calls_and_results_do_not_part_them():
    conversation, _ = write(say(U, "go"), call("t1"), say(S, "careful"), result("t1"))

    assert [m["role"] for m in said(conversation)] == ["user", "assistant", "user"]
    assert said(conversation)[2]["content"][0]["type"] == "tool_result"


def test_an_anthropic_conversation_keeps_system_messages_in_their_places():
    conversation, _ = write(
        say(S, "first"), say(U, "a"), say(A, "b"), say(S, "now"), say(U, "c"),
        dialect=Dialect.ANTHROPIC,
    )  # fmt: skip

    assert [block["text"] for block in conversation.system] == ["first"]
    assert [m["role"] for m in said(conversation)] == ["user", "assistant", "system", "user"]


def test_blank_texts_are_left_out_and_the_alternation_stays():
    conversation, _ = write(say(S, "", " "), say(U, "", "first"), say(A, "  \n"), say(U, "second"))

    assert conversation.system == []
    assert said(conversation) == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "first"}, {"type": "text", "text": "second"}],
        }
    ]


@pytest.mark.parametrize(
    "turns",
    [(), (say(U, ""),), (say(U, " "), say(A, "")), (say(S, ""),), (Turn(A, (Thinking("hm"),)),)],
)
def test_a_conversation_without_any_words_is_refused(turns):
    with pytest.raises(Untranslatable, match="No message is left to send"):
        write(*turns)


def test_instructions_alone_are_asked_by_the_user():
    conversation, losses = write(say(S, "You are a poet."), say(S, "Write one line."))

    assert [block["text"] for block in conversation.system] == ["You are a poet."]
    assert said(conversation) == [{"role": "user", "content": "Write one line."}]
    assert losses == ("system.role",)


def test_a_greeting_of_the_assistant_gets_a_user_turn_before_it():
    conversation, losses = write(say(A, "Hello, how can I help?"), say(U, "hi"))

    assert [m["role"] for m in said(conversation)] == ["user", "assistant", "user"]
    assert said(conversation)[0]["content"] == OPENING
    assert losses == ("messages.first",)


def test_a_last_assistant_message_is_continued_where_the_model_can():
    conversation, _ = write(say(U, "count"), say(A, "one, two, "))

    assert conversation.prefilled
    assert said(conversation)[-1] == {"role": "assistant", "content": "one, two,"}


def test_a_last_assistant_message_is_refused_where_the_model_cannot():
    with pytest.raises(Untranslatable, match="End with a user message"):
        write(say(U, "count"), say(A, "one"), prefill=False)


def test_no_assistant_turn_is_ever_added():
    conversation, _ = write(say(U, "a"), call("t1"), result("t1"))

    assert [m["role"] for m in said(conversation)] == ["user", "assistant", "user"]
    assert not conversation.prefilled


@pytest.mark.parametrize(
    ("turns", "unsigned"),
    [
        ((say(U, "a"), call("t1"), result("t1")), True),
        (
            (
                say(U, "a"),
                Turn(A, (Thinking("hm", "sig"), ToolUse("t1", "look", "{}"))),
                result("t1"),
            ),
            False,
        ),
        ((say(U, "a"), call("t1"), result("t1"), say(A, "done"), say(U, "b")), False),
        ((say(U, "a"),), False),
    ],
)
def test_a_tool_loop_without_signed_thinking_is_noticed(turns, unsigned):
    assert write(*turns)[0].unsigned_loop is unsigned


def test_tools_that_the_history_calls_are_named_once_each():
    turns = (say(U, "a"), call("t1", "t2"), result("t1"), result("t2"))

    assert write(*turns)[0].called == ("look",)


def test_the_name_of_a_participant_is_a_loss():
    _, losses = write(Turn(U, (Text("hi"),), name="Ann"))

    assert losses == ("messages.name",)


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (Turn(S, (Image(Link("https://a.example/i")),)), "image stands in a system message"),
        (Turn(D, (Audio("AA", "wav"),)), "not text stands in a developer message"),
        (Turn(A, (Image(Link("https://a.example/i")),)), "image stands in a message of the assis"),
        (Turn(U, (ToolUse("t", "n", "{}"),)), "tool call stands in a message of the user"),
        (Turn(U, (Audio("AA", "wav"),)), "input_audio"),
    ],
)
def test_what_a_speaker_cannot_say_is_refused_by_name(turn, words):
    with pytest.raises(Untranslatable, match=words):
        write(say(U, "hi"), turn)
