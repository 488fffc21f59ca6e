"""Writes answers, events and errors as Anthropic's Messages API sends them; it decides nothing.

Shapes after docs.claude.com, pages "Messages", "Streaming messages", "Errors" and "Rate limits",
and the types of the official Python SDK 2.13.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.answer import Answer, Counts, Ending, make_id, pieces_of
from tiergate.mock.call import Call
from tiergate.mock.rules import Fail

STREAM_ERROR = Fail(status=529)
CONTEXT_TOKENS = 200_000
REQUEST_LIMIT = 4_000
TOKEN_LIMIT = 400_000
MODEL_BIRTH = "2025-01-01T00:00:00Z"

_STOP_REASONS: Mapping[Ending, str] = MappingProxyType(
    {
        Ending.DONE: "end_turn",
        Ending.LENGTH: "max_tokens",
        Ending.STOP_SEQUENCE: "stop_sequence",
        Ending.TOOL: "tool_use",
        Ending.REFUSED: "refusal",
        Ending.PAUSED: "pause_turn",
    }
)

_ERROR_TYPES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        401: ("authentication_error", "invalid x-api-key"),
        402: ("billing_error", "Your credit balance is too low to access the Anthropic API."),
        403: ("permission_error", "Your API key does not have permission to use this resource."),
        404: ("not_found_error", "Not found"),
        413: ("request_too_large", "Request exceeds the maximum size"),
        429: ("rate_limit_error", "This request would exceed your account's rate limit."),
        500: ("api_error", "Internal server error"),
        504: ("timeout_error", "Request timed out"),
        529: ("overloaded_error", "Overloaded"),
    }
)


def message(call: Call, answer: Answer) -> JsonObject:
    """The body of a plain answer."""
    return {
        **_opening(call),
        "content": _content(answer),
        **_closing(call, answer),
        "usage": {**_usage(answer.counts), "service_tier": "standard"},
    }


def events(call: Call, answer: Answer) -> list[bytes]:
    """The events of a streamed answer, in order, one byte string each."""
    counts = answer.counts
    start: JsonObject = {
        **_opening(call),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**_usage(counts), "output_tokens": 1, "service_tier": "standard"},
    }
    out = [event({"type": "message_start", "message": start}), event({"type": "ping"})]
    for index, block in enumerate(_blocks(answer)):
        out.extend(_block_events(index, block, answer))
    delta = _closing(call, answer)
    out.append(event({"type": "message_delta", "delta": delta, "usage": _final(counts)}))
    out.append(event({"type": "message_stop"}))
    return out


def event(data: JsonObject) -> bytes:
    """One server-sent event, named by its `type`."""
    return b"event: %s\ndata: %s\n\n" % (str(data["type"]).encode(), msgspec.json.encode(data))


def error(call_id: str, fail: Fail) -> JsonObject:
    """The body of an error answer, and the data of an in-band error event.

    Args:
        call_id: value of the `request-id` header.
        fail: what went wrong.
    """
    kind, text = _ERROR_TYPES.get(fail.status, _other_error(fail.status))
    return {
        "type": "error",
        "error": {"type": fail.type or kind, "message": fail.message or text},
        "request_id": call_id,
    }


def overflow(call: Call) -> Fail:
    """The error for a prompt longer than the context window."""
    tokens = max(call.input_tokens, CONTEXT_TOKENS + 10_000)
    text = f"prompt is too long: {tokens} tokens > {CONTEXT_TOKENS} maximum"
    return Fail(400, "invalid_request_error", text)


def refusal() -> Fail:
    """The error for a prompt against the content policy."""
    return Fail(400, "invalid_request_error", "Output blocked by content filtering policy")


def token_count(call: Call) -> JsonObject:
    """The body of `/v1/messages/count_tokens`."""
    return {"input_tokens": call.input_tokens}


def model(name: str) -> JsonObject:
    """One entry of the models route."""
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": MODEL_BIRTH,
        "lifecycle": "active",
    }


def model_list(names: tuple[str, ...]) -> JsonObject:
    """The body of `/v1/models`."""
    return {
        "data": [model(name) for name in names],
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }


def headers(call_id: str, now: int, *, exhausted: bool) -> dict[str, str]:
    """Headers of every answer: request id and rate limits.

    Args:
        call_id: value of `request-id`.
        now: seconds since 1970 (UTC).
        exhausted: has the rate limit been hit?
    """
    reset = (datetime.fromtimestamp(now, UTC) + timedelta(seconds=1)).isoformat()
    out = {"request-id": call_id, "anthropic-organization-id": "org-scripted"}
    for what, limit in (
        ("requests", REQUEST_LIMIT),
        ("tokens", TOKEN_LIMIT),
        ("input-tokens", TOKEN_LIMIT),
        ("output-tokens", TOKEN_LIMIT),
    ):
        out[f"anthropic-ratelimit-{what}-limit"] = str(limit)
        out[f"anthropic-ratelimit-{what}-remaining"] = "0" if exhausted else str(limit - 1)
        out[f"anthropic-ratelimit-{what}-reset"] = reset.replace("+00:00", "Z")
    return out


def signature_of(thinking: str) -> str:
    """A signature for a thinking block: opaque text that depends on the thinking."""
    return base64.b64encode(hashlib.blake2b(thinking.encode()).digest()).decode()


def _opening(call: Call) -> JsonObject:
    return {
        "model": call.model,
        "id": make_id("msg_01", call.number),
        "type": "message",
        "role": "assistant",
    }


def _closing(call: Call, answer: Answer) -> JsonObject:
    sequences = call.body.get("stop_sequences")
    matched = sequences[0] if isinstance(sequences, list) and sequences else None
    hit = answer.ending is Ending.STOP_SEQUENCE
    out: JsonObject = {
        "stop_reason": _STOP_REASONS[answer.ending],
        "stop_sequence": matched if hit else None,
    }
    if answer.ending is Ending.REFUSED:
        out["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
    return out


def _content(answer: Answer) -> list[Json]:
    return [*_blocks(answer)]


def _blocks(answer: Answer) -> list[JsonObject]:
    blocks: list[JsonObject] = []
    if answer.thinking:
        signature = signature_of(answer.thinking)
        blocks.append({"type": "thinking", "thinking": answer.thinking, "signature": signature})
    if answer.text:
        blocks.append({"type": "text", "text": answer.text})
    blocks.extend(
        {"type": "tool_use", "id": tool.id, "name": tool.name, "input": _input(tool.arguments)}
        for tool in answer.tools
    )
    return blocks


def _input(arguments: str) -> Json:
    """A plain answer can only hold an object here, so arguments that are none come out empty."""
    try:
        value: Json = msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _block_events(index: int, block: JsonObject, answer: Answer) -> list[bytes]:
    empty, deltas = _opened(block, answer)
    return [
        event({"type": "content_block_start", "index": index, "content_block": empty}),
        *(event({"type": "content_block_delta", "index": index, "delta": d}) for d in deltas),
        event({"type": "content_block_stop", "index": index}),
    ]


def _opened(block: JsonObject, answer: Answer) -> tuple[JsonObject, list[JsonObject]]:
    """A block as its stream begins, and the deltas that fill it."""
    match block["type"]:
        case "thinking":
            deltas = _deltas("thinking_delta", "thinking", pieces_of(answer.thinking))
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
            return {"type": "thinking", "thinking": "", "signature": ""}, deltas
        case "text":
            deltas = _deltas("text_delta", "text", pieces_of(answer.text))
            return {"type": "text", "text": ""}, deltas
        case _:
            sent = next(tool.arguments for tool in answer.tools if tool.id == block["id"])
            parts = ["", sent[: len(sent) // 2], sent[len(sent) // 2 :]]
            return {**block, "input": {}}, _deltas("input_json_delta", "partial_json", parts)


def _deltas(kind: str, field: str, pieces: list[str]) -> list[JsonObject]:
    return [{"type": kind, field: piece} for piece in pieces]


def _usage(counts: Counts) -> JsonObject:
    return {
        "input_tokens": counts.input,
        "cache_creation_input_tokens": counts.cache_write + counts.cache_write_1h,
        "cache_read_input_tokens": counts.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": counts.cache_write,
            "ephemeral_1h_input_tokens": counts.cache_write_1h,
        },
        "output_tokens": counts.output,
    }


def _final(counts: Counts) -> JsonObject:
    return {
        "input_tokens": counts.input,
        "cache_creation_input_tokens": counts.cache_write + counts.cache_write_1h,
        "cache_read_input_tokens": counts.cache_read,
        "output_tokens": counts.output,
    }


def _other_error(status: int) -> tuple[str, str]:
    server_fault = 500
    if status >= server_fault:
        return "api_error", "Internal server error"
    return "invalid_request_error", "The request is not valid."
