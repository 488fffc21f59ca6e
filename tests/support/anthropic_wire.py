"""Builds Anthropic Messages bodies, events and errors for scripted upstreams."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from support.exchange import Recorded, Reply, json_reply, stream_reply
from tiergate.base.jsontypes import JsonObject

MODEL = "upstream-a"
MESSAGE_ID = "msg_01Scripted"


def usage(
    input_tokens: int = 10,
    output_tokens: int = 5,
    *,
    cache_read: int | None = None,
    cache_write: int | None = None,
) -> JsonObject:
    """A usage object; cache counts only where given."""
    out: JsonObject = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    if cache_write is not None:
        out["cache_creation_input_tokens"] = cache_write
    if cache_read is not None:
        out["cache_read_input_tokens"] = cache_read
    return out


def text_block(text: str) -> JsonObject:
    """A content block of text."""
    return {"type": "text", "text": text}


def thinking_block(thinking: str, signature: str = "c2lnbmVk") -> JsonObject:
    """A content block of thinking."""
    return {"type": "thinking", "thinking": thinking, "signature": signature}


def tool_block(name: str, arguments: JsonObject, tool_id: str = "toolu_01Scripted") -> JsonObject:
    """A content block that calls a tool."""
    return {"type": "tool_use", "id": tool_id, "name": name, "input": arguments}


def message(
    content: str | Sequence[JsonObject],
    *,
    stop_reason: str = "end_turn",
    model: str = MODEL,
    counts: JsonObject | None = None,
) -> JsonObject:
    """The body of a plain answer; `content` is a text or the blocks."""
    blocks = [text_block(content)] if isinstance(content, str) else content
    return {
        "id": MESSAGE_ID,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [*blocks],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": counts or usage(),
    }


def event(data: JsonObject, name: str | None = None) -> bytes:
    """One event, named by its `type` unless told otherwise."""
    text = json.dumps(data, ensure_ascii=False)
    return f"event: {name or data['type']}\ndata: {text}\n\n".encode()


def message_start(*, model: str = MODEL, counts: JsonObject | None = None) -> bytes:
    """The event that opens a stream."""
    opened: JsonObject = {
        **message([], model=model, counts=counts or usage(output_tokens=1)),
        "stop_reason": None,
    }
    return event({"type": "message_start", "message": opened})


def block_start(index: int, block: JsonObject) -> bytes:
    """The event that opens a content block."""
    return event({"type": "content_block_start", "index": index, "content_block": block})


def block_delta(index: int, delta: JsonObject) -> bytes:
    """The event that adds to a content block."""
    return event({"type": "content_block_delta", "index": index, "delta": delta})


def text_delta(index: int, text: str) -> bytes:
    """More text."""
    return block_delta(index, {"type": "text_delta", "text": text})


def thinking_delta(index: int, thinking: str) -> bytes:
    """More thinking."""
    return block_delta(index, {"type": "thinking_delta", "thinking": thinking})


def signature_delta(index: int, signature: str) -> bytes:
    """The signature of a thinking block."""
    return block_delta(index, {"type": "signature_delta", "signature": signature})


def input_delta(index: int, part: str) -> bytes:
    """More of a tool's arguments, as JSON text."""
    return block_delta(index, {"type": "input_json_delta", "partial_json": part})


def block_stop(index: int) -> bytes:
    """The event that ends a content block."""
    return event({"type": "content_block_stop", "index": index})


def message_delta(stop_reason: str = "end_turn", counts: JsonObject | None = None) -> bytes:
    """The event with stop reason and final usage."""
    return event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason, "stop_sequence": None},
            "usage": counts or {"output_tokens": 5},
        }
    )


def message_stop() -> bytes:
    """The event that ends a stream."""
    return event({"type": "message_stop"})


def ping() -> bytes:
    """The event without meaning."""
    return event({"type": "ping"})


def error_body(kind: str, text: str) -> JsonObject:
    """The body of an error answer, and the data of an error event."""
    error: JsonObject = {"type": kind, "message": text}
    return {"type": "error", "error": error, "request_id": "req_01Scripted"}


def error_event(kind: str = "overloaded_error", text: str = "Overloaded") -> bytes:
    """The event that breaks a stream off."""
    return event(error_body(kind, text))


def text_events(text: str, *, model: str = MODEL, counts: JsonObject | None = None) -> list[bytes]:
    """The events of a whole stream with one text block, the text in two halves."""
    middle = len(text) // 2
    return [
        message_start(model=model),
        block_start(0, text_block("")),
        ping(),
        text_delta(0, text[:middle]),
        text_delta(0, text[middle:]),
        block_stop(0),
        message_delta(counts=counts),
        message_stop(),
    ]


def tool_events(
    name: str, arguments: JsonObject, tool_id: str = "toolu_01Scripted"
) -> list[bytes]:
    """The events of a whole stream that calls one tool, the arguments in two halves."""
    text = json.dumps(arguments)
    middle = len(text) // 2
    return [
        message_start(),
        block_start(0, tool_block(name, {}, tool_id)),
        input_delta(0, ""),
        input_delta(0, text[:middle]),
        input_delta(0, text[middle:]),
        block_stop(0),
        message_delta("tool_use"),
        message_stop(),
    ]


def text_reply(text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A plain answer with one text."""
    return json_reply(message(text), headers=headers)


def text_stream(text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A streamed answer with one text."""
    return stream_reply(*text_events(text), headers=headers)


def error_reply(
    status: int, kind: str, text: str, headers: Mapping[str, str] | None = None
) -> Reply:
    """An error answer."""
    return json_reply(error_body(kind, text), status, headers)


def overflow_reply() -> Reply:
    """The error for a prompt longer than the context window."""
    text = "prompt is too long: 210000 tokens > 200000 maximum"
    return error_reply(400, "invalid_request_error", text)


def refusal_reply() -> Reply:
    """The error for a prompt against the content policy."""
    return error_reply(400, "invalid_request_error", "Output blocked by content filtering policy")


def default_reply(recorded: Recorded, text: str) -> Reply | None:
    """The answer to an unscripted request on Anthropic's routes; `None` on others."""
    if recorded.path.endswith("/messages/count_tokens"):
        return json_reply({"input_tokens": 42})
    if recorded.path.endswith("/messages"):
        return text_stream(text) if recorded.json.get("stream") is True else text_reply(text)
    return None
