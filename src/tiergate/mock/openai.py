"""Writes answers, chunks and errors as OpenAI's API sends them; it decides nothing.

Shapes after platform.openai.com, pages "Chat completions", "Completions", "Embeddings", "Error
codes" and "Rate limits", and the types of the official Python SDK 3.57. `reasoning_content` is
what DeepSeek, vLLM and other hosts of this dialect add for thinking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from tiergate.base.jsontypes import Json, JsonObject
from tiergate.mock.answer import Answer, Counts, Ending, SaidTool, make_id, pieces_of
from tiergate.mock.call import Call, tokens_of
from tiergate.mock.embedding import DEFAULT_DIMENSIONS, inputs_of, packed, vector_of
from tiergate.mock.rules import Fail

STREAM_ERROR = Fail(status=500)
CONTEXT_TOKENS = 128_000
REQUEST_LIMIT = 10_000
TOKEN_LIMIT = 2_000_000
MODEL_BIRTH = 1_735_689_600
FINGERPRINT = "fp_scripted"
DONE = b"data: [DONE]\n\n"

_FINISH_REASONS: Mapping[Ending, str] = MappingProxyType(
    {
        Ending.DONE: "stop",
        Ending.LENGTH: "length",
        Ending.STOP_SEQUENCE: "stop",
        Ending.TOOL: "tool_calls",
        Ending.REFUSED: "content_filter",
        Ending.PAUSED: "stop",
    }
)

_ERRORS: Mapping[int, tuple[str, str | None, str]] = MappingProxyType(
    {
        401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
        403: ("invalid_request_error", None, "You are not allowed to use this resource."),
        404: ("invalid_request_error", "model_not_found", "The model does not exist."),
        429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 1s."),
        503: ("server_error", None, "The engine is currently overloaded, please try again later"),
    }
)


def completion(call: Call, answer: Answer) -> JsonObject:
    """The body of a plain chat answer."""
    said: JsonObject = {"role": "assistant", "content": answer.text or None}
    if not answer.tools:
        said["content"] = answer.text
    if answer.thinking:
        said["reasoning_content"] = answer.thinking
    if answer.tools:
        said["tool_calls"] = [_tool(tool) for tool in answer.tools]
    said["refusal"] = None
    said["annotations"] = []
    reason = _FINISH_REASONS[answer.ending]
    choice: JsonObject = {"index": 0, "message": said, "logprobs": None, "finish_reason": reason}
    return {
        "id": make_id("chatcmpl-", call.number),
        "object": "chat.completion",
        "created": call.now,
        "model": call.model,
        "choices": [choice],
        "usage": _usage(answer.counts),
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def chunks(call: Call, answer: Answer) -> list[bytes]:
    """The events of a streamed chat answer, in order, `[DONE]` last."""
    deltas = list(_deltas(answer))
    out = [event(_chunk(call, delta, None)) for delta in deltas]
    out.append(event(_chunk(call, {}, _FINISH_REASONS[answer.ending])))
    if _wants_usage(call):
        usage = _usage(answer.counts)
        out.append(event({**_chunk(call, {}, None), "choices": [], "usage": usage}))
    return [*out, DONE]


def text_completion(call: Call, answer: Answer) -> JsonObject:
    """The body of a plain answer of the old completions route."""
    body = _text_chunk(call, answer.text, _FINISH_REASONS[answer.ending])
    return {**body, "usage": _usage(answer.counts)}


def text_chunks(call: Call, answer: Answer) -> list[bytes]:
    """The events of a streamed answer of the old completions route."""
    out = [event(_text_chunk(call, piece, None)) for piece in pieces_of(answer.text)]
    out.append(event(_text_chunk(call, "", _FINISH_REASONS[answer.ending])))
    if _wants_usage(call):
        usage = _usage(answer.counts)
        out.append(event({**_text_chunk(call, "", None), "choices": [], "usage": usage}))
    return [*out, DONE]


def embeddings(call: Call) -> JsonObject:
    """The body of the embeddings route."""
    wanted = call.body.get("dimensions")
    size = wanted if isinstance(wanted, int) else DEFAULT_DIMENSIONS
    as_text = call.body.get("encoding_format") == "base64"
    texts = inputs_of(call.body.get("input"))
    rows: list[Json] = []
    for index, text in enumerate(texts):
        vector = vector_of(text, size)
        value: Json = packed(vector) if as_text else list[Json](vector)
        rows.append({"object": "embedding", "index": index, "embedding": value})
    tokens = sum(tokens_of(text) for text in texts)
    usage: JsonObject = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": call.model, "usage": usage}


def event(data: JsonObject) -> bytes:
    """One server-sent event."""
    return b"data: %s\n\n" % msgspec.json.encode(data)


def error(fail: Fail) -> JsonObject:
    """The body of an error answer, and the data of an in-band error event."""
    kind, code, text = _ERRORS.get(fail.status, _other_error(fail.status))
    return {
        "error": {
            "message": fail.message or text,
            "type": fail.type or kind,
            "param": None,
            "code": fail.code or code,
        }
    }


def overflow(call: Call) -> Fail:
    """The error for a prompt longer than the context window."""
    tokens = max(call.input_tokens, CONTEXT_TOKENS + 2_000)
    text = (
        f"This model's maximum context length is {CONTEXT_TOKENS} tokens. However, your messages "
        f"resulted in {tokens} tokens. Please reduce the length of the messages."
    )
    return Fail(400, "invalid_request_error", text, "context_length_exceeded")


def refusal() -> Fail:
    """The error for a prompt against the content policy."""
    text = "Invalid prompt: your prompt was flagged as potentially violating our usage policy."
    return Fail(400, "invalid_request_error", text, "invalid_prompt")


def model(name: str) -> JsonObject:
    """One entry of the models route."""
    return {"id": name, "object": "model", "created": MODEL_BIRTH, "owned_by": "scripted"}


def model_list(names: tuple[str, ...]) -> JsonObject:
    """The body of `/v1/models`."""
    return {"object": "list", "data": [model(name) for name in names]}


def headers(call_id: str, *, exhausted: bool) -> dict[str, str]:
    """Headers of every answer: request id and rate limits.

    Args:
        call_id: value of `x-request-id`.
        exhausted: has the rate limit been hit?
    """
    out = {
        "x-request-id": call_id,
        "openai-version": "2020-10-01",
        "openai-organization": "scripted",
        "openai-processing-ms": "1",
    }
    for what, limit in (("requests", REQUEST_LIMIT), ("tokens", TOKEN_LIMIT)):
        out[f"x-ratelimit-limit-{what}"] = str(limit)
        out[f"x-ratelimit-remaining-{what}"] = "0" if exhausted else str(limit - 1)
        out[f"x-ratelimit-reset-{what}"] = "1s" if exhausted else "6ms"
    return out


def _tool(tool: SaidTool) -> JsonObject:
    function: JsonObject = {"name": tool.name, "arguments": tool.arguments}
    return {"id": tool.id, "type": "function", "function": function}


def _deltas(answer: Answer) -> Iterator[JsonObject]:
    yield {"role": "assistant", "content": None if answer.tools else "", "refusal": None}
    for piece in pieces_of(answer.thinking):
        yield {"reasoning_content": piece}
    for piece in pieces_of(answer.text):
        yield {"content": piece}
    for index, tool in enumerate(answer.tools):
        opened = _tool(SaidTool(tool.id, tool.name, ""))
        yield {"tool_calls": [{"index": index, **opened}]}
        middle = len(tool.arguments) // 2
        for half in (tool.arguments[:middle], tool.arguments[middle:]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": half}}]}


def _chunk(call: Call, delta: JsonObject, reason: str | None) -> JsonObject:
    choice: JsonObject = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    out: JsonObject = {
        "id": make_id("chatcmpl-", call.number),
        "object": "chat.completion.chunk",
        "created": call.now,
        "model": call.model,
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
        "choices": [choice],
    }
    if _wants_usage(call):
        out["usage"] = None
    return out


def _text_chunk(call: Call, text: str, reason: str | None) -> JsonObject:
    choice: JsonObject = {"text": text, "index": 0, "logprobs": None, "finish_reason": reason}
    return {
        "id": make_id("cmpl-", call.number),
        "object": "text_completion",
        "created": call.now,
        "model": call.model,
        "choices": [choice],
        "system_fingerprint": FINGERPRINT,
    }


def _wants_usage(call: Call) -> bool:
    options = call.body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _usage(counts: Counts) -> JsonObject:
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.output,
        "total_tokens": counts.prompt + counts.output,
        "prompt_tokens_details": {"cached_tokens": counts.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": counts.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _other_error(status: int) -> tuple[str, str | None, str]:
    server_fault = 500
    if status >= server_fault:
        text = "The server had an error while processing your request. Sorry about that!"
        return "server_error", None, text
    return "invalid_request_error", None, "The request is not valid."
