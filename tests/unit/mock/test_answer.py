"""Scripted replies are filled in from the request: text, tools, ending, counts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.answer import Counts, Ending, compose, make_id, pieces_of
from tiergate.mock.call import Call, Dialect, tokens_of
from tiergate.mock.prompt_cache import CacheUse
from tiergate.mock.rules import Endpoint, Finish, Reply, ToolCall, Usage

TOOLS: list[Json] = [
    {
        "name": "look_up",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    }
]


def ask(question: str = "hello", dialect: Dialect = Dialect.OPENAI, **fields: Json) -> Call:
    body: JsonObject = {"messages": [{"role": "user", "content": question}], **fields}
    endpoint = Endpoint.CHAT if dialect is Dialect.OPENAI else Endpoint.MESSAGES
    return Call(3, 0, endpoint, dialect, "m-1", body)


def test_the_default_text_names_provider_model_and_question() -> None:
    answer = compose(ask("w" * 50), Reply(), CacheUse())
    assert answer.text == f'Scripted OpenAI provider, model m-1, answering: "{"w" * 40}…"'
    anthropic = compose(ask("short", Dialect.ANTHROPIC), Reply(), CacheUse())
    assert anthropic.text == 'Scripted Anthropic provider, model m-1, answering: "short"'
    assert anthropic.ending is Ending.DONE


def test_the_same_call_gets_the_same_answer() -> None:
    assert compose(ask(), Reply(), CacheUse()) == compose(ask(), Reply(), CacheUse())


def test_the_default_text_keeps_within_the_callers_limit() -> None:
    answer = compose(ask(max_tokens=3), Reply(), CacheUse())
    assert (answer.text, answer.ending) == ("Scripted Ope", Ending.LENGTH)
    assert answer.counts.output == 3


def test_a_scripted_text_is_said_in_full() -> None:
    answer = compose(ask(max_tokens=1), Reply(text="as the script says"), CacheUse())
    assert (answer.text, answer.ending) == ("as the script says", Ending.DONE)


def test_scripted_tools_are_called_in_order_with_their_own_ids() -> None:
    tools = (ToolCall("a", {"x": 1}), ToolCall("b", '{"broken', id="mine"))
    answer = compose(ask(), Reply(tool_calls=tools), CacheUse())
    assert [(tool.name, tool.arguments) for tool in answer.tools] == [
        ("a", '{"x":1}'),
        ("b", '{"broken'),
    ]
    assert answer.tools[0].id.startswith("call_")
    assert answer.tools[1].id == "mine"
    assert (answer.text, answer.ending) == ("", Ending.TOOL)


def test_the_first_tool_of_the_request_is_called_by_its_schema() -> None:
    answer = compose(
        ask(dialect=Dialect.ANTHROPIC, tools=TOOLS), Reply(call_tool=True), CacheUse()
    )
    assert json.loads(answer.tools[0].arguments) == {"city": "sample"}
    assert answer.tools[0].id.startswith("toolu_")


def test_a_tool_without_a_schema_is_called_without_arguments() -> None:
    answer = compose(ask(tools=[{"name": "t"}]), Reply(call_tool=True), CacheUse())
    assert answer.tools[0].arguments == "{}"


def test_no_tool_is_called_twice_in_a_row() -> None:
    messages: list[Json] = [{"role": "user", "content": "go"}, {"role": "tool", "content": "42"}]
    call = Call(1, 0, Endpoint.CHAT, Dialect.OPENAI, "m", {"messages": messages, "tools": TOOLS})
    answer = compose(call, Reply(call_tool=True), CacheUse())
    assert answer.tools == ()
    assert answer.text.endswith("the tool's result has arrived.")


def test_a_tool_cannot_be_called_where_none_is_offered() -> None:
    answer = compose(ask(), Reply(call_tool=True), CacheUse())
    assert answer.tools == ()
    assert "offers no tools" in answer.text


def test_structured_output_fits_the_schema() -> None:
    schema: JsonObject = {"type": "object", "properties": {"n": {"type": "integer"}}}
    wanted: JsonObject = {"type": "json_schema", "json_schema": {"schema": schema}}
    answer = compose(ask(response_format=wanted), Reply(), CacheUse())
    assert json.loads(answer.text) == {"n": 1}


def test_thinking_comes_when_it_is_switched_on() -> None:
    switched: JsonObject = {"type": "enabled", "budget_tokens": 1024}
    answer = compose(ask(dialect=Dialect.ANTHROPIC, thinking=switched), Reply(), CacheUse())
    assert answer.thinking
    assert answer.counts.reasoning == tokens_of(answer.thinking)
    assert compose(ask(dialect=Dialect.ANTHROPIC), Reply(), CacheUse()).thinking == ""
    assert compose(ask(), Reply(thinking="hm"), CacheUse()).thinking == "hm"


@pytest.mark.parametrize(
    ("finish", "ending"),
    [
        (Finish.STOP, Ending.DONE),
        (Finish.LENGTH, Ending.LENGTH),
        (Finish.MAX_TOKENS, Ending.LENGTH),
        (Finish.CONTENT_FILTER, Ending.REFUSED),
        (Finish.REFUSAL, Ending.REFUSED),
        (Finish.TOOL_CALLS, Ending.TOOL),
        (Finish.STOP_SEQUENCE, Ending.STOP_SEQUENCE),
        (Finish.PAUSE_TURN, Ending.PAUSED),
    ],
)
def test_the_words_of_both_providers_end_an_answer(finish: Finish, ending: Ending) -> None:
    assert compose(ask(), Reply(finish=finish), CacheUse()).ending is ending


def test_counts_come_from_request_answer_and_cache() -> None:
    call = ask("x" * 400)
    counts = compose(call, Reply(text="y" * 40), CacheUse(read=20, write=30)).counts
    assert counts == Counts(call.input_tokens - 50, 10, 20, 30)
    assert counts.prompt == call.input_tokens


def test_scripted_counts_win() -> None:
    given_ = Usage(input=1, output=2, cache_read=3, cache_write=4, cache_write_1h=5, reasoning=6)
    counts = compose(ask(), Reply(usage=given_), CacheUse(read=9)).counts
    assert counts == Counts(1, 2, 3, 4, 5, 6)
    assert counts.prompt == 13


def test_ids_differ_by_call_and_part() -> None:
    ids = {make_id("a_", number, part) for number in (1, 2) for part in ("", "0", "1")}
    assert len(ids) == 6
    assert make_id("a_", 1) == make_id("a_", 1)
    assert len(make_id("a_", 1, length=32)) == 34


@given(st.text())
def test_pieces_of_a_text_make_up_the_text(text: str) -> None:
    assert "".join(pieces_of(text)) == text
    assert all(pieces_of(text))
