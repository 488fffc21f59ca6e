"""Every text of a conversation is found, nothing else is, and others can take their places."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.jsontypes import Json
from tiergate.pipeline.guard_texts import (
    Fixed,
    Part,
    TokenPromptError,
    answer_parts,
    argument_parts,
    last_turn,
    request_parts,
    rewritten,
    shown,
    with_arguments,
)
from tiergate.ports.guarding import Place
from tiergate.wire.members import Members


def parts(**body: Json) -> list[Part]:
    return request_parts(Members.read(json.dumps(body).encode()))


def texts(found: list[Part]) -> list[tuple[str, Place]]:
    return [(part.passage.text, part.passage.place) for part in found if part.passage.text]


def user(content: Json) -> Json:
    return {"role": "user", "content": content}


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"q": ["a", "b"]}'}}
PLACES = [
    ([user("one")], [("one", Place.USER)]),
    ([user([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}])], [
        ("one", Place.USER), ("two", Place.USER)]),
    ([{"role": "system", "content": "be kind"}], [("be kind", Place.SYSTEM)]),
    ([{"role": "developer", "content": "be kind"}], [("be kind", Place.SYSTEM)]),
    ([{"role": "tool", "tool_call_id": "t", "content": "row"}], [("row", Place.TOOL_RESULT)]),
    ([{"role": "tool", "tool_call_id": "t", "content": [{"type": "text", "text": "row"}]}], [
        ("row", Place.TOOL_RESULT)]),
    ([{"role": "assistant", "content": None, "tool_calls": [CALL]}], [
        ("a", Place.TOOL_ARGUMENTS), ("b", Place.TOOL_ARGUMENTS)]),
    ([{"role": "assistant", "content": [
        {"type": "tool_use", "id": "t", "name": "f", "input": {"q": "a", "deep": {"n": 12345}}}]}],
     [("a", Place.TOOL_ARGUMENTS), ("12345", Place.TOOL_ARGUMENTS)]),
    ([user([{"type": "tool_result", "tool_use_id": "t", "content": "row"}])], [
        ("row", Place.TOOL_RESULT)]),
    ([user([{"type": "tool_result", "tool_use_id": "t", "content": [
        {"type": "text", "text": "row"}]}])], [("row", Place.TOOL_RESULT)]),
    ([user([{"type": "document", "title": "T", "source": {
        "type": "text", "media_type": "text/plain", "data": "paper"}}])], [
        ("T", Place.DOCUMENT), ("paper", Place.DOCUMENT)]),
    ([user([{"type": "document", "source": {"type": "base64", "media_type": "text/plain",
        "data": base64.b64encode(b"coded").decode()}}])], [("coded", Place.DOCUMENT)]),
    ([user([{"type": "file", "file": {"filename": "f.txt",
        "file_data": "data:text/plain;base64," + base64.b64encode(b"coded").decode()}}])],
     [("f.txt", Place.USER), ("coded", Place.DOCUMENT)]),
    ([user([{"type": "image", "source": {
        "type": "base64", "media_type": "image/png", "data": "AAAA"}}])], []),
    ([user([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}])], []),
    ([user([{"type": "image_url", "image_url": {"url": "http://x/?secret"}}])], [
        ("http://x/?secret", Place.USER)]),
    ([{"role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"}]}], [("hm", Place.REASONING)]),
    ([{"role": "assistant", "reasoning_content": "hm", "content": "yes"}], [
        ("hm", Place.REASONING), ("yes", Place.ASSISTANT)]),
    ([user([{"type": "new_block_of_tomorrow", "words": {"deep": ["said"]}}])], [
        ("said", Place.USER)]),
    ([{"role": "user", "name": "ann", "content": "x"}], [("ann", Place.USER), ("x", Place.USER)]),
]  # fmt: skip


@pytest.mark.parametrize(("messages", "found"), PLACES)
def test_texts_of_messages_are_found_with_their_place(messages: Json, found) -> None:
    assert texts(parts(messages=messages)) == found


def test_other_members_that_hold_texts_are_looked_at_too() -> None:
    found = texts(
        parts(system="s", prompt="p", suffix="u", input=["i", "j"], prediction={"content": "c"})
    )
    assert [text for text, _ in found] == ["s", "p", "u", "i", "j", "c"]
    assert texts(
        parts(system=[{"type": "text", "text": "b", "cache_control": {"type": "e"}}])
    ) == [("b", Place.SYSTEM)]


def test_definitions_of_tools_and_settings_are_no_text() -> None:
    found = parts(
        model="m",
        tools=[{"name": "f", "description": "SECRET"}],
        stop=["SECRET"],
        metadata={"a": "SECRET"},
        messages=[user("x")],
    )
    assert texts(found) == [("x", Place.USER)]


@pytest.mark.parametrize("body", [{"prompt": [1, 2]}, {"input": [[1], [2]]}, {"prompt": ["a", 1]}])
def test_token_numbers_are_told(body) -> None:
    with pytest.raises(TokenPromptError):
        parts(**body)


def test_a_tool_call_without_arguments_is_seen_by_its_name() -> None:
    call = {"type": "tool_use", "id": "t", "name": "danger", "input": {}}
    (part,) = parts(messages=[{"role": "assistant", "content": [call]}])
    assert (part.passage.tool, part.passage.text) == ("danger", "")
    assert part.passage.path == "messages[0].content[0].name"


def test_unusual_member_names_of_arguments_are_looked_at_and_cannot_be_changed() -> None:
    found = argument_parts('{"ann@example.com": "x", "q": "y"}', "f", ("arguments",))
    by_text = {part.passage.text: part.fixed for part in found}
    assert by_text == {"": Fixed.BLOCK, "ann@example.com": Fixed.BLOCK, "x": None, "y": None}


@pytest.mark.parametrize("text", ["not json", '"a string"', '{"broken'])
def test_arguments_that_are_no_object_are_one_text(text: str) -> None:
    found = argument_parts(text, "f", ("arguments",))
    assert [part.passage.text for part in found] == ["", text]


def test_signed_thoughts_stay_in_requests_and_block_in_answers() -> None:
    block = {"type": "thinking", "thinking": "hm", "signature": "s"}
    (asked,) = parts(messages=[{"role": "assistant", "content": [block]}])
    (told,) = answer_parts({"content": [block]})
    (unsigned,) = answer_parts({"content": [{"type": "thinking", "thinking": "hm"}]})
    assert (asked.fixed, told.fixed, unsigned.fixed) == (Fixed.LEAVE, Fixed.BLOCK, None)


def test_texts_of_answers_are_found_in_both_dialects() -> None:
    message = {"role": "assistant", "content": "a", "reasoning_content": "b", "tool_calls": [CALL]}
    answer = {"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    assert [text for text, _ in texts(answer_parts(answer))] == ["a", "b", "a", "b"]
    assert texts(answer_parts({"choices": [{"text": "t"}]})) == [("t", Place.ASSISTANT)]
    assert answer_parts("nothing") == []


def test_the_last_turn_is_the_assistants() -> None:
    said = {"role": "assistant", "content": "b"}
    found = parts(messages=[user("a"), said, user("c")])
    assert last_turn(found) == 1
    assert last_turn(parts(messages=[user("a")])) == -1


def test_places_are_shown_for_people() -> None:
    assert shown(("messages", 2, "content", 0, "text")) == "messages[2].content[0].text"


TREES = st.recursive(
    st.text(min_size=1, max_size=6) | st.integers() | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["q", "to", "list"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(TREES, TREES)
def test_every_text_can_be_replaced_and_nothing_else_changes(content, arguments) -> None:
    call = {"id": "c", "function": {"name": "f", "arguments": json.dumps({"a": arguments})}}
    use = {"type": "tool_use", "id": "t", "name": "g", "input": {"a": arguments}}
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": [{"type": "x", "text": content}]},
            {"role": "assistant", "tool_calls": [call], "content": [use]},
        ],
    }
    raw = json.dumps(body).encode()
    found = request_parts(Members.read(raw))
    new = {n: f"<{n}>" for n, part in enumerate(found) if part.fixed is None}
    out = rewritten(raw, found, new)
    again = request_parts(Members.read(out))
    assert [part.passage.text for part in again if part.fixed is None] == [*new.values()]
    assert json.loads(out)["model"] == "m"
    assert [part.path for part in again] == [part.path for part in found]


def test_arguments_are_written_with_their_own_escapes() -> None:
    out = with_arguments('{"a": "x",  "b": 1}', {("a",): 'say "hi"\n'})
    assert out == '{"a": "say \\"hi\\"\\n",  "b": 1}'
