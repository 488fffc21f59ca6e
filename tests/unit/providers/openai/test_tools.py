"""Tools and tool choice of a chat request."""

from __future__ import annotations

import pytest

from tiergate.base.chat import CacheMark, ProviderTool, Tool, ToolChoice, ToolMode
from tiergate.base.errors import Refused
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai.tools import decode_tools

SCHEMA: JsonObject = {"type": "object", "properties": {"z": {}, "a": {}}}
MARK: JsonObject = {"type": "ephemeral"}


def _tools(*tools: Json) -> tuple[Tool | ProviderTool, ...]:
    return decode_tools({"tools": list(tools)})[0]


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}},
        {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA},
        {"name": "f", "description": "d", "input_schema": SCHEMA},
        {"type": "custom", "name": "f", "description": "d", "input_schema": SCHEMA},
    ],
)
def test_every_form_of_a_function_is_the_same_tool(raw: JsonObject) -> None:
    assert _tools(raw) == (Tool("f", "d", SCHEMA),)


def test_a_legacy_function_is_a_tool() -> None:
    tools, choice = decode_tools(
        {"functions": [{"name": "f", "parameters": SCHEMA}], "function_call": {"name": "f"}}
    )
    assert tools == (Tool("f", None, SCHEMA),)
    assert choice == ToolChoice(ToolMode.NAMED, "f")


def test_a_tool_without_parameters_takes_none() -> None:
    assert _tools({"type": "function", "function": {"name": "f", "strict": True}}) == (
        Tool("f", None, {"type": "object", "properties": {}}, strict=True),
    )


def test_a_mark_on_the_entry_or_the_function_is_kept() -> None:
    outer: JsonObject = {"type": "function", "function": {"name": "f"}, "cache_control": MARK}
    inner: JsonObject = {"type": "function", "function": {"name": "f", "cache_control": MARK}}
    for raw in (outer, inner):
        tool = _tools(raw)[0]
        assert isinstance(tool, Tool)
        assert tool.cache == CacheMark(MARK)


def test_tools_that_providers_run_are_kept_with_their_dialect() -> None:
    search: JsonObject = {"type": "web_search_20250305", "name": "web_search"}
    custom: JsonObject = {"type": "custom", "custom": {"name": "grammar"}}
    assert _tools(search, custom) == (
        ProviderTool(Dialect.ANTHROPIC, "web_search_20250305", "web_search", search),
        ProviderTool(Dialect.OPENAI, "custom", "grammar", custom),
    )


@pytest.mark.parametrize(
    ("raw", "choice"),
    [
        ("auto", ToolChoice(ToolMode.AUTO)),
        ("none", ToolChoice(ToolMode.NONE)),
        ("required", ToolChoice(ToolMode.ANY)),
        ("any", ToolChoice(ToolMode.ANY)),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice(ToolMode.NAMED, "f")),
        ({"type": "custom", "custom": {"name": "f"}}, ToolChoice(ToolMode.NAMED, "f")),
        ({"type": "tool", "name": "f"}, ToolChoice(ToolMode.NAMED, "f")),
        ({"type": "any"}, ToolChoice(ToolMode.ANY)),
        (None, None),
    ],
)
def test_a_choice_is_read(raw: Json, choice: ToolChoice | None) -> None:
    assert decode_tools({"tool_choice": raw})[1] == choice


@pytest.mark.parametrize("parallel", [True, False])
def test_the_parallel_flag_alone_means_auto(parallel: bool) -> None:
    assert decode_tools({"parallel_tool_calls": parallel})[1] == ToolChoice(
        ToolMode.AUTO, parallel=parallel
    )


def test_allowed_tools_leave_the_others_out() -> None:
    body: JsonObject = {
        "tools": [{"type": "function", "function": {"name": name}} for name in ("a", "b", "c")],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [{"type": "function", "function": {"name": "b"}}],
            },
        },
    }
    tools, choice = decode_tools(body)
    assert [tool.name for tool in tools] == ["b"]
    assert choice == ToolChoice(ToolMode.ANY)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"tools": {}}, "tools"),
        ({"tools": [1]}, "tools.0"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools.0.function.name"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools.0.function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": "x"}}]},
            "tools.0.function.parameters",
        ),
        ({"functions": [{}]}, "functions.0.name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": 3}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "allowed_tools", "mode": 1}}, "tool_choice.allowed_tools.mode"),
        ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
    ],
)
def test_a_wrong_tool_or_choice_is_refused_at_its_place(body: JsonObject, place: str) -> None:
    with pytest.raises(Refused) as caught:
        decode_tools(body)
    assert caught.value.param == place
