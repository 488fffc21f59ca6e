"""The last user text of a chat, and what is left without it."""

from __future__ import annotations

import json

import pytest

from support.cached import CacheStage
from support.engine import served_by
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect
from tiergate.core.meaning import Shape
from tiergate.pipeline.last_text import MOST_BYTES, LastText, last_text
from tiergate.ports import Inbound

USER: JsonObject = {"role": "user", "content": "Why?"}


async def inbound(body: JsonObject) -> Inbound:
    stage = CacheStage((served_by("cheap", "a", Dialect.OPENAI),))
    return stage.question({"model": "cheap", **body}, Dialect.OPENAI)[0]


async def apart(*messages: JsonObject, **more: object) -> LastText:
    found = last_text(await inbound({"messages": list(messages), **more}))  # pyright: ignore[reportArgumentType]
    assert found is not None
    return found


async def test_a_plain_text_is_taken_out():
    found = await apart({"role": "system", "content": "S"}, USER)
    assert found.shape == Shape("Why?", 1, tools=False)
    assert json.loads(found.rest) == [
        {"role": "system", "content": "S"},
        {"role": "user", "content": None},
    ]


async def test_of_several_parts_the_last_text_is_taken_and_pictures_stay():
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    parts = [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}, picture]
    found = await apart({"role": "user", "content": parts})
    assert found.shape.text == "B"
    assert json.loads(found.rest)[0]["content"] == [parts[0], {**parts[1], "text": None}, picture]


async def test_two_questions_leave_the_same_rest():
    one = await apart({"role": "user", "content": "Why?"})
    other = await apart({"role": "user", "content": "How come?"})
    assert one.rest == other.rest


@pytest.mark.parametrize(
    "last",
    [
        {"role": "assistant", "content": "Because"},
        {"role": "user", "content": []},
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "https://e.example/a.png"}}],
        },
    ],
)
async def test_what_does_not_end_with_a_users_text_has_none(last):
    assert (await apart(USER, last)).shape.text == ""


async def test_user_turns_are_counted():
    answer: JsonObject = {"role": "assistant", "content": "So."}
    assert (await apart(USER, answer, USER)).shape.turns == 2


@pytest.mark.parametrize(
    ("messages", "more"),
    [
        ([USER], {"tools": [{"type": "function", "function": {"name": "f"}}]}),
        ([USER], {"functions": [{"name": "f"}]}),
        ([USER, {"role": "tool", "tool_call_id": "1", "content": "x"}, USER], {}),
        ([USER, {"role": "assistant", "tool_calls": [{"id": "1"}]}, USER], {}),
        ([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1"}]}], {}),
    ],
)
async def test_tools_are_seen_wherever_they_are(messages, more):
    assert (await apart(*messages, **more)).shape.tools


async def test_an_empty_list_of_tools_is_no_tool():
    assert not (await apart(USER, tools=[])).shape.tools


async def test_a_long_conversation_is_not_decoded():
    long: JsonObject = {"role": "user", "content": "x" * MOST_BYTES}
    assert last_text(await inbound({"messages": [long]})) is None
