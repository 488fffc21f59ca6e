"""Writes messages of both dialects in the form of OpenTelemetry's GenAI conventions.

That is a list of `{"role": ..., "parts": [...]}`; parts are `text`, `reasoning`, `tool_call`,
`tool_call_response`, and for anything else the part's own type without its bytes.
"""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from tiergate.base.jsontypes import Json, JsonObject

_DECODER: Final[msgspec.json.Decoder[Json]] = msgspec.json.Decoder(Any)


def input_messages(asked: bytes) -> str | None:
    """Return what a model was asked; None where it cannot be read.

    Args:
        asked: JSON text: a list of messages of either dialect, or a prompt.
    """
    value = _decode(asked)
    if isinstance(value, str):
        return _write([{"role": "user", "parts": _parts(value)}])
    if not isinstance(value, list):
        return None
    if value and all(isinstance(item, str) for item in value):
        return _write([{"role": "user", "parts": _parts(item)} for item in value])
    return _write([_message(item) for item in value if isinstance(item, dict)])


def output_messages(answer: bytes) -> str | None:
    """Return what a model answered; None where it cannot be read.

    Args:
        answer: JSON text of a plain answer of either dialect.
    """
    value = _decode(answer)
    if not isinstance(value, dict):
        return None
    choices = value.get("choices")
    if isinstance(choices, list):
        return _write([_choice(item) for item in choices if isinstance(item, dict)])
    message = _message(value)
    message["finish_reason"] = value.get("stop_reason") or ""
    return _write([message])


def _choice(choice: JsonObject) -> JsonObject:
    inner = choice.get("message")
    if isinstance(inner, dict):
        message = _message(inner)
    else:
        spoken: JsonObject = {"role": "assistant", "parts": _parts(choice.get("text"))}
        message = spoken
    message["finish_reason"] = choice.get("finish_reason") or ""
    return message


def _message(message: JsonObject) -> JsonObject:
    role = message.get("role") or "assistant"
    parts = _parts(message.get("reasoning_content"), "reasoning")
    if role == "tool":
        response: JsonObject = {
            "type": "tool_call_response",
            "id": message.get("tool_call_id"),
            "response": message.get("content"),
        }
        return {"role": "tool", "parts": [*parts, response]}
    parts += _parts(message.get("content"))
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        parts += [_call(call) for call in calls if isinstance(call, dict)]
    return {"role": role, "parts": parts}


def _call(call: JsonObject) -> JsonObject:
    function = call.get("function")
    inner: JsonObject = function if isinstance(function, dict) else {}
    return {
        "type": "tool_call",
        "id": call.get("id"),
        "name": inner.get("name"),
        "arguments": inner.get("arguments"),
    }


def _parts(content: Json, kind: str = "text") -> list[Json]:
    if isinstance(content, str):
        return [{"type": kind, "content": content}] if content else []
    if isinstance(content, list):
        return [_part(item) for item in content if isinstance(item, dict)]
    return []


def _part(part: JsonObject) -> JsonObject:
    match part.get("type"):
        case "text" | "input_text" | "output_text":
            return {"type": "text", "content": part.get("text")}
        case "thinking":
            return {"type": "reasoning", "content": part.get("thinking")}
        case "tool_use":
            return {
                "type": "tool_call",
                "id": part.get("id"),
                "name": part.get("name"),
                "arguments": part.get("input"),
            }
        case "tool_result":
            return {
                "type": "tool_call_response",
                "id": part.get("tool_use_id"),
                "response": part.get("content"),
            }
        case kind:
            return {"type": kind if isinstance(kind, str) else "unknown"}


def _decode(text: bytes) -> Json:
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _write(messages: list[JsonObject]) -> str:
    return msgspec.json.encode(cast("object", messages)).decode()
