"""Read the tools of a chat request and the choice among them, in every form clients send.

Forms: OpenAI's `{type: function, function: {...}}`, the flat form of its Responses API, the
legacy `functions`, Anthropic's `{name, input_schema}` (Cursor), and tools a provider runs itself.
"""

from __future__ import annotations

import re
from typing import Final

from tiergate.base.chat import ProviderTool, Tool, ToolChoice, ToolMode
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai.content import cache_mark
from tiergate.providers.reading import (
    as_object,
    invalid,
    optional_bool,
    optional_list,
    optional_object,
    optional_str,
    place,
    required_object,
    required_str,
    wrong,
)

_ANTHROPIC_TOOL: Final = re.compile(r"\w+_20\d{6}")
"""Anthropic dates its own tools: `web_search_20250305`."""

_NO_PARAMETERS: Final[JsonObject] = {"type": "object", "properties": {}}
_MODES: Final = {
    "auto": ToolMode.AUTO,
    "none": ToolMode.NONE,
    "required": ToolMode.ANY,
    # Mistral's and Anthropic's word.
    "any": ToolMode.ANY,
}


def decode_tools(
    body: JsonObject,
) -> tuple[tuple[Tool | ProviderTool, ...], ToolChoice | None]:
    """Return the tools and the choice.

    Raises:
        Refused: A tool or choice of a wrong shape.
    """
    tools: list[Tool | ProviderTool] = []
    for index, item in enumerate(optional_list(body, "tools", "")):
        here = f"tools.{index}"
        tools.append(_tool(as_object(item, here), here))
    for index, item in enumerate(optional_list(body, "functions", "")):
        here = f"functions.{index}"
        function = as_object(item, here)
        tools.append(_function(function, here, function))
    parallel = optional_bool(body, "parallel_tool_calls", "")
    mode, name, allowed = _choice(body)
    if allowed is not None:
        # Leaving the others out says the same to every dialect.
        tools = [tool for tool in tools if tool.name in allowed]
    if mode is None:
        if parallel is None:
            return tuple(tools), None
        mode = ToolMode.AUTO
    return tuple(tools), ToolChoice(mode, name, parallel)


def _tool(raw: JsonObject, at: str) -> Tool | ProviderTool:
    kind = optional_str(raw, "type", at)
    if kind == "function" and "function" in raw:
        here = place(at, "function")
        return _function(required_object(raw, "function", at), here, raw)
    if "input_schema" in raw or kind in (None, "function"):
        return _function(raw, at, raw)
    if _ANTHROPIC_TOOL.fullmatch(kind):
        return ProviderTool(Dialect.ANTHROPIC, kind, optional_str(raw, "name", at) or kind, raw)
    inner = raw.get(kind)
    named = inner if isinstance(inner, dict) else raw
    name = named.get("name")
    return ProviderTool(Dialect.OPENAI, kind, name if isinstance(name, str) else kind, raw)


def _function(raw: JsonObject, at: str, outer: JsonObject) -> Tool:
    key = "input_schema" if "input_schema" in raw else "parameters"
    schema = optional_object(raw, key, at)
    if schema is None:
        schema = dict(_NO_PARAMETERS)
    name = required_str(raw, "name", at)
    if not name:
        raise invalid(place(at, "name"), "the name is empty")
    return Tool(
        name,
        optional_str(raw, "description", at),
        schema,
        strict=optional_bool(raw, "strict", at),
        cache=cache_mark(outer, at) or cache_mark(raw, at),
    )


def _choice(body: JsonObject) -> tuple[ToolMode | None, str | None, frozenset[str] | None]:
    """Return mode, name, and the names that may be called if the caller limits them."""
    raw = body.get("tool_choice")
    at = "tool_choice"
    if raw is None:
        raw = body.get("function_call")
        at = "function_call"
    if raw is None:
        return None, None, None
    if isinstance(raw, str):
        return _mode(raw, at), None, None
    if not isinstance(raw, dict):
        raise wrong(at, "a string or an object", raw)
    kind = optional_str(raw, "type", at)
    if kind in _MODES:
        return _MODES[kind], None, None
    if kind == "allowed_tools":
        return _allowed(raw, at)
    for key in ("function", "custom"):
        if isinstance(inner := raw.get(key), dict):
            return ToolMode.NAMED, required_str(inner, "name", place(at, key)), None
    return ToolMode.NAMED, required_str(raw, "name", at), None


def _mode(word: Json, at: str) -> ToolMode:
    mode = _MODES.get(word) if isinstance(word, str) else None
    if mode is None:
        raise invalid(at, f"unknown value {word!r}; expected auto, none or required")
    return mode


def _allowed(raw: JsonObject, at: str) -> tuple[ToolMode, None, frozenset[str]]:
    """Read `{type: allowed_tools, allowed_tools: {mode, tools}}`."""
    inner = optional_object(raw, "allowed_tools", at) or raw
    here = place(at, "allowed_tools")
    names: set[str] = set()
    for index, item in enumerate(optional_list(inner, "tools", here)):
        spot = place(here, f"tools.{index}")
        entry = as_object(item, spot)
        function = entry.get("function")
        names.add(required_str(function if isinstance(function, dict) else entry, "name", spot))
    return _mode(inner.get("mode", "auto"), place(here, "mode")), None, frozenset(names)
