"""The requests the benchmark sends and the answers its upstream gives, in both dialects.

All of it is bytes made once, before anything is measured. It opens no socket.
"""

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import assert_never, cast

CLIENT_KEY = "sk-bench-client-3f9c2a77d1e84b06"
PROVIDER_KEY = "sk-bench-provider-90b1c6"
TAG = "interactive"
PLAIN_TEXT = "The invoice total does not match the sum of its lines. " * 10
OPENAI_MODEL = "gpt-4o-mini"
ANTHROPIC_MODEL = "claude-haiku-4-5"

_CREATED = 1_760_000_000
_PARAGRAPH = (
    'Review this change before it is merged.\n\n\tdef total(lines):\n\t\t"""Sum of the lines."""'
    "\n\t\treturn sum(line.price * line.count for line in lines)\n\nThe café's receipts differ. "
)
_SCRIPT = re.compile(rb"bench:chunks=(\d+),interval_ms=(\d+);")
_STAMPED = re.compile(rb"\[(\d+)@(\d+)\]")


class Dialect(Enum):
    """A wire format, by the path its clients post to."""

    OPENAI = "/v1/chat/completions"
    ANTHROPIC = "/v1/messages"


@dataclass(frozen=True, slots=True)
class StreamScript:
    """How the upstream plays one stream: content chunks, and milliseconds from one to the next.

    It travels inside the prompt, the one part of a request that every gateway must carry whole.
    """

    chunks: int
    interval_ms: int

    @property
    def seconds(self) -> float:
        """How long the stream takes."""
        return self.chunks * self.interval_ms / 1000

    def words(self) -> str:
        """The script as the prompt's first words."""
        return f"bench:chunks={self.chunks},interval_ms={self.interval_ms};"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The mark in one content chunk: its number from 0, and when the upstream wrote it.

    The instant is in nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share.
    """

    number: int
    sent_ns: int


def chat_body(alias: str, size: int) -> bytes:
    """A plain chat request of exactly `size` bytes; valid in both dialects.

    The text is like the text of a coding tool: newlines, quotes, tabs and a letter beyond ASCII,
    so that a JSON reader meets the escapes it meets in practice. A long one has many turns.

    Raises:
        ValueError: the size is too small to hold a request.
    """
    turns = 1 if size < 10_000 else 49
    messages: list[dict[str, str]] = [
        {"role": "user" if number % 2 == 0 else "assistant", "content": _PARAGRAPH}
        for number in range(turns)
    ]
    body = {"model": alias, "max_tokens": 256, "messages": messages}
    room = size - len(_encode(body))
    if room < 0:
        raise ValueError(f"a request needs at least {size - room} bytes, not {size}")
    whole = len(_encode(_PARAGRAPH)) - 2
    repeats = room // turns // whole
    for message in messages:
        message["content"] = _PARAGRAPH * (1 + repeats)
    messages[-1]["content"] += "x" * (size - len(_encode(body)))
    return _encode(body)


def stream_body(dialect: Dialect, alias: str, script: StreamScript) -> bytes:
    """A streamed chat request that carries its script."""
    body: dict[str, object] = {
        "model": alias,
        "max_tokens": 256,
        "stream": True,
        "messages": [{"role": "user", "content": f"{script.words()} Tell me about receipts."}],
    }
    if dialect is Dialect.OPENAI:
        body["stream_options"] = {"include_usage": True}
    return _encode(body)


def headers(dialect: Dialect) -> dict[str, str]:
    """The headers a client of this dialect sends, besides host and length."""
    common = {"content-type": "application/json", "x-litellm-tags": TAG}
    match dialect:
        case Dialect.OPENAI:
            return {**common, "authorization": f"Bearer {CLIENT_KEY}"}
        case Dialect.ANTHROPIC:
            return {**common, "x-api-key": CLIENT_KEY, "anthropic-version": "2023-06-01"}
        case _:
            assert_never(dialect)


def request(dialect: Dialect, port: int, body: bytes) -> bytes:
    """A whole HTTP/1.1 request as it goes over the wire."""
    lines = [f"POST {dialect.value} HTTP/1.1", f"host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in headers(dialect).items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def plain_answer(dialect: Dialect) -> bytes:
    """The upstream's answer to every plain call, about 1 KB."""
    match dialect:
        case Dialect.OPENAI:
            message = {"role": "assistant", "content": PLAIN_TEXT, "refusal": None}
            return _encode(
                {
                    "id": "chatcmpl-bench",
                    "object": "chat.completion",
                    "created": _CREATED,
                    "model": OPENAI_MODEL,
                    "choices": [
                        {
                            "index": 0,
                            "message": message,
                            "logprobs": None,
                            "finish_reason": "stop",
                        }
                    ],
                    "usage": _openai_usage(120),
                    "system_fingerprint": "fp_bench",
                }
            )
        case Dialect.ANTHROPIC:
            return _encode(
                {
                    "id": "msg_bench",
                    "type": "message",
                    "role": "assistant",
                    "model": ANTHROPIC_MODEL,
                    "content": [{"type": "text", "text": PLAIN_TEXT}],
                    "stop_reason": "end_turn",
                    "stop_sequence": None,
                    "usage": _anthropic_usage(120),
                }
            )
        case _:
            assert_never(dialect)


def answer_text(dialect: Dialect, body: bytes) -> str | None:
    """The text of a plain answer; None if the body is not such an answer."""
    try:
        value: object = json.loads(body)
    except ValueError:
        return None
    match dialect:
        case Dialect.OPENAI:
            text = _at(value, "choices", 0, "message", "content")
        case Dialect.ANTHROPIC:
            text = _at(value, "content", 0, "text")
        case _:
            assert_never(dialect)
    return text if isinstance(text, str) else None


def script_of(body: bytes) -> StreamScript | None:
    """The script inside a request's prompt, in whatever dialect; None if it has none."""
    found = _SCRIPT.search(body)
    return StreamScript(int(found[1]), int(found[2])) if found else None


def stream_head(dialect: Dialect) -> tuple[bytes, ...]:
    """The events before the first content."""
    match dialect:
        case Dialect.OPENAI:
            return (_openai_chunk({"role": "assistant", "content": "", "refusal": None}, None),)
        case Dialect.ANTHROPIC:
            message: dict[str, object] = {
                "id": "msg_bench",
                "type": "message",
                "role": "assistant",
                "model": ANTHROPIC_MODEL,
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": _anthropic_usage(1),
            }
            block = {"type": "text", "text": ""}
            return (
                _anthropic_event("message_start", {"message": message}),
                _anthropic_event("content_block_start", {"index": 0, "content_block": block}),
                _anthropic_event("ping", {}),
            )
        case _:
            assert_never(dialect)


def content_chunk(dialect: Dialect, stamp: Stamp) -> bytes:
    """One content chunk that carries its stamp as text."""
    text = f"[{stamp.number}@{stamp.sent_ns}]"
    match dialect:
        case Dialect.OPENAI:
            return _openai_chunk({"content": text}, None)
        case Dialect.ANTHROPIC:
            delta = {"type": "text_delta", "text": text}
            return _anthropic_event("content_block_delta", {"index": 0, "delta": delta})
        case _:
            assert_never(dialect)


def stream_tail(dialect: Dialect, chunks: int, *, usage: bool) -> tuple[bytes, ...]:
    """The events after the last content; OpenAI counts tokens only for a caller who asks."""
    match dialect:
        case Dialect.OPENAI:
            finish = _openai_chunk({}, "stop")
            counted = _openai_usage_chunk(chunks)
            return (finish, *((counted,) if usage else ()), b"data: [DONE]\n\n")
        case Dialect.ANTHROPIC:
            delta = {"stop_reason": "end_turn", "stop_sequence": None}
            return (
                _anthropic_event("content_block_stop", {"index": 0}),
                _anthropic_event(
                    "message_delta", {"delta": delta, "usage": {"output_tokens": chunks}}
                ),
                _anthropic_event("message_stop", {}),
            )
        case _:
            assert_never(dialect)


def end_mark(dialect: Dialect) -> bytes:
    """Bytes that only a stream which ended well contains."""
    match dialect:
        case Dialect.OPENAI:
            return b"data: [DONE]"
        case Dialect.ANTHROPIC:
            return b"event: message_stop"
        case _:
            assert_never(dialect)


def stamps_in(text: bytes) -> tuple[Stamp, ...]:
    """The stamps of the content chunks in a piece of a stream, in order."""
    return tuple(Stamp(int(number), int(sent)) for number, sent in _STAMPED.findall(text))


def wants_usage(body: bytes) -> bool:
    """Whether an OpenAI request asks for the token count at the end of its stream."""
    value: object = json.loads(body)
    return _at(value, "stream_options", "include_usage") is True


def _openai_chunk(delta: dict[str, str | None], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _openai_data({"choices": [choice], "usage": None})


def _openai_usage_chunk(chunks: int) -> bytes:
    return _openai_data({"choices": [], "usage": _openai_usage(chunks)})


def _openai_data(fields: dict[str, object]) -> bytes:
    envelope: dict[str, object] = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": OPENAI_MODEL,
        "system_fingerprint": "fp_bench",
    }
    return b"data: " + _encode(envelope | fields) + b"\n\n"


def _openai_usage(output: int) -> dict[str, object]:
    return {
        "prompt_tokens": 450,
        "completion_tokens": output,
        "total_tokens": 450 + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    }


def _anthropic_usage(output: int) -> dict[str, int]:
    return {
        "input_tokens": 450,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
    }


def _anthropic_event(name: str, fields: dict[str, object]) -> bytes:
    data = _encode({"type": name, **fields})
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def _at(value: object, *path: str | int) -> object:
    """The value at a path of keys and indices; None where the path does not exist."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = cast("dict[str, object]", value).get(step)
        elif isinstance(value, list) and isinstance(step, int):
            items = cast("list[object]", value)
            value = items[step] if step < len(items) else None
        else:
            return None
    return value


def _encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
