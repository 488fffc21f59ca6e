"""Read a Messages request into an `Ask`.

Fields that the canonical form does not hold (`context_management`, `container`, `mcp_servers`
...) go to `Ask.extras` in the order sent. Limits that only the provider knows are not checked.
"""

from __future__ import annotations

from typing import Final

from tiergate.base.chat import (
    Ask,
    CacheMark,
    ProviderTool,
    Reasoning,
    ResponseFormat,
    Role,
    Tool,
    ToolChoice,
    ToolMode,
    Turn,
)
from tiergate.base.jsontypes import JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.anthropic.content import cache_mark, decode_content
from tiergate.providers.reading import (
    as_object,
    invalid,
    optional_bool,
    optional_int,
    optional_list,
    optional_number,
    optional_object,
    optional_str,
    place,
    required_object,
    required_str,
    wrong,
)

_HELD: Final = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "stream",
        "thinking",
        "output_config",
        "output_format",
        "metadata",
        "service_tier",
        "cache_control",
    }
)
_MODES: Final = {
    "auto": ToolMode.AUTO,
    "none": ToolMode.NONE,
    "any": ToolMode.ANY,
    "tool": ToolMode.NAMED,
}
_ROLES: Final = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}


def decode_ask(body: JsonObject) -> Ask:
    """Return the canonical form of a Messages request.

    `max_tokens` 0 is allowed: it fills the prompt cache without an answer ("Prompt caching").
    Absent is allowed too, as another dialect may not need it.

    Raises:
        Refused: 400 naming the place, for a wrong type or shape.
    """
    model = required_str(body, "model", "")
    stream = optional_bool(body, "stream", "") or False
    config = optional_object(body, "output_config", "") or {}
    metadata = optional_object(body, "metadata", "") or {}
    mark = optional_object(body, "cache_control", "")
    limit = optional_int(body, "max_tokens", "")
    if limit is not None and limit < 0:
        raise invalid("max_tokens", f"must be 0 or more, got {limit}")
    extras: JsonObject = {
        key: value for key, value in body.items() if key not in _HELD and value is not None
    }
    if rest := {k: v for k, v in config.items() if k not in ("effort", "format")}:
        extras["output_config"] = rest
    if rest := {k: v for k, v in metadata.items() if k != "user_id"}:
        extras["metadata"] = rest
    return Ask(
        dialect=Dialect.ANTHROPIC,
        model=model,
        turns=_turns(body),
        tools=tuple(_tools(body)),
        tool_choice=_choice(body),
        max_tokens=limit,
        temperature=optional_number(body, "temperature", ""),
        top_p=optional_number(body, "top_p", ""),
        top_k=optional_int(body, "top_k", ""),
        stop=_stop(body),
        stream=stream,
        include_usage=stream,
        reasoning=_reasoning(body, config),
        response_format=_format(body, config),
        user=optional_str(metadata, "user_id", "metadata"),
        service_tier=optional_str(body, "service_tier", ""),
        cache=None if mark is None else CacheMark(mark),
        extras=extras,
    )


def _turns(body: JsonObject) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    system = body.get("system")
    if system is not None and (parts := decode_content(system, "system")):
        turns.append(Turn(Role.SYSTEM, parts))
    messages = optional_list(body, "messages", "")
    if not messages:
        raise invalid("messages", "a list with at least one message is required")
    for index, item in enumerate(messages):
        at = place("messages", index)
        raw = as_object(item, at)
        word = required_str(raw, "role", at)
        role = _ROLES.get(word)
        if role is None:
            raise invalid(place(at, "role"), f"unknown role {word!r}; expected user or assistant")
        if "content" not in raw:
            raise invalid(place(at, "content"), "this field is required")
        turns.append(Turn(role, decode_content(raw["content"], place(at, "content"))))
    return tuple(turns)


def _tools(body: JsonObject) -> list[Tool | ProviderTool]:
    tools: list[Tool | ProviderTool] = []
    for index, item in enumerate(optional_list(body, "tools", "")):
        at = place("tools", index)
        raw = as_object(item, at)
        kind = optional_str(raw, "type", at)
        if kind not in (None, "custom"):
            # One that the provider defines or runs, or a whole set of them.
            name = optional_str(raw, "name", at) or kind
            tools.append(ProviderTool(Dialect.ANTHROPIC, kind, name, raw))
            continue
        name = required_str(raw, "name", at)
        if not name:
            raise invalid(place(at, "name"), "the name is empty")
        tools.append(
            Tool(
                name,
                optional_str(raw, "description", at),
                required_object(raw, "input_schema", at),
                strict=optional_bool(raw, "strict", at),
                cache=cache_mark(raw, at),
            )
        )
    return tools


def _choice(body: JsonObject) -> ToolChoice | None:
    at = "tool_choice"
    raw = optional_object(body, at, "")
    if raw is None:
        return None
    word = required_str(raw, "type", at)
    mode = _MODES.get(word)
    if mode is None:
        expected = ", ".join(_MODES)
        raise invalid(place(at, "type"), f"unknown type {word!r}; expected one of {expected}")
    single = optional_bool(raw, "disable_parallel_tool_use", at)
    return ToolChoice(
        mode,
        required_str(raw, "name", at) if mode is ToolMode.NAMED else None,
        None if single is None else not single,
    )


def _stop(body: JsonObject) -> tuple[str, ...]:
    words: list[str] = []
    for index, item in enumerate(optional_list(body, "stop_sequences", "")):
        if not isinstance(item, str):
            raise wrong(place("stop_sequences", index), "a string", item)
        words.append(item)
    return tuple(words)


def _reasoning(body: JsonObject, config: JsonObject) -> Reasoning | None:
    effort = optional_str(config, "effort", "output_config")
    at = "thinking"
    raw = optional_object(body, at, "")
    if raw is None:
        return None if effort is None else Reasoning(effort)
    kind = required_str(raw, "type", at)
    if kind not in ("enabled", "adaptive", "disabled", "between_tools"):
        raise invalid(place(at, "type"), f"unknown type {kind!r}")
    return Reasoning(
        effort,
        budget=optional_int(raw, "budget_tokens", at),
        # `between_tools` is what the models that have it offer instead of `disabled`.
        enabled=kind in ("enabled", "adaptive"),
        adaptive=kind == "adaptive",
        display=optional_str(raw, "display", at),
    )


def _format(body: JsonObject, config: JsonObject) -> ResponseFormat | None:
    """Read `output_config.format`, or its older place `output_format`."""
    at = "output_config.format"
    raw = optional_object(config, "format", "output_config")
    if raw is None:
        at = "output_format"
        raw = optional_object(body, at, "")
    if raw is None:
        return None
    kind = required_str(raw, "type", at)
    if kind != "json_schema":
        raise invalid(place(at, "type"), f"unknown type {kind!r}; expected json_schema")
    return ResponseFormat(json=True, schema=required_object(raw, "schema", at))
