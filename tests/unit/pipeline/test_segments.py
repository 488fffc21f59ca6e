"""Prompts are hashed part by part, and what a provider's cache does not mind changes no hash."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from support.turns import SHORT, chatting, coding, looking, marked
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.pipeline import segments
from tiergate.pipeline.segments import Segments, in_one_form, system_blocks
from tiergate.wire.members import Members

A, O = Dialect.ANTHROPIC, Dialect.OPENAI  # noqa: E741 - two dialects


def members(body: JsonObject, **form: object) -> Members:
    return Members.read(json.dumps(body, **form).encode())  # pyright: ignore[reportArgumentType]


def read(body: JsonObject, dialect: Dialect = A, **form: object):
    found = Segments().read(members(body, **form), dialect)
    assert found is not None
    return found


def test_every_part_has_a_hash() -> None:
    found = read(coding(3)[-1])
    assert (len(found.tools), len(found.system), len(found.messages)) == (5, 1, 5)
    assert len({*found.tools, *found.system, *found.messages}) == 11


def test_in_openais_dialect_the_system_prompt_is_what_the_developer_begins_with() -> None:
    found = read(chatting(3)[-1], O)
    assert (len(found.tools), len(found.system), len(found.messages)) == (5, 1, 5)


@pytest.mark.parametrize("form", [{}, {"indent": 2}, {"separators": (",", ":")}])
def test_marks_that_move_and_spaces_change_no_hash(form: dict[str, object]) -> None:
    turns = coding(4)
    reader = Segments()
    for plain, with_marks in zip(turns, marked(turns), strict=True):
        one = reader.read(members(plain), A)
        assert one is not None
        assert one == reader.read(members(with_marks, **form), A)


def test_a_turn_begins_with_the_hashes_of_the_one_before() -> None:
    reader = Segments()
    for turns, dialect in ((marked(coding(5)), A), (looking(5), A), (chatting(5), O)):
        found = [reader.read(members(turn), dialect) for turn in turns]
        for before, after in pairwise(found):
            assert before is not None
            assert after is not None
            assert (before.tools, before.system) == (after.tools, after.system)
            assert after.messages[: len(before.messages)] == before.messages


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("rules", [{"type": "text", "text": "rules"}]),
        ("rules", [{"type": "text", "text": "rules", "cache_control": SHORT}]),
    ],
)
def test_a_system_text_and_its_block_say_the_same(one: Json, same: Json) -> None:
    assert read({"system": one}) == read({"system": same})


def test_a_changed_word_changes_its_own_hash_only() -> None:
    body = coding(3)[-1]
    other = json.loads(json.dumps(body).replace("module 1", "module 7"))
    one, two = read(body), read(other)
    differing = [
        at for at, (x, y) in enumerate(zip(one.messages, two.messages, strict=True)) if x != y
    ]
    assert (one.tools, one.system, differing) == (two.tools, two.system, [3])


@pytest.mark.parametrize(
    "body",
    [
        {"messages": 5},
        {"messages": [], "tools": "x"},
        {"messages": [], "system": [], "tools": {"a": 1}},
    ],
)
def test_another_form_is_not_looked_at(body: JsonObject) -> None:
    assert Segments().read(members(body), A) is None


def test_missing_parts_are_empty() -> None:
    assert read({"tools": None}, O) == segments.Prompt((), (), ())


def test_large_requests_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_BYTES", 100)
    assert Segments().read(members(coding(1)[0]), A) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_SEGMENTS", 10)
    reader = Segments()
    first = reader.read(members(coding(1)[0]), A)
    for number in range(50):
        reader.read(members({"messages": [{"role": "user", "content": str(number)}]}), A)
    assert len(reader._now) <= 10
    assert len(reader._older) <= 10
    assert reader.read(members(coding(1)[0]), A) == first


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ({"type": "text", "text": "x", "cache_control": SHORT}, "x"),
        (
            {"role": "user", "content": [{"type": "text", "text": "x"}]},
            {"role": "user", "content": "x"},
        ),
        (
            {
                "type": "tool_result",
                "content": [{"type": "text", "text": "x", "cache_control": SHORT}],
            },
            {"type": "tool_result", "content": "x"},
        ),
        (
            {"type": "function", "function": {"name": "f", "cache_control": SHORT}},
            {"type": "function", "function": {"name": "f"}},
        ),
        ({"type": "text", "text": "x", "citations": [1]}, None),
        ("plain", "plain"),
    ],
)
def test_segments_are_put_into_one_form(text: Json, form: Json) -> None:
    expected = text if form is None else form
    assert json.loads(in_one_form(json.dumps(text, indent=1).encode())) == expected


def test_system_blocks_are_found_again_for_their_texts() -> None:
    body: JsonObject = {"system": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    assert [json.loads(each)["text"] for each in system_blocks(members(body), A)] == ["a", "b"]
    assert system_blocks(members({"system": "a"}), A) == [b'"a"']
    found = system_blocks(members(chatting(1)[0]), O)
    assert [json.loads(each)["role"] for each in found] == ["system"]
