"""Builds OpenAI bodies, events and errors for scripted upstreams."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from support.exchange import Recorded, Reply, json_reply, stream_reply
from tiergate.base.jsontypes import Json, JsonObject

MODEL = "upstream-o"
COMPLETION_ID = "chatcmpl-scripted"
CREATED = 1_700_000_000
DONE = b"data: [DONE]\n\n"


def usage(prompt: int = 10, completion: int = 5, *, cached: int | None = None) -> JsonObject:
    """A usage object; the cached count only where given."""
    out: JsonObject = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    if cached is not None:
        out["prompt_tokens_details"] = {"cached_tokens": cached}
    return out


def tool_call(name: str, arguments: JsonObject, tool_id: str = "call_scripted") -> JsonObject:
    """A tool call of a plain answer."""
    function: JsonObject = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": tool_id, "type": "function", "function": function}


def completion(
    text: str | None,
    *,
    tool_calls: Sequence[JsonObject] = (),
    finish_reason: str | None = None,
    model: str = MODEL,
    counts: JsonObject | None = None,
) -> JsonObject:
    """The body of a plain chat answer."""
    said: JsonObject = {"role": "assistant", "content": text}
    if tool_calls:
        said["tool_calls"] = [*tool_calls]
    reason = finish_reason or ("tool_calls" if tool_calls else "stop")
    choice: JsonObject = {"index": 0, "message": said, "finish_reason": reason}
    return {
        "id": COMPLETION_ID,
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": [choice],
        "usage": counts or usage(),
    }


def event(data: JsonObject) -> bytes:
    """One event."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def chunk(
    delta: JsonObject | None,
    *,
    finish_reason: str | None = None,
    model: str = MODEL,
    counts: JsonObject | None = None,
) -> bytes:
    """One chunk of a chat stream.

    Args:
        delta: what it adds; `None`: a chunk without choices, as the one with the usage.
        finish_reason: in the last chunk with a choice.
        model: as the upstream calls it.
        counts: the usage object.
    """
    choices: list[Json] = []
    if delta is not None:
        choices.append({"index": 0, "delta": delta, "finish_reason": finish_reason})
    body: JsonObject = {
        "id": COMPLETION_ID,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "choices": choices,
    }
    if counts is not None:
        body["usage"] = counts
    return event(body)


def role_chunk() -> bytes:
    """The chunk that opens a stream."""
    return chunk({"role": "assistant", "content": ""})


def text_chunk(text: str) -> bytes:
    """More text."""
    return chunk({"content": text})


def reasoning_chunk(text: str) -> bytes:
    """More thinking, as some hosts send it."""
    return chunk({"reasoning_content": text})


def tool_chunk(
    index: int, *, arguments: str = "", name: str | None = None, tool_id: str | None = None
) -> bytes:
    """A tool call: with name and id its beginning, without them more of its arguments."""
    function: JsonObject = {"arguments": arguments}
    call: JsonObject = {"index": index, "function": function}
    if name is not None:
        function["name"] = name
        call["id"] = tool_id or "call_scripted"
        call["type"] = "function"
    return chunk({"tool_calls": [call]})


def finish_chunk(reason: str = "stop") -> bytes:
    """The chunk with the finish reason."""
    return chunk({}, finish_reason=reason)


def usage_chunk(counts: JsonObject | None = None) -> bytes:
    """The chunk with the usage."""
    return chunk(None, counts=counts or usage())


def error_body(kind: str, text: str, code: str | None = None) -> JsonObject:
    """The body of an error answer, and the data of an error event."""
    return {"error": {"message": text, "type": kind, "param": None, "code": code}}


def error_event(kind: str = "server_error", text: str = "The server had an error.") -> bytes:
    """The event that breaks a stream off."""
    return event(error_body(kind, text))


def text_events(text: str, *, with_usage: bool = True) -> list[bytes]:
    """The events of a whole stream with one text, in two halves."""
    middle = len(text) // 2
    return [
        role_chunk(),
        text_chunk(text[:middle]),
        text_chunk(text[middle:]),
        finish_chunk(),
        *([usage_chunk()] if with_usage else []),
        DONE,
    ]


def tool_events(name: str, arguments: JsonObject, tool_id: str = "call_scripted") -> list[bytes]:
    """The events of a whole stream that calls one tool, the arguments in two halves."""
    text = json.dumps(arguments)
    middle = len(text) // 2
    return [
        chunk({"role": "assistant", "content": None}),
        tool_chunk(0, name=name, tool_id=tool_id),
        tool_chunk(0, arguments=text[:middle]),
        tool_chunk(0, arguments=text[middle:]),
        finish_chunk("tool_calls"),
        usage_chunk(),
        DONE,
    ]


def text_reply(text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A plain answer with one text."""
    return json_reply(completion(text), headers=headers)


def text_stream(text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A streamed answer with one text and the usage."""
    return stream_reply(*text_events(text), headers=headers)


def error_reply(
    status: int,
    kind: str,
    text: str,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """An error answer."""
    return json_reply(error_body(kind, text, code), status, headers)


def overflow_reply() -> Reply:
    """The error for a prompt longer than the context window."""
    text = "This model's maximum context length is 128000 tokens."
    return error_reply(400, "invalid_request_error", text, "context_length_exceeded")


def refusal_reply() -> Reply:
    """The error for a prompt against the content policy."""
    text = "Your request was rejected by our safety system."
    return error_reply(400, "invalid_request_error", text, "content_policy_violation")


def embeddings(vectors: Sequence[Sequence[float]], model: str = MODEL) -> JsonObject:
    """The body of an embeddings answer."""
    rows: list[Json] = [
        {"object": "embedding", "index": index, "embedding": [*vector]}
        for index, vector in enumerate(vectors)
    ]
    counts: JsonObject = {"prompt_tokens": 3 * len(rows), "total_tokens": 3 * len(rows)}
    return {"object": "list", "model": model, "data": rows, "usage": counts}


def text_completion(text: str, model: str = MODEL) -> JsonObject:
    """The body of a plain answer of the old completions route."""
    choice: JsonObject = {"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": "cmpl-scripted",
        "object": "text_completion",
        "created": CREATED,
        "model": model,
        "choices": [choice],
        "usage": usage(),
    }


def default_reply(recorded: Recorded, text: str) -> Reply | None:
    """The answer to an unscripted request on OpenAI's routes; `None` on others."""
    path = recorded.path
    if path.endswith("/chat/completions"):
        return text_stream(text) if recorded.json.get("stream") is True else text_reply(text)
    if path.endswith("/completions"):
        return json_reply(text_completion(text))
    if path.endswith("/embeddings"):
        asked = recorded.json.get("input")
        count = len(asked) if isinstance(asked, list) else 1
        return json_reply(embeddings([(1.0, 0.0, 0.0)] * count))
    if path.endswith("/models"):
        return json_reply({"object": "list", "data": []})
    return None
