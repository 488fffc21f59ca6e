"""Recorded conversations of agents, turn by turn, in both dialects; written for these tests.

Each turn is a whole request, as a client sends it: it begins with everything said before.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence

from support.clients import PIXEL
from tiergate.base.jsontypes import Json, JsonObject

RULES = "\n".join(
    f"Rule {number}: when you change a file, read it first, say why, and keep its style."
    for number in range(1, 160)
)
"""A system prompt of about 12,000 bytes."""

SHORT: JsonObject = {"type": "ephemeral"}
_NAMES = ("read_file", "write_file", "run_tests", "search", "apply_patch")
_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "description": "Where the file is, from the root on."},
        "lines": {"type": "array", "items": {"type": "integer"}},
        "mode": {"type": "string", "enum": ["plain", "binary"]},
    },
    "required": ["path"],
}


def anthropic_tools() -> list[Json]:
    """Five tools with nested schemas."""
    return [
        {"name": name, "description": f"{name}: {RULES[:300]}", "input_schema": _SCHEMA}
        for name in _NAMES
    ]


def openai_tools() -> list[Json]:
    """The same in OpenAI's form."""
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": f"{name}: {RULES[:300]}",
                "parameters": _SCHEMA,
            },
        }
        for name in _NAMES
    ]


# ------------------------------------------------------------------ Anthropic's dialect


def coding(turns: int, *, thinking: bool = False) -> list[JsonObject]:
    """A coding agent: each turn the model calls a tool, and gets its result."""
    messages: list[Json] = [{"role": "user", "content": "Make the tests green."}]
    found: list[JsonObject] = []
    for number in range(turns):
        found.append(
            {
                "system": [{"type": "text", "text": RULES}],
                "tools": anthropic_tools(),
                "messages": copy.deepcopy(messages),
                **({"thinking": {"type": "enabled", "budget_tokens": 1024}} if thinking else {}),
            }
        )
        call = f"toolu_{number:02}"
        said: list[Json] = [
            {"type": "text", "text": f"Step {number}: I look at module {number}."},
            {
                "type": "tool_use",
                "id": call,
                "name": _NAMES[number % 5],
                "input": {"path": f"src/m{number}.py", "lines": [1, number]},
            },
        ]
        if thinking:
            said.insert(
                0, {"type": "thinking", "thinking": f"Hm {number}.", "signature": f"c2ln{number}"}
            )
        result: JsonObject = {
            "type": "tool_result",
            "tool_use_id": call,
            "content": [{"type": "text", "text": f"def f{number}(): ...\n" * 12}],
        }
        messages += [
            {"role": "assistant", "content": said},
            {"role": "user", "content": [result]},
        ]
    return found


def marked(turns: Sequence[JsonObject]) -> list[JsonObject]:
    """The same conversation of a client that marks as Claude Code does.

    The end of the system prompt, and the last block of the last two messages of the user; the
    marks move on with every turn.
    """
    out = copy.deepcopy(list(turns))
    for turn in out:
        system = turn["system"]
        assert isinstance(system, list)
        last = system[-1]
        assert isinstance(last, dict)
        last["cache_control"] = SHORT
        messages = turn["messages"]
        assert isinstance(messages, list)
        of_user = [each for each in messages if isinstance(each, dict) and each["role"] == "user"]
        for message in of_user[-2:]:
            content = message["content"]
            if isinstance(content, str):
                content = message["content"] = [{"type": "text", "text": content}]
            assert isinstance(content, list)
            block = content[-1]
            assert isinstance(block, dict)
            block["cache_control"] = SHORT
    return out


def looking(turns: int) -> list[JsonObject]:
    """A conversation about pictures, in Anthropic's dialect."""
    image: JsonObject = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
    }
    messages: list[Json] = []
    found: list[JsonObject] = []
    for number in range(turns):
        question: JsonObject = {
            "type": "text",
            "text": f"What is in picture {number}? \u00e9\U0001f600",
        }
        messages.append({"role": "user", "content": [image, question]})
        found.append({"system": RULES, "messages": copy.deepcopy(messages)})
        messages.append({"role": "assistant", "content": f"A point, number {number}."})
    return found


# ------------------------------------------------------------------ OpenAI's dialect


def chatting(turns: int) -> list[JsonObject]:
    """A coding agent that speaks OpenAI's dialect."""
    messages: list[Json] = [
        {"role": "system", "content": RULES},
        {"role": "user", "content": "Make the tests green."},
    ]
    found: list[JsonObject] = []
    for number in range(turns):
        found.append({"tools": openai_tools(), "messages": copy.deepcopy(messages)})
        call = f"call_{number:02}"
        arguments = json.dumps({"path": f"src/m{number}.py", "lines": [1, number]})
        name = _NAMES[number % 5]
        messages += [
            {
                "role": "assistant",
                "content": f"Step {number}.",
                "tool_calls": [
                    {
                        "id": call,
                        "type": "function",
                        "function": {"name": name, "arguments": arguments},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": call, "content": f"def f{number}(): ...\n" * 12},
        ]
    return found


def seeing(turns: int) -> list[JsonObject]:
    """A conversation about pictures, in OpenAI's dialect."""
    image: JsonObject = {
        "type": "image_url",
        "image_url": {"url": f"data:image/png;base64,{PIXEL}"},
    }
    messages: list[Json] = [{"role": "developer", "content": RULES}]
    found: list[JsonObject] = []
    for number in range(turns):
        question: JsonObject = {"type": "text", "text": f"What is in picture {number}?"}
        messages.append({"role": "user", "content": [question, image]})
        found.append({"messages": copy.deepcopy(messages)})
        messages.append({"role": "assistant", "content": f"A point, number {number}."})
    return found


# ------------------------------------------------------------------ what must stay


def unmarked(value: Json) -> Json:
    """A prompt as a provider's cache reads it: without marks, a lone text block as its text."""
    if isinstance(value, list):
        return [unmarked(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept: JsonObject = {
        name: unmarked(inner) for name, inner in value.items() if name != "cache_control"
    }
    content = kept.get("content")
    if isinstance(content, list) and len(content) == 1:
        only = content[0]
        if isinstance(only, dict) and only.keys() == {"type", "text"}:
            kept["content"] = only["text"]
    return kept
