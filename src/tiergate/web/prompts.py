"""Prompts of both dialects in the one shape in which they are counted, and as roles for cutting.

The counter knows Messages requests (`pricing.count_messages`); OpenAI's parts are told to it as
blocks of the same weight. Nothing made here is ever sent.
"""

from __future__ import annotations

from collections.abc import Iterable

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.base.values import Dialect, Operation
from tiergate.core.turns import Role

_RESULTS = frozenset({"tool", "function"})
_TEXTS = {Operation.COMPLETION: "prompt", Operation.EMBEDDING: "input"}


def countable(body: JsonObject, dialect: Dialect, operation: Operation) -> JsonObject:
    """Return a request's prompt as a Messages request.

    Args:
        body: The decoded request.
        dialect: Its own dialect.
        operation: What it asks for.
    """
    name = _TEXTS.get(operation)
    if name is not None:
        given = body.get(name)
        texts = given if isinstance(given, list) else [given]
        return {"messages": [{"content": _text(text)} for text in texts]}
    if dialect is Dialect.ANTHROPIC:
        return body
    messages = body.get("messages")
    return {
        "messages": [_message(each) for each in messages] if isinstance(messages, list) else [],
        "tools": body.get("tools") or body.get("functions"),
    }


def role_of(message: Json, dialect: Dialect) -> Role:
    """Return what a message is for cutting; one that is not understood is never cut."""
    if not isinstance(message, dict):
        return Role.INSTRUCTION
    match message.get("role"):
        case "assistant":
            return Role.ANSWER
        case "user":
            is_result = dialect is Dialect.ANTHROPIC and _has_result(message.get("content"))
            return Role.RESULT if is_result else Role.USER
        case str(role) if role in _RESULTS:
            return Role.RESULT
        case _:
            return Role.INSTRUCTION


def _has_result(content: Json) -> bool:
    return isinstance(content, list) and any(
        isinstance(block, dict) and block.get("type") == "tool_result" for block in content
    )


def _text(value: Json) -> Json:
    """Return a text, or token numbers as a text with about one token each."""
    return value if isinstance(value, str) else [{"type": "tokens", "tokens": value}]


def _message(message: Json) -> Json:
    if not isinstance(message, dict):
        return {"content": None}
    content = message.get("content")
    blocks: list[Json] = []
    if isinstance(content, str):
        blocks.append({"type": "text", "text": content})
    elif isinstance(content, list):
        blocks += _parts(content)
    for name in ("tool_calls", "function_call", "refusal"):
        if message.get(name):
            blocks.append({"type": name, name: message[name]})
    return {"content": blocks}


def _parts(parts: Iterable[Json]) -> Iterable[Json]:
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "image_url":
            yield {"type": "image"}
        elif kind in ("file", "input_audio"):
            yield {"type": "document"}
        else:
            yield part
