"""Blocks that come one after the other."""

from __future__ import annotations

from tiergate.base.chat import (
    BlockEnded,
    CitationDelta,
    RedactedBlock,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStarted,
)
from tiergate.providers.openai.blocks import (
    BlockQueue,
    HiddenBlock,
    TextBlock,
    ThinkingBlock,
    ToolBlock,
)


def _tool(identity: str) -> ToolBlock:
    block = ToolBlock(identity)
    block.name = "f"
    return block


def test_a_second_call_waits_until_the_first_is_whole() -> None:
    queue = BlockQueue()
    one, two = _tool("a"), _tool("b")
    assert queue.add(one) == [ToolStarted(0, "a", "f")]
    assert queue.add(two) == []
    assert queue.fragment(two, '{"x":') == []
    assert queue.fragment(one, '{"y":') == [ToolDelta(0, '{"y":')]
    assert queue.fragment(two, "1}") == []
    assert queue.fragment(one, "2}") == [
        ToolDelta(0, "2}"),
        BlockEnded(0),
        ToolStarted(1, "b", "f"),
        ToolDelta(1, '{"x":1}'),
    ]
    assert queue.finish() == [BlockEnded(1)]


def test_text_ends_when_something_else_begins() -> None:
    queue = BlockQueue()
    text = TextBlock()
    assert queue.add(text) == []
    assert queue.text(text, "a") == [TextDelta(0, "a")]
    assert queue.add(_tool("a")) == [BlockEnded(0), ToolStarted(1, "a", "f")]
    assert queue.finish() == [ToolDelta(1, "{}"), BlockEnded(1)]


def test_text_after_an_unfinished_call_waits_for_it() -> None:
    queue = BlockQueue()
    call, text = _tool("a"), TextBlock()
    queue.add(call)
    queue.fragment(call, "{")
    queue.add(text)
    assert queue.text(text, "later") == []
    assert queue.cite(text, "c") == []
    assert queue.fragment(call, "}") == [
        ToolDelta(0, "}"),
        BlockEnded(0),
        TextDelta(1, "later"),
        CitationDelta(1, "c"),
    ]


def test_thinking_that_waits_keeps_its_signature() -> None:
    queue = BlockQueue()
    call, thought = _tool("a"), ThinkingBlock()
    queue.add(call)
    queue.add(thought)
    assert queue.text(thought, "hm") == []
    assert queue.sign(thought, "sig") == []
    assert thought.signed
    assert queue.add(HiddenBlock("x")) == []
    assert queue.finish() == [
        ToolDelta(0, "{}"),
        BlockEnded(0),
        ThinkingDelta(1, "hm"),
        SignatureDelta(1, "sig"),
        BlockEnded(1),
        RedactedBlock(2, "x"),
        BlockEnded(2),
    ]


def test_a_call_that_never_gets_a_name_is_left_out_and_counted() -> None:
    queue = BlockQueue()
    nameless = ToolBlock("a")
    assert queue.add(nameless) == []
    assert queue.fragment(nameless, "{}") == []
    assert queue.add(_tool("b")) == []
    assert queue.finish() == [ToolStarted(0, "b", "f"), ToolDelta(0, "{}"), BlockEnded(0)]
    assert queue.nameless == 1


def test_half_an_object_that_ends_in_a_brace_is_not_whole() -> None:
    block = _tool("a")
    block.arguments.append('{"a":{}')
    assert not block.complete()
    block.arguments.append("} ")
    assert block.complete()
