"""A Messages request as a canonical ask."""

from __future__ import annotations

import pytest

from tiergate.base.chat import (
    CacheMark,
    ProviderTool,
    Reasoning,
    ResponseFormat,
    Role,
    Text,
    Tool,
    ToolChoice,
    ToolMode,
    Turn,
)
from tiergate.base.errors import Refused
from tiergate.base.values import Dialect
from tiergate.providers.anthropic import decode_ask

HI = {"role": "user", "content": "hi"}


def read(**fields):
    return decode_ask({"model": "cheap", "max_tokens": 9, "messages": [HI], **fields})


def test_the_smallest_request():
    ask = read()

    assert (ask.dialect, ask.model, ask.max_tokens) == (Dialect.ANTHROPIC, "cheap", 9)
    assert ask.turns == (Turn(Role.USER, (Text("hi"),)),)
    assert (ask.stream, ask.include_usage, ask.extras) == (False, False, {})


def test_system_texts_are_the_first_turn_and_later_ones_stay_in_place():
    mark = {"type": "ephemeral"}
    ask = read(
        system=[
            {"type": "text", "text": "a", "cache_control": mark},
            {"type": "text", "text": "b"},
        ],
        messages=[HI, {"role": "assistant", "content": "ho"}, {"role": "system", "content": "c"}],
    )

    assert ask.turns == (
        Turn(Role.SYSTEM, (Text("a", cache=CacheMark(mark)), Text("b"))),
        Turn(Role.USER, (Text("hi"),)),
        Turn(Role.ASSISTANT, (Text("ho"),)),
        Turn(Role.SYSTEM, (Text("c"),)),
    )


def test_a_system_string_is_one_text_and_an_empty_list_none():
    assert read(system="s").turns[0] == Turn(Role.SYSTEM, (Text("s"),))
    assert read(system=[]).turns[0].role is Role.USER


@pytest.mark.parametrize(
    ("raw", "tool"),
    [
        (
            {"name": "n", "description": "d", "input_schema": {"type": "object"}},
            Tool("n", "d", {"type": "object"}),
        ),
        (
            {
                "type": "custom",
                "name": "n",
                "input_schema": {},
                "strict": True,
                "cache_control": {"type": "ephemeral"},
            },
            Tool("n", None, {}, strict=True, cache=CacheMark({"type": "ephemeral"})),
        ),
        (
            {"type": "bash_20250124", "name": "bash"},
            ProviderTool(
                Dialect.ANTHROPIC,
                "bash_20250124",
                "bash",
                {"type": "bash_20250124", "name": "bash"},
            ),
        ),
        (
            {"type": "computer_toolset_20260801"},
            ProviderTool(
                Dialect.ANTHROPIC,
                "computer_toolset_20260801",
                "computer_toolset_20260801",
                {"type": "computer_toolset_20260801"},
            ),
        ),
    ],
)
def test_tools_are_ours_or_the_providers(raw, tool):
    assert read(tools=[raw]).tools == (tool,)


@pytest.mark.parametrize(
    ("raw", "choice"),
    [
        ({"type": "auto"}, ToolChoice(ToolMode.AUTO)),
        ({"type": "none"}, ToolChoice(ToolMode.NONE)),
        ({"type": "any"}, ToolChoice(ToolMode.ANY)),
        ({"type": "tool", "name": "n"}, ToolChoice(ToolMode.NAMED, "n")),
        (
            {"type": "auto", "disable_parallel_tool_use": True},
            ToolChoice(ToolMode.AUTO, parallel=False),
        ),
        (
            {"type": "any", "disable_parallel_tool_use": False},
            ToolChoice(ToolMode.ANY, parallel=True),
        ),
    ],
)
def test_each_choice_is_read(raw, choice):
    assert read(tool_choice=raw).tool_choice == choice


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({}, None),
        ({"output_config": {"effort": "low"}}, Reasoning("low")),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            Reasoning(budget=1024, enabled=True),
        ),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}},
            Reasoning(enabled=True, adaptive=True, display="omitted"),
        ),
        ({"thinking": {"type": "disabled"}}, Reasoning(enabled=False)),
        ({"thinking": {"type": "between_tools"}}, Reasoning(enabled=False)),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            Reasoning("max", enabled=True, adaptive=True),
        ),
    ],
)
def test_thinking_and_effort_are_read(fields, reasoning):
    assert read(**fields).reasoning == reasoning


@pytest.mark.parametrize("place", ["output_config", "output_format"])
def test_the_form_of_the_answer_is_read_at_both_places(place):
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    fields = {place: {"format": wanted} if place == "output_config" else wanted}

    assert read(**fields).response_format == ResponseFormat(json=True, schema={"type": "object"})


def test_numbers_lists_and_accounting_are_read():
    ask = read(
        temperature=0.5,
        top_p=0.9,
        top_k=4,
        stop_sequences=["a", "b"],
        stream=True,
        metadata={"user_id": "ann"},
        service_tier="auto",
        cache_control={"type": "ephemeral"},
    )

    assert (ask.temperature, ask.top_p, ask.top_k, ask.stop) == (0.5, 0.9, 4, ("a", "b"))
    assert (ask.stream, ask.include_usage) == (True, True)
    assert (ask.user, ask.service_tier) == ("ann", "auto")
    assert ask.cache == CacheMark({"type": "ephemeral"})
    assert ask.extras == {}


def test_further_fields_are_kept_in_the_order_sent():
    ask = read(
        context_management={"edits": []},
        output_config={"effort": "low", "task_budget": 1},
        metadata={"user_id": "ann", "tags": ["x"]},
        mcp_servers=None,
    )

    assert list(ask.extras.items()) == [
        ("context_management", {"edits": []}),
        ("output_config", {"task_budget": 1}),
        ("metadata", {"tags": ["x"]}),
    ]


def test_a_limit_of_zero_or_none_is_the_callers_right():
    assert read(max_tokens=0).max_tokens == 0
    assert read(max_tokens=None).max_tokens is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": None}, "model: expected a string, got null"),
        ({"messages": []}, "messages: a list with at least one message is required"),
        ({"messages": None}, "messages: a list with at least one message is required"),
        ({"messages": {}}, "messages: expected a list, got an object"),
        ({"messages": ["hi"]}, "messages.0: expected an object, got a string"),
        ({"messages": [{"content": "x"}]}, "messages.0.role: this field is required"),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            "messages.0.role: unknown role 'tool'; expected user or assistant",
        ),
        ({"messages": [{"role": "user"}]}, "messages.0.content: this field is required"),
        (
            {"messages": [HI, {"role": "user", "content": [{"type": "image", "source": 1}]}]},
            "messages.1.content.0.source: expected an object, got a number",
        ),
        ({"system": 5}, "system: expected a string or a list of blocks, got a number"),
        ({"max_tokens": -1}, "max_tokens: must be 0 or more, got -1"),
        ({"max_tokens": "9"}, "max_tokens: expected a whole number, got a string"),
        ({"temperature": "hot"}, "temperature: expected a number, got a string"),
        ({"stream": 1}, "stream: expected true or false, got a number"),
        ({"stop_sequences": "x"}, "stop_sequences: expected a list, got a string"),
        ({"stop_sequences": [1]}, "stop_sequences.0: expected a string, got a number"),
        ({"tools": {}}, "tools: expected a list, got an object"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name: this field is required"),
        ({"tools": [{"name": "n"}]}, "tools.0.input_schema: this field is required"),
        ({"tools": [{"name": "", "input_schema": {}}]}, "tools.0.name: the name is empty"),
        (
            {"tool_choice": {"type": "maybe"}},
            "tool_choice.type: unknown type 'maybe'; expected one of auto, none, any, tool",
        ),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name: this field is required"),
        ({"thinking": {"type": "hard"}}, "thinking.type: unknown type 'hard'"),
        (
            {"output_config": {"format": {"type": "xml"}}},
            "output_config.format.type: unknown type 'xml'; expected json_schema",
        ),
        ({"metadata": "x"}, "metadata: expected an object, got a string"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(fields, message):
    with pytest.raises(Refused) as refused:
        read(**fields)

    assert refused.value.message == message
    assert refused.value.status == 400
    assert refused.value.param == message.partition(":")[0]
