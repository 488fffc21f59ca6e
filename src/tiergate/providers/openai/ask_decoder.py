"""Read a chat completions request into an `Ask`; messages are read by `turns`, tools by `tools`.

Fields that the canonical form does not hold (`n`, `logit_bias`, `metadata` ...) go to
`Ask.extras` in the order sent.
"""

from __future__ import annotations

from typing import Final

from tiergate.base.chat import Ask, CacheMark, Reasoning, ResponseFormat
from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect
from tiergate.providers.openai.tools import decode_tools
from tiergate.providers.openai.turns import decode_turns
from tiergate.providers.reading import (
    invalid,
    optional_bool,
    optional_int,
    optional_list,
    optional_number,
    optional_object,
    optional_positive,
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
        "tools",
        "functions",
        "tool_choice",
        "function_call",
        "parallel_tool_calls",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "stream",
        "stream_options",
        "reasoning_effort",
        "reasoning",
        "thinking",
        "response_format",
        "seed",
        "user",
        "service_tier",
        "cache_control",
    }
)


def decode_ask(body: JsonObject) -> Ask:
    """Return the canonical form of a chat completions request.

    Raises:
        Refused: 400 naming the place, for a wrong type or shape.
    """
    model = required_str(body, "model", "")
    messages = optional_list(body, "messages", "")
    if not messages:
        raise invalid("messages", "a list with at least one message is required")
    tools, choice = decode_tools(body)
    options = optional_object(body, "stream_options", "") or {}
    mark = optional_object(body, "cache_control", "")
    newer = optional_positive(body, "max_completion_tokens", "")
    older = optional_positive(body, "max_tokens", "")
    return Ask(
        dialect=Dialect.OPENAI,
        model=model,
        turns=decode_turns(messages),
        tools=tools,
        tool_choice=choice,
        max_tokens=older if newer is None else newer,
        temperature=optional_number(body, "temperature", ""),
        top_p=optional_number(body, "top_p", ""),
        top_k=optional_int(body, "top_k", ""),
        stop=_stop(body.get("stop")),
        stream=optional_bool(body, "stream", "") or False,
        include_usage=optional_bool(options, "include_usage", "stream_options") or False,
        reasoning=_reasoning(body),
        response_format=_response_format(body),
        seed=optional_int(body, "seed", ""),
        user=optional_str(body, "user", ""),
        service_tier=optional_str(body, "service_tier", ""),
        cache=None if mark is None else CacheMark(mark),
        extras={
            key: value for key, value in body.items() if key not in _HELD and value is not None
        },
    )


def _stop(value: Json) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, list):
        raise wrong("stop", "a string or a list of strings", value)
    words: list[str] = []
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise wrong(f"stop.{index}", "a string", item)
        if item:
            words.append(item)
    return tuple(words)


def _reasoning(body: JsonObject) -> Reasoning | None:
    """Join `reasoning_effort` (OpenAI), `reasoning` (OpenRouter) and `thinking` (LiteLLM)."""
    nested = optional_object(body, "reasoning", "") or {}
    thinking = optional_object(body, "thinking", "") or {}
    effort = optional_str(body, "reasoning_effort", "") or optional_str(
        nested, "effort", "reasoning"
    )
    budget = optional_positive(thinking, "budget_tokens", "thinking")
    enabled = optional_bool(nested, "enabled", "reasoning")
    adaptive = False
    if thinking:
        kind = required_str(thinking, "type", "thinking")
        if kind not in ("enabled", "disabled", "adaptive"):
            raise invalid("thinking.type", f"unknown type {kind!r}")
        enabled = kind != "disabled"
        adaptive = kind == "adaptive"
    if budget is None:
        budget = optional_positive(nested, "max_tokens", "reasoning")
    display = optional_str(thinking, "display", "thinking")
    found = Reasoning(effort, budget, enabled, adaptive, display)
    return None if found == Reasoning() else found


def _response_format(body: JsonObject) -> ResponseFormat | None:
    raw = optional_object(body, "response_format", "")
    if raw is None:
        return None
    at = "response_format"
    kind = required_str(raw, "type", at)
    if kind == "text":
        return None
    if kind == "json_object":
        # LiteLLM also takes a schema here.
        return ResponseFormat(json=True, schema=optional_object(raw, "response_schema", at))
    if kind != "json_schema":
        raise invalid(place(at, "type"), f"unknown type {kind!r}")
    given = required_object(raw, "json_schema", at)
    here = place(at, "json_schema")
    return ResponseFormat(
        json=True,
        schema=optional_object(given, "schema", here),
        name=optional_str(given, "name", here),
        description=optional_str(given, "description", here),
        strict=optional_bool(given, "strict", here),
    )
