"""Marked prefixes are written once and read afterwards, as Anthropic's prompt cache does."""

from __future__ import annotations

from tiergate.base.jsontypes import JsonObject
from tiergate.mock.call import Call, Dialect
from tiergate.mock.prompt_cache import CacheUse, breakpoints, use_of
from tiergate.mock.rules import Endpoint

MARK: JsonObject = {"type": "ephemeral"}


def call(body: JsonObject, model: str = "m", dialect: Dialect = Dialect.ANTHROPIC) -> Call:
    return Call(1, 0, Endpoint.MESSAGES, dialect, model, body)


def body(question: str, system: str = "s" * 400) -> JsonObject:
    return {
        "system": [{"type": "text", "text": system, "cache_control": MARK}],
        "messages": [{"role": "user", "content": question}],
    }


def test_a_prompt_without_marks_uses_no_cache() -> None:
    assert breakpoints(call({"messages": [{"role": "user", "content": "x"}]})) == ()
    assert use_of((), {"any"}) == CacheUse()


def test_a_first_call_writes_and_the_next_reads() -> None:
    marks = breakpoints(call(body("first")))
    assert use_of(marks, set()) == CacheUse(write=marks[0].tokens)
    again = breakpoints(call(body("second")))
    assert again == marks
    assert use_of(again, {marks[0].digest}) == CacheUse(read=marks[0].tokens)
    assert marks[0].tokens >= 100


def test_what_follows_a_known_prefix_is_written() -> None:
    first = breakpoints(call(body("q")))
    longer = body("q")
    longer["messages"] = [
        {"role": "user", "content": [{"type": "text", "text": "q" * 80, "cache_control": MARK}]}
    ]
    both = breakpoints(call(longer))
    assert len(both) == 2
    assert both[0] == first[0]
    use = use_of(both, {first[0].digest})
    assert (use.read, use.read + use.write) == (first[0].tokens, both[1].tokens)


def test_a_changed_prefix_or_model_is_not_known() -> None:
    known = {breakpoints(call(body("q")))[0].digest}
    assert use_of(breakpoints(call(body("q", "t" * 400))), known).read == 0
    assert use_of(breakpoints(call(body("q"), "other")), known).read == 0


def test_moving_the_mark_does_not_change_the_prefix() -> None:
    """The mark itself is no part of the prompt, so an earlier prefix is still found."""
    text: JsonObject = {"type": "text", "text": "a" * 40}
    one: JsonObject = {"system": [{**text, "cache_control": MARK}], "messages": []}
    two: JsonObject = {
        "system": [text, {"type": "text", "text": "b", "cache_control": MARK}],
        "messages": [],
    }
    two_marked: JsonObject = {**two, "system": [{**text, "cache_control": MARK}, {"type": "text"}]}
    assert breakpoints(call(one))[0] == breakpoints(call(two_marked))[0]
    assert breakpoints(call(two))[0].digest != breakpoints(call(one))[0].digest


def test_an_hour_long_mark_is_counted_apart() -> None:
    hour = body("q")
    hour["system"] = [{"type": "text", "text": "s" * 40, "cache_control": {**MARK, "ttl": "1h"}}]
    marks = breakpoints(call(hour))
    assert use_of(marks, set()) == CacheUse(write_1h=marks[0].tokens)


def test_a_mark_on_the_request_stands_for_its_end() -> None:
    whole: JsonObject = {
        "messages": [{"role": "user", "content": "x" * 40}],
        "cache_control": MARK,
    }
    assert len(breakpoints(call(whole))) == 1


def test_tools_come_before_the_system_text() -> None:
    tools: JsonObject = {**body("q"), "tools": [{"name": "t", "cache_control": MARK}]}
    assert len(breakpoints(call(tools))) == 2
    assert breakpoints(call(tools))[0].tokens < breakpoints(call(tools))[1].tokens


def test_the_other_dialect_has_no_marks() -> None:
    assert breakpoints(call(body("q"), dialect=Dialect.OPENAI)) == ()
