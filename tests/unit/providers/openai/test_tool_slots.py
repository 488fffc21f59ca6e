"""Which call a fragment belongs to."""

from __future__ import annotations

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.providers.openai.blocks import ToolBlock
from tiergate.providers.openai.tool_slots import ToolSlots


class _Stream:
    """Feeds fragments as the decoder does."""

    def __init__(self) -> None:
        self.slots = ToolSlots()
        self.blocks: list[ToolBlock] = []

    def send(self, name: str = "", arguments: str = "", **call: Json) -> ToolBlock:
        raw: JsonObject = dict(call)
        block, begins = self.slots.find(raw, name, "chatcmpl-1")
        if begins:
            self.blocks.append(block)
        if name and not block.name:
            block.name = name
        if arguments:
            block.arguments.append(arguments)
        return block


def test_indexes_tell_calls_apart() -> None:
    stream = _Stream()
    one = stream.send("f", index=0, id="a")
    two = stream.send("g", index=1, id="b")
    assert stream.send(index=0, arguments="{") is one
    assert stream.send(index=1, arguments="{") is two
    assert [block.id for block in stream.blocks] == ["a", "b"]


def test_a_new_id_with_a_name_is_a_new_call_whatever_the_index() -> None:
    for index in (0, None):
        stream = _Stream()
        one = stream.send("f", index=index, id="a")
        assert stream.send(index=index, arguments="{}") is one
        two = stream.send("g", index=index, id="b")
        assert two is not one
        assert stream.send(index=index, arguments="{}") is two


def test_an_id_with_each_fragment_is_one_call() -> None:
    stream = _Stream()
    one = stream.send("f", index=0, id="a")
    assert stream.send("f", '{"x":', index=0, id="a") is one
    assert stream.send("f", "1}", id="a") is one
    assert len(stream.blocks) == 1


def test_a_new_id_without_a_name_continues_the_call() -> None:
    stream = _Stream()
    one = stream.send("f", index=0, id="a")
    assert stream.send(index=0, id="b", arguments="{}") is one


def test_calls_without_id_and_index_begin_with_their_name() -> None:
    stream = _Stream()
    one = stream.send("f", '{"x":1}')
    two = stream.send("f", '{"x":2}')
    three = stream.send("g")
    assert len({id(block) for block in (one, two, three)}) == 3
    assert [block.id for block in stream.blocks] == [
        "call_chatcmpl1_0",
        "call_chatcmpl1_1",
        "call_chatcmpl1_2",
    ]


def test_a_name_that_comes_late_belongs_to_its_call() -> None:
    stream = _Stream()
    one = stream.send(index=0, id="a")
    assert stream.send("f", index=0) is one
    assert one.name == "f"


def test_two_calls_with_one_id_get_different_ids() -> None:
    stream = _Stream()
    one = stream.send("f", index=0, id="same")
    two = stream.send("g", index=1, id="same")
    assert one is not two
    assert one.id != two.id


def test_a_name_again_with_whole_arguments_before_it_is_a_new_call() -> None:
    stream = _Stream()
    one = stream.send("f", "{}", index=0)
    assert stream.send("f", "{}", index=0) is not one
    half = stream.send("g", "{", index=1)
    assert stream.send("g", "}", index=1) is half
